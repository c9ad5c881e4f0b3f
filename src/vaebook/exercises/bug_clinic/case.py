"""An exercise about a patient: a faulty function, and what would have shown it."""

from dataclasses import dataclass

from vaebook.exercises.record import Answer, Exercise

AS_IT_CAME = "That is the patient as it came."


@dataclass(frozen=True, kw_only=True)
class Case(Exercise):
    """An exercise whose answer is a mended function.

    Attributes
    ----------
    patient : callable
        As it was found; it is the first of the mistakes.
    fault : str
        The diagnosis.
    caught_by : str
        The test of the book that turns red if the library has the same fault.
    """

    patient: Answer
    fault: str
    caught_by: str
