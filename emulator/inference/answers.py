"""The form of every answer: an xarray Dataset over (draw, shock, horizon, observable), with units
and with how far to trust it.

irf                        responses: output in percent; inflation and rate in annualised percentage
                           points
lower, upper               90 % band around a network's responses; where the solver answered, the
                           response itself
exact                      (draw) whether the solver answered
determinate                (draw) whether there is a unique stable solution; a network's word until
                           the solver has spoken
probability_determinate    (draw) that word as a probability
in_range                   (draw) every parameter lies within the range of the training draws
parameter_in_range         (draw, parameter)
trained_from, trained_to   (parameter) that range
flagged                    (draw) the network itself says to doubt its answer
theta                      (draw, parameter)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from emulator.errors import NoSolutionError, ParameterError
from emulator.inference.shock_size import Scaling
from emulator.spec import OBSERVABLES, Status, WorldSpec
from emulator.worlds.comparison import WHY

AXES = ("draw", "shock", "horizon", "observable")


def answer(
    scaling: Scaling,
    theta: np.ndarray,
    fields: Mapping[str, np.ndarray],
    source: str,
    draws: np.ndarray,
) -> xr.Dataset:
    """A Dataset of fields with the axes (n, S, H+1, 3), (n, P) or (n), with names, units and what
    was asked; draws: what each is called, (n,).
    """
    spec, axes = scaling.spec, {4: AXES, 2: ("draw", "parameter"), 1: ("draw",)}
    units = ", ".join(f"{o.name}: {o.unit}" for o in spec.observables)
    found = {
        name: (axes[value.ndim], value, {"units": units} if value.ndim == 4 else {})
        for name, value in fields.items()
    }
    found["theta"] = (
        axes[2],
        theta,
        {"units": ", ".join(f"{p.name}: {p.unit}" for p in spec.parameters)},
    )
    return xr.Dataset(found, _names(scaling, draws, fields["irf"].shape[2]), _of(scaling, source))


def derivatives(
    scaling: Scaling,
    values: np.ndarray,
    signs: Mapping[str, np.ndarray],
    source: str,
    draws: np.ndarray,
) -> xr.DataArray:
    """Derivatives (n, S, H+1, 3, P) with names; units: of the response, per unit of the parameter.
    signs: of each draw, (n,), as further coordinates.
    """
    names = _names(scaling, draws, values.shape[2]) | {
        name: ("draw", value) for name, value in signs.items()
    }
    return xr.DataArray(values, names, (*AXES, "parameter"), "jacobian", _of(scaling, source))


def _of(scaling: Scaling, source: str) -> dict[str, str]:
    return {"world": scaling.spec.name, "title": scaling.spec.title, "source": source}


def _names(scaling: Scaling, draws: np.ndarray, periods: int) -> dict[str, Any]:
    spec = scaling.spec
    return {
        "draw": draws,
        "shock": [spec.shock_names[k] for k in scaling.shocks],
        "horizon": ("horizon", np.arange(periods), {"units": "quarters after impact"}),
        "observable": list(OBSERVABLES),
        "parameter": list(spec.parameter_names),
        "unit": ("observable", list(spec.observable_units)),
        "size": ("shock", [str(size) for size in scaling.sizes]),
    }


def refuse(
    spec: WorldSpec, theta: np.ndarray, failed: np.ndarray, on_failure: str, why: Callable[[], str]
) -> None:
    """`NoSolutionError` that names draws (n,) without a solution, unless NaN was asked for; why: in
    words.
    """
    if on_failure not in ("raise", "nan"):
        raise ParameterError(f"on_failure is {on_failure!r}; expected 'raise' or 'nan'.")
    if on_failure == "nan" or not failed.any():
        return
    first = int(np.flatnonzero(failed)[0])
    values = ", ".join(
        f"{name}={value:.6g}"
        for name, value in zip(spec.parameter_names, theta[first], strict=True)
    )
    raise NoSolutionError(
        f"World '{spec.name}' has no unique stable solution at {failed.sum():,} of {len(failed):,}"
        f" draws: {why()}. Draw {first}: {values}. Change the parameters (`emulator worlds"
        f" {spec.name}` shows defaults and ranges), or have NaN there: on_failure='nan'."
    )


def beyond_training(data: xr.Dataset) -> str:
    """Which parameters of draw 0 lie outside the range that the network was trained on, and that
    range; empty where none does.
    """
    if "parameter_in_range" not in data:
        return ""
    outside = data.isel(draw=0).where(~data["parameter_in_range"][0], drop=True)
    columns = (
        outside[name].values for name in ("parameter", "theta", "trained_from", "trained_to")
    )
    return ", ".join(
        f"{name} = {value:.6g} (trained on {low:.4g} to {high:.4g})"
        for name, value, low, high in zip(*columns, strict=True)
    )


def in_words(status: np.ndarray) -> str:
    """How many draws without finite responses have each `Status` (n,), and what it means."""
    counts = sorted(Counter(Status(code) for code in status).items())
    return ", ".join(
        f"{count:,} {'overflow' if found == Status.OK else found.label}"
        f" ({WHY.get(found, 'the solver finds none')})"
        for found, count in counts
    )


SIGNS = ("exact", "flagged", "determinate")
"""What a table says of each draw beside its numbers: whether the solver gave them, whether the
network doubts them, whether there is a solution.
"""


@xr.register_dataset_accessor("responses")
class Responses:
    """`answer.responses`: what an answer offers beyond its arrays."""

    def __init__(self, data: xr.Dataset) -> None:
        self.data = data

    @property
    def whole(self) -> xr.Dataset:
        """The answer with all its axes, also where one draw or one shock was selected from it."""
        lost = [axis for axis in AXES[:2] if axis not in self.data.dims]
        found = self.data.expand_dims(lost)
        return (
            found.assign_coords(size=("shock", [str(found["size"].values)]))
            if "shock" in lost
            else found
        )

    def plot(self, path: str | Path | None = None, beside: xr.Dataset | None = None) -> Figure:
        """A row a shock, a column an observable; with many draws their median, and where 50 and 90
        % of them lie.

        path: where to write it (.png, .pdf, .svg); beside: another answer to the same question,
        dashed, such as the exact one. Raises `ParameterError` for a format that cannot be drawn.
        """
        from emulator.inference.figures import draw

        return draw(
            self.whole,
            None if beside is None else beside.responses.whole,
            None if path is None else Path(path),
        )

    def frame(self) -> Any:
        """A long table (pandas): draw, shock and horizon as index, a column an observable, and of
        its band where there is one; then `SIGNS` of the draw.
        """
        whole = self.whole
        parts = {name: whole[name] for name in ("irf", "lower", "upper") if name in whole}
        columns = {}
        for observable in OBSERVABLES:
            for name, part in parts.items():
                columns[observable if name == "irf" else f"{observable}_{name}"] = part.sel(
                    observable=observable, drop=True
                ).drop_vars("size", errors="ignore")
        columns |= {
            sign: whole[sign].drop_vars("size", errors="ignore") for sign in SIGNS if sign in whole
        }
        return xr.Dataset(columns).to_dataframe(dim_order=list(AXES[:3]))

    def write(self, path: str | Path) -> None:
        """Write the answer: `.csv` (the long table), `.nc` (NetCDF, everything) or `.json`
        (everything).

        Raises `ParameterError` for another ending.
        """
        from emulator.inference.files import write

        write(self.data, Path(path))


def check_same_shocks(data: xr.Dataset, other: xr.Dataset) -> None:
    """Raise `ParameterError` unless two answers are about the same shocks."""
    if list(data["shock"].values) != list(other["shock"].values):
        raise ParameterError(
            f"The answers are about different shocks: {', '.join(data['shock'].values)} and"
            f" {', '.join(other['shock'].values)}."
        )
