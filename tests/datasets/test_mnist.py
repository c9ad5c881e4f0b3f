"""MNIST: read from each place, and every way that one of its files can be wrong."""

import gzip
import hashlib
import os
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from vaebook.datasets import DataFileError, download_mnist, load_mnist, mnist

NAMES = tuple(mnist.MNIST_SHA256)
TRAIN_X, TRAIN_Y, TEST_X, TEST_Y = NAMES
PUBLISHED_COUNTS = (  # digits 0 to 9 in the training and the test labels
    [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
)


# MNIST: a small made set in the published format


def idx(values):
    lengths = np.array(values.shape, ">u4").tobytes()
    return bytes([0, 0, 8, values.ndim]) + lengths + values.tobytes()


@pytest.fixture
def made(monkeypatch):
    """Files of 5 training and 3 test images, their hashes in place of MNIST's."""
    monkeypatch.delenv("VAEBOOK_DATA_DIR", raising=False)
    draw = np.random.default_rng(0)
    shapes = (5, 28, 28), (5,), (3, 28, 28), (3,)
    highs = 256, 10, 256, 10
    arrays = [
        draw.integers(high, size=shape, dtype=np.uint8)
        for shape, high in zip(shapes, highs, strict=True)
    ]
    files = dict(zip(NAMES, map(idx, arrays), strict=True))
    for name, raw in files.items():
        digest = hashlib.sha256(raw).hexdigest()
        monkeypatch.setitem(mnist.MNIST_SHA256, name, digest)
    return SimpleNamespace(files=files, arrays=arrays)


@pytest.fixture
def folder(made, tmp_path):
    """The made set as files, two packed and two plain."""
    for name in (TRAIN_X, TEST_Y):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(made.files[name]))
    for name in (TRAIN_Y, TEST_X):
        (tmp_path / name).write_bytes(made.files[name])
    return tmp_path


def names_in(path):
    return sorted(entry.name for entry in path.iterdir())


def assert_made(mnist, made):
    train_x, train_y, test_x, test_y = made.arrays
    for part, x, y in zip(mnist, (train_x, test_x), (train_y, test_y), strict=True):
        assert (part.x.dtype, part.y.dtype) == (torch.uint8, torch.int64)
        assert np.array_equal(part.x.numpy(), x.reshape(len(x), 784))
        assert np.array_equal(part.y.numpy(), y)


def test_idx_bytes_written_by_hand():
    raw = bytes.fromhex("00 00 08 02 00 00 00 02 00 00 00 03 01 02 03 fd fe ff")
    assert mnist.parse_idx(raw).tolist() == [[1, 2, 3], [253, 254, 255]]


@pytest.mark.parametrize("way", ["argument", "environment", "cache"])
def test_mnist_is_read_from_each_place(folder, made, monkeypatch, way):
    if way == "environment":
        monkeypatch.setenv("VAEBOOK_DATA_DIR", str(folder))
    if way == "cache":
        monkeypatch.setattr(mnist.pooch, "os_cache", lambda name: folder)
    assert_made(load_mnist(folder if way == "argument" else None), made)


def test_argument_comes_before_environment(folder, made, monkeypatch):
    monkeypatch.setenv("VAEBOOK_DATA_DIR", str(folder / "nowhere"))
    assert_made(load_mnist(str(folder)), made)


@pytest.fixture
def set_at_hand(request):
    """The published set where VAEBOOK_DATA_DIR holds it, else the made one."""
    published = os.environ.get("VAEBOOK_DATA_DIR")
    if published:
        return published, PUBLISHED_COUNTS
    arrays = request.getfixturevalue("made").arrays
    counts = [np.bincount(labels, minlength=10).tolist() for labels in arrays[1::2]]
    return request.getfixturevalue("folder"), counts


def test_label_counts_of_the_set_at_hand(set_at_hand):
    place, counts = set_at_hand
    mnist = load_mnist(place)
    for part, expected in zip(mnist, counts, strict=True):
        assert part.y.bincount(minlength=10).tolist() == expected
        assert part.x.shape == (sum(expected), 784)


def test_no_digit_of_the_published_hashes_changed():
    joined = " ".join(mnist.MNIST_SHA256.values())
    assert hashlib.sha256(joined.encode()).hexdigest()[:16] == "35b4ae54c9e51524"


# MNIST: wrong files


def cut_gzip(raw):
    return gzip.compress(raw)[:-40]


def damaged_gzip(raw, place):
    packed = bytearray(gzip.compress(raw))
    packed[place] ^= 0xFF
    return bytes(packed)


