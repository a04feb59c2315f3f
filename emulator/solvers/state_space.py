"""Linear state spaces `s = A s_1 + B e, y = C s`: impulse responses, simulation, roots.

Axes: N draw, D state, S shock, O observable, H horizon (0 is impact), T period.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from emulator.solvers.stacks import outermost, pick
from emulator.spec import OBSERVABLES

BLOCK = 256
"""Draws whose responses are computed at once: few enough to stay in the cache."""

STRIDE = 4
"""Periods that one product moves all responses ahead where states are few; higher powers of A would
lose digits.
"""

FEW_STATES = 12
"""States up to which a power of A costs less than the products that it saves (measured)."""

LARGEST = 100.0
"""Entry of A above which no powers are taken: A may be far from normal, and large entries cancel in
products with a state alone.
"""

FIRST = len(OBSERVABLES)
"""Observables whose responses are a product of their own: to the last bit they do not depend on
how many a world declares after them.
"""


@dataclass(frozen=True)
class StateSpace:
    """Matrices of a batch of linear state spaces: A (N, D, D), B (N, D, S), C (N, O, D)."""

    A: Any
    B: Any
    C: Any


def impulse_response(space: StateSpace, horizon: int) -> Any:
    """Responses `C A^h B` to unit shocks, (N, S, H+1, O), h = 0 is the impact period, in the units
    of C s.
    """
    xp = array_namespace(space.A, space.B, space.C)
    n, n_shocks = space.A.shape[0], space.B.shape[2]
    irf = xp.empty(
        (n, n_shocks, horizon + 1, space.C.shape[1]), dtype=space.A.dtype, device=device(space.A)
    )
    for start in range(0, n, BLOCK):
        a, b, c = (outermost(m[start : start + BLOCK]) for m in (space.A, space.B, space.C))
        remembered = memory(a)
        moved = pick(a, remembered)
        path = _path(xp, pick(moved, remembered, axis=1), pick(b, remembered, axis=1), horizon)
        block = irf[start : start + BLOCK, ...]
        for observed in (slice(0, FIRST), slice(FIRST, None)):
            rows = c[:, observed, :]
            if rows.shape[1]:
                block[:, :, 0, observed] = xp.matrix_transpose(rows @ b)
                seen = path @ _transposed(xp, rows @ moved)
                block[:, :, 1:, observed] = xp.reshape(
                    seen, (len(a), n_shocks, horizon, rows.shape[1])
                )
    return irf


def memory(a: Any) -> tuple[int, ...]:
    """States that move those of the next period; all of a PyTorch tensor, whose zeros may have
    gradients.
    """
    columns = a.any(axis=(0, 1)) if isinstance(a, np.ndarray) else np.ones(a.shape[2], dtype=bool)
    return tuple(int(k) for k in np.flatnonzero(columns))


def _tame(a: Any) -> bool:
    """Whether powers of the matrices keep their digits: entries far above one cancel in a product
    with a state, not in a power.
    """
    return bool(np.abs(np.nan_to_num(to_numpy(a))).max(initial=0.0) < LARGEST)


def _path(xp: Any, a: Any, b: Any, periods: int) -> Any:
    """`A^h B` transposed, h = 0 .. periods - 1, in rows (N, S * periods, D) ordered by shock, then
    period.
    """
    n_draws, n_states, n_shocks = b.shape
    onward, run, width = _transposed(xp, a), _transposed(xp, b), 1
    while width < STRIDE and n_states <= FEW_STATES and _tame(a):
        halves = [
            xp.reshape(half, (n_draws, n_shocks, width, n_states)) for half in (run, run @ onward)
        ]
        onward, width = onward @ onward, 2 * width
        run = xp.reshape(xp.concat(halves, axis=2), (n_draws, n_shocks * width, n_states))
    path = xp.empty((n_draws, n_shocks, periods, n_states), dtype=a.dtype, device=device(a))
    for start in range(0, periods, width):
        now = path[:, :, start : start + width, :]
        now[...] = xp.reshape(run, (n_draws, n_shocks, width, n_states))[:, :, : now.shape[2], :]
        run = run @ onward
    return xp.reshape(path, (n_draws, n_shocks * periods, n_states))


def _transposed(xp: Any, stack: Any) -> Any:
    """Each matrix transposed, in memory as well: products of a transposed or repeated stack are
    several times slower.
    """
    turned = xp.empty(
        (stack.shape[0], stack.shape[2], stack.shape[1]), dtype=stack.dtype, device=device(stack)
    )
    turned[...] = xp.matrix_transpose(stack)
    return turned


def superposed(irf: np.ndarray, path_nST: np.ndarray) -> np.ndarray:
    """Responses (N, H+1, O) to a path of shocks (N, S, T) in a linear world, whose responses to one
    standard deviation are irf (N, S, H+1, O).
    """
    total = np.zeros((irf.shape[0], *irf.shape[2:]))
    for period in range(path_nST.shape[2]):
        later = irf[:, :, : irf.shape[2] - period]
        total[:, period:] += np.einsum("ns,nsho->nho", path_nST[:, :, period], later)
    return total


def simulate(space: StateSpace, shocks: Any, start: Any = None) -> Any:
    """Paths (N, T, O) under shocks (N, T, S) in standard deviations, from the state `start` (N, D)
    before the first period, by default zero.
    """
    xp = array_namespace(space.A, space.B, space.C, shocks)
    if start is None:
        start = xp.zeros(space.B.shape[:2], dtype=space.B.dtype, device=device(space.B))
    state = start[:, :, None]
    path = []
    for period in range(shocks.shape[1]):
        state = space.A @ state + space.B @ shocks[:, period, :, None]
        path.append((space.C @ state)[:, :, 0])
    return xp.stack(path, axis=1)


def spectral_radius(stack: Any) -> np.ndarray:
    """Largest modulus of the eigenvalues of each matrix (N, D, D), as NumPy (N,); NaN where entries
    are not finite and where LAPACK finds no eigenvalues.
    """
    matrices = to_numpy(stack)
    size = matrices.shape[1]
    if size == 0:
        return np.zeros(len(matrices))
    with np.errstate(invalid="ignore", over="ignore"):
        if size == 1:
            return np.abs(matrices[:, 0, 0])
        if size == 2:
            return _radius_2x2(matrices)
    radius = np.full(len(matrices), np.nan)
    finite = np.isfinite(matrices).all(axis=(1, 2))
    try:
        radius[finite] = np.abs(np.linalg.eigvals(matrices[finite])).max(axis=1)
    except np.linalg.LinAlgError:  # at one matrix, which the call does not name
        for row in np.flatnonzero(finite):
            radius[row] = _radius_or_nan(matrices[row])
    return radius


def _radius_or_nan(matrix: np.ndarray) -> float:
    try:
        return float(np.abs(np.linalg.eigvals(matrix)).max())
    except np.linalg.LinAlgError:
        return np.nan


def _radius_2x2(matrices: np.ndarray) -> np.ndarray:
    """Half the trace plus or minus a root: the larger modulus adds two terms of one sign, so that
    nothing cancels.
    """
    half = (matrices[:, 0, 0] + matrices[:, 1, 1]) / 2
    gap = (matrices[:, 0, 0] - matrices[:, 1, 1]) / 2
    square = gap**2 + matrices[:, 0, 1] * matrices[:, 1, 0]
    root = np.sqrt(np.abs(square))
    return np.where(square >= 0, np.abs(half) + root, np.hypot(half, root))


def to_numpy(array: Any) -> np.ndarray:
    """A detached NumPy view of a NumPy or PyTorch array."""
    return np.asarray(array.detach().cpu() if hasattr(array, "detach") else array)
