"""Batched solution of linear rational-expectations models `A E[y'] + B y + C y_1 + D e = 0`,
certified draw by draw.

A draw is called solved when its residual is small and the moduli of all its roots meet the
Blanchard-Kahn condition.

Written once against the array API: NumPy and PyTorch arrays pass through, gradients included.
Axes: N draw, n variable, k shock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from emulator.errors import SolverError
from emulator.solvers.decision_rule import Attempt, attempt, relative_residual
from emulator.solvers.qz import CRITERIUM, solve_qz
from emulator.solvers.scaling import WIDE, is_tame, settle_scaled, widths
from emulator.solvers.stacks import blank, norm, zeros
from emulator.solvers.state_space import to_numpy
from emulator.solvers.structure import Structure
from emulator.spec import Status

TOLERANCE = 1e-10
"""Largest residual, relative to the size of the terms that it sums, of a solution that is called
one.
"""

LOOSE = 1e-13
"""Residual above which a draw is solved a second time, around the first answer."""

BLOCK = 2048
"""Draws of a small model solved at once: enough to drown Python's overhead, few enough to stay in
the cache.
"""

BLOCK_ENTRIES = 2**18
"""Entries of a matrix stack solved at once: draws of large models go in smaller blocks; memory does
not grow.
"""


@dataclass(frozen=True)
class Solution:
    """`y = transition y_1 + impact e`, with a certificate for every draw.

    transition (N, n, n), impact (N, n, k): the input's array type; NaN where `status` is not
    `Status.OK`. status (N,) uint8 of `Status`, residual (N,): NumPy.
    """

    transition: Any
    impact: Any
    status: np.ndarray
    residual: np.ndarray


def solve_linear_re(
    lead: Any, current: Any, lag: Any, shock: Any, structure: Structure | None = None
) -> Solution:
    """Solve a stack of models `lead E[y'] + current y + lag y_1 + shock e = 0` for the stable
    solution.

    lead, current, lag (N, n, n) and shock (N, n, k), float64. `structure` may be given where it is
    known, so that it does not depend on which entries happen to be zero in a batch. Raises
    `SolverError` on shapes that do not fit. A draw without a unique stable solution is not an
    error: its `status` says why.
    """
    _check_shapes(lead, current, lag, shock)
    structure = structure or Structure.of(lead, current, lag)
    return _by_blocks(
        lambda part: _solve_block(structure, *(m[part] for m in (lead, current, lag, shock))),
        len(current),
        structure,
    )


def solve_equations(
    equations: Callable[[Any], Sequence[Any]], theta: Any, structure: Structure
) -> Solution:
    """`solve_linear_re(*equations(theta))`, the matrices built block by block: they never leave the
    cache.

    theta (N, P); `equations` gives lead, current, lag (N, n, n) and shock (N, n, k) of the model.
    """
    return _by_blocks(
        lambda part: _solve_block(structure, *equations(theta[part])), len(theta), structure
    )


def block_size(n_variables: int) -> int:
    """How many draws of a model of that size are solved at once."""
    return max(16, min(BLOCK, BLOCK_ENTRIES // max(n_variables, 1) ** 2))


def _by_blocks(solve: Callable[[slice], Solution], n: int, structure: Structure) -> Solution:
    size = block_size(len(structure.endogenous) + len(structure.exogenous))
    blocks = [solve(slice(start, start + size)) for start in range(0, max(n, 1), size)]
    if len(blocks) == 1:
        return blocks[0]
    xp = array_namespace(blocks[0].transition)
    return Solution(
        xp.concat([b.transition for b in blocks]),
        xp.concat([b.impact for b in blocks]),
        np.concatenate([b.status for b in blocks]),
        np.concatenate([b.residual for b in blocks]),
    )


def _check_shapes(lead: Any, current: Any, lag: Any, shock: Any) -> None:
    shape = tuple(current.shape)
    fits = (
        len(shape) == 3 and shape[1] == shape[2] and tuple(lead.shape) == shape == tuple(lag.shape)
    )
    if not fits or len(shock.shape) != 3 or tuple(shock.shape[:2]) != shape[:2]:
        shapes = ", ".join(str(tuple(m.shape)) for m in (lead, current, lag, shock))
        raise SolverError(
            f"Expected lead, current, lag (N, n, n) and shock (N, n, k); found {shapes}."
        )


def _solve_block(st: Structure, lead: Any, current: Any, lag: Any, shock: Any) -> Solution:
    """One block: a first attempt, a second one around it for the draws that it leaves loose, then
    the status.
    """
    with np.errstate(all="ignore"):  # what overflows is not certified
        return _certified(st, (lead, current, lag, shock))


def _certified(st: Structure, matrices: tuple[Any, ...]) -> Solution:
    current = matrices[1]
    xp = array_namespace(*matrices)
    zero = zeros(current, len(st.lead), len(st.lag))
    attempted = attempt(xp, st, matrices, zero)
    loose = ~(attempted.residual < LOOSE)
    if loose.any():
        rows = xp.asarray(np.flatnonzero(loose), device=current.device)
        _improve(
            attempted,
            attempt(xp, st, tuple(m[rows] for m in matrices), _guess(xp, attempted.path[rows])),
            loose,
        )
    status = _status(attempted)
    with np.errstate(invalid="ignore"):
        wide = ~(widths(*(to_numpy(m) for m in matrices[:3])) < WIDE)
    tame = is_tame(to_numpy(attempted.transition), to_numpy(attempted.impact))
    status[(status == Status.OK) & ~tame] = Status.NOT_CONVERGED
    for row in np.flatnonzero(wide | (status == Status.NOT_CONVERGED)):
        status[row] = _settle(attempted, matrices, int(row), bool(wide[row]))
    failed = status != Status.OK
    transition, impact = attempted.transition, attempted.impact
    if failed.any():
        mask = xp.asarray(failed, device=transition.device)[:, None, None]
        transition, impact = blank(transition, mask), blank(impact, mask)
    return Solution(transition, impact, status, attempted.residual)


def _guess(xp: Any, path: Any) -> Any:
    """The path of a first attempt; where that broke down, fixed numbers in general position."""
    size = path.shape[1] * path.shape[2]
    general = xp.reshape(
        xp.cos(xp.arange(1, size + 1, dtype=path.dtype, device=path.device)), path.shape[1:]
    )
    broken = ~xp.isfinite(norm(path))[:, None, None]
    return xp.where(broken, general, path)


def _improve(first: Attempt, second: Attempt, rows: np.ndarray) -> None:
    """Put the second attempt in place of the first at those of its rows where its residual is
    smaller.
    """
    before = first.residual[rows]
    better = (second.residual < before) | np.isnan(before)
    into = np.flatnonzero(rows)[better]
    for name in ("transition", "impact", "residual", "stable", "unstable"):
        getattr(first, name)[into] = getattr(second, name)[better]


def _status(attempted: Attempt) -> np.ndarray:
    """Blanchard-Kahn from the factored pencil; what it does not settle is called not converged."""
    inside, outside = attempted.stable < CRITERIUM, attempted.unstable < 1 / CRITERIUM
    solved = attempted.residual < TOLERANCE
    status = np.full(solved.shape, Status.NOT_CONVERGED, dtype=np.uint8)
    status[solved & inside & outside] = Status.OK
    status[solved & inside & (attempted.unstable > 1 / CRITERIUM)] = Status.INDETERMINATE
    status[solved & ~inside & outside] = Status.EXPLOSIVE
    return status


def _settle(attempted: Attempt, matrices: tuple[Any, ...], row: int, wide: bool) -> Status:
    """The status by the QZ method of a draw that doubling left open (unit roots, say) or whose
    coefficients are wide apart; its solution, once certified.

    A determinate model whose solution cannot be certified stays what it is: not converged.
    """
    of_row = tuple(to_numpy(m[row]) for m in matrices)
    if wide:
        attempts = [(to_numpy(attempted.transition[row]), to_numpy(attempted.impact[row]))]
        transition, impact, status, error = settle_scaled(of_row, attempts, TOLERANCE)
    else:
        transition, impact, status = solve_qz(*of_row)
        error = float(relative_residual(*(m[None] for m in (*of_row, transition, impact)))[0])
    if status is not Status.OK:
        return status
    if not (error < TOLERANCE and is_tame(transition[None], impact[None])[0]):
        return Status.NOT_CONVERGED
    xp = array_namespace(attempted.transition)
    attempted.residual[row] = error
    for stack, solved in ((attempted.transition, transition), (attempted.impact, impact)):
        stack[row] = xp.asarray(solved, dtype=stack.dtype, device=stack.device)
    return Status.OK
