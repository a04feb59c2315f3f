"""The population's autoregression, against a process whose own is known, and against the estimate
from long simulated data.
"""

import numpy as np
import pytest

import emulator
from emulator.estimation.indirect.autoregression import fitted
from emulator.estimation.indirect.population import (
    Seen,
    moments_of_responses,
    moments_of_space,
    reduced_form,
    why_none,
)
from emulator.solvers import StateSpace, impulse_response

pytestmark = pytest.mark.fast

A = np.array([[0.8, 0.1], [-0.2, 0.5]])
B = np.array([[1.0, 0.0], [0.4, 0.7]])
EXACT = np.zeros(2)


def process(a=A, b=B, c=None):
    c = np.eye(len(a)) if c is None else c
    return StateSpace(a[None], b[None], c[None])


def test_an_autoregression_of_one_lag_is_found_with_three():
    reduced = reduced_form(moments_of_space(process(), Seen([0, 1], [False, False], EXACT), 3), 1)
    np.testing.assert_allclose(reduced.coefficients[0, 1:3], A.T, atol=1e-12)
    np.testing.assert_allclose(reduced.coefficients[0, 3:], 0, atol=1e-12)
    np.testing.assert_allclose(reduced.covariance[0], B @ B.T, atol=1e-12)
    np.testing.assert_allclose(reduced.with_instrument[0], B[:, 1])


def test_errors_of_measurement_pull_the_coefficient_towards_zero_as_by_hand():
    rho, noise = 0.9, 0.7
    space = process(np.array([[rho]]), np.eye(1))
    reduced = reduced_form(moments_of_space(space, Seen([0], [False], np.array([noise])), 1), 0)
    variance = 1 / (1 - rho**2)
    by_hand = rho * variance / (variance + noise**2)
    assert reduced.coefficients[0, 1, 0] == pytest.approx(by_hand, abs=1e-12)
    news = variance + noise**2 - by_hand * rho * variance
    assert reduced.covariance[0, 0, 0] == pytest.approx(news, abs=1e-12)


def test_responses_give_the_same_as_the_state_space():
    seen = Seen([1, 0], [False, True], np.array([0.0, 0.2]))
    of_space = reduced_form(moments_of_space(process(), seen, 2), 0)
    irf = impulse_response(process(), 400)
    of_responses = reduced_form(moments_of_responses(irf, seen, 2), 0)
    for one, other in zip(of_space, of_responses, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-10)


@pytest.mark.parametrize("differenced", [False, True])
def test_it_is_what_long_data_of_nk_give(differenced):
    world = emulator.world("nk")
    theta = world.spec.theta()
    shocks = np.random.default_rng(0).normal(size=(1, 40_000, 3))
    data = world.solver.simulate(theta, shocks)
    if differenced:
        data = np.concatenate([np.diff(data[:, :, :1], axis=1), data[:, 1:, 1:]], axis=2)
    coefficients, covariance = fitted(data, 2)
    seen = Seen([0, 1, 2], [differenced, False, False], np.zeros(3))
    reduced = reduced_form(moments_of_space(world.answerer.state_space(theta), seen, 2), 0)
    np.testing.assert_allclose(reduced.coefficients[0, 1:], coefficients[0, 1:], atol=0.05)
    np.testing.assert_allclose(reduced.covariance, covariance, rtol=0.03, atol=0.02)


def test_what_has_none_says_why():
    names = ("a", "b", "c")
    seen = Seen([0, 1, 2], [False] * 3, np.zeros(3))
    c = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 0.0]])
    a = np.diag([0.5, 0.6, 0.7])
    moments = moments_of_space(process(a, np.eye(3), c), seen, 2)
    assert why_none(moments, names) == "the innovations of a, b, c depend on each other"
    assert np.isnan(reduced_form(moments, 0).coefficients).all()
    b = np.diag([1.0, 1.0, 0.0])
    still = moments_of_space(process(a, b), seen, 2)
    assert why_none(still, names).startswith("c does not move")
    root = moments_of_space(process(np.diag([0.5, 1.0, 0.7]), np.eye(3)), seen, 2)
    assert why_none(root, names).startswith("b has a unit root, so that")
    noisy = Seen([0, 1, 2], [False, True, False], np.array([0.0, 0.0, 0.1]))
    mended = moments_of_space(process(np.diag([0.5, 1.0, 0.7]), b), noisy, 2)
    assert why_none(mended, names) == ""
