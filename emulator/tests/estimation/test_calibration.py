"""Simulation-based calibration: truths drawn from the prior rank uniformly among the draws of their
posteriors.

Talts, Betancourt, Simpson, Vehtari and Gelman (2018), arXiv:1804.06788.
"""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import chisquare

import emulator
from emulator.estimation.density import Criterion, Density, Responder, solvable_draws
from emulator.estimation.nuts import sample, u_of
from emulator.estimation.prior import JointPrior
from emulator.estimation.smc import run_smc
from emulator.estimation.target import Target
from emulator.tests.estimation.linear import LAST, LinearResponder

RANKED = 63
"""Draws, nearly independent, among which a truth is ranked."""


def ranks(responder, fixed, sd, truths, draws_of, horizon):
    """Ranks (truths, F) of truths among `RANKED` draws of the posterior of responses that they
    made, with noise.
    """
    rng, shape, ranks_of_draws = np.random.default_rng(0), (horizon + 1, 3), []
    prior = JointPrior.of(responder.spec, fixed)
    empty = Density(
        responder, Criterion(Target.of("x", "monetary", np.zeros(shape), np.full(shape, sd))), prior
    )
    for number, truth in enumerate(solvable_draws(empty, truths, rng)):
        irf = responder.responses(prior.theta(truth[None]))[0] + sd * rng.normal(size=shape)
        u = draws_of(
            Density(
                responder, Criterion(Target.of("x", "monetary", irf, np.full(shape, sd))), prior
            ),
            number,
        )
        chosen = u[np.linspace(0, len(u) - 1, RANKED).astype(int)]
        ranks_of_draws.append((chosen < truth).sum(axis=0))
    return np.array(ranks_of_draws)


def by_smc(density, seed):
    return expit(run_smc(density, 400, np.random.default_rng(seed)).z)


def by_nuts(density, seed):
    scout = run_smc(density, 100, np.random.default_rng(seed)).z
    return u_of(density, sample(density, scout, chains=1, tune=200, draws=400, seed=seed))


def check(ranks_of_draws):
    for column in ranks_of_draws.T:
        counts = np.bincount(column * 8 // (RANKED + 1), minlength=8)
        assert chisquare(counts).pvalue > 1e-3


@pytest.mark.slow
def test_smc_is_calibrated_on_the_exact_model_up_to_the_border_of_determinacy():
    world = emulator.world("nk")
    fixed = {
        name: world.spec.theta()[0, world.spec.index(name)]
        for name in ("beta", "sigma", "phi_y", "rho_m", "rho_r", "rho_u", "sigma_r", "sigma_u")
    }
    check(ranks(Responder(world.answerer, "monetary", 8), fixed, 0.3, 160, by_smc, 8))


@pytest.mark.slow
def test_nuts_is_calibrated():
    check(ranks(LinearResponder(), {"p2": 0.0, "p3": 0.0}, 2.0, 120, by_nuts, LAST))
