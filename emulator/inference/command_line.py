"""What the commands that ask an economy have in common: who answers, and where answers go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand

from emulator.errors import ParameterError
from emulator.spec import Status
from emulator.worlds.command import noted

if TYPE_CHECKING:
    from emulator.inference.economy import Economy

DEFAULT_NETWORK = "universal"

WORLD_HELP = (
    "A world, the path of a .mod file, or a world of a Python file (mysim.py:economy, which is"
    " run); `emulator worlds` lists the worlds."
)
OBSERVABLES_HELP = (
    "Which observables, or which variables of a .mod file without a mapping, separated by commas;"
    " all of them if left out."
)
ORDER_HELP = (
    "Order of approximation of a .mod file, 1, 2 or 3 (pruned).  [default: what the file asks for]"
)
RUN_HELP = "Of a .mod file with several solution commands, which: 1, 2 ..."


class WithFigure(TyperCommand):
    """A command whose `--plot` may stand alone; Typer knows no option with a value that may be left
    out. The figure then bears the command's name.
    """

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        following = [*args, "--"][1:]
        alone = [
            k
            for k, (word, after) in enumerate(zip(args, following, strict=True))
            if word == "--plot" and after.startswith("-")
        ]
        for k in reversed(alone):
            args = [*args[: k + 1], f"{self.name}.png", *args[k + 1 :]]
        return super().parse_args(ctx, args)


def names_of(lists: Sequence[str]) -> list[str] | None:
    """Names of lists separated by commas; None where no list is given."""
    names = [name.strip() for text in lists for name in text.split(",")]
    return [name for name in names if name] if lists else None


def economy_of(
    world: str, checkpoint: str, exact: bool, run: int | None, unsaid: str | None = None
) -> Economy:
    """Who answers: the solver of a file, and of a world if asked for, else the network. `unsaid`:
    see `noted`.
    """
    from emulator.worlds import is_path

    if is_path(world) or exact:
        if checkpoint != DEFAULT_NETWORK:
            refuse_network_of_file(world, "--checkpoint", checkpoint)
        from emulator.inference.economy import Economy

        with noted(unsaid):
            return Economy.named(world, run)
    if run is not None:
        raise ParameterError(f"--run chooses among the commands of a .mod file; '{world}' is none.")
    from emulator.inference.emulator import Emulator

    return Emulator.load(checkpoint)[world]


def refuse_network_of_file(world: str, option: str, value: str) -> None:
    """Raise `ParameterError` where a world is a file, which is solved, and an option of this value
    names a network.
    """
    from emulator.worlds import is_path

    if is_path(world):
        raise ParameterError(
            f"'{world}' is a file, which is solved; {option} names a network, which knows its"
            f" worlds by name: emulator irf NAME {option} {value}".rstrip()
            + "."
        )


def check_outputs(
    plot: Path | None, output: Sequence[Path], formats: Mapping[str, Callable[..., Any]] | None
) -> None:
    """Refuse endings that stand for no format before anything is computed; formats: of files, by
    default those of responses.
    """
    if plot is not None:
        from emulator.worlds.figures import check_format as check_figure

        check_figure(plot)
    if output:
        from emulator.inference.files import check_format as check_file

        for path in output:
            check_file(path, formats)


def on_failure_of(economy: Economy, values: Mapping[str, Any]) -> str:
    """A draw of a sweep without a solution is a gap, unless all are; a draw alone is an error."""
    theta = economy.asking.theta(values, {})
    if len(theta) == 1:
        return "raise"
    return "nan" if (economy.answerer.status(theta) == Status.OK).any() else "raise"
