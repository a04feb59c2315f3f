"""`hank2` against sequence-jacobian's own graph, against differences, and what becomes of each kind
of draw; households here on the grids of the library's example, which take 0.03 s.
"""

import csv
import subprocess
import sys
from importlib.resources import as_file, files

import numpy as np
import pytest

from emulator.errors import MissingExtraError, NoSolutionError, ParameterError, UnknownNameError
from emulator.spec import Status
from emulator.worlds.check import check_world
from emulator.worlds.hank2 import world as hank2
from emulator.worlds.hank2.household import EXAMPLE, Size, Tastes
from emulator.worlds.hank2.spec import SPEC
from emulator.worlds.hank2.world import N_POLICY, N_TASTES, TwoAssets, processes

pytest.importorskip("numba")

from emulator.worlds.hank2.closure import close, project
from emulator.worlds.hank2.derivative import apply, empty_slopes, linearise, on_impact
from emulator.worlds.hank2.equilibrium import Policy, determinacy, rest_of
from emulator.worlds.hank2.fake_news import FakeNews, Output, Step, markets, watched
from emulator.worlds.hank2.kernels import backward, empty_choices, empty_endogenous
from emulator.worlds.hank2.krylov import forward
from emulator.worlds.hank2.steady import Households, calibrate, coarse_solution

REFERENCE = files("emulator.tests") / "reference" / "hank2"
WORLD = TwoAssets(EXAMPLE)
PUBLISHED = Tastes(*SPEC.theta()[0, :N_TASTES])
RULE = Policy(*SPEC.theta()[0, N_TASTES : N_TASTES + N_POLICY])
MONETARY, TECHNOLOGY, _, COST_PUSH = range(4)
OUTPUT, INFLATION, RATE, CONSUMPTION, HOURS, INVESTMENT = range(6)


def read(name):
    """Rows of a reference file as numbers, and its header."""
    header, *rows = csv.reader((REFERENCE / name).read_text().splitlines())
    return header, np.array(rows, dtype=float)


def responses(name):
    header, table = read(name)
    assert tuple(header[3:]) == SPEC.observable_names
    draws, shocks = (int(table[-1, k]) + 1 for k in (0, 1))
    return table[:, 3:].reshape(draws, shocks, 41, len(header) - 3)


@pytest.fixture(scope="module")
def steady():
    return hank2.rest(PUBLISHED, EXAMPLE)


def test_the_reference_is_about_the_draws_that_its_script_makes():
    """A prior that moved since would make others."""
    pytest.importorskip("sequence_jacobian")
    from emulator.tests.reference.hank2.make import reference_draws

    np.testing.assert_array_equal(np.array(read("theta.csv")[1], dtype=float), reference_draws())


@pytest.mark.slow
def test_the_library_still_says_the_same(tmp_path):
    pytest.importorskip("sequence_jacobian")
    with as_file(REFERENCE) as folder:
        subprocess.run(
            [sys.executable, str(folder / "make.py"), "--output", str(tmp_path)], check=True
        )
    # Differences over 1e-7 round by 1.0e-6 from one processor to another.
    for name in ("irfs.csv", "published.csv"):
        again = np.loadtxt(tmp_path / name, delimiter=",", skiprows=1)
        assert np.abs(again - read(name)[1]).max() <= 3e-6, name


def test_responses_are_the_librarys():
    header, theta = read("theta.csv")
    assert tuple(header) == SPEC.parameter_names
    reference = responses("irfs.csv")
    assert len(reference) == len(theta)
    ours = WORLD.irf(theta)
    peak = np.abs(reference).max(axis=2, keepdims=True)
    assert (np.abs(ours - reference) / peak).max() < 5e-6


def test_the_published_example_is_reproduced(steady):
    """With its defaults the world is the library's example."""
    reference = responses("published.csv")[0]
    ours = WORLD.irf(SPEC.theta())[0, :3]
    assert (np.abs(ours - reference) / np.abs(reference).max(axis=1, keepdims=True)).max() < 2e-6
    assert (steady.beta, steady.chi1) == pytest.approx((0.97262, 4.8836), abs=1e-4)


def test_steady_states_are_the_librarys():
    header, rows = read("steady.csv")
    assert header == ["draw", "beta", "chi1", "consumption"]
    _, theta = read("theta.csv")
    for row, (_, beta, chi1, consumption) in zip(theta[:4], rows[:4], strict=True):
        households = hank2.rest(Tastes(*row[:N_TASTES].tolist()), EXAMPLE)
        assert households.beta == pytest.approx(beta, abs=1e-8)
        assert households.chi1 == pytest.approx(chi1, rel=1e-6)
        assert households.mean(households.c) == pytest.approx(consumption, abs=1e-7)
        assert households.error() < 1e-8


