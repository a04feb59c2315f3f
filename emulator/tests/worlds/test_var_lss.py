"""`var` and `lss` against statsmodels, and the spread of their roots."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.tsa.statespace.simulation_smoother import SimulationSmoother
from statsmodels.tsa.vector_ar.var_model import VARProcess

from emulator.errors import NoSolutionError
from emulator.solvers import spectral_radius
from emulator.spec import Status
from emulator.worlds import get_world
from emulator.worlds.roots import ROOT_RANGE
from emulator.worlds.var import companion

pytestmark = pytest.mark.fast

VAR, LSS, NK = get_world("var"), get_world("lss"), get_world("nk")


def relative(values, expected):
    return np.abs(values - expected).max() / max(np.abs(expected).max(), 1.0)


def statsmodels_irf(transition, impact, loadings, horizon):
    """Responses (S, H+1, O) by statsmodels' state space to unit shocks."""
    n_states, n_shocks = impact.shape
    model = SimulationSmoother(k_endog=len(loadings), k_states=n_states, k_posdef=n_shocks)
    model["design"], model["transition"], model["selection"] = loadings, transition, impact
    model["state_cov"] = np.eye(n_shocks)
    model.initialize_known(np.zeros(n_states), np.zeros((n_states, n_states)))
    return np.stack([model.impulse_responses(horizon, impulse=s) for s in range(n_shocks)])


def test_var_responses_are_those_of_statsmodels():
    theta = VAR.sample(40, np.random.default_rng(0))
    irf = VAR.irf(theta)
    constant, a1, a2, impact = VAR.split(theta)
    for k in range(40):
        process = VARProcess(
            np.stack([a1[k], a2[k]]), constant[k][:, None], impact[k] @ impact[k].T
        )
        orthogonal = process.orth_ma_rep(40)  # its Cholesky factor is our impact matrix
        assert relative(irf[k], orthogonal.transpose(2, 0, 1)) < 1e-10
        given = process.ma_rep(40) @ impact[k]
        assert relative(irf[k], given.transpose(2, 0, 1)) < 1e-10


def test_var_mean_is_that_of_statsmodels_and_simulation_moves_around_it():
    theta = VAR.sample(20, np.random.default_rng(1))
    constant, a1, a2, impact = VAR.split(theta)
    still = VAR.simulate(theta, np.zeros((20, 3, 3)))
    for k in range(20):
        mean = VARProcess(np.stack([a1[k], a2[k]]), constant[k], impact[k] @ impact[k].T).mean()
        assert relative(still[k], np.broadcast_to(mean, (3, 3))) < 1e-10


def test_var_simulation_follows_its_recursion():
    theta = VAR.sample(10, np.random.default_rng(2))
    constant, a1, a2, impact = VAR.split(theta)
    shocks = np.random.default_rng(3).normal(size=(10, 30, 3))
    path = VAR.simulate(theta, shocks)
    for k in range(10):
        before, last = VAR.mean(theta)[k], VAR.mean(theta)[k]
        for t in range(30):
            now = constant[k] + a1[k] @ last + a2[k] @ before + impact[k] @ shocks[k, t]
            assert relative(path[k, t], now) < 1e-10
            before, last = last, now


def test_lss_and_nk_responses_are_those_of_statsmodels():
    for world in (LSS, NK):
        theta = world.sample(40, np.random.default_rng(4))
        space, irf = world.state_space(theta), world.irf(theta)
        for k in range(40):
            assert relative(irf[k], statsmodels_irf(space.A[k], space.B[k], space.C[k], 40)) < 1e-10


def test_theta_is_read_row_by_row():
    theta = np.arange(27.0)[None] / 100
    constant, a1, a2, impact = VAR.split(theta)
    assert np.allclose(constant[0], [0.0, 0.01, 0.02])
    assert np.allclose(a1[0, 0], [0.03, 0.04, 0.05])
    assert np.allclose(a2[0, 2], [0.18, 0.19, 0.20])
    assert np.allclose(impact[0], [[0.21, 0, 0], [0.22, 0.23, 0], [0.24, 0.25, 0.26]])
    assert VAR.spec.parameter_names[4] == "a1_12"
    a, b, c = LSS.split(np.arange(36.0)[None])
    assert a[0, 0, 1] == 1
    assert b[0, 1, 0] == 18
    assert c[0, 1, 0] == 28
    assert LSS.spec.parameter_names[18] == "b_21"


