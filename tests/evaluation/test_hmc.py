"""Hamiltonian Monte Carlo: the motion, the acceptance, what stays as it was, R-hat."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from vaebook.evaluation import adapted, hmc_step, leapfrog, look, split_r_hat

pytestmark = pytest.mark.usefixtures("one_thread")


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def draw(rng, *shape):
    return torch.randn(shape, generator=rng, dtype=torch.float64)


def standard_normal(z):
    """log N(0, I), up to a constant."""
    return -z.square().sum(-1) / 2


def uneven(z):
    """A density of two numbers that is no Gaussian, and mixes the two."""
    a, b = z[..., 0], z[..., 1]
    return -(a.square() + 0.5 * (b - a.square()).square() + torch.sin(a * b)) / 2


def uneven_slope(z):
    """Its gradient by hand, in numpy."""
    a, b = z[..., 0], z[..., 1]
    to_a = 2 * a - 2 * a * (b - a**2) + b * np.cos(a * b)
    to_b = (b - a**2) + a * np.cos(a * b)
    return -np.stack([to_a, to_b], -1) / 2


def uneven_by_numpy(z):
    a, b = z[..., 0], z[..., 1]
    return -(a**2 + 0.5 * (b - a**2) ** 2 + np.sin(a * b)) / 2


def followed(density, z, r, step, num_steps):
    """Place and momentum at the end of the motion, as tensors."""
    at, r = leapfrog(density, look(density, z), r, step, num_steps)
    return at.z, r


# The place


def test_slope_is_the_gradient_and_leaves_no_graph(rng):
    z = draw(rng, 3, 4, 2)
    with torch.no_grad():
        at = look(uneven, z)
    assert torch.equal(at.z, z)
    np.testing.assert_allclose(at.log_p, uneven_by_numpy(z.numpy()), rtol=1e-12)
    np.testing.assert_allclose(at.slope, uneven_slope(z.numpy()), rtol=1e-10)
    assert not any(part.requires_grad for part in (*at, z))


# The motion


@pytest.mark.equation(
    "eq-evaluation-leapfrog",
    against="powers of the harmonic oscillator's matrix, by numpy",
    body="d8bd6c7b",
)
@pytest.mark.parametrize("num_steps", [1, 2, 9])
def test_motion_in_a_bowl_is_a_power_of_a_matrix(rng, num_steps):
    z, r, step = draw(rng, 5, 1), draw(rng, 5, 1), double([0.1, 0.3, 0.5, 1.0, 1.9])
    place, momentum = followed(standard_normal, z, r, step, num_steps)
    for n, h in enumerate(step.tolist()):
        half = 1 - h**2 / 2
        once = np.array([[half, h], [-h * (1 - h**2 / 4), half]])
        start = np.array([z[n].item(), r[n].item()])
        expected = np.linalg.matrix_power(once, num_steps) @ start
        found = [place[n].item(), momentum[n].item()]
        np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.equation(
    "eq-evaluation-leapfrog",
    against="the exact rotation of a harmonic oscillator",
    body="d8bd6c7b",
)
def test_error_in_a_bowl_is_of_the_order_of_the_step_squared(rng):
    """Half the step, a quarter of the error, after the same time."""
    z, r, errors = draw(rng, 1, 3), draw(rng, 1, 3), []
    c, s = math.cos(1), math.sin(1)
    for num_steps in (16, 32, 64):
        step = double([1 / num_steps])
        place, momentum = followed(standard_normal, z, r, step, num_steps)
        off = torch.cat([place - (c * z + s * r), momentum - (c * r - s * z)])
        errors.append(off.norm().item())
    assert errors[0] > 1e-5
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 4, rtol=5e-3)


@pytest.mark.equation(
    "eq-evaluation-leapfrog",
    against="scipy.integrate.solve_ivp, as the step shrinks",
    body="d8bd6c7b",
)
def test_motion_elsewhere_goes_to_scipys_as_the_step_shrinks(rng):
    z, r, errors = draw(rng, 1, 2), draw(rng, 1, 2), []

    def motion(_, state):
        return np.concatenate([state[2:], uneven_slope(state[:2])])

    start = torch.cat([z, r], 1)[0].numpy()
    end = integrate.solve_ivp(motion, (0, 1), start, rtol=1e-11, atol=1e-12).y[:, -1]
    for num_steps in (50, 100, 200):
        step = double([1 / num_steps])
        found = torch.cat(followed(uneven, z, r, step, num_steps), 1)[0]
        errors.append(np.abs(found.numpy() - end).max())
    assert errors[2] < 1e-4
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 4, rtol=2e-2)


@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_motion_retraces_its_way_when_the_momentum_is_turned_round(rng):
    z, r, step = draw(rng, 4, 3, 2), draw(rng, 4, 3, 2), double([0.05, 0.15, 0.3])
    step = step.expand(4, 3)
    there, momentum = followed(uneven, z, r, step, 7)
    assert (there - z).abs().max() > 0.1
    back, momentum = followed(uneven, there, -momentum, step, 7)
    np.testing.assert_allclose(back, z, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(-momentum, r, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("rng", range(3), indirect=True)
@pytest.mark.parametrize("step", [0.1, 0.4])
def test_motion_keeps_volumes(rng, step):
    """The determinant of its Jacobian, by central differences, is 1."""
    state, h = draw(rng, 4), 1e-5
    moved = state + h * torch.cat([torch.eye(4), -torch.eye(4)]).double()
    ends = followed(uneven, moved[:, :2], moved[:, 2:], double([step]).expand(8), 5)
    up, down = torch.cat(ends, 1).chunk(2)
    jacobian = ((up - down) / (2 * h)).numpy()
    assert np.abs(jacobian - np.eye(4)).max() > 0.1
    assert np.linalg.det(jacobian) == pytest.approx(1, abs=1e-7)


def test_each_chain_moves_by_its_own_step(rng):
    z, r, step = draw(rng, 3, 2), draw(rng, 3, 2), double([0.1, 0.2, 0.4])
    together = followed(uneven, z, r, step, 4)
    for n in range(3):
        one = slice(n, n + 1)
        alone = followed(uneven, z[one], r[one], step[one], 4)
        for ours, theirs in zip(together, alone, strict=True):
            np.testing.assert_allclose(ours[one], theirs, rtol=1e-12)


def test_place_at_the_end_has_its_own_density_and_slope(rng):
    z, r = draw(rng, 3, 2), draw(rng, 3, 2)
    at, _ = leapfrog(uneven, look(uneven, z), r, double([0.2]).expand(3), 3)
    np.testing.assert_allclose(at.log_p, uneven_by_numpy(at.z.numpy()), rtol=1e-12)
    np.testing.assert_allclose(at.slope, uneven_slope(at.z.numpy()), rtol=1e-10)


def test_motion_asks_for_as_many_gradients_as_steps(rng):
    asked = []

    def counted(z):
        asked.append(1)
        return standard_normal(z)

    start = look(standard_normal, draw(rng, 2, 1))
    leapfrog(counted, start, draw(rng, 2, 1), double([0.1, 0.1]), 6)
    assert len(asked) == 6
    hmc_step(counted, draw(rng, 2, 1), double(0.1), 4, rng=rng)
    assert len(asked) == 6 + 4 + 1


def test_motion_of_no_steps_is_refused(rng):
    start = look(standard_normal, draw(rng, 2, 1))
    with pytest.raises(ValueError, match="num_steps must be at least 1; received 0"):
        leapfrog(standard_normal, start, draw(rng, 2, 1), double([0.1, 0.1]), 0)


# The transition


def replay(z, step, num_leapfrog, rng):
    """One transition in numpy, by the formulas, from the same random numbers."""
    r = draw(rng, *z.shape).numpy()
    u = torch.rand(z.shape[:-1], generator=rng, dtype=torch.float64).numpy()
    at, p, eta = z.copy(), r.copy(), np.broadcast_to(step, z.shape[:-1])[..., None]
    for _ in range(num_leapfrog):
        p = p + eta / 2 * uneven_slope(at)
        at = at + eta * p
        p = p + eta / 2 * uneven_slope(at)
    before = -uneven_by_numpy(z) + (r**2).sum(-1) / 2
    after = -uneven_by_numpy(at) + (p**2).sum(-1) / 2
    accept = np.minimum(1, np.exp(before - after))
    return np.where((u < accept)[..., None], at, z), accept


@pytest.mark.equation(
    "eq-evaluation-hmc",
    against="numpy, from the same momenta and uniform numbers",
    body="5ea9f4cd",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
@pytest.mark.parametrize("num_leapfrog", [1, 3])
def test_transition_is_the_one_made_by_hand(rng, num_leapfrog):
    z = draw(rng, 20, 3, 2)
    same = torch.Generator()
    same.set_state(rng.get_state())
    step = [0.3, 0.8, 1.2]
    found = hmc_step(uneven, z, double(step), num_leapfrog, rng=rng)
    expected = replay(z.numpy(), step, num_leapfrog, same)
    np.testing.assert_allclose(found.z, expected[0], rtol=1e-10)
    np.testing.assert_allclose(found.accept, expected[1], rtol=1e-10)
    stayed = (found.z == z).all(-1).double().mean().item()
    assert 0.05 < stayed < 0.95


def test_five_steps_of_the_motion_unless_said():
    z = draw(torch.Generator().manual_seed(3), 6, 2)
    found = [
        hmc_step(uneven, z, double(0.4), *own, rng=torch.Generator().manual_seed(1)).z
        for own in ((), (5,), (4,))
    ]
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


COV = np.array([[1.5, 0.9], [0.9, 1.0]])


PRECISION = torch.linalg.inv(torch.from_numpy(COV))


def tilted(z):
    """log N(0, COV), up to a constant."""
    return -0.5 * ((z @ PRECISION) * z).sum(-1)


@pytest.mark.equation(
    "eq-evaluation-hmc",
    against="the moments of exact draws of a Gaussian by numpy",
    body="5ea9f4cd",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_transitions_leave_a_gaussian_as_it_is(rng, assert_within):
    """Steps so long that a third is turned down: without that it would not stay."""
    z = draw(rng, 40_000, 2) @ torch.linalg.cholesky(torch.from_numpy(COV)).T
    for _ in range(4):
        z, accept = hmc_step(tilted, z, double(0.75), 3, rng=rng)
    assert 0.4 < accept.mean() < 0.9
    assert_within(z.mean(0), [0, 0], stats.sem(z.numpy()))
    products = (z[:, :, None] * z[:, None, :]).numpy()
    assert_within(products.mean(0), COV, stats.sem(products))


SHARES, CENTRES, WIDTHS = (0.3, 0.7), (-1.5, 1.5), (0.6, 0.8)


def bimodal(z):
    """Two Gaussians on a line, of shares 0.3 and 0.7."""
    share, centre, width = (double(v) for v in (SHARES, CENTRES, WIDTHS))
    each = share.log() - width.log() - 0.5 * ((z - centre) / width).square()
    return each.logsumexp(-1)


def bimodal_draws(rng, number):
    lit = torch.rand(number, generator=rng, dtype=torch.float64) < SHARES[1]
    pick = lit.long()
    return (double(CENTRES)[pick] + double(WIDTHS)[pick] * draw(rng, number))[:, None]


EDGES = np.array([-np.inf, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, np.inf])


@pytest.mark.equation(
    "eq-evaluation-hmc",
    against="scipy's probabilities of a bimodal density's bins",
    body="5ea9f4cd",
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_transitions_leave_a_bimodal_density_as_it_is(rng, assert_within):
    start = z = bimodal_draws(rng, 50_000)
    for _ in range(3):
        z, accept = hmc_step(bimodal, z, double(1.1), 3, rng=rng)
    assert 0.3 < accept.mean() < 0.9
    cross = ((z > 0) != (start > 0)).double().mean()
    assert cross > 0.1
    below = sum(
        share * stats.norm.cdf(EDGES, centre, width)
        for share, centre, width in zip(SHARES, CENTRES, WIDTHS, strict=True)
    )
    p = np.diff(below)
    found = np.histogram(z.numpy(), EDGES)[0] / len(z)
    assert_within(found, p, np.sqrt(p * (1 - p) / len(z)))
    mean = np.dot(SHARES, CENTRES)
    second = np.dot(SHARES, np.square(CENTRES) + np.square(WIDTHS))
    assert_within(z.mean(), mean, stats.sem(z.numpy())[0])
    assert_within(z.square().mean(), second, stats.sem(z.square().numpy())[0])


@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_as_many_go_from_one_bin_to_another_as_come_back(rng):
    """Detailed balance: more than that the density stays, and anneal_back needs it."""
    start = bimodal_draws(rng, 50_000)
    z = hmc_step(bimodal, start, double(1.1), 3, rng=rng).z
    bins = [np.digitize(v[:, 0].numpy(), EDGES[1:-1]) for v in (start, z)]
    flow = np.zeros((11, 11))
    np.add.at(flow, tuple(bins), 1)
    assert (flow > 0).mean() > 0.5
    assert (np.abs(flow - flow.T) <= 5 * np.sqrt(flow + flow.T)).all()
    total = ((flow - flow.T) ** 2 / np.maximum(flow + flow.T, 1))[np.triu_indices(11)]
    pairs = (flow + flow.T > 0)[np.triu_indices(11, 1)].sum()
    assert total.sum() < pairs + 5 * math.sqrt(2 * pairs)


@pytest.mark.parametrize("wrong", [math.nan, -math.inf])
def test_place_without_a_density_is_never_accepted(rng, wrong):
    """Not to the right of 0; chains that stay to the left move on."""

    def broken(z):
        log_p = standard_normal(z)
        return torch.where(z[..., 0] > 0, log_p + wrong, log_p)

    z = -draw(rng, 500, 1).abs()
    for _ in range(3):
        after = hmc_step(broken, z, double(0.9), 3, rng=rng)
        assert (after.z <= 0).all()
        assert after.accept.isfinite().all()
        nowhere = after.accept == 0
        assert 0.05 < nowhere.double().mean() < 0.95
        assert torch.equal(after.z[nowhere], z[nowhere])
        assert not torch.equal(after.z, z)
        z = after.z


def test_chain_that_starts_nowhere_takes_the_first_place_that_is(rng):
    def broken(z):
        return torch.where(z[..., 0] < -3, -math.inf, standard_normal(z))

    found = hmc_step(broken, double([[-3.01]]), double(1.0), 1, rng=rng)
    momentum = draw(torch.Generator().manual_seed(0), 1, 1)
    assert momentum.item() > 0.01
    assert found.accept.item() == 1
    assert found.z.item() == pytest.approx(-3.01 + momentum.item(), rel=1e-12)


def test_small_steps_are_always_accepted_and_huge_ones_never(rng):
    z = draw(rng, 100, 2)
    assert hmc_step(tilted, z, double(1e-4), rng=rng).accept.min() > 0.999
    assert hmc_step(tilted, z, double(50.0), rng=rng).accept.max() < 1e-3


def test_chains_find_the_density_from_far_away(rng, assert_within):
    z = torch.full((4000, 2), 8.0).double()
    for _ in range(60):
        z = hmc_step(tilted, z, double(0.4), rng=rng).z
    assert_within(z.mean(0), [0, 0], stats.sem(z.numpy()))
    products = (z[:, :, None] * z[:, None, :]).numpy()
    assert_within(products.mean(0), COV, stats.sem(products))


def test_chains_start_where_they_were_put(rng):
    z = draw(rng, 50, 2)
    before = z.clone()
    hmc_step(tilted, z, double(0.5), rng=rng)
    assert torch.equal(z, before)


def test_one_step_size_does_for_all_chains(rng):
    z = draw(rng, 4, 3, 2)
    found = [
        hmc_step(uneven, z, step, rng=torch.Generator().manual_seed(2)).z
        for step in (0.3, double(0.3), double([0.3] * 3), torch.full((4, 3), 0.3))
    ]
    for other in found[1:3]:
        assert torch.equal(found[0], other)
    np.testing.assert_allclose(found[0], found[3], rtol=1e-6)


def test_single_precision_chains_stay_so(rng):
    found = hmc_step(standard_normal, torch.zeros(3, 2), 0.3, rng=rng)
    assert found.z.dtype == found.accept.dtype == torch.float32


@pytest.mark.parametrize("step", [0.0, -0.1, math.nan, math.inf])
def test_step_that_is_none_is_refused(rng, step):
    with pytest.raises(ValueError, match="step must be above 0 and finite; received"):
        hmc_step(standard_normal, draw(rng, 2, 1), double([0.1, step]), rng=rng)


def test_transition_without_motion_is_refused(rng):
    with pytest.raises(ValueError, match="num_steps must be at least 1; received 0"):
        hmc_step(standard_normal, draw(rng, 2, 1), double(0.1), 0, rng=rng)


# The step size


def test_step_grows_where_more_is_accepted_than_aimed_for():
    step, accept = double([0.3, 0.3, 0.3]), double([[1.0, 0.65, 0.1]]).expand(4, 3)
    found = adapted(step, accept)
    assert found[0] > 0.3 > found[2]
    assert found[1].item() == pytest.approx(0.3, rel=1e-12)


def test_step_changes_by_the_mean_of_its_images_chains(rng):
    step = double([0.1, 0.2, 0.4])
    accept = torch.rand(5, 3, generator=rng, dtype=torch.float64)
    for rate, own in ((0.1, ()), (0.7, (0.7,))):
        expected = np.log(step.numpy()) + rate * (accept.numpy().mean(0) - 0.65)
        found = adapted(step, accept, *own).log()
        np.testing.assert_allclose(found, expected, rtol=1e-10)


# R-hat


def r_hat_by_numpy(draws):
    """The formula, chain by chain, of one quantity (T, S)."""
    half = len(draws) // 2
    chains = [part for c in draws.T for part in (c[:half], c[len(c) - half :])]
    w = np.mean([np.var(c, ddof=1) for c in chains])
    b = half * np.var([np.mean(c) for c in chains], ddof=1)
    return np.sqrt(((half - 1) / half * w + b / half) / w)


@pytest.mark.equation(
    "eq-evaluation-r-hat",
    against="numpy, chain by chain from the formula",
    body="6eab0fa1",
)
@pytest.mark.parametrize("num_states", [4, 5, 30, 101])
def test_r_hat_is_numpys(rng, num_states):
    draws = draw(rng, num_states, 3, 2, 4) + 0.5 * draw(rng, 3, 2, 4)
    found = split_r_hat(draws)
    assert found.shape == (2, 4)
    for n in range(2):
        for k in range(4):
            expected = r_hat_by_numpy(draws[:, :, n, k].numpy())
            assert found[n, k].item() == pytest.approx(expected, rel=1e-10)


@pytest.mark.equation(
    "eq-evaluation-r-hat",
    against="fractions, of two halves that are 0, 2 and 4, 6",
    body="6eab0fa1",
)
def test_r_hat_of_four_numbers():
    """W = 2, B = 2 * 8 = 16: (1/2 * 2 + 1/2 * 16) / 2 = 9/2."""
    found = split_r_hat(double([[0.0], [2.0], [4.0], [6.0]]))
    assert found.item() == pytest.approx(math.sqrt(4.5), rel=1e-12)


@pytest.mark.equation(
    "eq-evaluation-r-hat", against="its value for independent draws, 1", body="6eab0fa1"
)
@pytest.mark.parametrize("rng", range(3), indirect=True)
def test_r_hat_of_independent_draws_is_one(rng):
    """R^2 - 1 is (F - 1)/T, F a ratio of variances with 15 degrees above."""
    draws = draw(rng, 2000, 8, 50)
    f = 1 + 1000 * (split_r_hat(draws).square() - 1)
    assert f.mean().item() == pytest.approx(1, abs=5 * math.sqrt(2 / 15 / 50))
    assert split_r_hat(draws).max() < 1.01


def test_r_hat_of_chains_at_different_places_is_far_above_one(rng):
    apart = draw(rng, 1000, 4) + double([0.0, 0.0, 0.0, 4.0])
    assert split_r_hat(apart) > 1.5


def test_r_hat_sees_that_a_chain_drifts(rng):
    """Four that drift alike, whose means agree and halves do not; and one alone."""
    drift = torch.linspace(-2, 2, 1000, dtype=torch.float64)[:, None]
    together = draw(rng, 1000, 4) + drift
    assert together.mean(0).var() < 0.01
    assert split_r_hat(together) > 1.2
    assert split_r_hat(together[:, :1]) > 1.2


def test_state_in_the_middle_of_an_odd_number_is_left_out(rng):
    draws = draw(rng, 9, 2)
    other = draws.clone()
    other[4] = 1e6
    assert torch.equal(split_r_hat(draws), split_r_hat(other))


@settings(deadline=None)
@given(st.floats(-100, 100), st.floats(0.01, 100))
def test_r_hat_does_not_depend_on_unit_or_origin(shift, scale):
    draws = draw(torch.Generator().manual_seed(1), 20, 3)
    expected = split_r_hat(draws).item()
    found = split_r_hat(shift + scale * draws).item()
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("draws", "message"),
    [
        (torch.zeros(9), r"draws must be of shape \(any, any\); received \(9,\)"),
        (torch.zeros(3, 2), "the number of states must be at least 4; received 3"),
    ],
)
def test_draws_without_an_r_hat_are_refused(draws, message):
    with pytest.raises(ValueError, match=message):
        split_r_hat(draws)


def test_chains_that_never_moved_have_no_finite_r_hat():
    draws = torch.zeros(8, 2, 2, dtype=torch.float64)
    draws[:, :, 1] = torch.randn(8, 2, generator=torch.Generator().manual_seed(0))
    found = split_r_hat(draws)
    assert found[0] == torch.inf and found[1].isfinite()
