"""A small economy that is closed: demand answers to the rate, and the rate to demand.

    y = J i + a,   i = rho i_1 + phi y,   a an AR(1),   J the part: how demand answers to rates

Its part depends on one parameter: a household answers to the rates of all periods to come, less and
less.
"""

import numpy as np

from emulator.closures.equations import Block, Equations, Forcing, Term
from emulator.closures.modes import time_modes

PARAMETERS = ("patience", "rho", "phi", "rho_a", "sigma_a")
PERIODS, HORIZON = 120, 12
MODES = time_modes(PERIODS, 20, 4)


def closure(in_time: bool = False, summed: bool = False):
    """The economy; `summed` writes what the rate reacts by as a sum of products."""
    blocks = [Block("J", MODES.shape[1])]
    observed = {
        "output": [Term("y")],
        "policy_rate": [Term("i", 4.0)],
        "gap": [Term("y"), Term("a", -1.0)],
    }
    if in_time:
        blocks.append(Block("watched", HORIZON + 1, in_time=True))
        observed["gap"] = [Term("i", by="watched")]
    return Equations(
        parameters=PARAMETERS,
        forcings=[Forcing("a", "rho_a", "sigma_a"), Forcing("b")],
        unknown=["y"],
        defined={
            "i": [
                Term("i", powers={"rho": 1}, by="lag"),
                Term("y", powers={"reaction" if summed else "phi": 1}),
                Term("b"),
            ]
        },
        targets=[[Term("y"), Term("i", by="J"), Term("a", -1.0)]],
        observed=observed,
        blocks=blocks,
        factors={"rest": (1.0, {"rho": -1.0})} if summed else {},
        sums={
            "smoothed": [(1.0, {"phi": 1, "rho": 1})],
            "reaction": [(1.0, {"smoothed": 1}), (1.0, {"phi": 1, "rest": 1})],
        }
        if summed
        else {},
        margins=1,
    ).closure(MODES)


def answers_of_demand(patience):
    """By how much demand at t falls with the rate at s, (T, T)."""
    t = np.arange(PERIODS)
    ahead = t[None, :] - t[:, None]
    return np.where(ahead >= 0, (1 - patience) * patience ** np.maximum(ahead, 0), 0.0)


def part_of(theta, in_time=False):
    parts = []
    for patience in theta[:, 0]:
        answers = answers_of_demand(patience)
        numbers = [(MODES.T @ answers @ MODES).ravel()]
        if in_time:
            numbers.append(-(answers[: HORIZON + 1] @ MODES).ravel())
        parts.append(np.concatenate([*numbers, [patience - 0.5]]))
    return np.array(parts)


def solved(theta):
    """Output and rate (n, 2, H+1, 2) by the equations of all periods, with no modes."""
    irf = np.empty((len(theta), 2, HORIZON + 1, 2))
    lag = np.eye(PERIODS, k=-1)
    for row, (patience, rho, phi, rho_a, sigma_a) in enumerate(theta):
        answers = answers_of_demand(patience)
        accumulate = np.linalg.inv(np.eye(PERIODS) - rho * lag)
        demand = rho_a ** np.arange(PERIODS)
        impulse = np.eye(PERIODS)[:, 0]
        system = np.eye(PERIODS) + phi * answers @ accumulate
        for shock, (a, b) in enumerate(((demand, 0 * impulse), (0 * impulse, impulse))):
            y = np.linalg.solve(system, a - answers @ accumulate @ b)
            i = accumulate @ (phi * y + b)
            paths = np.stack([y, 4 * i], axis=1)[: HORIZON + 1]
            irf[row, shock] = paths * (sigma_a if shock == 0 else 1.0)
    return irf


def draws(n, seed=0):
    low, high = np.array([0.3, 0.0, 0.5, 0.0, 0.5]), np.array([0.9, 0.9, 2.0, 0.9, 2.0])
    return np.random.default_rng(seed).uniform(low, high, size=(n, 5))
