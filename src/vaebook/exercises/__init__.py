"""Exercises that check themselves: ``check("vae.1", my_function)``.

``record`` says what an exercise is and ``judge`` what is printed about an answer; every
other module of this package is one chapter's exercises, a tuple ``EXERCISES`` of
records. A chapter gains exercises by gaining such a file and a place in ``CHAPTERS``.
"""

import inspect

from vaebook.exercises import (
    applications,
    autoencoder,
    bayes,
    bug_clinic,
    em,
    evaluation,
    generation,
    likelihood,
    linear_vae,
    map_estimation,
    monte_carlo,
    reparameterization,
    vae,
    variational,
)
from vaebook.exercises.judge import paragraph, verdict
from vaebook.exercises.record import Exercise

__all__ = ["check", "exercises", "hint", "solution_source"]

# in the book's order
CHAPTERS = (
    likelihood,
    map_estimation,
    em,
    bayes,
    variational,
    monte_carlo,
    reparameterization,
    linear_vae,
    autoencoder,
    vae,
    evaluation,
    applications,
    generation,
    bug_clinic,
)


def check(name: str, answer: object) -> None:
    """Print whether ``answer`` solves the exercise, and if not, what differs.

    Parameters
    ----------
    name : str
        Chapter and number, for example ``"vae.1"``.
    answer : function or number
        What the exercise asks for. A function is called on inputs of the exercise's
        own; an error in it is reported, not raised.

    Raises
    ------
    ValueError
        If no exercise has this name; the message lists those that exist.
    """
    print(verdict(_exercise(name), answer))


def hint(name: str) -> None:
    """Print the exercise's hint; errors as in :func:`check`."""
    print(paragraph(f"{name}: {_exercise(name).hint}"))


def solution_source(name: str) -> str:
    """Source text of the exercise's worked solution; errors as in :func:`check`."""
    return inspect.getsource(_exercise(name).solution)


def exercises() -> dict[str, Exercise]:
    """Every exercise of the book, by name, in the book's order."""
    return {one.name: one for chapter in CHAPTERS for one in chapter.EXERCISES}


def _exercise(name: str) -> Exercise:
    """The exercise of this name; errors as in :func:`check`."""
    known = exercises()
    if name not in known:
        raise ValueError(f"name must be one of {', '.join(known)}; received {name!r}")
    return known[name]
