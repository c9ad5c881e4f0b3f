"""Exercises: right answers pass, wrong ones are told apart, nothing is ever raised."""

import copy
import itertools
import math
import pkgutil
import re
import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch
from scipy import integrate, linalg, optimize, special, stats
from sklearn.decomposition import PCA
from sklearn.linear_model import Lasso, LinearRegression, Ridge
from sklearn.naive_bayes import BernoulliNB
from torch.distributions import (
    Bernoulli,
    Beta,
    Categorical,
    Exponential,
    Independent,
    LogNormal,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    Poisson,
    SigmoidTransform,
    TransformedDistribution,
    kl_divergence,
)
from torch.nn.functional import (
    binary_cross_entropy_with_logits,
    cosine_similarity,
    hardshrink,
    kl_div,
    softplus,
    softshrink,
)

import vaebook.exercises as package
from vaebook import (
    autoencoder,
    bayes,
    em,
    linear_solvers,
    linear_vae,
    map_estimation,
    mean_field,
    monte_carlo,
    reparameterization,
    score_function,
    variational,
)
from vaebook.conjugate_kl import expected_log_weights
from vaebook.exercises import check, exercises, hint, solution_source
from vaebook.exercises.verdict import WIDTH
from vaebook.likelihood import FullGaussian, Gaussian, bernoulli_log_prob
from vaebook.mixtures import BernoulliMixture, GaussianMixture
from vaebook.monte_carlo import log_mean_exp
from vaebook.variational import gaussian_kl

EXERCISES = exercises()
MISTAKES = [(name, one) for name, e in EXERCISES.items() for one in e.mistakes]
each_exercise = pytest.mark.parametrize("name", EXERCISES)


@pytest.fixture
def said(capsys):
    """``said(name, answer)``: what check prints, line by line."""

    def printed(name, answer):
        assert check(name, answer) is None
        text, errors = capsys.readouterr()
        assert errors == ""
        return text.splitlines()

    return printed


def joined(lines):
    """The lines as one, so that a wrapped sentence can be found."""
    return re.sub(r"\s+", " ", " ".join(lines))


# The records


def test_names_are_chapter_and_number_in_order():
    by_chapter = {}
    for name, exercise in EXERCISES.items():
        assert exercise.name == name
        chapter, number = name.split(".")
        by_chapter.setdefault(chapter, []).append(int(number))
    first, second = ["likelihood", "map", "em"], ["bayes", "variational", "monte"]
    third = ["reparameterization", "linear", "autoencoder"]
    assert list(by_chapter) == [*first, *second, *third, "vae"]
    assert [len(numbers) for numbers in by_chapter.values()] == [6] * 7 + [5, 6, 5]
    for numbers in by_chapter.values():
        assert numbers == list(range(1, len(numbers) + 1))


def test_every_module_of_exercises_is_a_chapter_in_the_package():
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    listed = [chapter.__name__.split(".")[-1] for chapter in package.CHAPTERS]
    assert sorted([*listed, "verdict"]) == sorted(modules)


def fitted_log_lik(x):
    return float(stats.norm.logpdf(x, *stats.norm.fit(x)).mean())


def expit_log_prob(x, logits):
    lit, dark = (special.log_expit(np.asarray(sign * logits)) for sign in (1, -1))
    return torch.from_numpy(np.where(x == 1, lit, dark).sum(1))


def autograd_gradient(x, mu, log_sigma):
    at = torch.tensor([mu, log_sigma], dtype=torch.float64, requires_grad=True)
    Normal(at[0], at[1].exp()).log_prob(x).mean().backward()
    return at.grad


def curvature_error(ones, zeros):
    def log_lik(logit):
        lit, dark = Bernoulli(logits=logit).log_prob(torch.eye(2).double()[:, 0])
        return ones * lit + zeros * dark

    at = torch.tensor(ones / zeros).double().log()
    return (-torch.autograd.functional.hessian(log_lik, at)).item() ** -0.5


def peak(density, low, high):
    """Where a density is largest: the zero of its autograd score."""

    def score(at):
        at = torch.tensor(at, dtype=torch.float64, requires_grad=True)
        return torch.autograd.grad(density.log_prob(at), at)[0].item()

    return optimize.brentq(score, low, high, xtol=1e-13)


def beta(a, b):
    return Beta(torch.as_tensor(a).double(), torch.as_tensor(b).double())


def beta_peak(ones, zeros, a, b):
    return peak(beta(ones + a, zeros + b), 1e-9, 1 - 1e-9)


def logit_peaks(ones, zeros):
    logit = SigmoidTransform().inv
    laws = (beta(a + 1, b + 1) for a, b in zip(ones, zeros, strict=True))
    peaks = [peak(TransformedDistribution(law, logit), -9, 9) for law in laws]
    return torch.tensor(peaks, dtype=torch.float64)


def penalty_at_the_map(sigma, tau, n):
    """From the MAP of one weight, as the posterior mean of y and w's joint Gaussian."""
    x = torch.linspace(-1, 2, int(n)).double()
    y = x.exp()
    cov_y = sigma**2 * torch.eye(int(n)).double() + tau**2 * torch.outer(x, x)
    w = tau**2 * x @ torch.linalg.solve(cov_y, y)
    return ((x * (y - w * x)).mean() / w).item()


def sklearn_lasso(y, sigma, b):
    lasso = Lasso(alpha=sigma**2 / b / len(y), fit_intercept=False)
    return torch.from_numpy(lasso.fit(np.eye(len(y)), y).coef_)


def optimiser_step(w, gradient, rate, tau, n):
    w = w.clone().requires_grad_()
    (w @ gradient - Normal(0.0, tau).log_prob(w).sum() / n).backward()
    torch.optim.SGD([w], lr=rate).step()
    return w.detach()


def posterior_of_k(x, weights, mu, sigma):
    joint = weights.numpy() * stats.norm.pdf(x, mu, sigma)
    return torch.from_numpy(joint / joint.sum())


def averages(x, resp):
    return torch.stack(
        [torch.from_numpy(np.average(x, axis=0, weights=r)) for r in resp.T]
    )


def evidence_less_kl(log_joint, q):
    kl = special.rel_entr(np.asarray(q), special.softmax(log_joint, 1)).sum(1)
    return torch.from_numpy(special.logsumexp(log_joint, 1) - kl)


def naive_bayes(x, resp):
    """Add-one smoothing, each image in every class with a weight."""
    classes = np.repeat(np.arange(resp.shape[1]), len(x))
    fitted = BernoulliNB(alpha=1.0).fit(
        x.tile(resp.shape[1], 1), classes, sample_weight=resp.T.flatten()
    )
    return torch.from_numpy(np.exp(fitted.feature_log_prob_))


def two_coins(heads, tosses, biases):
    pmf = stats.binom.pmf(heads[:, None], tosses[:, None], biases)
    resp = torch.from_numpy(pmf / pmf.sum(1, keepdims=True))
    return (resp * heads[:, None]).sum(0) / (resp * tosses[:, None]).sum(0)


