"""The spectrum at some noise, and what the page shows of it."""

NOISES = [(10, None), (15, 0.12), (1, 0.3), (20, 0.006), (7, 0.7)]


def at_noise(explorer, num_latents, var):
    explorer.num_latents = num_latents
    explorer.var = var or explorer.now.best_var()
    return explorer


def noise_worth(explorer):
    """What the page shows, by linear_vae, bayes and variational."""
    terms = explorer.now.elbo_terms()
    return {
        "alive": explorer.now.num_alive(),
        "logEvidence": explorer.now.log_evidence(),
        "testLogEvidence": explorer.now.test_log_evidence(),
        "expectedLogLik": terms.expected_log_lik.item(),
        "kl": terms.kl.item(),
        "best": explorer.now.best_var(),
    }
