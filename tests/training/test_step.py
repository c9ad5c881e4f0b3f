"""One step of training: what it descends, what it refuses."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence
from training.small import QUIET, Line, make_vae

from vaebook.datasets import load_digits
from vaebook.likelihood import gaussian_log_prob
from vaebook.map_estimation import gaussian_log_prior
from vaebook.protocols import Surrogate
from vaebook.reparameterization import reparameterize
from vaebook.training import (
    NonFiniteLossError,
    Settings,
    State,
    make_optimizer,
)
from vaebook.training import train_step as step
from vaebook.vae import GaussianVAE


def iw_by_hand(model, x, rng):
    return model.iw_terms(x, 4, rng=rng)


def sgd_state(model, rate=0.1):
    return State(model, torch.optim.SGD(model.parameters(), lr=rate), None, [])


@pytest.mark.equation(
    "eq-vae-loss", against="the gradient of a one-weight model by hand", body="c5efd101"
)
@pytest.mark.parametrize("kl_weight", [1.0, 0.25])
def test_step_sums_over_pixels_and_averages_over_examples(kl_weight):
    """loss = -(w mean_n sum_d x - c w^2), so w <- w + rate (mean_n sum_d x - 2 c w)."""
    model, x = Line(), torch.tensor([[1.0, 2.0], [3.0, 4.0], [0.0, 2.0]]).double()
    terms = step(sgd_state(model), (x,), QUIET, kl_weight)
    assert terms == pytest.approx((0.5 * 4.0, 0.25))
    assert model.w.item() == pytest.approx(0.5 + 0.1 * (4.0 - kl_weight * 1.0))


def test_the_optimizer_is_adamw_with_the_settings():
    """Its rate is set before each step, along the cosine."""
    optimizer = make_optimizer(Line(), Settings(weight_decay=0.3))
    assert isinstance(optimizer, torch.optim.AdamW)
    assert optimizer.param_groups[0]["weight_decay"] == 0.3


def test_gradients_do_not_pile_up_over_steps():
    model, x = Line(), torch.full((10, 1), 3.0).double()
    state = sgd_state(model)
    step(state, (x,), QUIET)
    after = model.w.item()
    step(state, (x,), QUIET)
    assert model.w.item() == pytest.approx(after + 0.1 * (3.0 - 2 * after))


def after_steps(settings, model=None, optimizer=None, num_steps=3):
    """The line's weight after some steps of gradient ascent on two rows."""
    model = model or Line()
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).double()
    for _ in range(num_steps):
        step(State(model, optimizer, None, []), (x,), settings)
    return model.w.item()


@pytest.mark.equation(
    "eq-vae-weight-prior",
    against="torch's own weight decay of gradient descent",
    body="ef72898a",
)
@pytest.mark.parametrize(("tau", "n"), [(0.5, 2), (0.2, 100)])
def test_gaussian_log_prior_is_a_weight_decay_of_one_over_tau_squared_n(tau, n):
    def log_prior(model):
        return gaussian_log_prior(model.parameters(), tau) / n

    model = Line()
    decayed = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=1 / tau**2 / n)
    expected = after_steps(QUIET, model, decayed)
    found = after_steps(replace(QUIET, log_prior=log_prior))
    assert found == pytest.approx(expected, rel=1e-12)
    assert found != pytest.approx(after_steps(QUIET), rel=1e-3)


@pytest.mark.equation(
    "eq-vae-weight-prior",
    against="autograd of minus mean ELBO and torch's Normal over N, written out",
    body="ef72898a",
)
def test_step_descends_minus_the_mean_elbo_and_the_log_prior_over_n():
    tau, n = 0.3, 1000
    x = load_digits().train.x[:50]
    model, _ = make_vae()
    before = nn.utils.parameters_to_vector(model.parameters()).detach().clone()
    terms = model.elbo_terms(x, rng=torch.Generator().manual_seed(7))
    weights = list(model.parameters())
    log_prior = sum(Normal(0.0, tau).log_prob(w).sum() for w in weights)
    loss = -(terms.expected_log_lik - terms.kl).sum() / 50 - log_prior / n
    slopes = torch.autograd.grad(loss, weights)
    state = sgd_state(model, rate=1.0)._replace(rng=torch.Generator().manual_seed(7))
    settings = replace(QUIET, log_prior=lambda model: model.log_prior(tau) / n)
    returned = step(state, (x,), settings)
    after = nn.utils.parameters_to_vector(model.parameters()).detach()
    moved = torch.cat([-slope.flatten() for slope in slopes])
    torch.testing.assert_close(after - before, moved, rtol=1e-3, atol=1e-5)
    means = terms.expected_log_lik.mean().item(), terms.kl.mean().item()
    assert returned == pytest.approx(means, rel=1e-6)


@pytest.mark.equation(
    "eq-vae-iw-objective",
    against="autograd of minus the mean log of mean weights",
    body="c443a57a",
)
@pytest.mark.parametrize("kl_weight", [1.0, 0.1])
def test_step_climbs_the_importance_weighted_bound(kl_weight):
    """No weight of the KL touches it: the KL in its terms is a constant."""
    x = load_digits().train.x[:50]
    model, _ = make_vae()
    before = nn.utils.parameters_to_vector(model.parameters()).detach().clone()
    log_w = model.log_weights(x, 4, rng=torch.Generator().manual_seed(7))
    loss = -log_w.exp().mean(0).log().mean()
    slopes = torch.autograd.grad(loss, list(model.parameters()))
    state = sgd_state(model, rate=1.0)._replace(rng=torch.Generator().manual_seed(7))
    terms = step(state, (x,), replace(QUIET, objective=iw_by_hand), kl_weight)
    after = nn.utils.parameters_to_vector(model.parameters()).detach()
    moved = torch.cat([-slope.flatten() for slope in slopes])
    torch.testing.assert_close(after - before, moved, rtol=1e-3, atol=1e-5)
    assert terms[0] - terms[1] == pytest.approx(-loss.item(), rel=1e-5)


