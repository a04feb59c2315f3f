"""Each metric against numbers worked out by hand or by other code, and the properties that any of
them must have.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from emulator.eval import metrics
from emulator.eval.metrics import METRICS

pytestmark = pytest.mark.fast
ONE = np.array([[1.0]])


def single(*response: float) -> np.ndarray:
    """One draw, one shock, one observable."""
    return np.array(response, dtype=np.float64)[None, None, :, None]


@pytest.fixture
def pair(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, prediction (50, 2, 13, 3), sigma (2, 3)."""
    truth = rng.normal(size=(50, 2, 13, 3)) * 0.9 ** np.arange(13)[:, None] * [1.0, 10.0, 0.1]
    return (
        truth,
        truth + 0.2 * rng.normal(size=truth.shape) * [1.0, 10.0, 0.1],
        truth.std(axis=(0, 2)),
    )


def test_squared_error_by_hand() -> None:
    value = metrics.squared_error(single(1, 2, 3, 4), single(1, 2, 3, 8), np.array([[2.0]]))
    assert value == pytest.approx((4 / 2) ** 2 / 4)


def test_nrmse_is_rmse_over_sigma(pair: tuple[np.ndarray, ...]) -> None:
    truth, prediction, sigma = pair
    ours = np.sqrt(metrics.squared_error(truth, prediction, sigma).mean(axis=0))
    for s, o in np.ndindex(2, 3):
        rmse = np.linalg.norm(truth[:, s, :, o] - prediction[:, s, :, o]) / np.sqrt(50 * 13)
        assert ours[s, o] == pytest.approx(rmse / sigma[s, o], rel=1e-12)


def test_pooled_nrmse_is_the_rms_of_the_nrmses(pair: tuple[np.ndarray, ...]) -> None:
    truth, prediction, sigma = pair
    pooled = np.sqrt(metrics.pooled_squared_error(truth, prediction, sigma).mean())
    nrmse = np.sqrt(metrics.squared_error(truth, prediction, sigma).mean(axis=0))
    assert pooled == pytest.approx(np.sqrt((nrmse**2).mean()), rel=1e-12)
    assert pooled >= nrmse.mean()


def test_relative_error_by_hand() -> None:
    assert metrics.relative_error(single(3, 4), single(3, 4.5), ONE) == pytest.approx(0.1)
    truth, prediction = np.array([[[[3.0, 40.0]]]]), np.array([[[[3.0, 45.0]]]])
    assert metrics.relative_error(truth, prediction, np.array([[1.0, 10.0]])) == pytest.approx(0.1)


def test_relative_error_of_a_truth_that_is_zero_does_not_count() -> None:
    assert np.isnan(metrics.relative_error(single(0, 0), single(1, 0), ONE)).all()


def test_iae_is_the_sum_of_absolute_differences() -> None:
    value = metrics.integrated_absolute_error(
        single(1, 0, -1), single(0, 0.5, -1), np.array([[0.5]])
    )
    assert value == pytest.approx((1 + 0.5) / 0.5)


@pytest.mark.parametrize(
    ("truth", "prediction", "expected"),
    [
        (1.0, 0.2, 1),
        (1.0, -0.2, 0),
        (-1.0, -9.0, 1),
        (1.0, 0.0, 0),
        (0.04, 1.0, np.nan),
        (-0.05, -1.0, np.nan),
        (0.051, 1.0, 1),
    ],
)
def test_sign_at_impact(truth: float, prediction: float, expected: float) -> None:
    """sigma is 1, so that a truth of up to 0.05 is negligible; horizons after impact play no
    part.
    """
    value = metrics.sign_at_impact(single(truth, 5, 5), single(prediction, -5, -5), ONE)
    np.testing.assert_array_equal(value, [[[expected]]])


def test_peaks_by_hand() -> None:
    truth, prediction = single(0.5, -2.0, 1.0, 0.0), single(0.1, -1.0, 0.0, -1.5)
    assert metrics.peak_size_error(truth, prediction, ONE) == pytest.approx(0.25)
    assert metrics.peak_time_error(truth, prediction, ONE) == pytest.approx(2.0)


def test_a_peak_of_the_wrong_sign_is_wrong_by_two() -> None:
    assert metrics.peak_size_error(single(1, 3, 0), single(1, -3, 0), ONE) == pytest.approx(2.0)


def test_negligible_peaks_do_not_count() -> None:
    for name in ("peak_size_error", "peak_time_error", "spectral_error"):
        assert np.isnan(METRICS[name].per_draw(single(0, 0.05, 0), single(1, 0, 0), ONE)).all(), (
            name
        )


@pytest.mark.parametrize("length", [12, 13])
def test_power_is_the_two_sided_periodogram(length: int, rng: np.random.Generator) -> None:
    response = rng.normal(size=(4, 2, length, 3))
    _, density = signal.periodogram(
        response, axis=2, detrend=False, scaling="spectrum", return_onesided=True
    )
    np.testing.assert_allclose(metrics._power(response) / length**2, density, rtol=1e-10)
    np.testing.assert_allclose(
        metrics._power(response).sum(axis=2), length * (response**2).sum(axis=2), rtol=1e-12
    )


