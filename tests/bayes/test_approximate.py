"""The grid and Laplace's Gaussian: closed forms, scipy's optimiser, bad starts."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats
from sklearn.linear_model import LogisticRegression
from torch.nn.functional import logsigmoid

from vaebook.bayes import LinearGaussian, grid_posterior, laplace, standard_gaussian

pytestmark = pytest.mark.usefixtures("one_thread")


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def draw(rng, *shape):
    return torch.randn(*shape, generator=rng, dtype=torch.float64)


def line(low, high, number):
    return torch.linspace(low, high, number, dtype=torch.float64)


@pytest.fixture
def fixed(linear_gaussian):
    """The model of the fixture, and its log-joint at each row of data."""
    truth = linear_gaussian
    var = torch.full((5,), truth.sigma**2, dtype=torch.float64)
    model = LinearGaussian(standard_gaussian(2), truth.W, truth.b, var)
    return [lambda z, x=x: model.log_joint(x, z) for x in truth.x]


def seen_two(z):
    """z ~ N(0, 1), x | z ~ N(z, 1), x = 2; unnormalised by nothing."""
    return -math.log(2 * math.pi) - (z**2 + (2 - z) ** 2).sum(-1) / 2


# Grid


@pytest.mark.equation(
    "eq-bayes-grid", against="scipy's log N(2; 0, 2)", body="37234124"
)
def test_grid_of_one_latent():
    found = grid_posterior(seen_two, [line(-9, 11, 120)])
    expected = stats.norm.logpdf(2, 0, 2**0.5)
    assert found.log_evidence.item() == pytest.approx(expected, rel=1e-12)
    assert found.log_evidence.item() == pytest.approx(-2.2655121235, abs=5e-11)
    assert found.points.shape == (120, 1) and found.log_prob.shape == (120,)
    assert found.cell == pytest.approx(20 / 119, rel=1e-12)
    density = stats.norm.logpdf(found.points[:, 0], 1, 0.5**0.5)
    np.testing.assert_allclose(found.log_prob, density, rtol=1e-10, atol=1e-10)


@pytest.mark.equation(
    "eq-bayes-grid",
    against="evidence and posterior of the fixture, numpy and scipy",
    body="37234124",
)
def test_grid_of_two_latents_is_the_linear_gaussian_truth(fixed, linear_gaussian):
    """Axes of other lengths and other spacings."""
    truth = linear_gaussian
    half = 8 * truth.posterior_cov.diagonal().sqrt()
    for log_joint, mu, expected in zip(
        fixed, truth.posterior_mu, truth.log_evidence, strict=True
    ):
        axes = [
            line(*(mu[d] + half[d] * double([-1, 1])).tolist(), n)
            for d, n in enumerate((80, 101))
        ]
        found = grid_posterior(log_joint, axes)
        assert found.points.shape == (80 * 101, 2)
        assert found.log_evidence.item() == pytest.approx(expected.item(), rel=1e-10)
        np.testing.assert_allclose(found.mean(found.points), mu, rtol=1e-9)
        off = found.points - mu
        cov = found.mean(off[:, :, None] * off[:, None, :])
        np.testing.assert_allclose(cov, truth.posterior_cov, rtol=1e-8)


def test_grid_of_three_latents():
    """The points are the product of the axes, the cell the product of the spacings."""
    axes = [line(-7, 7, n) for n in (30, 34, 38)]
    scale = double([1.0, 0.8, 1.2])
    found = grid_posterior(lambda z: -((z / scale) ** 2).sum(-1) / 2, axes)
    expected = 1.5 * math.log(2 * math.pi) + scale.log().sum().item()
    assert found.log_evidence.item() == pytest.approx(expected, rel=1e-9)
    assert found.points.shape == (30 * 34 * 38, 3)
    squares = found.mean(found.points.square())
    np.testing.assert_allclose(squares, scale.square(), rtol=1e-7)


def coin_joint(p):
    """Four ones and a zero, a flat prior on the probability."""
    return (4 * p.log() + (1 - p).log()).sum(-1)


def midpoints(number):
    return (torch.arange(number).double() + 0.5) / number


def test_error_of_the_midpoint_rule_falls_with_the_square_of_the_spacing():
    exact = special.beta(5, 2)
    errors = [
        grid_posterior(coin_joint, [midpoints(n)]).log_evidence.exp().item() - exact
        for n in (50, 100, 200)
    ]
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 4, rtol=1e-3)
    assert abs(errors[-1]) < 1e-5


def test_expectations_on_a_grid():
    """A number, a truth, a vector, a matrix for each point."""
    found = grid_posterior(coin_joint, [midpoints(4000)])
    p = found.points[:, 0]
    assert (found.log_prob.exp().sum() * found.cell).item() == pytest.approx(1)
    assert found.mean(p).item() == pytest.approx(5 / 7, abs=1e-6)
    above = stats.beta.sf(0.5, 5, 2)
    assert found.mean(p > 0.5).item() == pytest.approx(above, abs=1e-6)
    assert found.mean((p > 0.5).int()).item() == pytest.approx(above, abs=1e-6)
    both = found.mean(torch.stack([p, p**2], 1))
    np.testing.assert_allclose(both, [5 / 7, 5 * 6 / (7 * 8)], atol=1e-6)
    assert found.mean(p[:, None, None].expand(-1, 2, 3)).shape == (2, 3)


@pytest.mark.parametrize("shift", [-1e5, 1e5])
def test_grid_stays_in_logs(shift):
    found = grid_posterior(lambda z: seen_two(z) + shift, [line(-9, 11, 120)])
    assert found.log_evidence.item() == pytest.approx(-2.2655121235 + shift, rel=1e-12)
    assert found.mean(found.points).item() == pytest.approx(1, rel=1e-9)


def test_grid_may_have_impossible_points():
    """A half line: the other half has no density, and takes no part."""
    found = grid_posterior(
        lambda z: torch.where(z > 0, -z, -math.inf)[:, 0], [line(-39.995, 40.005, 8001)]
    )
    assert found.log_evidence.item() == pytest.approx(0, abs=1e-5)
    assert found.mean(found.points).item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ([], "number of axes must be at least 1; received 0"),
        ([double([1.0])], "points of an axis must be at least 2; received 1"),
        ([double([])], "points of an axis must be at least 2; received 0"),
        ([line(0, 1, 5), double([[0, 1]])], r"axis .*\(any\); received \(1, 2\)"),
        ([double([0.0, 1.0, 3.0])], "equal steps; received steps from 1 to 2"),
        ([double([0.0, 0.0])], "rise in equal steps; received steps from 0 to 0"),
        ([line(1, 0, 5)], "rise in equal steps; received steps from -0.25"),
        ([double([0.0, math.nan, 2.0])], "rise in equal steps; .*nan"),
        ([torch.arange(5)], r"axis must be of a float type; .*int64: axis.double\(\)"),
    ],
)
def test_axes_that_are_none_are_named(axes, message):
    with pytest.raises(ValueError, match=message):
        grid_posterior(seen_two, axes)


@pytest.mark.parametrize(
    ("log_joint", "message"),
    [
        (lambda z: z, r"log_joint\(points\) must be of shape \(5\); received \(5, 1\)"),
        (lambda z: z.sum(), r"log_joint\(points\) must be of shape \(5\); received \("),
        (lambda z: z[:, 0] * math.nan, "log_joint must be finite .*received .* nan"),
        (lambda z: z[:, 0] - math.inf, "log_joint must be finite .*received .* -inf"),
        (lambda z: z[:, 0] + math.inf, "log_joint must be finite .*received .* inf"),
    ],
)
def test_a_log_joint_that_is_none_is_named(log_joint, message):
    with pytest.raises(ValueError, match=message):
        grid_posterior(log_joint, [line(0, 1, 5)])


def test_expectations_need_a_value_for_each_point():
    found = grid_posterior(seen_two, [line(-5, 5, 7)])
    for values in (torch.ones(6), torch.ones(1, 7), torch.ones(())):
        with pytest.raises(ValueError, match=r"values .*G = 7; received \("):
            found.mean(values)


# Laplace


@pytest.mark.equation(
    "eq-bayes-laplace",
    against="evidence and posterior of the fixture, numpy and scipy",
    body="b2d4daa3",
)
def test_laplace_is_exact_for_the_linear_gaussian_truth(fixed, linear_gaussian):
    truth = linear_gaussian
    for n, log_joint in enumerate(fixed):
        found = laplace(log_joint, double([4.0, -9.0]))
        mu, cov = found.gaussian
        np.testing.assert_allclose(mu, truth.posterior_mu[n], rtol=1e-10)
        np.testing.assert_allclose(cov, truth.posterior_cov, rtol=1e-10)
        expected = truth.log_evidence[n].item()
        assert found.log_evidence.item() == pytest.approx(expected, rel=1e-10)


def test_laplace_of_two():
    found = laplace(seen_two, double([0.0]))
    assert found.log_evidence.item() == pytest.approx(-2.2655121235, abs=5e-11)
    assert found.log_evidence.shape == () and not found.log_evidence.requires_grad
    kept = laplace(lambda z: seen_two(z[None]), double([0.0]).requires_grad_())
    assert torch.equal(kept.log_evidence, found.log_evidence)  # one number, (1,)
    assert not kept.gaussian.mu.requires_grad


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5), st.floats(-20, 20))
def test_laplace_is_exact_for_gaussians(seed, dim, log_height):
    rng = torch.Generator().manual_seed(seed)
    root, mu = draw(rng, dim, dim), 3 * draw(rng, dim)
    precision = root @ root.T + 0.2 * torch.eye(dim).double()

    def log_joint(z):
        return log_height - 0.5 * ((z - mu) @ precision * (z - mu)).sum(-1)

    found = laplace(log_joint, 10 * draw(rng, dim))
    log_det = np.linalg.slogdet(precision.numpy())[1]
    expected = log_height + 0.5 * (dim * math.log(2 * math.pi) - log_det)
    assert found.log_evidence.item() == pytest.approx(expected, rel=1e-10, abs=1e-10)
    np.testing.assert_allclose(found.gaussian.mu, mu, rtol=1e-9, atol=1e-9)
    cov = np.linalg.inv(precision.numpy())
    np.testing.assert_allclose(found.gaussian.cov, cov, rtol=1e-8, atol=1e-10)


TAU = 1.5


@pytest.fixture(scope="module")
def labelled():
    """Sixty points of three inputs, and labels 0 or 1."""
    rng = torch.Generator().manual_seed(0)
    inputs = draw(rng, 60, 3)
    chances = torch.sigmoid(inputs @ double([1.0, -2.0, 0.5]))
    return inputs, torch.bernoulli(chances, generator=rng)


def logistic(data):
    """Log-joint of the weights of a logistic regression, each N(0, TAU^2)."""
    inputs, y = data
    signed = inputs * (2 * y - 1)[:, None]

    def log_joint(w):
        log_prior = -w.square().sum() / (2 * TAU**2)
        log_prior = log_prior - 1.5 * math.log(2 * math.pi * TAU**2)
        return logsigmoid(signed @ w).sum() + log_prior

    return log_joint


@pytest.mark.equation(
    "eq-bayes-laplace",
    against="scipy's minimiser and a Hessian by differences",
    body="b2d4daa3",
)
def test_laplace_of_a_logistic_regression(labelled):
    signed = (labelled[0] * (2 * labelled[1] - 1)[:, None]).numpy()

    def loss(w):
        log_prior = stats.norm.logpdf(w, 0, TAU).sum()
        return -special.log_expit(signed @ w).sum() - log_prior

    def slope(w):
        return w / TAU**2 - signed.T @ special.expit(-signed @ w)

    best = optimize.minimize(loss, np.zeros(3), jac=slope, tol=1e-12, method="BFGS")
    curvature = optimize.approx_fprime(best.x, slope, 1e-7)
    expected = -best.fun + 1.5 * np.log(2 * np.pi)
    expected -= 0.5 * np.linalg.slogdet(curvature)[1]
    found = laplace(logistic(labelled), torch.zeros(3).double())
    np.testing.assert_allclose(found.gaussian.mu, best.x, atol=1e-6)
    np.testing.assert_allclose(found.gaussian.cov, np.linalg.inv(curvature), rtol=1e-5)
    assert found.log_evidence.item() == pytest.approx(expected, rel=1e-7)
    np.testing.assert_allclose(slope(found.gaussian.mu.numpy()), 0, atol=1e-12)


def test_mode_of_a_logistic_regression_is_scikit_learns(labelled):
    oracle = LogisticRegression(C=TAU**2, fit_intercept=False, tol=1e-10)
    oracle.fit(labelled[0].numpy(), labelled[1].numpy())
    found = laplace(logistic(labelled), torch.zeros(3).double()).gaussian.mu
    np.testing.assert_allclose(found, oracle.coef_[0], rtol=1e-5)


def logit_joint(a, b):
    """Unnormalised density of the logit of a Beta(a, b) probability."""
    return lambda eta: (a * logsigmoid(eta) + b * logsigmoid(-eta)).sum(-1)


@pytest.mark.equation(
    "eq-bayes-laplace",
    against="the Beta's mode and curvature in the logit, by hand",
    body="b2d4daa3",
)
@pytest.mark.parametrize(("a", "b"), [(1, 1), (0.3, 0.7), (40, 3), (4e6, 3e6)])
@pytest.mark.parametrize("start", [0.0, 9.0, -60.0, 1e3])
def test_laplace_of_a_coin_in_the_logit(a, b, start):
    """The curvature is (a + b) p (1 - p), at p = a / (a + b); from any start."""
    found = laplace(logit_joint(a, b), double([start]))
    curvature = a * b / (a + b)
    assert found.gaussian.mu.item() == pytest.approx(math.log(a / b), abs=1e-10)
    assert found.gaussian.cov.item() == pytest.approx(1 / curvature, rel=1e-9)
    height = special.xlogy(a, a / (a + b)) + special.xlogy(b, b / (a + b))
    expected = height + 0.5 * math.log(2 * math.pi / curvature)
    assert found.log_evidence.item() == pytest.approx(expected, rel=1e-10)


@pytest.mark.equation(
    "eq-bayes-laplace",
    against="scipy's log B(a, b): the error is of order 1/N",
    body="b2d4daa3",
)
def test_error_of_laplace_is_of_order_one_over_n():
    """Stirling's next term: N times the error tends to (1/s + 1/t - 1) / 12."""
    share, other = 0.3, 0.7
    limit = (1 / share + 1 / other - 1) / 12
    numbers, errors = (10, 100, 1000, 10_000), []
    for number in numbers:
        a, b = share * number, other * number
        found = laplace(logit_joint(a, b), double([0.0])).log_evidence.item()
        errors.append(special.betaln(a, b) - found)
    np.testing.assert_allclose(np.multiply(errors, numbers)[1:], limit, rtol=1e-3)
    assert errors[0] * 10 == pytest.approx(limit, rel=0.05)


