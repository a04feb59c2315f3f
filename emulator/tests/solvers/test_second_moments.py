"""Second moments of linear state spaces, against formulas, sums of responses and the spectrum."""

import numpy as np
import pytest
import torch

from emulator.errors import ParameterError
from emulator.solvers import StateSpace, impulse_response
from emulator.solvers.filters import FIRST_DIFFERENCE, hodrick_prescott
from emulator.solvers.second_moments import (
    Recursion,
    autocovariances,
    autocovariances_of_responses,
    forecast_variances,
    stationary_part,
    variances_by_shock,
)

pytestmark = pytest.mark.fast


def random_space(n=6, d=5, s=3, o=4, seed=0, largest=0.9):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n, d, d))
    a *= (largest / np.abs(np.linalg.eigvals(a)).max(axis=1))[:, None, None]
    return StateSpace(a, rng.normal(size=(n, d, s)), rng.normal(size=(n, o, d)))


def scalar(root, size=1.0):
    """An autoregression of order one that is observed itself."""
    return StateSpace(np.array([[[root]]]), np.array([[[size]]]), np.ones((1, 1, 1)))


def test_an_autoregression_has_the_moments_of_the_textbook():
    covariances = autocovariances(Recursion.of(scalar(0.9, 2.0)), 3)[0, :, 0, 0]
    np.testing.assert_allclose(covariances, 4 / (1 - 0.81) * 0.9 ** np.arange(4), rtol=1e-13)


@pytest.mark.parametrize("by", [None, FIRST_DIFFERENCE, hodrick_prescott(100.0)])
def test_moments_are_sums_of_products_of_responses(by):
    space = random_space()
    irf = impulse_response(space, 400)
    recursion = Recursion.of(space)
    if by is not None:
        recursion = recursion.filtered(by)
        irf = by.applied(irf, more=300)
    sums = autocovariances_of_responses(irf, 4)
    np.testing.assert_allclose(autocovariances(recursion, 4), sums, atol=1e-9 * sums.max())
    shares = (irf**2).sum(axis=2)
    np.testing.assert_allclose(variances_by_shock(recursion), shares, atol=1e-9 * shares.max())


def test_few_observables_and_few_shocks_give_the_same_shares():
    space = random_space(s=5, o=2)
    shares = variances_by_shock(Recursion.of(space))
    wide = StateSpace(space.A, space.B, np.concatenate([space.C] * 4, axis=1))
    np.testing.assert_allclose(variances_by_shock(Recursion.of(wide))[:, :, :2], shares, rtol=1e-10)


def test_forecast_errors_are_sums_of_squared_responses():
    space = random_space()
    irf = impulse_response(space, 11)
    variances = forecast_variances(Recursion.of(space), [1, 3, 12])
    for k, ahead in enumerate((1, 3, 12)):
        np.testing.assert_allclose(
            variances[:, k], (irf[:, :, :ahead] ** 2).sum(axis=2), rtol=1e-12
        )


@pytest.mark.parametrize("smoothing", [6.25, 1600.0, 129600.0])
@pytest.mark.parametrize("root", [0.5, 0.99, 1.0])
def test_the_hp_filter_by_the_spectrum(smoothing, root):
    """Uhlig (1999), A toolkit for analysing nonlinear dynamic stochastic models, sec. 6."""
    n = 2**14
    frequency = 2 * np.pi * np.arange(1, n) / n  # the filter removes frequency zero
    w = 4 * smoothing * (1 - np.cos(frequency)) ** 2
    spectrum = (w / (1 + w)) ** 2 / np.abs(1 - root * np.exp(-1j * frequency)) ** 2
    expected = [(spectrum * np.cos(lag * frequency)).sum() / n for lag in range(4)]
    recursion, stationary = stationary_part(
        Recursion.of(scalar(root)).filtered(hodrick_prescott(smoothing))
    )
    assert stationary.all()
    np.testing.assert_allclose(
        autocovariances(recursion, 3)[0, :, 0, 0], expected, rtol=1e-9, atol=1e-9 * expected[0]
    )


@pytest.mark.parametrize("smoothing", [0.0, -1.0, np.nan, 1e13])
def test_a_lambda_that_is_none_is_refused(smoothing):
    with pytest.raises(ParameterError, match="lambda"):
        hodrick_prescott(smoothing)


