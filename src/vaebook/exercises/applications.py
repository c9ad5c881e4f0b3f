"""Exercises of chapter 12: applications."""

import math

import torch
from torch import Tensor

from vaebook.exercises.record import Exercise, Mistake


def one_draw() -> float:
    """Twice the squared error is 10 log10(2) dB less."""
    return 17.0 - 10 * math.log10(2)


ONE_DRAW = Exercise(
    name="applications.1",
    solution=one_draw,
    inputs=((),),
    meaning="Truth and draw are off the mean, both alike.",
    hint="By which factor is its squared error larger, and what is that in decibels?",
    mistakes=(
        Mistake(
            "That is the mean's own: a draw has the spread of the posterior on top.",
            lambda: 17.0,
        ),
        Mistake(
            "More error is fewer decibels: the difference has the other sign.",
            lambda: 17.0 + 10 * math.log10(2),
        ),
        Mistake(
            "Six decibels are twice the distance: the squared error is doubled here.",
            lambda: 17.0 - 20 * math.log10(2),
        ),
        Mistake(
            "Decibels are not halved: it is their mean squared error.", lambda: 8.5
        ),
    ),
    rtol=2e-3,  # 14.0 will do
)


def fit_squares(x: Tensor, y: Tensor, factor: int) -> Tensor:
    """Every pixel of a square moves by what its mean is short of y."""
    rows, columns = y.shape
    means = x.reshape(rows, factor, columns, factor).mean((1, 3))
    short = y - means
    step = short.repeat_interleave(factor, 0).repeat_interleave(factor, 1)
    return x + step


IMAGE = torch.tensor(
    [
        [0.1, 0.9, 0.4, 0.0],
        [0.3, 0.5, 0.8, 0.6],
        [0.0, 0.2, 1.0, 0.7],
        [0.4, 0.6, 0.5, 0.1],
    ]
).double()
SQUARES = torch.tensor([[0.2, 0.9], [0.5, 0.4]]).double()
FIT_SQUARES = Exercise(
    name="applications.2",
    solution=fit_squares,
    inputs=(
        (IMAGE, SQUARES, 2),
        (IMAGE, IMAGE.flip(0), 1),
        (IMAGE[:, :2], torch.tensor([[0.7], [0.1]]).double(), 2),
        (IMAGE, torch.tensor([[0.6]]).double(), 4),
    ),
    meaning="So a camera without noise is obeyed.",
    hint="By how much is the mean of a square too small? Who has to move, and how far?",
    mistakes=(
        Mistake(
            "The squares are evenly inked: what x said within them is to stay.",
            lambda x, y, factor: y.repeat_interleave(factor, 0).repeat_interleave(
                factor, 1
            ),
        ),
        Mistake(
            "Each pixel moves by 1/factor^2 of what is missing, and so does the mean.",
            lambda x, y, factor: x + (fit_squares(x, y, factor) - x) / factor**2,
        ),
        Mistake(
            "Scaling a square also gives it the right mean, but is not the nearest.",
            lambda x, y, factor: (
                x
                * (y / x.reshape(y.shape[0], factor, y.shape[1], factor).mean((1, 3)))
                .repeat_interleave(factor, 0)
                .repeat_interleave(factor, 1)
            ),
        ),
        Mistake(
            "It moves the wrong way: away from the measurement.",
            lambda x, y, factor: 2 * x - fit_squares(x, y, factor),
        ),
    ),
)


def accept(
    joint_new: Tensor, joint_old: Tensor, q_new: Tensor, q_old: Tensor
) -> Tensor:
    """The ratio as a difference of logs, cut at 0, then exponentiated."""
    gain = joint_new - joint_old + q_old - q_new
    return gain.clamp(max=0).exp()


