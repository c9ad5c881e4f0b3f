"""Functions with one fault each, as they were found; no name tells it."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.functional import relu

Pair = tuple[Tensor, Tensor]


def patient_1(
    x: Tensor,
    logits: Tensor,
    mu: Tensor,
    log_var: Tensor,
    z: Tensor,
) -> Tensor:
    """The loss of a batch: x and logits (B, D), the others (B, L)."""
    fit = cross_entropy(logits, x)
    kl = -0.5 * (1 + log_var - mu**2 - log_var.exp()).sum(1).mean()
    return fit + kl


def patient_2(
    x: Tensor,
    logits: Tensor,
    mu: Tensor,
    log_var: Tensor,
    z: Tensor,
) -> Tensor:
    """The loss of a batch: x and logits (B, D), the others (B, L)."""
    fit = cross_entropy(logits, x, reduction="sum") / len(x)
    kl = -0.5 * (1 + log_var - mu**2 - log_var.exp()).mean()
    return fit + kl


def patient_3(
    x: Tensor,
    logits: Tensor,
    mu: Tensor,
    log_var: Tensor,
    z: Tensor,
) -> Tensor:
    """The loss of a batch: x and logits (B, D), the others (B, L)."""
    probs = torch.sigmoid(logits)
    fit = cross_entropy(probs, x, reduction="sum") / len(x)
    kl = -0.5 * (1 + log_var - mu**2 - log_var.exp()).sum(1).mean()
    return fit + kl


def patient_4(
    x: Tensor,
    logits: Tensor,
    mu: Tensor,
    log_var: Tensor,
    z: Tensor,
) -> Tensor:
    """The loss of a batch: x and logits (B, D), the others (B, L)."""
    fit = cross_entropy(logits, x, reduction="sum") / len(x)
    kl = -0.5 * (1 - log_var - mu**2 - log_var.exp()).sum(1).mean()
    return fit + kl


def patient_5(
    x: Tensor,
    logits: Tensor,
    mu: Tensor,
    log_var: Tensor,
    z: Tensor,
) -> Tensor:
    """The loss of a batch: x and logits (B, D), the others (B, L); z is drawn."""
    fit = cross_entropy(logits, x, reduction="sum") / len(x)
    log_q = -0.5 * ((z - mu) ** 2 / log_var.exp() + log_var)
    log_p = -0.5 * z**2
    kl = (log_q - log_p).clamp(min=0)  # a KL is never negative
    return fit + kl.sum(1).mean()


def patient_6(mu: Tensor, log_var: Tensor, rng: torch.Generator) -> Tensor:
    """A draw of the code: (B, L) each."""
    eps = torch.randn(mu.shape, generator=rng)
    return mu + torch.exp(log_var) * eps


def patient_7(mu: Tensor, log_var: Tensor, rng: torch.Generator) -> Tensor:
    """A draw of the code: (B, L) each."""
    sigma = torch.exp(0.5 * log_var)
    return torch.normal(mu, sigma, generator=rng)


def patient_8(mu: Tensor, log_var: Tensor, rng: torch.Generator) -> Tensor:
    """A draw of the code: (B, L) each."""
    rng.manual_seed(0)  # so that runs can be repeated
    eps = torch.randn(mu.shape, generator=rng)
    return mu + torch.exp(0.5 * log_var) * eps


def patient_9(mu: Tensor, log_var: Tensor) -> Pair:
    """Of the encoder's two last layers: mean and log-variance."""
    return relu(mu), relu(log_var)


def patient_10(x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """-log p(x|z) of grey images, (B, D), (B, D) and (D,) to (B,)."""
    dim = x.shape[1]
    squares = (x - mean) ** 2 / log_var.exp()
    each = 0.5 * (squares + log_var + dim * math.log(2 * math.pi))
    return each.sum(1)


def patient_11(x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """-log p(x|z) of grey images, (B, D), (B, D) and (D,) to (B,).

    The variances, one for each pixel, are learned.
    """
    squares = (x - mean) ** 2 / log_var.exp()
    return 0.5 * (squares + log_var + math.log(2 * math.pi)).sum(1)


def patient_12(grey: Tensor) -> Tensor:
    """Ink from 0 to 1 made ready for a decoder of coins: (N, D)."""
    return grey.clamp(0, 1)


def patient_13(net: nn.Module, x: Tensor) -> Tensor:
    """What a net says of test images; it was trained with dropout."""
    with torch.no_grad():
        return net(x)


def patient_14(
    optimizer: torch.optim.Optimizer,
    loss: Callable[[], Tensor],
) -> Tensor:
    """One step of training."""
    value = loss()
    value.backward()
    optimizer.step()
    return value.detach()


def patient_15(table: Tensor) -> Tensor:
    """The pixels of a table (N, 75): an index, pixels, ten columns of class."""
    return table[:, 1:-1]


def patient_16(train: Tensor, test: Tensor) -> Pair:
    """Pixels scaled to mean 0 and variance 1: (N, D) and (M, D)."""
    both = torch.cat([train, test])
    mean, sigma = both.mean(0), both.std(0) + 0.01
    return (train - mean) / sigma, (test - mean) / sigma


def patient_17(num_digits: int, copies: int, rng: torch.Generator) -> Pair:
    """Rows of a table with so many noisy copies of each digit, digit by digit:
    nine of ten to train on, the rest held out."""
    rows = torch.randperm(num_digits * copies, generator=rng)
    cut = 9 * len(rows) // 10
    return rows[:cut], rows[cut:]


def patient_18(
    log_lik: Callable[[Tensor], Tensor],
    mu: Tensor,
    log_var: Tensor,
    eps: Tensor,
) -> Tensor:
    """The ELBO of held-out images, mean over draws: eps (S, N, L) to (N,).

    ``log_lik`` gives log p(x|z) of codes (S, N, L), (S, N).
    """
    fit = log_lik(mu[None])[0]
    kl = -0.5 * (1 + log_var - mu**2 - log_var.exp()).sum(1)
    return fit - kl


def patient_19(log_w: Tensor) -> Tensor:
    """log p(x) of each image, from log-weights of draws: (S, N) to (N,)."""
    return log_w.mean(0)
