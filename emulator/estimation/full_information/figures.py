"""Figures of a posterior: prior against posterior, and predictive checks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from emulator.estimation.full_information.result import PosteriorEstimate
from emulator.estimation.settings import QUANTILE_NAMES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 200
BINS = 40
ABREAST = 4
PANEL = (2.3, 1.7)
"""Inches of a panel."""


def draw_prior_posterior(estimate: PosteriorEstimate, path: Path | None = None) -> Figure:
    """A panel a parameter: the prior's density in grey, draws of the posterior, the mode as a line;
    dashed, where a network was sampled, draws of the exact posterior.
    """
    from matplotlib.ticker import MaxNLocator

    from emulator.worlds.figures import new_figure, save

    names, prior, draws = estimate.names, estimate.problem.density.prior, estimate.draws
    rows = -(-len(names) // ABREAST)
    figure = new_figure(PANEL[0] * min(ABREAST, len(names)) + 0.4, PANEL[1] * rows + 0.5)
    axes = np.atleast_1d(figure.subplots(rows, min(ABREAST, len(names)), squeeze=False)).ravel()
    exact = None
    if estimate.reweighted is not None:
        exact = estimate.exact_draws[:, list(prior.free)]
    for k, name in enumerate(names):
        low, high = _ends(prior.shapes[k], draws[:, k])
        grid = np.linspace(low, high, POINTS)
        axes[k].hist(draws[:, k], bins=BINS, range=(low, high), density=True, color="C0", alpha=0.6)
        if exact is not None:
            axes[k].hist(
                exact[:, k],
                bins=BINS,
                range=(low, high),
                density=True,
                histtype="step",
                color="C1",
                linestyle="--",
            )
        axes[k].plot(grid, np.exp(prior.shapes[k].log_density(grid)), color="0.45", linewidth=1.2)
        axes[k].axvline(estimate.mode.values[k], color="C3", linewidth=1.0)
        axes[k].set_title(name, fontsize=9)
        axes[k].set_yticks([])
        axes[k].tick_params(labelsize=7)
        axes[k].xaxis.set_major_locator(MaxNLocator(3))
    for axis in axes[len(names) :]:
        axis.set_visible(False)
    figure.suptitle(
        f"{estimate.spec.name}: prior (grey), posterior (bars), mode (red)", fontsize=10
    )
    if path is not None:
        save(figure, path, dpi=110)
    return figure


def _ends(shape, draws: np.ndarray) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    """What a panel shows: most of prior and posterior, within the prior's bounds."""
    low, high = shape.bounds()
    below, above = (float(shape.probability(np.array(end))) for end in (low, high))
    middle = [float(shape.quantile(np.array(below + p * (above - below)))) for p in (0.02, 0.98)]
    first, last = np.quantile(draws, [0.001, 0.999])
    return max(low, min(middle[0], first)), min(high, max(middle[1], last))


def draw_checks(checks: pd.DataFrame, world: str, path: Path | None = None) -> Figure:
    """A line a statistic: the data's value among those of simulated data, by the posterior
    predictive interval; in grey that of the prior.
    """
    from emulator.worlds.figures import new_figure, save

    low, middle, high = QUANTILE_NAMES
    centre = checks[f"posterior_{middle}"]
    width = (checks[f"posterior_{high}"] - checks[f"posterior_{low}"]).replace(0.0, np.nan) / 2
    places = np.arange(len(checks))[::-1]
    figure = new_figure(7.0, 0.22 * len(checks) + 1.2)
    axis = figure.subplots()
    for kind, color, thick in (("prior", "0.8", 6), ("posterior", "C0", 3)):
        ends = [(checks[f"{kind}_{end}"] - centre) / width for end in (low, high)]
        axis.hlines(places, ends[0], ends[1], color=color, linewidth=thick, label=f"{kind} 90 %")
    axis.plot(
        (checks["data"] - centre) / width, places, "o", color="C3", markersize=4, label="data"
    )
    axis.set_xlim(-6, 6)
    axis.set_yticks(places, list(checks.index), fontsize=7)
    axis.set_xlabel("half widths of the posterior's interval, from its median", fontsize=8)
    axis.legend(fontsize=8, frameon=False, loc="lower right")
    axis.set_title(f"{world}: statistics of the data among those of simulated data", fontsize=9)
    if path is not None:
        save(figure, path, dpi=110)
    return figure
