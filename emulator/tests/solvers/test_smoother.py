"""Smoothed shocks and states against the conditional mean of a joint normal distribution."""

import numpy as np
import pytest

from emulator.errors import ParameterError
from emulator.solvers import StateSpace
from emulator.solvers.kalman import Observed, path, smooth
from emulator.solvers.kalman.likelihood import WIDE
from emulator.solvers.lyapunov import lyapunov

pytestmark = pytest.mark.fast

PERIODS = 12
STATES, SHOCKS, SERIES = 4, 3, 2


@pytest.fixture(scope="module")
def observed():
    """Five random stable state spaces, with missing values and errors of measurement."""
    rng = np.random.default_rng(3)
    a = rng.normal(size=(5, STATES, STATES))
    a *= 0.85 / np.abs(np.linalg.eigvals(a)).max(axis=1)[:, None, None]
    space = StateSpace(
        a, rng.normal(size=(5, STATES, SHOCKS)), rng.normal(size=(5, SERIES, STATES))
    )
    data = rng.normal(size=(PERIODS, SERIES))
    data[2, 0] = data[5] = data[9, 1] = np.nan
    return Observed(space, data, rng.normal(size=(5, 1, SERIES)), np.array([[0.3, 0.0]]))


def joint(observed, row, before):
    """The shocks and the state before of one draw given the data, by the covariance of everything:
    the state before the first period has this covariance. Returns shocks (T, S), before (D,),
    last state's covariance.
    """
    a, b, c = (m[row] for m in (observed.space.A, observed.space.B, observed.space.C))
    root = np.linalg.cholesky(before)
    periods = len(observed.data)
    inputs = STATES + periods * SHOCKS
    state = np.zeros((STATES, inputs))
    state[:, :STATES] = root
    seen = np.zeros((periods, SERIES, inputs))
    for t in range(periods):
        state = a @ state
        state[:, STATES + t * SHOCKS : STATES + (t + 1) * SHOCKS] += b
        seen[t] = c @ state
    there = np.isfinite(observed.data)
    level = np.broadcast_to(observed.level[row], observed.data.shape)
    error = np.broadcast_to(observed.error[0], observed.data.shape)
    rows = seen[there]
    gain = np.linalg.solve(rows @ rows.T + np.diag(error[there]), rows).T
    mean = gain @ (observed.data - level)[there]
    left = np.eye(inputs) - gain @ rows
    covariance = left @ left.T + gain @ np.diag(error[there]) @ gain.T
    return (
        mean[STATES:].reshape(periods, SHOCKS),
        root @ mean[:STATES],
        state @ covariance @ state.T,
    )


def test_shocks_are_the_conditional_mean(observed):
    smoothed = smooth(observed)
    space = observed.space
    variance = lyapunov(space.A, space.B @ space.B.swapaxes(1, 2))
    for row in range(5):
        shocks, before, last = joint(observed, row, variance[row])
        np.testing.assert_allclose(smoothed.shocks[row], shocks, atol=1e-10)
        np.testing.assert_allclose(smoothed.before[row], before, atol=1e-10)
        np.testing.assert_allclose(smoothed.last_covariance[row], last, atol=1e-10)


def test_a_series_without_error_is_met(observed):
    smoothed = smooth(observed)
    fitted = np.einsum("nod,ntd->nto", observed.space.C, smoothed.states) + observed.level
    there = np.isfinite(observed.data[:, 1])
    np.testing.assert_allclose(
        fitted[:, there, 1], np.broadcast_to(observed.data[there, 1], (5, there.sum())), atol=1e-10
    )
    assert np.abs(fitted[:, :2, 0] - observed.data[:2, 0]).max() > 1e-3  # it has an error


def test_states_follow_from_the_state_before_and_shocks(observed):
    smoothed = smooth(observed)
    np.testing.assert_allclose(
        smoothed.first, np.einsum("nde,ne->nd", observed.space.A, smoothed.before), atol=1e-12
    )
    again = path(observed.space, smoothed.first, smoothed.shocks)
    np.testing.assert_array_equal(again, smoothed.states)


def test_levels_of_unit_roots_are_estimated():
    """A random walk beside a stationary state: the limit of a variance without bound."""
    rng = np.random.default_rng(4)
    a = np.array([[[1.0, 0.2, 0, 0], [0, 0.6, 0, 0], [0, 0.3, 0.5, 0], [1, 0, 0, 0]]])
    b = rng.normal(size=(1, STATES, SHOCKS))
    b[:, 3] = 0
    c = np.array([[[1.0, 0, 0.4, 0], [0, 1, 1, -0.5]]])
    data = 3 + rng.normal(size=(PERIODS, SERIES))
    data[0, 0] = data[4] = np.nan
    observed = Observed(StateSpace(a, b, c), data, np.zeros((1, 1, SERIES)), np.zeros((1, SERIES)))
    smoothed = smooth(observed, "diffuse")
    rest = a[0, 1:3, 1:3]
    before = 1e-3 * np.eye(STATES)
    before[1:3, 1:3] = lyapunov(rest[None], (b[:, 1:3] @ b[:, 1:3].swapaxes(1, 2)))[0]
    before[0, 0] = 1e6
    shocks, _, last = joint(observed, 0, before)
    np.testing.assert_allclose(smoothed.shocks[0], shocks, atol=1e-5)
    np.testing.assert_allclose(smoothed.last_covariance[0], last, atol=1e-5)


def test_a_wide_start_has_no_state_before(observed):
    smoothed = smooth(observed, "wide")
    assert np.isnan(smoothed.before).all()
    fitted = np.einsum("nod,ntd->nto", observed.space.C, smoothed.states) + observed.level
    there = np.isfinite(observed.data[:, 1])
    np.testing.assert_allclose(fitted[0, there, 1], observed.data[there, 1], atol=1e-10)
    assert WIDE == 10


def test_draws_without_a_solution_are_nan(observed):
    a = observed.space.A.copy()
    a[3] = np.nan
    broken = Observed(
        StateSpace(a, observed.space.B, observed.space.C),
        observed.data,
        observed.level,
        observed.error,
    )
    smoothed, whole = smooth(broken), smooth(observed)
    assert np.isnan(smoothed.shocks[3]).all()
    np.testing.assert_allclose(np.delete(smoothed.shocks, 3, 0), np.delete(whole.shocks, 3, 0))


def test_an_unknown_start_is_refused(observed):
    with pytest.raises(ParameterError, match="expected one of stationary, diffuse, wide"):
        smooth(observed, "flat")
