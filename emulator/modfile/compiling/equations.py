"""The equations of a model as tapes: static residuals with their Jacobian, and the derivatives of
the dynamic equations.

All derivatives are taken at the steady state. What is compiled is plain data and is kept on disk by
the content of the file; a cache that is lost or damaged is remade. Axes: N draw, V variable, K
shock, P parameter.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from emulator.files import write_text
from emulator.modfile.compiling.differentiate import gradient
from emulator.modfile.compiling.symbolic import SymbolicModel
from emulator.modfile.compiling.tape import Tape, record

FORMAT = 7
"""Of the cache; raised whenever the meaning of compiled equations changes."""


class Entry(NamedTuple):
    """A derivative: of an equation with respect to a variable or shock at a shift."""

    row: int
    name: str
    shift: int


@dataclass(frozen=True)
class Equations:
    """Every tape reads variables (V), then shocks (K), then parameters (P): their steady-state
    values.
    """

    static: Tape
    static_entries: tuple[Entry, ...]
    static_jacobian: Tape
    dynamic_entries: tuple[Entry, ...]
    dynamic: Tape
    objective: Tape | None = None
    """What a planner wants in the steady state."""
    auxiliary: tuple[str, ...] = ()
    """Variables that stand for expectations; their equations follow those of the file."""

    def inputs(self, steady: np.ndarray, shocks: np.ndarray, theta: np.ndarray) -> list[Any]:
        """Columns of steady (N, V), shocks (N, K) and theta (N, P), each contiguous."""
        return [
            *np.ascontiguousarray(steady.T),
            *np.ascontiguousarray(shocks.T),
            *np.ascontiguousarray(theta.T),
        ]

    def residual(self, inputs: list[Any], n: int) -> np.ndarray:
        """Static residuals (N, V), NaN where the objective of a planner is not a number: what is
        not defined there is no optimum.
        """
        values = np.stack([np.broadcast_to(value, n) for value in self.static(inputs)], axis=1)
        if self.objective is not None:
            (wanted,) = self.objective(inputs)
            values[~np.broadcast_to(np.isfinite(wanted), n)] = np.nan
        return values

    def jacobian(self, inputs: list[Any], n: int, columns: dict[str, int]) -> np.ndarray:
        """Derivatives (N, V, V) of the static residuals."""
        return fill(self.static_entries, self.static_jacobian(inputs), n, len(columns), columns)

    @cached_property
    def read(self) -> set[int]:
        """Positions of the inputs that the derivatives depend on."""
        return self.dynamic.used()

    def dump(self) -> dict[str, Any]:
        return {
            "static": self.static.dump(),
            "static_entries": self.static_entries,
            "static_jacobian": self.static_jacobian.dump(),
            "dynamic_entries": self.dynamic_entries,
            "dynamic": self.dynamic.dump(),
            "objective": None if self.objective is None else self.objective.dump(),
            "auxiliary": self.auxiliary,
        }

    @classmethod
    def parse(cls, data: dict[str, Any]) -> Equations:
        """The equations of `dump`.

        Raises `ValueError`, `KeyError` or `TypeError` if the data are not such.
        """
        static, dynamic = (
            tuple(Entry(int(row), str(name), int(shift)) for row, name, shift in data[key])
            for key in ("static_entries", "dynamic_entries")
        )
        tapes = {key: Tape.parse(data[key]) for key in ("static", "static_jacobian", "dynamic")}
        if len(static) != len(tapes["static_jacobian"].outputs) or len(dynamic) != len(
            tapes["dynamic"].outputs
        ):
            raise ValueError("entries and outputs of a tape differ in number")
        return cls(
            static=tapes["static"],
            static_entries=static,
            static_jacobian=tapes["static_jacobian"],
            dynamic_entries=dynamic,
            dynamic=tapes["dynamic"],
            objective=None if data["objective"] is None else Tape.parse(data["objective"]),
            auxiliary=tuple(map(str, data["auxiliary"])),
        )


def fill(
    entries: Sequence[Entry], values: list[Any], n: int, height: int, columns: dict[str, int]
) -> np.ndarray:
    """A stack (N, height, width) with each value in the row and column of its entry."""
    stack = np.zeros((n, height, len(columns)))
    for entry, value in zip(entries, values, strict=True):
        stack[:, entry.row, columns[entry.name]] = value
    return stack


def compile_equations(
    model: SymbolicModel, variables: Sequence[str], shocks: Sequence[str], parameters: Sequence[str]
) -> Equations:
    """Differentiate the model and record the tapes."""
    names = model.names
    graph = names.graph
    inputs = [
        *(names.at(v, 0) for v in variables),
        *(names.at(k, 0) for k in shocks),
        *(names.parameter(p) for p in parameters),
    ]
    static_entries, static_values = _derivatives(model, model.static, names.variables)
    dynamic_entries, dynamic_values = _derivatives(
        model, model.dynamic, names.variables | names.shocks | set(model.auxiliary)
    )
    return Equations(
        static=record(graph, inputs, model.static),
        static_entries=static_entries,
        static_jacobian=record(graph, inputs, static_values),
        dynamic_entries=dynamic_entries,
        dynamic=record(graph, inputs, dynamic_values, model.today()),
        objective=(None if model.objective is None else record(graph, inputs, [model.objective])),
        auxiliary=model.auxiliary,
    )


def _derivatives(
    model: SymbolicModel, residuals: Sequence[int], moving: frozenset[str]
) -> tuple[tuple[Entry, ...], list[int]]:
    """Every derivative that is not identically zero, ordered by equation, then by name and date."""
    entries: list[Entry] = []
    values: list[int] = []
    for row, residual in enumerate(residuals):
        dates = model.names.dates_in(residual)
        symbols = sorted((s for s in dates if dates[s][0] in moving), key=dates.__getitem__)
        for symbol, value in gradient(model.names.graph, residual, symbols).items():
            entries.append(Entry(row, *dates[symbol]))
            values.append(value)
    return tuple(entries), values


def folder() -> Path:
    """`$EMULATOR_CACHE`, else `emulator/modfile` in the user's cache folder (`$XDG_CACHE_HOME`, by
    default `~/.cache`).
    """
    chosen = os.environ.get("EMULATOR_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "emulator" / "modfile"


def compiled(sha256: str, make: Callable[[], Equations]) -> Equations:
    """The equations of the model of that hash: read if they are kept, else made and kept."""
    with suppress(
        OSError, RuntimeError, ValueError, KeyError, TypeError
    ):  # RuntimeError: a user without a home
        return Equations.parse(
            json.loads(_checked((folder() / _name(sha256)).read_text(encoding="utf-8")))
        )
    equations = make()
    text = json.dumps(equations.dump())
    with suppress(
        OSError, RuntimeError
    ):  # no room or no right to write: the cache is a convenience
        write_text(folder() / _name(sha256), f"{_digest(text)}\n{text}")
    return equations


def _name(sha256: str) -> str:
    return f"{sha256}.v{FORMAT}.json"


def _checked(text: str) -> str:
    """What stands below the first line, which is its digest: a changed digit must not become an
    answer.
    """
    digest, _, rest = text.partition("\n")
    if digest != _digest(rest):
        raise ValueError("the cached equations were altered")
    return rest


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
