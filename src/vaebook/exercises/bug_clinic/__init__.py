"""The bug clinic: functions with a fault, to be found by their symptoms and mended."""

from vaebook.exercises.bug_clinic import codes, losses, pixels, scores, steps, tables
from vaebook.exercises.bug_clinic.case import Case
from vaebook.exercises.bug_clinic.script import Run, Script, run

__all__ = ["EXERCISES", "Case", "Run", "Script", "run"]

EXERCISES = (
    *losses.CASES,
    *codes.CASES,
    *pixels.CASES,
    *steps.CASES,
    *tables.CASES,
    *scores.CASES,
)
