"""What the commands about history and forecast share, as it was typed, and what it asks for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from emulator.errors import ParameterError
from emulator.inference.command_line import DEFAULT_NETWORK, economy_of, names_of
from emulator.inference.sweep import swept
from emulator.series.command import pairs

if TYPE_CHECKING:
    from emulator.inference.economy import Economy
    from emulator.inference.posterior_draws import PosteriorDraws
    from emulator.series import TimeSeries


class TypedQuestion(NamedTuple):
    """What the four commands share, as it was typed."""

    data: str | None
    observe: list[str] | None
    error: list[str] | None
    sample: str | None
    transform: list[str] | None
    frequency: str | None
    gaps: str
    start: str | None
    posterior: Path | None
    draws: int
    set_: list[str] | None
    grid: bool
    observables: list[str] | None
    checkpoint: str
    run: int | None


def typed(given: dict[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in TypedQuestion._fields}


def asked(world: str, question: TypedQuestion) -> tuple[Economy, dict[str, Any]]:
    """An economy, and the arguments that all four questions take."""
    economy = economy_of(
        world, question.checkpoint or DEFAULT_NETWORK, not question.checkpoint, question.run
    )
    from emulator.series import read_data

    values: Any = swept(question.set_ or [], question.grid)
    arguments: dict[str, Any] = {}
    if question.posterior is not None:
        from emulator.inference.posterior_draws import read_posterior

        if values:
            raise ParameterError(
                "--set and --posterior both say at which parameters; expected one of the two."
            )
        # The folder of an estimate has one for each world.
        own = question.posterior / Path(world).stem
        posterior = read_posterior(own if own.is_dir() else question.posterior, question.draws)
        values = posterior.table
        names = ("sample", "observe", "errors", "start")
        arguments = {k: posterior.question[k] for k in names if k in posterior.question}
        if question.data is None:
            arguments["data"] = _data_of(posterior, question)
    if "data" not in arguments:
        arguments["data"] = read_data(
            question.data or "us",
            transform=pairs(question.transform, "--transform"),
            frequency=question.frequency,
            gaps=question.gaps,
        )
    typed = {
        "sample": question.sample,
        "observe": pairs(question.observe, "--observe") or None,
        "errors": pairs(question.error, "--error") or None,
        "start": question.start,
        "observables": names_of(question.observables or []),
    }
    arguments |= {name: value for name, value in typed.items() if value is not None}
    return economy, {**arguments, "draws": values}


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
