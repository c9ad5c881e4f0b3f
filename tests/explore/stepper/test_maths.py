"""The EM stepper: the runs it ships, its traits, its still."""

import io

import numpy as np
import pytest
import torch
from browser.page import embedded
from explore.made import GOOD, make_stepper, petals
from explore.stepper.oracle import COLLAPSING, POOR, make_choice, run_from
from PIL import Image

from vaebook.em import CollapsedComponentError, em_step
from vaebook.explore import EmStepper


def test_the_stepper_ships_runs_of_fit_em():
    stepper = make_choice()
    assert [run["name"] for run in stepper.runs] == ["good", "poor"]
    rows = np.frombuffer(stepper.numbers).reshape(-1, 14)
    for start in (GOOD, POOR):
        run, log_lik, bounds = run_from(start)
        shipped, rows = rows[: len(run.path)], rows[len(run.path) :]
        for row, (weights, mu, cov) in zip(shipped, run.path, strict=True):
            upper = [*cov[0].ravel()[[0, 1, 3]], *cov[1].ravel()[[0, 1, 3]]]
            np.testing.assert_array_equal(row[:12], [*weights, *mu.ravel(), *upper])
        np.testing.assert_allclose(shipped[:, 12], log_lik, rtol=1e-13)
        np.testing.assert_allclose(shipped[1:, 13], bounds, rtol=1e-13)
        assert shipped[0, 13] == shipped[0, 12]
    assert len(rows) == 0
    assert len(embedded(stepper)) < 54_000


def test_means_and_step_are_read_set_and_observed():
    stepper, seen = make_stepper(), []
    stepper.observe(lambda change: seen.append(change["new"]), ["means", "step"])
    stepper.means, stepper.step = POOR, 7
    assert seen == [POOR, 7]
    run, log_lik, _ = run_from(POOR)
    assert stepper.run.objective == run.objective and stepper.run.converged
    assert log_lik[-1] == pytest.approx(-218.745, abs=0.001)


def test_a_collapsing_run_stops_where_it_collapses():
    stepper = make_stepper()
    stepper.means = COLLAPSING
    with pytest.raises(CollapsedComponentError, match="component 0: its smallest"):
        _ = stepper.run
    assert len(stepper.path()) == 3
    with pytest.raises(CollapsedComponentError):
        em_step(stepper.path()[-1], petals())
    stepper.step = 9
    assert "iteration 2" in stepper.describe() and stepper.snapshot()
    with pytest.raises(CollapsedComponentError):
        make_stepper(COLLAPSING)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x": torch.ones(5, 3)}, r"finite, \(N, 2\) .* received shape \(5, 3\)"),
        ({"x": torch.full((5, 2), torch.nan)}, "10 values not finite"),
        ({"start": [[1.0, 2.0]]}, r"K from 2 to 4 .* received \[\[1.0, 2.0\]\]"),
        ({"start": [[1.0, 2.0, 3.0]] * 2}, "start must be finite"),
        ({"presets": {"a": [[1.0, 2.0]] * 3}}, "with the same K"),
        ({"num_steps": 0}, "num_steps must be at least 1; received 0"),
    ],
)
def test_the_stepper_refuses_what_it_cannot_show(given, message):
    given = {"x": petals(), "start": GOOD} | given
    x, start = given.pop("x"), torch.tensor(given.pop("start"))
    with pytest.raises(ValueError, match=message):
        EmStepper(x, start, **given)


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("means", [[0.0, torch.inf], [1.0, 1.0]], "means must be finite"),
        ("means", [*GOOD, [1.0, 1.0]], "with the same K"),
        ("step", 80, "step must be 0 to 79; received 80"),
        ("step", -1, "received -1"),
    ],
)
def test_the_stepper_refuses_traits(trait, value, message):
    with pytest.raises(ValueError, match=message):
        setattr(make_stepper(), trait, value)


def test_the_still_shows_the_step():
    stepper = make_stepper()
    picture = stepper.snapshot()
    assert len(picture) <= 20_000
    assert Image.open(io.BytesIO(picture)).size == (1280, 600)
    assert "which touches it at -284.3 nats." in stepper.describe()
    stepper.step = 3
    assert "tops out at -242.2 nats under -234.2" in stepper.describe()
    assert stepper.snapshot() != picture