def test_a_narrow_valley_ends_newton_above_rounding():
    """Where gradients cancel, the last step is never as small as a rounding error."""

    def log_joint(z):
        across, along = z[..., 0] - z[..., 1] - 0.3, z.sum(-1) - 3.1
        return -0.5 * (1e4 * across.square() + along.square())

    found = laplace(log_joint, double([-7.7, 9.1])).gaussian
    np.testing.assert_allclose(found.mu, [1.7, 1.4], atol=1e-9)


def test_laplace_leaves_no_graph_of_the_models_parameters():
    precision = double(4.0).requires_grad_()
    found = laplace(lambda z: -0.5 * precision * z.square().sum(), double([1.0]))
    tensors = (*found.gaussian, found.log_evidence)
    assert not any(v.requires_grad for v in tensors)
    assert found.log_evidence.item() == pytest.approx(math.log(math.pi / 2) / 2)


def robust(z):
    """A wide prior and one observation at 5 with Cauchy noise: not log-concave."""
    return (-z.square() / 200 - (1 + (z - 5).square()).log()).sum(-1)


@pytest.mark.parametrize("start", [-40.0, 1.0, 4.4, 5.6, 9.0, 400.0])
def test_newton_climbs_where_the_curvature_points_up(start):
    best = optimize.minimize_scalar(
        lambda z: -robust(double([z])).item(), (4, 5.5), tol=1e-12
    )
    found = laplace(robust, double([start])).gaussian
    z = best.x
    assert found.mu.item() == pytest.approx(z, abs=1e-6)
    u = (z - 5) ** 2
    curvature = 1 / 100 + 2 * (1 - u) / (1 + u) ** 2
    assert found.cov.item() == pytest.approx(1 / curvature, rel=1e-5)


