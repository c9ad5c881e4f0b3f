"""From Likelihood to Latent Space: the code behind each chapter of the book."""
