"""Exercises of chapter 3: expectation-maximisation."""

import torch
from torch import Tensor
from torch.distributions import Binomial
from torch.nn.functional import one_hot

from vaebook.exercises.record import Exercise, Mistake


def resp(x: float, weights: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    """The joint p(k) p(x|k), divided by its sum over k, which is p(x)."""
    joint = weights / sigma * (-0.5 * ((x - mu) / sigma) ** 2).exp()
    return joint / joint.sum()


MU = torch.tensor([0.0, 2.0]).double()
WEIGHTS = torch.tensor([0.8, 0.2]).double()
SIGMA = torch.tensor([1.0, 3.0]).double()
OTHER_WEIGHTS = torch.tensor([0.25, 0.75]).double()
OTHER_SIGMA = torch.tensor([0.8, 0.2]).double()
RESPONSIBILITIES = Exercise(
    name="em.1",
    solution=resp,
    inputs=(
        (1.5, WEIGHTS, MU, SIGMA),
        (1.0, OTHER_WEIGHTS, MU, OTHER_SIGMA),
    ),
    meaning="A point belongs to each component in part.",
    hint="By Bayes' rule: weights[k] times the density of x under k, over their sum.",
    mistakes=(
        Mistake(
            "The weights are left out: they are the prior p(k).",
            lambda x, weights, mu, sigma: resp(x, torch.ones_like(weights), mu, sigma),
        ),
        Mistake(
            "1 / sigma is left out: a wider Gaussian is a lower one.",
            lambda x, weights, mu, sigma: resp(x, weights * sigma, mu, sigma),
        ),
        Mistake(
            "This is a label: a responsibility is a probability.",
            lambda *given: resp(*given).round(),
        ),
    ),
)


def log_resp(log_joint: Tensor) -> Tensor:
    """log p(k|x) = log p(x, k) - log p(x); logsumexp takes out the largest
    term before it exponentiates, so that not all of them underflow."""
    log_p_x = torch.logsumexp(log_joint, 1, keepdim=True)  # (N, 1)
    return log_joint - log_p_x


LOG_JOINT = torch.tensor([[-1.0, -3.0], [-2.0, -1.5], [-0.5, -4.0]]).double()
LOG_RESP = Exercise(
    name="em.2",
    solution=log_resp,
    inputs=(
        (LOG_JOINT,),
        (LOG_JOINT - 2000,),
        (900 * LOG_JOINT,),
    ),
    meaning="Each row's exp sums to 1, however far the point.",
    hint="Subtract log p(x), the logsumexp of each row; no exp alone.",
    mistakes=(
        Mistake(
            "exp(-2000) is 0 in floating point: use logsumexp.",
            lambda log_joint: log_joint - log_joint.exp().sum(1, keepdim=True).log(),
        ),
        Mistake(
            "0 / 0 is nan: exp(-2000) is 0 in floating point. Stay in logs.",
            lambda log_joint: (
                log_joint.exp() / log_joint.exp().sum(1, keepdim=True)
            ).log(),
        ),
        Mistake(
            "Small ones underflow before the log.",
            lambda log_joint: log_joint.softmax(1).log(),
        ),
        Mistake(
            "The components are on axis 1.",
            lambda log_joint: log_joint.log_softmax(0),
        ),
        Mistake(
            "Subtract logsumexp, not max.",
            lambda log_joint: log_joint - log_joint.amax(1, keepdim=True),
        ),
        Mistake("Their logs are asked for.", lambda log_joint: log_joint.softmax(1)),
    ),
)


def new_mu(x: Tensor, resp: Tensor) -> Tensor:
    """Each row is a mean of the examples, weighted with one component's
    responsibilities: so their sum divides."""
    return resp.T @ x / resp.sum(0)[:, None]  # (K, D) over (K, 1)


X = torch.tensor([[1, 0, 2], [3, 1, 0], [2, 2, 5], [0, 4, 1]]).double()
RESP = torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.5, 0.5]]).double()
NEW_MU = Exercise(
    name="em.3",
    solution=new_mu,
    inputs=(
        (X, RESP),
        (X - 3, RESP.flip(1)),
    ),
    meaning="Every example counts in every mean, in part.",
    hint="Sum resp[n, k] x[n] over n, and divide by the sum of resp[n, k] over n.",
    mistakes=(
        Mistake(
            "Divide by sum_n resp[n, k], not N.",
            lambda x, resp: resp.T @ x / len(x),
        ),
        Mistake(
            "This is a sum: divide by that of resp over n.",
            lambda x, resp: resp.T @ x,
        ),
        Mistake(
            "You give each example to one component, as k-means does.",
            lambda x, resp: new_mu(x, one_hot(resp.argmax(1)).double()),
        ),
        Mistake("The shape is (K, D).", lambda x, resp: new_mu(x, resp).T),
    ),
)


def bound(log_joint: Tensor, q: Tensor) -> Tensor:
    """The mean of log p(x, k) under q plus q's entropy; xlogy knows that
    0 log 0 is 0."""
    return (q * log_joint - torch.xlogy(q, q)).sum(1)


