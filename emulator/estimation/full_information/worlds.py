"""Several worlds on the same data: marginal likelihoods and the probabilities that follow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from emulator.errors import ParameterError
from emulator.estimation.full_information.result import PosteriorEstimate
from emulator.inference.likelihood import Likelihood

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def world_table(estimates: Sequence[PosteriorEstimate]) -> pd.DataFrame:
    """A row a world: how many parameters, log-likelihood at the mode and by period, log marginal
    likelihoods by three methods, the probability of the world if all are equally likely before the
    data, and how far to trust it.

    Raises `ParameterError` for estimates from different data.
    """
    same_data(estimates)
    logs = np.array([estimate.log_marginal_likelihood for estimate in estimates])
    chances = np.exp(logs - logsumexp(logs)) if np.isfinite(logs).all() else logs * np.nan
    rows = {}
    for estimate, log, chance in zip(estimates, logs, chances, strict=True):
        likelihood = estimate.problem.density.likelihood
        scored, evidences = estimate.reweighted, estimate.evidences
        counted = len(likelihood.data) - likelihood.presample
        rows[estimate.spec.name] = {
            "parameters": len(estimate.names),
            "log_likelihood_at_mode": estimate.mode.log_likelihood,
            "by_period": estimate.mode.log_likelihood / counted,
            "log_marginal_likelihood": log,
            "its_error": evidences.sampled.error,
            "laplace": evidences.laplace,
            "harmonic_mean": evidences.harmonic,
            "probability": chance,
            "r_hat": estimate.diagnostics.r_hat,
            "ess": min(estimate.diagnostics.ess_bulk, estimate.diagnostics.ess_tail),
            "effective_share": 1.0 if scored is None else scored.effective,
            "pareto_k": np.nan if scored is None else scored.k_hat,
            "answered_by": estimate.problem.density.title,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("world")


def same_data(estimates: Sequence[PosteriorEstimate]) -> None:
    """Raises `ParameterError` for estimates from different data, and for none."""
    if not estimates:
        raise ParameterError("There is nothing to compare: no estimate was given.")
    first = estimates[0].problem.density.likelihood
    for other in estimates[1:]:
        check_same(first, other.problem.density.likelihood)


def check_same(first: Likelihood, other: Likelihood) -> None:
    """Raises `ParameterError` unless both are of the same numbers."""
    names = [sorted(one.observation.series) for one in (first, other)]
    same = names[0] == names[1] and first.data.sample == other.data.sample
    same = same and first.presample == other.presample
    if same:
        mine, others = (one.data.select(names[0]).values for one in (first, other))
        same = np.array_equal(mine, others, equal_nan=True)
    if not same:
        worlds = [one.answerer.spec.name for one in (first, other)]
        raise ParameterError(
            f"{worlds[0]} observes {', '.join(names[0])} over {first.data.sample}, and {worlds[1]}"
            f" {', '.join(names[1])} over {other.data.sample}: marginal likelihoods of different"
            " data cannot be compared. Observe the same series with --observe, in Python observe=."
        )


def draw_worlds(estimates: Sequence[PosteriorEstimate], path: Path | None = None) -> Figure:
    """One picture: the probabilities of the worlds, and the data's log-density, period by period,
    under each at its mode, as the running difference from the first world's.
    """
    from emulator.worlds.figures import new_figure, save

    table = world_table(estimates)
    figure = new_figure(9.0, 3.4)
    left, right = figure.subplots(1, 2, width_ratios=(1, 2))
    left.barh(table.index[::-1], table["probability"][::-1], color="C0")
    left.set_xlim(0, 1)
    left.set_title("probability of the world", fontsize=10)
    paths = {}
    for estimate in estimates:
        likelihood = estimate.problem.density.likelihood
        at_mode = likelihood.values(estimate.mode.theta[None], strict=False)
        paths[estimate.spec.name] = at_mode.by_period[0, likelihood.presample :].cumsum()
    first = estimates[0]
    likelihood = first.problem.density.likelihood
    periods = np.arange(likelihood.presample, len(likelihood.data))
    for k, (name, values) in enumerate(paths.items()):
        right.plot(periods, values - paths[first.spec.name], color=f"C{k % 10}", label=name)
    places = np.linspace(periods[0], periods[-1], 5).astype(int)
    right.set_xticks(places, [likelihood.data.labels[k] for k in places])
    right.set_title(
        f"cumulated log-likelihood at the mode, less that of {first.spec.name}", fontsize=10
    )
    right.legend(fontsize=9, frameon=False)
    if path is not None:
        save(figure, path, dpi=130)
    return figure
