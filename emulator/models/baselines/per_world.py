"""What baselines share that have a part of their own for each world.

Axes: n draws, P parameter, S shock, H horizon, O observable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from emulator.errors import ModelError
from emulator.models.base import EmulatorModel
from emulator.models.counts import observable_dims, observables_option, shock_dims
from emulator.models.declared import Declared, processes_of_others, sizes_of_shocks
from emulator.models.normaliser import WorldStatistics
from emulator.spec import WorldSpec

NO_SIZE = -1
"""Stands for the column of a shock's size where none is declared."""

SMALLEST_SIZE = 1e-6
"""A shock whose size is below this share of its mean says nothing of its responses for one."""


class PerWorldBaseline(EmulatorModel):
    """Sizes and parts of networks in which nothing is shared between worlds.

    param_dims: number of parameters of each world; H: last horizon; n_shocks, n_observables: of
    every world, or of each (what the data do not have is cut off once the network is bound to
    them); sizes: for each world and shock the column of theta that multiplies its responses, or
    `NO_SIZE`, by default none; options: what else builds the class again.
    """

    holds_processes = False
    """Whether a network that is told the sizes of shocks is asked for each shock with the processes
    of the others at their means; dear where its hidden layers are.
    """

    def __init__(
        self,
        param_dims: Mapping[str, int],
        H: int,
        n_shocks: int | Mapping[str, int],
        n_observables: int | Mapping[str, int] = 3,
        sizes: Mapping[str, Sequence[int]] | None = None,
        **options: Any,
    ) -> None:
        counts = n_shocks if isinstance(n_shocks, int) else dict(n_shocks)
        super().__init__(
            param_dims=dict(param_dims),
            H=H,
            n_shocks=counts,
            **observables_option(n_observables),
            **({"sizes": {world: list(own) for world, own in sizes.items()}} if sizes else {}),
            **options,
        )
        if not param_dims or H < 0:
            raise ModelError(
                f"{type(self).__name__} needs at least one world and H >= 0; found"
                f" {list(param_dims)} and H = {H}."
            )
        self.param_dims = dict(param_dims)
        self.shock_dims = shock_dims(param_dims, n_shocks)
        self.observable_dims = observable_dims(param_dims, n_observables)
        self.horizon = H
        self._position = {world: k for k, world in enumerate(self.param_dims)}
        self.sizes = {world: list(own) for world, own in (sizes or {}).items()}
        for world, own in self.sizes.items():
            n_parameters, count = self._dims(world)
            if len(own) != count or not all(NO_SIZE <= column < n_parameters for column in own):
                raise ModelError(
                    f"World '{world}': the sizes of its shocks are columns {own}; expected {count},"
                    f" each from 0 to {n_parameters - 1}, or {NO_SIZE} for none."
                )

    def bind(
        self, statistics: Mapping[str, WorldStatistics], specs: Mapping[str, WorldSpec]
    ) -> None:
        super().bind(statistics, specs)
        for world, spec in specs.items():
            if world in self._declared and self._by_shock(world):
                moved_PSO = spec.moved & ~sizes_of_shocks(spec)
                if self.holds_processes:
                    moved_PSO = moved_PSO & ~processes_of_others(spec)
                self._declared[world] = Declared.of(moved_PSO, spec.silent)

    def _by_shock(self, world: str) -> bool:
        """Whether the sizes that the network multiplies by are those that a linear world declares.

        Each response is then exactly in proportion to the size of its shock and free of others',
        and where the network `holds_processes`, free of other shocks' processes.
        """
        spec = self.world_specs.get(world)
        return bool(
            spec is not None
            and spec.shock_sizes
            and tuple(self.sizes.get(world, ())) == spec.shock_sizes
        )

    def exact(self, theta_BP: Tensor, world: str, horizon: int, declared: Declared) -> Tensor:
        irf = super().exact(theta_BP, world, horizon, declared)
        if not self._by_shock(world):
            return irf
        # The network was asked with every size at its mean.
        return irf * self.size_factors(theta_BP, world)[:, : irf.shape[1], None, None]

    def width(self, world: str) -> int:
        """Number of responses of a world: shocks times horizons times observables."""
        return self.shock_dims[world] * (self.horizon + 1) * self.observable_dims[world]

    def part(self, parts: nn.ModuleList, world: str) -> Any:
        """What belongs to a world in a list in the order of `param_dims`."""
        return parts[self._position[world]]

    def as_responses(self, flat: Tensor, world: str) -> Tensor:
        """Rows of `width` numbers as responses (n, S, H+1, O)."""
        return flat.unflatten(
            1, (self.shock_dims[world], self.horizon + 1, self.observable_dims[world])
        )

    def natural(self, theta_BP: Tensor, world: str, horizon: int) -> Tensor:
        """Responses as `EmulatorModel.natural` gives them, times the sizes of their shocks."""
        irf = super().natural(theta_BP, world, horizon)
        if world not in self.sizes:
            return irf
        return irf * self.size_factors(theta_BP, world)[:, : irf.shape[1], None, None]

    def size_factors(self, theta_BP: Tensor, world: str) -> Tensor:
        """Size of each shock (B, S) in multiples of its mean over the training draws; one where no
        size is declared.
        """
        factors = []
        for column in self.sizes.get(world, [NO_SIZE] * self.shock_dims[world]):
            if column == NO_SIZE:
                factors.append(theta_BP.new_ones(len(theta_BP)))
            elif self.normaliser.fitted:
                mean = self.normaliser.statistics(world).theta_mean[column]
                factors.append(theta_BP[:, column] / mean)
            else:
                factors.append(theta_BP[:, column])
        return torch.stack(factors, dim=1)

    def standardised_samples(self, world: str, theta: Tensor, irf: Tensor) -> tuple[Tensor, Tensor]:
        """Draws given to `prepare`, as the network sees them: theta (n, P) as standard scores,
        responses (n, width).

        The responses are in units of the world's scales and of their shocks' sizes, with zeros for
        shocks and observables that the data do not have. Raises `ModelError` if there is no draw or
        the horizon is another.
        """
        if not len(theta) or irf.shape[2] != self.horizon + 1:
            raise ModelError(
                f"World '{world}': {type(self).__name__} was given {len(theta)} draws over"
                f" {irf.shape[2]} horizons to start from; expected at least one draw over"
                f" {self.horizon + 1} horizons."
            )
        scale = self.normaliser.statistics(world).irf_scale
        responses = irf.to(scale.device) / scale[:, None, :]
        shocks = self.shock_dims[world] - responses.shape[1]
        observables = self.observable_dims[world] - responses.shape[3]
        padded = nn.functional.pad(responses, (0, observables, 0, 0, 0, shocks))
        if world in self.sizes:
            factors = self.size_factors(theta.to(scale.device), world)
            padded = padded / factors.clamp_min(SMALLEST_SIZE)[:, :, None, None]
        return self.normaliser.theta(theta.to(scale.device), world), padded.flatten(1)
