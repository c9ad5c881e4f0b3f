"""The loop: its step against arithmetic by hand, its promises, its refusals."""

import math
from dataclasses import replace
from functools import partial
from itertools import islice

import pytest
import torch
from safetensors.torch import load_file
from scipy import optimize, stats
from torch import nn
from training.small import QUIET, Line, make_vae

from vaebook.datasets import load_digits
from vaebook.map_estimation import gaussian_log_prior
from vaebook.training import (
    NonFiniteLossError,
    Settings,
    fit,
    run,
)
from vaebook.vae import VAE
from vaebook.variational import ElboTerms

pytestmark = pytest.mark.usefixtures("one_thread")


def test_training_climbs_the_elbo():
    model, rng = make_vae()
    x = load_digits(binarize=True).train.x
    history = fit(model, x, replace(QUIET, epochs=8), rng=rng)
    assert history[-1].elbo > history[0].elbo + 3
    assert all(epoch.kl >= 0 for epoch in history)
    assert math.isnan(history[0].validation_elbo)


@pytest.mark.equation(
    "eq-vae-minibatch",
    against="the mean over all rows, from every batch of an epoch",
    body="fb743eab",
)
def test_an_epoch_visits_each_row_once_in_a_new_order(rng):
    """So the batch means average to the mean of the whole set: no row counts twice."""
    model, x = Line(), torch.arange(60.0).double()[:, None]
    settings = replace(QUIET, batch_size=20, learning_rate=0.0, weight_decay=0.0)
    history = fit(model, x, settings, rng=rng)
    first, second = torch.cat(model.seen[:3]), torch.cat(model.seen[3:])
    assert torch.equal(first.sort(0).values, x)
    assert torch.equal(second.sort(0).values, x)
    assert not torch.equal(first, second)
    assert history[0].expected_log_lik == pytest.approx(0.5 * x.mean().item())


def test_nets_are_in_training_mode_only_while_they_train(rng):
    """Dropout and the like: on for a batch, off for the validation set."""
    model, modes = Line(), []
    terms = model.elbo_terms

    def watched(x, *, rng):
        modes.append((len(x), model.training))
        return terms(x, rng=rng)

    model.elbo_terms = watched
    x = torch.randn(60, 3, dtype=torch.float64)
    fit(model, x, replace(QUIET, batch_size=20), validation=x[:7], rng=rng)
    assert modes == 2 * (3 * [(20, True)] + [(7, False)])
    assert model.training


def test_a_part_that_its_owner_put_at_rest_stays_so(rng):
    model = Line()
    model.frozen = nn.Dropout().eval()
    x = torch.randn(20, 3, dtype=torch.float64)
    fit(model, x, replace(QUIET, batch_size=20), validation=x[:7], rng=rng)
    assert model.training and not model.frozen.training


def test_a_short_last_batch_is_left_out(rng):
    model = Line()
    fit(model, torch.ones(55, 1).double(), replace(QUIET, batch_size=20), rng=rng)
    assert [len(x) for x in model.seen] == [20, 20, 20, 20]


def test_rate_falls_along_half_a_cosine(rng, monkeypatch):
    rates = []
    monkeypatch.setattr(
        "vaebook.training.loop.train_step",
        lambda state, *_: rates.append(state.optimizer.param_groups[0]["lr"]) or (0, 0),
    )
    settings = Settings(epochs=2, batch_size=10, learning_rate=1.0, progress=False)
    fit(Line(), torch.ones(20, 1).double(), settings, rng=rng)
    expected = [(1 + math.cos(math.pi * done)) / 2 for done in (0, 0.25, 0.5, 0.75)]
    assert rates == pytest.approx(expected)


def test_same_seed_same_weights_bit_for_bit():
    x = load_digits(binarize=True).train.x
    finals = []
    for seed in (0, 0, 1):
        model, rng = make_vae(seed)
        fit(model, x, QUIET, rng=rng)
        finals.append(nn.utils.parameters_to_vector(model.parameters()))
    assert torch.equal(finals[0], finals[1])
    assert not torch.equal(finals[0], finals[2])


