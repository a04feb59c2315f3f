"""Tables of time series in CSV, Excel and Parquet: a row a period, a column a series.

Every cell is read as text first, so that what is no number is named with its row and its column.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emulator.errors import MissingExtraError, SeriesError, printable
from emulator.series.container import TimeSeries
from emulator.series.periods import in_order, label, parse_labels, periods_of_dates

if TYPE_CHECKING:
    import pandas as pd

MISSING = {"", "na", "n/a", "nan", "null", "none", ".", "..", "-", "#n/a", "#na"}
"""What stands for a missing value, in lower case."""

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
GROUPED = re.compile(r"[+-]?\d{1,3}([., ']\d{3})+([.,]\d+)?")
PARTS = {"quarter": 4, "month": 12, "qtr": 4}
"""Second columns that make a period of a column of years."""

HEAD = re.compile(r"(?P<name>.*?)\s*[\[(](?P<unit>[^\])]*)[\])]\s*")
"""A column's head with its unit: gdp [percent]."""

LONGEST_HEAD = 200
"""Characters of a column's head."""

FORMATS = ".csv, .txt, .tsv, .xlsx, .parquet"

SHOWN = 6
"""Periods that a message lists at most."""


def read(path: Path, gaps: str = "error") -> TimeSeries:
    """The series of a file; gaps: "error", or "missing" to take periods without a row as missing.

    Raises `SeriesError` for a file that cannot be read, with its row and column, and
    `MissingExtraError` where a package for its format is not installed.
    """
    if not path.is_file():
        raise SeriesError(f"There is no file '{path}'. Data are 'us', or a file ({FORMATS}).")
    kind = path.suffix.lower()
    if kind in (".csv", ".txt", ".tsv"):
        return of_bytes(path.read_bytes(), path.stem, str(path), gaps)
    if kind in (".xlsx", ".xls", ".parquet", ".pq"):
        return of_frame(_frame(path, kind), path.stem, str(path), gaps)
    raise SeriesError(f"'{path}' is of a format that is not read; expected {FORMATS}.")


def of_bytes(content: bytes, name: str, source: str, gaps: str = "error") -> TimeSeries:
    """The series of a text file's content; gaps as in `read`. Raises `SeriesError`."""
    head, rows = _text(content, source)
    return _table(name, source, head, rows, gaps)


