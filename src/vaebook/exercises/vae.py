"""Exercises of chapter 10: the variational autoencoder."""

import math

import torch
from torch import Tensor

from vaebook.exercises.record import Exercise, Mistake
from vaebook.likelihood import bernoulli_log_prob
from vaebook.variational import gaussian_kl


def kl(mu: float, sigma: float) -> float:
    """E_q[log q(z) - log p(z)], with E_q[(z - mu)^2] = sigma^2 in log q
    and E_q[z^2] = mu^2 + sigma^2 in log p; the log 2 pi cancel."""
    return 0.5 * (mu**2 + sigma**2 - 1 - math.log(sigma**2))


KL = Exercise(
    name="vae.1",
    solution=kl,
    inputs=(
        (1.0, 2.0),
        (0.0, 1.0),
        (-0.5, 0.3),
        (2.0, 0.05),
    ),
    meaning="It is 0 at the prior alone, positive elsewhere.",
    hint="Average log q(z) - log p(z) under q, with E_q[z^2] = mu^2 + sigma^2.",
    mistakes=(
        Mistake(
            "Sigma stands where sigma^2 should: the formula has the variance.",
            lambda mu, sigma: 0.5 * (mu**2 + sigma - 1 - math.log(sigma)),
        ),
        Mistake(
            "The logarithm is of the variance: log sigma^2 = 2 log sigma.",
            lambda mu, sigma: 0.5 * (mu**2 + sigma**2 - 1 - math.log(sigma)),
        ),
        Mistake(
            "Your value is twice the expected one: is the factor 1/2 there?",
            lambda mu, sigma: 2 * kl(mu, sigma),
        ),
        Mistake(
            "Your value is minus the expected one: a KL is never negative.",
            lambda mu, sigma: -kl(mu, sigma),
        ),
        Mistake(
            "Sigma is read as a log-variance; here it is a standard deviation.",
            lambda mu, sigma: 0.5 * (mu**2 + math.exp(sigma) - 1 - sigma),
        ),
    ),
)


def log_prob_of_coin_flips() -> float:
    """A logit of 0 is a probability of 1/2; 64 of them multiply."""
    return 64 * math.log(1 / 2)


COIN_FLIPS = Exercise(
    name="vae.2",
    solution=log_prob_of_coin_flips,
    inputs=((),),
    meaning="It is what coin flips score: a model must beat it.",
    hint="A logit of 0 is a probability of 1/2, and the 64 pixels are independent.",
    mistakes=(
        Mistake("This is in bits: a nat takes the natural log.", lambda: -64.0),
        Mistake(
            "The sign: the logarithm of a probability below 1 is negative.",
            lambda: 64 * math.log(2),
        ),
        Mistake(
            "This is one pixel's: an image has 64, and their logarithms add.",
            lambda: math.log(1 / 2),
        ),
    ),
    rtol=1e-3,  # four digits typed by hand will do
)


def log_evidence(log_w: Tensor) -> Tensor:
    """log (1/S) sum_s w_s of each image; logsumexp takes out the largest
    log-weight before it exponentiates, so not all of them underflow."""
    return torch.logsumexp(log_w, dim=0) - math.log(log_w.shape[0])


LOG_W = torch.tensor([[-1.0, -3.0], [-2.0, -1.5], [-0.5, -4.0]]).double()
FAR_APART = LOG_W + torch.tensor([-20.0, -2000.0])  # (S, N) + (N,)
LOG_EVIDENCE = Exercise(
    name="vae.3",
    solution=log_evidence,
    inputs=(
        (LOG_W,),
        (LOG_W - 2000,),
        (FAR_APART,),
    ),
    meaning="Weights are averaged, not logs, and none is lost.",
    hint="It is log (1/S) sum_s exp(log_w[s]); torch.logsumexp keeps it finite.",
    mistakes=(
        Mistake(
            "The mean of the log-weights is the ELBO: the log goes outside the mean.",
            lambda log_w: log_w.mean(0),
        ),
        Mistake(
            "Your value is too large by log S: a mean divides the sum by S.",
            lambda log_w: log_w.logsumexp(0),
        ),
        Mistake(
            "Your mean runs over the images: the S draws are on axis 0.",
            lambda log_w: log_w.logsumexp(1) - math.log(log_w.shape[1]),
        ),
        Mistake(
            "exp(-2000) is 0 in floating point: use logsumexp.",
            lambda log_w: log_w.exp().mean(0).log(),
        ),
    ),
)


