"""How large a shock is: in standard deviations, in the shock's own unit, or by what it does to an
observable on impact.

    2, "2 sd"           two standard deviations
    "25bp", "0.25pp"    an innovation of 25 basis points, annualised, of a shock that is measured in
                        percentage points
    "1%"                an innovation of one percent, of a shock that is measured in percent of
                        something
    "25bp on rate"      whatever makes the rate rise by 25 basis points in the period of impact
    "1% on output"      .. and output by one percent
    "2 on hours"        .. and hours by 2 in their own unit, where that is another, or unknown

In a world that is not linear in its shocks a size is written into theta, at the place of the
shock's standard deviation, and the world is solved there.

Axes: n draw, P parameter, S shock, H horizon, O observable; arrays are NumPy or PyTorch.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from array_api_compat import array_namespace

from emulator.errors import ParameterError, unknown_name
from emulator.spec import (
    ANNUAL_POINTS,
    PERCENT,
    QUARTERLY_POINTS,
    UNKNOWN_UNIT,
    WorldSpec,
)

if TYPE_CHECKING:
    from emulator.inference.answerer import Answerer

TEXT = re.compile(
    r"\s*(?P<amount>[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)\s*(?P<unit>sd|bps?|pp|%)?(\s+on\s+(?P<on>\S(.*\S)?))?\s*",
    re.IGNORECASE,
)

SMALLEST_IMPACT = {PERCENT: 1e-4, ANNUAL_POINTS: 1e-4}
"""An impact below this (in the observable's unit, a standard deviation) is no yardstick: it is
rounding, or the network's error. Of other units nobody knows what is small.
"""

SMALLEST_SHARE = 0.02
"""An impact below this share of the observable's largest response is no yardstick either: the shock
works later, and to move the observable at once it would have to be many times its usual size.
"""

POINTS = ("percentage points", ANNUAL_POINTS)
"""Units of observables in which an amount is written in pp or bp."""

IMPACTS = {"%": "1% on {}", "pp": "25bp on {}", "": "0.01 on {}"}
"""How a size by impact is written, by how an amount of the observable is (`amount_unit`)."""

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
    def read(cls, size: float | str, units: Mapping[str, str]) -> ShockSize:
        """A size as it was written; units: of each observable that an impact may be asked of.

        Raises `ParameterError` for text that is no size, `UnknownNameError` for an observable that
        does not exist.
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
                f" sd'), '25bp', '0.25pp', '1%', or an impact: '{impact_example(units)}'."
            )
        amount = float(match["amount"])
        unit = (match["unit"] or "sd").lower().replace("bps", "bp")
        if unit == "bp":
            amount, unit = amount / 100, "pp"
        if match["on"] is None:
            return cls(amount, unit)
        return cls._by_impact(size, amount, match, units)

    @classmethod
    def _by_impact(
        cls, size: Any, amount: float, match: re.Match[str], units: Mapping[str, str]
    ) -> ShockSize:
        """A size by what it does to an observable, in the observable's own unit."""
        on = match["on"]
        if on not in units:
            raise unknown_name("observable", on, units)
        unit = (match["unit"] or "").lower().replace("bps", "bp").replace("bp", "pp")
        if unit != amount_unit(units[on]):
            measured = (
                "whose unit nobody gave"
                if units[on] == UNKNOWN_UNIT
                else f"which is measured in {units[on]}"
            )
            raise ParameterError(
                f"The size {size!r} asks for an impact on {on}, {measured}:"
                f" {_impact_on(on, units[on])}. An amount is in % for an observable in"
                f" {PERCENT}, in pp or bp for one in {' or '.join(POINTS)}, and for any other a"
                " plain number in the observable's own unit."
            )
        return cls(amount, unit, on)

    def __str__(self) -> str:
        text = f"{self.amount:g} {self.unit}".replace(" %", "%").rstrip()
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
        named = dict(size) if isinstance(size, Mapping) else {}
        by_name = {spec.shock_names[spec.shock_index(name)]: value for name, value in named.items()}
        usual = 1.0 if isinstance(size, Mapping) else size
        units = units_of(spec)
        sizes = [ShockSize.read(by_name.get(spec.shock_names[k], usual), units) for k in shocks]
        scaling = cls(spec, shocks, sizes)
        for shock, one_size in zip(shocks, sizes, strict=True):
            scaling._check(shock, one_size)
        return scaling

    def of_world(self, spec: WorldSpec) -> Scaling:
        """The same sizes in another spec of the same model, which may observe more or less."""
        return replace(self, spec=spec)

    @property
    def names(self) -> list[str]:
        """Names of the shocks."""
        return [self.spec.shock_names[k] for k in self.shocks]

    @property
    def sizes_in_words(self) -> list[str]:
        return [str(size) for size in self.sizes]

    def answered(
        self, answerer: Answerer, theta: np.ndarray, horizon: int
    ) -> dict[str, np.ndarray]:
        """The fields of an answer."""
        return answerer.answered(theta, self, horizon)

    @property
    def reversed_shocks(self) -> list[str]:
        """Shocks of a size below zero in a world that is not linear in its shocks: such a shock is
        not the mirror of its opposite, and no standard deviation in theta stands for it.
        """
        if self.spec.linear:
            return []
        return [name for name, size in zip(self.names, self.sizes, strict=True) if size.amount < 0]

    def amplitude(self, theta: np.ndarray, shock: int, size: ShockSize) -> np.ndarray:
        """A size that is not an impact, in standard deviations of the shock, (n,)."""
        if size.unit == "sd":
            return np.full(len(theta), size.amount)
        return np.asarray(self._in_deviations(theta, shock, size))

    def theta(self, theta: Any) -> Any:
        """theta (n, P) at which a solver is asked: in a world that is not linear in its shocks,
        sizes are written into it.
        """
        if self.spec.linear or not self.spec.parameters:
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
        """By what responses irf (n, S, H+1, O) to these shocks at theta (n, P) are multiplied,
        (n, S, 1, 1).
        """
        of_draws = theta[:, 0] if theta.shape[1] else irf[:, 0, 0, 0]  # without any parameter
        one = 0 * of_draws + 1.0
        factors = [
            one * self._factor(shock, size, theta, irf[:, k, 0, :])
            for k, (shock, size) in enumerate(zip(self.shocks, self.sizes, strict=True))
        ]
        return array_namespace(theta).stack(factors, axis=1)[:, :, None, None]

    def applied(self, theta: np.ndarray, irf: np.ndarray) -> np.ndarray:
        """Responses (n, S, H+1, O) to these shocks times their factors; draws without a solution,
        which are NaN, stay so. Raises `ParameterError` as `check_impacts`.
        """
        solved = np.isfinite(irf).all(axis=(1, 2, 3))
        self.check_impacts(irf[solved])
        scaled = np.full_like(irf, np.nan)
        scaled[solved] = irf[solved] * self.factor(theta[solved], irf[solved])
        return scaled

    def check_impacts(self, irf: Any) -> None:
        """Refuse sizes by impact that have no meaning at one of the responses irf (n, S, H+1, O) to
        one standard deviation.

        That is where the observable hardly moves on impact, and where it moves the other way, so
        that the shock asked for would be the opposite one. Raises `ParameterError`.
        """
        for k, size in enumerate(self.sizes):
            if size.on is None or not self.spec.linear or len(irf) == 0:
                continue
            observable = self.spec.observables[self.spec.observable_index(size.on)]
            response = irf[:, k, :, self.spec.observable_index(size.on)]
            impact = response[:, 0]
            peak = abs(response).max(1)
            largest = getattr(peak, "values", peak)  # PyTorch gives positions too
            smallest = SMALLEST_IMPACT.get(observable.unit, 0.0)
            small = (abs(impact) <= smallest) | (abs(impact) < SMALLEST_SHARE * largest)
            turned = (impact < 0) & (size.amount > 0)
            if bool((small | turned).any()):
                self._refuse(k, size, float(impact[small | turned][0]), bool(small.any()))

    def _refuse(self, k: int, size: ShockSize, impact: float, small: bool) -> None:
        shock = self.names[k]
        observable = self.spec.observables[self.spec.observable_index(size.on or "")]
        unit = "" if observable.unit == UNKNOWN_UNIT else f" {observable.unit}"
        factor = f"{size.amount / impact:.3g}" if impact else "infinitely many"
        message = (
            f"One standard deviation of '{shock}' moves {size.on} by {impact:.3g}{unit} on impact"
            f" at one of the draws, so that '{size}' would be a shock of {factor} standard"
            " deviations"
        )
        if small:
            raise ParameterError(
                f"{message}. '{shock}' hardly moves {size.on} on impact, which is no yardstick"
                f" there. Give the size in standard deviations, such as"
                f" {math.copysign(1.0, size.amount):g}."
            )
        raise ParameterError(
            f"{message}: the opposite shock. For '{shock}' itself ask"
            f" '{replace(size, amount=-size.amount)}', or give standard deviations, such as 1."
        )

    def _factor(self, shock: int, size: ShockSize, theta: Any, impact: Any) -> Any:
        if not self.spec.linear:
            return 1.0
        if size.on is not None:
            return size.amount / impact[:, self.spec.observable_index(size.on)]
        if size.unit == "sd":
            return size.amount
        return self._in_deviations(theta, shock, size)

    def _in_deviations(self, theta: Any, shock: int, size: ShockSize) -> Any:
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
        if column is None:
            raise ParameterError(
                f"World '{self.spec.name}' is not linear in its shocks, and no parameter is the"
                f" size of '{name}': it answers to one standard deviation, and '{size}' does not"
                " follow from that. A simulator declares such a parameter, or that it is linear"
                " (docs/worlds/own.md)."
            )
        if size.on is not None:
            raise ParameterError(
                f"World '{self.spec.name}' is not linear in its shocks: '{size}' for '{name}' does"
                " not follow from one solution. Give standard deviations, or the shock's own unit"
                " where it has one."
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
            " Give its size in standard deviations, or by an impact such as"
            f" '{impact_example(units_of(self.spec))}'."
        )

    def _column(self, shock: int) -> int | None:
        """Where theta holds the shock's standard deviation, if it does."""
        size = self.spec.shocks[shock].size
        return None if size is None else self.spec.index(size)


def units_of(spec: WorldSpec) -> dict[str, str]:
    """The unit of each of a world's observables."""
    return dict(zip(spec.observable_names, spec.observable_units, strict=True))


def impact_example(units: Mapping[str, str]) -> str:
    """A size by impact on an observable of a world: on a rate where it has one, as that is what is
    usually asked, else on its first.
    """
    rates = [name for name, unit in units.items() if unit == ANNUAL_POINTS]
    name = rates[-1] if rates else next(iter(units))
    return _impact_on(name, units[name])


def impact_examples(spec: WorldSpec) -> list[str]:
    """A size by impact on each of a world's observables."""
    return [_impact_on(name, unit) for name, unit in units_of(spec).items()]


def _impact_on(name: str, unit: str) -> str:
    return IMPACTS[amount_unit(unit)].format(name)


def amount_unit(unit: str) -> str:
    """How an amount of an observable in this unit is written: in "%", in "pp" (or bp), or as a
    plain number, "".
    """
    if re.match(r"(percent\b|%)", unit):
        return "%"
    return "pp" if unit in POINTS else ""