def test_where_the_search_begins_does_not_matter(steady):
    unknown, slope = coarse_solution(PUBLISHED)
    households = Households(PUBLISHED, EXAMPLE)
    households.begin(unknown)
    unknown, _ = households.search(unknown, slope, 5e-9)
    problem = households.problem(unknown)
    assert (problem.beta, problem.chi1) == pytest.approx((steady.beta, steady.chi1), rel=1e-8)


def test_a_start_that_leads_nowhere_is_replaced_by_the_coarse_solution(steady, monkeypatch):
    far = np.array([-20.0, 5.0]), np.eye(2)
    monkeypatch.setattr("emulator.worlds.hank2.steady.fitted", lambda tastes: far)
    assert calibrate(PUBLISHED, EXAMPLE).chi1 == pytest.approx(steady.chi1, rel=1e-8)


def test_the_derivative_of_a_step_back_is_its_difference(steady):
    """By what is expected, and by returns and income."""
    step = Step(steady)
    shape, rows = steady.a.shape, EXAMPLE.liquid + EXAMPLE.multipliers
    endogenous, choices = empty_endogenous(3, rows, EXAMPLE.illiquid), empty_choices(*shape)
    slopes = empty_slopes(*shape, rows)
    backward(step.problem, steady.expected, endogenous, choices)
    linearise(step.problem, steady.expected, endogenous, choices, slopes)
    answer, value = np.empty((3, *shape)), np.empty((2, *shape))
    direction = steady.expected * np.random.default_rng(0).normal(size=steady.expected.shape)
    room = np.empty((2, rows, EXAMPLE.illiquid))
    apply(endogenous, choices, slopes, direction, room, answer, value)
    size = 1e-6

    def difference(problem_of, expected_of):
        ends = []
        for sign in (1, -1):
            moved = empty_choices(*shape)
            other = empty_endogenous(3, rows, EXAMPLE.illiquid)
            backward(problem_of(sign * size), expected_of(sign * size), other, moved)
            ends.append(np.concatenate([[moved.a, moved.b, moved.c], moved.value]))
        return (ends[0] - ends[1]) / (2 * size)

    def close_to(ours, theirs):
        scale = np.abs(theirs).max(axis=(1, 2, 3))
        assert (np.abs(ours - theirs).max(axis=(1, 2, 3)) < 5e-5 * scale).all()

    same = lambda h: step.problem  # noqa: E731
    moved = difference(same, lambda h: steady.expected + h * direction)
    close_to(np.concatenate([answer, value]), moved)
    for moves, change in (
        ((1.0, 0.0, 0.0), lambda p, h: p._replace(r_illiquid=p.r_illiquid + h)),
        ((0.0, 1.0, 0.0), lambda p, h: p._replace(r_liquid=p.r_liquid + h)),
        ((0.0, 0.0, 1.0), lambda p, h: p._replace(income=p.income * (1 + h))),
    ):
        on_impact(step.problem, steady.expected, endogenous, choices, slopes, moves, answer, value)
        moved = difference(lambda h, of=change: of(step.problem, h), lambda h: steady.expected)
        close_to(np.concatenate([answer, value]), moved)


def test_the_distribution_stays(steady):
    step = Step(steady)
    after, landed = np.empty_like(steady.a), np.empty_like(steady.a)
    transposed = np.ascontiguousarray(steady.transition.T)
    forward(transposed, step.lottery, steady.distribution, landed, after)
    assert np.abs(after - steady.distribution).max() < 1e-13
    assert steady.distribution.sum() == pytest.approx(1)
    assert steady.distribution.min() > -1e-15


def test_budgets_add_up_along_foreseen_income(steady):
    """A unit of income ends in consumption, in wealth or in the cost of moving it: sums of
    households' budgets, in which the returns of rest are earned.
    """
    costs = steady.chi1 * (
        (steady.a + 0.25) / (1.0125 * hank2_illiquid() + 0.25) - 1
    )  # what saving one more unit of illiquid assets costs
    none, one = np.zeros_like(costs), np.ones_like(costs)
    grid = Output(psi(steady), costs, none, none)
    outputs = [Output(steady.a, one, none, none), Output(steady.b, none, one, none), grid]
    news = FakeNews(steady, 60)
    a, b, cost = news.jacobian(outputs, 60).foreseen[:, 1]
    total = news.jacobian(watched(steady), 60).foreseen[0, 1] * steady.mean(steady.c)
    before = np.zeros((2, *a.shape))
    before[:, 1:] = np.stack([a, b])[:, :-1]
    earned = 1.0125 * before[0] + 1.0075 * before[1]
    assert np.abs(total + a + b + cost - earned - np.eye(60)).max() < 1e-8


