"""The checkout: what lies where, and what no file of it says."""

import fnmatch
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from house.trees import ROOT

TOP = {
    ".ci",
    ".gitattributes",
    ".gitignore",
    ".oxfmtrc.json",
    ".oxlintrc.json",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "LICENSE",
    "LICENSE-text",
    "Makefile",
    "README.md",
    "_config.yml",
    "_toc.yml",
    "benchmarks",
    "chapters",
    "pyproject.toml",
    "requirements.txt",
    "src",
    "tests",
}


def checkout():
    """Files of the project: git's, or in a plain folder those git would not ignore."""
    git = shutil.which("git")
    names = []
    if git:
        listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True)
        names = [Path(name) for name in listed.stdout.decode().split("\0") if name]
    if not names:
        ignored = [".git", *(ROOT / ".gitignore").read_text("utf-8").split()]
        names = list(unignored(ROOT, [rule.rstrip("/") for rule in ignored]))
    return [name for name in names if (ROOT / name).is_file()]


def unignored(folder, rules):
    for path in sorted(folder.iterdir()):
        if any(fnmatch.fnmatch(path.name, rule) for rule in rules):
            continue
        if path.is_dir():
            yield from unignored(path, rules)
        else:
            yield path.relative_to(ROOT)


def test_top_level_holds_only_what_a_newcomer_expects():
    top = {name.parts[0] for name in checkout()}
    assert {"README.md", "src", "tests"} <= top <= TOP, top - TOP


def test_no_file_is_a_drawer_for_anything():
    stems = {name.stem.strip("_").lower(): name for name in checkout()}
    assert not stems.keys() & {"utils", "util", "helpers", "misc", "common"}


REGISTRY = "|".join(  # in two halves, so that this file does not hold them either
    a + b
    for a, b in [
        ("index[-_]", "url"),
        ("find-", "links"),
        ("py", r"pi\.org"),
        ("python", "hosted"),
        ("registry", r"\.npmjs"),
        ("conda", r"\.anaconda"),
        ("download", r"\.pytorch"),
    ]
)


@pytest.mark.parametrize("name", checkout(), ids=str)
def test_file_names_no_package_registry(name):
    text = (ROOT / name).read_bytes().decode("utf-8", errors="replace")
    assert re.findall(REGISTRY, text, re.IGNORECASE) == []


def test_a_registry_is_found():
    assert re.search(REGISTRY, "pip --INDEX" + "-URL x", re.IGNORECASE)
    assert re.search(REGISTRY, "https://py" + "pi.org/simple")
