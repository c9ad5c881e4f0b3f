"""Checkpoints: all that training changes, in one safetensors file, written whole."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from vaebook.files import write_whole
from vaebook.training.records import Epoch, State


class CheckpointError(ValueError):
    """A checkpoint is damaged or of another model: says file, expected and found."""


def save_checkpoint(path: Path, state: State) -> None:
    """Write weights, optimizer, random state and history as safetensors, atomically."""
    write_whole(Path(path), save(_as_tensors(state)))


def load_checkpoint(path: Path, state: State) -> None:
    """Put a checkpoint's numbers into ``state``; the next epoch goes on as if unbroken.

    Raises
    ------
    CheckpointError
        If the file is damaged or its tensors do not fit this model; ``state`` is then
        unchanged.
    """
    found = _read_tensors(path)
    expected = _as_tensors(state)
    for name in sorted(found.keys() | expected.keys()):
        have, want = found.get(name), expected.get(name)
        if (name != "history" or have is None) and _form(have) != _form(want):
            raise CheckpointError(
                f"{path}: tensor {name!r}: expected {_form(want)}, found {_form(have)}"
            )
    state.history[:] = [Epoch(*row) for row in found.pop("history").tolist()]
    state.rng.set_state(found.pop("rng"))
    for name, value in _live_tensors(state).items():
        value.copy_(found[name])


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load(Path(path).read_bytes())
    except SafetensorError as error:
        message = f"{path}: expected a whole safetensors file, found: {error}"
        raise CheckpointError(message) from None


def _form(tensor: Tensor | None) -> str:
    return "none" if tensor is None else f"{tensor.dtype} {tuple(tensor.shape)}"


def _as_tensors(state: State) -> dict[str, Tensor]:
    history = torch.tensor(state.history, dtype=torch.float64).reshape(-1, 3)
    loose = {"history": history, "rng": state.rng.get_state()}
    return {k: v.contiguous() for k, v in _live_tensors(state).items()} | loose


def _live_tensors(state: State) -> dict[str, Tensor]:
    """The very tensors of model and optimizer, by name: filling them restores both."""
    live = {f"model.{name}": value for name, value in state.model.state_dict().items()}
    for name, weight in state.model.named_parameters():
        moments = state.optimizer.state[weight]
        if not moments:  # AdamW makes these at its first step
            moments |= {k: torch.zeros_like(weight) for k in ("exp_avg", "exp_avg_sq")}
            moments["step"] = torch.zeros((), dtype=torch.float32, device=weight.device)
        live |= {f"adamw.{name}.{key}": value for key, value in moments.items()}
    return live
