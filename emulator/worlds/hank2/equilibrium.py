"""General equilibrium of `hank2` in the sequence space, linear in small shocks, and whether there
is exactly one.

    i    = rho_i i_1 + (1 - rho_i)(phi_pi pi + phi_y y) + m             Taylor rule
    r    = i_1 - (1 + rbar) pi                                           what last quarter's loans
        pay
    mc   = (pi - pi' / (1 + rbar) - u) / kappa                           Phillips curve of prices
    v    = (1 - alpha)(mc + mcbar y)                                     wage bill, labour demand
    n    = (y - z - alpha k_1 / K) / (1 - alpha)                         hours, production function
    (1 + rbar) q = q' + (rbar + delta)(mc' / mcbar + y' - k / K) - r'    value of capital
    q    = (k - k_1) / (delta eps_i K),  x = k - (1 - delta) k_1         investment
    (1 + rbar) p = d' + p' - P r',  d = y - v - x                        equity, dividends
    b    = rho_b (b_1 + g)                                               public debt
    inc  = v - (B r + (1 + rbar) b_1 + g - b)                            income after taxes
    w    = v / wbar - n,  piw = pi + w - w_1                             wages
    piw  = beta piw' + kappa_w vphi ((1 + 1/frisch) n - inc / Inc - U(r, inc, s) / U)
                                                                         Phillips curve of wages
    W(r, inc, s) = p + b                                                 asset market

Deviations from rest, in quarterly output, quarterly rates, and, for hours and wages, shares; x_1 is
last quarter's x and x' next quarter's. s is the surprise in the return on illiquid assets in the
first quarter, when equity changes value; after that all assets pay r, liquid ones less the spread.
The unknowns are the paths of y and pi. It is the two-asset HANK of Auclert, Bardóczy, Rognlie and
Straub (2021, Econometrica 89, doi:10.3982/ECTA17434) with smoothing, an output reaction, deficits
and cost-push shocks added. T period, F frequency, K column of paths.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from scipy.linalg import solve_banded
from scipy.signal import lfilter

from emulator.spec import Status
from emulator.worlds.hank import equilibrium as hank
from emulator.worlds.hank2.household import CAPITAL, DELTA, Jacobian, SteadyState, Tastes

WEALTH, UTILITY = 0, 1
"""Outputs of households that the equilibrium needs."""
WAGE_MARKUP = 1.1
"""Gross markup of unions; it sets the level of disutility, which nothing else depends on."""


class Policy(NamedTuple):
    """What only firms, unions and the government care about: Frisch elasticity, elasticity of
    investment, public debt, slopes of the Phillips curves, Taylor rule, persistence of debt.
    """

    frisch: float
    eps_i: float
    debt: float
    kappa: float
    kappa_w: float
    phi_pi: float
    phi_y: float
    rho_i: float
    rho_b: float


class Rest(NamedTuple):
    """Rest, in quarterly output: return, discount factor, income after taxes, marginal utility
    times skill, value of equity and its share of illiquid assets, real marginal cost, capital's
    share of it, debt.
    """

    r: float
    beta: float
    income: float
    utility: float
    equity: float
    share: float
    cost: float
    alpha: float
    debt: float

    @property
    def wage(self) -> float:
        return (1 - self.alpha) * self.cost

    @property
    def disutility(self) -> float:
        """Of an hour, times the hours worked."""
        return self.income * self.utility / WAGE_MARKUP


def at_rest(tastes: Tastes, debt: float, beta: float, utility: float) -> Rest:
    """What firms do where households hold the wealth: its value beyond debt and capital is that of
    profits, which sets the markup.
    """
    equity = tastes.wealth - debt
    cost = 1 - tastes.r * (equity - CAPITAL)
    return Rest(
        r=tastes.r,
        beta=beta,
        income=tastes.income,
        utility=utility,
        equity=equity,
        share=equity / (tastes.wealth - tastes.liquid),
        cost=cost,
        alpha=(tastes.r + DELTA) * CAPITAL / cost,
        debt=debt,
    )


class Operators(Protocol):
    """What the equations do to paths (T, K), or to their transforms (F, K)."""

    def lag(self, x: np.ndarray) -> np.ndarray: ...
    def lead(self, x: np.ndarray) -> np.ndarray: ...
    def accumulate(self, x: np.ndarray, persistence: float) -> np.ndarray: ...
    def discount(self, x: np.ndarray, factor: float) -> np.ndarray:
        """y = x + factor y'."""
        ...

    def between(self, x: np.ndarray, before: float, now: float, after: float) -> np.ndarray:
        """y with before y_1 + now y + after y' = x."""
        ...

    def households(
        self, r: np.ndarray, income: np.ndarray, surprise: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Wealth and marginal utility; of the surprise the first period counts."""
        ...


class Paths(hank.Paths):
    """The operators on paths of T periods that begin and end at rest."""

    def __init__(self, jacobian: Jacobian) -> None:
        super().__init__(jacobian.foreseen)
        self.surprise_OT = jacobian.surprise

    def discount(self, x: np.ndarray, factor: float) -> np.ndarray:
        return lfilter([1.0], [1.0, -factor], x[::-1], axis=0)[::-1]

    def between(self, x: np.ndarray, before: float, now: float, after: float) -> np.ndarray:
        bands = np.repeat([[after], [now], [before]], len(x), axis=1)
        return solve_banded((1, 1), bands, x)

    def households(
        self, r: np.ndarray, income: np.ndarray, surprise: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        wealth, utility = (
            by[0] @ r + by[1] @ income + at_once[:, None] * surprise[0]
            for by, at_once in zip(self.jacobian_OITT, self.surprise_OT, strict=True)
        )
        return wealth, utility


class Transforms(hank.Transforms):
    """The same operators far from the first period, where each is a function of the lag z on the
    unit circle and nothing surprises.
    """

    def __init__(self, jacobian: Jacobian) -> None:
        super().__init__(jacobian.foreseen)

    def discount(self, x: np.ndarray, factor: float) -> np.ndarray:
        return x / (1 - factor / self.z)

    def between(self, x: np.ndarray, before: float, now: float, after: float) -> np.ndarray:
        return x / (before * self.z + now + after / self.z)

    def households(
        self, r: np.ndarray, income: np.ndarray, surprise: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        wealth, utility = (by[0][:, None] * r + by[1][:, None] * income for by in self.symbol_OIF)
        return wealth, utility


class Prices(NamedTuple):
    """The equations of the module's text but for households, (., K) each: policy rate, return,
    income, surprise, equity, debt, hours, wage inflation, investment.
    """

    i: np.ndarray
    r: np.ndarray
    income: np.ndarray
    surprise: np.ndarray
    equity: np.ndarray
    debt: np.ndarray
    hours: np.ndarray
    wage_inflation: np.ndarray
    investment: np.ndarray


class Economy(NamedTuple):
    """What the asset market and the Phillips curve of wages miss, (., K) each, and the prices."""

    assets: np.ndarray
    wages: np.ndarray
    prices: Prices


def prices(
    op: Operators, rest: Rest, policy: Policy, y: np.ndarray, pi: np.ndarray, shocks: np.ndarray
) -> Prices:
    """All that follows from output, inflation and shocks m, z, g, u, (4, ., K), without
    households.
    """
    m, z, g, u = shocks
    gross = 1 + rest.r
    i = op.accumulate(
        (1 - policy.rho_i) * (policy.phi_pi * pi + policy.phi_y * y) + m, policy.rho_i
    )
    r = op.lag(i) - gross * pi
    cost = (pi - op.lead(pi) / gross - u) / policy.kappa
    bill = (1 - rest.alpha) * (cost + rest.cost * y)
    stiff = 1 / (DELTA * policy.eps_i * CAPITAL)
    pays = (rest.r + DELTA) * (cost / rest.cost + y) - r
    wears = (rest.r + DELTA) / CAPITAL
    k = op.between(op.lead(pays), -gross * stiff, (1 + gross) * stiff + wears, -stiff)
    investment = k - (1 - DELTA) * op.lag(k)
    dividends = y - bill - investment
    equity = op.discount(op.lead(dividends - rest.equity * r) / gross, 1 / gross)
    hours = (y - z - rest.alpha * op.lag(k) / CAPITAL) / (1 - rest.alpha)
    wage = bill / rest.wage - hours
    b = op.accumulate(policy.rho_b * g, policy.rho_b)
    return Prices(
        i=i,
        r=r,
        income=bill - (rest.debt * r + gross * op.lag(b) + g - b),
        surprise=rest.share * ((dividends + equity) / rest.equity - r),
        equity=equity,
        debt=b,
        hours=hours,
        wage_inflation=pi + wage - op.lag(wage),
        investment=investment,
    )


def without_households(
    op: Operators, rest: Rest, policy: Policy, faced: Prices
) -> tuple[np.ndarray, np.ndarray]:
    """What the asset market and the Phillips curve of wages miss, (., K) each, where households do
    nothing.
    """
    push = (1 + 1 / policy.frisch) * faced.hours - faced.income / rest.income
    wages = policy.kappa_w * rest.disutility * push
    wages = wages + rest.beta * op.lead(faced.wage_inflation) - faced.wage_inflation
    return -faced.equity - faced.debt, wages


def by_utility(rest: Rest, policy: Policy) -> float:
    """What the Phillips curve of wages misses by the marginal utility of households."""
    return -policy.kappa_w * rest.disutility / rest.utility


def economy(
    op: Operators, rest: Rest, policy: Policy, y: np.ndarray, pi: np.ndarray, shocks: np.ndarray
) -> Economy:
    """Paths under output, inflation and shocks; see `prices`."""
    faced = prices(op, rest, policy, y, pi, shocks)
    wealth, utility = op.households(faced.r, faced.income, faced.surprise)
    assets, wages = without_households(op, rest, policy, faced)
    return Economy(assets + wealth, wages + by_utility(rest, policy) * utility, faced)


def determinacy(jacobian: Jacobian, rest: Rest, policy: Policy) -> Status:
    """Whether one bounded path answers a shock, by how often the determinant of the equations winds
    around zero; see `emulator.worlds.hank.equilibrium.determinacy`.
    """
    op = Transforms(jacobian)
    one, none = np.ones_like(op.z.real), np.zeros_like(op.z.real)
    y, pi = np.concatenate([one, none], axis=1), np.concatenate([none, one], axis=1)
    excess = economy(op, rest, policy, y, pi, np.zeros((4, *y.shape)))
    return hank.status_of(
        excess.assets[:, 0] * excess.wages[:, 1] - excess.assets[:, 1] * excess.wages[:, 0]
    )


def rest_of(s: SteadyState, debt: float) -> Rest:
    return at_rest(s.tastes, debt, s.beta, s.mean(s.utility))