def test_pixels_are_made_from_rows_batch_by_batch(rng):
    model = Line()
    settings = replace(QUIET, to_pixels=lambda rows, rng: rows + 7, batch_size=20)
    fit(model, torch.zeros(20, 1).double(), settings, rng=rng)
    assert all((x == 7).all() for x in model.seen)


def test_kl_weight_sees_the_share_done(rng):
    seen = []
    settings = replace(QUIET, kl_weight=lambda done: seen.append(done) or 0.5)
    fit(Line(), torch.ones(100, 1).double(), settings, rng=rng)
    assert seen == [0.0, 0.25, 0.5, 0.75]


def test_validation_is_recorded_and_never_trained_on(rng):
    model, x = Line(), torch.ones(50, 1).double()
    history = fit(model, x, QUIET, rng=rng, validation=torch.full((3, 1), 9.0).double())
    assert len(model.seen) == 4
    assert history[1].validation_elbo == pytest.approx(
        9 * model.w.item() - model.w.item() ** 2
    )


@pytest.mark.parametrize(
    ("poison", "named"), [("x", "the pixels"), ("weight", "expected_log_lik and kl")]
)
def test_a_loss_that_is_not_finite_says_where_and_what_to_try(poison, named):
    model, rng = make_vae()
    x = load_digits(binarize=True).train.x
    if poison == "x":
        x[900, 3] = math.nan
    else:
        nn.init.constant_(model.encoder.net[0].weight, math.inf)
    before = [w.clone() for w in model.decoder.parameters()]
    with pytest.raises(NonFiniteLossError) as error:
        fit(model, x, replace(QUIET, batch_size=1000, progress=False), rng=rng)
    message = str(error.value)
    assert message.startswith("epoch 1, step 1: ")
    assert named in message
    assert "Try a lower learning_rate" in message
    after = model.decoder.parameters()
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_too_few_rows_is_an_error(rng):
    with pytest.raises(ValueError, match="a batch of 50 rows; received 3"):
        fit(Line(), torch.ones(3, 1).double(), QUIET, rng=rng)


def test_an_image_without_a_label_is_an_error(rng):
    pairs = torch.ones(50, 1), torch.ones(49, 1)
    with pytest.raises(ValueError, match=r"one label; received \[50, 49\] rows"):
        fit(Line(), pairs, QUIET, rng=rng)


def test_run_yields_as_it_goes(rng):
    model = Line()
    epochs = run(model, torch.ones(50, 1).double(), QUIET, rng=rng)
    next(epochs)
    assert len(model.seen) == 1


def test_progress_bar_counts_the_epochs(rng, capsys):
    fit(Line(), torch.ones(50, 1).double(), replace(QUIET, progress=True), rng=rng)
    assert "2/2" in capsys.readouterr().out


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_are_set_for_the_steps_and_restored(rng, threads):
    before, seen = torch.get_num_threads(), []
    settings = replace(QUIET, threads=threads)
    settings = replace(
        settings,
        to_pixels=lambda rows, rng: seen.append(torch.get_num_threads()) or rows,
    )
    fit(Line(), torch.ones(50, 1).double(), settings, rng=rng)
    assert seen == [threads] * 2
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(("given", "weight"), [(None, 1.0), (0.5, 0.5), (4.0, 4.0)])
def test_fit_passes_the_kl_weight_to_the_step(rng, given, weight, monkeypatch):
    """One step of plain gradient descent on the line: w + rate (mean x - 2 c w)."""
    monkeypatch.setattr(
        "vaebook.training.loop.make_optimizer",
        lambda model, settings: torch.optim.SGD(model.parameters(), lr=0.1),
    )
    model = Line()
    settings = Settings(epochs=1, batch_size=10, learning_rate=0.1)
    if given is not None:
        settings = replace(settings, kl_weight=lambda done: given)
    fit(model, torch.full((10, 1), 3.0).double(), settings, rng=rng)
    assert model.w.item() == pytest.approx(0.5 + 0.1 * (3.0 - weight))


def test_validation_is_the_mean_over_its_rows(rng):
    model = Line()
    seen = torch.tensor([[1.0], [5.0], [9.0]]).double()
    history = fit(model, torch.ones(50, 1).double(), QUIET, rng=rng, validation=seen)
    w = model.w.item()
    assert history[-1].validation_elbo == pytest.approx(5 * w - w**2)


