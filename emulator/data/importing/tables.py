"""Tables of draws in CSV and Parquet, read some rows at a time; `forms` knows what they hold."""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emulator.errors import DatasetError, printable

TEXTS = ("draw", "shock", "observable", "status")
EXACT: dict[str, Any] = (
    {"float_precision": "round_trip"} if int(pd.__version__.split(".")[0]) < 3 else {}
)
"""Reads the number that was written; later versions of pandas always do."""
CELLS = 2_000_000
"""Cells of a table that are in memory at a time."""
FORMS = (
    "a row a response with the columns draw, shock, horizon, observable, value (and the parameters"
    " in a second table, --theta), or a row a draw with columns of parameters and columns such as"
    " 'demand/sales/0', a shock, an observable and a horizon"
)


@dataclass(frozen=True)
class Table:
    """A CSV or Parquet file, read some rows at a time."""

    path: Path
    separator: str = ","
    decimal: str = "."

    @property
    def is_parquet(self) -> bool:
        return self.path.suffix.lower() in (".parquet", ".pq")

    def columns(self) -> list[str]:
        """Names of the columns, each once. Raises `DatasetError`."""
        names = list(map(str, self._parquet.columns)) if self.is_parquet else self._header()
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise DatasetError(
                f"{self.path} has two columns '{printable(twice)[:60]}'; expected each once."
            )
        return names

    def _header(self) -> list[str]:
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                names = next(csv.reader(file, delimiter=self.separator), [])
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise DatasetError(
                f"{self.path} cannot be read as CSV ({error}); expected text in UTF-8."
            ) from None
        if len(names) < 2:
            other = next((sign for sign in ";\t|" if names and sign in names[0]), None)
            hint = (
                f" Are its fields separated by {other!r}? Say so with --separator." if other else ""
            )
            raise DatasetError(
                f"{self.path} has {len(names)} column(s) in its first line; expected {FORMS}.{hint}"
            )
        return [name.strip() for name in names]

    @cached_property
    def _parquet(self) -> pd.DataFrame:
        try:
            return pd.read_parquet(self.path)
        except ImportError:
            raise DatasetError(
                f"{self.path} cannot be read: pandas needs the package 'pyarrow' for Parquet."
                " Install it with: pip install pyarrow"
            ) from None
        except Exception as error:  # each engine has its own family
            raise DatasetError(f"{self.path} cannot be read as Parquet: {error}") from None

    def chunks(self) -> Iterator[pd.DataFrame]:
        """Some rows at a time, texts as texts and all other columns as numbers.

        Raises `DatasetError` for anything else, naming line and column.
        """
        names = self.columns()
        rows = max(1, CELLS // len(names))
        if self.is_parquet:
            whole = self._parquet.reset_index(drop=True)
            for start in range(0, len(whole), rows):
                yield self._typed(whole.iloc[start : start + rows].copy())
            return
        with self._said():
            reader = pd.read_csv(
                self.path,
                sep=self.separator,
                decimal=self.decimal,
                header=0,
                names=names,
                index_col=False,
                dtype={name: str for name in TEXTS if name in names},
                chunksize=rows,
                encoding="utf-8-sig",
                low_memory=False,
                **EXACT,
            )
        with reader:
            while True:
                with self._said():
                    part = next(reader, None)
                if part is None:
                    return
                if len(part):
                    yield self._typed(part)

    @contextmanager
    def _said(self) -> Iterator[None]:
        """What pandas makes of a file that is no table, as one error that names the file."""
        try:
            with warnings.catch_warnings():
                # It warns of a line that is longer than the first, and goes on without the rest.
                warnings.simplefilter("error", pd.errors.ParserWarning)
                yield
        except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
            raise DatasetError(
                f"{self.path} has lines of different lengths ({str(error).strip()[:200]}). Are"
                " numbers written with a decimal comma? Write points, or say --separator ';'"
                " --decimal ','."
            ) from None
        except (UnicodeDecodeError, OSError, ValueError) as error:
            raise DatasetError(f"{self.path} cannot be read as CSV: {error}") from None

    def _typed(self, part: pd.DataFrame) -> pd.DataFrame:
        for name in part.columns:
            column = part[name]
            if name in TEXTS:
                part[name] = column.astype(str).where(column.notna())
            elif column.dtype.kind not in "fiu":
                part[name] = self._numbers(column)
        return part

    def _numbers(self, column: pd.Series) -> pd.Series:
        values = pd.to_numeric(column, errors="coerce")
        bad = values.isna() & column.notna() | column.map(lambda value: isinstance(value, bool))
        if bad.any():
            text = printable(str(column[bad].iloc[0]))[:40]
            comma = re.fullmatch(r"\s*[+-]?[0-9.]*,[0-9]+([eE][+-]?[0-9]+)?\s*", text)
            hint = " Write a decimal point, or say --decimal ','." if comma else ""
            raise DatasetError(
                f"{self.path} has '{text}' in line {int(bad.index[bad][0]) + 2}, column"
                f" '{printable(str(column.name))[:60]}'; expected a number.{hint}"
            )
        return values.astype(np.float64)
