"""The emulator of structure: parameters -> dear part, in each regime by a smooth map -> responses,
by the exact closure.

Only the dear part is learnt. What the world's equations say of policy rules, processes and sizes of
shocks is exact, and what is zero in them is zero. Nothing is trained by gradients: `learn_parts`
finds the maps. Axes: B batch, P parameter, M margin.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from emulator.closures.parts import DearParts
from emulator.errors import ModelError
from emulator.models.base import EmulatorModel
from emulator.models.counts import observable_dims, observables_option, shock_dims
from emulator.models.normaliser import WorldStatistics
from emulator.models.structure.learnt import Structure
from emulator.spec import WorldSpec


class StructureEmulator(EmulatorModel):
    """Parts by smooth maps, responses by the closure.

    components: of the part, of its blocks that answer in modes and of those that answer by horizon;
    centres: of the kernels of each map, at most; robust: whether maps are found by robust
    regression, which suits many draws of a part that jumps at few of them, or by least squares. The
    rest as in other networks. Before `learn_parts` it answers nothing.
    """

    wants_parts = True
    exact_in = "structure: exact closure"

    def __init__(
        self,
        param_dims: Mapping[str, int],
        H: int = 40,
        n_shocks: int | Mapping[str, int] = 3,
        n_observables: int | Mapping[str, int] = 3,
        components: tuple[int, int] = (80, 80),
        centres: int = 1000,
        robust: bool = False,
    ) -> None:
        if len(components) != 2 or min(components) < 1 or min(centres, H) < 0:
            raise ModelError(
                "StructureEmulator needs two numbers of components of at least 1, a number of"
                f" centres and H of at least 0; found {list(components)}, {centres} and H = {H}."
            )
        if not isinstance(robust, bool):
            raise ModelError(f"robust is {robust!r}; expected true or false.")
        super().__init__(
            param_dims=dict(param_dims),
            H=H,
            n_shocks=n_shocks if isinstance(n_shocks, int) else dict(n_shocks),
            **observables_option(n_observables),
            components=list(components),
            centres=centres,
            robust=robust,
        )
        self.param_dims = dict(param_dims)
        self.shock_dims = shock_dims(param_dims, n_shocks)
        self.observable_dims = observable_dims(param_dims, n_observables)
        self.horizon = H
        self._position = {world: k for k, world in enumerate(self.param_dims)}
        self.structures = nn.ModuleList(Structure() for _ in self.param_dims)

    def bind(
        self, statistics: Mapping[str, WorldStatistics], specs: Mapping[str, WorldSpec]
    ) -> None:
        """Take over scales and specs; what worlds declare is exact by the closure itself."""
        super().bind(statistics, specs)
        self._declared = {}

    def learn_parts(self, parts: Mapping[str, DearParts]) -> None:
        rng = np.random.default_rng(torch.initial_seed() % 2**63)
        for world, own in parts.items():
            scale_O = self.normaliser.statistics(world).irf_scale.double().mean(0).cpu().numpy()
            self.structure(world).fit(own, scale_O, self.horizon, self.options, rng)

    def structure(self, world: str) -> Structure:
        """What is known of a world's structure."""
        structure = self.structures[self._position[world]]
        assert isinstance(structure, Structure)
        return structure

    def precision(self, theta: Tensor) -> torch.dtype:
        """That of theta: there are no weights, and to look for them takes time."""
        return theta.dtype

    def natural(self, theta_BP: Tensor, world: str, horizon: int) -> Tensor:
        return self.structure(world)(theta_BP.double(), horizon)

    def doubted(self, theta: Tensor, world: str) -> Tensor:
        """Draws so near to the border of a regime that they may lie beyond it, and draws whose
        responses go to and fro.
        """
        structure = self.structure(world)
        margins = structure.margins(structure.inputs(theta.double()))
        near = (margins.abs() < structure.margins.unsure).any(1)
        return near | structure.alternates(theta.double())

    def predicts_regime(self, world: str) -> bool:
        """Where the training draws lie in several regimes."""
        return len(self.structure(world).regimes) > 1

    def as_learnt(self, theta: Tensor, world: str) -> Tensor:
        """Only what the part depends on is learnt: within their declared ranges the others, which
        the closure follows exactly, stand in the middle of these.
        """
        spec = self.world_specs[world]
        low, high = (torch.from_numpy(edge).to(theta) for edge in (spec.low, spec.high))
        own = theta[:, : len(low)]
        exact = (own >= low) & (own <= high)
        exact[:, self.structure(world).dear] = False
        return torch.where(exact, 0.5 * (low + high), own)

    def margins(self, theta: Tensor, world: str) -> Tensor:
        """The predicted margins (B, M) at parameters (B, P) in natural units: how many of them are
        positive is the regime.
        """
        structure = self.structure(world)
        return structure.margins(structure.inputs(theta.double()))
