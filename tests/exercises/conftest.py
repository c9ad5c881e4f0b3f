"""What ``check`` prints, for the tests of exercises."""

import pytest

from vaebook.exercises import check

pytest.register_assert_rewrite("exercises.answers")


@pytest.fixture
def said(capsys):
    """``said(name, answer)``: what check prints, line by line."""

    def printed(name, answer):
        assert check(name, answer) is None
        text, errors = capsys.readouterr()
        assert errors == ""
        return text.splitlines()

    return printed
