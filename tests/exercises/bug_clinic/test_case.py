"""Cases of the bug clinic against scipy, numpy and scikit-learn, and which test of the
book turns red."""

import shutil
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from scipy import special, stats
from sklearn.model_selection import GroupShuffleSplit
from torch.distributions import Bernoulli, Normal, kl_divergence

from vaebook.exercises.bug_clinic import EXERCISES
from vaebook.exercises.judge import verdict
from vaebook.variational import gaussian_kl


def by_distributions(x, logits, mu, log_var, z):
    fit = Bernoulli(logits=logits).log_prob(x).sum() / len(x)
    q = Normal(mu, (log_var / 2).exp())
    return kl_divergence(q, Normal(0.0, 1.0)).sum(1).mean() - fit


def by_densities(x, logits, mu, log_var, z):
    chances = special.log_expit(np.where(x > 0, logits, -logits))
    sigma = np.exp(log_var.numpy() / 2)
    apart = stats.norm(mu, sigma).logpdf(z) - stats.norm.logpdf(z)
    return torch.tensor(np.mean(apart.sum(1) - chances.sum(1)))


def by_one_formula(mu, log_var, rng):
    eps = torch.empty(mu.shape, dtype=torch.float32).normal_(generator=rng)
    return torch.addcmul(mu, log_var.exp().sqrt(), eps.to(mu))


def as_they_are(mu, log_var):
    return [mu + 0, log_var + 0]


def by_scipy(x, mean, log_var):
    sigma = np.exp(log_var.numpy() / 2)
    return torch.from_numpy(-stats.norm(mean, sigma).logpdf(x).sum(1))


def by_scipy_with_a_floor(x, mean, log_var):
    sigma = np.maximum(np.exp(log_var.numpy() / 2), 1 / 16)
    return torch.from_numpy(-stats.norm(mean, sigma).logpdf(x).sum(1))


def by_comparison(grey):
    return torch.from_numpy(np.where(grey.numpy() < 0.5, 0.0, 1.0))


def by_hand(net, x):
    """Running statistics in place of the batch's, or nothing dropped; no mode set."""
    first, last = net
    if isinstance(first, torch.nn.Dropout):
        return x.clone()
    normal = (x - first.running_mean) / (first.running_var + first.eps).sqrt()
    return (normal @ last.weight.T + last.bias).detach()


def by_autograd(optimizer, loss):
    weights = optimizer.param_groups[0]["params"]
    slopes = torch.autograd.grad(loss(), weights)
    with torch.no_grad():
        for weight, slope in zip(weights, slopes, strict=True):
            weight -= optimizer.param_groups[0]["lr"] * slope
    return loss().detach()


def by_columns(table):
    kept = np.delete(table.numpy(), [0, *range(65, 75)], axis=1)
    return torch.from_numpy(kept)


def by_numpy(train, test):
    mean = train.numpy().mean(0)
    sigma = train.numpy().std(0, ddof=1) + 0.01
    return tuple(torch.from_numpy((v.numpy() - mean) / sigma) for v in (train, test))


def by_groups(num_digits, copies, rng):
    digits = np.repeat(np.arange(num_digits), copies)
    division = GroupShuffleSplit(1, test_size=0.1, random_state=0)
    train, held_out = next(division.split(digits, groups=digits))
    return torch.from_numpy(train), torch.from_numpy(held_out)


def by_loops(log_lik, mu, log_var, eps):
    sigma = np.exp(log_var.numpy() / 2)
    found = []
    for n in range(len(mu)):
        fits = [log_lik(mu[n] + torch.from_numpy(sigma[n]) * e[n]) for e in eps]
        kl = gaussian_kl(mu[n], log_var[n])
        found.append(sum(fits) / len(fits) - kl)
    return torch.stack(found)


def by_logsumexp(log_w):
    return torch.from_numpy(special.logsumexp(log_w, axis=0, b=1 / len(log_w)))


ORACLES = {
    "bug_clinic.1": by_distributions,
    "bug_clinic.2": by_distributions,
    "bug_clinic.3": by_distributions,
    "bug_clinic.4": by_distributions,
    "bug_clinic.5": by_densities,
    "bug_clinic.6": by_one_formula,
    "bug_clinic.7": by_one_formula,
    "bug_clinic.8": by_one_formula,
    "bug_clinic.9": as_they_are,
    "bug_clinic.10": by_scipy,
    "bug_clinic.11": by_scipy_with_a_floor,
    "bug_clinic.12": by_comparison,
    "bug_clinic.13": by_hand,
    "bug_clinic.14": by_autograd,
    "bug_clinic.15": by_columns,
    "bug_clinic.16": by_numpy,
    "bug_clinic.17": by_groups,
    "bug_clinic.18": by_loops,
    "bug_clinic.19": by_logsumexp,
}
ROOT = Path(__file__).parents[3]
QUICKLY = "-q", "-n", "0", "-p", "no:cacheprovider"
FORKED = get_context("forkserver")
PRELOADED = [
    "_pytest.config",
    "torch",
    "scipy.stats",
    "sklearn.mixture",
    "matplotlib.pyplot",
    "myst_nb.sphinx_ext",
    "playwright.sync_api",
    "axe_playwright_python.sync_playwright",
]


class Plant(NamedTuple):
    """The fault of a case in the library: a file, its text and the faulty one."""

    file: str
    old: str
    new: str


