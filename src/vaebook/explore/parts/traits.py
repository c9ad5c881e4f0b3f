r"""One table for what the traits of an explorer may be."""

from collections.abc import Callable, Mapping
from typing import Any

import traitlets as t

from vaebook.explore.parts.constraints import Constraint, obeying

Table = Mapping[str, Constraint | Callable[[Any], Constraint]]


def constrained(table: Table) -> t.ValidateHandler:
    """What a widget's class binds, so that its traits are held to a table.

    Parameters
    ----------
    table : dict of str to Constraint, or to a function of the widget that gives one
        By the trait's name; a function where the constraint depends on other traits.

    Returns
    -------
    ValidateHandler
        Setting a trait to something else raises ValueError, which says the trait, the
        rule and what was received; the trait stays as it was.
    """

    def held(widget: t.HasTraits, proposal: dict) -> Any:  # noqa: ANN401
        name = proposal["trait"].name
        entry = table[name]
        constraint = entry if isinstance(entry, Constraint) else entry(widget)
        return obeying(name, proposal["value"], constraint)

    return t.validate(*table)(held)
