"""Paths of shocks: several periods in which shocks come, one after another, none of them expected.

    shocks={"monetary": [1, 1, 1]}                  one standard deviation in each of three periods
    shocks={"monetary": [0, 1], "demand": [-0.5]}   both at once, the second of one period only

Numbers are standard deviations, or multiples of the size that the call names beside them.
Axes: n draw, S shock, T period, H horizon, O observable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from emulator.errors import ParameterError
from emulator.inference.answerer import Answerer
from emulator.inference.shock_size import Scaling, SizeLike
from emulator.solvers import superposed
from emulator.spec import WorldSpec

Paths = Mapping[str, Any]


@dataclass(frozen=True)
class ShockPath:
    """A path of some of a world's shocks, in multiples (S', T) of the sizes of its scaling."""

    scaling: Scaling
    multiples: np.ndarray

    @classmethod
    def of(cls, spec: WorldSpec, paths: Paths, size: SizeLike, horizon: int) -> ShockPath:
        """Raises `UnknownNameError` for a shock that the world does not have, `ParameterError` for
        what is no path, and for one that is longer than the answer.
        """
        if not paths:
            raise ParameterError(
                "The mapping of shocks to paths is empty; expected a list of numbers for each shock"
                f" that comes, of {', '.join(spec.shock_names)}."
            )
        columns = [spec.shock_index(name) for name in paths]
        values = [shock_values(name, path) for name, path in paths.items()]
        longest = max(len(path) for path in values)
        if longest > horizon + 1:
            raise ParameterError(
                f"The path of shocks has {longest} periods, and the answer ends with horizon"
                f" {horizon}, which is period {horizon + 1}. Ask horizon={longest - 1} or more."
            )
        multiples = np.zeros((len(columns), longest))
        for row, path in enumerate(values):
            multiples[row, : len(path)] = path
        scaling = Scaling.of(spec, columns, size)
        by_impact = [str(size) for size in scaling.sizes if size.on is not None]
        if by_impact:
            raise ParameterError(
                f"The size '{by_impact[0]}' is an impact, which a path of shocks does not have."
                " Give standard deviations, or the shock's own unit where it has one."
            )
        return cls(scaling, multiples)

    def of_world(self, spec: WorldSpec) -> ShockPath:
        """The same path in another spec of the same model."""
        return replace(self, scaling=self.scaling.of_world(spec))

    @property
    def names(self) -> list[str]:
        """The shocks of the path together, as the one entry of an answer's shock axis."""
        return [" + ".join(self.scaling.names)]

    @property
    def sizes_in_words(self) -> list[str]:
        """The path in words."""
        parts = []
        for name, size, path in zip(
            self.scaling.names, self.scaling.sizes, self.multiples, strict=True
        ):
            numbers = ", ".join(f"{multiple:g}" for multiple in path)
            parts.append(f"{name} {numbers} times {size}")
        return ["path: " + "; ".join(parts)]

    def in_deviations(self, theta: np.ndarray) -> np.ndarray:
        """The path of every shock of the world, (n, S, T), in standard deviations."""
        spec = self.scaling.spec
        path = np.zeros((len(theta), spec.n_shocks, self.multiples.shape[1]))
        for row, (shock, size) in enumerate(
            zip(self.scaling.shocks, self.scaling.sizes, strict=True)
        ):
            amplitude = self.scaling.amplitude(theta, shock, size)
            path[:, shock] = amplitude[:, None] * self.multiples[row]
        return path

    def answered(
        self, answerer: Answerer, theta: np.ndarray, horizon: int
    ) -> dict[str, np.ndarray]:
        """The fields of an answer, with one entry on the shock axis.

        A network's band is the sum of the bands of the single shocks, so that it holds whatever
        their errors have to do with each other.
        """
        path_nST = self.in_deviations(theta)
        irf = answerer.along_path(theta, path_nST, horizon)[:, None]
        fields = {"irf": irf, "exact": np.full(len(theta), answerer.exact)}
        width = answerer.half_width(theta, horizon)
        if width is not None:
            total = superposed(width, np.abs(path_nST))[:, None]
            with np.errstate(invalid="ignore"):  # a response and its band may both be infinite
                fields |= {"lower": irf - total, "upper": irf + total}
        fields |= answerer.signs(theta)
        if answerer.exact:
            fields["determinate"] = np.isfinite(irf).all(axis=(1, 2, 3))
        return without_infinite(fields)


def without_infinite(fields: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The fields of an answer, where no draw with an infinite response or none is `determinate`."""
    finite = np.isfinite(fields["irf"]).all(axis=(1, 2, 3))
    if not finite.all():
        fields["determinate"] = fields.get("determinate", True) & finite
    return fields


def is_path(shocks: Any) -> bool:
    """Whether shocks were given as a mapping to their paths."""
    return isinstance(shocks, Mapping)


MULTIPLES = "multiples of the shock's size: [1, 1, 0.5]"


def shock_values(name: str, path: Any, units: str = MULTIPLES) -> np.ndarray:
    """A path as finite float64 (T,). units: what a message says its numbers are. Raises
    `ParameterError`.
    """
    listed = isinstance(path, Iterable) and not isinstance(path, str | Mapping | Set)
    values = list(path) if listed else [path]
    try:
        if any(isinstance(value, bool | np.bool) for value in values):
            raise TypeError
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        numbers = np.array([[np.nan]])
    if numbers.ndim != 1 or numbers.size == 0 or not np.isfinite(numbers).all():
        raise ParameterError(
            f"The path of '{name}' was given as {path!r}; expected finite numbers, one a period, in"
            f" {units}."
        )
    return numbers
