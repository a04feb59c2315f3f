"""Periods of time series: labels such as 1984Q1, 1984M03 and 1984, and the frequency of a column of
dates.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args

import numpy as np

from emulator.errors import SeriesError, printable
from emulator.spec import PERIODS_A_YEAR, Frequency

if TYPE_CHECKING:
    import pandas as pd

PANDAS: dict[str, str] = {"year": "Y", "quarter": "Q", "month": "M"}
"""What pandas calls the frequencies."""

LABELS = {
    "year": re.compile(r"(\d{4})(?:\.0+)?"),
    "quarter": re.compile(r"(\d{4})\s*[-:. ]?\s*[qQ]\s*([1-4])|(\d{4}):0?([1-4])"),
    "month": re.compile(r"(\d{4})\s*[-:. ]?\s*[mM]\s*(0?[1-9]|1[0-2])|(\d{4})-(0[1-9]|1[0-2])"),
}
"""How a period is written, by frequency; a date is written 1984-03-31."""

DECIMAL = re.compile(r"(\d{4})\.(00|0|25|50|5|75)")
"""Quarters as parts of a year: 1984.25 is the second."""

DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ][\d:.]+)?")

EXPECTED = "periods such as 1984Q1, 1984M03 or 1984, or dates such as 1984-03-31"

MONTHS_APART: dict[int, Frequency] = {1: "month", 3: "quarter", 12: "year"}


def check_frequency(frequency: str) -> str:
    """Raises `SeriesError` unless it is year, quarter or month."""
    if frequency not in get_args(Frequency):
        raise SeriesError(
            f"The frequency is {frequency!r}; expected one of {', '.join(get_args(Frequency))}."
        )
    return frequency


def periods_a_year(frequency: str) -> int:
    return int(PERIODS_A_YEAR[frequency])


def label(period: pd.Period) -> str:
    """1984Q1, 1984M03 or 1984."""
    kind = period.freqstr[0]
    if kind == "Q":
        return f"{period.year:04d}Q{period.quarter}"
    return f"{period.year:04d}M{period.month:02d}" if kind == "M" else f"{period.year:04d}"


def frequency_of(index: pd.PeriodIndex) -> str:
    """Raises `SeriesError` for periods other than years, quarters and months."""
    for name, code in PANDAS.items():
        if index.freqstr.startswith((code, "A" if code == "Y" else code)):
            return name
    raise SeriesError(
        f"The periods are of frequency '{index.freqstr}'; expected years, quarters or months."
    )


def one_period(text: str) -> pd.Period:
    """A period by its label. Raises `SeriesError`."""
    return parse_labels([text], "the sample")[0]


def parse_labels(texts: Sequence[str], where: str) -> pd.PeriodIndex:
    """Periods of a column of labels or dates, as they stand. Raises `SeriesError` that names the
    first row that is neither, and for a frequency that is none of ours.
    """
    import pandas as pd

    cells = [str(text).strip() for text in texts]
    for frequency, pattern in LABELS.items():
        matches = [pattern.fullmatch(cell) for cell in cells]
        if cells and all(matches):
            parts = [[int(p) for p in match.groups() if p] for match in matches if match]
            return pd.PeriodIndex([_of(frequency, part) for part in parts])
    if cells and all(DECIMAL.fullmatch(cell) for cell in cells):
        return pd.PeriodIndex([_of("quarter", _quarter(cell)) for cell in cells])
    if cells and all(DATE.fullmatch(cell) for cell in cells):
        return _of_dates(cells, where)
    patterns = (*LABELS.values(), DATE, DECIMAL)
    for row, cell in enumerate(cells):
        if not any(pattern.fullmatch(cell) for pattern in patterns):
            raise SeriesError(
                f"{where}: row {row + 1} has '{printable(cell)[:40]}' in place of a period;"
                f" expected {EXPECTED}."
            )
    raise SeriesError(
        f"{where}: the periods are written in different ways, '{cells[0]}' and"
        f" '{next(c for c in cells if _kind(c) != _kind(cells[0]))}'; expected {EXPECTED}, all in"
        " one way."
    )


def _kind(cell: str) -> str:
    kinds = {**LABELS, "date": DATE, "decimal": DECIMAL}
    return next((name for name, pattern in kinds.items() if pattern.fullmatch(cell)), "")


def _quarter(cell: str) -> list[int]:
    return [int(cell[:4]), 1 + round(4 * (float(cell) - int(cell[:4])))]


def _of(frequency: str, parts: Sequence[int]) -> pd.Period:
    import pandas as pd

    if frequency == "year":
        return pd.Period(year=parts[0], freq="Y")
    if frequency == "quarter":
        return pd.Period(year=parts[0], quarter=parts[1], freq="Q")
    return pd.Period(year=parts[0], month=parts[1], freq="M")


def _of_dates(cells: Sequence[str], where: str) -> pd.PeriodIndex:
    """Months, quarters or years, by how far apart the dates are as a rule."""
    import pandas as pd

    try:
        dates = pd.DatetimeIndex([cell[:10] for cell in cells])
    except (ValueError, OverflowError) as error:
        raise SeriesError(
            f"{where}: a date does not exist ({error}); expected {EXPECTED}."
        ) from None
    return periods_of_dates(dates, where)


def periods_of_dates(dates: pd.DatetimeIndex, where: str) -> pd.PeriodIndex:
    """Periods of dates. Raises `SeriesError` where these are days or weeks."""
    months = np.sort(np.unique(np.asarray(12 * dates.year + dates.month)))
    if len(dates) > 1 and len(months) < 0.8 * len(np.unique(dates)):
        raise SeriesError(
            f"{where}: the dates are less than a month apart; expected months, quarters or years."
            " Take sums or averages over months first."
        )
    apart = int(np.median(np.diff(months))) if len(months) > 1 else 3
    if apart not in MONTHS_APART:
        raise SeriesError(
            f"{where}: the dates are {apart} months apart; expected 1, 3 or 12 (months, quarters,"
            " years)."
        )
    return dates.to_period(PANDAS[MONTHS_APART[apart]])


def in_order(index: pd.PeriodIndex, where: str) -> np.ndarray:
    """The order (T,) in which periods rise. Raises `SeriesError` for a period that is there
    twice.
    """
    twice = index[index.duplicated()]
    if len(twice):
        rows = [k + 1 for k, period in enumerate(index) if period == twice[0]]
        raise SeriesError(
            f"{where}: {label(twice[0])} is there {len(rows)} times, in rows"
            f" {', '.join(map(str, rows[:4]))}; expected each period once."
        )
    return np.argsort(np.asarray(index.asi8))
