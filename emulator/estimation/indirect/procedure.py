"""What was done to data to make a target of them: a vector autoregression of some series, and how a
shock is identified in it; in the words of a world, so that it can be done to the world's data.

Axes: R replication or draw, T period, V series, L lag, H horizon, O observable.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from emulator.estimation.indirect.autoregression import fitted, regressors
from emulator.estimation.indirect.identification import (
    Identification,
    Instrument,
    Reduced,
    as_document,
    covariance_with,
    from_document,
)


class Column(NamedTuple):
    """A series of the autoregression: its name in the data, the observable that it is in worlds
    (empty where nobody said), and whether it is the observable's first difference.
    """

    name: str
    observable: str = ""
    differenced: bool = False


@dataclass(frozen=True)
class Procedure:
    """Series in their order, lags, periods that the autoregression explains, and identification."""

    columns: tuple[Column, ...]
    lags: int
    periods: int
    identification: Identification

    @property
    def summed(self) -> list[bool]:
        """Which series (V,) are differences."""
        return [column.differenced for column in self.columns]

    @property
    def innovation(self) -> Column:
        """The series whose shock it is."""
        return self.columns[self.identification.place]

    @property
    def needs_instrument(self) -> bool:
        return isinstance(self.identification, Instrument)

    def reduced(self, data: np.ndarray, instrument: np.ndarray | None = None) -> Reduced:
        """The reduced forms of data (R, L + T, V) and, where it needs one, an instrument (R, T)."""
        coefficients, covariance = fitted(data, self.lags)
        with_instrument = None
        if instrument is not None:
            residuals = data[:, self.lags :] - regressors(data, self.lags) @ coefficients
            with_instrument = covariance_with(residuals, instrument)
        return Reduced(coefficients, covariance, self.lags, with_instrument)

    def responses(self, reduced: Reduced, horizon: int, observables: Sequence[str]) -> np.ndarray:
        """Responses (R, H+1, O) of observables to the shock; NaN of those that are not among the
        series.
        """
        return self.observed(
            self.identification.responses(reduced, horizon, self.summed), observables
        )

    def observed(self, responses: np.ndarray, observables: Sequence[str]) -> np.ndarray:
        """Responses (R, H+1, O) of observables from those (R, H+1, V) of the series."""
        irf = np.full((*responses.shape[:2], len(observables)), np.nan)
        for k, column in enumerate(self.columns):
            if column.observable in observables:
                path = responses[:, :, k]
                irf[:, :, observables.index(column.observable)] = (
                    path.cumsum(axis=1) if column.differenced else path
                )
        return irf

    def text(self) -> str:
        """As JSON."""
        document = {
            "columns": [list(column) for column in self.columns],
            "lags": self.lags,
            "periods": self.periods,
            "identification": as_document(self.identification),
        }
        return json.dumps(document)

    @classmethod
    def read(cls, text: str) -> Procedure:
        """From `text`. Raises `ValueError` for what is none."""
        try:
            document: dict[str, Any] = json.loads(text)
            procedure = cls(
                tuple(
                    Column(str(name), str(observable), bool(differenced))
                    for name, observable, differenced in document["columns"]
                ),
                int(document["lags"]),
                int(document["periods"]),
                from_document(document["identification"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"it holds no procedure of a target ({error!r})") from None
        if not 0 <= procedure.identification.place < len(procedure.columns) or procedure.lags < 1:
            raise ValueError("its procedure names a series that it does not have, or no lag")
        return procedure
