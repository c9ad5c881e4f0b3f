"""What training is told, and what it reports."""

import torch
from torch import nn

from vaebook.training import Epoch, Settings, make_optimizer
from vaebook.variational import ElboTerms


class Line(nn.Module):
    """One weight w; example x has terms w x and w^2: every gradient by hand."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(0.5, dtype=torch.float64))
        self.seen = []

    def elbo_terms(self, x, *, rng):
        self.seen.append(x.detach().clone())
        return ElboTerms(self.w * x.sum(-1), self.w.square().expand(len(x)))


def test_elbo_of_an_epoch_is_likelihood_minus_kl():
    assert Epoch(-3.0, 2.0, 0.0).elbo == -5.0


def test_defaults_are_adamws_own():
    group = make_optimizer(Line(), Settings()).param_groups[0]
    assert group["betas"] == (0.9, 0.999)
    assert not group["amsgrad"]
