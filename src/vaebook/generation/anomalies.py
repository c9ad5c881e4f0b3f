r"""Scores that are high where an image is none of ours (chapter 13)."""

from torch import Tensor

from vaebook.checks import at_least, data_matrix, same_last_axis, same_shape
from vaebook.distances import distances


def log_ratio(log_p: Tensor, log_background: Tensor) -> Tensor:
    r"""How much better a background model explains an image than the model does; nats.

    .. math:: \log p_{\text{background}}(x) - \log p(x)

    What both have to pay for, say ink at many pixels, cancels.

    Parameters
    ----------
    log_p, log_background : Tensor (N,)
        Of the model of our images, and of one that knows less of them.

    Equation: eq-generation-log-ratio (Ren et al. 2019)
    """
    same_shape(log_p=log_p, log_background=log_background)
    return log_background - log_p


def far_from(x: Tensor, new: Tensor, k: int = 5) -> Tensor:
    """Distance of each new row (M, F) from the k-th nearest of ours (N, F); (M,).

    Of Ramaswamy et al. (2000); with pixels or with codes.
    """
    same_last_axis(x=data_matrix(x, "x"), new=new)
    at_least("k", k, 1)
    at_least("the number of rows", len(x), k)
    return distances(new, x).kthvalue(k).values
