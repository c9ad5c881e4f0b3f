"""Notebooks executed ahead: each alone, cached if it succeeds, left if it fails."""

import asyncio
import json
import os
from pathlib import Path

import nbformat
import pytest

from vaebook.site.execution import (
    THREADS,
    UNSET,
    bare_environment,
    opened_cache,
    run_all,
    run_alone,
)

LOOK = """import json, os, pathlib
print(json.dumps([os.listdir(), str(pathlib.Path.cwd()), dict(os.environ)]))"""


def notebook_of(*cells):
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(code) for code in cells]
    )
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    return made


def printed(notebook):
    return notebook.cells[-1].outputs[0].text


@pytest.fixture
def cache(tmp_path):
    with opened_cache(tmp_path / "cache") as opened:
        yield opened


def test_a_notebook_runs_in_an_empty_folder_as_a_fresh_user(monkeypatch, cache, apart):
    for name in UNSET:
        monkeypatch.setenv(name, "/somewhere")
    notebook = notebook_of(LOOK)
    apart(run_all, {"a.md": notebook}, cache, timeout=60)
    files, folder, found = json.loads(printed(notebook))
    assert files == []
    assert not Path(folder).exists() and folder != str(Path.cwd())
    assert not found.keys() & set(UNSET)
    assert {found[name] for name in THREADS} == {"1"}
    assert os.environ["VAEBOOK_DATA_DIR"] == "/somewhere"


def test_what_succeeds_is_cached_with_its_outputs_and_what_fails_is_not(cache, apart):
    good, bad = notebook_of("6 * 7"), notebook_of("open('not here')")
    apart(run_all, {"good.md": good, "bad.md": bad}, cache, timeout=60, workers=2)
    _, merged = cache.merge_match_into_notebook(notebook_of("6 * 7"))
    assert merged.cells[0].outputs[0].data["text/plain"] == "42"
    assert merged.cells[0].execution_count == 1
    with pytest.raises(KeyError):
        cache.match_cache_notebook(notebook_of("open('not here')"))


def test_an_error_in_a_cell_ends_the_run_and_is_reported(apart):
    notebook = notebook_of("open('not here')", "print('after')")
    run = apart(lambda: asyncio.run(run_alone(notebook, timeout=60)))
    assert "FileNotFoundError" in run.error and run.seconds > 0
    assert notebook.cells[1].outputs == []


def test_a_cell_that_takes_too_long_is_ended(apart):
    notebook = notebook_of("import time; time.sleep(60)")
    run = apart(lambda: asyncio.run(run_alone(notebook, timeout=2)))
    assert "CellTimeoutError" in run.error


def test_the_environment_is_as_before_whatever_happens(monkeypatch):
    monkeypatch.setenv("VAEBOOK_DATA_DIR", "/somewhere")
    before = dict(os.environ)
    with pytest.raises(KeyboardInterrupt), bare_environment():
        assert "VAEBOOK_DATA_DIR" not in os.environ
        raise KeyboardInterrupt
    assert dict(os.environ) == before
