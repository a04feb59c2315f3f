"""Piecewise-linear paths against every guess of regimes, against the closed form of one bound, and
surprises one after another.
"""

import itertools

import numpy as np
import pytest

from emulator.solvers import solve_linear_re
from emulator.solvers.piecewise_linear import (
    Regimes,
    guessed_path,
    path_after,
    simulate_surprises,
)
from emulator.spec import Status
from emulator.worlds import get_world, nk, zlb

pytestmark = pytest.mark.fast

PERIODS = 5


def of_nk(theta, held=((nk.RATE, -1.0),)):
    """The New Keynesian model in which each of some variables may be held at a value (N,) instead
    of the equation of its own: the rate instead of the Taylor rule, output instead of the IS curve.
    """
    rows = {nk.RATE: zlb.RULE, nk.X: 0}
    lead, current, lag, shock = nk.equations(theta)
    solution = solve_linear_re(lead, current, lag, shock, nk.STRUCTURE)
    assert (solution.status == Status.OK).all()
    stacks = [[m] for m in (lead, current, lag, shock, np.zeros(current.shape[:2]))]
    for code in range(1, 2 ** len(held)):
        regime = [stack[0].copy() for stack in stacks]
        for k, (variable, level) in enumerate(held):
            if code >> k & 1:
                for matrix in regime:
                    matrix[:, rows[variable]] = 0.0
                regime[1][:, rows[variable], variable] = 1.0
                regime[4][:, rows[variable]] = -level
        for stack, matrix in zip(stacks, regime, strict=True):
            stack.append(matrix)
    return Regimes(*map(np.stack, stacks), solution.transition, solution.impact)


def bounded_below(regimes, theta, level):
    """The rate binds where it lies below its bound; it is relaxed where the rule lies above."""
    _, current, lag, _ = nk.equations(theta)
    led = nk.equations(theta)[0]
    assert not led[:, zlb.RULE].any()

    def checks(values, rows):
        before = np.concatenate([np.zeros_like(values[:, :1]), values[:, :-1]], axis=1)
        rule = np.einsum("ntj,nj->nt", values, current[rows, zlb.RULE])
        rule += np.einsum("ntj,nj->nt", before, lag[rows, zlb.RULE])
        bound = level[rows, None] if isinstance(level, np.ndarray) else level
        desired = values[:, :, nk.RATE] - rule / current[rows, zlb.RULE, nk.RATE][:, None]
        binds = values[:, :, nk.RATE] < bound - 1e-12
        return binds[:, :, None], (desired > bound + 1e-12)[:, :, None]

    return checks


def draws(n, seed=5):
    return get_world("zlb").sample(n, np.random.default_rng(seed))


def test_a_guess_is_solved_by_its_own_equations():
    theta = draws(4)[:, : nk.SPEC.n_parameters]
    regimes = of_nk(theta)
    rng = np.random.default_rng(0)
    binding = rng.random((4, PERIODS, 1)) < 0.5
    shock = rng.normal(size=(4, 3))
    path = guessed_path(regimes, np.zeros((4, path_size(regimes))), shock, binding)
    code = binding[:, :, 0].astype(int)
    n = np.arange(4)
    for t in range(PERIODS - 1):
        before = path[:, t - 1] if t else np.zeros_like(path[:, 0])
        error = sum(
            np.einsum("nij,nj->ni", matrix[code[:, t], n], value)
            for matrix, value in (
                (regimes.lead, path[:, t + 1]),
                (regimes.current, path[:, t]),
                (regimes.lag, before),
                (regimes.shock, shock if t == 0 else 0 * shock),
            )
        )
        np.testing.assert_allclose(error + regimes.constant[code[:, t], n], 0, atol=1e-9)


def path_size(regimes):
    return regimes.transition.shape[1]


def test_one_bound_is_that_of_the_closed_form():
    """The world `zlb` solves its bound as a linear complementarity problem of its own."""
    theta = draws(60)
    paths, spells, _ = get_world("zlb").solve(theta, 15)
    assert (spells[:, 0] > 0).mean() > 0.2
    level = -(theta[:, zlb.N_NK] / 4 - 100 * np.log(theta[:, zlb.SPEC.index("beta")]))
    of_nk_theta = theta[:, : zlb.N_NK]
    regimes = of_nk(of_nk_theta, ((nk.RATE, level),))
    shock = np.zeros((len(theta), 3))
    sizes = theta[:, zlb.SPEC.index("sigma_r")]
    shock[:, 1] = -theta[:, zlb.N_NK + 1] / 4 / sizes
    path = path_after(
        regimes,
        bounded_below(regimes, of_nk_theta, level),
        np.zeros((len(theta), path_size(regimes))),
        shock,
        np.zeros((len(theta), 120, 1), dtype=bool),
    )
    assert path.solved.all()
    np.testing.assert_array_equal(path.binding.sum(axis=(1, 2)), spells[:, 0])
    values = path.values[:, :16][:, :, zlb.JUMPS] * zlb.UNITS
    np.testing.assert_allclose(values, paths[:, 0], rtol=0, atol=1e-10)


