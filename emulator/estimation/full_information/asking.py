"""`emulator estimate --data`: worlds against data, as it is typed."""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator.console import interruptible, say, show, warn
from emulator.errors import EmulatorError, ParameterError
from emulator.estimation.full_information.files import write_posterior, write_worlds
from emulator.estimation.full_information.ledger import Stages
from emulator.estimation.full_information.question import DataProblem, DataSettings
from emulator.estimation.full_information.result import PosteriorEstimate
from emulator.estimation.full_information.solving import solve, solver_answers
from emulator.estimation.full_information.worlds import check_same, world_table
from emulator.estimation.options import Request
from emulator.estimation.result_files import STAGES, is_finished, remove_estimate
from emulator.files import sole_writer, write_text
from emulator.inference.economy import Economy
from emulator.inference.likelihood.questions import observed_series
from emulator.inference.posterior_draws import COMMAND
from emulator.series import TimeSeries, read_data
from emulator.spec import BAND_LEVEL

if TYPE_CHECKING:
    from emulator.inference.emulator import Emulator


def estimate_data(request: Request) -> None:
    """Estimate world by world from the same data; write and show each as it ends.

    Raises `EmulatorError`.
    """
    output = request.answering.output
    assert request.of_data.data is not None
    data = read_data(request.of_data.data, **request.of_data.reading)
    problems = _problems(request, data)
    for problem in problems[1:]:
        check_same(problems[0].density.likelihood, problem.density.likelihood)
    with sole_writer(output):
        _make_room(output, request.overwrite)
        with _resumable(output):
            _say_question(problems)
            results = [_estimated(problem, output / problem.world) for problem in problems]
            write_worlds(results, output)
            for result in results:
                _stages(result.problem, output / result.spec.name).clear()
        (output / COMMAND).unlink(missing_ok=True)
    if len(results) > 1:
        _show_worlds(results)
    say(f"Results: {output}")


@contextmanager
def _resumable(output: Path) -> Iterator[None]:
    """Work that the same command goes on with where it was interrupted: its command line is kept in
    the folder, and named to the person, without `--overwrite`, which would replace a finished one.
    """
    typed = [text for text in sys.argv[1:] if text != "--overwrite"]
    command = f"emulator {shlex.join(typed)}"
    write_text(output / COMMAND, f"{command}\n")
    with interruptible(f"Finished stages in {output} are kept. To go on from them: {command}"):
        yield


def _problems(request: Request, data: TimeSeries) -> list[DataProblem]:
    of_data, answering = request.of_data, request.answering
    network: Emulator | None = None
    economies: dict[str, Any] = {}
    for name in request.worlds:
        by_solver = answering.exact or (answering.checkpoint is None and solver_answers(name))
        if not by_solver and network is None:
            from emulator.inference.command_line import DEFAULT_NETWORK
            from emulator.inference.emulator import Emulator

            network = Emulator.load(answering.checkpoint or DEFAULT_NETWORK)
        economies[name] = by_solver
    observe: Any = of_data.observed or None
    if observe is None and len(request.worlds) > 1:
        observe = _shared(data, request.worlds)
    return [
        DataProblem.of(
            data,
            name,
            DataSettings(
                emulator=None if by_solver else network,
                exact=by_solver,
                observe=observe,
                errors=of_data.errors,
                sample=request.matching.sample,
                start=of_data.start,
                presample=of_data.presample,
                horizon=request.matching.horizon,
                fixed=request.known.fixed,
                ranges=request.known.ranges,
                begin=of_data.begin,  # type: ignore[arg-type]  # the problem says what is known
                budget=request.budget,
            ),
        )
        for name, by_solver in economies.items()
    ]


def _shared(data: TimeSeries, worlds: Sequence[str]) -> dict[str, str]:
    """Equations of the series that all worlds observe, as the data bring them; says which series
    are left out, and for whose sake.

    Raises `ParameterError` where there are none, or worlds observe a series differently.
    """
    texts = {name: observed_series(Economy.named(name).answerer, data) for name in worlds}
    everything = dict.fromkeys(name for of_world in texts.values() for name in of_world)
    shared, left_out = {}, []
    for series in everything:
        equations = {of_world.get(series) for of_world in texts.values()}
        missing = [name for name, of_world in texts.items() if series not in of_world]
        if missing:
            left_out.append(f"{series} (not in {', '.join(missing)})")
        elif len(equations) > 1:
            left_out.append(f"{series} (observed in different ways)")
        else:
            shared[series] = str(equations.pop())
    if not shared:
        raise ParameterError(
            f"No series of '{data.name}' is observed by all of {', '.join(worlds)} in the same"
            f" way: {'; '.join(left_out) or 'they observe none'}. Say with --observe what is"
            " observed how."
        )
    if left_out:
        say(f"All worlds observe the same series. Left out: {'; '.join(left_out)}.")
    return shared


