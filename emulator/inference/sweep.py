"""Parameters on the command line: a value, a list, or a range of values for each.

--set phi_pi=1.5                  one value
--set phi_pi=1.1,1.5,2            three values, a draw each
--set phi_pi=1.1:2.5:15           fifteen values from 1.1 to 2.5, evenly spaced
--set phi_pi=1.1,1.5 --set kappa=0.1,0.2          two draws: the lists go in step
--set phi_pi=1.1,1.5 --set kappa=0.1,0.2 --grid   four draws: each value with each
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from emulator.errors import ParameterError

MOST_DRAWS = 100_000
"""Draws of one command; more is a slip of the keyboard."""

SET_HELP = (
    "A parameter: name=value, a list name=1,2,3, or a range name=low:high:count. May be repeated;"
    " the rest is at its default."
)
GRID_HELP = "Each value of one --set with each of another, instead of lists in step."


def pair(item: str) -> tuple[str, str]:
    """Name and value of an option of the form name=value. Raises `ParameterError`."""
    name, sign, value = item.partition("=")
    if not sign:
        raise ParameterError(f"'{item}' is not of the form name=value.")
    return name.strip(), value


def swept(pairs: Sequence[str], grid: bool) -> dict[str, Any]:
    """Columns by name: text where one value is given, else numbers, one a draw.

    Raises `ParameterError` for a name that comes twice, for text that is no number in a list or
    range, for lists in step of different lengths, and for too many draws.
    """
    texts = dict(map(pair, pairs))
    if len(texts) < len(pairs):
        raise ParameterError(
            f"--set names a parameter twice, in {', '.join(pairs)}; expected each at most once,"
            " with a list (name=1,2,3) for several values."
        )
    columns: dict[str, Any] = {
        name: _numbers(name, text) if "," in text or ":" in text else text
        for name, text in texts.items()
    }
    lists = {name: values for name, values in columns.items() if not isinstance(values, str)}
    lengths = {name: len(values) for name, values in lists.items()}
    _check_number(lengths, grid)
    if grid:
        combined = list(itertools.product(*lists.values()))
        columns |= {
            name: np.array([values[k] for values in combined]) for k, name in enumerate(lists)
        }
    return columns


def _check_number(lengths: dict[str, int], grid: bool) -> None:
    if not grid and len(set(lengths.values())) > 1:
        counts = ", ".join(f"{count} of {name}" for name, count in lengths.items())
        raise ParameterError(
            f"The lists of --set differ in length: {counts}. Lists go in step; --grid takes each"
            " value with each."
        )
    n = math.prod(lengths.values()) if grid else max(lengths.values(), default=1)
    if n > MOST_DRAWS:
        raise ParameterError(f"--set asks for {n:,} draws; expected {MOST_DRAWS:,} at most.")


def _numbers(name: str, text: str) -> np.ndarray:
    parts = [part.strip() for part in text.split(",")]
    return np.concatenate([_part(name, part) for part in parts])


def _part(name: str, part: str) -> np.ndarray:
    """The numbers of a value, or of a range low:high:count."""
    low, *rest = part.split(":")
    if not rest:
        return np.array([_number(name, part)])
    if len(rest) != 2 or not rest[1].strip().isdecimal() or float(rest[1]) < 2:
        raise ParameterError(
            f"--set {name}={part}: expected a range low:high:count, such as {name}=1:2:5 for five"
            " values from 1 to 2."
        )
    if float(rest[1]) > MOST_DRAWS:
        raise ParameterError(
            f"--set {name}={part}: expected a count of {MOST_DRAWS:,} values at most."
        )
    return np.linspace(_number(name, low), _number(name, rest[0]), int(rest[1]))


def _number(name: str, text: str) -> float:
    if len(text) > 1 and text.isdecimal() and text.startswith("0"):
        raise ParameterError(
            f"--set {name}: found '{text}', as after a decimal comma; commas part the values of a"
            " list, and decimals stand behind a point, such as 0.02."
        )
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ParameterError(f"--set {name}=...: '{text}' is not a finite number.")
    return value