def two_bounds(values, rows):
    """The rate at least -1, output at least -2: each binds below its bound."""
    binds = np.stack([values[:, :, nk.RATE] < -1 - 1e-9, values[:, :, nk.X] < -2 - 1e-9], axis=2)
    return binds, np.zeros_like(binds)


def test_two_constraints_are_those_of_the_one_guess_that_nothing_contradicts():
    """Every one of the 4^4 guesses, against the search."""
    theta = draws(5, seed=9)[:, : nk.SPEC.n_parameters]
    regimes = of_nk(theta, ((nk.RATE, -1.0), (nk.X, -2.0)))
    checks = switching(theta)
    shock = np.array([[0.0, -7.0, 0.0]] * len(theta)) / theta[:, [nk.SPEC.index("sigma_r")]]
    start = np.zeros((len(theta), path_size(regimes)))
    path = path_after(regimes, checks, start, shock, np.zeros((len(theta), 40, 2), dtype=bool))
    compared = 0
    for row in np.flatnonzero(path.solved):
        one = regimes.take(np.array([row]))
        if path.binding[row, 4:].any():
            continue
        consistent = []
        for flat in itertools.product((False, True), repeat=8):
            guess = np.zeros((1, 40, 2), dtype=bool)
            guess[0, :4] = np.reshape(flat, (4, 2))
            values = guessed_path(one, start[[row]], shock[[row]], guess)
            binds, relaxes = checks(values, np.array([row]))
            if not np.where(guess, relaxes, binds).any():
                consistent.append((guess, values))
        assert any((guess[0] == path.binding[row]).all() for guess, _ in consistent)
        match = next(v for g, v in consistent if (g[0] == path.binding[row]).all())
        np.testing.assert_allclose(match[0], path.values[row], atol=1e-10)
        compared += path.binding[row].any()
    assert compared > 1


def switching(theta):
    """Both bounds: each variable is relaxed where its own equation would leave it above."""
    lead, current, lag, _ = nk.equations(theta)

    def desired(values, rows, equation, variable):
        after = np.concatenate([values[:, 1:], np.zeros_like(values[:, :1])], axis=1)
        before = np.concatenate([np.zeros_like(values[:, :1]), values[:, :-1]], axis=1)
        error = sum(
            np.einsum("ntj,nj->nt", value, matrix[rows, equation])
            for matrix, value in ((lead, after), (current, values), (lag, before))
        )
        return values[:, :, variable] - error / current[rows, equation, variable][:, None]

    def checks(values, rows):
        binds, _ = two_bounds(values, rows)
        relaxes = np.stack(
            [
                desired(values, rows, zlb.RULE, nk.RATE) > -1 + 1e-9,
                desired(values, rows, 0, nk.X) > -2 + 1e-9,
            ],
            axis=2,
        )
        return binds, relaxes

    return checks


def test_a_second_surprise_begins_where_the_first_one_led():
    theta = draws(6, seed=2)
    of_nk_theta = theta[:, : zlb.N_NK]
    level = np.full(6, -0.5)
    regimes = of_nk(of_nk_theta, ((nk.RATE, level),))
    checks = bounded_below(regimes, of_nk_theta, level)
    shocks = np.zeros((6, 4, 3))
    shocks[:, 0, 1] = -2.0
    shocks[:, 3, 1] = 1.0
    path = simulate_surprises(regimes, checks, shocks, periods=12, ahead=100)
    assert path.solved.all()
    first = simulate_surprises(regimes, checks, shocks[:, :1], periods=12, ahead=100)
    np.testing.assert_allclose(path.values[:, :3], first.values[:, :3], atol=1e-12)
    assert np.abs(path.values[:, 3] - first.values[:, 3]).max() > 1e-3


def test_far_bounds_leave_the_linear_path_and_a_sunspot_of_bindings_is_not_solved():
    theta = draws(2)[:, : nk.SPEC.n_parameters]
    regimes = of_nk(theta)
    shocks = np.ones((2, 1, 3))

    def never(values, rows):
        nothing = np.zeros((*values.shape[:2], 1), dtype=bool)
        return nothing, nothing

    def always(values, rows):
        everything = np.ones((*values.shape[:2], 1), dtype=bool)
        return everything, everything

    path = simulate_surprises(regimes, never, shocks, periods=8, ahead=20)
    power = regimes.impact.sum(axis=2)
    for t in range(8):
        np.testing.assert_allclose(path.values[:, t], power, atol=1e-12)
        power = np.einsum("nij,nj->ni", regimes.transition, power)
    contradicted = simulate_surprises(regimes, always, shocks, periods=8, ahead=20)
    assert not contradicted.solved.any()
    assert np.isnan(contradicted.values).all()
