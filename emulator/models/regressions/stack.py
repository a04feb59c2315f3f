"""Several networks as one: their answers, weighted for each shock by what they did on draws that
none of them learnt from.

Wolpert (1992, doi:10.1016/S0893-6080(05)80023-1); weights that are not negative and add up to one:
Breiman (1996, doi:10.1007/BF00117832).

Axes: B batch, M member, S shock, H horizon, O observable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from scipy.optimize import nnls
from torch import Tensor, nn

from emulator.errors import ModelError
from emulator.models import model_class
from emulator.models.base import EmulatorModel
from emulator.models.counts import observable_dims, observables_option, shock_dims
from emulator.models.normaliser import WorldStatistics
from emulator.spec import WorldSpec

DEFAULT_MEMBERS = (
    {"name": "RidgeEmulator", "options": {"degree": 1}},
    {"name": "RidgeEmulator", "options": {"degree": 2}},
)


class StackedEmulator(EmulatorModel):
    """theta -> the members' responses -> their weighted sum.

    members: class names of `emulator.models.MODELS` with the options of each, all over the same
    worlds. In `prepare` each learns from four fifths of the draws, is weighed on the last fifth and
    learns from all; `stacked` puts together networks that are trained already.
    """

    def __init__(
        self,
        param_dims: Mapping[str, int],
        H: int = 40,
        n_shocks: int | Mapping[str, int] = 3,
        n_observables: int | Mapping[str, int] = 3,
        members: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        if not members:
            raise ModelError("A stack needs at least one member; members is empty.")

        super().__init__(
            param_dims=dict(param_dims),
            H=H,
            n_shocks=n_shocks if isinstance(n_shocks, int) else dict(n_shocks),
            members=[dict(member) for member in members],
            **observables_option(n_observables),
        )
        self.param_dims = dict(param_dims)
        self.shock_dims = shock_dims(param_dims, n_shocks)
        self.observable_dims = observable_dims(param_dims, n_observables)
        self.horizon = H
        self.members: Any = nn.ModuleList(
            model_class(member["name"])(**member["options"]) for member in members
        )
        self._position = {world: k for k, world in enumerate(self.param_dims)}
        for world, k in self._position.items():
            shape = len(members), self.shock_dims[world]
            self.register_buffer(f"shares_{k}", torch.zeros(shape, dtype=torch.float64))

    @classmethod
    def from_specs(
        cls,
        specs: Mapping[str, WorldSpec],
        horizon: int,
        members: Sequence[Mapping[str, Any]] = DEFAULT_MEMBERS,
        **options: Any,
    ) -> EmulatorModel:
        """members: class names, each with the options that do not follow from the worlds."""
        built = [
            {
                "name": member["name"],
                "options": model_class(member["name"])
                .from_specs(specs, horizon, **member["options"])
                .options,
            }
            for member in members
        ]
        return super().from_specs(specs, horizon, members=built, **options)

    def prepare(self, samples: Mapping[str, tuple[Tensor, Tensor]]) -> None:
        """Weigh the members on the last fifth of the draws, then let them learn from all."""
        cut = {world: max(1, len(theta) * 4 // 5) for world, (theta, _) in samples.items()}
        first = {
            world: (theta[: cut[world]], irf[: cut[world]])
            for world, (theta, irf) in samples.items()
        }
        for member in self.members:
            member.prepare(first)
        for world, (theta, irf) in samples.items():
            rest = slice(cut[world] if cut[world] < len(theta) else 0, None)
            with torch.no_grad():
                answers = [member(theta[rest], world) for member in self.members]
            self.weigh(world, irf[rest], answers)
        for member in self.members:
            member.prepare(samples)

    def bind(
        self, statistics: Mapping[str, WorldStatistics], specs: Mapping[str, WorldSpec]
    ) -> None:
        super().bind(statistics, specs)
        self._declared = {}  # what members have exactly, their weighted sums have too
        for member in self.members:
            member.bind(statistics, specs)

    def natural(self, theta_BP: Tensor, world: str, horizon: int) -> Tensor:
        shares_MS = self.shares(world).to(theta_BP.dtype)
        return sum(
            share_S[: answer.shape[1], None, None] * answer
            for share_S, answer in zip(
                shares_MS,
                (member(theta_BP, world, horizon) for member in self.members),
                strict=True,
            )
        )

    def shares(self, world: str) -> Tensor:
        """What each member's answer counts for each shock, (M, S)."""
        return getattr(self, f"shares_{self._position[world]}")

    def weigh(self, world: str, truth: Tensor, answers: Sequence[Tensor]) -> None:
        """Set a world's shares from the truth (n, S, H+1, O) and each member's answer, natural
        units, of draws that no member learnt from.
        """
        scale_SO = self.normaliser.statistics(world).irf_scale
        shares = self.shares(world)
        for s in range(truth.shape[1]):
            columns = [(answer[:, s] / scale_SO[s]).flatten() for answer in answers]
            target = (truth[:, s] / scale_SO[s]).flatten()
            shares[:, s] = torch.from_numpy(
                convex_weights(
                    torch.stack(columns, dim=1).double().numpy(), target.double().numpy()
                )
            )


def convex_weights(answers: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Weights (M,), none negative, of sum one, with which answers (n, M) are nearest the target
    (n,).
    """
    gram = answers - target[:, None]  # with weights of sum one, the error is their sum of errors
    products = gram.T @ gram / max(len(target), 1)
    size = max(float(np.trace(products)), 1e-300)
    root = np.linalg.cholesky(products / size + 1e-10 * np.eye(len(products))).T
    heavy = 1e3
    weights, _ = nnls(
        np.vstack([root, heavy * np.ones(len(products))]), np.array([*[0.0] * len(products), heavy])
    )
    total = weights.sum()
    if not total > 0:
        raise ModelError("No weights of sum one were found for the members of a stack.")
    return weights / total


def stacked(members: Sequence[EmulatorModel], names: Sequence[str]) -> StackedEmulator:
    """A stack of trained networks over the same worlds, its shares not yet set; names: of their
    classes in `emulator.models.MODELS`.
    """
    first = members[0]
    stack = StackedEmulator(
        first.param_dims,
        first.horizon,
        first.shock_dims,
        first.observable_dims,
        [
            {"name": name, "options": member.options}
            for name, member in zip(names, members, strict=True)
        ],
    )
    worlds = list(first.normaliser.worlds)
    stack.bind({world: first.normaliser.statistics(world) for world in worlds}, first.world_specs)
    for own, member in zip(stack.members, members, strict=True):
        own.load_state_dict(member.state_dict())
    return stack.eval()