def ridge_mean(x, sigma, mu0, tau):
    """Least squares of x - mu0 on a column of ones, penalised."""
    ridge = Ridge(alpha=(sigma / tau) ** 2, fit_intercept=False)
    return float(mu0 + ridge.fit(np.ones((len(x), 1)), x - mu0).coef_[0])


def toss_by_toss(ones, zeros, a, b):
    """Each toss predicted from those before it: all ones, then all zeros."""
    lit = np.log((a + np.arange(ones)) / (a + b + np.arange(ones)))
    dark = np.log((b + np.arange(zeros)) / (a + b + ones + np.arange(zeros)))
    return float(lit.sum() + dark.sum())


def conditional_var(x, sigma, tau):
    """Of one more measurement, from the covariance of all of them."""
    cov = tau**2 + sigma**2 * np.eye(len(x) + 1)
    return float(cov[0, 0] - cov[0, 1:] @ np.linalg.solve(cov[1:, 1:], cov[1:, 0]))


def exact_shares(logs, weights):
    """weights exp(logs) over their sum, in 28 digits: nothing underflows."""
    pairs = zip(logs.tolist(), weights.tolist(), strict=True)
    terms = [Decimal(weight) * Decimal(log).exp() for log, weight in pairs]
    return [term / sum(terms) for term in terms]


def exact_posterior(log_evidence, prior):
    return prior.new_tensor([float(one) for one in exact_shares(log_evidence, prior)])


def integrated_over_codes(x, weights, offset, sigma):
    """Gauss-Hermite quadrature of p(x|z) over two standard normal codes."""
    nodes, w = np.polynomial.hermite_e.hermegauss(80)
    z = np.stack(np.meshgrid(nodes, nodes), -1).reshape(-1, 2)
    mu = z @ weights.numpy().T + offset.numpy()
    log_lik = stats.norm.logpdf(x.numpy()[:, None], mu, sigma).sum(-1)
    w = np.outer(w, w).ravel() / w.sum() ** 2
    return torch.from_numpy(special.logsumexp(log_lik, 1, b=w))


def normal_mean(f, mu, sigma):
    """E[f(z)] for z from N(mu, sigma^2), by adaptive quadrature."""

    def weighted(eps):
        return stats.norm.pdf(eps) * f(mu + sigma * eps)

    return float(integrate.quad(weighted, -15, 15, epsabs=1e-12, epsrel=1e-12)[0])


def log_ratio(p, q):
    """log p - log q at a point, for two (mu, sigma)."""
    return lambda z: stats.norm.logpdf(z, *p) - stats.norm.logpdf(z, *q)


def quadrature_elbo(x, sigma_x, mu, sigma):
    def integrand(z):
        return stats.norm.logpdf(x, z, sigma_x) + log_ratio((0, 1), (mu, sigma))(z)

    return normal_mean(integrand, mu, sigma)


def exact_gap(log_joint, q):
    gaps = []
    for row, weights in zip(log_joint, q, strict=True):
        posterior = exact_shares(row, torch.ones_like(row))
        both = zip(map(Decimal, weights.tolist()), posterior, strict=True)
        gaps.append(sum(w * (w.ln() - p.ln()) for w, p in both if w))
    return q.new_tensor([float(gap) for gap in gaps])


def descended_vars(cov):
    """Where the gradient of torch's KL in the log-variances is zero."""
    zero = torch.zeros(len(cov)).double()

    def slope(log_var):
        at = torch.tensor(log_var, requires_grad=True)
        q = MultivariateNormal(zero, at.exp().diag())
        kl = kl_divergence(q, MultivariateNormal(zero, cov))
        return torch.autograd.grad(kl, at)[0].numpy()

    return torch.from_numpy(optimize.root(slope, zero.numpy(), tol=1e-13).x).exp()


def integrated_resp(log_lik, concentration):
    """E[log weight] by quadrature under each weight's Beta."""
    expected = []
    for a in concentration.tolist():
        b = concentration.sum().item() - a
        law = {"weight": "alg-loga", "wvar": (a - 1, b - 1), "epsabs": 1e-12}
        log_mean, _ = integrate.quad(lambda _: 1.0, 0, 1, **law)
        expected.append(log_mean / special.beta(a, b))
    return torch.from_numpy(special.softmax(log_lik.numpy() + expected, 1))


def geometric_mean(joint, q):
    product = np.prod(joint.numpy() ** q.numpy(), 1)
    return torch.from_numpy(product / product.sum())


def group_by_group(log_w):
    size = 1 / log_w.shape[1]
    bounds = [special.logsumexp(group, 0, b=size) for group in log_w.numpy()]
    return torch.from_numpy(np.mean(bounds, 0))


def ess_of_variation(log_w):
    """S / (1 + the squared coefficient of variation of the weights)."""
    variation = stats.variation((log_w - log_w.amax(0)).exp().numpy(), 0)
    return torch.from_numpy(len(log_w) / (1 + variation**2))


def integrated_draws(s, error):
    def log_square(z):
        return 2 * stats.norm.logpdf(z) - stats.norm.logpdf(z, scale=s)

    if log_square(60) > log_square(0):
        return math.inf
    square, _ = integrate.quad(lambda z: np.exp(log_square(z)), -60, 60, epsabs=1e-12)
    return float((square - 1) / error**2)


def metropolis_hastings(p, proposal):
    """Entry by entry, as the chain moves."""
    step = torch.zeros_like(proposal)
    for i, j in itertools.product(range(len(p)), repeat=2):
        forth, back = (p[i] * proposal[i, j]).item(), (p[j] * proposal[j, i]).item()
        accept = min(1.0, back / forth) if forth else 0.0
        step[i, j] += proposal[i, j] * accept
        step[i, i] += proposal[i, j] * (1 - accept)
    return step


def cubic_by_autograd(mu, log_var, eps):
    at = torch.tensor([mu, log_var], dtype=torch.float64, requires_grad=True)
    (at[0] + (at[1] / 2).exp() * eps).pow(3).mean().backward()
    return at.grad


def poisson_by_autograd(values, z, log_rate):
    """Draw by draw, the others averaged after the draw is deleted."""
    found = []
    for s, value in enumerate(values.tolist()):
        at = torch.tensor(log_rate, dtype=torch.float64, requires_grad=True)
        (score,) = torch.autograd.grad(Poisson(at.exp()).log_prob(z[s]), at)
        found.append((value - np.delete(values.numpy(), s).mean()) * score.item())
    return float(np.mean(found))


def integrated_score_var(slope, offset, mu, sigma, baseline):
    def estimate(z):
        return (slope * z + offset - baseline) * (z - mu) / sigma**2

    square = normal_mean(lambda z: estimate(z) ** 2, mu, sigma)
    return square - normal_mean(estimate, mu, sigma) ** 2


def relaxed_by_autograd(values, logits, noise, temperature):
    at = logits.clone().requires_grad_()
    weights = ((at + noise) / temperature).exp()
    (weights @ values / weights.sum(1)).mean().backward()
    return at.grad


