"""Impulse responses of every variable of a `.mod` file, in Dynare's own convention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from emulator.errors import (
    ModFileError,
    ModFileWarning,
    NoSolutionError,
    ParameterError,
    warn,
)
from emulator.modfile.compiling import discretion
from emulator.modfile.compiling.load import load
from emulator.modfile.compiling.model import CompiledModel
from emulator.modfile.compiling.newton import recursive_blocks, solve_by_blocks
from emulator.modfile.compiling.runs import HIGHEST_ORDER
from emulator.modfile.compiling.steady_state import ACCEPTED, SteadyStates
from emulator.solvers import StateSpace, impulse_response, stable_root_count
from emulator.spec import Status

if TYPE_CHECKING:
    import xarray as xr

SMALLEST = 1e-13
"""Shocks of a standard deviation up to this one have no response, as in Dynare."""


def irf(
    path: str | Path, horizon: int = 20, run: int | None = None, order: int | None = None
) -> xr.DataArray:
    """Responses of every variable of a `.mod` file to every shock with a variance, at the file's
    own parameters.

    run: which of the file's commands that solve the model is answered, from 1; by default the last.
    order: 1, 2 or 3, by default the one that the run asks for; responses of second and third order
    are those of the pruned rules, on average over the states and all other shocks
    (`emulator.solvers.perturbation.responses`).

    Returns (shock, horizon, variable): deviations from the steady state in the units of the file
    (of logarithms where its `stoch_simul` says `loglinear`; over the shock's standard deviation,
    times 100, where it says `relative_irf`) after a shock of one standard
    deviation; correlated shocks are taken by the lower Cholesky factor of their covariance, in the
    order of their declaration; horizon 0 is the impact period. `attrs["run"]` names the run,
    `attrs["order"]` the order, `attrs["notes"]` what was passed over or asked for and not done, a
    line each, of which `ModFileWarning` warns too.

    Raises `ModFileError` for a file
    that cannot be read or asks for what is not supported, `NoSolutionError` where there is no
    steady state or no unique stable solution, with the count of roots.
    """
    if horizon < 0:
        raise ParameterError(
            f"The horizon is {horizon}; expected 0 (the impact period alone) or more."
        )
    model = load(path, run)
    theta = model.theta()
    if model.kind.paths:
        return _along_paths(model, theta, horizon)
    chosen = _order(model, order)
    if order is None:
        for note in model.notes_on_order(chosen):
            warn(note, ModFileWarning)
    if chosen > 1:
        return _of_higher_order(model, theta, horizon, chosen)
    solution = model.solve(theta)
    if solution.status[0] != Status.OK:
        raise NoSolutionError(explain(model, theta, Status(solution.status[0])))
    shown = model.shown
    space = StateSpace(
        solution.transition, solution.impact, np.eye(len(shown), len(model.all_variables))[None]
    )
    responses = impulse_response(space, horizon)[0]
    if "loglinear" in model.calibration.options:
        responses = responses / _positive(model, model.steady_state(theta)[0, : len(shown)])
    if "relative_irf" in model.calibration.options:
        sizes = np.diagonal(model.cholesky(theta)[0])
        responses = 100.0 * responses / np.where(sizes == 0.0, np.nan, sizes)[:, None, None]
    return _labelled(model, theta, responses, 1)


def _order(model: CompiledModel, order: int | None) -> int:
    chosen = model.order if order is None else order
    if chosen not in range(1, HIGHEST_ORDER + 1):
        raise ParameterError(f"The order is {order!r}; expected 1, 2 or 3.")
    if chosen > 1:
        model.check_higher(chosen)
    return chosen


def _of_higher_order(
    model: CompiledModel, theta: np.ndarray, horizon: int, order: int
) -> xr.DataArray:
    """Mean responses of the pruned rules."""
    from emulator.modfile.compiling.rules import decision_rules
    from emulator.solvers.perturbation import mean_responses

    rules, status = decision_rules(model, theta, order)
    if status[0] != Status.OK:
        raise NoSolutionError(explain(model, theta, Status(status[0])))
    count = len(model.shocks)
    pulses = np.zeros((count, horizon + 1, count))
    sizes = np.diagonal(model.cholesky(theta)[0])
    relative = "relative_irf" in model.calibration.options
    with np.errstate(divide="ignore"):
        pulses[np.arange(count), 0, np.arange(count)] = 0.01 / sizes if relative else 1.0
    every = rules.of(slice(0, len(model.shown))).at(np.zeros(count, dtype=int))
    with np.errstate(invalid="ignore"):
        responses = mean_responses(every, pulses) * (100.0 if relative else 1.0)
    return _labelled(model, theta, responses, order)


def _along_paths(model: CompiledModel, theta: np.ndarray, horizon: int) -> xr.DataArray:
    """Responses of a kind that has no linear rule."""
    solver = model.kind.path_solver(model)
    responses, status = solver.responses(theta, horizon)
    if status[0] != Status.OK:
        raise NoSolutionError(solver.explain(theta))
    attributes = {"units": solver.unit, "shock_size": "one standard deviation"}
    return _array(model, solver.shocks, responses[0][..., : len(model.shown)], attributes)


def _labelled(
    model: CompiledModel, theta: np.ndarray, responses: np.ndarray, order: int
) -> xr.DataArray:
    """Responses (K, horizon, shown variables) by name; shocks of size zero are left out."""
    sizes = [theta[0, model.parameters.index(model.calibration.stderr[k])] for k in model.shocks]
    moving = [k for k, size in enumerate(sizes) if size > SMALLEST]
    attributes = {
        "units": (
            "percent of the shock's standard deviation"
            if "relative_irf" in model.calibration.options
            else "deviation from the steady state, in the units of the file"
        ),
        "shock_size": "one standard deviation (lower Cholesky factor of the covariance)",
        "order": str(order),
    }
    return _array(model, [model.shocks[k] for k in moving], responses[moving], attributes)


def _array(
    model: CompiledModel,
    shocks: Sequence[str],
    responses: np.ndarray,
    attributes: Mapping[str, str],
) -> xr.DataArray:
    import xarray as xr

    return xr.DataArray(
        responses,
        dims=("shock", "horizon", "variable"),
        coords={
            "shock": list(shocks),
            "horizon": np.arange(responses.shape[1]),
            "variable": list(model.shown),
        },
        name="irf",
        attrs={
            **attributes,
            "run": str(model.calibration.run or "all statements"),
            "notes": "\n".join(model.notes),
        },
    )


def _positive(model: CompiledModel, steady: np.ndarray) -> np.ndarray:
    for name, value in zip(model.variables, steady, strict=True):
        if not value > 0:
            raise ModFileError(
                f"stoch_simul(loglinear) needs a positive steady state of every variable; '{name}'"
                f" is {value:g}.",
                model.file.path.name,
            )
    return steady


def explain(model: CompiledModel, theta: np.ndarray, status: Status) -> str:
    """Why one draw theta (1, P) has no solution: the steady state, or how many roots are where."""
    at = model.linearise(theta)
    where = model.file.model.place
    policymaker = model.planner or model.discretion
    if policymaker is not None and not model.discounts(theta).all():
        return (
            f"{policymaker.place}: planner_discount is not above 0 and up to 1 at these parameters."
        )
    if not np.isfinite(at.steady).all():
        return f"{where}: {_no_steady_state(model, theta)}"
    if not np.isfinite(model.cholesky(theta)).all():
        sizes = ", ".join(
            f"{column} = {value:g}"
            for column, value in zip(model.parameters, theta[0], strict=True)
            if column in _sizes(model)
        )
        return (
            f"{where}: the shocks have no covariance: a size is not a number of zero or more, or"
            f" correlations contradict each other ({sizes})."
        )
    lead, current, lag, shock = (m[0] for m in model.scaled(theta))
    if not all(np.isfinite(m).all() for m in (lead, current, lag, shock)):
        return (
            f"{where}: a derivative of the model is not finite at the steady state; look for a"
            " division by zero or a logarithm of zero there."
        )
    if model.discretion is not None:
        return discretion.explain(model, theta, status)
    stable, needed = stable_root_count(lead, current, lag)
    roots = f"{stable} stable root(s) for {needed} predetermined variable(s)"
    if status is Status.INDETERMINATE:
        return (
            f"{where}: indeterminate: {roots}. There are many stable solutions (Blanchard-Kahn); is"
            " the policy rule active enough?"
        )
    if status is Status.EXPLOSIVE:
        return (
            f"{where}: no stable solution: {roots} (Blanchard-Kahn). Look at the timing of the"
            " predetermined variables."
        )
    return (
        f"{where}: the solution could not be certified: {roots}. The equations may be dependent, so"
        " that the model does not close."
    )


def _sizes(model: CompiledModel) -> set[str]:
    """Columns of theta that are sizes and correlations of shocks."""
    return {*model.calibration.stderr.values(), *model.calibration.corr.values()}


def _no_steady_state(model: CompiledModel, theta: np.ndarray) -> str:
    """The equation that is furthest from holding where the search starts or the formulas end."""
    point = model.steady.candidate(theta)
    worst, reason = model.steady.worst(point, theta)
    static = model.steady.places
    if worst >= len(static):
        return (
            "no steady state of the planner's problem: Newton's method from initval does not solve"
            " the first-order conditions. Give initial values near it in initval, or formulas in a"
            " steady_state_model for given instruments."
        )
    source = (
        "the steady_state_model"
        if model.steady.formulas is not None
        else "Newton's method from initval"
    )
    return (
        f"no steady state: {source} does not solve the model. The equation at {static[worst]}"
        f" {reason}; check steady_state_model or initval.{_block_of(model, point, theta)}"
    )


MOST_NAMES = 6
"""Variables of a block that a message lists."""


def _block_of(model: CompiledModel, point: np.ndarray, theta: np.ndarray) -> str:
    """Which part of the model has no solution where all before it have: the first recursive block
    at which the search stops, '' where formulas stand for the search.
    """
    if model.steady.formulas is not None or model.planner is not None:
        return ""
    stuck = _stuck_block(model.steady, point, theta)
    names = ", ".join(model.variables[k] for k in stuck[:MOST_NAMES])
    rest = f" and {len(stuck) - MOST_NAMES} more" if len(stuck) > MOST_NAMES else ""
    return (
        f" The search stops at the block of {names}{rest}: give these initial values, or formulas"
        " in a steady_state_model."
        if names
        else ""
    )


def _stuck_block(steady: SteadyStates, point: np.ndarray, theta: np.ndarray) -> list[int]:
    """Positions of the variables of the first recursive block that a patient search from a
    point (1, V) does not solve, at one draw (1, P); empty if all are solved.
    """
    base = theta[:, : steady.n_parameters]
    reached = solve_by_blocks(
        lambda x: steady.residual(x[None], base)[0],
        lambda x: steady.equations.jacobian(steady.inputs(x[None], base), 1, steady.columns)[0],
        steady.pattern(),
        point[0],
    )
    error = np.abs(np.nan_to_num(steady.residual(reached[None], base)[0], nan=np.inf))
    for equations, unknowns in recursive_blocks(steady.pattern()):
        if error[equations].max() > ACCEPTED:
            return sorted(int(k) for k in unknowns)
    return []
