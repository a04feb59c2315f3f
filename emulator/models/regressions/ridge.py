"""Ridge regression on linear or quadratic features of the parameters, its penalty chosen by the
draws it leaves out.

Hoerl and Kennard (1970, doi:10.1080/00401706.1970.10488634); the error of leaving out each draw in
turn, in closed form, is that of Allen (1974, doi:10.1080/00401706.1974.10489157).

Axes: B batch, n draws, D parameter, K feature, F response.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from emulator.errors import ModelError
from emulator.models.regressions.per_shock import PerShockRegression

PENALTIES = torch.logspace(-8, 4, 25, dtype=torch.float64)
"""Penalties that are tried, in multiples of the number of draws, for features of variance one."""


class RidgeEmulator(PerShockRegression):
    """theta -> features of it -> all responses to a shock.

    degree: 1 takes the standard scores of the parameters, 2 their squares and products too; the
    rest as in `PerShockRegression`.
    """

    def __init__(
        self,
        param_dims: Mapping[str, int],
        H: int = 40,
        n_shocks: int | Mapping[str, int] = 3,
        degree: int = 1,
        n_observables: int | Mapping[str, int] = 3,
        views: Mapping[str, Sequence[Sequence[Any]]] | None = None,
    ) -> None:
        if degree not in (1, 2):
            raise ModelError(f"RidgeEmulator takes degree 1 or 2; found {degree!r:.50}.")
        self._degree = degree
        super().__init__(param_dims, H, n_shocks, n_observables, views, degree=degree)

    def regression(self, n_columns: int, width: int) -> nn.Module:
        return _Ridge(n_columns, width, self._degree)


class _Ridge(nn.Module):
    """Features of standard scores -> curves."""

    centre: Tensor
    scale: Tensor
    level: Tensor
    slopes: Tensor

    def __init__(self, n_columns: int, width: int, degree: int) -> None:
        super().__init__()
        self.degree = degree
        count = n_columns + (n_columns * (n_columns + 1) // 2 if degree == 2 else 0)
        for name, shape in (
            ("centre", (count,)),
            ("scale", (count,)),
            ("level", (width,)),
            ("slopes", (count, width)),
        ):
            self.register_buffer(name, torch.zeros(shape, dtype=torch.float64))

    @torch.no_grad()
    def fit(self, z_nD: Tensor, curves_nF: Tensor) -> None:
        features_nK = self._features(z_nD)
        self.centre = features_nK.mean(0)
        deviation = features_nK.std(0, correction=0)
        self.scale = torch.where(deviation > 1e-9 * (1 + self.centre.abs()), deviation, torch.inf)
        x_nK = (features_nK - self.centre) / self.scale
        self.scale = torch.where(
            self.scale.isinf(), 0.0, 1 / self.scale
        )  # a file holds no infinity
        self.level = curves_nF.mean(0)
        self.slopes = ridge(x_nK, curves_nF - self.level)

    def forward(self, z_BD: Tensor) -> Tensor:
        return self.level + (self._features(z_BD) - self.centre) * self.scale @ self.slopes

    def _features(self, z_BD: Tensor) -> Tensor:
        if self.degree == 1:
            return z_BD
        rows, columns = torch.triu_indices(z_BD.shape[1], z_BD.shape[1], device=z_BD.device)
        return torch.cat([z_BD, z_BD[:, rows] * z_BD[:, columns]], dim=1)


def ridge(x_nK: Tensor, y_nF: Tensor) -> Tensor:
    """Coefficients (K, F) with the penalty under which draws are best predicted by the others.

    Both are centred; the mean that was taken out counts as one more coefficient.
    """
    n = len(x_nK)
    left, values, right = torch.linalg.svd(x_nK, full_matrices=False)
    projected = left.T @ y_nF
    errors = []
    for penalty in PENALTIES * n:
        shrunk = values.square() / (values.square() + penalty)
        leverage = (left.square() @ shrunk + 1 / n).clamp_max(1 - 1e-6)
        rest = y_nF - left @ (shrunk[:, None] * projected)
        errors.append(float((rest / (1 - leverage)[:, None]).square().mean()))
    penalty = PENALTIES[min(range(len(errors)), key=errors.__getitem__)] * n
    return right.T @ ((values / (values.square() + penalty))[:, None] * projected)