def moved_quantile(z, weight, mu_1, mu_2):
    """Differences of the draw that scipy's root finder gives the same u."""

    def cdf(z, w):
        return w * stats.norm.cdf(z - mu_1) + (1 - w) * stats.norm.cdf(z - mu_2)

    def draw(w):
        u = cdf(z, weight)
        return optimize.brentq(lambda y: cdf(y, w) - u, -20, 20, xtol=1e-15)

    coarse, fine = (
        (draw(weight + h) - draw(weight - h)) / (2 * h) for h in (2e-3, 1e-3)
    )
    return (4 * fine - coarse) / 3


def pca_noise_var(x, kept):
    """Of scikit-learn, which divides by N - 1."""
    noise = PCA(len(kept)).fit(x.numpy()).noise_variance_
    return float(noise * (len(x) - 1) / len(x))


def solved_reconstruction(x, mean, u, eigenvalues, sigma):
    """W E[z|x] from the joint Gaussian of z and x: W W^T against the marginal."""
    signal = u * (eigenvalues - sigma**2) @ u.T
    marginal = signal + sigma**2 * torch.eye(len(u)).double()
    return mean + torch.linalg.solve(marginal, (x - mean).T).T @ signal


def averaged_kl(eigenvalues, sigma):
    """Of two images a direction, +-sqrt(lambda), with torch's KL."""
    w = (eigenvalues - sigma**2).clamp(min=0).sqrt()
    gain = w / (w**2 + sigma**2)
    q = Normal(gain * eigenvalues.sqrt(), (1 - gain * w).sqrt())
    return kl_divergence(q, Normal(0.0, 1.0))


def posterior_of_codes(x, w, sigma):
    """Means and covariance, from the joint Gaussian of z and x."""
    eye = torch.eye(max(w.shape)).to(w)
    gain = torch.linalg.solve(w @ w.T + sigma**2 * eye[: len(w), : len(w)], w)
    return x @ gain, eye[: w.shape[1], : w.shape[1]] - w.T @ gain


def gap_of_vars(w, sigma, var):
    _, cov = posterior_of_codes(w.T, w, sigma)
    laws = (MultivariateNormal(0 * var, c) for c in (var.diag(), cov))
    return kl_divergence(*laws).item()


def descended_gap(w, sigma):
    _, cov = posterior_of_codes(w.T, w, sigma)
    return gap_of_vars(w, sigma, descended_vars(cov))


def regression_on_sigma_points(x, w, sigma):
    """Least squares with 2 K codes an image, of its posterior's mean and covariance."""
    mu, cov = posterior_of_codes(x, w, sigma)
    steps = torch.linalg.cholesky(len(cov) * cov).T
    z = torch.cat([mu + sign * step for step in steps for sign in (1, -1)])
    return torch.linalg.lstsq(z, x.repeat(2 * len(cov), 1)).solution.T


def pca_error(eigenvalues, k):
    """Of scikit-learn, on a cloud of that covariance along turned axes."""
    turn = stats.ortho_group(len(eigenvalues), seed=0).rvs()
    arms = np.sqrt(len(turn) * eigenvalues.numpy())[:, None] * turn
    x = np.concatenate([arms, -arms])
    pca = PCA(k).fit(x)
    return float(((x - pca.inverse_transform(pca.transform(x))) ** 2).sum(1).mean())


def regression_on_codes(u, x):
    fitted = LinearRegression(fit_intercept=False).fit(x @ u.T, x)
    return torch.from_numpy(fitted.coef_)


def subspace_angle(a, b):
    """In double precision, by scipy."""
    return linalg.subspace_angles(*(v.double().numpy()[:, None] for v in (a, b))).item()


def spread_without_slope(w, sigma):
    """Where autograd of the ELBO by quadrature over one code has no slope in log s."""
    nodes, weights = map(torch.from_numpy, np.polynomial.hermite_e.hermegauss(20))
    weights, x, m = weights / weights.sum(), w + 1, 0.7

    def slope(log_s):
        log_s = torch.tensor(log_s, dtype=torch.float64, requires_grad=True)
        z = m + log_s.exp() * nodes
        log_lik = Normal(z[:, None] * w, sigma).log_prob(x).sum(1)
        zero = torch.zeros(()).double()
        kl = kl_divergence(Normal(m + zero, log_s.exp()), Normal(zero, 1 + zero))
        return torch.autograd.grad(weights @ log_lik - kl, log_s)[0].item()

    return math.exp(optimize.brentq(slope, -9, 2, xtol=1e-13))


def exact_pixels(seen, p, flip):
    """Each pixel by fractions, over the two values it may have had."""
    found = []
    for value, lit in zip(seen.tolist(), p.tolist(), strict=True):
        prior, kept = Fraction(lit), 1 - Fraction(flip)
        joint = {1: prior, 0: 1 - prior}
        for clean in joint:
            joint[clean] *= kept if clean == value else 1 - kept
        found.append(float(joint[1] / sum(joint.values())))
    return torch.tensor(found, dtype=torch.float64)


def tweedie(y, data, tau):
    """y + tau^2 times torch's score of a mixture with one component a row."""
    rows = Independent(Normal(data, torch.full_like(data, tau)), 1)
    law = MixtureSameFamily(Categorical(torch.ones(len(data)).double()), rows)
    at = y.clone().requires_grad_()
    return y + tau**2 * torch.autograd.grad(law.log_prob(at).sum(), at)[0]


def normal_kl(mu, sigma):
    q, p = Normal(mu, sigma), Normal(0.0, 1.0)
    return kl_divergence(q, p).item()


def distributions_loss(x, logits, mu, log_var):
    log_lik = Independent(Bernoulli(logits=logits), 1).log_prob(x)
    q = Independent(Normal(mu, torch.exp(log_var / 2)), 1)
    p = Independent(Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1)
    return (kl_divergence(q, p) - log_lik).mean()


def searched_sigma(x, x_hat):
    def cost(log_sigma):
        return -stats.norm.logpdf(x, x_hat, np.exp(log_sigma)).sum()

    return float(np.exp(optimize.minimize_scalar(cost, tol=1e-10).x))


