"""Train and score a VAE from the command line: ``python -m vaebook train --help``."""

import argparse
from pathlib import Path

import torch
from torch import Tensor

from vaebook.datasets import binarize_noisily, load_digits, load_mnist
from vaebook.monte_carlo import estimate
from vaebook.training import Settings, State, fit, load_checkpoint, make_optimizer
from vaebook.vae import VAE


def main(arguments: list[str] | None = None) -> None:
    """Run one command; ``arguments`` are those of the shell by default."""
    options = parser().parse_args(arguments)
    {"train": train, "evaluate": evaluate}[options.command](options)


def parser() -> argparse.ArgumentParser:
    """The command line's grammar and its help."""
    top = argparse.ArgumentParser(prog="python -m vaebook", description=__doc__)
    top.add_argument("command", choices=["train", "evaluate"])
    top.add_argument("checkpoint", type=Path, help="a .safetensors file")
    top.add_argument("--data", choices=["digits", "mnist"], default="digits")
    top.add_argument("--latents", type=int, default=8)
    top.add_argument("--hidden", type=int, nargs="*", default=[128, 128])
    top.add_argument("--epochs", type=int, default=600)
    top.add_argument("--batch", type=int, default=100)
    top.add_argument("--rate", type=float, default=3e-3)
    top.add_argument("--seed", type=int, default=0)
    top.add_argument("--threads", type=int, default=1)
    top.add_argument("--samples", type=int, default=5000, help="of the bound, evaluate")
    return top


def bernoulli_bytes(rows: Tensor, *, rng: torch.Generator) -> Tensor:
    """Dynamic binarisation: a new draw of each pixel, lit with probability ink/255."""
    return torch.bernoulli(rows / 255, generator=rng)


def train(options: argparse.Namespace) -> None:
    """Train, or go on from the checkpoint; it is written after each epoch."""
    digits = options.data == "digits"
    x = load_digits(binarize=False).train.x if digits else load_mnist().train.x
    settings = Settings(
        epochs=options.epochs,
        batch_size=options.batch,
        learning_rate=options.rate,
        threads=options.threads,
        to_pixels=binarize_noisily if digits else bernoulli_bytes,
        checkpoint=options.checkpoint,
        progress=True,
    )
    model, rng = make_model(options, x.shape[1])
    last = fit(model, x, settings, rng=rng)[-1]
    print(f"training ELBO {last.elbo:.2f} nats per image (KL {last.kl:.2f})")


def evaluate(options: argparse.Namespace) -> None:
    """Score the test images by the importance-weighted bound, with a standard error."""
    digits = options.data == "digits"
    x = load_digits(binarize=True).test.x if digits else load_mnist().test.x
    model, rng = make_model(options, x.shape[1])
    optimizer = make_optimizer(model, Settings())
    load_checkpoint(options.checkpoint, State(model, optimizer, rng, []))
    rng.manual_seed(options.seed)
    x = x if digits else bernoulli_bytes(x, rng=rng)
    parts = [
        -model.log_evidence(part, options.samples, rng=rng).value
        for part in x.split(500)
    ]
    print(f"test score {estimate(torch.cat(parts))} nats per image")


def make_model(
    options: argparse.Namespace, data_dim: int
) -> tuple[VAE, torch.Generator]:
    """The model of the options, before training, and the generator that drew it."""
    rng = torch.Generator().manual_seed(options.seed)
    return VAE(data_dim, options.hidden, options.latents, rng=rng), rng


if __name__ == "__main__":
    main()
