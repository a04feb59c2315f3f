"""The bound against brute force over all regimes, against principal minors, and the responses to
news against a longer linear model.
"""

import dataclasses
import itertools

import numpy as np
import pytest

from emulator.errors import SolverError
from emulator.solvers import Structure, occasionally_binding, solve_linear_re
from emulator.solvers.occasionally_binding import News, news_response, respect_bound
from emulator.worlds import get_world
from emulator.worlds.nk import PI, RATE, SPEC, STRUCTURE, M, X, equations

pytestmark = pytest.mark.fast

PERIODS = 6
SUBSETS = [list(s) for k in range(PERIODS + 1) for s in itertools.combinations(range(PERIODS), k)]
NK = get_world("nk")


def random_news(n, rng):
    """n draws in general position, stable; responses of either sign, so that some have one solution
    and others do not.
    """
    onward = rng.normal(size=(n, 2, 2))
    onward *= (rng.uniform(0.2, 0.95, n) / np.abs(np.linalg.eigvals(onward)).max(axis=1))[
        :, None, None
    ]
    return News(
        persistence=rng.uniform(0, 0.95, n),
        onward=np.moveaxis(onward, 0, 2),
        impact=rng.normal(size=(2, n)),
        ahead=rng.normal(size=(2, n)),
        own=rng.uniform(0.2, 1.5, n),
        lagged=rng.normal(size=(2, n)),
    )


def news_of_nk(theta):
    lead, current, lag, shock = equations(theta)
    return News.of(
        STRUCTURE,
        lead,
        current,
        solve_linear_re(lead, current, lag, shock, STRUCTURE).transition,
        RATE,
        2,
    )


def responses(news, periods=PERIODS):
    """(N, T, T): entry t, s is the bounded variable in period t after news of one for period s."""
    columns = []
    for period in range(periods):
        multiplier = np.zeros((periods, len(news.own)))
        multiplier[period] = 1.0
        columns.append(news_response(news, multiplier)[0].T)
    return np.stack(columns, axis=2)


def all_solutions(matrix, gap):
    """Every multiplier (T,) with 0 <= mu, gap + M mu >= 0, one of them zero in each period: all 2^T
    regimes are tried.
    """
    solutions = []
    for held in SUBSETS:
        mu = np.zeros(PERIODS)
        mu[held] = np.linalg.solve(matrix[np.ix_(held, held)], -gap[held])
        if (mu >= 0).all() and (np.delete(gap + matrix @ mu, held) >= 0).all():
            solutions.append(mu)
    return solutions


def test_uniqueness_is_that_all_principal_minors_are_positive():
    news = random_news(300, np.random.default_rng(0))
    matrix = responses(news)
    minors = [np.linalg.det(matrix[:, held][:, :, held]) for held in SUBSETS[1:]]
    expected = (np.array(minors) > 0).all(axis=0)
    assert (news.unique(PERIODS) == expected).all()
    assert 50 < expected.sum() < 250


def test_where_the_solution_is_unique_brute_force_finds_one_and_it_is_ours():
    rng = np.random.default_rng(1)
    news = random_news(200, rng)
    news = news.take(np.flatnonzero(news.unique(PERIODS)))
    gap = rng.normal(size=(PERIODS, len(news.own)))
    path = respect_bound(news, gap)
    assert path.solved.all()
    assert len(np.unique((path.multiplier > 0).sum(axis=0))) >= 5
    for draw, matrix in enumerate(responses(news)):
        (mu,) = all_solutions(matrix, gap[:, draw])
        assert np.abs(path.multiplier[:, draw] - mu).max() < 1e-10 * max(1, mu.max())
        assert np.abs(path.bounded[:, draw] - matrix @ mu).max() < 1e-10 * max(1, mu.max())


@pytest.mark.parametrize(("sign", "fewest"), [(1, 1), (-1, 0)])
def test_where_uniqueness_is_denied_there_are_several_solutions_or_none(monkeypatch, sign, fewest):
    """With d > 0 an odd number, with d < 0 an even one: news that moves the rate the wrong way
    cannot hold it at its bound.
    """
    rng = np.random.default_rng(2)
    news = random_news(80, rng)
    news = dataclasses.replace(news, own=sign * news.own)
    news = news.take(np.flatnonzero(~news.unique(PERIODS))[:8])
    gap = 2 * rng.normal(size=(PERIODS, 8 * 12))
    matrices = np.tile(responses(news), (12, 1, 1))
    counts = np.array([len(all_solutions(matrix, gap[:, k])) for k, matrix in enumerate(matrices)])
    assert counts.min() == fewest
    assert counts.max() > 1
    assert (counts % 2 == fewest).all()
    monkeypatch.setattr(occasionally_binding, "MAX_ROUNDS", 100)
    path = respect_bound(news.take(np.tile(np.arange(8), 12)), gap)
    assert not path.solved[counts == 0].any()


