"""Second moments as plain arrays, by whichever way an answerer allows: its state space, or its
responses as a moving average that ends with their horizon.

Axes: n draw, P parameter, S shock, H horizon, O observable, L lag, K horizon of a forecast error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from emulator.errors import ParameterError
from emulator.inference.answerer import Answerer
from emulator.inference.shock_size import Scaling
from emulator.solvers.filters import Filter
from emulator.solvers.perturbation import numbers_needed, pruned_moments
from emulator.solvers.second_moments import (
    Recursion,
    autocovariances,
    autocovariances_of_responses,
    forecast_variances,
    stationary_part,
    variances_by_shock,
)
from emulator.spec import Status

BLOCK, BLOCK_NUMBERS = 256, 2**24
"""Draws whose state spaces are in memory at once, and covariances at all lags that are."""

PRUNED_NUMBERS, MOST_NUMBERS = 2**22, 2**29
"""Numbers in memory at once for moments of pruned rules: of several draws together, and at most of
one, which are 4 GiB.
"""

CONSTANT = 1e-12
"""Share of the largest standard deviation below which a variable does not move: rounding alone."""

FORGOTTEN = 1e-12
"""What is left of a filter's memory where filtered responses end."""

LAST_PART = 0.1
"""Share of the horizons, the last ones, whose part of the variance says what a cut leaves out."""


class Asked(NamedTuple):
    """What of second moments is wanted: lags, of which filter's output, for which observables;
    cross: correlations of all pairs at each lag.
    """

    lags: int
    observed: list[int] | slice
    filter: Filter | None = None
    cross: bool = False


class Way(NamedTuple):
    """How an answerer's second moments are found: in words, and to which horizon responses go where
    there is no state space.
    """

    words: str
    horizon: int | None
    order: int = 1


def way_of(answerer: Answerer, horizon: int | None, order: int = 1) -> Way:
    """Raises `ParameterError` where there are no theoretical moments, and for a horizon where
    nothing is cut.
    """
    if answerer.has_state_space:
        if horizon is not None:
            raise ParameterError(
                f"The moments of '{answerer.spec.name}' come from its state space, where no horizon"
                " cuts them; leave out horizon=."
            )
        return Way("state space" if order == 1 else "pruned state space", None, order)
    if not answerer.spec.shocks_add_up:
        raise _no_theory(answerer)
    last = answerer.last_horizon
    usual = answerer.usual_horizon if last is None else last
    chosen = usual if horizon is None else horizon
    return Way(f"moving average of the responses to horizon {chosen}, which is cut there", chosen)


def _no_theory(answerer: Answerer) -> ParameterError:
    """Why there are no theoretical moments, and what there is instead."""
    name = answerer.spec.name
    if answerer.spec.linear:
        return ParameterError(
            f"World '{name}' has no moments here: its responses and its simulations are averages"
            " over regimes, which move less than the economy itself."
        )
    if not answerer.exact:
        return ParameterError(
            f"World '{name}' is not linear in its shocks, so that responses do not give its"
            f" moments. Its solver simulates them: emulator.world('{name}').moments("
            "simulated=10_000) (on the command line --simulated 10000, without --checkpoint)."
        )
    return ParameterError(
        f"World '{name}' has no theoretical moments: it is not linear in its shocks. Ask for those"
        " of a simulated path: simulated=10_000 periods (on the command line --simulated 10000)."
    )


def second_moments(
    answerer: Answerer, theta: np.ndarray, asked: Asked, way: Way
) -> dict[str, np.ndarray]:
    """`covariance` (n, O, O), `autocorrelation` (n, L, O), `stationary` and `constant` (n, O),
    `solved` (n,); `cross_correlation` (n, L, O, O) if asked for; `cut` (n, O) of a moving average:
    the share of the variance in its last tenth.

    Units: those of the observables. NaN at draws without a solution and where a variable is not
    stationary; correlations are NaN of a constant.
    """
    size = (asked.lags + 1) * answerer.spec.n_observables**2
    if way.order > 1:
        needed = max(size, _numbers_of_pruned(answerer, theta, asked, way.order))
        return _in_blocks(
            theta,
            needed * BLOCK_NUMBERS // PRUNED_NUMBERS,
            lambda rows: _by_pruned(answerer, rows, asked, way.order),
        )
    answer = _by_state_space if way.horizon is None else _by_responses
    return _in_blocks(theta, size, lambda rows: answer(answerer, rows, asked, way.horizon or 0))


