"""Exercises of chapter 3 against scipy, scikit-learn and a published table."""

import numpy as np
import pytest
import torch
from exercises.answers import (
    EXERCISES,
    assert_recognised,
)
from scipy import special, stats
from sklearn.naive_bayes import BernoulliNB
from torch.nn.functional import kl_div

from vaebook import em, map_estimation
from vaebook.em import BernoulliMixture, GaussianMixture


def posterior_of_k(x, weights, mu, sigma):
    joint = weights.numpy() * stats.norm.pdf(x, mu, sigma)
    return torch.from_numpy(joint / joint.sum())


def averages(x, resp):
    return torch.stack(
        [torch.from_numpy(np.average(x, axis=0, weights=r)) for r in resp.T]
    )


def evidence_less_kl(log_joint, q):
    kl = special.rel_entr(np.asarray(q), special.softmax(log_joint, 1)).sum(1)
    return torch.from_numpy(special.logsumexp(log_joint, 1) - kl)


def naive_bayes(x, resp):
    """Add-one smoothing, each image in every class with a weight."""
    classes = np.repeat(np.arange(resp.shape[1]), len(x))
    fitted = BernoulliNB(alpha=1.0).fit(
        x.tile(resp.shape[1], 1), classes, sample_weight=resp.T.flatten()
    )
    return torch.from_numpy(np.exp(fitted.feature_log_prob_))


def two_coins(heads, tosses, biases):
    pmf = stats.binom.pmf(heads[:, None], tosses[:, None], biases)
    resp = torch.from_numpy(pmf / pmf.sum(1, keepdims=True))
    return (resp * heads[:, None]).sum(0) / (resp * tosses[:, None]).sum(0)


ORACLES = {
    "em.1": posterior_of_k,
    "em.2": lambda log_joint: torch.from_numpy(special.log_softmax(log_joint, 1)),
    "em.3": averages,
    "em.4": evidence_less_kl,
    "em.5": naive_bayes,
    "em.6": two_coins,
}


def resp_of_the_library(x, weights, mu, sigma):
    mixture = GaussianMixture(weights, mu[:, None], sigma.square()[:, None, None])
    return em.e_step(mixture, torch.tensor([[x]]).double()).log_resp[0].exp()


def probs_of_the_library(x, resp):
    start = BernoulliMixture(torch.ones(2).double() / 2, resp.T @ x)
    return em.m_step(start, x, resp.log(), map_estimation.Beta(2, 2)).probs


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("em.1", resp_of_the_library),
        ("em.2", lambda log_joint: log_joint.log_softmax(-1)),
        ("em.3", lambda x, resp: torch.einsum("ni,nk->ki", x, resp / resp.sum(0))),
        ("em.4", lambda log_joint, q: -kl_div(log_joint, q, reduction="none").sum(1)),
        ("em.5", probs_of_the_library),
    ],
)
def test_right_answer_of_another_kind_is_accepted(name, answer, said):
    assert said(name, answer)[0].startswith(f"{name}: correct.")


def test_step_for_two_coins_gives_the_published_numbers():
    step = EXERCISES["em.6"]
    new = step.solution(*step.inputs[0])  # Do & Batzoglou 2008, figure 1
    assert new.tolist() == pytest.approx([0.71, 0.58], abs=0.005)


def most_likely_coin(heads, tosses, biases):
    coin = stats.binom.pmf(heads[:, None], tosses[:, None], biases).argmax(1)
    return torch.stack(
        [heads[coin == k].sum() / tosses[coin == k].sum() for k in (0, 1)]
    )


def kmeans_mu(x, resp):
    k = resp.argmax(1)
    return torch.stack([x[k == 0].mean(0), x[k == 1].mean(0)])


@pytest.mark.parametrize(
    ("name", "answer", "advice"),
    [
        (
            "em.1",
            lambda x, w, mu, sigma: posterior_of_k(x, w / w, mu, sigma),
            "weights are left",
        ),
        (
            "em.2",
            lambda joint: (joint.exp() / joint.exp().sum(1)[:, None]).log(),
            "0 / 0",
        ),
        ("em.3", kmeans_mu, "as k-means does"),
        ("em.4", lambda joint, q: (q * (joint / q.log()).log()).sum(1), "hint"),
        ("em.5", lambda x, resp: averages(x, resp), "prior is missing"),
        ("em.6", most_likely_coin, "likelier coin"),
    ],
)
def test_wrong_answer_written_another_way_is_recognised(name, answer, advice, said):
    assert_recognised(said(name, answer), advice)
