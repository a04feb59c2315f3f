"""A world's own solver as answerer: exact in float64, derivatives by differences.

Axes: n draw, P parameter, S shock, H horizon, O observable, F parameter of a derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from emulator.errors import ParameterError
from emulator.inference.answerer import Answerer, Local
from emulator.inference.labels import statuses_in_words
from emulator.inference.method_error import method_error
from emulator.inference.shock_size import Scaling
from emulator.solvers import StateSpace
from emulator.solvers.perturbation import Rules
from emulator.spec import Status
from emulator.worlds.base import World
from emulator.worlds.linear import LinearWorld

MOST_ROWS = 4096
"""Draws and neighbours of theirs that are solved at once for derivatives."""

SMALLEST_WIDTH = 1e-2
"""Width that stands for the range of a parameter without one, where its default is smaller."""


def differences(
    solve: Callable[[np.ndarray], np.ndarray],
    theta: np.ndarray,
    columns: Sequence[int],
    steps: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Responses (n, ..) that `solve` finds at theta (n, P), and their derivatives (F, n, ..) by the
    parameters at `columns`, solved in one batch.

    steps (F,): half widths; low, high (P,): where no neighbour may lie beyond. Differences are
    central, but one-sided at such an end and where a neighbour has no solution; NaN where a draw
    has none, or neither of its neighbours.
    """
    rows = np.repeat(theta[None], 1 + 2 * len(columns), axis=0)
    for k, (column, step) in enumerate(zip(columns, steps, strict=True)):
        rows[1 + 2 * k, :, column] = np.minimum(theta[:, column] + step, high[column])
        rows[2 + 2 * k, :, column] = np.maximum(theta[:, column] - step, low[column])
    irf = solve(rows.reshape(-1, theta.shape[1]))
    irf = irf.reshape(*rows.shape[:2], *irf.shape[1:])
    lost = ~np.isfinite(irf).all(axis=tuple(range(2, irf.ndim)))
    rows[lost] = np.broadcast_to(theta, rows.shape)[lost]
    irf[lost] = np.broadcast_to(irf[0], irf.shape)[lost]
    width = np.stack(
        [
            rows[1 + 2 * k, :, column] - rows[2 + 2 * k, :, column]
            for k, column in enumerate(columns)
        ]
    )
    width = np.where((width > 0) & ~lost[0], width, np.nan)
    return irf[0], (irf[1::2] - irf[2::2]) / width.reshape(*width.shape, *[1] * (irf.ndim - 2))


def no_state_space(world: World) -> ParameterError:
    """A refusal that says why a world has no linear state space."""
    if not world.spec.linear:
        why = "is not linear in its shocks"
    elif not world.spec.shocks_add_up:
        why = "has regimes, over which its responses are averages"
    else:
        why = "is solved for its responses alone"
    return ParameterError(f"World '{world.spec.name}' has no state space: it {why}.")


