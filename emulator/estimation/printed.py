"""Estimates as printed tables."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from emulator.console import out, say
from emulator.estimation.settings import QUANTILE_NAMES, QUANTILES

if TYPE_CHECKING:
    from emulator.estimation.result import Estimate


def show(result: Estimate) -> None:
    from rich.table import Table

    low, median, high = QUANTILE_NAMES
    table = Table(
        "parameter",
        "point",
        "s.e.",
        "median",
        f"{100 * QUANTILES[0]:.0f} %",
        f"{100 * QUANTILES[-1]:.0f} %",
        title=f"{result.spec.name}, {result.density.responder.title}",
        caption="* at the end of its range; held: " + (", ".join(result.held) or "none"),
    )
    for name, row in result.table().iterrows():
        star = "*" if row["at_bound"] else ""
        error = row["standard_error"]
        table.add_row(
            str(name),
            f"{row['point']:.4g}{star}",
            "-" if math.isnan(error) else f"{error:.3g}",
            *(f"{row[quantile]:.4g}" for quantile in (median, low, high)),
        )
    out.print(table)
    error = f" ({result.evidence.error:.2f})" if math.isfinite(result.evidence.error) else ""
    say(
        f"{result.spec.name}: distance {result.point.distance:.1f} over"
        f" {result.density.criterion.words}; {result.point.agreeing} of"
        f" {len(result.point.objectives)} searches agree; log marginal likelihood"
        f" {result.evidence.log:.2f}{error}."
    )
    if result.rescored is not None:
        say(
            f"{result.spec.name}: under the exact solution {result.rescored.effective:.0%} of"
            f" {len(result.rescored.theta)} draws are effective (Pareto k"
            f" {result.rescored.k_hat:.2f}); exact log marginal likelihood"
            f" {result.exact_evidence:.2f}."
        )


def show_comparison(results: list[Estimate]) -> None:
    from rich.table import Table

    from emulator.estimation.comparison import fit_table

    table = Table(
        "world",
        "parameters",
        "distance per entry",
        "log marginal likelihood",
        "exact",
        "effective draws",
        title="Worlds against the same target",
    )
    for name, row in fit_table(results).iterrows():
        table.add_row(
            str(name),
            str(row["parameters"]),
            f"{row['distance_per_entry']:.3f}",
            f"{row['log_marginal_likelihood']:.2f}",
            f"{row['exact_log_marginal_likelihood']:.2f}",
            f"{row['effective_share']:.0%}",
        )
    out.print(table)
