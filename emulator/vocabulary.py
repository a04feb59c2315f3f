"""The vocabulary that every room shares: names, units, axes, and the status of a draw."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

OBSERVABLES = ("output", "inflation", "rate")
"""The names by which worlds are compared, where they have them."""

PERCENT = "percent"
ANNUAL_POINTS = "annualised percentage points"
QUARTERLY_POINTS = "quarterly percentage points"
OBSERVABLE_UNITS = (PERCENT, ANNUAL_POINTS, ANNUAL_POINTS)
"""Units of `OBSERVABLES`."""

UNKNOWN_UNIT = "unknown"
"""Unit of a number that came without one."""

Frequency = Literal["quarter", "month", "year"]
PERIODS_A_YEAR: dict[str, int] = {"quarter": 4, "month": 12, "year": 1}

BAND_LEVEL = 0.9
"""Share of responses that lie within a network's error band, and probability of the credible
intervals of an estimate.
"""

DETERMINATE_FROM = 0.5
"""Probability of a unique stable solution from which a network calls a draw determinate."""

IRF_AXES = ("sample", "shock", "horizon", "observable")
DEFAULT_HORIZON = 40


class Status(IntEnum):
    """What became of a draw of parameters. Only `OK` draws have impulse responses."""

    OK = 0
    INDETERMINATE = 1
    """More stable roots than predetermined variables: many stable solutions."""
    EXPLOSIVE = 2
    """Fewer stable roots than predetermined variables, or a root outside the unit circle: no stable
    solution.
    """
    NOT_CONVERGED = 3
    """The solver could not certify a solution: residual too large, singular or not finite."""
    OUTSIDE_RANGE = 4
    """The solver takes no draws there: a parameter left the range that the world is solved in."""
    OUTSIDE_BOUNDS = 5
    """A parameter is outside what it can be at all, as a negative standard deviation is."""
    UNSOLVABLE = 6
    """A network takes the draw for one without a unique stable solution; it does not say why."""
    MISSING = 255
    """Fill value in storage: no draw was written here."""

    @property
    def label(self) -> str:
        return self.name.lower()

    @property
    def meaning(self) -> str:
        """Why such a draw has no finite responses, as a clause of a message."""
        return _MEANINGS.get(self, "the solver finds none")


_MEANINGS = {
    Status.OK: (
        "there is a solution, but a parameter or the size of a shock makes numbers too large to"
        " hold"
    ),
    Status.INDETERMINATE: "many stable solutions",
    Status.EXPLOSIVE: "no stable solution",
    Status.NOT_CONVERGED: ("no steady state is found, or no solution that satisfies the equations"),
    Status.OUTSIDE_BOUNDS: "a parameter is outside what it can be at all",
    Status.UNSOLVABLE: "the network finds none likely",
}


def units_agree(one: str, other: str) -> bool:
    """Whether two units may be the same: they are, or nobody gave one of them."""
    return one == other or UNKNOWN_UNIT in (one, other)