JOINT_NEW = torch.tensor([-40.0, -35.0, -52.0, -41.0]).double()
JOINT_OLD = torch.tensor([-41.0, -38.0, -50.0, -40.5]).double()
Q_NEW = torch.tensor([2.0, 1.0, 3.0, 0.5]).double()
Q_OLD = torch.tensor([1.5, -3.0, 3.5, 0.8]).double()
ACCEPT = Exercise(
    name="applications.3",
    solution=accept,
    inputs=(
        (JOINT_NEW, JOINT_OLD, Q_NEW, Q_OLD),
        (JOINT_NEW - 1e4, JOINT_OLD - 1e4, Q_NEW + 1e4, Q_OLD + 1e4),
        (JOINT_NEW + 1e4, JOINT_OLD, Q_NEW, Q_OLD),
        (JOINT_NEW, JOINT_NEW, Q_NEW, Q_NEW),
    ),
    meaning="With an exact encoder it is always 1.",
    hint="Add and subtract the four logarithms first; exponentiate at the end.",
    mistakes=(
        Mistake(
            "The proposal is not corrected for: q belongs in the ratio.",
            lambda jn, jo, qn, qo: (jn - jo).clamp(max=0).exp(),
        ),
        Mistake(
            "q(z|x) and q(z'|x) have changed places.",
            lambda jn, jo, qn, qo: (jn - jo + qn - qo).clamp(max=0).exp(),
        ),
        Mistake(
            "A probability is at most 1: the minimum is missing.",
            lambda jn, jo, qn, qo: (jn - jo + qo - qn).exp(),
        ),
        Mistake(
            "This is its logarithm: exponentiate.",
            lambda jn, jo, qn, qo: (jn - jo + qo - qn).clamp(max=0),
        ),
        Mistake(
            "exp(-10000) is 0, and 0/0 is nothing: subtract the logarithms first.",
            lambda jn, jo, qn, qo: (jn.exp() * qo.exp() / (jo.exp() * qn.exp())).clamp(
                max=1
            ),
        ),
        Mistake(
            "Old and new have changed places: this accepts the way back.",
            lambda jn, jo, qn, qo: (jo - jn + qn - qo).clamp(max=0).exp(),
        ),
    ),
)


def completed(
    f: Tensor, weights: Tensor, y: Tensor, var: Tensor, sigma: float
) -> Tensor:
    """What is unexplained of y, carried back to the pixels."""
    spread = weights * var  # A R
    cov = spread @ weights.T + sigma**2 * torch.eye(len(y)).to(y)
    return f + spread.T @ torch.linalg.solve(cov, y - weights @ f)


MEAN = torch.tensor([0.2, 0.7, 0.5, 0.9]).double()
WEIGHTS = torch.tensor([[0.5, 0.5, 0.0, 0.0], [0.0, 0.3, 0.3, 0.4]]).double()
SEEN = torch.tensor([0.6, 0.4]).double()
VAR = torch.tensor([0.01, 0.03, 0.02, 0.05]).double()
COMPLETED = Exercise(
    name="applications.4",
    solution=completed,
    inputs=(
        (MEAN, WEIGHTS, SEEN, VAR, 0.1),
        (MEAN, WEIGHTS, SEEN, VAR, 0.0),
        (MEAN, WEIGHTS[:1], SEEN[:1], 20 * VAR, 1.0),
    ),
    meaning="Without noise it fits y exactly.",
    hint="V is what y - A f varies by: the pixels' own noise, and the camera's.",
    mistakes=(
        Mistake(
            "sigma is a standard deviation: V needs its square.",
            lambda f, weights, y, var, sigma: completed(f, weights, y, var, sigma**0.5),
        ),
        Mistake(
            "The decoder's variances are missing in front of A^T.",
            lambda f, weights, y, var, sigma: (
                f + (completed(f, weights, y, var, sigma) - f) / var
            ),
        ),
        Mistake(
            "The camera's noise is left out of V: y is believed too much.",
            lambda f, weights, y, var, sigma: completed(f, weights, y, var, 0.0),
        ),
        Mistake(
            "The pixels' noise is left out of V: it is not the camera's alone.",
            lambda f, weights, y, var, sigma: (
                f + (weights * var).T @ (y - weights @ f) / max(sigma**2, 1e-3)
            ),
        ),
        Mistake(
            "The residual has the wrong sign: it is y - A f.",
            lambda f, weights, y, var, sigma: (
                2 * f - completed(f, weights, y, var, sigma)
            ),
        ),
        Mistake(
            "f is missing: what you have is the correction alone.",
            lambda f, weights, y, var, sigma: completed(f, weights, y, var, sigma) - f,
        ),
    ),
)


