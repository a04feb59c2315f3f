"""What `emulator estimate` is asked of a target of responses: read from text, and carried out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator.console import say, warn
from emulator.errors import EmulatorError, ParameterError
from emulator.estimation.printed import show, show_comparison
from emulator.estimation.settings import US_MONETARY
from emulator.files import write_text

if TYPE_CHECKING:
    from emulator.estimation.matching import MatchingProblem
    from emulator.estimation.result import Estimate
    from emulator.estimation.target import Target
    from emulator.inference.emulator import Emulator


def network(checkpoint: str) -> Emulator:
    from emulator.inference.emulator import Emulator

    return Emulator.load(checkpoint)


def estimate_all(problems: Sequence[MatchingProblem], output: Path) -> None:
    """Estimate world by world against one target; write and show each as it ends."""
    from emulator.estimation.comparison import draw_fit, fit_table, parameter_table
    from emulator.estimation.indirect.responder import LikeTheData
    from emulator.estimation.result_files import write_summary
    from emulator.estimation.target_files import write_target

    target = problems[0].target
    write_target(target, output / "target.csv")
    write_target(target, output / "target.npz")
    say(
        f"Target: {target.name}, {int(target.matched.sum())} entries of"
        f" {', '.join(target.observables)}. {target.source}."
    )
    shock = problems[0].responder.spec.shock_names[problems[0].responder.shock]
    for problem in problems:
        if isinstance(problem.responder, LikeTheData):
            say(
                f"The same VAR on data of {problem.responder.spec.name}: {problem.responder.words}."
            )
    if target.procedure is not None:
        innovation = target.procedure.innovation.name
        words = target.procedure.identification.words
        say(f"Matched: the VAR's shock in {innovation}, {words}, to the worlds' {shock} shock.")
    elif shock != target.shock:
        say(f"The target's {target.shock} shock is matched by the worlds' {shock} shock.")
    results = [_estimated(problem, output) for problem in problems]
    write_text(output / "parameters.csv", parameter_table(results).to_csv(lineterminator="\n"))
    draw_fit(results, output / "fit.png")
    write_text(output / "comparison.csv", fit_table(results).to_csv(lineterminator="\n"))
    write_summary([result.spec.name for result in results], output)
    if len(results) > 1:
        show_comparison(results)


def make_room(output: Path, overwrite: bool) -> None:
    """An empty place for an estimate. Raises `EmulatorError` where a finished one is in the way.

    What an interrupted run left is replaced: it cannot be gone on with.
    """
    from emulator.estimation.result_files import is_finished, remove_estimate

    if is_finished(output) and not overwrite:
        raise EmulatorError(
            f"'{output}' holds an estimate already. Name another folder with --output, or replace"
            " it with --overwrite."
        )
    unfinished = not is_finished(output)
    worlds = remove_estimate(output)
    if unfinished and worlds:
        say(f"An interrupted estimate in {output} is replaced: {', '.join(worlds)}.")
    output.mkdir(parents=True, exist_ok=True)


def _estimated(problem: MatchingProblem, output: Path) -> Estimate:
    from emulator.estimation.matching import solve

    result = solve(problem)
    result.write(output / result.spec.name)
    show(result)
    for complaint in result.complaints:
        warn(f"{result.spec.name}: {complaint}.")
    return result


def refuse_given(options: Mapping[str, Any], why: str) -> None:
    """Raise `ParameterError` for the first option that was given where it has no say."""
    for option, given in options.items():
        if given is not None and given is not False and given != "" and given != []:
            raise ParameterError(f"{option} {why}")


def target_of_data(
    kind: str, data: str | None, asked: dict[str, Any], reading: dict[str, Any]
) -> Target:
    """The target of a VAR of data. Raises `ParameterError` where options do not fit its kind."""
    from emulator.estimation.data_target import target_from_data
    from emulator.series import read_data

    if data is None:
        raise ParameterError(f"--target {kind} is made of data: --data us, or a file.")
    for option, given, of in (
        ("--instrument", asked["instrument"], "proxy"),
        ("--sign", asked["signs"], "signs"),
    ):
        if bool(given) != (kind == of):
            raise ParameterError(
                f"--target {kind} {'needs' if kind == of else 'takes no'} {option}; {option} goes"
                f" with --target {of}."
            )
    return target_from_data(read_data(data, **reading), **asked, name=kind)


def target_named(name: str, sample: str, horizon: int | None, shock: str) -> Target:
    if name == US_MONETARY:
        from emulator.estimation.var_target import us_monetary

        target = us_monetary(sample, 20 if horizon is None else horizon)
    else:
        from emulator.estimation.target_files import read_target

        target = read_target(name, shock)
        target = target if horizon is None else target.up_to(horizon)
    return target


def without(target: Target, skip: list[str]) -> Target:
    """The target without entries such as 'inflation:0-3'."""
    for item in skip:
        match = re.fullmatch(r"\s*(\S.*?)\s*:\s*(\d{1,3})\s*(?:-\s*(\d{1,3}))?\s*", item)
        if match is None:
            raise ParameterError(
                f"--skip was given as '{item}'; expected an observable and horizons, such as"
                " 'inflation:0-3'."
            )
        first = int(match[2])
        target = target.without(match[1], range(first, int(match[3] or first) + 1))
    return target


def read_pairs(items: list[str] | None, read: Callable[[str], Any]) -> list[tuple[str, Any]]:
    from emulator.inference.sweep import pair

    pairs = []
    for item in items or []:
        name, value = pair(item)
        try:
            pairs.append((name, read(value)))
        except ValueError:
            raise ParameterError(
                f"'{item}': '{value}' is not what was expected, {read.__doc__}."
            ) from None
    return pairs


def as_number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ParameterError(f"--error {name}={text}: expected a number.") from None


def number(text: str) -> float:
    """a number"""
    return float(text)


def interval(text: str) -> tuple[float, float]:
    """two numbers, low:high"""
    low, high = text.split(":")
    return float(low), float(high)
