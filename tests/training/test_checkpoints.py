"""Checkpoints: resumed equals unbroken, bit for bit; damage is named, never spread."""

from dataclasses import replace
from itertools import islice

import pytest
import torch
from safetensors.torch import load_file, save_file

from vaebook.datasets import load_digits
from vaebook.training import (
    CheckpointError,
    Settings,
    State,
    load_checkpoint,
    make_optimizer,
    run,
    save_checkpoint,
)
from vaebook.vae import VAE

SETTINGS = Settings(epochs=5, batch_size=200, progress=False)


def make_state(latent_dim=2):
    rng = torch.Generator().manual_seed(0)
    model = VAE(64, (8,), latent_dim, rng=rng)
    return State(model, make_optimizer(model, SETTINGS), rng, [])


def train(settings, stop=None):
    state, digits = make_state(), load_digits(binarize=True)
    model, rng = state.model, state.rng
    x, seen = digits.train.x, digits.validation.x
    history = run(model, x, settings, rng=rng, validation=seen)
    return model.state_dict(), list(islice(history, stop))


@pytest.mark.parametrize("stop", [1, 3, 5])
def test_resumed_training_equals_unbroken_training(tmp_path, stop):
    unbroken, history = train(SETTINGS)
    settings = replace(SETTINGS, checkpoint=tmp_path / "run.safetensors")
    train(settings, stop)
    resumed, resumed_history = train(settings)
    assert resumed_history == history
    assert all(torch.equal(unbroken[name], resumed[name]) for name in unbroken)


def test_a_checkpoint_is_one_whole_safetensors_file(tmp_path):
    path = tmp_path / "new" / "run.safetensors"
    save_checkpoint(path, make_state())
    assert [p.name for p in path.parent.iterdir()] == ["run.safetensors"]
    assert {"history", "rng", "model.encoder.net.0.weight"} <= load_file(path).keys()


def test_an_interrupted_write_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "run.safetensors"
    save_checkpoint(path, make_state())
    before = path.read_bytes()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(path, make_state())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("damage", ["truncated", "empty", "page"])
def test_a_damaged_file_is_named(tmp_path, damage):
    path = tmp_path / "run.safetensors"
    save_checkpoint(path, make_state())
    whole = path.read_bytes()
    parts = {"truncated": whole[:-9], "empty": b"", "page": b"<!doctype html><p>404"}
    path.write_bytes(parts[damage])
    with pytest.raises(CheckpointError, match=r"run\.safetensors: expected a whole"):
        load_checkpoint(path, make_state())


def test_another_models_checkpoint_is_refused_and_nothing_changes(tmp_path):
    path, state = tmp_path / "run.safetensors", make_state()
    save_checkpoint(path, make_state(latent_dim=3))
    before = {k: v.clone() for k, v in state.model.state_dict().items()}
    with pytest.raises(
        CheckpointError, match=r"expected torch.float32 \(8, 2\), found"
    ):
        load_checkpoint(path, state)
    assert all(torch.equal(v, before[k]) for k, v in state.model.state_dict().items())


@pytest.mark.parametrize(("name", "kind"), [("rng", "uint8"), ("history", "float64")])
def test_a_missing_tensor_is_named(tmp_path, name, kind):
    path = tmp_path / "run.safetensors"
    save_checkpoint(path, make_state())
    tensors = load_file(path)
    del tensors[name]
    save_file(tensors, path)
    message = rf"'{name}': expected torch.{kind} .* none"
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(path, make_state())
