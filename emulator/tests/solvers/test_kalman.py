"""The Kalman filter against statsmodels, a closed form, and itself."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from emulator.errors import ParameterError
from emulator.solvers import StateSpace, lyapunov
from emulator.solvers.kalman import Observed, increments, log_likelihoods

pytestmark = pytest.mark.fast

N, D, S, V, T = 3, 6, 4, 3, 70


def models(seed=0, largest=0.95):
    """Random stable state spaces (N, ..)."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(N, D, D))
    a *= largest / np.abs(np.linalg.eigvals(a)).max(axis=1)[:, None, None]
    return StateSpace(a, rng.normal(size=(N, D, S)), rng.normal(size=(N, V, D)))


def data_of(space, error, seed=1, periods=T):
    """Data (T, V) that the first draw generates."""
    rng = np.random.default_rng(seed)
    state = np.zeros(space.A.shape[1])
    rows = []
    for _ in range(periods):
        state = space.A[0] @ state + space.B[0] @ rng.normal(size=space.B.shape[2])
        rows.append(space.C[0] @ state + np.sqrt(error) * rng.normal(size=len(error)))
    return np.array(rows)


def with_gaps(data, seed=2):
    data = data.copy()
    data[np.random.default_rng(seed).random(data.shape) < 0.15] = np.nan
    data[30:34] = np.nan
    return data


def by_statsmodels(space, draw, data, level, error, start):
    """Log-densities (T,) by `statsmodels.tsa.statespace`, no steady state assumed."""
    filters = pytest.importorskip("statsmodels.tsa.statespace.kalman_filter")
    initial = pytest.importorskip("statsmodels.tsa.statespace.initialization")
    states, shocks = space.B[draw].shape
    model = filters.KalmanFilter(k_endog=data.shape[1], k_states=states, k_posdef=shocks)
    model.bind(data.copy())
    model["design"], model["transition"] = space.C[draw], space.A[draw]
    model["selection"], model["state_cov"] = space.B[draw], np.eye(shocks)
    model["obs_cov"], model["obs_intercept"] = np.diag(error), level[:, None]
    if start == "stationary":
        model.initialize_stationary()
    elif start == "wide":
        model.initialize_known(np.zeros(states), 10 * np.eye(states))
    else:
        unit = int(start)
        whole = initial.Initialization(states)
        whole.set((0, unit), "diffuse")
        whole.set((unit, states), "stationary")
        model.initialize(whole)
    model.tolerance = 0
    return model.filter().llf_obs


@pytest.mark.parametrize("start", ["stationary", "wide"])
@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("settled", [0.0, 1e-12])
def test_statsmodels_says_the_same(start, gaps, settled):
    space, error = models(), np.array([0.0, 0.3, 0.1])
    level = np.array([0.5, -1.0, 2.0])
    data = level + data_of(space, error)
    data = with_gaps(data) if gaps else data
    answers = log_likelihoods(Observed(space, data, level[None, None], error[None]), start, settled)
    for draw in range(N):
        wanted = by_statsmodels(space, draw, data, level, error, start)
        np.testing.assert_allclose(answers[draw], wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("series", [1, 2])
def test_unit_roots_start_as_statsmodels_starts_them(gaps, series):
    a = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.8]])
    c = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])[:series]
    space = StateSpace(a[None], np.diag([0.5, 0.1, 1.0])[None], c[None])
    error = np.full(series, 0.2)
    data = data_of(space, error)
    if gaps:
        data[0, 0] = data[1] = data[5] = np.nan
    level = np.zeros(series)
    answers = log_likelihoods(Observed(space, data, level[None, None], error[None]), "diffuse")
    wanted = by_statsmodels(space, 0, data, level, error, "2")
    np.testing.assert_allclose(answers[0], wanted, rtol=1e-9, atol=1e-9)


