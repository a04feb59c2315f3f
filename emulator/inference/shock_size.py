"""How large a shock is: in standard deviations, in the shock's own unit, or by what it does to an
observable on impact.

    2, "2 sd"           two standard deviations
    "25bp", "0.25pp"    an innovation of 25 basis points, annualised, of a shock that is measured in
                        percentage points
    "1%"                an innovation of one percent, of a shock that is measured in percent of
                        something
    "25bp on rate"      whatever makes the rate rise by 25 basis points in the quarter of impact

Axes: n draw, P parameter, S shock, H horizon; arrays are NumPy or PyTorch.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from emulator.errors import ParameterError, unknown_name
from emulator.spec import ANNUAL_POINTS, OBSERVABLES, QUARTERLY_POINTS, WorldSpec

TEXT = re.compile(
    r"\s*(?P<amount>[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)\s*(?P<unit>sd|bp|pp|%)?(\s+on\s+(?P<on>\w+))?\s*",
    re.IGNORECASE,
)

SMALLEST_IMPACT = 1e-4
"""An impact below this (percent or percentage points a standard deviation) is no yardstick: it is
rounding, or the network's error.
"""

PER_ANNUAL_POINT = {QUARTERLY_POINTS: 0.25, ANNUAL_POINTS: 1.0}
"""Units of shocks that are rates, and how much of each one annualised percentage point is."""

SizeLike = float | str | Mapping[str, float | str]


@dataclass(frozen=True)
class ShockSize:
    """One size: an amount in `unit`, "sd", "pp" (annualised percentage points) or "%"; `on` names
    an observable or is None.
    """

    amount: float
    unit: str = "sd"
    on: str | None = None

    @classmethod
    def read(cls, size: float | str) -> ShockSize:
        """Raises `ParameterError` for text that is no size, `UnknownNameError` for an observable
        that does not exist.
        """
        try:
            match = (
                None
                if isinstance(size, bool | np.bool)
                else TEXT.fullmatch(size if isinstance(size, str) else repr(float(size)))
            )
        except (TypeError, ValueError, OverflowError):
            match = None
        if match is None or not math.isfinite(float(match["amount"])):
            raise ParameterError(
                f"The size of a shock was given as {size!r}; expected standard deviations (2, '0.5"
                " sd'), '25bp', '0.25pp', '1%', or an impact: '25bp on rate'."
            )
        amount, unit, on = float(match["amount"]), (match["unit"] or "sd").lower(), match["on"]
        if unit == "bp":
            amount, unit = amount / 100, "pp"
        if on is None:
            return cls(amount, unit)
        if on not in OBSERVABLES:
            raise unknown_name("observable", on, OBSERVABLES)
        expected = "%" if on == "output" else "pp"
        if unit != expected:
            example = (
                "percent: 1% on output" if on == "output" else f"percentage points: 25bp on {on}"
            )
            raise ParameterError(
                f"The size {size!r} asks for an impact on {on}, which is measured in {example}."
            )
        return cls(amount, unit, on)

    def __str__(self) -> str:
        text = f"{self.amount:g} {self.unit}".replace(" %", "%")
        return text if self.on is None else f"{text} on {self.on}"


@dataclass(frozen=True)
class Scaling:
    """What turns responses to shocks of one standard deviation into responses to the shocks that
    are asked for.
    """

    spec: WorldSpec
    shocks: Sequence[int]
    sizes: Sequence[ShockSize]

    @classmethod
    def of(cls, spec: WorldSpec, shocks: Sequence[int], size: SizeLike) -> Scaling:
        """size: one for all shocks, or a mapping that names some of them; the others are of one
        standard deviation.

        Raises `ParameterError` where the world does not say in which unit a shock is measured, or
        is not linear in it.
        """
        by_name = (
            {spec.shock_names[spec.shock_index(name)]: value for name, value in size.items()}
            if isinstance(size, Mapping)
            else {}
        )
        sizes = [
            ShockSize.read(
                by_name.get(spec.shock_names[k], 1.0) if isinstance(size, Mapping) else size
            )
            for k in shocks
        ]
        scaling = cls(spec, shocks, sizes)
        for shock, found in zip(shocks, sizes, strict=True):
            scaling._check(shock, found)
        return scaling

    def theta(self, theta: Any) -> Any:
        """theta (n, P) at which a solver is asked: in a world that is not linear in its shocks,
        sizes are written into it.
        """
        if self.spec.linear:
            return theta
        columns = list(theta.T)
        for shock, size in zip(self.shocks, self.sizes, strict=True):
            column = self._column(shock)
            if column is not None:
                columns[column] = (
                    columns[column] * size.amount
                    if size.unit == "sd"
                    else 0 * columns[column] + self._innovation(shock, size)
                )
        return array_namespace(theta).stack(columns, axis=1)

    def factor(self, theta: Any, irf: Any) -> Any:
        """By what responses irf (n, S, H+1, 3) to these shocks at theta (n, P) are multiplied, (n,
        S, 1, 1).
        """
        one = 0 * theta[:, 0] + 1.0
        found = [
            one * self._factor(shock, size, theta, irf[:, k, 0, :])
            for k, (shock, size) in enumerate(zip(self.shocks, self.sizes, strict=True))
        ]
        return array_namespace(theta).stack(found, axis=1)[:, :, None, None]

    def applied(self, theta: np.ndarray, irf: np.ndarray) -> np.ndarray:
        """Responses (n, S, H+1, 3) to these shocks times their factors; draws without a solution,
        which are NaN, stay so.
        """
        solved = np.isfinite(irf).all(axis=(1, 2, 3))
        found = np.full_like(irf, np.nan)
        found[solved] = irf[solved] * self.factor(theta[solved], irf[solved])
        return found

    def _factor(self, shock: int, size: ShockSize, theta: Any, impact: Any) -> Any:
        if not self.spec.linear:
            return 1.0
        if size.on is not None:
            impact = impact[:, OBSERVABLES.index(size.on)]
            if bool((abs(impact) < SMALLEST_IMPACT).any()):
                raise ParameterError(
                    f"Shock '{self.spec.shock_names[shock]}' hardly moves {size.on} on impact at"
                    f" one of the draws, so that '{size}' has no meaning there. Give its size in"
                    " standard deviations."
                )
            return size.amount / impact
        if size.unit == "sd":
            return size.amount
        deviation = theta[:, self._column(shock)]
        if bool((deviation <= 0).any()):
            raise ParameterError(
                f"Shock '{self.spec.shock_names[shock]}' has a standard deviation of zero at one of"
                f" the draws, so that responses to '{size}' do not follow from it."
            )
        return self._innovation(shock, size) / deviation

    def _check(self, shock: int, size: ShockSize) -> None:
        name, column = self.spec.shock_names[shock], self._column(shock)
        if size.on is None and size.unit != "sd":
            self._innovation(shock, size)
        if self.spec.linear or size == ShockSize(1.0):
            return
        if size.on is not None or column is None:
            raise ParameterError(
                f"World '{self.spec.name}' is not linear in its shocks: '{size}' for '{name}' does"
                " not follow from one solution. Give standard deviations, or the shock's own unit"
                " where it has one."
            )
        if size.amount < 0:
            raise ParameterError(
                f"World '{self.spec.name}' is not linear in its shocks: a shock of '{size}' is not"
                f" the mirror of its opposite, and only the sign that '{name}' has is solved."
            )

    def _innovation(self, shock: int, size: ShockSize) -> float:
        """A size as an innovation in the unit of the shock's standard deviation."""
        column, name = self._column(shock), self.spec.shock_names[shock]
        unit = self.spec.parameters[column].unit if column is not None else ""
        if size.unit == "pp" and unit in PER_ANNUAL_POINT:
            return size.amount * PER_ANNUAL_POINT[unit]
        if size.unit == "%" and re.match(r"percent\b", unit):
            return size.amount
        measured = f"is measured in {unit}" if unit else "has no unit of its own"
        raise ParameterError(
            f"Shock '{name}' of world '{self.spec.name}' {measured}; '{size}' cannot be translated."
            " Give its size in standard deviations, or by an impact such as '25bp on rate'."
        )

    def _column(self, shock: int) -> int | None:
        """Where theta holds the shock's standard deviation, if it does."""
        found = self.spec.standard_deviations
        return found[shock] if len(found) == self.spec.n_shocks else None
