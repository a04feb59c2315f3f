"""Transformations and frequencies against formulas and statsmodels."""

import numpy as np
import pandas as pd
import pytest

from emulator.errors import SeriesError, UnknownNameError
from emulator.series import TimeSeries, read_data
from emulator.series.transforms import transformed

pytestmark = pytest.mark.fast


def walk(n=60, seed=0):
    return 100 + np.cumsum(np.random.default_rng(seed).normal(size=n))


def test_steps_are_done_in_order_and_named():
    x = walk()
    values, words = transformed(x, "log, difference, percent, annualised", "quarter", "x")
    np.testing.assert_allclose(values[1:], 400 * np.diff(np.log(x)))
    assert np.isnan(values[0])
    assert words == "log, difference, percent, annualised"
    values, words = transformed(x, "Log, diff 4, per cent, demeaned", "quarter", "x")
    assert words == "log, difference 4, percent, demeaned"
    assert np.isnan(values[:4]).all()
    assert abs(values[4:].mean()) < 1e-12


def test_a_line_and_a_unit_deviation():
    x = walk() + 0.5 * np.arange(60)
    there = np.delete(np.arange(60), [3, 40])
    gappy = x.copy()
    gappy[[3, 40]] = np.nan
    values, _ = transformed(gappy, "detrended", "quarter", "x")
    assert np.isnan(values[[3, 40]]).all()
    assert abs(values[there].mean()) < 1e-10
    assert abs((values[there] * there).mean()) < 1e-8
    values, _ = transformed(gappy, "standardised", "quarter", "x")
    np.testing.assert_allclose([values[there].mean(), values[there].std()], [0, 1], atol=1e-12)


@pytest.mark.parametrize(("text", "smoothing"), [("hp", 1600), ("hp 400", 400)])
def test_the_filter_of_hodrick_and_prescott(text, smoothing):
    filters = pytest.importorskip("statsmodels.tsa.filters.hp_filter")
    cycle, _ = filters.hpfilter(walk(), smoothing)
    np.testing.assert_allclose(transformed(walk(), text, "quarter", "x")[0], cycle, atol=1e-8)


def test_the_filter_bridges_missing_values():
    x = walk()
    x[20:22] = np.nan
    values, _ = transformed(x, "hp", "quarter", "x")
    assert np.isnan(values[20:22]).all()
    assert np.isfinite(np.delete(values, [20, 21])).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("logs", "Unknown transformation 'logs'.*Did you mean 'log'"),
        ("difference 1.5", "number that it cannot take"),
        ("log 2", "number that it cannot take"),
        ("hp -1", "number that it cannot take"),
        ("difference, log", "value number 2, which has no logarithm"),
    ],
)
def test_what_cannot_be_done_is_said(text, message):
    with pytest.raises(SeriesError, match=message):
        transformed(np.array([3.0, 2.0, 1.0, 5.0, 4.0]), text, "quarter", "x")


def monthly():
    periods = pd.period_range("1984-02", "1985-04", freq="M")
    values = np.arange(15.0)
    return TimeSeries.of("m", "made up", periods, {"x": values, "y": values**2})


def test_longer_periods_by_sums_and_averages():
    data = monthly().at_frequency("quarter", {"x": "sum"})
    assert data.labels == ["1984Q1", "1984Q2", "1984Q3", "1984Q4", "1985Q1", "1985Q2"]
    np.testing.assert_allclose(data.values[1:5, 0], [9, 18, 27, 36])
    np.testing.assert_allclose(data.values[1, 1], (4 + 9 + 16) / 3)
    assert np.isnan(data.values[[0, 5]]).all()  # months are missing
    assert data.done == ("sum over the quarter", "average over the quarter")
    last = monthly().at_frequency("quarter", "last")
    np.testing.assert_allclose(last.values[:, 0], [1, 4, 7, 10, 13, np.nan])


def test_shorter_periods_cannot_be_made_up():
    data = monthly().at_frequency("quarter", "last")
    with pytest.raises(SeriesError, match="values a month cannot be made of it"):
        data.at_frequency("month")
    with pytest.raises(SeriesError, match="expected one of average, sum, first, last"):
        monthly().at_frequency("quarter", "median")
    with pytest.raises(SeriesError, match="expected one of quarter, month, year"):
        monthly().at_frequency("week")
    with pytest.raises(UnknownNameError):
        monthly().at_frequency("quarter", {"z": "sum"})


def test_months_and_quarters_side_by_side(tmp_path):
    quarters = TimeSeries.of(
        "q", "made up", pd.period_range("1984Q1", "1984Q4", freq="Q"), {"gdp": np.arange(4.0)}
    )
    both = monthly().joined(quarters)
    assert both.names == ("x", "y", "gdp")
    assert both.labels[0] == "1984M01"
    assert both.labels[-1] == "1985M04"
    gdp = both.array.sel(series="gdp")
    assert list(gdp["period"].values[np.isfinite(gdp)]) == [
        "1984M03",
        "1984M06",
        "1984M09",
        "1984M12",
    ]
    quarters.frame().to_csv(tmp_path / "q.csv")
    monthly().frame().to_csv(tmp_path / "m.csv")
    again = read_data(f"{tmp_path / 'm.csv'},{tmp_path / 'q.csv'}")
    np.testing.assert_array_equal(again.values, both.values)
    with pytest.raises(SeriesError, match="both have a series 'x'"):
        monthly().joined(monthly())
