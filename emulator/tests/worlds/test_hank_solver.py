"""The solver of `hank` against the long way: sequence-jacobian's own steps until nothing moves,
every period of the Jacobians, every column of the equilibrium.
"""

import io
from importlib.util import find_spec

import numpy as np
import pytest

from emulator.errors import NoSolutionError
from emulator.spec import Status
from emulator.worlds.hank import world as hank
from emulator.worlds.hank.world import LONG, SHORT, SPEC, Policy, Tastes, processes

pytest.importorskip("numba")
if find_spec("sequence_jacobian") is None:  # its import takes seconds: those who only collect wait
    pytest.skip("sequence-jacobian is not installed", allow_module_level=True)

from emulator.tests.worlds.hank_oracle import equilibrium, jacobian, steady
from emulator.worlds.hank.closure import close
from emulator.worlds.hank.fake_news import jacobian as fake_news
from emulator.worlds.hank.fake_news import kept_periods, outputs, recovery
from emulator.worlds.hank.household import GRID, PUBLISHED
from emulator.worlds.hank.regime import margin_estimate
from emulator.worlds.hank.start import features, fitted
from emulator.worlds.hank.steady import (
    asset_grid,
    calibrate,
    coarse_start,
    rouwenhorst,
)

COARSE = {
    name: grid._replace(points=100) for name, grid in (("own", GRID), ("published", PUBLISHED))
}
SMALL = COARSE["own"]


def draws(n, seed):
    return np.random.default_rng(seed).uniform(SPEC.low, SPEC.high, size=(n, SPEC.n_parameters))


def test_the_grids_are_the_librarys():
    from sequence_jacobian import grids

    skill, _, transition = grids.markov_rouwenhorst(rho=0.966, sigma=0.5, N=7)
    own_skill, own_transition = rouwenhorst(0.966, 0.5)
    # The library iterates to the stationary distribution by which it normalises; ours is exact.
    assert np.abs(own_skill - skill).max() < 1e-8
    assert np.abs(own_transition - transition).max() < 1e-14
    assert np.abs(asset_grid(PUBLISHED) - grids.agrid(amax=150.0, n=500)).max() < 1e-12


@pytest.mark.parametrize("grid", COARSE)
@pytest.mark.parametrize("row", draws(2, seed=1))
def test_the_steady_state_is_that_of_plain_iteration(row, grid):
    tastes = Tastes(*row[:7])
    ours, theirs = calibrate(tastes, COARSE[grid]), steady.calibrate(tastes, COARSE[grid])
    assert (ours.beta, ours.vphi) == pytest.approx((theirs.beta, theirs.vphi), rel=1e-7)
    for name, tolerance in (("a", 1e-5), ("c", 1e-7), ("n", 1e-7), ("distribution", 1e-7)):
        assert np.abs(getattr(ours, name) - getattr(theirs, name)).max() < tolerance, name
    assert ours.error(tastes.debt) < 1e-8


@pytest.mark.parametrize("row", draws(2, seed=2))
def test_where_the_search_begins_does_not_matter(row):
    tastes = Tastes(*row[:7])
    warm = calibrate(tastes, SMALL, fitted(tastes))
    cold = calibrate(tastes, SMALL, coarse_start(tastes, SMALL))
    assert (warm.beta, warm.vphi) == pytest.approx((cold.beta, cold.vphi), rel=1e-8)
    assert np.abs(warm.distribution - cold.distribution).max() < 1e-8


def test_households_may_have_another_process_of_skill():
    """The world's own, given, is what it is by default; with more skills markets clear, too."""
    tastes = Tastes(*draws(1, seed=2)[0, :7])
    own, same, more = (
        calibrate(tastes, SMALL, income=income)
        for income in (
            None,
            rouwenhorst(tastes.rho_e, tastes.sd_e),
            rouwenhorst(tastes.rho_e, tastes.sd_e, 9),
        )
    )
    assert np.abs(own.distribution - same.distribution).max() < 1e-8
    assert more.distribution.shape == (9, SMALL.points)
    assert more.error(tastes.debt) < 1e-8


def test_a_start_that_leads_nowhere_is_replaced_by_the_coarse_solution(monkeypatch):
    tastes = Tastes(*SPEC.theta()[0, :7])
    far = fitted(tastes)._replace(unknown=np.array([-20.0, 5.0]))
    monkeypatch.setattr("emulator.worlds.hank.steady.fitted", lambda tastes: far)
    assert calibrate(tastes, SMALL).error(tastes.debt) < 1e-8


def test_jacobians_of_kept_periods_are_those_of_all_periods():
    for row in draws(2, seed=3):
        tastes = Tastes(*row[:7])
        s = calibrate(tastes, SMALL)
        for periods in (SHORT.periods, LONG.periods):
            whole = jacobian.jacobian(tastes, s, periods)
            ours = fake_news(tastes, s, outputs(tastes, s), periods)
            peak = np.abs(whole).max(axis=(2, 3), keepdims=True)
            assert (np.abs(ours - whole) / peak).max() < 2e-6
    assert len(kept_periods(LONG.periods)) < LONG.periods / 3


