"""Models small enough to check each number of their training by hand."""

import torch
from torch import nn

from vaebook.training import Settings
from vaebook.vae import VAE
from vaebook.variational import ElboTerms

QUIET = Settings(epochs=2, batch_size=50, progress=False)


class Line(nn.Module):
    """One weight w; example x has terms w x and w^2: every gradient by hand."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(0.5, dtype=torch.float64))
        self.seen = []

    def elbo_terms(self, x, *, rng):
        self.seen.append(x.detach().clone())
        return ElboTerms(self.w * x.sum(-1), self.w.square().expand(len(x)))


def make_vae(seed=0):
    rng = torch.Generator().manual_seed(seed)
    return VAE(64, (16,), 2, rng=rng), rng
