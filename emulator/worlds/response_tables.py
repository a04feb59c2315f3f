"""Printed tables of responses, each whole on a terminal of 80 columns.

Axes: H horizon, O observable.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from emulator.console import head, number

if TYPE_CHECKING:
    from rich.table import Table

SHOWN = (0, 1, 2, 3, 4, 8, 12, 20, 40)
"""Horizons of a printed table; files hold them all."""

ROOM = 80
"""Columns of a terminal that a table keeps to, as long as two of its own columns do."""

MOST_BESIDE, MOST_BLOCKS = 3, 8
"""Observables up to which each is a column in any case, and up to which each is one where their
units differ. More of them are rows, where no band stands beside the numbers.
"""


class ResponseTable(NamedTuple):
    """What a table shows: responses (H+1, O) of observables with their units, and the half width
    (H+1, O) of the band around them where there is one; first: what the horizons are called.
    """

    title: str
    first: str
    observables: Sequence[str]
    units: Sequence[str]
    irf: np.ndarray
    half_width: np.ndarray | None = None


def response_tables(shown: ResponseTable) -> list[Table]:
    """A row a horizon and a column an observable, or the reverse where observables are many; in as
    many tables below each other as keep each within `ROOM`.
    """
    horizons = [h for h in SHOWN if h < len(shown.irf)]
    n = len(shown.observables)
    one_unit = len(set(shown.units)) == 1
    if shown.half_width is None and n > (MOST_BESIDE if one_unit else MOST_BLOCKS):
        names = [
            name if one_unit else head(name, unit)
            for name, unit in zip(shown.observables, shown.units, strict=True)
        ]
        columns = [(str(h), [number(value, ".3g") for value in shown.irf[h]]) for h in horizons]
        caption = shown.units[0] if one_unit else None
        return packed(shown.title, shown.first, names, columns, caption)
    columns = [
        (head(name, unit), [_cell(shown, h, k) for h in horizons])
        for k, (name, unit) in enumerate(zip(shown.observables, shown.units, strict=True))
    ]
    return packed(shown.title, shown.first, [str(h) for h in horizons], columns)


def _cell(shown: ResponseTable, h: int, k: int) -> str:
    """A response and the half width of its band: with four decimals in percent and percentage
    points, with four digits in any other unit, of which nobody knows what is small.
    """
    usual = re.match(r"percent\b|.*percentage points", shown.units[k])
    form = ".4f" if usual else ".4g"
    half = 0.0 if shown.half_width is None else shown.half_width[h, k]
    text = number(shown.irf[h, k], f"+{form}")
    return f"{text} ± {format(half, form)}" if half > 0 and math.isfinite(half) else text


def packed(
    title: str,
    first: str,
    rows: Sequence[str],
    columns: Sequence[tuple[str, Sequence[str]]],
    caption: str | None = None,
) -> list[Table]:
    """Columns (a head, its cells) in tables that fit, each with the rows' names before them; first:
    what the rows are called.
    """
    from rich.text import Text

    blocks: list[list[tuple[str, Sequence[str]]]] = []
    room = 0
    for column in columns:
        if not blocks or _width(column) > room:
            blocks.append([])
            room = ROOM - 1 - _width((first, rows))
        blocks[-1].append(column)
        room -= _width(column)
    tables = [_table(title, first, rows, block) for block in blocks]
    for table in tables[1:]:
        table.title = Text(f"{title} (continued)")
    tables[-1].caption = caption and Text(caption)
    return tables


def _table(
    title: str, first: str, rows: Sequence[str], columns: Sequence[tuple[str, Sequence[str]]]
) -> Table:
    from rich.table import Table
    from rich.text import Text

    # Names come from files and are shown as they stand: Text reads no markup in them.
    table = Table(title=Text(title), title_justify="left", caption_justify="left")
    table.add_column(Text(first))
    for name, _ in columns:
        table.add_column(Text(name), justify="right", no_wrap=True)
    for k, row in enumerate(rows):
        table.add_row(Text(row), *(cells[k] for _, cells in columns))
    return table


def _width(column: tuple[str, Sequence[str]]) -> int:
    """Of a column as it is printed, with the space and the line beside it."""
    name, cells = column
    return 3 + max(len(line) for text in (name, *cells) for line in text.splitlines() or [""])
