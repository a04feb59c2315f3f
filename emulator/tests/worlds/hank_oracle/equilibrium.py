"""The equilibrium of `hank` from its equations alone: they are asked what each output and inflation
of each period does, and the linear system of all answers is solved.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from emulator.worlds.hank.equilibrium import Paths, Policy, economy
from emulator.worlds.hank.household import Tastes


def solve(
    jacobian_OITT: np.ndarray, tastes: Tastes, policy: Policy, shocks: np.ndarray
) -> tuple[np.ndarray, float]:
    """Paths (3, T, K) of output, inflation and policy rate under processes m, z, g, u, (4, T, K),
    and the relative error of the markets.

    Quarterly deviations, in fractions of output and as rates. The error is measured by putting the
    paths back into the equations.
    """
    op, (_, periods, columns) = Paths(jacobian_OITT), shocks.shape
    none, each = np.zeros((periods, periods)), np.eye(periods)
    y, pi = (
        np.concatenate([*parts, np.zeros((periods, columns))], axis=1)
        for parts in ((each, none), (none, each))
    )
    forcing = np.concatenate([np.zeros((4, periods, 2 * periods)), shocks], axis=2)
    excess = economy(op, tastes, policy, y, pi, forcing)
    stacked = np.concatenate([excess.assets, excess.labour])
    solution = linalg.solve(stacked[:, : 2 * periods], -stacked[:, 2 * periods :])
    y, pi = solution[:periods], solution[periods:]
    check = economy(op, tastes, policy, y, pi, shocks)
    error = np.maximum(np.abs(check.assets), np.abs(check.labour)).max(axis=0) / np.abs(
        solution
    ).max(axis=0)
    return np.stack([y, pi, check.i]), float(error.max())
