"""The command line: trains, resumes, scores what the library scores."""

import re
import subprocess
import sys
from functools import partial

import pytest
import torch

from vaebook.__main__ import bernoulli_bytes, main
from vaebook.datasets import Mnist, Split
from vaebook.results import load, save

SMALL = ["--hidden", "8", "--latents", "2", "--batch", "200"]


def test_train_then_evaluate_on_the_digits(tmp_path, capsys):
    path = str(tmp_path / "run.safetensors")
    main(["train", path, "--epochs", "2", *SMALL])
    main(["train", path, "--epochs", "4", *SMALL])
    assert "2/4" not in capsys.readouterr().err
    main(["evaluate", path, "--samples", "20", *SMALL])
    said = capsys.readouterr().out
    score = float(re.search(r"test score ([\d.]+) ±", said)[1])
    assert 24 < score < 46


def test_a_recorded_run_stores_what_training_and_evaluation_say(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("vaebook.__main__.results.save", partial(save, folder=tmp_path))
    path = str(tmp_path / "run.safetensors")
    words = [path, "--epochs", "2", "--samples", "20", "--seed", "3", *SMALL]
    main(["record", *words, "--name", "made"])
    said = capsys.readouterr().out
    record = load("made", tmp_path)
    assert record.command.startswith("python -m vaebook record ")
    assert record.seeds == (3,)
    assert f"training ELBO {record.numbers['training_elbo']:.2f} nats" in said
    score, error = record.numbers["test_score"], record.numbers["standard_error"]
    assert f"test score {score:.3f} ± {error:.3f} nats" in said
    assert record.short.keys() == record.numbers.keys()
    main(["evaluate", *words])
    assert f"test score {score:.3f} ± {error:.3f} nats" in capsys.readouterr().out


def test_a_recorded_run_starts_anew(tmp_path):
    path = tmp_path / "run.safetensors"
    path.write_bytes(b"")
    with pytest.raises(FileExistsError, match="a recorded run starts anew"):
        main(["record", str(path), "--epochs", "1", *SMALL])


def test_mnist_is_binarised_anew_for_each_batch(tmp_path, capsys, monkeypatch):
    draw = torch.Generator().manual_seed(0)
    x = torch.randint(256, (200, 784), generator=draw, dtype=torch.uint8)
    made = Mnist(Split(x, x[:, 0].long()), Split(x[:50], x[:50, 0].long()))
    monkeypatch.setattr("vaebook.__main__.load_mnist", lambda: made)
    path = str(tmp_path / "run.safetensors")
    main(["train", path, "--data", "mnist", "--epochs", "1", *SMALL])
    main(["evaluate", path, "--data", "mnist", "--samples", "5", *SMALL])
    assert "nats per image" in capsys.readouterr().out


def test_bytes_are_lit_with_their_probability(rng, assert_within):
    rows = torch.full((20_000, 1), 51, dtype=torch.uint8)
    lit = bernoulli_bytes(rows, rng=rng)
    assert set(lit.unique().tolist()) == {0.0, 1.0}
    assert_within(lit.mean(), 0.2, (0.16 / 20_000) ** 0.5)


def test_help_names_the_commands():
    command = [sys.executable, "-m", "vaebook", "--help"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "train" in said and "evaluate" in said


def test_an_unknown_command_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["bake", "x"])
    assert "invalid choice: 'bake'" in capsys.readouterr().err
