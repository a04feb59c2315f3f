"""Impulse responses, simulation and roots of linear state spaces, against their definitions."""

import numpy as np
import pytest

from emulator.solvers import StateSpace, impulse_response, simulate, spectral_radius
from emulator.solvers.stacks import (
    innermost,
    is_innermost,
    outermost,
    pick,
    product,
    solve_stack,
    spread,
    take_draws,
)

pytestmark = pytest.mark.fast


def random_space(n=5, d=4, s=2, o=3, seed=0):
    rng = np.random.default_rng(seed)
    return StateSpace(
        0.4 * rng.normal(size=(n, d, d)), rng.normal(size=(n, d, s)), rng.normal(size=(n, o, d))
    )


@pytest.mark.parametrize("horizon", [0, 1, 2, 7, 40])
def test_responses_are_their_definition(horizon):
    space = random_space()
    irf = impulse_response(space, horizon)
    assert irf.shape == (5, 2, horizon + 1, 3)
    for h in range(horizon + 1):
        direct = space.C @ np.linalg.matrix_power(space.A, h) @ space.B
        assert np.allclose(irf[:, :, h], direct.transpose(0, 2, 1), atol=1e-13)


def test_blocks_do_not_change_the_responses(monkeypatch):
    whole = impulse_response(random_space(n=11), 20)
    monkeypatch.setattr("emulator.solvers.state_space.BLOCK", 4)
    assert np.allclose(impulse_response(random_space(n=11), 20), whole, atol=1e-14)


def test_a_simulated_path_is_the_sum_of_the_responses():
    space = random_space()
    shocks = np.random.default_rng(1).normal(size=(5, 12, 2))
    irf = impulse_response(space, 11)
    path = simulate(space, shocks)
    for t in range(12):
        expected = sum(
            np.einsum("nso,ns->no", irf[:, :, k], shocks[:, t - k]) for k in range(t + 1)
        )
        assert np.allclose(path[:, t], expected, atol=1e-12)


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_spectral_radius_is_the_largest_modulus(size):
    stack = np.random.default_rng(size).normal(size=(300, size, size))
    assert np.allclose(
        spectral_radius(stack), np.abs(np.linalg.eigvals(stack)).max(axis=1), rtol=1e-12
    )


def test_spectral_radius_of_special_matrices():
    assert (spectral_radius(np.zeros((3, 0, 0))) == 0).all()
    jordan = np.array(
        [[[0.5, 1.0], [0.0, 0.5]], [[0.0, 0.0], [0.0, 0.0]], [[0.0, -2.0], [2.0, 0.0]]]
    )
    assert np.allclose(spectral_radius(jordan), [0.5, 0.0, 2.0])
    for size in (1, 2, 3):
        assert not np.isfinite(spectral_radius(np.full((1, size, size), np.nan)))[0]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_stacks_are_solved_and_singular_draws_stay_alone(size):
    rng = np.random.default_rng(size)
    matrix, rhs = rng.normal(size=(20, size, size)), rng.normal(size=(20, size, 3))
    expected = np.linalg.solve(matrix, rhs)
    matrix[4] = 0.0
    solutions = solve_stack(matrix, rhs)
    others = np.arange(20) != 4
    assert np.allclose(solutions[others], expected[others], rtol=1e-9, atol=1e-11)
    assert not np.isfinite(solutions[4]).any()


def test_spread_is_the_reverse_of_pick():
    stack = np.random.default_rng(0).normal(size=(3, 4, 6))
    for positions in ((0, 1, 2), (5, 2), (1,), ()):
        part = pick(stack, positions)
        assert part.shape == (3, 4, len(positions))
        assert np.array_equal(pick(spread(part, positions, 6), positions), part)
        assert np.array_equal(part, stack[:, :, list(positions)])


@pytest.mark.parametrize("states", [3, 15])
def test_states_without_a_memory_change_no_response(states):
    """Few states go ahead in strides and many period by period; those that move nothing are left
    out. Neither shows.
    """
    rng = np.random.default_rng(states)
    a = 0.3 * rng.normal(size=(7, states, states))
    a[:, :, 1] = 0.0
    space = StateSpace(a, rng.normal(size=(7, states, 2)), rng.normal(size=(7, 3, states)))
    irf = impulse_response(space, 9)
    for h in range(10):
        direct = space.C @ np.linalg.matrix_power(space.A, h) @ space.B
        assert np.allclose(irf[:, :, h], direct.transpose(0, 2, 1), rtol=1e-12, atol=1e-13)


def test_a_draw_without_a_solution_stays_alone_in_its_block():
    space = random_space()
    expected = impulse_response(space, 6)
    space.A[2] = np.nan
    responses = impulse_response(space, 6)
    others = np.arange(5) != 2
    assert np.allclose(responses[others], expected[others], atol=1e-14)
    assert np.isnan(responses[2, :, 1:]).all()


def test_layouts_differ_in_memory_alone():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(9, 3, 2)), rng.normal(size=(9, 2, 4))
    laid = innermost(a)
    assert is_innermost(laid)
    assert not is_innermost(a)
    assert (laid == a).all()
    assert (outermost(laid) == a).all()
    assert np.allclose(product(laid, innermost(b)), a @ b, rtol=1e-14)
    draws = np.array([0, 4, 8])
    assert (take_draws(laid, draws) == a[draws]).all()
    assert (take_draws(a, draws) == a[draws]).all()
    assert is_innermost(take_draws(laid, draws))


@pytest.mark.parametrize("size", [3, 6])
@pytest.mark.parametrize("columns", [1, 7])
def test_stacks_are_solved_where_pivots_vanish(size, columns):
    """Zeros on the diagonal: each draw must find its own pivots."""
    rng = np.random.default_rng(size)
    matrix = np.stack(
        [np.eye(size)[rng.permutation(size)] * rng.uniform(0.5, 2, size) for _ in range(30)]
    )
    rhs = rng.normal(size=(30, size, columns))
    assert np.allclose(solve_stack(matrix, rhs), np.linalg.solve(matrix, rhs), rtol=1e-13)


@pytest.mark.fast
def test_transitions_far_from_normal_lose_no_digits():
    """A rank-one transition with entries of a million and a root of 0.22: its square would cost six
    digits, a product with a state costs none.
    """
    left, right = np.array([[1e6], [2e6], [3.0]]), np.array([[1.0, -0.5, 0.22 / 3]])
    a, b = (left @ right)[None], (0.5 * left)[None] / 1e6
    responses = impulse_response(StateSpace(a, b, np.eye(3)[None]), 30)[0, 0]
    root = float((right @ left)[0, 0])
    wanted = 0.5e-6 * left[:, 0] * root ** np.arange(31)[:, None]
    np.testing.assert_allclose(responses, wanted, rtol=1e-8)
