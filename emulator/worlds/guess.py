"""What a `.mod` file itself says of the world that it could be: priors from `estimated_params`, a
mapping guessed from names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from emulator.errors import ModFileError, ParameterError, first_error
from emulator.files import write_text
from emulator.modfile import CompiledModel, load
from emulator.modfile.compiling.evaluate import evaluate
from emulator.modfile.reading.syntax import (
    Command,
    EstimatedParameter,
    Expression,
)
from emulator.spec import UNKNOWN_UNIT, Role
from emulator.worlds.mapping import MappedParameter
from emulator.worlds.priors import TAIL, Shape
from emulator.worlds.said_of_data import errors_of_measurement
from emulator.worlds.source import mapping_path, plain_name

SHAPES: dict[str, Shape] = {
    "beta": "beta",
    "gamma": "gamma",
    "normal": "normal",
    "uniform": "uniform",
    "inv_gamma": "inv_gamma",
    "inv_gamma1": "inv_gamma",
    "inv_gamma2": "inv_gamma2",
    "weibull": "weibull",
}

WHOLE = 1e-10
"""Probability that a prior which is held against data leaves out at each end without a bound."""

NAMES = {
    "output": (
        "y",
        "output",
        "gdp",
        "yhat",
        "y_hat",
        "y_gap",
        "ygap",
        "x",
        "ytilde",
        "log_y",
        "y_obs",
        "dy",
        "c",
    ),
    "inflation": (
        "pi",
        "inflation",
        "infl",
        "pie",
        "pinf",
        "pi_hat",
        "pihat",
        "dp",
        "ppi",
        "p_i",
        "pic",
        "pi_ann",
        "pinfobs",
    ),
    "rate": (
        "i",
        "r_nom",
        "rn",
        "nominalrate",
        "rnom",
        "i_hat",
        "ihat",
        "ii",
        "int",
        "rs",
        "r",
        "rr",
        "i_ann",
        "robs",
    ),
}
"""Names that variables go by, the likeliest first, in lower case."""

MOST_PROPOSED = 12
"""Variables of the file that a proposal observes as they are."""


def priors_of(model: CompiledModel, beside: Path, tail: float = TAIL) -> dict[str, MappedParameter]:
    """Priors and bounds of the file's `estimated_params`, by column of theta; tail: probability
    that is cut off at each end that has no bound.

    Raises `ModFileError` if the file has no such block, or one that does not say what range a
    parameter has.
    """
    block = model.calibration.estimated
    if block is None:
        raise ModFileError(
            "no parameters are named, and the model has no estimated_params block. Say which vary"
            " and how:\n  parameters:\n    NAME: {prior: uniform, low: 0.1, high: 0.9}",
            beside.name,
        )
    values = model.calibration.values({})
    columns = [(item, _column(model, item)) for item in block.parameters]
    priors = {c: _prior(item, values, c, tail) for item, c in columns if c is not None}
    if not priors:
        raise ModFileError(
            "the estimated_params block names no parameter of the model.", block.place
        )
    return priors


def priors_on_data(model: CompiledModel, beside: Path) -> dict[str, MappedParameter]:
    """`priors_of` over the whole support of each shape, with those of errors of measurement."""
    priors = priors_of(model, beside, WHOLE)
    values = model.calibration.values({})
    for item, column in errors_of_measurement(model):
        priors[column] = _prior(item, values, column, WHOLE)
    return priors


def initial_errors(model: CompiledModel) -> dict[str, float]:
    """Values with which estimated errors of measurement begin, by the names they are given: the
    initial value, else the mean of the prior.
    """
    values = model.calibration.values({})
    begins = {
        column: item.initial if item.initial is not None else item.mean
        for item, column in errors_of_measurement(model)
    }
    return {
        column: float(evaluate(value, values, model.calibration.estimated.place))
        for column, value in begins.items()
        if value is not None and model.calibration.estimated is not None
    }


def _column(model: CompiledModel, item: EstimatedParameter) -> str | None:
    """The column of theta that a line is about; None for errors of measurement, which no response
    depends on, and for the weight of a DSGE-VAR.
    """
    if item.kind == "parameter":
        return item.names[0] if item.names[0] in model.parameters else None
    if item.kind == "stderr":
        return model.calibration.stderr.get(item.names[0])
    first, second = item.names
    return model.calibration.corr.get((first, second)) or model.calibration.corr.get(
        (second, first)
    )


def _prior(item: EstimatedParameter, values: dict, column: str, tail: float) -> MappedParameter:
    """The prior of one line. Raises `ModFileError` where it is none or says no range."""

    def number(expression: Expression | None) -> float | None:
        value = None if expression is None else float(evaluate(expression, values, item.place))
        return None if value is None or np.isnan(value) else value

    def bound(expression: Expression | None) -> float | None:
        value = number(expression)
        return value if value is not None and np.isfinite(value) else None

    if item.prior is not None and item.prior not in SHAPES:
        raise ModFileError(
            f"the prior {item.prior}_pdf is not supported; use one of {', '.join(SHAPES)}, or a"
            " mapping.",
            item.place,
        )
    shape: Shape = SHAPES[item.prior] if item.prior else "uniform"
    role = _role(item, column)
    low = bound(item.lower)
    high = bound(item.upper)
    mean = number(item.mean)
    sd = number(item.deviation)
    third = bound(item.third)
    fourth = bound(item.fourth)
    if shape == "uniform":
        ends: tuple[float | None, float | None] = low, high
        if item.prior and third is not None and fourth is not None:
            ends = third, fourth
        elif item.prior and mean is not None and sd is not None:
            ends = mean - np.sqrt(3) * sd, mean + np.sqrt(3) * sd
        first, last = ends
        if first is None or last is None:
            raise ModFileError(
                f"'{column}' has neither a prior nor both bounds; give it a range in a mapping.",
                item.place,
            )
        return MappedParameter(
            low=first if low is None else max(low, first),
            high=last if high is None else min(high, last),
            role=role,
        )
    try:
        prior = MappedParameter(
            prior=shape,
            mean=mean,
            sd=sd,
            low=low,
            high=high,
            shift=third or 0.0,
            upper=1.0 if fourth is None else fourth,
            role=role,
        ).opened(tail)
        low, high = prior.bounds()
    except ValidationError as error:
        raise ModFileError(f"the prior of '{column}': {first_error(error)}.", item.place) from None
    default = values.get(column, np.nan)
    if not isinstance(default, Exception) and np.isfinite(default):
        # The file's own value belongs to the range.
        low = min(low, float(default))
        high = max(high, float(default))
    return prior.model_copy(update={"low": low, "high": high})


def _role(item: EstimatedParameter, column: str) -> Role:
    if item.kind == "stderr":
        return "shock_size"
    return "persistence" if column.lower().startswith("rho") else "constant"


def no_mapping(model: CompiledModel, beside: Path) -> ModFileError:
    """The error for a file without a mapping, with a mapping to start from."""
    return ModFileError(
        f"to make a world of {model.file.path.name}, write which variables are observed into"
        f" {beside}: output (percent), inflation and rate (annualised percentage points) where the"
        f" model has them, and any others with their units; 'emulator irf"
        f" {model.file.path.name} --write-mapping' writes a proposal. A guess from the names, to be"
        " checked:\n\n" + proposed_mapping(model)
    )


def write_mapping(path: Path) -> Path:
    """Write a proposed mapping beside a `.mod` file, to be checked and edited; its path.

    Raises `ParameterError` where there is one already, `ModFileError` for a file that cannot be
    read.
    """
    beside = mapping_path(path)
    if beside.exists():
        raise ParameterError(f"{beside} exists already, and is not written over. Edit it.")
    write_text(beside, proposed_mapping(load(path)))
    return beside


def proposed_mapping(model: CompiledModel) -> str:
    """The text of a mapping guessed from the names of a model's variables and its own values."""
    recognised = _recognised(model)
    scale = {"output": "100*", "inflation": "400*", "rate": "400*"}
    guess = []
    for observable, variable in recognised.items():
        if model.needs_steady_state:
            guess.append(
                f"  {observable}: {scale[observable]}log({variable})   # if {variable} is a (gross)"
                " level"
            )
        else:
            guess.append(
                f"  {observable}: {'4*' if observable != 'output' else ''}{variable}   # if"
                f" {variable} is in quarterly percent"
            )
    if len(recognised) < len(NAMES):
        guess += _as_they_are(model, recognised)
    lines = ["observables:", *guess]
    if model.calibration.estimated is None:
        lines += ["parameters:", *_ranges(model)]
    return "\n".join(lines) + "\n"


