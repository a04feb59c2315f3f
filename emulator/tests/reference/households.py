"""What the scripts that remake references of `hank` and `hank2` share: draws, processes, files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from emulator.spec import WorldSpec

N_DRAWS = 10


def draws(
    spec: WorldSpec, seed: int, ends: Sequence[str], **ranges: tuple[float, float]
) -> np.ndarray:
    """The defaults, seven draws from the prior's ranges (or from the `ranges` given), and two in
    which the parameters `ends` are at their low or high end, (10, P).
    """
    low, high = spec.low.copy(), spec.high.copy()
    for name, range_ in ranges.items():
        low[spec.index(name)], high[spec.index(name)] = range_
    rng = np.random.default_rng(seed)
    theta = rng.uniform(low, high, size=(N_DRAWS, spec.n_parameters)).round(4)
    theta[0] = spec.theta()
    for row, end in ((N_DRAWS - 2, low), (N_DRAWS - 1, high)):
        for name in ends:
            theta[row, spec.index(name)] = end[spec.index(name)]
    return theta


def path(p: Mapping[str, float], letter: str, periods: int, ahead: int = 0) -> np.ndarray:
    """The process of a shock after an innovation of one standard deviation, (T,), which is known so
    many quarters before it comes.
    """
    process = p[f"sigma_{letter}"] / 100 * p[f"rho_{letter}"] ** np.arange(periods - ahead)
    return np.concatenate([np.zeros(ahead), process])


def write_theta(file: Path, spec: WorldSpec, theta: np.ndarray) -> None:
    header = ",".join(spec.parameter_names)
    np.savetxt(file, theta, fmt="%.17g", delimiter=",", header=header, comments="")


def write_irfs(file: Path, irfs: np.ndarray, observables: Sequence[str]) -> None:
    """Responses (n, S, H+1, O) of the first O observables."""
    index, values = np.argwhere(np.ones(irfs.shape[:3])), irfs.reshape(-1, irfs.shape[3])
    rows = [
        ",".join(map(str, where)) + "," + ",".join(f"{value:.12g}" for value in row)
        for where, row in zip(index, values, strict=True)
    ]
    header = ",".join(["draw", "shock", "horizon", *observables[: irfs.shape[3]]])
    file.write_text("\n".join([header, *rows]) + "\n")
