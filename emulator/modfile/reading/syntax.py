"""What a `.mod` file says, before any of it is given a meaning: expressions, equations,
declarations, statements.

Everything here is data: the parser builds it, the symbolic model reads it. Every statement knows
its place, so that whatever is wrong with it later can be said with file and line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.modfile.reading.syntax_policy import (
    Constraints,
    OptimWeights,
    PlannerBounds,
    PlannerObjective,
    RuleBounds,
)
from emulator.modfile.reading.terms import Call as Call
from emulator.modfile.reading.terms import Expression as Expression
from emulator.modfile.reading.terms import Number as Number
from emulator.modfile.reading.terms import Operation as Operation
from emulator.modfile.reading.terms import Place as Place
from emulator.modfile.reading.terms import Symbol as Symbol
from emulator.modfile.reading.terms import calls as calls
from emulator.modfile.reading.terms import parts as parts
from emulator.modfile.reading.terms import symbols as symbols
from emulator.modfile.reading.terms import walk as walk


@dataclass(frozen=True)
class Declaration:
    """A declared name, with what the file says of it.

    `deflator` and `log_deflator` of a `var(deflator = ...)`, `growth` of a trend variable, `log` of
    `var(log)`.
    """

    name: str
    place: Place
    tex: str = ""
    long_name: str = ""
    log: bool = False
    deflator: Expression | None = None
    log_deflator: Expression | None = None
    growth: Expression | None = None
    growth_is_log: bool = False


@dataclass(frozen=True)
class Equation:
    """`left = right`; `right` is 0 where the file writes a homogeneous equation.

    Tags are `[name = 'Euler']` and the like.
    """

    left: Expression
    right: Expression
    place: Place
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Local:
    """`# name = value;` of a model block."""

    name: str
    value: Expression
    place: Place


@dataclass(frozen=True)
class Model:
    """The model block. Locals and equations are in the order of the file."""

    equations: tuple[Equation, ...]
    locals: tuple[Local, ...]
    linear: bool
    options: dict[str, str]
    place: Place


@dataclass(frozen=True)
class Assignment:
    """`name = value;` of a parameter, or of a variable of the MATLAB workspace that later
    assignments may use.
    """

    name: str
    value: Expression
    place: Place


@dataclass(frozen=True)
class MultiAssignment:
    """`[a, b] = f(...)` of a `steady_state_model` block: always an external function."""

    names: tuple[str, ...]
    value: Expression
    place: Place


@dataclass(frozen=True)
class ShockMoment:
    """One line of a `shocks` block.

    `kind`: 'stderr' (one name), 'var' (one name), 'covar' or 'corr' (two names).
    """

    kind: str
    names: tuple[str, ...]
    value: Expression
    place: Place


@dataclass(frozen=True)
class ShockPath:
    """`var e; periods 1:3 5; values 0.1 0.2;` of a `shocks` block: a value for each range (first,
    last) of periods, by which the value there is multiplied where it is `multiplicative`, and
    to which it is added where it is `added`; `of_initval`: by which the value of initval is
    multiplied.
    """

    name: str
    periods: tuple[tuple[int, int], ...]
    values: tuple[Expression, ...]
    multiplicative: bool
    place: Place
    added: bool = False
    of_initval: bool = False


@dataclass(frozen=True)
class ShocksBlock:
    """`shocks; ... end;`, or `mshocks`. `deterministic` lists the names that are given paths."""

    moments: tuple[ShockMoment, ...]
    deterministic: tuple[str, ...]
    overwrite: bool
    place: Place
    paths: tuple[ShockPath, ...] = ()
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HistoricalValue:
    """`name(shift) = value;` of a `histval` block; shift 0 is the period before the first."""

    name: str
    shift: int
    value: Expression
    place: Place


@dataclass(frozen=True)
class HistvalBlock:
    """`histval; ... end;`."""

    values: tuple[HistoricalValue, ...]
    place: Place


@dataclass(frozen=True)
class InitvalBlock:
    """`initval`, `endval` or `homotopy_setup` (`kind`): assignments in order, of homotopy the
    values it ends at.
    """

    kind: str
    assignments: tuple[Assignment, ...]
    place: Place


@dataclass(frozen=True)
class LearntEnd:
    """One line of `endval(learnt_in = 4)`: `x = 1;`, or by `operator` `x += 0.1;`, `x *= 1.1;`."""

    name: str
    operator: str
    value: Expression
    place: Place


@dataclass(frozen=True)
class LearntEnds:
    """`endval(learnt_in = PERIOD); ... end;`."""

    period: int
    ends: tuple[LearntEnd, ...]
    place: Place


@dataclass(frozen=True)
class ControlledPath:
    """`exogenize y; periods 1:3; values 1.02; endogenize e;`: a value of the variable `name` for
    each range (first, last) of periods, in which `shock` is solved for.
    """

    name: str
    shock: str
    periods: tuple[tuple[int, int], ...]
    values: tuple[Expression, ...]
    place: Place


@dataclass(frozen=True)
class ControlledPaths:
    """`perfect_foresight_controlled_paths(learnt_in = PERIOD); ... end;`."""

    period: int
    paths: tuple[ControlledPath, ...]
    place: Place


@dataclass(frozen=True)
class SteadyStateModel:
    """`steady_state_model; ... end;`: assignments in order."""

    assignments: tuple[Assignment | MultiAssignment, ...]
    place: Place


@dataclass(frozen=True)
class EstimatedParameter:
    """One line of `estimated_params`.

    `kind`: 'parameter' (one name), 'stderr' (one name), 'corr' (two names).

    `prior` is Dynare's shape in lower case without `_pdf` (beta, gamma, normal, inv_gamma,
    inv_gamma1, inv_gamma2, uniform, weibull), None for maximum likelihood; `mean`, `deviation`,
    `third`, `fourth` are its third to sixth values, in Dynare's meaning.
    """

    kind: str
    names: tuple[str, ...]
    place: Place
    initial: Expression | None = None
    lower: Expression | None = None
    upper: Expression | None = None
    prior: str | None = None
    mean: Expression | None = None
    deviation: Expression | None = None
    third: Expression | None = None
    fourth: Expression | None = None


@dataclass(frozen=True)
class EstimatedParams:
    """`estimated_params`, or by `word` a block that changes it: `estimated_params_init` (initial
    values), `estimated_params_bounds`, `estimated_params_remove`.
    """

    parameters: tuple[EstimatedParameter, ...]
    place: Place
    word: str = "estimated_params"


@dataclass(frozen=True)
class Command:
    """Any other statement of Dynare's: `steady;`, `stoch_simul(order = 1, irf = 20) y c;`.

    `options` maps a name to its text ('' where it has no value); `names` is the list behind it. A
    block whose content we do not read (`endval_steady`, `shock_groups` ...) is a command
    too, of that name.
    """

    name: str
    options: dict[str, str]
    names: tuple[str, ...]
    place: Place


@dataclass(frozen=True)
class OptionLine:
    """`options_.NAME = VALUE;`, a line of MATLAB that sets an option of Dynare's."""

    name: str
    value: str
    place: Place


