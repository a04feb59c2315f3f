"""Options of commands in groups: several commands take the same ones, and one takes many.

A group is a frozen dataclass whose fields are options as Typer reads them:

    @dataclass(frozen=True)
    class Sampling:
        draws: Annotated[int, typer.Option(min=20, help="Draws kept a chain.")] = 1000

    @grouped
    def estimate(world: str, *, sampling: Sampling) -> None: ...

Typer and the reference of the command line see `estimate(world, draws=1000)`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, get_type_hints


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the fields of each group in the place of the parameter that is a group."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        hint = hints[parameter.name]
        if is_dataclass(hint):
            groups[parameter.name] = hint
            parameters += _parameters(hint)
        else:
            parameters.append(_by_name(parameter.name, parameter.default, hint))
    signature = inspect.Signature(parameters)

    @functools.wraps(command)
    def single(**given: Any) -> None:
        bound = signature.bind(**given)
        bound.apply_defaults()
        values = bound.arguments
        for name, group in groups.items():
            values[name] = group(**{field.name: values.pop(field.name) for field in fields(group)})
        command(**values)

    single.__signature__ = signature  # type: ignore[attr-defined]
    single.__annotations__ = {p.name: p.annotation for p in parameters}
    return single


def _parameters(group: Any) -> list[inspect.Parameter]:
    """The options of a group, in its order; those that it takes over from another one first."""
    hints = get_type_hints(group, include_extras=True)
    return [
        _by_name(
            field.name,
            inspect.Parameter.empty if field.default is MISSING else field.default,
            hints[field.name],
        )
        for field in fields(group)
    ]


def _by_name(name: str, default: Any, annotation: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )
