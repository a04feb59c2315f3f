"""What data say of the past of an economy at many draws, and what follows from it for later
periods, whoever answers: `Past` of a state space, or of responses.

What is followed are *targets*: the series of the data, by their observation equations, and
observables.

Axes: n draw, T period of the data, H period ahead (0 the first after the data), S shock, X target,
V series, O observable, D state.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from emulator.inference.likelihood.likelihood import Likelihood
from emulator.inference.likelihood.moving_average import autocovariances, joint
from emulator.solvers import StateSpace
from emulator.solvers.kalman import Observed, Smoothed, path, smooth


@dataclass(frozen=True)
class Outlook:
    """The periods after the data: level (n, H, X); what the past still does, its mean (n, H, X) and
    covariance (n, H * X, H * X); responses (n, S, H, X) to shocks of one standard deviation.
    """

    level: np.ndarray
    past: np.ndarray
    covariance: np.ndarray
    responses: np.ndarray

    def of(self, chosen: np.ndarray) -> Outlook:
        """The same of some of the draws."""
        return Outlook(*(getattr(self, field.name)[chosen] for field in fields(self)))


class Past(ABC):
    """Targets are the series of `likelihood`, then the observables at positions `observed`."""

    def __init__(self, likelihood: Likelihood, theta: np.ndarray, observed: np.ndarray) -> None:
        self.likelihood = likelihood
        self.theta = theta
        self.observed = observed
        self.weights = likelihood.observation.at(theta)

    @property
    @abstractmethod
    def shocks(self) -> np.ndarray:
        """Smoothed shocks (n, T, S) in standard deviations; NaN at draws without a solution."""

    @abstractmethod
    def parts(self) -> np.ndarray:
        """What each shock contributes to the targets, then what was before the data, (n, S + 1, T,
        X): their sum is the path of the targets around their level.
        """

    @property
    @abstractmethod
    def method(self) -> str:
        """How it is computed, in words."""

    @abstractmethod
    def outlook(self, horizon: int) -> Outlook:
        """The first `horizon` periods after the data."""

    def refuse_unit_roots(self, failed: np.ndarray) -> None:  # noqa: B027  # states alone have roots
        """`ParameterError` where draws (n,) have no answer because of a unit root."""

    def level(self, first: int, last: int) -> np.ndarray:
        """The level (n, last - first, X) of the targets in these periods; 0 is the first of the
        data.
        """
        answerer = self.likelihood.answerer
        of_series = self.weights.levels(answerer.levels(self.theta), last)[:, first:]
        mean = answerer.levels(self.theta)[:, None, self.observed]
        of_observables = np.broadcast_to(mean, (len(self.theta), last - first, len(self.observed)))
        return np.concatenate([of_series, of_observables], axis=2)


def past_of(likelihood: Likelihood, theta: np.ndarray, observed: np.ndarray) -> Past:
    """By the state space where there is one, else by responses. Raises `ParameterError` as
    `Likelihood.values` does.
    """
    if likelihood.has_states:
        return ByStates(likelihood, theta, observed)
    likelihood.refuse_start_without_states()
    return ByResponses(likelihood, theta, observed)


class ByStates(Past):
    """By the disturbance smoother."""

    @cached_property
    def _own(self) -> StateSpace:
        """The world's own, solved once."""
        return self.likelihood.answerer.state_space(self.theta)

    @cached_property
    def _space(self) -> StateSpace:
        """States with the lags that the series need; what is observed are targets."""
        space = self._own
        whole = self._of_series.space
        loading = np.zeros((len(self.theta), len(self.observed), whole.A.shape[1]))
        loading[:, :, : space.A.shape[1]] = space.C[:, self.observed]
        return StateSpace(whole.A, whole.B, np.concatenate([whole.C, loading], axis=1))

    @cached_property
    def _of_series(self) -> Observed:
        answerer, data = self.likelihood.answerer, self.likelihood.data.values
        levels = answerer.levels(self.theta)
        return self.weights.of_space(self._own, data, levels)

    @cached_property
    def smoothed(self) -> Smoothed:
        return smooth(self._of_series, self.likelihood.start)

    @property
    def shocks(self) -> np.ndarray:
        return self.smoothed.shocks

    def refuse_unit_roots(self, failed: np.ndarray) -> None:
        solved = np.isfinite(self._own.A).all(axis=(1, 2))
        self.likelihood.refuse_unit_roots(self.theta, self._own, failed & solved)

    @property
    def method(self) -> str:
        return "disturbance smoother over the state space"

    def states(self) -> np.ndarray:
        """The world's own states (n, T, D)."""
        count = len(self.likelihood.answerer.spec.states)
        return self.smoothed.states[:, :, :count]

    def parts(self) -> np.ndarray:
        smoothed, space = self.smoothed, self._space
        nothing = np.zeros_like(smoothed.first)
        answers = []
        for shock in range(smoothed.shocks.shape[2]):
            alone = np.zeros_like(smoothed.shocks)
            alone[:, :, shock] = smoothed.shocks[:, :, shock]
            answers.append(self._seen(path(space, nothing, alone)))
        answers.append(self._seen(path(space, smoothed.first, np.zeros_like(smoothed.shocks))))
        return np.stack(answers, axis=1)

    def from_shocks(self, before: np.ndarray, shocks: np.ndarray) -> np.ndarray:
        """Paths (n, T, X) of the targets, from a state (n, D) before the data, by shocks (n, T,
        S).
        """
        space = self._space
        first = np.einsum("nde,ne->nd", space.A, before)
        return self._seen(path(space, first, shocks)) + self.level(0, shocks.shape[1])

    def _seen(self, states: np.ndarray) -> np.ndarray:
        return states @ self._space.C.swapaxes(1, 2)

    def outlook(self, horizon: int) -> Outlook:
        space, smoothed = self._space, self.smoothed
        n, targets, states = space.C.shape
        reach = np.empty((n, horizon, targets, states))  # C A^(h + 1)
        responses = np.empty((n, space.B.shape[2], horizon, targets))
        now = space.C
        for h in range(horizon):
            responses[:, :, h] = (now @ space.B).swapaxes(1, 2)
            now = now @ space.A
            reach[:, h] = now
        past = np.einsum("nhxd,nd->nhx", reach, smoothed.states[:, -1])
        flat = reach.reshape(n, horizon * targets, states)
        covariance = flat @ smoothed.last_covariance @ flat.swapaxes(1, 2)
        periods = len(self.likelihood.data)
        return Outlook(self.level(periods, periods + horizon), past, covariance, responses)


class ByResponses(Past):
    """By the covariance of the moving average that the responses are, a draw at a time: shocks of
    all periods from which a response still reaches the data.

        E[e | y] = R' cov(y)^-1 (y - level),   y - level = R e + u
    """

    @cached_property
    def _responses(self) -> np.ndarray:
        """Of the targets, (n, S, L + 1, X); NaN where there is no solution."""
        answerer = self.likelihood.answerer
        irf = answerer.responses(self.theta, self.likelihood.horizon)
        determinate = answerer.signs(self.theta).get("determinate")
        if determinate is not None:
            irf[~determinate] = np.nan
        seen = self.weights.of_responses(irf)
        return np.concatenate([seen, irf[..., self.observed]], axis=3)

    @property
    def method(self) -> str:
        return f"covariance of the moving average over horizons 0 to {self.likelihood.horizon}"

    @cached_property
    def _solved(self) -> tuple[np.ndarray, np.ndarray]:
        """Shocks (n, L + T, S), of L periods before the data too, and what takes a unit of the
        data's deviations to them, (n, L + T, S, entries of the data that are there).
        """
        data = self.likelihood.data.values
        there = np.isfinite(data).ravel()
        n, shocks, reach, _ = self._responses.shape
        periods, series = data.shape
        before = reach - 1
        level = self.level(0, periods)[..., :series]
        answers = np.full((n, before + periods, shocks), np.nan)
        gains = np.full((n, before + periods, shocks, int(there.sum())), np.nan)
        for row in range(n):
            of_series = self._responses[row, :, :, :series]
            if not np.isfinite(of_series).all():
                continue
            error = np.tile(self.weights.error[row] ** 2, periods)
            covariance = joint(autocovariances(of_series, periods)) + np.diag(error)
            loading = _loading(of_series, periods, 0)
            rows = loading.reshape(periods * series, -1)[there]
            try:
                gain = np.linalg.solve(covariance[np.ix_(there, there)], rows).T
            except np.linalg.LinAlgError:
                continue
            gains[row] = gain.reshape(before + periods, shocks, -1)
            deviations = (data - level[row]).ravel()[there]
            answers[row] = gains[row] @ deviations
        return answers, gains

    @property
    def shocks(self) -> np.ndarray:
        before = self._responses.shape[2] - 1
        return self._solved[0][:, before:]

    def parts(self) -> np.ndarray:
        shocks, _ = self._solved
        periods = len(self.likelihood.data)
        n, count, reach, targets = self._responses.shape
        answers = np.full((n, count + 1, periods, targets), np.nan)
        for row in range(n):
            loading = _loading(self._responses[row], periods, 0)  # (T, X, L + T, S)
            each = np.einsum("txls,ls->lstx", loading, shocks[row])
            answers[row, :count] = each[reach - 1 :].sum(axis=0)
            answers[row, count] = each[: reach - 1].sum(axis=(0, 1))
        return answers

    def outlook(self, horizon: int) -> Outlook:
        shocks, gains = self._solved
        periods, series = self.likelihood.data.values.shape
        there = np.isfinite(self.likelihood.data.values).ravel()
        n, count, reach, targets = self._responses.shape
        size = horizon * targets
        past = np.full((n, horizon, targets), np.nan)
        covariance = np.full((n, size, size), np.nan)
        for row in range(n):
            loading = _loading(self._responses[row], periods, horizon)[periods:]
            later = loading.reshape(size, -1)
            past[row] = (later @ shocks[row].ravel()).reshape(horizon, targets)
            known = _loading(self._responses[row, :, :, :series], periods, 0)
            known = known.reshape(periods * series, -1)[there]
            gain = gains[row].reshape(later.shape[1], -1)
            covariance[row] = later @ later.T - (later @ gain) @ (known @ later.T)
        responses = np.zeros((n, count, horizon, targets))
        kept = min(horizon, reach)
        responses[:, :, :kept] = self._responses[:, :, :kept]
        return Outlook(self.level(periods, periods + horizon), past, covariance, responses)


def _loading(irf: np.ndarray, periods: int, later: int) -> np.ndarray:
    """What shocks (L + T, S) of the periods of the data and of L before do to targets in these
    periods and some later ones, (T + later, X, L + T, S); irf (S, L + 1, X).
    """
    reach = irf.shape[1]
    lag = np.arange(periods + later)[:, None] + reach - 1 - np.arange(reach - 1 + periods)[None, :]
    inside = (lag >= 0) & (lag < reach)
    moved = irf[:, np.where(inside, lag, 0)]  # (S, T, L + T, X)
    return np.where(inside[None, :, :, None], moved, 0.0).transpose(1, 3, 2, 0)