@dataclass(frozen=True)
class Skipped:
    """A MATLAB line that is not read.

    `assigns` names what it sets as far as that can be seen, `nested` whether it stands inside `if`,
    `for`, `while`, `switch` or `try`; a Dynare statement that stands inside of one is skipped too.
    """

    text: str
    assigns: tuple[str, ...]
    nested: bool
    place: Place
    code: tuple[Any, ...] | None = None
    """What it says (`matlab.Code`), None where that is more than a subset of MATLAB."""
    inner: tuple[Statement, ...] = ()
    """The Dynare statement that it is, inside of control flow."""


@dataclass(frozen=True)
class Script:
    """A step that a line of MATLAB comes to.

    `word`: `=` sets a variable of the workspace (all of it, or at `index`), `parameter` a
    parameter, `element` the variable of a loop to column `position` of `count`, `guard` asks that a
    condition still `holds` or does not.
    """

    word: str
    value: Expression
    name: str
    index: tuple[Expression, ...] | None
    place: Place
    text: str
    position: int = 0
    count: int = 0
    holds: bool = True


Statement = (
    Assignment
    | ShocksBlock
    | InitvalBlock
    | HistvalBlock
    | LearntEnds
    | ControlledPaths
    | SteadyStateModel
    | EstimatedParams
    | PlannerObjective
    | OptimWeights
    | RuleBounds
    | Constraints
    | PlannerBounds
    | Command
    | OptionLine
    | Script
    | Skipped
)


@dataclass(frozen=True)
class ModFile:
    """A parsed file.

    `statements` holds everything but declarations and the model, in the order of the file.
    """

    path: Path
    variables: tuple[Declaration, ...]
    shocks: tuple[Declaration, ...]
    deterministic_shocks: tuple[Declaration, ...]
    parameters: tuple[Declaration, ...]
    trends: tuple[Declaration, ...]
    predetermined: tuple[str, ...]
    external_functions: tuple[str, ...]
    model: Model
    statements: tuple[Statement, ...]
    text: str
    """The file after macro expansion and without comments: read again, it is the same model."""
    sha256: str
    """Of that text: names the model."""
    command_line: tuple[str, ...] = ()
    """Options of Dynare's command line that the first line of the file gives."""
    folder: Path | None = None
    """Where its data files lie; None for a text at hand, which reads none."""
