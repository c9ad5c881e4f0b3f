"""Conjugate families against torch.distributions, scipy and quadrature."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.special import betaln, digamma
from torch import distributions
from torch.distributions import Dirichlet, Wishart, kl_divergence

from vaebook.em import InverseWishart
from vaebook.map_estimation import Beta
from vaebook.variational import (
    beta_kl,
    dirichlet_kl,
    expected_log_det,
    expected_log_weights,
    inverse_wishart_kl,
)

pytestmark = pytest.mark.usefixtures("one_thread")
COUNTS = st.floats(0.05, 50)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def of(*numbers):
    return Beta(*map(double, numbers))


def random_widths(num, dim, seed):
    noise = np.random.default_rng(seed)
    root = noise.normal(size=(num, dim, dim))
    return torch.from_numpy(root @ root.transpose(0, 2, 1) + 0.3 * np.eye(dim))


# Beta


@pytest.mark.equation(
    "eq-variational-beta-kl",
    against="torch.distributions.kl_divergence",
    body="65e1a402",
)
@settings(deadline=None, max_examples=50)
@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_beta_kl_is_torchs(a, b, c, d):
    found = beta_kl(of(a, b), of(c, d)).item()
    expected = kl_divergence(
        distributions.Beta(*of(a, b)), distributions.Beta(*of(c, d))
    )
    assert found == pytest.approx(expected.item(), rel=1e-10, abs=1e-10)


@pytest.mark.equation(
    "eq-variational-beta-kl", against="scipy quadrature of q log(q/p)", body="65e1a402"
)
def test_beta_kl_is_the_integral():
    q, p = stats.beta(2.5, 4), stats.beta(1.5, 3)
    expected = integrate.quad(lambda v: q.pdf(v) * (q.logpdf(v) - p.logpdf(v)), 0, 1)[0]
    assert beta_kl(of(2.5, 4.0), of(1.5, 3.0)).item() == pytest.approx(
        expected, rel=1e-9
    )


@pytest.mark.equation(
    "eq-variational-kl", against="its sign; zero at equality", body="86036db7"
)
@settings(deadline=None, max_examples=50)
@given(COUNTS, COUNTS, st.floats(1.01, 3))
def test_beta_kl_is_positive_unless_both_are_equal(a, b, ratio):
    assert abs(beta_kl(of(a, b), of(a, b)).item()) < 1e-12 * (1 + a + b)
    assert beta_kl(of(a, b), of(ratio * a, b)) > 0
    assert beta_kl(of(a, b), of(a, b / ratio)) > 0


def test_beta_kl_takes_plain_numbers_exactly_and_works_elementwise():
    """0.3 must not be rounded to single precision on its way."""
    q = of([[1.3, 2.0], [0.5, 7.0]], [[4.0, 0.2], [0.5, 3.0]])
    found = beta_kl(q, Beta(0.3, 0.7))
    p = distributions.Beta(*of(0.3, 0.7))
    expected = kl_divergence(distributions.Beta(*q), p)
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert beta_kl(Beta(0.3, 0.7), Beta(0.3, 0.7)).abs() < 1e-15
    found = Beta(0.3, 0.7).log_normalizer().item()
    assert found == pytest.approx(betaln(0.3, 0.7), rel=1e-14)


@pytest.mark.parametrize("small", [1e-6, 1e-3])
def test_extreme_counts_stay_finite(small):
    ends = of(small, 1e6), of(1e6, small), of(small, small), of(1e6, 1e6)
    for q in ends:
        for p in ends:
            kl = beta_kl(q, p)
            assert kl.isfinite() and kl > -1e-6
    shares = double([small, 1.0, 1e8])
    assert expected_log_weights(shares).isfinite().all()
    assert dirichlet_kl(shares, small).isfinite()
    assert dirichlet_kl(shares, 1e6).isfinite()


@pytest.mark.equation(
    "eq-variational-identity",
    against="scipy's betaln and digamma, for a coin of unknown probability",
    body="e5a71446",
)
@settings(deadline=None, max_examples=50)
@given(COUNTS, COUNTS, COUNTS, COUNTS, st.integers(0, 9), st.integers(0, 9))
def test_elbo_of_a_coin_and_its_gap_make_the_evidence(a, b, c, d, ones, zeros):
    prior, q = of(a, b), of(c, d)
    log_lik = ones * (digamma(c) - digamma(c + d)) + zeros * (
        digamma(d) - digamma(c + d)
    )
    bound = log_lik - beta_kl(q, prior).item()
    gap = beta_kl(q, prior.posterior(double(ones), double(zeros))).item()
    evidence = betaln(a + ones, b + zeros) - betaln(a, b)
    assert bound + gap == pytest.approx(evidence, rel=1e-9, abs=1e-9)
    assert bound <= evidence + 1e-9


# Dirichlet


@pytest.mark.equation(
    "eq-variational-expected-log",
    against="scipy quadrature under each marginal Beta",
    body="1dcd5fa6",
)
def test_expected_log_weights_are_integrals():
    concentration = [1.5, 2.0, 4.5]
    found = expected_log_weights(double(concentration))
    for alpha, value in zip(concentration, found, strict=True):
        law = stats.beta(alpha, sum(concentration) - alpha)
        expected = integrate.quad(lambda v, f=law.pdf: f(v) * math.log(v), 0, 1)[0]
        assert value.item() == pytest.approx(expected, rel=1e-8)


@settings(deadline=None, max_examples=50)
@given(st.lists(COUNTS, min_size=1, max_size=5), COUNTS)
def test_dirichlet_kl_is_torchs(concentration, prior):
    found = dirichlet_kl(double(concentration), prior).item()
    both = double(concentration), double([prior] * len(concentration))
    if len(concentration) == 1:  # the only distribution on one value
        expected = 0.0
    else:
        expected = kl_divergence(*map(Dirichlet, both)).item()
    assert found == pytest.approx(expected, rel=1e-10, abs=1e-10)
    assert found > -1e-12 * (1 + sum(concentration))


def test_dirichlet_kl_vanishes_at_the_prior_and_takes_it_exactly():
    assert dirichlet_kl(double([0.3] * 4), 0.3).abs() < 1e-14
    assert dirichlet_kl(double([0.3, 0.3, 0.3, 0.31]), 0.3) > 0


# Wishart


@pytest.mark.parametrize("dim", [1, 2, 4])
def test_expected_log_det_is_a_sum_of_chi_squares(dim):
    """Bartlett: the determinant is a product of independent chi-squares."""
    dof = double([dim + 0.5, dim + 7.0])
    t = np.linspace(-60, 6, 6601)  # log of a chi-square
    for nu, value in zip(dof.tolist(), expected_log_det(dof, dim), strict=True):
        laws = stats.chi2(nu - np.arange(dim)[:, None])
        expected = 0.01 * (laws.pdf(np.exp(t)) * np.exp(t) * t).sum()
        assert value.item() == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("dim", [1, 2, 4])
def test_inverse_wishart_kl_is_that_of_torchs_wisharts(dim):
    """Inverting both matrices does not change a divergence."""
    dof, scale = double([dim + 0.3, dim + 5.0, 40.0]), random_widths(3, dim, 1)
    prior = InverseWishart(dim + 1.5, random_widths(1, dim, 2)[0])
    p = Wishart(double(prior.dof), prior.scale.inverse())
    expected = [
        kl_divergence(Wishart(nu, psi.inverse()), p).item()
        for nu, psi in zip(dof, scale, strict=True)
    ]
    found = inverse_wishart_kl(dof, scale, prior)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_inverse_wishart_kl_is_the_integral_in_one_dimension():
    q, p = stats.invgamma(2.6, scale=1.7), stats.invgamma(1.7, scale=0.55)
    t = np.linspace(-9, 40, 4901)  # log of the variance
    v = np.exp(t)
    expected = 0.01 * (v * q.pdf(v) * (q.logpdf(v) - p.logpdf(v))).sum()
    prior = InverseWishart(3.4, double([[1.1]]))
    found = inverse_wishart_kl(double([5.2]), double([[[3.4]]]), prior)
    assert found.item() == pytest.approx(expected, rel=1e-10)


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), dim=st.integers(1, 4))
def test_inverse_wishart_kl_is_positive_unless_both_are_equal(seed, dim):
    scale = random_widths(2, dim, seed)
    dof = double([dim + 0.2, dim + 3.0])
    same = InverseWishart(dof[1].item(), scale[1])
    first, second = inverse_wishart_kl(dof, scale, same)
    assert first > 0
    assert second.abs() < 1e-9


# What is refused

EYE = torch.eye(2, dtype=torch.float64)
TWO = EYE.expand(3, 2, 2)
DOF = double([3.0, 4, 5])
GOOD = InverseWishart(3.0, EYE)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: beta_kl(of(0.0, 1.0), of(1.0, 1.0)), "q.a must be above 0 .* 0"),
        (lambda: beta_kl(of(1.0, -2.0), of(1.0, 1.0)), "q.b .* received -2"),
        (lambda: beta_kl(of(1.0, 1.0), of(math.nan, 1.0)), "p.a .* received nan"),
        (lambda: beta_kl(of(1.0, 1.0), Beta(1.0, math.inf)), "p.b .* received inf"),
        (lambda: expected_log_weights(double([1, 0])), "concentration .* received 0"),
        (lambda: expected_log_weights(TWO), r"concentration .*\(3, 2, 2\)"),
        (lambda: dirichlet_kl(double([1.0, 2]), 0.0), "prior .* received 0"),
        (lambda: dirichlet_kl(double([1.0, -2]), 1.0), "concentration .* -2"),
        (lambda: expected_log_det(DOF, 4), r"dof \+ 1 - D .* received 0"),
        (lambda: expected_log_det(double(3.0), 2), r"dof must be of shape \(any\)"),
        (lambda: inverse_wishart_kl(DOF - 2, TWO, GOOD), r"dof \+ 1 - D .* received 0"),
        (
            lambda: inverse_wishart_kl(DOF, -TWO, GOOD),
            "scale must be positive definite",
        ),
        (
            lambda: inverse_wishart_kl(DOF, TWO, InverseWishart(1.0, EYE)),
            r"prior.dof \+ 1 - D .* received 0",
        ),
        (
            lambda: inverse_wishart_kl(DOF, TWO, InverseWishart(3.0, -EYE)),
            "prior.scale must be positive definite",
        ),
        (
            lambda: inverse_wishart_kl(DOF, TWO, InverseWishart(5.0, torch.eye(3))),
            r"prior.scale must be of shape \(2, 2\); received \(3, 3\)",
        ),
        (
            lambda: inverse_wishart_kl(DOF[:2], TWO, GOOD),
            r"scale must be of shape \(2, any, any\); received \(3, 2, 2\)",
        ),
    ],
)
def test_parameters_that_are_none_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
