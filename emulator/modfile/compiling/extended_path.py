"""The extended path (`extended_path`): in every period the non-linear model is solved under perfect
foresight from today's state on, after a shock that surprised and with no other expected; the first
period of that path is today's.

Fair and Taylor (1983), Econometrica 51, doi:10.2307/1912057; Dynare's order 0, certainty
equivalence, without a linear rule anywhere. Axes: N draw, P column of theta, S shock, T period, H
horizon, V variable, K exogenous variable.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.compiling.foresight import Foresight
from emulator.modfile.compiling.model import CompiledModel
from emulator.modfile.compiling.scenario import Scenario, scenario
from emulator.spec import Status

AHEAD = 200
"""Periods that are looked ahead (`solver_periods`)."""

MOST_AHEAD = 2000

MOST_ORDER = 6
"""Periods in which shocks are expected (`order`)."""


class Simulated(NamedTuple):
    """Levels (N, T, V) in the units of the file, NaN where a path was not found; the `Status` (N,);
    why: what a message says of each that was not.
    """

    levels: np.ndarray
    status: np.ndarray
    why: list[str]


class ExtendedPath:
    """A `PathSolver`: responses are those to a shock from the steady state, deviations from it."""

    unit = "deviation from the steady state, in the units of the file"

    def __init__(self, model: CompiledModel) -> None:
        self.model = model
        self.foresight = Foresight(model)
        self.shocks = model.shocks
        _refuse(model, self.foresight)

    @property
    def stochastic_order(self) -> int:
        """Periods ahead in which shocks are expected; 0 is certainty equivalence."""
        return int(_order(self.model))

    @cached_property
    def ahead(self) -> int:
        """Raises `ModFileError` for a number that is none."""
        options = self.model.calibration.options
        text = options.get("solver_periods", options.get("ep.periods", str(AHEAD)))
        if not text.isdigit() or not 1 <= int(text) <= MOST_AHEAD:
            raise ModFileError(
                f"'extended_path': solver_periods is {text}; a number from 1 to {MOST_AHEAD} was"
                " expected.",
                self.foresight.place,
            )
        return int(text)

    @property
    def has_past(self) -> bool:
        """Whether `histval` says where paths begin, other than in the steady state."""
        asked = self._asked(self.model.theta()[:1], 1)
        return bool((asked.before != asked.terminal[:, None]).any())

    def responses(self, theta: np.ndarray, horizon: int) -> tuple[np.ndarray, np.ndarray]:
        """After the shock nothing surprises, so that one path under perfect foresight is all of
        it.
        """
        unit = self.unit_shocks(theta)
        n, count = unit.shape[:2]
        asked = _repeated(self._asked(theta, self.ahead + horizon), count)
        lags = self.foresight.equations.lags
        asked.before[:] = asked.terminal[:, None]
        asked.exogenous[:, lags] += unit.reshape(n * count, -1)
        solved = self.foresight._solved(asked)
        size = len(self.model.variables)
        path = solved.path[:, lags : lags + horizon + 1, :size] - asked.terminal[:, None]
        responses = path.reshape(n, count, horizon + 1, size)
        status = solved.status.reshape(n, count)
        first = np.argmax(status != Status.OK, axis=1)
        return responses, status[np.arange(n), first]

    def simulate(self, theta: np.ndarray, shocks: np.ndarray) -> Simulated:
        """Paths under shocks (N, T, K) that surprise in every period."""
        asked = self._asked(theta, self.ahead)
        lags = self.foresight.equations.lags
        size = len(self.model.variables)
        rest = asked.exogenous[:, lags:].copy()
        levels = np.empty((*shocks.shape[:2], size))
        status = np.full(len(theta), Status.OK, dtype=np.uint8)
        why = [""] * len(theta)
        start = None
        for t in range(shocks.shape[1]):
            asked.exogenous[:, lags:] = rest
            asked.exogenous[:, lags] += shocks[:, t]
            solved = self.foresight._solved(asked, start)
            status = np.where(status == Status.OK, solved.status, status).astype(np.uint8)
            why = [
                early or (late and f"in period {t + 1} of the simulation: {late}")
                for early, late in zip(why, solved.worst, strict=True)
            ]
            levels[:, t] = solved.path[:, lags, :size]
            # Tomorrow's path is begun with what is expected of it today.
            start = np.concatenate([solved.path[:, 1:], solved.path[:, -1:]], axis=1)
            asked = replace(asked, before=solved.path[:, 1 : lags + 1, :size])
            asked.exogenous[:, :lags] = asked.exogenous[:, 1 : lags + 1]
        levels[status != Status.OK] = np.nan
        return Simulated(levels, status, why)

    def unit_shocks(self, theta: np.ndarray) -> np.ndarray:
        """What one standard deviation of each shock is in the file's own shocks, (N, S, K)."""
        sizes = np.swapaxes(self.model.cholesky(theta), 1, 2)
        exogenous = self.foresight.exogenous
        unit = np.zeros((len(theta), len(self.shocks), len(exogenous)))
        unit[:, :, [exogenous.index(name) for name in self.shocks]] = sizes
        return unit

    def explain(self, theta: np.ndarray) -> str:
        unit = self.unit_shocks(theta)[0]
        asked = _repeated(self._asked(theta, self.ahead), len(unit))
        asked.exogenous[:, self.foresight.equations.lags] += unit
        return next((text for text in self.foresight._solved(asked).worst if text), "")

    def _asked(self, theta: np.ndarray, periods: int) -> Scenario:
        """The problem without a shock."""
        theta = self.model.check_theta(theta)
        return scenario(self.model, theta, self.foresight._extent(periods))


def _repeated(asked: Scenario, count: int) -> Scenario:
    """Each draw so many times."""
    rows = np.repeat(np.arange(len(asked.theta)), count)
    return asked.rows(rows)


def _order(model: CompiledModel) -> str:
    """What the run says, or `options_.ep.stochastic.order`; a stoch_simul has an order of its
    own.
    """
    run = model.calibration.run
    own = {} if run is None else run.own
    return own.get("order", model.calibration.options.get("ep.stochastic.order", "0"))


def _refuse(model: CompiledModel, foresight: Foresight) -> None:
    """`ModFileError` for what the extended path of a file asks and would change its answer."""
    run = model.calibration.run
    own = {} if run is None else run.own
    order = _order(model)
    if not order.isdigit() or int(order) > MOST_ORDER:
        raise ModFileError(
            f"'extended_path(order = {order})': a number of periods in which shocks are expected"
            f" was expected, from 0 to {MOST_ORDER}.",
            foresight.place,
        )
    if "hybrid" in own:
        raise ModFileError(
            "'extended_path(hybrid)' is not supported. Leave the option out.", foresight.place
        )
    if model.file.deterministic_shocks:
        raise ModFileError(
            "the extended path has no varexo_det, in Dynare neither.",
            model.file.deterministic_shocks[0].place,
        )
    if not model.shocks:
        raise ModFileError(
            "no shock moves the extended path: give each a standard deviation, shocks; var e;"
            " stderr 0.01; end;.",
            foresight.place,
        )