DIVERGENCES, BUNDLED = "variational/divergences.py", "datasets/bundled.py"
PATHWISE, MODEL = "reparameterization/pathwise.py", "vae/model.py"
PLANTS = [  # in the order of the cases
    Plant("likelihood.py", "threshold=40)).sum(-1)", "threshold=40)).mean(-1)"),
    Plant(
        DIVERGENCES,
        "gaussian_kl_per_latent(mu, log_var).sum(-1)",
        "gaussian_kl_per_latent(mu, log_var).mean(-1)",
    ),
    Plant(
        MODEL,
        "return bernoulli_log_prob(x, self.decoder(z))",
        "return bernoulli_log_prob(x, torch.sigmoid(self.decoder(z)))",
    ),
    Plant(
        DIVERGENCES,
        "torch.expm1(log_var) - log_var)",
        "torch.expm1(log_var) + log_var)",
    ),
    Plant(
        "evaluation/priors.py",
        "log_ratio = gaussian_log_prob(z, *q) - self.code_log_prob(z)",
        "log_ratio = (gaussian_log_prob(z, *q) - self.code_log_prob(z)).clamp(min=0)",
    ),
    Plant(
        PATHWISE,
        "return mu + torch.exp(0.5 * log_var) * eps",
        "return mu + torch.exp(log_var) * eps",
    ),
    Plant(
        PATHWISE,
        "return mu + torch.exp(0.5 * log_var) * eps",
        "return torch.normal(mu, torch.exp(0.5 * log_var).expand(eps.shape))",
    ),
    Plant(
        PATHWISE,
        "    return torch.randn(shape, generator=rng",
        "    rng.manual_seed(0)\n    return torch.randn(shape, generator=rng",
    ),
    Plant(
        "autoencoder.py",
        "mu, log_var = self.net(x).chunk(2, dim=-1)",
        "mu, log_var = self.net(x).relu().chunk(2, dim=-1)",
    ),
    Plant(
        "likelihood.py",
        "(LOG_2PI + log_var + squared)",
        "(x.shape[-1] * LOG_2PI + log_var + squared)",
    ),
    Plant(
        "em/mixtures.py",
        "if prior is None:  # which would keep every width above zero",
        "if False:",
    ),
    Plant(BUNDLED, "(ink >= 8).float() if binarize", "(ink / 16) if binarize"),
    Plant("training/loop.py", "    model.eval()\n", ""),
    Plant("training/step.py", "    state.optimizer.zero_grad()\n", ""),
    Plant(
        BUNDLED,
        "    rows = slice(0, 1000)",
        "    x = torch.cat([x, torch.eye(10)[y, :9]], 1)\n    rows = slice(0, 1000)",
    ),
    Plant(
        "applications/studies/representation.py",
        "fit_scaling(parts[0])",
        "fit_scaling(torch.cat(parts))",
    ),
    Plant(BUNDLED, "slice(1000, 1350)", "slice(900, 1350)"),
    Plant(MODEL, "z = reparameterize(*q, eps)", "z = reparameterize(*q, 0 * eps)"),
    Plant(
        "monte_carlo/importance.py",
        "return torch.logsumexp(log_w, dim) - math.log(_number(log_w, dim))",
        "return log_w.mean(dim)",
    ),
]
each_case = pytest.mark.parametrize("case", EXERCISES, ids=lambda case: case.name)


@each_case
def test_the_patient_is_rejected_and_so_is_a_non_fix(case):
    assert case.mistakes[0].answer is case.patient
    assert len(case.mistakes) >= 2
    for mistake in case.mistakes:
        found = " ".join(verdict(case, mistake.answer).split())
        assert found.startswith(f"{case.name}: not yet")
        assert mistake.advice in found


@pytest.fixture
def copy(tmp_path):
    """The library and its tests in a folder of their own, with what is compiled."""
    for part in ("src", "tests", "chapters"):
        shutil.copytree(ROOT / part, tmp_path / part)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def outcomes_in(folder, *tests):
    """What a new process finds by running tests there: sets of outcomes by name.

    It is forked from one that has loaded what is not the book's: it starts at once.
    """
    report = folder / "report.xml"
    where = f"--rootdir={folder}", f"--config-file={folder / 'pyproject.toml'}"
    how = "-o", "pythonpath=src tests", f"--junitxml={report}", *QUICKLY
    paths = [str(folder / test) for test in tests]
    FORKED.set_forkserver_preload(PRELOADED)
    process = FORKED.Process(target=pytest.main, args=([*where, *how, *paths],))
    process.start()
    process.join()
    found = {}
    for test in ElementTree.parse(report).iter("testcase"):
        kinds = {part.tag for part in test if part.tag in ("failure", "error")}
        name = test.get("name").partition("[")[0]
        found[name] = found.get(name, set()) | (kinds or {"passed"})
    return found


@pytest.mark.parametrize(
    ("case", "plant"),
    list(zip(EXERCISES, PLANTS, strict=True)),
    ids=[case.name for case in EXERCISES],
)
def test_the_named_test_turns_red_with_the_fault_in_the_library(case, plant, copy):
    file = copy / "src" / "vaebook" / plant.file
    text = file.read_text("utf-8")
    assert text.count(plant.old) == 1
    file.write_text(text.replace(plant.old, plant.new), "utf-8")
    name = case.caught_by.partition("::")[2]
    outcomes = outcomes_in(copy, case.caught_by)
    assert set(outcomes) == {name}
    assert "failure" in outcomes[name] and "error" not in outcomes[name]


def test_the_named_tests_are_green_without_a_fault(copy):
    outcomes = outcomes_in(copy, *{case.caught_by: None for case in EXERCISES})
    names = {case.caught_by.partition("::")[2] for case in EXERCISES}
    assert outcomes == {name: {"passed"} for name in names}
