"""Errors of a VAR in short histories of a world, and the weights that they make."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.api import VAR

import emulator
from emulator.errors import EstimationError
from emulator.estimation import Budget, from_var
from emulator.estimation.density import Criterion, Density
from emulator.estimation.indirect import pooled as room
from emulator.estimation.indirect.pooled import pooled, pooled_criterion, short_errors
from emulator.estimation.indirect.responder import LikeTheData
from emulator.estimation.matching import MatchingProblem, Settings

pytestmark = pytest.mark.fast

SERIES = ("output", "inflation", "rate")


@pytest.fixture(scope="module")
def nk():
    return emulator.world("nk")


@pytest.fixture(scope="module")
def recursive(nk):
    shocks = np.random.default_rng(0).normal(size=(1, 184, 3))
    data = pd.DataFrame(nk.solver.simulate(nk.spec.theta(), shocks)[0, 100:], columns=SERIES)
    same = {name: name for name in SERIES}
    return from_var(VAR(data).fit(2), "rate", same, horizon=6, replications=300)


def test_errors_shrink_with_the_root_of_the_periods(nk, recursive):
    theta = np.repeat(nk.spec.theta(), 400, axis=0)
    spreads = []
    for periods in (100, 1600):
        longer = replace(recursive, procedure=replace(recursive.procedure, periods=periods))
        responder = LikeTheData(nk.answerer, "monetary", longer)
        errors = short_errors(responder, theta, np.random.default_rng(1))
        assert errors.shape == (400, 21)
        assert np.abs(errors[:, :2]).max() == 0  # output and inflation on impact, by recursion
        spreads.append(errors[:, 2:].std(axis=0))
    np.testing.assert_allclose(spreads[0] / spreads[1], 4.0, rtol=0.4)


def test_responses_make_the_same_histories_as_the_state_space(nk, recursive):
    growth = recursive.procedure.columns[0]._replace(differenced=True)
    procedure = replace(recursive.procedure, columns=(growth, *recursive.procedure.columns[1:]))
    target = replace(recursive, procedure=procedure)
    by_space = LikeTheData(nk.answerer, "monetary", target)
    by_responses = LikeTheData(nk.answerer, "monetary", target)
    by_responses.last = 150
    theta = nk.spec.theta()
    errors = [
        short_errors(responder, theta, np.random.default_rng(1))
        for responder in (by_space, by_responses)
    ]
    np.testing.assert_allclose(*errors, atol=1e-6)


def test_the_weights_are_the_mean_of_both_covariances(recursive):
    errors = np.random.default_rng(0).normal(size=(50, 21)) + 1.0
    target = pooled(recursive, errors)
    wanted = 0.5 * recursive.covariance + 0.5 * errors.T @ errors / 50
    np.testing.assert_allclose(target.covariance, wanted)
    np.testing.assert_array_equal(target.irf, recursive.irf)


def test_the_second_step_takes_the_first_posteriors_histories(nk, recursive, monkeypatch):
    settings = Settings(exact=True, like_the_data=True, priors={}, budget=Budget(starts=1))
    problem = MatchingProblem.of(recursive, nk, settings)
    density = Density(problem.responder, problem.criterion, problem.prior)
    criterion = pooled_criterion(density, 40, np.random.default_rng(0))
    assert criterion.weighting == "pooled"
    assert criterion.target.sd[3, 0] != recursive.sd[3, 0]
    assert isinstance(criterion, Criterion)
    monkeypatch.setattr(room, "FEWEST", 500)
    monkeypatch.setattr(room, "FIRST", 30)
    with pytest.raises(EstimationError, match="of 30 histories as short as the data the VAR has"):
        pooled_criterion(density, 40, np.random.default_rng(0))
