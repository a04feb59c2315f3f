"""Sets of parameters to start from: the world's own calibration, the median and the mode of its
prior, and an estimate that the explorer was started with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

import numpy as np

from emulator.explorer.state import PREFIX
from emulator.spec import WorldSpec

if TYPE_CHECKING:
    from emulator.worlds.priors import Prior

DIGITS = 6
"""Significant digits of a value that is computed."""

GRID = 1001
"""Points between the ends of a prior at which its mode is sought at first."""


class Preset(NamedTuple):
    """A named set: values by parameter (the rest is at its defaults), and where it comes from."""

    name: str
    values: Mapping[str, float]
    source: str

    def query(self, spec: WorldSpec) -> str:
        """The values that are no defaults as fields of an address."""
        defaults = {p.name: p.default for p in spec.parameters}
        return urlencode(
            [
                (PREFIX + name, repr(value))
                for name, value in self.values.items()
                if name in defaults and value != defaults[name]
            ]
        )


def presets_of(spec: WorldSpec, priors: Mapping[str, Prior]) -> list[Preset]:
    """The presets that a world has by itself; priors: its own, where it has any."""
    own = Preset("Calibration", {}, spec.source or "the values of the world itself")
    medians = {
        p.name: _within(median(priors[p.name]) if p.name in priors else (p.low + p.high) / 2, p)
        for p in spec.parameters
        if p.name in priors or (not priors and np.isfinite([p.low, p.high]).all())
    }
    if not medians:
        return [own]
    presets = [own, Preset("Prior median", medians, "the median of each parameter's prior")]
    if any(prior.prior != "uniform" for prior in priors.values()):
        modes = {
            p.name: _within(mode(priors[p.name]), p) for p in spec.parameters if p.name in priors
        }
        presets.append(Preset("Prior mode", modes, "the mode of each parameter's prior"))
    return presets


def median(prior: Prior) -> float:
    """The median of a prior between its bounds."""
    low, high = prior.bounds()
    if prior.prior == "uniform":
        return (low + high) / 2
    ends = prior.probability(np.array([low, high]))
    return float(prior.quantile(np.array(ends.mean())))


def mode(prior: Prior) -> float:
    """Where the density of a prior is highest between its bounds; of a uniform one the middle."""
    low, high = prior.bounds()
    if prior.prior == "uniform":
        return (low + high) / 2
    for _ in range(4):  # each round divides the interval by five hundred
        points = np.linspace(low, high, GRID)
        with np.errstate(all="ignore"):
            density = np.nan_to_num(prior.log_density(points), nan=-np.inf)
        best = int(np.argmax(density))
        low, high = points[max(best - 1, 0)], points[min(best + 1, GRID - 1)]
    return float(points[best])


def _within(value: float, parameter: object) -> float:
    """A value of a few digits, within the parameter's range."""
    rounded = float(f"{value:.{DIGITS}g}")
    return float(min(max(rounded, parameter.low), parameter.high))  # type: ignore[attr-defined]
