"""What an estimation is asked to do and how much it may cost, without a heavy import: the command
line reads its defaults here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from emulator.errors import ParameterError
from emulator.spec import BAND_LEVEL

Weighting = Literal["diagonal", "full", "principal", "pooled"]

US_MONETARY = "us-monetary"
"""The target that is estimated from the data that statsmodels carries."""

SAMPLE = "1965Q3:1995Q3"
"""Quarters that the VAR of `us-monetary` explains unless told otherwise."""

FROM_DATA = ("var", "proxy", "signs")
"""Targets that are made of `--data`: a recursive VAR, one with an instrument, one with signs."""

VAR_LAGS = 4
"""Lags of a VAR unless told otherwise."""

HISTORY = 2000
"""Periods of the one history that stands for endless data of a world that is not linear."""

LONGEST = 400
"""Periods of a target at most; a century of quarters is a mistake rather than a response."""

QUANTILES = (round((1 - BAND_LEVEL) / 2, 6), 0.5, round((1 + BAND_LEVEL) / 2, 6))
"""Lower end of every credible interval, median, upper end; the interval has the probability of all
bands of this package.
"""

QUANTILE_NAMES = tuple(f"q{round(100 * quantile):02d}" for quantile in QUANTILES)
"""Their names in every table: q05, q50, q95."""

KEPT = 0.5
"""Share of effective particles after each rise of the likelihood's power, unless a run is told
otherwise.
"""

SAMPLERS = ("nuts", "smc")

LEAST = {
    "scouts": 20,
    "starts": 1,
    "chains": 1,
    "tune": 20,
    "draws": 20,
    "rescored": 0,
    "seed": 0,
}
"""Smallest value of each whole number of a budget."""


@dataclass(frozen=True)
class Budget:
    """How much is spent: searches, chains with their warm-up and draws, draws for the exact solver
    to score; and the seed of it all.

    sampler: "smc", whose independent runs are the chains and whose particles are the draws, or
    "nuts" (docs/decisions/004-sampler.md). scouts: particles of the one run of sequential Monte
    Carlo that finds where the chains of NUTS start. kept: share of particles that stay effective at
    each rise of the likelihood's power; nearer to one takes more stages, and finds modes that are
    far apart more surely. Raises `ParameterError` for a value that cannot be used.
    """

    sampler: str = "smc"
    kept: float = KEPT
    scouts: int = 1000
    starts: int = 8
    chains: int = 4
    tune: int = 500
    draws: int = 1000
    rescored: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.sampler not in SAMPLERS:
            raise ParameterError(
                f"The sampler is {self.sampler!r}; expected {' or '.join(SAMPLERS)}."
            )
        if not 0 < self.kept < 1:
            raise ParameterError(f"kept is {self.kept}; expected a share between 0 and 1.")
        for name, bound in LEAST.items():
            if getattr(self, name) < bound:
                raise ParameterError(f"{name} is {getattr(self, name)}; expected {bound} or more.")
