"""Structure-preserving doubling on stacks of matrices: how led variables follow lagged ones on the
stable path.

Chu, Fan, Lin and Wang (2004), Int. J. Control 77, 767-788, doi:10.1080/00207170410001714988; for
rational-expectations models Huber, Meyer-Gohde and Saecker (2023), "Solving linear DSGE models with
structure preserving doubling methods".

Axes: N draw, f led variable, s lagged variable.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace

from emulator.solvers.stacks import (
    ELIMINATED,
    identity,
    innermost,
    norm,
    product,
    solve_stack,
    take_draws,
)

MAX_STEPS = 60
"""Quadratic convergence needs 5 to 10 steps away from the border of determinacy; 2**60 periods is
beyond any.
"""

UNCHECKED_STEPS = 4
"""Hardly a draw settles earlier, and none overflows so soon."""

SETTLED = 1e-9
"""A relative change below this leaves an error of its square, under the rounding of float64."""


def stable_path(lagged_now: Any, led_now: Any) -> Any:
    """H (N, f, s) with `v = H w_1` on the stable path of led variables v and lagged variables w.

    The model is `w = E w_1 + G v'`, given as `lagged_now` = [E, G] (N, s, s + f), and `v = H0 w_1 +
    F v'`, given as `led_now` = [H0, F] (N, f, s + f). Each step joins two spans of equal length
    into one of twice the length, until v so far ahead no longer moves v now. Draws that do not
    converge come back as they are or as NaN: the caller certifies every draw.
    """
    xp = array_namespace(lagged_now, led_now)
    n_lag, n_lead = lagged_now.shape[1], led_now.shape[1]
    small = max(n_lag, n_lead) <= ELIMINATED
    top, bottom = (innermost(m) if small else m for m in (lagged_now, led_now))
    rows = xp.arange(top.shape[0], device=top.device)
    done_rows, done = [], []
    with np.errstate(all="ignore"):
        for step in range(MAX_STEPS):
            top, bottom, change = _join(xp, top, bottom)
            if step < UNCHECKED_STEPS:
                continue
            path = bottom[:, :, :n_lag]
            active = norm(change) > SETTLED * norm(
                path
            )  # NaN compares false: what broke down leaves too
            if not bool(xp.all(active)):
                done_rows.append(rows[~active])
                done.append(path[~active])
                left = xp.nonzero(active)[0]
                rows, top, bottom = rows[left], take_draws(top, left), take_draws(bottom, left)
            if rows.shape[0] == 0:
                break
    order = xp.argsort(xp.concat([*done_rows, rows]))
    return xp.take(xp.concat([*done, bottom[:, :, :n_lag]]), order, axis=0)


def _join(xp: Any, top: Any, bottom: Any) -> tuple[Any, Any, Any]:
    """Two equal spans as one: [E, G] and [H, F] of the double span, and the change in H."""
    n_lag, n_lead = top.shape[1], bottom.shape[1]
    e, g, h, f = top[:, :, :n_lag], top[:, :, n_lag:], bottom[:, :, :n_lag], bottom[:, :, n_lag:]
    if n_lag <= n_lead:  # meet in the middle where fewer variables do
        lagged_mid = solve_stack(
            identity(g, n_lag) - product(g, h), xp.concat([e, product(g, f)], axis=2)
        )
        led_mid = product(h, lagged_mid)
        led_mid = xp.concat([led_mid[:, :, :n_lag], led_mid[:, :, n_lag:] + f], axis=2)
    else:
        led_mid = solve_stack(
            identity(h, n_lead) - product(h, g), xp.concat([product(h, e), f], axis=2)
        )
        lagged_mid = product(g, led_mid)
        lagged_mid = xp.concat([lagged_mid[:, :, :n_lag] + e, lagged_mid[:, :, n_lag:]], axis=2)
    top, bottom = product(e, lagged_mid), product(f, led_mid)
    change = bottom[:, :, :n_lag]
    top = xp.concat([top[:, :, :n_lag], top[:, :, n_lag:] + g], axis=2)
    bottom = xp.concat([change + h, bottom[:, :, n_lag:]], axis=2)
    return top, bottom, change
