"""The form of every answer: an xarray Dataset over (draw, shock, horizon, observable), with units
and with how far to trust it.

irf                        responses, each observable in its own unit
lower, upper               90 % band around a network's responses, with what the solutions that it
                           learnt from err by; where the solver answered, what its method errs by,
                           or the response itself
exact                      (draw) whether the solver answered
determinate                (draw) whether there is a unique stable solution; a network's word until
                           the solver has spoken
probability_determinate    (draw) that word as a probability
in_range                   (draw) every parameter lies within the range of the training draws
parameter_in_range         (draw, parameter)
trained_from, trained_to   (parameter) that range
flagged                    (draw) the network itself says to doubt its answer
near_jump                  (draw) the draw is near a border between regimes, where responses jump
theta                      (draw, parameter)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from emulator.inference.labels import Answered, Labels, ranges_in_words
from emulator.solvers import StateSpace
from emulator.spec import WorldSpec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AXES = ("draw", "shock", "horizon", "observable")


def answer(answered: Answered) -> xr.Dataset:
    """A Dataset of fields with the axes (n, S, H+1, O), (n, P) or (n), with names and units."""
    labels, fields = answered.labels, answered.fields
    spec = labels.spec
    axes = {4: AXES, 2: ("draw", "parameter"), 1: ("draw",)}
    units = ", ".join(f"{o.name}: {o.unit}" for o in spec.observables)
    variables: dict[str, Any] = {
        name: (axes[value.ndim], value, {"units": units} if value.ndim == 4 else {})
        for name, value in fields.items()
    }
    of_theta = ", ".join(f"{p.name}: {p.unit}" for p in spec.parameters)
    variables["theta"] = (axes[2], answered.theta, {"units": of_theta})
    data = xr.Dataset(variables, _coordinates(labels, fields["irf"].shape[2]), labels.attributes)
    if labels.trained_range is not None:
        low, high = labels.trained_range
        data = data.assign_coords(trained_from=("parameter", low), trained_to=("parameter", high))
    doubt = answered.doubt
    return data.assign_attrs(doubt=doubt) if doubt else data


def derivatives(
    labels: Labels, values: np.ndarray, signs: Mapping[str, np.ndarray]
) -> xr.DataArray:
    """Derivatives (n, S, H+1, O, P) with names; units: of the response, per unit of the parameter.
    signs: of each draw, (n,), as further coordinates.
    """
    coordinates = _coordinates(labels, values.shape[2])
    coordinates |= {name: ("draw", sign) for name, sign in signs.items() if sign.ndim == 1}
    axes = (*AXES, "parameter")
    return xr.DataArray(values, coordinates, axes, "jacobian", labels.attributes)


def simulated_states(simulated: xr.DataArray, spec: WorldSpec, states: np.ndarray) -> xr.Dataset:
    """`simulation` and `states` (draw, period, state) beside it; states (n, T, D)."""
    names = list(spec.states) or [f"s_{k + 1}" for k in range(states.shape[2])]
    data = simulated.to_dataset().assign_attrs(simulated.attrs)
    return data.assign(states=(("draw", "period", "state"), states)).assign_coords(state=names)


def simulation(spec: WorldSpec, draws: np.ndarray, source: str, paths: np.ndarray) -> xr.DataArray:
    """Simulated paths (n, T, O) with names and units; draws (n,): what they are called."""
    return xr.DataArray(
        paths,
        dims=("draw", "period", "observable"),
        coords={
            "draw": draws,
            "period": ("period", np.arange(paths.shape[1]), {"units": spec.periods}),
            "observable": list(spec.observable_names),
            "unit": ("observable", list(spec.observable_units)),
        },
        name="simulation",
        attrs={
            "world": spec.name,
            "title": spec.title,
            "source": source,
            "frequency": spec.frequency,
        },
    )


def state_spaces(labels: Labels, space: StateSpace, mean: np.ndarray) -> xr.Dataset:
    """The matrices `s = A s_before + B e, y = mean + C s` of n draws with names; mean (n, O)."""
    spec = labels.spec
    names = list(spec.states) or [f"s_{k + 1}" for k in range(space.A.shape[1])]
    return xr.Dataset(
        {
            "A": (("draw", "state", "state_before"), space.A),
            "B": (("draw", "state", "shock"), space.B),
            "C": (("draw", "observable", "state"), space.C),
            "mean": (("draw", "observable"), mean),
        },
        {
            "draw": labels.draws,
            "state": names,
            "state_before": names,
            "shock": list(labels.shocks),
            "observable": list(spec.observable_names),
            "unit": ("observable", list(spec.observable_units)),
        },
        {
            **labels.attributes,
            "equations": "s = A s_before + B e; y = mean + C s; e independent, standard normal",
        },
    )


def _coordinates(labels: Labels, periods: int) -> dict[str, Any]:
    spec = labels.spec
    return {
        "draw": labels.draws,
        "shock": list(labels.shocks),
        "horizon": ("horizon", np.arange(periods), {"units": f"{spec.periods} after impact"}),
        "observable": list(spec.observable_names),
        "parameter": list(spec.parameter_names),
        "unit": ("observable", list(spec.observable_units)),
        "size": ("shock", list(labels.sizes)),
    }


def beyond_training(data: xr.Dataset) -> str:
    """Which parameters of draw 0 lie outside the range that the network was trained on, and that
    range; empty where none does.
    """
    if "parameter_in_range" not in data:
        return ""
    outside = data.isel(draw=0).where(~data["parameter_in_range"][0], drop=True)
    names, values, low, high = (
        outside[name].values for name in ("parameter", "theta", "trained_from", "trained_to")
    )
    return ranges_in_words(list(map(str, names)), values, low, high)


SIGNS = ("exact", "flagged", "determinate", "near_jump")
"""What a table says of each draw beside its numbers: whether the solver gave them, whether the
network doubts them, whether there is a solution, and, in worlds whose responses jump, whether the
draw is near a border where they do.
"""
OF_ANY = ("flagged", "near_jump")
"""Signs of a mean over draws that are true if one of them has it; the others, if all have."""


@xr.register_dataset_accessor("responses")
class Responses:
    """`answer.responses`: what an answer offers beyond its arrays."""

    def __init__(self, data: xr.Dataset) -> None:
        self.data = data

    def __repr__(self) -> str:
        sizes = ", ".join(f"{axis} {self.data.sizes.get(axis, 1)}" for axis in AXES)
        return f"Responses ({sizes}): plot(), frame(), write(path)"

    @property
    def whole(self) -> xr.Dataset:
        """The answer with all its axes, also where one draw, shock or observable was selected."""
        lost = [axis for axis in AXES if axis not in self.data.dims]
        whole = self.data.expand_dims(lost).transpose(*AXES, ...)
        for axis, name in (("shock", "size"), ("observable", "unit")):
            if axis in lost:
                whole = whole.assign_coords({name: (axis, [str(whole[name].values)])})
        for name in SIGNS:
            if name in whole and whole[name].dtype != bool:  # of a mean over draws
                whole[name] = whole[name] > 0 if name in OF_ANY else whole[name] == 1
        for name in ("theta", *SIGNS):
            if name in whole:  # these have no other axes than their own
                spare = [axis for axis in whole[name].dims if axis not in ("draw", "parameter")]
                whole[name] = whole[name].isel(dict.fromkeys(spare, 0), drop=True)
        return whole

    def plot(
        self,
        path: str | Path | None = None,
        beside: xr.Dataset | None = None,
        *,
        shocks: Sequence[str] | str | None = None,
        observables: Sequence[str] | str | None = None,
        horizon: int | None = None,
        ax: Any = None,
        title: str | None = None,
    ) -> Figure:
        """A row a shock, a column an observable. A few draws are lines, named by the parameter if
        one alone varies; of many the median, and where 50 and 90 % of them lie.

        path: where to write it (.png, .pdf, .svg); beside: another answer to the same question,
        dashed, such as the exact one; shocks, observables: names, all by default; horizon: the last
        one drawn, by default where responses have settled; ax: axes of Matplotlib's to draw one
        panel in; title: in place of the usual one. Raises `ParameterError` for a format that cannot
        be drawn, `UnknownNameError` for a name that the answer does not have.
        """
        from emulator.inference.figures import View, draw

        return draw(
            self.whole,
            None if beside is None else beside.responses.whole,
            None if path is None else Path(path),
            View(shocks, observables, horizon, ax, title),
        )

    def frame(self) -> Any:
        """A long table (pandas): draw, shock and horizon as index, a column an observable, and of
        its band where there is one; then `SIGNS` of the draw. An observable that is called as one
        of these columns is has an underscore after its name.
        """
        whole = self.whole
        parts = {name: whole[name] for name in ("irf", "lower", "upper") if name in whole}
        columns: dict[str, xr.DataArray] = {}
        for observable in whole["observable"].values:
            for name, part in parts.items():
                column = str(observable) if name == "irf" else f"{observable}_{name}"
                while column in columns or column in (*AXES, *SIGNS):
                    column += "_"
                columns[column] = part.sel(observable=observable, drop=True).drop_vars(
                    ["size", "unit"], errors="ignore"
                )
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
