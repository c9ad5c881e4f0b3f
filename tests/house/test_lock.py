"""The lock pins all that the book and its tests need to what is installed."""

import tomllib
from importlib import metadata
from itertools import chain

from house.trees import ROOT
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
CUDA = ("nvidia-", "cuda-", "triton")  # torch's GPU build names its own


def pins(lines):
    """Name to version for the lines of a lock that hold on this machine."""
    words = [line.split("#")[0].strip() for line in lines]
    required = [Requirement(word) for word in words if word and word != "-e ."]
    here = [need for need in required if not need.marker or need.marker.evaluate()]
    return {canonicalize_name(need.name): str(need.specifier) for need in here}


def needed(texts, extras):
    """Requirements that hold on this machine with one of ``extras``."""
    places = [default_environment() | {"extra": extra} for extra in ("", *extras)]
    every = [Requirement(text) for text in texts or ()]
    return [r for r in every if not r.marker or any(map(r.marker.evaluate, places))]


def closure():
    """Name to installed version of all that pyproject.toml's ranges bring in."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    ranges = [project["dependencies"], *project["optional-dependencies"].values()]
    ahead = [Requirement(text) for text in chain(*ranges)]
    found, seen = {}, set()
    while ahead:
        need = ahead.pop()
        name, asked = canonicalize_name(need.name), frozenset(need.extras)
        if (name, asked) in seen or name.startswith(CUDA):
            continue
        seen.add((name, asked))
        found[name] = metadata.version(name)
        ahead += needed(metadata.requires(name), asked)
    return found


def lock_faults(found, pinned):
    """Installed distributions that the lock does not pin to what is installed."""
    public = {name: f"=={Version(found[name]).public}" for name in found}
    return {
        name: f"installed {version}, lock {pinned.get(name, 'silent')}"
        for name, version in public.items()
        if pinned.get(name) != version
    }


def test_lock_pins_everything_that_is_installed():
    found = lock_faults(closure(), pins(LOCK))
    assert found == {}, found


def test_lock_installs_this_package_in_place_at_the_end():
    assert LOCK[-1] == "-e ."
    assert pins(["torch==2.13.0"]).items() <= pins(LOCK).items()


def test_lock_faults_are_found():
    pinned = pins(["a==1.0", "b>=2", "d==1 ; sys_platform == 'none'"])
    found = {"a": "1.0+cpu", "b": "2", "c": "1", "d": "1"}
    assert sorted(lock_faults(found, pinned)) == ["b", "c", "d"]
