"""Responses to paths of shocks, of either sign, in every world."""

import numpy as np
import pytest

from emulator.errors import NoSolutionError, ParameterError, WorldCheckError
from emulator.worlds import WORLDS, check_world, get_world
from emulator.worlds.nk import NewKeynesian

pytestmark = pytest.mark.fast

FAST_WORLDS = [name for name in WORLDS if not name.startswith("hank")]
LINEAR = [name for name in FAST_WORLDS if get_world(name).spec.linear]


def relative(left, right):
    return np.abs(left - right).max() / np.abs(right).max()


@pytest.mark.parametrize("name", FAST_WORLDS)
def test_one_impulse_is_the_impulse_response(name):
    world = get_world(name)
    theta = world.sample(20, np.random.default_rng(1))
    irf = world.irf(theta, horizon=30)
    for shock in range(world.spec.n_shocks):
        impulse = np.zeros((1, world.spec.n_shocks, 1))
        impulse[0, shock] = 1.0
        answer = world.response_to_path(theta, impulse, 30)
        assert answer.shape == (20, 31, world.spec.n_observables)
        assert relative(answer, irf[:, shock]) < 1e-10


@pytest.mark.parametrize("name", [name for name in LINEAR if name != "switching"])
def test_a_path_is_the_sum_of_shifted_impulse_responses(name):
    """Three shocks in a row were taken for one."""
    world = get_world(name)
    theta = world.sample(5, np.random.default_rng(2))
    path = np.random.default_rng(3).normal(size=(5, world.spec.n_shocks, 4))
    irf = world.irf(theta, horizon=20)
    expected = np.zeros((5, 21, world.spec.n_observables))
    for shock in range(world.spec.n_shocks):
        for period in range(4):
            size = path[:, shock, period, None, None]
            expected[:, period:] += size * irf[:, shock, : 21 - period]
    assert relative(world.response_to_path(theta, path, 20), expected) < 1e-12


def test_a_later_shock_meets_the_regimes_of_its_own_period():
    """In `switching` a shock after the first period finds other chances of the regimes, so that a
    path is linear in the shocks but no sum of shifted impulse responses.
    """
    world = get_world("switching")
    theta = world.spec.theta()
    later = np.zeros((1, 3, 2))
    later[0, 0, 1] = 1.0
    answer = world.response_to_path(theta, later, 12)
    assert np.abs(answer[:, 0]).max() == 0
    shifted = world.irf(theta, horizon=11)[:, 0]
    assert relative(answer[:, 1:], shifted) > 1e-4
    chances = world.spec.theta(active_at_impact=theta[0, world.spec.index("p_active")])
    assert relative(answer[:, 1:], world.irf(chances, horizon=11)[:, 0]) < 1e-12
    assert relative(world.response_to_path(theta, -2 * later, 12), -2 * answer) < 1e-12


def test_the_bound_makes_opposite_shocks_no_mirror_images():
    zlb = get_world("zlb")
    theta = zlb.spec.theta()
    demand = np.zeros((1, 3, 1))
    demand[0, 1] = 1.0
    up, down = zlb.response_to_path(theta, demand, 20), zlb.response_to_path(theta, -demand, 20)
    assert relative(-down, up) > 0.01
    assert down[0, 0, 0] < 0 < up[0, 0, 0]
    assert np.abs(down[0, :, 0]).max() > np.abs(up[0, :, 0]).max()  # a fall meets the bound
    far = zlb.spec.theta(pi_star=60.0, shortfall=0.0)
    mirror = zlb.response_to_path(far, -demand, 20)
    assert relative(-mirror, zlb.response_to_path(far, demand, 20)) < 1e-10


def test_shocks_of_one_period_add_up_under_the_bound_only_together():
    """A path is solved period by period, as OccBin simulates: each surprise on the state that the
    last one left.
    """
    zlb = get_world("zlb")
    theta = zlb.spec.theta()
    path = np.zeros((1, 3, 3))
    path[0, 1] = (-1.0, -1.0, -1.0)
    answer = zlb.response_to_path(theta, path, 20)
    shocks = np.zeros((1, 21, 3))
    still = zlb.simulate(theta, shocks)
    shocks[0, :3, 1] = -1.0
    assert (answer == zlb.simulate(theta, shocks) - still).all()
    single = zlb.response_to_path(theta, path[:, :, :1], 20)
    assert (answer[:, 0] == single[:, 0]).all()  # later surprises are not foreseen


def test_the_constants_of_a_world_are_no_response():
    var = get_world("var")
    theta = var.spec.theta(c_1=0.9)
    assert (var.response_to_path(theta, np.zeros((1, 3, 4))) == 0).all()


def test_a_draw_without_a_solution_is_nan_alone():
    nk = get_world("nk")
    theta = np.repeat(nk.spec.theta(), 2, axis=0)
    theta[1, nk.spec.index("kappa")] = -1.0
    path = np.ones((1, 3, 2))
    answer = nk.response_to_path(theta, path, on_failure="nan")
    assert np.isfinite(answer[0]).all()
    assert np.isnan(answer[1]).all()
    with pytest.raises(NoSolutionError, match="'kappa'"):
        nk.response_to_path(theta, path)


@pytest.mark.parametrize(
    ("shape", "horizon", "message"),
    [
        ((3, 2), None, "takes a path of shocks of shape"),
        ((1, 2, 4), None, "takes a path of shocks of shape"),
        ((2, 3, 4), None, "takes a path of shocks of shape"),
        ((1, 3, 0), None, "at least one period"),
        ((1, 3, 4), 2, "none after the horizon"),
    ],
)
def test_paths_that_do_not_fit_are_refused(shape, horizon, message):
    nk = get_world("nk")
    with pytest.raises(ParameterError, match=message):
        nk.response_to_path(nk.spec.theta(), np.ones(shape), horizon)
    with pytest.raises(ParameterError, match="finite"):
        nk.response_to_path(nk.spec.theta(), np.full((1, 3, 2), np.nan))


class ForgetsLaterShocks(NewKeynesian):
    def response_to_path(self, theta, shocks, horizon=None, *, on_failure="raise"):
        first = np.array(shocks, dtype=float)
        first[:, :, 1:] = 0.0
        return super().response_to_path(theta, first, horizon, on_failure=on_failure)


def test_a_world_that_takes_a_path_for_an_impulse_fails_the_suite():
    with pytest.raises(WorldCheckError, match="paths_of_shocks_agree"):
        check_world(ForgetsLaterShocks(), n=16)
