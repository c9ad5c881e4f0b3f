"""What is asked for: models with a density, images, and memory that is bounded."""

import numpy as np
import pytest
import torch

from vaebook.autoencoder import Autoencoder
from vaebook.evaluation import (
    Mixture,
    PerImage,
    annealed_log_evidence,
    by_images,
    gap_ledger,
    images_of,
    mixture_log_evidence,
    with_density,
)

pytestmark = pytest.mark.usefixtures("one_thread")

HELD = 50_000


def test_model_with_a_density_comes_back_as_it_is(tiny, linear):
    for model in (tiny[0], linear[0]):
        assert with_density(model) is model


def test_autoencoder_is_refused_by_name(rng):
    model = Autoencoder(3, (4,), 2, rng=rng)
    message = "received Autoencoder, and without one there is no log p"
    with pytest.raises(TypeError, match=message):
        with_density(model)


def test_model_without_latents_is_refused(tiny):
    model, _ = tiny
    model.latent_dim = 0
    message = "model.latent_dim must be at least 1; received 0"
    with pytest.raises(ValueError, match=message):
        with_density(model)


def test_images_come_back_as_they_are(tiny):
    _, x = tiny
    assert images_of(x) is x


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(3), r"x must be \(N, D\).* received \(3,\)"),
        (torch.zeros(0, 3), r"at least one row and column; received \(0, 3\)"),
        (torch.tensor([[0.0, 1.0], [0.0, torch.nan]]), "x must be finite; row 1 is"),
        (torch.zeros(2, 3, dtype=torch.int64), "float type; received torch.int64"),
    ],
)
def test_what_is_no_table_of_images_is_refused(x, message):
    with pytest.raises(ValueError, match=message):
        images_of(x)


def recorded(sizes):
    """A function of two columns that writes down how many images it was given."""

    def evaluate(first, second):
        sizes.append(len(first))
        total = first.sum(-1) + second
        return total, torch.stack([second, 2 * second])

    return evaluate


@pytest.mark.parametrize(
    ("num_codes", "sizes"),
    [
        (1, [7]),
        (7_142, [7]),
        (7_143, [6, 1]),
        (16_667, [2, 2, 2, 1]),
        (25_000, [2, 2, 2, 1]),
        (25_001, [1] * 7),
        (50_000, [1] * 7),
        (900_000, [1] * 7),
    ],
)
def test_images_at_a_time_hold_fifty_thousand_codes_or_are_one(num_codes, sizes):
    found, x = [], torch.ones(7, 3)
    by_images(recorded(found), num_codes, x, torch.zeros(7))
    assert found == sizes
    assert all(size == 1 or size * num_codes <= HELD for size in found)


@pytest.mark.parametrize("num_codes", [1, 20_000, 50_000])
def test_answers_are_joined_in_the_order_of_the_images(rng, num_codes):
    x, y = torch.rand(7, 3, generator=rng), torch.rand(7, generator=rng)
    total, pair = by_images(recorded([]), num_codes, x, y)
    np.testing.assert_allclose(total, x.numpy().sum(1) + y.numpy(), rtol=1e-6)
    np.testing.assert_array_equal(pair, [y.numpy(), 2 * y.numpy()])


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        by_images(recorded([]), 50_000, torch.ones(7, 3), torch.ones(6))


def mixture(model, x, rng):
    """4000 draws of each image, from one Gaussian and the prior."""
    proposal = Mixture(torch.zeros(1, len(x), 1).to(x), torch.zeros(1, len(x), 1).to(x))
    return mixture_log_evidence(model, x, proposal, 4000, rng=rng)


def ledger(model, x, rng):
    """4000 draws of each image, three times."""
    evidence = PerImage(torch.zeros(len(x)), torch.zeros(len(x)))
    q = model.posterior(x)
    return gap_ledger(model, x, q, (evidence, evidence), num_samples=4000, rng=rng)


@pytest.mark.parametrize(("call", "most"), [(mixture, 24_000), (ledger, 48_000)])
def test_decoder_never_sees_more_codes_than_are_held(
    tiny, rng, call, most, largest_batch
):
    """Of 40 images 12 at a time; half of a mixture's draws are from the prior."""
    model, x = tiny
    x = x.repeat(5, 1)
    assert 4000 * len(x) > HELD >= most
    assert largest_batch(model, lambda: call(model, x, rng)) == most


def test_chains_are_held_for_some_images_at_a_time(
    tiny, rng, monkeypatch, largest_batch
):
    monkeypatch.setattr("vaebook.evaluation.requests.HELD", 40)
    model, x = tiny
    codes = largest_batch(model, lambda: annealed_log_evidence(model, x, 2, 8, rng=rng))
    assert codes == 40  # five of the eight images, eight chains each
