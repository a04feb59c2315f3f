"""One picture: the data's responses with their band, and what each world makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from emulator.estimation.matching import Estimate
from emulator.estimation.target import UNITS, Target
from emulator.spec import OBSERVABLES
from emulator.worlds.figures import check_format, label, new_figure, save

BAND = 1.645
"""Standard deviations of the data's 90 % band."""

STYLES = ("-", "--", "-.", ":")


def draw_fit(estimates: Sequence[Estimate], path: str | Path | None = None) -> Figure:
    """`draw_fitted` of estimates of one target."""
    return draw_fitted(
        estimates[0].target, {found.spec.name: found.fitted for found in estimates}, path
    )


def draw_fitted(
    target: Target, fitted: Mapping[str, np.ndarray], path: str | Path | None = None
) -> Figure:
    """A column an observable: the target and its 90 % band in grey, each world's posterior median
    as a line; with one world its 90 % band too.

    fitted: by world, quantiles (Q, H+1, 3) of responses as `Estimate.fitted` has them. Entries that
    are not matched are hollow. Raises `ParameterError` for a format that cannot be drawn,
    `EmulatorError` where nothing can be written.
    """
    if path is not None:
        check_format(Path(path))
    figure = new_figure(10.0, 3.6)
    for k, axis in enumerate(figure.subplots(1, 3)):
        _data(axis, target, k)
        for number, (world, quantiles) in enumerate(fitted.items()):
            low, median, high = quantiles[:, :, k]
            horizons, color = np.arange(len(median)), f"C{number % 10}"
            axis.plot(
                horizons, median, color=color, linestyle=STYLES[number % len(STYLES)], label=world
            )
            if len(fitted) == 1:
                axis.fill_between(horizons, low, high, color=color, alpha=0.25, linewidth=0)
        label(axis, OBSERVABLES[k], UNITS[k])
        axis.set_xlabel("quarters after impact", fontsize=8)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=min(len(labels), 8),
        fontsize=9,
        frameon=False,
    )
    figure.suptitle(
        f"{target.name}: a {target.shock.replace('_', ' ')} shock, data with 90 % band, and"
        " posterior medians",
        fontsize=10,
    )
    if path is not None:
        save(figure, Path(path), dpi=130)
    return figure


def _data(axis: Any, target: Target, k: int) -> None:
    horizons, irf, sd, matched = (
        np.arange(target.horizon + 1),
        target.irf[:, k],
        target.sd[:, k],
        target.matched[:, k],
    )
    if not np.isfinite(irf).any():
        return
    axis.fill_between(
        horizons, irf - BAND * sd, irf + BAND * sd, color="0.5", alpha=0.25, linewidth=0
    )
    axis.plot(horizons[matched], irf[matched], "o", color="0.25", markersize=3, label="data")
    axis.plot(
        horizons[~matched], irf[~matched], "o", color="0.25", markersize=3, markerfacecolor="none"
    )
