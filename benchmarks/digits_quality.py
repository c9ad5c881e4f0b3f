"""Held-out digits: nats per image of the VAE, three seeds each, and the time it took.

Every choice (widths, rate, noise, number of epochs) was made on the validation rows;
the test rows are read here, once, after training.

Run: python benchmarks/digits_quality.py
"""

import time
from statistics import fmean

import torch

from vaebook.datasets import binarize_noisily, load_digits
from vaebook.monte_carlo import estimate
from vaebook.training import Settings, fit
from vaebook.vae import VAE

HIDDEN, SAMPLES, SEEDS = (128, 128), 5000, (0, 1, 2)
SETTINGS = Settings(epochs=600, to_pixels=binarize_noisily)


def train(latent_dim: int, seed: int) -> tuple[VAE, float]:
    rng = torch.Generator().manual_seed(seed)
    model = VAE(64, HIDDEN, latent_dim, rng=rng)
    start = time.perf_counter()
    fit(model, load_digits(binarize=False).train.x, SETTINGS, rng=rng)
    return model, time.perf_counter() - start


def negative_log_evidence(model: VAE, x: torch.Tensor) -> torch.Tensor:
    rng = torch.Generator().manual_seed(0)
    return -model.log_evidence(x, SAMPLES, rng=rng).value


def same_weights(a: VAE, b: VAE) -> bool:
    pairs = zip(a.parameters(), b.parameters(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


def main() -> None:
    digits = load_digits(binarize=True)
    print(f"{SAMPLES}-sample bound, nats per image; {torch.get_num_threads()} threads")
    print("latents  seed  seconds  validation  test")
    for latent_dim in (8, 2):
        scores = []
        for seed in SEEDS:
            model, seconds = train(latent_dim, seed)
            nll = negative_log_evidence(model, digits.test.x)
            seen = negative_log_evidence(model, digits.validation.x).mean()
            row = f"{latent_dim:7}  {seed:4}  {seconds:7.1f}  {seen:10.3f}"
            print(f"{row}  {estimate(nll)}", flush=True)
            scores.append(nll.mean().item())
        again = same_weights(model, train(latent_dim, SEEDS[-1])[0])
        print(f"{latent_dim:7}  mean of the test column: {fmean(scores):.3f} nats")
        print(f"{latent_dim:7}  same seed, same weights, bit for bit: {again}")


if __name__ == "__main__":
    main()