def _text(content: bytes, source: str) -> tuple[list[str], list[list[str]]]:
    """Head and rows of a text, its separator found from the head."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SeriesError(
            f"'{source}' is not text in UTF-8; save it as 'CSV UTF-8', or as .xlsx."
        ) from None
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) < 2:
        raise SeriesError(
            f"'{source}' has {len(lines)} lines; expected a head and rows of numbers."
        )
    separator = max(";\t,", key=lines[0].count)
    if not lines[0].count(separator):
        raise SeriesError(
            f"'{source}': the head '{printable(lines[0])[:60]}' has one column; expected periods"
            " and series, separated by commas, semicolons or tabs."
        )
    try:
        rows = list(csv.reader(lines, delimiter=separator))
    except csv.Error as error:
        raise SeriesError(f"'{source}' is no table of numbers: {error}.") from None
    return rows[0], rows[1:]


def _frame(path: Path, kind: str) -> pd.DataFrame:
    import pandas as pd

    package, reader = (
        ("pyarrow", pd.read_parquet) if kind in (".parquet", ".pq") else ("openpyxl", pd.read_excel)
    )
    try:
        return reader(path)
    except ImportError:
        raise MissingExtraError(package, "tables") from None
    except Exception as error:  # whatever the engine says of a damaged file
        raise SeriesError(f"'{path}' cannot be read: {printable(str(error))[:200]}.") from None


def of_frame(frame: pd.DataFrame, name: str, source: str, gaps: str = "error") -> TimeSeries:
    """The series of a table whose index, or first column, holds the periods. Raises
    `SeriesError`.
    """
    import pandas as pd

    index = frame.index
    if isinstance(index, pd.DatetimeIndex | pd.PeriodIndex):
        periods = index if isinstance(index, pd.PeriodIndex) else periods_of_dates(index, source)
        cells = [[_cell(value) for value in row] for row in frame.to_numpy(dtype=object)]
        return _series(name, source, periods, [str(c) for c in frame.columns], cells, gaps)
    if not isinstance(index, pd.RangeIndex):
        frame = frame.reset_index()
    rows = [[_cell(value) for value in row] for row in frame.to_numpy(dtype=object)]
    return _table(name, source, [str(column) for column in frame.columns], rows, gaps)


def _cell(value: Any) -> str:
    """A cell as text."""
    import pandas as pd

    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d")
    if isinstance(value, pd.Period):
        return label(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return repr(float(value)) if isinstance(value, float | np.floating) else str(value)


def _table(
    name: str, source: str, head: Sequence[str], rows: Sequence[Sequence[str]], gaps: str
) -> TimeSeries:
    """The series of cells of text, the first column or two of which hold the periods."""
    for number, row in enumerate(rows):
        if len(row) != len(head):
            raise SeriesError(
                f"{source}: row {number + 1} has {len(row)} columns, the head {len(head)}. A comma"
                " inside a number, or a separator at the end of a line, has this effect; decimal"
                " commas need semicolons between columns."
            )
    second = head[1].strip().lower() if len(head) > 1 else ""
    if second in PARTS and head[0].strip().lower() in ("year", "date"):
        mark = "Q" if PARTS[second] == 4 else "M"
        texts = [f"{_whole(row[0])}{mark}{_whole(row[1])}" for row in rows]
        first = 2
    else:
        texts = [row[0] for row in rows]
        first = 1
    periods = parse_labels(texts, source)
    return _series(name, source, periods, head[first:], [row[first:] for row in rows], gaps)


def _whole(cell: str) -> str:
    """1984.0 as 1984."""
    return cell.strip().removesuffix(".0")


def _series(
    name: str,
    source: str,
    periods: pd.PeriodIndex,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    gaps: str,
) -> TimeSeries:
    names, units = _heads(head, source)
    values = np.full((len(rows), len(names)), np.nan)
    comma = any(COMMA_NUMBER.fullmatch(cell.strip()) for row in rows for cell in row)
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            values[r, c] = _number(cell, comma, f"{source}: row {r + 1}, column '{names[c]}'")
    order = in_order(periods, source)
    periods, values = _without_gaps(periods[order], values[order], source, gaps)
    for c, series in enumerate(names):
        if not np.isfinite(values[:, c]).any():
            raise SeriesError(f"{source}: the series '{series}' has no number at all.")
    columns = dict(zip(names, values.T, strict=True))
    return TimeSeries.of(name, source, periods, columns, units)


def _heads(head: Sequence[str], source: str) -> tuple[list[str], dict[str, str]]:
    """Names of series, and the units that stand beside them."""
    names, units = [], {}
    for text in head:
        if len(text) > LONGEST_HEAD:
            raise SeriesError(
                f"{source}: the head of a column has {len(text)} characters,"
                f" '{printable(text[:40])}'; expected a name of at most {LONGEST_HEAD}."
            )
        match = HEAD.fullmatch(text)
        name = (match["name"] if match else text).strip()
        if not name or name in names:
            what = "no name" if not name else f"the name '{printable(name)[:40]}' of another one"
            raise SeriesError(f"{source}: a column has {what}; expected one name a series.")
        names.append(name)
        if match:
            units[name] = match["unit"].strip()
    if not names:
        raise SeriesError(f"{source}: there is no column beside the periods.")
    return names, units


def _number(cell: str, comma: bool, where: str) -> float:
    """A number of a cell; NaN where it is missing. Raises `SeriesError`."""
    text = cell.strip().replace("\u2212", "-")
    if text.lower() in MISSING:
        return np.nan
    if comma and COMMA_NUMBER.fullmatch(text):
        return float(text.replace(",", "."))
    if NUMBER.fullmatch(text):
        if comma and "." in text:
            raise SeriesError(
                f"{where} has '{text}' with a decimal point, while others have decimal commas;"
                " expected one way throughout."
            )
        return float(text)
    if GROUPED.fullmatch(text):
        raise SeriesError(
            f"{where} has '{printable(text)[:40]}', with marks between thousands; expected plain"
            " numbers such as 1234.5."
        )
    raise SeriesError(
        f"{where} has '{printable(text)[:40]}', which is no number; a missing value is an empty"
        " cell, NA or a point."
    )


def _without_gaps(
    periods: pd.PeriodIndex, values: np.ndarray, source: str, gaps: str
) -> tuple[pd.PeriodIndex, np.ndarray]:
    """Periods in a row; those without a row are refused, or missing."""
    import pandas as pd

    whole = pd.period_range(periods[0], periods[-1], freq=periods.freq)
    if len(whole) == len(periods):
        return periods, values
    if gaps != "missing":
        absent = [label(period) for period in whole.difference(periods)]
        more = f" and {len(absent) - SHOWN} more" if len(absent) > SHOWN else ""
        raise SeriesError(
            f"{source}: there is no row for {', '.join(absent[:SHOWN])}{more}. Add the rows, or"
            " take their values as missing: gaps='missing', on the command line --gaps missing."
        )
    filled = np.full((len(whole), values.shape[1]), np.nan)
    filled[whole.get_indexer(periods)] = values
    return whole, filled
