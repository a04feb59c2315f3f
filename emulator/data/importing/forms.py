"""The two forms in which a table holds draws.

Long: a row a response, with the columns draw, shock, horizon, observable and value, and a second
table of parameters with a column draw. Wide: a row a draw, with a column a parameter and a column
`shock/observable/horizon` a response. Either may have a column status.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from emulator.data.importing.arrays import without
from emulator.data.importing.checks import check_names
from emulator.data.importing.given import Given, Scratch, single
from emulator.data.importing.tables import FORMS, TEXTS, Table
from emulator.errors import DatasetError, printable

LONG = ("draw", "shock", "horizon", "observable", "value")
RESPONSE = re.compile(r"([^/]+)/([^/]+)/([0-9]{1,6})")
LONGEST_HORIZON = 100_000


@dataclass(frozen=True)
class Names:
    """Names as they were told on the command line; None where they are those of the file."""

    parameters: Sequence[str] | None = None
    shocks: Sequence[str] | None = None
    observables: Sequence[str] | None = None
    drop: Sequence[str] = ()


def read_table(table: Table, theta: Table | None, names: Names, aside: Path) -> Given:
    """Draws in a table of either form; `aside` is a folder for a file of our own.

    Raises `DatasetError`.
    """
    columns = table.columns()
    if set(LONG) <= set(columns):
        if theta is None:
            raise DatasetError(
                f"{table.path} holds responses in long form. Name the table of parameters, with a"
                " column draw, with --theta."
            )
        return _long(table, theta, names, aside)
    if not any(RESPONSE.fullmatch(column) for column in columns):
        shown = printable(", ".join(columns[:8]))[:200]
        raise DatasetError(f"{table.path} has the columns {shown}; expected {FORMS}.")
    if theta is not None:
        raise DatasetError(
            f"{table.path} holds responses in wide form, with the parameters beside them; --theta"
            " belongs to the long form. Leave it out."
        )
    return _wide(table, columns, names, aside)


def _in_order(seen: Sequence[str], by_option: Sequence[str] | None, kind: str) -> tuple[str, ...]:
    """Names in the order in which they come, or in the order of the option."""
    if by_option is not None and set(by_option) != set(seen):
        raise DatasetError(
            f"The {kind} are {', '.join(by_option)} by --{kind}; the table has {', '.join(seen)}."
            " Expected the same names."
        )
    return check_names(kind, by_option if by_option is not None else seen)


def _wide(table: Table, columns: list[str], names: Names, aside: Path) -> Given:
    cells = {name: match.groups() for name in columns if (match := RESPONSE.fullmatch(name))}
    shocks, observables = (
        _in_order(list(dict.fromkeys(cell[k] for cell in cells.values())), by_option, kind)
        for k, by_option, kind in (
            (0, names.shocks, "shocks"),
            (1, names.observables, "observables"),
        )
    )
    horizon = max(int(cell[2]) for cell in cells.values())
    by_cell = {(s, o, int(h)): name for name, (s, o, h) in cells.items()}
    wanted = [(s, o, h) for s in shocks for h in range(horizon + 1) for o in observables]
    missing = [cell for cell in wanted if cell not in by_cell]
    if missing or len(by_cell) < len(cells):
        what = "/".join(map(str, missing[0])) if missing else "each horizon written in one way"
        raise DatasetError(
            f"{table.path} has {len(cells)} columns of responses of {len(wanted)}, for"
            f" {len(shocks)} shocks, {len(observables)} observables and horizons 0 to {horizon};"
            f" expected {what} too."
        )
    ordered = [by_cell[cell] for cell in wanted]
    others = [name for name in columns if name not in cells and name not in TEXTS]
    parameters = check_names("parameters", _named_or(names.parameters, others, table))
    scratch, theta, status = aside / "responses", [], []
    with scratch.open("wb") as file:
        for part in table.chunks():
            theta.append(part[list(parameters)].to_numpy(np.float64))
            single(part[ordered].to_numpy(np.float64)).tofile(file)
            if "status" in columns:
                status.append(_statuses(part, table))
    if not theta:
        raise _empty(table)
    values, parameters = without(np.concatenate(theta), parameters, names.drop)
    return Given(
        theta=values,
        responses=Scratch(scratch, (len(values), len(shocks), horizon + 1, len(observables))),
        parameters=parameters,
        shocks=shocks,
        observables=observables,
        status=np.concatenate(status) if status else None,
    )


def _named_or(by_option: Sequence[str] | None, others: list[str], table: Table) -> Sequence[str]:
    """The parameters that an option names, each of them a column; else all columns left."""
    if by_option is None:
        return others
    for name in by_option:
        if name not in others:
            raise DatasetError(
                f"{table.path} has no column of the parameter '{name}'; found"
                f" {', '.join(others[:20])}."
            )
    return by_option


def _empty(table: Table) -> DatasetError:
    return DatasetError(f"{table.path} has no row below its first line; expected some.")


def _statuses(part: pd.DataFrame, table: Table) -> np.ndarray:
    if part["status"].isna().any():
        line = int(part.index[part["status"].isna()][0]) + 2
        raise DatasetError(f"{table.path} has no status in line {line}; expected one a draw.")
    return part["status"].to_numpy(str)


def _long(table: Table, of_theta: Table, names: Names, aside: Path) -> Given:
    theta, parameters, draws, status = _parameters(of_theta, names)
    seen: dict[str, dict[str, None]] = {"shock": {}, "observable": {}}
    low, high = LONGEST_HORIZON, 0
    for part in table.chunks():
        _check_cells(part, table)
        for column, values in seen.items():
            values.update(dict.fromkeys(part[column].unique()))
        low, high = min(low, int(part["horizon"].min())), max(high, int(part["horizon"].max()))
    if not seen["shock"]:
        raise _empty(table)
    if low:
        raise DatasetError(
            f"{table.path} has horizons from {low} to {high}; expected them from 0, the impact"
            " period, on. Subtract one where they count from 1."
        )
    shocks = _in_order(list(seen["shock"]), names.shocks, "shocks")
    observables = _in_order(list(seen["observable"]), names.observables, "observables")
    shape = (len(theta), len(shocks), high + 1, len(observables))
    scratch = Scratch(aside / "responses", shape)
    scratch.opened("w+")[:] = np.nan
    _fill(scratch, table, draws, shocks, observables, aside / "seen")
    return Given(
        theta=theta,
        responses=scratch,
        parameters=parameters,
        shocks=shocks,
        observables=observables,
        status=status,
    )


def _parameters(
    table: Table, names: Names
) -> tuple[np.ndarray, tuple[str, ...], pd.Index, np.ndarray | None]:
    """theta (n, P), its names, the labels of the draws, and their status where there is one."""
    columns = table.columns()
    if "draw" not in columns:
        raise DatasetError(
            f"{table.path} has the columns {printable(', '.join(columns[:8]))[:200]}; expected a"
            " column draw, which says whose parameters a row holds."
        )
    others = [name for name in columns if name not in TEXTS]
    parameters = check_names("parameters", _named_or(names.parameters, others, table))
    parts = list(table.chunks())
    if not parts:
        raise _empty(table)
    whole = pd.concat(parts)
    draws = pd.Index(whole["draw"])
    if draws.hasnans:
        line = int(whole.index[draws.isna()][0]) + 2
        raise DatasetError(f"{table.path} has no draw in line {line}; expected one in each row.")
    if draws.has_duplicates:
        twice = printable(str(draws[draws.duplicated()][0]))[:40]
        raise DatasetError(f"{table.path} has the draw '{twice}' twice; expected each once.")
    status = _statuses(whole, table) if "status" in columns else None
    theta, parameters = without(
        whole[list(parameters)].to_numpy(np.float64), parameters, names.drop
    )
    return theta, parameters, draws, status


def _check_cells(part: pd.DataFrame, table: Table) -> None:
    """Refuse rows that do not say which response they hold."""
    for column in ("draw", "shock", "observable", "horizon"):
        if part[column].isna().any():
            line = int(part.index[part[column].isna()][0]) + 2
            raise DatasetError(f"{table.path} has no {column} in line {line}.")
    horizon = part["horizon"].to_numpy(np.float64)
    bad = (horizon != np.floor(horizon)) | (horizon < 0) | (horizon > LONGEST_HORIZON)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise DatasetError(
            f"{table.path} has the horizon {horizon[row]:g} in line {int(part.index[row]) + 2};"
            " expected whole numbers from 0, the impact period, on."
        )


def _fill(
    scratch: Scratch,
    table: Table,
    draws: pd.Index,
    shocks: tuple[str, ...],
    observables: tuple[str, ...],
    seen_file: Path,
) -> None:
    """Put every row of a long table where it belongs."""
    n, n_shocks, periods, n_observables = scratch.shape
    size = n * n_shocks * periods * n_observables
    np.memmap(seen_file, np.bool_, "w+", shape=(size,))[:] = False
    for part in table.chunks():
        row = draws.get_indexer(pd.Index(part["draw"]))
        if (row < 0).any():
            k = int(np.flatnonzero(row < 0)[0])
            raise DatasetError(
                f"{table.path} has a draw '{printable(str(part['draw'].iloc[k]))[:40]}' in line"
                f" {int(part.index[k]) + 2} that the table of parameters does not have."
            )
        shock = pd.Index(shocks).get_indexer(pd.Index(part["shock"]))
        observable = pd.Index(observables).get_indexer(pd.Index(part["observable"]))
        horizon = part["horizon"].to_numpy(np.int64)
        cells = ((row * n_shocks + shock) * periods + horizon) * n_observables + observable
        seen = np.memmap(seen_file, np.bool_, "r+", shape=(size,))
        again = seen[cells] | pd.Series(cells).duplicated().to_numpy()
        if again.any():
            k = int(np.flatnonzero(again)[0])
            raise DatasetError(
                f"{table.path} has the response of '{part['observable'].iloc[k]}' to"
                f" '{part['shock'].iloc[k]}' at horizon {horizon[k]} in draw"
                f" '{part['draw'].iloc[k]}' once more in line {int(part.index[k]) + 2}; expected"
                " each once."
            )
        seen[cells] = True
        scratch.opened("r+").reshape(-1)[cells] = single(part["value"].to_numpy(np.float64))
