"""What an exercise is: a question with a worked solution and told-apart mistakes."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

Argument = float | Tensor
Answer = Callable[..., Argument]


@dataclass(frozen=True)
class Mistake:
    """A wrong answer worth recognising.

    Attributes
    ----------
    advice : str
        What was done wrong, as the reader is told.
    answer : callable
        Takes what the solution takes, gives a float or a Tensor. A reader's answer
        that agrees with it on every input is this mistake.
    """

    advice: str
    answer: Answer


@dataclass(frozen=True)
class Exercise:
    """One exercise: how it is solved, tried and commented on.

    Attributes
    ----------
    name : str
        Chapter and number, ``"vae.1"``.
    solution : callable
        The worked answer; returns a float or a Tensor. One without parameters stands
        for an exercise whose answer is a number.
    inputs : tuple of tuples
        The arguments of each trial, the first being the one a reader sees most;
        ``((),)``, one trial without arguments, where the answer is a number.
    meaning : str
        What a right answer shows, in a sentence.
    hint : str
        What :func:`vaebook.exercises.hint` prints.
    mistakes : tuple of Mistake
        The wrong answers told apart; the first that agrees with a reader's is named.
    rtol : float
        Relative error allowed; a little absolute error is allowed too.
    trial : callable, optional
        ``trial(answer, *inputs)`` gives what is compared, where that isn't what the
        answer gives: a gradient, say, or whether two calls agree.
    """

    name: str
    solution: Answer
    inputs: tuple[tuple[Argument, ...], ...]
    meaning: str
    hint: str
    mistakes: tuple[Mistake, ...]
    rtol: float = 1e-5
    trial: Callable[..., Argument] | None = None

    @property
    def signature(self) -> str:
        """How the answer is called, ``kl(mu, sigma)``; empty for a number."""
        names = ", ".join(inspect.signature(self.solution).parameters)
        return f"{self.solution.__name__}({names})" if names else ""

    @property
    def input_names(self) -> list[str]:
        """What each trial's inputs are called."""
        if self.trial is None:
            return list(inspect.signature(self.solution).parameters)
        return list(inspect.signature(self.trial).parameters)[1:]
