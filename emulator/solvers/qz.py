"""The second method: generalised Schur (QZ) solution of one draw, and the Blanchard-Kahn count of
its roots.

Blanchard and Kahn (1980), Econometrica 48, 1305-1311, doi:10.2307/1912186; Klein (2000), J. Econ.
Dyn. Control 24, 1405-1423, doi:10.1016/S0165-1889(99)00045-7.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from emulator.spec import Status

CRITERIUM = 1 + 1e-6
"""Roots up to this modulus count as stable, so that unit roots are kept (Dynare's `qz_criterium`).
"""


def pencil(
    lead: np.ndarray, current: np.ndarray, lag: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """`g0 v' = g1 v` with v = (lagged variables of last period, the others of this period).

    Variables both led and lagged stand in both parts, tied by an identity. Returns g0, g1 (m, m)
    and the positions in y of the two parts.
    """
    lagged = np.flatnonzero((lag != 0).any(0))
    forward = np.flatnonzero((lead != 0).any(0) | ~(lag != 0).any(0))
    both = np.intersect1d(lagged, forward)
    n, s, f = len(current), len(lagged), len(forward)
    g0, g1 = np.zeros((n + len(both), s + f)), np.zeros((n + len(both), s + f))
    g0[:n, s:] = lead[:, forward]
    g1[:n, :s] = -lag[:, lagged]
    g1[:n, s:] = -current[:, forward]
    for k, variable in enumerate(lagged):
        if variable not in both:
            g0[:n, k] = current[:, variable]
    for k, variable in enumerate(both):
        g0[n + k, np.searchsorted(lagged, variable)] = 1.0
        g1[n + k, s + np.searchsorted(forward, variable)] = 1.0
    return g0, g1, lagged, forward


def stable_root_count(lead: np.ndarray, current: np.ndarray, lag: np.ndarray) -> tuple[int, int]:
    """(number of stable generalised eigenvalues, number of lagged variables); equal in a
    determinate model.
    """
    g0, g1, lagged, _ = pencil(lead, current, lag)
    alpha, beta = linalg.eigvals(g1, g0, homogeneous_eigvals=True)
    return int(np.sum(np.abs(alpha) < CRITERIUM * np.abs(beta))), len(lagged)


def blanchard_kahn(lead: np.ndarray, current: np.ndarray, lag: np.ndarray) -> Status:
    """Determinate, indeterminate or explosive, from the generalised eigenvalues of one draw's
    matrices (n, n).
    """
    if not all(np.isfinite(m).all() for m in (lead, current, lag)):
        return Status.NOT_CONVERGED
    try:
        stable, needed = stable_root_count(lead, current, lag)
    except (
        np.linalg.LinAlgError,
        ValueError,
    ):  # the iteration of LAPACK did not end, or overflowed
        return Status.NOT_CONVERGED
    if stable == needed:
        return Status.OK
    return Status.INDETERMINATE if stable > needed else Status.EXPLOSIVE


def solve_qz(
    lead: np.ndarray, current: np.ndarray, lag: np.ndarray, shock: np.ndarray
) -> tuple[np.ndarray, np.ndarray, Status]:
    """Transition (n, n) and impact (n, k) of `lead E[y'] + current y + lag y_1 + shock e = 0`, one
    draw, by QZ.

    The status is `OK`, `INDETERMINATE`, `EXPLOSIVE` or, where the stable roots do not determine the
    variables, `NOT_CONVERGED`; but for the first the matrices are NaN.
    """
    status = blanchard_kahn(lead, current, lag)
    transition, impact = np.full_like(current, np.nan), np.full_like(shock, np.nan)
    if status is not Status.OK:
        return transition, impact, status
    try:
        return *_stable_solution(lead, current, lag, shock), status
    except (np.linalg.LinAlgError, ValueError):
        # The stable roots do not determine the variables (Klein 2000, assumption 4.5), or rounding
        # errors are so large that `ordqz` cannot put the roots in order.
        return transition, impact, Status.NOT_CONVERGED


def _stable_solution(
    lead: np.ndarray, current: np.ndarray, lag: np.ndarray, shock: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    g0, g1, lagged, forward = pencil(lead, current, lag)
    s = len(lagged)
    aa, bb, _, _, _, z = linalg.ordqz(
        g1, g0, sort=lambda alpha, beta: np.abs(alpha) < CRITERIUM * np.abs(beta), output="complex"
    )
    z11, z21 = z[:s, :s], z[s:, :s]
    transition = np.zeros_like(current)
    transition[np.ix_(forward, lagged)] = np.real(np.linalg.solve(z11.T, z21.T).T)
    dynamics = z11 @ np.linalg.solve(bb[:s, :s], aa[:s, :s])
    transition[np.ix_(lagged, lagged)] = np.real(np.linalg.solve(z11.T, dynamics.T).T)
    return transition, -np.linalg.solve(lead @ transition + current, shock)
