"""General equilibrium of `hank` in the sequence space, linear in small shocks, and whether there is
exactly one.

    i   = rho_i i_1 + (1 - rho_i)(phi_pi pi + phi_y y) + m               Taylor rule
    r   = i_1 - (1 + rbar) pi                                            what last quarter's savings
        pay
    w   = wbar z + (pi - pi' / (1 + rbar) - u) / kappa                   Phillips curve (Rotemberg
        prices), read as the wage
    b   = rho_b (b_1 + g)                                                public debt
    tau = y - w - wbar (y - z) - (debt r + (1 + rbar) b_1 + g - b)       profits less taxes
    A(r, w, tau) = b,   N(r, w, tau) = y - z                             asset market, labour market

Deviations from rest, in quarterly output and quarterly rates; x_1 is last quarter's x and x' next
quarter's. The unknowns are the paths of y and pi. It is the one-asset HANK of Auclert, Bardóczy,
Rognlie and Straub (2021, Econometrica 89, doi:10.3982/ECTA17434) with smoothing, an output
reaction, purchases, deficits and cost-push shocks added. Determinacy is Onatski's (2006, Journal of
Economic Dynamics and Control 30, doi:10.1016/j.jedc.2005.02.007) winding number, as Auclert,
Rognlie and Straub (2023, "Determinacy and existence in the sequence space") use it. T period, F
frequency, K column of paths.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from scipy.signal import lfilter

from emulator.spec import Status
from emulator.worlds.hank.household import Tastes

FREQUENCIES = 4096


class Policy(NamedTuple):
    """Price setting and policy: slope of the Phillips curve, Taylor rule, persistence of public
    debt.
    """

    kappa: float
    phi_pi: float
    phi_y: float
    rho_i: float
    rho_b: float


class Operators(Protocol):
    """What the equations do to paths (T, K), or to their transforms (F, K)."""

    def lag(self, x: np.ndarray) -> np.ndarray: ...
    def lead(self, x: np.ndarray) -> np.ndarray: ...
    def accumulate(self, x: np.ndarray, persistence: float) -> np.ndarray: ...
    def households(
        self, r: np.ndarray, w: np.ndarray, tau: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]: ...


class Paths:
    """The operators on paths of T periods that begin and end at rest."""

    def __init__(self, jacobian_OITT: np.ndarray) -> None:
        self.jacobian_OITT = jacobian_OITT

    def lag(self, x: np.ndarray) -> np.ndarray:
        return np.concatenate([np.zeros_like(x[:1]), x[:-1]])

    def lead(self, x: np.ndarray) -> np.ndarray:
        return np.concatenate([x[1:], np.zeros_like(x[:1])])

    def accumulate(self, x: np.ndarray, persistence: float) -> np.ndarray:
        return lfilter([1.0], [1.0, -persistence], x, axis=0)

    def households(
        self, r: np.ndarray, w: np.ndarray, tau: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        assets, labour = (
            by_input[0] @ r + by_input[1] @ w + by_input[2] @ tau for by_input in self.jacobian_OITT
        )
        return assets, labour


class Transforms:
    """The same operators far from the first period, where each is a function of the lag z on the
    unit circle.
    """

    def __init__(self, jacobian_OITT: np.ndarray) -> None:
        periods = jacobian_OITT.shape[-1]
        self.z = np.exp(-2j * np.pi * np.arange(FREQUENCIES) / FREQUENCIES)[:, None]
        far = np.zeros((*jacobian_OITT.shape[:2], FREQUENCIES))
        far[..., :periods] = jacobian_OITT[..., -1, ::-1]
        far[..., -(periods - 1) :] = jacobian_OITT[..., :-1, -1]
        self.symbol_OIF = np.fft.fft(far)

    def lag(self, x: np.ndarray) -> np.ndarray:
        return self.z * x

    def lead(self, x: np.ndarray) -> np.ndarray:
        return x / self.z

    def accumulate(self, x: np.ndarray, persistence: float) -> np.ndarray:
        return x / (1 - persistence * self.z)

    def households(
        self, r: np.ndarray, w: np.ndarray, tau: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        assets, labour = (
            by_input[0][:, None] * r + by_input[1][:, None] * w + by_input[2][:, None] * tau
            for by_input in self.symbol_OIF
        )
        return assets, labour


@dataclass(frozen=True)
class Economy:
    """Excess demand for assets and labour, (., K) each, and the policy rate, given output,
    inflation and the shocks' processes.
    """

    assets: np.ndarray
    labour: np.ndarray
    i: np.ndarray


class Incomes(NamedTuple):
    """What households face, (., K) each: return on savings, wage, profits less taxes; beside the
    policy rate and public debt.
    """

    r: np.ndarray
    w: np.ndarray
    tau: np.ndarray
    i: np.ndarray
    b: np.ndarray


def incomes(
    op: Operators, tastes: Tastes, policy: Policy, y: np.ndarray, pi: np.ndarray, shocks: np.ndarray
) -> Incomes:
    """The equations of the module's text but for the markets, in its order; shocks (4, ., K) are m,
    z, g and u.
    """
    m, z, g, u = shocks
    i = op.accumulate(
        (1 - policy.rho_i) * (policy.phi_pi * pi + policy.phi_y * y) + m, policy.rho_i
    )
    r = op.lag(i) - (1 + tastes.r) * pi
    w = tastes.wage * z + (pi - op.lead(pi) / (1 + tastes.r) - u) / policy.kappa
    b = op.accumulate(policy.rho_b * g, policy.rho_b)
    tau = y - w - tastes.wage * (y - z) - (tastes.debt * r + (1 + tastes.r) * op.lag(b) + g - b)
    return Incomes(r, w, tau, i, b)


def economy(
    op: Operators, tastes: Tastes, policy: Policy, y: np.ndarray, pi: np.ndarray, shocks: np.ndarray
) -> Economy:
    """What the markets miss under `incomes`, whose arguments these are."""
    faced = incomes(op, tastes, policy, y, pi, shocks)
    assets, labour = op.households(faced.r, faced.w, faced.tau)
    return Economy(assets - faced.b, labour - (y - shocks[1]), faced.i)


def determinacy(jacobian_OITT: np.ndarray, tastes: Tastes, policy: Policy) -> Status:
    """Whether one bounded path answers a shock, by how often the determinant of the equations winds
    around zero.

    Zeros less poles inside the unit circle: none means a unique solution, fewer means many, more
    means none. `NOT_CONVERGED` where the curve passes so close to zero that 4096 points cannot
    tell.
    """
    op = Transforms(jacobian_OITT)
    one, none = np.ones((FREQUENCIES, 1)), np.zeros((FREQUENCIES, 1))
    y, pi = np.concatenate([one, none], axis=1), np.concatenate([none, one], axis=1)
    excess = economy(op, tastes, policy, y, pi, np.zeros((4, FREQUENCIES, 2)))
    return status_of(
        excess.assets[:, 0] * excess.labour[:, 1] - excess.assets[:, 1] * excess.labour[:, 0]
    )


def status_of(determinant: np.ndarray) -> Status:
    """What the determinant (F,) of the equations, a function of the lag, says of solutions."""
    turns = winding(determinant)
    if turns is None:
        return Status.NOT_CONVERGED
    return Status.OK if turns == 0 else Status.INDETERMINATE if turns < 0 else Status.EXPLOSIVE


def winding(values: np.ndarray) -> int | None:
    """How often a function of the lag z turns around zero as z runs once round the circle: its
    zeros less its poles inside.

    `values` (F,) at z = exp(-2 pi i k / F). None where two of them differ by more than a quarter
    turn: too near zero to tell.
    """
    steps = np.roll(values, -1) * values.conj()
    return None if (steps.real <= 0).any() else -round(np.angle(steps).sum() / (2 * np.pi))
