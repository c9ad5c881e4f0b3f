"""Long runs of chapters over seeds, so many seeds at a time."""

from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from typing import NamedTuple

import torch

from vaebook.applications.studies import (
    anomalies,
    generation,
    representation,
    restoration,
)
from vaebook.evaluation import study as evaluation

STUDIES = {
    "evaluation": evaluation,
    "applications": restoration,
    "representation": representation,
    "generation": generation,
    "anomalies": anomalies,
}


class Found(NamedTuple):
    """Numbers by name, each of which ends in its seed, and pictures."""

    numbers: Mapping[str, float]
    pictures: Mapping[str, str]


def brief(name: str) -> Found:
    """The study of a chapter in seconds, for a test: on one thread wherever it runs, as
    rounding depends on how many there are."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return Found(*STUDIES[name].run_study(STUDIES[name].BRIEF))
    finally:
        torch.set_num_threads(before)


def whole(name: str, *, threads: int = 1, workers: int = 1) -> Found:
    """The study of a chapter, ``workers`` seeds at a time, each on so many threads.

    What comes out doesn't depend on the workers.
    """
    one = partial(_of_one_seed, name, threads)
    seeds = STUDIES[name].Study().seeds
    if workers == 1:
        return _joined(list(map(one, seeds)))
    fresh = get_context("spawn")  # a fork of a process with threads may hang
    with ProcessPoolExecutor(workers, mp_context=fresh) as pool:
        return _joined(list(pool.map(one, seeds)))


def seeds_of(name: str) -> tuple[int, ...]:
    """Of the whole study of a chapter."""
    return STUDIES[name].Study().seeds


def _of_one_seed(name: str, threads: int, seed: int) -> Found:
    torch.set_num_threads(threads)
    chapter = STUDIES[name]
    return Found(*chapter.run_study(replace(chapter.Study(), seeds=(seed,))))


def _joined(runs: list[Found]) -> Found:
    numbers = {name: value for run in runs for name, value in run.numbers.items()}
    pictures = {name: ink for run in runs for name, ink in run.pictures.items()}
    return Found(numbers, pictures)
