"""The explorers, made as the chapters make them."""

from functools import cache, partial

import torch
from scipy import stats
from sklearn.datasets import load_iris
from torch.distributions import Normal

from vaebook.autoencoder import Autoencoder
from vaebook.bayes import LinearGaussian, standard_gaussian
from vaebook.datasets import disturb, load_digits
from vaebook.explore import (
    EllipseExplorer,
    EmStepper,
    GradientRace,
    LatentExplorer,
    LatentPads,
    LedgerExplorer,
    LikelihoodExplorer,
    PosteriorExplorer,
    ProposalExplorer,
    RestorationExplorer,
    SamplerRace,
    SpectrumExplorer,
    explore,
)
from vaebook.training import Settings, fit
from vaebook.vae import VAE, GaussianVAE


def briefly_trained(latent_dim, epochs=25, kind=VAE):
    """A model of the bundled digits, in a second or two."""
    rng, x = torch.Generator().manual_seed(0), load_digits().train.x
    model = kind(64, (64,), latent_dim, rng=rng)
    adam = torch.optim.Adam(model.parameters(), 5e-3)
    for batch in (b for _ in range(epochs) for b in x.split(100)):
        adam.zero_grad()
        (-model.elbo_terms(batch, rng=rng).elbo.mean()).backward()
        adam.step()
    return model


@cache
def model_of(latent_dim):
    return briefly_trained(latent_dim)


@cache
def trained_autoencoder():
    return briefly_trained(2, kind=Autoencoder)


def make_latent(latent_dim=2, **options):
    test = load_digits().test
    noise = torch.Generator().manual_seed(1)
    return LatentExplorer(model_of(latent_dim), *test, rng=noise, **options)


def draw_line(ax, slope):
    ax.plot([-1, 1], [-slope, slope])
    ax.set(ylim=(-3, 3))


def make_frames(**options):
    given = {"alt": lambda slope: f"A line of slope {slope}", "slope": (-2, 2, 1)}
    return explore(draw_line, **(given | options))


def make_surface(**options):
    return LikelihoodExplorer(torch.from_numpy(load_iris().data[:, 2]), **options)


def petals():
    return torch.from_numpy(load_iris().data[:, 2:4])


GOOD = [[1.9, 0.4], [4.6, 1.5]]


def make_stepper(start=GOOD, **options):
    return EmStepper(petals(), torch.tensor(start, dtype=torch.float64), **options)


def make_ellipse(target="banana", **options):
    return EllipseExplorer(target, **options)


def versicolor():
    x = torch.from_numpy(load_iris().data[50:100, 2])
    return x[torch.randperm(50, generator=torch.Generator().manual_seed(0))]


def make_posterior(prior=(4.0, 1.0), **options):
    given = {"sigma": 0.47, "num_seen": 5} | options
    return PosteriorExplorer(versicolor(), prior=prior, **given)


def make_ledger(**options):
    test = load_digits().test
    rows = [int((test.y == k).nonzero()[0]) for k in (1, 4, 5)]
    given = {"rng": torch.Generator().manual_seed(2)} | options
    return LedgerExplorer(model_of(2), test.x[rows], test.y[rows], **given)


def make_pads(models=None, **options):
    models = models or {"autoencoder": trained_autoencoder(), "VAE": model_of(2)}
    noise = torch.Generator().manual_seed(4)
    return LatentPads(models, *load_digits().test, rng=noise, **options)


def make_spectrum(**options):
    digits = load_digits(binarize=False)
    return SpectrumExplorer(digits.train.x, digits.test.x, **options)


PROPOSALS = {"wide": (1, 1), "narrow": (1, 0.3), "the prior": (0, 1)}


def log_weights(latent_dim=1, num_draws=10_000, num_runs=5):
    """Of draws of each proposal, for x = 2 = z + noise in each of L coordinates."""
    eye, zero = torch.eye(latent_dim).double(), torch.zeros(latent_dim).double()
    model = LinearGaussian(standard_gaussian(latent_dim), eye, zero, zero + 1)
    rng = torch.Generator().manual_seed(0)
    found = {}
    for name, (mean, sd) in PROPOSALS.items():
        z = mean + sd * torch.randn(
            num_draws, num_runs, latent_dim, generator=rng, dtype=torch.float64
        )
        log_q = Normal(mean, sd).log_prob(z).sum(-1)
        found[name] = model.log_joint(zero[None] + 2, z) - log_q
    return found


def make_race(latent_dim=1, **options):
    truth = latent_dim * stats.norm.logpdf(2, scale=2**0.5)
    return SamplerRace(log_weights(latent_dim), truth, **options)


def make_proposal(*start, seed=0, **options):
    return ProposalExplorer(*start, rng=torch.Generator().manual_seed(seed), **options)


def make_gradients(theta=1.0, batch=1, baseline="none", target="square", **options):
    given = {"theta": theta, "batch": batch, "baseline": baseline, "target": target}
    return GradientRace(**given, **options)


@cache
def grey_model():
    """A model of the grey digits, in two seconds or so."""
    rng = torch.Generator().manual_seed(0)
    model = GaussianVAE(64, (64,), 6, per_pixel=True, rng=rng)
    to_pixels = partial(disturb, noise=0.08)
    fit(model, grey_digits().train.x, Settings(epochs=60, to_pixels=to_pixels), rng=rng)
    return model


def grey_digits():
    return load_digits(binarize=False)


def make_restoration(num=5, model=None, **options):
    test = grey_digits().test
    given = {"rng": torch.Generator().manual_seed(3)} | options
    model = model or grey_model()
    return RestorationExplorer(model, test.x[:num], test.y[:num], **given)
