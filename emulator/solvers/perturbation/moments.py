"""Theoretical moments of pruned rules under normal shocks.

The state x = x1 + x2 + x3 and the variables follow a linear recursion whose innovations have parts
of three degrees, which are uncorrelated with each other (`emulator.solvers.perturbation.degrees`).
Covariances of the state with the carriers of each part, products of up to three states, are
generalised Sylvester equations in which each axis is moved by the states' own rule; with these the
variance is a Lyapunov equation of the model's own size. The moments are those of Andreasen,
Fernandez-Villaverde and Rubio-Ramirez (2018), Review of Economic Studies 85, 1-49, sections 3 and
4, doi:10.1093/restud/rdx037; the unique products alone count, as in Mutschler (2018), Econometrics
and Statistics 6, 44-66, doi:10.1016/j.ecosta.2016.10.003.

Axes: N draw, f row of the rules (states, then variables), s state, d state of the recursion, O
variable, L lag.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from emulator.solvers.filters import Filter
from emulator.solvers.lyapunov import lyapunov
from emulator.solvers.perturbation.degrees import Part, States, parts_of
from emulator.solvers.perturbation.pruned import at_rest
from emulator.solvers.perturbation.responses import variance_of_first
from emulator.solvers.perturbation.rules import Rules
from emulator.solvers.perturbation.sylvester import along, sylvester
from emulator.solvers.perturbation.unit_roots import apart, in_schur_coordinates
from emulator.solvers.second_moments import Recursion, cancelling, stationary_part

COPIES = 4
"""Arrays of the largest size that are in memory at once."""

NOTHING = 1e-14
"""Share of the largest eigenvalue of a variance below which an eigenvalue is rounding."""


class PrunedMoments(NamedTuple):
    """mean (N, O), as deviations from the deterministic steady state, NaN of a variable that a unit
    root moves; covariances (N, L+1, O, O) of the first variable with the second one l periods
    before; stationary (N, O), of which variables they are.
    """

    mean: np.ndarray
    covariances: np.ndarray
    stationary: np.ndarray


def numbers_needed(
    n_states: int, n_shocks: int, n_variables: int, *, order: int, by: Filter | None
) -> int:
    """Numbers in memory at once for the moments of a draw, about: copies of its rules and of the
    covariances with products of states.
    """
    rows = n_states + n_variables
    states = n_states + (0 if by is None else rows * len(by.g))
    pairs = COPIES * (rows * (n_states + n_shocks) ** 2 + states * n_states**2)
    if order == 2:
        return pairs
    triples = rows * (n_states + n_shocks) ** 3 + states * n_states**3 + n_states**4
    return pairs + COPIES * triples


def pruned_moments(rules: Rules, lags: int, by: Filter | None = None) -> PrunedMoments:
    """The moments of variables (see `Rules.of`), of what a filter makes of them if one is given."""
    with np.errstate(all="ignore"):
        moments, lost = _moments(rules, lags, by)
        rows = np.flatnonzero(lost)
        if len(rows):
            again, _ = _moments(in_schur_coordinates(rules.at(rows)), lags, by)
            moments.covariances[rows] = again.covariances
    return moments


def _moments(rules: Rules, lags: int, by: Filter | None) -> tuple[PrunedMoments, np.ndarray]:
    """The moments, and at which draws (N,) digits were lost."""
    rules, still, linear = apart(rules)
    own = rules.of_states
    assert own is not None  # as it was
    size = own.n_states
    omega = variance_of_first(still)
    spread = np.einsum("nijk,njk->ni", still.second, omega, optimize=True)
    mean_of_states = at_rest(still, 0.5 * (spread + still.risk))
    by_states = rules.first[:, :, :size]
    spread = np.einsum("nijk,njk->ni", rules.second, omega, optimize=True)
    mean = (by_states @ mean_of_states[:, :, None])[:, :, 0] + 0.5 * (spread + rules.risk)

    parts = parts_of(_joined(own, rules), States.of(still, omega, mean_of_states))
    variance = np.sum([part.variance for part in parts], axis=0)
    n, rows = variance.shape[:2]
    every = np.broadcast_to(np.eye(rows), (n, rows, rows))
    recursion = Recursion(
        A=own.first[:, :, :size], B=every[:, :size], G=by_states, H=every[:, size:]
    )
    _, unmoved = _stationary_part(recursion, variance)
    if by is not None:
        recursion = recursion.filtered(by)
    stable, stationary = _stationary_part(recursion, variance)
    covariances, lost = _autocovariances(stable, parts, still.first[:, :, :size], lags)
    mean = np.where(linear & unmoved, mean, np.nan)
    return PrunedMoments(mean, covariances, stationary & linear), lost


def _joined(own: Rules, rules: Rules) -> Rules:
    """The rows of the states' rules before those of the variables."""

    def both(name: str) -> np.ndarray | None:
        first, second = getattr(own, name), getattr(rules, name)
        return None if first is None else np.concatenate([first, second], axis=1)

    names = ("first", "second", "risk", "third", "risk_slope")
    return replace(rules, of_states=None, **{name: both(name) for name in names})  # type: ignore[arg-type]