DAMAGE = {
    "truncated gzip": (cut_gzip, "a whole gzip file", "before the end"),
    "damaged block": (partial(damaged_gzip, place=10), "a whole gzip file", "bytes: "),
    "damaged end": (partial(damaged_gzip, place=-6), "a whole gzip file", "CRC check"),
    "truncated payload": (lambda raw: raw[:-1], "SHA-256", "bytes, the first"),
    "truncated, then packed": (lambda raw: gzip.compress(raw[:-1]), "SHA-256", "bytes"),
    "wrong magic": (lambda raw: b"\0\0\x0d" + raw[3:], "SHA-256", r"\x00\x00\r\x03"),
    "wrong lengths": (lambda raw: raw[:7] + b"\x06" + raw[8:], "SHA-256", r"\x06"),
    "one wrong byte": (lambda raw: raw[:-1] + b"!", "SHA-256", "bytes"),
    "another file": (lambda raw: idx(np.zeros(5, np.uint8)), "SHA-256", "13 bytes"),
    "html": (lambda raw: b"<!DOCTYPE html><title>Log in</title>", "SHA-256", "<!DOC"),
    "empty": (lambda raw: b"", "SHA-256", "0 bytes"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_wrong_file_is_named_with_expected_and_found_and_stays(folder, made, damage):
    spoil, expected, found = DAMAGE[damage]
    path = folder / f"{TRAIN_X}.gz"
    path.write_bytes(spoil(made.files[TRAIN_X]))
    before = path.read_bytes()
    with pytest.raises(DataFileError) as caught:
        load_mnist(folder)
    message = str(caught.value)
    assert message.startswith(f"{path}: expected ") and expected in message
    assert found in message.partition("found ")[2]
    assert path.read_bytes() == before


def test_named_folder_that_lacks_a_file_says_which_and_what_to_do(folder):
    (folder / TEST_X).unlink()
    with pytest.raises(FileNotFoundError) as caught:
        load_mnist(folder)
    message = str(caught.value)
    assert str(folder) in message and TEST_X in message
    for way in ("data_dir=", "VAEBOOK_DATA_DIR", "network connection"):
        assert way in message


# MNIST: downloads, from servers on this machine


@pytest.fixture
def mirror(monkeypatch):
    """``mirror(files)``: the address of a server of {name: bytes} on loopback.

    ``promise`` is a number of bytes announced and not sent.
    """
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    running = []

    def start(files, promise=0):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                data = files.get(self.path[1:])
                self.send_response(404 if data is None else 200)
                self.send_header("Content-Length", str(len(data or b"") + promise))
                self.end_headers()
                self.wfile.write(data or b"")

            def log_message(self, *_):
                """Keep the test's output quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=partial(server.serve_forever, 0.01)).start()
        running.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture
def packed(made):
    """What a sound mirror serves."""
    return {f"{name}.gz": gzip.compress(raw) for name, raw in made.files.items()}


def test_empty_cache_is_filled_then_read_without_network(
    made, mirror, packed, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(mnist.pooch, "os_cache", lambda name: tmp_path / name)
    served = partial(download_mnist, mirrors=[mirror(packed)])
    monkeypatch.setattr(mnist, "download_mnist", served)
    assert_made(load_mnist(), made)
    assert "100%" in capsys.readouterr().err
    assert names_in(tmp_path / "vaebook") == sorted(packed)
    dead = partial(download_mnist, mirrors=[])
    monkeypatch.setattr(mnist, "download_mnist", dead)
    assert_made(load_mnist(), made)


def test_only_what_the_cache_lacks_is_downloaded(
    folder, made, mirror, packed, monkeypatch
):
    (folder / TEST_X).unlink()
    monkeypatch.setattr(mnist.pooch, "os_cache", lambda name: folder)
    only = mirror({f"{TEST_X}.gz": packed[f"{TEST_X}.gz"]})
    served = partial(download_mnist, mirrors=[only])
    monkeypatch.setattr(mnist, "download_mnist", served)
    assert_made(load_mnist(), made)


FIRST_MIRROR = {
    "not found": (lambda packed: {}, 0, "404"),
    "html": (lambda packed: dict.fromkeys(packed, b"<html>no"), 0, "<html>no"),
    "cut off": (lambda packed: {k: v[:30] for k, v in packed.items()}, 99, "Incompl"),
    "short": (lambda packed: {k: v[:-9] for k, v in packed.items()}, 0, "whole gzip"),
}


@pytest.mark.parametrize("fault", FIRST_MIRROR)
def test_second_mirror_serves_when_the_first_fails(
    made, mirror, packed, tmp_path, caplog, fault
):
    serve, promise, reason = FIRST_MIRROR[fault]
    first = mirror(serve(packed), promise)
    download_mnist(tmp_path, mirrors=[first, mirror(packed)])
    assert_made(load_mnist(tmp_path), made)
    assert names_in(tmp_path) == sorted(packed)
    assert len(caplog.messages) == len(NAMES)
    assert all(first in line and reason in line for line in caplog.messages)


def test_offline_without_data_says_what_failed_and_the_three_ways(
    made, mirror, tmp_path, monkeypatch
):
    closed = "http://127.0.0.1:9/"
    empty = mirror({})
    monkeypatch.setattr(mnist.pooch, "os_cache", lambda name: tmp_path)
    dead = partial(download_mnist, mirrors=[closed, empty])
    monkeypatch.setattr(mnist, "download_mnist", dead)
    with pytest.raises(ConnectionError) as caught:
        load_mnist()
    for part in (closed, empty, "data_dir=", "VAEBOOK_DATA_DIR", "network connection"):
        assert part in str(caught.value)
    assert names_in(tmp_path) == []


def test_failed_refresh_keeps_what_was_there(folder, made, mirror):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ConnectionError):
        download_mnist(folder, mirrors=[mirror({f"{TRAIN_X}.gz": b"half"})])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_refresh_replaces_a_spoilt_file(folder, made, mirror, packed):
    (folder / f"{TRAIN_X}.gz").write_bytes(b"spoilt")
    download_mnist(folder, names=[TRAIN_X], mirrors=[mirror(packed)])
    assert_made(load_mnist(folder), made)


def test_interrupted_download_leaves_the_folder_as_it_was(folder, monkeypatch):
    def interrupted(url, output_file, pooch):
        output_file.write(b"\x1f\x8bhalf")
        raise KeyboardInterrupt

    monkeypatch.setattr(mnist.pooch, "HTTPDownloader", lambda **_: interrupted)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(KeyboardInterrupt):
        download_mnist(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_cache_that_cannot_be_written_says_where(made, mirror, packed, tmp_path):
    (tmp_path / "file").write_bytes(b"in the way")
    with pytest.raises(OSError, match="file"):
        download_mnist(tmp_path / "file" / "cache", mirrors=[mirror(packed)])
    assert names_in(tmp_path) == ["file"]
