"""Chapters executed ahead of the pages, as many at a time as there are cores.

Each runs alone, as a reader's download would: in an empty folder, with nothing from the
environment that this machine happens to set, on one thread, so that its numbers don't
depend on how many cores there are. What succeeds goes into the cache that myst-nb reads
the pages' outputs from; what fails is left to it, which reports it.
"""

import asyncio
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import nbformat
from docutils import nodes
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn, JupyterCacheAbstract
from myst_nb.core.read import create_nb_reader
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from vaebook.site import values

LOGGER = logging.getLogger(__name__)
UNSET = ("VAEBOOK_DATA_DIR", "PYTHONPATH", "JUPYTER_PATH", "JUPYTER_CONFIG_DIR")
LATE = 60  # seconds that an output may be on its way when its cell has ended
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def connect(app: Sphinx) -> None:
    app.connect("env-before-read-docs", _execute)
    app.connect("doctree-read", _give_outputs)


def _execute(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Execute the notebooks about to be read whose outputs the cache lacks."""
    read = {name: read_notebook(env, name) for name in docnames}
    pages = {name: notebook for name, notebook in read.items() if notebook is not None}
    with opened_cache(env.mystnb_config.execution_cache_path) as cache:
        notebooks = {
            env.doc2path(name): notebook
            for name, notebook in pages.items()
            if not _is_cached(cache, notebook)
        }
        if notebooks:
            LOGGER.info("executing %d notebooks, each alone", len(notebooks))
            run_all(notebooks, cache, timeout=env.mystnb_config.execution_timeout)
        for name, notebook in pages.items():
            values.keep(env, name, cached_values(cache, notebook))


def _give_outputs(app: Sphinx, doctree: nodes.document) -> None:
    """Put the outputs into the notebook that a page offers for download.

    myst-nb writes it without them where it took the page's outputs from the cache.
    """
    path = Path(app.outdir).parent / "jupyter_execute" / f"{app.env.docname}.ipynb"
    if path.exists():
        bare = nbformat.read(path, as_version=4)
        folder = app.env.mystnb_config.execution_cache_path
        with opened_cache(folder) as cache, suppress(KeyError):  # a page without code
            _, whole = cache.merge_match_into_notebook(bare)
            nbformat.write(whole, path)


@contextmanager
def opened_cache(folder: str | Path) -> Iterator[JupyterCacheAbstract]:
    """The cache of outputs in a folder, its database closed afterwards."""
    cache = get_cache(folder)
    try:
        yield cache
    finally:
        cache.db.dispose()


def read_notebook(env: BuildEnvironment, docname: str) -> NotebookNode | None:
    """The notebook of a page as myst-nb will read it; None of a page without code."""
    path = Path(env.doc2path(docname))
    text = path.read_text(encoding="utf-8")
    reader = create_nb_reader(str(path), env.myst_config, env.mystnb_config, text)
    return None if reader is None else reader.read(text)


class Run(NamedTuple):
    """How one execution went: its seconds, and the error that ended it, or nothing.

    ``values`` are those that the text asks for, by what stands in their roles.
    """

    seconds: float
    error: str
    values: dict[str, str]


def run_all(
    notebooks: Mapping[str, NotebookNode],
    cache: JupyterCacheAbstract,
    *,
    timeout: int,
    workers: int | None = None,
) -> None:
    """Execute notebooks, by path, and put those that succeed into the cache.

    The last of the book are the longest, so they start first.

    Parameters
    ----------
    timeout : int
        Seconds that one cell may take.
    workers : int, optional
        How many run at a time; as many as there are cores by default.
    """
    with bare_environment():
        asyncio.run(_run_all(notebooks, cache, timeout, workers or os.cpu_count() or 1))


async def _run_all(
    notebooks: Mapping[str, NotebookNode],
    cache: JupyterCacheAbstract,
    timeout: int,
    workers: int,
) -> None:
    places = asyncio.Semaphore(workers)

    async def run_and_keep(path: str) -> None:
        async with places:
            run = await run_alone(notebooks[path], timeout)
        if not run.error:
            LOGGER.info("%s: executed in %.1f s", Path(path).name, run.seconds)
            data = {
                "execution_seconds": run.seconds,
                "alone": True,
                "values": run.values,
            }
            made = CacheBundleIn(notebooks[path], path, data=data)
            cache.cache_notebook_bundle(made, check_validity=False, overwrite=True)
        else:
            LOGGER.warning("%s: %s", Path(path).name, run.error)

    await asyncio.gather(*map(run_and_keep, sorted(notebooks, reverse=True)))


async def run_alone(notebook: NotebookNode, timeout: int) -> Run:
    """Execute a notebook in place, in an empty folder that is removed afterwards.

    The values that its text asks for are worked out on the way, each where it stands.
    """
    start = time.perf_counter()
    found: dict[str, str] = {}
    error = ""
    try:
        wanted = values.wanted(notebook)
    except ValueError as fault:
        return Run(0.0, f"ValueError: {fault}", found)

    async def work_out(cell: NotebookNode, cell_index: int, **reply: object) -> None:
        if texts := wanted.get(cell_index):
            values.merge(found, await values.worked_out(texts, client.kc))

    with TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=timeout,
            iopub_timeout=LATE,
            raise_on_iopub_timeout=True,
            record_timing=False,  # the cache would take other times for other cells
            resources={"metadata": {"path": folder}},
            on_cell_executed=work_out,
        )
        try:
            await client.async_execute()
        except (CellExecutionError, CellTimeoutError, ValueError) as fault:
            error = f"{type(fault).__name__}: {fault}"
    return Run(time.perf_counter() - start, error, found)


@contextmanager
def bare_environment() -> Iterator[None]:
    """The environment of the kernels that start meanwhile: a fresh user's."""
    before = dict(os.environ)
    with TemporaryDirectory() as home:
        for name in UNSET:
            os.environ.pop(name, None)
        os.environ.update(dict.fromkeys(THREADS, "1"))
        os.environ |= {"JUPYTER_PREFER_ENV_PATH": "1", "IPYTHONDIR": home}
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def cached_values(
    cache: JupyterCacheAbstract, notebook: NotebookNode
) -> dict[str, str]:
    """The values of a notebook's text that the cache holds; none if it holds no run."""
    with suppress(KeyError):
        return cache.match_cache_notebook(notebook).data.get("values", {})
    return {}


def _is_cached(cache: JupyterCacheAbstract, notebook: NotebookNode) -> bool:
    """Whether the cache holds a run of the code and each value the text asks for."""
    with suppress(KeyError, ValueError):  # no such run; or the run will complain
        cache.match_cache_notebook(notebook)
        asked = {text for texts in values.wanted(notebook).values() for text in texts}
        return asked <= cached_values(cache, notebook).keys()
    return False
