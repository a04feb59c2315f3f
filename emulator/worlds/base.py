"""What a world is: an economy that answers batched questions in float64.

Axes: n draw, P parameter, S shock, H horizon, T period, O observable.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np

from emulator.closures.closure import Closure
from emulator.errors import EmulatorError, NoSolutionError, ParameterError, unknown_name
from emulator.solvers import StateSpace
from emulator.solvers.perturbation import Rules
from emulator.spec import DEFAULT_HORIZON, Status, WorldSpec
from emulator.worlds.draws import Draws, why_refused
from emulator.worlds.pulses import pulses_of
from emulator.worlds.regimes import Regimes
from emulator.worlds.source import Source

OnFailure = Literal["raise", "nan"]

MAX_ROUNDS = 200
"""Rounds of redrawing before `draw` gives up: then hardly a draw in hundreds has a solution."""


def check_on_failure(on_failure: str) -> None:
    """Raise `ParameterError` for what is not an `OnFailure`."""
    if on_failure not in ("raise", "nan"):
        raise ParameterError(f"on_failure is {on_failure!r}; expected 'raise' or 'nan'.")


class World(ABC):
    """An economy.

    A subclass sets `spec` and says how to draw parameters, what their status is and what solves
    them.
    """

    spec: WorldSpec

    draws_per_task: int = 65_536
    """Rows of a shard at most: what one task of generation solves, so that a task takes seconds,
    not hours.
    """

    horizon: int = DEFAULT_HORIZON
    """The last horizon of an answer unless another is asked for."""

    longest_horizon: int | None = None
    """Periods to which `irf` answers; None where it answers to any.

    More is refused with `ParameterError`.
    """

    difference: float = 1e-4
    """Half width of a difference that stands for a derivative, as a share of a parameter's range:
    the error of a central one is of order its square, that of rounding 1e-12 over it. Worlds whose
    solution has small kinks, as one on a grid has, want a wider one.
    """

    settings_before: Mapping[str, float] = {}
    """The settings with which data sets were solved that do not say them, since they are older."""

    regimes: Regimes | None = None
    """What tells draws apart between which responses jump; None where there is no such thing."""

    dear: tuple[str, ...] = ()
    """Parameters that are dear to change: draws that share them cost little more than one."""

    has_part: bool = False
    """Whether `dear_part` and `from_part` answer: the parameters `dear` alone decide a part of the
    economy, and the rest closes it exactly.
    """

    source: Source | None = None
    """The texts that the world was read from; None where it is a class of Python."""

    place: str = ""
    """Where a world of the user's own is read from, `path/to/file.py:name`; empty for others."""

    has_state_space: bool = False
    """Whether `state_space` answers."""

    has_trajectories: bool = True
    """Whether `simulate` answers."""

    def __repr__(self) -> str:
        return f"World '{self.spec.name}': {self.spec}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of every answer, such as a request of a file not met."""
        return ()

    @property
    def solution_error(self) -> Mapping[str, tuple[float, ...]]:
        """What the method of solution errs by, as with a grid: by observable the shares of a path's
        peak within which nine of ten responses lie, by period from the impact on, the last for all
        later ones. Empty where solutions err by rounding alone, and where it is not known.
        """
        return {}

    @property
    def settings(self) -> Mapping[str, float]:
        """Numbers that decide the digits of an answer, such as a grid's points, or where draws come
        from; kept in data sets. Empty where there are none.
        """
        return {}

    def with_settings(self, settings: Mapping[str, float]) -> World:
        """This world, solved with other settings; those left out stay. Raises
        `UnknownNameError`, and `ParameterError` for a value that cannot be.
        """
        for name in settings:
            raise unknown_name(f"setting of world '{self.spec.name}'", name, self.settings)
        return self

    def regime(self, theta: np.ndarray) -> np.ndarray:
        """The regime (n,) int of draws (n, P), as `regimes` says what it counts. Raises
        `NoSolutionError`, and `ParameterError` where the world has no regimes.
        """
        raise ParameterError(f"World '{self.spec.name}' has no regimes.")

    def regime_margin(self, theta: np.ndarray) -> np.ndarray:
        """How far (n,) each draw (n, P) is from the nearest border between regimes, as `regimes`
        says how it is measured. Raises as `regime` does.
        """
        raise ParameterError(f"World '{self.spec.name}' has no regimes.")

    complete: Callable[[Mapping[str, np.ndarray], int], np.ndarray] | None = None
    """Makes theta (n, P) from named columns and n where other parameters follow from them."""

    order: int = 1
    """The order of approximation unless another is asked for; a `.mod` file asks for its own."""

    highest_order: int = 1
    """The highest order at which it answers."""

    order_notes: Sequence[str] = ()
    """What a reader should know of first-order answers: that another order was asked for."""

    moments_notes: Sequence[str] = ()
    """What a reader should know of theoretical moments: that a file asks for others, such as
    filtered ones.
    """

    filter_notes: Sequence[str] = ()
    """Those of them that hold for shares in variances too."""

    no_shocks: EmulatorError | None = None
    """Why only perfect foresight is answered, of a file in which no shock has a variance."""

    may_fail_late: bool = False
    """Whether a draw that `status` accepts may have no answer in the end (to a longer horizon, or
    no path): generation then counts it as refused and draws another."""

    solution: str = "unique stable solution"
    """What a draw has that is answered, in words."""

    def failures(self, theta: np.ndarray) -> str:
        """Why draws (n, P), all of them without a solution, have none, in words, where more is to
        be said than their status; else empty.
        """
        return ""

    def explain(self, theta: np.ndarray) -> str:
        """Why a draw (1, P) has no solution, beyond its status; empty where that is not known."""
        return ""

    @property
    def still_shocks(self) -> Mapping[str, str]:
        """Shocks of its file that have no size and move nothing, each with what can be done."""
        return {}

    @property
    def lacks(self) -> tuple[str, ...]:
        """What the world leaves out of what a world can say, and what that costs, in sentences."""
        return ()

    def reasons(self, theta: np.ndarray, status: np.ndarray) -> list[str]:
        """Why draws (n, P) of a status (n,) other than ok were refused, as they are counted."""
        return [Status(code).label for code in status]

    def give_up(self, theta: np.ndarray, reasons: Sequence[str]) -> None:  # noqa: B027
        """Raise `NoSolutionError` where it is of no use to draw more: all draws so far were refused
        for these reasons, theta (n, P) the last of them.
        """

    def require(self) -> None:  # noqa: B027  # most worlds need nothing
        """Raise `MissingExtraError` where packages that the world is solved with are not
        installed.
        """

    @abstractmethod
    def propose(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n parameter vectors (n, P) from the prior, or from what a mapping says that draws come
        from (`drawn`), before any is accepted or refused.
        """

    @abstractmethod
    def status(self, theta: np.ndarray) -> np.ndarray:
        """`Status` of each draw (n, P) -> (n,) uint8.

        A draw that `spec.possible` does not hold for is `Status.OUTSIDE_BOUNDS`, whatever else it
        is. Raises `ParameterError` on a wrong shape or values not finite.
        """

    @abstractmethod
    def irf(
        self, theta: np.ndarray, horizon: int = DEFAULT_HORIZON, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        """Responses (n, S, H+1, O) to shocks of one standard deviation; [.., 0, :] is the impact
        period.

        Units: those of `spec.observables`, such as percent for output and annualised percentage
        points for inflation and the rate. Draws whose status is not `Status.OK` raise
        `NoSolutionError`, or give NaN with `on_failure="nan"`.
        """

    @abstractmethod
    def simulate(
        self, theta: np.ndarray, shocks: np.ndarray, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        """Paths (n, T, O) under shocks (n, T, S) in standard deviations, in the units of `irf`.

        They begin in the steady state, or in the initial state where theta holds one (role
        "initial_state").
        """

    def rules(self, theta: np.ndarray, order: int) -> tuple[Rules, np.ndarray]:
        """Decision rules of order 2 or 3 of the observables, in the units of `irf`, and the
        `Status` (n,) of each draw. Raises `ParameterError` beyond `highest_order`.
        """
        raise ParameterError(
            f"World '{self.spec.name}' is answered at first order; order={order} was asked for."
            " Second and third order need the equations of a .mod file, all of whose shocks its"
            " mapping names, if it has one."
        )

    def state_space(self, theta: np.ndarray) -> StateSpace:
        """Matrices of `s = A s_1 + B e, y = C s`; A (n, D, D), B (n, D, S), C (n, O, D); A and B
        NaN where there is no solution. Raises `ParameterError` unless `has_state_space`.
        """
        raise ParameterError(f"World '{self.spec.name}' has no state space.")

    @property
    def closure(self) -> Closure | None:
        """The arrays that close the part, which a network can hold; None where there is no part,
        and where only a function of the user's closes it.
        """
        return None

    def dear_part(self, theta: np.ndarray) -> np.ndarray:
        """The dear part of each draw (n, P) -> (n, D) float64; only the parameters `dear` decide
        it.

        NaN where it has no solution. Raises `ParameterError` unless `has_part`.
        """
        raise ParameterError(f"World '{self.spec.name}' does not say what its dear part is.")

    def from_part(
        self, theta: np.ndarray, part: np.ndarray, horizon: int = DEFAULT_HORIZON
    ) -> np.ndarray:
        """Responses (n, S, H+1, O) of draws (n, P) whose dear part (n, D) is known, as of `irf` but
        for the rounding of the part. Whether there is a unique solution is not asked.
        """
        closure = self.closure
        if closure is None:
            raise ParameterError(f"World '{self.spec.name}' does not say how its part is closed.")
        return closure.responses(self.spec.check_theta(theta), part, horizon)

    def response_to_path(
        self,
        theta: np.ndarray,
        shocks: np.ndarray,
        horizon: int | None = None,
        *,
        on_failure: OnFailure = "raise",
    ) -> np.ndarray:
        """Responses (n, H+1, O) to a path of shocks (n, S, T), or (1, S, T) for all draws, in
        standard deviations and of either sign; in the units of `irf`.

        Each shock surprises in its own period, and none is expected. After the path no shock
        comes; H is `horizon`, or T - 1 where that is left out. The response is the path with the
        shocks minus the path without, so that one standard deviation in the first period gives
        `irf`. Raises `ParameterError` for shapes that do not fit and for a path longer than the
        horizon.
        """
        theta = self.spec.check_theta(theta)
        pulses = self._pulses(theta, shocks, horizon)
        return self._simulated_response(theta, pulses, on_failure)

    def _simulated_response(
        self, theta: np.ndarray, shocks: np.ndarray, on_failure: OnFailure
    ) -> np.ndarray:
        """What shocks (n, T, S) change on the path (n, T, O)."""
        still = self.simulate(theta, np.zeros_like(shocks), on_failure=on_failure)
        return self.simulate(theta, shocks, on_failure=on_failure) - still

    def _pulses(self, theta: np.ndarray, shocks: np.ndarray, horizon: int | None) -> np.ndarray:
        """A path of shocks as `simulate` takes it, (n, H+1, S)."""
        return pulses_of(self.spec, len(theta), shocks, horizon, self.longest_horizon)

    def draw(self, n: int, rng: np.random.Generator, group: int = 1) -> Draws:
        """n accepted draws from the prior, refused ones kept beside them with their reason.

        Values are rounded to float32 before they are accepted or refused, so that what a data set
        stores is what was solved; `group` draws in a row have the parameters `dear` in common.
        Raises `NoSolutionError` if the prior hardly ever gives a solution.
        """
        accepted: list[np.ndarray] = []
        rejected: list[np.ndarray] = []
        codes: list[np.ndarray] = []
        reasons: list[str] = []
        missing = n
        for _ in range(MAX_ROUNDS):
            if missing == 0:
                break
            theta = self.propose(missing, rng).astype(np.float32).astype(np.float64)
            if group > 1:
                k = [self.spec.index(name) for name in self.dear]
                theta[:, k] = theta[np.arange(missing) // group * group][:, k]
            status = self.status(theta)
            good = status == Status.OK
            accepted.append(theta[good])
            rejected.append(theta[~good])
            codes.append(status[~good])
            reasons += self.reasons(theta[~good], status[~good])
            missing -= int(good.sum())
            if missing == n > 0:
                self.give_up(theta, reasons)
        else:
            why = ", ".join(f"{many} {reason}" for reason, many in Counter(reasons).most_common(3))
            raise NoSolutionError(
                f"World '{self.spec.name}': {missing} of {n} draws had no solution after"
                f" {MAX_ROUNDS} rounds. Refused: {why}."
            )
        width = self.spec.n_parameters
        return Draws(
            np.concatenate([np.empty((0, width)), *accepted]),
            np.concatenate([np.empty((0, width)), *rejected]),
            np.concatenate([np.empty(0, dtype=np.uint8), *codes]),
            tuple(reasons),
        )

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n accepted draws of theta (n, P), float64 values that float32 holds exactly; `draw` also
        tells what was refused.
        """
        return self.draw(n, rng).theta

    def sample_prior(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """`sample` of the prior itself, where a world draws from wider shapes than its prior."""
        return self.sample(n, rng)

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
        check_on_failure(on_failure)
        if on_failure == "nan" or not failed.any():
            return
        theta, rows = theta[failed], np.flatnonzero(failed)
        codes = self.status(theta) if status is None else status[failed]
        counts = Counter(Status(code).label for code in codes)
        reasons = self.failures(theta) or ", ".join(
            f"{count} {reason}" for reason, count in sorted(counts.items())
        )
        values = ", ".join(
            f"{name}={value:.6g}"
            for name, value in zip(self.spec.parameter_names, theta[0], strict=True)
        )
        why = why_refused(self.spec, theta[0], codes[0])
        raise NoSolutionError(
            f"World '{self.spec.name}': {len(rows)} draw(s) without a {self.solution}"
            f" ({reasons}). The first is row {rows[0]}: {values}.{why} Ask"
            " `status(theta)` which, or pass on_failure='nan'."
        )
