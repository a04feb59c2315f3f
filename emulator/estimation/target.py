"""What is to be matched: responses of output, inflation and the rate to one shock, with the
covariance of their errors.

Axes: H horizon (0 is the impact period), O observable, N all entries (horizon by horizon, three
observables each), M matched entries. Units: output in percent, inflation and rate in annualised
percentage points.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from emulator.errors import TargetError, unknown_name
from emulator.estimation.settings import LONGEST
from emulator.spec import OBSERVABLE_UNITS, OBSERVABLES

LARGEST = 1e9
SMALLEST = 1e-9
"""Largest response and standard deviation of a target, and smallest standard deviation, in the
observable's unit; beyond, squares and their inverses leave double precision.
"""


@dataclass(frozen=True)
class Target:
    """Responses irf (H+1, 3) to a shock of one standard deviation, the covariance (N, N) of their
    errors, and which entries are matched (H+1, 3).

    Entries that are not matched may be NaN; an entry of value 0 without variance is one that the
    identification sets to zero (see `restricted`), and is not matched either. `shock` is the name
    under which worlds know the shock; `source` says where the numbers come from. Raises
    `TargetError` where an entry that is to be matched has no value or no positive variance.
    """

    name: str
    shock: str
    irf: np.ndarray
    covariance: np.ndarray
    matched: np.ndarray
    source: str

    def __repr__(self) -> str:
        return (
            f"Target '{self.name}': responses to '{self.shock}', {int(self.matched.sum())} entries"
            f" matched over horizons 0 to {len(self.irf) - 1}; {self.source}"
        )

    def __post_init__(self) -> None:
        periods, n = len(self.irf), self.irf.size
        if (
            self.irf.shape != (periods, 3)
            or self.matched.shape != (periods, 3)
            or self.covariance.shape != (n, n)
        ):
            raise TargetError(
                f"Target '{self.name}': responses have shape {self.irf.shape}, the mask"
                f" {self.matched.shape}, the covariance {self.covariance.shape}; expected (H+1, 3)"
                " twice and (3(H+1), 3(H+1))."
            )
        if periods > LONGEST:
            raise TargetError(
                f"Target '{self.name}' has {periods} quarters; expected at most {LONGEST}."
            )
        if not self.matched.any():
            raise TargetError(f"Target '{self.name}': no entry is left to be matched.")
        self._check_entries()

    def _check_entries(self) -> None:
        self._check_sizes()
        variance = np.diag(self.covariance).reshape(self.irf.shape)
        for what, bad in (
            ("no finite value", ~np.isfinite(self.irf)),
            (
                "a variance that is not a positive number, as where identification fixes it",
                ~(np.isfinite(variance) & (variance > 0)),
            ),
        ):
            wrong = np.argwhere(self.matched & bad)
            if len(wrong):
                horizon, observable = wrong[0]
                raise TargetError(
                    f"Target '{self.name}': {OBSERVABLES[observable]} at horizon {horizon} has"
                    f" {what}. Leave such entries out (an empty cell in a CSV; `without`)."
                )
        matched = self.matched_covariance
        if not np.isfinite(matched).all() or not np.allclose(
            matched, matched.T, rtol=1e-6, atol=1e-12
        ):
            raise TargetError(
                f"Target '{self.name}': the covariance of the matched entries is not finite or not"
                " symmetric."
            )

    def _check_sizes(self) -> None:
        """Refuse numbers with which no response can be meant, and whose squares overflow."""
        sd = np.sqrt(np.abs(np.diag(self.covariance))).reshape(self.irf.shape)
        for what, values in (("response", self.irf), ("standard deviation", sd)):
            wrong = np.argwhere(self.matched & (np.abs(values) > LARGEST))
            if len(wrong):
                horizon, observable = wrong[0]
                raise TargetError(
                    f"Target '{self.name}': {OBSERVABLES[observable]} at horizon {horizon} has a"
                    f" {what} of {values[horizon, observable]:g} {OBSERVABLE_UNITS[observable]};"
                    f" expected at most {LARGEST:g}."
                )
        tiny = np.argwhere(self.matched & (sd > 0) & (sd < SMALLEST))
        if len(tiny):
            horizon, observable = tiny[0]
            raise TargetError(
                f"Target '{self.name}': {OBSERVABLES[observable]} at horizon {horizon} has a"
                f" standard deviation of {sd[horizon, observable]:g}"
                f" {OBSERVABLE_UNITS[observable]}; expected {SMALLEST:g} or more."
            )

    @classmethod
    def of(
        cls,
        name: str,
        shock: str,
        irf: np.ndarray,
        sd: np.ndarray,
        source: str = "given by the caller",
    ) -> Target:
        """A target with independent errors: irf and sd (H+1, 3); entries in which either is NaN are
        not matched, nor are those that identification sets to zero, in which both are 0.
        """
        irf, sd = np.asarray(irf, dtype=np.float64), np.asarray(sd, dtype=np.float64)
        if irf.ndim != 2 or irf.shape[1:] != (3,) or sd.shape != irf.shape:
            raise TargetError(
                f"Target '{name}': responses have shape {irf.shape} and their standard deviations"
                f" {sd.shape}; expected (H+1, 3) for both."
            )
        restricted = (irf == 0) & (sd == 0)
        matched = ~(np.isnan(irf) | np.isnan(sd) | restricted)
        with np.errstate(over="ignore"):  # too large a number is refused below, in words
            covariance = np.diag(np.square(sd.ravel()))
        return cls(name, shock, irf, covariance, matched, source)

    @property
    def horizon(self) -> int:
        """The last horizon."""
        return len(self.irf) - 1

    @property
    def sd(self) -> np.ndarray:
        """Standard deviations of the responses, (H+1, 3)."""
        return np.sqrt(np.diag(self.covariance)).reshape(self.irf.shape)

    @property
    def restricted(self) -> np.ndarray:
        """Entries (H+1, 3) that the target's identification sets to zero, as a recursive VAR does
        on impact with what is ordered before its shock: of value 0, without variance, of an
        observable that is matched elsewhere.
        """
        return (self.irf == 0) & (self.sd == 0) & self.matched.any(axis=0)

    @property
    def silent(self) -> np.ndarray:
        """Observables (3,) that are matched later but of which the target says nothing on impact:
        neither a response nor that it is zero.
        """
        return np.isnan(self.irf[0]) & self.matched[1:].any(axis=0)

    @property
    def entries(self) -> np.ndarray:
        """Positions of the matched entries among all, (M,)."""
        return np.flatnonzero(self.matched.ravel())

    @property
    def values(self) -> np.ndarray:
        """The matched entries, (M,)."""
        return self.irf.ravel()[self.entries]

    @property
    def matched_covariance(self) -> np.ndarray:
        """Their covariance, (M, M)."""
        return self.covariance[np.ix_(self.entries, self.entries)]

    def without(self, observable: str, horizons: Sequence[int] | Iterable[int]) -> Target:
        """The same target with these entries not matched. Raises `UnknownNameError`,
        `TargetError`.
        """
        if observable not in OBSERVABLES:
            raise unknown_name("observable", observable, OBSERVABLES)
        chosen = sorted(set(horizons))
        if not chosen or chosen[0] < 0 or chosen[-1] > self.horizon:
            raise TargetError(
                f"Horizons {chosen[:3]} ... of {observable} were to be left out; target"
                f" '{self.name}' has horizons 0 to {self.horizon}."
            )
        matched = self.matched.copy()
        matched[chosen, OBSERVABLES.index(observable)] = False
        return replace(self, matched=matched)

    def up_to(self, horizon: int) -> Target:
        """The same target up to an earlier last horizon. Raises `TargetError` for a later one."""
        if not 0 <= horizon <= self.horizon:
            raise TargetError(
                f"Target '{self.name}' ends at horizon {self.horizon}; {horizon} was asked for."
            )
        n = 3 * (horizon + 1)
        return replace(
            self,
            irf=self.irf[: horizon + 1],
            covariance=self.covariance[:n, :n],
            matched=self.matched[: horizon + 1],
        )

    def dataset(self) -> xr.Dataset:
        """`irf`, `sd` and `matched` over (horizon, observable), `covariance` over entries, with
        names and units.
        """
        axes = ("horizon", "observable")
        return xr.Dataset(
            {
                "irf": (
                    axes,
                    self.irf,
                    {
                        "units": ", ".join(
                            f"{o}: {u}" for o, u in zip(OBSERVABLES, OBSERVABLE_UNITS, strict=True)
                        )
                    },
                ),
                "sd": (axes, self.sd),
                "matched": (axes, self.matched),
                "covariance": (("entry", "other_entry"), self.covariance),
            },
            {
                "horizon": (
                    "horizon",
                    np.arange(self.horizon + 1),
                    {"units": "quarters after impact"},
                ),
                "observable": list(OBSERVABLES),
                "unit": ("observable", list(OBSERVABLE_UNITS)),
            },
            {"name": self.name, "shock": self.shock, "source": self.source},
        )
