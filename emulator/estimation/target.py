"""What is to be matched: responses of some observables to one shock, with the covariance of their
errors.

Axes: H horizon (0 is the impact period), O observable of the target, N all entries (horizon by
horizon, O observables each), M matched entries. Each observable has its own unit, and a horizon
counts the target's own periods.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from emulator.errors import ParameterError, TargetError, nearest, unknown_name
from emulator.estimation.settings import LONGEST
from emulator.spec import (
    OBSERVABLE_UNITS,
    OBSERVABLES,
    UNKNOWN_UNIT,
    Frequency,
    WorldSpec,
    units_agree,
)

if TYPE_CHECKING:
    from emulator.estimation.indirect.procedure import Procedure

USUAL_UNITS = dict(zip(OBSERVABLES, OBSERVABLE_UNITS, strict=True))
"""Units of the observables by which worlds are compared, in which a target is taken to be where it
does not say its units.
"""

LARGEST = 1e9
SMALLEST = 1e-9
"""Largest response and standard deviation of a target, and smallest standard deviation, in the
observable's unit; beyond, squares and their inverses leave double precision.
"""


@dataclass(frozen=True)
class Target:
    """Responses irf (H+1, O) to a shock of one standard deviation, the covariance (N, N) of their
    errors, and which entries are matched (H+1, O).

    Entries that are not matched may be NaN; an entry of value 0 without variance is one that the
    identification sets to zero (see `restricted`), and is not matched either. `shock` is the name
    under which worlds know the shock; `source` says where the numbers come from.

    observables: names, under which worlds know them; units: of each, by default those in which
    worlds have output, inflation and the rate, and unknown for any other, which is then taken to be
    the world's; frequency: what a period is, None where it is taken to be the world's; procedure:
    what was done to which data to get the responses, None where nobody said. Raises `TargetError`
    where an entry that is to be matched has no value or no positive variance.
    """

    name: str
    shock: str
    irf: np.ndarray
    covariance: np.ndarray
    matched: np.ndarray
    source: str
    observables: tuple[str, ...] = OBSERVABLES
    units: tuple[str, ...] = ()
    frequency: Frequency | None = None
    procedure: Procedure | None = None

    def __repr__(self) -> str:
        return (
            f"Target '{self.name}': responses of {', '.join(self.observables)} to '{self.shock}',"
            f" {int(self.matched.sum())} entries matched over horizons 0 to {len(self.irf) - 1};"
            f" {self.source}"
        )

    def __post_init__(self) -> None:
        if not self.units:
            units = tuple(USUAL_UNITS.get(name, UNKNOWN_UNIT) for name in self.observables)
            object.__setattr__(self, "units", units)
        self._check_names()
        periods, n = len(self.irf), self.irf.size
        shape = (periods, len(self.observables))
        if (
            self.irf.shape != shape
            or self.matched.shape != shape
            or self.covariance.shape != (n, n)
        ):
            raise TargetError(
                f"Target '{self.name}': responses have shape {self.irf.shape}, the mask"
                f" {self.matched.shape}, the covariance {self.covariance.shape}; expected (H+1, O)"
                f" twice and (O(H+1), O(H+1)) with the O = {len(self.observables)} observables"
                f" {', '.join(self.observables)}. Other observables are named: observables=(...)."
            )
        if periods > LONGEST:
            raise TargetError(
                f"Target '{self.name}' has {periods} {self.periods}; expected at most {LONGEST}."
            )
        if not self.matched.any():
            raise TargetError(f"Target '{self.name}': no entry is left to be matched.")
        self._check_entries()

    def _check_names(self) -> None:
        names = self.observables
        if not names or not all(names) or len(set(names)) != len(names):
            raise TargetError(
                f"Target '{self.name}': its observables are {names}; expected a name for each, and"
                " none twice."
            )
        if len(self.units) != len(names):
            raise TargetError(
                f"Target '{self.name}' has {len(names)} observables and {len(self.units)} units;"
                " expected one each, or none."
            )

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
                    f"Target '{self.name}': {self.observables[observable]} at horizon {horizon} has"
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
                    f"Target '{self.name}': {self.observables[observable]} at horizon {horizon} has"
                    f" a {what} of {self._amount(values[horizon, observable], observable)};"
                    f" expected at most {LARGEST:g}."
                )
        tiny = np.argwhere(self.matched & (sd > 0) & (sd < SMALLEST))
        if len(tiny):
            horizon, observable = tiny[0]
            raise TargetError(
                f"Target '{self.name}': {self.observables[observable]} at horizon {horizon} has a"
                f" standard deviation of {self._amount(sd[horizon, observable], observable)};"
                f" expected {SMALLEST:g} or more."
            )

    def _amount(self, value: float, observable: int) -> str:
        """A value of an observable with its unit, where that is known."""
        unit = self.units[observable]
        return f"{value:g}" if unit == UNKNOWN_UNIT else f"{value:g} {unit}"

    @classmethod
    def of(
        cls,
        name: str,
        shock: str,
        irf: np.ndarray,
        sd: np.ndarray,
        source: str = "given by the caller",
        observables: Sequence[str] = OBSERVABLES,
        units: Sequence[str] = (),
        frequency: Frequency | None = None,
    ) -> Target:
        """A target with independent errors: irf and sd (H+1, O); entries in which either is NaN are
        not matched, nor are those that identification sets to zero, in which both are 0.

        observables, units, frequency: as the class has them.
        """
        irf, sd = np.asarray(irf, dtype=np.float64), np.asarray(sd, dtype=np.float64)
        if irf.ndim != 2 or irf.shape[1] != len(observables) or sd.shape != irf.shape:
            raise TargetError(
                f"Target '{name}': responses have shape {irf.shape} and their standard deviations"
                f" {sd.shape}; expected (H+1, {len(observables)}) for both, a column for each of"
                f" {', '.join(observables)}. Other observables are named: observables=(...)."
            )
        restricted = (irf == 0) & (sd == 0)
        matched = ~(np.isnan(irf) | np.isnan(sd) | restricted)
        with np.errstate(over="ignore"):  # too large a number is refused below, in words
            covariance = np.diag(np.square(sd.ravel()))
        return cls(
            name=name,
            shock=shock,
            irf=irf,
            covariance=covariance,
            matched=matched,
            source=source,
            observables=tuple(observables),
            units=tuple(units),
            frequency=frequency,
        )

    @property
    def periods(self) -> str:
        """What its periods are called, such as "quarters"."""
        return f"{self.frequency or 'period'}s"

    @property
    def horizon(self) -> int:
        """The last horizon."""
        return len(self.irf) - 1

    @property
    def sd(self) -> np.ndarray:
        """Standard deviations of the responses, (H+1, O)."""
        return np.sqrt(np.diag(self.covariance)).reshape(self.irf.shape)

    @property
    def restricted(self) -> np.ndarray:
        """Entries (H+1, O) that the target's identification sets to zero, as a recursive VAR does
        on impact with what is ordered before its shock: of value 0, without variance, of an
        observable that is matched elsewhere.
        """
        return (self.irf == 0) & (self.sd == 0) & self.matched.any(axis=0)

    @property
    def silent(self) -> np.ndarray:
        """Observables (O,) that are matched later but of which the target says nothing on impact:
        neither a response nor that it is zero. None where it says nothing of any observable on
        impact, as where responses were estimated from a later period on.
        """
        nothing = np.isnan(self.irf[0])
        return nothing & self.matched[1:].any(axis=0) & (not nothing.all())

    @property
    def entries(self) -> np.ndarray:
        """Positions of the matched entries among all, (M,)."""
        return np.flatnonzero(self.matched.ravel())

    @property
    def places(self) -> list[tuple[int, str]]:
        """Horizon and observable of each matched entry."""
        return [(int(h), self.observables[k]) for h, k in np.argwhere(self.matched)]

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
        if observable not in self.observables:
            raise unknown_name("observable", observable, self.observables)
        chosen = sorted(set(horizons))
        if not chosen or chosen[0] < 0 or chosen[-1] > self.horizon:
            raise TargetError(
                f"Horizons {chosen[:3]} ... of {observable} were to be left out; target"
                f" '{self.name}' has horizons 0 to {self.horizon}."
            )
        matched = self.matched.copy()
        matched[chosen, self.observables.index(observable)] = False
        return replace(self, matched=matched)

    def up_to(self, horizon: int) -> Target:
        """The same target up to an earlier last horizon. Raises `TargetError` for a later one."""
        if not 0 <= horizon <= self.horizon:
            raise TargetError(
                f"Target '{self.name}' ends at horizon {self.horizon}; {horizon} was asked for."
            )
        n = len(self.observables) * (horizon + 1)
        return replace(
            self,
            irf=self.irf[: horizon + 1],
            covariance=self.covariance[:n, :n],
            matched=self.matched[: horizon + 1],
        )

    def observing(self, names: Sequence[str]) -> Target:
        """The same target with these of its observables alone, in this order."""
        columns = [self.observables.index(name) for name in names]
        entries = np.arange(self.irf.size).reshape(self.irf.shape)[:, columns].ravel()
        return replace(
            self,
            irf=self.irf[:, columns],
            covariance=self.covariance[np.ix_(entries, entries)],
            matched=self.matched[:, columns],
            observables=tuple(names),
            units=tuple(self.units[column] for column in columns),
        )

    def in_world(self, spec: WorldSpec) -> Target:
        """The same target as a world knows it: with the world's units and periods where the target
        says none, and without observables that are not matched and that the world does not have.

        Raises `ParameterError` for an observable that is matched and that the world does not have,
        or has in another unit, and for other periods.
        """
        if self.frequency not in (None, spec.frequency):
            raise ParameterError(
                f"Target '{self.name}' counts {self.periods}, world '{spec.name}' {spec.periods};"
                " expected one and the same."
            )
        of_world = dict(zip(spec.observable_names, spec.observable_units, strict=True))
        missing = [
            name
            for k, name in enumerate(self.observables)
            if name not in of_world and self.matched[:, k].any()
        ]
        if missing:
            raise ParameterError(
                f"World '{spec.name}' has no observable {', '.join(map(repr, missing))}, which"
                f" target '{self.name}' matches. {nearest(missing[0], of_world)} A mapping beside a"
                " .mod file says which of its variables these are (docs/modfile.md)."
            )
        for name, unit in zip(self.observables, self.units, strict=True):
            if not units_agree(of_world.get(name, unit), unit):
                raise ParameterError(
                    f"World '{spec.name}' has {name} in {of_world[name]}; target '{self.name}' is"
                    f" taken to have it in {unit}. If it is in the world's unit, say so:"
                    f" Target.of(..., units=[...])."
                )
        target = self.observing([name for name in self.observables if name in of_world])
        units = tuple(
            of_world[name] if unit == UNKNOWN_UNIT else unit
            for name, unit in zip(target.observables, target.units, strict=True)
        )
        return replace(target, units=units, frequency=spec.frequency)

    def dataset(self) -> xr.Dataset:
        """`irf`, `sd` and `matched` over (horizon, observable), `covariance` over entries, with
        names and units.
        """
        axes = ("horizon", "observable")
        units = ", ".join(f"{o}: {u}" for o, u in zip(self.observables, self.units, strict=True))
        return xr.Dataset(
            {
                "irf": (axes, self.irf, {"units": units}),
                "sd": (axes, self.sd),
                "matched": (axes, self.matched),
                "covariance": (("entry", "other_entry"), self.covariance),
            },
            {
                "horizon": (
                    "horizon",
                    np.arange(self.horizon + 1),
                    {"units": f"{self.periods} after impact"},
                ),
                "observable": list(self.observables),
                "unit": ("observable", list(self.units)),
            },
            {"name": self.name, "shock": self.shock, "source": self.source},
        )
