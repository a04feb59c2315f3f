"""`emulator smooth`, `decompose`, `forecast` and `counterfactual`: what happened, what comes next,
and what would have happened.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emulator.console import say
from emulator.errors import ParameterError
from emulator.inference.command_line import (
    OBSERVABLES_HELP,
    WORLD_HELP,
    WithFigure,
    check_outputs,
    names_of,
)
from emulator.inference.history_question import TypedQuestion, asked, typed
from emulator.inference.options import (
    Checkpoint,
    Error,
    Frequency,
    Gaps,
    Grid,
    Observe,
    Plot,
    Run,
    Sample,
    Set,
    Transform,
    World,
)
from emulator.series.command import pairs

if TYPE_CHECKING:
    import xarray as xr


Data = Annotated[
    str | None,
    typer.Option(
        help="us (quarterly US series), or files (.csv, .xlsx, .parquet).  [default: us, or those"
        " of the posterior]"
    ),
]
Start = Annotated[
    str | None,
    typer.Option(
        help="What is known at first: stationary, diffuse (for unit roots) or wide (Dynare's"
        " lik_init=2).  [default: stationary]"
    ),
]
Posterior = Annotated[
    Path | None,
    typer.Option(
        help="Draws of a posterior, a file posterior.nc or its folder, as emulator estimate --data"
        " writes them; the data are observed as they were there."
    ),
]
Draws = Annotated[int, typer.Option(min=1, help="Of the posterior at most so many.")]
Observables = Annotated[
    list[str] | None,
    typer.Option("--observables", "--variables", help=f"Beside the series: {OBSERVABLES_HELP}"),
]
Output = Annotated[
    list[Path] | None,
    typer.Option(
        "--output", "--csv", help="Write all numbers (.csv, .nc or .json). May be repeated."
    ),
]


ROUNDED = 1e-3
"""Distance of a sum of probabilities from one that is rounding."""


def smooth(
    world: World,
    data: Data = None,
    observe: Observe = None,
    error: Error = None,
    sample: Sample = None,
    transform: Transform = None,
    frequency: Frequency = None,
    gaps: Gaps = "error",
    start: Start = None,
    posterior: Posterior = None,
    draws: Draws = 200,
    set_: Set = None,
    grid: Grid = False,
    observables: Observables = None,
    checkpoint: Checkpoint = "",
    run: Run = None,
    plot: Plot = None,
    output: Output = None,
) -> None:
    """Which shocks the data call for, and the paths of all observables: the Kalman smoother."""
    from emulator.inference.history import figures, files, printed

    check_outputs(plot, output or [], files.SMOOTHED)
    economy, arguments = asked(world, TypedQuestion(**typed(locals())))
    answer = economy.smooth(**arguments)
    _write(answer, plot, output, files.SMOOTHED, figures.draw_smoothed)
    printed.show_smoothed(answer)


def decompose(
    world: World,
    data: Data = None,
    observe: Observe = None,
    error: Error = None,
    sample: Sample = None,
    transform: Transform = None,
    frequency: Frequency = None,
    gaps: Gaps = "error",
    start: Start = None,
    posterior: Posterior = None,
    draws: Draws = 200,
    set_: Set = None,
    grid: Grid = False,
    observables: Observables = None,
    checkpoint: Checkpoint = "",
    run: Run = None,
    plot: Plot = None,
    output: Output = None,
) -> None:
    """Historical decomposition: what each shock contributed to each series, period by period."""
    from emulator.inference.history import figures, files, printed

    check_outputs(plot, output or [], files.DECOMPOSITION)
    economy, arguments = asked(world, TypedQuestion(**typed(locals())))
    answer = economy.decompose(**arguments)
    _write(answer, plot, output, files.DECOMPOSITION, figures.draw_decomposition)
    printed.show_decomposition(answer)


def forecast(
    world: Annotated[
        str,
        typer.Argument(
            help=f"{WORLD_HELP} Several worlds, separated by commas, are weighted by their"
            " probabilities."
        ),
    ],
    horizon: Annotated[int, typer.Option(min=1, max=1000, help="Periods ahead.")] = 12,
    condition: Annotated[
        list[str] | None,
        typer.Option(
            help="A path that a series or observable takes: rate=4.5,4.25,,4.0; nothing between"
            " commas leaves a period free. May be repeated."
        ),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            help="Shocks that alone meet the conditions, separated by commas; else the most likely"
            " ones."
        ),
    ] = None,
    anticipated: Annotated[
        bool,
        typer.Option(
            "--anticipated", help="The shocks that meet the conditions are announced beforehand."
        ),
    ] = False,
    probabilities: Annotated[
        str,
        typer.Option(
            help="Of several worlds, separated by commas.  [default: those of the posterior's"
            " folder, else equal]"
        ),
    ] = "",
    known_past: Annotated[
        bool, typer.Option("--known-past", help="Take today's state as certain.")
    ] = False,
    data: Data = None,
    observe: Observe = None,
    error: Error = None,
    sample: Sample = None,
    transform: Transform = None,
    frequency: Frequency = None,
    gaps: Gaps = "error",
    start: Start = None,
    posterior: Posterior = None,
    draws: Draws = 200,
    set_: Set = None,
    grid: Grid = False,
    observables: Observables = None,
    checkpoint: Checkpoint = "",
    run: Run = None,
    plot: Plot = None,
    output: Output = None,
) -> None:
    """Forecast the periods after the data, with bands; under conditions, and over draws and worlds
    too.
    """
    from emulator.inference.history import figures, files, printed
    from emulator.inference.history.pooling import pooled

    check_outputs(plot, output or [], files.FORECAST)
    question = TypedQuestion(**typed(locals()))
    names = [name.strip() for name in world.split(",") if name.strip()]
    answers = {}
    for name in names:
        economy, arguments = asked(name, question)
        answers[name] = economy.forecast(
            **arguments,
            horizon=horizon,
            condition={
                name: _path(name, text) for name, text in pairs(condition, "--condition").items()
            },
            by=names_of(by or []),
            anticipated=anticipated,
            known_past=known_past,
        )
    answer = answers[names[0]]
    if len(names) > 1:
        answer = pooled(answers, _probabilities(names, probabilities, posterior))
    elif probabilities:
        raise ParameterError(
            f"--probabilities weights several worlds, and '{world}' is one. Name several: nk,sw07."
        )
    _write(answer, plot, output, files.FORECAST, figures.draw_forecast)
    printed.show_forecast(answer)


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
    data: Data = None,
    observe: Observe = None,
    error: Error = None,
    sample: Sample = None,
    transform: Transform = None,
    frequency: Frequency = None,
    gaps: Gaps = "error",
    start: Start = None,
    posterior: Posterior = None,
    draws: Draws = 200,
    set_: Set = None,
    grid: Grid = False,
    observables: Observables = None,
    checkpoint: Checkpoint = "",
    run: Run = None,
    plot: Plot = None,
    output: Output = None,
) -> None:
    """The same shocks under other parameters, such as another policy rule, or some shocks alone."""
    from emulator.inference.history import figures, files, printed

    check_outputs(plot, output or [], files.COUNTERFACTUAL)
    economy, arguments = asked(world, TypedQuestion(**typed(locals())))
    answer = economy.counterfactual(
        **arguments,
        under=pairs(under, "--under"),
        shocks=names_of(shocks or []),
    )
    _write(answer, plot, output, files.COUNTERFACTUAL, figures.draw_counterfactual)
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


def _write(
    answer: xr.Dataset,
    plot: Path | None,
    output: list[Path] | None,
    formats: Any,
    draw: Callable[[xr.Dataset, Path], Any],
) -> None:
    from emulator.inference.files import write

    for path in output or []:
        write(answer, path, formats)
        say(f"Numbers: {path}")
    if plot is not None:
        draw(answer, plot)
        say(f"Figure: {plot}")
