"""The dear part of `hank2`, its households, and the equations that close it exactly.

The part is what households answer to the return, income and the surprise in equity: in time modes
on both sides the Jacobians of wealth and of the utility of what they earn, as a share of it and
times the elasticity of substitution; by horizon those of consumption. What unions weigh is divided
by the disutility of hours, which at some tastes is forty times as large as at others: so the growth
of wages, which they discount as households do, is a block as well. Everything else, which
`equilibrium.py` states, is cheap and exact. Axes: K time mode, T period.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from emulator.closures.closure import Closure
from emulator.closures.equations import Block, Equations, Forcing, Term
from emulator.closures.modes import time_modes
from emulator.worlds.hank2.equilibrium import WAGE_MARKUP
from emulator.worlds.hank2.household import CAPITAL, DELTA, INCOME, Jacobian, R, SteadyState
from emulator.worlds.hank2.spec import SPEC

MODES, SINGLE, SLOWEST = 32, 8, 0.98
"""Time modes of a path, the quarters among them that are modes of their own, and the slowest decay
among those that the others are made of, per quarter. Responses err by 2e-5 of a path's peak in the
median of 60 draws and by 8e-4 at most; by up to 1e-2 in draws that are not back at rest after 600
quarters.
"""
FACED = ("r", "income", "surprise")
ANNUAL = 4.0
STEP = 0.1
"""Capital is where a multiple of this of its equation is added to itself."""


@cache
def closure(periods: int, horizon: int) -> Closure:
    """The closure of households that were solved for so many periods and are watched to a horizon.

    Sizes of shocks are in percent, and so are the answers.
    """
    return _equations(horizon).closure(time_modes(periods, MODES, SINGLE, SLOWEST))


def part(steady: SteadyState, markets: Jacobian, watched: Jacobian, horizon: int) -> np.ndarray:
    """The numbers of the part (D,): those of `closure` for as many periods and that horizon."""
    modes = time_modes(markets.surprise.shape[1], MODES, SINGLE, SLOWEST)
    foreseen = modes.T @ (markets.foreseen @ modes)
    at_once = modes.T @ markets.surprise.T
    wealth, utility = foreseen
    tastes, level = steady.tastes, steady.mean(steady.utility)
    share = tastes.eis / level
    disutility = tastes.income * level / WAGE_MARKUP
    own = np.eye(MODES)
    blocks = [
        *(wealth[R], wealth[INCOME], _on_impact(at_once[:, 0])),
        *(share * utility[R], share * utility[INCOME] + tastes.eis / tastes.income * own),
        _on_impact(share * at_once[:, 1]),
        (steady.beta * (modes[:-1].T @ modes[1:]) - own) / disutility,
        *(watched.foreseen[0, :, : horizon + 1] @ modes),
        _on_impact(watched.surprise[0, : horizon + 1]),
    ]
    return np.concatenate([block.ravel() for block in blocks])


def _on_impact(column: np.ndarray) -> np.ndarray:
    """What answers to the first quarter alone, which is the first mode, (rows, K)."""
    block = np.zeros((len(column), MODES))
    block[:, 0] = column
    return block


def _households(
    name: str, scale: float = 1.0, powers: Mapping[str, int] | None = None
) -> list[Term]:
    """What households answer to all they face."""
    return [Term(of, scale, powers or {}, by=f"{name}_{of}") for of in FACED]


def _equations(horizon: int) -> Equations:
    names = [f"{answer}_{of}" for answer in ("wealth", "utility") for of in FACED]
    names += ["wage_growth"]
    return Equations(
        parameters=SPEC.parameter_names,
        forcings=[
            Forcing("m", "rho_m", "sigma_m"),
            Forcing("z", "rho_z", "sigma_z"),
            Forcing("g", "rho_g", "sigma_g"),
            Forcing("u", "rho_u", "sigma_u"),
        ],
        unknown=["y", "pi"],
        defined=_monetary() | _firms() | _incomes(),
        targets=[
            [*_households("wealth"), Term("p", -1.0), Term("b", -1.0)],
            [
                Term("effort"),
                *_households("utility", -1.0, {"eis": -1}),
                Term("growth", by="wage_growth"),
            ],
        ],
        observed={
            "output": [Term("y")],
            "inflation": [Term("pi", ANNUAL)],
            "rate": [Term("i", ANNUAL)],
            "consumption": _households("consumption"),
            "hours": [Term("n")],
            "investment": [Term("x", 1 / (DELTA * CAPITAL))],
        },
        blocks=[
            *(Block(name, MODES) for name in names),
            *(Block(f"consumption_{of}", horizon + 1, in_time=True) for of in FACED),
        ],
        factors={
            "unsmoothed": (1.0, {"rho_i": -1.0}),
            "gross": (1.0, {"r": 1.0}),
            "twice": (2.0, {"r": 1.0}),
            "user_cost": (DELTA, {"r": 1.0}),
            "equity": (0.0, {"wealth": 1.0, "debt": -1.0}),
            "beyond": (-CAPITAL, {"wealth": 1.0, "debt": -1.0}),
            "illiquid": (0.0, {"wealth": 1.0, "liquid": -1.0}),
        },
        sums={
            "cost": [(1.0, {}), (-1.0, {"r": 1, "beyond": 1})],
            "wage": [(1.0, {"cost": 1}), (-CAPITAL, {"user_cost": 1})],
        },
    )


def _monetary() -> dict[str, list[Term]]:
    """Policy rate, return, real marginal cost."""
    return {
        "i": [
            Term("i", powers={"rho_i": 1}, by="lag"),
            Term("pi", powers={"unsmoothed": 1, "phi_pi": 1}),
            Term("y", powers={"unsmoothed": 1, "phi_y": 1}),
            Term("m"),
        ],
        "r": [Term("i", by="lag"), Term("pi", -1.0, {"gross": 1})],
        "mc": [
            Term("pi", powers={"kappa": -1}),
            Term("pi", -1.0, {"kappa": -1, "gross": -1}, "lead"),
            Term("u", -1.0, {"kappa": -1}),
        ],
    }


def _firms() -> dict[str, list[Term]]:
    """Wage bill, what capital pays, capital, investment, dividends, equity, hours."""
    stiff = STEP / (DELTA * CAPITAL)
    return {
        "v": [Term("mc", powers={"wage": 1, "cost": -1}), Term("y", powers={"wage": 1})],
        "pays": [
            Term("mc", powers={"user_cost": 1, "cost": -1}),
            Term("y", powers={"user_cost": 1}),
            Term("r", -1.0),
        ],
        "k": [
            Term("k"),
            Term("k", stiff, {"gross": 1}, "lag"),
            Term("k", -stiff, {"twice": 1}),
            Term("k", -STEP / CAPITAL, {"user_cost": 1, "eps_i": 1}),
            Term("k", stiff, by="lead"),
            Term("pays", STEP, {"eps_i": 1}, "lead"),
        ],
        "x": [Term("k"), Term("k", DELTA - 1, by="lag")],
        "d": [Term("y"), Term("v", -1.0), Term("x", -1.0)],
        "p": [
            Term("d", powers={"gross": -1}, by="lead"),
            Term("r", -1.0, {"gross": -1, "equity": 1}, "lead"),
            Term("p", powers={"gross": -1}, by="lead"),
        ],
        "n": [
            Term("y", powers={"cost": 1, "wage": -1}),
            Term("z", -1.0, {"cost": 1, "wage": -1}),
            Term("k", -1.0, {"user_cost": 1, "wage": -1}, "lag"),
        ],
    }


def _incomes() -> dict[str, list[Term]]:
    """Wages, debt, income after taxes, the surprise in equity; hours as they weigh and the growth
    of wages, as unions see them.
    """
    return {
        "w": [Term("v", powers={"wage": -1}), Term("n", -1.0)],
        "b": [Term("b", powers={"rho_b": 1}, by="lag"), Term("g", powers={"rho_b": 1})],
        "income": [
            Term("v"),
            Term("r", -1.0, {"debt": 1}),
            Term("b", -1.0, {"gross": 1}, "lag"),
            Term("g", -1.0),
            Term("b"),
        ],
        "surprise": [
            Term("d", powers={"illiquid": -1}),
            Term("p", powers={"illiquid": -1}),
            Term("r", -1.0, {"equity": 1, "illiquid": -1}),
        ],
        "effort": [Term("n"), Term("n", powers={"frisch": -1})],
        "growth": [
            Term("pi", powers={"kappa_w": -1}),
            Term("w", powers={"kappa_w": -1}),
            Term("w", -1.0, {"kappa_w": -1}, "lag"),
        ],
    }