ORACLES = {
    "likelihood.1": lambda x, mu, sigma: float(stats.norm.logpdf(x, mu, sigma)),
    "likelihood.2": lambda waits: float(1 / stats.expon.fit(waits, floc=0)[1]),
    "likelihood.3": fitted_log_lik,
    "likelihood.4": expit_log_prob,
    "likelihood.5": autograd_gradient,
    "likelihood.6": curvature_error,
    "map.1": beta_peak,
    "map.2": logit_peaks,
    "map.3": penalty_at_the_map,
    "map.4": sklearn_lasso,
    "map.5": optimiser_step,
    "map.6": lambda mu, tau: peak(LogNormal(mu, tau), 1e-9, math.exp(mu)),
    "em.1": posterior_of_k,
    "em.2": lambda log_joint: torch.from_numpy(special.log_softmax(log_joint, 1)),
    "em.3": averages,
    "em.4": evidence_less_kl,
    "em.5": naive_bayes,
    "em.6": two_coins,
    "bayes.1": ridge_mean,
    "bayes.2": lambda n, m, a, b: float(stats.betabinom.pmf(2, 2, a + n, b + m)),
    "bayes.3": toss_by_toss,
    "bayes.4": conditional_var,
    "bayes.5": exact_posterior,
    "bayes.6": integrated_over_codes,
    "variational.1": lambda m, s, *p: normal_mean(log_ratio((m, s), p), m, s),
    "variational.2": exact_gap,
    "variational.3": quadrature_elbo,
    "variational.4": descended_vars,
    "variational.5": integrated_resp,
    "variational.6": geometric_mean,
    "monte.1": lambda values: float(stats.sem(values)),
    "monte.2": group_by_group,
    "monte.3": ess_of_variation,
    "monte.4": lambda f, w: float(np.average(f, weights=(w - w.max()).exp())),
    "monte.5": integrated_draws,
    "monte.6": metropolis_hastings,
    "reparameterization.1": lambda a, u: torch.from_numpy(stats.expon.ppf(u) / a),
    "reparameterization.2": cubic_by_autograd,
    "reparameterization.3": poisson_by_autograd,
    "reparameterization.4": integrated_score_var,
    "reparameterization.5": relaxed_by_autograd,
    "reparameterization.6": moved_quantile,
    "linear.1": pca_noise_var,
    "linear.2": solved_reconstruction,
    "linear.3": averaged_kl,
    "linear.4": descended_gap,
    "linear.5": regression_on_sigma_points,
    "autoencoder.1": pca_error,
    "autoencoder.2": regression_on_codes,
    "autoencoder.3": subspace_angle,
    "autoencoder.4": spread_without_slope,
    "autoencoder.5": exact_pixels,
    "autoencoder.6": tweedie,
    "vae.1": normal_kl,
    "vae.2": lambda: float(stats.bernoulli.logpmf(np.ones(64), 0.5).sum()),
    "vae.3": lambda w: torch.from_numpy(special.logsumexp(w, 0, b=1 / len(w))),
    "vae.4": distributions_loss,
    "vae.5": searched_sigma,
}


@each_exercise
def test_solution_equals_an_independent_answer_to_more_than_the_tolerance(name):
    exercise = EXERCISES[name]
    for inputs in exercise.inputs:
        expected = ORACLES[name](*inputs)
        received = exercise.solution(*copy.deepcopy(inputs))
        assert type(received) is type(expected)
        torch.testing.assert_close(
            received, expected, rtol=exercise.rtol / 100, atol=1e-7
        )


# Right answers


@each_exercise
@pytest.mark.parametrize("by", ["solution", "oracle"])
def test_right_answer_is_accepted_in_one_line(name, by, said):
    exercise = EXERCISES[name]
    answer = exercise.solution if by == "solution" else ORACLES[name]
    assert said(name, answer) == [f"{name}: correct. {exercise.meaning}"]


def resp_of_the_library(x, weights, mu, sigma):
    mixture = GaussianMixture(weights, mu[:, None], sigma.square()[:, None, None])
    return em.e_step(mixture, torch.tensor([[x]]).double()).log_resp[0].exp()


def probs_of_the_library(x, resp):
    start = BernoulliMixture(torch.ones(2).double() / 2, resp.T @ x)
    return em.m_step(start, x, resp.log(), map_estimation.Beta(2, 2)).probs


def mean_of_the_library(x, sigma, mu0, tau):
    prior = Gaussian(torch.tensor([mu0]).double(), torch.tensor([tau**2]).double())
    return bayes.normal_posterior(x[:, None], prior, sigma**2)


def linear(weights, offset, sigma):
    prior = bayes.standard_gaussian(weights.shape[1])
    return bayes.LinearGaussian(prior, weights, offset, 0 * offset + sigma**2)


def elbo_of_the_library(x, sigma_x, mu, sigma):
    one = torch.ones(1, 1).double()
    q = FullGaussian(mu * one[0], sigma**2 * one)
    return variational.linear_elbo(linear(one, 0 * one[0], sigma_x), x * one, q).elbo[0]


def cubic_of_the_library(mu, log_var, eps):
    at = eps.new_tensor([mu]), eps.new_tensor([log_var])
    found = reparameterization.pathwise_gradient(
        lambda z: z[:, 0] ** 3, *at, eps[:, None]
    )
    return torch.cat([draws.mean(0) for draws in found])


def poisson_of_the_library(values, z, log_rate):
    score = (z - math.exp(log_rate))[:, None]
    return score_function.score_gradient(
        values,
        reparameterization.GaussianGradient(score, score),
        score_function.leave_one_out(values),
    ).mu.mean()


def score_var_of_the_library(slope, offset, mu, sigma, baseline):
    def line(z):
        return slope * z[:, 0] + offset - baseline

    at = torch.tensor([[mu], [2 * math.log(sigma)]]).double()
    return score_function.estimator_variances(line, *at).score.mu[0]


def reconstructed_by_the_library(x, mean, u, eigenvalues, sigma):
    model = linear(u * (eigenvalues - sigma**2).sqrt(), mean, sigma)
    return model.posterior(x).mu @ model.weights.T + mean