def _make_room(output: Path, overwrite: bool) -> None:
    """Raises `EmulatorError` where a finished estimate is in the way; what an interrupted one left
    stays, to be gone on with.
    """
    if is_finished(output):
        if not overwrite:
            raise EmulatorError(
                f"'{output}' holds an estimate already. Name another folder with --output, or"
                " replace it with --overwrite."
            )
        remove_estimate(output)
    output.mkdir(parents=True, exist_ok=True)


def _stages(problem: DataProblem, folder: Path) -> Stages:
    return Stages(folder / STAGES, problem.fingerprint)


def _say_question(problems: Sequence[DataProblem]) -> None:
    for problem in problems:
        likelihood = problem.density.likelihood
        equations = likelihood.observation.equations
        said = ", ".join(
            e.series if e.text == e.series else f"{e.series} = {e.text}" for e in equations
        )
        say(
            f"{problem.world}: {len(problem.density.prior.free)} parameters;"
            f" {likelihood.data.name}, {likelihood.data.sample}: {said}."
        )
        for note in problem.notes:
            say(f"{problem.world}: the file's estimation says {note}.")
        for note in likelihood.notes:
            warn(f"{problem.world}: {note}")


def _estimated(problem: DataProblem, folder: Path) -> PosteriorEstimate:
    stages = _stages(problem, folder)
    if stages.mode() is not None:
        say(f"{problem.world}: going on from the stages in {folder / STAGES}.")
    result = solve(problem, folder / STAGES)
    write_posterior(result, folder)
    _show(result)
    for complaint in result.complaints:
        warn(f"{problem.world}: {complaint}.")
    return result


def _show(result: PosteriorEstimate) -> None:
    """Dynare's table: prior and mode, prior and posterior."""
    from rich.table import Table

    table = Table(
        title=f"Estimation results: {result.spec.name}, {result.problem.density.title}",
        title_justify="left",
        caption="* not identified; held: " + (", ".join(result.held) or "none"),
        caption_justify="left",
    )
    interval = f"{100 * BAND_LEVEL:.0f}% HPD interval"
    for column in ("parameter", "prior mean", "mode", "s.d.", "post. mean", interval, "prior"):
        table.add_column(column)
    table.add_column("pstdev")
    for name, row in result.table().iterrows():
        mean = row.get("mean_exact", row["mean"])
        table.add_row(
            str(name) + ("" if row["identified"] else "*"),
            f"{row['prior_mean']:.4f}",
            f"{row['mode']:.4f}",
            "-" if math.isnan(row["mode_sd"]) else f"{row['mode_sd']:.4f}",
            f"{mean:.4f}",
            f"{row['hpd_low']:.4f} {row['hpd_high']:.4f}",
            str(row["prior"]),
            f"{row['prior_sd']:.4f}",
        )
    show(table)
    _say_evidence(result)


def _say_evidence(result: PosteriorEstimate) -> None:
    evidences, name = result.evidences, result.spec.name
    say(
        f"{name}: log posterior at the mode {result.mode.log_posterior:.4f};"
        f" {result.mode.agreeing} of {len(result.mode.objectives)} searches agree."
    )
    why = result.why_no_laplace
    laplace = f"no Laplace approximation ({why})" if why else f"Laplace {evidences.laplace:.2f}"
    error = f" ({evidences.sampled.error:.2f})" if math.isfinite(evidences.sampled.error) else ""
    say(
        f"{name}: log marginal likelihood {evidences.sampled.log:.2f}{error};"
        f" {laplace}, modified harmonic mean {evidences.harmonic:.2f}. Dynare's log data density:"
        f" {evidences.as_dynare:.2f}."
    )
    answer = result.identification
    ranks = (
        f"rank of the moments' Jacobian {answer.rank_of_moments}, of the spectrum's"
        f" {answer.rank_of_spectrum}"
        if answer.known
        else "which of them are identified is not known, since the series have no moments at the"
        " mode"
    )
    say(f"{name}: {len(result.names)} parameters; {ranks}.")
    scored = result.reweighted
    if scored is not None:
        say(
            f"{name}: under the exact solution {scored.effective:.0%} of {len(scored.z)} draws are"
            f" effective (Pareto k {scored.k_hat:.2f}); exact log marginal likelihood"
            f" {result.log_marginal_likelihood:.2f}."
        )


def _show_worlds(results: Sequence[PosteriorEstimate]) -> None:
    from rich.table import Table

    table = Table(
        "world",
        "parameters",
        "log-likelihood at the mode",
        "log marginal likelihood",
        "Laplace",
        "probability",
        "answered by",
        title="Worlds on the same data",
    )
    for name, row in world_table(results).iterrows():
        table.add_row(
            str(name),
            str(row["parameters"]),
            f"{row['log_likelihood_at_mode']:.2f}",
            f"{row['log_marginal_likelihood']:.2f}",
            "-" if math.isnan(row["laplace"]) else f"{row['laplace']:.2f}",
            f"{row['probability']:.3g}",
            str(row["answered_by"]),
        )
    show(table)
