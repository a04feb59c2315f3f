"""Linear state spaces `s = A s_1 + B e, y = C s`: impulse responses, simulation, roots.

Axes: N draw, D state, S shock, O observable, H horizon (0 is impact), T period.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device


@dataclass(frozen=True)
class StateSpace:
    """Matrices of a batch of linear state spaces: A (N, D, D), B (N, D, S), C (N, O, D)."""

    A: Any
    B: Any
    C: Any


def impulse_response(space: StateSpace, horizon: int) -> Any:
    """Responses `C A^h B` to unit shocks, (N, S, H+1, O), h = 0 is the impact period, in the units of C s."""
    xp = array_namespace(space.A, space.B, space.C)
    state = space.B
    responses = [space.C @ state]
    for _ in range(horizon):
        state = space.A @ state
        responses.append(space.C @ state)
    return xp.permute_dims(xp.stack(responses, axis=0), (1, 3, 0, 2))


def simulate(space: StateSpace, shocks: Any) -> Any:
    """Paths (N, T, O) from the zero state under shocks (N, T, S) in standard deviations."""
    xp = array_namespace(space.A, space.B, space.C, shocks)
    state = xp.zeros((*space.B.shape[:2], 1), dtype=space.B.dtype, device=device(space.B))
    path = []
    for period in range(shocks.shape[1]):
        state = space.A @ state + space.B @ shocks[:, period, :, None]
        path.append((space.C @ state)[:, :, 0])
    return xp.stack(path, axis=1)


def spectral_radius(stack: Any) -> np.ndarray:
    """Largest modulus of the eigenvalues of each matrix (N, D, D), as NumPy (N,); NaN where entries are not finite."""
    matrices = to_numpy(stack)
    radius = np.full(len(matrices), np.nan)
    finite = np.isfinite(matrices).all(axis=(1, 2))
    if matrices.shape[1] == 1:
        radius[finite] = np.abs(matrices[finite, 0, 0])
    elif matrices.shape[1]:
        radius[finite] = np.abs(np.linalg.eigvals(matrices[finite])).max(axis=1)
    else:
        radius[:] = 0.0
    return radius


def to_numpy(array: Any) -> np.ndarray:
    """A detached NumPy view of a NumPy or PyTorch array."""
    return np.asarray(array.detach().cpu() if hasattr(array, "detach") else array)
