"""The spec of a simulator, from the plain tables of parameters, shocks and observables that a user
writes.
"""

from __future__ import annotations

import inspect
import math
import numbers
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from emulator.declarations import Record
from emulator.errors import SimulatorError, UnknownNameError, first_error, nearest
from emulator.spec import (
    UNKNOWN_UNIT,
    Extrapolation,
    Observable,
    Parameter,
    Shock,
    WorldSpec,
)
from emulator.worlds.calls import in_short

Entry = TypeVar("Entry", Parameter, Shock, Observable)

PARAMETER_KEYS = (
    "low",
    "high",
    "default",
    "unit",
    "meaning",
    "role",
    "bounds",
    "tex",
    "moves_only",
)
SHOCK_KEYS = ("meaning", "size", "process", "tex", "moves_only")
OBSERVABLE_KEYS = ("unit", "meaning", "tex")

WORLD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")

RANGE = "(low, high), or a table with low, high and, if wanted, " + ", ".join(PARAMETER_KEYS[2:])


NO_SOURCE = "a function in Python"
"""Source of a simulator that names none."""

UNIFORM = (
    "Independent and uniform over the ranges; draws without an answer are refused and redrawn."
)
OWN_PRIOR = "Drawn by a function of its own; draws without an answer are refused and redrawn."


def spec_of(
    function: Callable[..., Any],
    parameters: Any,
    shocks: Any,
    observables: Any,
    *,
    name: str,
    own_prior: bool,
    extrapolation: Extrapolation | None,
    title: str,
    source: str,
    **fields: Any,
) -> WorldSpec:
    """The spec of a simulator: its tables, and a title and a summary from its function's text.

    Raises `SimulatorError`.
    """
    if not WORLD_NAME.fullmatch(name):
        raise SimulatorError(
            f"The simulator is named {in_short(name)}; expected letters, digits and underscores, a"
            " letter first. Give it another with name='...'."
        )
    shock_records = shocks_of(shocks)
    records = parameters_of(parameters, shock_records)
    endless = [p.name for p in records if not math.isfinite(p.low) or not math.isfinite(p.high)]
    if endless and not own_prior:
        raise SimulatorError(
            f"The range of parameter '{endless[0]}' has no end, so that nothing can be drawn"
            " uniformly; give it ends, or the simulator a `prior`."
        )
    names = [record.name for record in records]
    first, rest = _docstring(function)
    try:
        return WorldSpec(
            name=name,
            title=title or first or name.replace("_", " "),
            summary=rest or "A model in Python.",
            source=source or NO_SOURCE,
            prior=OWN_PRIOR if own_prior else UNIFORM,
            parameters=records,
            shocks=shock_records,
            observables=observables_of(observables),
            extrapolation=extrapolation
            or Extrapolation(
                slice_parameters=(names[0],),
                corner_parameters=tuple(names[1:3]) or (names[0],),
            ),
            **fields,
        )
    except ValidationError as error:
        message = first_error(error).removeprefix(f"{name}: ")
        raise SimulatorError(f"Simulator '{name}': {message}.") from None
    except UnknownNameError as error:
        raise SimulatorError(f"Simulator '{name}': {error}") from None


def _docstring(function: Callable[..., Any]) -> tuple[str, str]:
    """First line and rest of what a function says of itself."""
    text = inspect.getdoc(function) if hasattr(function, "__code__") else None
    first, _, rest = (text or "").partition("\n")
    return first.strip().rstrip("."), " ".join(rest.split())


def parameters_of(table: Any, shocks: Sequence[Shock]) -> tuple[Parameter, ...]:
    """Parameters from a list of `Parameter`, or a table of names: (low, high), or a table of its
    own.

    A default that is left out is the middle of the range. A parameter that a shock names as its
    size or process has that role. Raises `SimulatorError`.
    """
    roles = {shock.size: "shock_size" for shock in shocks if shock.size}
    roles |= {name: "persistence" for shock in shocks for name in shock.process or ()}
    parameters = []
    for name, entry in _entries(table, "parameters", Parameter):
        if isinstance(entry, Parameter):
            parameters.append(entry)
            continue
        fields = _range(name, entry)
        low, high = (_number(name, end, fields.get(end)) for end in ("low", "high"))
        if not low < high:
            raise SimulatorError(
                f"Parameter '{name}' ranges from {low:g} to {high:g}; expected the lower end first."
            )
        middle = (low + high) / 2 if math.isfinite(low + high) else None
        given = {
            **fields,
            "low": low,
            "high": high,
            "default": _number(name, "default", fields.get("default", middle)),
            "role": fields.get("role", roles.get(name, "constant")),
            "unit": fields.get("unit", UNKNOWN_UNIT),
        }
        parameters.append(_validated(Parameter, name, given))
    return tuple(parameters)


