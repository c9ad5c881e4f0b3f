"""The four files of MNIST: found or fetched, checked to the last byte, read."""

import gzip
import hashlib
import io
import logging
import os
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pooch
import torch

from vaebook.datasets.bundled import Split
from vaebook.files import write_whole

log = logging.getLogger(__name__)


class DataFileError(ValueError):
    """A data file is not what it should be; says file, expected and found."""


# SHA-256 of the uncompressed bytes: mirrors compress the same file differently.
_SUMS = """
ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db train-images-idx3-ubyte
65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5 train-labels-idx1-ubyte
0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7 t10k-images-idx3-ubyte
ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2 t10k-labels-idx1-ubyte
"""
MNIST_SHA256 = dict(line.split()[::-1] for line in _SUMS.strip().splitlines())
MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
)
WAYS = """Three ways to supply MNIST: load_mnist(data_dir=...) with a folder of its four
IDX files; VAEBOOK_DATA_DIR naming such a folder; or a network connection, once."""


def read_mnist(data_dir: str | Path | None = None) -> list[np.ndarray]:
    """Images and labels to train, then to test, as :func:`datasets.load_mnist` says."""
    named = data_dir or os.environ.get("VAEBOOK_DATA_DIR")
    folder = Path(named or pooch.os_cache("vaebook"))
    if not named:
        download_mnist(folder, names=[n for n in MNIST_SHA256 if not _find(folder, n)])
    return [_read(folder, name) for name in MNIST_SHA256]


def download_mnist(
    folder: str | Path,
    *,
    names: Iterable[str] = tuple(MNIST_SHA256),
    mirrors: Iterable[str] = MNIST_MIRRORS,
) -> None:
    """Download files of MNIST, each replacing one in ``folder`` only if it is good.

    The mirrors are tried in turn; an interruption leaves the folder as it was. Raises
    ConnectionError if no mirror delivered, listing each failure.
    """
    for name in names:
        write_whole(Path(folder) / f"{name}.gz", _fetch(name, mirrors))


def _fetch(name: str, mirrors: Iterable[str]) -> bytes:
    failures = []
    download = pooch.HTTPDownloader(progressbar=True, chunk_size=2**16)
    for url in (f"{mirror}{name}.gz" for mirror in mirrors):
        arrived = io.BytesIO()
        try:
            download(url, arrived, None)
            _unpack(arrived.getvalue(), name, url)
            return arrived.getvalue()
        except (OSError, DataFileError) as error:
            failures.append(f"{url}: {error}")
            log.warning("mirror failed: %s", failures[-1])
    raise ConnectionError("\n".join(["MNIST came from no mirror:", *failures, WAYS]))


def _find(folder: Path, name: str) -> Path | None:
    plain, packed = folder / name, folder / f"{name}.gz"
    return next((path for path in (plain, packed) if path.is_file()), None)


def _read(folder: Path, name: str) -> np.ndarray:
    path = _find(folder, name)
    if path is None:
        raise FileNotFoundError(f"{folder}: no {name} or {name}.gz\n{WAYS}")
    return parse_idx(_unpack(path.read_bytes(), name, path))


def _unpack(data: bytes, name: str, source: str | Path) -> bytes:
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (EOFError, OSError, zlib.error) as error:
            found = f"{len(data)} bytes: {error}"
            message = f"{source}: expected a whole gzip file, found {found}"
            raise DataFileError(message) from error
    found = hashlib.sha256(data).hexdigest()
    if found != MNIST_SHA256[name]:
        raise DataFileError(
            f"{source}: expected {name} with SHA-256 {MNIST_SHA256[name]}, found "
            f"{found} ({len(data)} bytes, the first {data[:16]!r})"
        )
    return data


def parse_idx(raw: bytes) -> np.ndarray:
    """The array of an IDX file of bytes: 0, 0, 8, number of axes, lengths, values."""
    start = 4 + 4 * raw[3]
    shape = np.frombuffer(raw[4:start], ">u4")
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape).copy()


class Mnist(NamedTuple):
    """MNIST as published: 60,000 images to train, 10,000 to test."""

    train: Split
    test: Split


def load_mnist(data_dir: str | Path | None = None) -> Mnist:
    r"""MNIST from a folder of IDX files, or downloaded once into a cache.

    The folder is ``data_dir``, else the environment's ``VAEBOOK_DATA_DIR``; one named
    in either way must hold the four files, each plain or ``.gz``. With neither, it is
    pooch's cache for ``vaebook``, and what that lacks is downloaded.

    Returns
    -------
    Mnist
        ``x`` (N, 784) **uint8** in 0..255 and ``y`` (N,) int64. Bytes keep the whole
        set in one 47 MB tensor: ``x[rows] / 255`` is grey, and ``torch.bernoulli`` of
        that draws each batch's pixels anew (dynamic binarisation).

    Raises
    ------
    DataFileError
        If a file is truncated, corrupt or another one; it stays as it is, and
        ``mnist.download_mnist(folder)`` replaces it.
    FileNotFoundError
        If the named folder lacks a file.
    ConnectionError
        If no mirror delivered; lists each failure and the other ways.
    """
    x, y, x_test, y_test = map(torch.from_numpy, read_mnist(data_dir))
    return Mnist(Split(x.flatten(1), y.long()), Split(x_test.flatten(1), y_test.long()))
