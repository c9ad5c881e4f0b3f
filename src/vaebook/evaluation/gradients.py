r"""Gradients of the importance-weighted bound, and an encoder's signal (chapter 11)."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vaebook.checks import at_least, positive
from vaebook.likelihood import gaussian_log_prob
from vaebook.monte_carlo import log_mean_exp
from vaebook.protocols import Objective, Surrogate
from vaebook.reparameterization import gaussian_rsample
from vaebook.vae import LatentModel
from vaebook.variational import ElboTerms


def doubly_reparameterized(num_samples: int) -> Objective:
    r"""The objective with S draws whose gradient reaches the encoder through z alone.

    .. math:: \nabla_\phi:\; \sum_s \bar w_s^2\,
              \frac{\partial\log w_s}{\partial z_s}\nabla_\phi z_s, \qquad
              \nabla_\theta:\; \sum_s \bar w_s\,\nabla_\theta\log p_\theta(x, z_s)

    Both are unbiased for the importance-weighted bound with S draws, which is recorded.

    Parameters
    ----------
    num_samples : int
        S >= 1; with 1 it is the path's gradient of the ELBO.

    Returns
    -------
    Objective
        For :class:`vaebook.training.Settings`; gives a ``Surrogate``.

    Equation: eq-evaluation-dreg (Tucker et al. 2019)
    """
    at_least("num_samples", num_samples, 1)

    def objective(model: LatentModel, x: Tensor, *, rng: torch.Generator) -> Surrogate:
        q = model.posterior(x)
        z = gaussian_rsample(*q, num_samples, rng=rng)  # (S, N, L)
        held = [p.detach() for p in q]
        log_w = model.log_joint(x, z) - gaussian_log_prob(z, *held)
        shares = torch.softmax(log_w, 0).detach()
        if z.requires_grad:  # on its way to the encoder the slope is weighed again
            z.register_hook(lambda slope: slope * shares[..., None])

        kl = model.code_kl(q, z).detach()
        bound = log_mean_exp(log_w).detach()
        return Surrogate((shares * log_w).sum(0), ElboTerms(bound + kl, kl))

    return objective


class Signal(NamedTuple):
    """Gradients drawn again and again: their mean and their spread, per parameter.

    Attributes
    ----------
    mean, std : Tensor (P,)
        Over draws of the noise, for the same images.
    num_draws : int
    """

    mean: Tensor
    std: Tensor
    num_draws: int

    @property
    def signal_to_noise(self) -> float:
        r"""How a gradient compares with its noise, over all parameters.

        .. math:: \sqrt{\sum_j m_j^2 \big/ \sum_j s_j^2}

        Of the squared mean the part that is noise itself is taken off.

        Equation: eq-evaluation-signal
        """
        noise = positive("the noise", self.std.square().sum())
        signal = self.mean.square().sum() - noise / self.num_draws
        return math.sqrt(max(signal.item(), 0.0) / noise.item())


def gradient_signal(
    climb: Callable[[], Tensor], net: nn.Module, num_draws: int
) -> Signal:
    """Mean and spread of the gradient of ``climb()`` with respect to a net's weights.

    Parameters
    ----------
    climb : callable
        Gives the mean over images of what is climbed, (), with fresh noise each time.
    num_draws : int
        At least 2.
    """
    at_least("num_draws", num_draws, 2)
    weights = list(net.parameters())
    total = squares = torch.zeros((), dtype=torch.float64)
    for _ in range(num_draws):
        slopes = torch.autograd.grad(climb(), weights, materialize_grads=True)
        flat = torch.cat([slope.flatten() for slope in slopes]).double()
        total, squares = total + flat, squares + flat.square()
    mean = total / num_draws
    var = (squares / num_draws - mean.square()) * num_draws / (num_draws - 1)
    return Signal(mean, var.clamp(min=0).sqrt(), num_draws)
