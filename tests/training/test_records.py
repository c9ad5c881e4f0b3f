"""What training is told, and what it reports."""

import torch
from training.small import Line

from vaebook.training import Epoch, Settings, make_optimizer
from vaebook.training.records import columns


def test_elbo_of_an_epoch_is_likelihood_minus_kl():
    assert Epoch(-3.0, 2.0, 0.0).elbo == -5.0


def test_images_alone_or_with_labels_are_columns():
    x, y = torch.zeros(3, 2), torch.ones(3, 1)
    assert [len(columns(data)) for data in (x, (x,), (x, y))] == [1, 1, 2]
    assert columns((x, y))[1] is y


def test_defaults_are_adamws_own():
    group = make_optimizer(Line(), Settings()).param_groups[0]
    assert group["betas"] == (0.9, 0.999)
    assert not group["amsgrad"]