def loss(x: Tensor, logits: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    """Minus the ELBO: each term is summed over its last axis already,
    so that the one mean left is the mean over images."""
    return (gaussian_kl(mu, log_var) - bernoulli_log_prob(x, logits)).mean()


X = torch.tensor([[1, 0, 1, 1], [0, 0, 1, 0], [1, 1, 0, 0]]).double()
LOGITS = torch.tensor([[2, -1, 1, 1], [1, 0, 3, -2], [1, 1, -1, -1]]).double()
MU = torch.tensor([[0.5, -1.0], [0.0, 2.0], [1.5, 0.5]]).double()
LOG_VAR = torch.tensor([[0.25, 0.5], [1.0, 0.125], [0.5, 0.75]]).double()
LOSS = Exercise(
    name="vae.4",
    solution=loss,
    inputs=(
        (X, LOGITS, MU, LOG_VAR),
        (X, 60 * LOGITS, MU, LOG_VAR - 1),
    ),
    meaning="Sum over pixels and latents, mean over images.",
    hint="bernoulli_log_prob and gaussian_kl give one number an image; mind the signs.",
    mistakes=(
        Mistake(
            "Your log-likelihood is averaged over pixels: the ELBO has their sum.",
            lambda x, logits, mu, log_var: (
                gaussian_kl(mu, log_var) - bernoulli_log_prob(x, logits) / x.shape[1]
            ).mean(),
        ),
        Mistake(
            "Your value is summed over the images: take their mean.",
            lambda x, *rest: loss(x, *rest) * len(x),
        ),
        Mistake(
            "The KL has the wrong sign: the ELBO subtracts it, so the loss adds it.",
            lambda x, logits, mu, log_var: (
                loss(x, logits, mu, log_var) - 2 * gaussian_kl(mu, log_var).mean()
            ),
        ),
        Mistake(
            "log_var is used as a variance: the variance is exp(log_var).",
            lambda x, logits, mu, log_var: loss(x, logits, mu, log_var.log()),
        ),
        Mistake(
            "This is the ELBO itself: a loss is made small, so it is minus the ELBO.",
            lambda *terms: -loss(*terms),
        ),
        Mistake(
            "log(sigmoid) is lost far from 0: keep the logits, with softplus.",
            lambda x, logits, *rest: loss(x, logits.sigmoid().logit(), *rest),
        ),
    ),
)


def best_sigma(x: Tensor, x_hat: Tensor) -> float:
    """The derivative of -N D log sigma - sum (x - x_hat)^2 / (2 sigma^2) is
    zero where sigma^2 is the mean squared residual over N D pixels."""
    return (x - x_hat).square().mean().sqrt().item()


IMAGES = torch.tensor([[0.2, 0.9], [0.5, 0.1], [0.8, 0.4]]).double()
MEANS = torch.tensor([[0.4, 0.5], [0.1, 0.2], [0.7, 0.0]]).double()
BEST_SIGMA = Exercise(
    name="vae.5",
    solution=best_sigma,
    inputs=(
        (IMAGES, MEANS),
        (IMAGES.T, 0.5 * MEANS.T),
    ),
    meaning="It is the root mean square of the residuals.",
    hint="Differentiate -N D log sigma - sum (x - x_hat)^2 / (2 sigma^2) in sigma.",
    mistakes=(
        Mistake(
            "This is the variance: its square root is asked for.",
            lambda x, x_hat: best_sigma(x, x_hat) ** 2,
        ),
        Mistake(
            "The squares are summed over pixels: take their mean over pixels too.",
            lambda x, x_hat: best_sigma(x, x_hat) * math.sqrt(x.shape[1]),
        ),
        Mistake(
            "You divide by N D - 1, but no mean was fitted here: divide by N D.",
            lambda x, x_hat: best_sigma(x, x_hat) / math.sqrt(1 - 1 / x.numel()),
        ),
        Mistake(
            "std takes the residuals' mean away first: the mean is x_hat already.",
            lambda x, x_hat: (x - x_hat).std().item(),
        ),
    ),
)

EXERCISES = (
    KL,
    COIN_FLIPS,
    LOG_EVIDENCE,
    LOSS,
    BEST_SIGMA,
)
