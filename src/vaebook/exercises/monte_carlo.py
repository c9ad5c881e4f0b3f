"""Exercises of chapter 6: Monte Carlo."""

import math

import torch
from torch import Tensor
from torch.nn.functional import normalize

from vaebook.exercises.record import Exercise, Mistake


def standard_error(values: Tensor) -> float:
    """The draws' own standard deviation over sqrt(S); S - 1, because their
    mean was fitted to them."""
    return values.std(correction=1).item() / math.sqrt(len(values))


VALUES = torch.tensor([0.5, -1.0, 2.5, 4.0, 1.5]).double()
STANDARD_ERROR = Exercise(
    name="monte.1",
    solution=standard_error,
    inputs=(
        (VALUES,),
        (VALUES[:2] - 100,),
    ),
    meaning="Half the error costs four times the draws.",
    hint="The variance of a mean of S independent draws is a draw's, over S.",
    mistakes=(
        Mistake(
            "This is a draw's, not the mean's.",
            lambda values: values.std().item(),
        ),
        Mistake(
            "The variance is divided by S, so the standard deviation by sqrt(S).",
            lambda values: values.std().item() / len(values),
        ),
        Mistake(
            "This is the error squared.",
            lambda values: standard_error(values) ** 2,
        ),
        Mistake(
            "Divide by S - 1 in the variance: the mean was fitted to these draws.",
            lambda values: values.std(correction=0).item() / math.sqrt(len(values)),
        ),
    ),
)


def iw_bound(log_w: Tensor) -> Tensor:
    """log (1/S) sum_s w_s of each group, then the mean of the groups: the
    mean over S goes inside the logarithm, that over G outside."""
    num_samples = log_w.shape[1]
    bounds = log_w.logsumexp(1) - math.log(num_samples)  # (G, N)
    return bounds.mean(0)


LOG_W = torch.tensor(  # (G, S, N) = (2, 3, 2)
    [
        [[-1.0, -3.0], [-2.0, -1.0], [-4.0, -0.5]],
        [[-2.0, -2.0], [-0.5, -5.0], [-3.0, -1.0]],
    ]
).double()
IW_BOUND = Exercise(
    name="monte.2",
    solution=iw_bound,
    inputs=(
        (LOG_W,),
        (LOG_W - 2000,),
        (900 * LOG_W.mT,),
    ),
    meaning="With S it rises, on average, up to log p(x).",
    hint="logsumexp over S and minus log S; only then the mean over G.",
    mistakes=(
        Mistake(
            "The mean of all log-weights is the ELBO, S = 1: average w over S.",
            lambda log_w: log_w.mean((0, 1)),
        ),
        Mistake(
            "You average all G S weights: that is another bound's one draw.",
            lambda log_w: iw_bound(log_w.flatten(0, 1)[None]),  # (1, G S, N)
        ),
        Mistake(
            "G and S are exchanged: the S draws of a group are on axis 1.",
            lambda log_w: iw_bound(log_w.transpose(0, 1)),
        ),
        Mistake("Subtract log S.", lambda log_w: log_w.logsumexp(1).mean(0)),
        Mistake(
            "exp(-2000) is 0 in floating point: use logsumexp.",
            lambda log_w: log_w.exp().mean(1).log().mean(0),
        ),
    ),
)


def ess(log_w: Tensor) -> Tensor:
    """(sum w)^2 / sum w^2; softmax takes out the largest log-weight and
    makes the sum 1."""
    return 1 / log_w.softmax(0).square().sum(0)


ESS = Exercise(
    name="monte.3",
    solution=ess,
    inputs=(
        (LOG_W[0],),
        (LOG_W[0] - 2000,),
        (torch.full((3, 2), 800.0).double(),),
    ),
    meaning="It is S for equal weights, 1 for one that dominates.",
    hint="The ratio does not change if every weight is divided by their sum.",
    mistakes=(
        Mistake("Upside down: this is 1 / ESS.", lambda log_w: 1 / ess(log_w)),
        Mistake(
            "exp underflows or overflows: subtract the largest log-weight.",
            lambda log_w: log_w.exp().sum(0).square() / log_w.exp().square().sum(0),
        ),
        Mistake(
            "These are the log-weights: exponentiate them.",
            lambda log_w: log_w.sum(0).square() / log_w.square().sum(0),
        ),
        Mistake("The draws are on axis 0.", lambda log_w: ess(log_w.T)),
    ),
)


def posterior_mean(values: Tensor, log_w: Tensor) -> float:
    """sum w f / sum w: what is not known of log_w, log p(x), cancels."""
    return (log_w.softmax(0) @ values).item()