def hastings(p, proposal):
    ratio = p * proposal.T / (p[:, None] * proposal)
    step = proposal * ratio.nan_to_num(1).clamp(max=1)
    return step.fill_diagonal_(0) + torch.diag(1 - step.sum(1))


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("likelihood.1", lambda x, m, s: Normal(m, s).log_prob(torch.tensor(x))),
        ("likelihood.2", lambda waits: len(waits) / sum(waits)),
        ("likelihood.3", lambda x: -Normal(0.0, x.std(correction=0)).entropy()),
        ("likelihood.4", bernoulli_log_prob),
        ("likelihood.4", lambda x, at: Bernoulli(logits=at).log_prob(x).sum(1)),
        ("likelihood.6", lambda ones, zeros: math.sqrt(1 / ones + 1 / zeros)),
        ("map.1", lambda n, m, a, b: map_estimation.Beta(a + n, b + m).mode()),
        ("map.2", lambda n, m: map_estimation.Beta(n + 1, m + 1).logit_mode().logit()),
        ("map.3", lambda sigma, tau, n: np.float32((sigma / tau) ** 2 / n)),
        ("map.4", lambda y, sigma, b: softshrink(y, sigma**2 / b)),
        ("map.5", lambda w, g, rate, tau, n: (1 - rate / n / tau**2) * w - rate * g),
        ("map.6", lambda mu, tau: LogNormal(mu, tau).mode),
        ("em.1", resp_of_the_library),
        ("em.2", lambda log_joint: log_joint.log_softmax(-1)),
        ("em.3", lambda x, resp: torch.einsum("ni,nk->ki", x, resp / resp.sum(0))),
        ("em.4", lambda log_joint, q: -kl_div(log_joint, q, reduction="none").sum(1)),
        ("em.5", probs_of_the_library),
        ("bayes.1", lambda *given: mean_of_the_library(*given).mu[0]),
        (
            "bayes.2",
            lambda n, m, a, b: bayes.beta_log_evidence(
                map_estimation.Beta(a + n, b + m), 2, 0
            ).exp(),
        ),
        (
            "bayes.3",
            lambda n, m, *ab: bayes.beta_log_evidence(map_estimation.Beta(*ab), n, m),
        ),
        (
            "bayes.3",
            lambda n, m, a, b: special.betaln(a + n, b + m) - special.betaln(a, b),
        ),
        ("bayes.4", lambda x, s, t: mean_of_the_library(x, s, 0.0, t).var[0] + s**2),
        ("bayes.5", lambda log_p, p: Categorical(logits=log_p + p.log()).probs),
        ("bayes.6", lambda x, *model: linear(*model).log_evidence(x)),
        ("variational.1", lambda *p: kl_divergence(Normal(*p[:2]), Normal(*p[2:]))),
        (
            "variational.2",
            lambda joint, q: kl_div(joint.log_softmax(1), q, reduction="none").sum(1),
        ),
        (
            "variational.2",
            lambda joint, q: (
                joint.logsumexp(1) + (torch.xlogy(q, q) - q * joint).sum(1)
            ),
        ),
        ("variational.3", elbo_of_the_library),
        (
            "variational.4",
            lambda cov: (
                mean_field.mean_field_gaussian(FullGaussian(cov[0], cov), cov[0], 0)[
                    0
                ].var
            ),
        ),
        (
            "variational.5",
            lambda log_lik, alpha: (log_lik + expected_log_weights(alpha)).softmax(1),
        ),
        ("monte.1", lambda values: monte_carlo.estimate(values).standard_error),
        ("monte.2", lambda log_w: log_mean_exp(log_w, 1).mean(0)),
        ("monte.3", monte_carlo.effective_sample_size),
        ("monte.4", lambda *f: monte_carlo.self_normalized_estimate(*f).mean),
        ("monte.6", hastings),
        ("reparameterization.1", lambda rate, u: -(1 - u).log() / rate),
        ("reparameterization.1", lambda rate, u: Exponential(rate).icdf(u)),
        ("reparameterization.2", cubic_of_the_library),
        ("reparameterization.3", poisson_of_the_library),
        ("reparameterization.4", score_var_of_the_library),
        (
            "linear.1",
            lambda x, kept: (
                torch.linalg.svdvals(x - x.mean(0))[len(kept) :].square().mean()
                / len(x)
            ),
        ),
        ("linear.2", reconstructed_by_the_library),
        (
            "linear.3",
            lambda values, sigma: torch.relu(values.sqrt().log() - math.log(sigma)),
        ),
        ("linear.4", lambda w, s: linear_vae.diagonal_gap(linear(w, 0 * w[:, 0], s))),
        (
            "linear.5",
            lambda x, w, s: linear_solvers.em_step(linear(w, 0 * x[0], s), x).weights,
        ),
        ("autoencoder.1", lambda e, k: sum(sorted(e.tolist())[: len(e) - k])),
        ("autoencoder.2", lambda u, x: torch.linalg.lstsq(x @ u.T, x).solution.T),
        (
            "autoencoder.3",
            lambda a, b: autoencoder.principal_angles(a[:, None], b[:, None])[0],
        ),
        (
            "autoencoder.3",
            lambda a, b: cosine_similarity(a.double(), b.double(), 0).abs().acos(),
        ),
        (
            "autoencoder.4",
            lambda w, s: linear(w[:, None], w, s).posterior(w[None]).cov[0, 0].sqrt(),
        ),
        (
            "autoencoder.5",
            lambda seen, p, flip: torch.sigmoid(
                p.logit() + (2 * seen - 1) * math.log(1 / flip - 1)
            ),
        ),
        (
            "autoencoder.6",
            lambda y, data, tau: (
                Independent(Normal(data, tau), 1).log_prob(y[:, None]).softmax(1) @ data
            ),
        ),
        ("vae.1", lambda m, s: np.float64(normal_kl(m, s))),
        ("vae.1", lambda m, s: torch.tensor(normal_kl(m, s), requires_grad=True)),
        ("vae.1", lambda m, s: math.log(1 / s) + s * s / 2 + m * m / 2 - 1 / 2),
        ("vae.2", -64 * math.log(2)),
        ("vae.2", np.float32(-44.36)),
        ("vae.2", torch.tensor(-44.3614)),
        ("vae.3", log_mean_exp),
        ("vae.3", lambda w: log_mean_exp(w.float())),
        ("vae.3", lambda w: w.max(0)[0] + (w - w.max(0)[0]).exp().mean(0).log()),
        (
            "vae.4",
            lambda x, logits, mu, log_var: (
                binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
                + gaussian_kl(mu, log_var).mean()
            ),
        ),
        ("vae.5", lambda x, x_hat: torch.linalg.norm(x - x_hat) / x.numel() ** 0.5),
    ],
)
def test_right_answer_of_another_kind_is_accepted(name, answer, said):
    assert said(name, answer)[0].startswith(f"{name}: correct.")


def in_place(log_w):
    top = log_w.max(0).values
    return log_w.sub_(top).exp_().mean(0).log_() + top


def test_answer_that_overwrites_its_inputs_spoils_no_later_trial(said):
    first = said("vae.3", in_place)
    assert first == said("vae.3", in_place) == said("vae.3", log_mean_exp)


def test_step_for_two_coins_gives_the_published_numbers():
    step = EXERCISES["em.6"]
    new = step.solution(*step.inputs[0])  # Do & Batzoglou 2008, figure 1
    assert new.tolist() == pytest.approx([0.71, 0.58], abs=0.005)


def test_transition_keeps_its_density_in_detailed_balance():
    for p, proposal in EXERCISES["monte.6"].inputs:
        step = EXERCISES["monte.6"].solution(p, proposal)
        flow = p[:, None] * step
        torch.testing.assert_close(flow, flow.T)
        torch.testing.assert_close(p @ step, p)
        assert (step >= 0).all()


def test_best_factor_has_the_lowest_divergence(rng):
    exercise = EXERCISES["variational.6"]
    joint, q = exercise.inputs[1]

    def divergence(factor):
        return special.rel_entr(np.outer(factor, q), joint.numpy()).sum()

    best = divergence(exercise.solution(joint, q))
    others = torch.rand(100, len(joint), generator=rng).double()
    assert all(best < divergence(other / other.sum()) for other in others)


# Wrong answers


@pytest.mark.parametrize(
    ("name", "mistake"), MISTAKES, ids=[f"{n}-{m.advice[:30]}" for n, m in MISTAKES]
)
def test_listed_mistake_is_named_beside_input_expected_and_received(
    name, mistake, said
):
    lines = said(name, mistake.answer)
    assert re.fullmatch(rf"{name}: not yet, the (value|shape) differs", lines[0])
    keys = [f"input {key}" for key in re.findall(r"\w+", signature(name))[1:]]
    assert rows(lines) == [*keys, "expected", "received", "hint"]
    assert mistake.advice in joined(lines)
    assert max(map(len, lines)) <= WIDTH


@pytest.mark.parametrize(("name", "mistake"), MISTAKES)
def test_mistake_is_a_float_where_the_solution_is(name, mistake):
    """Else a reader's float would not be recognised: it never equals a tensor."""
    for inputs in EXERCISES[name].inputs:
        wrong, right = mistake.answer(*inputs), EXERCISES[name].solution(*inputs)
        assert isinstance(wrong, type(right))


def signature(name):
    return EXERCISES[name].signature


