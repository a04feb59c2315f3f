"""`emulator import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from emulator.console import interruptible, say
from emulator.data.command import print_splits
from emulator.data.schema import Fractions
from emulator.errors import DatasetError
from emulator.spec import UNKNOWN_UNIT
from emulator.worlds import split_names
from emulator.worlds.source import plain_name

SHARES = "Share of 'val' and of 'test' outside the held-out regions, of the slice, of the corner."


def import_(
    source: Annotated[
        Path,
        typer.Argument(help="File of draws: .npz, .csv, .parquet, .nc, or the folder of a .zarr."),
    ],
    name: Annotated[str, typer.Option(help="Name of the world; that of the file if empty.")] = "",
    output: Annotated[
        str,
        typer.Option(
            help="Folder of the data set, or an fsspec URL such as s3://bucket/name; datasets/NAME"
            " if empty."
        ),
    ] = "",
    theta: Annotated[
        Path | None,
        typer.Option(help="Table of parameters, beside responses in long form."),
    ] = None,
    parameters: Annotated[
        str, typer.Option(help="Names of the parameters, separated by commas, in their order.")
    ] = "",
    shocks: Annotated[str, typer.Option(help="Names of the shocks, in their order.")] = "",
    observables: Annotated[
        str, typer.Option(help="Names of the observables, in their order.")
    ] = "",
    axes: Annotated[
        str,
        typer.Option(
            help="Axes of the array of responses in its order, such as"
            " sample,horizon,shock,observable."
        ),
    ] = "",
    units: Annotated[
        str,
        typer.Option(
            help="Units, such as sales=percent,price=index; one alone is that of all observables."
        ),
    ] = "",
    frequency: Annotated[str, typer.Option(help="What a period is: quarter, month or year.")] = "",
    ranges: Annotated[
        str, typer.Option(help="Ranges of parameters, such as beta=0.9:1; those of the draws else.")
    ] = "",
    drop: Annotated[str, typer.Option(help="Constant parameters to leave out.")] = "",
    drop_duplicates: Annotated[
        bool,
        typer.Option("--drop-duplicates", help="Keep the first of draws that are there twice."),
    ] = False,
    together: Annotated[
        str,
        typer.Option(help="Parameters whose draws of the same values are kept in one split."),
    ] = "",
    slice_parameters: Annotated[
        str, typer.Option(help="Parameters whose upper ends are held out as the slice.")
    ] = "",
    corner_parameters: Annotated[
        str, typer.Option(help="Parameters whose upper ends together are held out as the corner.")
    ] = "",
    linear: Annotated[
        bool,
        typer.Option("--linear", help="Responses are proportional to the size of the shock."),
    ] = False,
    title: Annotated[str, typer.Option(help="Title of the world.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the splits.")] = 42,
    shares: Annotated[str, typer.Option(help=SHARES)] = "0.1,0.1,0.1,0.05",
    separator: Annotated[str, typer.Option(help="Between the fields of a CSV file.")] = ",",
    decimal: Annotated[str, typer.Option(help="Decimal sign of a CSV file.")] = ".",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a data set at --output.")
    ] = False,
) -> None:
    """Make a data set of draws that were solved elsewhere."""
    from emulator.data.importing.files import Reading, check_file, import_file
    from emulator.data.importing.spec import Choices, shared_parameters
    from emulator.data.importing.write import Plan

    check_file(source)
    world = name or plain_name(source.stem)
    place = output or f"datasets/{world}"
    plan = Plan(
        name=world,
        seed=seed,
        fractions=_fractions(shares),
        drop_duplicates=drop_duplicates,
        together=tuple(split_names(together)),
        overwrite=overwrite,
        choices=Choices(
            units=_pairs(units, "--units", alone=True),
            frequency=frequency or None,
            ranges={key: _ends(key, text) for key, text in _pairs(ranges, "--ranges").items()},
            slice_parameters=tuple(split_names(slice_parameters)),
            corner_parameters=tuple(split_names(corner_parameters)),
            linear=linear,
            title=title,
        ),
    )
    reading = Reading(
        parameters=split_names(parameters) or None,
        shocks=split_names(shocks) or None,
        observables=split_names(observables) or None,
        axes=split_names(axes) or None,
        drop=split_names(drop),
        theta=theta,
        separator=_sign(separator, "--separator", r"\t"),
        decimal=_sign(decimal, "--decimal"),
    )
    try:
        with interruptible(f"No data set was written to {place}."):
            data = import_file(source, place, plan, reading)
    except OSError as error:  # a full disk, a folder that cannot be written
        raise DatasetError(
            f"Writing to {place} failed: {error}. No data set was written."
        ) from error
    print_splits(data)
    spec = data.spec(world)
    held_out = spec.extrapolation
    unknown = [o.name for o in spec.observables if o.unit == UNKNOWN_UNIT]
    if unknown:
        say(
            f"Units of {', '.join(unknown)} are unknown. Say them with --units"
            f" {','.join(f'{key}=...' for key in unknown[:3])}"
        )
    shared = [] if together else shared_parameters(spec.parameter_names, data.theta(world))
    if shared:
        say(
            f"Many draws have the same {', '.join(shared)}: a draw of 'test' may have values that"
            f" 'train' holds. Keep them together with --together {','.join(shared)}"
        )
    say(
        f"Held out of training: the upper ends of {', '.join(held_out.slice_parameters)} (slice)"
        f" and of {', '.join(held_out.corner_parameters)} (corner)."
        + ("" if slice_parameters and corner_parameters else " They move the responses most.")
    )
    say(f"Data set: {place}   world: {spec}   fingerprint: {data.fingerprint[:16]}")


def _pairs(text: str, option: str, alone: bool = False) -> dict[str, str]:
    """`a=x,b=y` as a table; `alone`: a text without a name stands for all."""
    pairs = {}
    for part in split_names(text):
        key, sign, value = (piece.strip() for piece in part.partition("="))
        if not sign and alone:
            key, value = "", key
        elif not (key and value):
            raise typer.BadParameter(
                f"found '{part}'; expected pairs such as name=value, separated by commas",
                param_hint=option,
            )
        pairs[key] = value
    return pairs


def _ends(name: str, text: str) -> tuple[float, float]:
    """`0.9:1` as two numbers."""
    try:
        low, high = (float(end) for end in text.split(":"))
    except ValueError:
        raise typer.BadParameter(
            f"the range of '{name}' is '{text}'; expected two numbers such as 0.9:1",
            param_hint="--ranges",
        ) from None
    return low, high


def _fractions(text: str) -> Fractions:
    names = ("val", "test", "test_extrapolation_slice", "test_extrapolation_corner")
    try:
        shares = [float(part) for part in text.split(",")]
        return Fractions(**dict(zip(names, shares, strict=True)))
    except ValueError:
        raise typer.BadParameter(
            f"found '{text}'; expected four shares above 0 and below 0.5, such as 0.1,0.1,0.1,0.05",
            param_hint="--shares",
        ) from None


def _sign(text: str, option: str, tab: str = "") -> str:
    """A single character; `\\t` is a tab."""
    if tab and text == tab:
        return "\t"
    if len(text) != 1 or text.isalnum() or text in '\n\r"':
        raise typer.BadParameter(f"found '{text}'; expected one sign", param_hint=option)
    return text
