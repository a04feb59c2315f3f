"""Summaries under counts against numpy on the resampled values; intervals against scipy and against
their promise.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats

from emulator.eval import bootstrap
from emulator.eval.bootstrap import SUMMARIES, interval

NUMPY = {
    "root_mean": lambda v: np.sqrt(np.nanmean(v, axis=0)),
    "mean": lambda v: np.nanmean(v, axis=0),
    "median": lambda v: np.nanmedian(v, axis=0),
    "p95": lambda v: np.nanpercentile(v, 95, axis=0),
}


@pytest.mark.fast
@pytest.mark.parametrize("name", SUMMARIES)
@pytest.mark.parametrize("holes", [0.0, 0.3])
def test_summaries_under_counts_are_those_of_the_resample(
    name: str, holes: float, rng: np.random.Generator
) -> None:
    values = rng.exponential(size=(60, 4))
    values[rng.random(values.shape) < holes] = np.nan
    drawn = rng.integers(0, 60, size=(25, 60))
    ours = SUMMARIES[name](values, bootstrap._counts(drawn, 60))
    np.testing.assert_allclose(ours, [NUMPY[name](values[rows]) for rows in drawn], rtol=1e-12)


@pytest.mark.fast
@pytest.mark.parametrize("name", SUMMARIES)
def test_summary_of_nothing_is_nan(name: str) -> None:
    values = np.array([[np.nan, 1.0], [np.nan, 2.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = SUMMARIES[name](values, np.array([[1.0, 1.0], [0.0, 0.0]]))
    assert np.isnan(ours[:, 0]).all()
    assert np.isfinite(ours[0, 1])
    assert np.isnan(ours[1, 1])


@pytest.mark.fast
def test_counts() -> None:
    np.testing.assert_array_equal(
        bootstrap._counts(np.array([[0, 0, 2], [1, 1, 1]]), 3), [[2, 0, 1], [0, 3, 0]]
    )


@pytest.mark.fast
@pytest.mark.parametrize("name", SUMMARIES)
def test_interval_is_that_of_scipy_on_the_values(name: str, rng: np.random.Generator) -> None:
    values = rng.exponential(size=(80, 1))
    low, high = interval(lambda counts: SUMMARIES[name](values, counts), 80, 400, seed=3)
    expected = stats.bootstrap(
        (values[:, 0],),
        lambda v, axis: NUMPY[name](np.moveaxis(v, axis, 0)),
        n_resamples=400,
        method="percentile",
        vectorized=True,
        random_state=np.random.default_rng(3),
    ).confidence_interval
    np.testing.assert_allclose([low[0], high[0]], expected, rtol=1e-10)


@pytest.mark.fast
def test_interval_depends_on_the_seed_alone(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = rng.exponential(size=(50, 2))

    def ends(seed: int) -> np.ndarray:
        return np.array(interval(lambda counts: bootstrap.mean(values, counts), 50, 200, seed))

    whole = ends(1)
    np.testing.assert_array_equal(ends(1), whole)
    assert (ends(2) != whole).any()
    monkeypatch.setattr(
        bootstrap, "BATCH_ENTRIES", 333
    )  # batches of 6 resamples instead of one of 200
    np.testing.assert_allclose(ends(1), whole, rtol=1e-12)


@pytest.mark.fast
@pytest.mark.parametrize(("n", "resamples"), [(1, 100), (20, 0)])
def test_no_interval_without_draws_or_resamples(n: int, resamples: int) -> None:
    values = np.ones((n, 2))
    low, high = interval(lambda counts: bootstrap.mean(values, counts), n, resamples, seed=0)
    assert low.shape == high.shape == (2,)
    assert np.isnan([low, high]).all()


@pytest.mark.fast
def test_an_interval_that_cannot_be_had_is_nan_without_a_warning() -> None:
    values = np.array([[np.nan], [np.nan], [1.0]])  # many resamples hold no draw that counts
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        low, high = interval(lambda counts: bootstrap.mean(values, counts), 3, 200, seed=0)
    assert np.isnan([low, high]).all()


@pytest.mark.parametrize("name", ["root_mean", "median"])
def test_coverage(name: str) -> None:
    """Of 300 intervals from 150 draws each, about 95 % hold the true value; 90 to 98.5 % is within
    chance and bias.
    """
    rng, hits = np.random.default_rng(11), 0
    truth = (
        np.sqrt(1.0) if name == "root_mean" else stats.chi2(1).median()
    )  # squares of standard normals
    for trial in range(300):
        values = rng.normal(size=(150, 1)) ** 2
        low, high = interval(lambda c, v=values: SUMMARIES[name](v, c), 150, 300, seed=trial)
        hits += int(low[0] <= truth <= high[0])
    assert 0.90 <= hits / 300 <= 0.985