def banana(z):
    first, second = z[..., 0], z[..., 1]
    return -0.5 * (first.square() + 100 * (second - first.square() + 1).square())


@pytest.mark.parametrize("start", [[0, 0], [5, -20], [-8, 60], [0.1, 30.0]])
def test_a_bent_ridge_is_followed_to_its_top(start):
    found = laplace(banana, double(start))
    np.testing.assert_allclose(found.gaussian.mu, [0, -1], atol=1e-9)
    np.testing.assert_allclose(found.gaussian.cov, [[1, 0], [0, 0.01]], atol=1e-9)
    expected = math.log(2 * math.pi) + math.log(0.1)
    assert found.log_evidence.item() == pytest.approx(expected, rel=1e-10)


def two_peaks(z):
    """Half of N(-4, 1) and half of N(4, 1)."""
    at = double([-4.0, 4.0])
    normal = -0.5 * (math.log(2 * math.pi) + (z - at).square())
    return torch.logsumexp(normal + math.log(0.5), -1)


@pytest.mark.parametrize("start", [-7.0, -0.1, 0.3, 6.0])
def test_of_two_peaks_one_is_seen(start):
    found = laplace(two_peaks, double([start]))
    assert found.gaussian.mu.item() == pytest.approx(math.copysign(4, start), abs=1e-5)
    assert found.log_evidence.item() == pytest.approx(math.log(0.5), abs=1e-5)