def hank2_illiquid():
    from emulator.worlds.hank2.household import grids

    return grids(EXAMPLE).illiquid


def psi(steady):
    earned = 1.0125 * hank2_illiquid()
    return 0.5 * steady.chi1 * (steady.a - earned) ** 2 / (earned + 0.25)


def test_few_periods_answer_as_all_do(steady, monkeypatch):
    """Equations and Jacobians at the periods that are kept, against those at every period; what is
    left comes from the end, which is as near as 300 quarters here.
    """
    shocks = processes(np.array([0.6, 0.9, 0.8, 0.5]), 300)
    rest = rest_of(steady, RULE.debt)
    ours, theirs = [], []
    for paths in (ours, theirs):
        jacobian = FakeNews(steady, 300).jacobian(markets(steady), 300)
        closed = close(jacobian, project(jacobian), rest, RULE, shocks, rows=41)
        paths += [closed.y, closed.pi, closed.prices.investment]
        for module in ("fake_news", "closure"):
            name = f"emulator.worlds.hank2.{module}"
            monkeypatch.setattr(f"{name}.kept_periods", lambda n: np.arange(n - 1))
            monkeypatch.setattr(f"{name}.recovery", lambda n: np.eye(n - 1))
    for one, other in zip(ours, theirs, strict=True):
        assert np.abs(one - other)[:41].max() < 1e-5 * np.abs(other).max()


def test_determinacy_agrees_with_what_a_longer_truncation_does(steady):
    """A unique solution stays when the truncation moves; among many, the truncation picks one, and
    another when it moves.
    """
    for phi_pi, expected in ((0.7, Status.INDETERMINATE), (1.3, Status.OK)):
        policy, rest = RULE._replace(phi_pi=phi_pi), rest_of(steady, RULE.debt)
        paths = []
        for periods in (300, 420):
            jacobian = FakeNews(steady, periods).jacobian(markets(steady), periods)
            assert determinacy(jacobian, rest, policy) == expected
            shocks = processes(np.full(4, 0.5), periods)
            closed = close(jacobian, project(jacobian), rest, policy, shocks, rows=40)
            paths.append(closed.y[:40])
        moved = np.abs(paths[0] - paths[1]).max() / np.abs(paths[1]).max()
        assert moved < 1e-3 if expected == Status.OK else moved > 0.01


def test_it_is_a_world():
    check_world(WORLD, n=8, seed=3)


def test_the_part_closes_to_what_the_solver_answers():
    """In the median to 2e-5; what hardly comes back to rest within 600 quarters errs by more."""
    theta = np.random.default_rng(11).uniform(SPEC.low, SPEC.high, size=(5, SPEC.n_parameters))
    part = WORLD.dear_part(theta)
    assert part.shape == (5, WORLD.closure.part_size)
    exact = WORLD.irf(theta)
    apart = np.abs(WORLD.from_part(theta, part) - exact) / np.abs(exact).max(axis=2, keepdims=True)
    assert np.median(apart.max(axis=(1, 2, 3))) < 1e-4
    assert apart.max() < 2e-2
    WORLD.closure.check()


def test_tastes_without_a_steady_state_are_searched_once(monkeypatch):
    """Which takes ten times as long as to find one: a group of draws asks for each of its draws."""
    searches = []

    def none(tastes, size):
        searches.append(tastes)
        raise NoSolutionError("no steady state")

    monkeypatch.setattr("emulator.worlds.hank2.steady.calibrate", none)
    theta = np.concatenate([SPEC.theta(sd_e=0.777, phi_pi=x) for x in (1.5, 1.6)])
    assert (WORLD.status(theta) == Status.NOT_CONVERGED).all()
    assert np.isnan(WORLD.dear_part(theta)).all()
    assert len(searches) == 1
    hank2._rest.cache_clear()


def test_parts_are_remembered_longer_than_jacobians(monkeypatch):
    """Who solves the draws of many households asks for their parts when all are solved."""
    theta = SPEC.theta(eis=0.51)
    assert WORLD.status(theta)[0] == Status.OK
    hank2.solve_household.cache_clear()
    monkeypatch.setattr("emulator.worlds.hank2.fake_news.FakeNews", None)
    assert np.isfinite(WORLD.dear_part(theta)).all()


