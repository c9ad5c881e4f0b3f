"""Train, score and record from the command line: ``python -m vaebook train --help``."""

import argparse
import shlex
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from vaebook import results, studies
from vaebook.datasets import binarize_noisily, load_digits, load_mnist
from vaebook.monte_carlo import estimate
from vaebook.protocols import Scorable
from vaebook.training import Settings, State, fit, load_checkpoint, make_optimizer
from vaebook.vae import VAE

SHORT = {"data": "digits", "epochs": 20, "samples": 100, "threads": 1}


def main(arguments: list[str] | None = None) -> None:
    """Run one command; ``arguments`` are those of the shell by default."""
    words = sys.argv[1:] if arguments is None else arguments
    options = parser().parse_args(words)
    if options.command == "study" and options.name not in studies.STUDIES:
        parser().error(f"study needs --name, one of {', '.join(studies.STUDIES)}")
    if options.checkpoint is None and options.command != "study":
        parser().error(f"{options.command} needs the name of a checkpoint")

    command = shlex.join(["python", "-m", "vaebook", *words])
    if options.command == "study":
        study(options, command)
    elif options.command == "record":
        record(options, command)
    else:
        {"train": train, "evaluate": evaluate}[options.command](options)


def parser() -> argparse.ArgumentParser:
    """The command line's grammar and its help."""
    top = argparse.ArgumentParser(prog="python -m vaebook", description=__doc__)
    top.add_argument("command", choices=["train", "evaluate", "record", "study"])
    top.add_argument(
        "checkpoint", type=Path, nargs="?", help="a .safetensors file; none for study"
    )
    top.add_argument("--data", choices=["digits", "mnist"], default="digits")
    top.add_argument("--latents", type=int, default=8)
    top.add_argument("--hidden", type=int, nargs="*", default=[128, 128])
    top.add_argument("--epochs", type=int, default=600)
    top.add_argument("--batch", type=int, default=100)
    top.add_argument("--rate", type=float, default=3e-3)
    top.add_argument("--seed", type=int, default=0)
    top.add_argument("--threads", type=int, default=1)
    top.add_argument("--workers", type=int, default=1, help="study: seeds at a time")
    top.add_argument("--samples", type=int, default=5000, help="of the bound, evaluate")
    top.add_argument("--name", default="run", help="record: of src/vaebook/results/")
    return top


def bernoulli_bytes(rows: Tensor, *, rng: torch.Generator) -> Tensor:
    """Dynamic binarisation: a new draw of each pixel, lit with probability ink/255."""
    return torch.bernoulli(rows / 255, generator=rng)


def train(options: argparse.Namespace) -> dict[str, float]:
    """Train, or go on from the checkpoint; it is written after each epoch.

    Returns the training ELBO and its KL after the last epoch, nats per image.
    """
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
    return {"training_elbo": last.elbo, "training_kl": last.kl}


def evaluate(options: argparse.Namespace) -> dict[str, float]:
    """Score the test images by the importance-weighted bound, with a standard error.

    Returns both, nats per image; the score is minus the bound, so lower is better.
    """
    digits = options.data == "digits"
    x = load_digits(binarize=True).test.x if digits else load_mnist().test.x
    model, rng = make_model(options, x.shape[1])
    optimizer = make_optimizer(model, Settings())
    load_checkpoint(options.checkpoint, State(model, optimizer, rng, []))

    rng.manual_seed(options.seed)
    x = x if digits else bernoulli_bytes(x, rng=rng)
    score = estimate(scores(model, x, options.samples, rng=rng))
    print(f"test score {score} nats per image")
    return {"test_score": score.mean, "standard_error": score.standard_error}


def scores(
    model: Scorable, x: Tensor, num_samples: int, *, rng: torch.Generator
) -> Tensor:
    """Minus the bound on log p(x) of each image, (N,) nats, 500 images at a time."""
    parts = x.split(500)
    return torch.cat(
        [-model.log_evidence(part, num_samples, rng=rng).value for part in parts]
    )


def record(options: argparse.Namespace, command: str) -> None:
    """Train and evaluate from the start, and store what came out under a name.

    Raises
    ------
    FileExistsError
        If there is a checkpoint: a run that goes on has no time of its own.
    """
    if options.checkpoint.exists():
        raise FileExistsError(f"{options.checkpoint}: a recorded run starts anew")

    began = time.perf_counter()
    numbers = train(options) | evaluate(options)
    seconds = time.perf_counter() - began
    store(options, command, seconds, (options.seed,), numbers)


def study(options: argparse.Namespace, command: str) -> None:
    """The long runs of a chapter over seeds, stored under its name: up to an hour."""
    began = time.perf_counter()
    found = studies.whole(
        options.name, threads=options.threads, workers=options.workers
    )
    seconds = time.perf_counter() - began
    seeds = studies.seeds_of(options.name)
    store(options, command, seconds, seeds, *found)


def store(
    options: argparse.Namespace,
    command: str,
    seconds: float,
    seeds: tuple[int, ...],
    numbers: dict[str, float],
    pictures: dict[str, str] | None = None,
) -> None:
    """Write what came out of a long run, with that of a short one beside it."""
    run = results.Record(
        command=command,
        seeds=seeds,
        commit=results.commit(),
        hardware=results.hardware(),
        seconds=round(seconds, 1),
        versions=results.versions(),
        numbers=numbers,
        short=short_run(options),
        pictures=pictures or {},
    )
    print(f"written to {results.save(options.name, run)}")


def short_run(options: argparse.Namespace) -> dict[str, float]:
    """Numbers of the same names in seconds, on the bundled digits."""
    if options.command == "study":
        return studies.brief(options.name).numbers
    with TemporaryDirectory() as folder:
        elsewhere = {"checkpoint": Path(folder) / "short.safetensors"}
        shortened = argparse.Namespace(**vars(options) | SHORT | elsewhere)
        return train(shortened) | evaluate(shortened)


def make_model(
    options: argparse.Namespace, data_dim: int
) -> tuple[VAE, torch.Generator]:
    """The model of the options, before training, and the generator that drew it."""
    rng = torch.Generator().manual_seed(options.seed)
    return VAE(data_dim, options.hidden, options.latents, rng=rng), rng


if __name__ == "__main__":
    main()
