"""Second moments of linear state spaces, for batches of draws: autocovariances, shares of shocks.

A state space is brought to `m = A m_1 + B e, y = G m_1 + H e`, in which m are the states that move
those of the next period. Its unit roots are taken apart, so that the variables that they do not
move have moments, and those that they move are known.
Hamilton (1994), Time Series Analysis, ch. 10.

Axes: N draw, D state, S shock, O observable, L lag, K horizon.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from emulator.solvers.filters import Filter
from emulator.solvers.lyapunov import lyapunov
from emulator.solvers.qz import CRITERIUM
from emulator.solvers.stacks import pick
from emulator.solvers.state_space import StateSpace, memory, spectral_radius, to_numpy

UNIT_ROOT = 2 - CRITERIUM
"""Modulus from which on a root counts as a unit root, as in Dynare's `lyapunov_symm`."""

SQUARINGS = 10
"""A matrix is raised to the power of 2^10, by which a root of 0.9993 has fallen to a half."""

REACHED = 1e-9
"""Share of a variable's own size above which a unit root is said to move it."""

LOST = 1e-6
"""A variance below this share of its terms has lost too many of its sixteen digits."""

SMALL = 1e-6
"""Share of the size of the largest variable below which a variable's own size is not looked at: it
may be rounding alone.
"""


@dataclass(frozen=True)
class Recursion:
    """`m = A m_1 + B e, y = G m_1 + H e`: A (N, D, D), B (N, D, S), G (N, O, D), H (N, O, S)."""

    A: Any
    B: Any
    G: Any
    H: Any

    @classmethod
    def of(cls, space: StateSpace) -> Recursion:
        """The same observables with the states alone that are remembered."""
        states = memory(space.A)
        moved = pick(space.A, states)
        return cls(
            A=pick(moved, states, axis=1),
            B=pick(space.B, states, axis=1),
            G=space.C @ moved,
            H=space.C @ space.B,
        )

    def observing(self, observed: Any) -> Recursion:
        """The observables at these positions, or of a slice."""
        return Recursion(self.A, self.B, self.G[:, observed], self.H[:, observed])

    def filtered(self, by: Filter) -> Recursion:
        """What a filter makes of the observables: filtered shocks drive the same model."""
        xp = array_namespace(self.A)
        n, n_states, n_shocks = self.B.shape
        size = len(by.g)

        def joined(top: Any, bottom: np.ndarray) -> Any:
            below = xp.asarray(bottom, dtype=self.A.dtype, device=self.A.device)
            return xp.concat([top, xp.broadcast_to(below, (n, *bottom.shape))], axis=1)

        shocks = np.eye(n_shocks)
        fed = xp.asarray(np.kron(shocks, by.h), dtype=self.A.dtype, device=self.A.device)
        own = np.kron(shocks, by.F)
        return Recursion(
            A=joined(
                xp.concat([self.A, self.B @ fed], axis=2),
                np.concatenate([np.zeros((size * n_shocks, n_states)), own], axis=1),
            ),
            B=joined(self.B * by.d, np.kron(shocks, by.g[:, None])),
            G=xp.concat([self.G, self.H @ fed], axis=2),
            H=self.H * by.d,
        )


def stationary_part(recursion: Recursion) -> tuple[Recursion, np.ndarray]:
    """The recursion without its unit roots, and which observables (N, O) they do not move.

    The other observables have no second moments; those of the recursion that is returned mean
    nothing for them. Draws without a unit root come back as they are.
    """
    rows = with_unit_roots(to_numpy(recursion.A))
    stationary = np.ones(recursion.G.shape[:2], dtype=bool)
    if not len(rows):
        return recursion, stationary
    matrices = [np.array(to_numpy(getattr(recursion, name))) for name in ("A", "B", "G")]
    for row in rows:
        *split, stationary[row] = _split(*(matrix[row] for matrix in matrices))
        for matrix, part in zip(matrices, split, strict=True):
            matrix[row] = part
    a, b, g = matrices
    return Recursion(a, b, g, to_numpy(recursion.H)), stationary


