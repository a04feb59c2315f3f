"""`emulator smooth`, `decompose`, `forecast` and `counterfactual`: what happened, what comes next,
and what would have happened.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from emulator.console import say
from emulator.errors import ParameterError
from emulator.grouping import grouped
from emulator.inference.command_line import WORLD_HELP, WithFigure, names_of
from emulator.inference.history_question import Outputs, TypedQuestion, asked
from emulator.inference.options import World
from emulator.series.command import pairs

ROUNDED = 1e-3
"""Distance of a sum of probabilities from one that is rounding."""


@grouped
def smooth(world: World, question: TypedQuestion, to: Outputs) -> None:
    """Which shocks the data call for, and the paths of all observables: the Kalman smoother."""
    from emulator.inference.history import figures, files, printed

    to.check(files.SMOOTHED)
    economy, arguments = asked(world, question)
    answer = economy.smooth(**arguments)
    to.write(answer, files.SMOOTHED, figures.draw_smoothed)
    printed.show_smoothed(answer)


@grouped
def decompose(world: World, question: TypedQuestion, to: Outputs) -> None:
    """Historical decomposition: what each shock contributed to each series, period by period."""
    from emulator.inference.history import figures, files, printed

    to.check(files.DECOMPOSITION)
    economy, arguments = asked(world, question)
    answer = economy.decompose(**arguments)
    to.write(answer, files.DECOMPOSITION, figures.draw_decomposition)
    printed.show_decomposition(answer)


@dataclass(frozen=True)
class Ahead:
    """What is forecast, as it was typed."""

    horizon: Annotated[int, typer.Option(min=1, max=1000, help="Periods ahead.")] = 12
    condition: Annotated[
        list[str] | None,
        typer.Option(
            help="A path that a series or observable takes: rate=4.5,4.25,,4.0; nothing between"
            " commas leaves a period free. May be repeated."
        ),
    ] = None
    by: Annotated[
        list[str] | None,
        typer.Option(
            help="Shocks that alone meet the conditions, separated by commas; else the most likely"
            " ones."
        ),
    ] = None
    anticipated: Annotated[
        bool,
        typer.Option(
            "--anticipated", help="The shocks that meet the conditions are announced beforehand."
        ),
    ] = False
    probabilities: Annotated[
        str,
        typer.Option(
            help="Of several worlds, separated by commas.  [default: those of the posterior's"
            " folder, else equal]"
        ),
    ] = ""
    known_past: Annotated[
        bool, typer.Option("--known-past", help="Take today's state as certain.")
    ] = False

    @property
    def arguments(self) -> dict[str, Any]:
        """As `Economy.forecast` takes them."""
        paths = pairs(self.condition, "--condition")
        return {
            "horizon": self.horizon,
            "condition": {name: _path(name, text) for name, text in paths.items()},
            "by": names_of(self.by or []),
            "anticipated": self.anticipated,
            "known_past": self.known_past,
        }


@grouped
def forecast(
    world: Annotated[
        str,
        typer.Argument(
            help=f"{WORLD_HELP} Several worlds, separated by commas, are weighted by their"
            " probabilities."
        ),
    ],
    ahead: Ahead,
    question: TypedQuestion,
    to: Outputs,
) -> None:
    """Forecast the periods after the data, with bands; under conditions, and over draws and worlds
    too.
    """
    from emulator.inference.history import figures, files, printed
    from emulator.inference.history.pooling import pooled

    to.check(files.FORECAST)
    names = [name.strip() for name in world.split(",") if name.strip()]
    answers = {}
    for name in names:
        economy, arguments = asked(name, question)
        answers[name] = economy.forecast(**arguments, **ahead.arguments)
    answer = answers[names[0]]
    if len(names) > 1:
        answer = pooled(answers, _probabilities(names, ahead.probabilities, question.posterior))
    elif ahead.probabilities:
        raise ParameterError(
            f"--probabilities weights several worlds, and '{world}' is one. Name several: nk,sw07."
        )
    to.write(answer, files.FORECAST, figures.draw_forecast)
    printed.show_forecast(answer)


@grouped
def counterfactual(
    world: World,
    under: Annotated[
        list[str] | None,
        typer.Option(help="A parameter that is another, such as phi_pi=2.5. May be repeated."),
    ] = None,
    shocks: Annotated[
        list[str] | None,
        typer.Option(help="Shocks that alone happen, separated by commas; all if left out."),
    ] = None,
    *,
    question: TypedQuestion,
    to: Outputs,
) -> None:
    """The same shocks under other parameters, such as another policy rule, or some shocks alone."""
    from emulator.inference.history import figures, files, printed

    to.check(files.COUNTERFACTUAL)
    economy, arguments = asked(world, question)
    answer = economy.counterfactual(
        **arguments,
        under=pairs(under, "--under"),
        shocks=names_of(shocks or []),
    )
    to.write(answer, files.COUNTERFACTUAL, figures.draw_counterfactual)
    printed.show_counterfactual(answer)


# Read by emulator.cli.
smooth.command_class = WithFigure  # type: ignore[attr-defined]
decompose.command_class = WithFigure  # type: ignore[attr-defined]
forecast.command_class = WithFigure  # type: ignore[attr-defined]
counterfactual.command_class = WithFigure  # type: ignore[attr-defined]


def _path(name: str, text: str) -> list[float]:
    """Numbers separated by commas, NaN where there is nothing between two."""
    try:
        return [float(part) if part.strip() else math.nan for part in text.split(",")]
    except ValueError:
        raise ParameterError(
            f"{name}={text}: expected numbers separated by commas, such as {name}=4.5,4.25,,4.0."
        ) from None


def _probabilities(names: Sequence[str], text: str, posterior: Path | None) -> dict[str, float]:
    """Of several worlds: as typed, else those in the posterior's folder, else equal."""
    if text:
        numbers = _path("--probabilities", text)
        if len(numbers) != len(names):
            raise ParameterError(
                f"--probabilities names {len(numbers)} numbers, and there are {len(names)} worlds."
            )
        total = math.fsum(numbers)
        if not all(number >= 0 for number in numbers) or not 0 < total < math.inf:
            raise ParameterError(
                f"--probabilities are {text}; expected numbers, zero or more, not all of them zero."
            )
        if abs(total - 1) > ROUNDED:
            shares = ", ".join(
                f"{name} {number / total:.3g}" for name, number in zip(names, numbers, strict=True)
            )
            say(f"--probabilities sum up to {total:g}, and are taken by their size: {shares}.")
        return dict(zip(names, numbers, strict=True))
    table = None if posterior is None else posterior / "worlds.csv"
    if table is None or not table.exists():
        return dict.fromkeys(names, 1.0)
    import pandas as pd

    column = pd.read_csv(table, index_col="world")["probability"]
    return {name: float(column.get(name, 0.0)) for name in names}
