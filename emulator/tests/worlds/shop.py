"""A small simulator of five monthly observables, as a user would write one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from emulator.worlds import Simulator

TABLE: dict[str, Any] = {
    "parameters": {"rho": (0.1, 0.9), "slope": (0.1, 1.0), "sigma": (0.5, 1.5)},
    "shocks": ["demand", "supply"],
    "observables": {
        "sales": "percent",
        "prices": "percent",
        "hours": "percent",
        "orders": "percent",
        "stocks": "percent",
    },
    "frequency": "month",
    "horizon": 24,
}


def economy(theta: np.ndarray, horizon: int = 24) -> np.ndarray:
    """A shop and its stocks.

    Two shocks that fade at the rate rho.
    """
    rho, slope, sigma = theta.T[:, :, None]
    h = np.arange(horizon + 1)
    decay = sigma * rho**h
    demand = np.stack([decay, slope * decay, decay / 2, decay * (1 + h), -decay], axis=-1)
    supply = np.stack([-decay, decay, decay / 5, slope * decay, decay / 3], axis=-1)
    return np.stack([demand, supply], axis=1)


def to_24(theta: np.ndarray) -> np.ndarray:
    return economy(theta)


def one(theta: np.ndarray) -> np.ndarray:
    return economy(theta[None])[0]


def fragile(theta: np.ndarray) -> np.ndarray:
    """Raises where rho is above 0.7, and answers NaN where it is below 0.2."""
    if (theta[:, 0] > 0.7).any():
        raise ZeroDivisionError(f"rho is {theta[:, 0].max()}")
    irf = economy(theta)
    irf[theta[:, 0] < 0.2] = np.nan
    return irf


def fragile_one(theta: np.ndarray) -> np.ndarray:
    return fragile(theta[None])[0]


def shop(function: Any = to_24, **changes: Any) -> Simulator:
    """The simulator of `TABLE` with another function, or other declarations."""
    return Simulator(function, **{**TABLE, "name": "shop", **changes})


FILE = '''
import numpy as np

import emulator


@emulator.simulator(
    parameters={"rho": (0.1, 0.9), "slope": (0.1, 1.0)},
    shocks=["demand"],
    observables={"sales": "percent", "stocks": "percent"},
    frequency="month",
    horizon=12,
)
def economy(theta):
    """A shop."""
    rho, slope = theta.T[:, :, None]
    decay = rho ** np.arange(13)
    return np.stack([decay, slope * decay], axis=-1)[:, None]
'''


def write_shop(folder: Path, text: str = FILE, name: str = "mysim.py") -> Path:
    """A Python file with the simulator `economy` of two observables."""
    path = folder / name
    path.write_text(text)
    return path
