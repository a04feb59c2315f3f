"""A fitted result of `emulator estimate` to be shown over the data that it was matched to: read
from the files of one world's folder.

result.json       world, shock, and the values of parameters that were held
parameters.csv    the point estimate of the others
fit.csv           the data's responses with their standard deviations, and which entries were
                  matched
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from emulator.errors import EmulatorError
from emulator.explorer.state import Scenario, SpecOf, State
from emulator.spec import UNKNOWN_UNIT, Observable, units_agree

FILES = ("result.json", "parameters.csv", "fit.csv")

WIDTH = 1.645
"""Standard deviations to each side that hold 90 % of a normal distribution, as the network's band
does of its errors.
"""

LARGEST = 5_000_000
"""Bytes of each file."""


class FitData(NamedTuple):
    """Responses (H+1,) of one observable and the ends of their interval."""

    irf: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


@dataclass(frozen=True)
class Fit:
    """Data responses (H+1, O) of some observables to one standard deviation of a shock, the ends of
    their 90 % interval (NaN where not matched), and the scenario that fits them.
    """

    name: str
    scenario: Scenario
    observables: tuple[str, ...]
    units: tuple[str, ...]
    irf: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    @classmethod
    def read(cls, folder: Path, spec_of: SpecOf) -> Fit:
        """From the folder of one world.

        Raises `EmulatorError` for one that is not, or was altered after it was written,
        `UnknownNameError`, `ParameterError` where it does not fit the world.
        """
        from emulator.estimation.result_files import verified  # asked only where there is a fit

        _, parameters, table = (_content(folder, name) for name in FILES)
        about = verified(folder / FILES[0])
        try:
            points = pd.read_csv(io.StringIO(parameters)).set_index("parameter")["point"]
            values = {
                **{name: held["value"] for name, held in about["held"].items()},
                **points.astype(float).to_dict(),
            }
            name = str(about["target"]["name"])
            world = str(about["world"])
            shock = str(about["world_shock"])
            observables, irf, sd = _responses(table)
            units = tuple(
                map(str, about["target"].get("units") or [UNKNOWN_UNIT] * len(observables))
            )
            if len(units) != len(observables):
                raise ValueError(f"{len(observables)} observables and {len(units)} units")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise EmulatorError(
                f"'{folder}' holds no estimate that can be read ({type(error).__name__}:"
                f" {str(error)[:100]}); expected a world's folder as `emulator estimate --output`"
                " writes it."
            ) from None
        fields = [
            ("world", world),
            ("shock", shock),
            *((f"p.{key}", repr(float(value))) for key, value in values.items()),
        ]
        return cls(
            name=name,
            scenario=Scenario.read(fields, spec_of),
            observables=observables,
            units=units,
            irf=irf,
            lower=irf - WIDTH * sd,
            upper=irf + WIDTH * sd,
        )

    def of(self, observable: Observable) -> FitData | None:
        """The data of an observable, by name and unit; None where there are none."""
        if observable.name not in self.observables:
            return None
        k = self.observables.index(observable.name)
        if not units_agree(self.units[k], observable.unit):
            return None
        return FitData(self.irf[:, k], self.lower[:, k], self.upper[:, k])

    def shows(self, state: State) -> bool:
        """Whether the data are about what a state shows: the same shock, of one standard
        deviation.
        """
        return (state.live.shock, state.live.size) == (self.scenario.shock, "1")


def _responses(table: str) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """The observables of fit.csv, their responses and standard deviations (H+1, O), NaN where they
    were not matched.
    """
    columns = ["target", "target_sd", "matched"]
    data = pd.read_csv(io.StringIO(table)).set_index(["horizon", "observable"])[columns]
    observables = tuple(map(str, data.index.unique("observable")))
    irf, sd, matched = (
        data[column].unstack("observable")[list(observables)].to_numpy() for column in columns
    )
    there = matched.astype(bool)
    irf, sd = (np.where(there, part.astype(float), np.nan) for part in (irf, sd))
    return observables, irf, sd


def _content(folder: Path, name: str) -> str:
    try:
        if (folder / name).stat().st_size > LARGEST:
            raise EmulatorError(
                f"'{folder / name}' has more than {LARGEST:,} bytes; that is no estimate."
            )
        return (folder / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        below = sorted(path.parent.name for path in folder.glob(f"*/{FILES[0]}"))
        hint = (
            f" It has estimates of {', '.join(below)}: name one of these folders." if below else ""
        )
        raise EmulatorError(
            f"'{folder}' holds no '{name}' that can be read; expected a world's folder as `emulator"
            f" estimate --output` writes it.{hint}"
        ) from None
