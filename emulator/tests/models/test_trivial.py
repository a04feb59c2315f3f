"""Trivial baselines against independent code: polyfit, normal equations, brute force."""

from __future__ import annotations

import numpy as np
import pytest

from emulator.errors import ModelError
from emulator.models.baselines import trivial
from emulator.models.baselines.trivial import (
    TRIVIAL_BASELINES,
    LinearRegression,
    NearestNeighbour,
    TrainingMean,
    Zero,
)

pytestmark = pytest.mark.fast
SHAPE = (2, 5, 3)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize("name", TRIVIAL_BASELINES)
def test_shapes_dtype_and_title(name: str, rng: np.random.Generator) -> None:
    theta, irf = (
        rng.normal(size=(40, 4)).astype(np.float32),
        rng.normal(size=(40, *SHAPE)).astype(np.float32),
    )
    prediction = TRIVIAL_BASELINES[name]().fit(theta, irf).predict(theta[:7])
    assert prediction.shape == (7, *SHAPE)
    assert prediction.dtype == np.float64
    assert np.isfinite(prediction).all()
    assert TRIVIAL_BASELINES[name].title


def test_zero_and_mean(rng: np.random.Generator) -> None:
    theta, irf = rng.normal(size=(30, 2)), rng.normal(size=(30, *SHAPE))
    assert not Zero().fit(theta, irf).predict(theta).any()
    np.testing.assert_allclose(
        TrainingMean().fit(theta, irf).predict(theta[:3]), [sum(irf) / 30] * 3, rtol=1e-12
    )


def test_linear_regression_is_polyfit_with_one_parameter(rng: np.random.Generator) -> None:
    theta, irf = rng.normal(3, 2, size=(50, 1)), rng.normal(size=(50, 1, 2, 3))
    prediction = LinearRegression().fit(theta, irf).predict(np.array([[0.5], [9.0]]))
    for h, o in np.ndindex(2, 3):
        expected = np.polyval(np.polyfit(theta[:, 0], irf[:, 0, h, o], 1), [0.5, 9.0])
        np.testing.assert_allclose(prediction[:, 0, h, o], expected, rtol=1e-10)


def test_linear_regression_solves_the_normal_equations(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the responses are taken in several blocks, the last of them not full."""
    monkeypatch.setattr(trivial, "REGRESSED", 32)
    theta, irf = rng.uniform(size=(80, 4)) * [1, 100, 0.01, 5], rng.normal(size=(80, *SHAPE))
    design = np.column_stack([np.ones(80), theta])
    coefficients = np.linalg.solve(design.T @ design, design.T @ irf.reshape(80, -1))
    fresh = rng.uniform(size=(9, 4)) * [1, 100, 0.01, 5]
    expected = (np.column_stack([np.ones(9), fresh]) @ coefficients).reshape(9, *SHAPE)
    np.testing.assert_allclose(
        LinearRegression().fit(theta, irf).predict(fresh), expected, rtol=1e-7, atol=1e-9
    )


def test_linear_regression_recovers_a_linear_world(rng: np.random.Generator) -> None:
    slope, theta = rng.normal(size=(3, 30)), rng.normal(size=(200, 3))
    irf = (2.0 + theta @ slope).reshape(200, *SHAPE)
    fresh = rng.normal(size=(20, 3)) * 10
    np.testing.assert_allclose(
        LinearRegression().fit(theta, irf).predict(fresh).reshape(20, -1), 2.0 + fresh @ slope
    )


def test_linear_regression_with_constant_and_duplicate_parameters(rng: np.random.Generator) -> None:
    """Rank deficiency changes nothing: neither a parameter that never varies nor one that is given
    twice adds anything.
    """
    theta, irf = rng.normal(size=(60, 2)), rng.normal(size=(60, *SHAPE))
    wide = np.column_stack([theta, np.full(60, 0.99), theta[:, 0]])
    plain = LinearRegression().fit(theta, irf).predict(theta)
    np.testing.assert_allclose(
        LinearRegression().fit(wide, irf).predict(wide), plain, rtol=1e-9, atol=1e-12
    )


def test_linear_regression_with_fewer_draws_than_parameters(rng: np.random.Generator) -> None:
    theta, irf = rng.normal(size=(5, 12)), rng.normal(size=(5, *SHAPE))
    baseline = LinearRegression().fit(theta, irf)
    np.testing.assert_allclose(baseline.predict(theta), irf, atol=1e-10)
    assert np.isfinite(baseline.predict(rng.normal(size=(3, 12)))).all()


def test_nearest_neighbour_by_brute_force(rng: np.random.Generator) -> None:
    theta, irf = rng.uniform(size=(300, 5)) * [1, 50, 0.1, 7, 3], rng.normal(size=(300, *SHAPE))
    fresh = rng.uniform(size=(40, 5)) * [1, 50, 0.1, 7, 3]
    scaled, probes = theta / theta.std(axis=0), fresh / theta.std(axis=0)
    nearest = [int(np.argmin([np.linalg.norm(p - q) for q in scaled])) for p in probes]
    np.testing.assert_array_equal(NearestNeighbour().fit(theta, irf).predict(fresh), irf[nearest])


def test_nearest_neighbour_returns_a_training_draw_itself(rng: np.random.Generator) -> None:
    theta, irf = rng.normal(size=(50, 3)), rng.normal(size=(50, *SHAPE))
    np.testing.assert_array_equal(NearestNeighbour().fit(theta, irf).predict(theta), irf)


@pytest.mark.parametrize("name", ["linear_regression", "nearest_neighbour"])
def test_units_of_parameters_do_not_matter(name: str, rng: np.random.Generator) -> None:
    theta, irf, fresh = (
        rng.normal(size=(60, 3)),
        rng.normal(size=(60, *SHAPE)),
        rng.normal(size=(8, 3)),
    )
    factor, shift = np.array([1e-4, 1.0, 1e5]), np.array([3.0, -1.0, 100.0])
    plain = TRIVIAL_BASELINES[name]().fit(theta, irf).predict(fresh)
    scaled = (
        TRIVIAL_BASELINES[name]().fit(theta * factor + shift, irf).predict(fresh * factor + shift)
    )
    np.testing.assert_allclose(scaled, plain, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", TRIVIAL_BASELINES)
def test_refusals(name: str) -> None:
    baseline = TRIVIAL_BASELINES[name]()
    theta, irf = np.ones((4, 2)), np.ones((4, *SHAPE))
    with pytest.raises(ModelError, match="not fitted"):
        baseline.predict(theta)
    with pytest.raises(ModelError, match="same n"):
        baseline.fit(theta, irf[:3])
    with pytest.raises(ModelError, match="same n"):
        baseline.fit(theta[:0], irf[:0])
    with pytest.raises(ModelError, match="finite"):
        baseline.fit(theta, np.where(np.arange(4)[:, None, None, None] == 2, np.nan, irf))
    baseline.fit(theta, irf)
    with pytest.raises(ModelError, match=r"found \(4, 3\)"):
        baseline.predict(np.ones((4, 3)))