def held(draws: Tensor, truth: Tensor) -> float:
    """Sort the draws of each pixel, and look between two of them."""
    line = draws.sort(0).values
    return ((line[1] < truth) & (truth < line[-2])).double().mean().item()


DRAWS = torch.randn(
    39, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64
)
TRUTH = torch.randn(40, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
HELD = Exercise(
    name="applications.5",
    solution=held,
    inputs=(
        (DRAWS, 1.9 * TRUTH),
        (0.5 * DRAWS + 1, 1 + TRUTH),
        (DRAWS.exp(), TRUTH.exp()),
    ),
    meaning="One more draw is held 36 times in 40.",
    hint="Sort along the draws, and count pixels, not images.",
    mistakes=(
        Mistake(
            "These are the smallest and the largest: the second of each was asked for.",
            lambda draws, truth: (
                ((draws.amin(0) < truth) & (truth < draws.amax(0)))
                .double()
                .mean()
                .item()
            ),
        ),
        Mistake(
            "Mean and 1.645 standard deviations hold nine in ten of a Gaussian only.",
            lambda draws, truth: (
                ((truth - draws.mean(0)).abs() < 1.645 * draws.std(0))
                .double()
                .mean()
                .item()
            ),
        ),
        Mistake(
            "This is the share outside.", lambda draws, truth: 1 - held(draws, truth)
        ),
        Mistake(
            "This is a number of pixels: divide by how many there are.",
            lambda draws, truth: held(draws, truth) * len(truth),
        ),
        Mistake(
            "All pixels are sorted together: each has draws of its own.",
            lambda draws, truth: held(draws.reshape(-1, 1), truth),
        ),
    ),
)


def won(ours: Tensor, theirs: Tensor) -> Tensor:
    """Mean and standard error of the differences, draw by draw."""
    gain = ours - theirs
    return torch.stack([gain.mean(), gain.std() / len(gain) ** 0.5])


OURS = torch.tensor([61.0, 72.5, 55.0, 68.0, 70.5, 59.0]).double()
THEIRS = torch.tensor([59.5, 70.0, 54.0, 64.5, 70.0, 55.0]).double()
WON = Exercise(
    name="applications.6",
    solution=won,
    inputs=(
        (OURS, THEIRS),
        (THEIRS, OURS[:1].expand(6) + THEIRS / 2),
        (OURS[:3], THEIRS[3:]),
    ),
    meaning="What both draws share, good labels or bad, cancels.",
    hint="Each draw of labels was given to both: what differs within a draw?",
    mistakes=(
        Mistake(
            "The two are paired: take the spread of the differences.",
            lambda ours, theirs: torch.stack(
                [
                    ours.mean() - theirs.mean(),
                    ((ours.var() + theirs.var()) / len(ours)) ** 0.5,
                ]
            ),
        ),
        Mistake(
            "That is the spread of one draw: a mean of P varies by 1/sqrt(P) of it.",
            lambda ours, theirs: torch.stack(
                [(ours - theirs).mean(), (ours - theirs).std()]
            ),
        ),
        Mistake(
            "The variance is from the mean of the same draws: divide by P - 1.",
            lambda ours, theirs: torch.stack(
                [
                    (ours - theirs).mean(),
                    (ours - theirs).std(correction=0) / len(ours) ** 0.5,
                ]
            ),
        ),
        Mistake(
            "Whose is subtracted? Asked is how far ours are above theirs.",
            lambda ours, theirs: won(theirs, ours),
        ),
    ),
)


def class_bound(bounds: Tensor, rho: Tensor) -> float:
    """Beliefs weigh the bounds, less their KL from equal shares."""
    kl = torch.special.xlogy(rho, rho * len(rho)).sum()
    return ((rho * bounds).sum() - kl).item()


BOUNDS = torch.tensor([-21.0, -18.5, -25.0, -19.0]).double()
RHO = torch.tensor([0.1, 0.6, 0.0, 0.3]).double()
CLASS_BOUND = Exercise(
    name="applications.7",
    solution=class_bound,
    inputs=(
        (BOUNDS, RHO),
        (BOUNDS, torch.tensor([0.0, 1.0, 0.0, 0.0]).double()),
        (BOUNDS[:2], torch.tensor([0.5, 0.5]).double()),
    ),
    meaning="All on one class costs the log of their number.",
    hint="What is the KL of one-hot beliefs from uniform ones? And what is 0 log 0?",
    mistakes=(
        Mistake(
            "The KL is subtracted.",
            lambda bounds, rho: (
                2 * (rho * bounds).sum().item() - class_bound(bounds, rho)
            ),
        ),
        Mistake(
            "0 log 0 is 0, its limit: torch.special.xlogy knows.",
            lambda bounds, rho: (rho * (bounds - (rho * len(rho)).log())).sum().item(),
        ),
        Mistake(
            "p(c) is missing: that of a class is one in C, not 1.",
            lambda bounds, rho: class_bound(bounds, rho) + math.log(len(rho)),
        ),
        Mistake(
            "The beliefs' cost is missing: their KL from p(c).",
            lambda bounds, rho: (rho * bounds).sum().item(),
        ),
    ),
)


def best_beliefs(bounds: Tensor) -> Tensor:
    """In proportion to p(c) exp L(x, c), as by Bayes' rule."""
    return bounds.softmax(0)


BEST_BELIEFS = Exercise(
    name="applications.8",
    solution=best_beliefs,
    inputs=(
        (BOUNDS,),
        (BOUNDS - 1000,),
        (torch.tensor([-3.0, -3.0, -4.0]).double(),),
    ),
    meaning="It is the E-step of chapter 3, on bounds.",
    hint="For which rho is sum rho (L - log rho) largest? See the E-step of EM.",
    mistakes=(
        Mistake(
            "All on the best class leaves the entropy of beliefs unused.",
            lambda bounds: torch.nn.functional.one_hot(
                bounds.argmax(), len(bounds)
            ).double(),
        ),
        Mistake(
            "Their exponentials underflow: subtract the largest bound first.",
            lambda bounds: bounds.exp() / bounds.exp().sum(),
        ),
        Mistake(
            "Shares of the bounds themselves: they are logarithms.",
            lambda bounds: bounds / bounds.sum(),
        ),
        Mistake(
            "These are logarithms of the beliefs: exponentiate.",
            lambda bounds: bounds.log_softmax(0),
        ),
    ),
)


def tells(counts: Tensor) -> float:
    """The KL of the joint shares from the product of their margins."""
    joint = counts / counts.sum()
    apart = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    full = joint > 0  # an empty cell adds 0
    return (joint[full] * (joint[full] / apart[full]).log()).sum().item()


COUNTS = torch.tensor([[30.0, 2.0, 0.0], [1.0, 25.0, 4.0], [0.0, 3.0, 35.0]]).double()
TELLS = Exercise(
    name="applications.9",
    solution=tells,
    inputs=(
        (COUNTS,),
        (COUNTS[:2] + 1,),
        (torch.tensor([[10.0, 20.0], [5.0, 10.0], [0.0, 0.0]]).double(),),
    ),
    meaning="Rows in proportion to one another tell nothing.",
    hint="It is a KL: of which table from which?",
    mistakes=(
        Mistake(
            "These are bits: take the natural logarithm.",
            lambda counts: tells(counts) / math.log(2),
        ),
        Mistake(
            "Counts are not shares: divide by their sum first.",
            lambda counts: (
                torch.special.xlogy(
                    counts,
                    counts / (counts.sum(1, keepdim=True) * counts.sum(0)),
                )
                .sum()
                .item()
            ),
        ),
        Mistake(
            "An empty cell adds 0, not nan.",
            lambda counts: (
                (
                    (counts / counts.sum())
                    * (
                        counts
                        * counts.sum()
                        / (counts.sum(1, keepdim=True) * counts.sum(0))
                    ).log()
                )
                .sum()
                .item()
            ),
        ),
        Mistake(
            "That is the entropy of the classes: the most that could be told.",
            lambda counts: (
                -torch.special.xlogy(
                    counts.sum(0) / counts.sum(), counts.sum(0) / counts.sum()
                )
                .sum()
                .item()
            ),
        ),
    ),
)

EXERCISES = (
    ONE_DRAW,
    FIT_SQUARES,
    ACCEPT,
    COMPLETED,
    HELD,
    WON,
    CLASS_BOUND,
    BEST_BELIEFS,
    TELLS,
)
