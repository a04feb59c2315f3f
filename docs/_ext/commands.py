"""The command line as Markdown, read from the signatures of the commands themselves."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import typer

from emulator import cli

KINDS = {int: "INTEGER", float: "NUMBER", str: "TEXT", Path: "PATH"}


@dataclass(frozen=True)
class Option:
    """An argument or option: how it is typed in, its default in words, what it means."""

    names: tuple[str, ...]
    value: str
    default: str
    help: str

    @property
    def needed(self) -> bool:
        return self.default == "needed"

    @property
    def row(self) -> str:
        names = ", ".join(f"`{name}`" for name in self.names) + (
            f" `{self.value}`" if self.value else ""
        )
        return f"| {names} | {self.default} | {self.help} |".replace(
            "[NAME | check NAME]", "[NAME \\| check NAME]"
        )


def reference() -> str:
    """A section a command: usage, what it does, its arguments and options."""
    return "\n".join(_section(cli.function_of(name)) for name in cli.COMMANDS)


def _section(command: Callable[..., Any]) -> str:
    name = command.__name__.rstrip("_")  # a word of Python cannot name a function
    parameters = inspect.signature(command, eval_str=True).parameters.values()
    options = [_option(parameter) for parameter in parameters]
    usage = [
        "emulator",
        name,
        *(f"{o.names[0]} {o.value}".strip() for o in options if o.needed),
        "[OPTIONS]",
    ]
    rows = "\n".join(option.row for option in options)
    return (
        f"## `emulator {name}`\n\n   "
        f" {' '.join(usage)}\n\n{inspect.cleandoc(command.__doc__ or '')}\n\n| | default |"
        f" |\n|---|---|---|\n{rows}\n"
    )


def _option(parameter: inspect.Parameter) -> Option:
    kind, info = get_args(parameter.annotation)[:2]
    plain = next(
        (
            k
            for k in [
                kind,
                *get_args(kind),
                *(inner for part in get_args(kind) for inner in get_args(part)),
            ]
            if k in KINDS
        ),
        None,
    )
    words = (info.default, *(info.param_decls or ()))  # typer keeps the first as a default
    declared = tuple(
        name
        for word in words
        if isinstance(word, str) and word.startswith("-")
        for name in word.split("/")  # an option that is on or off has two names
    )
    if isinstance(info, typer.models.ArgumentInfo):
        names = (info.metavar or parameter.name.upper(),)
        value = ""
    else:
        names = declared or (f"--{parameter.name.replace('_', '-')}",)
        value = "" if kind is bool else info.metavar or KINDS[plain or str]
    return Option(names, value, _default(parameter.default), info.help or "")


def _default(value: Any) -> str:
    if value is inspect.Parameter.empty:
        return "needed"
    if value is True:
        return "on"
    return "" if value in (None, False, "") else f"`{value}`"
