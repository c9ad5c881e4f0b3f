"""Functions of a module, watched while it runs: what they took and gave."""

from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from vaebook import studies


class Call(NamedTuple):
    """One call: arguments by place, arguments by name, and what came back."""

    given: tuple
    named: dict
    found: Any


@contextmanager
def watching(module, names):
    """The calls of a module's own functions, a list by name, while this is open."""
    calls = {name: [] for name in names}

    def watch(name):
        part = getattr(module, name)

        def call(*given, **named):
            found = part(*given, **named)
            calls[name].append(Call(given, named, found))
            return found

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setattr(module, name, watch(name))
        yield calls


def watched_study(study, names):
    """A brief run of a study: its numbers and pictures, and the calls of its parts."""
    with watching(study, names) as calls:
        found = studies.run(study, study.BRIEF)
    return SimpleNamespace(**found._asdict(), **calls)
