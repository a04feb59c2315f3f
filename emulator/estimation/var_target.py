"""Targets from estimated vector autoregressions: recursive identification, covariance from a
residual bootstrap.

In a recursive VAR a shock does not move the variables ordered before its own in its first quarter.
These entries have the value 0 and no variance: they are not matched, as in Christiano, Eichenbaum
and Evans (2005, doi:10.1086/426038, section III), and `Target.restricted` names them.

The target `us-monetary` is what a monetary tightening did in the United States. Data: `macrodata`
of statsmodels, quarterly, 1959 to 2009. Output is 100 times the logarithm of real GDP (percent);
inflation 400 times the change of the logarithm of the consumer price index, and the rate that on
three-month Treasury bills, both in annualised percentage points (the data hold no federal funds
rate). VAR with a constant and four lags, the rate last: the central bank sees output and inflation
of the quarter, neither of which responds within it. Three variables as in Rotemberg and Woodford
(1997, NBER Macroeconomics Annual 12); sample 1965:3 to 1995:3 as in Christiano, Eichenbaum and
Evans (2005), whose VAR has nine variables.

Axes: R replication, T quarter, V variable, L lag, H horizon.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from emulator.errors import (
    EstimationWarning,
    MissingExtraError,
    TargetError,
    unknown_name,
    warn,
)
from emulator.estimation.indirect.autoregression import Autoregression
from emulator.estimation.indirect.estimating import (
    bootstrapped,
    instrument_values,
    restrictions,
)
from emulator.estimation.indirect.identification import (
    Identification,
    Recursive,
    Signs,
    instrument_of,
)
from emulator.estimation.indirect.procedure import Column, Procedure
from emulator.estimation.settings import SAMPLE, US_MONETARY, VAR_LAGS
from emulator.estimation.target import Target
from emulator.spec import OBSERVABLES, Frequency

if TYPE_CHECKING:
    import pandas as pd

PER_PARAMETER = 2
"""Quarters that a sample needs at least for each coefficient of an equation."""

WEAK = 10.0
"""F statistic of a first stage below which an instrument counts as weak: Stock and Yogo (2005)."""

FEWEST = 20
"""Replications of a bootstrap at least."""


def from_var(
    results: Any,
    innovation: str,
    observables: Mapping[str, str],
    *,
    shock: str = "monetary",
    horizon: int = 20,
    replications: int = 2000,
    seed: int = 0,
    cumulated: Iterable[str] = (),
    instrument: Any = None,
    signs: Mapping[str, str] | None = None,
    name: str = "var",
    frequency: Frequency | None = None,
) -> Target:
    """The target that an estimated `statsmodels` VAR gives
    (`statsmodels.tsa.api.VAR(...).fit(lags)`), recursively in the order of its columns unless it is
    said otherwise.

    innovation: the column whose shock is asked for, which a positive one raises; observables:
    names under which worlds know them -> column. The columns must be in the worlds' units, such as
    output in percent (100 times the logarithm), inflation and rate in annualised percentage points.
    cumulated: observables whose column is in differences and whose response is summed; frequency:
    of the data. The columns ordered before `innovation` are not matched on impact.

    instrument: numbers (T,) of the periods that the VAR explains, or (L + T,) of all of its data,
    NaN where there is none, correlated with the shock alone, by its name if it is a pandas Series;
    the covariance is that of a moving
    block bootstrap. signs: by column, what sign a response has at which horizons, "+0-3" or "-1";
    the response is the mean over all shocks that have them, and the covariance that of the sample
    and of the set together. Raises `UnknownNameError`, `TargetError`; warns with
    `EstimationWarning` of a weak instrument.
    """
    estimated, names = _read(results)
    for kind, given, known in (
        ("column of the VAR", [innovation, *observables.values()], names),
        ("observable", list(cumulated), list(observables)),
    ):
        for one in given:
            if one not in known:
                raise unknown_name(kind, one, known)
    if not observables or replications < FEWEST or horizon < 0:
        raise TargetError(
            f"Found {len(observables)} observables, horizon {horizon} and {replications}"
            f" replications; expected an observable, a horizon of 0 or more and {FEWEST}"
            " replications."
        )
    of_column = {column: observable for observable, column in observables.items()}
    columns = tuple(
        Column(column, of_column.get(column, ""), of_column.get(column) in set(cumulated))
        for column in names
    )
    values = None if instrument is None else instrument_values(instrument, estimated)
    identification = _identification(
        estimated,
        columns,
        names.index(innovation),
        values,
        str(getattr(instrument, "name", None) or "given"),
        signs,
    )
    procedure = Procedure(columns, estimated.lags, len(estimated.residuals), identification)
    rng = np.random.default_rng(seed)
    usual = set(observables) <= set(OBSERVABLES)
    shown = OBSERVABLES if usual else tuple(observables)
    irf, covariance, usable = bootstrapped(
        estimated, procedure, values, horizon, shown, replications, rng
    )
    matched = np.isfinite(irf)
    for column in columns[: identification.zeros]:
        if column.observable:
            matched[0, shown.index(column.observable)] = False
    source = (
        f"VAR({estimated.lags}) in {', '.join(names)}, {procedure.periods}"
        f" {frequency or 'period'}s, {identification.words}, shock of {innovation};"
        f" {'moving block' if values is not None else 'residual'}"
        f" bootstrap, {replications} replications, seed {seed}"
    )
    if usable < replications:
        source += f", of which {usable} have shocks with these signs"
    return Target(
        name=name,
        shock=shock,
        irf=irf,
        covariance=covariance,
        matched=matched,
        source=source,
        observables=shown,
        frequency=frequency,
        procedure=procedure,
    )


def _identification(
    estimated: Autoregression,
    columns: tuple[Column, ...],
    place: int,
    instrument: np.ndarray | None,
    called: str,
    signs: Mapping[str, str] | None,
) -> Identification:
    """Raises `TargetError`, `UnknownNameError`; warns of a weak instrument."""
    if instrument is not None and signs:
        raise TargetError(
            "The shock is to be identified by an instrument and by signs; expected one of the two."
        )
    names = [column.name for column in columns]
    if signs:
        return Signs(place, restrictions(signs, names, place))
    if instrument is None:
        return Recursive(place)
    by = instrument_of(estimated.residuals, instrument, place, called)
    if WEAK > by.F:
        warn(
            f"The instrument '{called}' is weak: F is {by.F:.1f} in the regression of the"
            f" innovations of {names[place]} on it, expected {WEAK:g} or more. Responses and their"
            " covariance are not to be relied on.",
            EstimationWarning,
        )
    return by


def _read(results: Any) -> tuple[Autoregression, list[str]]:
    """What is needed of `statsmodels`' results, refused with `TargetError` where they are of
    another kind.
    """
    wanted = ("endog", "params", "k_ar", "trend", "names")
    if any(not hasattr(results, name) for name in wanted):
        raise TargetError(
            f"Found a {type(results).__name__}; expected the results of"
            " statsmodels.tsa.api.VAR(...).fit(lags)."
        )
    if results.trend != "c" or getattr(results, "exog", None) is not None or results.k_ar < 1:
        raise TargetError(
            f"The VAR has trend '{results.trend}' and {results.k_ar} lags; expected a constant"
            " (trend='c'), one lag or more, and no exogenous variables."
        )
    data = np.asarray(results.endog, dtype=np.float64)
    return Autoregression(data, np.asarray(results.params, dtype=np.float64), int(results.k_ar)), [
        str(name) for name in results.names
    ]


def check_length(periods: int, coefficients: int, sample: str, called: str = "periods") -> None:
    """Raises `TargetError` where a sample is short for the coefficients of an equation."""
    if periods < PER_PARAMETER * coefficients:
        raise TargetError(
            f"The sample {sample} has {periods} {called} for {coefficients} coefficients"
            f" an equation; expected {PER_PARAMETER * coefficients} or more."
        )


def us_monetary(
    sample: str = SAMPLE,
    horizon: int = 20,
    lags: int = VAR_LAGS,
    replications: int = 2000,
    seed: int = 0,
) -> Target:
    """Responses of US output, inflation and the bill rate to a monetary tightening of one standard
    deviation, with bootstrap covariance.

    sample: first and last quarter that the VAR explains, such as "1965Q3:1995Q3"; its lags reach
    before it. Impact of output and inflation, zero by identification, is not matched. Units:
    percent; annualised percentage points. Raises `TargetError`, `MissingExtraError`.
    """
    try:
        from statsmodels.tsa.api import VAR
    except ImportError:
        raise MissingExtraError("statsmodels", "estimation") from None
    data = us_data()
    first, last = _quarters(sample, data.index)
    start = list(data.index).index(first) - lags
    if lags < 1 or start < 0:
        raise TargetError(
            f"A VAR with {lags} lags cannot explain {first}: the data begin in {data.index[0]}."
            " Expected one lag or more, and a later first quarter."
        )
    used = data.loc[data.index[start] : last]
    check_length(len(used) - lags, 1 + used.shape[1] * lags, sample, "quarters")
    results = VAR(used).fit(lags, trend="c")
    same = {name: name for name in used.columns}
    target = from_var(
        results,
        "rate",
        same,
        horizon=horizon,
        replications=replications,
        seed=seed,
        name=US_MONETARY,
        frequency="quarter",
    )
    source = f"statsmodels macrodata, {first} to {last}; {target.source}"
    return replace(target, source=source)


def us_data() -> pd.DataFrame:
    """Output (percent), inflation and the bill rate (annualised percentage points) by quarter,
    1959Q2 to 2009Q3.
    """
    import pandas as pd

    try:
        from statsmodels.datasets import macrodata
    except ImportError:
        raise MissingExtraError("statsmodels", "estimation") from None
    raw = macrodata.load_pandas().data
    index = pd.PeriodIndex(
        [
            f"{int(year)}Q{int(quarter)}"
            for year, quarter in zip(raw["year"], raw["quarter"], strict=True)
        ],
        freq="Q",
    )
    series = {
        "output": 100 * np.log(raw["realgdp"].to_numpy()),
        "inflation": 400 * np.log(raw["cpi"]).diff().to_numpy(),
        "rate": raw["tbilrate"].to_numpy(),
    }
    return pd.DataFrame(series, index=index).iloc[1:]


def _quarters(sample: str, known: pd.Index) -> tuple[pd.Period, pd.Period]:
    import pandas as pd

    match = re.fullmatch(r"\s*(\d{4}Q[1-4])\s*:\s*(\d{4}Q[1-4])\s*", sample, re.IGNORECASE)
    if match is None:
        raise TargetError(
            f"The sample was given as {sample!r}; expected two quarters such as '{SAMPLE}'."
        )
    first, last = (pd.Period(text.upper(), freq="Q") for text in match.groups())
    if first not in known or last not in known or first >= last:
        raise TargetError(
            f"The sample {sample} does not lie within the data, {known[0]} to {known[-1]}, or ends"
            " before it begins."
        )
    return first, last
