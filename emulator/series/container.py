"""The container of time series: numbers by period and series, with units and with what was done to
each.

Axes: T period, V series.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from emulator.errors import SeriesError, unknown_name
from emulator.series.periods import PANDAS, check_frequency, frequency_of, label, one_period
from emulator.series.transforms import transformed
from emulator.spec import UNKNOWN_UNIT

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

How = Literal["average", "sum", "first", "last"]
"""What a longer period's value is made of shorter periods'."""

MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class TimeSeries:
    """Numbers (T, V), NaN where they are missing, at periods without gaps.

    units: of each series; done: its transformations in words; observing: how a world observes it
    unless it is said otherwise, an equation as in `emulator.inference.likelihood`, empty where
    nothing is known; origin: where the numbers can be read again, see
    `emulator.series.origin`, empty of tables in memory.
    """

    name: str
    source: str
    periods: pd.PeriodIndex
    names: tuple[str, ...]
    values: np.ndarray
    units: tuple[str, ...]
    done: tuple[str, ...]
    observing: tuple[str, ...]
    origin: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def of(
        cls,
        name: str,
        source: str,
        periods: pd.PeriodIndex,
        columns: Mapping[str, np.ndarray],
        units: Mapping[str, str] | None = None,
    ) -> TimeSeries:
        """Columns (T,) by name. Raises `SeriesError` for a unit of a series that is not there."""
        names = tuple(columns)
        for other in units or {}:
            if other not in names:
                raise unknown_name(f"series of '{name}'", other, names)
        values = np.stack([np.asarray(columns[n], dtype=np.float64) for n in names], axis=1)
        nothing = ("",) * len(names)
        all_units = tuple((units or {}).get(n, UNKNOWN_UNIT) for n in names)
        return cls(name, source, periods, names, values, all_units, nothing, nothing)

    def __repr__(self) -> str:
        return f"TimeSeries '{self.name}': {', '.join(self.names)}; {self.sample}"

    def __len__(self) -> int:
        return len(self.periods)

    @cached_property
    def frequency(self) -> str:
        """year, quarter or month."""
        return frequency_of(self.periods)

    @cached_property
    def labels(self) -> list[str]:
        """The periods as text: 1984Q1, 1984M03 or 1984."""
        return [label(period) for period in self.periods]

    def labels_after(self, count: int) -> list[str]:
        """The first periods after the data, as text."""
        return [label(self.periods[-1] + k) for k in range(1, count + 1)]

    @property
    def sample(self) -> str:
        """First and last period."""
        return f"{label(self.periods[0])}:{label(self.periods[-1])}"

    @property
    def array(self) -> xr.DataArray:
        """The numbers over (period, series), with `unit` and `transformation` of each series."""
        import xarray as xr

        return xr.DataArray(
            self.values,
            dims=("period", "series"),
            coords={
                "period": self.labels,
                "series": list(self.names),
                "unit": ("series", list(self.units)),
                "transformation": ("series", list(self.done)),
            },
            name=self.name,
            attrs={"source": self.source, "frequency": self.frequency},
        )

    def frame(self) -> pd.DataFrame:
        """A table: a row a period, a column a series."""
        import pandas as pd

        index = pd.Index(self.labels, name="period")
        return pd.DataFrame(self.values, index=index, columns=list(self.names))

    def column(self, name: str) -> int:
        """Raises `UnknownNameError`."""
        if name not in self.names:
            raise unknown_name(f"series of '{self.name}'", name, self.names)
        return self.names.index(name)

    def select(self, names: Iterable[str]) -> TimeSeries:
        """These series, in this order. Raises `UnknownNameError`."""
        return self._take([self.column(name) for name in dict.fromkeys(names)])

    def _take(self, columns: Sequence[int]) -> TimeSeries:
        def of(texts: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(texts[k] for k in columns)

        return replace(
            self,
            names=of(self.names),
            values=self.values[:, list(columns)],
            units=of(self.units),
            done=of(self.done),
            observing=of(self.observing),
        )

    def window(self, sample: str) -> TimeSeries:
        """The periods of a sample such as "1984Q1:2007Q4", either end of which may be left out.

        Raises `SeriesError` where it is not within the data.
        """
        first, colon, last = sample.replace(" ", "").rpartition(":")
        if not colon:
            raise SeriesError(
                f"The sample is '{sample}'; expected first and last period, such as"
                f" '{self.sample}'."
            )
        start = one_period(first) if first else self.periods[0]
        end = one_period(last) if last else self.periods[-1]
        same = start.freqstr == end.freqstr == self.periods.freqstr
        if not same or start < self.periods[0] or end > self.periods[-1] or start > end:
            raise SeriesError(
                f"The sample {sample} does not lie within the data, {self.sample}, or ends before"
                " it begins."
            )
        begin = int(np.searchsorted(self.periods.asi8, start.ordinal))
        rows = slice(begin, begin + end.ordinal - start.ordinal + 1)
        origin = self._origin({"sample": f"{label(start)}:{label(end)}"})
        return replace(self, periods=self.periods[rows], values=self.values[rows], origin=origin)

    def _origin(self, done: Mapping[str, Any], after: Sequence[str] = ()) -> Mapping[str, Any]:
        """The origin with something done since; none where it was done after what comes last when
        the numbers are read again.
        """
        if not self.origin or any(name in self.origin for name in after):
            return {}
        return {**self.origin, **done}

    def transformed(self, steps: Mapping[str, str]) -> TimeSeries:
        """The same with some series transformed, by name; see `emulator.series.transforms`.

        Raises `UnknownNameError`, `SeriesError`.
        """
        if not steps:
            return self
        values, done = self.values.copy(), list(self.done)
        before = self.origin.get("transform", {})
        texts = dict(before)
        for name, text in steps.items():
            k = self.column(name)
            values[:, k], words = transformed(values[:, k], text, self.frequency, name)
            done[k] = ", ".join(part for part in (done[k], words) if part)
            texts[name] = ", ".join(part for part in (before.get(name, ""), text) if part)
        origin = self._origin({"transform": texts}, after=("frequency", "sample"))
        return replace(self, values=values, done=tuple(done), origin=origin)

    def with_units(self, units: Mapping[str, str]) -> TimeSeries:
        """The same with these units. Raises `UnknownNameError`."""
        all_units = list(self.units)
        for name, unit in units.items():
            all_units[self.column(name)] = unit
        origin = self._origin({"units": {**self.origin.get("units", {}), **units}})
        return replace(self, units=tuple(all_units), origin=origin)

    def at_frequency(self, frequency: str, how: Mapping[str, How] | How = "average") -> TimeSeries:
        """The same by longer periods: sums, averages, or the first or last value, one for all
        series or by name. A period of which a part is missing is missing; of the first and last
        value only that one counts.

        Raises `SeriesError` for a frequency that is not longer.
        """
        check_frequency(frequency)
        if frequency == self.frequency:
            return self
        parts = MONTHS[frequency] // MONTHS[self.frequency]
        if MONTHS[frequency] < MONTHS[self.frequency]:
            raise SeriesError(
                f"'{self.name}' has a value a {self.frequency}; values a {frequency} cannot be made"
                f" of it. A world of {frequency}s can observe it all the same, by sums over its own"
                f" periods: see the page on the likelihood."
            )
        longer = self.periods.asfreq(PANDAS[frequency])
        wholes = longer.unique()
        grid = np.full((len(wholes), parts, len(self.names)), np.nan)
        code = PANDAS[self.frequency]
        first = wholes.asfreq(code, how="S").asi8
        row = np.searchsorted(wholes.asi8, longer.asi8)
        grid[row, self.periods.asi8 - first[row]] = self.values
        ways = [how if isinstance(how, str) else how.get(name, "average") for name in self.names]
        for name in () if isinstance(how, str) else how:
            self.column(name)
        columns = [_together(grid[:, :, k], way) for k, way in enumerate(ways)]
        done = tuple(
            ", ".join(part for part in (before, f"{way} over the {frequency}") if part)
            for before, way in zip(self.done, ways, strict=True)
        )
        ways_said = how if isinstance(how, str) else dict(how)
        origin = self._origin({"frequency": frequency, "how": ways_said}, after=("sample",))
        values = np.stack(columns, axis=1)
        return replace(self, periods=wholes, values=values, done=done, origin=origin)

    def joined(self, other: TimeSeries) -> TimeSeries:
        """Both, over the periods of either, at the shorter of the two frequencies: a longer
        period's value stands in its last part, and the others are missing.

        Raises `SeriesError` where both have a series of one name.
        """
        twice = next((name for name in other.names if name in self.names), None)
        if twice is not None:
            raise SeriesError(f"'{self.name}' and '{other.name}' both have a series '{twice}'.")
        fine = min(self.frequency, other.frequency, key=MONTHS.__getitem__)
        parts = [self.spread(fine), other.spread(fine)]
        first = min(p.periods[0] for p in parts)
        last = max(p.periods[-1] for p in parts)
        import pandas as pd

        periods = pd.period_range(first, last, freq=parts[0].periods.freq)
        columns = [p.frame_over(periods) for p in parts]
        return TimeSeries(
            name=f"{self.name}+{other.name}",
            source=f"{self.source}; {other.source}",
            periods=periods,
            names=self.names + other.names,
            values=np.concatenate(columns, axis=1),
            units=self.units + other.units,
            done=self.done + other.done,
            observing=self.observing + other.observing,
        )

    def is_finer_than(self, frequency: str) -> bool:
        """Whether its periods are shorter than those of a frequency."""
        return MONTHS[self.frequency] < MONTHS[frequency]

    def spread(self, frequency: str) -> TimeSeries:
        """At a shorter frequency, each value in the last part of its period."""
        if frequency == self.frequency:
            return self
        import pandas as pd

        places = self.periods.asfreq(PANDAS[frequency], how="E")
        first = self.periods[0].asfreq(PANDAS[frequency], how="S")
        periods = pd.period_range(first, places[-1], freq=places.freq)
        values = np.full((len(periods), len(self.names)), np.nan)
        values[periods.get_indexer(places)] = self.values
        return replace(self, periods=periods, values=values)

    def frame_over(self, periods: pd.PeriodIndex) -> np.ndarray:
        """The values (T, V) at these periods, NaN where there are none."""
        values = np.full((len(periods), len(self.names)), np.nan)
        values[periods.get_indexer(self.periods)] = self.values
        return values


def _together(parts: np.ndarray, how: str) -> np.ndarray:
    """One value (T,) of the parts (T, K) of each period."""
    if how not in get_args(How):
        raise SeriesError(
            f"Values cannot be put together by {how!r}; expected one of {', '.join(get_args(How))}."
        )
    if how in ("first", "last"):
        return parts[:, 0 if how == "first" else -1]
    return parts.sum(axis=1) if how == "sum" else parts.mean(axis=1)