def transitions(world, theta):
    if world is VAR:
        return companion(*VAR.split(theta)[1:3])
    return LSS.split(theta)[0]


@pytest.mark.parametrize("world", [VAR, LSS], ids=["var", "lss"])
def test_roots_are_spread_evenly_and_many_are_complex(world):
    matrices = transitions(world, world.sample(3000, np.random.default_rng(5)))
    radius = spectral_radius(matrices)
    low, high = ROOT_RANGE
    assert radius.min() > low - 1e-6
    assert radius.max() < high + 1e-6
    assert stats.kstest(radius, "uniform", args=(low, high - low)).statistic < 0.05
    roots = np.linalg.eigvals(matrices)
    largest = roots[np.arange(3000), np.abs(roots).argmax(axis=1)]
    assert (np.abs(roots.imag) > 1e-6).any(axis=1).mean() > 0.5
    assert (np.abs(largest.imag) > 1e-6).mean() > 0.15
    assert (np.abs(largest.imag) < 1e-9).mean() > 0.15


@pytest.mark.parametrize("world", [VAR, LSS], ids=["var", "lss"])
def test_matrices_are_not_symmetric(world):
    theta = world.sample(1000, np.random.default_rng(6))
    first = world.split(theta)[1 if world is VAR else 0]
    gap = np.abs(first - first.transpose(0, 2, 1)).max(axis=(1, 2))
    assert (gap > 1e-3 * np.abs(first).max(axis=(1, 2))).all()


@pytest.mark.parametrize("world", [VAR, LSS], ids=["var", "lss"])
def test_responses_are_of_order_one(world):
    peak = np.abs(world.irf(world.sample(2000, np.random.default_rng(7)))).max(axis=(2, 3))
    assert 0.3 < np.median(peak) < 3
    assert np.quantile(peak, 0.99) < 30


@pytest.mark.parametrize("world", [VAR, LSS], ids=["var", "lss"])
def test_explosive_and_out_of_range_draws_are_labelled_and_counted(world):
    theta = np.repeat(world.spec.theta(), 3, axis=0)
    own = world.spec.index("a1_11" if world is VAR else "a_11")
    theta[1, own] = 1.45
    theta[2, -1] = world.spec.high[-1] + 0.1
    assert list(world.status(theta)) == [Status.OK, Status.EXPLOSIVE, Status.OUTSIDE_RANGE]
    with pytest.raises(NoSolutionError, match="explosive"):
        world.irf(theta)
    irf = world.irf(theta, on_failure="nan")
    assert np.isfinite(irf[0]).all()
    assert np.isnan(irf[1:]).all()
    draws = world.draw(3000, np.random.default_rng(8))
    assert set(draws.rejections) <= {"outside_range"}
    assert sum(draws.rejections.values()) == len(draws.rejected_theta)


class TestEveryParameterMatters:
    """Constants move the mean alone; every other parameter moves some response."""

    @pytest.mark.parametrize("world", [VAR, LSS], ids=["var", "lss"])
    def test_for_the_responses(self, world):
        theta = world.sample(20, np.random.default_rng(9))
        base = world.irf(theta)
        for k, parameter in enumerate(world.spec.parameters):
            other = theta.copy()
            other[:, k] += 1e-4
            effect = np.abs(world.irf(other, on_failure="nan") - base).max(axis=(1, 2, 3))
            if parameter.role == "constant":
                assert (effect == 0).all()
                assert (np.abs(world.mean(other) - world.mean(theta)).max(axis=1) > 1e-6).all()
            else:
                assert (effect > 1e-9).all(), parameter.name
