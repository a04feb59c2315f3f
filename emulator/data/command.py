"""`emulator generate` and `emulator validate`; also reached as `python data/scripts/....py`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from emulator.console import interruptible, say, show
from emulator.data.schema import DEFAULT_VERDICTS, MIN_DRAWS, SPLITS, Fractions
from emulator.errors import DatasetError
from emulator.worlds import expand_worlds, get_world, split_names
from emulator.worlds.command import noted

if TYPE_CHECKING:
    from emulator.data.store import DataSet
    from emulator.worlds import World

NUMBER = re.compile(r"[0-9]{1,12}")
SETTING = re.compile(r"(\w+)\.(\w+)=(\d+\.?\d*(?:e[+-]?\d+)?)")


def generate(
    world: Annotated[
        str,
        typer.Option(
            "--world",
            help=(
                "Worlds, paths of .mod files and worlds of Python files (mysim.py:economy),"
                " separated by commas, or 'all'."
            ),
        ),
    ] = "nk,var,lss",
    n_samples: Annotated[
        str,
        typer.Option(
            "--n_samples",
            "--n-samples",
            metavar="N[,WORLD=N...]",
            help="Accepted draws of each world, then exceptions, such as 100000,hank=2000.",
        ),
    ] = "10000",
    draws_per_group: Annotated[
        int,
        typer.Option(
            "--draws-per-group",
            "--draws_per_group",
            min=1,
            help=(
                "Draws that share what is dear to solve, such as the households of hank; splits"
                " keep them together."
            ),
        ),
    ] = 1,
    hard: Annotated[
        str,
        typer.Option(
            metavar="WORLD=N[,WORLD=N...]",
            help=(
                "Further draws of a world for training alone, where its responses are large or bend"
                " most, as near the border of determinacy, such as nk=50000."
            ),
        ),
    ] = "",
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--setting",
            metavar="WORLD.NAME=VALUE",
            help=(
                "A setting that a world is solved with, such as hank.pivot=0.25. May be repeated."
            ),
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every random stream.")] = 42,
    output: Annotated[
        str, typer.Option(help="Folder of the data set, or an fsspec URL such as s3://bucket/name.")
    ] = "datasets/v1.0-dev",
    horizon: Annotated[
        int | None,
        typer.Option(
            min=1,
            help=(
                "Last horizon of the responses, in periods of the world.  [default: the worlds'"
                " own, 40 of those that ship]"
            ),
        ),
    ] = None,
    periods: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Periods of each simulated trajectory; 0 stores none.  [default: 200]",
        ),
    ] = None,
    verdicts: Annotated[
        int,
        typer.Option(
            min=0,
            help=(
                "Draws of each prior that are judged and kept, with or without a solution, at most;"
                " 0 stores none."
            ),
        ),
    ] = DEFAULT_VERDICTS,
    val: Annotated[
        float, typer.Option(min=0.0, max=0.5, help="Share of 'val' outside the held-out regions.")
    ] = 0.1,
    test: Annotated[
        float, typer.Option(min=0.0, max=0.5, help="Share of 'test' outside the held-out regions.")
    ] = 0.1,
    slice_: Annotated[
        float, typer.Option("--slice", min=0.0, max=0.5, help="Probability of the held-out slice.")
    ] = 0.1,
    corner: Annotated[
        float, typer.Option(min=0.0, max=0.5, help="Probability of the held-out corner.")
    ] = 0.05,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes of this machine; the bytes do not depend on it.")
    ] = 1,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help=(
                "Dask scheduler (tcp://host:8786, or its scheduler file) whose workers do the work;"
                " all must see --output."
            )
        ),
    ] = None,
    chunk: Annotated[
        int, typer.Option(min=1, help="Rows of a Zarr chunk, the unit of reading.")
    ] = 512,
    shard: Annotated[
        int,
        typer.Option(
            min=1,
            help=(
                "Rows of a file, the unit of work and of resuming; whole chunks. Costly worlds take"
                " fewer."
            ),
        ),
    ] = 2048,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Delete data of another request at --output.")
    ] = False,
) -> None:
    """Draw parameters, solve every draw exactly and store the responses.

    An interrupted run resumes.
    """
    from emulator.data import card
    from emulator.data.generate import generate_dataset

    usual, exceptions = read_sizes(n_samples)
    fractions = read_fractions(val, test, slice_, corner)
    with resumable(output, "Finished shards"), noted():
        data = generate_dataset(
            output,
            with_settings(expand_worlds(world), setting or []),
            usual,
            seed,
            samples=exceptions,
            draws_per_group=draws_per_group,
            hard=read_hard(hard),
            horizon=horizon,
            periods=periods,
            verdicts=verdicts,
            fractions=fractions,
            workers=workers,
            scheduler=scheduler,
            overwrite=overwrite,
            chunk=chunk,
            shard=shard,
        )
    print_splits(data)
    say(
        f"Data set: {output}   card: {data.folder.at(card.CARD)}   fingerprint:"
        f" {data.fingerprint[:16]}"
    )


def with_settings(names: list[str], given: list[str]) -> list[str | World]:
    """Worlds by name or path; those to which a setting `WORLD.NAME=VALUE` is given are opened, with
    it.

    Raises `BadParameter`, which names the option, and as `World.with_settings` does.
    """
    settings: dict[str, dict[str, float]] = {}
    for text in given:
        match = SETTING.fullmatch(text.strip())
        if match is None or match[1] not in names:
            raise typer.BadParameter(
                f"found '{text}'; expected a world that is generated, its setting and a number:"
                " hank.pivot=0.25",
                param_hint="--setting",
            )
        settings.setdefault(match[1], {})[match[2]] = float(match[3])
    return [
        get_world(name).with_settings(settings[name]) if name in settings else name
        for name in names
    ]


@contextmanager
def resumable(output: str, parts: str) -> Iterator[None]:
    """Work that the same command goes on with where it was interrupted or could not write: the
    person is told that its `parts`, such as finished shards, are kept.
    """
    resume = "run the same command again to resume."
    try:
        with interruptible(f"{parts} in {output} are kept: {resume}"):
            yield
    except OSError as error:  # a full disk, a folder that cannot be written
        raise DatasetError(
            f"Writing to {output} failed: {error}. {parts} are kept: {resume}"
        ) from error


def read_sizes(text: str) -> tuple[int, dict[str, int]]:
    """The draws of each world, and of the worlds with another number, from `N,WORLD=N,...`.

    Raises `BadParameter`, which names the option.
    """
    first, *others = (part.strip() for part in text.split(","))
    pairs = [
        (name.strip(), number.strip())
        for name, _, number in (part.partition("=") for part in others)
    ]
    exceptions = {name: int(number) for name, number in pairs if name and NUMBER.fullmatch(number)}
    if not NUMBER.fullmatch(first) or len(exceptions) < len(others):
        raise typer.BadParameter(
            f"found '{text}'; expected a number of draws, then worlds with another number, each"
            " once: 100000,hank=2000",
            param_hint="--n_samples",
        )
    if min([int(first), *exceptions.values()]) < MIN_DRAWS:
        raise typer.BadParameter(
            f"found '{text}'; a world needs {MIN_DRAWS} draws or more", param_hint="--n_samples"
        )
    return int(first), exceptions


def read_hard(text: str) -> dict[str, int]:
    """The hard draws of worlds, from `WORLD=N,...`. Raises `BadParameter`, which names the
    option.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    pairs = [
        (name.strip(), number.strip())
        for name, _, number in (part.partition("=") for part in parts)
    ]
    draws = {name: int(number) for name, number in pairs if name and NUMBER.fullmatch(number)}
    if len(draws) < len(parts) or 0 in draws.values():
        raise typer.BadParameter(
            f"found '{text}'; expected worlds with a number of draws above zero, each once:"
            " nk=50000,sw07=100000",
            param_hint="--hard",
        )
    return draws


