"""What a world is: an economy that answers batched questions in float64.

Axes: n draw, P parameter, S shock, H horizon, T period; observables are always output, inflation,
rate.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from emulator.errors import NoSolutionError, ParameterError
from emulator.solvers import StateSpace, impulse_response, simulate, superposed
from emulator.spec import DEFAULT_HORIZON, Status, WorldSpec
from emulator.worlds.source import Source

OnFailure = Literal["raise", "nan"]

IRF_BLOCK = 4096
"""Draws whose state spaces are in memory at once while responses are computed."""

MAX_ROUNDS = 200
"""Rounds of redrawing before `draw` gives up: a prior of which not one draw in hundreds is accepted
is a mistake.
"""


@dataclass(frozen=True)
class Draws:
    """Accepted parameters, and the ones drawn before them that were refused, with the reason.

    theta (n, P); rejected_theta (m, P); rejected_status (m,) of `Status`, never `Status.OK`.
    """

    theta: np.ndarray
    rejected_theta: np.ndarray
    rejected_status: np.ndarray

    @property
    def rejections(self) -> dict[str, int]:
        """How many draws were refused, by reason."""
        counts = Counter(Status(code).label for code in self.rejected_status)
        return dict(sorted(counts.items()))


class World(ABC):
    """An economy.

    A subclass sets `spec` and says how to draw parameters, judge them and solve them.
    """

    spec: WorldSpec

    draws_per_task: int = 65_536
    """Rows of a shard at most: what one task of generation solves, so that a task takes seconds,
    not hours.
    """

    longest_horizon: int | None = None
    """Quarters to which `irf` answers; None where it answers to any.

    More is refused with `ParameterError`.
    """

    difference: float = 1e-4
    """Half width of a difference that stands for a derivative, as a share of a parameter's range:
    the error of a central one is of order its square, that of rounding 1e-12 over it. Worlds whose
    solution has small kinks, as one on a grid has, want a wider one.
    """

    source: Source | None = None
    """The texts that the world was read from; None where it is a class of Python."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of every answer, such as a request of a file not met."""
        return ()

    complete: Callable[[Mapping[str, np.ndarray], int], np.ndarray] | None = None
    """Makes theta (n, P) from named columns and n where other parameters follow from them."""

    def explain(self, theta: np.ndarray) -> str:
        """Why a draw (1, P) has no solution, beyond its status; empty where nothing else is
        known.
        """
        return ""

    def require(self) -> None:  # noqa: B027  # most worlds need nothing
        """Raise `MissingExtraError` where packages that the world is solved with are not
        installed.
        """

    @abstractmethod
    def propose(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n parameter vectors (n, P) from the prior, before any is judged."""

    @abstractmethod
    def status(self, theta: np.ndarray) -> np.ndarray:
        """`Status` of each draw (n, P) -> (n,) uint8.

        Raises `ParameterError` on a wrong shape or values not finite.
        """

    @abstractmethod
    def irf(
        self, theta: np.ndarray, horizon: int = DEFAULT_HORIZON, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        """Responses (n, S, H+1, 3) to shocks of one standard deviation; [.., 0, :] is the impact
        period.

        Units: output in percent; inflation and rate in annualised percentage points (see
        `spec.observables`). Draws without a unique stable solution raise `NoSolutionError`, or give
        NaN with `on_failure="nan"`.
        """

    @abstractmethod
    def simulate(
        self, theta: np.ndarray, shocks: np.ndarray, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        """Paths (n, T, 3) under shocks (n, T, S) in standard deviations, in the units of `irf`.

        They begin in the steady state, or in the initial state where theta holds one (role
        "initial_state").
        """

    def response_to_path(self, theta: np.ndarray, path_nST: np.ndarray, horizon: int) -> np.ndarray:
        """Responses (n, H+1, O) to a path of shocks (n, S, T), in standard deviations of either
        sign, each of which is a surprise; in the units of `irf`, NaN without a solution.

        The sum of the single responses where the world is linear in its shocks; else the difference
        between the simulated paths with and without them. Raises `ParameterError` where the path is
        longer than H+1 periods.
        """
        if path_nST.shape[2] > horizon + 1:
            raise ParameterError(
                f"The path has {path_nST.shape[2]} periods; expected at most horizon + 1 ="
                f" {horizon + 1}."
            )
        if self.spec.linear:
            return superposed(self.irf(theta, horizon, on_failure="nan"), path_nST)
        shocks = np.zeros((len(theta), horizon + 1, self.spec.n_shocks))
        shocks[:, : path_nST.shape[2]] = np.moveaxis(path_nST, 2, 1)
        with_shocks, without = (
            self.simulate(theta, shocks * factor, on_failure="nan") for factor in (1.0, 0.0)
        )
        return with_shocks - without

    def draw(self, n: int, rng: np.random.Generator) -> Draws:
        """n accepted draws from the prior, refused ones kept beside them with their reason.

        Values are rounded to float32 before they are judged, so that what a data set stores is what
        was solved. Raises `NoSolutionError` if the prior hardly ever gives a solution.
        """
        accepted: list[np.ndarray] = []
        rejected: list[np.ndarray] = []
        reasons: list[np.ndarray] = []
        missing = n
        for _ in range(MAX_ROUNDS):
            if missing == 0:
                break
            theta = self.propose(missing, rng).astype(np.float32).astype(np.float64)
            status = self.status(theta)
            good = status == Status.OK
            accepted.append(theta[good])
            rejected.append(theta[~good])
            reasons.append(status[~good])
            missing -= int(good.sum())
        else:
            raise NoSolutionError(
                f"World '{self.spec.name}': {missing} of {n} draws had no solution after"
                f" {MAX_ROUNDS} rounds."
            )
        width = self.spec.n_parameters
        return Draws(
            np.concatenate([np.empty((0, width)), *accepted]),
            np.concatenate([np.empty((0, width)), *rejected]),
            np.concatenate([np.empty(0, dtype=np.uint8), *reasons]),
        )

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n accepted draws of theta (n, P), float64 values that float32 holds exactly; `draw` also
        tells what was refused.
        """
        return self.draw(n, rng).theta

    def _check_shocks(self, theta: np.ndarray, shocks: np.ndarray) -> np.ndarray:
        array = np.asarray(shocks, dtype=np.float64)
        if array.ndim != 3 or array.shape[0] != len(theta) or array.shape[2] != self.spec.n_shocks:
            raise ParameterError(
                f"World '{self.spec.name}' takes shocks of shape ({len(theta)}, T,"
                f" {self.spec.n_shocks}), in standard deviations; found {array.shape}."
            )
        if not np.isfinite(array).all():
            raise ParameterError(f"World '{self.spec.name}': shocks must be finite numbers.")
        return array

    def _refuse(
        self,
        theta: np.ndarray,
        failed: np.ndarray,
        on_failure: OnFailure,
        status: np.ndarray | None = None,
    ) -> None:
        """`NoSolutionError` that names the failed draws (n,) and why, unless NaN was asked for;
        `status` (n,) where it is known.
        """
        if on_failure not in ("raise", "nan"):
            raise ParameterError(f"on_failure is {on_failure!r}; expected 'raise' or 'nan'.")
        if on_failure == "nan" or not failed.any():
            return
        theta, rows = theta[failed], np.flatnonzero(failed)
        counts = Counter(
            Status(code).label
            for code in (self.status(theta) if status is None else status[failed])
        )
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
        values = ", ".join(
            f"{name}={value:.6g}"
            for name, value in zip(self.spec.parameter_names, theta[0], strict=True)
        )
        raise NoSolutionError(
            f"World '{self.spec.name}': {len(rows)} draw(s) without a unique stable solution"
            f" ({reasons}). The first is row {rows[0]}: {values}. Ask `status(theta)` which, or"
            " pass on_failure='nan'."
        )


class LinearWorld(World):
    """A world with an exact linear state space: everything follows from `state_space`."""

    @abstractmethod
    def state_space(self, theta: np.ndarray) -> StateSpace:
        """Matrices of `s = A s_1 + B e, y = C s`; A (n, D, D), B (n, D, S), C (n, 3, D); A and B
        NaN where there is no solution.
        """

    def mean(self, theta: np.ndarray) -> np.ndarray:
        """Steady state of the observables, (n, 3), around which `simulate` moves; zero unless the
        world has constants.
        """
        return np.zeros((len(theta), self.spec.n_observables))

    def residual(self, theta: np.ndarray) -> np.ndarray:
        """Largest relative error of the solution in the model's own equations, (n,); zero where the
        matrices are the model.
        """
        return np.zeros(len(theta))

    def irf(
        self, theta: np.ndarray, horizon: int = DEFAULT_HORIZON, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        if horizon < 0:
            raise ParameterError(
                f"The horizon is {horizon}; expected 0 (the impact period alone) or more."
            )
        theta = self.spec.check_theta(theta)
        responses = np.empty((len(theta), self.spec.n_shocks, horizon + 1, self.spec.n_observables))
        failed = np.zeros(len(theta), dtype=bool)
        for start in range(
            0, len(theta), IRF_BLOCK
        ):  # state spaces of large worlds are larger than their responses
            part = slice(start, start + IRF_BLOCK)
            space = self.state_space(theta[part])
            failed[part] = ~np.isfinite(space.A).all(axis=(1, 2))
            responses[part] = impulse_response(space, horizon)
        self._refuse(theta, failed, on_failure)
        return responses

    def simulate(
        self, theta: np.ndarray, shocks: np.ndarray, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        theta = self.spec.check_theta(theta)
        shocks = self._check_shocks(theta, shocks)
        return simulate(self._solved(theta, on_failure), shocks) + self.mean(theta)[:, None, :]

    def _solved(self, theta: np.ndarray, on_failure: OnFailure) -> StateSpace:
        theta = self.spec.check_theta(theta)
        space = self.state_space(theta)
        self._refuse(theta, ~np.isfinite(space.A).all(axis=(1, 2)), on_failure)
        return space
