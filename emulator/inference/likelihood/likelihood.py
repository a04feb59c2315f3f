"""The likelihood of data as a function of a world's parameters, whoever answers: by the Kalman
filter where there is a state space, by the covariance of a moving average where responses are all
that is known.

Axes: n draw, P parameter, V series, T period.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from emulator.errors import ParameterError
from emulator.inference.answerer import Answerer
from emulator.inference.draws import last_period
from emulator.inference.fallback import check_horizon
from emulator.inference.likelihood import moving_average
from emulator.inference.likelihood.about import about
from emulator.inference.likelihood.observation import Observation
from emulator.inference.likelihood.questions import (
    notes_on_series,
    observation_of,
    refuse_regimes,
)
from emulator.inference.over_solver import SolverAnswerer
from emulator.inference.shock_size import Scaling
from emulator.series import TimeSeries
from emulator.solvers import StateSpace, spectral_radius
from emulator.solvers.kalman import SETTLED, Start, log_likelihoods
from emulator.worlds.priors import Prior

UNIT_ROOT = 1 - 1e-6
"""Modulus of a root from which a state whose unconditional distribution cannot be computed has a
unit root: of a double root rounding leaves no more digits.
"""

MOVING = 200
"""Last horizon at most of a solver's responses whose moving average stands for a world without a
state space; of a network's it is the last of its training draws, beyond which they may grow.
"""

CUT = 1e-2
"""Share of its peak at which a response that is cut off is worth a note."""

STEP = 1e-4
"""Half width of a difference by a parameter that stands in an equation, relative to its default or
to one.
"""

ROWS = 4096
"""Draws and neighbours of theirs that are evaluated at once."""


class Values(NamedTuple):
    """Log-likelihood of each period (n, T), of all that count (n,), the gradient (n, P) of these,
    None where it was not asked for; and what is left of a response where a moving average is cut
    off, as a share of its peak, (n,), None of a state space.
    """

    by_period: np.ndarray
    total: np.ndarray
    gradient: np.ndarray | None = None
    cut: np.ndarray | None = None


@dataclass(frozen=True)
class Likelihood:
    """A world, data, and how the world observes them; made by `of`.

    presample: periods at the beginning that are filtered and do not count; settled: see
    `emulator.solvers.kalman`, 0 for covariances that are computed anew throughout.
    """

    answerer: Answerer
    data: TimeSeries
    observation: Observation
    start: Start = "stationary"
    presample: int = 0
    settled: float = SETTLED
    horizon: int = MOVING
    notes: tuple[str, ...] = ()
    """What a reader should know of the data."""

    @classmethod
    def of(
        cls,
        answerer: Answerer,
        data: TimeSeries,
        observe: Mapping[str, str] | Sequence[str] | None = None,
        errors: Mapping[str, Any] | None = None,
        start: Start = "stationary",
        presample: int = 0,
        steady: bool = True,
        horizon: int | None = None,
    ) -> Likelihood:
        """observe: equations by series of the data, see `expressions`, or names of series that are
        observables; by default those that the file's `varobs` name, that the data bring with them,
        or whose names are observables. errors: standard deviations of errors of measurement by
        series, numbers or expressions of parameters. steady: whether covariances that have settled
        stay. horizon: where there is no state space, the last one of the responses that count.

        Raises `SeriesError`, `UnknownNameError`, and `ParameterError` for a world that has no
        Gaussian likelihood, and for one with fewer shocks than series.
        """
        refuse_regimes(answerer)
        observation, series = observation_of(answerer, data, observe, errors or {})
        by_names = not observe and not any(data.observing)
        notes = notes_on_series(data, series, by_names)
        data = series
        if not 0 <= presample < len(data):
            raise ParameterError(
                f"The presample is {presample}; expected 0 or more of the data's {len(data)}"
                f" {data.frequency}s, and some left that count."
            )
        return cls(
            answerer=answerer,
            data=data,
            observation=observation,
            start=start,
            presample=presample,
            settled=SETTLED if steady else 0.0,
            horizon=_horizon(answerer, horizon),
            notes=notes,
        )

    @property
    def exact(self) -> bool:
        """Whether a solver answers."""
        return self.answerer.exact

    @property
    def has_states(self) -> bool:
        """Whether there is a state space, so that nothing is cut off."""
        return self.answerer.has_state_space

    @property
    def method(self) -> str:
        """How it is computed, in words."""
        if self.has_states:
            return "Kalman filter over the state space"
        return f"covariance of the moving average over horizons 0 to {self.horizon}"

    def values(self, theta: np.ndarray, gradient: bool = False, strict: bool = True) -> Values:
        """At draws (n, P); minus infinity, and NaN for a gradient, where there is no unique stable
        solution or no density.

        Raises `ParameterError` where a unit root has no stationary start, unless not strict, when
        such draws have minus infinity too; and for moving averages with another start.
        """
        if not self.has_states:
            return self._by_responses(theta, gradient)
        by_period = self._by_states(theta, strict)
        slopes = self._differences(theta) if gradient else None
        return Values(by_period, self._total(by_period), slopes)

    def _total(self, by_period: np.ndarray) -> np.ndarray:
        return by_period[:, self.presample :].sum(axis=1)

    # By states

    def _by_states(self, theta: np.ndarray, strict: bool = True) -> np.ndarray:
        parts = [
            self._of_states(theta[first : first + ROWS], strict)
            for first in range(0, len(theta), ROWS)
        ]
        return np.concatenate([np.empty((0, len(self.data))), *parts])

    def _of_states(self, theta: np.ndarray, strict: bool) -> np.ndarray:
        space = self.answerer.state_space(theta)
        solved = np.isfinite(space.A).all(axis=(1, 2))
        observed = self.observation.at(theta).of_space(
            space, self.data.values, self.answerer.levels(theta)
        )
        answers = log_likelihoods(observed, self.start, self.settled)
        if strict:
            lost = solved & np.isneginf(answers).any(axis=1)
            self.refuse_unit_roots(theta, observed.space, lost)
        return answers

    def refuse_unit_roots(self, theta: np.ndarray, space: StateSpace, lost: np.ndarray) -> None:
        """`ParameterError` where draws (n,) are lost from the stationary start because they have a
        unit root.
        """
        lost = np.flatnonzero(lost) if self.start == "stationary" else np.empty(0, dtype=int)
        unit = lost[spectral_radius(space.A[lost]) >= UNIT_ROOT]
        if len(unit):
            raise ParameterError(
                f"World '{self.answerer.spec.name}' has a unit root at {len(unit)} of {len(theta)}"
                f" draws (draw {unit[0]} is one), so that its series have no unconditional"
                " distribution. Start with nothing known of their levels: start='diffuse', on the"
                " command line --start diffuse."
            )

    def _differences(self, theta: np.ndarray) -> np.ndarray:
        """The gradient (n, P) by central differences, all neighbours solved in one batch."""
        assert isinstance(self.answerer, SolverAnswerer), "nobody else has a state space"
        with np.errstate(invalid="ignore"):  # minus infinity where neighbours have no solution
            return self.answerer.derivatives(
                lambda rows: self._total(self._by_states(rows)),
                theta,
                range(self.answerer.spec.n_parameters),
            )

    # By responses

    def refuse_start_without_states(self) -> None:
        """`ParameterError` for another start than the stationary one, where responses are all."""
        if self.start != "stationary":
            raise ParameterError(
                f"start='{self.start}' needs a state space, and '{self.answerer.spec.name}'"
                f" ({self.answerer.title}) gives responses alone: expected 'stationary'."
            )

    def _by_responses(self, theta: np.ndarray, gradient: bool) -> Values:
        self.refuse_start_without_states()
        irf = self.answerer.responses(theta, self.horizon)
        good = np.isfinite(irf).all(axis=(1, 2, 3)) & self._determinate(theta)
        by_period = np.full((len(theta), len(self.data)), -np.inf)
        by_irf = np.full_like(irf, np.nan)
        for row in np.flatnonzero(good):
            one = slice(row, row + 1)
            by_period[row], by_irf[row] = self._of_responses(theta[one], irf[one], gradient)
        slopes = None
        if gradient:
            slopes = np.full_like(theta, np.nan)
            if good.any():
                slopes[good] = self._pulled(theta[good], irf[good], by_irf[good])
        with np.errstate(all="ignore"):
            left = np.abs(irf[:, :, -1]).max(axis=1) / np.abs(irf).max(axis=(1, 2))
        cut = np.nan_to_num(left).max(axis=1, initial=0.0)
        return Values(by_period, self._total(by_period), slopes, cut)

    def _of_responses(
        self, theta: np.ndarray, irf: np.ndarray, gradient: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Of one draw (1, P) with its responses (1, S, H+1, O): log-densities by period (T,), and
        derivatives of those that count by the responses (S, H+1, O).
        """
        weights = self.observation.at(theta)
        seen = weights.of_responses(irf)
        levels = weights.levels(self.answerer.levels(theta), len(self.data))
        deviations = self.data.values - levels[0]
        value = moving_average.value(seen[0], deviations, weights.error[0], gradient)
        by_seen = value.by_responses
        if gradient and self.presample:
            first = deviations[: self.presample]
            by_seen = (
                by_seen
                - moving_average.value(seen[0], first, weights.error[0], gradient).by_responses
            )
        return value.by_period, weights.pulled(by_seen[None])[0]

    def _determinate(self, theta: np.ndarray) -> np.ndarray:
        """Draws (n,) with a solution, as the answerer takes them."""
        signs = self.answerer.signs(theta)
        return np.asarray(signs.get("determinate", np.ones(len(theta), dtype=bool)))

    def _pulled(self, theta: np.ndarray, irf: np.ndarray, by_irf: np.ndarray) -> np.ndarray:
        """The gradient (n, P): through responses, and through what equations and errors make of
        parameters where responses stay.
        """
        spec = self.answerer.spec
        scaling = Scaling.of(spec, list(range(spec.n_shocks)), 1.0)
        jacobian = self.answerer.jacobian(theta, scaling, self.horizon)
        slopes = np.einsum("nshop,nsho->np", jacobian, by_irf)
        for name in self.observation.named:
            column = spec.index(name)
            step = np.zeros(spec.n_parameters)
            step[column] = STEP * np.fmax(abs(spec.parameters[column].default), 1.0)
            for row in range(len(theta)):
                one = slice(row, row + 1)
                ends = [
                    self._of_responses(theta[one] + sign * step, irf[one])[0][
                        self.presample :
                    ].sum()
                    for sign in (1, -1)
                ]
                slopes[row, column] += (ends[0] - ends[1]) / (2 * step[column])
        return slopes

    def log_prior(self, theta: np.ndarray) -> np.ndarray:
        """Logarithm of the prior density (n,) at draws (n, P), of the parameters that have a prior;
        it is not normalised for draws without a solution.
        """
        total = np.zeros(len(theta))
        for name, prior in self.priors.items():
            total += prior.log_density(theta[:, self.answerer.spec.index(name)])
        return total

    @cached_property
    def priors(self) -> Mapping[str, Prior]:
        """Of each parameter that has one: the world's own, else uniform over its range."""
        return about(self.answerer).priors


def _horizon(answerer: Answerer, asked: int | None) -> int:
    """The last horizon of the responses that count. Raises `ParameterError`."""
    last = answerer.last_horizon
    if asked is None:
        usual = MOVING if answerer.exact else answerer.usual_horizon
        return usual if last is None else min(last, usual)
    chosen = last_period(asked, answerer.spec.periods)
    check_horizon(answerer, chosen)
    return chosen
