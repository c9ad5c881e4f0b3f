r"""Annealed importance sampling: the evidence, by many small steps (chapter 11)."""

from typing import NamedTuple

import torch
from torch import Tensor

from vaebook.checks import at_least, has_shape
from vaebook.evaluation.hmc import LogDensity, adapted, hmc_step, split_r_hat
from vaebook.evaluation.requests import by_images, images_of, with_density
from vaebook.monte_carlo import LogEvidence, iw_log_evidence
from vaebook.vae import LatentModel

TO_PLAN = 8  # chains of an image that look for its step sizes
FIRST_STEP = 0.5  # of the prior's standard deviation: the plan finds the rest


class Plan(NamedTuple):
    """How to anneal, decided before the run that counts.

    Attributes
    ----------
    temperatures : Tensor (T + 1,)
        From 0, the prior, up to 1, the posterior.
    steps : Tensor (T, N)
        Step size of each transition, for each image.
    num_leapfrog : int
    """

    temperatures: Tensor
    steps: Tensor
    num_leapfrog: int


class Annealed(NamedTuple):
    """What a run gives.

    Attributes
    ----------
    log_w : Tensor (S, N)
        Log-weights, nats: unbiased for p(x) forward, and for 1/p(x) in reverse.
    z : Tensor (S, N, L)
        Where the chains ended.
    acceptance : Tensor (N,)
        Mean over transitions and chains.
    """

    log_w: Tensor
    z: Tensor
    acceptance: Tensor


def sigmoid_temperatures(num_steps: int, spread: float = 4.0) -> Tensor:
    r"""Temperatures from 0 to 1, close together at both ends; (T + 1,), float64.

    .. math:: \beta_t \propto \mathrm{sigmoid}\bigl(\delta(2t/T - 1)\bigr)
              - \mathrm{sigmoid}(-\delta)

    Equation: eq-evaluation-temperatures (Grosse et al. 2015)
    """
    at_least("num_steps", num_steps, 1)
    place = torch.linspace(-spread, spread, num_steps + 1, dtype=torch.float64)
    raised = torch.sigmoid(place)
    return (raised - raised[0]) / (raised[-1] - raised[0])


def tempered(model: LatentModel, x: Tensor, beta: float) -> LogDensity:
    r"""The density between prior and posterior, up to a constant: (S, N, L) to (S, N).

    .. math:: \log p(z) + \beta\log p(x|z)

    Equation: eq-evaluation-tempered
    """
    return lambda z: model.code_log_prob(z) + beta * model.log_likelihood(x, z)


@torch.no_grad()
def plan_annealing(
    model: LatentModel,
    x: Tensor,
    temperatures: Tensor,
    num_chains: int = TO_PLAN,
    num_leapfrog: int = 2,
    *,
    rng: torch.Generator,
) -> Plan:
    """Find step sizes by a run whose weights are thrown away.

    Each image has its own step, carried from temperature to temperature and made larger
    or smaller as more or fewer of its chains' proposals are accepted than aimed for.

    Parameters
    ----------
    x : Tensor (N, D)
    temperatures : Tensor (T + 1,)
        Rising from 0 to 1, say :func:`sigmoid_temperatures`.
    num_chains : int
        S per image.
    """
    _from_zero_to_one(temperatures)
    z = _prior_draws(model, x, num_chains, rng=rng)
    step = torch.full((len(x),), FIRST_STEP).to(x)
    steps = []
    for beta in temperatures[1:].tolist():
        steps.append(step)
        density = tempered(model, x, beta)
        z, accept = hmc_step(density, z, step, num_leapfrog, rng=rng)
        step = adapted(step, accept)
    return Plan(temperatures, torch.stack(steps), num_leapfrog)


@torch.no_grad()
def anneal(
    model: LatentModel,
    x: Tensor,
    plan: Plan,
    num_chains: int,
    *,
    rng: torch.Generator,
) -> Annealed:
    r"""From the prior to the posterior; the weights are unbiased for p(x).

    .. math:: \log w = \sum_{t=1}^{T} (\beta_t - \beta_{t-1}) \log p(x|z_{t-1}),
              \qquad z_0 \sim p(z)

    Each z_t follows from the last by a transition that keeps the density at beta_t.
    That the chains have not arrived costs variance, and brings no bias.

    Parameters
    ----------
    x : Tensor (N, D)
    plan : Plan
        Of the same images.
    num_chains : int
        S >= 1 per image.

    Equation: eq-evaluation-annealing (Neal 2001; Wu et al. 2017)
    """
    at_least("num_chains", num_chains, 1)
    z = _prior_draws(model, x, num_chains, rng=rng)
    log_w, accepted = x.new_zeros(z.shape[:-1], dtype=torch.float64), []
    for before, beta, step in _transitions(plan, x):
        log_w += (beta - before) * model.log_likelihood(x, z)
        density = tempered(model, x, beta)
        z, accept = hmc_step(density, z, step, plan.num_leapfrog, rng=rng)
        accepted.append(accept.mean(0))
    return Annealed(log_w, z, torch.stack(accepted).mean(0))