def _stationary_part(recursion: Recursion, variance: np.ndarray) -> tuple[Recursion, np.ndarray]:
    """As `second_moments.stationary_part`, of innovations that have this variance (N, f, f): one
    that is always zero moves nothing.
    """
    stable, stationary = stationary_part(recursion)
    if stationary.all():
        return stable, stationary
    finite = np.isfinite(variance).all(axis=(1, 2))
    values, vectors = np.linalg.eigh(np.where(finite[:, None, None], variance, 0.0))
    values[values < NOTHING * values.max(axis=1, keepdims=True, initial=0.0)] = 0.0
    root = vectors * np.sqrt(values)[:, None, :]
    moved = replace(recursion, B=recursion.B @ root, H=recursion.H @ root)
    return stable, stationary_part(moved)[1]


def _autocovariances(
    recursion: Recursion, parts: Sequence[Part], h: np.ndarray, lags: int
) -> tuple[np.ndarray, np.ndarray]:
    """The covariances (N, L+1, O, O), and at which draws (N,) digits were lost."""
    a, b, g, at_once = recursion.A, recursion.B, recursion.G, recursion.H
    of_u = np.sum([part.variance for part in parts], axis=0)
    carried = [_with_carriers(recursion, part, h) for part in parts]
    crossed = np.zeros((len(a), a.shape[1], b.shape[2]))
    for part, x in zip(parts, carried, strict=True):
        for with_carrier, by_carrier in zip(x, part.by_carrier, strict=True):
            crossed += _times(with_carrier, by_carrier)
    mixed = a @ crossed @ _turned(b)
    variance = lyapunov(a, mixed + _turned(mixed) + b @ of_u @ _turned(b))
    mixed = g @ crossed @ _turned(at_once)
    now = g @ variance @ _turned(g) + mixed + _turned(mixed) + at_once @ of_u @ _turned(at_once)
    with_y = a @ (variance @ _turned(g) + crossed @ _turned(at_once))
    with_y += b @ (_turned(crossed) @ _turned(g) + of_u @ _turned(at_once))
    seen = [_of_variables(recursion, part, x, h) for part, x in zip(parts, carried, strict=True)]
    covariances = [now]
    for _ in range(lags):
        u = np.zeros((len(a), b.shape[2], g.shape[1]))
        for part, x in zip(parts, seen, strict=True):
            for with_carrier, by_carrier in zip(x, part.by_carrier, strict=True):
                u += _times(by_carrier, with_carrier)
        covariances.append(g @ with_y + at_once @ u)
        with_y = a @ with_y + b @ u
        seen = [_onward(part, x, h) for part, x in zip(parts, seen, strict=True)]
    total = np.einsum("noo->no", now)
    return np.stack(covariances, axis=1), cancelling(g, variance[:, None], total)


def _with_carriers(recursion: Recursion, part: Part, h: np.ndarray) -> list[np.ndarray]:
    """The covariances (N, d, s, ..) of the recursion's state with each carrier, at one date."""
    solved: list[np.ndarray] = []
    for after in part.with_next:
        new = _by(recursion.B, after)
        if solved and part.link is not None:
            new += _by(recursion.A, part.link(solved[0]))
        solved.append(sylvester(recursion.A, new, _turned(h), after.ndim - 2))
    return solved


def _of_variables(
    recursion: Recursion, part: Part, carried: list[np.ndarray], h: np.ndarray
) -> list[np.ndarray]:
    """The covariances (N, O, s, ..) of the variables with each carrier after the period."""
    before = [_by(recursion.G, x) for x in carried]
    return [
        x + _by(recursion.H, after)
        for x, after in zip(_onward(part, before, h), part.with_next, strict=True)
    ]


def _onward(part: Part, covariances: list[np.ndarray], h: np.ndarray) -> list[np.ndarray]:
    """Covariances (N, r, s, ..) with each carrier, those with the carriers a period later."""
    later = [along(x, _turned(h), x.ndim - 2) for x in covariances]
    if len(later) > 1 and part.link is not None:
        later[1] = later[1] + part.link(covariances[0])
    return later


def _by(matrix: np.ndarray, stack: np.ndarray) -> np.ndarray:
    """matrix (N, r, f) times stack (N, f, ..)."""
    moved = matrix @ stack.reshape(*stack.shape[:2], -1)
    return moved.reshape(*moved.shape[:2], *stack.shape[2:])


def _times(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(N, a, b) of left (N, a, ..) and right (N, b, ..): sums over all that follows."""
    flat = [stack.reshape(*stack.shape[:2], -1) for stack in (left, right)]
    return flat[0] @ _turned(flat[1])


def _turned(matrix: np.ndarray) -> np.ndarray:
    return matrix.swapaxes(1, 2)