def decomposition(
    answerer: Answerer, theta: np.ndarray, asked: Asked, way: Way, horizons: Sequence[float]
) -> dict[str, np.ndarray]:
    """`variance` (n, K, S, O) of forecast errors by shock, infinite horizons unconditional, with
    `stationary` and `constant` (n, O), `solved` (n,); `cut` as in `second_moments`.

    NaN at draws without a solution, and unconditionally where a variable is not stationary.
    """
    answer = _shares_of_state_space if way.horizon is None else _shares_of_responses
    size = len(horizons) * answerer.spec.n_shocks * answerer.spec.n_observables
    return _in_blocks(
        theta, size, lambda rows: answer(answerer, rows, asked, way.horizon or 0, horizons)
    )


def _in_blocks(
    theta: np.ndarray, size: int, answer: Callable[[np.ndarray], dict[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """The answers of all draws, block by block; size: numbers that a draw needs."""
    block = max(1, min(BLOCK, BLOCK_NUMBERS // max(size, 1)))
    parts = [answer(theta[start : start + block]) for start in range(0, len(theta), block)]
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _recursion(answerer: Answerer, theta: np.ndarray) -> tuple[Recursion, np.ndarray]:
    """The recursion of the draws that are solved, and which these are (n,)."""
    space = answerer.state_space(theta)
    solved = np.isfinite(space.A).all(axis=(1, 2)) & np.isfinite(space.B).all(axis=(1, 2))
    if not solved.all():
        space = type(space)(*(getattr(space, name)[solved] for name in ("A", "B", "C")))
    return Recursion.of(space), solved


def _by_state_space(
    answerer: Answerer, theta: np.ndarray, asked: Asked, _: int
) -> dict[str, np.ndarray]:
    recursion, solved = _recursion(answerer, theta)
    if asked.filter is not None:
        recursion = recursion.filtered(asked.filter)
    stable, stationary = stationary_part(recursion)
    covariances = autocovariances(stable, asked.lags)
    return _spread(_reduced(covariances, stationary, asked), solved)


def _numbers_of_pruned(answerer: Answerer, theta: np.ndarray, asked: Asked, order: int) -> int:
    """Numbers in memory for moments of a draw. Raises `ParameterError` where they are too many."""
    spec = answerer.spec
    first, _ = answerer.rules(theta[:1], 1)
    sizes = (first.n_states, first.n_shocks, spec.n_observables)
    numbers = numbers_needed(*sizes, order=order, by=asked.filter)
    if numbers > MOST_NUMBERS:
        raise ParameterError(
            f"Moments of order {order} of '{spec.name}' need {numbers * 8 / 2**30:.1f} GiB of"
            f" memory, for products of its {sizes[0]} states and {sizes[1]} shocks;"
            f" {MOST_NUMBERS * 8 // 2**30} GiB are the most. Ask for those of a simulated path,"
            " simulated=10_000 (on the command line --simulated 10000), or for a lower order."
        )
    return numbers


def _by_pruned(
    answerer: Answerer, theta: np.ndarray, asked: Asked, order: int
) -> dict[str, np.ndarray]:
    """As `_by_state_space`, of pruned rules, with `risk` (n, O): the mean as a deviation from the
    deterministic steady state, NaN of a variable that is not stationary.
    """
    rules, status = answerer.rules(theta, order)
    solved = status == Status.OK
    pruned = pruned_moments(rules.at(solved), asked.lags, asked.filter)
    moments = _reduced(pruned.covariances, pruned.stationary, asked)
    return _spread(moments | {"risk": pruned.mean[:, asked.observed]}, solved)


def _by_responses(
    answerer: Answerer, theta: np.ndarray, asked: Asked, horizon: int
) -> dict[str, np.ndarray]:
    irf, solved = _responses(answerer, theta, horizon, asked.filter)
    stationary = np.ones((len(irf), irf.shape[3]), dtype=bool)
    moments = _reduced(autocovariances_of_responses(irf, asked.lags), stationary, asked)
    moments["cut"] = _cut(irf)[:, asked.observed]
    return _spread(moments, solved)


def _responses(
    answerer: Answerer, theta: np.ndarray, horizon: int, by: Filter | None
) -> tuple[np.ndarray, np.ndarray]:
    """Responses of the draws that are solved, filtered if asked for, and which these are (n,)."""
    spec = answerer.spec
    scaling = Scaling.of(spec, list(range(spec.n_shocks)), 1.0)
    fields = answerer.answered(theta, scaling, horizon)
    solved = fields.get("determinate", np.ones(len(theta), dtype=bool))
    irf = np.asarray(fields["irf"][solved], dtype=np.float64)
    if by is None:
        return irf, solved
    more = math.ceil(math.log(FORGOTTEN) / math.log(by.radius)) if by.radius else len(by.g)
    return by.applied(irf, more), solved


def _cut(irf: np.ndarray) -> np.ndarray:
    """Share (n, O) of the variance that the last tenth of the horizons accounts for."""
    squares = (irf**2).sum(axis=1)
    last = max(1, round(LAST_PART * squares.shape[1]))
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(squares[:, -last:].sum(axis=1) / squares.sum(axis=1))


def _shares_of_state_space(
    answerer: Answerer, theta: np.ndarray, asked: Asked, _: int, horizons: Sequence[float]
) -> dict[str, np.ndarray]:
    recursion, solved = _recursion(answerer, theta)
    if asked.filter is not None:
        recursion = recursion.filtered(asked.filter)
    finite = sorted({int(h) for h in horizons if math.isfinite(h)})
    variances = forecast_variances(recursion, finite or [1])
    largest = np.sqrt(variances[:, -1].sum(axis=1)).max(axis=1, initial=0.0)
    chosen = recursion.observing(asked.observed)
    by_horizon: dict[float, Any] = {
        h: variances[:, k][..., asked.observed] for k, h in enumerate(finite)
    }
    stable, stationary = stationary_part(chosen)
    if len(finite) < len(set(horizons)):
        unconditional = variances_by_shock(stable)
        by_horizon[math.inf] = np.where(stationary[:, None], unconditional, np.nan)
    return _spread(_decomposed(by_horizon, horizons, stationary, largest), solved)


def _shares_of_responses(
    answerer: Answerer,
    theta: np.ndarray,
    asked: Asked,
    horizon: int,
    horizons: Sequence[float],
) -> dict[str, np.ndarray]:
    beyond = [int(h) for h in horizons if math.isfinite(h) and h > horizon + 1]
    if beyond:
        raise ParameterError(
            f"A forecast error {beyond[0]} periods ahead was asked for, and the responses of"
            f" '{answerer.spec.name}' go to horizon {horizon}, which is {horizon + 1} ahead."
        )
    irf, solved = _responses(answerer, theta, horizon, asked.filter)
    sums = (irf**2).cumsum(axis=2)
    largest = np.sqrt(sums[:, :, -1].sum(axis=1)).max(axis=1, initial=0.0)
    sums = sums[..., asked.observed]
    by_horizon = {h: sums[:, :, -1 if math.isinf(h) else int(h) - 1] for h in horizons}
    stationary = np.ones((len(irf), sums.shape[3]), dtype=bool)
    shares = _decomposed(by_horizon, horizons, stationary, largest)
    shares["cut"] = _cut(irf)[:, asked.observed]
    return _spread(shares, solved)


def _decomposed(
    by_horizon: dict[float, Any],
    horizons: Sequence[float],
    stationary: np.ndarray,
    largest: np.ndarray,
) -> dict[str, np.ndarray]:
    """The variances (n, K, S, O); largest (n,): the standard deviation of what moves most."""
    variance = np.stack([by_horizon[h] for h in horizons], axis=1)
    deviation = np.sqrt(variance[:, -1].sum(axis=1))
    return {
        "variance": variance,
        "stationary": stationary,
        "constant": deviation <= CONSTANT * largest[:, None],
    }


def _constant(deviation: np.ndarray) -> np.ndarray:
    """Which observables (n, O) do not move, by their standard deviations."""
    largest = np.nanmax(np.where(np.isfinite(deviation), deviation, 0.0), axis=1, initial=0.0)
    return np.asarray(deviation <= CONSTANT * largest[:, None])


def _reduced(
    covariances: np.ndarray, stationary: np.ndarray, asked: Asked
) -> dict[str, np.ndarray]:
    """The moments of covariances (n, L+1, O, O) of all observables."""
    deviation = np.sqrt(np.maximum(np.einsum("noo->no", covariances[:, 0]), 0.0))
    constant = _constant(np.where(stationary, deviation, np.nan)) & stationary
    deviation = np.where(constant, 0.0, np.where(stationary, deviation, np.nan))[:, asked.observed]
    covariances = covariances[:, :, asked.observed][:, :, :, asked.observed]
    with np.errstate(invalid="ignore", divide="ignore"):
        size = (deviation[:, :, None] * deviation[:, None, :])[:, None]
        correlations = np.where(size > 0, covariances / size, np.nan)
    moments = {
        "covariance": np.where(size > 0, covariances, size)[:, 0],  # zero of constants, or NaN
        "correlation": correlations[:, 0],
        "autocorrelation": np.einsum("nloo->nlo", correlations[:, 1:]).copy(),
        "stationary": stationary[:, asked.observed],
        "constant": constant[:, asked.observed],
    }
    if asked.cross:
        moments["cross_correlation"] = correlations[:, 1:]
    return moments


def _spread(moments: dict[str, np.ndarray], solved: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays of solved draws in their places among all, NaN or false elsewhere."""
    moments["solved"] = np.ones(int(solved.sum()), dtype=bool)
    if solved.all():
        return moments
    spread = {}
    for name, values in moments.items():
        fill = False if values.dtype == bool else np.nan
        spread[name] = np.full((len(solved), *values.shape[1:]), fill, dtype=values.dtype)
        spread[name][solved] = values
    return spread
