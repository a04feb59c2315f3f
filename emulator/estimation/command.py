"""`emulator estimate`: worlds against a target of impulse responses."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from emulator.console import err, out, say
from emulator.errors import EmulatorError, ParameterError
from emulator.estimation.compare import fit_table, parameter_table
from emulator.estimation.figures import draw_fit
from emulator.estimation.matching import Estimate, answer
from emulator.estimation.question import Budget, Question
from emulator.estimation.result_files import OF_A_WORLD
from emulator.estimation.target import LONGEST, Target
from emulator.estimation.target_files import read_target, write_target
from emulator.estimation.us_monetary import SAMPLE, us_monetary
from emulator.files import sole_writer, write_text
from emulator.inference.command import pair
from emulator.worlds import split_names

US = "us-monetary"


def estimate(
    world: Annotated[
        str, typer.Option(help="Worlds, or paths of .mod files with --exact, separated by commas.")
    ],
    target: Annotated[
        str, typer.Option(help=f"{US} (US data), or a file of responses (.csv, .npz).")
    ] = US,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("estimated"),
    exact: Annotated[
        bool, typer.Option("--exact", help="Let the worlds' solvers answer, not a network.")
    ] = False,
    checkpoint: Annotated[
        str, typer.Option(help="The network: a name that ships, a file or the folder of a run.")
    ] = "universal",
    shock: Annotated[
        str | None,
        typer.Option(
            help=(
                "The worlds' name of the shock; monetary, or what a target's file says, if left"
                " out."
            )
        ),
    ] = None,
    sample: Annotated[str, typer.Option(help=f"Quarters that the VAR of {US} explains.")] = SAMPLE,
    horizon: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=LONGEST - 1,
            help=f"Last horizon that is matched; 20 for {US}, all of a file's if left out.",
        ),
    ] = None,
    skip: Annotated[
        list[str] | None,
        typer.Option(
            help="Entries that are not matched: 'inflation:0-3', 'output:0'. May be repeated."
        ),
    ] = None,
    weighting: Annotated[
        str, typer.Option(help="diagonal, or full (the whole covariance).")
    ] = "diagonal",
    fix: Annotated[
        list[str] | None,
        typer.Option(help="A parameter held at a value: name=value. May be repeated."),
    ] = None,
    range_: Annotated[
        list[str] | None,
        typer.Option("--range", help="A narrower range: name=low:high. May be repeated."),
    ] = None,
    sampler: Annotated[
        str, typer.Option(help="smc (sequential Monte Carlo), or nuts.")
    ] = Budget.sampler,
    kept: Annotated[
        float,
        typer.Option(
            help=(
                "smc: share of draws that stay effective at each stage, between 0 and 1; nearer to"
                " 1 is slower and finds several modes more surely."
            )
        ),
    ] = Budget.kept,
    starts: Annotated[
        int, typer.Option(min=1, help="Searches for the point estimate.")
    ] = Budget.starts,
    chains: Annotated[int, typer.Option(min=1, help="Chains of the sampler.")] = Budget.chains,
    tune: Annotated[int, typer.Option(min=20, help="Draws of warm-up a chain.")] = Budget.tune,
    draws: Annotated[int, typer.Option(min=20, help="Draws kept a chain.")] = Budget.draws,
    rescored: Annotated[
        int, typer.Option(min=0, help="Draws that the exact solver scores; 0 for none.")
    ] = Budget.rescored,
    seed: Annotated[int, typer.Option(min=0)] = Budget.seed,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an estimate that is already in the folder.")
    ] = False,
) -> None:
    """Estimate parameters from impulse responses: point, posterior, marginal likelihood, and how
    much a network's error matters.
    """
    budget, names = (
        Budget(sampler, kept, Budget.scouts, starts, chains, tune, draws, rescored, seed),
        split_names(world),
    )
    if not names:
        raise ParameterError("--world names no world; `emulator worlds` lists them.")
    matched = _target(target, sample, horizon, skip or [], shock or "monetary")
    if weighting not in ("diagonal", "full"):
        raise ParameterError(f"--weighting is '{weighting}'; expected diagonal or full.")
    settings: dict[str, Any] = {
        "exact": exact,
        "shock": shock,
        "weighting": weighting,
        "fixed": dict(_pairs(fix, _number)),
        "ranges": dict(_pairs(range_, _interval)),
        "budget": budget,
    }
    if not exact:
        from emulator.inference.network import Emulator

        settings["emulator"] = Emulator.load(checkpoint)
    questions = [Question.of(matched, name, **settings) for name in names]
    with sole_writer(output):
        _make_room(output, overwrite)
        write_target(matched, output / "target.csv")
        write_target(matched, output / "target.npz")
        say(f"Target: {matched.name}, {int(matched.matched.sum())} entries. {matched.source}.")
        if shock is not None and shock != matched.shock:
            say(f"The target's {matched.shock} shock is matched by the worlds' {shock} shock.")
        found = [_one(question, output) for question in questions]
        write_text(output / "parameters.csv", parameter_table(found).to_csv(lineterminator="\n"))
        draw_fit(found, output / "fit.png")
        write_text(output / "comparison.csv", fit_table(found).to_csv(lineterminator="\n"))
    if len(found) > 1:
        _show_comparison(found)
    say(f"Results: {output}; picture: {output / 'fit.png'}")


def _make_room(output: Path, overwrite: bool) -> None:
    """A folder without an earlier estimate, finished or not. Raises `EmulatorError`."""
    if output.exists() and not output.is_dir():
        raise EmulatorError(f"--output is '{output}', which is a file; expected a folder.")
    earlier = sorted({file.parent for name in OF_A_WORLD for file in output.glob(f"*/{name}")})
    if earlier and not overwrite:
        raise EmulatorError(
            f"'{output}' holds an estimate already, of"
            f" {', '.join(place.name for place in earlier)}. Name another folder with --output, or"
            " replace it with --overwrite."
        )
    for place in earlier:
        for name in OF_A_WORLD:
            (place / name).unlink(missing_ok=True)
        if not any(place.iterdir()):  # what is somebody else's stays
            place.rmdir()
    output.mkdir(parents=True, exist_ok=True)


def _one(question: Question, output: Path) -> Estimate:
    found = answer(question)
    found.write(output / found.spec.name)
    _show(found)
    for complaint in found.complaints:
        err.print(
            f"warning: {found.spec.name}: {complaint}.",
            style="yellow",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    return found


def _show(found: Estimate) -> None:
    table = Table(
        "parameter",
        "point",
        "s.e.",
        "median",
        "5 %",
        "95 %",
        title=f"{found.spec.name}, {found.density.responder.title}",
        caption="* at the end of its range; held: " + (", ".join(found.held) or "none"),
    )
    for name, row in found.table().iterrows():
        star = "*" if row["at_bound"] else ""
        error = (
            "-"
            if row["standard_error"] != row["standard_error"]
            else f"{row['standard_error']:.3g}"
        )
        table.add_row(
            str(name),
            f"{row['point']:.4g}{star}",
            error,
            *(f"{row[q]:.4g}" for q in ("q50", "q05", "q95")),
        )
    out.print(table)
    error = f" ({found.evidence.error:.2f})" if math.isfinite(found.evidence.error) else ""
    say(
        f"{found.spec.name}: distance {found.point.distance:.1f} over"
        f" {int(found.target.matched.sum())} entries; {found.point.agreeing} of"
        f" {len(found.point.objectives)} searches agree; log marginal likelihood"
        f" {found.evidence.log:.2f}{error}."
    )
    if found.rescored is not None:
        say(
            f"{found.spec.name}: under the exact solution {found.rescored.effective:.0%} of"
            f" {len(found.rescored.theta)} draws are effective (Pareto k"
            f" {found.rescored.k_hat:.2f}); exact log marginal likelihood"
            f" {found.exact_evidence:.2f}."
        )


def _show_comparison(found: list[Estimate]) -> None:
    table = Table(
        "world",
        "parameters",
        "distance per entry",
        "log marginal likelihood",
        "exact",
        "effective draws",
        title="Worlds against the same target",
    )
    for name, row in fit_table(found).iterrows():
        table.add_row(
            str(name),
            str(row["parameters"]),
            f"{row['distance_per_entry']:.3f}",
            f"{row['log_marginal_likelihood']:.2f}",
            f"{row['exact_log_marginal_likelihood']:.2f}",
            f"{row['effective_share']:.0%}",
        )
    out.print(table)


def _target(name: str, sample: str, horizon: int | None, skip: list[str], shock: str) -> Target:
    if name == US:
        found = us_monetary(sample, 20 if horizon is None else horizon)
    else:
        found = read_target(name, shock)
        found = found if horizon is None else found.up_to(horizon)
    for item in skip:
        match = re.fullmatch(r"\s*(\w+)\s*:\s*(\d{1,3})\s*(?:-\s*(\d{1,3}))?\s*", item)
        if match is None:
            raise ParameterError(
                f"--skip was given as '{item}'; expected an observable and horizons, such as"
                " 'inflation:0-3'."
            )
        first = int(match[2])
        found = found.without(match[1], range(first, int(match[3] or first) + 1))
    return found


def _pairs(items: list[str] | None, read: Callable[[str], Any]) -> list[tuple[str, Any]]:
    found = []
    for item in items or []:
        name, value = pair(item)
        try:
            found.append((name, read(value)))
        except ValueError:
            raise ParameterError(
                f"'{item}': '{value}' is not what was expected, {read.__doc__}."
            ) from None
    return found


def _number(text: str) -> float:
    """a number"""
    return float(text)


def _interval(text: str) -> tuple[float, float]:
    """two numbers, low:high"""
    low, high = text.split(":")
    return float(low), float(high)
