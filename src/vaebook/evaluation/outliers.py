r"""Does a likelihood tell that an image is none of ours? (chapter 11)."""

import torch
from torch import Tensor

from vaebook.checks import finite, finite_draws


def auroc(inside: Tensor, outside: Tensor) -> float:
    r"""How well a score tells the two apart: 1 always, 1/2 not at all, 0 upside down.

    .. math:: P(s_{\text{out}} > s_{\text{in}})
              + \tfrac12 P(s_{\text{out}} = s_{\text{in}})

    Parameters
    ----------
    inside, outside : Tensor (M,), (N,)
        Scores that should be *higher* outside, say -log p(x).

    Equation: eq-evaluation-auroc (Hanley & McNeil 1982)
    """
    inside = finite_draws("inside", inside).sort().values
    outside = finite_draws("outside", outside)
    below = torch.searchsorted(inside, outside)
    up_to = torch.searchsorted(inside, outside, right=True)
    return ((below + up_to).double().mean() / (2 * len(inside))).item()


def typicality(log_p: Tensor, typical: Tensor) -> Tensor:
    r"""How far the log-probability of an image is from the usual, up or down; nats.

    .. math:: \Bigl|\log p(x) - \frac1N\sum_n \log p(x_n)\Bigr|

    Parameters
    ----------
    log_p : Tensor (M,)
        Of the images in question.
    typical : Tensor (N,)
        Of held-out images that are ours: minus their mean is the entropy, nearly.

    Equation: eq-evaluation-typicality (Nalisnick et al. 2019)
    """
    return (finite("log_p", log_p) - finite_draws("typical", typical).mean()).abs()