def unit_root_space(size=1.0):
    """A random walk w, an autoregression x, and: w, x, w's change, x plus w, and twice w less its
    double.
    """
    a = np.zeros((1, 3, 3))
    a[0, 0, 0] = a[0, 2, 0] = 1.0
    a[0, 1, 1] = 0.5
    b = np.array([[[size, 0.0], [0.0, 1.0], [0.0, 0.0]]])
    c = np.array([[[1, 0, 0], [0, 1, 0], [1, 0, -1], [1, 1, 0], [2 - 2, 0, 0]]], dtype=float)
    return StateSpace(a, b, c)


def test_what_a_unit_root_does_not_move_has_moments():
    recursion, stationary = stationary_part(Recursion.of(unit_root_space()))
    assert stationary.tolist() == [[False, True, True, False, True]]
    variance = np.einsum("oo->o", autocovariances(recursion, 0)[0, 0])
    np.testing.assert_allclose(variance[[1, 2, 4]], [4 / 3, 1.0, 0.0], atol=1e-12)


def test_first_differences_of_a_random_walk_are_its_shocks():
    recursion, stationary = stationary_part(
        Recursion.of(unit_root_space()).filtered(FIRST_DIFFERENCE)
    )
    assert stationary.all()
    covariances = autocovariances(recursion, 1)[0]
    np.testing.assert_allclose(covariances[:, 0, 0], [1.0, 0.0], atol=1e-12)


def test_a_unit_root_that_no_shock_moves_is_none():
    _, stationary = stationary_part(Recursion.of(unit_root_space(size=0.0)))
    assert stationary.all()


def test_differences_of_a_twice_integrated_variable_are_not_stationary():
    a = np.array([[[1.0, 1.0], [0.0, 1.0]]])
    space = StateSpace(a, np.array([[[0.0], [1.0]]]), np.eye(2)[None])
    once = Recursion.of(space).filtered(FIRST_DIFFERENCE)
    assert stationary_part(once)[1].tolist() == [[False, True]]
    cycle = Recursion.of(space).filtered(hodrick_prescott(1600.0))
    assert stationary_part(cycle)[1].all()


def test_a_small_difference_of_states_that_follow_each_other_keeps_its_digits():
    """Two states that move as one but for a hundred-thousandth, and their difference."""
    rotation = np.array([[1.0, 0.0], [1.0, 1e-5]])
    a = np.array([[[0.9, 0.0], [0.8, 0.1]]])
    b = (rotation @ np.ones((2, 1)))[None]
    space = StateSpace(a, b, np.array([[[-1.0, 1.0]]]))
    sums = (impulse_response(space, 300) ** 2).sum(axis=2)[0, 0, 0]
    recursion = Recursion.of(space)
    assert autocovariances(recursion, 0)[0, 0, 0, 0] == pytest.approx(sums, rel=1e-9)
    assert variances_by_shock(recursion)[0, 0, 0] == pytest.approx(sums, rel=1e-9)


@pytest.mark.parametrize("by", [None, hodrick_prescott(1600.0)])
def test_gradients_pass_through(by):
    space = random_space(n=2, largest=0.7)

    def total(matrices):
        recursion = Recursion.of(StateSpace(*matrices))
        recursion = recursion if by is None else recursion.filtered(by)
        return (
            autocovariances(recursion, 2).sum()
            + variances_by_shock(recursion).sum()
            + forecast_variances(recursion, [1, 4]).sum()
        )

    arrays = [space.A, space.B, space.C]
    tensors = [torch.tensor(m, requires_grad=True) for m in arrays]
    total(tensors).backward()
    assert total(tensors).item() == pytest.approx(total(arrays), rel=1e-10)
    for k in range(3):
        step = np.zeros_like(arrays[k])
        step[1, 0, 1] = 1e-6
        up, down = (
            [m + sign * step if i == k else m for i, m in enumerate(arrays)] for sign in (1, -1)
        )
        slope = (total(up) - total(down)) / 2e-6
        assert float(tensors[k].grad[1, 0, 1]) == pytest.approx(slope, rel=1e-5, abs=1e-5)
