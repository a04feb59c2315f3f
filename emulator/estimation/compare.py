"""Several estimates beside each other: worlds against the same target, or a network's posterior
against the solver's.

Axes: n draw.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import wasserstein_distance

from emulator.errors import ParameterError
from emulator.estimation.matching import Estimate


def fit_table(estimates: Sequence[Estimate]) -> pd.DataFrame:
    """A row a world: how many parameters, fit at the point (mean squared standardised distance),
    log marginal likelihood, how far to trust it.

    Marginal likelihoods are comparable between worlds on the same target and weighting only; they
    are odds under the quasi-likelihood, with each world's ranges as its prior. Raises
    `ParameterError` for estimates of different targets.
    """
    _same_target(estimates)
    rows = {}
    for found in estimates:
        exact, scored = found.exact_evidence, found.rescored
        rows[found.spec.name] = {
            "parameters": len(found.density.prior.names),
            "distance_per_entry": found.point.distance / int(found.target.matched.sum()),
            "log_marginal_likelihood": found.evidence.log,
            "its_error": found.evidence.error,
            "exact_log_marginal_likelihood": (
                found.evidence.log if found.exact else (np.nan if exact is None else exact)
            ),
            "effective_share": (
                1.0 if found.exact else (np.nan if scored is None else scored.effective)
            ),
            "pareto_k": np.nan if scored is None else scored.k_hat,
            "r_hat": found.diagnostics.r_hat,
            "ess": min(found.diagnostics.ess_bulk, found.diagnostics.ess_tail),
            "answered_by": found.density.responder.title,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("world")


def parameter_table(estimates: Sequence[Estimate]) -> pd.DataFrame:
    """A row a parameter of any of the worlds, three columns a world: median and 5 % and 95 %
    quantiles; empty where a world has no such free parameter.
    """
    parts = {found.spec.name: found.table()[["q50", "q05", "q95"]] for found in estimates}
    return pd.concat(parts, axis=1)


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
        ours, theirs = (found.posterior.posterior[name].values for found in (network, exact))
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
    scored, prior = network.rescored, network.density.prior
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
        same = np.array_equal(first.target.matched, other.target.matched) and np.array_equal(
            first.target.values, other.target.values
        )
        if not same or first.density.criterion.weighting != other.density.criterion.weighting:
            raise ParameterError(
                f"The estimates of {first.spec.name} and {other.spec.name} are of different targets"
                " or weightings, so that their fits cannot be compared."
            )