POSTERIOR_MEAN = Exercise(
    name="monte.4",
    solution=posterior_mean,
    inputs=(
        (VALUES[:3], torch.tensor([-3.0, -1.0, -0.5]).double()),
        (VALUES[:3], torch.tensor([-2002.0, -2000.5, -2003.0]).double()),
    ),
    meaning="A posterior expectation, and p(x) was not needed.",
    hint="Weights that sum to 1 do not change if all log-weights move together.",
    mistakes=(
        Mistake("This is q's mean.", lambda values, log_w: values.mean().item()),
        Mistake(
            "The joint is not normalised: divide by the mean weight, p(x).",
            lambda values, log_w: (log_w.exp() * values).mean().item(),
        ),
        Mistake(
            "exp(-2000) is 0 in floating point: subtract the largest first.",
            lambda values, log_w: (log_w.exp() @ values / log_w.exp().sum()).item(),
        ),
    ),
)


def num_draws(sigma: float, error: float) -> float:
    """E_q[w^2], the integral of sigma exp(-z^2 + z^2 / (2 sigma^2)) over
    sqrt(2 pi), is infinite for sigma^2 <= 1/2; var(w) is 1 less."""
    if sigma**2 <= 0.5:
        return math.inf
    return (sigma**2 / math.sqrt(2 * sigma**2 - 1) - 1) / error**2


NUM_DRAWS = Exercise(
    name="monte.5",
    solution=num_draws,
    inputs=(
        (2.0, 0.1),
        (0.8, 0.01),
        (0.7, 0.1),
        (1.0, 0.1),
    ),
    meaning="Too wide costs draws; too narrow, no number suffices.",
    hint="E_q[w^2] is the integral of p^2 / q. Where does it exist?",
    mistakes=(
        Mistake(
            "The variance of w is E_q[w^2] - 1.",
            lambda sigma, error: num_draws(sigma, error) + 1 / error**2,
        ),
        Mistake(
            "Square the error.",
            lambda sigma, error: num_draws(sigma, error) * error,
        ),
        Mistake(
            "p and q are exchanged: w is p / q, and z is drawn from q.",
            lambda sigma, error: num_draws(1 / sigma, error),
        ),
        Mistake(
            "The integral diverges for sigma^2 <= 1/2: it is infinite, not nan.",
            lambda sigma, error: (
                num_draws(sigma, error) if 2 * sigma**2 > 1 else math.nan
            ),
        ),
    ),
)


def transition(p: Tensor, proposal: Tensor) -> Tensor:
    """Of the flows p_i Q_ij and p_j Q_ji the larger is accepted as often as
    it takes to equal the smaller; a rejection stays."""
    flow = p[:, None] * proposal  # (K, 1) * (K, K): p_i stands in row i
    move = torch.minimum(flow, flow.T) / p[:, None]
    return move + (1 - move.sum(1)).diag()


def accepted(p: Tensor, proposal: Tensor) -> Tensor:
    """A mistake: the moves alone, without the rejections that stay."""
    flow = p[:, None] * proposal  # (K, 1) * (K, K)
    return torch.minimum(flow, flow.T) / p[:, None]


def uncorrected(p: Tensor, proposal: Tensor) -> Tensor:
    """A mistake: accepts with min(1, p_j / p_i), as if Q_ij were Q_ji."""
    ratio = p / p[:, None]  # (K,) over (K, 1): p_j / p_i in row i
    move = proposal * ratio.clamp(max=1)
    return move + (1 - move.sum(1)).diag()


P = torch.tensor([0.125, 0.5, 0.375]).double()
PROPOSAL = torch.tensor([[0, 0.75, 0.25], [0.5, 0, 0.5], [0.5, 0.25, 0.25]]).double()
TRANSITION = Exercise(
    name="monte.6",
    solution=transition,
    inputs=(
        (P, PROPOSAL),
        (P, (1 - torch.eye(3).double()) / 2),
    ),
    meaning="The chain keeps p, whatever it proposes.",
    hint="Accept with min(1, p_j Q_ji / (p_i Q_ij)): what happens otherwise?",
    mistakes=(
        Mistake("A rejection repeats the state: rows sum to 1.", accepted),
        Mistake(
            "You propose until one is accepted: a rejection repeats the state.",
            lambda *given: normalize(accepted(*given), 1),
        ),
        Mistake("Q_ij is not Q_ji: the ratio has both.", uncorrected),
        Mistake("i is on axis 0.", lambda *given: transition(*given).T),
    ),
)

EXERCISES = (
    STANDARD_ERROR,
    IW_BOUND,
    ESS,
    POSTERIOR_MEAN,
    NUM_DRAWS,
    TRANSITION,
)
