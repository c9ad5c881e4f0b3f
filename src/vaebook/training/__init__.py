"""The one training loop: records, a step, an epoch, checkpoints."""

from vaebook.training.checkpoints import (
    CheckpointError,
    load_checkpoint,
    save_checkpoint,
)
from vaebook.training.loop import fit, run
from vaebook.training.records import Epoch, Settings, State
from vaebook.training.step import NonFiniteLossError, make_optimizer, train_step

__all__ = [
    "CheckpointError",
    "Epoch",
    "NonFiniteLossError",
    "Settings",
    "State",
    "fit",
    "load_checkpoint",
    "make_optimizer",
    "run",
    "save_checkpoint",
    "train_step",
]
