"""From a state of the page to the curves of its picture, and to what a reader should know before
believing them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import xarray as xr

from emulator.console import number
from emulator.errors import EmulatorError
from emulator.explorer.economies import Economies
from emulator.explorer.fit import Fit
from emulator.explorer.state import Scenario, State
from emulator.inference.answers import beyond_training
from emulator.spec import OBSERVABLE_UNITS, OBSERVABLES, Status


@dataclass(frozen=True)
class Curve:
    """One answer (draw 0 of one shock) as it is drawn; place: of its scenario, which says its
    colour.
    """

    label: str
    place: int
    data: xr.Dataset
    dashed: bool = False

    @property
    def name(self) -> str:
        """Its name in tables and files."""
        return f"{self.label} (exact)" if self.exact else self.label

    @cached_property
    def exact(self) -> bool:
        return bool(self.data["exact"].values[0])

    @cached_property
    def irf(self) -> np.ndarray:
        """The response (H+1, 3), in percent and annualised percentage points."""
        return np.asarray(self.data["irf"].values[0, 0])

    @cached_property
    def band(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Lower and upper end (H+1, 3) of the network's band, where it has one; NaN beyond the
        quarters that it knows.
        """
        return (
            (self.data["lower"].values[0, 0], self.data["upper"].values[0, 0])
            if "lower" in self.data
            else None
        )

    @property
    def drawn(self) -> bool:
        """Whether there is a response to draw."""
        return bool(np.isfinite(self.irf).all())


@dataclass
class Answer:
    """The picture's curves and notes, with the data behind them; complete: nothing is left to be
    solved while the page rests.
    """

    state: State
    fit: Fit | None = None
    curves: list[Curve] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    complete: bool = True

    @property
    def units(self) -> tuple[str, ...]:
        """Of output, inflation and rate."""
        units = self.curves[0].data["unit"].values if self.curves else OBSERVABLE_UNITS
        return tuple(map(str, units))

    @property
    def size(self) -> str:
        """The live shock's size in words."""
        return next(
            (str(curve.data["size"].values[0]) for curve in self.curves if curve.place == 0),
            self.state.live.size,
        )


def ask(
    state: State,
    economies: Economies,
    patient: bool = True,
    gone: Callable[[], bool] = lambda: False,
) -> Answer:
    """Every curve that a state asks for; a scenario that cannot be answered becomes a note, never a
    curve.

    patient: wait for slow solvers, unless whoever asks is `gone`; otherwise the answer may be
    incomplete.
    """

    def solved(scenario: Scenario) -> xr.Dataset | None:
        return economies.solved(scenario, state.horizon, patient, gone)

    answer = Answer(
        state, economies.fit if economies.fit is not None and economies.fit.shows(state) else None
    )
    for place, scenario in state.scenarios().items():
        try:
            predicted = economies.predicted(scenario, state.horizon)
            _add_curves(answer, place, scenario, predicted, solved)
        except EmulatorError as error:
            answer.notes.append(f"{state.label(scenario)}: {error}")
    return answer


def _add_curves(
    answer: Answer,
    place: int,
    scenario: Scenario,
    predicted: xr.Dataset | None,
    solve: Callable[[Scenario], xr.Dataset | None],
) -> None:
    """The network's curve where there is one, and the exact one where it is wanted."""
    label = answer.state.label(scenario)
    if predicted is not None:
        answer.curves.append(Curve(label, place, predicted))
        answer.notes += [f"{label}: {words}" for words in doubts(predicted)]
    if predicted is None or answer.state.exact:
        solved = solve(scenario)
        if solved is None:
            answer.complete = False
            return
        answer.curves.append(Curve(label, place, solved, dashed=predicted is not None))
        if "status" in solved.attrs:
            answer.notes.append(
                f"{label}: the exact solver finds no unique stable solution"
                f" ({in_words(solved.attrs['status'])}). Nothing is drawn for it."
            )


def doubts(predicted: xr.Dataset) -> list[str]:
    """Why a network's answer should be doubted, in plain words; empty where there is no reason."""
    reasons = []
    outside = beyond_training(predicted)
    if outside:
        reasons.append(
            f"out of range: {outside}. The network was not trained there, and its band does not"
            " cover that."
        )
    if not bool(predicted.get("determinate", xr.DataArray([True]))[0]):
        probability = float(predicted["probability_determinate"][0])
        reasons.append(
            "indeterminate: the network takes it that there is no unique stable solution here"
            f" (probability of one {probability:.2g}). It draws nothing."
        )
    elif not reasons and "flagged" in predicted and bool(predicted["flagged"][0]):
        reasons.append(
            "the network flags this answer itself: it may be wrong by more than its band says. The"
            " exact solution settles it."
        )
    return reasons


def in_words(status: int) -> str:
    """A `Status` and what it means."""
    known = Status(status)
    return f"{known.label.replace('_', ' ')}: {known.meaning}"


def rows(answer: Answer) -> tuple[list[str], list[list[str]]]:
    """The numbers as a table of text: a column a curve and observable, a row a quarter."""
    heads = [
        "quarter",
        *(f"{name}, {curve.name}" for name in OBSERVABLES for curve in answer.curves),
    ]
    columns = [curve.irf[:, k] for k in range(len(OBSERVABLES)) for curve in answer.curves]
    return heads, [
        [str(h), *(number(column[h], "+.4f") for column in columns)]
        for h in range(answer.state.horizon + 1)
    ]