def test_spectral_error_by_the_full_transform(pair: tuple[np.ndarray, ...]) -> None:
    truth, prediction, sigma = pair
    p, q = (np.abs(np.fft.fft(x, axis=2)) ** 2 for x in (truth, prediction))
    np.testing.assert_allclose(
        metrics.spectral_error(truth, prediction, sigma),
        np.abs(p - q).sum(axis=2) / p.sum(axis=2),
        rtol=1e-10,
    )


def test_spectral_error_is_blind_to_a_circular_shift_and_sees_wiggles() -> None:
    h = np.arange(40)
    smooth = single(*np.exp(-h / 8))
    assert metrics.spectral_error(smooth, np.roll(smooth, 3, axis=2), ONE) == pytest.approx(
        0, abs=1e-12
    )
    assert metrics.spectral_error(smooth, smooth + 0.3 * single(*(-1.0) ** h), ONE) > 0.05


def test_horizon_nrmse(pair: tuple[np.ndarray, ...]) -> None:
    truth, prediction, sigma = pair
    ours = metrics.horizon_nrmse(truth, prediction, sigma)
    for h in range(13):
        error = (truth[:, :, h] - prediction[:, :, h]) / sigma
        assert ours[h] == pytest.approx(
            error.std() if error.mean() == 0 else np.sqrt((error**2).mean())
        )
    pooled = np.sqrt(metrics.pooled_squared_error(truth, prediction, sigma).mean())
    assert np.sqrt((ours**2).mean()) == pytest.approx(pooled)


@pytest.mark.parametrize("name", METRICS)
def test_a_perfect_prediction_is_best(name: str, pair: tuple[np.ndarray, ...]) -> None:
    truth, _, sigma = pair
    values = METRICS[name].per_draw(truth, truth.copy(), sigma)
    assert (values[~np.isnan(values)] == METRICS[name].best).all()


@pytest.mark.parametrize("name", METRICS)
def test_units_do_not_matter(name: str, pair: tuple[np.ndarray, ...]) -> None:
    truth, prediction, sigma = pair
    factor = np.array([[4.0, 0.25, 1e3], [1e-3, 1.0, 7.0]])
    scaled = METRICS[name].per_draw(
        truth * factor[:, None], prediction * factor[:, None], sigma * factor
    )
    np.testing.assert_allclose(scaled, METRICS[name].per_draw(truth, prediction, sigma), rtol=1e-9)


@pytest.mark.parametrize("name", METRICS)
def test_draws_are_scored_one_by_one_and_masked_responses_not_at_all(
    name: str, pair: tuple[np.ndarray, ...]
) -> None:
    truth, prediction, sigma = pair
    whole = METRICS[name].per_draw(truth, prediction, sigma)
    np.testing.assert_allclose(
        METRICS[name].per_draw(truth[7:8], prediction[7:8], sigma), whole[7:8], rtol=1e-12
    )
    masked = sigma.copy()
    masked[1, 2] = np.nan
    wild = prediction.copy()
    wild[:, 1, :, 2] = 1e6
    values = METRICS[name].per_draw(truth, wild, masked)
    if METRICS[name].pooled:
        np.testing.assert_allclose(values, METRICS[name].per_draw(truth, prediction, masked))
        assert np.isfinite(values).all()
    else:
        assert np.isnan(values[:, 1, 2]).all()
        np.testing.assert_array_equal(values[:, 0], whole[:, 0])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relative_error_median", 1.0),
        ("peak_size_error", 1.0),
        ("spectral_error", 1.0),
        ("sign_at_impact", 0.0),
    ],
)
def test_what_a_prediction_of_zero_earns(
    name: str, expected: float, pair: tuple[np.ndarray, ...]
) -> None:
    truth, _, sigma = pair
    values = METRICS[name].per_draw(truth, np.zeros_like(truth), sigma)
    np.testing.assert_allclose(values[~np.isnan(values)], expected)


@settings(max_examples=50, deadline=None)
@given(st.floats(-3, 3), st.integers(1, 6))
def test_relative_error_of_a_multiple(factor: float, length: int) -> None:
    truth = single(*range(1, length + 1))
    assert metrics.relative_error(truth, factor * truth, ONE)[0] == pytest.approx(
        abs(factor - 1), abs=1e-12
    )


def test_float32_input_is_scored_in_float64() -> None:
    truth = np.full((1, 1, 4, 1), 1.0, dtype=np.float32)
    prediction = np.full((1, 1, 4, 1), np.nextafter(np.float32(1), np.float32(2)))
    value = metrics.squared_error(truth, prediction, ONE)
    assert value.dtype == np.float64
    assert value == pytest.approx(np.finfo(np.float32).eps ** 2)
