"""What the commands about history and forecast share, as it was typed, and what it asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emulator.console import say
from emulator.errors import ParameterError, SeriesError
from emulator.inference.command_line import (
    DEFAULT_NETWORK,
    OBSERVABLES_HELP,
    check_outputs,
    economy_of,
    names_of,
)
from emulator.inference.notes import note
from emulator.inference.options import Checkpoint, Grid, Plot, Run, Set, TypedData
from emulator.inference.sweep import swept
from emulator.series.command import pairs

if TYPE_CHECKING:
    import xarray as xr

    from emulator.inference.economy import Economy
    from emulator.inference.posterior_draws import PosteriorDraws
    from emulator.series import TimeSeries


@dataclass(frozen=True)
class TypedQuestion(TypedData):
    """What the four commands share, as it was typed."""

    data: Annotated[
        str | None,
        typer.Option(
            help="us (quarterly US series), or files (.csv, .xlsx, .parquet).  [default: us, or"
            " those of the posterior]"
        ),
    ] = None
    start: Annotated[
        str | None,
        typer.Option(
            help="What is known at first: stationary, diffuse (for unit roots) or wide (Dynare's"
            " lik_init=2).  [default: stationary]"
        ),
    ] = None
    posterior: Annotated[
        Path | None,
        typer.Option(
            help="Draws of a posterior, a file posterior.nc or its folder, as emulator estimate"
            " --data writes them; the data are observed as they were there."
        ),
    ] = None
    draws: Annotated[int, typer.Option(min=1, help="Of the posterior at most so many.")] = 200
    set_: Set = None
    grid: Grid = False
    observables: Annotated[
        list[str] | None,
        typer.Option("--observables", "--variables", help=f"Beside the series: {OBSERVABLES_HELP}"),
    ] = None
    checkpoint: Checkpoint = ""
    run: Run = None


@dataclass(frozen=True)
class Outputs:
    """Where an answer goes."""

    plot: Plot = None
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output", "--csv", help="Write all numbers (.csv, .nc or .json). May be repeated."
        ),
    ] = None

    def check(self, formats: Any) -> None:
        """Refuse endings that stand for no format before anything is computed."""
        check_outputs(self.plot, self.output or [], formats)

    def write(
        self, answer: xr.Dataset, formats: Any, draw: Callable[[xr.Dataset, Path], Any]
    ) -> None:
        from emulator.inference.files import write

        for path in self.output or []:
            write(answer, path, formats)
            say(f"Numbers: {path}")
        if self.plot is not None:
            draw(answer, self.plot)
            say(f"Figure: {self.plot}")


def asked(world: str, question: TypedQuestion) -> tuple[Economy, dict[str, Any]]:
    """An economy, and the arguments that all four questions take."""
    economy = economy_of(
        world, question.checkpoint or DEFAULT_NETWORK, not question.checkpoint, question.run
    )
    if question.posterior is None and question.draws != TypedQuestion.draws:
        raise ParameterError(
            f"--draws {question.draws} says how many of a posterior, and none is named. Name one"
            " with --posterior, or leave --draws out."
        )
    values: Any = swept(question.set_ or [], question.grid)
    arguments: dict[str, Any] = {}
    if question.posterior is not None:
        from emulator.inference.posterior_draws import read_posterior

        if values:
            raise ParameterError(
                "--set and --posterior both say at which parameters; expected one of the two."
            )
        # The folder of an estimate has one for each world.
        own = question.posterior / economy.spec.name
        posterior = read_posterior(own if own.is_dir() else question.posterior, question.draws)
        posterior.check_world(economy.spec)
        values = posterior.table
        names = ("sample", "observe", "errors", "start")
        arguments = {k: posterior.question[k] for k in names if k in posterior.question}
        if question.data is None:
            arguments["data"] = _data_of(posterior, question)
        else:
            arguments["data"] = question.read()
            _compare(arguments, question)
    if "data" not in arguments:
        arguments["data"] = question.read()
    typed = {
        "sample": question.sample,
        "observe": pairs(question.observe, "--observe") or None,
        "errors": pairs(question.error, "--error") or None,
        "start": question.start,
        "observables": names_of(question.observables or []),
    }
    arguments |= {name: value for name, value in typed.items() if value is not None}
    return economy, {**arguments, "draws": values}


def _compare(arguments: dict[str, Any], question: TypedQuestion) -> None:
    """Say what of the posterior's question does not suit other data. Raises `ParameterError`."""
    data, sample = arguments["data"], arguments.get("sample")
    missing = [name for name in arguments.get("observe") or {} if name not in data.names]
    if missing and not question.observe:
        raise ParameterError(
            f"The posterior observes {', '.join(arguments['observe'])}, and data '{data.name}' have"
            f" no {', '.join(missing)}; they have {', '.join(data.names)}. Say with --observe how"
            " their series follow from observables."
        )
    if sample is None or question.sample is not None or sample == data.sample:
        return
    try:
        data.window(sample)
    except SeriesError:
        raise ParameterError(
            f"The posterior's sample is {sample}, and data '{data.name}' cover {data.sample}. Say"
            f" with --sample which periods are meant: --sample {data.sample}."
        ) from None
    note(
        f"the sample is the posterior's, {sample}; data '{data.name}' cover {data.sample}. --sample"
        " takes others."
    )


def _data_of(posterior: PosteriorDraws, question: TypedQuestion) -> TimeSeries:
    """The data that the posterior was estimated from. Raises `SeriesError` where they cannot be
    read again, `ParameterError` where others are described.
    """
    if question.transform or question.frequency is not None or question.gaps != "error":
        raise ParameterError(
            "--transform, --frequency and --gaps say how data are read, and the data of the"
            " posterior are read as they were when it was estimated. Leave them out, or say which"
            " data are meant with --data."
        )
    return posterior.data()
