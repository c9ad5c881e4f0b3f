"""What training is told, and what it reports."""

from training.small import Line

from vaebook.training import Epoch, Settings, make_optimizer


def test_elbo_of_an_epoch_is_likelihood_minus_kl():
    assert Epoch(-3.0, 2.0, 0.0).elbo == -5.0


def test_defaults_are_adamws_own():
    group = make_optimizer(Line(), Settings()).param_groups[0]
    assert group["betas"] == (0.9, 0.999)
    assert not group["amsgrad"]
