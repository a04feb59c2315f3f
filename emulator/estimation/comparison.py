"""Several estimates beside each other, in tables and a picture: worlds against the same target, or
a network's posterior against the solver's.

Axes: n draw, H horizon, Q quantile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtri
from scipy.stats import wasserstein_distance

from emulator.errors import ParameterError
from emulator.estimation.result import Estimate
from emulator.estimation.settings import QUANTILE_NAMES
from emulator.estimation.target import Target
from emulator.spec import BAND_LEVEL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BAND = float(ndtri((1 + BAND_LEVEL) / 2))
"""Half width of the target's band, in standard deviations: 1.645 for 90 %."""

STYLES = ("-", "--", "-.", ":")


def fit_table(estimates: Sequence[Estimate]) -> pd.DataFrame:
    """A row a world: how many parameters, fit at the point (mean squared standardised distance),
    log marginal likelihood, how far to trust it.

    Marginal likelihoods are comparable between worlds on the same target and weighting only; they
    are odds under the quasi-likelihood, with each world's ranges as its prior. Raises
    `ParameterError` for estimates of different targets.
    """
    _same_target(estimates)
    if len(estimates) > 1 and estimates[0].density.criterion.weighting == "pooled":
        raise ParameterError(
            "Pooled weights are those of each world's own histories, so that fits and marginal"
            " likelihoods of several worlds cannot be compared. Estimate them with"
            " weighting='principal' (--weighting principal)."
        )
    rows = {}
    for estimate in estimates:
        exact = estimate.exact_evidence
        scored = estimate.rescored
        rows[estimate.spec.name] = {
            "parameters": len(estimate.density.prior.names),
            "distance_per_entry": estimate.point.distance / estimate.density.criterion.size,
            "log_marginal_likelihood": estimate.evidence.log,
            "its_error": estimate.evidence.error,
            "exact_log_marginal_likelihood": (
                estimate.evidence.log if estimate.exact else (np.nan if exact is None else exact)
            ),
            "effective_share": (
                1.0 if estimate.exact else (np.nan if scored is None else scored.effective)
            ),
            "pareto_k": np.nan if scored is None else scored.k_hat,
            "r_hat": estimate.diagnostics.r_hat,
            "ess": min(estimate.diagnostics.ess_bulk, estimate.diagnostics.ess_tail),
            "answered_by": estimate.density.responder.title,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("world")


def parameter_table(estimates: Sequence[Estimate]) -> pd.DataFrame:
    """A row a parameter of any of the worlds, three columns a world: median and 5 % and 95 %
    quantiles; empty where a world has no such free parameter.
    """
    return medians({estimate.spec.name: estimate.table() for estimate in estimates})


def medians(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """`parameter_table`, from the tables of the worlds by name."""
    columns = [QUANTILE_NAMES[k] for k in (1, 0, 2)]
    return pd.concat({world: table[columns] for world, table in tables.items()}, axis=1)


def posterior_distance(network: Estimate, exact: Estimate) -> pd.DataFrame:
    """How far a network's posterior is from the solver's, parameter by parameter: Wasserstein
    distance of order one of the marginals.

    Columns: in the parameter's unit; in standard deviations of the exact posterior, and of the
    prior; and, in those of the posterior, the distance between the two halves of the exact
    posterior's chains, below which a difference is noise. Raises `ParameterError` for estimates of
    other worlds or targets.
    """
    _same_target([network, exact])
    if network.spec.name != exact.spec.name:
        raise ParameterError(
            f"The posteriors are of different worlds, {network.spec.name} and {exact.spec.name}."
        )
    rows = {}
    prior = dict(zip(exact.density.prior.names, exact.density.prior.sd, strict=True))
    for name in [name for name in network.density.prior.names if name in prior]:
        ours, theirs = (estimate.posterior.posterior[name].values for estimate in (network, exact))
        spread = theirs.std()
        halves = np.array_split(theirs, 2) if len(theirs) > 1 else np.array_split(theirs[0], 2)
        distance = wasserstein_distance(ours.ravel(), theirs.ravel())
        noise = wasserstein_distance(halves[0].ravel(), halves[1].ravel())
        rows[name] = {
            "distance": distance,
            "in_sd": distance / spread,
            "in_prior_sd": distance / prior[name],
            "noise_in_sd": noise / spread,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("parameter")


def weighted_distance(network: Estimate, shuffles: int = 100, seed: int = 0) -> pd.DataFrame:
    """How far the solver's weights move the draws that it scored, parameter by parameter: what can
    be said where sampling with the solver costs too much.

    Columns: Wasserstein distance between the draws with and without weights, in standard deviations
    of the prior; and the mean of the same with the weights shuffled among the draws, below which a
    distance is noise. The weights cannot show what the network missed altogether. Raises
    `ParameterError` where no draw was scored or none has a solution.
    """
    scored = network.rescored
    prior = network.density.prior
    if scored is None or scored.unsolved == 1.0:
        raise ParameterError(
            f"The solver scored none of the draws of {network.spec.name}, or solved none; estimate"
            " with rescored=200 or more."
        )
    rng = np.random.default_rng(seed)
    shuffled = [rng.permutation(scored.weights) for _ in range(shuffles)]
    rows = {}
    for name, column, sd in zip(prior.names, prior.free, prior.sd, strict=True):
        values = scored.theta[:, column]
        distance, *noise = (
            wasserstein_distance(values, values, v_weights=weights) / sd
            for weights in (scored.weights, *shuffled)
        )
        rows[name] = {"in_prior_sd": distance, "noise_in_prior_sd": float(np.mean(noise))}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("parameter")


def _same_target(estimates: Sequence[Estimate]) -> None:
    if not estimates:
        raise ParameterError("There is nothing to compare: no estimate was given.")
    first = estimates[0]
    for other in estimates[1:]:
        same = first.target.places == other.target.places
        same = same and np.array_equal(first.target.values, other.target.values)
        same = same and first.like_the_data == other.like_the_data
        if not same or first.density.criterion.weighting != other.density.criterion.weighting:
            raise ParameterError(
                f"The estimates of {first.spec.name} and {other.spec.name} are of different targets"
                " or weightings, so that their fits cannot be compared."
            )


def draw_fit(estimates: Sequence[Estimate], path: str | Path | None = None) -> Figure:
    """`draw_fitted` of estimates of one target: the observables that all of their worlds have."""
    of_each = [estimate.target.observables for estimate in estimates]
    shared = [name for name in of_each[0] if all(name in names for names in of_each)]

    def of_worlds(quantity: str) -> dict[str, np.ndarray]:
        return {
            estimate.spec.name: getattr(estimate, quantity)[
                :, :, [names.index(name) for name in shared]
            ]
            for estimate, names in zip(estimates, of_each, strict=True)
        }

    own = of_worlds("own") if estimates[0].like_the_data else None
    return draw_fitted(estimates[0].target.observing(shared), of_worlds("fitted"), path, own)


def draw_fitted(
    target: Target,
    fitted: Mapping[str, np.ndarray],
    path: str | Path | None = None,
    own: Mapping[str, np.ndarray] | None = None,
) -> Figure:
    """A panel an observable: the target and its band in grey, each world's posterior median as a
    line; with one world its credible band too.

    fitted: by world, quantiles (Q, H+1, O) of responses as `Estimate.fitted` has them; own: of the
    worlds' own responses, where what is matched is a VAR on their data; dotted lines. Entries that
    are not matched are hollow. Raises `ParameterError` for a format that cannot be drawn,
    `EmulatorError` where nothing can be written.
    """
    from emulator.worlds.figures import check_format, label, panel_figure, periods, save

    if path is not None:
        check_format(Path(path))
    figure, axes = panel_figure(len(target.observables))
    for k, axis in enumerate(axes):
        _data(axis, target, k)
        for number, (world, quantiles) in enumerate(fitted.items()):
            low, median, high = quantiles[:, :, k]
            horizons = np.arange(len(median))
            color = f"C{number % 10}"
            axis.plot(
                horizons, median, color=color, linestyle=STYLES[number % len(STYLES)], label=world
            )
            if len(fitted) == 1:
                axis.fill_between(horizons, low, high, color=color, alpha=0.25, linewidth=0)
            if own is not None:
                axis.plot(
                    horizons, own[world][1, :, k], ":", color=color, label=f"{world}, own response"
                )
        label(axis, target.observables[k], target.units[k])
        periods(axis, f"{target.periods} after impact")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=min(len(labels), 8),
        fontsize=9,
        frameon=False,
    )
    what = "posterior medians" if own is None else "the same VAR on the worlds' data, medians"
    figure.suptitle(
        f"{target.name}: a {target.shock.replace('_', ' ')} shock, data with"
        f" {100 * BAND_LEVEL:.0f} % band, and {what}",
        fontsize=10,
    )
    if path is not None:
        save(figure, Path(path), dpi=130)
    return figure


def _data(axis: Any, target: Target, k: int) -> None:
    horizons = np.arange(target.horizon + 1)
    irf = target.irf[:, k]
    sd = target.sd[:, k]
    matched = target.matched[:, k]
    if not np.isfinite(irf).any():
        return
    axis.fill_between(
        horizons, irf - BAND * sd, irf + BAND * sd, color="0.5", alpha=0.25, linewidth=0
    )
    axis.plot(horizons[matched], irf[matched], "o", color="0.25", markersize=3, label="data")
    axis.plot(
        horizons[~matched], irf[~matched], "o", color="0.25", markersize=3, markerfacecolor="none"
    )
