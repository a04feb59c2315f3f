"""Weights of indirect inference that suit short data: the covariance of the errors that the VAR
makes in histories as short as the data, pooled over a first posterior.

The bootstrap resamples one history, at the parameters that this history seems to have, and errs
where they are far from the true ones. So histories are simulated at draws of a first posterior,
which takes the bootstrap's weights: their errors, bias included, are those of the world wherever
its parameters may be. The weights of the second posterior are the mean of both covariances: either
alone is at times far too small.

Axes: n draw, P parameter, S shock, T period, V series, H horizon, O observable, N entry (horizon by
horizon, O observables each).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import expit

from emulator.errors import EstimationError
from emulator.estimation.density import Criterion, Density
from emulator.estimation.indirect.population import responses_of_series
from emulator.estimation.indirect.responder import BURN, LikeTheData
from emulator.estimation.meter import metered
from emulator.estimation.smc import run_smc
from emulator.estimation.target import Target
from emulator.solvers import simulate

FIRST = 400
"""Draws of the first posterior at most, each of which makes a history."""

FEWEST = 100
"""Histories that must have responses."""

SPARE = 1.2
"""Draws of the first posterior at least, by the fewest histories."""


def pooled_criterion(density: Density, draws: int, rng: np.random.Generator) -> Criterion:
    """The criterion of the second step; density: that of the first, which is sampled; draws: those
    of the second, beside which the first is to cost little.

    Raises `EstimationError` where too few histories have responses, `NoSolutionError` where the
    prior hardly has any solution.
    """
    responder, name = density.responder, density.prior.spec.name
    assert isinstance(responder, LikeTheData)
    count = int(min(FIRST, max(SPARE * FEWEST, draws)))
    with metered(f"{name}, first step", 1, count) as meter:
        z = run_smc(density, count, rng, meter=meter).z
    errors = short_errors(responder, density.prior.theta(expit(z)), rng)
    if len(errors) < FEWEST:
        raise EstimationError(
            f"World '{name}': in {len(errors)} of {count} histories as short as the data the VAR"
            f" has responses; expected {FEWEST} or more. Use the bootstrap's weights alone"
            " (weighting='principal', on the command line --weighting principal)."
        )
    return Criterion(pooled(density.criterion.target, errors), density.criterion.weighting)


def pooled(target: Target, errors: np.ndarray) -> Target:
    """The target with the mean of its own covariance and of the second moments of errors (n, N)."""
    return replace(target, covariance=0.5 * (target.covariance + errors.T @ errors / len(errors)))


def short_errors(responder: LikeTheData, theta: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What the procedure finds in one history as short as the data at each draw (n, P), less what
    it finds in endless data: (m, N) of the draws that have both.
    """
    procedure = responder.procedure
    shape = (len(theta), BURN + procedure.lags + procedure.periods, responder.spec.n_shocks)
    paths = _histories(responder, theta, rng.normal(size=shape))[:, BURN:]
    paths = paths + responder.seen.errors * rng.normal(size=paths.shape)
    endless = responder.responses(theta)
    usable = np.isfinite(paths).all(axis=(1, 2)) & np.isfinite(endless).all(axis=(1, 2))
    reduced = procedure.reduced(paths[usable])
    short = procedure.responses(reduced, responder.horizon, responder.names)
    errors = (short - endless[usable]).reshape(len(short), -1)
    return errors[np.isfinite(errors).all(axis=1)]


def _histories(responder: LikeTheData, theta: np.ndarray, shocks: np.ndarray) -> np.ndarray:
    """Series (n, T, V) under shocks (n, T, S); NaN where there is no solution."""
    if responder.by_simulation:
        return responder.paths(theta, shocks)
    seen, last = responder.seen, responder.last
    with np.errstate(all="ignore"):
        if last is None:
            levels = simulate(responder.answerer.state_space(theta), shocks)
            series = levels[:, :, list(seen.observables)]
            for k in np.flatnonzero(seen.differenced):
                series[:, :, k] = np.diff(series[:, :, k], axis=1, prepend=0.0)
            return series
        irf = responses_of_series(responder.answerer.responses(theta, last), seen)
    series = np.zeros((*shocks.shape[:2], irf.shape[3]))
    for lag in range(irf.shape[2]):
        earlier = shocks[:, : shocks.shape[1] - lag]
        series[:, lag:] += np.einsum("nts,nsv->ntv", earlier, irf[:, :, lag])
    return series
