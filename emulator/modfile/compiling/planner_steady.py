"""Where to start the search for the steady state of a planner's problem: at given instruments the
model's own equations are solved first, then the multipliers, which are linear.

Axes: N starting point, V variable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import optimize
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from emulator.modfile.compiling.newton import damped_newton
from emulator.modfile.reading.syntax import Command, ModFile

FILLS = (1.0, 0.5, 0.3, 0.1, 2.0, 5.0)
"""Values tried for variables that the file gives no initial value."""

Residual = Callable[[np.ndarray], np.ndarray]
"""Residuals (N, V) at points (N, V)."""
Jacobian = Callable[[np.ndarray], np.ndarray]
"""Derivatives (N, V, V) at the same."""


def instruments_of(
    file: ModFile, variables: Sequence[str], pattern: np.ndarray
) -> list[int] | None:
    """Positions of the planner's instruments: those that the command names, else the variables
    that no equation of the model settles. `pattern` (equations, variables) tells which stands in
    which.
    """
    command = next(
        s
        for s in file.statements
        if isinstance(s, Command) and s.name in ("ramsey_model", "ramsey_policy")
    )
    named = command.options.get("instruments", "").strip("() ").replace(",", " ").split()
    needed = pattern.shape[1] - pattern.shape[0]
    if len(named) == needed and set(named) <= set(variables):
        return [variables.index(name) for name in named]
    match = maximum_bipartite_matching(csr_array(pattern), perm_type="column")
    free = sorted(set(range(pattern.shape[1])) - set(match.tolist()))
    return free if len(free) == needed else None


def starting_points(
    residual: Residual,
    jacobian: Jacobian,
    start: np.ndarray,
    instruments: Sequence[int],
    n_equations: int,
) -> np.ndarray:
    """Points (N, V) that solve the model's equations (the first rows of the residuals) at the
    instruments of the start (V,), from several values of the variables that are zero there.

    start: variables, then the multipliers.
    """
    n_variables = len(start) - n_equations
    others = [k for k in range(n_variables) if k not in set(instruments)]

    def whole(point: np.ndarray, held: np.ndarray) -> np.ndarray:
        full = held.copy()
        full[:, others] = point
        return full

    held = np.repeat(start[None], len(FILLS) + 1, axis=0)
    for row, fill in zip(held[1:], FILLS, strict=True):
        row[:n_variables][row[:n_variables] == 0.0] = fill
    point, solved = damped_newton(
        lambda x, rows: residual(whole(x, held[rows]))[:, :n_equations],
        lambda x, rows: jacobian(whole(x, held[rows]))[:, :n_equations][:, :, others],
        held[:, others],
    )
    return whole(point, held)[solved]


def with_best_instruments(
    residual: Residual,
    jacobian: Jacobian,
    with_multipliers: Callable[[np.ndarray], np.ndarray],
    point: np.ndarray,
    instruments: Sequence[int],
    n_equations: int,
) -> np.ndarray:
    """The point (V,) moved to the instruments at which the planner's conditions come closest to
    zero, with the model's equations solved and the best multipliers at each.
    """
    latest = point.copy()

    def conditions(values: np.ndarray) -> np.ndarray:
        nonlocal latest
        held = latest.copy()
        held[list(instruments)] = values
        points = starting_points(residual, jacobian, held, instruments, n_equations)
        if len(points) == 0:
            return np.full(len(point) - n_equations, 1e6)
        latest = with_multipliers(points[:1])[0]
        return np.nan_to_num(residual(latest[None])[0, n_equations:], nan=1e6)

    try:
        result = optimize.least_squares(
            conditions, point[list(instruments)], xtol=1e-12, ftol=1e-14, gtol=1e-14, max_nfev=60
        )
    except ValueError:
        return point
    conditions(result.x)
    return latest