def shocks_of(table: Any) -> tuple[Shock, ...]:
    """Shocks from a list of names or `Shock`, or a table of names: a meaning, or a table of its
    own with meaning, size and process. Raises `SimulatorError`.
    """
    return tuple(
        entry
        if isinstance(entry, Shock)
        else _validated(Shock, name, _fields(f"shock '{name}'", entry, SHOCK_KEYS, "meaning"))
        for name, entry in _entries(table, "shocks", Shock)
    )


def observables_of(table: Any) -> tuple[Observable, ...]:
    """Observables from a list of names or `Observable`, or a table of names: a unit, or a table of
    its own with unit and meaning. A unit that is left out is unknown. Raises `SimulatorError`.
    """
    observables = []
    for name, entry in _entries(table, "observables", Observable):
        if isinstance(entry, Observable):
            observables.append(entry)
            continue
        fields = _fields(f"observable '{name}'", entry, OBSERVABLE_KEYS, "unit")
        observables.append(_validated(Observable, name, {"unit": UNKNOWN_UNIT, **fields}))
    return tuple(observables)


def _entries(table: Any, what: str, kind: type[Record]) -> list[tuple[str, Any]]:
    """Names and what is said of each; a name alone says nothing, and a record has its name."""
    if isinstance(table, Mapping):
        pairs: Iterable[tuple[Any, Any]] = table.items()
    elif isinstance(table, str) or not isinstance(table, Iterable):
        raise SimulatorError(
            f"The {what} are {in_short(table)}; expected a list, or a table of names."
        )
    else:
        pairs = [(item.name, item) if isinstance(item, kind) else (item, None) for item in table]  # type: ignore[attr-defined]
    entries: list[tuple[str, Any]] = []
    for name, entry in pairs:
        if not isinstance(name, str) or not name.isidentifier():
            raise SimulatorError(
                f"One of the {what} is named {in_short(name)}; expected letters, digits and"
                " underscores, a letter first."
            )
        if name in dict(entries):
            raise SimulatorError(f"The {what} name '{name}' twice.")
        entries.append((name, entry))
    if not entries:
        raise SimulatorError(f"There are no {what}; expected one at least.")
    return entries


def _range(name: str, entry: Any) -> dict[str, Any]:
    """The fields of a parameter's entry."""
    if isinstance(entry, Mapping):
        return _fields(f"parameter '{name}'", entry, PARAMETER_KEYS, "")
    if isinstance(entry, Sequence) and not isinstance(entry, str) and len(entry) == 2:
        return {"low": entry[0], "high": entry[1]}
    raise SimulatorError(f"Parameter '{name}' is given as {in_short(entry)}; expected {RANGE}.")


def _fields(what: str, entry: Any, known: Sequence[str], alone: str) -> dict[str, Any]:
    """The fields of an entry; a text is that of the field `alone`."""
    if entry is None:
        return {}
    if isinstance(entry, str) and alone:
        return {alone: entry}
    if not isinstance(entry, Mapping):
        raise SimulatorError(
            f"The {what} is given as {in_short(entry)}; expected its {alone}, or a table with"
            f" {', '.join(known)}."
        )
    for key in entry:
        if key not in known:
            raise SimulatorError(
                f"The {what} has an entry {in_short(key)}. {nearest(str(key), known)}"
            )
    return dict(entry)


def _number(name: str, key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or math.isnan(value):
        raise SimulatorError(
            f"Parameter '{name}' has the {key} {in_short(value)}; expected a number."
            if value is not None
            else f"Parameter '{name}' has no {key}; expected {RANGE}."
        )
    return float(value)


def _validated(kind: type[Entry], name: str, fields: Mapping[str, Any]) -> Entry:
    words = name.replace("_", " ")
    plain = r"\mathrm{" + name.replace("_", r"\_") + "}"
    try:
        return kind.model_validate({"tex": plain, "meaning": words, **fields, "name": name})
    except ValidationError as error:
        message = first_error(error).removeprefix(f"{name}: ")
        raise SimulatorError(f"{kind.__name__} '{name}': {message}.") from None