def _recognised(model: CompiledModel) -> dict[str, str]:
    """The variables whose names look like output, inflation and the rate, by observable."""
    variables: dict[str, str] = {}
    lower = {name.lower(): name for name in reversed(model.variables)}
    real = not any(name in lower for name in NAMES["inflation"])
    for observable, names in NAMES.items():
        if observable == "rate" and real:
            continue  # without inflation there is no nominal rate: i is investment, r is real
        free = {key: name for key, name in lower.items() if name not in variables.values()}
        variable = next((free[name] for name in names if name in free), None)
        if variable is not None:
            variables[observable] = variable
    return variables


def _as_they_are(model: CompiledModel, recognised: Mapping[str, str]) -> list[str]:
    """Lines that observe the file's own variables: those that its commands list, else all where
    none is recognised.
    """
    listed = _listed(model) or (() if recognised else model.variables)
    names = [name for name in listed if name not in recognised.values()]
    lines = [
        f"  {plain_name(name)}: {{expression: {name}, unit: {UNKNOWN_UNIT}}}   # write the unit"
        for name in names[:MOST_PROPOSED]
    ]
    if len(names) > MOST_PROPOSED:
        lines.append(f"  # and any of {', '.join(names[MOST_PROPOSED:])}")
    return lines


def _listed(model: CompiledModel) -> tuple[str, ...]:
    """The variables of the file's `varobs`, else those behind the run that is answered."""
    statements = model.file.statements
    observed = [s.names for s in statements if isinstance(s, Command) and s.name == "varobs"]
    run = model.calibration.run
    command = statements[run.stop - 1] if run is not None else None
    answered = command.names if isinstance(command, Command) else ()
    names = next((names for names in reversed(observed) if names), answered)
    return tuple(name for name in dict.fromkeys(names) if name in model.variables)


def _ranges(model: CompiledModel, width: float = 0.2) -> list[str]:
    """A range around the file's own value for each parameter that the model reads."""
    lines = []
    theta, missing = model.own_values()
    for name, value in zip(model.parameters, theta, strict=True):
        if name in missing and name in model.needed:
            lines.append(
                f"  # {name}: {{prior: uniform, low: , high: , default: }}   # no value yet"
            )
        elif name in model.needed and np.isfinite(value) and value != 0:
            low, high = sorted((value * (1 - width), value * (1 + width)))
            high = (
                min(high, (1 + value) / 2) if 0 < value < 1 else high
            )  # a share, a persistence or a discount factor stays one
            lines.append(f"  {name}: {{prior: uniform, low: {low:.4g}, high: {high:.4g}}}")
    return lines
