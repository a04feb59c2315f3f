"""What parameters and shocks declare of themselves, and what it means where a spec declares
nothing.

A parameter declares its *bounds*: what it can be at all, in economics or mathematics, in the
notation of intervals. `(0, inf)` is positive, `[0, 1)` a share below one, `(-inf, inf)` any number.
They are wider than its range, which is where the prior draws. A shock declares which parameter is
its size and which belong to its process. Both declare in `moves_only` which responses they move,
where others are known not to move: networks then have it so exactly (`emulator.models.declared`).

Specs of older data sets and checkpoints declare neither. They are read by `default_bounds` and
`default_shocks`, and so are new specs that leave a declaration out. A spec is written without what
these would fill in, so that an old spec and today's of the same world have one text and one
SHA-256.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator

Role = Literal[
    "preference",
    "technology",
    "price_setting",
    "wage_setting",
    "friction",
    "fiscal",
    "risk",
    "steady_state",
    "policy_rule",
    "regime",
    "initial_state",
    "persistence",
    "shock_size",
    "constant",
    "dynamics",
    "impact",
    "loading",
]

ANY_NUMBER = "(-inf, inf)"
POSITIVE = "(0, inf)"
NONNEGATIVE = "[0, inf)"
SHARE = "[0, 1]"
BELOW_ONE = "[0, 1)"
INSIDE_ONE = "(0, 1)"
DISCOUNT = "(0, 1]"
AUTOREGRESSION = ANY_NUMBER
"""Beyond one a process explodes, which is a status of its own and no impossible parameter."""

_NUMBER = r"[+-]?(?:inf|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
_INTERVAL = re.compile(rf"([\[(])\s*({_NUMBER})\s*,\s*({_NUMBER})\s*([\])])")


class Interval(NamedTuple):
    """An interval of the real line; an end that is closed belongs to it."""

    lower: float
    upper: float
    lower_closed: bool
    upper_closed: bool

    def holds(self, values: np.ndarray | float) -> np.ndarray:
        """Whether each value lies in the interval."""
        array = np.asarray(values)
        above = array >= self.lower if self.lower_closed else array > self.lower
        below = array <= self.upper if self.upper_closed else array < self.upper
        return above & below


@lru_cache(maxsize=256)
def interval(text: str) -> Interval:
    """The interval that a text such as `[0, 1)` or `(0, inf)` writes.

    Raises `ValueError` for a text that writes none.
    """
    match = _INTERVAL.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"the bounds are {text!r}; expected an interval such as '(0, inf)'")
    opening, lower, upper, closing = match.groups()
    ends = Interval(float(lower), float(upper), opening == "[", closing == "]")
    if not ends.lower < ends.upper:
        raise ValueError(f"the bounds {text!r} hold no interval; expected the lower end first")
    return ends


class Record(BaseModel):
    """Fields that are given by name, cannot change and refuse what they do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Moves(Record):
    """Which responses a parameter moves: those to these shocks, of these observables; None stands
    for all. It leaves every other response exactly as it is.
    """

    shocks: tuple[str, ...] | None = None
    observables: tuple[str, ...] | None = None


class Parameter(Record):
    """One entry of theta: its name, TeX, range of the prior, default, unit, meaning and role.

    The range is where the prior draws, and may be infinite where nothing is drawn. `bounds` is what
    the parameter can be at all, as an interval such as `(0, inf)` or `[0, 1)`, in its own unit.
    A parameter of such an infinite range may have no default, NaN: each draw must then name it.
    `moves_only` declares the responses that it moves, where these are not all.
    """

    name: str
    tex: str
    low: float
    high: float
    default: float
    unit: str
    meaning: str
    role: Role
    bounds: str = ""
    moves_only: Moves | None = None

    @model_validator(mode="before")
    @classmethod
    def _bounded(cls, given: Any) -> Any:
        try:
            if given.get("bounds"):
                return given
            low, high = float(given["low"]), float(given["high"])
            return {**given, "bounds": default_bounds(given["role"], given["name"], low, high)}
        except (AttributeError, KeyError, TypeError, ValueError):
            return given  # not a parameter: the fields say what is wrong

    @model_validator(mode="after")
    def _ordered(self) -> Parameter:
        if math.isnan(self.default) and math.isinf(self.high - self.low):
            return self
        if not self.low <= self.default <= self.high or self.low == self.high:
            raise ValueError(f"{self.name}: expected low <= default <= high and low < high")
        ends = interval(self.bounds)
        if self.low < ends.lower or self.high > ends.upper or not ends.holds(self.default):
            raise ValueError(
                f"{self.name}: the range {self.low:g} to {self.high:g} with default"
                f" {self.default:g} leaves the bounds {self.bounds}"
            )
        return self

    @property
    def has_default_bounds(self) -> bool:
        """Whether the bounds are those of a parameter that declares none."""
        return self.bounds == default_bounds(self.role, self.name, self.low, self.high)


