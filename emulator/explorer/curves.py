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
from emulator.errors import EmulatorError, ParameterError
from emulator.explorer.economies import Economies
from emulator.explorer.fit import Fit
from emulator.explorer.state import Scenario, State
from emulator.explorer.wording import on_the_page
from emulator.inference.answers import beyond_training
from emulator.inference.orders import IN_WORDS
from emulator.spec import Observable, Status, WorldSpec, units_agree


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
        """The response (H+1, O), each observable of the answer in its own unit."""
        return np.asarray(self.data["irf"].values[0, 0])

    @cached_property
    def band(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Lower and upper end (H+1, O) of the network's band, where it has one; NaN beyond the
        periods that it knows.
        """
        return (
            (self.data["lower"].values[0, 0], self.data["upper"].values[0, 0])
            if "lower" in self.data
            else None
        )

    @cached_property
    def drawn(self) -> bool:
        """Whether there is a response to draw."""
        return bool(np.isfinite(self.irf).all())

    @cached_property
    def _columns(self) -> dict[str, tuple[int, str]]:
        """Position and unit of each observable that the answer has."""
        names, units = (map(str, self.data[axis].values) for axis in ("observable", "unit"))
        return {name: (k, unit) for k, (name, unit) in enumerate(zip(names, units, strict=True))}

    def column(self, observable: Observable) -> int | None:
        """Where the answer has an observable, by name and unit; None where it does not."""
        column, unit = self._columns.get(observable.name, (None, ""))
        return column if units_agree(unit, observable.unit) else None

    def line(self, observable: Observable) -> np.ndarray | None:
        """The response (H+1,) of an observable, where the answer has it and it can be drawn."""
        column = self.column(observable)
        return None if column is None or not self.drawn else self.irf[:, column]

    def band_of(self, observable: Observable) -> tuple[np.ndarray, np.ndarray] | None:
        """The ends (H+1,) of an observable's band, where there is one and a line within it."""
        column = self.column(observable)
        if column is None or self.band is None or not self.drawn:
            return None
        lower, upper = self.band
        return lower[:, column], upper[:, column]


@dataclass
class Answer:
    """The picture's curves and notes, with the data behind them; complete: nothing is left to be
    solved while the page rests.
    """

    state: State
    spec: WorldSpec
    """Of the live world, whose observables and periods the picture has."""
    fit: Fit | None = None
    curves: list[Curve] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    complete: bool = True
    ghost: Curve | None = None
    """What the live curve was before the slider that is being moved."""

    @property
    def shown(self) -> tuple[Observable, ...]:
        """The observables that are drawn."""
        return self.state.shown(self.spec)

    @property
    def order(self) -> str:
        """The order of approximation of the live world's exact solution in words, where it is not
        the first; else empty.
        """
        orders = (
            int(curve.data.attrs.get("order", 1)) for curve in self.curves if curve.place == 0
        )
        highest = max(orders, default=1)
        return IN_WORDS[highest] if highest > 1 else ""

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
    ghost: Scenario | None = None,
) -> Answer:
    """Every curve that a state asks for; a scenario that cannot be answered becomes a note, never a
    curve.

    patient: wait for slow solvers, unless whoever asks is `gone`; otherwise the answer may be
    incomplete. ghost: what the live scenario was before a slider was moved.
    """

    def solved(scenario: Scenario) -> xr.Dataset | None:
        return economies.solved(scenario, state.horizon, patient, gone)

    fit = economies.fit if economies.fit is not None and economies.fit.shows(state) else None
    answer = Answer(state, economies.spec(state.live.world), fit)
    for place, scenario in state.scenarios().items():
        answer.notes += [
            f"{state.label(scenario)}: {on_the_page(remark)}"
            for remark in economies.remarks(scenario.world)
        ]
        try:
            _check_same_periods(answer.spec, economies.spec(scenario.world))
            predicted = economies.predicted(scenario, state.horizon)
            _add_curves(answer, place, scenario, predicted, solved)
            if predicted is None:
                beyond = beyond_sliders(scenario, economies.spec(scenario.world), exact=True)
                answer.notes += [f"{state.label(scenario)}: {words}" for words in beyond]
        except EmulatorError as error:
            answer.notes.append(f"{state.label(scenario)}: {on_the_page(error)}")
    if ghost is not None and ghost != state.live:
        answer.ghost = _ghost(ghost, state, economies)
    return answer


def _ghost(scenario: Scenario, state: State, economies: Economies) -> Curve | None:
    """The curve of a scenario that was live, where it is known without waiting."""
    try:
        data = economies.predicted(scenario, state.horizon)
        if data is None:
            data = economies.solved(scenario, state.horizon, patient=False)
    except EmulatorError:
        return None
    return None if data is None else Curve(f"before: {state.label(scenario)}", 0, data)


def _check_same_periods(live: WorldSpec, other: WorldSpec) -> None:
    if live.frequency != other.frequency:
        raise ParameterError(
            f"its periods are {other.periods}, those of the picture {live.periods}. It is drawn"
            " alone."
        )


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
        if place == 0 and not answer.state.exact:
            answer.notes += [f"{label}: {words}" for words in _unknown(answer, predicted)]
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


def _unknown(answer: Answer, predicted: xr.Dataset) -> list[str]:
    """Which of the observables that are drawn the network does not know; nothing where it does."""
    known = {str(name) for name in predicted["observable"].values}
    beyond = [observable.name for observable in answer.shown if observable.name not in known]
    if not beyond:
        return []
    return [f"the network knows no {', '.join(beyond)}. The exact solution draws them."]


def beyond_sliders(scenario: Scenario, spec: WorldSpec, exact: bool) -> list[str]:
    """Which values lie beyond their sliders, which end where the prior does; exact: whether the
    solver answers there.
    """
    ends = {p.name: (p.low, p.high) for p in spec.parameters}
    beyond = [
        f"{name} = {number(value, '.6g')} ({ends[name][0]:.4g} to {ends[name][1]:.4g})"
        for name, value in scenario.values
        if value < ends[name][0] or value > ends[name][1]
    ]
    if not beyond:
        return []
    answers = "The solver answers there all the same." if exact else "The network may err there."
    return [f"out of range: {', '.join(beyond)}, where the prior ends. {answers}"]


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
    if "near_jump" in predicted and bool(predicted["near_jump"][0]):
        reasons.append(
            "near a border between regimes of this world, where responses jump: the network may be"
            " on the wrong side of it. The exact solution settles it."
        )
    return reasons


def in_words(status: int) -> str:
    """A `Status` and what it means."""
    known = Status(status)
    return f"{known.label.replace('_', ' ')}: {known.meaning}"


def rows(answer: Answer) -> tuple[list[str], list[list[str]]]:
    """The numbers as a table of text: a column a curve and observable, a row a period."""
    heads: list[str] = [answer.spec.frequency]
    columns = []
    for observable in answer.shown:
        for curve in answer.curves:
            column = curve.column(observable)
            if column is not None:
                heads.append(f"{observable.name}, {curve.name}")
                columns.append(curve.irf[:, column])
    return heads, [
        [str(h), *(number(column[h], "+.4f") for column in columns)]
        for h in range(answer.state.horizon + 1)
    ]
