"""Training throughput on MNIST-shaped data: ours, a DataLoader's, the bare products.

Each contender trains, or imitates, the same model: 784-400-20, SiLU. The rounds
alternate inside one run, so the ratios can be trusted where the absolute figures, on
a machine that does other work, cannot. Without MNIST the images are random bytes:
the arithmetic is the same.

Run: python benchmarks/mnist_throughput.py
"""

import statistics
import time

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from vaebook.datasets import load_mnist
from vaebook.training import Settings, State, make_optimizer, run, train_step
from vaebook.vae import VAE

ROUNDS, IMAGES = 7, 20_480


class Decoded(Dataset):
    """Each image decoded, scaled and flattened by itself, as in most tutorials."""

    def __init__(self, images: np.ndarray):
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, row: int) -> torch.Tensor:
        image = Image.fromarray(self.images[row].reshape(28, 28))
        channels = torch.from_numpy(np.array(image)).view(28, 28, 1).permute(2, 0, 1)
        return channels.contiguous().to(torch.float32).div(255).flatten()


def make_state() -> State:
    rng = torch.Generator().manual_seed(0)
    model = VAE(784, (400,), 20, rng=rng)
    return State(model, make_optimizer(model, Settings()), rng, [])


def ours(images: torch.Tensor, batch: int) -> float:
    """``training.run`` for one epoch, from one tensor."""
    settings = Settings(epochs=1, batch_size=batch, threads=torch.get_num_threads())
    state = make_state()
    pixels = images.float() / 255
    start = time.perf_counter()
    list(run(state.model, pixels, settings, rng=state.rng))
    return IMAGES / (time.perf_counter() - start)


def same_step(images: torch.Tensor, batch: int) -> float:
    """Our own step, fed by a DataLoader."""
    state = make_state()
    loader = DataLoader(Decoded(images.numpy()), batch, shuffle=True)
    start = time.perf_counter()
    for pixels in loader:
        train_step(state, (pixels,), Settings())
    return IMAGES / (time.perf_counter() - start)


def plain_loop(images: torch.Tensor, batch: int) -> float:
    """The same model in the loop most tutorials print: sigmoid, BCE, default Adam."""
    model = make_state().model
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = DataLoader(Decoded(images.numpy()), batch, shuffle=True)
    start = time.perf_counter()
    for pixels in loader:
        optimizer.zero_grad()
        mu, log_var = model.encoder(pixels)
        z = mu + torch.exp(0.5 * log_var) * torch.randn_like(mu)
        probabilities = torch.sigmoid(model.decoder(z))
        bce = torch.nn.functional.binary_cross_entropy(
            probabilities, pixels, reduction="sum"
        )
        kl = -0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp())
        ((bce + kl) / len(pixels)).backward()
        optimizer.step()
    return IMAGES / (time.perf_counter() - start)


def products(images: torch.Tensor, batch: int) -> float:
    """Every matrix product of a step, in the layouts of nn.Linear, and nothing else."""
    sizes = [(784, 400), (400, 40), (20, 400), (400, 784)]
    weights = [torch.randn(columns, rows) for rows, columns in sizes]
    inputs = [torch.randn(batch, rows) for rows, _ in sizes]
    outputs = [torch.randn(batch, columns) for _, columns in sizes]
    start = time.perf_counter()
    for _ in range(IMAGES // batch):
        for layer, (w, a, grad) in enumerate(
            zip(weights, inputs, outputs, strict=True)
        ):
            _ = a @ w.T, grad.T @ a
            if layer > 0:  # nothing needs the gradient of the pixels
                _ = grad @ w
    return IMAGES / (time.perf_counter() - start)


def load_images() -> torch.Tensor:
    try:
        return load_mnist().train.x[:IMAGES]
    except (ConnectionError, FileNotFoundError):
        print("MNIST is not at hand: random bytes of its shape")
        rng = torch.Generator().manual_seed(0)
        return torch.randint(256, (IMAGES, 784), generator=rng, dtype=torch.uint8)


def main() -> None:
    images = load_images()
    contenders = ours, plain_loop, same_step, products
    print(f"median of {ROUNDS} alternating rounds, {torch.get_num_threads()} threads")
    print("images/s: ours | plain loop, DataLoader | our step, DataLoader | products")
    for batch in (128, 512):
        rounds = [[f(images, batch) for f in contenders] for _ in range(ROUNDS)]
        rates = [statistics.median(column) for column in zip(*rounds, strict=True)]
        mine, plain, same, ceiling = rates
        print(f"batch {batch}: " + " | ".join(f"{rate:.0f}" for rate in rates))
        print(
            f"  ours / plain loop {mine / plain:.2f}, ours / our step behind a "
            f"DataLoader {mine / same:.2f}, ours / products {mine / ceiling:.2f}"
        )


if __name__ == "__main__":
    main()
