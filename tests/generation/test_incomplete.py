"""A bound on the seen pixels: a sum over them, and blind to the others."""

import itertools

import numpy as np
import pytest
import torch
from scipy import integrate, special, stats

from vaebook.generation import IncompleteVAE
from vaebook.training import Settings, fit
from vaebook.variational import gaussian_kl


@pytest.fixture
def model():
    return IncompleteVAE(5, (4,), 1, rng=torch.Generator().manual_seed(0)).double()


def incomplete(seed=0, num=3):
    noise = np.random.default_rng(seed)
    draw = noise.integers(0, 2, (2, num, 5)).astype(float)
    return torch.from_numpy(draw[0]), torch.from_numpy(draw[1])


def rng(seed=1):
    return torch.Generator().manual_seed(seed)


@pytest.mark.equation(
    "eq-generation-incomplete", against="scipy.stats", body="e9c85174"
)
def test_the_bound_is_of_the_seen_pixels(model):
    x, seen = incomplete()
    mu, log_var = (v.detach() for v in model.posterior(x, seen))
    eps = torch.empty(3, 1).double().normal_(generator=rng())
    logits = model.decoder(mu + torch.exp(0.5 * log_var) * eps).detach().numpy()
    each = stats.bernoulli(special.expit(logits)).logpmf(x.numpy())
    expected = [
        sum(v for v, m in zip(row, mask, strict=True) if m)
        for row, mask in zip(each, seen, strict=True)
    ]
    found = model.elbo_terms(x, seen, rng=rng())
    np.testing.assert_allclose(found.expected_log_lik.detach(), expected, rtol=1e-9)
    torch.testing.assert_close(found.kl.detach(), gaussian_kl(mu, log_var))


@pytest.mark.equation(
    "eq-generation-incomplete", against="quadrature over the code", body="e9c85174"
)
def test_the_bound_is_below_log_p_of_the_seen_pixels(model):
    x, seen = incomplete(1)
    found = torch.stack(
        [model.elbo_terms(x, seen, rng=rng(s)).elbo.detach() for s in range(2000)]
    )
    for row in range(3):

        def joint(z, row=row):
            logits = model.decoder(torch.tensor([[z]]).double()).detach().numpy()[0]
            each = stats.bernoulli(special.expit(logits)).logpmf(x[row].numpy())
            return stats.norm.pdf(z) * np.exp((each * seen[row].numpy()).sum())

        log_p = np.log(integrate.quad(joint, -8, 8)[0])
        error = found[:, row].std() / 2000**0.5
        assert found[:, row].mean() < log_p + 5 * error


def test_the_encoder_reads_seen_pixels_and_beside_them_the_mask(model, monkeypatch):
    x, seen = incomplete(3)
    read = []
    monkeypatch.setattr(
        model.encoder, "forward", lambda both: read.append(both) or (x[:, :1],) * 2
    )
    model.posterior(x, seen)
    assert torch.equal(read[0][:, :5], torch.where(seen > 0, x, 0))
    assert torch.equal(read[0][:, 5:], seen)


def test_what_is_hidden_has_no_part(model):
    x, seen = incomplete(2)
    other = torch.where(seen > 0, x, 1 - x)
    assert not torch.equal(x, other)
    for one, two in zip(
        model.elbo_terms(x, seen, rng=rng()),
        model.elbo_terms(other, seen, rng=rng()),
        strict=True,
    ):
        torch.testing.assert_close(one, two)


def test_an_image_of_which_nothing_is_seen_is_known_to_be_hidden(model):
    """Black pixels and missing ones differ: the encoder is told."""
    x = torch.zeros(1, 5).double()
    hidden, black = model.posterior(x, 0 * x), model.posterior(x)
    assert not torch.allclose(hidden.mu, black.mu)


def test_whole_images_are_scored_as_by_any_vae(model):
    x, _ = incomplete(3)
    whole = model.elbo_terms(x, torch.ones_like(x), rng=rng())
    torch.testing.assert_close(model.elbo_terms(x, rng=rng()).elbo, whole.elbo)
    assert model.log_evidence(x, 50, rng=rng()).value.shape == (3,)


def test_it_trains_on_pairs_of_pixels_and_masks(model):
    _, seen = incomplete(4, num=40)
    x = torch.ones(40, 5).double()
    before = model.elbo_terms(x, seen, rng=rng()).elbo.mean()
    fit(model, (x, seen), Settings(epochs=200, batch_size=20), rng=rng())
    assert model.elbo_terms(x, seen, rng=rng()).elbo.mean() > before + 1


def test_a_mask_of_another_shape_is_refused(model):
    x, seen = incomplete(5)
    with pytest.raises(ValueError, match="x and seen must have one shape"):
        model.elbo_terms(x, seen[:2], rng=rng())


@pytest.mark.equation(
    "eq-generation-ignorable",
    against="a sum over all images of three pixels",
    body="8b9b68f2",
)
@pytest.mark.parametrize("depends_on_hidden", [False, True])
def test_holes_can_be_ignored_if_they_depend_on_what_is_seen(depends_on_hidden):
    """The first pixel is always seen; the others are lost with a chance that depends
    on it, or on themselves."""
    noise = np.random.default_rng(7)
    p_x = noise.dirichlet(np.ones(8)).reshape(2, 2, 2)
    chance = noise.uniform(
        0.2, 0.8, size=2
    )  # of being lost, by the pixel it depends on

    def p_mask(lost, x):
        by = x if depends_on_hidden else (x[0],) * 3
        parts = [chance[by[d]] if lost[d] else 1 - chance[by[d]] for d in (1, 2)]
        return parts[0] * parts[1]

    apart = []
    for first, last in itertools.product((0, 1), repeat=2):  # the middle one is lost
        whole = [(first, middle, last) for middle in (0, 1)]
        joint = sum(p_x[x] * p_mask((0, 1, 0), x) for x in whole)
        p_seen = sum(p_x[x] for x in whole)
        of_mask = p_mask((0, 1, 0), (first, 0, last))
        apart.append(np.log(joint) - np.log(of_mask) - np.log(p_seen))
    if depends_on_hidden:
        assert np.abs(apart).min() > 1e-3
    else:
        np.testing.assert_allclose(apart, 0, atol=1e-12)
