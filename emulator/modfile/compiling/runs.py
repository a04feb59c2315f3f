"""The commands of a file that solve its model, in order, and what is in force at each.

Dynare runs a file from top to bottom: each `stoch_simul`, `osr`, `perfect_foresight_solver` ...
answers for the parameters, the shocks and the options that hold where it stands. An option that one
command gives stays in force for the commands after it, as in Dynare. The answer is that of the last
command unless another run is chosen; who answers it says the table in `kinds`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emulator.errors import ParameterError, printable
from emulator.modfile.compiling.kinds import FIRST_ORDER, KINDS, Kind, kind_of
from emulator.modfile.reading.budget import Budget
from emulator.modfile.reading.syntax import (
    Assignment,
    Command,
    HistvalBlock,
    InitvalBlock,
    ModFile,
    OptionLine,
    Place,
    Script,
    ShockMoment,
    ShocksBlock,
    Skipped,
    Statement,
    SteadyStateModel,
)

SOLVING = tuple(KINDS)
"""Commands that solve the model; `ramsey_model` does where no other one does."""

PERSISTENT = (
    *SOLVING,
    "steady",
    "check",
    "perfect_foresight_setup",
    "perfect_foresight_with_expectation_errors_setup",
    "occbin_setup",
    "model_options",
)
"""Commands whose options stay in force for those after them."""

FLAGS = (
    "loglinear",
    "relative_irf",
    "nocheck",
    "partial_information",
    "endogenous_terminal_period",
    "linear_approximation",
    "lmmcp",
    "no_homotopy",
)
"""Options that are there or not."""

DEFAULT_ORDER = "2"
"""The order of a `stoch_simul` that names none (Dynare Reference Manual, `stoch_simul`)."""

NOT_RUN = ("estimation",)
"""Commands beside which the answer is at the file's own calibration."""

STATEMENT = 20
"""Steps of work for one statement that is carried out."""

MOST_NAMES = 6
"""Names that the description of a run lists."""

Step = Assignment | Script | ShockMoment | Skipped | SteadyStateModel
"""What changes values; a SteadyStateModel stands where `steady` carries it out."""


@dataclass(frozen=True)
class Run:
    """One command that solves the model.

    `number` counts from 1; `own` are the options of the command itself, `options` all in force
    there; `changed` what the file sets anew between the run before and this one; `stop` is one past
    the command's position among the statements of the file.
    """

    number: int
    command: str
    own: Mapping[str, str]
    options: Mapping[str, str]
    changed: tuple[str, ...]
    place: Place
    stop: int

    @property
    def kind(self) -> Kind:
        """Who answers it."""
        return kind_of(self.command, self.options)

    def __str__(self) -> str:
        options = ", ".join(f"{name}={text}" if text else name for name, text in self.own.items())
        where = f"{printable(Path(self.place.file).name)}:{self.place.line}"
        text = f"run {self.number}: {self.command}({options}) at {where}"
        if not self.changed:
            return text
        rest = len(self.changed) - MOST_NAMES
        names = ", ".join(self.changed[:MOST_NAMES]) + (f" and {rest} more" if rest > 0 else "")
        return f"{text}, after new values of {names}"


def runs_of(file: ModFile, budget: Budget) -> tuple[Run, ...]:
    """The runs of a file, in order."""
    runs: list[Run] = []
    commands = {s.name for s in file.statements if isinstance(s, Command)}
    others = commands & set(SOLVING) - {"ramsey_model"}
    options: dict[str, str] = {}
    start = 0
    for position, statement in enumerate(file.statements):
        before = options
        options = with_options(options, statement)
        budget.statements(STATEMENT * len(options) if options is not before else 1)
        if not isinstance(statement, Command) or statement.name not in SOLVING:
            continue
        if statement.name == "ramsey_model" and others:
            continue
        changed = _changed(file, file.statements[start:position]) if runs else ()
        start = position + 1
        runs.append(
            Run(
                number=len(runs) + 1,
                command=statement.name,
                own=statement.options,
                options=options,
                changed=changed,
                place=statement.place,
                stop=start if statement.name != "ramsey_model" else len(file.statements),
            )
        )
    return tuple(runs)


def with_options(options: dict[str, str], statement: Statement) -> dict[str, str]:
    """The options in force after a statement: those of a command are added where they persist; a
    line `options_.loglinear = false;` takes one away.
    """
    if isinstance(statement, Command) and statement.name in PERSISTENT:
        return options | statement.options
    if isinstance(statement, Command) and statement.name == "periods" and statement.names:
        return options | {"periods": statement.names[0]}
    if not isinstance(statement, OptionLine):
        return options
    name = statement.name.lower()
    if not name.startswith("ep."):  # those of the extended path have names that others have too
        name = name.rpartition(".")[2]
    if name not in FLAGS:
        return options | {name: statement.value}
    without = {key: text for key, text in options.items() if key != name}
    is_off = statement.value.strip("()").lower() in ("0", "false")
    return without if is_off else without | {name: ""}


def options_of(statements: Sequence[Statement]) -> dict[str, str]:
    """The options in force after all of some statements."""
    options: dict[str, str] = {}
    for statement in statements:
        options = with_options(options, statement)
    return options


