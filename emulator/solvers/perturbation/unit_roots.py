"""Unit roots of pruned rules taken apart, so that the variables that they do not move have moments.

In ordered Schur coordinates z of the states those of unit roots come first, and the others move by
themselves. Where rules are linear in the former (a price level, a trend in logarithms), products of
states are those of the latter, which have moments. Where they are not, a variable has none.

Axes: N draw, n variable, s state, k shock, m = s + k.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from emulator.solvers.perturbation.rules import Rules
from emulator.solvers.second_moments import UNIT_ROOT, with_unit_roots

NEGLIGIBLE = 1e-8
"""Share of the largest coefficient of its order up to which a coefficient is rounding."""


class Apart(NamedTuple):
    """`rules`, with states in coordinates of their own and without products of unit roots;
    `stable`, the states' rules without what has a unit root, zeros in its place; `linear` (N, n),
    which variables are linear in the unit roots.
    """

    rules: Rules
    stable: Rules
    linear: np.ndarray


def apart(rules: Rules) -> Apart:
    """The rules of some variables (see `Rules.of`), draw by draw where there is a unit root."""
    own = rules.of_states
    assert own is not None  # made by `of`
    linear = np.ones(rules.first.shape[:2], dtype=bool)
    size = own.n_states
    rows = with_unit_roots(own.first[:, :, :size])
    if not len(rows):
        return Apart(rules, own, linear)
    seen, moved, stable = _arrays(rules), _arrays(own), _arrays(own)
    for row in rows:
        z, roots = _coordinates(own.first[row, :, :size])
        bent_seen = _turned(seen, row, z, roots)
        for values in moved.values():
            values[row] = np.tensordot(z.T, values[row], axes=1)
        bent = _turned(moved, row, z, roots)
        h = np.abs(moved["first"][row, :, :size])
        for _ in range(size):
            bent = bent | ((h > NEGLIGIBLE * h.max()) & bent[None, :]).any(axis=1)
        loads = np.abs(seen["first"][row, :, :size])
        by_bent = (loads > NEGLIGIBLE * loads.max(initial=0.0)) & bent[None, :]
        linear[row] = ~(bent_seen | by_bent.any(axis=1))
        for name, values in stable.items():
            values[row] = moved[name][row]
            values[row, :roots] = 0.0
        stable["first"][row, :, :roots] = 0.0
    still = replace(own, **stable)
    return Apart(replace(rules, **seen, of_states=replace(own, **moved)), still, linear)


def in_schur_coordinates(rules: Rules) -> Rules:
    """The rules of the same variables, with states in the coordinates of a Schur form: where states
    all but follow each other, what is left of one beside the others is a state of its own.
    """
    own = rules.of_states
    assert own is not None  # made by `of`
    seen, moved = _arrays(rules), _arrays(own)
    for row in np.flatnonzero(rules.solved & own.solved).tolist():
        z, _ = _coordinates(own.first[row, :, : own.n_states])
        _turned(seen, row, z, 0)
        for values in moved.values():
            values[row] = np.tensordot(z.T, values[row], axes=1)
        _turned(moved, row, z, 0)
    return replace(rules, **seen, of_states=replace(own, **moved))


def _arrays(rules: Rules) -> dict[str, Any]:
    """Copies of the arrays of rules, of those that there are, by name."""
    names = ("first", "second", "risk", "third", "risk_slope")
    return {n: np.array(getattr(rules, n)) for n in names if getattr(rules, n) is not None}


def _coordinates(h: np.ndarray) -> tuple[np.ndarray, int]:
    """The vectors z (s, s) of a Schur form of h (s, s) in which unit roots come first, and how many
    these are.
    """
    from scipy.linalg import schur

    _, z, count = schur(h, sort=lambda re, im: np.hypot(re, im) >= UNIT_ROOT)
    return z, count


def _turned(parts: dict[str, np.ndarray], row: int, z: np.ndarray, roots: int) -> np.ndarray:
    """Puts the states that one draw's forms are of into coordinates z, takes products of unit roots
    out of them, and says in which of their rows (n,) there were any.
    """
    width = parts["first"].shape[2]
    turn = np.eye(width)
    turn[: len(z), : len(z)] = z
    bent = np.zeros(parts["first"].shape[1], dtype=bool)
    for name, values in parts.items():
        if name == "risk":
            continue
        form = values[row]
        for axis in range(1, form.ndim):
            form = np.moveaxis(np.tensordot(form, turn, axes=(axis, 0)), -1, axis)
        if name != "first":
            largest = np.abs(form).max(initial=0.0)
            for axis in range(1, form.ndim):
                of_roots = np.moveaxis(form, axis, 1)[:, :roots]
                size = np.abs(of_roots).reshape(len(form), -1).max(axis=1, initial=0.0)
                bent |= size > NEGLIGIBLE * largest
                of_roots[...] = 0.0
        values[row] = form
    return bent