Q = torch.tensor([[0.5, 0.5], [0.1, 0.9], [1.0, 0.0]]).double()
BOUND = Exercise(
    name="em.4",
    solution=bound,
    inputs=(
        (LOG_JOINT[:2], Q[:2]),
        (LOG_JOINT, Q),
        (LOG_JOINT, LOG_JOINT.softmax(1)),
    ),
    meaning="It is log p(x) where q is p(k|x), less elsewhere.",
    hint="E_q[log p(x, k) - log q(k)]: what if q[n, k] is 0? torch.xlogy knows.",
    mistakes=(
        Mistake(
            "The entropy of q is missing.",
            lambda log_joint, q: (q * log_joint).sum(1),
        ),
        Mistake(
            "The sign of q log q: the entropy is added, and is not negative.",
            lambda log_joint, q: (q * log_joint + torch.xlogy(q, q)).sum(1),
        ),
        Mistake(
            "0 log 0 is nan in floating point; here it is 0.",
            lambda log_joint, q: (q * (log_joint - q.log())).sum(1),
        ),
        Mistake(
            "This is log p(x), whatever q is.",
            lambda log_joint, q: log_joint.logsumexp(1),
        ),
    ),
)


def new_probs(x: Tensor, resp: Tensor) -> Tensor:
    """The expected counts are resp.T @ x ones among resp.sum(0) images;
    Beta(2, 2) adds a one and a zero."""
    ones = resp.T @ x  # (K, D)
    images = resp.sum(0)[:, None]  # (K, 1)
    return (ones + 1) / (images + 2)


IMAGES = torch.tensor([[1, 0, 0], [1, 1, 0], [0, 1, 0], [1, 1, 0]]).double()
NEW_PROBS = Exercise(
    name="em.5",
    solution=new_probs,
    inputs=(
        (IMAGES, RESP),
        (1 - IMAGES, RESP.flip(1)),
    ),
    meaning="No pixel is impossible, lit or not.",
    hint="It is the mode of a Beta, whose counts are weighted with resp.",
    mistakes=(
        Mistake("The prior is missing: it adds a one and a zero.", new_mu),
        Mistake(
            "This is the posterior's mean: its mode adds 1 and 2, not 2 and 4.",
            lambda x, resp: (resp.T @ x + 2) / (resp.sum(0)[:, None] + 4),
        ),
        Mistake(
            "You divide by N + 2: the component has sum_n resp[n, k] images.",
            lambda x, resp: (resp.T @ x + 1) / (len(x) + 2),
        ),
    ),
)


def em_step(heads: Tensor, tosses: Tensor, biases: Tensor) -> Tensor:
    """heads log b + tails log(1 - b) is a matrix product; its softmax is
    resp, since equal weights and binomial coefficients cancel."""
    counts = torch.stack([heads, tosses - heads], 1)  # (N, 2)
    log_probs = torch.stack([biases, 1 - biases]).log()  # (2, K)
    resp = (counts @ log_probs).softmax(1)  # (N, K)
    return (heads @ resp) / (tosses @ resp)


def mean_share(heads: Tensor, tosses: Tensor, biases: Tensor) -> Tensor:
    """A mistake: each set's share of heads counts as much as any other's."""
    coin = Binomial(tosses[:, None], biases)  # (N, 1) and (K,): (N, K)
    resp = coin.log_prob(heads[:, None]).softmax(1)
    share = (heads / tosses)[:, None]  # (N, 1)
    return new_mu(share, resp)[:, 0]


HEADS = torch.tensor([5, 9, 8, 4, 7]).double()  # Do & Batzoglou 2008
TENS = torch.full((5,), 10.0).double()
TOSSES = torch.tensor([20, 10, 12, 6, 8]).double()
BIASES = torch.tensor([0.6, 0.5]).double()


EM_STEP = Exercise(
    name="em.6",
    solution=em_step,
    inputs=(
        (HEADS, TENS, BIASES),
        (HEADS, TOSSES, BIASES.sqrt()),
    ),
    meaning="Repeat it, and the likelihood never falls.",
    hint="log p(heads, k) is heads log b + tails log(1 - b), up to what cancels.",
    mistakes=(
        Mistake(
            "You give each set to the likelier coin: share it out instead.",
            # a million times the tosses leave no doubt which coin it was
            lambda heads, tosses, biases: em_step(1e6 * heads, 1e6 * tosses, biases),
        ),
        Mistake("A set of more tosses counts for more: add heads.", mean_share),
        Mistake(
            "Your coins become one: the responsibilities depend on the old biases.",
            lambda heads, tosses, biases: (heads.sum() / tosses.sum()).expand(
                len(biases)
            ),
        ),
    ),
)

EXERCISES = (
    RESPONSIBILITIES,
    LOG_RESP,
    NEW_MU,
    BOUND,
    NEW_PROBS,
    EM_STEP,
)
