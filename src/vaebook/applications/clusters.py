r"""Groups found without labels, held against the classes (chapter 12)."""

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from vaebook.checks import same_shape


def contingency(groups: Tensor, y: Tensor) -> Tensor:
    """How many of each group (N,) are of each class (N,); (K, C) in float64."""
    same_shape(groups=groups, y=y)
    shape = int(groups.max()) + 1, int(y.max()) + 1
    flat = torch.bincount(groups * shape[1] + y, minlength=shape[0] * shape[1])
    return flat.view(shape).double()


def matched(groups: Tensor, y: Tensor) -> float:
    r"""The share that is right if each group is called by at most one class's name,
    and each name is given once: with the best such names.

    .. math:: \max_\pi \frac1N \sum_n [\pi(k_n) = y_n]

    Equation: eq-applications-matched
    """
    counts = contingency(groups, y)
    rows, columns = linear_sum_assignment(counts.numpy(), maximize=True)
    return (counts[rows, columns].sum() / counts.sum()).item()


def mutual_information(groups: Tensor, y: Tensor) -> float:
    r"""What the group tells of the class, in nats: from 0 to the class's entropy.

    .. math:: \sum_{k,c} p(k, c) \log\frac{p(k, c)}{p(k)\,p(c)}

    p(k, c) is the share of those given. It is biased upwards by about
    (K - 1)(C - 1) / 2N.

    Equation: eq-applications-information
    """
    joint = contingency(groups, y)
    joint = joint / joint.sum()
    apart = joint.sum(1, keepdim=True) * joint.sum(0)
    full = joint > 0
    return (joint[full] * (joint[full] / apart[full]).log()).sum().item()
