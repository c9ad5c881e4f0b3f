"""Every data set of the book: bundled with a package, or MNIST from a folder."""

from vaebook.datasets.bundled import (
    Digits,
    Split,
    binarize_noisily,
    load_digits,
    load_iris,
)
from vaebook.datasets.mnist import (
    MNIST_MIRRORS,
    MNIST_SHA256,
    WAYS,
    DataFileError,
    Mnist,
    download_mnist,
    load_mnist,
    parse_idx,
    read_mnist,
)

__all__ = [
    "MNIST_MIRRORS",
    "MNIST_SHA256",
    "WAYS",
    "DataFileError",
    "Digits",
    "Mnist",
    "Split",
    "binarize_noisily",
    "download_mnist",
    "load_digits",
    "load_iris",
    "load_mnist",
    "parse_idx",
    "read_mnist",
]
