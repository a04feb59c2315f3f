"""What a shock's responses are a function of, by what the world declares.

In a linear world with sizes of shocks, the responses to a shock are its size times a function of
the parameters that all shocks share and of its own process. In another world the size is divided
out all the same, since most of what it does is to multiply, and stays among the parameters.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from emulator.models.baselines.per_world import NO_SIZE
from emulator.spec import WorldSpec


class ShockView(NamedTuple):
    """The column of theta that multiplies a shock's responses, `NO_SIZE` where none does, and the
    columns that what is left depends on.
    """

    size: int
    columns: tuple[int, ...]


def views_of(spec: WorldSpec) -> tuple[ShockView, ...]:
    """The view of each shock of a world. What `moves_only` leaves out of a shock is left out."""
    moves_PS: np.ndarray = np.any(spec.moved, axis=2)
    if spec.shock_sizes:
        moves_PS[list(spec.shock_sizes)] = False
        for s, own in enumerate(spec.shock_parameters):
            moves_PS[list(own), :s] = moves_PS[list(own), s + 1 :] = False
    views = []
    for s, shock in enumerate(spec.shocks):
        columns = np.flatnonzero(moves_PS[:, s]).tolist() or list(range(spec.n_parameters))
        views.append(ShockView(spec.index(shock.size) if shock.size else NO_SIZE, tuple(columns)))
    return tuple(views)


LEAST_RATIO = 3.0
"""A parameter whose middle nine tenths span at least this ratio may be taken in logarithms."""

GAIN = 0.99
"""Unexplained variance under logarithms, as a share of that without, from which they are used."""


def logarithmic(theta_nP: Tensor, curves_nSF: Tensor) -> Tensor:
    """Which parameters (P,) are better taken in logarithms, by what the draws say.

    Those that are positive throughout and of which the logarithm, in place of the value, leaves
    less of the logarithms of the responses' sizes to a linear regression. What multiplies responses
    is linear there, whether or not it was declared.
    """
    n, n_parameters = theta_nP.shape
    chosen = torch.zeros(n_parameters, dtype=torch.bool)
    sizes_nS = curves_nSF.square().mean(2).sqrt()
    sizes_nS = sizes_nS[:, sizes_nS.amin(0) > 0]
    if n < 2 * n_parameters + 10 or not sizes_nS.shape[1]:
        return chosen
    targets = _scores(sizes_nS.log())
    plain = torch.cat([torch.ones(n, 1, dtype=torch.float64), _scores(theta_nP)], dim=1)
    before = _unexplained(plain, targets)
    low, high = theta_nP.quantile(0.05, dim=0), theta_nP.quantile(0.95, dim=0)
    for k in torch.nonzero((theta_nP.amin(0) > 0) & (high >= LEAST_RATIO * low)).flatten().tolist():
        design = plain.clone()
        design[:, k + 1 : k + 2] = _scores(theta_nP[:, k : k + 1].log())
        chosen[k] = _unexplained(design, targets) < GAIN * before
    return chosen


def _scores(values: Tensor) -> Tensor:
    """Columns as standard scores; one that never varies becomes zero."""
    deviation = values.std(0, correction=0)
    centred = values - values.mean(0)
    return torch.where(deviation > 0, centred / torch.where(deviation > 0, deviation, 1.0), 0.0)


def _unexplained(design: Tensor, targets: Tensor) -> float:
    """Sum of squares that least squares leave, by the solution of smallest norm."""
    fitted = design @ (torch.linalg.pinv(design) @ targets)
    return float((targets - fitted).square().sum())
