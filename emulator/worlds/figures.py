"""Figures of exact impulse responses."""

from __future__ import annotations

import io
import math
import textwrap
from pathlib import Path
from typing import Any

import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emulator.errors import EmulatorError, ParameterError
from emulator.files import write_bytes
from emulator.spec import UNKNOWN_UNIT

FORMATS = (".png", ".pdf", ".svg")

UNIT_WIDTH, TITLE_WIDTH = 32, 40
"""Letters on one line: of a unit beside a panel, of the title above it."""

PANELS_ABREAST = 3
"""Panels side by side, where a panel is an observable."""


def check_format(path: Path) -> None:
    """Raise `ParameterError` unless the name ends in a format that can be drawn."""
    if path.suffix.lower() not in FORMATS:
        raise ParameterError(f"The figure '{path}' must end in {', '.join(FORMATS)}.")


def draw_comparison(responses: xr.DataArray, title: str, path: Path) -> None:
    """Several worlds in one picture: a panel an observable, a line a world."""
    names = responses["observable"].values
    figure, axes = panel_figure(len(names))
    styles = ("-", "--", "-.", ":")
    for axis, observable in zip(axes, names, strict=True):
        for k, world in enumerate(responses["world"].values):
            line = responses.sel(world=world, observable=observable)
            in_words = str(line["title"].values).partition(":")[0]
            axis.plot(
                responses["horizon"],
                line,
                color=f"C{k % 10}",
                linestyle=styles[k % len(styles)],
                label=f"{world}: {in_words}",
            )
        label(axis, str(observable), str(responses["unit"].sel(observable=observable).values))
        periods(axis, str(responses["horizon"].attrs["units"]))
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=2,
        fontsize=9,
        frameon=False,
    )
    figure.suptitle(title, fontsize=10)
    save(figure, path, dpi=130)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of this size in inches; a notebook shows it, and no window."""
    figure = _NotebookFigure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def panel_figure(n: int) -> tuple[Figure, list[Any]]:
    """A figure with a panel for each of n observables, and its panels, row by row."""
    rows, columns = grid_of(n, PANELS_ABREAST)
    figure = new_figure(3.2 * max(columns, 2) + 0.4, 2.6 * rows + 1.0)
    axes = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for axis in axes[n:]:
        axis.axis("off")
    return figure, axes[:n]


def grid_of(n: int, most: int) -> tuple[int, int]:
    """Rows and columns of n panels, at most so many side by side, in rows of nearly one length."""
    rows = math.ceil(n / most)
    return rows, math.ceil(n / rows)


class _NotebookFigure(Figure):
    """A figure that a notebook shows: one that pyplot has not made is text there otherwise."""

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        self.savefig(stream, format="png", dpi=100)
        return stream.getvalue()


def save(figure: Figure, path: Path, dpi: int) -> None:
    """Write a figure in the format that the path's ending names, whole or not at all.

    Raises `EmulatorError` if it cannot be written.
    """
    stream = io.BytesIO()
    figure.savefig(stream, format=path.suffix[1:].lower(), dpi=dpi)
    try:
        write_bytes(path, stream.getvalue())
    except OSError as error:
        raise EmulatorError(f"'{path}' cannot be written: {error.strerror or error}.") from None


def periods(axis: Any, unit: str) -> None:
    """The horizontal axis of a panel: whole periods, and what they are."""
    axis.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axis.set_xlabel(unit, fontsize=8)


def label(axis: Any, title: str, unit: str) -> None:
    """What every panel has: a line at zero, a title, a unit."""
    axis.axhline(0.0, color="black", linewidth=0.6)
    axis.set_title(textwrap.fill(title, TITLE_WIDTH), fontsize=9)
    axis.set_ylabel(textwrap.fill(unit_in_words(unit), UNIT_WIDTH), fontsize=8)


def unit_in_words(unit: str) -> str:
    return "unit unknown" if unit == UNKNOWN_UNIT else unit
