"""What a reader should know of the way a file was read: what was passed over, and which of its
questions is answered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from emulator.modfile.compiling.kinds import FIRST_ORDER, SCENARIOS
from emulator.modfile.compiling.runs import (
    DEFAULT_ORDER,
    FIRST_ORDER_ALONE,
    HIGHEST_ORDER,
    NOT_RUN,
    Run,
    chosen_run,
    external_steady_state,
    kind_of_run,
    shortened,
)
from emulator.modfile.reading.syntax import (
    Command,
    ModFile,
    Skipped,
    Statement,
    SteadyStateModel,
)
from emulator.modfile.reading.syntax_policy import Constraints, PlannerBounds

BINDING_OPTIONS = (
    "simul_periods",
    "simul_check_ahead_periods",
    "simul_maxit",
    "simul_curb_retrench",
)
"""Options of `occbin_setup` and `occbin_solver` that are carried out."""

_OTHER_BINDING = ("simul_debug", "simul_periodic_solution", "likelihood_", "smoother_", "filter_")
"""Those that change no path: what is printed, guesses that go in a circle, estimation."""


_PLAN = re.compile(r"\b(init_plan|basic_plan|flip_plan|det_cond_forecast)\s*\(")
"""MATLAB's controlled paths of Dynare up to version 6, over dates of a `dseries`."""

_FLIPPED = re.compile(
    r"flip_plan\s*\([^,]*,\s*['\"](\w+)\s*['\"]\s*,\s*['\"](\w+)\s*['\"].*?\[([-+\d.eE,\s]+)\]"
)
"""The variable, the exogenous variable that is solved for, and values that are numbers."""


def notes_on_reading(
    file: ModFile, statements: Sequence[Statement], runs: Sequence[Run], number: int | None
) -> tuple[str, ...]:
    """What a reader should know of the way the file was read; `number` is the run that was asked
    for.
    """
    notes = []
    run = chosen_run(file, runs, number)
    skipped = [s for s in statements if isinstance(s, Skipped)]
    if run is not None and run.kind in SCENARIOS:  # where lines from the steady state are followed
        skipped = [s for s in skipped if "oo_.steady_state" not in s.text]
    plan = [s for s in skipped if _PLAN.search(s.text)]
    if plan:
        notes.append(_plan_not_read(file, plan))
        skipped = [s for s in skipped if s not in plan]
    if skipped:
        notes.append(
            f"{file.path.name}: {len(skipped)} MATLAB line(s) were not run, the first at"
            f" {skipped[0].place}: {shortened(skipped[0].text)}"
        )
    external = external_steady_state(file.path)
    blocks = [s for s in file.statements if isinstance(s, SteadyStateModel)]
    if external is not None and not blocks:
        notes.append(
            f"{external.name} is MATLAB and was not run; the steady state is looked for from"
            " initval."
        )
    elif external is not None and blocks[-1].place.file == str(external):
        notes.append(f"{external.name} was not run: its formulas give the steady state.")
    not_run = next((s for s in statements if isinstance(s, Command) and s.name in NOT_RUN), None)
    if not_run is not None:
        notes.append(
            f"{not_run.place}: '{not_run.name}' was not run; responses are at the file's own"
            " calibration."
        )
    if runs and "relative_irf" in runs[-1].options:
        notes.append(
            f"{file.path.name}: relative_irf asks for responses over the shock's standard"
            " deviation, times 100, as emulator.modfile.irf gives them. An economy answers for the"
            " sizes that it is asked for."
        )
    constraint = next((s for s in statements if isinstance(s, Constraints)), None)
    if constraint is not None and not kind_of_run(run).paths:
        notes.append(
            f"{constraint.place}: the constraints of occbin_constraints are passed over. The answer"
            " is that of stoch_simul, of the regime in which none binds, as in Dynare."
        )
    if run is not None and run.command == "occbin_solver":
        notes += _options_not_read(statements)
    bounds = next((s for s in statements if isinstance(s, PlannerBounds)), None)
    if bounds is not None and not kind_of_run(run).paths:
        notes.append(
            f"{bounds.place}: the bounds of ramsey_constraints are passed over, as in Dynare: the"
            " answer is of the first order, at which none binds. perfect_foresight_solver(lmmcp)"
            " keeps them."
        )
    if number is None and len(runs) > 1:
        notes.append(_one_of_many(file, runs))
    return tuple(notes)


def _plan_not_read(file: ModFile, plan: Sequence[Skipped]) -> str:
    """How to ask here for what lines of a plan ask in Dynare."""
    flips = [match for line in plan for match in _FLIPPED.finditer(line.text)]
    paths = [(y, e, values.replace(",", " ").split()) for y, e, values in map(_groups, flips)]
    paths = paths or [("y", "e", ["1.02", "1.01"])]
    typed = " ".join(f"--control {y}:{e}={','.join(values)}" for y, e, values in paths)
    given = ", ".join(f"'{y}': ('{e}', [{', '.join(values)}])" for y, e, values in paths)
    others = ", ".join(str(line.place.line) for line in plan[1:])
    places = f"{plan[0].place}{f' (and lines {others})' if others else ''}"
    return (
        f"{places}: controlled paths in MATLAB (init_plan, basic_plan, flip_plan,"
        " det_cond_forecast) are passed over. Ask for them from period 1 on, known from the start:"
        f" emulator foresight {file.path.name} {typed}, in Python perfect_foresight(controls="
        f"{{{given}}}); a value of basic_plan is a shock (--shock, shocks=). Surprises are blocks"
        " perfect_foresight_controlled_paths(learnt_in = PERIOD) in the file."
    )


def _groups(match: re.Match[str]) -> tuple[str, str, str]:
    return match[1], match[2], match[3]


def _options_not_read(statements: Sequence[Statement]) -> list[str]:
    """Of each option of OccBin's commands that would change a path and is not carried out."""
    commands = [
        s
        for s in statements
        if isinstance(s, Command) and s.name in ("occbin_setup", "occbin_solver")
    ]
    return [
        f"{command.place}: the option '{name}' of {command.name} is not read. Those of its solver"
        f" that are: {', '.join(BINDING_OPTIONS)}."
        for command in commands
        for name in command.options
        if name not in BINDING_OPTIONS and not name.startswith(_OTHER_BINDING)
    ]


def _one_of_many(file: ModFile, runs: Sequence[Run]) -> str:
    chosen = chosen_run(file, runs, None)
    answer = "of all statements of the file" if chosen is None else f"of {chosen}"
    return (
        f"{file.path.name}: {len(runs)} commands solve the model. The answer is that {answer};"
        f" run=1 to run={len(runs)} of emulator.world(path, run=1) or emulator.modfile.load (on"
        " the command line --run) chooses one."
    )


def notes_on_order(run: Run | None, nonlinear: bool, order: int) -> tuple[str, ...]:
    """A note where a file asks for another order than the one of an answer."""
    text = "" if run is None else run.options.get("order", "")
    beyond = text.isdigit() and int(text) > HIGHEST_ORDER
    if run is None or run.kind is not FIRST_ORDER or not nonlinear:
        return ()
    alone = next((option for option in FIRST_ORDER_ALONE if option in run.options), None)
    words = f"order={text}" if text else f"order={DEFAULT_ORDER}, Dynare's default"
    text = text or DEFAULT_ORDER
    asked = int(text) if text.isdigit() else 1
    if asked == order and not beyond:
        return ()
    why = "" if alone is None else f": {alone} is of the first order alone"
    return (
        f"{run.place}: '{run.command}' asks for {words}; the answer is that of order {order}{why}."
        f" Write order={order} to ask for it.",
    )
