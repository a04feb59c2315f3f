"""A world's own solver behind the same questions as a network: exact answers, without PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from emulator.inference.answers import answer, derivatives, in_words, refuse
from emulator.inference.draws import (
    Draws,
    chosen_shocks,
    draws_wanted,
    labels,
    last_quarter,
    theta_of,
)
from emulator.inference.sensitivity import HORIZONS, Question, Ranges, sobol
from emulator.inference.shock_size import Scaling, SizeLike
from emulator.spec import DEFAULT_HORIZON, Status, WorldSpec
from emulator.worlds import Source, World, get_world

MOST_ROWS = 4096
"""Draws and neighbours of theirs that are solved at once for derivatives."""


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
    rows[lost], irf[lost] = (
        np.broadcast_to(theta, rows.shape)[lost],
        np.broadcast_to(irf[0], irf.shape)[lost],
    )
    width = np.stack(
        [
            rows[1 + 2 * k, :, column] - rows[2 + 2 * k, :, column]
            for k, column in enumerate(columns)
        ]
    )
    width = np.where((width > 0) & ~lost[0], width, np.nan)
    return irf[0], (irf[1::2] - irf[2::2]) / width.reshape(*width.shape, *[1] * (irf.ndim - 2))


class ExactWorld:
    """A model economy that answers exactly: `irf`, `jacobian` and `sensitivity` as those of an
    `Emulator`.

    `solver` is the economy itself, which takes and returns plain arrays (`emulator.worlds.World`).
    """

    def __init__(self, solver: World) -> None:
        self.solver = solver

    @classmethod
    def named(cls, name: str | Path) -> ExactWorld:
        """The world of that name, or of a `.mod` file. Raises `UnknownNameError`,
        `ModFileError`.
        """
        return cls(get_world(name))

    @property
    def spec(self) -> WorldSpec:
        return self.solver.spec

    @property
    def source(self) -> Source | None:
        """The texts of the `.mod` file; None where the world is a class of Python."""
        return self.solver.source

    def sample(self, n: int, rng: np.random.Generator | int = 0) -> np.ndarray:
        """n draws of theta (n, P) from the prior that have a solution; rng: a generator, or a seed.

        Raises `ParameterError` unless n is a whole number, 0 or more.
        """
        return self.solver.sample(draws_wanted(n), np.random.default_rng(rng))

    def status(self, draws: Draws = None, **parameters: Any) -> np.ndarray:
        """`Status` of each draw, (n,) uint8: whether it has a unique stable solution."""
        return self.verdicts(theta_of(self.spec, draws, parameters))

    def verdicts(self, theta: np.ndarray) -> np.ndarray:
        """`Status` of each draw of theta (n, P); one at which the model divides by zero has no
        solution.
        """
        with np.errstate(all="ignore"):
            return self.solver.status(theta)

    def irf(
        self,
        draws: Draws = None,
        *,
        shocks: str | Iterable[str] | None = None,
        size: SizeLike = 1.0,
        horizon: int = DEFAULT_HORIZON,
        on_failure: str = "raise",
        **parameters: Any,
    ) -> xr.Dataset:
        """Exact responses as an xarray Dataset (see `emulator.inference.answers`); arguments as
        those of `Emulator.irf`.

        Raises `NoSolutionError` for draws without a unique stable solution, whose responses are NaN
        with `on_failure="nan"`; `ParameterError` and `UnknownNameError` for bad input.
        """
        theta = theta_of(self.spec, draws, parameters)
        scaling = Scaling.of(self.spec, chosen_shocks(self.spec, shocks), size)
        irf = self.scaled(theta, scaling, last_quarter(horizon))
        solved = np.isfinite(irf).all(axis=(1, 2, 3))
        refuse(
            self.spec, theta, ~solved, on_failure, lambda: in_words(self.verdicts(theta[~solved]))
        )
        return answer(
            scaling,
            theta,
            {"irf": irf, "exact": np.ones(len(theta), dtype=bool), "determinate": solved},
            "exact solution",
            labels(draws, len(theta)),
        )

    def scaled(self, theta: np.ndarray, scaling: Scaling, horizon: int) -> np.ndarray:
        """Responses (n, S, H+1, 3) to the shocks of a scaling; NaN where there is no solution."""
        with np.errstate(
            all="ignore"
        ):  # where the model divides by zero or numbers overflow, NaN and infinity say so
            irf = self.solver.irf(scaling.theta(theta), horizon=horizon, on_failure="nan")[
                :, list(scaling.shocks)
            ]
            return scaling.applied(theta, irf)

    def jacobian(
        self,
        draws: Draws = None,
        *,
        shocks: str | Iterable[str] | None = None,
        size: SizeLike = 1.0,
        horizon: int = DEFAULT_HORIZON,
        **parameters: Any,
    ) -> xr.DataArray:
        """Derivatives of responses by parameters, (draw, shock, horizon, observable, parameter), by
        differences: central, or one-sided where one of the neighbours has no solution.

        Units: of the response, per unit of the parameter. NaN where the draw itself has no
        solution, which the coordinate `determinate` (draw) says, and where no neighbour has one.
        """
        theta = theta_of(self.spec, draws, parameters)
        scaling = Scaling.of(self.spec, chosen_shocks(self.spec, shocks), size)
        last = last_quarter(horizon)
        low, high = np.full(theta.shape[1], -np.inf), np.full(theta.shape[1], np.inf)
        low[list(self.spec.standard_deviations)] = 0.0
        steps, block = (
            self.solver.difference * (self.spec.high - self.spec.low),
            max(1, MOST_ROWS // (1 + 2 * len(low))),
        )
        parts = [
            differences(
                lambda rows: self.scaled(rows, scaling, last),
                theta[k : k + block],
                range(len(low)),
                steps,
                low,
                high,
            )[1]
            for k in range(0, len(theta), block)
        ]
        slopes = np.moveaxis(np.concatenate(parts, axis=1), 0, -1)
        solved = {"determinate": self.verdicts(theta) == Status.OK}
        return derivatives(
            scaling, slopes, solved, "differences of the exact solution", labels(draws, len(theta))
        )

    def sensitivity(
        self,
        n: int = 1024,
        *,
        shocks: str | Iterable[str] | None = None,
        size: SizeLike = 1.0,
        horizons: Sequence[int] = HORIZONS,
        ranges: Ranges | None = None,
        seed: int = 0,
        **fixed: float,
    ) -> xr.Dataset:
        """Sobol's indices from the exact solution; arguments as those of `Emulator.sensitivity`."""
        scaling = Scaling.of(self.spec, chosen_shocks(self.spec, shocks), size)
        question = Question.of(self.spec, scaling, horizons, ranges, fixed)
        return sobol(
            question,
            lambda theta: self.scaled(theta, scaling, max(question.horizons))[
                :, :, list(question.horizons)
            ],
            n,
            seed,
        )
