"""Where a run took place, as its record says."""

import os
import platform
import shutil
import subprocess

import pytest
import torch

from vaebook.results import commit, hardware, versions


def git(folder, *words):
    name = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", *name, *words], cwd=folder, check=True, capture_output=True)


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_commit_is_the_one_checked_out_and_says_if_files_differ(tmp_path):
    git(tmp_path, "init")
    (tmp_path / "a").write_text("one")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-m", "first")
    clean = commit(tmp_path / "a")
    assert len(clean) == 40 and int(clean, 16)
    (tmp_path / "b").write_text("not tracked")
    assert commit(tmp_path / "a") == clean
    (tmp_path / "a").write_text("two")
    assert commit(tmp_path / "a") == f"{clean}+"
    assert commit(tmp_path / "b") == "unknown"


def test_outside_a_checkout_the_commit_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit(tmp_path / "a") == "unknown"


def test_without_git_the_commit_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit() == "unknown"


@pytest.mark.parametrize(("cores", "words"), [(1, "1 core, "), (16, "16 cores, ")])
def test_hardware_is_cores_processor_and_system(monkeypatch, cores, words):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    told = hardware()
    assert told.startswith(words) and told.endswith(f", {platform.system()}")
    assert len(told.split(", ")[1]) > 1
    assert platform.node() not in told


def test_versions_are_pythons_and_torchs():
    assert versions() == {
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
