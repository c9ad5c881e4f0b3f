"""What training and scoring ask of a model is what the protocols say, and no more."""

import pytest
import torch
from torch import nn

from vaebook.autoencoder import Autoencoder
from vaebook.protocols import Scorable, Trainable
from vaebook.training import Settings, fit
from vaebook.vae import VAE, ConditionalVAE, GaussianVAE
from vaebook.variational import ElboTerms


def models():
    rng = torch.Generator().manual_seed(0)
    made = {kind: kind(4, (3,), 2, rng=rng) for kind in (VAE, GaussianVAE, Autoencoder)}
    return made | {ConditionalVAE: ConditionalVAE(4, (3,), 2, 5, rng=rng)}


@pytest.mark.parametrize("kind", models())
def test_every_model_of_the_book_can_be_trained(kind):
    assert isinstance(models()[kind], Trainable)


@pytest.mark.parametrize("kind", [VAE, GaussianVAE])
def test_a_model_with_a_likelihood_can_be_scored(kind):
    assert isinstance(models()[kind], Scorable)


def test_a_model_that_is_told_labels_is_scored_once_they_are_given():
    told = models()[ConditionalVAE]
    assert not isinstance(told, Scorable)
    assert isinstance(told.given(torch.zeros(1, 5)), Scorable)


def test_an_autoencoder_has_no_evidence():
    assert not isinstance(models()[Autoencoder], Scorable)


def test_a_net_without_a_bound_cannot_be_trained():
    assert not isinstance(nn.Linear(2, 2), Trainable)


class Bare:
    """No module: one weight, and the four names of the protocol."""

    def __init__(self):
        self.w = nn.Parameter(torch.zeros(()).double())

    def elbo_terms(self, x, *, rng):
        return ElboTerms(-(x[:, 0] - self.w).square(), 0 * x[:, 0])

    def parameters(self):
        return iter([self.w])

    def named_parameters(self):
        return iter([("w", self.w)])

    def state_dict(self):
        return {"w": self.w.detach()}


def test_what_the_protocol_names_is_enough_to_train_and_to_resume(rng, tmp_path):
    x = torch.full((40, 1), 3.0).double()
    settings = Settings(
        epochs=60,
        batch_size=20,
        learning_rate=0.1,
        weight_decay=0.0,
        checkpoint=tmp_path / "bare.safetensors",
    )
    model = Bare()
    assert isinstance(model, Trainable)
    fit(model, x, settings, rng=rng)
    assert model.w.item() == pytest.approx(3.0, abs=0.05)
    resumed = Bare()
    fit(resumed, x, settings, rng=rng)
    assert torch.equal(resumed.w, model.w)
