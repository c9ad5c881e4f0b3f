"""Long runs of chapters over seeds, so many seeds at a time."""

from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from types import ModuleType
from typing import NamedTuple, Protocol

import torch

from vaebook.applications.studies import representation, restoration
from vaebook.evaluation import study as evaluation
from vaebook.exercises.bug_clinic import symptoms
from vaebook.generation.studies import anomalies, drawing, uses

STUDIES = {
    "evaluation": evaluation,
    "applications": restoration,
    "representation": representation,
    "generation": drawing,
    "anomalies": anomalies,
    "uses": uses,
    "bug_clinic": symptoms,
}


class Plan(Protocol):
    """How much of a study is run; what else it says is the study's own."""

    seeds: tuple[int, ...]


class Found(NamedTuple):
    """Numbers by name, each of which ends in its seed, and pictures."""

    numbers: Mapping[str, float]
    pictures: Mapping[str, str]


def run(study: ModuleType, plan: Plan) -> Found:
    """All seeds of a plan, one after the other; each number is printed as it comes.

    Parameters
    ----------
    study : module
        Its ``of_one_seed(plan, seed)`` yields pairs of a name and what was found: a
        number, or a picture as hexadecimal bytes.
    plan : Plan
        The module's own ``Study``: how much is run, and of which ``seeds``.
    """
    numbers, pictures = {}, {}
    for seed in plan.seeds:
        for name, value in study.of_one_seed(plan, seed):
            if isinstance(value, str):
                pictures[name] = value
                continue
            numbers[f"{name}.{seed}"] = float(value)
            print(f"{name}.{seed} {float(value):.4f}", flush=True)
    return Found(numbers, pictures)


def brief(name: str) -> Found:
    """The study of a chapter in seconds, for a test: on one thread wherever it runs, as
    rounding depends on how many there are."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return run(STUDIES[name], STUDIES[name].BRIEF)
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
    return run(chapter, replace(chapter.Study(), seeds=(seed,)))


def _joined(runs: list[Found]) -> Found:
    numbers = {name: value for run in runs for name, value in run.numbers.items()}
    pictures = {name: ink for run in runs for name, ink in run.pictures.items()}
    return Found(numbers, pictures)
