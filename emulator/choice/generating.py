"""`emulator generate` with `--until`: draw until an emulator of the draws is good enough."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from emulator.console import say
from emulator.data.command import generate as generate_plainly
from emulator.data.command import read_fractions, read_sizes, resumable
from emulator.data.schema import Fractions
from emulator.errors import ConfigError
from emulator.worlds.command import noted

UNTIL = Annotated[
    float | None,
    typer.Option(
        help=(
            "Draw until the NRMSE of an emulator on fresh draws is at most this, such as 0.01;"
            " --n_samples is then the most. One world. Where draws are dear they are chosen."
        )
    ),
]
NOT_WITH_UNTIL = (
    *("periods", "workers", "scheduler", "chunk", "shard", "verdicts"),
    "draws_per_group",
)


@functools.wraps(generate_plainly)
def generate(until: Any = None, **options: Any) -> None:
    if until is None:
        generate_plainly(**options)
        return
    from emulator.choice.until import draw_until
    from emulator.worlds import expand_worlds

    defaults = inspect.signature(generate_plainly).parameters
    changed = [name for name in NOT_WITH_UNTIL if options[name] != defaults[name].default]
    if changed:
        option = changed[0].replace("_", "-")
        raise ConfigError(
            f"--{option} has no part in --until, which draws and solves in this process"
            " and stores no trajectories. Leave it out."
        )
    worlds = expand_worlds(options["world"])
    if len(worlds) != 1:
        raise ConfigError(
            f"--until draws of one world; found {len(worlds)}: {', '.join(map(str, worlds))}."
        )
    with resumable(options["output"], "Draws that were solved"), noted():
        outcome = draw_until(
            worlds[0],
            until,
            options["output"],
            most=read_sizes(options["n_samples"])[0],
            horizon=options["horizon"],
            seed=options["seed"],
            fractions=_fractions(options, defaults),
            overwrite=options["overwrite"],
        )
    say(outcome.reason)
    place = options["output"]
    say(f"Data set: {place}   train: emulator train --dataset {place} --output runs/mine")


def _fractions(
    options: Mapping[str, Any], defaults: Mapping[str, inspect.Parameter]
) -> Fractions | None:
    """The shares of the splits that were asked for; None where none were."""
    names = ("val", "test", "slice_", "corner")
    if all(options[name] == defaults[name].default for name in names):
        return None
    return read_fractions(*(options[name] for name in names))


_signature = inspect.signature(generate_plainly, eval_str=True)
generate.__signature__ = _signature.replace(  # type: ignore[attr-defined]
    parameters=[
        *_signature.parameters.values(),
        inspect.Parameter("until", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=UNTIL),
    ]
)
generate.__annotations__ = {**generate_plainly.__annotations__, "until": UNTIL}