def read_fractions(val: float, test: float, slice_: float, corner: float) -> Fractions:
    """The shares of the splits. Raises `DatasetError`, which names the options."""
    try:
        return Fractions(
            val=val, test=test, test_extrapolation_slice=slice_, test_extrapolation_corner=corner
        )
    except ValueError:
        raise DatasetError(
            "Each of --val, --test, --slice and --corner must lie strictly between 0 and 0.5."
        ) from None


def print_splits(data: DataSet) -> None:
    """How many draws each split has, and how many failed."""
    from rich.table import Table

    table = Table("world", title="Draws of each split")
    for split in SPLITS:
        table.add_column(split.removeprefix("test_extrapolation_"), justify="right", no_wrap=True)
    request = data.manifest.request
    given = any(request.given(name) for name in data.worlds)
    table.add_column("failed" if given else "refused on the way")
    for name in data.worlds:
        refused = (
            ", ".join(f"{count} {reason}" for reason, count in data.world(name).rejections.items())
            or "none"
        )
        table.add_row(name, *(str(len(rows)) for rows in data.splits(name).values()), refused)
    show(table)


def validate(
    path: Annotated[
        str,
        typer.Option("--dataset", "--path", help="Folder of the data set, or an fsspec URL."),
    ] = "datasets/v1.0-dev",
    world: Annotated[
        str,
        typer.Option(
            help=(
                "Worlds of Python files that the data were made of (mysim.py:economy), separated by"
                " commas: a data set names no file to run."
            )
        ),
    ] = "",
) -> None:
    """Check every file, value and split of a data set, and solve a sample of its draws again."""
    from emulator.data.resolving import NOT_HERE
    from emulator.data.store import open_dataset
    from emulator.data.validate import validate_dataset

    with noted():
        findings = validate_dataset(path, split_names(world))
    for finding in findings:
        say(f"{finding.world}: {finding.what}")
    request = open_dataset(path).manifest.request
    if findings and all(f"'{finding.world}' {NOT_HERE}" in finding.what for finding in findings):
        raise DatasetError(
            f"Files, values and splits of {path} agree; its responses were not checked. Name the"
            " file of the world with --world."
        )
    if findings:
        raise DatasetError(f"{path} is damaged: {len(findings)} finding(s) above. {request.remedy}")
    if not request.imported:
        say(f"{path} is whole: files, values, splits and a sample of solutions agree.")
        return
    origins = "; ".join(f"{name} from {one.origin}" for name, one in request.imported.items())
    say(
        f"{path} is whole: files, values and splits agree. The responses were solved before"
        f" ({origins}) and are not solved again."
    )
