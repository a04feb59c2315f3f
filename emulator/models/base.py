"""What a network is: parameters of some worlds in, impulse responses in natural units out.

Axes: B batch, P parameter, S shock, H horizon, O observable.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from emulator.errors import ModelError, nearest
from emulator.models.counts import observables_option
from emulator.models.declared import Declared
from emulator.models.normaliser import Normaliser, WorldStatistics
from emulator.spec import WorldSpec

if TYPE_CHECKING:
    from emulator.closures.parts import DearParts

PREPARE_DRAWS = 8192
"""Draws of a world that `EmulatorModel.prepare` is given at most."""


class EmulatorModel(nn.Module):
    """A network over one or many worlds.

    A subclass sets `param_dims`, `shock_dims`, `observable_dims` and `horizon`, keeps in `options`
    the arguments that build it again, and implements `standardised`, or `natural` if units are its
    own affair. `forward` does the rest: rows by world, padding.
    """

    param_dims: dict[str, int]
    shock_dims: dict[str, int]
    observable_dims: Mapping[str, int] = MappingProxyType({})
    """Observables of each world; of a world that is not in it the network answers with as many as
    the training data have.
    """
    horizon: int
    wants_parts = False
    """Whether the network learns from the dear parts of the data, by `learn_parts`."""
    exact_in = ""
    """What of its answers is exact beside what is learnt, said where it answers."""
    any_horizon = False
    """Whether responses beyond the horizon that the network was built for can be asked of it."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.options = options
        self.normaliser = Normaliser()
        self.world_specs: dict[str, WorldSpec] = {}
        self._declared: dict[str, Declared | None] = {}

    @classmethod
    def from_specs(
        cls, specs: Mapping[str, WorldSpec], horizon: int, **options: Any
    ) -> EmulatorModel:
        """A fresh network of the right size for these worlds, for classes built from `param_dims`,
        `H`, `n_shocks` and, where a world has other than three, `n_observables`.
        """
        dims = {name: spec.n_parameters for name, spec in specs.items()}
        observables = {name: spec.n_observables for name, spec in specs.items()}
        return cls(
            param_dims=dims,
            H=horizon,
            n_shocks={name: spec.n_shocks for name, spec in specs.items()},
            **observables_option(observables),
            **options,
        )

    def natural(self, theta_BP: Tensor, world: str, horizon: int) -> Tensor:
        """Responses (B, S', H'+1, O') of one world in natural units, from parameters (B, P) in
        natural units.

        S' and O' may exceed the world's numbers of shocks and observables, and H' the horizon that
        is asked for; what is beyond is cut off. By default `standardised` between the training
        data's scales, which are one, with means of zero, before `bind`.
        """
        if not self.normaliser.fitted:
            return self.standardised(theta_BP, world, horizon)
        irf = self.standardised(self.normaliser.theta(theta_BP, world), world, horizon)
        scale = self.normaliser.scale(world, irf.shape[2])
        if irf.shape[1] > len(scale):
            irf = irf[:, : len(scale)]
        if irf.shape[3] > scale.shape[2]:
            irf = irf[..., : scale.shape[2]]
        return irf * scale

    def standardised(self, theta_BP: Tensor, world: str, horizon: int) -> Tensor:
        """Responses (B, S', H'+1, O') of one world in units of its scales, from standardised
        parameters (B, P).
        """
        raise NotImplementedError(
            f"{type(self).__name__} implements neither `natural` nor `standardised`."
        )

    def prepare(self, samples: Mapping[str, tuple[Tensor, Tensor]]) -> None:
        """Start from data: called once by the trainer, after `bind`, before the first step of a
        fresh run.

        samples: for each world up to `PREPARE_DRAWS` draws of its training split, theta (n, P) and
        responses (n, S, H+1, O) in natural units.
        """

    def learn_parts(self, parts: Mapping[str, DearParts]) -> None:
        """Learn from the dear parts of each world's training draws; called once by the trainer,
        after `bind` and before `prepare`, where `wants_parts`.
        """

    def doubted(self, theta: Tensor, world: str) -> Tensor:
        """Whether the network itself doubts each draw (B,), bool, at parameters (B, P) in natural
        units: beside what calibration finds. By default none.
        """
        return torch.zeros(len(theta), dtype=torch.bool, device=theta.device)

    def predicts_regime(self, world: str) -> bool:
        """Whether the network predicts the regime of a draw and answers within it, so that its
        responses jump at a border as the world's do. By default they are smooth there.
        """
        return False

    def as_learnt(self, theta: Tensor, world: str) -> Tensor:
        """Draws (B, P), of draws (B, P) in natural units, whose distance from the training draws
        says how far beyond them the network is asked. By default they themselves; parameters of
        which the network knows the effect exactly need not count.
        """
        return theta

    def start_from(self, other: EmulatorModel) -> None:
        """Start from a trained network: called once by the trainer, after `prepare`, before the
        first step of a fresh run.

        Weights of the same name and shape are taken over, others stay; scales stay those of the
        data at hand. Raises `ModelError` if no trainable weight fits.
        """
        self._take(other.state_dict())

    def start_world_from(self, other: EmulatorModel, world: str) -> None:
        """Start one world from a trained network that knows it, the others as they are: called by
        the trainer after `start_from`.

        Raises `ModelError` where the two are no networks whose worlds have parts of their own, or
        differ in size.
        """
        raise ModelError(
            f"'{world}' cannot start from a network of its own: the worlds of"
            f" {type(self).__name__} have no parts that can be taken over one by one, as those of"
            " UniversalEmulator have. Leave init_worlds out."
        )

    def _take(self, weights: Mapping[str, Tensor]) -> None:
        own = self.state_dict()
        fits = {
            k: v
            for k, v in weights.items()
            if k in own and v.shape == own[k].shape and not k.startswith("normaliser.")
        }
        if not any(name in fits for name, _ in self.named_parameters()):
            raise ModelError(
                f"None of the {len(weights)} weights to start from fits {type(self).__name__} in"
                " name and shape; expected a checkpoint of a like network."
            )
        self.load_state_dict(fits, strict=False)

    def parts(self) -> list[list[nn.Parameter]]:
        """The trainable weights in parts whose gradients are clipped each on its own; by default
        all are one part.
        """
        return [[weight for weight in self.parameters() if weight.requires_grad]]

    def bind(
        self, statistics: Mapping[str, WorldStatistics], specs: Mapping[str, WorldSpec]
    ) -> None:
        """Take over the training data's scales and specs, and what these declare to be exact;
        called once by the trainer before the first step.

        Raises `ModelError` if the data have a world, or a number of parameters, shocks or
        observables, that the network was not built for.
        """
        for world, moments in statistics.items():
            dims = self._dims(world)
            data = (moments.theta_mean.shape[0], *moments.irf_scale.shape)
            if data[0] != dims[0] or data[1] > dims[1]:
                raise ModelError(
                    f"World '{world}' has {data[0]} parameters and {data[1]} shocks in the data; "
                    f"this network was built for {dims[0]} and at most {dims[1]}."
                )
            if data[2] > self.observable_dims.get(world, data[2]):
                raise ModelError(
                    f"World '{world}' has {data[2]} observables in the data; this network was built"
                    f" for at most {self.observable_dims[world]}. Build it from the specs of its"
                    " worlds (`emulator.models.build`), or with n_observables."
                )
        self.normaliser.fit(statistics)
        self.world_specs = dict(specs)
        self._declared = {
            world: Declared.of(spec.moved, spec.silent)
            for world, spec in specs.items()
            if world in statistics
        }

    def forward(
        self,
        theta: Tensor | list[Tensor],
        world_id: str | list[str],
        horizon: int | None = None,
        apart: bool = False,
    ) -> Any:
        """Responses (B, S, H+1, O) in natural units, those of each world's observables.

        theta (B, >= P) in natural units, padded on the right; world_id one id, or a list of B;
        horizon: the last one, by default the one that the network was built for, beyond it only
        where `any_horizon`. In a mixed batch S and O are the largest numbers of shocks and
        observables among its worlds, and the responses beyond a world's own are zero; `apart`
        returns a list instead, one unpadded tensor for each world in the order of `rows_by_world`.
        A batch may come gathered by world: theta a list of tensors, world_id the world of each; the
        answer is then apart as well. Before `bind` scales are one and means zero. Raises
        `ModelError` on shapes and horizons that do not fit.
        """
        last = self.horizon if horizon is None else horizon
        if last < 0 or (last > self.horizon and not self.any_horizon):
            raise ModelError(
                f"Responses up to horizon {last} were asked for; {type(self).__name__} was built"
                f" for 0 to {self.horizon}."
            )
        if isinstance(theta, list):
            return self._gathered(theta, world_id, last)
        groups = self._groups(theta, world_id)
        theta = theta.to(self.precision(theta))
        parts = [
            self._of_one_world(theta if rows is None else theta[rows], world, last)
            for world, rows in groups
        ]
        if apart:
            return parts
        if len(parts) == 1:
            return parts[0]
        shocks = max(part.shape[1] for part in parts)
        observables = max(part.shape[3] for part in parts)
        padded = [
            nn.functional.pad(
                part, (0, observables - part.shape[3], 0, 0, 0, shocks - part.shape[1])
            )
            for part in parts
        ]
        order = torch.cat([rows for _, rows in groups if rows is not None])
        return torch.cat(padded)[torch.argsort(order)]

    def _gathered(self, pieces: list[Tensor], worlds: str | list[str], last: int) -> list[Tensor]:
        if isinstance(worlds, str) or len(worlds) != len(pieces):
            raise ModelError(f"theta comes in {len(pieces)} pieces; the worlds are {worlds}.")
        precision = self.precision(pieces[0]) if pieces else None
        for theta, world in zip(pieces, worlds, strict=True):
            self._refuse_misfit(theta, world)
        return [
            self._of_one_world(theta.to(precision), world, last)
            for theta, world in zip(pieces, worlds, strict=True)
        ]

    def precision(self, theta: Tensor) -> torch.dtype:
        """What the network computes in: its first weight's type, or that of theta if it has no
        weights.
        """
        return next(self.parameters(), theta).dtype

    def alone(self, world: str) -> nn.Module:
        """The network for one world, without choices that depend on data, as exporters need it:
        theta (B, P) to responses (B, S, H+1, O).
        """
        return OneWorld(self, world)

    def _of_one_world(self, theta: Tensor, world: str, horizon: int) -> Tensor:
        n_parameters, n_shocks = self._dims(world)
        n_observables = self.observable_dims.get(world)
        if self.normaliser.fitted:
            n_shocks, n_observables = self.normaliser.responses(world)
        if theta.shape[1] > n_parameters:
            theta = theta[:, :n_parameters]
        declared = self._declared.get(world)
        if declared is None:
            irf = self.natural(theta, world, horizon)
        else:
            irf = self.exact(theta, world, horizon, declared.to(theta.device))
        if irf.shape[1] != n_shocks or irf.shape[2] != horizon + 1:
            irf = irf[:, :n_shocks, : horizon + 1]
        if n_observables is not None and irf.shape[3] != n_observables:
            irf = irf[..., :n_observables]
        return irf.to(theta.dtype)

    def exact(self, theta_BP: Tensor, world: str, horizon: int, declared: Declared) -> Tensor:
        """Responses (B, S, H+1, O) as of `natural`, with what the world declares."""
        mean_P = self.normaliser.statistics(world).theta_mean.to(theta_BP)
        asked_KBP = declared.questions(theta_BP, mean_P)
        answers = self.natural(asked_KBP.flatten(0, 1), world, horizon)
        answers_KBSHO = answers.unflatten(0, (declared.sets, -1))
        observables = declared.read_KSO.shape[2]
        return declared.assembled(
            [
                answer_BSHO[:, shocks, : horizon + 1, :observables]
                for answer_BSHO, shocks in zip(answers_KBSHO, declared.shocks, strict=True)
            ]
        )

    def _dims(self, world: str) -> tuple[int, int]:
        if world not in self.param_dims:
            raise ModelError(
                f"This network has no world '{world}'. {nearest(world, self.param_dims)}"
            )
        return self.param_dims[world], self.shock_dims[world]

    def _groups(self, theta: Tensor, world_id: str | list[str]) -> list[tuple[str, Tensor | None]]:
        """Each world of the batch with its rows; None stands for all of them."""
        if isinstance(world_id, str):
            rows_of: dict[str, list[int]] = {world_id: []}
        else:
            if theta.ndim == 2 and len(world_id) != theta.shape[0]:
                raise ModelError(
                    f"world_id names {len(world_id)} worlds for {theta.shape[0]} rows of theta."
                )
            rows_of = rows_by_world(world_id)
        if not rows_of:
            raise ModelError("A batch without rows needs the name of its world, not an empty list.")
        for world in rows_of:
            self._refuse_misfit(theta, world)
        if len(rows_of) == 1:
            return [(world, None) for world in rows_of]
        return [(world, torch.tensor(rows, device=theta.device)) for world, rows in rows_of.items()]

    def _refuse_misfit(self, theta: Tensor, world: str) -> None:
        if theta.ndim != 2:
            raise ModelError(f"theta must be (batch, parameters); found {tuple(theta.shape)}.")
        n_parameters = self._dims(world)[0]
        if theta.shape[1] < n_parameters:
            raise ModelError(
                f"World '{world}' has {n_parameters} parameters; theta has {theta.shape[1]}"
                " columns."
            )


