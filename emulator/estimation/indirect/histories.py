"""What the procedure finds in histories of a world that are as short as the data: by how much it is
off on average, and how it varies.

Least squares makes vector autoregressions of short samples less persistent than the process is
(Kilian 1998, doi:10.1162/003465398557465, corrects for it); and the errors of neighbouring horizons
go together. Both follow from the world's own histories at parameters near those that fit.

Axes: R history, P parameter, T period, L lag, S shock, V series, H horizon, O observable, N entry.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emulator.errors import EstimationError
from emulator.estimation.indirect.identification import Instrument
from emulator.estimation.indirect.population import responses_of_series
from emulator.estimation.indirect.responder import BURN, LikeTheData
from emulator.solvers import simulate

HISTORIES = 1000
"""Histories of which shift and covariance are made."""

ENOUGH = 0.5
"""Share of the histories in which the procedure must find something."""


class ShortSample(NamedTuple):
    """The mean (H+1, O) of what is found in short histories less that in endless data, and its
    covariance (N, N) over histories.
    """

    shift: np.ndarray
    covariance: np.ndarray


def short_sample(
    responder: LikeTheData, theta: np.ndarray, rng: np.random.Generator, histories: int = HISTORIES
) -> ShortSample:
    """At parameters (P,), by so many histories of the data's length. Raises `EstimationError` where
    hardly any gives responses.
    """
    procedure = responder.procedure
    data, shock = histories_of(responder, theta, rng, histories)
    instrument = (
        _instrument(procedure.identification, shock[:, procedure.lags :], rng)
        if isinstance(procedure.identification, Instrument)
        else None
    )
    reduced = procedure.reduced(data, instrument)
    irf = procedure.responses(reduced, responder.horizon, responder.names)
    usable = np.isfinite(irf).all(axis=(1, 2))
    if usable.mean() < ENOUGH:
        raise EstimationError(
            f"World '{responder.spec.name}': {int(usable.sum())} of {histories} histories of"
            f" {procedure.periods} periods give responses {procedure.identification.words}, at the"
            " parameters that fit best. Restrict less, or use longer data."
        )
    irf = irf[usable]
    endless = responder.responses(theta[None])[0] - responder.shift
    covariance = np.cov(irf.reshape(len(irf), -1), rowvar=False)
    return ShortSample(irf.mean(axis=0) - endless, covariance)


def histories_of(
    responder: LikeTheData, theta: np.ndarray, rng: np.random.Generator, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Histories (R, L + T, V) of the series, errors of measurement included, and the shock
    (R, L + T) of each period.
    """
    length = responder.procedure.lags + responder.procedure.periods
    shocks = rng.normal(size=(count, BURN + length, responder.spec.n_shocks))
    if responder.by_simulation:
        data = responder.paths(np.repeat(theta[None], count, axis=0), shocks)
    elif responder.last is None:
        data = _of_space(responder, theta, shocks)
    else:
        data = _of_responses(responder, theta, shocks)
    data = data[:, BURN:] + responder.seen.errors * rng.normal(size=(count, length, data.shape[2]))
    return data, shocks[:, BURN:, responder.shock]


def _of_space(responder: LikeTheData, theta: np.ndarray, shocks: np.ndarray) -> np.ndarray:
    space = responder.answerer.state_space(theta[None])
    levels = simulate(space, shocks)
    data = levels[:, :, list(responder.seen.observables)]
    for k, differenced in enumerate(responder.seen.differenced):
        if differenced:
            data[:, 1:, k] = np.diff(data[:, :, k], axis=1)
    return data


def _of_responses(responder: LikeTheData, theta: np.ndarray, shocks: np.ndarray) -> np.ndarray:
    assert responder.last is not None
    irf = responder.answerer.responses(theta[None], responder.last).astype(np.float64)
    paths = responses_of_series(irf, responder.seen)[0]
    data = np.zeros((*shocks.shape[:2], paths.shape[2]))
    for lag in range(min(paths.shape[1], shocks.shape[1])):
        data[:, lag:] += shocks[:, : shocks.shape[1] - lag] @ paths[:, lag]
    return data


def _instrument(
    identification: Instrument, shock: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Instruments (R, T) as good as that of the data, in the last of the periods."""
    noise = rng.normal(size=shock.shape)
    strength = identification.strength
    values = np.sqrt(strength) * shock + np.sqrt(1 - strength) * noise
    values[:, : round((1 - identification.share) * shock.shape[1])] = np.nan
    return values
