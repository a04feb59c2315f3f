"""What regressions share: a part of its own for each shock of each world, fitted in `prepare`.

Axes: B batch, n draws, P parameter, D parameter that a shock's responses depend on, S shock,
H horizon, O observable, F response (horizons and observables, flat).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from emulator.errors import ModelError
from emulator.models.base import EmulatorModel
from emulator.models.baselines.per_world import NO_SIZE, SMALLEST_SIZE, PerWorldBaseline
from emulator.models.declared import Declared
from emulator.models.normaliser import WorldStatistics
from emulator.models.regressions.views import ShockView, logarithmic, views_of
from emulator.spec import WorldSpec


class PerShockRegression(PerWorldBaseline):
    """A regression of each shock's responses on the parameters that move them.

    views: for each world and shock the column of its size and the columns of its parameters, by
    default all parameters and no size; `from_specs` takes them from what the worlds declare. The
    rest as in `PerWorldBaseline`. Nothing is trained: `prepare` fits, in float64.
    """

    def __init__(
        self,
        param_dims: Mapping[str, int],
        H: int,
        n_shocks: int | Mapping[str, int],
        n_observables: int | Mapping[str, int] = 3,
        views: Mapping[str, Sequence[Sequence[Any]]] | None = None,
        **options: Any,
    ) -> None:
        plain = {
            world: [[size, list(columns)] for size, columns in own]
            for world, own in (views or {}).items()
        }
        super().__init__(
            param_dims,
            H,
            n_shocks,
            n_observables,
            {world: [size for size, _ in own] for world, own in plain.items()},
            **options,
        )
        self.options.pop("sizes", None)
        if views:
            self.options["views"] = plain
        for k, n_parameters in enumerate(self.param_dims.values()):
            self.register_buffer(f"in_logs_{k}", torch.zeros(n_parameters, dtype=torch.bool))
            self.register_buffer(f"log_mean_{k}", torch.zeros(n_parameters, dtype=torch.float64))
            self.register_buffer(f"log_std_{k}", torch.ones(n_parameters, dtype=torch.float64))
        self.views = {world: self._view(world, plain.get(world)) for world in self.param_dims}
        self.regressions = nn.ModuleList(
            nn.ModuleList(
                self.regression(len(view.columns), (H + 1) * self.observable_dims[world])
                for view in self.views[world]
            )
            for world in self.param_dims
        )

    @classmethod
    def from_specs(
        cls, specs: Mapping[str, WorldSpec], horizon: int, **options: Any
    ) -> EmulatorModel:
        views = {world: [list(view) for view in views_of(spec)] for world, spec in specs.items()}
        return super().from_specs(specs, horizon, **{"views": views, **options})

    def regression(self, n_columns: int, width: int) -> nn.Module:
        """An empty part: `fit(z (n, D), curves (n, F))` learns, `forward(z (B, D))` answers."""
        raise NotImplementedError(f"{type(self).__name__} has no regression.")

    def _view(self, world: str, given: Sequence[Sequence[Any]] | None) -> list[ShockView]:
        n_parameters = self.param_dims[world]
        if given is None:
            return [ShockView(NO_SIZE, tuple(range(n_parameters)))] * self.shock_dims[world]
        views = [ShockView(size, tuple(columns)) for size, columns in given]
        for view in views:
            if not view.columns or not all(0 <= column < n_parameters for column in view.columns):
                raise ModelError(
                    f"World '{world}': a shock's responses depend on the columns"
                    f" {list(view.columns)}; expected columns from 0 to {n_parameters - 1}."
                )
        return views

    def bind(
        self, statistics: Mapping[str, WorldStatistics], specs: Mapping[str, WorldSpec]
    ) -> None:
        super().bind(statistics, specs)
        for world, spec in specs.items():
            if world in self._declared:  # what a view does not hold cannot move its shock
                unseen_PS1 = np.ones((spec.n_parameters, spec.n_shocks, 1), dtype=bool)
                for s, view in enumerate(self.views[world][: spec.n_shocks]):
                    unseen_PS1[list(view.columns), s] = False
                moved_PSO = (spec.moved | unseen_PS1) & ~spec.silent
                self._declared[world] = Declared.of(moved_PSO, spec.silent)

    def _by_shock(self, world: str) -> bool:
        return False  # views hold neither sizes nor processes of other shocks

    def prepare(self, samples: Mapping[str, tuple[Tensor, Tensor]]) -> None:
        """Fit every shock's regression on the draws given.

        Raises `ModelError` where a shock's size is not positive in any of them.
        """
        for world, (theta, irf) in samples.items():
            z_nP, flat = self.standardised_samples(world, theta.double(), irf.double())
            curves_nSF = flat.unflatten(1, (self.shock_dims[world], -1))
            self._learn_logarithms(theta.double(), z_nP, curves_nSF, world)
            x_nP = self._inputs(z_nP, world)
            sizes_nS = self.size_factors(theta.double(), world)
            for s, view in enumerate(self.views[world]):
                usable = sizes_nS[:, s] > SMALLEST_SIZE
                if not usable.any():
                    raise ModelError(
                        f"World '{world}': the size of shock {s + 1} is zero or negative in every"
                        " draw; expected positive sizes."
                    )
                self.part(self.regressions, world)[s].fit(
                    x_nP[usable][:, list(view.columns)], curves_nSF[usable, s]
                )

    def natural(self, theta_BP: Tensor, world: str, horizon: int) -> Tensor:
        """Responses in float64: the weights of nearly noiseless data are large and cancel."""
        return super().natural(theta_BP.double(), world, horizon)

    def standardised(self, theta_BP: Tensor, world: str, horizon: int) -> Tensor:
        x_BP = self._inputs(theta_BP, world)
        curves = [
            regression(x_BP[:, list(view.columns)])
            for view, regression in zip(
                self.views[world], self.part(self.regressions, world), strict=True
            )
        ]
        return self.as_responses(torch.cat(curves, dim=1), world)

    def _learn_logarithms(
        self, theta_nP: Tensor, z_nP: Tensor, curves_nSF: Tensor, world: str
    ) -> None:
        """Which parameters are taken in logarithms, and the moments of these."""
        in_logs_P, mean_P, deviation_P = self._logarithmic(world)
        in_logs_P.copy_(logarithmic(theta_nP, curves_nSF))
        values = self._logarithms(z_nP, world)
        deviation = values.std(0, correction=0)
        mean_P.copy_(torch.where(in_logs_P, values.mean(0), 0.0))
        deviation_P.copy_(torch.where(in_logs_P & (deviation > 1e-12), deviation, 1.0))

    def _logarithmic(self, world: str) -> tuple[Tensor, Tensor, Tensor]:
        """Which parameters of a world are taken in logarithms (P,), and the moments of those."""
        k = self._position[world]
        names = (f"in_logs_{k}", f"log_mean_{k}", f"log_std_{k}")
        in_logs_P, mean_P, deviation_P = (getattr(self, name) for name in names)
        return in_logs_P, mean_P, deviation_P

    def _inputs(self, z_BP: Tensor, world: str) -> Tensor:
        """Standard scores (B, P), of some parameters those of their logarithms."""
        in_logs_P, mean_P, deviation_P = self._logarithmic(world)
        if not self.normaliser.fitted or not in_logs_P.any():
            return z_BP
        return torch.where(in_logs_P, (self._logarithms(z_BP, world) - mean_P) / deviation_P, z_BP)

    def _logarithms(self, z_BP: Tensor, world: str) -> Tensor:
        """Logarithms of the parameters (B, P), of what is not positive that of a thousandth of the
        smallest training draw.
        """
        statistics = self.normaliser.statistics(world)
        floor_P = 1e-3 * statistics.theta_low.double().clamp_min(1e-30)
        return torch.maximum(z_BP * statistics.theta_std + statistics.theta_mean, floor_P).log()
