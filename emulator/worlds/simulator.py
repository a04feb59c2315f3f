"""A world of one's own: any function from parameters to responses, with names, ranges and units.

Axes: n draw, P parameter, S shock, H horizon, T period, O observable, D state.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from emulator.errors import NoSolutionError, ParameterError, SimulatorError, printable
from emulator.solvers import StateSpace
from emulator.spec import DEFAULT_HORIZON, Extrapolation, Frequency, Status
from emulator.worlds.base import OnFailure, World
from emulator.worlds.calls import RESPONSES, Call, Failure, Memory, code_of, place_of
from emulator.worlds.draws import mark_impossible
from emulator.worlds.tables import spec_of

DRAWS_ONE_BY_ONE = 64
"""Rows of a shard at most where a function answers for one draw at a time: it may be slow."""

HOPELESS = 8
"""Draws after which drawing ends if every one of them ended in the same exception."""

MOST_KINDS = 3
"""Reasons of failures that a message names."""

HOPELESS_PRIOR = 1000
"""Draws after which drawing ends if not one of them had an answer."""


class Simulator(World):
    """A world that a function of the user's answers for.

    function: theta (n, P) -> responses (n, S, H+1, O) in float64 to shocks of one standard
        deviation, each in its observable's unit; [.., 0, :] is the impact period. With
        batched=False one draw at a time: theta (P,) -> (S, H+1, O). Where it has an argument
        `horizon` it is told H; else it answers to H = `horizon`, and shorter ones are cut from it.
    parameters: a list of `Parameter`, or a table of names: (low, high), or a table with low, high
        and default, unit, meaning, role, bounds; shocks: names, or a table of meanings;
        observables: names, or a table of units.
    linear: whether responses are proportional to the size of a shock; status: theta -> whether
        there is a solution (bool, or codes of `Status`), which spares the function hopeless draws;
        simulate: theta, shocks (n, T, S) -> paths (n, T, O); state_space: theta -> A, B, C of
        `s = A s_1 + B e, y = C s`, for which `states` names s; prior: n, generator -> theta (n, P),
        by default uniform over the ranges. These functions take draws as `function` does.
    draws_per_task: rows that generation solves and stores at a time; few where a draw is dear.
    dear: parameters that are dear to change, where the function remembers what it solved for them;
        `emulator generate --draws-per-group` draws the others several times for each.

    An exception in a draw, or an answer that is not finite, is a draw without a solution, of the
    status `not_converged`; its reason is counted and shown. Raises `SimulatorError` for
    declarations that contradict each other and for answers of another shape.

    On the command line a simulator is named by its file and its name there, `mysim.py:economy`.
    """

    solution = "finite response"
    may_fail_late = True

    def __init__(
        self,
        function: Callable[..., Any],
        parameters: Any,
        shocks: Any,
        observables: Any,
        *,
        name: str = "",
        horizon: int = DEFAULT_HORIZON,
        frequency: Frequency = "quarter",
        batched: bool = True,
        linear: bool = False,
        status: Callable[..., Any] | None = None,
        simulate: Callable[..., Any] | None = None,
        state_space: Callable[..., Any] | None = None,
        states: Sequence[str] = (),
        prior: Callable[[int, np.random.Generator], Any] | None = None,
        draws_per_task: int | None = None,
        dear: Sequence[str] = (),
        extrapolation: Extrapolation | None = None,
        title: str = "",
        source: str = "",
    ) -> None:
        self.function = function
        self._responses = Call(function, ["theta"], batched, RESPONSES)
        self._status = _call(status, ["theta"], batched, "status")
        self._paths = _call(simulate, ["theta", "shocks"], batched, "simulate")
        self._matrices = _call(state_space, ["theta"], batched, "state_space")
        self._prior = prior
        self.batched = batched
        self.horizon = _whole("horizon", horizon)
        self.takes_horizon = "horizon" in self._responses.keywords
        self.longest_horizon = None if self.takes_horizon else self.horizon
        usual = World.draws_per_task if batched else DRAWS_ONE_BY_ONE
        self.draws_per_task = _whole("draws_per_task", draws_per_task or usual)
        self.has_state_space = state_space is not None
        self.has_trajectories = simulate is not None or (linear and self.takes_horizon)
        self.spec = spec_of(
            function,
            parameters,
            shocks,
            observables,
            name=name or self._responses.name,
            title=title,
            source=source,
            frequency=frequency,
            linear=linear,
            states=tuple(states),
            own_prior=prior is not None,
            extrapolation=extrapolation,
        )
        if self.has_state_space != bool(states):
            has = "a state_space and no states" if states == () else "states and no state_space"
            raise SimulatorError(
                f"Simulator '{self.spec.name}' has {has}; give both: the function, and the names of"
                " the entries of its state."
            )
        self.dear = tuple(self.spec.parameters[self.spec.index(name)].name for name in dear)
        self._memory = Memory()
        self._late = Memory()

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """The function itself, as the user wrote it."""
        return self.function(*arguments, **keywords)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """By name where the simulator stands in the place of its function in a module, as one that
        is decorated does; else piece by piece.
        """
        module = getattr(self.function, "__module__", "")
        name = getattr(self.function, "__qualname__", "")
        if getattr(sys.modules.get(module), name, None) is self:
            return _attribute, (module, name)
        return super().__reduce_ex__(protocol)

    @property
    def lacks(self) -> tuple[str, ...]:
        """What was not declared, and what that costs, in sentences."""
        costs = []
        if self._status is None:
            costs.append(
                "no status: whether a draw has a solution is known only by calling the function,"
                " and every failure is 'not_converged'."
            )
        if not self.has_trajectories:
            costs.append(
                "no simulate: `simulate` is not available, nor paths of shocks unless `linear`, and"
                " data sets hold no trajectories."
            )
        if not self.has_state_space:
            costs.append(
                "no state_space: the likelihood of data, filters and the matrices in data sets are"
                " not available."
            )
        if not self.takes_horizon:
            costs.append(
                f"no argument `horizon`: responses end at horizon {self.horizon}, and whether they"
                " fade is not checked."
            )
        return tuple(costs)

    def propose(self, n: int, rng: np.random.Generator) -> np.ndarray:
        spec = self.spec
        if self._prior is None:
            return rng.uniform(spec.low, spec.high, size=(n, spec.n_parameters))
        try:
            drawn = np.asarray(self._prior(n, rng), dtype=np.float64)
        except Exception as error:
            place = place_of(error, code_of(self._prior))
            raise SimulatorError(
                f"The prior of '{spec.name}' raised {type(error).__name__}:"
                f" {printable(str(error))}{f' ({place})' if place else ''}."
            ) from None
        if drawn.shape != (n, spec.n_parameters) or not np.isfinite(drawn).all():
            raise SimulatorError(
                f"The prior of '{spec.name}' gave an array of shape {drawn.shape} for {n} draws;"
                f" expected finite numbers of shape ({n}, {spec.n_parameters})."
            )
        return drawn

    def status(self, theta: np.ndarray) -> np.ndarray:
        return self._answered(self.spec.check_theta(theta), self.horizon)[0]

    def irf(
        self, theta: np.ndarray, horizon: int = DEFAULT_HORIZON, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        last = self.longest_horizon
        if horizon < 0 or (last is not None and horizon > last):
            raise ParameterError(
                f"The horizon is {horizon}; world '{self.spec.name}' answers to horizons 0 (the"
                f" impact period alone) to {'any' if last is None else last}."
            )
        theta = self.spec.check_theta(theta)
        status, irf = self._answered(theta, horizon)
        self._refuse(theta, status != Status.OK, on_failure, status)
        return irf

    def simulate(
        self, theta: np.ndarray, shocks: np.ndarray, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        theta = self.spec.check_theta(theta)
        shocks = self._check_shocks(theta, shocks)
        if not self.has_trajectories:
            raise ParameterError(
                f"World '{self.spec.name}' has no `simulate`, so that there are no paths. Give the"
                " simulator a function simulate(theta, shocks) -> (n, T, O), or declare"
                " linear=True and let its function take `horizon`."
            )
        if self._paths is None:
            return self._simulated_response(theta, shocks, on_failure)
        status = self.status(theta)
        self._refuse(theta, status != Status.OK, on_failure, status)
        paths = np.full((*shocks.shape[:2], self.spec.n_observables), np.nan)
        rows = np.flatnonzero(status == Status.OK)
        answers = self._paths([theta[rows], shocks[rows]], [paths.shape[1:]])
        self._late.fail(theta[rows], answers.failures)
        for row, failure in answers.failures.items() if on_failure == "raise" else ():
            values = self._in_words(theta[rows[row]])
            raise SimulatorError(
                f"simulate of world '{self.spec.name}' fails at row {rows[row]}, which has"
                f" responses: {failure.sentence}. The draw is {values}. Refuse such draws in"
                " `status`, or pass on_failure='nan'."
            )
        paths[rows] = answers.arrays[0]
        return paths

    def _simulated_response(
        self, theta: np.ndarray, shocks: np.ndarray, on_failure: OnFailure
    ) -> np.ndarray:
        """Of a linear simulator the sum of its responses, each from its own period on."""
        if not self.spec.linear:
            return super()._simulated_response(theta, shocks, on_failure)
        periods = shocks.shape[1]
        irf = self.irf(theta, max(periods - 1, 0), on_failure=on_failure)
        paths = np.zeros((len(theta), periods, self.spec.n_observables))
        for lag in range(periods):
            paths[:, lag:] += np.einsum("nts,nso->nto", shocks[:, : periods - lag], irf[:, :, lag])
        return paths

    def state_space(self, theta: np.ndarray) -> StateSpace:
        theta, spec = self.spec.check_theta(theta), self.spec
        if self._matrices is None:
            return super().state_space(theta)
        size, status = len(spec.states), self.status(theta)
        shapes = [(size, size), (size, spec.n_shocks), (spec.n_observables, size)]
        ok = status == Status.OK
        arrays = [np.full((len(theta), *shape), np.nan) for shape in shapes]
        answers = self._matrices([theta[ok]], shapes)
        self._late.fail(theta[ok], answers.failures)
        for whole, part in zip(arrays, answers.arrays, strict=True):
            whole[ok] = part
        return StateSpace(*arrays)

    def explain(self, theta: np.ndarray) -> str:
        """The reason for which the function fails at a draw (1, P)."""
        self.status(theta)
        failure = self._memory.failure(theta[0])
        return failure.text if failure is not None else ""

    def failures(self, theta: np.ndarray) -> str:
        """Why the function has no answers at draws (n, P): of those that differ in numbers alone
        the first, and how many there are.
        """
        by_kind: dict[str, list[str]] = {}
        for draw, code in zip(theta, self.status(theta), strict=True):
            failure = self._failure(draw)
            status = Status(code)
            said = f"{status.label}: {status.meaning}" if failure is None else failure.sentence
            kind = said if failure is None else failure.kind
            by_kind.setdefault(kind, []).append(said)
        sentences = [
            said[0] if len(said) == 1 else f"{said[0]}, and alike at {len(said) - 1} more"
            for said in by_kind.values()
        ]
        more = len(sentences) - MOST_KINDS
        return "; ".join(sentences[:MOST_KINDS]) + (f"; {more} other reasons" if more > 0 else "")

    def reasons(self, theta: np.ndarray, status: np.ndarray) -> list[str]:
        labels = super().reasons(theta, status)
        failures = map(self._failure, theta)
        return [
            f"{label}: {failure.kind}" if failure is not None else label
            for label, failure in zip(labels, failures, strict=True)
        ]

    def give_up(self, theta: np.ndarray, reasons: Sequence[str]) -> None:
        if len(reasons) < HOPELESS or (len(set(reasons)) > 1 and len(reasons) < HOPELESS_PRIOR):
            return
        failure = self._failure(theta[-1])
        if len(reasons) >= HOPELESS_PRIOR or (failure is not None and failure.raised):
            said = failure.sentence if failure else reasons[-1]
            why = f"at the last, {self._in_words(theta[-1])}, {said}"
            raise NoSolutionError(
                f"World '{self.spec.name}': none of the first {len(reasons)} draws of its prior has"
                f" an answer; {why}."
            )

    def _failure(self, draw: np.ndarray) -> Failure | None:
        """Why a draw (P,) has no responses, or no path, where that is remembered."""
        return self._memory.failure(draw) or self._late.failure(draw)

    def _in_words(self, draw: np.ndarray) -> str:
        """A draw (P,) as a message shows it."""
        pairs = zip(self.spec.parameter_names, draw, strict=True)
        return ", ".join(f"{name}={value:.6g}" for name, value in pairs)

    def run(self, theta: np.ndarray, horizon: int) -> tuple[np.ndarray, dict[int, Failure]]:
        """What the function answers at theta (n, P), (n, S, H+1, O), NaN where it fails, and why by
        row; nothing is remembered.
        """
        spec = self.spec
        last = horizon if self.takes_horizon else self.horizon
        keywords = {"horizon": horizon} if self.takes_horizon else {}
        shape = (spec.n_shocks, last + 1, spec.n_observables)
        answers = self._responses([theta], [shape], **keywords)
        return answers.arrays[0][:, :, : horizon + 1], answers.failures

    def _answered(self, theta: np.ndarray, horizon: int) -> tuple[np.ndarray, np.ndarray]:
        """Status (n,) and responses (n, S, H+1, O), NaN where the status is not ok."""
        spec = self.spec
        status = np.full(len(theta), Status.OK, dtype=np.uint8)
        irf = np.full((len(theta), spec.n_shocks, horizon + 1, spec.n_observables), np.nan)
        mark_impossible(spec, theta, status)
        if self._status is not None:
            rows = np.flatnonzero(status == Status.OK)
            status[rows] = self._declared_status(theta[rows])
        rows = np.flatnonzero(status == Status.OK)
        irf[rows], failures = self._recall(theta[rows], horizon)
        status[rows[[failure is not None for failure in failures]]] = Status.NOT_CONVERGED
        return status, irf

    def _declared_status(self, theta: np.ndarray) -> np.ndarray:
        """Codes (n,) of the function `status`; what it fails at is not converged."""
        assert self._status is not None
        answers = self._status([theta], [()])
        codes = answers.arrays[0]
        if self._status.boolean:
            codes = np.where(codes > 0, Status.OK, Status.NOT_CONVERGED)
        codes[list(answers.failures)] = Status.NOT_CONVERGED
        self._memory.fail(theta, answers.failures)
        strange = ~np.isin(codes, [int(code) for code in Status])
        if strange.any():
            raise SimulatorError(
                f"status of world '{self.spec.name}' gives {codes[strange][0]:g}; expected True and"
                " False, or codes of emulator.spec.Status."
            )
        return codes.astype(np.uint8)

    def _recall(self, theta: np.ndarray, horizon: int) -> tuple[np.ndarray, list[Failure | None]]:
        """Responses (n, S, H+1, O) and failures by row, of the function or remembered."""
        spec, memory = self.spec, self._memory
        irf = np.full((len(theta), spec.n_shocks, horizon + 1, spec.n_observables), np.nan)
        failures = [memory.failure(row) for row in theta]
        new = []
        for k, row in enumerate(theta):
            known = memory.irf(row, horizon) if failures[k] is None else None
            if known is not None:
                irf[k] = known[:, : horizon + 1]
            elif failures[k] is None:
                new.append(k)
        if new:
            full, failed = self.run(theta[new], max(horizon, self.horizon))
            memory.keep(theta[new], full, failed)
            irf[new] = full[:, :, : horizon + 1]
            for position, failure in failed.items():
                failures[new[position]] = failure
        return irf, failures


def _call(
    function: Callable[..., Any] | None, arguments: Sequence[str], batched: bool, role: str
) -> Call | None:
    return None if function is None else Call(function, arguments, batched, role)


def _attribute(module: str, name: str) -> Any:
    """What a module holds under a name: a simulator, in the process that unpickles it."""
    return getattr(importlib.import_module(module), name)


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise SimulatorError(f"{name} is {value!r}; expected a whole number, 1 or more.")
    return value


def simulator(
    *, parameters: Any, shocks: Any, observables: Any, **declared: Any
) -> Callable[[Callable[..., Any]], Simulator]:
    """A decorator that makes a function from parameters to responses a world; see `Simulator`.

    @emulator.simulator(parameters={"rho": (0.1, 0.9)}, shocks=["demand"], observables=["sales"])
    def economy(theta): ...
    """
    return lambda function: Simulator(function, parameters, shocks, observables, **declared)
