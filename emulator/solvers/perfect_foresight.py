"""Perfect foresight: paths of a non-linear model between a given past and a given end, by Newton's
method on the stacked equations of all periods, for many draws at once.

The unknowns are y_1 .. y_T; every equation holds in every period,

    f(y_{t-L}, .., y_t, .., y_{t+F}, t) = 0,   t = 1 .. T,

with the values before period 1 and after period T given. Each Newton step solves one linear system
with a band of blocks. With one lag and one lead it is block tridiagonal and is eliminated forward
and substituted backward, a period at a time and all draws together (Laffargue 1990, Annales
d'Economie et de Statistique 17; Boucekkine 1995, Journal of Economic Dynamics and Control 19,
doi:10.1016/0165-1889(93)00772-Q; Juillard 1996, CEPREMAP working paper 9602). Otherwise, and where
a block is singular, SuperLU factorises the whole (Li 2005, ACM Transactions on Mathematical
Software 31, doi:10.1145/1089014.1089017).

Axes: N draw, T period, V variable or equation, E derivative; a path has L periods before the first
and F after the last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csc_array, eye_array
from scipy.sparse.linalg import splu

STEPS = 60
"""Newton steps before a path is given up."""

HALVINGS = 12
"""Times that a step is halved where the equations have no value at its end."""

SOLVED = 1e-8
"""Largest residual of a path that is called solved."""

FINE = 1e-12
"""Residual at which no further step is tried."""

EXACT = 1e-6
"""Share of a right-hand side by which a linear system may be off before it counts as singular."""

PENALTY = 1e-11
"""Of the size of a step where the system is singular, relative to the largest square."""

SMALLEST = 1.0 / 1024
"""Smallest step of the homotopy."""

DENSE = 80
"""Variables up to which blocks are eliminated. On 100 periods of random sparse equations that took
a third of SuperLU's processor time at 40 and 80 variables, and the same at 10.
"""


@dataclass(frozen=True)
class Band:
    """Where the derivatives stand: of equation `rows[e]` by variable `columns[e]` at `shifts[e]`
    periods from today; `size` is V.
    """

    rows: np.ndarray
    columns: np.ndarray
    shifts: np.ndarray
    size: int

    @property
    def lags(self) -> int:
        """L, 1 at least."""
        return max(1, -int(self.shifts.min(initial=0)))

    @property
    def leads(self) -> int:
        """F, 1 at least."""
        return max(1, int(self.shifts.max(initial=0)))

    @cached_property
    def is_tridiagonal(self) -> bool:
        return bool((np.abs(self.shifts) <= 1).all())


Residual = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Residuals (n, T, V) of paths (n, L+T+F, V) of the draws at positions (n,)."""
Slopes = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Derivatives (n, T, E) at the same."""


@dataclass(frozen=True)
class Solved:
    """Paths (N, L+T+F, V), which of them are `solved` (N,), the residuals of each at its end
    (N, T, V), and the Newton steps (N,) that it took.
    """

    path: np.ndarray
    solved: np.ndarray
    residual: np.ndarray
    steps: np.ndarray


def solve_paths(residual: Residual, slopes: Slopes, band: Band, path: np.ndarray) -> Solved:
    """Newton's method from paths (N, L+T+F, V), of which the first L periods and the last F stay.

    Full steps, halved only where the equations have no value at the end of one. A path that does
    not converge is begun again with steps that lower the largest residual.
    """
    first = _newton(residual, slopes, band, path, damped=False)
    again = np.flatnonzero(~first.solved)
    if len(again) == 0:
        return first
    second = _newton(
        lambda p, k: residual(p, again[k]),
        lambda p, k: slopes(p, again[k]),
        band,
        path[again],
        damped=True,
    )
    for name in ("path", "solved", "residual"):
        getattr(first, name)[again] = getattr(second, name)
    first.steps[again] += second.steps
    return first


def _newton(
    residual: Residual, slopes: Slopes, band: Band, path: np.ndarray, damped: bool
) -> Solved:
    path = path.copy()
    everything = np.arange(len(path))
    value = residual(path, everything)
    size = _size(value)
    steps = np.zeros(len(path), dtype=int)
    rows = everything
    inside = slice(band.lags, path.shape[1] - band.leads)
    for _ in range(STEPS):
        rows = rows[np.isfinite(size[rows]) & (size[rows] > FINE)]
        if len(rows) == 0:
            break
        step = newton_step(slopes(path[rows], rows), value[rows], band)
        steps[rows] += 1
        before = size[rows]
        waiting = np.arange(len(rows))
        length = 1.0
        for _ in range(HALVINGS):
            tried = path[rows[waiting]]
            tried[:, inside] += length * step[waiting]
            after = residual(tried, rows[waiting])
            reached = _size(after)
            good = np.isfinite(reached) & (~np.array(damped) | (reached < before[waiting]))
            into = rows[waiting[good]]
            path[into], value[into], size[into] = tried[good], after[good], reached[good]
            waiting = waiting[~good]
            if len(waiting) == 0:
                break
            length /= 2
        # A solved path is left where rounding ends: a step that no longer lowers the residual.
        done = (size[rows] < SOLVED * _scale(path[rows])) & (size[rows] >= 0.5 * before)
        done[waiting] = True
        rows = rows[~done]
    solved = size < SOLVED
    near = np.flatnonzero(~solved & (size < SOLVED * _scale(path)))
    if len(near):
        terms = _terms(slopes(path[near], near), path[near], band)
        solved[near] = (np.abs(value[near]) < SOLVED * terms).all(axis=(1, 2))
    return Solved(path, solved, value, steps)


def _terms(slopes: np.ndarray, path: np.ndarray, band: Band) -> np.ndarray:
    """What a residual (N, T, V) is compared with where values are large: one, or the sum of the
    equation's terms to first order. An equation of small numbers is not solved because a variable
    of another is large.
    """
    periods = slopes.shape[1]
    terms = np.zeros((len(path), periods, band.size))
    for e, (row, column, shift) in enumerate(
        zip(band.rows, band.columns, band.shifts, strict=True)
    ):
        first = band.lags + int(shift)
        terms[:, :, row] += np.abs(slopes[:, :, e] * path[:, first : first + periods, column])
    return np.maximum(1.0, terms)


def _scale(path: np.ndarray) -> np.ndarray:
    """What the residuals of a path (N, ..) may be at most where it is solved, in units of `SOLVED`:
    one, or its largest value.
    """
    return np.maximum(1.0, np.nan_to_num(np.abs(path).max(axis=(1, 2), initial=0.0), nan=1.0))


def _size(value: np.ndarray) -> np.ndarray:
    """Largest residual (N,), NaN or infinite where one is."""
    return np.abs(value).max(axis=(1, 2), initial=0.0)


def newton_step(slopes: np.ndarray, value: np.ndarray, band: Band, method: str = "") -> np.ndarray:
    """The steps (N, T, V) from derivatives (N, T, E) and residuals (N, T, V); zero where a step is
    not finite. method: "blocks" or "sparse", by default the faster one that is possible.
    """
    if not method:
        method = "blocks" if band.is_tridiagonal and band.size <= DENSE else "sparse"
    with np.errstate(all="ignore"):
        if method == "blocks":
            try:
                step = -by_blocks(slopes, value, band)
            except np.linalg.LinAlgError:
                step = np.full_like(value, np.nan)
            bad = ~np.isfinite(step).all(axis=(1, 2))
            if bad.any():
                step[bad] = -by_superlu(slopes[bad], value[bad], band)
        else:
            step = -by_superlu(slopes, value, band)
    return np.where(np.isfinite(step), step, 0.0)


def by_blocks(slopes: np.ndarray, value: np.ndarray, band: Band) -> np.ndarray:
    """Solutions (N, T, V) of the block tridiagonal systems with right-hand side `value`.

    With A y_{t-1} + B y_t + C y_{t+1} = r in period t, y_t = g_t - G_t y_{t+1}, where
    D = B - A G_{t-1}, G_t = D^-1 C and g_t = D^-1 (r - A g_{t-1}). Only columns of variables that
    are lagged or led are held. Raises `LinAlgError` where a D is singular.
    """
    n, periods, size = value.shape
    of = [np.flatnonzero(band.shifts == shift) for shift in (-1, 0, 1)]
    lagged = np.unique(band.columns[of[0]])
    led = np.unique(band.columns[of[2]])
    back = np.zeros((n, size, len(lagged)))
    ahead = np.zeros((n, size, len(led)))
    rule = np.zeros((periods, n, size, len(led)))
    level = np.zeros((periods, n, size))
    backward = np.searchsorted(lagged, band.columns[of[0]])
    forward = np.searchsorted(led, band.columns[of[2]])
    for t in range(periods):
        today = np.zeros((n, size, size))
        today[:, band.rows[of[1]], band.columns[of[1]]] = slopes[:, t, of[1]]
        ahead[:, band.rows[of[2]], forward] = slopes[:, t, of[2]]
        right = value[:, t, :, None]
        if t > 0:
            back[:, band.rows[of[0]], backward] = slopes[:, t, of[0]]
            today[:, :, led] -= back @ rule[t - 1][:, lagged]
            right = right - back @ level[t - 1][:, lagged, None]
        if t == periods - 1:
            level[t] = np.linalg.solve(today, right)[:, :, 0]
        else:
            both = np.linalg.solve(today, np.concatenate([ahead, right], axis=2))
            rule[t] = both[:, :, :-1]
            level[t] = both[:, :, -1]
    for t in range(periods - 2, -1, -1):
        level[t] -= (rule[t] @ level[t + 1][:, led, None])[:, :, 0]
    return np.moveaxis(level, 0, 1)


def by_superlu(slopes: np.ndarray, value: np.ndarray, band: Band) -> np.ndarray:
    """Solutions (N, T, V) of the stacked systems with right-hand side `value`, one draw after the
    other; where one is singular, the smallest of those that solve it best.
    """
    n, periods, size = value.shape
    cells = _Cells.of(band, periods)
    answer = np.full_like(value, np.nan)
    for k in range(n):
        if not np.isfinite(slopes[k]).all():
            continue
        matrix = cells.matrix(slopes[k])
        right = value[k].ravel()
        try:
            solution = splu(matrix).solve(right)
        except RuntimeError:  # singular
            solution = np.full_like(right, np.nan)
        if not np.abs(matrix @ solution - right).max() <= EXACT * np.abs(right).max():
            solution = _smallest(matrix, right)
        answer[k] = solution.reshape(periods, size)
    return answer


def _smallest(matrix: csc_array, right: np.ndarray) -> np.ndarray:
    """The least-squares solution with a penalty on its size (Levenberg 1944, Quarterly of Applied
    Mathematics 2, doi:10.1090/qam/10666).
    """
    square = (matrix.T @ matrix).tocsc()
    penalty = PENALTY * max(1.0, float(square.diagonal().max(initial=0.0)))
    whole = csc_array(square + penalty * eye_array(len(right), format="csc"))
    return splu(whole).solve(matrix.T @ right)


@dataclass(frozen=True)
class _Cells:
    """Where each derivative of each period stands in the compressed columns of the whole matrix."""

    inside: np.ndarray
    order: np.ndarray
    indices: np.ndarray
    pointers: np.ndarray

    @classmethod
    def of(cls, band: Band, periods: int) -> _Cells:
        at = np.arange(periods)[:, None]
        date = at + band.shifts
        inside = (date >= 0) & (date < periods)
        rows = (at * band.size + band.rows)[inside]
        columns = (date * band.size + band.columns)[inside]
        order = np.lexsort((rows, columns))
        counts = np.bincount(columns, minlength=periods * band.size)
        return cls(inside, order, rows[order], np.concatenate([[0], np.cumsum(counts)]))

    def matrix(self, slopes: np.ndarray) -> csc_array:
        """The matrix (T V, T V) of derivatives (T, E)."""
        size = len(self.pointers) - 1
        data = slopes[self.inside][self.order]
        return csc_array((data, self.indices, self.pointers), shape=(size, size))


def solve_by_homotopy(
    solve: Callable[[np.ndarray, np.ndarray, np.ndarray], Solved],
    start: np.ndarray,
    draws: np.ndarray,
) -> Solved:
    """Paths of draws (n,) for which Newton's method does not converge, by steps from a problem that
    is solved to the one that is asked for.

    `solve(paths (n, ..), draws (n,), shares (n,))` solves, from these paths inside, the problem
    whose boundary and exogenous paths are so far on the way, 0 to 1; `start` (n, ..) solves that of
    share 0. The step is halved where it fails and doubled after three successes, as in Dynare's
    `perfect_foresight_solver`.
    """
    n = len(draws)
    path = start.copy()
    last = solve(path, draws, np.ones(n))
    share = np.zeros(n)
    step = np.full(n, 0.5)
    successes = np.zeros(n, dtype=int)
    while True:
        rows = np.flatnonzero((share < 1.0) & (step >= SMALLEST))
        if len(rows) == 0:
            break
        tried = np.minimum(1.0, share[rows] + step[rows])
        solved = solve(path[rows], draws[rows], tried)
        last.steps[rows] += solved.steps
        good, bad = rows[solved.solved], rows[~solved.solved]
        path[good] = solved.path[solved.solved]
        share[good] = tried[solved.solved]
        successes[good] += 1
        longer = good[successes[good] >= 3]
        step[longer] *= 2
        successes[longer] = 0
        step[bad] /= 2
        successes[bad] = 0
        at_end = share[good] >= 1.0
        last.path[good[at_end]] = solved.path[solved.solved][at_end]
        last.residual[good[at_end]] = solved.residual[solved.solved][at_end]
        last.solved[good[at_end]] = True
    return last
