"""The answer of `Economy.occbin`: paths under occasionally binding constraints and without them.

Axes: n draw, Z size, S shock, H horizon, V variable, C constraint.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import xarray as xr

from emulator.errors import ParameterError
from emulator.inference.asking import Asking
from emulator.worlds.figures import check_format, label, panel_figure, periods, save
from emulator.worlds.filebinding import BindingFile

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Question(NamedTuple):
    """Draws theta (n, P) and what they are called (n,); multiples (Z,); positions of shocks and
    observables; the last horizon.
    """

    theta: np.ndarray
    draws: np.ndarray
    sizes: np.ndarray
    shocks: list[int]
    observed: list[int] | slice
    last: int


def answer(asking: Asking, question: Question) -> tuple[xr.Dataset, np.ndarray]:
    """The paths, and the `Status` (n,) of each draw."""
    world = asking.solver
    if not isinstance(world, BindingFile):
        raise ParameterError(
            f"'{asking.spec.name}' has no occasionally binding constraints: expected a .mod file"
            " whose last solution command, or the one that run= names, is occbin_solver."
        )
    spec, theta = asking.spec, question.theta
    unit = world.unit_shocks(theta)[:, question.shocks]
    scaled = unit[:, None] * question.sizes[:, None, None, None]
    n, many = len(theta), (len(question.sizes), len(question.shocks))
    solved = world.answer(theta, scaled.reshape(n, -1, *unit.shape[2:]), question.last + 1)
    shape = (n, *many, question.last + 1, -1)
    observed = question.observed
    names = np.array(spec.observable_names)[observed]
    axes = ("draw", "size", "shock", "horizon", "observable")
    units = {"units": "deviation from the steady state, in the units of the file"}
    data = xr.Dataset(
        {
            "piecewise": (axes, solved.piecewise.reshape(shape)[..., observed], units),
            "linear": (axes, solved.linear.reshape(shape)[..., observed], units),
            "binding": ((*axes[:4], "constraint"), solved.binding.reshape(shape)),
            "steady": (("draw", "observable"), world.levels(theta)[:, observed]),
            "theta": (("draw", "parameter"), theta),
        },
        {
            "draw": question.draws,
            "size": question.sizes,
            "shock": [spec.shock_names[k] for k in question.shocks],
            "horizon": ("horizon", np.arange(question.last + 1), {"units": spec.periods}),
            "observable": list(names),
            "constraint": [constraint.name for constraint in world.solver.constraints],
            "parameter": list(spec.parameter_names),
        },
        {"world": spec.name, "title": spec.title, "source": "piecewise linear"},
    )
    return data, solved.status


def draw(data: xr.Dataset, path: Path | None = None) -> Figure:
    """A panel an observable, of the first draw and shock: a colour a size, solid under the
    constraints and dashed without; shaded where a constraint binds under the first size.

    Raises `ParameterError` for a format that cannot be drawn.
    """
    if path is not None:
        check_format(path)
    here = data.isel(draw=0, shock=0)
    names = [str(name) for name in here["observable"].values]
    figure, axes = panel_figure(len(names))
    binds = here["binding"].isel(size=0).any("constraint").values
    for axis, name in zip(axes, names, strict=True):
        _panel(axis, here.sel(observable=name), binds)
        label(axis, name, "deviation, units of the file")
        periods(axis, str(data["horizon"].attrs["units"]))
    constraints = ", ".join(map(str, data["constraint"].values))
    figure.suptitle(f"{data.attrs['title']}: {here['shock'].item()}, piecewise linear", fontsize=10)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=min(len(labels), 4),
        fontsize=8,
        frameon=False,
        title=f"shaded: {constraints} binds" if binds.any() else None,
        title_fontsize=8,
    )
    if path is not None:
        save(figure, path, dpi=120)
    return figure


def _panel(axis: Any, here: xr.Dataset, binds: np.ndarray) -> None:
    horizon = here["horizon"].values
    for period in horizon[binds]:
        axis.axvspan(period - 0.5, period + 0.5, color="0.9", linewidth=0)
    for k, size in enumerate(here["size"].values):
        of_size = here.isel(size=k)
        said = "" if len(here["size"]) == 1 else f"{size:g} sd: "
        axis.plot(horizon, of_size["piecewise"], color=f"C{k}", label=f"{said}with the constraint")
        axis.plot(horizon, of_size["linear"], color=f"C{k}", linestyle="--", label=f"{said}without")
