"""The dear part of `hank`, its households, and the equations that close it exactly.

The part is what households answer to the return, the wage and transfers: the Jacobians of assets
and labour in time modes on both sides, those of what the groups consume by horizon, and margins
that say which skills are constrained at zero assets. Everything else of the economy, which
`equilibrium.py` states, is cheap and exact. Axes: E skill, A asset, K time mode.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from emulator.closures.closure import Closure
from emulator.closures.equations import Block, Equations, Forcing, Term
from emulator.closures.modes import time_modes
from emulator.worlds.hank.household import SKILLS, SteadyState, Tastes
from emulator.worlds.hank.spec import SPEC

MODES, SINGLE = 24, 8
"""Time modes of a path, and the quarters among them that are modes of their own. Responses err by
5e-6 of their standard deviation over the prior, in the mean.
"""
INPUTS = ("r", "w", "tau")
ANNUAL = 4.0


@cache
def closure(periods: int, horizon: int) -> Closure:
    """The closure of households that were solved for so many periods and are watched to a horizon.

    Sizes of shocks are in percent, and so are the answers.
    """
    return _equations(horizon).closure(time_modes(periods, MODES, SINGLE))


def part(
    tastes: Tastes, steady: SteadyState, jacobian_OITT: np.ndarray, watched_OIHT: np.ndarray
) -> np.ndarray:
    """The numbers of the part (D,): those of `closure` for as many periods and the same horizon."""
    modes = time_modes(jacobian_OITT.shape[-1], MODES, SINGLE)
    markets = modes.T @ (jacobian_OITT @ modes)
    watched = watched_OIHT @ modes
    return np.concatenate([markets.ravel(), watched.ravel(), margins(tastes, steady)])


def margins(tastes: Tastes, steady: SteadyState) -> np.ndarray:
    """By how much the cash at which a household of each skill would save nothing exceeds what it
    has without assets, (E,), in quarterly output: its borrowing limit binds where it is positive.
    """
    log_price = np.log(steady.beta * steady.marginal[:, 0])
    pay = steady.skill * tastes.wage
    consumption = np.exp(-tastes.eis * log_price)
    hours = np.exp(tastes.frisch * (log_price + np.log(pay / steady.vphi)))
    return consumption - pay * hours - steady.skill * tastes.tau


def _households(name: str, scale: float = 1.0) -> list[Term]:
    """What households answer to all they face."""
    return [Term(of, scale, by=f"{name}_{of}") for of in INPUTS]


def _equations(horizon: int) -> Equations:
    market = [Block(f"{name}_{of}", MODES) for name in ("assets", "labour") for of in INPUTS]
    groups = [
        Block(f"{name}_{of}", horizon + 1, in_time=True)
        for name in ("bottom", "top")
        for of in INPUTS
    ]
    return Equations(
        parameters=SPEC.parameter_names,
        forcings=[
            Forcing("m", "rho_m", "sigma_m"),
            Forcing("z", "rho_z", "sigma_z"),
            Forcing("g", "rho_g", "sigma_g"),
            Forcing("u", "rho_u", "sigma_u"),
        ],
        unknown=["y", "pi"],
        defined={
            "i": [
                Term("i", powers={"rho_i": 1}, by="lag"),
                Term("pi", powers={"unsmoothed": 1, "phi_pi": 1}),
                Term("y", powers={"unsmoothed": 1, "phi_y": 1}),
                Term("m"),
            ],
            "r": [Term("i", by="lag"), Term("pi", -1.0, {"gross": 1})],
            "w": [
                Term("z", powers={"mu": -1}),
                Term("pi", powers={"kappa": -1}),
                Term("pi", -1.0, {"kappa": -1, "gross": -1}, "lead"),
                Term("u", -1.0, {"kappa": -1}),
            ],
            "b": [Term("b", powers={"rho_b": 1}, by="lag"), Term("g", powers={"rho_b": 1})],
            "tau": [
                Term("y", powers={"markup": 1, "mu": -1}),
                Term("w", -1.0),
                Term("z", powers={"mu": -1}),
                Term("r", -1.0, {"debt": 1}),
                Term("b", -1.0, {"gross": 1}, "lag"),
                Term("g", -1.0),
                Term("b"),
            ],
        },
        targets=[
            [*_households("assets"), Term("b", -1.0)],
            [*_households("labour"), Term("y", -1.0), Term("z")],
        ],
        observed={
            "output": [Term("y")],
            "inflation": [Term("pi", ANNUAL)],
            "rate": [Term("i", ANNUAL)],
            "consumption": [Term("y"), Term("g", -1.0)],
            "hours": [Term("y"), Term("z", -1.0)],
            "consumption_bottom_half": _households("bottom"),
            "consumption_top_tenth": _households("top"),
        },
        blocks=[*market, *groups],
        factors={
            "unsmoothed": (1.0, {"rho_i": -1.0}),
            "gross": (1.0, {"r": 1.0}),
            "markup": (-1.0, {"mu": 1.0}),
        },
        margins=SKILLS,
    )
