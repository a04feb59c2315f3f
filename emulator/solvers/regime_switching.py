"""Batched solution of linear rational-expectations models whose coefficients follow a Markov chain.

In regime i the model is `A_i E[y'] + B_i y + C_i y_1 + D_i e = 0`, and regime j follows with
probability p_ij. A minimal-state-variable solution `y = T_i y_1 + R_i e` makes `(A_i sum_j p_ij T_j
+ B_i) T_i + C_i = 0` in every regime (Farmer, Waggoner and Zha 2011, J. Econ. Dyn. Control 35,
2150-2166). It is found for the few led variables on the few lagged ones: some periods of the
forward method (Cho 2016, Rev. Econ. Dyn. 21, 182-200), then Newton's.

Why one solution settles the status, whichever was found: let y be *any* solution and w = y - T_i
y_1 - R_i e. Then `w = F_i E[w']` with `F_i = -(A_i sum_j p_ij T_j + B_i)^-1 A_i`, so that its
second moments obey `Q_i <= F_i (sum_j p_ij Q_j') F_i'`: if the spectral radius of [p_ij F_i (x)
F_i] is below one, w = 0 or w explodes, and no other solution is mean-square stable; if above,
bubbles are (Cho 2021, J. Econ. Dyn. Control 127, 104115). This one is if the radius of [p_ij T_j
(x) T_j] is below one.

Axes: N draw, K regime, n variable (f led and s lagged of the p endogenous, q exogenous), k shock.
NumPy or PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from emulator.errors import SolverError
from emulator.solvers.decision_rule import Rule, assemble, exogenous_process, relative_residual
from emulator.solvers.linear_re import LOOSE, TOLERANCE, block_size
from emulator.solvers.qz import CRITERIUM
from emulator.solvers.scaling import WIDE, equilibrate, widths
from emulator.solvers.stacks import blank, identity, pick, solve_stack, zeros
from emulator.solvers.state_space import spectral_radius, to_numpy
from emulator.solvers.structure import Structure
from emulator.spec import Status

FORWARD_STEPS, NEWTON_STEPS = 12, 6
"""First attempt: periods of the forward method, then steps of Newton's; together they reach
rounding error.
"""

MOST_SCALED = 1e12
"""Largest over smallest factor of scaling up to which a scaled model is trusted to tell the status:
beyond it the products of coefficients that decide are rounding errors.
"""

RESTARTS = 6
"""Further attempts at draws that the first leaves open or loose: many forward periods, then Newton
from other starts.
"""


@dataclass(frozen=True)
class SwitchingSolution:
    """`y = transition[s] y_1 + impact[s] e` in regime s, with a certificate for every draw.

    transition (N, K, n, n), impact (N, K, n, k): the input's array type; NaN where `status` is not
    `Status.OK`. status (N,) uint8 of `Status`; residual (N,), stable (N,) and bubble (N,): the
    largest relative error in any regime's equations and the spectral radii of [p_ij T_j (x) T_j]
    and [p_ij F_i (x) F_i]; NumPy.
    """

    transition: Any
    impact: Any
    status: np.ndarray
    residual: np.ndarray
    stable: np.ndarray
    bubble: np.ndarray


def solve_switching(
    lead: Any, current: Any, lag: Any, shock: Any, chain: Any, structure: Structure | None = None
) -> SwitchingSolution:
    """Solve a stack of models, one set of equations a regime, for the mean-square stable solution.

    lead, current, lag (N, K, n, n), shock (N, K, n, k) and chain (N, K, K), rows the regime left,
    float64. `current` must be non-singular in every regime. Raises `SolverError` on shapes that do
    not fit or rows of the chain that do not sum to one. A draw without a unique mean-square stable
    solution is not an error: its `status` says why.
    """
    matrices = (lead, current, lag, shock, chain)
    _check(*matrices)
    structure = structure or Structure.of(*(_flat(m) for m in matrices[:3]))
    return _by_blocks(
        lambda part: _solve_block(structure, *(m[part] for m in matrices)), len(current), structure
    )


def solve_switching_equations(
    equations: Callable[[Any], Sequence[Any]], theta: Any, structure: Structure
) -> SwitchingSolution:
    """`solve_switching(*equations(theta))`, the matrices built block by block: memory does not grow
    with the draws.
    """
    return _by_blocks(
        lambda part: _solve_block(structure, *equations(theta[part])), len(theta), structure
    )


def _by_blocks(
    solve: Callable[[slice], SwitchingSolution], n: int, structure: Structure
) -> SwitchingSolution:
    size = block_size(len(structure.endogenous) + len(structure.exogenous))
    blocks = [solve(slice(start, start + size)) for start in range(0, max(n, 1), size)]
    xp = array_namespace(blocks[0].transition)
    joined = {
        name: xp.concat([getattr(b, name) for b in blocks]) for name in ("transition", "impact")
    }
    diagnoses = {
        name: np.concatenate([getattr(b, name) for b in blocks])
        for name in ("status", "residual", "stable", "bubble")
    }
    return SwitchingSolution(**joined, **diagnoses)


def _check(lead: Any, current: Any, lag: Any, shock: Any, chain: Any) -> None:
    shape = tuple(current.shape)
    fits = (
        len(shape) == 4 and shape[2] == shape[3] and tuple(lead.shape) == shape == tuple(lag.shape)
    )
    if (
        not fits
        or len(shock.shape) != 4
        or tuple(shock.shape[:3]) != shape[:3]
        or tuple(chain.shape) != (*shape[:2], shape[1])
    ):
        shapes = ", ".join(str(tuple(m.shape)) for m in (lead, current, lag, shock, chain))
        raise SolverError(
            "Expected lead, current, lag (N, K, n, n), shock (N, K, n, k) and chain (N, K, K);"
            f" found {shapes}."
        )
    rows = to_numpy(chain)
    if (rows < 0).any() or (np.abs(rows.sum(axis=2) - 1) > 1e-9).any():
        raise SolverError(
            "Expected a chain of probabilities, each row (the regime left) summing to one."
        )


def _solve_block(st: Structure, *matrices: Any) -> SwitchingSolution:
    """One block: a first attempt, others from elsewhere for the draws that it leaves open, then the
    status.
    """
    xp, current = array_namespace(*matrices), matrices[1]
    f, s = len(st.lead), len(st.lag)
    solution = _attempt(xp, st, matrices, zeros(_flat(current), f, s), FORWARD_STEPS, NEWTON_STEPS)
    general = xp.arange(1, f * s + 1, dtype=current.dtype, device=current.device)
    for restart in range(RESTARTS):
        left = solution.status == Status.NOT_CONVERGED
        rows = np.flatnonzero(left | (solution.residual > LOOSE))
        if not rows.size:
            break
        part = tuple(m[xp.asarray(rows, device=m.device)] for m in matrices)
        start = zeros(_flat(part[1]), f, s) + restart * xp.reshape(
            xp.cos(restart * general), (f, s)
        )  # the first is zero
        again = _attempt(
            xp, st, part, start, 0 if restart else 32 * FORWARD_STEPS, 4 * NEWTON_STEPS
        )
        better = (again.status != Status.NOT_CONVERGED) & (
            left[rows] | (again.residual < solution.residual[rows])
        )
        for field in fields(SwitchingSolution):
            getattr(solution, field.name)[rows[better]] = getattr(again, field.name)[better]
    _settle_wide(st, matrices, solution)
    mask = xp.asarray(solution.status != Status.OK, device=solution.impact.device)[
        :, None, None, None
    ]
    return replace(
        solution, transition=blank(solution.transition, mask), impact=blank(solution.impact, mask)
    )


def _settle_wide(st: Structure, matrices: tuple[Any, ...], solution: SwitchingSolution) -> None:
    """Call a draw whose coefficients are wide apart not converged, unless the scaled model (see
    `emulator.solvers.scaling`) has the same status and the same radii, and is not far from it.
    """
    *equations, chain = (to_numpy(m) for m in matrices)
    n = len(chain)
    wide = ~(widths(*(_flat(m) for m in equations[:3])).reshape(n, -1).max(axis=1) < WIDE)
    for row in np.flatnonzero(wide & (solution.status != Status.NOT_CONVERGED)):
        with np.errstate(all="ignore"):
            scaled = [m[row].reshape(-1, m.shape[3]) for m in equations]
            rows, columns = equilibrate(*scaled[:3])
            scaled = [rows[:, None] * m for m in scaled]
            scaled[:3] = [m * columns for m in scaled[:3]]
            parts = [m.reshape(1, *e.shape[1:]) for m, e in zip(scaled, equations, strict=True)]
            zero = np.zeros((chain.shape[1], len(st.lead), len(st.lag)))
            again = _attempt(
                np, st, (*parts, chain[[row]]), zero, 32 * FORWARD_STEPS, 4 * NEWTON_STEPS
            )
            spread = rows.max() / rows.min() * columns.max() / columns.min()
        same = (
            spread < MOST_SCALED
            and again.status[0] == solution.status[row]
            and all(
                np.isclose(getattr(again, name)[0], getattr(solution, name)[row], rtol=1e-6)
                for name in ("stable", "bubble")
            )
        )
        if not same:
            solution.status[row] = Status.NOT_CONVERGED


def _attempt(
    xp: Any, st: Structure, matrices: tuple[Any, ...], path: Any, forward: int, newton: int
) -> SwitchingSolution:
    """Solve around a start of the led variables on the lagged ones (NK, f, s); not yet blanked
    where it fails.

    Everything is written `y = by_lag w_1 + by_lead E[v'] + forced z + direct e`, w the lagged and v
    the led variables.
    """
    *equations, chain = matrices
    lead, current, lag, shock = (_flat(m) for m in equations)
    s, f, q = len(st.lag), len(st.lead), len(st.exogenous)
    with np.errstate(all="ignore"):
        persistence, innovation = exogenous_process(xp, st, current, lag, shock)
        a, b, c, d = (pick(m, st.endogenous_rows, axis=1) for m in (lead, current, lag, shock))
        forcing = pick(b, st.exogenous) + pick(a, st.exogenous) @ expected(chain, persistence)
        a, b, c = (
            pick(pick(a, st.endogenous), st.lead),
            pick(b, st.endogenous),
            pick(pick(c, st.endogenous), st.lag),
        )
        reduced = -solve_stack(b, xp.concat([c, a, forcing, d], axis=2))
        lagged, led = (pick(reduced[:, :, : s + f], rows, axis=1) for rows in (st.lag, st.lead))
        path = _stable_path(lagged, led, chain, path, forward, newton)
        # v' = E[path] w + more: w solves a small system, and all else follows.
        ahead = expected(chain, path)
        now = solve_stack(
            identity(path, s) - lagged[:, :, s:] @ ahead, pick(reduced, st.lag, axis=1)
        )
        solved = reduced + reduced[:, :, s : s + f] @ (ahead @ now)
        onward, forced = solved[:, :, s : s + f], solved[:, :, s + f : s + f + q]
        response = _led_response(
            xp, chain, pick(onward, st.lead, axis=1), pick(forced, st.lead, axis=1), persistence
        )
        exogenous = forced + onward @ expected(chain, response @ persistence)
        rule = Rule(
            lagged=solved[:, :, :s],
            exogenous=exogenous,
            shock=solved[:, :, s + f + q :],
            onward=onward,
        )
        transition, impact = assemble(xp, st, rule, persistence, innovation)
        tomorrow = current + lead @ expected(chain, transition)
        residual = relative_residual(xp.zeros_like(lead), tomorrow, lag, shock, transition, impact)
        return _certified(st, chain, rule, persistence, transition, impact, residual)


def _stable_path(lagged: Any, led: Any, chain: Any, path: Any, forward: int, newton: int) -> Any:
    """Led variables on lagged ones (NK, f, s) in every regime, from their own equations `w, v =
    lagged, led (w_1, v')`.
    """
    xp = array_namespace(path)
    f, s = path.shape[1:]
    for step in range(forward + newton if f * s else 0):
        ahead = expected(chain, path)
        now = solve_stack(identity(path, s) - lagged[:, :, s:] @ ahead, lagged)
        today = led + led[:, :, s:] @ (
            ahead @ now
        )  # v on (w_1, whatever v' is beyond what w makes it)
        change = today[:, :, :s] - path
        if (
            step >= forward
        ):  # the derivative of today's path is F E[change] W, W the rule of the lagged variables
            slope = (
                today[:, :, None, s:, None]
                * xp.matrix_transpose(now[:, :, :s])[:, None, :, None, :]
            )
            change = _coupled(
                chain, xp.reshape(slope, (-1, f * s, f * s)), xp.reshape(change, (-1, f * s, 1))
            )
        path = path + xp.reshape(change, path.shape)
    return path


def _coupled(weights: Any, matrices: Any, rhs: Any) -> Any:
    """x_i (NK, m, 1) of `x_i = M_i sum_j w_ij x_j + rhs_i` over all regimes: weights (N, K, K), M
    (NK, m, m).
    """
    xp = array_namespace(rhs)
    (n, k), m = weights.shape[:2], matrices.shape[1]
    blocks = weights[:, :, None, :, None] * xp.reshape(matrices, (n, k, m, 1, m))
    system = identity(rhs, k * m) - xp.reshape(blocks, (n, k * m, k * m))
    return xp.reshape(solve_stack(system, xp.reshape(rhs, (n, k * m, 1))), rhs.shape)


def _led_response(xp: Any, chain: Any, onward: Any, forced: Any, persistence: Any) -> Any:
    """Q_i (NK, f, q) of `Q_i = onward_i E[Q_j persistence_j] + forced_i`, column by column:
    persistence is lower triangular.
    """
    columns = zeros(forced, forced.shape[1], 0)
    for k in reversed(range(forced.shape[2])):
        later = onward @ expected(chain, columns @ persistence[:, k + 1 :, k : k + 1])
        weights = chain * xp.reshape(persistence[:, k, k], (len(chain), 1, chain.shape[1]))
        columns = xp.concat(
            [_coupled(weights, onward, forced[:, :, k : k + 1] + later), columns], axis=2
        )
    return columns


def _certified(
    st: Structure,
    chain: Any,
    rule: Rule,
    persistence: Any,
    transition: Any,
    impact: Any,
    residual: np.ndarray,
) -> SwitchingSolution:
    """The certificate: T is block triangular, so that its radius is that of its lagged block or of
    an exogenous process.
    """
    n, k = chain.shape[:2]
    residual = residual.reshape(n, k).max(axis=1)
    back = np.swapaxes(to_numpy(chain), 1, 2)
    processes = (
        mean_square_radius(persistence[:, q : q + 1, q : q + 1], back)
        for q in range(len(st.exogenous))
    )
    driving = np.max([np.zeros(n), *processes], axis=0)
    stable = np.maximum(mean_square_radius(pick(rule.lagged, st.lag, axis=1), back), driving)
    bubble = mean_square_radius(pick(rule.onward, st.lead, axis=1), to_numpy(chain))
    solved, unique = residual < TOLERANCE, bubble < CRITERIUM**-2
    status = np.full(n, Status.NOT_CONVERGED, dtype=np.uint8)
    status[solved & (stable < 1) & unique] = Status.OK
    status[solved & (stable < 1) & (bubble >= CRITERIUM**-2)] = Status.INDETERMINATE
    status[solved & (((stable >= 1) & unique) | (driving >= 1))] = Status.EXPLOSIVE
    transition, impact = (
        array_namespace(m).reshape(m, (n, k, *m.shape[1:])) for m in (transition, impact)
    )
    return SwitchingSolution(transition, impact, status, residual, stable, bubble)


def expected(chain: Any, stack: Any) -> Any:
    """`sum_j p_ij M_j` for every regime i: chain (N, K, K), stack (NK, a, b) -> (NK, a, b)."""
    xp = array_namespace(stack)
    n, k = chain.shape[:2]
    return xp.reshape(
        chain @ xp.reshape(stack, (n, k, stack.shape[1] * stack.shape[2])), stack.shape
    )


def mean_square_radius(stack: Any, weights: np.ndarray) -> np.ndarray:
    """Spectral radius (N,) of `Q_i -> sum_j w_ij M_i Q_j M_i'`, NumPy; M (NK, m, m), weights (N, K,
    K) not negative.

    The map keeps positive semi-definite matrices such, so that its radius is reached on symmetric
    ones: entries on and above the diagonal are enough. With w = p, M = F it is the radius of [p_ij
    F_i (x) F_i]; with w = p', M = T that of second moments.
    """
    n, k = weights.shape[:2]
    m = to_numpy(stack).reshape(n, k, *stack.shape[1:])
    rows, columns = np.triu_indices(m.shape[2])
    above, below = m[:, :, rows], m[:, :, columns]
    pairs = above[..., rows] * below[..., columns] + above[..., columns] * below[..., rows] * (
        rows != columns
    )
    blocks = weights[:, :, None, :, None] * pairs[:, :, :, None, :]
    return spectral_radius(blocks.reshape(n, k * len(rows), k * len(rows)))


def _flat(stack: Any) -> Any:
    """Draws and regimes on one axis: (N, K, ...) -> (NK, ...)."""
    return array_namespace(stack).reshape(
        stack, (stack.shape[0] * stack.shape[1], *stack.shape[2:])
    )
