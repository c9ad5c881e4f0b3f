"""The likelihood surface by the book's own log-density."""

import torch
from explore.made import make_surface

from vaebook.likelihood import gaussian_log_prob


def petal_log_lik(parameters):
    """Log-likelihood of the petal lengths at (mu, log sigma), nats."""
    mu, log_sigma = parameters[..., :1], parameters[..., 1:]
    x = torch.tensor(make_surface().x, dtype=torch.float64)
    log_prob = gaussian_log_prob(
        x[:, None], mu[..., None, :], 2 * log_sigma[..., None, :]
    )
    return log_prob.sum(-1)
