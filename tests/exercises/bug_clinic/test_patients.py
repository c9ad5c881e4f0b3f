"""Patients: called as what is asked for, and silent about what is wrong with them."""

import inspect

import pytest

from vaebook.exercises.bug_clinic import EXERCISES

each_case = pytest.mark.parametrize("case", EXERCISES, ids=lambda case: case.name)


@each_case
def test_a_patient_takes_what_its_mended_function_takes(case):
    of_patient = list(inspect.signature(case.patient).parameters)
    assert of_patient == list(inspect.signature(case.solution).parameters)


@each_case
def test_a_patient_keeps_its_secret(case):
    """Neither its name nor its text says what is wrong; the diagnosis does."""
    number = case.name.split(".")[1]
    assert case.patient.__name__ == f"patient_{number}"
    source = inspect.getsource(case.patient)
    assert "bug" not in source and "wrong" not in source and "fault" not in source
    assert len(case.fault) > 60
