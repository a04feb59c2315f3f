"""The figure of paths under perfect foresight: a panel a variable, a line a scenario and draw."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from emulator.errors import unknown_name
from emulator.inference.figures import in_words
from emulator.worlds.figures import check_format, label, panel_figure, periods, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LINES = 10
"""Lines of a panel."""

SETTLED = 0.01
"""Share of its range within which a path is at its end."""


def draw(
    data: xr.Dataset,
    path: Path | None,
    variables: Sequence[str] | None,
    last: int | None,
    title: str | None,
) -> Figure:
    """The figure, written to `path` if there is one. Raises `ParameterError` for a format that
    cannot be drawn, `UnknownNameError` for a variable that the answer does not have.
    """
    if path is not None:
        check_format(path)
    known = [str(name) for name in data["variable"].values]
    for name in variables or ():
        if name not in known:
            raise unknown_name("variable of this answer", name, known)
    names = list(variables or known)
    lines = _lines(data)
    shown = _settled(data["path"].sel(variable=names).values) if last is None else last
    figure, axes = panel_figure(len(names))
    for axis, name in zip(axes, names, strict=True):
        here = data["path"].sel(variable=name).values[:, :, : shown + 1]
        for (row, scenario), words in lines.items():
            axis.plot(np.arange(here.shape[2]), here[row, scenario], linewidth=1.2, label=words)
        low, high = np.nanmin(here), np.nanmax(here)
        margin = 0.05 * (high - low) or 0.05 * max(1.0, abs(high))
        axis.set_ylim(low - margin, high + margin)  # levels may be far from zero
        label(axis, in_words(name), "level")
        periods(axis, str(data["period"].attrs.get("units", "")).partition(";")[0])
    figure.suptitle(title or f"{data.attrs['title']}: perfect foresight", fontsize=10)
    if len(lines) > 1:
        handles, words = axes[0].get_legend_handles_labels()
        figure.legend(
            handles,
            words,
            loc="outside lower center",
            ncols=min(len(words), 5),
            fontsize=8,
            frameon=False,
        )
    if path is not None:
        save(figure, path, dpi=120)
    return figure


def _lines(data: xr.Dataset) -> dict[tuple[int, int], str]:
    """Draws and scenarios that are drawn, with what each is called."""
    theta = data["theta"].values
    varies = np.flatnonzero(np.ptp(theta, axis=0) > 0)
    names = data["parameter"].values
    lines: dict[tuple[int, int], str] = {}
    for scenario, called in enumerate(data["scenario"].values):
        for row in range(len(theta)):
            parts = [f"{names[k]} = {theta[row, k]:.4g}" for k in varies[:2]]
            if data.sizes["scenario"] > 1:
                parts.insert(0, str(called))
            lines[row, scenario] = ", ".join(parts) or str(called)
    return dict(list(lines.items())[:MOST_LINES])


def _settled(paths: np.ndarray) -> int:
    """The period (n, S, T, V) after which all paths are near their ends, and some more."""
    span = np.nanmax(paths, axis=2, keepdims=True) - np.nanmin(paths, axis=2, keepdims=True)
    away = np.abs(paths - paths[:, :, -1:]) > SETTLED * span
    moving = np.flatnonzero(away.any(axis=(0, 1, 3)))
    last = int(moving[-1]) if len(moving) else 1
    return min(paths.shape[2] - 1, max(8, last + max(2, last // 10)))
