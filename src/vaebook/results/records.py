"""Records of long runs: the command writes one, a page reads it, a test repeats it."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from vaebook.files import write_whole

FOLDER = Path(__file__).parent


class RecordError(ValueError):
    """A record is missing or not one: says the file, what was expected and found."""


@dataclass(frozen=True)
class Record:
    """One run: what was typed, where, and what came out.

    Attributes
    ----------
    command : str
        As typed; it repeats the run.
    seeds : tuple of int
        Of each repetition.
    commit : str
        Of the code that ran; ``+`` at its end if files had changed since.
    hardware : str
        Cores, processor and system.
    seconds : float
        Wall time of the whole run.
    versions : dict of str to str
        Of Python and torch.
    numbers : dict of str to float
        What came out, by name; the command says the units.
    short : dict of str to float
        The same numbers of a run of seconds, which a test repeats.
    pictures : dict of str to str
        Images by name: ink from 0 to 255, a byte a pixel, as hexadecimal digits.
    """

    command: str
    seeds: tuple[int, ...]
    commit: str
    hardware: str
    seconds: float
    versions: dict[str, str]
    numbers: dict[str, float]
    short: dict[str, float]
    pictures: dict[str, str]


def names(folder: Path = FOLDER) -> list[str]:
    """Of all records, sorted."""
    return sorted(path.stem for path in folder.glob("*.json"))


def save(name: str, record: Record, folder: Path = FOLDER) -> Path:
    """Write a record whole, in place of an older one of its name; returns the file."""
    path = folder / f"{name}.json"
    text = json.dumps(asdict(record), indent=2, allow_nan=False)
    write_whole(path, f"{text}\n".encode())
    return path


def load(name: str, folder: Path = FOLDER) -> Record:
    """The record of a name.

    Raises
    ------
    RecordError
        If there is none of that name, with those there are; or if its file is no
        record: the fields that it lacks, and those that no record has.
    """
    path = folder / f"{name}.json"
    if not path.is_file():
        found = ", ".join(names(folder)) or "none"
        raise RecordError(f"{path.name}: no such record; found {found}")
    held = _fields(path)
    if not isinstance(held["seeds"], list):
        found = held["seeds"]
        raise RecordError(f"{path.name}: expected a list of seeds, found {found!r}")
    return Record(**held | {"seeds": tuple(held["seeds"])})


def _fields(path: Path) -> dict[str, Any]:
    """What a file holds, if that is the fields of a record."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RecordError(f"{path.name}: expected JSON, found: {error}") from None

    expected = sorted(field.name for field in fields(Record))
    found = sorted(held) if isinstance(held, dict) else type(held).__name__
    if found != expected:
        raise RecordError(f"{path.name}: expected the fields {expected}, found {found}")
    return held
