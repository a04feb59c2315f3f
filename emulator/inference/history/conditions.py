"""Forecasts under conditions: paths that some targets take, met by shocks.

The future is `level + past + M e + z`: z what is not known of the past, e the shocks to come, all
normal. Without a choice of shocks the answer is the distribution given the conditions, so that the
most likely shocks meet them: Doan, Litterman and Sims (1984, doi:10.1080/07474938408800053);
Waggoner and Zha (1999, doi:10.1162/003465399558508). Where shocks are chosen these alone meet the
conditions, whatever the others do, as by Dynare's `conditional_forecast`. Announced shocks are
known from the first period on, and meet the conditions in the mean.

Axes: n draw, H period ahead, S shock, X target, R condition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from emulator.errors import ParameterError, unknown_name
from emulator.inference.history.past import Outlook

PRECISION = 1e-13
"""Eigenvalue of a covariance, relative to the largest, that counts as zero."""

MISSED = 1e-8
"""Distance from a condition, relative to its size or one, from which shocks cannot meet it."""


class Forecasts(NamedTuple):
    """Mean (n, H, X), covariance (n, H * X, H * X), and the mean of the shocks to come (n, S, H),
    None without conditions.
    """

    mean: np.ndarray
    covariance: np.ndarray
    shocks: np.ndarray | None = None

    def among(self, good: np.ndarray) -> Forecasts:
        """The same with NaN for the draws (n,) that are not good, of which they are not."""
        shocks = None if self.shocks is None else _spread(self.shocks, good)
        return Forecasts(_spread(self.mean, good), _spread(self.covariance, good), shocks)

    @property
    def std(self) -> np.ndarray:
        """Standard deviations (n, H, X)."""
        variance = np.diagonal(self.covariance, axis1=1, axis2=2)
        return np.sqrt(np.maximum(variance, 0.0)).reshape(self.mean.shape)


@dataclass(frozen=True)
class Conditions:
    """Values (R,) of targets at positions (R,) in the flattened (H, X); the shocks, as positions,
    that meet them, all where None; whether these are announced.
    """

    values: np.ndarray
    places: np.ndarray
    shocks: tuple[int, ...] | None
    announced: bool

    @classmethod
    def of(
        cls,
        paths: Mapping[str, Sequence[float]],
        targets: Sequence[str],
        horizon: int,
        shocks: Sequence[int] | None,
        announced: bool,
    ) -> Conditions | None:
        """Of paths by target, NaN where a period is free; None without any.

        Raises `UnknownNameError`, and `ParameterError` for a path that is longer than the forecast
        or without a number.
        """
        values, places = [], []
        for name, path in paths.items():
            if name not in targets:
                raise unknown_name("series or observable of the forecast", name, targets)
            numbers = _numbers(name, path)
            if len(numbers) > horizon:
                raise ParameterError(
                    f"The condition on '{name}' has {len(numbers)} periods, and the forecast"
                    f" {horizon}. Ask for a longer horizon."
                )
            for ahead in np.flatnonzero(np.isfinite(numbers)):
                values.append(numbers[ahead])
                places.append(ahead * len(targets) + list(targets).index(name))
        if not values:
            if shocks is not None or announced:
                raise ParameterError(
                    "Shocks meet a condition, and there is none. Say one: condition={'rate': [4.5,"
                    " 4.25]}, on the command line --condition rate=4.5,4.25."
                )
            return None
        order = np.argsort(places)
        chosen = None if shocks is None else tuple(shocks)
        return cls(np.array(values)[order], np.array(places)[order], chosen, announced)


def _numbers(name: str, path: Sequence[float]) -> np.ndarray:
    try:
        numbers = np.atleast_1d(np.asarray(path, dtype=np.float64))
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.ndim != 1 or not np.isfinite(numbers).any() or np.isinf(numbers).any():
        raise ParameterError(
            f"The condition on '{name}' is {path!r}; expected numbers, one a period, NaN where the"
            " period is free."
        )
    return numbers


def _spread(part: np.ndarray, good: np.ndarray) -> np.ndarray:
    whole = np.full((len(good), *part.shape[1:]), np.nan)
    whole[good] = part
    return whole


def forecasts(outlook: Outlook, known_past: bool) -> Forecasts:
    """Without conditions; known_past: whether the smoothed past is taken as certain."""
    reach = moved_by(outlook.responses)
    covariance = reach @ reach.swapaxes(1, 2)
    if not known_past:
        covariance = covariance + outlook.covariance
    return Forecasts(outlook.level + outlook.past, covariance)


def conditional(
    outlook: Outlook,
    conditions: Conditions,
    known_past: bool,
    announced: np.ndarray | None = None,
) -> Forecasts:
    """announced: responses (n, S, K, H, X) to shocks that are announced in the first period and
    occur K periods later; needed where the conditions say so.

    Raises `ParameterError` where the shocks cannot meet the conditions.
    """
    plain = forecasts(outlook, known_past)
    reach = moved_by(outlook.responses)
    if conditions.announced:
        assert announced is not None
        made = _announced(plain, conditions, announced)
    elif conditions.shocks is None:
        made = _most_likely(plain, conditions, reach)
    else:
        past = np.zeros_like(plain.covariance) if known_past else outlook.covariance
        made = _by_chosen(plain, conditions, reach, past)
    left = np.abs(_gap(made, conditions)) / np.fmax(1.0, np.abs(conditions.values))
    if not (left < MISSED).all():
        raise ParameterError(
            f"The shocks that may meet the {len(conditions.values)} conditions cannot: each period"
            " needs as many shocks as it has conditions, and they must move what is conditioned."
            " Name other shocks, or none, so that the most likely ones meet the conditions; or"
            " fewer conditions."
        )
    return made


def moved_by(responses: np.ndarray) -> np.ndarray:
    """What shocks (S, H) do to targets (H, X), as matrices (n, H * X, S * H), of responses (n, S,
    H, X).
    """
    n, shocks, horizon, targets = responses.shape
    reach = np.zeros((n, horizon, targets, shocks, horizon))
    for at in range(horizon):
        later = responses[:, :, : horizon - at]
        reach[:, at:, :, :, at] = later.transpose(0, 2, 3, 1)
    return reach.reshape(n, horizon * targets, shocks * horizon)


def _gap(plain: Forecasts, conditions: Conditions) -> np.ndarray:
    """What is missing (n, R) to the conditions."""
    return conditions.values - plain.mean.reshape(len(plain.mean), -1)[:, conditions.places]


def _most_likely(plain: Forecasts, conditions: Conditions, reach: np.ndarray) -> Forecasts:
    n, horizon, targets = plain.mean.shape
    at = conditions.places
    inner = plain.covariance[:, at][:, :, at]
    inverse = np.linalg.pinv(inner, rcond=PRECISION, hermitian=True)
    gain = (inverse @ plain.covariance[:, at]).swapaxes(1, 2)
    gap = _gap(plain, conditions)
    mean = plain.mean + (gain @ gap[..., None]).reshape(n, horizon, targets)
    covariance = plain.covariance - gain @ plain.covariance[:, at]
    shocks = reach[:, at].swapaxes(1, 2) @ (inverse @ gap[..., None])
    return Forecasts(mean, covariance, shocks.reshape(n, -1, horizon))


def _by_chosen(
    plain: Forecasts, conditions: Conditions, reach: np.ndarray, past: np.ndarray
) -> Forecasts:
    n, horizon, targets = plain.mean.shape
    count = reach.shape[2] // horizon
    meeting, used = _period_by_period(conditions, reach, horizon, targets)
    rest = reach[:, :, ~used]
    gap = _gap(plain, conditions)[..., None]
    answer = reach @ meeting
    left = np.broadcast_to(np.eye(reach.shape[1]), plain.covariance.shape).copy()
    left[:, :, conditions.places] -= answer
    uncertain = past + rest @ rest.swapaxes(1, 2)
    return Forecasts(
        mean=plain.mean + (answer @ gap).reshape(plain.mean.shape),
        covariance=left @ uncertain @ left.swapaxes(1, 2),
        shocks=(meeting @ gap).reshape(n, count, horizon),
    )


def _period_by_period(
    conditions: Conditions, reach: np.ndarray, horizon: int, targets: int
) -> tuple[np.ndarray, np.ndarray]:
    """What takes gaps to shocks, (n, S * H, R), and which shocks (S * H,) it uses: in a period with
    conditions the chosen shocks of this period, given those of the periods before; where they are
    more than the conditions, the smallest.
    """
    may = _columns(conditions, reach.shape[2] // horizon, horizon)
    used = np.zeros_like(may)
    count = len(conditions.places)
    meeting = np.zeros((len(reach), reach.shape[2], count))
    periods = conditions.places // targets
    for period in np.unique(periods):
        now = np.flatnonzero(periods == period)
        rows = reach[:, conditions.places[now]]
        columns = np.flatnonzero(may & (np.arange(len(may)) % horizon == period))
        left = np.eye(count)[now] - rows @ meeting
        meeting[:, columns] = np.linalg.pinv(rows[:, :, columns]) @ left
        used[columns] = True
    return meeting, used


def _announced(plain: Forecasts, conditions: Conditions, announced: np.ndarray) -> Forecasts:
    n, count, horizon, _, targets = announced.shape
    reach = announced.transpose(0, 3, 4, 1, 2).reshape(n, horizon * targets, count * horizon)
    periods = np.isin(np.arange(horizon), conditions.places // targets)
    chosen = _columns(conditions, count, horizon) & np.tile(periods, count)
    by_chosen = reach[:, :, chosen]
    meeting = np.linalg.pinv(by_chosen[:, conditions.places]) @ _gap(plain, conditions)[..., None]
    mean = plain.mean + (by_chosen @ meeting).reshape(plain.mean.shape)
    shocks = np.zeros((n, count * horizon))
    shocks[:, chosen] = meeting[..., 0]
    return plain._replace(mean=mean, shocks=shocks.reshape(n, count, horizon))


def _columns(conditions: Conditions, count: int, horizon: int) -> np.ndarray:
    """Which of the shocks to come (S * H) may meet the conditions."""
    chosen = np.zeros((count, horizon), dtype=bool)
    chosen[slice(None) if conditions.shocks is None else list(conditions.shocks)] = True
    return chosen.ravel()
