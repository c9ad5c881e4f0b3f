"""Numbers of runs that are too long for a build, a JSON file each."""

from vaebook.results.machine import commit, hardware, versions
from vaebook.results.records import Record, RecordError, load, names, save

__all__ = [
    "Record",
    "RecordError",
    "commit",
    "hardware",
    "load",
    "names",
    "save",
    "versions",
]
