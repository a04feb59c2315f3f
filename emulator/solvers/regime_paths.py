"""Averages over the regime paths of `y = T_s y_1 + R_s e`, s a Markov chain that is independent of
the shocks.

With m_t(j) = E[y_t; s_t = j] given the first regime's probabilities and the shocks, `m_t(j) = T_j
sum_i p_ij m_t-1(i) + P(s_t = j) R_j e_t`: linear in the K n numbers m_t, so that the average over
all K^t paths is exact and costs no more than one path (Costa, Fragoso and Marques 2005,
Discrete-Time Markov Jump Linear Systems, ch. 3, doi:10.1007/b138575).

Axes: N draw, K regime, n variable, k shock, O observable, T period. NumPy or PyTorch.
"""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

from emulator.solvers.stacks import zeros
from emulator.solvers.state_space import StateSpace


def average_state_space(
    transition: Any, impact: Any, chain: Any, first: Any, loadings: Any
) -> StateSpace:
    """State space of m after shocks of the first period, whose regimes have the probabilities
    `first` (N, K).

    transition (N, K, n, n), impact (N, K, n, k), chain (N, K, K), loadings (O, n) of the
    observables. A (N, Kn, Kn), B (N, Kn, k) and C (N, O, Kn) go through m regime by regime;
    responses are in the units of the loadings times y.
    """
    xp = array_namespace(transition, impact, chain)
    n, k, size = transition.shape[:3]
    moved = (
        transition[:, :, :, None, :] * xp.matrix_transpose(chain)[:, :, None, :, None]
    )  # in row j, column i: p_ij T_j
    struck = first[:, :, None, None] * impact
    return StateSpace(
        xp.reshape(moved, (n, k * size, k * size)),
        xp.reshape(struck, (n, k * size, impact.shape[3])),
        xp.broadcast_to(xp.concat([loadings] * k, axis=1), (n, loadings.shape[0], k * size)),
    )


def average_path(space: StateSpace, impact: Any, chain: Any, first: Any, shocks: Any) -> Any:
    """E[observables] (N, T, O) over regime paths under shocks (N, T, k), each period's with the
    regimes' chances of that period.

    `space` as `average_state_space` gives it, of which A and C are used; impact (N, K, n, k), first
    (N, K).
    """
    xp = array_namespace(impact, shocks)
    state, chances, path = zeros(space.A, space.A.shape[1], 1), first[:, :, None], []
    for period in range(shocks.shape[1]):
        hit = chances[..., None] * (impact @ shocks[:, period, None, :, None])
        state = space.A @ state + xp.reshape(hit, state.shape)
        path.append((space.C @ state)[:, :, 0])
        chances = xp.matrix_transpose(chain) @ chances
    return xp.stack(path, axis=1)