def test_the_joint_normal_density_is_the_same():
    space, error = models(5), np.full(V, 0.2)
    data = with_gaps(data_of(space, error, periods=40))
    covariance = lyapunov(space.A, space.B @ space.B.swapaxes(1, 2))
    for draw in range(N):
        lagged = [space.C[draw] @ covariance[draw] @ space.C[draw].T]
        power = np.eye(D)
        for _ in range(39):
            power = space.A[draw] @ power
            lagged.append(space.C[draw] @ power @ covariance[draw] @ space.C[draw].T)
        blocks = [
            [lagged[t - s] if t >= s else lagged[s - t].T for s in range(40)] for t in range(40)
        ]
        joint = np.block(blocks) + np.kron(np.eye(40), np.diag(error))
        there = np.isfinite(data).ravel()
        wanted = multivariate_normal.logpdf(
            data.ravel()[there], cov=joint[np.ix_(there, there)], allow_singular=False
        )
        answer = log_likelihoods(Observed(space, data, np.zeros((1, 1, V)), error[None]))
        np.testing.assert_allclose(answer[draw].sum(), wanted, rtol=1e-9)


def test_covariances_settle_and_the_answer_stays():
    space, error = models(3, largest=0.7), np.full(V, 0.1)
    data = data_of(space, error, periods=200)
    observed = Observed(space, data, np.zeros((1, 1, V)), error[None])
    whole = log_likelihoods(observed, settled=0)
    np.testing.assert_allclose(log_likelihoods(observed), whole, rtol=1e-9, atol=1e-9)
    gaps = Observed(space, with_gaps(data), np.zeros((1, 1, V)), error[None])
    np.testing.assert_allclose(
        log_likelihoods(gaps), log_likelihoods(gaps, settled=0), rtol=1e-9, atol=1e-9
    )


def test_increments_of_covariances_lose_no_digits(monkeypatch):
    space, error = models(7), np.zeros(V)
    space = StateSpace(space.A, space.B * np.array([1.0, 1e-3, 1.0, 1e-3]), space.C)
    data = data_of(space, error)
    observed = Observed(space, data, np.zeros((1, 1, V)), error[None])
    usual = log_likelihoods(observed)
    monkeypatch.setattr(increments, "SHRINKS", 0.0)  # every draw is left to covariances
    np.testing.assert_allclose(usual, log_likelihoods(observed), rtol=1e-7, atol=1e-7)


def test_a_level_and_errors_of_their_own_for_each_draw():
    space, rng = models(9), np.random.default_rng(4)
    level = rng.normal(size=(N, T, V))
    error = rng.uniform(0.1, 1.0, size=(N, V))
    data = data_of(space, error[0])
    together = log_likelihoods(Observed(space, data, level, error))
    for draw in range(N):
        one = StateSpace(*(m[draw : draw + 1] for m in (space.A, space.B, space.C)))
        alone = log_likelihoods(Observed(one, data, level[draw : draw + 1], error[draw : draw + 1]))
        np.testing.assert_allclose(together[draw], alone[0], rtol=1e-10)


def test_what_has_no_likelihood_is_minus_infinity():
    space = models()
    a = space.A.copy()
    a[0] = np.nan
    a[1] *= 1.2 / 0.95  # a root outside
    few = StateSpace(a, space.B[:, :, :2], space.C)  # fewer shocks than series, and no errors
    data = np.random.default_rng(0).normal(size=(T, V))
    explosive = Observed(
        StateSpace(a, space.B, space.C), data, np.zeros((1, 1, V)), np.zeros((1, V))
    )
    answers = log_likelihoods(explosive).sum(axis=1)
    assert np.isneginf(answers[:2]).all()
    assert np.isfinite(answers[2])
    singular = Observed(few, data, np.zeros((1, 1, V)), np.zeros((1, V)))
    assert (log_likelihoods(singular).sum(axis=1) < -1e6).all()


def test_an_unknown_start_is_refused():
    observed = Observed(models(), np.zeros((T, V)), np.zeros((1, 1, V)), np.ones((1, V)))
    with pytest.raises(ParameterError, match="'flat'; expected one of stationary, diffuse, wide"):
        log_likelihoods(observed, "flat")
