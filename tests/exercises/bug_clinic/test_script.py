"""The healthy script against the book's own training, and repeated."""

import pytest
import torch

from vaebook.datasets import load_digits
from vaebook.exercises.bug_clinic import Script, run
from vaebook.training import Settings, fit
from vaebook.vae import VAE

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_healthy_script_is_the_model_of_the_book():
    """The book's own training on the same nets comes out at the same bound, nearly."""
    digits = load_digits()
    plain = run(Script(), digits.train.x, seed=0, epochs=20)
    rng = torch.Generator().manual_seed(0)
    book = VAE(64, (64,), 4, rng=rng)
    settings = Settings(epochs=20, batch_size=50, learning_rate=3e-3)
    fit(book, digits.train.x, settings, rng=rng)
    bounds = [
        model.elbo_terms(digits.validation.x, 50, rng=rng).elbo.mean().item()
        for model in (plain.model, book)
    ]
    assert abs(bounds[0] - bounds[1]) < 1.0
    assert plain.losses[-1] < plain.losses[0] - 5


def test_a_script_says_of_itself_what_the_book_says():
    digits = load_digits()
    plain = run(Script(), digits.train.x, seed=1, epochs=10)
    rng = torch.Generator().manual_seed(0)
    bound = plain.model.elbo_terms(digits.train.x, 20, rng=rng).elbo.mean().item()
    assert plain.losses[-1].item() == pytest.approx(-bound, abs=0.5)


def test_a_script_repeats_itself():
    x = load_digits().train.x[:100]
    first, again, other = (run(Script(), x, seed=s, epochs=2) for s in (0, 0, 1))
    assert torch.equal(first.losses, again.losses)
    assert not torch.equal(first.losses, other.losses)
