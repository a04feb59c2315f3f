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

_CALL = re.compile(
    r"(flip|basic)_plan\s*\([^,]*,\s*['\"](\w+)\s*['\"]\s*,(?:\s*['\"](\w+)\s*['\"]\s*,)?"
    r"\s*['\"]\w+\s*['\"]\s*,(.*?),\s*\[([-+\d.eE,\s]+)\]"
)
"""A variable, the exogenous variable that is solved for (`flip_plan` alone), periods, and values
that are numbers.
"""

_PERIODS = re.compile(r"\s*(\d+)\s*(?::\s*(\d+)\s*)?$")
"""A range of integers; anything else, such as dates, is taken to begin with period 1."""


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
    controls: dict[tuple[str, str], dict[int, str]] = {}
    shocks: dict[str, dict[int, str]] = {}
    for match in (match for line in plan for match in _CALL.finditer(line.text)):
        values = _by_period(match[4], match[5].replace(",", " ").split())
        if match[1] == "flip" and match[3]:
            controls.setdefault((match[2], match[3]), {}).update(values)
        elif match[1] == "basic":
            shocks.setdefault(match[2], {}).update(values)
    if not controls and not shocks:
        controls = {("y", "e"): {1: "1.02", 2: "1.01"}}
    typed = [f"--control {y}:{e}={_typed(path)}" for (y, e), path in controls.items()]
    typed += [f"--shock {name}={_typed(path)}" for name, path in shocks.items()]
    pairs = ", ".join(f"'{y}': ('{e}', {_in_python(p)})" for (y, e), p in controls.items())
    levels = ", ".join(f"'{name}': {_in_python(path)}" for name, path in shocks.items())
    given = [f"controls={{{pairs}}}"] * bool(pairs) + [f"shocks={{{levels}}}"] * bool(levels)
    others = ", ".join(str(line.place.line) for line in plan[1:])
    places = f"{plan[0].place}{f' (and lines {others})' if others else ''}"
    return (
        f"{places}: {PLAN_PASSED_OVER} (init_plan, basic_plan, flip_plan, det_cond_forecast) are"
        f" passed over. Ask for them, known from the start: emulator foresight {file.path.name}"
        f" {' '.join(typed)}, in Python perfect_foresight({', '.join(given)}); an empty place is a"
        " period without a value, and a value of basic_plan is a shock (--shock, shocks=)."
        " Surprises are blocks perfect_foresight_controlled_paths(learnt_in = PERIOD) in the file."
    )


PLAN_PASSED_OVER = "controlled paths in MATLAB"
"""Words by which the note on a plan is recognised."""


def _by_period(periods: str, values: Sequence[str]) -> dict[int, str]:
    """Values by the periods of a call; from period 1 on where these are no range of integers, or of
    another length. One value may stand for all periods.
    """
    span = _PERIODS.match(periods)
    first = int(span[1]) if span else 1
    count = int(span[2]) - first + 1 if span and span[2] else 1
    if not span or first < 1 or len(values) not in (1, count):
        return dict(enumerate(values, start=1))
    return dict(enumerate(list(values) * count if len(values) == 1 else values, start=first))


def _typed(path: dict[int, str]) -> str:
    """Values of a command from period 1 on, with empty places: `,,3.6,3.62`."""
    return ",".join(path.get(period, "") for period in range(1, max(path) + 1))


def _in_python(path: dict[int, str]) -> str:
    """Values as a list from period 1 on, or by period."""
    if sorted(path) == list(range(1, len(path) + 1)):
        return f"[{', '.join(path[period] for period in sorted(path))}]"
    return f"{{{', '.join(f'{period}: {path[period]}' for period in sorted(path))}}}"


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
