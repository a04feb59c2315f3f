"""A world made of a Dynare `.mod` file and the mapping beside it, `model.world.yaml`.

The state is what the model remembers and what is observed: s = (lagged variables, observed
variables), with `s = A s_1 + B e` and `y = C s`, C the gradient of the observables at the steady
state. Axes: n draw, P parameter of the world, D state, S shock.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections import abc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from emulator.errors import ModFileError, ModFileWarning, ParameterError, unknown_name, warn
from emulator.modfile import CompiledModel, load, load_text
from emulator.modfile.compiling.moments_asked import notes_on_filters, notes_on_moments
from emulator.modfile.compiling.observation import Observation, observe
from emulator.modfile.compiling.rules import decision_rules
from emulator.modfile.compiling.runs import HIGHEST_ORDER
from emulator.solvers import Solution, StateSpace, block_size, solve_linear_re
from emulator.solvers.news import Outlook
from emulator.solvers.perturbation import Rules
from emulator.spec import Status
from emulator.worlds.draws import mark_impossible
from emulator.worlds.filemodel import outlook_of
from emulator.worlds.guess import no_mapping, priors_of
from emulator.worlds.linear import LinearWorld
from emulator.worlds.mapping import (
    UNITS,
    MappedParameter,
    MappedShock,
    Mapping,
    parse_mapping,
    read_text,
)
from emulator.worlds.modspec import make_spec
from emulator.worlds.priors import Prior
from emulator.worlds.source import Source, mapping_path

WIDE = "wide"
"""Name of the setting that says which share of draws comes from wider shapes than the priors."""


@dataclass(frozen=True)
class _Block:
    """A solved block of draws: what `ModWorld` is asked for."""

    space: StateSpace
    solution: Solution


class ModWorld(LinearWorld):
    """The world of a `.mod` file.

    Raises `ModFileError` for files that cannot be read, each with its place.
    """

    wide_share = 1.0
    """Share of the draws that come from the wider shapes that a mapping may name beside its priors;
    the others come from the priors.
    """

    def __init__(self, model: CompiledModel, mapping: str) -> None:
        """A model and the text of its mapping; see `read` and `from_source`."""
        self.model = model
        self.path = model.file.path
        beside = mapping_path(self.path)
        self.source = self.texts = Source(
            file=self.path.name, text=model.file.text, mapping=mapping
        )
        self.mapping: Mapping = parse_mapping(mapping, beside.name)
        self.priors: dict[str, Prior] = dict(
            self.mapping.parameters or priors_of(self.model, beside)
        )
        self.observation: Observation = observe(
            self.model,
            {name: item.expression for name, item in self.mapping.observables.items()},
            beside.name,
        )
        if (
            self.observation.needs_steady_state
            and not self.model.needs_steady_state
            and self.model.steady.formulas is None
        ):
            raise ModFileError(
                "the observables depend on the steady state, which a model that is linear in its"
                " variables need not have. Write them as linear expressions.",
                beside.name,
            )
        if self.model.growth > 1.0:
            raise ModFileError(
                "stoch_simul(qz_criterium) calls growing responses stable; a world's fade. Remove"
                " the option.",
                self.path.name,
            )
        self.spec = make_spec(self)
        self.highest_order = 1 if self.left_out else HIGHEST_ORDER
        self.order = min(model.order, self.highest_order)
        self.moments_notes = notes_on_moments(model.calibration.run)
        self.filter_notes = notes_on_filters(model.calibration.run)
        if self.order > 1:
            self.order_notes = model.notes_on_order(1)
        else:
            for note in model.notes_on_order(1):
                warn(note, ModFileWarning)

    @classmethod
    def read(cls, path: Path, run: int | None = None) -> ModWorld:
        """The world of a file, with the mapping beside it; run: see `emulator.modfile.load`."""
        model = load(path, run)
        beside = mapping_path(path)
        if not beside.exists():
            raise no_mapping(model, beside)
        return cls(model, read_text(beside))

    @classmethod
    def from_source(cls, source: Source) -> ModWorld:
        """The same world from the texts that it was read from."""
        return cls(load_text(source.text, source.file), source.mapping)

    @property
    def notes(self) -> tuple[str, ...]:
        """What belongs to every answer: what was passed over in the file, or asked for and not
        done, and of which observables nobody gave the unit.
        """
        names = self.mapping.without_unit
        notes = (*self.model.notes, *self.model.notes_on_order(self.order))
        if self.left_out and self.model.order > 1:
            notes += (
                f"{mapping_path(self.path).name} leaves out the shocks {', '.join(self.left_out)},"
                " whose risk would be felt at second order. Name them under shocks for it.",
            )
        if not names:
            return notes
        note = (
            f"{mapping_path(self.path).name} gives no unit of {', '.join(names)}; write"
            f" {{expression: ..., unit: ...}}."
        )
        return (*notes, note)

    @property
    def sha256(self) -> str:
        """Of the model's text and of what its mapping says of the model: names the world.

        What is held out of training, from where draws come, prose, and what is declared of
        parameters and shocks are not the model. Nor are observables beyond those that worlds share:
        a world that gains some stays the same model, and each of them carries its own definition.
        """
        said = self.mapping.model_dump(
            mode="json",
            exclude={
                "title": True,
                "summary": True,
                "source": True,
                "prior": True,
                "extrapolation": True,
                "parameters": {"__all__": {"within", "moves_only", "drawn"}},
                "shocks": {"__all__": {"size", "process", "moves_only"}},
            },
        )
        said["observables"] = {
            name: {key: text for key, text in item.items() if key != "unit"}
            for name, item in said["observables"].items()
            if name in UNITS
        }
        # Left out where it is not given: data sets made before there were such entries stay valid.
        for parameter in (said["parameters"] or {}).values():
            if parameter["default"] is None:
                del parameter["default"]
        if said["frequency"] == "quarter":
            del said["frequency"]
        return hashlib.sha256(
            (self.model.file.sha256 + json.dumps(said, sort_keys=True)).encode()
        ).hexdigest()

    @cached_property
    def states(self) -> tuple[int, ...]:
        """Positions among the model's variables of those that are lagged or observed. Those that
        only observables beyond the shared ones need come last, so that a world that gains some
        keeps its state.
        """
        structure = self.model.structure
        lagged = {structure.endogenous[k] for k in structure.lag} | set(structure.exogenous)
        shared = [row for row, name in enumerate(self.mapping.observables) if name in UNITS]
        first = lagged | set(self.observation.read_by(shared))
        return (*sorted(first), *sorted(set(self.observation.variables) - first))

    @cached_property
    def shocks(self) -> dict[str, MappedShock]:
        """The world's shocks, each one of the file's that has a variance."""
        if self.mapping.shocks is None:
            return {name: MappedShock(variable=name) for name in self.model.shocks}
        for name, shock in self.mapping.shocks.items():
            if shock.variable not in self.model.shocks:
                known = ", ".join(self.model.shocks)
                raise ModFileError(
                    f"shocks.{name}: '{shock.variable}' is not a shock with a variance; those are"
                    f" {known}.",
                    mapping_path(self.path).name,
                )
        return self.mapping.shocks

    @property
    def left_out(self) -> tuple[str, ...]:
        """The file's shocks that no shock of the world stands for. Rules of higher order hold their
        risk, so that a world without them has none.
        """
        named = {shock.variable for shock in self.shocks.values()}
        return tuple(name for name in self.model.shocks if name not in named)

    def propose(self, n: int, rng: np.random.Generator) -> np.ndarray:
        priors = list(self.priors.values())
        wide = [prior.proposal if isinstance(prior, MappedParameter) else prior for prior in priors]
        if self.wide_share in (0, 1):
            return _drawn(wide if self.wide_share else priors, n, rng)
        widely = rng.random(n) < self.wide_share
        return np.where(widely[:, None], _drawn(wide, n, rng), _drawn(priors, n, rng))

    @property
    def settings(self) -> abc.Mapping[str, float]:
        """Where the mapping names wider shapes beside priors: `wide`, the share of the draws that
        come from these; the others come from the priors.
        """
        named = any(isinstance(p, MappedParameter) and p.drawn for p in self.priors.values())
        return {WIDE: self.wide_share} if named else {}

    @property
    def settings_before(self) -> abc.Mapping[str, float]:  # type: ignore[override]  # by mapping
        """Before there were wider shapes draws came from the priors."""
        return dict.fromkeys(self.settings, 0.0)

    def with_settings(self, settings: abc.Mapping[str, float]) -> ModWorld:
        """This world with another share of draws from its wider shapes; see
        `World.with_settings`.
        """
        for name, value in settings.items():
            if name not in self.settings:
                raise unknown_name(f"setting of world '{self.spec.name}'", name, self.settings)
            if not 0 <= value <= 1:
                raise ParameterError(
                    f"The setting {name} of '{self.spec.name}' is {value:g}; expected a share"
                    " between 1 (all draws from the wider shapes of the mapping) and 0 (all from"
                    " the priors)."
                )
        asked = {**self.settings, **settings}
        if asked == self.settings:
            return self
        other = copy.copy(self)
        other.wide_share = float(asked[WIDE])
        return other

    def sample_prior(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return self.with_settings(dict.fromkeys(self.settings, 0.0)).sample(n, rng)

    def status(self, theta: np.ndarray) -> np.ndarray:
        return self._joined(theta, lambda block: block.solution.status).astype(np.uint8)

    def residual(self, theta: np.ndarray) -> np.ndarray:
        return self._joined(theta, lambda block: block.solution.residual)

    def state_space(self, theta: np.ndarray) -> StateSpace:
        parts = [block.space for block in self._blocks(theta)]
        return StateSpace(
            *(np.concatenate([getattr(part, name) for part in parts]) for name in ("A", "B", "C"))
        )

    def rules(self, theta: np.ndarray, order: int) -> tuple[Rules, np.ndarray]:
        """Raises `ModFileError` where the file's run has no such answer."""
        if order > self.highest_order:
            return super().rules(theta, order)
        self.model.check_higher(order)
        full = self.full_theta(theta)
        rules, status = decision_rules(self.model, full, order)
        rules = self.observation.rules(self.model, self.model.linearise(full), rules)
        mark_impossible(self.spec, theta, status)
        return self._of_shocks(rules), status

    def _of_shocks(self, rules: Rules) -> Rules:
        """The rules by the world's shocks in place of the file's, the states as the world has
        them.
        """
        size = rules.n_states
        columns = np.concatenate([np.arange(size), size + np.array(self._shocks)])
        signs = np.concatenate([np.ones(size), self._signs])

        def turned(form: np.ndarray | None) -> np.ndarray | None:
            if form is None:
                return None
            for axis in range(2, form.ndim):
                form = np.moveaxis(form.take(columns, axis=axis), axis, -1) * signs
                form = np.moveaxis(form, -1, axis)
            return form

        states = tuple(self.states.index(k) for k in rules.states)
        names = ("first", "second", "third", "risk_slope")
        mine = {name: turned(getattr(rules, name)) for name in names}
        own = rules.of_states and self._of_shocks(rules.of_states)
        return replace(rules, states=states, of_states=own, **mine)  # type: ignore[arg-type]

    @property
    def width(self) -> int:
        return len(self.model.all_variables)

    def outlook(self, theta: np.ndarray) -> Outlook:
        """Of all variables of the file, since some that are only looked ahead at are no state."""
        theta = self.spec.check_theta(theta)
        full = self.full_theta(theta)
        at = self.model.linearise(full)
        solution = self._solve(theta).solution
        c = np.zeros((len(theta), self.spec.n_observables, self.width))
        c[:, :, : len(self.model.variables)] = self.observation.matrix(self.model, at)
        c[solution.status != Status.OK] = 0.0
        impact = solution.impact[:, :, self._shocks] * self._signs
        return outlook_of(self.model, full, StateSpace(solution.transition, impact, c))

    def full_theta(self, theta: np.ndarray) -> np.ndarray:
        """The columns of the compiled model at draws (n, P)."""
        values = dict(zip(self.spec.parameter_names, theta.T, strict=True))
        return self.model.theta(values)

    @property
    def _shocks(self) -> list[int]:
        """Positions of the world's shocks among the file's."""
        return [self.model.shocks.index(shock.variable) for shock in self.shocks.values()]

    @property
    def _signs(self) -> np.ndarray:
        return np.array([shock.sign for shock in self.shocks.values()])

    def _joined(self, theta: np.ndarray, read: Callable[[_Block], np.ndarray]) -> np.ndarray:
        return np.concatenate([read(block) for block in self._blocks(theta)])

    def _blocks(self, theta: np.ndarray) -> Iterator[_Block]:
        """Solved blocks of draws: the model's full matrices never exist for more than one."""
        theta = self.spec.check_theta(theta)
        size = block_size(len(self.model.all_variables))
        return (
            self._solve(theta[start : start + size]) for start in range(0, max(len(theta), 1), size)
        )

    def _solve(self, theta: np.ndarray) -> _Block:
        full = self.full_theta(theta)
        at = self.model.linearise(full)
        solution = (
            self.model.solve(full)
            if self.model.kind.rule
            else solve_linear_re(*at.matrices, self.model.structure)
        )
        mark_impossible(self.spec, theta, solution.status, solution.transition, solution.impact)
        states = np.array(self.states)
        of_file = states < len(self.model.variables)
        c = np.zeros((len(theta), self.spec.n_observables, len(states)))
        c[:, :, of_file] = self.observation.matrix(self.model, at)[:, :, states[of_file]]
        c[solution.status != Status.OK] = 0.0
        impact = solution.impact[:, states][:, :, self._shocks] * self._signs
        transition = solution.transition.take(states, axis=1).take(
            states, axis=2
        )  # contiguous, unlike a fancy index
        return _Block(StateSpace(transition, impact, c), solution)


def _drawn(shapes: list[Prior], n: int, rng: np.random.Generator) -> np.ndarray:
    """n draws (n, P) of each parameter from its shape."""
    return np.stack([shape.draw(n, rng) for shape in shapes], axis=1)
