"""Perfect foresight of an economy that is read from a `.mod` file: paths of its variables in
levels, at many draws and for many scenarios at once.

path        (draw, scenario, period, variable) levels, in the units of the file; period 0 is the one
            before the first, the last one the end, after the path
exogenous   (draw, scenario, period, shock) levels
solved      (draw, scenario)
theta       (draw, parameter)

Axes: n draw, S scenario, T period, V variable, K exogenous variable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import xarray as xr

from emulator.errors import NoSolutionError, ParameterError, unknown_name
from emulator.inference.asking import Asking
from emulator.inference.draws import given_once, periods_wanted, whole
from emulator.inference.foresight_answer import ForesightAnswer as ForesightAnswer
from emulator.inference.paths import shock_values
from emulator.modfile.compiling.foresight import Foresight, Paths
from emulator.modfile.compiling.kinds import LEARNING
from emulator.modfile.compiling.learning import Learning
from emulator.modfile.compiling.scenario import Given
from emulator.spec import Status
from emulator.worlds.base import check_on_failure
from emulator.worlds.filemodel import FileWorld
from emulator.worlds.modworld import ModWorld

if TYPE_CHECKING:
    from emulator.inference.draws import DrawsLike, Names

AXES = ("draw", "scenario", "period", "variable")

PARTS = ("shocks", "initial", "terminal", "controls")
"""What a scenario may give."""

LEVELS = "levels, in the units of the file: [0.1, 0.05]"
"""What the numbers of a path are."""

LATEST = 10_000
"""Periods of a path."""


@dataclass(frozen=True)
class ForesightQuestion:
    """The arguments of `Economy.perfect_foresight`."""

    draws: DrawsLike = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    shocks: Mapping[str, Any] | None = None
    initial: Mapping[str, Any] | None = None
    terminal: Mapping[str, Any] | None = None
    controls: Mapping[str, Any] | None = None
    scenarios: Mapping[str, Mapping[str, Any]] | None = None
    periods: int | None = None
    variables: Names = None
    observables: Names = None
    on_failure: str = "raise"


def perfect_foresight(asking: Asking, question: ForesightQuestion) -> xr.Dataset:
    """The paths that are asked for; see `Economy.perfect_foresight`."""
    world = asking.solver
    if not isinstance(world, FileWorld | ModWorld):
        raise ParameterError(
            f"World '{world.spec.name}' is not read from a .mod file, so that its equations are not"
            " known here; irf(shocks=...) answers with its responses to a path of shocks."
        )
    check_on_failure(question.on_failure)
    theta = asking.theta(question.draws, question.parameters, foresight=True)
    foresight = (Learning if world.model.kind is LEARNING else Foresight)(world.model)
    periods = question.periods if question.periods is None else periods_wanted(question.periods)
    if periods is not None and periods > LATEST:
        raise ParameterError(f"The path has {periods:,} periods; expected {LATEST:,} at most.")
    shown = _positions(world, question)
    named = _scenarios(question)
    known = _Known(foresight, periods if periods is not None else foresight.periods)
    givens = [known.given(name, parts, len(theta)) for name, parts in named.items()]
    answers = _solved(foresight, world.full_theta(theta), periods, givens)
    return _dataset(_Asked(asking, question, theta, tuple(named), shown), foresight, answers)


class _Asked(NamedTuple):
    asking: Asking
    question: ForesightQuestion
    theta: np.ndarray
    names: tuple[str, ...]
    shown: list[int]


def _positions(world: FileWorld | ModWorld, question: ForesightQuestion) -> list[int]:
    names = given_once(observables=question.observables, variables=question.variables)
    known = world.model.shown
    if names is None:
        return list(range(len(known)))
    wanted = [names] if isinstance(names, str) else list(dict.fromkeys(names))
    for name in wanted:
        if name not in known:
            raise unknown_name(f"variable of '{world.model.name}'", name, known)
    return [known.index(name) for name in wanted]


def _scenarios(question: ForesightQuestion) -> dict[str, dict[str, Any]]:
    """What each scenario gives, by its name; what the call itself gives holds for all."""
    base = {part: getattr(question, part) for part in PARTS if getattr(question, part) is not None}
    if question.scenarios is None:
        return {"given" if base else "file": base}
    if not isinstance(question.scenarios, Mapping) or not question.scenarios:
        raise ParameterError(
            "scenarios are a mapping of names to what each gives, such as {'cut': {'terminal':"
            " {'tau': 0.2}}}."
        )
    named: dict[str, dict[str, Any]] = {}
    for name, parts in question.scenarios.items():
        if not isinstance(parts, Mapping):
            raise ParameterError(
                f"The scenario '{name}' was given as {parts!r}; expected a mapping with some of"
                f" {', '.join(PARTS)}."
            )
        for part in parts:
            if part not in PARTS:
                raise unknown_name(f"part of the scenario '{name}'", str(part), PARTS)
        named[str(name)] = base | dict(parts)
    return named


class _Known(NamedTuple):
    """The names that a scenario may use, and the periods of a path."""

    foresight: Foresight
    periods: int

    def given(self, scenario: str, parts: Mapping[str, Any], n: int) -> Given | None:
        """A scenario as arrays for n draws. Raises `UnknownNameError`, `ParameterError`."""
        if not parts:
            return None
        for part in PARTS:
            if not isinstance(parts.get(part, {}), Mapping):
                raise ParameterError(
                    f"{part} is a mapping of names to values, {{'name': 0.1}}; found"
                    f" {parts[part]!r}."
                )
        shocks = None
        if "shocks" in parts:
            shocks = {
                name: np.repeat(self._path(name, path)[None], n, axis=0)
                for name, path in parts["shocks"].items()
            }
        variables = self.foresight.model.variables
        return Given(
            shocks=shocks,
            initial=self._values(parts.get("initial", {}), variables, "variable", n),
            terminal=self._values(
                parts.get("terminal", {}), self.foresight.exogenous, "exogenous variable", n
            ),
            controls=self._controls(parts.get("controls", {}), shocks or {}, n),
        )

    def _controls(
        self, controls: Mapping[str, Any], shocks: Mapping[str, np.ndarray], n: int
    ) -> dict[str, tuple[str, np.ndarray]]:
        """Of each variable the exogenous one that is solved for, and values (n, T')."""
        variables = self.foresight.model.variables
        pairs: dict[str, tuple[str, np.ndarray]] = {}
        for name, pair in controls.items():
            self._require(name, variables, "variable")
            if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], str):
                raise ParameterError(
                    f"The control of '{name}' was given as {pair!r}; expected the exogenous"
                    " variable that is solved for, and values from period 1 on or by period:"
                    " {'y': ('e', [1.02, 1.01])}."
                )
            shock, path = pair
            values = self._path(name, path, variables)
            self._require(shock, self.foresight.exogenous, "exogenous variable")
            for other, taken in [*((k, v[1][0]) for k, v in pairs.items() if v[0] == shock)]:
                if _both(taken, values):
                    raise ParameterError(
                        f"'{shock}' is solved for '{name}', but moves another variable, '{other}',"
                        " in the same period; expected an exogenous variable for each."
                    )
            if shock in shocks and _both(shocks[shock][0], values):
                raise ParameterError(
                    f"'{shock}' is solved for '{name}' in a period in which shocks give it a value."
                )
            pairs[name] = shock, np.repeat(values[None], n, axis=0)
        return pairs

    def _path(self, name: str, path: Any, known: Sequence[str] = ()) -> np.ndarray:
        """Values (T',) from period 1 on, NaN where none is given, by default of an exogenous
        variable.
        """
        self._require(name, known or self.foresight.exogenous, "exogenous variable")
        if isinstance(path, Mapping):
            if not path or any(not whole(period) for period in path):
                raise ParameterError(
                    f"The path of '{name}' was given as {path!r}; expected values by period, from"
                    " 1: {1: 0.1, 5: 0.2}."
                )
            numbers = shock_values(name, list(path.values()), LEVELS)
            values = np.full(max(map(int, path)), np.nan)
            for period, value in zip(path, numbers, strict=True):
                values[int(period) - 1] = value
        else:
            values = shock_values(name, path, LEVELS)
        if len(values) > self.periods:
            raise ParameterError(
                f"The path of '{name}' goes to period {len(values)}, after the last one,"
                f" {self.periods}; ask periods={len(values)} or more (on the command line"
                f" --periods {len(values)})."
            )
        return values

    def _values(
        self, values: Mapping[str, Any], known: Sequence[str], kind: str, n: int
    ) -> dict[str, np.ndarray]:
        """A number a draw for each name."""
        arrays = {}
        for name, value in values.items():
            self._require(name, known, kind)
            try:
                array = np.broadcast_to(np.asarray(value, dtype=float), n)
            except (TypeError, ValueError):
                array = np.array([np.nan])
            if not np.isfinite(array).all():
                raise ParameterError(
                    f"'{name}' was given as {value!r}; expected a finite number, or one a draw."
                )
            arrays[name] = array
        return arrays

    def _require(self, name: str, known: Sequence[str], kind: str) -> None:
        if name not in known:
            raise unknown_name(f"{kind} of '{self.foresight.model.name}'", name, known)


