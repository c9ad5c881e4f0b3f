"""Seeds side by side give what they give one after the other."""

from types import SimpleNamespace

import pytest
import torch

from vaebook import studies
from vaebook.applications.studies import restoration as applications

ran_on = []


def made(seeds):
    """A study whose numbers say what it was asked for, and on how many threads."""

    def of_one_seed(plan, seed):
        ran_on.append(torch.get_num_threads())
        yield "a", seed
        yield "b", torch.tensor(seed + 1)
        yield f"seen.{plan.seeds}", "ff"

    plan = applications.Study
    return SimpleNamespace(
        Study=lambda: plan(seeds=seeds), BRIEF=plan(seeds=(9,)), of_one_seed=of_one_seed
    )


@pytest.fixture
def two_seeds(monkeypatch):
    monkeypatch.setitem(studies.STUDIES, "made", made((3, 4)))


@pytest.mark.usefixtures("two_seeds")
def test_seeds_are_run_one_by_one_and_joined():
    found = studies.whole("made")
    assert found.numbers == {"a.3": 3, "b.3": 4, "a.4": 4, "b.4": 5}
    assert found.pictures == {"seen.(3,)": "ff", "seen.(4,)": "ff"}
    assert studies.seeds_of("made") == (3, 4)
    before = torch.get_num_threads()
    assert studies.brief("made").numbers == {"a.9": 9, "b.9": 10}
    assert torch.get_num_threads() == before
    assert ran_on[-1] == 1
    ran_on.clear()
    studies.whole("made", threads=before + 1)
    assert ran_on == [before + 1] * 2
    torch.set_num_threads(before)


def test_workers_are_processes_that_find_the_studies(monkeypatch):
    given = []

    class Pool:
        def __init__(self, workers, mp_context):
            given.append((workers, mp_context.get_start_method()))

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def map(self, one, seeds):
            assert one.func.__module__ == "vaebook.studies"  # what a new process loads
            return [studies.Found({f"x.{seed}": 1.0}, {}) for seed in seeds]

    monkeypatch.setattr(studies, "ProcessPoolExecutor", Pool)
    found = studies.whole("applications", workers=2)
    assert given == [(2, "spawn")]
    assert found.numbers == {f"x.{s}": 1.0 for s in studies.seeds_of("applications")}