def with_unit_roots(a: np.ndarray) -> np.ndarray:
    """Positions of the draws with a unit root. A power that shrinks has none: it costs less than
    the roots.
    """
    power = a
    with np.errstate(all="ignore"):
        for _ in range(SQUARINGS):
            power = power @ power
        open_rows = np.flatnonzero(~((power**2).sum(axis=(1, 2)) < 0.25))
    return open_rows[spectral_radius(a[open_rows]) >= UNIT_ROOT]


def _split(
    a: np.ndarray, b: np.ndarray, g: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """One draw's stable states, zeros in the place of the others, and which observables (O,) no
    unit root moves.

    In ordered Schur coordinates the states z of unit roots come first. Less a multiple of the
    stable ones they move by themselves, and the shocks that reach them are explicit.
    """
    from scipy.linalg import schur, solve_sylvester

    t, z, k = schur(a, sort=lambda re, im: np.hypot(re, im) >= UNIT_ROOT)
    shift = solve_sylvester(t[:k, :k], -t[k:, k:], -t[:k, k:]) if k < len(a) else t[:k, k:]
    of_shocks = z.T @ b
    seen = g @ z
    reached = of_shocks[:k] - shift @ of_shocks[k:]
    size = np.abs(g) @ (np.abs(b) + np.abs(a) @ np.abs(b)).sum(axis=1)
    size = np.maximum(size, SMALL * size.max(initial=0.0))
    moved = np.zeros(len(g), dtype=bool)
    for _ in range(k):
        moved |= np.abs(seen[:, :k] @ reached).max(axis=1, initial=0.0) > REACHED * size
        reached = t[:k, :k] @ reached
    stable_a, stable_b, stable_g = np.zeros_like(a), np.zeros_like(b), np.zeros_like(g)
    stable_a[k:, k:] = t[k:, k:]
    stable_b[k:] = of_shocks[k:]
    stable_g[:, k:] = seen[:, k:] + seen[:, :k] @ shift
    return stable_a, stable_b, stable_g, ~moved


def autocovariances(recursion: Recursion, lags: int) -> Any:
    """Covariances (N, L+1, O, O) of the first observable with the second one l periods before, l =
    0 to `lags`; shocks are independent and of standard deviation one.
    """
    covariances, lost = _autocovariances(recursion, lags)
    rows = np.flatnonzero(lost)
    if len(rows):
        covariances[rows] = _autocovariances(_in_schur_form(recursion, rows), lags)[0]
    return covariances


def _autocovariances(recursion: Recursion, lags: int) -> tuple[Any, np.ndarray]:
    """The covariances, and at which draws (N,) digits were lost."""
    xp = array_namespace(recursion.A)
    a, b, g, h = recursion.A, recursion.B, recursion.G, recursion.H
    turned = xp.matrix_transpose(g)
    variance = lyapunov(a, b @ xp.matrix_transpose(b))
    lagged = a @ variance @ turned + b @ xp.matrix_transpose(h)
    covariances = [g @ variance @ turned + h @ xp.matrix_transpose(h)]
    for _ in range(lags):
        covariances.append(g @ lagged)
        lagged = a @ lagged
    total = np.einsum("noo->no", to_numpy(covariances[0]))
    return xp.stack(covariances, axis=1), cancelling(g, variance[:, None, :, :], total)


def variances_by_shock(recursion: Recursion) -> Any:
    """The variance (N, S, O) of each observable that each shock accounts for."""
    variances, lost = _variances_by_shock(recursion)
    rows = np.flatnonzero(lost)
    if len(rows):
        variances[rows] = _variances_by_shock(_in_schur_form(recursion, rows))[0]
    return variances


def _variances_by_shock(recursion: Recursion) -> tuple[Any, np.ndarray]:
    """The variances, and at which draws (N,) digits were lost."""
    xp = array_namespace(recursion.A)
    a, b, g, h = recursion.A, recursion.B, recursion.G, recursion.H
    columns = xp.matrix_transpose(b)
    if g.shape[1] < b.shape[2]:  # as many equations as there are observables
        sums = lyapunov(xp.matrix_transpose(a), g[:, :, :, None] * g[:, :, None, :])
        variances = xp.einsum("nsd,nodc,nsc->nso", columns, sums, columns)
        variances = variances + xp.matrix_transpose(h**2)
        total = to_numpy(variances).sum(axis=1)
        lost = cancelling(columns, sums, total[:, :, None])
    else:
        sums = lyapunov(a, columns[:, :, :, None] * columns[:, :, None, :])
        variances = xp.einsum("nod,nsdc,noc->nso", g, sums, g)
        variances = variances + xp.matrix_transpose(h**2)
        lost = cancelling(g, sums, to_numpy(variances).sum(axis=1)[:, None, :])
    return variances, lost


def cancelling(rows: Any, sums: Any, total: np.ndarray) -> np.ndarray:
    """At which draws (N,) `rows X rows'` is a small difference of large terms: rows (N, R, D),
    matrices X (N, M, D, D), and the variance (N, R), (N, M, 1) or (N, 1, R) that it is part of.

    A PyTorch tensor is let pass: what would mend it has no gradient.
    """
    if not isinstance(sums, np.ndarray):
        return np.zeros(len(sums), dtype=bool)
    size = np.sqrt(np.maximum(np.einsum("nmdd->nmd", sums), 0.0))
    terms = np.einsum("nrd,nmd->nmr", np.abs(rows), size, optimize=True) ** 2
    total = total[:, None, :] if total.ndim == 2 else total
    with np.errstate(invalid="ignore"):
        return np.asarray((total < LOST * terms).any(axis=(1, 2)))


def _in_schur_form(recursion: Recursion, rows: np.ndarray) -> Recursion:
    """The same observables at some draws, with states in the coordinates of the Schur form: where
    states all but follow each other, what is left of one beside the others is a state of its own.
    """
    from scipy.linalg import schur

    a, b, g = (np.array(getattr(recursion, name)[rows]) for name in ("A", "B", "G"))
    for row in np.flatnonzero(np.isfinite(a).all(axis=(1, 2))):
        a[row], vectors = schur(a[row])
        b[row] = vectors.T @ b[row]
        g[row] = g[row] @ vectors
    return Recursion(a, b, g, recursion.H[rows])


def forecast_variances(recursion: Recursion, horizons: Sequence[int]) -> Any:
    """Variances (N, K, S, O) of forecast errors so many periods ahead, by shock: sums of squared
    responses; one period ahead the impact alone. horizons: 1 or more, rising.
    """
    xp = array_namespace(recursion.A)
    state, total = recursion.B, recursion.H**2
    variances = []
    for ahead in range(1, max(horizons) + 1):
        if ahead > 1:
            total = total + (recursion.G @ state) ** 2
            state = recursion.A @ state
        if ahead in horizons:
            variances.append(xp.matrix_transpose(total))
    return xp.stack(variances, axis=1)


def autocovariances_of_responses(irf: np.ndarray, lags: int) -> np.ndarray:
    """Covariances (N, L+1, O, O) as `autocovariances` of the moving average whose responses to
    shocks of one standard deviation are irf (N, S, H+1, O), and end there.
    """
    periods = irf.shape[2]
    covariances = np.zeros((len(irf), lags + 1, irf.shape[3], irf.shape[3]))
    for lag in range(min(lags, periods - 1) + 1):
        later, now = irf[:, :, lag:], irf[:, :, : periods - lag]
        covariances[:, lag] = np.einsum("nsho,nshp->nop", later, now, optimize=True)
    return covariances
