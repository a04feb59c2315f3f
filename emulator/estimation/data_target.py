"""Targets that a vector autoregression of time series gives, as they are read: which series stand
for which observables, which shock is asked for, and how it is identified.

Axes: T period, V series.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from emulator.errors import MissingExtraError, TargetError, unknown_name
from emulator.estimation.settings import VAR_LAGS
from emulator.estimation.target import Target
from emulator.estimation.var_target import check_length, from_var
from emulator.series import TimeSeries, read_data
from emulator.spec import OBSERVABLES, Frequency

MEANT = re.compile(r"\s*(?:(diff)\(\s*(\w+)\s*\)|(\w+))\s*(?:\+\s*mean\s*)?")
"""An observable, or its first difference, about a mean: what a VAR with a constant sees."""


def target_from_data(
    data: Any,
    *,
    series: Sequence[str] | None = None,
    innovation: str | None = None,
    lags: int = VAR_LAGS,
    observe: Mapping[str, str] | None = None,
    instrument: str | None = None,
    signs: Mapping[str, str] | None = None,
    shock: str = "monetary",
    sample: str | None = None,
    horizon: int = 20,
    replications: int = 2000,
    seed: int = 0,
    name: str = "var",
) -> Target:
    """The responses to one shock that a VAR with a constant finds in time series, with bootstrap
    covariance; recursively in the order of the series unless there are an instrument or signs.

    data: "us", a file, a table of pandas, `emulator.series.TimeSeries` (see `emulator.read_data`);
    series: those of the VAR, in order, by default output, inflation and rate; innovation: the one
    whose shock is asked for, by default the last; observe: what a series is in worlds, by default
    its own name: an observable, or "diff(output)", whose responses are summed up; instrument: the
    name of another series of the data (see `from_var`, which has the other arguments). Raises
    `SeriesError`, `TargetError`, `UnknownNameError`, `MissingExtraError`.
    """
    try:
        from statsmodels.tsa.api import VAR
    except ImportError:
        raise MissingExtraError("statsmodels", "estimation") from None
    read = read_data(data, sample=sample)
    names = _series(read, series)
    column = names[-1] if innovation is None else innovation
    if column not in names:
        raise unknown_name("series of the VAR", column, names)
    columns = {name: read.names.index(name) for name in names}
    values = read.values[:, list(columns.values())]
    _check_whole(values, names, read)
    if lags < 1:
        raise TargetError(f"The VAR has {lags} lags; expected one or more.")
    check_length(len(values) - lags, 1 + len(names) * lags, read.sample)
    observables, differenced = _observables(read, names, observe or {})
    import pandas as pd

    instruments = None
    if instrument is not None:
        if instrument not in read.names:
            raise unknown_name("series of the data", instrument, read.names)
        if instrument in names:
            raise TargetError(
                f"'{instrument}' is an instrument and a series of the VAR; expected one of the two."
            )
        instruments = pd.Series(read.values[:, read.names.index(instrument)], name=instrument)
    target = from_var(
        VAR(pd.DataFrame(values, columns=names)).fit(lags, trend="c"),
        column,
        observables,
        shock=shock,
        horizon=horizon,
        replications=replications,
        seed=seed,
        cumulated=differenced,
        instrument=instruments,
        signs=signs,
        name=name,
        frequency=cast(Frequency, read.frequency),
    )
    return replace(target, source=f"{read.name}, {read.sample}; {target.source}")


def _series(read: TimeSeries, series: Sequence[str] | None) -> list[str]:
    """Raises `UnknownNameError`, `TargetError`."""
    names = [name for name in OBSERVABLES if name in read.names] if series is None else list(series)
    for name in names:
        if name not in read.names:
            raise unknown_name("series of the data", name, read.names)
    if len(names) < 2 or len(set(names)) < len(names):
        raise TargetError(
            f"A VAR of the series {', '.join(names) or 'none'} was asked for; expected two or more,"
            f" each once, of {', '.join(read.names)} (series=, on the command line --series)."
        )
    return names


def _check_whole(values: np.ndarray, names: Sequence[str], read: TimeSeries) -> None:
    """Raises `TargetError` where a number is missing."""
    missing = ~np.isfinite(values)
    if not missing.any():
        return
    row, column = np.argwhere(missing)[0]
    whole = np.flatnonzero(~missing.any(axis=1))
    hint = "No period has all of them."
    if len(whole):
        runs = np.split(whole, np.flatnonzero(np.diff(whole) > 1) + 1)
        longest = max(runs, key=len)
        hint = (
            f"All of them are there from {read.labels[longest[0]]} to {read.labels[longest[-1]]}:"
            f" sample='{read.labels[longest[0]]}:{read.labels[longest[-1]]}', on the command line"
            " --sample."
        )
    raise TargetError(
        f"Series '{names[column]}' has no number in {read.labels[row]}; a VAR needs all of its"
        f" series in all periods. {hint}"
    )


def _observables(
    read: TimeSeries, names: Sequence[str], observe: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Observable -> series, and which observables are differenced there. Raises `TargetError`."""
    for name in observe:
        if name not in names:
            raise unknown_name("series of the VAR", name, names)
    observables: dict[str, str] = {}
    differenced = []
    for name in names:
        text = observe.get(name) or read.observing[read.names.index(name)] or name
        match = MEANT.fullmatch(text)
        if match is None:
            raise TargetError(
                f"Series '{name}' is said to be '{text}' in worlds; for a VAR expected an"
                f" observable or its difference, such as '{name}=output' or '{name}=diff(output)'."
            )
        observable = match[2] or match[3]
        if observable in observables:
            raise TargetError(
                f"Series '{name}' and '{observables[observable]}' are both {observable} in worlds;"
                " expected one series an observable."
            )
        observables[observable] = name
        if match[1]:
            differenced.append(observable)
    return observables, differenced
