"""`emulator irf` and `emulator export`: a network's or a solver's answer, and a network for other
programs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
import xarray as xr
from typer.core import TyperCommand

from emulator.console import err, say
from emulator.errors import ParameterError
from emulator.inference.answers import beyond_training
from emulator.inference.exact import ExactWorld
from emulator.inference.files import check_format as check_file
from emulator.spec import DEFAULT_HORIZON, OBSERVABLES, WorldSpec
from emulator.worlds import is_path, split_names
from emulator.worlds.command import named, show_tables
from emulator.worlds.figures import check_format as check_figure

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
            for k, (found, after) in enumerate(zip(args, following, strict=True))
            if found == "--plot" and after.startswith("-")
        ]
        for k in reversed(alone):
            args = [*args[: k + 1], FIGURE, *args[k + 1 :]]
        return super().parse_args(ctx, args)


def irf(
    world: Annotated[
        str,
        typer.Argument(
            help="A world or the path of a .mod file; `emulator worlds` lists the worlds."
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
    horizon: Annotated[
        int, typer.Option(min=0, max=10_000, help="Last horizon, in quarters.")
    ] = DEFAULT_HORIZON,
    exact: Annotated[
        bool, typer.Option("--exact", help="Ask the world's solver, not a network.")
    ] = False,
    checkpoint: Annotated[
        str, typer.Option(help="The network: a name that ships, a file or the folder of a run.")
    ] = DEFAULT_NETWORK,
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
    """Impulse responses at these parameters, from the network that ships, with its 90 % band; or
    from the world's solver (--exact).
    """
    if plot is not None:
        check_figure(plot)
    for path in output or []:
        check_file(path)
    pairs = [pair(item) for item in set_ or []]
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ParameterError(
            f"--set names a parameter twice, in {', '.join(set_ or [])}; expected each at most"
            " once."
        )
    if is_path(world) and checkpoint != DEFAULT_NETWORK:
        raise ParameterError(
            f"'{world}' is a file, which is solved; --checkpoint names a network, which knows its"
            f" worlds by name: emulator irf NAME --checkpoint {checkpoint}."
        )
    found, spec = (
        _solved(world, values, shock, size, horizon)
        if exact or is_path(world)
        else _predicted(checkpoint, world, values, shock, size, horizon)
    )
    for path in output or []:
        found.responses.write(path)
        say(f"Numbers: {path}")
    if plot is not None:
        found.responses.plot(plot)
        say(f"Figure: {plot}")
    frame = (
        found["irf"]
        .isel(draw=0, drop=True)
        .drop_vars("size")
        .to_series()
        .unstack("observable")[list(OBSERVABLES)]
    )
    sizes = dict(zip(found["shock"].values, found["size"].values, strict=True))
    for name in sizes:
        part = frame.loc[[name]]
        show_tables(
            part,
            "shock",
            spec.observable_units,
            f"{spec.name}: {{}}, {sizes[name]}, {found.attrs['source']}",
        )
    _note(found, spec)


def export(
    checkpoint: Annotated[
        str, typer.Option(help="The network: a name that ships, a file or the folder of a run.")
    ] = DEFAULT_NETWORK,
    output: Annotated[Path, typer.Option(help="Folder of the files.")] = Path("exported"),
    worlds: Annotated[
        str, typer.Option(help="Worlds, separated by commas; all that the network knows if empty.")
    ] = "",
    onnx: Annotated[
        bool, typer.Option("--onnx", help="Also an ONNX file for each world (extra \\[onnx]).")
    ] = False,
) -> None:
    """A trained network for other programs: weights (safetensors), model card and, with --onnx, one
    ONNX file a world.
    """
    from emulator.inference.export import export as write
    from emulator.inference.network import Emulator

    for path in write(Emulator.load(checkpoint), output, split_names(worlds) or None, onnx):
        say(f"{path}  {path.stat().st_size:,} bytes")


def _solved(
    world: str, values: dict[str, str], shock: list[str] | None, size: str, horizon: int
) -> tuple[xr.Dataset, WorldSpec]:
    economy = ExactWorld(named(world))
    return economy.irf(values, shocks=shock or None, size=size, horizon=horizon), economy.spec


def _predicted(
    checkpoint: str,
    world: str,
    values: dict[str, str],
    shock: list[str] | None,
    size: str,
    horizon: int,
) -> tuple[xr.Dataset, WorldSpec]:
    from emulator.inference.network import Emulator

    network = Emulator.load(checkpoint)
    return network.irf(
        world, values, shocks=shock or None, size=size, horizon=horizon
    ), network.spec(world)


def pair(item: str) -> tuple[str, str]:
    """Name and value of an option of the form name=value. Raises `ParameterError`."""
    name, sign, value = item.partition("=")
    if not sign:
        raise ParameterError(f"'{item}' is not of the form name=value.")
    return name.strip(), value


def _note(found: xr.Dataset, spec: WorldSpec) -> None:
    """What a reader should know of how far to trust the numbers, on the error stream."""
    for p, value in zip(spec.parameters, found["theta"].values[0], strict=True):
        if not p.low <= value <= p.high:
            err.print(
                f"note: {p.name} = {value:g} lies outside the range of the prior, {p.low:g} to"
                f" {p.high:g}.",
                markup=False,
                highlight=False,
            )
    if "flagged" in found and bool(found["flagged"][0]):
        beyond = beyond_training(found)
        why = f", for it lies beyond the training draws: {beyond}" if beyond else ""
        err.print(
            f"note: the network flags this draw{why}. It may be wrong by more than its band says;"
            " --exact asks the solver.",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