def test_changing_the_last_wrong_period_alone_gives_the_same_solutions(monkeypatch):
    rng = np.random.default_rng(3)
    news = random_news(2000, rng)
    news = news.take(np.flatnonzero(news.unique(20)))
    gap = rng.normal(size=(20, len(news.own)))
    jointly = respect_bound(news, gap)
    monkeypatch.setattr(occasionally_binding, "JOINT_ROUNDS", 0)
    singly = respect_bound(news, gap)
    peak = np.maximum(1, jointly.multiplier.max(axis=0))
    assert (np.abs(jointly.multiplier - singly.multiplier) / peak).max() < 1e-9
    assert (jointly.solved == singly.solved).all()
    # Where news must grow a millionfold to hold the bound, rounding alone breaks it, and the path
    # is not called solved.
    assert jointly.solved[peak < 1e5].all()
    assert not jointly.solved[peak > 1e9].any()


def test_a_bound_that_never_binds_changes_nothing_and_a_longer_horizon_changes_nothing():
    rng = np.random.default_rng(4)
    news = news_of_nk(NK.sample(100, rng))
    gap = np.concatenate([rng.normal(size=(12, 100)), rng.uniform(0.1, 1, size=(20, 100))])
    gap[:, :10] = np.abs(gap[:, :10])
    path, longer = (
        respect_bound(news, gap),
        respect_bound(news, np.concatenate([gap, np.full((30, 100), 5.0)])),
    )
    assert (path.multiplier[:, :10] == 0).all()
    assert (path.bounded[:, :10] == 0).all()
    assert (path.multiplier[:, 10:] > 0).any(axis=0).all()
    settled = (path.multiplier[-1] == 0) & (longer.multiplier[32:] == 0).all(axis=0)
    assert settled.sum() > 80
    led, bounded = path.continued(news, 62)
    assert np.abs(bounded - longer.bounded)[:, settled].max() < 1e-12
    assert np.abs(led - longer.led)[:, :, settled].max() < 1e-12
    shorter = path.continued(news, 5)
    assert (shorter[1] == path.bounded[:5]).all()
    assert (shorter[0] == path.led[:5]).all()


def test_draws_do_not_depend_on_their_batch():
    rng = np.random.default_rng(5)
    news, gap = news_of_nk(NK.sample(40, rng)), rng.normal(size=(15, 40))
    together = respect_bound(news, gap)
    for draw in range(40):
        alone = respect_bound(news.take(np.array([draw])), gap[:, [draw]])
        assert (alone.multiplier[:, 0] == together.multiplier[:, draw]).all()
    empty = respect_bound(news.take(np.arange(0)), gap[:, :0])
    assert empty.multiplier.shape == (15, 0)
    assert empty.solved.shape == (0,)


def test_what_is_not_a_number_is_not_solved():
    rng = np.random.default_rng(6)
    news, gap = news_of_nk(NK.sample(3, rng)), rng.normal(size=(8, 3))
    gap[4, 1] = np.nan
    assert respect_bound(news, gap).solved.tolist() == [True, False, True]


@pytest.mark.parametrize("quarters", [0, 1, 4])
def test_news_is_what_a_linear_model_with_announced_shocks_says(quarters):
    """The announcement made a chain of states: s_1 = e, s_k = s_(k-1) lagged, the last of them in
    the Taylor rule.
    """
    theta = NK.sample(50, np.random.default_rng(7))
    lead, current, lag, _ = (
        np.pad(m, [(0, 0), (0, quarters + 1), (0, quarters + 1)]) for m in equations(theta)
    )
    current[:, range(6, 7 + quarters), range(6, 7 + quarters)] = 1.0
    lag[:, range(7, 7 + quarters), range(6, 6 + quarters)] = -1.0
    current[:, 2, 6 + quarters] = -1.0
    shock = np.zeros((50, 7 + quarters, 1))
    shock[:, 6] = -1.0
    solution = solve_linear_re(lead, current, lag, shock)
    multiplier = np.zeros((12, 50))
    multiplier[quarters] = 1.0
    bounded, led = news_response(news_of_nk(theta), multiplier)
    state = solution.impact
    for period in range(12):
        assert np.abs(state[:, RATE, 0] - bounded[period]).max() < 1e-9
        assert np.abs(state[:, [X, PI], 0].T - led[period]).max() < 1e-9
        state = solution.transition @ state


def test_the_bounded_variable_must_be_the_one_lagged_endogenous_variable():
    lead, current, lag, shock = equations(SPEC.theta())
    lag[:, 0, X] = -0.3  # habit
    structure = Structure.of(lead, current, lag)
    solution = solve_linear_re(lead, current, lag, shock)
    with pytest.raises(
        SolverError,
        match=(
            r"bounded variable, 2, must be the one lagged endogenous variable; found lags of"
            r" \(0, 2\)"
        ),
    ):
        News.of(structure, lead, current, solution.transition, RATE, 2)
    with pytest.raises(SolverError):
        News.of(STRUCTURE, lead, current, solution.transition, M, 3)
