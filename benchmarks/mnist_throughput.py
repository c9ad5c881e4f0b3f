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

from vaebook.checkpoints import State
from vaebook.datasets import load_mnist
from vaebook.training import Settings, make_optimizer, run, train_step
from vaebook.vae import VAE

ROUNDS, IMAGES = 7, 20_480


class Decoded(Dataset):
    """What most tutorials do: each image decoded, scaled and flattened by itself."""

    def __init__(self, images: np.ndarray):
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, row: int) -> torch.Tensor:
        image = np.array(Image.fromarray(self.images[row].reshape(28, 28)))
        return torch.from_numpy(image).float().div(255).flatten()


def make_state() -> State:
    rng = torch.Generator().manual_seed(0)
    model = VAE(784, (400,), 20, rng=rng)
    return State(model, make_optimizer(model, Settings()), rng, [])


def ours(images: torch.Tensor, batch: int) -> float:
    settings = Settings(epochs=1, batch_size=batch, threads=torch.get_num_threads())
    state = make_state()
    pixels = images.float() / 255
    start = time.perf_counter()
    list(run(state.model, pixels, settings, rng=state.rng))
    return IMAGES / (time.perf_counter() - start)


def data_loader(images: torch.Tensor, batch: int) -> float:
    state = make_state()
    loader = DataLoader(Decoded(images.numpy()), batch, shuffle=True)
    start = time.perf_counter()
    for pixels in loader:
        train_step(state, pixels)
    return IMAGES / (time.perf_counter() - start)


def bare_products(images: torch.Tensor, batch: int) -> float:
    """Every matrix product of a step, forward and backward, and nothing else."""
    sizes = [(784, 400), (400, 40), (20, 400), (400, 784)]
    weights = [torch.randn(rows, columns) for rows, columns in sizes]
    inputs = [torch.randn(batch, rows) for rows, _ in sizes]
    outputs = [torch.randn(batch, columns) for _, columns in sizes]
    start = time.perf_counter()
    for _ in range(IMAGES // batch):
        for layer, (w, a, grad) in enumerate(
            zip(weights, inputs, outputs, strict=True)
        ):
            _ = a @ w, a.T @ grad
            if layer > 0:  # nothing needs the gradient of the pixels
                _ = grad @ w.T
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
    print(f"median of {ROUNDS} alternating rounds, {torch.get_num_threads()} threads")
    print("batch  ours img/s  DataLoader  products  ours/DataLoader  ours/products")
    for batch in (128, 512):
        rounds = [
            [
                contender(images, batch)
                for contender in (ours, data_loader, bare_products)
            ]
            for _ in range(ROUNDS)
        ]
        mine, loader, products = map(statistics.median, zip(*rounds, strict=True))
        ratios = f"{mine / loader:15.2f}  {mine / products:13.2f}"
        print(f"{batch:5}  {mine:10.0f}  {loader:10.0f}  {products:8.0f}  {ratios}")


if __name__ == "__main__":
    main()