def test_a_start_between_two_peaks_is_no_maximum():
    with pytest.raises(ValueError, match="curvature at the mode must be positive def"):
        laplace(two_peaks, double([0.0]))


def test_laplace_in_single_precision():
    found = laplace(logit_joint(30.0, 70.0), torch.tensor([5.0]))
    assert found.gaussian.mu.dtype == found.log_evidence.dtype == torch.float32
    assert found.gaussian.mu.item() == pytest.approx(math.log(3 / 7), abs=1e-5)
    assert found.gaussian.cov.item() == pytest.approx(1 / 21, rel=1e-4)


@pytest.mark.parametrize("height", [-1e6, 1e6])
def test_rounding_of_a_large_log_joint_does_not_stop_newton(height):
    joint = logit_joint(3.0, 7.0)
    found = laplace(lambda eta: joint(eta) + height, double([2.0]))
    assert found.gaussian.mu.item() == pytest.approx(math.log(3 / 7), abs=1e-6)
    assert found.gaussian.cov.item() == pytest.approx(1 / 2.1, rel=1e-6)


@pytest.mark.parametrize(
    "log_joint",
    [
        lambda z: z.sum(),
        lambda z: -torch.exp(-z).sum(),
        lambda z: z.square().sum() / 2 + z.sum(),
        lambda z: logsigmoid(z).sum(),
        lambda z: -5e11 * (z[0] + z[1] - 1).square() + z[0] - z[1],
    ],
    ids=["linear", "levels off", "bowl", "separable", "a ridge that rises"],
)
def test_a_log_joint_without_a_maximum_is_refused(log_joint):
    with pytest.raises(ValueError, match=r"no maximum in 100 steps; received start t"):
        laplace(log_joint, double([0.3, -0.7]))


def test_number_of_newton_steps_is_bounded():
    with pytest.raises(ValueError, match="no maximum in 2 steps"):
        laplace(banana, double([5.0, -20.0]), max_steps=2)
    found = laplace(seen_two, double([0.0]), max_steps=2).gaussian.mu
    assert found.item() == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize(
    ("log_joint", "start", "message"),
    [
        (seen_two, double([[1.0]]), r"start must be of shape \(any\); .*\(1, 1\)"),
        (seen_two, double(1.0), r"start must be of shape \(any\); received \(\)"),
        (seen_two, torch.ones(1).long(), r"start must be of a float type; .*int64"),
        (seen_two, double([math.nan]), r"log_joint\(start\) must be finite; .*nan"),
        (lambda z: z.log().sum() - z.sum(), double([-1.0]), r"must be finite; .*-1"),
    ],
)
def test_starts_that_are_none_are_named(log_joint, start, message):
    with pytest.raises(ValueError, match=message):
        laplace(log_joint, start)