def test_tastes_move_the_numbers_of_the_part_by_little_more_than_themselves():
    """Marginal utility is forty times as large at some tastes as at others; the part, which maps of
    tastes have to follow, holds shares of it.
    """
    sizes = []
    for eis in (0.32, 1.0):
        blocks = WORLD.closure.blocks_of(WORLD.dear_part(SPEC.theta(eis=eis)))
        sizes.append([np.linalg.norm(block) for block in blocks])
    ratio = np.divide(*sizes)
    assert ratio[:6].max() < 4
    assert ratio[:6].min() > 1 / 4


def test_a_draw_that_comes_back_slowly_is_answered_over_a_longer_time():
    """The determinant of the short truncation passes too near zero to tell."""
    theta = np.random.default_rng(11).uniform(SPEC.low, SPEC.high, size=(60, SPEC.n_parameters))
    slow = theta[19:20]
    household = hank2.solve_household(Tastes(*slow[0, :N_TASTES].tolist()), EXAMPLE)
    policy = Policy(*slow[0, N_TASTES : N_TASTES + N_POLICY])
    rest = rest_of(household.steady, policy.debt)
    assert determinacy(household.markets, rest, policy) == Status.NOT_CONVERGED
    assert WORLD.status(slow)[0] == Status.OK


def test_signs_that_theory_asks_for():
    theta = WORLD.sample(5, np.random.default_rng(2))
    impact = WORLD.irf(theta, horizon=0)[:, :, 0]
    assert (impact[:, MONETARY, [OUTPUT, INFLATION, CONSUMPTION, HOURS, INVESTMENT]] < 0).all()
    assert (impact[:, COST_PUSH, INFLATION] > 0).all()
    assert (impact[:, TECHNOLOGY, INFLATION] < 0).all()
    assert WORLD.residual(theta).max() < 1e-5


def test_who_is_to_hold_more_liquid_assets_finds_illiquid_ones_costlier_and_spends_more_of_cash():
    """Wealth stays: what makes households hold it in liquid form is the cost of adjusting the
    rest.
    """
    theta = np.concatenate([SPEC.theta(liquid=x) for x in (0.6, 1.04, 1.5)])
    mpc = WORLD.mpc(theta)
    assert (np.diff(mpc) > 0).all()
    assert ((mpc > 0.02) & (mpc < 0.5)).all()
    costs = [hank2.rest(Tastes(*row[:N_TASTES].tolist()), EXAMPLE).chi1 for row in theta]
    assert (np.diff(costs) > 0).all()
    assert np.isnan(WORLD.mpc(SPEC.theta(liquid=-1.0))).all()


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"liquid": -1.0}, Status.OUTSIDE_BOUNDS),
        ({"kappa": 0.0}, Status.OUTSIDE_RANGE),
        ({"debt": 5.0}, Status.OUTSIDE_RANGE),  # firms would sell below cost
        ({"rho_m": 1.0}, Status.OUTSIDE_RANGE),
        ({"phi_pi": 0.8}, Status.INDETERMINATE),
        ({"sd_e": 0.001}, Status.NOT_CONVERGED),
    ],
)
def test_draws_without_an_answer_say_why(values, status):
    theta = SPEC.theta(**values)
    assert WORLD.status(theta)[0] == status
    assert np.isnan(WORLD.irf(theta, on_failure="nan")).all()
    with pytest.raises(NoSolutionError):
        WORLD.irf(theta)


def test_horizons_and_settings_that_cannot_be_are_refused():
    with pytest.raises(ParameterError, match=r"expected 0 .* to 400"):
        WORLD.irf(SPEC.theta(), horizon=401)
    with pytest.raises(UnknownNameError, match="liquid"):
        WORLD.with_settings({"liquids": 10})
    with pytest.raises(ParameterError, match="whole numbers of 8, 12, 3 or more"):
        WORLD.with_settings({"liquid": 2.5})
    finer = WORLD.with_settings({"liquid": 12})
    assert finer.settings == {"liquid": 12, "illiquid": 16, "multipliers": 4}
    assert finer.with_settings({"liquid": 10}).size == Size(10, 16, 4)


def test_without_the_extra_the_world_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    hank2.threads.cache_clear()
    assert SPEC.n_parameters == 24
    with pytest.raises(MissingExtraError, match=r"universal-macro-emulator\[hank\]"):
        WORLD.irf(SPEC.theta(eis=0.123))
    hank2.threads.cache_clear()
