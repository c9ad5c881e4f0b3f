"""Equations are numbered by chapter."""

import pytest

from vaebook.site import numbering


@pytest.mark.parametrize(
    ("page", "prefix"),
    [("chapters/10_vae", "10."), ("chapters/01_likelihood", "1."), ("notation", "")],
)
def test_equations_are_numbered_by_chapter(page: str, prefix: str):
    assert numbering.prefix(page) == prefix
