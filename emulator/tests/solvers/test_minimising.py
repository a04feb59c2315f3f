"""Many minima at once: against another minimiser, at bounds, and where functions have no value."""

import numpy as np
import pytest
from scipy import optimize

from emulator.solvers.minimising import minimise

pytestmark = pytest.mark.fast

FREE = np.full(2, np.inf)


def valley(points, rows):
    """Rosenbrock's, with its minimum at (a, a^2), a = 1 + row / 2."""
    a = 1 + rows / 2
    return (a - points[:, 0]) ** 2 + 100 * (points[:, 1] - points[:, 0] ** 2) ** 2 + 0.5


def test_each_function_has_its_own_minimum():
    minimum = minimise(valley, np.full((5, 2), -1.0), -FREE, FREE)
    a = 1 + np.arange(5) / 2
    assert minimum.converged.all()
    np.testing.assert_allclose(minimum.point, np.stack([a, a**2], axis=1), rtol=1e-6)


def test_bounds_hold_and_the_rest_is_best_given_them():
    high = np.array([np.inf, 0.25])
    minimum = minimise(valley, np.zeros((1, 2)), -FREE, high)
    other = optimize.minimize(
        lambda x: valley(x[None], np.zeros(1))[0],
        np.zeros(2),
        method="L-BFGS-B",
        bounds=[(None, None), (None, 0.25)],
        options={"ftol": 1e-15, "gtol": 1e-10},
    )
    assert minimum.point[0, 1] == 0.25
    np.testing.assert_allclose(minimum.point[0], other.x, rtol=1e-5)
    assert minimum.value[0] <= other.fun + 1e-12


def test_a_border_beyond_which_there_is_no_value_is_not_crossed():
    def walled(points, rows):
        value = (points[:, 0] - 2) ** 2
        return np.where(points[:, 0] < 1 + rows, value, np.nan)

    minimum = minimise(walled, np.zeros((3, 1)), -FREE[:1], FREE[:1])
    np.testing.assert_allclose(minimum.point[:, 0], [1, 2, 2], atol=1e-6)


def test_a_function_without_a_value_at_its_start_stays_there():
    def some(points, rows):
        return np.where(rows == 1, np.inf, (points[:, 0] - 3) ** 2 + 1)

    minimum = minimise(some, np.zeros((3, 1)), -FREE[:1], FREE[:1])
    np.testing.assert_allclose(minimum.point[:, 0], [3, 0, 3], atol=1e-7)
    assert minimum.converged.tolist() == [True, False, True]
