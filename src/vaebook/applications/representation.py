r"""What codes tell about classes: few labels, neighbours, retrieval (chapter 12)."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from vaebook.checks import at_least, data_matrix, has_shape, positive, same_last_axis
from vaebook.distances import distances
from vaebook.map_estimation import gaussian_log_prior

NUM_CLASSES = 10


class Scaling(NamedTuple):
    """A shift and one scale for all features: distances keep their proportions.

    Attributes
    ----------
    mu : Tensor (F,)
    sigma : Tensor ()
        Root mean square of the features' standard deviations.
    """

    mu: Tensor
    sigma: Tensor

    def __call__(self, z: Tensor) -> Tensor:
        """Codes (..., F) about 0, with a variance of 1 in the mean of the features."""
        return (z - self.mu) / self.sigma


def fit_scaling(z: Tensor) -> Scaling:
    """Learned from codes (N, F) without labels, in float64."""
    z = data_matrix(z, "z").double()
    sigma = z.var(0, correction=0).mean().sqrt()
    positive("the variance of z", sigma)
    return Scaling(z.mean(0), sigma)


class Probe(NamedTuple):
    """A linear classifier; leading axes are probes beside one another.

    Attributes
    ----------
    weights : Tensor (..., F, C)
    bias : Tensor (..., 1, C)
    """

    weights: Tensor
    bias: Tensor

    def log_probs(self, z: Tensor) -> Tensor:
        """log p(y|z) of each class, (..., N, F) to (..., N, C) nats."""
        return (z @ self.weights + self.bias).log_softmax(-1)

    def predict(self, z: Tensor) -> Tensor:
        """The most probable class, (..., N, F) to (..., N)."""
        return self.log_probs(z).argmax(-1)


def probe_log_posterior(probe: Probe, z: Tensor, y: Tensor, tau: float) -> Tensor:
    r"""What a probe climbs: the labels' log-probability and the weights' prior; ().

    .. math:: \sum_n \log \mathrm{softmax}(W^\top z_n + b)_{y_n}
              + \sum_{ij} \log\mathcal N(w_{ij}; 0, \tau^2)

    Summed over probes beside one another, in nats; the biases have a flat prior.

    Equation: eq-applications-probe
    """
    scores = z @ probe.weights + probe.bias  # (..., N, C)
    flat = scores.flatten(0, -2), y.flatten()
    log_lik = -cross_entropy(*flat, reduction="sum")
    return log_lik + gaussian_log_prior([probe.weights], tau)


def fit_probe(
    z: Tensor, y: Tensor, tau: float, num_classes: int = NUM_CLASSES
) -> Probe:
    """The most probable linear classifier of labelled codes, in float64.

    Parameters
    ----------
    z : Tensor (..., N, F)
        Leading axes are fits beside one another, each with N labels.
    y : Tensor (..., N)
        Classes from 0.
    tau : float
        Standard deviation of the weights' prior. Classes without a label are fitted,
        too: their bias sinks without an end, and is stopped by rounding.

    Equation: eq-applications-probe
    """
    z = z.double()
    has_shape("y", y, *z.shape[:-1])
    weights = torch.zeros(*z.shape[:-2], z.shape[-1], num_classes).double()
    bias = torch.zeros(*z.shape[:-2], 1, num_classes).double()
    probe = Probe(weights.requires_grad_(), bias.requires_grad_())
    climb = torch.optim.LBFGS(
        probe,
        max_iter=500,
        history_size=20,
        tolerance_grad=1e-7,
        tolerance_change=1e-12,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        climb.zero_grad()
        value = -probe_log_posterior(probe, z, y, tau)
        value.backward()
        return value

    climb.step(loss)
    return Probe(*(part.detach() for part in probe))


def nearest_labels(z: Tensor, y: Tensor, new: Tensor, k: int) -> Tensor:
    """The class that most of the k nearest labelled codes have.

    Of classes with as many votes that of the nearest code among them wins.

    Parameters
    ----------
    z, y : Tensor (N, F), (N,)
        Codes and their classes, from 0.
    new : Tensor (M, F)
    k : int
        From 1 to N.

    Returns
    -------
    Tensor (M,)
    """
    has_shape("y", y, len(data_matrix(z, "z")))
    same_last_axis(z=z, new=new)
    at_least("k", k, 1)
    at_least("the number of labels", len(z), k)
    order = distances(new, z).argsort(dim=1, stable=True)[
        :, :k
    ]  # (M, k), nearest first
    votes = one_hot(y[order])  # (M, k, C)
    counts = votes.sum(1)  # (M, C)
    of_each = counts.gather(1, y[order])  # (M, k): how many share this one's class
    first = of_each.argmax(1)  # the nearest of those with the most
    return y[order].gather(1, first[:, None]).squeeze(1)


def retrieved(z: Tensor, y: Tensor, new: Tensor, of_new: Tensor, k: int) -> Tensor:
    """Precision at k: which share of the k nearest codes (N, F) is of the class of each
    new code (M, F); (M,)."""
    order = distances(new, z).argsort(dim=1, stable=True)[:, :k]
    return (y[order] == of_new[:, None]).double().mean(1)
