"""Draws that a world does not answer: each says why, and none takes others with it."""

import numpy as np
import pytest

from emulator.errors import NoSolutionError, WorldCheckError
from emulator.solvers import StateSpace
from emulator.spec import Status
from emulator.worlds import WORLDS, check_world, get_world
from emulator.worlds.check import hostile_draws
from emulator.worlds.lss import LinearStateSpace
from emulator.worlds.nk import NewKeynesian

pytestmark = pytest.mark.fast

IMPOSSIBLE = {
    "nk": ({"kappa": -1.0}, r"parameter 'kappa' \(.*\) is -1; expected a value in \[0, inf\)"),
    "rbc": ({"alpha": 1.2}, r"parameter 'alpha' \(.*\) is 1.2; expected a value in \(0, 1\)"),
    "sw07": ({"xi_p": -0.1}, r"parameter 'xi_p' \(.*\) is -0.1; expected a value in \[0, 1\)"),
    "switching": ({"p_active": 1.5}, r"'p_active' \(.*\) is 1.5; expected a value in \[0, 1\]"),
    "zlb": ({"sigma_m": -0.2}, r"'sigma_m' \(.*\) is -0.2; expected a value in \[0, inf\)"),
    "hank": ({"mu": 0.9}, r"'mu' \(.*\) is 0.9; expected a value in \(1, inf\)"),
    "hank2": ({"liquid": -1}, r"'liquid' \(.*\) is -1; expected a value in \(0, inf\)"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_a_parameter_outside_what_it_can_be_is_refused_by_name_value_and_bound(name):
    """`kappa=-1` gave an output of 674 %, called determinate."""
    world = get_world(name)
    values, message = IMPOSSIBLE[name]
    theta = world.spec.theta(values)
    assert world.status(theta)[0] == Status.OUTSIDE_BOUNDS == 5
    assert Status.OUTSIDE_BOUNDS.label == "outside_bounds"
    with pytest.raises(NoSolutionError, match=rf"\(1 outside_bounds\).*{message}"):
        world.irf(theta)
    with pytest.raises(NoSolutionError, match=message):
        world.simulate(theta, np.ones((1, 3, world.spec.n_shocks)))
    assert np.isnan(world.irf(theta, on_failure="nan")).all()


@pytest.mark.parametrize("name", ["var", "lss"])
def test_a_draw_out_of_the_range_of_its_world_has_no_response(name):
    """Its status was `outside_range`, and it was answered all the same."""
    world = get_world(name)
    theta = np.repeat(world.spec.theta(), 3, axis=0)
    theta[1, -1] = world.spec.high[-1] + 0.1
    assert list(world.status(theta)) == [Status.OK, Status.OUTSIDE_RANGE, Status.OK]
    irf = world.irf(theta, on_failure="nan")
    paths = world.simulate(theta, np.ones((3, 4, world.spec.n_shocks)), on_failure="nan")
    for answer in (irf, paths):
        assert np.isnan(answer[1]).all()
        assert np.isfinite(answer[[0, 2]]).all()
    last = world.spec.parameters[-1]
    with pytest.raises(NoSolutionError, match=f"'{last.name}' is .*; the world is solved for"):
        world.irf(theta)


def test_a_unit_root_leaves_the_means_of_other_draws():
    var = get_world("var")
    theta = np.repeat(var.spec.theta(), 2, axis=0)
    theta[1, 3:21] = 0.0
    theta[1, [3, 7, 11]] = 1.0  # a random walk has no mean
    assert np.isfinite(var.mean(theta)[0]).all()
    assert np.isnan(var.mean(theta)[1]).all()


@pytest.mark.parametrize("name", [name for name in WORLDS if not name.startswith("hank")])
def test_parameters_at_any_scale_end_no_batch_and_give_no_infinite_answer(name):
    """Two parameters at once at sizes of 1e-300 to 1e300, beside draws of the prior."""
    world, rng = get_world(name), np.random.default_rng(5)
    draws = world.sample(8, rng)
    odd = np.concatenate([draws[:1].repeat(40, axis=0), draws])
    for draw in odd[:40]:
        for column in rng.choice(world.spec.n_parameters, 2, replace=False):
            draw[column] = rng.choice([-1.0, 1.0]) * 10.0 ** rng.uniform(-300, 300)
    with np.errstate(all="ignore"):
        status = world.status(odd)
        irf = world.irf(odd, horizon=8, on_failure="nan")
    answered = np.isfinite(irf).all(axis=(1, 2, 3))
    assert (answered == (status == Status.OK)).all()
    assert np.isnan(irf[~answered]).all()
    assert (status[40:] == Status.OK).all()
    alone = world.irf(draws, horizon=8)
    assert np.abs(irf[40:] - alone).max() <= 1e-12 * np.abs(alone).max()


def test_odd_draws_reach_every_parameter():
    nk = get_world("nk")
    draw = nk.spec.theta()[0]
    odd = hostile_draws(nk, draw)
    assert (odd != draw).any(axis=0).all()
    assert ((odd != draw).sum(axis=1) == 1).all()


class AnswersWhatItRefuses(LinearStateSpace):
    def state_space(self, theta):
        return StateSpace(*self.split(theta))


class KnowsNoBounds(NewKeynesian):
    def status(self, theta):
        status = super().status(theta)
        return np.where(status == Status.OUTSIDE_BOUNDS, Status.OK, status)


@pytest.mark.parametrize("broken", [AnswersWhatItRefuses, KnowsNoBounds])
def test_a_world_that_answers_what_it_refuses_fails_the_suite(broken):
    with pytest.raises(WorldCheckError, match="refused_draws_have_no_responses"):
        check_world(broken(), n=16)
