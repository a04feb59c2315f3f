"""The status of a draw whose coefficients differ by many digits, as at a parameter of 1e20.

Rounding errors are relative to the largest coefficient. Where others are smaller by as many digits
as float64 has, the residual of the whole system is small whatever the small equations say, and the
roots that decide on determinacy may be rounding errors. Such a draw is scaled, equation by equation
and variable by variable, until the largest coefficient of each is about one (Ruiz 2001, A scaling
algorithm to equilibrate both rows and columns norms in matrices, RAL-TR-2001-034), and its roots
are counted again.

The count is right if no model within rounding error of this one has a root on the circle that
divides stable roots from unstable ones. The distance to the nearest such model is the smallest
singular value of `A z^2 + B z + C` over the circle.

Axes: N draw, n variable, k shock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emulator.solvers.decision_rule import relative_residual
from emulator.solvers.qz import CRITERIUM, blanchard_kahn, solve_qz
from emulator.solvers.state_space import spectral_radius
from emulator.spec import Status

WIDE = 1e8
"""Largest over smallest coefficient from which on a draw is scaled and looked at again. Draws of
the priors of the worlds that ship stay below 1e6.
"""

ROUNDS = 30
ANGLES = 64
LEAST_DISTANCE = 1e-11
"""Distance from a model with a root on the circle, below which rounding errors may decide."""

LARGEST = 1e100
"""Entry of a solution above which it is not one: its responses would leave the range of float64."""


def widths(lead: np.ndarray, current: np.ndarray, lag: np.ndarray) -> np.ndarray:
    """Largest over smallest coefficient, zeros aside, of stacks of models (N, n, n), as (N,); NaN
    or infinite where a coefficient is.
    """
    sizes = np.abs(np.concatenate([lead, current, lag], axis=2))
    smallest = np.where(sizes > 0, sizes, np.inf).min(axis=(1, 2), initial=np.inf)
    return sizes.max(axis=(1, 2), initial=0.0) / smallest


def equilibrate(
    lead: np.ndarray, current: np.ndarray, lag: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Powers of two, of equations (m,) and of variables (n,), that bring the largest coefficient of
    each near one, from matrices (m, n).
    """
    sizes = np.max(np.abs([lead, current, lag]), axis=0)
    with np.errstate(divide="ignore"):
        logs = np.log2(sizes)
    rows, columns = np.zeros(sizes.shape[0]), np.zeros(sizes.shape[1])
    for _ in range(ROUNDS):
        scaled = logs + rows[:, None] + columns
        by_row, by_column = scaled.max(axis=1), scaled.max(axis=0)
        rows -= np.where(np.isfinite(by_row), by_row, 0.0) / 2
        columns -= np.where(np.isfinite(by_column), by_column, 0.0) / 2
    return np.exp2(np.round(rows)), np.exp2(np.round(columns))


def distance_from_circle(lead: np.ndarray, current: np.ndarray, lag: np.ndarray) -> float:
    """Smallest singular value of `A z^2 + B z + C`, (n, n) each, over z of modulus `CRITERIUM`."""
    z = CRITERIUM * np.exp(1j * np.linspace(0.0, np.pi, ANGLES))[:, None, None]
    return float(np.linalg.svd(lead * z**2 + current * z + lag, compute_uv=False).min())


@dataclass(frozen=True)
class Scaled:
    """One draw's model after scaling, lead, current, lag (n, n) and shock (n, k), and the powers of
    two of its variables (n,) and shocks (k,).
    """

    matrices: tuple[np.ndarray, ...]
    variables: np.ndarray
    shocks: np.ndarray

    @classmethod
    def of(cls, matrices: tuple[np.ndarray, ...]) -> Scaled:
        *dynamics, shock = matrices
        rows, variables = equilibrate(*dynamics)
        sizes = np.abs(rows[:, None] * shock).max(axis=0, initial=0.0)
        shocks = np.exp2(np.round(np.log2(np.where(sizes > 0, sizes, 1.0))))
        scaled = (
            *(rows[:, None] * m * variables for m in dynamics),
            rows[:, None] * shock / shocks,
        )
        return cls(scaled, variables, shocks)

    def status(self) -> Status:
        """By the count of roots; `NOT_CONVERGED` where rounding errors may decide it."""
        if not all(np.isfinite(m).all() for m in self.matrices):
            return Status.NOT_CONVERGED
        *dynamics, _ = self.matrices
        try:
            if distance_from_circle(*dynamics) < LEAST_DISTANCE:
                return Status.NOT_CONVERGED
        except np.linalg.LinAlgError:
            return Status.NOT_CONVERGED
        return blanchard_kahn(*dynamics)

    def error(self, transition: np.ndarray, impact: np.ndarray) -> float:
        """Residual of a solution of the model before scaling; NaN where it is not stable or leaves
        the range of numbers.
        """
        if not is_tame(transition[None], impact[None])[0]:
            return np.nan
        transition = transition * self.variables / self.variables[:, None]
        impact = impact / self.shocks / self.variables[:, None]
        if not spectral_radius(transition[None])[0] < CRITERIUM:
            return np.nan
        return float(relative_residual(*(m[None] for m in (*self.matrices, transition, impact)))[0])

    def solve(self) -> tuple[np.ndarray, np.ndarray]:
        """Transition (n, n) and impact (n, k) of the model before scaling, by QZ; NaN where it
        fails.
        """
        transition, impact, _ = solve_qz(*self.matrices)
        return (
            transition * self.variables[:, None] / self.variables,
            impact * self.variables[:, None] * self.shocks,
        )


def settle_scaled(
    matrices: tuple[np.ndarray, ...], attempts: Sequence[tuple[np.ndarray, np.ndarray]], most: float
) -> tuple[np.ndarray, np.ndarray, Status, float]:
    """Transition (n, n), impact (n, k), status and residual of one draw, from its scaled model.

    Of the attempted solutions, and that of QZ after them, the first with a residual below `most`.
    """
    with np.errstate(all="ignore"):
        scaled = Scaled.of(matrices)
        status = scaled.status()
        transition, impact = np.full_like(matrices[1], np.nan), np.full_like(matrices[3], np.nan)
        if status is not Status.OK:
            return transition, impact, status, np.nan
        for transition, impact in (*attempts, scaled.solve()):
            error = scaled.error(transition, impact)
            if error < most:
                return transition, impact, Status.OK, error
    return transition, impact, Status.NOT_CONVERGED, np.nan


def is_tame(transition: np.ndarray, impact: np.ndarray) -> np.ndarray:
    """Whether all entries of solutions (N, n, n) and (N, n, k) are finite and at most `LARGEST`."""
    with np.errstate(invalid="ignore"):
        return np.logical_and(
            (np.abs(transition) <= LARGEST).all(axis=(1, 2)),
            (np.abs(impact) <= LARGEST).all(axis=(1, 2)),
        )
