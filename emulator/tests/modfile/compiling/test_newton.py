"""Newton's method on a batch: each draw finds its own root, a draw that cannot does not spoil the
others.
"""

import numpy as np
import pytest

from emulator.modfile.compiling.newton import damped_newton, solve_by_blocks

pytestmark = pytest.mark.fast


def growth(theta):
    """Steady state of the Solow model in logs and levels: residuals and derivatives in (k, y) at
    savings s and alpha.
    """

    def residual(point, rows):
        s, alpha = theta[rows].T
        k, y = point.T
        return np.stack([s * y - 0.1 * k, y - np.abs(k) ** alpha], axis=1)

    def jacobian(point, rows):
        s, alpha = theta[rows].T
        k = np.abs(point[:, 0])
        one = np.ones_like(s)
        return np.stack(
            [np.stack([-0.1 * one, s], 1), np.stack([-alpha * k ** (alpha - 1), one], 1)], axis=1
        )

    return residual, jacobian


def test_every_draw_finds_its_closed_form_root():
    theta = np.random.default_rng(0).uniform([0.1, 0.2], [0.5, 0.6], (500, 2))
    root, solved = damped_newton(*growth(theta), np.full((500, 2), 100.0))
    k = (theta[:, 0] / 0.1) ** (1 / (1 - theta[:, 1]))
    assert solved.all()
    np.testing.assert_allclose(root, np.stack([k, k ** theta[:, 1]], axis=1), rtol=1e-10)


def test_draws_without_a_root_are_told_and_leave_the_others_alone():
    shift = np.array([-1.0, 1.0, -4.0])  # x^2 + shift = 0

    def residual(point, rows):
        return point**2 + shift[rows, None]

    def jacobian(point, rows):
        return 2 * point[:, :, None]

    root, solved = damped_newton(residual, jacobian, np.full((3, 1), 3.0))
    assert solved.tolist() == [True, False, True]
    np.testing.assert_allclose(root[[0, 2], 0], [1.0, 2.0], rtol=1e-12)


def test_a_singular_jacobian_takes_the_smallest_step():
    """x + y = 2 twice over: a line of roots, the nearest to the start is taken."""
    matrix = np.ones((1, 2, 2))
    root, solved = damped_newton(
        lambda p, rows: (matrix[rows] @ p[:, :, None])[:, :, 0] - 2.0,
        lambda p, rows: matrix[rows],
        np.zeros((1, 2)),
    )
    assert solved.all()
    np.testing.assert_allclose(root, [[1.0, 1.0]], atol=1e-12)


def test_blocks_solve_a_recursive_system_from_a_start_where_newton_breaks_down():
    """log(a) = 1, then b = exp(a) - 3, then b c = 2 sqrt(b): from zero every logarithm and root
    fails but the first can be moved.
    """

    def residual(x):
        a, b, c = x
        return np.array([a - 2.0, b - np.exp(a) + 3.0, b * c - 2 * np.sqrt(b)])

    def jacobian(x):
        a, b, c = x
        return np.array([[1.0, 0, 0], [-np.exp(a), 1, 0], [0, c - 1 / np.sqrt(b), b]])

    pattern = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1]], dtype=bool)
    with np.errstate(all="ignore"):
        root = solve_by_blocks(residual, jacobian, pattern, np.array([0.0, -1.0, 0.0]))
    np.testing.assert_allclose(residual(root), 0.0, atol=1e-8)
