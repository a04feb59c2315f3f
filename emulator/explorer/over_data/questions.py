"""Questions about data to an economy, as plain texts and numbers that also travel to the process of
an uploaded file; see `emulator.explorer.sandbox`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from emulator.errors import ParameterError, UnknownNameError
from emulator.inference.economy import Economy
from emulator.inference.likelihood.questions import observed_series, refuse_regimes
from emulator.series import TimeSeries
from emulator.spec import OBSERVABLES

NO_STATES = (
    "World '{name}' has no state space, and no network is loaded that knows it: its shocks would"
    " have to be found from responses that take its solver too long. Start the explorer with a"
    " network that knows it (emulator explore --checkpoint NAME), or ask a linear world, such as"
    " nk."
)


def document_of(data: TimeSeries) -> dict[str, Any]:
    """Time series as JSON has them."""
    return {
        "name": data.name,
        "source": data.source,
        "periods": data.labels,
        "names": list(data.names),
        "values": data.values.tolist(),
        "units": list(data.units),
        "done": list(data.done),
        "observing": list(data.observing),
    }


def series_of(document: Mapping[str, Any]) -> TimeSeries:
    """The time series of a document that `document_of` made."""
    from emulator.series.periods import parse_labels

    return TimeSeries(
        name=document["name"],
        source=document["source"],
        periods=parse_labels(document["periods"], document["source"]),
        names=tuple(document["names"]),
        values=np.array(document["values"], dtype=np.float64),
        units=tuple(document["units"]),
        done=tuple(document["done"]),
        observing=tuple(document["observing"]),
    )


def observing(economy: Economy, data: TimeSeries) -> dict[str, Any]:
    """What the page starts from. `equations`: by series; `left`: the series that are left out, as
    the economy is held to no more of those that it observes than it has shocks, those of output,
    inflation and the rate first; `why_none`: why it observes no series by itself, empty where it
    does.

    Raises `SeriesError` for data of shorter periods than the world's, and `ParameterError` for a
    world whose data have no Gaussian likelihood, or that is solved too slowly for that.
    """
    refuse_regimes(economy.answerer)
    if not economy.answerer.has_state_space and economy.answerer.exact:
        raise ParameterError(NO_STATES.format(name=economy.spec.name))
    try:
        texts = observed_series(economy.answerer, data)
    except UnknownNameError as error:
        return {"equations": {}, "left": [], "why_none": str(error)}

    def of_all_worlds(text: str) -> bool:
        return any(name in text for name in OBSERVABLES)

    ordered = sorted(texts, key=lambda name: not of_all_worlds(texts[name]))
    left = ordered[economy.spec.n_shocks :]
    kept = {name: text for name, text in texts.items() if name not in left}
    return {"equations": kept, "left": left, "why_none": ""}


def answered(economy: Economy, question: Mapping[str, Any], data: TimeSeries) -> xr.Dataset:
    """The answer to a question: `ask` ("decompose" or "forecast"), `values` of parameters, and the
    other arguments of that method of an economy. Raises `EmulatorError` as it does.
    """
    arguments = dict(question)
    ask = arguments.pop("ask")
    values = arguments.pop("values")
    method = economy.decompose if ask == "decompose" else economy.forecast
    answer: xr.Dataset = method(data, values, **arguments)
    return answer
