"""The target `us-monetary`: what a monetary tightening did in the United States, from the quarterly
data that statsmodels carries.

Data: `macrodata`, 1959 to 2009. Output is 100 times the logarithm of real GDP (percent); inflation
400 times the change of the logarithm of the consumer price index, and the rate that on three-month
Treasury bills, both in annualised percentage points (the data hold no federal funds rate). VAR with
a constant and four lags, recursive, the rate last: the central bank sees output and inflation of
the quarter, neither of which responds within it. Three variables as in Rotemberg and Woodford
(1997, NBER Macroeconomics Annual 12); sample 1965:3 to 1995:3 as in Christiano, Eichenbaum and
Evans (2005, doi:10.1086/426038), whose VAR has nine variables.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from emulator.errors import MissingExtraError
from emulator.estimation.target import Target
from emulator.estimation.trouble import TargetError
from emulator.estimation.var_target import from_var

SAMPLE = "1965Q3:1995Q3"
LAGS = 4
PER_PARAMETER = 2
"""Quarters that a sample needs at least for each coefficient of an equation."""


def us_monetary(
    sample: str = SAMPLE,
    horizon: int = 20,
    lags: int = LAGS,
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
    coefficients = 1 + 3 * lags
    if len(used) - lags < PER_PARAMETER * coefficients:
        raise TargetError(
            f"The sample {sample} has {len(used) - lags} quarters for {coefficients} coefficients"
            f" an equation; expected {PER_PARAMETER * coefficients} or more."
        )
    results = VAR(used).fit(lags, trend="c")
    same = {name: name for name in used.columns}
    target = from_var(
        results,
        "rate",
        same,
        horizon=horizon,
        replications=replications,
        seed=seed,
        name="us-monetary",
    )
    return Target(
        target.name,
        target.shock,
        target.irf,
        target.covariance,
        target.matched,
        f"statsmodels macrodata, {first} to {last}; {target.source}",
    )


def us_data() -> pd.DataFrame:
    """Output (percent), inflation and the bill rate (annualised percentage points) by quarter,
    1959Q2 to 2009Q3.
    """
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
