"""Responses of an identified vector autoregression of data, with their covariance by a bootstrap.

Axes: R replication, T quarter, V variable, L lag, H horizon, O observable, N entry (horizon by
horizon, O observables each), K direction.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emulator.errors import TargetError, unknown_name
from emulator.estimation.indirect.autoregression import Autoregression
from emulator.estimation.indirect.identification import Restriction, Signs
from emulator.estimation.indirect.procedure import Procedure

SIGN = re.compile(r"\s*([+-])\s*(\d{1,3})?(?:\s*-\s*(\d{1,3}))?\s*")
"""A sign and horizons: + (on impact), +2, -0-3."""

ENOUGH = 0.5
"""Share of replications that must have shocks with the signs."""

SHORTEST = 20
"""Periods in which an instrument must be there."""

BLOCK_FACTOR = 5.03
"""Length of a block over the fourth root of the number of periods, as in Jentsch and Lunsford
(2019).
"""


def bootstrapped(
    estimated: Autoregression,
    procedure: Procedure,
    instrument: np.ndarray | None,
    horizon: int,
    observables: Sequence[str],
    replications: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Responses (H+1, O), the covariance (N, N) of their errors, and how many replications have
    any; instrument: (T,) where the shock is identified by one. Raises `TargetError`.
    """
    if instrument is None:
        resampled, values, of_data = estimated.resampled(replications, rng), None, None
    else:
        length = max(1, round(BLOCK_FACTOR * len(instrument) ** 0.25))
        resampled, values = estimated.resampled_in_blocks(replications, rng, length, instrument)
        of_data = instrument[None]
    of_estimate = procedure.reduced(estimated.data[None], of_data)
    irf = procedure.responses(of_estimate, horizon, observables)[0]
    seen = np.isfinite(irf).any(axis=0)
    if not seen.any():
        raise TargetError(
            "No shock has all of these signs in the estimated VAR; restrict fewer responses, or"
            " fewer horizons."
        )
    reduced = procedure.reduced(resampled, values)
    errors = procedure.responses(reduced, horizon, observables)
    usable = np.isfinite(errors[:, :, seen]).all(axis=(1, 2))
    count = int(usable.sum())
    if count < ENOUGH * replications:
        raise TargetError(
            f"{count} of {replications} replications of the VAR have a shock with all of these"
            f" signs; expected {ENOUGH:.0%} or more. Restrict fewer responses, or fewer horizons."
        )
    covariance = np.cov(errors[usable].reshape(count, -1), rowvar=False)
    if isinstance(procedure.identification, Signs):
        spread = procedure.identification.spread(reduced.at(usable), horizon, procedure.summed)
        paths = procedure.observed(spread.reshape(-1, *spread.shape[2:]), observables)
        paths = paths.reshape(len(paths), -1)
        covariance = covariance + paths.T @ paths / count
    return irf, covariance, count


def instrument_values(given: Any, estimated: Autoregression) -> np.ndarray:
    """The instrument (T,) of the periods that the VAR explains. Raises `TargetError`."""
    try:
        values = np.asarray(given, dtype=np.float64).squeeze()
    except (TypeError, ValueError):
        raise TargetError(
            "The instrument holds what is no number; expected (T,) numbers."
        ) from None
    length, lags = len(estimated.data), estimated.lags
    if values.shape == (length,):
        values = values[lags:]
    if values.shape != (length - lags,):
        raise TargetError(
            f"The instrument has shape {values.shape}; expected {length - lags} numbers, of the"
            f" periods that the VAR explains, or {length}, of all of its data; NaN where it is not"
            " there."
        )
    there = np.isfinite(values)
    if there.sum() < SHORTEST or np.ptp(values[there]) == 0:
        raise TargetError(
            f"The instrument is there in {int(there.sum())} of {len(values)} periods"
            f"{' and does not move' if there.any() and np.ptp(values[there]) == 0 else ''};"
            f" expected {SHORTEST} or more, in which it moves."
        )
    return np.where(there, values, np.nan)


def restrictions(
    signs: Mapping[str, str], names: Sequence[str], place: int
) -> tuple[Restriction, ...]:
    """Signs by column as restrictions; the shock's own column rises on impact unless its sign is
    among them. Raises `TargetError`, `UnknownNameError`.
    """
    rows = []
    for name, text in signs.items():
        if name not in names:
            raise unknown_name("column of the VAR", name, names)
        match = SIGN.fullmatch(str(text))
        first = int(match[2] or 0) if match else 0
        last = int(match[3] or first) if match else -1
        if match is None or last < first:
            raise TargetError(
                f"The sign of {name} was given as {text!r}; expected + or -, and horizons: '+',"
                " '-2', '+0-3'."
            )
        rows.append(Restriction(names.index(name), 1 if match[1] == "+" else -1, first, last))
    if names[place] not in signs:
        rows.append(Restriction(place, 1, 0, 0))
    return tuple(rows)
