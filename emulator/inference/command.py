"""`emulator irf` and `emulator export`: a network's or a solver's answer, and a network for other
programs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperCommand

from emulator.console import err, say, show
from emulator.errors import ParameterError
from emulator.worlds.command import noted
from emulator.worlds.response_tables import ResponseTable, response_tables

if TYPE_CHECKING:
    from rich.table import Table

    from emulator.inference.economy import Economy
    from emulator.inference.labels import Answered

DEFAULT_NETWORK = "universal"

FIGURE = "irf.png"
"""Where `--plot` without a path puts the figure."""


class WithFigure(TyperCommand):
    """A command whose `--plot` may stand alone; Typer knows no option with a value that may be left
    out.
    """

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        following = [*args, "--"][1:]
        alone = [
            k
            for k, (word, after) in enumerate(zip(args, following, strict=True))
            if word == "--plot" and after.startswith("-")
        ]
        for k in reversed(alone):
            args = [*args[: k + 1], FIGURE, *args[k + 1 :]]
        return super().parse_args(ctx, args)


def irf(
    world: Annotated[
        str,
        typer.Argument(
            help=(
                "A world, the path of a .mod file, or a world of a Python file (mysim.py:economy,"
                " which is run); `emulator worlds` lists the worlds."
            )
        ),
    ],
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="A parameter: name=value. May be repeated; the rest is at its default."
        ),
    ] = None,
    shock: Annotated[
        list[str] | None, typer.Option(help="A shock, may be repeated; all of them if left out.")
    ] = None,
    size: Annotated[
        str,
        typer.Option(
            help=(
                "Size of the shocks: standard deviations (2), 25bp, 1%, or by impact: '25bp on"
                " rate'."
            )
        ),
    ] = "1",
    observables: Annotated[
        list[str] | None,
        typer.Option(
            "--observables",
            "--variables",
            help=(
                "Which observables, or which variables of a .mod file without a mapping, separated"
                " by commas; all of them if left out."
            ),
        ),
    ] = None,
    horizon: Annotated[
        int | None,
        typer.Option(min=0, max=10_000, help="Last horizon, in periods.  [default: 40]"),
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Ask the world's solver, not a network.")
    ] = False,
    checkpoint: Annotated[
        str, typer.Option(help="The network: a name that ships, a file or the folder of a run.")
    ] = DEFAULT_NETWORK,
    run: Annotated[
        int | None,
        typer.Option(help="Of a .mod file with several solution commands, which: 1, 2 ..."),
    ] = None,
    write_mapping: Annotated[
        bool,
        typer.Option(
            "--write-mapping",
            help="Write a proposed mapping beside a .mod file that has none, to be edited.",
        ),
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(help=f"Write a figure (.png, .pdf or .svg); {FIGURE} if no path follows."),
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output", "--csv", help="Write all numbers (.csv, .nc or .json). May be repeated."
        ),
    ] = None,
) -> None:
    """Impulse responses at these parameters, with a 90 % band from a network, or exact.

    The network that ships answers, or with --exact the world's own solver. A file is always solved.
    A .mod file without a mapping beside it answers with its own variables in its own units.
    """
    _check_outputs(plot, output or [])
    if write_mapping:
        _write_mapping(world)
    economy = _economy(world, checkpoint, exact, run)
    answered = economy.answered(
        _values(set_ or []),
        shocks=shock or None,
        size=size,
        observables=_names(observables or []),
        horizon=horizon,
    )
    if plot is not None or output:
        _write(answered, plot, output or [])
    for table in tables(answered):
        show(table)
    _notes(answered)


irf.command_class = WithFigure  # type: ignore[attr-defined]  # read by emulator.cli


def export(
    checkpoint: Annotated[
        str, typer.Option(help="The network: a name that ships, a file or the folder of a run.")
    ] = DEFAULT_NETWORK,
    output: Annotated[Path, typer.Option(help="Folder of the files.")] = Path("exported"),
    worlds: Annotated[
        str,
        typer.Option(
            "--world",
            "--worlds",
            help="Worlds, separated by commas; all that the network knows if empty.",
        ),
    ] = "",
    onnx: Annotated[
        bool, typer.Option("--onnx", help="Also an ONNX file for each world (extra \\[onnx]).")
    ] = False,
) -> None:
    """A trained network for other programs: weights, model card and, with --onnx, ONNX files."""
    from emulator.inference.emulator import Emulator
    from emulator.inference.export import export as write
    from emulator.worlds import split_names

    for path in write(Emulator.load(checkpoint), output, split_names(worlds) or None, onnx):
        say(f"{path}  {path.stat().st_size:,} bytes")


def pair(item: str) -> tuple[str, str]:
    """Name and value of an option of the form name=value. Raises `ParameterError`."""
    name, sign, value = item.partition("=")
    if not sign:
        raise ParameterError(f"'{item}' is not of the form name=value.")
    return name.strip(), value


def tables(answered: Answered) -> list[Table]:
    """The responses of draw 0, a table or more for each shock, with half widths of the band where
    there is one.
    """
    labels, fields = answered.labels, answered.fields
    doubt = ", flagged: doubt it" if answered.doubt else ""
    half_width = fields["upper"][0] - fields["irf"][0] if "upper" in fields else None
    parts = [
        response_tables(
            ResponseTable(
                title=f"{labels.spec.name}: {shock}, {size}, {labels.source}{doubt}",
                first="horizon",
                observables=labels.spec.observable_names,
                units=labels.spec.observable_units,
                irf=fields["irf"][0, row],
                half_width=None if half_width is None else half_width[row],
            )
        )
        for row, (shock, size) in enumerate(zip(labels.shocks, labels.sizes, strict=True))
    ]
    return [table for part in parts for table in part]


def _check_outputs(plot: Path | None, output: list[Path]) -> None:
    """Refuse endings that stand for no format before anything is computed."""
    if plot is not None:
        from emulator.worlds.figures import check_format as check_figure

        check_figure(plot)
    if output:
        from emulator.inference.files import check_format as check_file

        for path in output:
            check_file(path)


def _write(answered: Answered, plot: Path | None, output: list[Path]) -> None:
    from emulator.inference.answers import answer

    data = answer(answered)
    for path in output:
        data.responses.write(path)
        say(f"Numbers: {path}")
    if plot is not None:
        data.responses.plot(plot)
        say(f"Figure: {plot}")


def _values(pairs: list[str]) -> dict[str, str]:
    values = dict(map(pair, pairs))
    if len(values) < len(pairs):
        raise ParameterError(
            f"--set names a parameter twice, in {', '.join(pairs)}; expected each at most once."
        )
    return values


def _names(lists: list[str]) -> list[str] | None:
    """Names of lists separated by commas; None where no list is given."""
    names = [name.strip() for text in lists for name in text.split(",")]
    return [name for name in names if name] if lists else None


def _economy(world: str, checkpoint: str, exact: bool, run: int | None) -> Economy:
    """Who answers: the solver of a file, and of a world if asked for, else the network."""
    from emulator.worlds import is_path

    if is_path(world) or exact:
        if is_path(world) and checkpoint != DEFAULT_NETWORK:
            raise ParameterError(
                f"'{world}' is a file, which is solved; --checkpoint names a network, which knows"
                f" its worlds by name: emulator irf NAME --checkpoint {checkpoint}."
            )
        from emulator.inference.economy import Economy

        with noted():
            return Economy.named(world, run)
    if run is not None:
        raise ParameterError(f"--run chooses among the commands of a .mod file; '{world}' is none.")
    from emulator.inference.emulator import Emulator

    return Emulator.load(checkpoint)[world]


def _write_mapping(world: str) -> None:
    from emulator.worlds import is_path, is_python
    from emulator.worlds.guess import write_mapping

    if not is_path(world) or is_python(world):
        raise ParameterError(
            f"--write-mapping is about the mapping of a .mod file; '{world}' is none."
        )
    say(f"Mapping: {write_mapping(Path(world))}")


def _notes(answered: Answered) -> None:
    """What a reader should know of how far to trust the numbers, on the error stream."""

    def note(text: str) -> None:
        err.print(f"note: {text}", markup=False, highlight=False, soft_wrap=True)

    labels = answered.labels
    for p, value in zip(labels.spec.parameters, answered.theta[0], strict=True):
        if not p.low <= value <= p.high:
            note(
                f"{p.name} = {value:g} lies outside the range of the prior, {p.low:g} to"
                f" {p.high:g}."
            )
    if labels.jump:
        note(labels.jump)
    if answered.doubt:
        note(answered.doubt.replace("fallback='exact' asks", "--exact asks"))
