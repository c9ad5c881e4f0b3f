r"""A VAE for which the class is one more unknown, told for a few (chapter 12)."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from vaebook.autoencoder import initialise, mlp
from vaebook.checks import has_shape, not_negative
from vaebook.protocols import Surrogate
from vaebook.vae import ConditionalVAE
from vaebook.variational import ElboTerms


class Belief(NamedTuple):
    """What is believed of the class of each image.

    Attributes
    ----------
    resp : Tensor (N, C)
        All on the class where it is told, else what the classifier says.
    kl : Tensor (N,)
        Of ``resp`` from the uniform p(y), nats.
    told : Tensor (N,)
        The classifier's log-probability of the told class; 0 where none is told.
    """

    resp: Tensor
    kl: Tensor
    told: Tensor


class SemiSupervisedVAE(nn.Module):
    r"""Kingma's M2: p(y) p(z) p(x|y, z), where y is known for some images only.

    .. math:: \mathcal L(x) = \sum_y r(y)\,\mathcal L(x, y)
              - KL\bigl(r \,\|\, p(y)\bigr)

    L(x, y) is the bound of the conditional VAE on log p(x|y), p(y) is uniform, and r
    is all on y where it is told and q(y|x), the classifier's belief, where it is not.
    Images are given with ``y`` (N, C), a row of zeros and a one, or of zeros alone
    where nothing is told.

    Parameters
    ----------
    data_dim, hidden, latent_dim
        As for :class:`vaebook.vae.VAE`; the classifier has the same hidden widths.
    num_classes : int
        C.
    rng : torch.Generator
        Draws the initial weights.

    Equation: eq-applications-semi-supervised (Kingma et al. 2014)
    """

    def __init__(
        self,
        data_dim: int,
        hidden: Sequence[int],
        latent_dim: int,
        num_classes: int,
        *,
        rng: torch.Generator,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        sizes = data_dim, hidden, latent_dim
        self.conditional = ConditionalVAE(*sizes, num_classes, rng=rng)
        with torch.random.fork_rng(devices=[]):  # torch's own draws: replaced below
            self.classifier = mlp((data_dim, *hidden, num_classes))
        initialise(self.classifier, rng=rng)

    def class_log_probs(self, x: Tensor) -> Tensor:
        """log q(y|x) of each class, (N, D) to (N, C) nats."""
        return self.classifier(x).log_softmax(-1)

    def believed(self, x: Tensor, y: Tensor) -> Belief:
        """The told class where there is one, else what the classifier says."""
        has_shape("y", not_negative("y", y), len(x), self.num_classes)
        log_q = self.class_log_probs(x)
        q, is_told = log_q.exp(), y.sum(1) > 0

        resp = torch.where(is_told[:, None], y, q)
        minus_entropy = torch.where(is_told, 0, (q * log_q).sum(1))
        kl = minus_entropy + math.log(self.num_classes)
        return Belief(resp, kl, (y * log_q).sum(1))

    def class_terms(self, x: Tensor, *, rng: torch.Generator) -> ElboTerms:
        """The two terms of the bound on log p(x|y) for every class: (C, N) nats each.

        Equation: eq-vae-conditional
        """
        classes = one_hot(torch.arange(self.num_classes)).to(x)
        y = classes.repeat_interleave(len(x), 0)  # (C N, C)
        same = x.repeat(self.num_classes, 1)  # (C N, D)
        terms = self.conditional.elbo_terms(same, y, rng=rng)
        return ElboTerms(*(t.view(self.num_classes, len(x)) for t in terms))

    def elbo_terms(self, x: Tensor, y: Tensor, *, rng: torch.Generator) -> ElboTerms:
        """The bound on log p(x, y) where y is told, else on log p(x): (N,) nats each.

        The KL holds that of the class, too.

        Equation: eq-applications-semi-supervised
        """
        return self.terms_under(self.believed(x, y), x, rng=rng)

    def terms_under(
        self, belief: Belief, x: Tensor, *, rng: torch.Generator
    ) -> ElboTerms:
        """The terms of every class, weighed by what is believed of it: (N,) nats."""
        log_lik, kl = self.class_terms(x, rng=rng)
        resp = belief.resp.T  # (C, N)
        return ElboTerms((resp * log_lik).sum(0), (resp * kl).sum(0) + belief.kl)


def semi_supervised_objective(
    model: SemiSupervisedVAE,
    x: Tensor,
    y: Tensor,
    *,
    alpha: float,
    rng: torch.Generator,
) -> Surrogate:
    r"""What M2 climbs: its bound, and the classifier's log-probability of told labels.

    .. math:: \mathcal L(x) + \alpha\,\log q_\phi(y \mid x)\ \text{where y is told}

    Without the second term the classifier would learn from images without a label
    only. With ``alpha`` fixed, an objective for :class:`vaebook.training.Settings`.

    Equation: eq-applications-semi-supervised-objective
    """
    belief = model.believed(x, y)
    terms = model.terms_under(belief, x, rng=rng)
    return Surrogate(terms.elbo + alpha * belief.told, terms)