def test_a_surrogate_is_climbed_and_the_terms_of_its_bound_are_recorded():
    """w <- w + rate mean_n sum_d 3 x, whatever the terms are."""

    def objective(model, x, *, rng):
        return Surrogate(3 * model.w * x.sum(-1), model.elbo_terms(x, rng=rng))

    model, x = Line(), torch.tensor([[1.0, 2.0], [3.0, 4.0]]).double()
    settings = replace(QUIET, objective=objective)
    terms = step(sgd_state(model), (x,), settings)
    assert terms == pytest.approx((0.5 * 5.0, 0.25))
    assert model.w.item() == pytest.approx(0.5 + 0.1 * 3 * 5.0)


def path_only(model, x, *, rng):
    """The gradient of log w through z alone (Roeder et al. 2017), at noise of +1, -1.

    Two nodes of Gauss-Hermite quadrature: their mean is the expectation of a cubic.
    """
    eps = torch.tensor([[1.0], [-1.0]]).double()
    q = model.posterior(x)
    z = reparameterize(*q, eps)
    log_q = gaussian_log_prob(z, *(part.detach() for part in q))
    log_p_z = gaussian_log_prob(z, 0 * z, 0 * z)
    climbed = model.log_likelihood(x, z) + log_p_z - log_q
    return Surrogate(climbed, model.terms_at_noise(x, eps))


def linear_toy():
    """A linear decoder of one latent, one image in two rows, its exact posterior."""
    rng = torch.Generator().manual_seed(3)
    model = GaussianVAE(3, (), 1, rng=rng).double()
    x = torch.randn(1, 3, generator=rng, dtype=torch.float64)
    layer = model.decoder.net[0]
    w, b = layer.weight.detach()[:, 0], layer.bias.detach()
    var = 1 / (1 + w @ w)
    return model, x.expand(2, 3), Normal(var * (x[0] - b) @ w, var.sqrt())


@pytest.mark.equation(
    "eq-reparameterization-sampled-elbo",
    against="autograd of torch's KL from the exact posterior of a linear decoder",
    body="bf4bebed",
)
def test_a_surrogate_whose_gradient_is_the_bounds_moves_the_encoder_as_it_does():
    model, x, posterior = linear_toy()
    q = model.posterior(x[:1])
    kl = kl_divergence(Normal(q.mu, torch.exp(q.log_var / 2)), posterior)
    weights = list(model.encoder.parameters())
    slopes = torch.autograd.grad(-kl.sum(), weights)
    before = [weight.detach().clone() for weight in weights]
    settings = replace(QUIET, objective=path_only)
    recorded = step(sgd_state(model, rate=1.0), (x,), settings)
    for weight, start, slope in zip(weights, before, slopes, strict=True):
        torch.testing.assert_close(weight - start, slope, rtol=1e-10, atol=1e-12)
    model, x, _ = linear_toy()
    terms = path_only(model, x, rng=None).terms
    expected = terms.expected_log_lik.mean().item(), terms.kl.mean().item()
    assert recorded == pytest.approx(expected, rel=1e-12)


def test_at_the_exact_posterior_the_path_gradient_leaves_the_encoder_alone():
    """The bound's own gradient does not vanish there, draw by draw."""
    moved = {}
    for name, objective in {"path": path_only, "bound": one_draw}.items():
        model, x, posterior = linear_toy()
        model.encoder.net[0].weight.data.zero_()
        exact = torch.stack([posterior.mean, 2 * posterior.stddev.log()])
        model.encoder.net[0].bias.data.copy_(exact)
        step(sgd_state(model), (x,), replace(QUIET, objective=objective))
        moved[name] = (model.encoder.net[0].bias.detach() - exact).abs().max()
    assert moved["path"] < 1e-12
    assert moved["bound"] > 1e-3


def one_draw(model, x, *, rng):
    return model.terms_at_noise(x, torch.full((2, 1), 0.3).double())


@pytest.mark.parametrize("kl_weight", [0.5, 0.0])
def test_a_surrogate_cannot_be_weighed(kl_weight):
    settings = replace(QUIET, objective=path_only)
    model, x, _ = linear_toy()
    with pytest.raises(ValueError, match=f"must be 1; received {kl_weight}"):
        step(sgd_state(model), (x,), settings, kl_weight)


def test_a_surrogate_that_is_not_finite_is_named():
    def objective(model, x, *, rng):
        terms = model.elbo_terms(x, rng=rng)
        return Surrogate(terms.elbo / 0, terms)

    model = Line()
    with pytest.raises(NonFiniteLossError, match="surrogate, kl_weight or log_prior"):
        step(
            sgd_state(model),
            (torch.ones(2, 1).double(),),
            replace(QUIET, objective=objective),
        )
    assert model.w.item() == 0.5
