"""Transformations of a series, by name, one after another: "log, difference, percent, annualised".

log             natural logarithm
difference      change on the period before; difference 4: on four periods before
percent         times 100
annualised      times the periods of a year
demeaned        minus the mean of what is there
detrended       minus a line, by least squares
hp              cyclical part of Hodrick and Prescott (1997, doi:10.2307/2953682), with lambda 1600
                for quarters, 129600 for months and 6.25 for years (Ravn and Uhlig 2002,
                doi:10.1162/003465302317411604); hp 400: with this lambda
standardised    demeaned, and divided by the standard deviation of what is there

Values that are missing stay missing, and are left out of means, lines and trends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from emulator.errors import SeriesError, nearest
from emulator.series.periods import periods_a_year

SMOOTHING = {"quarter": 1600.0, "month": 129_600.0, "year": 6.25}


class Step(NamedTuple):
    """One transformation, and its number where it takes one."""

    name: str
    number: float | None

    def __str__(self) -> str:
        return self.name if self.number is None else f"{self.name} {self.number:g}"


def steps_of(text: str) -> list[Step]:
    """The transformations that a text names. Raises `SeriesError`."""
    return [_step(part) for part in text.split(",") if part.strip()]


def _step(text: str) -> Step:
    name, _, number = text.strip().lower().partition(" ")
    name = {"diff": "difference", "per": "percent", "annualized": "annualised"}.get(name, name)
    if name == "percent" or (name not in STEPS and number.strip() == "cent"):
        number = ""
    if name not in STEPS:
        raise SeriesError(
            f"Unknown transformation '{text.strip()}'. {nearest(name, STEPS)} Several are separated"
            " by commas: 'log, difference, percent'."
        )
    if not number.strip():
        return Step(name, None)
    try:
        value = float(number)
    except ValueError:
        value = np.nan
    whole = name != "difference" or value == round(value)
    if name not in ("difference", "hp") or not (value > 0 and np.isfinite(value) and whole):
        raise SeriesError(
            f"The transformation '{text.strip()}' has a number that it cannot take; 'difference'"
            " takes a whole number of periods, 'hp' its lambda, and the others none."
        )
    return Step(name, value)


def transformed(
    values: np.ndarray, text: str, frequency: str, series: str
) -> tuple[np.ndarray, str]:
    """A series (T,) after the transformations of a text, and these in words. Raises `SeriesError`
    for one that cannot be done.
    """
    steps = steps_of(text)
    for step in steps:
        values = STEPS[step.name](values, step.number, frequency, series)
    return values, ", ".join(map(str, steps))


def _log(values: np.ndarray, _: float | None, frequency: str, series: str) -> np.ndarray:
    wrong = np.flatnonzero(values <= 0)
    if len(wrong):
        raise SeriesError(
            f"The series '{series}' has {values[wrong[0]]:g} as its value number {wrong[0] + 1},"
            " which has no logarithm; expected numbers above zero."
        )
    return np.log(values)


def _difference(
    values: np.ndarray, number: float | None, frequency: str, series: str
) -> np.ndarray:
    lag = int(number or 1)
    earlier = np.full(len(values), np.nan)
    earlier[lag:] = values[:-lag]
    return values - earlier


def _percent(values: np.ndarray, _: float | None, frequency: str, series: str) -> np.ndarray:
    return 100 * values


def _annualised(values: np.ndarray, _: float | None, frequency: str, series: str) -> np.ndarray:
    return periods_a_year(frequency) * values


def _demeaned(values: np.ndarray, _: float | None, frequency: str, series: str) -> np.ndarray:
    return values - values[_there(values, 1, series)].mean()


def _standardised(values: np.ndarray, _: float | None, frequency: str, series: str) -> np.ndarray:
    there = values[_there(values, 2, series)]
    if not there.std() > 0:
        raise SeriesError(f"The series '{series}' never moves, so that it has no unit deviation.")
    return (values - there.mean()) / there.std()


def _detrended(values: np.ndarray, _: float | None, frequency: str, series: str) -> np.ndarray:
    there = _there(values, 3, series)
    slope, level = np.polyfit(there, values[there], 1)
    return values - level - slope * np.arange(len(values))


def _hp(values: np.ndarray, number: float | None, frequency: str, series: str) -> np.ndarray:
    """Minimises the squared distance where there are values plus lambda times the squared second
    differences of the trend.
    """
    from scipy import sparse
    from scipy.sparse.linalg import spsolve

    there = _there(values, 4, series)
    n = len(values)
    weight = SMOOTHING[frequency] if number is None else number
    second = sparse.diags([1.0, -2.0, 1.0], [0, 1, 2], shape=(n - 2, n))
    counted = np.zeros(n)
    counted[there] = 1.0
    trend = spsolve(
        (sparse.diags(counted) + weight * second.T @ second).tocsc(), np.nan_to_num(values)
    )
    return values - trend


def _there(values: np.ndarray, least: int, series: str) -> np.ndarray:
    """Positions of the values that are not missing. Raises `SeriesError` for too few."""
    there = np.flatnonzero(np.isfinite(values))
    if len(there) < least:
        raise SeriesError(
            f"The series '{series}' has {len(there)} values, too few for this transformation;"
            f" expected {least} or more."
        )
    return there


STEPS: dict[str, Callable[[np.ndarray, float | None, str, str], np.ndarray]] = {
    "log": _log,
    "difference": _difference,
    "percent": _percent,
    "annualised": _annualised,
    "demeaned": _demeaned,
    "standardised": _standardised,
    "detrended": _detrended,
    "hp": _hp,
}