class OneWorld(nn.Module):
    """A network that has been told its world. Its weights are the network's own, not copies."""

    def __init__(self, network: EmulatorModel, world: str) -> None:
        super().__init__()
        self.network, self.world = network, world

    def forward(self, theta: Tensor) -> Tensor:
        return self.network(theta, self.world)


def rows_by_world(world_ids: list[str]) -> dict[str, list[int]]:
    """The rows of each world of a mixed batch, worlds in the order of their first rows."""
    rows: dict[str, list[int]] = {}
    for row, world in enumerate(world_ids):
        rows.setdefault(world, []).append(row)
    return rows


def mlp(sizes: list[int], dropout: float = 0.0) -> nn.Sequential:
    """Linear layers of these sizes with SiLU (and dropout) between them; the last layer is
    linear.
    """
    for width in sizes:
        if not isinstance(width, int) or isinstance(width, bool) or width < 1:
            raise ModelError(
                "Layers of a network have widths that are whole numbers of at least 1; found"
                f" {width!r:.50}."
            )
    if not 0 <= dropout < 1:
        raise ModelError(f"dropout is a share of at least 0 and below 1; found {dropout}.")
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes[:-1]):
        layers += [nn.Linear(inputs, outputs), nn.SiLU()]
        if dropout:
            layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))