class SolverAnswerer(Answerer):
    """The world itself. Where a model divides by zero or numbers overflow, NaN and infinity say
    so, without a warning.
    """

    exact = True
    title = "exact solution"

    def __init__(self, world: World) -> None:
        self.world = world
        self.spec = world.spec
        self.solution = world.solution
        self.last_horizon = world.longest_horizon
        self.usual_horizon = world.horizon
        self.notes = world.notes
        self.complete = world.complete
        self.order = world.order
        self.highest_order = world.highest_order
        self.order_notes = world.order_notes
        self.moments_notes = world.moments_notes
        self.filter_notes = world.filter_notes
        self.no_shocks = world.no_shocks
        self.still_shocks = world.still_shocks
        self.has_state_space = world.has_state_space and world.spec.shocks_add_up

    def status(self, theta: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return self.world.status(theta)

    def responses(
        self, theta: np.ndarray, horizon: int, shocks: Sequence[int] | None = None
    ) -> np.ndarray:
        with np.errstate(all="ignore"):
            irf = self.world.irf(theta, horizon=horizon, on_failure="nan")
        return irf if shocks is None else irf[:, list(shocks)]

    def log_solvable(self, theta: np.ndarray) -> np.ndarray:
        return np.where(self.status(theta) == Status.OK, 0.0, -np.inf)

    def judged(self, theta: np.ndarray, horizon: int, shock: int) -> tuple[np.ndarray, np.ndarray]:
        irf = self.responses(theta, horizon, [shock])[:, 0]
        return irf, np.where(np.isfinite(irf).all(axis=(1, 2)), 0.0, -np.inf)

    def scaled(
        self,
        theta: np.ndarray,
        scaling: Scaling,
        horizon: int,
        horizons: Sequence[int] | None = None,
    ) -> np.ndarray:
        chosen = slice(None) if horizons is None else list(horizons)
        if scaling.reversed_shocks:
            return self._by_paths(theta, scaling, horizon)[:, :, chosen]
        irf = self.responses(scaling.theta(theta), horizon, scaling.shocks)
        with np.errstate(all="ignore"):
            return scaling.applied(theta, irf)[:, :, chosen]

    def _by_paths(self, theta: np.ndarray, scaling: Scaling, horizon: int) -> np.ndarray:
        """Each shock as a path of one period: in a world that is not linear in its shocks, the way
        to a size below zero.
        """
        parts = []
        for shock, size in zip(scaling.shocks, scaling.sizes, strict=True):
            path_nST = np.zeros((len(theta), self.spec.n_shocks, 1))
            path_nST[:, shock, 0] = scaling.amplitude(theta, shock, size)
            parts.append(self.along_path(theta, path_nST, horizon))
        return np.stack(parts, axis=1)

    def along_path(self, theta: np.ndarray, path_nST: np.ndarray, horizon: int) -> np.ndarray:
        with np.errstate(all="ignore"):
            return self.world.response_to_path(theta, path_nST, horizon, on_failure="nan")

    def answered(self, theta: np.ndarray, scaling: Scaling, horizon: int) -> dict[str, np.ndarray]:
        irf = self.scaled(theta, scaling, horizon)
        solved = np.isfinite(irf).all(axis=(1, 2, 3))
        fields = {"irf": irf, "exact": np.ones(len(theta), dtype=bool), "determinate": solved}
        width = self._width(
            lambda last: irf if last == horizon else self.scaled(theta, scaling, last), horizon
        )
        return fields if width is None else fields | {"lower": irf - width, "upper": irf + width}

    def half_width(self, theta: np.ndarray, horizon: int) -> np.ndarray | None:
        """What the world says that its method errs by (`World.solution_error`)."""
        return self._width(lambda last: self.responses(theta, last), horizon)

    def _width(self, respond: Callable[[int], np.ndarray], horizon: int) -> np.ndarray | None:
        """Half width (n, S, H+1, O) of the band around what `respond` says up to a last horizon."""
        errors = self.world.solution_error
        if not errors:
            return None
        return method_error(self.spec, errors, respond(max(horizon, self.usual_horizon)), horizon)

    def near_jump(self, theta: np.ndarray) -> np.ndarray | None:
        regimes = self.world.regimes
        return None if regimes is None else self.world.regime_margin(theta) < regimes.near

    def signs(self, theta: np.ndarray, scaling: Scaling | None = None) -> dict[str, np.ndarray]:
        return {"determinate": self.status(theta) == Status.OK}

    def state_space(self, theta: np.ndarray) -> StateSpace:
        if not self.has_state_space:
            raise no_state_space(self.world)
        with np.errstate(all="ignore"):
            return self.world.state_space(theta)

    def rules(self, theta: np.ndarray, order: int) -> tuple[Rules, np.ndarray]:
        with np.errstate(all="ignore"):
            return self.world.rules(theta, order)

    def mean(self, theta: np.ndarray) -> np.ndarray:
        if not isinstance(self.world, LinearWorld):
            return super().mean(theta)
        with np.errstate(all="ignore"):
            return self.world.mean(theta)

    def levels(self, theta: np.ndarray) -> np.ndarray:
        if not isinstance(self.world, LinearWorld):
            return super().levels(theta)
        with np.errstate(all="ignore"):
            return self.world.levels(theta)

    def explain(self, theta: np.ndarray, fields: Mapping[str, np.ndarray]) -> str:
        failures = self.world.failures(theta)
        if failures:
            return failures
        more = self.world.explain(theta[:1])
        return statuses_in_words(self.status(theta), self.spec.linear) + (
            f": {more}" if more else ""
        )

    def jacobian(self, theta: np.ndarray, scaling: Scaling, horizon: int) -> np.ndarray:
        """By differences: central, or one-sided where one of the neighbours has no solution."""
        return self.derivatives(
            lambda rows: self.scaled(rows, scaling, horizon),
            theta,
            range(self.spec.n_parameters),
        )

    def derivatives(
        self,
        solve: Callable[[np.ndarray], np.ndarray],
        theta: np.ndarray,
        columns: Sequence[int],
    ) -> np.ndarray:
        """Derivatives (n, .., F) of what `solve` makes of draws, (n, ..), by the parameters at
        `columns`; by differences, central or one-sided where a neighbour has no solution, NaN.
        """
        high = np.full(self.spec.n_parameters, np.inf)
        low = -high
        low[list(self.spec.standard_deviations)] = 0.0
        steps = self.steps()[list(columns)]
        block = max(1, MOST_ROWS // (1 + 2 * len(columns)))
        parts = [
            differences(solve, theta[start : start + block], columns, steps, low, high)[1]
            for start in range(0, len(theta), block)
        ]
        return np.moveaxis(np.concatenate(parts, axis=1), 0, -1)

    def local(self, theta: np.ndarray, horizon: int, shock: int, columns: Sequence[int]) -> Local:
        """By differences within the ranges of the prior, all solved in one batch."""
        irf, by = differences(
            lambda rows: self.responses(rows, horizon, [shock])[:, 0],
            theta[None],
            list(columns),
            self.steps()[list(columns)],
            self.spec.low,
            self.spec.high,
        )
        solvable = 0.0 if np.isfinite(irf).all() else -np.inf
        return Local(irf[0], solvable, by[:, 0], np.zeros(len(columns)))

    def steps(self) -> np.ndarray:
        """Half width (P,) of a difference by each parameter."""
        width = self.spec.high - self.spec.low
        without_range = np.fmax(np.abs(self.spec.defaults), SMALLEST_WIDTH)
        return self.world.difference * np.where(np.isfinite(width), width, without_range)
