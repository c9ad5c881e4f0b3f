"""Every data set of the book: bundled with a package, or MNIST from a folder."""

from vaebook.datasets.bundled import (
    Digits,
    Split,
    binarize_noisily,
    disturb,
    load_digits,
    load_iris,
    relative_spread,
)
from vaebook.datasets.mnist import (
    MNIST_SHA256,
    DataFileError,
    Mnist,
    download_mnist,
    load_mnist,
    parse_idx,
)

__all__ = [
    "MNIST_SHA256",
    "DataFileError",
    "Digits",
    "Mnist",
    "Split",
    "binarize_noisily",
    "disturb",
    "download_mnist",
    "load_digits",
    "load_iris",
    "load_mnist",
    "parse_idx",
    "relative_spread",
]
