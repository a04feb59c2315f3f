"""Draws of a posterior that the page shows: from the folder or file that `emulator estimate` wrote,
or from a table.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emulator.errors import EmulatorError, EstimationError, printable
from emulator.inference.posterior_draws import FILE, read_posterior
from emulator.spec import WorldSpec

MOST_DRAWS = 200
"""Draws whose responses are shown, spread evenly over all."""

WEIGHED = "weights.csv"
"""The draws of an estimate that the exact solver scored."""

WEIGHT = "weight"
"""A column that is no parameter: how much a draw counts."""

NO_PARAMETERS = ("chain", "draw", "")
"""Columns that are no parameters and are passed over."""


@dataclass(frozen=True)
class Posterior:
    """Draws: a table with a row a draw, a column a parameter, each in its unit. world: whose, or
    empty where nobody said; matched: whether responses were matched, not data.
    """

    name: str
    world: str
    table: pd.DataFrame
    matched: bool = False

    @classmethod
    def read(cls, path: Path) -> Posterior:
        """From the folder of one world that `emulator estimate` wrote, given data or given
        responses, or from a file posterior.nc of the former. Raises `EstimationError`.
        """
        from emulator.estimation.result_files import RESULT, verified

        if path.is_dir() and (path / RESULT).is_file():
            about = verified(path / RESULT)
            if "target" in about:
                return cls._of_match(path, about)
        try:
            draws = read_posterior(path, MOST_DRAWS)
        except EstimationError as error:
            below = sorted(file.parent.name for file in path.glob("*/posterior.nc"))
            hint = f" It has those of {', '.join(below)}: name one of these." if below else ""
            raise EstimationError(f"{error}{hint}") from None
        return cls(path.stem or "posterior", draws.world, draws.table)

    @classmethod
    def _of_match(cls, folder: Path, about: Mapping[str, Any]) -> Posterior:
        """Of matched responses, as `result.json` says; weighed by the exact solver where it scored
        the draws.
        """
        import xarray as xr

        if WEIGHED in about["files"]:
            table = pd.read_csv(folder / WEIGHED)
        else:
            draws = xr.load_dataset(folder / FILE, group="posterior", engine="h5netcdf")
            table = pd.DataFrame({str(n): draws[n].values.ravel() for n in draws.data_vars})
        held = {name: one["value"] for name, one in about["held"].items()}
        whole = _thinned(table).assign(**held)
        return cls(folder.name, str(about["world"]), whole, matched=True)

    @classmethod
    def of_table(cls, content: bytes, source: str) -> Posterior:
        """From a CSV with a row a draw and a column a parameter; a column `weight` says how much a
        draw counts. Raises `EmulatorError`.
        """
        if content.startswith((b"\x89HDF", b"CDF")):
            raise EmulatorError(
                f"'{source}' is a NetCDF file, which the page does not read. Give it on the command"
                " line, emulator explore --posterior FILE, or load its draws as a table:"
                " read_posterior(file).table.to_csv('draws.csv', index=False)."
            )
        try:
            table = pd.read_csv(io.BytesIO(content), skipinitialspace=True)
        except ValueError as error:  # of decoding and of pandas' parser too
            raise EmulatorError(
                f"'{source}' is no table that can be read: {printable(str(error))[:120]}. Expected"
                " a CSV with a row a draw and a column a parameter."
            ) from None
        heads = pd.read_csv(io.BytesIO(content), header=None, nrows=1, dtype=str).iloc[0]
        twice = heads.str.strip()[heads.str.strip().duplicated()].dropna()
        if len(twice):
            raise EmulatorError(
                f"'{source}' has the column '{printable(twice.iloc[0])[:60]}' twice; expected one"
                " column a parameter."
            )
        table.columns = [str(name).strip() for name in table.columns]
        if "parameter" in table.columns:
            raise EmulatorError(
                f"'{source}' is a summary, a row a parameter; expected draws, a row a draw and a"
                " column a parameter, such as weights.csv, or read_posterior(folder).table."
            )
        table = table[
            [n for n in table.columns if n not in NO_PARAMETERS and not n.startswith("Unnamed")]
        ]
        return cls(source, "", _thinned(_numbers(table, source)))

    def mean(self) -> dict[str, float]:
        """The mean of each parameter, rounded so that one that is held stays what it is."""
        return {str(name): float(f"{value:.10g}") for name, value in self.table.mean().items()}

    def fits(self, world: str, spec: WorldSpec) -> bool:
        """Whether these can be draws of a world: by its name where it is said, and by those of the
        parameters.
        """
        own = self.world in ("", world) or Path(self.world).stem == world.rpartition("-")[0]
        return own and set(map(str, self.table.columns)) <= set(spec.parameter_names)

    def columns(self) -> dict[str, list[float]]:
        """The draws by parameter."""
        return {str(name): self.table[name].tolist() for name in self.table.columns}


def _numbers(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """The same as finite numbers. Raises `EmulatorError` that names row and column of what is
    none.
    """
    if table.empty:
        raise EmulatorError(
            f"'{source}' has no draws; expected a row a draw, a column a parameter."
        )
    columns: dict[str, Any] = {}
    for name in table.columns:
        values = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=np.float64)
        wrong = np.flatnonzero(~np.isfinite(values))
        if len(wrong):
            cell = printable(str(table[name].iloc[wrong[0]]))[:40]
            raise EmulatorError(
                f"'{source}': row {wrong[0] + 1}, column '{printable(name)[:40]}' has '{cell}';"
                " expected a finite number."
            )
        columns[name] = values
    return pd.DataFrame(columns)


def _thinned(table: pd.DataFrame) -> pd.DataFrame:
    """At most `MOST_DRAWS` rows that all count the same, spread evenly over the weights.

    Raises `EmulatorError` for weights that are none.
    """
    n = min(len(table), MOST_DRAWS)
    weights = table[WEIGHT].to_numpy() if WEIGHT in table else np.ones(len(table))
    if not ((weights >= 0).all() and weights.sum() > 0):
        raise EmulatorError("The weights of the draws are not all zero or more, or are all zero.")
    reached = np.cumsum(weights) / weights.sum()
    rows = np.searchsorted(reached, (np.arange(n) + 0.5) / n)
    chosen = table.iloc[np.minimum(rows, len(table) - 1)].reset_index(drop=True)
    return chosen.drop(columns=[WEIGHT], errors="ignore")
