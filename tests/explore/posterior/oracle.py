"""Settings of the posterior of a mean, and the numbers that belong to them."""

from explore.made import make_posterior

PRIORS = [(4, 1, 0.47, 5), (4, 1, 0.47, 0), (4, 30, 0.47, 50), (1.5, 0.2, 1.2, 23)]


def with_prior(explorer, *values):
    for name, value in zip(("mu0", "tau", "sigma", "num_seen"), values, strict=True):
        setattr(explorer, name, value)
    return explorer


def page_numbers(explorer):
    """What the figure says, by vaebook.bayes: the numbers in the order of the page."""
    mean, var = (v.item() for v in explorer.now.posterior())
    centre, spread = (v.item() for v in explorer.now.predictive())
    log_evidence, best = explorer.now.log_evidence(), explorer.now.best_log_lik()
    home = with_prior(
        make_posterior(), explorer.start["mu0"], explorer.start["tau"], 1, 0
    )
    home.sigma, home.num_seen = explorer.sigma, explorer.num_seen
    return [
        mean,
        var**0.5,
        centre,
        spread**0.5,
        explorer.now.log_predictive(),
        best,
        best - log_evidence,
        log_evidence,
        log_evidence - home.now.log_evidence(),
    ]
