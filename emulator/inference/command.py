"""`emulator irf` and `emulator export`: a network's or a solver's answer, and a network for other
programs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from emulator.console import head, number, say, show
from emulator.errors import ParameterError
from emulator.inference.command_line import (
    DEFAULT_NETWORK,
    OBSERVABLES_HELP,
    ORDER_HELP,
    RUN_HELP,
    WORLD_HELP,
    WithFigure,
    check_outputs,
    economy_of,
    names_of,
    on_failure_of,
    refuse_network_of_file,
)
from emulator.inference.notes import MOST_ROWS, note, note_each, note_prior, values_in_words
from emulator.inference.orders import BURN_IN
from emulator.inference.sweep import GRID_HELP, SET_HELP, swept
from emulator.worlds.response_tables import ResponseTable, packed, response_tables

if TYPE_CHECKING:
    from rich.table import Table

    from emulator.inference.economy import Economy
    from emulator.inference.labels import Answered


def irf(
    world: Annotated[
        str,
        typer.Argument(help=WORLD_HELP),
    ],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help=SET_HELP),
    ] = None,
    grid: Annotated[bool, typer.Option("--grid", help=GRID_HELP)] = False,
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
            help=OBSERVABLES_HELP,
        ),
    ] = None,
    horizon: Annotated[
        int | None,
        typer.Option(min=0, max=10_000, help="Last horizon, in periods.  [default: 40]"),
    ] = None,
    order: Annotated[int | None, typer.Option(help=ORDER_HELP)] = None,
    replic: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="At order 2 and 3: the mean of so many simulations, as Dynare's irf; else the mean"
            " over all states in closed form.",
        ),
    ] = None,
    burn_in: Annotated[
        int, typer.Option(min=0, help="Periods of a simulation before the shock.")
    ] = BURN_IN,
    seed: Annotated[int, typer.Option(min=0, help="Of the simulations.")] = 0,
    anticipated: Annotated[
        int,
        typer.Option(
            min=0, max=400, help="Periods that the shocks are known ahead; the solver answers."
        ),
    ] = 0,
    exact: Annotated[
        bool, typer.Option("--exact", help="Ask the world's solver, as happens by itself.")
    ] = False,
    network: Annotated[
        bool,
        typer.Option("--network", help="Ask the network that ships, not the world's solver."),
    ] = False,
    checkpoint: Annotated[
        str | None,
        typer.Option(help="Ask this network: a name that ships, a file or the folder of a run."),
    ] = None,
    run: Annotated[
        int | None,
        typer.Option(help=RUN_HELP),
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
        typer.Option(help="Write a figure (.png, .pdf or .svg); irf.png if no path follows."),
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output", "--csv", help="Write all numbers (.csv, .nc or .json). May be repeated."
        ),
    ] = None,
) -> None:
    """Impulse responses at these parameters, exact, or from a network with a 90 % band.

    The world's own solver answers. A network is asked with --network or --checkpoint; it pays where
    thousands of draws are wanted of a world that is dear to solve. A file is always solved.
    A .mod file without a mapping beside it answers with its own variables in its own units, at the
    order of approximation that it asks for.
    """
    check_outputs(plot, output or [], None)
    values = swept(set_ or [], grid)
    if write_mapping:
        _write_mapping(world)
    economy = _answering(world, exact, network, checkpoint, run)
    if anticipated and not economy.answerer.exact:
        raise ParameterError(
            f"--anticipated {anticipated} is answered by the world's solver, not by a network; ask"
            f" without {'--checkpoint' if checkpoint else '--network'}."
        )
    answered = economy.answered(
        values,
        shocks=shock or None,
        size=size,
        observables=names_of(observables or []),
        horizon=horizon,
        anticipated=anticipated,
        order=order,
        replic=replic,
        burn_in=burn_in,
        seed=seed,
        on_failure=on_failure_of(economy, values),
    )
    if plot is not None or output:
        _write(answered, plot, output or [])
    for table in sweep_tables(answered) if len(answered.theta) > 1 else tables(answered):
        show(table)
    _notes(answered)
    if anticipated and order is None:
        note_each(economy.answerer.order_notes)
    if observables is None and not economy.answerer.exact:
        from emulator.inference.fallback import left_to_solver

        note_each(left_to_solver(economy.answerer))


def _answering(
    world: str, exact: bool, network: bool, checkpoint: str | None, run: int | None
) -> Economy:
    """The solver, or the network that is asked for. Raises `ParameterError` where both are, or a
    network of a file.
    """
    asked = "--checkpoint" if checkpoint else "--network" if network else ""
    if exact and asked:
        raise ParameterError(
            f"--exact asks the world's solver and {asked} a network; expected one of the two."
        )
    if not asked:
        return economy_of(world, DEFAULT_NETWORK, True, run)
    refuse_network_of_file(world, asked, checkpoint or "")
    return economy_of(world, checkpoint or DEFAULT_NETWORK, False, run)


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


def sweep_tables(answered: Answered) -> list[Table]:
    """The largest response of each observable and its horizon, a row a draw, for each shock."""
    labels = answered.labels
    names, rows = values_in_words(labels.spec, answered.theta)
    shown = rows[:MOST_ROWS]
    parts = []
    for shock, (name, size) in enumerate(zip(labels.shocks, labels.sizes, strict=True)):
        irf = answered.fields["irf"][: len(shown), shock]
        columns = [
            (head(observable, unit), [_largest(path) for path in irf[:, :, k]])
            for k, (observable, unit) in enumerate(
                zip(labels.spec.observable_names, labels.spec.observable_units, strict=True)
            )
        ]
        title = f"{labels.spec.name}: {name}, {size}, {labels.source}: largest response (horizon)"
        left = len(rows) - len(shown)
        caption = f"and {left:,} draws more; --output writes all" if left else None
        parts.append(packed(title, names, shown, columns, caption))
    return [table for part in parts for table in part]


def _largest(path: np.ndarray) -> str:
    """The response of largest size on a path (H+1,), and its horizon."""
    if not np.isfinite(path).all():
        return "no solution"
    at = int(np.abs(path).argmax())
    return f"{number(path[at], '+.4g')} ({at})"


def _write(answered: Answered, plot: Path | None, output: list[Path]) -> None:
    from emulator.inference.answers import answer

    data = answer(answered)
    for path in output:
        data.responses.write(path)
        say(f"Numbers: {path}")
    if plot is not None:
        data.responses.plot(plot)
        say(f"Figure: {plot}")


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
    labels = answered.labels
    note_prior(labels.spec, answered.theta)
    failed = ~answered.fields.get("determinate", np.ones(len(answered.theta), dtype=bool))
    if failed.any():
        names, values = values_in_words(labels.spec, answered.theta)
        first = values[int(np.flatnonzero(failed)[0])]
        note(
            f"{failed.sum():,} of {len(failed):,} draws have no unique stable solution, the first"
            f" at {names} = {first}."
        )
    if labels.jump:
        note(labels.jump)
    if answered.doubt:
        note(answered.doubt.replace("fallback='exact' asks", "--exact asks"))