def test_between_kept_periods_polynomials_are_exact():
    periods = LONG.periods
    t = np.arange(periods - 1) / periods
    for degree in (0, 3, 7):
        assert np.abs(recovery(periods) @ t[kept_periods(periods)] ** degree - t**degree).max() < (
            1e-9
        )


def test_the_equilibrium_without_products_is_that_of_the_equations():
    for row in draws(2, seed=4):
        tastes, policy = Tastes(*row[:7]), Policy(*row[7:12])
        s = calibrate(tastes, SMALL)
        derivatives = fake_news(tastes, s, outputs(tastes, s), 120)
        shocks = processes(row[12:16], 120)
        (ours, error), (theirs, _) = (
            solve(derivatives, tastes, policy, shocks) for solve in (close, equilibrium.solve)
        )
        assert np.abs(ours - theirs).max() < 1e-10 * np.abs(theirs).max()
        assert error < 1e-10


def test_the_short_truncation_answers_as_the_long_one():
    worst = 0.0
    for row in draws(5, seed=5):
        short, long = hank.solve_draw(tuple(row), SHORT), hank.solve_draw(tuple(row), LONG)
        assert short.status == long.status
        peak = np.abs(long.irf).max(axis=1, keepdims=True)
        worst = max(worst, float((np.abs(short.irf - long.irf[:, :41]) / peak)[:, :41].max()))
    assert worst < 1e-5


def test_what_the_short_truncation_cannot_settle_the_long_one_answers(monkeypatch):
    slow = tuple(SPEC.theta(rho_z=0.97)[0])  # not at rest again after 200 quarters
    assert hank.solve_draw(slow, SHORT).status == hank.solve_draw(slow, LONG).status != Status.OK
    monkeypatch.setattr(hank, "SETTLED", 0.0)
    row = tuple(SPEC.theta(rho_z=0.85)[0])
    assert (hank.solve_draw(row, SHORT).irf == hank.solve_draw(row, LONG).irf).all()
    hank.solve_draw.cache_clear()


def test_a_start_is_fitted_to_solutions():
    from emulator.worlds.hank.fit import fit

    low, high = SPEC.low[:7], SPEC.high[:7]
    content = fit(low, high, draws=3, grid=GRID._replace(points=60), seed=1)
    solved = np.random.default_rng(1).uniform(low, high, size=(3, 7))
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        position = 2 * (solved - low) / (high - low) - 1
        rest_at = features(position, 3) @ stored["coefficients"].astype(float)
    for row, start in zip(solved, rest_at, strict=True):
        steady_state = calibrate(Tastes(*row), GRID._replace(points=60))
        log_rest = np.log([1 - steady_state.beta * (1 + row[5]), steady_state.vphi])
        assert start[:2] == pytest.approx(log_rest, abs=1e-3)


def test_responses_jump_where_the_limit_begins_to_hold_a_skill():
    """Both sides of a border along public debt, and the small change within one regime."""
    row = draws(1, seed=1)
    row[0, [SPEC.index(name) for name in ("debt", "sd_e", "rho_e", "r")]] = 2.0, 0.55, 0.95, 0.005
    path = np.repeat(row, 13, axis=0)
    path[:, SPEC.index("debt")] = np.linspace(2.0, 3.2, 13)
    world = hank.HeterogeneousAgents()
    skills = world.constrained_skills(path)
    steps = np.abs(np.diff(world.irf(path, horizon=0)[:, :, 0, 0], axis=0)).max(axis=1)
    change = np.flatnonzero(np.diff(skills))
    assert change.size == 1
    assert steps[change[0]] > 3 * np.delete(steps, change[0]).max()


def test_the_margin_says_how_far_the_regime_is_from_changing():
    """Along debt the margin shrinks to zero where the number of constrained skills changes."""
    row = draws(1, seed=1)
    row[0, [SPEC.index(name) for name in ("debt", "sd_e", "rho_e", "r")]] = 2.0, 0.55, 0.95, 0.005
    path = np.repeat(row, 13, axis=0)
    path[:, SPEC.index("debt")] = np.linspace(2.0, 3.2, 13)
    world = hank.HeterogeneousAgents()
    skills, margins = world.regime(path), world.regime_margin(path)
    assert (skills == world.constrained_skills(path)).all()
    change = int(np.flatnonzero(np.diff(skills))[0])
    assert margins.argmin() in (change, change + 1)
    ends = path[[change, change + 1]]
    for _ in range(12):  # halve what holds the border
        middle = ends.mean(axis=0, keepdims=True)
        ends[int(world.regime(middle)[0] == skills[change + 1])] = middle
    assert world.regime_margin(ends).max() < 1e-5
    estimates = np.abs(margin_estimate(path) - margins)
    assert estimates.max() < world.regimes.near_estimate


def test_without_a_steady_state_there_is_no_regime():
    world = hank.HeterogeneousAgents()
    theta = np.concatenate([SPEC.theta(), SPEC.theta(mu=1.0), SPEC.theta(debt=160.0)])
    assert np.isfinite(world.regime_margin(theta)).tolist() == [True, False, False]
    with pytest.raises(NoSolutionError, match=r"2 of 3 draws have no steady state.*row 1"):
        world.regime(theta)