def _solved(
    foresight: Foresight, theta: np.ndarray, periods: int | None, givens: Sequence[Given | None]
) -> list[Paths]:
    """The paths of each scenario; those that give the same names are solved together."""
    groups: dict[Any, list[int]] = {}
    for k, given in enumerate(givens):
        groups.setdefault(_names_of(given), []).append(k)
    answers: dict[int, Paths] = {}
    n = len(theta)
    for members in groups.values():
        together = _joined([givens[k] for k in members])
        whole_answer = foresight.solve(np.tile(theta, (len(members), 1)), periods, together)
        for at, k in enumerate(members):
            rows = slice(at * n, (at + 1) * n)
            answers[k] = Paths(
                whole_answer.path[rows],
                whole_answer.exogenous[rows],
                whole_answer.status[rows],
                whole_answer.worst[rows],
            )
    return [answers[k] for k in range(len(givens))]


def _names_of(given: Given | None) -> Any:
    if given is None:
        return None
    shocks = None if given.shocks is None else tuple(given.shocks)
    controls = tuple((name, shock) for name, (shock, _) in given.controls.items())
    return shocks, tuple(given.initial), tuple(given.terminal), controls


def _both(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two paths (T,) have a value in the same period."""
    shared = min(len(first), len(second))
    return bool((np.isfinite(first[:shared]) & np.isfinite(second[:shared])).any())


def _stacked(paths: Sequence[np.ndarray]) -> np.ndarray:
    """Paths (n, T') one below the other, filled up by NaN."""
    longest = max(path.shape[1] for path in paths)
    padded = [np.pad(p, ((0, 0), (0, longest - p.shape[1])), constant_values=np.nan) for p in paths]
    return np.concatenate(padded)


def _joined(givens: Sequence[Given | None]) -> Given | None:
    """Scenarios with the same names as one of all their draws."""
    present = [given for given in givens if given is not None]
    if not present:
        return None
    first = present[0]
    shocks = None
    if first.shocks is not None:
        shocks = {}
        for name in first.shocks:
            paths = [given.shocks[name] for given in present if given.shocks is not None]
            shocks[name] = _stacked(paths)
    return Given(
        shocks,
        {name: np.concatenate([g.initial[name] for g in present]) for name in first.initial},
        {name: np.concatenate([g.terminal[name] for g in present]) for name in first.terminal},
        {
            name: (shock, _stacked([g.controls[name][1] for g in present]))
            for name, (shock, _) in first.controls.items()
        },
    )


def _dataset(asked: _Asked, foresight: Foresight, answers: Sequence[Paths]) -> xr.Dataset:
    solved = np.stack([answer.status == Status.OK for answer in answers], axis=1)
    if not solved.all() and (asked.question.on_failure == "raise" or not solved.any()):
        scenario = int(np.flatnonzero(~solved.all(axis=0))[0])
        draw = int(np.flatnonzero(~solved[:, scenario])[0])
        count = f"{(~solved).sum():,} of {solved.size:,} paths were not found; the first: "
        raise NoSolutionError(("" if solved.size == 1 else count) + answers[scenario].worst[draw])
    spec, model = asked.asking.spec, foresight.model
    scaling = asked.asking.scaling(None, None, 1.0)
    labels = asked.asking.labels(scaling, asked.question.draws, asked.theta, slice(None))
    path = np.stack([answer.path[..., asked.shown] for answer in answers], axis=1)
    periods = np.arange(path.shape[2])
    run = model.calibration.run
    return xr.Dataset(
        {
            "path": (AXES, path, {"units": "the units of the file"}),
            "exogenous": (
                ("draw", "scenario", "period", "shock"),
                np.stack([answer.exogenous for answer in answers], axis=1),
                {"units": "the units of the file"},
            ),
            "solved": (("draw", "scenario"), solved),
            "theta": (("draw", "parameter"), asked.theta),
        },
        {
            "draw": labels.draws,
            "scenario": list(asked.names),
            "period": (
                "period",
                periods,
                {"units": f"{spec.periods}; 0 is the one before the first, the last the end"},
            ),
            "variable": [model.variables[k] for k in asked.shown],
            "shock": list(foresight.exogenous),
            "parameter": list(spec.parameter_names),
        },
        labels.attributes
        | {"source": "exact solution under perfect foresight"}
        | ({"run": str(run)} if run is not None else {}),
    )
