"""Which variables of a linear rational-expectations model are exogenous, led and lagged.

Read off the zero pattern of the matrices once, so that a whole batch is solved at the size that
matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from emulator.errors import SolverError


@dataclass(frozen=True)
class Structure:
    """The recursive structure of `A E[y'] + B y + C y_1 + D e = 0` (positions in y and among the
    equations).

    `exogenous[k]` is determined by equation `exogenous_rows[k]` alone from its own lags, the shocks
    and earlier exogenous variables. `endogenous` and `endogenous_rows` are the others. `lead` and
    `lag` are positions *within* `endogenous`: a variable may be in both, or, being static, in
    neither.
    """

    exogenous: tuple[int, ...]
    exogenous_rows: tuple[int, ...]
    endogenous: tuple[int, ...]
    endogenous_rows: tuple[int, ...]
    lead: tuple[int, ...]
    lag: tuple[int, ...]

    @classmethod
    def of(cls, lead: Any, current: Any, lag: Any) -> Structure:
        """The structure of a batch of matrices (N, n, n), from which entries are zero in every
        draw.

        Raises `SolverError` if the matrices are not three stacks of square matrices of one size.
        """
        a, b, c = (_pattern(matrix) for matrix in (lead, current, lag))
        if not a.shape == b.shape == c.shape or a.shape[0] != a.shape[1]:
            raise SolverError(
                f"Expected three stacks of square matrices of one size; found {a.shape}, {b.shape},"
                f" {c.shape}."
            )
        pairs = _exogenous(a, b, c)
        rows, columns = tuple(r for r, _ in pairs), tuple(v for _, v in pairs)
        endogenous = tuple(v for v in range(len(a)) if v not in columns)
        endogenous_rows = tuple(r for r in range(len(a)) if r not in rows)
        led, lagged = (np.any(matrix[list(endogenous_rows)], axis=0) for matrix in (a, c))
        return cls(
            exogenous=columns,
            exogenous_rows=rows,
            endogenous=endogenous,
            endogenous_rows=endogenous_rows,
            lead=tuple(k for k, v in enumerate(endogenous) if led[v]),
            lag=tuple(k for k, v in enumerate(endogenous) if lagged[v]),
        )


def _pattern(matrix: Any) -> np.ndarray:
    detached = matrix.detach().cpu() if hasattr(matrix, "detach") else matrix
    array = np.asarray(detached)
    if array.ndim != 3:
        raise SolverError(f"Expected a stack of matrices (N, n, n); found shape {array.shape}.")
    return (array != 0).any(axis=0)


def _exogenous(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> list[tuple[int, int]]:
    """Pairs (equation, variable) of the recursive exogenous block, in an order that can be solved
    forwards.

    A variable qualifies when its equation has no leads and otherwise only exogenous variables found
    before, and when no endogenous equation holds its lag (the decision rule can then be written on
    its current value).
    """
    barred: set[int] = set()
    while True:
        pairs: list[tuple[int, int]] = []
        known: set[int] = set()
        grown = True
        while grown:
            grown = False
            for row in range(len(a)):
                if row in {r for r, _ in pairs} or a[row].any():
                    continue
                new = set(np.flatnonzero(b[row])) - known
                if (
                    len(new) == 1
                    and not new & barred
                    and set(np.flatnonzero(c[row])) <= known | new
                ):
                    pairs.append((row, int(new.pop())))
                    known.add(pairs[-1][1])
                    grown = True
        rows = {r for r, _ in pairs}
        lagged_elsewhere = {
            v for v in known if any(c[r, v] for r in range(len(a)) if r not in rows)
        }
        if not lagged_elsewhere:
            return pairs
        barred |= lagged_elsewhere