def _changed(file: ModFile, statements: Sequence[Statement]) -> tuple[str, ...]:
    parameters = {declared.name for declared in file.parameters}
    names: list[str] = []
    for statement in statements:
        if isinstance(statement, Assignment | Script) and statement.name in parameters:
            names.append(statement.name)
        elif isinstance(statement, ShocksBlock):
            names += [f"the size of {m.names[0]}" for m in statement.moments if len(m.names) == 1]
            names += [f"the path of {name}" for name in statement.deterministic]
        elif isinstance(statement, InitvalBlock):
            names.append(statement.kind)
        elif isinstance(statement, HistvalBlock):
            names.append("histval")
    return tuple(dict.fromkeys(names))


def chosen_run(file: ModFile, runs: Sequence[Run], number: int | None) -> Run | None:
    """The run of that number; without a number the last that is not the like of perfect foresight,
    which responses to shocks go before. None for a file without a run.

    Raises `ParameterError` for a number that is not one of a run.
    """
    if number is None:
        return _usual_run(runs)
    is_whole = isinstance(number, int) and not isinstance(number, bool)
    if is_whole and 1 <= number <= len(runs):
        return runs[number - 1]
    listed = "; ".join(map(str, runs[:MOST_NAMES]))
    known = f"its runs are: {listed}" if runs else "no command of it solves the model"
    raise ParameterError(
        f"'{file.path.name}' has no run {number!r}; expected a whole number from 1 to"
        f" {len(runs)}: {known}."
    )


def _usual_run(runs: Sequence[Run]) -> Run | None:
    usual = [run for run in runs if run.kind.usual]
    return next(reversed(usual or list(runs)), None)


def kind_of_run(run: Run | None) -> Kind:
    """Who answers a run; the first order for a file without one."""
    return FIRST_ORDER if run is None else run.kind


def statements_until(file: ModFile, run: Run | None) -> tuple[Statement, ...]:
    """The statements that count for a run.

    Without a run it is those before a `stoch_simul` that stands inside of MATLAB's control flow,
    else all.
    """
    if run is not None:
        return file.statements[: run.stop]
    hidden = [
        position
        for position, statement in enumerate(file.statements)
        if isinstance(statement, Skipped) and "stoch_simul" in statement.text
    ]
    return file.statements[: hidden[0]] if hidden else file.statements


def steps_of(
    file: ModFile, statements: Sequence[Statement], budget: Budget
) -> tuple[list[Step], list[tuple[int, Assignment]]]:
    """What changes values, in order; and the initial values, each with the number of steps before
    it.
    """
    declared = [d.name for d in file.shocks]
    parameters = {d.name for d in file.parameters}
    steady = steady_state_model_of(file)
    steps: list[Step] = []
    initval: list[tuple[int, Assignment]] = []
    homotopy: tuple[Assignment, ...] = ()
    for statement in statements:
        if isinstance(statement, Assignment | Script | Skipped):
            steps.append(statement)
        elif isinstance(statement, InitvalBlock) and statement.kind == "homotopy_setup":
            homotopy = statement.assignments
        elif isinstance(statement, InitvalBlock):
            initval += [(len(steps), a) for a in statement.assignments]
        elif isinstance(statement, ShocksBlock):
            if statement.overwrite and "surprise" not in statement.options:
                budget.statements(len(steps))
                steps = [step for step in steps if not isinstance(step, ShockMoment)]
            steps.extend(_moments(statement, declared))
        elif isinstance(statement, Command) and statement.name == "steady":
            if (
                statement.options.get("homotopy_mode", "0") != "0"
            ):  # it ends at, and leaves behind, the last values
                steps += [a for a in homotopy if a.name in parameters]
                initval += [(len(steps), a) for a in homotopy if a.name not in parameters]
            if steady is not None:
                budget.statements(STATEMENT * (len(initval) + len(steady.assignments)))
                steps.append(steady)
    return steps, initval


def steady_state_model_of(file: ModFile) -> SteadyStateModel | None:
    return next((s for s in reversed(file.statements) if isinstance(s, SteadyStateModel)), None)


def _moments(block: ShocksBlock, declared: list[str]) -> list[ShockMoment]:
    """The moments of a block's shocks, sizes before covariances as Dynare sets them; measurement
    errors have no response.
    """
    position = {name: k for k, name in enumerate(declared)}
    of_shocks = [m for m in block.moments if all(name in position for name in m.names)]
    ordered = [
        ShockMoment(m.kind, tuple(sorted(m.names, key=position.__getitem__)), m.value, m.place)
        for m in of_shocks
    ]
    return sorted(ordered, key=lambda m: len(m.names))


HIGHEST_ORDER = 3

FIRST_ORDER_ALONE = ("loglinear", "partial_information")
"""Options with which Dynare answers at first order alone."""


def order_of(run: Run | None, nonlinear: bool) -> int:
    """The order at which a run is answered: the one it asks for, up to `HIGHEST_ORDER`.

    A command without an `order` asks for the second, which differs from the first only where the
    model is `nonlinear`.
    """
    if run is None or run.kind is not FIRST_ORDER or not nonlinear:
        return 1
    if any(option in run.options for option in FIRST_ORDER_ALONE):
        return 1
    text = run.options.get("order", DEFAULT_ORDER)
    return min(int(text), HIGHEST_ORDER) if text.isdigit() and int(text) else 1


def external_steady_state(path: Path) -> Path | None:
    """The MATLAB function beside a file that computes its steady state, if there is one."""
    candidates = (path.with_name(f"{path.stem}_steadystate{suffix}.m") for suffix in ("", "2"))
    return next((c for c in candidates if c.is_file()), None)


def shortened(text: str) -> str:
    """A text on one line of at most 60 letters."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:57] + "..."