def rows(lines):
    """The keys of a report's rows."""
    found = (re.match(r"  (\S+(?: \S+)?)  ", line) for line in lines[1:])
    return [one[1] for one in found if one]


def kl_of_log_var(mu, sigma):
    return gaussian_kl(torch.tensor([mu]), torch.tensor([sigma]))


def naive_loss(x, logits, mu, log_var):
    p = 1 / (1 + torch.exp(-logits))
    log_lik = x * torch.log(p) + (1 - x) * torch.log(1 - p)
    return -log_lik.sum(1).mean() + gaussian_kl(mu, log_var).mean()


def loss_of_pixel_mean(x, logits, mu, log_var):
    bce = binary_cross_entropy_with_logits(logits, x)
    return bce + 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1).mean()


def loss_of_var(x, logits, mu, var):
    log_lik = (x * logits - torch.log1p(torch.exp(logits))).sum(1)
    return -(log_lik - 0.5 * (mu**2 + var - 1 - torch.log(var)).sum(1)).mean()


def sigmoid_log_prob(x, logits):
    p = 1 / (1 + torch.exp(-logits))
    return torch.sum(x * torch.log(p) + (1 - x) * torch.log(1 - p), dim=1)


def sigma_gradient(x, mu, log_sigma):
    at = torch.tensor([mu, math.exp(log_sigma)]).double().requires_grad_()
    Normal(*at).log_prob(x).mean().backward()
    return at.grad


def most_likely_coin(heads, tosses, biases):
    coin = stats.binom.pmf(heads[:, None], tosses[:, None], biases).argmax(1)
    return torch.stack(
        [heads[coin == k].sum() / tosses[coin == k].sum() for k in (0, 1)]
    )


def kmeans_mu(x, resp):
    k = resp.argmax(1)
    return torch.stack([x[k == 0].mean(0), x[k == 1].mean(0)])


def densities_in_place_of_logs(y, data, tau):
    w = stats.norm.pdf(y.numpy()[:, None], data.numpy(), tau).prod(-1)
    with np.errstate(invalid="ignore"):
        return torch.from_numpy(w / w.sum(1, keepdims=True)) @ data


def least_squares_code(x, weights, offset, sigma):
    z = torch.linalg.lstsq(weights, (x - offset).T).solution
    return Normal(offset + (weights @ z).T, sigma).log_prob(x).sum(1)


