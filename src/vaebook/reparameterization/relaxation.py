r"""Discrete choices: the Gumbel trick, its relaxation, and the price (chapter 7)."""

import torch
from torch import Tensor
from torch.nn import functional

from vaebook.checks import has_shape, positive, same_last_axis


def gumbel_noise(*shape: int, rng: torch.Generator) -> Tensor:
    r"""Standard Gumbel draws, float64: :math:`g = -\log(-\log u)`, u uniform.

    Equation: eq-reparameterization-gumbel
    """
    tiny = torch.finfo(torch.float64).tiny
    u = torch.rand(*shape, generator=rng, dtype=torch.float64).clamp(min=tiny)
    return -torch.log(-torch.log(u))


def gumbel_argmax(logits: Tensor, noise: Tensor) -> Tensor:
    r"""A categorical draw as a function of noise: (..., K) to (...,) indices.

    .. math:: \arg\max_k\,[\ell_k + g_k] \;\sim\; \mathrm{Categorical}(\pi),
              \qquad \pi = \mathrm{softmax}(\ell)

    Equation: eq-reparameterization-gumbel-max (Gumbel 1954)
    """
    same_last_axis(logits=logits, noise=noise)
    return (logits + noise).argmax(-1)


def gumbel_softmax(logits: Tensor, noise: Tensor, temperature: float) -> Tensor:
    r"""The same with a softmax for the argmax: smooth, and no longer one category.

    .. math:: y_k = \frac{e^{(\ell_k + g_k)/\tau}}{\sum_j e^{(\ell_j + g_j)/\tau}}

    Parameters
    ----------
    logits, noise : Tensor (..., K)
        Broadcast together; ``noise`` from :func:`gumbel_noise`.
    temperature : float
        tau > 0: towards 0 a corner of the simplex, towards infinity its centre.

    Returns
    -------
    Tensor (..., K)
        Positive, summing to one; gradients reach ``logits``.

    Equation: eq-reparameterization-gumbel-softmax (Jang et al. 2017)
    """
    same_last_axis(logits=logits, noise=noise)
    return torch.softmax((logits + noise) / positive("temperature", temperature), -1)


def straight_through(soft: Tensor) -> Tensor:
    """The nearest corner of the simplex, with the gradient of ``soft``: (..., K).

    Forward a true one-hot choice, backward the relaxed one: the two disagree, so the
    gradient is biased.
    """
    hard = functional.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft)
    return hard + (soft - soft.detach())  # exactly 0 is added


def categorical_score(choice: Tensor, logits: Tensor) -> Tensor:
    r"""Derivatives of log pi_k by the logits, at each draw: (S,) and (K,) to (S, K).

    .. math:: \frac{\partial\log\pi_k}{\partial\ell_j} = [j = k] - \pi_j

    Equation: eq-reparameterization-categorical-score
    """
    num_components = len(has_shape("logits", logits, -1))
    if not ((choice >= 0) & (choice < num_components)).all():
        worst = choice.min() if (choice < 0).any() else choice.max()
        raise ValueError(
            f"choice must be from 0 to {num_components - 1}; received {worst}"
        )
    hard = functional.one_hot(choice, num_components).to(logits)
    return hard - torch.softmax(logits, -1)
