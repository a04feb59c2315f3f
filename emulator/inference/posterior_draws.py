"""Draws of a posterior as other questions take them: whole parameter vectors by name, and how the
data were observed.

The file is `posterior.nc`, as `emulator estimate --data` writes it: NetCDF, with the draws in the
group `posterior` over (chain, draw), a variable a free parameter, and at its root attributes that
say the rest:

world        name, or path of the file, of the world
held         JSON: values of the parameters that were not estimated
question     JSON: data, origin (where they can be read again), sample, observe, errors, start,
             presample
answered_by  exact solution, or network

In the group `exact_posterior` are draws of the exact posterior where a network was sampled.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emulator.errors import EstimationError

if TYPE_CHECKING:
    import pandas as pd

    from emulator.series import TimeSeries
    from emulator.spec import WorldSpec

FILE = "posterior.nc"

STAGES = "stages"
"""Folder beside it of an estimate that has not ended: the stages from which it goes on."""

COMMAND = "command.txt"
"""The command line that began an estimate, in its folder until it ends."""

EXPECTED = "Expected a file posterior.nc, or its folder, as `emulator estimate --data` writes them."


@dataclass(frozen=True)
class PosteriorDraws:
    """Draws of a posterior: a table with a row a draw and a column a parameter, the held ones
    included; the world's name or path; and the question that was asked, see the module's text.
    """

    world: str
    table: pd.DataFrame
    question: dict[str, Any]
    answered_by: str

    @property
    def likelihood_options(self) -> dict[str, Any]:
        """The arguments of `Economy.log_likelihood` that observe the same data in the same way."""
        names = ("observe", "errors", "start", "presample")
        return {name: self.question[name] for name in names if name in self.question}

    def check_world(self, spec: WorldSpec) -> None:
        """Raises `EstimationError` for a world that has other parameters."""
        names = list(self.table.columns)
        if set(names) != set(spec.parameter_names):
            raise EstimationError(
                f"The posterior is of '{self.world}', with parameters {', '.join(names)}; world"
                f" '{spec.name}' has {', '.join(spec.parameter_names)}. Expected a posterior of"
                f" '{spec.name}'."
            )

    def data(self) -> TimeSeries:
        """The data, read again. Raises `SeriesError` where they are gone or have changed."""
        from emulator.series.origin import read_again

        name, source = self.question["data"], self.question.get("source", "")
        origin = self.question.get("origin")
        if origin is None and name == "us":  # as posteriors were written before
            origin = {"files": [{"path": "us", "sha256": None}]}
        return read_again(origin or {}, name, source)


def read_posterior(path: str | Path, n: int | None = None) -> PosteriorDraws:
    """The draws in a file, or in the folder of a world that `emulator estimate --data` wrote; n: at
    most so many, spread evenly over all chains.

    Raises `EstimationError` for what is no such file.
    """
    import pandas as pd
    import xarray as xr

    file = _file(Path(path))
    try:
        root = xr.load_dataset(file, engine="h5netcdf")
        groups = _groups(file)
        group = "exact_posterior" if "exact_posterior" in groups else "posterior"
        draws = xr.load_dataset(file, group=group, engine="h5netcdf")
        held = json.loads(root.attrs["held"])
        question = json.loads(root.attrs["question"])
    except (OSError, ValueError, KeyError) as error:
        raise EstimationError(
            f"'{file}' holds no posterior of a world given data: {_why(error)}. {EXPECTED}"
        ) from None
    columns = {str(name): draws[name].values.ravel() for name in draws.data_vars}
    order = json.loads(root.attrs["parameters"])
    table = pd.DataFrame({name: columns.get(name, held.get(name)) for name in order})
    if n is not None and n < len(table):
        rows = np.unique(np.linspace(0, len(table) - 1, n).astype(int))
        table = table.iloc[rows].reset_index(drop=True)
    return PosteriorDraws(str(root.attrs["world"]), table, question, str(root.attrs["answered_by"]))


def _file(path: Path) -> Path:
    """The file of a path. Raises `EstimationError` where there is none, and says which worlds a
    folder has posteriors of.
    """
    if not path.exists():
        raise EstimationError(f"There is no '{path}'. {EXPECTED}")
    if not path.is_dir():
        return path
    if (path / FILE).exists():
        return path / FILE
    worlds = sorted(file.parent.name for file in path.glob(f"*/{FILE}"))
    if worlds:
        raise EstimationError(
            f"'{path}' holds posteriors of {', '.join(worlds)}, a folder each, and none of this"
            " world. Ask one of these worlds, or name the folder of the one that is meant."
        )
    unfinished = sorted({file.parent.parent for file in path.glob(f"**/{STAGES}/*.npz")})
    if unfinished:
        own = unfinished[0]
        raise EstimationError(
            f"The estimate in '{own}' has not ended: it holds finished stages, and no {FILE} yet."
            " Let it end. One that was interrupted goes on from its last stage by the command that"
            f" began it, with the same options: {_command(own)}."
        )
    raise EstimationError(f"'{path}' holds no {FILE}. {EXPECTED}")


def _command(own: Path) -> str:
    """The command that began the estimate of a world, in its own folder; its outline where that was
    not written down.
    """
    try:
        return (own.parent / COMMAND).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return f"emulator estimate --world {own.name} --data ... --output {own.parent}"


def _why(error: Exception) -> str:
    """What a file lacks, in words."""
    text = str(error)
    if "truncated" in text:
        return "it is cut off; estimate again, or copy it once more"
    if "signature" in text:
        return "it is no NetCDF file"
    if isinstance(error, KeyError):
        return (
            f"it does not say {text}. A posterior of matched responses says nothing of data"
            if text in ("'held'", "'question'", "'parameters'")
            else f"it lacks {text}"
        )
    return text


def _groups(file: Path) -> set[str]:
    import h5netcdf

    with h5netcdf.File(file, "r") as content:
        return set(content.groups)