@pytest.mark.parametrize(
    ("name", "answer", "advice"),
    [
        ("likelihood.1", lambda x, m, s: stats.norm.pdf(x, m, s), "the density"),
        ("likelihood.1", lambda x, m, s: stats.norm.logpdf(x, m, s**0.5), "a variance"),
        (
            "likelihood.2",
            lambda waits: sum(1 / waits) / len(waits),
            "average 1 / x",
        ),
        (
            "likelihood.3",
            lambda x: stats.norm.logpdf(x, *stats.norm.fit(x)).sum(),
            "sum",
        ),
        (
            "likelihood.3",
            lambda x: stats.norm.logpdf(x, x.mean(), x.std()).mean(),
            "N - 1",
        ),
        ("likelihood.4", sigmoid_log_prob, "exactly 0 or 1"),
        (
            "likelihood.4",
            lambda x, at: x @ at.T - softplus(at).sum(1),
            'hint("likelihood.4")',
        ),
        ("likelihood.5", sigma_gradient, "second entry is d/d sigma"),
        ("likelihood.6", lambda a, b: math.sqrt(a * b / (a + b)), "is inverted"),
        ("map.1", lambda n, m, a, b: beta(n + a, m + b).mean, "posterior's mean"),
        ("map.2", lambda n, m: (n / (n + m)).logit(), "of pi's mode"),
        ("map.3", lambda sigma, tau, n: sigma**2 / tau**2, "for the sum"),
        ("map.4", lambda y, sigma, b: hardshrink(y, sigma**2 / b), "Values that are"),
        (
            "map.5",
            lambda w, g, rate, tau, n: w - rate * (g + w / tau**2),
            "part by n too",
        ),
        ("map.6", lambda mu, tau: LogNormal(mu, tau).mean, "the mean of sigma"),
        ("em.1", lambda x, w, *of: posterior_of_k(x, w / w, *of), "weights are left"),
        (
            "em.2",
            lambda joint: (joint.exp() / joint.exp().sum(1)[:, None]).log(),
            "0 / 0",
        ),
        ("em.3", kmeans_mu, "as k-means does"),
        ("em.4", lambda joint, q: (q * (joint / q.log()).log()).sum(1), "hint"),
        ("em.5", lambda x, resp: averages(x, resp), "prior is missing"),
        ("em.6", most_likely_coin, "likelier coin"),
        ("bayes.1", lambda x, *_: sum(x.tolist()) / len(x), "prior is not used"),
        (
            "bayes.1",
            lambda x, s, mu0, t: (mu0 / t + x.sum() / s) / (1 / t + len(x) / s),
            "1 over a variance",
        ),
        (
            "bayes.2",
            lambda n, m, a, b: map_estimation.Beta(a + n, b + m).mean() ** 2,
            "the first tells",
        ),
        (
            "bayes.3",
            lambda n, m, a, b: stats.betabinom.logpmf(n, n + m, a, b),
            "no binomial",
        ),
        (
            "bayes.3",
            lambda n, m, a, b: special.betaln(a + n, b + m),
            "B(a, b) is missing",
        ),
        (
            "bayes.4",
            lambda x, s, t: s**2 * t**2 / (s**2 + len(x) * t**2),
            "mean's variance",
        ),
        ("bayes.5", lambda log_p, p: log_p.exp() * p / (log_p.exp() * p).sum(), "-36"),
        ("bayes.6", lambda x, w, b, s: Normal(b, s).log_prob(x).sum(-1), "z = 0"),
        ("bayes.6", least_squares_code, "the best z alone"),
        (
            "variational.1",
            lambda *p: kl_divergence(Normal(*p[2:]), Normal(*p[:2])),
            "KL(p || q)",
        ),
        (
            "variational.2",
            lambda joint, q: kl_div(joint.softmax(1).log(), q, reduction="none").sum(1),
            "underflows",
        ),
        (
            "variational.3",
            lambda x, s, m, t: Normal(m, s).log_prob(torch.tensor(x)) - normal_kl(m, t),
            "mu alone",
        ),
        ("variational.4", torch.diag, "p's own"),
        (
            "variational.5",
            lambda log_lik, a: (log_lik + (a / a.sum()).log()).softmax(1),
            "log of the expected weights",
        ),
        (
            "variational.6",
            lambda joint, q: (joint.log() * q).sum(1).softmax(0),
            "0 log 0",
        ),
        ("monte.1", lambda v: np.std(v.numpy()), 'hint("monte.1")'),
        ("monte.1", lambda v: np.std(v.numpy()) / len(v) ** 0.5, "S - 1"),
        ("monte.2", lambda log_w: log_mean_exp(log_w.flatten(0, 1)), "all M K"),
        ("monte.3", lambda log_w: (log_w.softmax(0) ** 2).sum(0), "Upside down"),
        ("monte.4", lambda f, w: monte_carlo.importance_estimate(f, w).mean, "divide"),
        (
            "monte.5",
            lambda s, e: s**2 / abs(2 * s**2 - 1) ** 0.5 / e**2 - 1 / e**2,
            'hint("monte.5")',
        ),
        (
            "monte.6",
            lambda p, move: hastings(p, move).fill_diagonal_(0) + move.diag().diag(),
            "rows sum to 1",
        ),
        (
            "reparameterization.1",
            lambda rate, u: Exponential(rate).icdf(1 - u),
            "a larger u",
        ),
        (
            "reparameterization.2",
            lambda mu, log_var, eps: (
                cubic_by_autograd(mu, log_var, eps) * torch.tensor([1.0, 2.0])
            ),
            "log sigma",
        ),
        (
            "reparameterization.2",
            lambda mu, v, eps: torch.tensor(
                [3 * mu**2 + 3 * math.exp(v), 3 * mu * math.exp(v)]
            ),
            "exact gradient",
        ),
        (
            "reparameterization.3",
            lambda f, z, a: (
                (f - f.mean()) * (z - torch.tensor(a).double().exp())
            ).mean(),
            "contains the draw itself",
        ),
        (
            "reparameterization.3",
            lambda f, z, a: poisson_of_the_library(f, z, a) / math.exp(a),
            "by the rate",
        ),
        (
            "reparameterization.4",
            lambda a, c, mu, sigma, b: (a * mu + c - b) ** 2 + 2 * (a * sigma) ** 2,
            "with the variance",
        ),
        (
            "reparameterization.4",
            lambda a, c, mu, sigma, b: 2 * a**2 + ((a * mu + c) / sigma) ** 2,
            "baseline is not used",
        ),
        (
            "reparameterization.5",
            lambda f, at, noise, t: torch.zeros(3),
            "argmax has no slope",
        ),
        (
            "reparameterization.5",
            lambda f, at, noise, t: relaxed_by_autograd(t * f, at, noise, t),
            "divides once more",
        ),
        (
            "reparameterization.6",
            lambda z, w, m_1, m_2: stats.norm.cdf(z, m_1) - stats.norm.cdf(z, m_2),
            "divide by the density",
        ),
        (
            "linear.1",
            lambda x, kept: (np.var(x.numpy(), 0).sum() - sum(kept)) / 3,
            "D - K",
        ),
        (
            "linear.1",
            lambda x, kept: (x.T.cov().trace() - sum(kept)) / (3 - len(kept)),
            "by N",
        ),
        ("linear.2", lambda x, mean, u, *_: mean + (x - mean) @ u @ u.T, "This is PCA"),
        ("linear.3", lambda v, s: (v.log() - 2 * math.log(s)) / 2, "Below sigma^2"),
        ("linear.3", lambda v, s: (v / s**2).log().clamp(min=0), "twice"),
        (
            "linear.4",
            lambda w, s: gap_of_vars(w, s, posterior_of_codes(w.T, w, s)[1].diag()),
            "own variances",
        ),
        (
            "linear.5",
            lambda *of: (
                torch.linalg.lstsq(posterior_of_codes(*of)[0], of[0]).solution.T
            ),
            "as if they were known",
        ),
        ("autoencoder.1", lambda e, k: e.topk(k).values.sum(), "what is kept"),
        ("autoencoder.1", lambda e, k: sum(e[k:]), "in any order"),
        (
            "autoencoder.1",
            lambda e, k: linear_vae.best_var(e.sort(descending=True)[0], k),
            "noise of chapter 8",
        ),
        ("autoencoder.2", lambda u, x: u.T @ torch.linalg.inv(u @ u.T), "white"),
        ("autoencoder.2", lambda u, x: torch.linalg.lstsq(x, x @ u.T)[0], "U transp"),
        (
            "autoencoder.2",
            lambda u, x: torch.linalg.lstsq(x @ u.T, x).solution,
            "V is (D, K)",
        ),
        (
            "autoencoder.3",
            lambda a, b: cosine_similarity(a, b, 0).abs().acos(),
            "has lost its digits",
        ),
        ("autoencoder.3", lambda a, b: cosine_similarity(a, b, 0).acos(), "no arrow"),
        ("autoencoder.4", lambda w, s: s**2 / (s**2 + w @ w), "the variance"),
        ("autoencoder.4", lambda w, s: s / torch.sqrt(w @ w), "prior counts"),
        (
            "autoencoder.5",
            lambda seen, p, flip: seen * (1 - flip) + (1 - seen) * flip,
            "prior p is not used",
        ),
        (
            "autoencoder.5",
            lambda seen, p, flip: p * (seen * (1 - flip) + (1 - seen) * flip),
            "This is joint",
        ),
        (
            "autoencoder.6",
            lambda y, x, tau: x[(y[:, None] - x).norm(dim=2).min(1).indices],
            "nearest row",
        ),
        (
            "autoencoder.6",
            lambda y, x, tau: (-(torch.cdist(y, x) ** 2) / tau**2).softmax(1) @ x,
            "2 tau^2",
        ),
        ("autoencoder.6", densities_in_place_of_logs, "0 / 0"),
        ("vae.1", lambda m, s: (m * m + s - 1) / 2 - math.log(s) / 2, "sigma^2 should"),
        ("vae.1", lambda m, s: m**2 + s**2 - 1 - 2 * math.log(s), "factor 1/2"),
        ("vae.1", lambda m, s: 0.5 - m * m / 2 - s * s / 2 + math.log(s), "minus the"),
        ("vae.1", lambda m, s: kl_of_log_var(m, s).sum(), "read as a log-variance"),
        ("vae.2", -64, "in bits"),
        ("vae.2", 44.36, "sign"),
        ("vae.2", -0.693, "one pixel's"),
        ("vae.3", lambda w: w.sum(0) / len(w), "is the ELBO"),
        ("vae.3", lambda w: torch.logaddexp(w[0], w[1:].logsumexp(0)), "by log S"),
        ("vae.3", lambda w: log_mean_exp(w, 1), "over the images"),
        ("vae.3", lambda w: torch.log(torch.exp(w).sum(0) / len(w)), "floating point"),
        ("vae.4", loss_of_pixel_mean, "averaged over pixels"),
        ("vae.4", lambda *a: sum(distributions_loss(*a) for _ in a[0]), "the images"),
        ("vae.4", lambda *a: -distributions_loss(*a), "the ELBO itself"),
        ("vae.4", loss_of_var, "exp(log_var)"),
        ("vae.4", naive_loss, "log(sigmoid)"),
        ("vae.5", lambda x, m: ((x - m) ** 2).mean(), "the variance"),
        ("vae.5", lambda x, m: ((x - m) ** 2).sum(1).mean() ** 0.5, "over pixels"),
        ("vae.5", lambda x, m: torch.std(x - m), "mean away first"),
        ("vae.5", lambda x, m: np.std((x - m).numpy(), ddof=1), "mean away first"),
        ("vae.5", lambda x, m: np.sqrt(np.var(x.numpy() - m.numpy())), 'hint("vae.5")'),
    ],
)
def test_wrong_answer_written_another_way_is_recognised(name, answer, advice, said):
    text = joined(said(name, answer))
    assert "not yet, the value differs" in text or "the shape differs" in text
    assert advice in text


