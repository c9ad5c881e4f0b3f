"""Traits are held to their table, wherever they are set."""

import pytest
import traitlets as t

from vaebook.explore.parts.constraints import POSITIVE, within
from vaebook.explore.parts.traits import constrained


class Held(t.HasTraits):
    most = t.Int(3)
    width = t.Float(1.0)
    place = t.Int()
    free = t.Float()

    held = constrained({"width": POSITIVE, "place": lambda self: within(0, self.most)})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("width", -1.0, "width must be positive and finite; received -1.0"),
        ("place", 4, "place must be 0 to 3; received 4"),
    ],
)
def test_a_value_outside_is_refused_and_the_old_one_stays(name, value, message):
    held = Held()
    before = getattr(held, name)
    with pytest.raises(ValueError, match=message):
        setattr(held, name, value)
    assert getattr(held, name) == before


def test_a_value_outside_is_refused_at_the_start():
    with pytest.raises(ValueError, match="width must be"):
        Held(width=0)


def test_a_bound_that_depends_on_another_trait_follows_it():
    held = Held(most=9, place=7)
    held.most = 5
    with pytest.raises(ValueError, match="place must be 0 to 5; received 6"):
        held.place = 6


def test_a_trait_without_a_row_is_free():
    assert Held(free=-9.0).free == -9.0
