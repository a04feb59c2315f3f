"""Pruned simulation: terms of each order are moved by those of lower orders alone, so that paths
cannot explode where the rules of first order are stable.

The path is y = ybar + y1 + y2 + y3, each with its own states x1, x2, x3 before (v = (x, e)):

    y1 = G (x1, e)
    y2 = G (x2, 0) + 1/2 G2 ((x1, e), (x1, e)) + 1/2 g_ss
    y3 = G (x3, 0) + G2 ((x1, e), (x2, 0)) + 1/6 G3 ((x1, e)^3) + 1/2 g_vss (x1, e)

Andreasen, Fernandez-Villaverde and Rubio-Ramirez (2018), Review of Economic Studies 85, 1-49,
equations 9 to 13 and 17 to 20, doi:10.1093/restud/rdx037. Axes: N draw, T period, s state, k shock,
m = s + k, O variable.
"""

from __future__ import annotations

import numpy as np

from emulator.solvers.perturbation.rules import Rules

SINGULAR = 1e10
"""Condition of a matrix from which on it counts as singular: the states have a unit root."""

PERIODS_AT_ONCE = 2**21
"""Numbers of products of states and shocks that are in memory at once."""


def simulate(rules: Rules, shocks: np.ndarray, start: np.ndarray | None = None) -> np.ndarray:
    """Paths (N, T, O) as deviations from the deterministic steady state, under shocks (N, T, k) in
    standard deviations; start: the states (N, s) before the first period, as deviations, by default
    zero. A given start is one of first order.
    """
    own = rules.of_states
    assert own is not None  # made by `of`
    n, periods, _ = shocks.shape
    sizes = (n, own.n_states)
    states = [np.zeros(sizes) for _ in range(own.order)]
    if start is not None:
        states[0] = np.broadcast_to(start, sizes)
    chunk = max(1, PERIODS_AT_ONCE // max(n * own.first.shape[2] ** own.order, 1))
    paths = []
    with np.errstate(all="ignore"):
        for begin in range(0, periods, chunk):
            given = shocks[:, begin : begin + chunk]
            before = [np.empty((n, given.shape[1], own.n_states)) for _ in states]
            for period in range(given.shape[1]):
                for path, state in zip(before, states, strict=True):
                    path[:, period] = state
                parts = step(own, [s[:, None] for s in states], given[:, period : period + 1])
                states = [part[:, 0] for part in parts]
            paths.append(sum(step(rules, before, given)))
    return np.concatenate(paths, axis=1)


def step(rules: Rules, states: list[np.ndarray], shocks: np.ndarray) -> list[np.ndarray]:
    """The terms y1, y2 (and y3) (N, T, n) from the states x1, x2 (and x3) (N, T, s) before each
    period and its shocks (N, T, k).
    """
    v = np.concatenate([states[0], shocks], axis=2)
    by_states = rules.first[:, :, : rules.n_states]
    pairs = _product(v, v)
    first = _applied(rules.first, v)
    second = (
        _applied(by_states, states[1])
        + 0.5 * _applied(rules.second, pairs)
        + 0.5 * rules.risk[:, None]
    )
    if rules.third is None or rules.risk_slope is None:
        return [first, second]
    mixed = rules.second[:, :, :, : rules.n_states]
    third = (
        _applied(by_states, states[2])
        + _applied(mixed, _product(v, states[1]))
        + _applied(rules.third, _product(pairs, v)) / 6
        + 0.5 * _applied(rules.risk_slope, v)
    )
    return [first, second, third]


def _product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Products (N, T, a b) of all pairs of left (N, T, a) and right (N, T, b)."""
    return (left[..., :, None] * right[..., None, :]).reshape(*left.shape[:2], -1)


def _applied(form: np.ndarray, products: np.ndarray) -> np.ndarray:
    """form (N, n, ..) times products (N, T, ..) of as many entries: (N, T, n)."""
    flat = form.reshape(*form.shape[:2], -1)
    return products @ flat.swapaxes(1, 2)


def stochastic_steady_state(rules: Rules) -> np.ndarray:
    """Where variables stay (N, O) while no shock comes, though shocks are expected, as deviations
    from the deterministic steady state: the fixed point of the pruned rules with e = 0.

    There x1 = x3 = 0, so that it is the same at second and third order. NaN where the states have a
    unit root that risk moves.
    """
    own = rules.of_states
    assert own is not None  # made by `of`
    resting = at_rest(own, 0.5 * own.risk)
    by_states = rules.first[:, :, : rules.n_states]
    with np.errstate(invalid="ignore"):
        return (by_states @ resting[:, :, None])[:, :, 0] + 0.5 * rules.risk


def at_rest(own: Rules, constant: np.ndarray) -> np.ndarray:
    """x (N, s) of `x = h x + constant`, h the states' rule of first order; states that nothing
    moves are zero, others with a unit root NaN.
    """
    n, size = constant.shape
    system = np.eye(size) - own.first[:, :, :size]
    resting = np.full((n, size), np.nan)
    finite = np.isfinite(system).all(axis=(1, 2)) & np.isfinite(constant).all(axis=1)
    for draw in np.flatnonzero(finite):
        matrix, side = system[draw], constant[draw]
        if np.linalg.cond(matrix) < SINGULAR:
            resting[draw] = np.linalg.solve(matrix, side)
            continue
        point = np.linalg.lstsq(matrix, side, rcond=1 / SINGULAR)[0]
        if np.abs(matrix @ point - side).max() < max(1.0, np.abs(side).max()) / SINGULAR:
            resting[draw] = point
    return resting
