"""A VAE told of some classes: its bound class by class, and what it climbs."""

import numpy as np
import pytest
import torch
from scipy import special
from torch.nn.functional import one_hot

from vaebook.applications import SemiSupervisedVAE, semi_supervised_objective
from vaebook.training import Settings, fit

CLASSES = 3


@pytest.fixture
def model():
    rng = torch.Generator().manual_seed(0)
    return SemiSupervisedVAE(6, (5,), 2, CLASSES, rng=rng).double()


@pytest.fixture
def x():
    noise = np.random.default_rng(0)
    return torch.from_numpy(noise.integers(0, 2, (4, 6)).astype(float))


TOLD = torch.tensor([[0, 1, 0], [0, 0, 0], [0, 0, 0], [1, 0, 0]]).double()


def rng(seed=1):
    return torch.Generator().manual_seed(seed)


def of_each_class(model, x):
    """L(x, y) of every class, by the conditional model alone, with the same noise."""
    noise = rng()
    eps = torch.empty(CLASSES * len(x), 2).double().normal_(generator=noise)
    bounds = []
    for c, part in enumerate(eps.split(len(x))):
        y = one_hot(torch.tensor([c]), CLASSES).double()
        terms = model.conditional.given(y).terms_at_noise(x, part)
        bounds.append(terms.elbo)
    return torch.stack(bounds).detach().numpy()  # (C, N)


def believed(model, x):
    return special.softmax(model.classifier(x).detach().numpy(), axis=1).T


@pytest.mark.equation(
    "eq-applications-semi-supervised", against="a sum over classes", body="d65af92f"
)
def test_the_bound_without_a_label_sums_over_classes(model, x):
    each, q = of_each_class(model, x), believed(model, x)
    expected = (q * (each + np.log(1 / CLASSES) - np.log(q))).sum(0)
    found = model.elbo_terms(x, torch.zeros(4, CLASSES).double(), rng=rng())
    np.testing.assert_allclose(found.elbo.detach(), expected, rtol=1e-10)


@pytest.mark.equation(
    "eq-applications-semi-supervised", against="log p(y) + L(x, y)", body="d65af92f"
)
def test_a_told_class_is_the_only_one(model, x):
    each, q = of_each_class(model, x), believed(model, x)
    found = model.elbo_terms(x, TOLD, rng=rng()).elbo.detach()
    untold = (q * (each + np.log(1 / CLASSES) - np.log(q))).sum(0)
    for row, c in ((0, 1), (3, 0)):
        expected = each[c, row] + np.log(1 / CLASSES)
        assert found[row].item() == pytest.approx(expected, rel=1e-10)
    np.testing.assert_allclose(found[1:3], untold[1:3], rtol=1e-10)


def test_no_belief_gives_more_than_the_sum_of_the_classes(model, x):
    """sum r (L - log r) <= log sum exp L, with equality at r in proportion to exp L."""
    each = of_each_class(model, x)
    most = special.logsumexp(each, axis=0) - np.log(CLASSES)
    nothing = torch.zeros(4, CLASSES).double()
    found = model.elbo_terms(x, nothing, rng=rng()).elbo.detach().numpy()
    assert (found < most).all()
    best = torch.from_numpy(special.softmax(each, axis=0).T)
    model.class_log_probs = lambda x: best.log()
    exact = model.elbo_terms(x, nothing, rng=rng()).elbo.detach().numpy()
    np.testing.assert_allclose(exact, most, rtol=1e-10)


@pytest.mark.equation(
    "eq-applications-semi-supervised-objective",
    against="log-softmax by scipy",
    body="f23743c5",
)
def test_told_labels_are_climbed_by_the_classifier(model, x):
    given = semi_supervised_objective(model, x, TOLD, alpha=2.5, rng=rng())
    log_q = special.log_softmax(model.classifier(x).detach().numpy(), axis=1)
    expected = 2.5 * np.array([log_q[0, 1], 0, 0, log_q[3, 0]])
    extra = (given.climbed - given.terms.elbo).detach()
    np.testing.assert_allclose(extra, expected, rtol=1e-10)
    alone = model.elbo_terms(x, TOLD, rng=rng())
    torch.testing.assert_close(given.terms.elbo, alone.elbo)


def test_a_certain_classifier_has_finite_gradients(model, x):
    with torch.no_grad():
        model.classifier[-1].bias.copy_(torch.tensor([4000.0, 0.0, -4000.0]))
    given = semi_supervised_objective(model, x, 0 * TOLD, alpha=1.0, rng=rng())
    given.climbed.sum().backward()
    assert all(w.grad.isfinite().all() for w in model.parameters())


def test_few_labels_name_the_groups_that_the_images_form():
    """Two kinds of images, one label each: the rest follows from the images."""
    noise = np.random.default_rng(3)
    kind = torch.from_numpy(noise.integers(0, 2, 200))
    prototypes = torch.tensor([[0.95, 0.95, 0.95, 0.05, 0.05, 0.05]] * 2)
    prototypes[1] = 1 - prototypes[1]
    x = (torch.from_numpy(noise.random((200, 6))) < prototypes[kind]).float()
    y = torch.zeros(200, 2)
    for c in (0, 1):
        y[(kind == c).nonzero()[0], c] = 1
    model = SemiSupervisedVAE(6, (16,), 1, 2, rng=rng(4))
    settings = Settings(
        epochs=60,
        batch_size=50,
        objective=lambda *given, rng: semi_supervised_objective(
            *given, alpha=10.0, rng=rng
        ),
    )
    fit(model, (x, y), settings, rng=rng(5))
    named = model.class_log_probs(x).argmax(1)
    assert (named == kind).double().mean() > 0.95


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (torch.zeros(3, CLASSES), r"y must be of shape \(4, 3\); received \(3, 3\)"),
        (-TOLD, "y must not be negative"),
    ],
)
def test_labels_that_are_none_are_refused(model, x, y, said):
    with pytest.raises(ValueError, match=said):
        model.elbo_terms(x, y, rng=rng())
