"""The gap ledger's arithmetic against numpy, scipy and a finer grid."""

import numpy as np
import pytest
import torch
from explore.ledger.oracle import MOVED, numpy_joint, numpy_log_weights
from explore.made import make_ledger
from matplotlib.path import Path
from scipy import optimize, special

from vaebook.evaluation import make_grid
from vaebook.explore.ledger.maths import BOUND, REACH, Q, contours, view_of


@pytest.fixture(scope="module")
def ledger():
    return make_ledger()


def test_log_evidence_is_the_integral_on_a_finer_grid(ledger):
    axis = np.linspace(-6, 6, 321)
    z = np.stack(np.meshgrid(axis, axis), -1)
    for case in ledger.ledgers:
        whole = special.logsumexp(numpy_joint(case, z)) + 2 * np.log(axis[1] - axis[0])
        assert case.log_evidence == pytest.approx(whole, abs=1e-5)


@pytest.mark.parametrize(("mu", "sigma"), MOVED)
def test_the_elbo_is_the_mean_log_weight(ledger, mu, sigma):
    """By a product rule of 8 nodes written out, and near it by many draws."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(8)
    weights = weights / weights.sum()
    eps = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), -1).reshape(-1, 2)
    w = np.outer(weights, weights).ravel()
    many = np.random.default_rng(0).normal(size=(20_000, 2))
    for case in ledger.ledgers:
        found = case.elbo(*Q(mu, sigma).tensors, ledger.measure).item()
        log_w = numpy_log_weights(case, mu, sigma, eps)
        # the same rule: E[log q] is exact under it
        assert found == pytest.approx(w @ log_w, abs=1e-9)
        drawn = numpy_log_weights(case, mu, sigma, many)
        error = drawn.std() / np.sqrt(len(drawn))
        assert found == pytest.approx(drawn.mean(), abs=5 * error + 0.1 * max(sigma))


@pytest.mark.parametrize("draws", [1, 8, 128])
@pytest.mark.parametrize(("mu", "sigma"), MOVED)
def test_the_weighted_bound_is_a_mean_over_blocks(ledger, mu, sigma, draws):
    eps = ledger.measure.eps.numpy()
    for case in ledger.ledgers:
        log_w = numpy_log_weights(case, mu, sigma, eps).reshape(-1, draws)
        expected = (special.logsumexp(log_w, 1) - np.log(draws)).mean()
        found = case.weighted_bound(Q(mu, sigma), draws, ledger.measure)
        assert found == pytest.approx(expected, abs=1e-9)


def test_the_bound_never_falls_when_draws_are_joined(ledger):
    for case in ledger.ledgers:
        bounds = [
            case.weighted_bound(case.encoded, draws, ledger.measure)
            for draws in ledger.choices
        ]
        assert bounds == sorted(bounds)


def test_the_gaps_add_up(ledger):
    for case in ledger.ledgers:
        gaps = case.gaps(Q(*MOVED[0]), 4, ledger.measure)
        whole = gaps.elbo + gaps.amortisation + gaps.approximation
        assert whole == pytest.approx(gaps.log_evidence, abs=1e-9)


def test_no_search_from_the_encoder_s_q_finds_a_better_one(ledger):
    for case in ledger.ledgers:

        def loss(place, case=case):
            mu, log_sigma = torch.from_numpy(place).split(2)
            return -case.elbo(mu, log_sigma, ledger.measure).item()

        start = torch.cat(case.encoded.tensors).numpy()
        found = optimize.minimize(loss, start, method="Nelder-Mead")
        best = case.elbo(*case.best.tensors, ledger.measure).item()
        assert best >= -found.fun - 1e-4


def test_refining_climbs_to_the_best(ledger):
    for case in ledger.ledgers:
        path = case.refined(case.encoded, ledger.measure)
        assert path[0] == case.encoded and len(path) == ledger.adam["steps"] + 1
        last = case.gaps(path[-1], 1, ledger.measure)
        assert -0.005 <= last.amortisation < 0.02
        first = case.gaps(path[0], 1, ledger.measure)
        assert first.elbo <= last.elbo + 1e-9
        for q in path:
            assert all(REACH[0] <= s <= REACH[1] for s in q.sigma)


def test_contours_hold_their_share_of_a_gaussian():
    """Half of a Gaussian lies within 1.18 sigma, 95 per cent within 2.45."""
    grid = make_grid(2, num_nodes=161)
    z = grid.points / torch.tensor([0.5, 1.0])
    mass = torch.softmax(-0.5 * z.square().sum(1), 0)
    wide, narrow = contours(mass, grid)
    for curves, share in ((wide, 0.95), (narrow, 0.5)):
        (curve,) = curves
        radius = np.linalg.norm(np.array(curve) / [0.5, 1.0], axis=1)
        expected = np.sqrt(-2 * np.log(1 - share))
        np.testing.assert_allclose(radius, expected, rtol=0.05)


def test_contours_of_an_image_hold_their_share(ledger):
    axis = np.linspace(-4, 4, 321)
    z = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    for case, curves in zip(ledger.ledgers, ledger.curves, strict=True):
        mass = special.softmax(numpy_joint(case, z))
        for lines, share in zip(curves, (0.95, 0.5), strict=True):
            inside = sum(Path(line).contains_points(z).astype(int) for line in lines)
            assert mass[inside % 2 == 1].sum() == pytest.approx(share, abs=0.05)


def test_the_view_holds_the_curves_and_the_encoder_s_q(ledger):
    for case, curves in zip(ledger.ledgers, ledger.curves, strict=True):
        (x, y), half = view_of(curves, case.encoded)
        points = np.concatenate([np.array(line) for line in curves[0]])
        assert (np.abs(points - [x, y]) <= half).all()
        mu, sigma = map(np.array, case.encoded)
        assert (np.abs(mu - [x, y]) + 2 * sigma <= half).all()


def test_selecting_and_refining_from_python(ledger):
    widget = make_ledger()
    widget.select(2)
    assert widget.q == widget.ledgers[2].encoded
    widget.refine()
    assert widget.now.amortisation < 0.02
    assert (
        widget.now.elbo
        > widget.ledgers[2].gaps(widget.ledgers[2].encoded, 1, widget.measure).elbo
    )


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("selected", 3, "selected must be 0 to 2; received 3"),
        ("mu", [0.0], "mu must be 2 numbers"),
        ("mu", [0.0, BOUND + 1], "mu must be 2 numbers"),
        ("sigma", [0.1, 0.0], "sigma must be 2 numbers"),
        ("draws", 3, "draws must be one of 1, 2, 4"),
    ],
)
def test_what_a_trait_cannot_be_is_refused(trait, value, message):
    widget = make_ledger()
    before = getattr(widget, trait)
    with pytest.raises(ValueError, match=message):
        setattr(widget, trait, value)
    assert getattr(widget, trait) == before
