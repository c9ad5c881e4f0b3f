"""The page finds the frame that Python drew for a combination."""

import itertools

import pytest
from browser.drive import STAND_IN
from explore.made import make_frames

from vaebook.explore import explore

CHOICES = {"a": (0, 0.3, 0.1), "b": ["x", "yy"]}
FRAMES_AT = """(all) => all.map((values) => m.module.frameIndex(
  m.model.get("names"), m.model.get("choices"), values))"""


@pytest.mark.browser
def test_every_combination_leads_to_its_own_frame(show):
    """Python draws them in the order of itertools.product."""
    figure = explore(
        lambda ax, a, b: ax.plot([0, a], [0, len(b)]),
        alt=lambda a, b: f"{a} {b}",
        **CHOICES,
    )
    page = show(figure).page
    page.evaluate(STAND_IN)
    combinations = list(itertools.product(*figure.choices))
    asked = [dict(zip("ab", values, strict=True)) for values in combinations]
    assert page.evaluate(FRAMES_AT, asked) == list(range(len(combinations)))
    assert figure.alts == [f"{a} {b}" for a, b in combinations]


@pytest.mark.browser
def test_a_value_between_the_steps_leads_to_the_nearest(show):
    page = show(make_frames()).page  # of slopes -2, -1, 0, 1, 2
    page.evaluate(STAND_IN)
    asked = [{"slope": value} for value in (-9, -1.6, -1.4, 0.4, 0.6, 9)]
    assert page.evaluate(FRAMES_AT, asked) == [0, 0, 1, 2, 3, 4]
