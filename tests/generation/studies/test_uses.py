"""The run behind the picture of the three uses, in seconds: what is packed into it."""

import pytest
import torch
from watched import watched_study

from vaebook.datasets import load_digits
from vaebook.generation.studies import uses as module
from vaebook.generation.studies.uses import BRIEF, REACH, SEEN, SHOWN, packed

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def watched():
    """A brief study: its pictures, and what its parts took and gave."""
    return watched_study(module, ("fit", "resampled", "answers"))


def test_both_models_learn_from_the_training_digits(watched):
    grey = load_digits(binarize=False).train.x
    flat, deep = (call.given for call in watched.fit)
    for model, size in ((flat, 2), (deep, 8)):
        assert torch.equal(model[1], grey) and model[0].latent_dim == size
        assert model[2].epochs == BRIEF.epochs


def test_the_map_has_a_place_for_each_test_digit(watched):
    x, y = load_digits().test
    model = watched.fit[0].given[0]
    with torch.no_grad():
        expected = model.posterior(x).mu.clamp(-REACH, REACH)
    found = torch.tensor(list(bytes.fromhex(watched.pictures["map.places"])))
    places = found.view(-1, 2) / 255 * 2 * REACH - REACH
    assert (places - expected).abs().max() <= REACH / 255 + 1e-6
    assert list(bytes.fromhex(watched.pictures["map.classes"])) == y.tolist()


def test_answers_are_to_what_was_seen(watched):
    x = load_digits().test.x[list(SHOWN)]
    (task, number, kept), _, _ = watched.resampled[0]
    assert (number, kept) == (BRIEF.num_blind, 4)
    places = torch.arange(64).view(8, 8)[::2, ::2].flatten().tolist()
    assert SEEN.flatten().nonzero().flatten().tolist() == places
    assert torch.equal(task.y, x[:, SEEN.flatten()])
    found = watched.answers[0].found
    assert found.shape == (len(SHOWN), 4, 64)
    seen = SEEN.flatten()
    assert torch.equal(found[..., seen], x[:, None, seen].expand(-1, 4, -1))
    assert watched.pictures["answers"] == packed(found)
    assert watched.pictures["true"] == packed(x)


def test_shares_are_packed_to_the_nearest_byte():
    shares = torch.tensor([0.0, 1.0, 0.5, 0.3, 1.7, -1.0])
    assert list(bytes.fromhex(packed(shares))) == [0, 255, 128, 76, 255, 0]
