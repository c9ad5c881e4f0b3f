r"""The evidence lower bound: its two terms, also in closed form (chapter 5)."""

from typing import NamedTuple

from torch import Tensor

from vaebook.bayes import LinearGaussian
from vaebook.checks import has_shape, positive, same_shape
from vaebook.likelihood import FullGaussian, gaussian_log_prob
from vaebook.variational.divergences import full_gaussian_kl


class ElboTerms(NamedTuple):
    """The two halves of the evidence lower bound, one pair per example.

    Attributes
    ----------
    expected_log_lik : Tensor (N,)
        E_q[log p(x|z)], nats, summed over pixels.
    kl : Tensor (N,)
        KL(q(z|x) || p(z)), nats, never negative.
    """

    expected_log_lik: Tensor
    kl: Tensor

    @property
    def elbo(self) -> Tensor:
        """The bound itself, (N,) nats; higher is better."""
        return elbo(self.expected_log_lik, self.kl)


def elbo(expected_log_lik: Tensor, kl: Tensor) -> Tensor:
    r"""Evidence lower bound of each example: higher is better.

    .. math:: \mathcal L(x) = E_{q(z|x)}[\log p(x|z)] - KL(q(z|x) \| p(z))
              \le \log p(x)

    Parameters
    ----------
    expected_log_lik, kl : Tensor (N,)
        Nats.

    Returns
    -------
    Tensor (N,)
        Nats, one value per example.

    Equation: eq-vae-elbo
    """
    same_shape(expected_log_lik=expected_log_lik, kl=kl)
    return expected_log_lik - kl


def linear_elbo(model: LinearGaussian, x: Tensor, q: FullGaussian) -> ElboTerms:
    r"""The two terms of the ELBO for a linear-Gaussian model, in closed form.

    .. math:: E_q[\log p(x|z)] = \log p(x|\mu_q)
              - \tfrac12\sum_d (W\Sigma_q W^\top)_{dd}/\sigma_d^2

    ``x`` (N, D); ``q.mu`` (N, L) or (L,), ``q.cov`` (L, L) shared by the rows.

    Equation: eq-variational-linear-elbo
    """
    dim, latent_dim = model.weights.shape
    has_shape("x", x, -1, dim)
    has_shape("q.cov", q.cov, latent_dim, latent_dim)
    mu = q.mu @ model.weights.T + model.offset
    log_var = positive("var", model.var).log()
    spread = ((model.weights @ q.cov) * model.weights).sum(-1) / model.var
    log_lik = gaussian_log_prob(x, mu, log_var) - 0.5 * spread.sum()
    return ElboTerms(log_lik, full_gaussian_kl(q, model.prior).expand_as(log_lik))