class Shock(Record):
    """A structural shock; it is one standard deviation unless a call asks otherwise.

    `size` names the parameter that is its standard deviation, `process` the other parameters of its
    own process, on which responses to other shocks do not depend. `moves_only` names the
    observables that it moves, where these are not all: the others do not respond to it.
    """

    name: str
    tex: str
    meaning: str
    size: str | None = None
    process: tuple[str, ...] | None = None
    moves_only: tuple[str, ...] | None = None


class Observable(Record):
    """An observed variable and the unit in which it leaves the world.

    `definition` is its expression in the variables of the file that the world is read from. It is
    empty for the observables that worlds share, which the world's own definition holds.
    """

    name: str
    tex: str
    unit: str
    meaning: str
    definition: str = ""


class Extrapolation(Record):
    """Which parameters span the regions held out of training.

    `slice_parameters`: draws in the upper tail of every one of these form
    `test_extrapolation_slice`; `corner_parameters`: draws in the upper tail of all of these
    together form `test_extrapolation_corner`.
    """

    slice_parameters: tuple[str, ...]
    corner_parameters: tuple[str, ...]


BOUNDS_OF_ROLES = {
    "shock_size": NONNEGATIVE,
    "persistence": AUTOREGRESSION,
}

BOUNDS_OF_PARAMETERS = {
    ("preference", "sigma"): POSITIVE,
    ("preference", "sigma_c"): POSITIVE,
    ("preference", "sigma_l"): POSITIVE,
    ("preference", "eis"): POSITIVE,
    ("preference", "frisch"): POSITIVE,
    ("preference", "beta"): DISCOUNT,
    ("preference", "beta_bar"): NONNEGATIVE,
    ("preference", "h"): BELOW_ONE,
    ("technology", "alpha"): INSIDE_ONE,
    ("technology", "delta"): SHARE,
    ("technology", "phi_p"): "[1, inf)",
    ("price_setting", "kappa"): NONNEGATIVE,
    ("price_setting", "mu"): "(1, inf)",
    ("price_setting", "xi_p"): BELOW_ONE,
    ("price_setting", "iota_p"): SHARE,
    ("wage_setting", "xi_w"): BELOW_ONE,
    ("wage_setting", "iota_w"): SHARE,
    ("friction", "varphi"): NONNEGATIVE,
    ("friction", "psi"): SHARE,
    ("fiscal", "g_share"): BELOW_ONE,
    ("fiscal", "debt"): POSITIVE,
    ("fiscal", "rho_b"): BELOW_ONE,
    ("risk", "rho_e"): BELOW_ONE,
    ("risk", "sd_e"): POSITIVE,
    ("steady_state", "r"): POSITIVE,
    ("regime", "p_active"): SHARE,
    ("regime", "p_passive"): SHARE,
    ("regime", "active_at_impact"): SHARE,
}
"""By role and name: the parameters of the worlds that were there before bounds were declared."""


def default_bounds(role: str, name: str, low: float, high: float) -> str:
    """Bounds of a parameter that declares none; any number where its range [low, high] leaves
    them.
    """
    bounds = BOUNDS_OF_PARAMETERS.get((role, name), BOUNDS_OF_ROLES.get(role, ANY_NUMBER))
    return bounds if interval(bounds).holds(np.array([low, high])).all() else ANY_NUMBER


def default_shocks(
    parameters: Sequence[Parameter], n_shocks: int
) -> list[tuple[str | None, tuple[str, ...]]]:
    """Size and process of every shock of a spec that declares neither for any.

    The k-th parameter of role "shock_size" is the size of the k-th shock, where there are as many
    of the one as of the other. Of its process are the parameters of role "persistence" whose names
    end in the same letters as the size, as rho_m and sigma_m do; but not rho_g where there is a
    rho_ga, by which the shock of a moves the process of g.
    """
    names = [p.name for p in parameters]
    sizes = [p.name for p in parameters if p.role == "shock_size"]
    if len(sizes) != n_shocks:
        return [(None, ())] * n_shocks
    endings = [size.rpartition("_")[2] for size in sizes]
    alone = [
        p.name
        for p in parameters
        if p.role == "persistence" and not any(p.name + ending in names for ending in endings)
    ]
    return [
        (size, tuple(name for name in alone if name.rpartition("_")[2] == ending))
        for size, ending in zip(sizes, endings, strict=True)
    ]
