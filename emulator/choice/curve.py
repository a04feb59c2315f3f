"""How the error falls with the number of draws, and what more of them would bring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SHARES = (0.25, 0.5)
"""Shares of the training draws at which the curve is measured beside all of them."""

FLAT = 0.05
"""A power below this is none: the curve does not fall."""


@dataclass(frozen=True)
class LearningCurve:
    """Errors of one kind at rising numbers of training draws, on the same test draws."""

    kind: str
    draws: tuple[int, ...]
    errors: tuple[float, ...]

    @property
    def power(self) -> float:
        """b of error = a n^-b, by least squares in logarithms."""
        slope = np.polyfit(np.log(self.draws), np.log(self.errors), 1)[0]
        return float(-slope)

    def at(self, draws: float) -> float:
        """The error that the power law expects with so many training draws: the last measured one,
        carried on.
        """
        return float(self.errors[-1] * (draws / self.draws[-1]) ** -max(self.power, 0.0))

    def draws_for(self, error: float) -> float:
        """Training draws with which the power law expects this error; infinite where it is flat."""
        if self.errors[-1] <= error:
            return float(self.draws[-1])
        if self.power < FLAT:
            return float("inf")
        with np.errstate(over="ignore"):
            return float(self.draws[-1] * np.exp(np.log(self.errors[-1] / error) / self.power))

    def in_words(self) -> str:
        """A sentence or two for the board."""
        measured = ", ".join(
            f"{error:.3g} at {n}" for n, error in zip(self.draws, self.errors, strict=True)
        )
        start = f"Learning curve of {self.kind}, test error by training draws: {measured}."
        if self.power < FLAT:
            return f"{start} It does not fall: more draws would bring little."
        return (
            f"{start} It falls with their power -{self.power:.2f}: twice as many would bring about"
            f" {self.at(2 * self.draws[-1]):.3g}."
        )
