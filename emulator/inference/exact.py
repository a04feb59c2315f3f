"""A world's own solver behind the same questions as a network: exact answers, without PyTorch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from emulator.inference.answers import answer, derivatives, in_words, refuse
from emulator.inference.draws import Draws, chosen_shocks, draws_wanted, labels, last_quarter, theta_of
from emulator.inference.sensitivity import HORIZONS, Question, Ranges, sobol
from emulator.inference.shock_size import Scaling, SizeLike
from emulator.spec import DEFAULT_HORIZON, Status, WorldSpec
from emulator.worlds import Source, World, get_world


class ExactWorld:
    """A model economy that answers exactly: `irf`, `jacobian` and `sensitivity` as those of an `Emulator`.

    `solver` is the economy itself, which takes and returns plain arrays (`emulator.worlds.World`).
    """

    def __init__(self, solver: World) -> None:
        self.solver = solver

    @classmethod
    def named(cls, name: str | Path) -> ExactWorld:
        """The world of that name, or of a `.mod` file. Raises `UnknownNameError`, `ModFileError`."""
        return cls(get_world(name))

    @property
    def spec(self) -> WorldSpec:
        return self.solver.spec

    @property
    def source(self) -> Source | None:
        """The texts of the `.mod` file; None where the world is a class of Python."""
        return self.solver.source

    def sample(self, n: int, rng: np.random.Generator | int = 0) -> np.ndarray:
        """n draws of theta (n, P) from the prior that have a solution; rng: a generator, or a seed. Raises `ParameterError` unless n is a whole number, 0 or more."""
        return self.solver.sample(draws_wanted(n), np.random.default_rng(rng))

    def status(self, draws: Draws = None, **parameters: Any) -> np.ndarray:
        """`Status` of each draw, (n,) uint8: whether it has a unique stable solution."""
        return self.verdicts(theta_of(self.spec, draws, parameters))

    def verdicts(self, theta: np.ndarray) -> np.ndarray:
        """`Status` of each draw of theta (n, P); one at which the model divides by zero has no solution."""
        with np.errstate(all="ignore"):
            return self.solver.status(theta)

    def irf(
        self, draws: Draws = None, *, shocks: str | Iterable[str] | None = None, size: SizeLike = 1.0, horizon: int = DEFAULT_HORIZON,
        on_failure: str = "raise", **parameters: Any,
    ) -> xr.Dataset:  # fmt: skip
        """Exact responses as an xarray Dataset (see `emulator.inference.answers`); arguments as those of `Emulator.irf`.

        Raises `NoSolutionError` for draws without a unique stable solution, whose responses are NaN with
        `on_failure="nan"`; `ParameterError` and `UnknownNameError` for bad input.
        """
        theta = theta_of(self.spec, draws, parameters)
        scaling = Scaling.of(self.spec, chosen_shocks(self.spec, shocks), size)
        irf = self.scaled(theta, scaling, last_quarter(horizon))
        solved = np.isfinite(irf).all(axis=(1, 2, 3))
        refuse(self.spec, theta, ~solved, on_failure, lambda: in_words(self.verdicts(theta[~solved])))
        return answer(scaling, theta, {"irf": irf, "exact": np.ones(len(theta), dtype=bool), "determinate": solved}, "exact solution", labels(draws, len(theta)))

    def scaled(self, theta: np.ndarray, scaling: Scaling, horizon: int) -> np.ndarray:
        """Responses (n, S, H+1, 3) to the shocks of a scaling; NaN where there is no solution."""
        with np.errstate(all="ignore"):  # where the model divides by zero or numbers overflow, NaN and infinity say so
            irf = self.solver.irf(scaling.theta(theta), horizon=horizon, on_failure="nan")[:, list(scaling.shocks)]
            return scaling.applied(theta, irf)

    def jacobian(
        self, draws: Draws = None, *, shocks: str | Iterable[str] | None = None, size: SizeLike = 1.0, horizon: int = DEFAULT_HORIZON, **parameters: Any
    ) -> xr.DataArray:  # fmt: skip
        """Derivatives of responses by parameters, (draw, shock, horizon, observable, parameter), by differences: central, or
        one-sided where one of the neighbours has no solution.

        Units: of the response, per unit of the parameter. NaN where the draw itself has no solution, which the coordinate
        `determinate` (draw) says, and where no neighbour has one.
        """
        theta = theta_of(self.spec, draws, parameters)
        scaling = Scaling.of(self.spec, chosen_shocks(self.spec, shocks), size)
        last = last_quarter(horizon)
        here = self.scaled(theta, scaling, last)
        columns = [self._slope(theta, column, here, scaling) for column in range(self.spec.n_parameters)]
        solved = {"determinate": self.verdicts(theta) == Status.OK}
        return derivatives(scaling, np.stack(columns, axis=-1), solved, "differences of the exact solution", labels(draws, len(theta)))

    def _slope(self, theta: np.ndarray, column: int, here: np.ndarray, scaling: Scaling) -> np.ndarray:
        """Derivatives (n, S, H+1, 3) by one parameter, at draws whose responses are `here`."""
        step = self.solver.difference * (self.spec.high[column] - self.spec.low[column])
        ends, places = [], []
        for side in (step, -step):
            moved = theta.copy()
            moved[:, column] += side
            irf = self._beside(moved, scaling, here.shape[2] - 1)
            lost = ~np.isfinite(irf).all(axis=(1, 2, 3))
            irf[lost], moved[lost] = here[lost], theta[lost]
            ends.append(irf)
            places.append(moved[:, column])
        width = places[0] - places[1]
        return (ends[0] - ends[1]) / np.where(width > 0, width, np.nan)[:, None, None, None]

    def _beside(self, theta: np.ndarray, scaling: Scaling, horizon: int) -> np.ndarray:
        """`scaled`, NaN also where a step has made a standard deviation negative."""
        sizes = [k for k, p in enumerate(self.spec.parameters) if p.role == "shock_size"]
        allowed = (theta[:, sizes] >= 0).all(axis=1)
        found = np.full((len(theta), len(scaling.shocks), horizon + 1, 3), np.nan)
        if allowed.any():
            found[allowed] = self.scaled(theta[allowed], scaling, horizon)
        return found

    def sensitivity(
        self, n: int = 1024, *, shocks: str | Iterable[str] | None = None, size: SizeLike = 1.0, horizons: Sequence[int] = HORIZONS,
        ranges: Ranges | None = None, seed: int = 0, **fixed: float,
    ) -> xr.Dataset:  # fmt: skip
        """Sobol's indices from the exact solution; arguments as those of `Emulator.sensitivity`."""
        scaling = Scaling.of(self.spec, chosen_shocks(self.spec, shocks), size)
        question = Question.of(self.spec, scaling, horizons, ranges, fixed)
        return sobol(question, lambda theta: self.scaled(theta, scaling, max(question.horizons))[:, :, list(question.horizons)], n, seed)