@torch.no_grad()
def anneal_back(
    model: LatentModel, x: Tensor, z: Tensor, plan: Plan, *, rng: torch.Generator
) -> Annealed:
    r"""From exact draws of the posterior down to the prior: unbiased for 1/p(x).

    .. math:: \log w = -\sum_{t=1}^{T} (\beta_t - \beta_{t-1}) \log p(x|z_{t-1}),
              \qquad z_T \sim p(z|x)

    Minus the log-mean-exp of these weights is above log p(x), in expectation. Exact
    draws exist where the posterior is known, and for an image that was drawn from the
    model together with its code: that code is one.

    Parameters
    ----------
    z : Tensor (S, N, L)
        Draws of p(z|x), S of each image.

    Equation: eq-evaluation-annealing-back (Grosse et al. 2015)
    """
    has_shape("z", z, -1, len(x), model.latent_dim)
    log_w, accepted = x.new_zeros(z.shape[:-1], dtype=torch.float64), []
    for before, beta, step in reversed(_transitions(plan, x)):
        density = tempered(model, x, beta)
        z, accept = hmc_step(density, z, step, plan.num_leapfrog, rng=rng)
        log_w -= (beta - before) * model.log_likelihood(x, z)
        accepted.append(accept.mean(0))
    return Annealed(log_w, z, torch.stack(accepted).mean(0))


class AnnealedEvidence(NamedTuple):
    """log p(x) by annealing, one row per image, and how the chains did.

    Attributes
    ----------
    bound : LogEvidence
        ``value``, ``standard_error``, ``ess``, (N,) each: a lower bound in expectation,
        like every log of an unbiased estimate.
    acceptance : Tensor (N,)
        Of the transitions; 0.65 is aimed for.
    r_hat : Tensor (N,)
        The largest split R-hat of a latent, over states that follow at the posterior.
    """

    bound: LogEvidence
    acceptance: Tensor
    r_hat: Tensor


def annealed_log_evidence(
    model: LatentModel,
    x: Tensor,
    num_temperatures: int = 500,
    num_chains: int = 16,
    *,
    rng: torch.Generator,
) -> AnnealedEvidence:
    """Annealed importance sampling of each image, planned, run, and looked after.

    Memory holds as many images at a time as their chains allow.

    Parameters
    ----------
    x : Tensor (N, D)
    num_temperatures : int
        T >= 1 steps from the prior to the posterior.
    num_chains : int
        S >= 2 per image.

    Equation: eq-evaluation-annealing
    """
    with_density(model)
    at_least("num_chains", num_chains, 2)
    temperatures = sigmoid_temperatures(num_temperatures)

    def evaluate(some: Tensor) -> tuple[Tensor, ...]:
        plan = plan_annealing(model, some, temperatures, rng=rng)
        run = anneal(model, some, plan, num_chains, rng=rng)
        bound = iw_log_evidence(lambda _: run.log_w, num_chains, chunk=num_chains)
        draws = follow(model, some, run.z, plan, rng=rng)
        return *bound, run.acceptance, split_r_hat(draws).amax(-1)

    most = max(num_chains, TO_PLAN)
    *bound, acceptance, r_hat = by_images(evaluate, most, images_of(x))
    return AnnealedEvidence(LogEvidence(*bound), acceptance, r_hat)


@torch.no_grad()
def follow(
    model: LatentModel,
    x: Tensor,
    z: Tensor,
    plan: Plan,
    num_states: int = 100,
    *,
    rng: torch.Generator,
) -> Tensor:
    """More states of the chains at the posterior itself, moved as at the end of the
    plan: (T, S, N, L)."""
    density, states = tempered(model, x, 1.0), []
    for _ in range(num_states):
        z = hmc_step(density, z, plan.steps[-1], plan.num_leapfrog, rng=rng).z
        states.append(z)
    return torch.stack(states)


def _prior_draws(
    model: LatentModel, x: Tensor, num_chains: int, *, rng: torch.Generator
) -> Tensor:
    """Where chains begin: codes from the prior, (S, N, L)."""
    z = model.prior_draws(num_chains * len(x), rng=rng)
    return z.unflatten(0, (num_chains, len(x)))


def _transitions(plan: Plan, x: Tensor) -> list[tuple[float, float, Tensor]]:
    """The temperature before, the one after, and the steps (N,) of each transition."""
    num_steps = len(_from_zero_to_one(plan.temperatures)) - 1
    has_shape("plan.steps", plan.steps, num_steps, len(x))
    rising = plan.temperatures.tolist()
    return list(zip(rising, rising[1:], plan.steps, strict=False))


def _from_zero_to_one(temperatures: Tensor) -> Tensor:
    ends = temperatures[[0, -1]].tolist() if len(temperatures) > 1 else []
    if ends != [0.0, 1.0] or not (temperatures.diff() > 0).all():
        raise ValueError(
            f"temperatures must rise from 0 to 1; received {len(temperatures)} of "
            f"them, {temperatures[:3].tolist()}..."
        )
    return temperatures
