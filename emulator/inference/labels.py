"""What an answer is about and what it holds, as plain arrays, and what is to be said of it.

Axes: n draw, P parameter, S shock, H horizon, O observable.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from emulator.errors import NoSolutionError, OutsideBoundsError
from emulator.spec import Status, WorldSpec
from emulator.worlds import is_known
from emulator.worlds.base import check_on_failure

MOST_NAMED = 5
"""Draws that a note names, at most."""

MOST_VARYING = 3
"""Parameters that vary up to which a note names a draw by their values: those of a sweep."""


class DrawNames(NamedTuple):
    """What draws are called in a note: in a sweep by the parameters that vary, else by `draws`."""

    spec: WorldSpec
    theta: np.ndarray
    draws: np.ndarray

    def counted(self, chosen: np.ndarray) -> str:
        """How many draws, of all, are `chosen` (n,) bool, and the first of them."""
        rows = np.flatnonzero(chosen)
        varying = np.flatnonzero(np.ptp(self.theta, axis=0) > 0)
        if 0 < len(varying) <= MOST_VARYING:
            names = ", ".join(self.spec.parameter_names[k] for k in varying) + " = "
            values = self.theta[rows[:MOST_NAMED]][:, varying]
            shown = [", ".join(f"{value:.6g}" for value in row) for row in values]
        else:
            names = "draw " if len(rows) == 1 else "draws "
            shown = [str(draw) for draw in self.draws[rows[:MOST_NAMED]]]
        more = f" and {len(rows) - len(shown):,} more" if len(rows) > len(shown) else ""
        between = "; " if 1 < len(varying) <= MOST_VARYING else ", "
        listed = f"{names}{between.join(shown)}{more}"
        return f"{len(rows):,} of {len(chosen):,} draws ({listed})"


class Labels(NamedTuple):
    """What an answer is about: the world, the shocks (S) with their sizes in words, the draws (n),
    who answered, and what a reader should know of every answer.
    """

    spec: WorldSpec
    shocks: Sequence[str]
    sizes: Sequence[str]
    draws: np.ndarray
    source: str
    parameters: str = ""
    """Which parameters are not at their defaults, in words."""
    notes: Sequence[str] = ()
    trained_range: tuple[np.ndarray, np.ndarray] | None = None
    jump: str = ""
    """Which draws are near a border where responses jump, in words."""
    order: int = 1
    """The order of approximation."""

    def near_jumps(
        self, theta: np.ndarray, near: np.ndarray, exact: np.ndarray, predicts_regime: bool
    ) -> Labels:
        """These labels with what a reader should know of the draws of theta (n, P) that are `near`
        (n,) a border where responses jump, of which some are solved, `exact` (n,).
        predicts_regime: as `Answerer` has it, of who answers the others.
        """
        if not near.any():
            return self
        counted = DrawNames(self.spec, theta, self.draws).counted(near)
        which = "The draw is" if len(near) == 1 else f"{counted} are"
        jump = (
            f"{which} near a border between regimes of this world: a small change of the parameters"
            " may make the responses jump."
        )
        if (near & ~exact).any():
            jump += (
                " The network predicts the regime, and may have taken a draw to the wrong side."
                if predicts_regime
                else " The network is smooth there, and may be on the other side."
            )
        return self._replace(jump=jump)

    @property
    def attributes(self) -> dict[str, str]:
        attributes = {
            "world": self.spec.name,
            "title": self.spec.title,
            "source": self.source,
            "parameters": self.parameters,
        }
        if self.order > 1:
            attributes["order"] = str(self.order)
        notes = " ".join([*self.notes, self.jump]).strip()
        return attributes | ({"notes": notes} if notes else {})


class Answered(NamedTuple):
    """An answer before it is an xarray Dataset: `fields` as in `emulator.inference.answers`."""

    labels: Labels
    theta: np.ndarray
    fields: dict[str, np.ndarray]

    @property
    def doubted(self) -> np.ndarray:
        """Which draws (n,) the network doubts: flagged, with a solution, and not solved."""
        if "flagged" not in self.fields:
            return np.zeros(len(self.theta), dtype=bool)
        solved = self.fields.get("determinate", np.ones(len(self.theta), dtype=bool))
        return self.fields["flagged"] & ~self.fields["exact"] & solved

    @property
    def doubt(self) -> str:
        """What a reader should know of the draws that the network doubts; empty without any."""
        flags = self.doubted
        if not flags.any():
            return ""
        first = int(np.flatnonzero(flags)[0])
        beyond = self.beyond_training(first)
        names = DrawNames(self.labels.spec, self.theta, self.labels.draws)
        which = "this answer" if len(flags) == 1 else names.counted(flags)
        why = ""
        if beyond:
            why = (
                f", beyond the training draws: {beyond}"
                if len(flags) == 1
                else f"; first: {beyond}"
            )
        # A world of a file or of imported draws has no solver here that a name would reach.
        where = (
            "fallback='exact' asks the solver."
            if is_known(self.labels.spec.name)
            else f"ask the model behind '{self.labels.spec.name}' itself."
        )
        unknown = (
            ""
            if "probability_determinate" in self.fields
            else ", and nothing says whether there is a unique stable solution"
        )
        return (
            f"The network flags {which}{why}. It may be wrong by more than its band says{unknown};"
            f" {where}"
        )

    def beyond_training(self, draw: int) -> str:
        """Which parameters of a draw lie outside the range of the training draws, and that range;
        empty where none does.
        """
        spec, trained = self.labels.spec, self.labels.trained_range
        if trained is None or "parameter_in_range" not in self.fields:
            return ""
        outside = np.flatnonzero(~self.fields["parameter_in_range"][draw])
        return ranges_in_words(
            [spec.parameter_names[k] for k in outside],
            self.theta[draw, outside],
            trained[0][outside],
            trained[1][outside],
        )


def ranges_in_words(
    names: Sequence[str], values: np.ndarray, low: np.ndarray, high: np.ndarray
) -> str:
    """Parameters beyond the range of the training draws, and that range."""
    return ", ".join(
        f"{name} = {value:.6g} (trained on {least:.4g} to {most:.4g})"
        for name, value, least, most in zip(names, values, low, high, strict=True)
    )


def refuse(
    spec: WorldSpec,
    theta: np.ndarray,
    failed: np.ndarray,
    on_failure: str,
    why: Callable[[], str],
    solution: str = "unique stable solution",
) -> None:
    """`NoSolutionError` that names draws (n,) without a solution, unless NaN was asked for; why and
    what they lack: in words.
    """
    check_on_failure(on_failure)
    if on_failure == "nan" or not failed.any():
        return
    first = int(np.flatnonzero(failed)[0])
    values = ", ".join(
        f"{name}={value:.6g}"
        for name, value in zip(spec.parameter_names, theta[first], strict=True)
    )
    listed = f" (`emulator worlds {spec.name}` shows defaults and ranges)"
    raise NoSolutionError(
        f"World '{spec.name}' has no {solution} at {failed.sum():,} of {len(failed):,}"
        f" draws: {why().removesuffix('.')}. Draw {first}: {values}. Change the"
        f" parameters{listed if is_known(spec.name) else ''}, or, in Python, have NaN there:"
        " on_failure='nan'."
    )


def refuse_impossible(spec: WorldSpec, theta: np.ndarray, on_failure: str) -> None:
    """`OutsideBoundsError` for a draw of theta (n, P) with a parameter outside what it can be,
    unless NaN was asked for.
    """
    possible = spec.possible(theta)
    if on_failure == "nan" or possible.all():
        return
    first = int(np.flatnonzero(~possible)[0])
    raise OutsideBoundsError(
        f"World '{spec.name}' has no unique stable solution at {(~possible).sum():,} of"
        f" {len(theta):,} draws: {spec.impossible(theta[first])} (draw {first}). Change the"
        " parameters, or, in Python, have NaN there: on_failure='nan'."
    )


NO_PATH = (
    "no path (there is one after shocks of one standard deviation, and none was found after those"
    " that were asked for; smaller ones may have one)"
)
"""Of a world that is not linear: what became of a draw that has a solution."""


def statuses_in_words(codes: np.ndarray, linear: bool = True) -> str:
    """How many draws without finite responses have each `Status` (n,), and what it means; linear:
    whether responses are in proportion to shocks.
    """
    counts = sorted(Counter(Status(code) for code in codes).items())
    solved = f"overflow ({Status.OK.meaning})" if linear else NO_PATH
    return ", ".join(
        f"{count:,} {solved if status == Status.OK else f'{status.label} ({status.meaning})'}"
        for status, count in counts
    )