def test_report_shows_the_input_and_both_values(said):
    assert said("vae.1", lambda mu, sigma: 2 * normal_kl(mu, sigma)) == [
        "vae.1: not yet, the value differs",
        "  input mu     1",
        "  input sigma  2",
        "  expected     1.30685",
        "  received     2.61371",
        "  hint         Your value is twice the expected one: is the factor 1/2",
        "               there?",
    ]


def test_report_shows_the_first_input_that_differs(said):
    lines = said("vae.3", lambda w: w.exp().mean(0).log())
    assert lines[1].split("  ")[-1].startswith("[[-2001, -2003]")
    assert lines[3].endswith("[-inf, -inf]")


# Whatever is given, something sensible is printed


def fails():
    raise RuntimeError("first line\nsecond line")


def exits(*_):
    raise SystemExit("leaving")


@pytest.mark.parametrize(
    ("answer", "what", "received"),
    [
        (lambda mu, sigma: 1 / 0, "it raised an error", "raised ZeroDivisionError: d"),
        (lambda mu, sigma: fails(), "it raised an error", "RuntimeError: first line"),
        (lambda mu: mu, "it raised an error", "raised TypeError: "),
        (exits, "it raised an error", "raised SystemExit: leaving"),
        (lambda mu, sigma: None, "the type differs", "None: no answer yet"),
        (lambda mu, sigma: ..., "the type differs", "...: no answer yet"),
        (lambda mu, sigma: "1.3", "the type differs", "a value of type str"),
        (lambda mu, sigma: [1.3], "the type differs", "a value of type list"),
        (lambda mu, sigma: True, "the type differs", "a value of type bool"),
        (lambda mu, sigma: 1j, "the type differs", "a value of type complex"),
        (lambda mu, sigma: abs, "the type differs", "builtin_function"),
        (lambda mu, sigma: fails, "the type differs", "a function"),
        (lambda mu, sigma: torch.tensor(1j), "the type differs", "a complex tensor"),
        (lambda mu, sigma: torch.zeros(1), "the shape differs", "of shape (1,)"),
        (lambda mu, sigma: math.nan, "the value differs", "nan"),
        (lambda mu, sigma: -math.inf, "the value differs", "-inf"),
        (lambda mu, sigma: 10**400, "it raised an error", "raised OverflowError"),
        (1.30685, "the type differs", "a number"),
        (None, "the type differs", "None: no answer yet"),
    ],
)
def test_what_is_wrong_with_an_answer_is_named(answer, what, received, said):
    lines = said("vae.1", answer)
    assert lines[0] == f"vae.1: not yet, {what}"
    assert "second line" not in joined(lines)
    assert received in next(one for one in lines if one.startswith("  received"))


@pytest.mark.parametrize(
    ("answer", "what", "received"),
    [
        (lambda x, resp: resp.T @ x.T, "it raised an error", "raised RuntimeError: "),
        (lambda x, resp: None, "the type differs", "None: no answer yet"),
        (lambda x, resp: "resp.T @ x", "the type differs", "a value of type str"),
        (lambda x, resp: x.numpy(), "the type differs", "a value of type ndarray"),
        (lambda x, resp: (x, resp), "the type differs", "a value of type tuple"),
        (lambda x, resp: 1.5, "the type differs", "a number"),
        (lambda x, resp: resp.T, "the shape differs", "of shape (2, 4)"),
        (lambda x, resp: x.new_full((2, 3), torch.nan), "the value differs", "[[nan, "),
        (torch.zeros(2, 3), "the type differs", "a tensor of shape (2, 3)"),
    ],
)
def test_what_is_wrong_with_a_tensor_is_named(answer, what, received, said):
    lines = said("em.3", answer)
    assert lines[0] == f"em.3: not yet, {what}"
    assert received in next(one for one in lines if one.startswith("  received"))


def test_right_shape_and_kind_are_said(said):
    assert "expected a tensor of shape (2,) received a tensor of shape (3,)" in joined(
        said("vae.3", lambda w: w.mean(1))
    )
    assert "expected a tensor of shape () received a number" in joined(
        said("vae.4", lambda *terms: distributions_loss(*terms).item())
    )
    assert "expected a function log_evidence(log_w)" in joined(said("vae.3", 1.0))


JUNK = [
    *(
        None,
        ...,
        True,
        0,
        1.5,
        math.nan,
        10**400,
        1j,
        "text",
        b"",
        [],
        [1.0],
        {},
        set(),
    ),
    *(object(), int, type, abs, np.zeros(2), np.float32(1), ValueError("v"), exits),
    *(torch.zeros(()), torch.zeros(0), torch.zeros(3, 2), torch.zeros(9, 9)),
    *(torch.tensor([True]), torch.tensor(1j), torch.zeros(2, device="meta")),
    *(torch.zeros(2, 2).to_sparse(), torch.full((2,), torch.inf), torch.nn.Identity()),
]


@each_exercise
@pytest.mark.parametrize("returned", [False, True], ids=["given", "returned"])
def test_nothing_raises_and_nothing_wrong_passes(name, returned, said):
    for junk in JUNK:
        answer = (lambda *_, junk=junk: junk) if returned else junk
        lines = [one for one in said(name, answer) if one]
        start = next(one for one in lines if one.startswith(f"{name}: "))
        assert start.startswith(f"{name}: not yet, "), junk
        assert any(one.startswith("  received") for one in lines)
        assert max(map(len, lines)) <= WIDTH


@each_exercise
def test_a_placeholder_is_told_no_value(name, said):
    def placeholder(*_): ...

    answer = placeholder if signature(name) else ...
    lines = said(name, answer)
    expected = next(one for one in lines if one.startswith("  expected"))
    assert not re.search(r"\d\.\d", expected)


@each_exercise
def test_check_is_deterministic_draws_nothing_and_is_quick(name, said):
    state = torch.get_rng_state()
    answers = [EXERCISES[name].solution, lambda *_: 0.0]
    start = time.process_time()
    first = [said(name, one) for one in answers]
    assert time.process_time() - start < 2 * 0.5
    assert [said(name, one) for one in answers] == first
    assert torch.equal(torch.get_rng_state(), state)


# Hints, solutions, names


@each_exercise
def test_hint_and_solution_are_shown(name, capsys):
    hint(name)
    printed = capsys.readouterr().out.splitlines()
    assert joined(printed) == f"{name}: {EXERCISES[name].hint}"
    source = solution_source(name)
    assert source.startswith(f"def {EXERCISES[name].solution.__name__}(")
    assert '"""' in source and "return" in source
    assert max(map(len, [*printed, *source.splitlines()])) <= WIDTH


@pytest.mark.parametrize("ask", [lambda name: check(name, 1.0), hint, solution_source])
@pytest.mark.parametrize("name", ["vae.9", "vae", "", "verdict.1", None])
def test_unknown_name_lists_the_known_ones(ask, name):
    known = r"likelihood\.1, .*map\.1, .*em\.1, .*vae\.5"
    with pytest.raises(ValueError, match=f"{known}; received {name!r}"):
        ask(name)