@pytest.mark.equation(
    "eq-vae-weight-prior",
    against="scipy's minimisation of the whole loss",
    body="ef72898a",
)
def test_fitted_weight_is_the_maximum_of_bound_and_prior(rng):
    tau, n = 0.2, 60
    x = torch.linspace(0, 6, n).double()[:, None]

    def loss(w):
        elbos = w * x.numpy() - w**2
        return -(elbos.sum() + stats.norm.logpdf(w, 0, tau)) / n

    best = optimize.minimize_scalar(loss, bracket=(0, 1), tol=1e-10).x
    without = x.mean().item() / 2
    assert abs(best - without) > 0.1
    settings = Settings(
        epochs=400,
        batch_size=n,
        learning_rate=0.05,
        weight_decay=0.0,
        log_prior=lambda model: gaussian_log_prior(model.parameters(), tau) / n,
    )
    model = Line()
    fit(model, x, settings, rng=rng)
    assert model.w.item() == pytest.approx(best, rel=1e-4)
    slope = x.mean().item() - 2 * best - best / tau**2 / n
    assert slope == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("what", ["log_prior", "kl_weight"])
def test_what_is_not_finite_beside_the_terms_is_named_too(rng, what):
    settings = replace(QUIET, **{what: lambda _: math.nan})
    with pytest.raises(
        NonFiniteLossError, match="kl_weight or log_prior not finite; the"
    ):
        fit(Line(), torch.ones(50, 1).double(), settings, rng=rng)


def fitted(settings, seed=0):
    """Weights of a small VAE after training, and the records."""
    model, rng = make_vae(seed)
    history = fit(model, load_digits().train.x[:200], settings, rng=rng)
    return nn.utils.parameters_to_vector(model.parameters()).detach(), history


def iw_by_hand(model, x, rng):
    return model.iw_terms(x, 4, rng=rng)


def test_objective_is_any_function_of_model_pixels_and_noise():
    weights, history = fitted(replace(QUIET, objective=iw_by_hand))
    objective = partial(VAE.iw_terms, num_samples=4)
    again, same = fitted(replace(QUIET, objective=objective))
    plain, _ = fitted(QUIET)
    assert torch.equal(weights, again)
    assert history[-1].elbo == same[-1].elbo
    assert not torch.equal(weights, plain)
    elbo_given, _ = fitted(replace(QUIET, objective=VAE.elbo_terms))
    assert torch.equal(elbo_given, plain)


def test_validation_is_the_elbo_whatever_the_objective(rng):
    def shifted(model, x, rng):
        terms = model.elbo_terms(x, rng=rng)
        return ElboTerms(terms.expected_log_lik + 100, terms.kl)

    model, x = Line(), torch.ones(50, 1).double()
    settings = replace(QUIET, objective=shifted)
    history = fit(model, x, settings, rng=rng, validation=x)
    w = model.w.item()
    assert history[-1].validation_elbo == pytest.approx(w - w**2)
    assert history[-1].expected_log_lik > 100


def test_training_of_any_kind_resumes_from_a_checkpoint(tmp_path):
    """Objective, KL weight and prior are no part of it: the settings hold them."""
    x = load_digits().train.x[:200]
    settings = replace(
        QUIET,
        epochs=3,
        objective=iw_by_hand,
        kl_weight=lambda done: 0.5 + done,
        log_prior=lambda model: model.log_prior(0.5) / 200,
    )
    unbroken, history = fitted(settings)
    saved = replace(settings, checkpoint=tmp_path / "other.safetensors")
    model, rng = make_vae()
    list(islice(run(model, x, saved, rng=rng), 2))
    resumed, again = fitted(saved)
    assert again[2][:2] == history[2][:2]
    assert torch.equal(resumed, unbroken)
    plain = replace(QUIET, checkpoint=tmp_path / "plain.safetensors")
    fitted(plain)
    names = [load_file(s.checkpoint).keys() for s in (saved, plain)]
    assert names[0] == names[1]
