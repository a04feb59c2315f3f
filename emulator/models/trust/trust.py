"""`Trust`: what travels with a network's weights and says when not to believe it.

Axes: B batch, P parameter, S shock, H horizon, O observable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from emulator.errors import ModelError
from emulator.models.normaliser import Normaliser, WorldStatistics
from emulator.models.trust.band import ErrorBand
from emulator.models.trust.determinacy import Determinacy, held_out
from emulator.models.trust.support import EmptyCorners, Remoteness
from emulator.spec import DETERMINATE_FROM, Status

EXTREME = 0.995
"""Share of the validation draws whose band is narrower than what raises the flag."""


class Evidence(NamedTuple):
    """What the trust in one world is made from, in natural units.

    theta_train (N, P); theta (n, P) and error (n, S, H+1, O), prediction minus truth, of draws that
    the network did not train on; verdict_theta (m, P) and status (m,) of draws of the prior before
    they were judged, or None.
    """

    theta_train: Tensor
    theta: Tensor
    error: Tensor
    verdict_theta: Tensor | None = None
    status: Tensor | None = None


class WorldTrust(nn.Module):
    """The parts for one world; `options` builds an empty one of the same shape."""

    widest: Tensor

    def __init__(self, band: Mapping[str, Any], corners: int, judges: bool) -> None:
        super().__init__()
        self.options = {"band": dict(band), "corners": corners, "judges": judges}
        self.band = ErrorBand(**band)
        self.corners = EmptyCorners(corners)
        self.remoteness = Remoteness(band["n_parameters"])
        self.determinacy = Determinacy(band["n_parameters"]) if judges else None
        self.register_buffer("widest", torch.zeros(()))

    @classmethod
    def assembled(
        cls,
        band: ErrorBand,
        corners: EmptyCorners,
        remoteness: Remoteness,
        determinacy: Determinacy | None,
    ) -> WorldTrust:
        part = cls(band.options, len(corners.column_Q2), determinacy is not None)
        part.band = band
        part.corners = corners
        part.remoteness = remoteness
        part.determinacy = determinacy
        return part


class Trust(nn.Module):
    """Error band, probability of a solution, and flags, for every world of a network.

    All take theta (B, >= P) in natural units, padded on the right, and the name of a world.
    """

    def __init__(self, worlds: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__()
        self.normaliser = Normaliser()
        self._position = {world: k for k, world in enumerate(worlds)}
        self.parts = nn.ModuleList(WorldTrust(**options) for options in worlds.values())

    @classmethod
    def fitted(
        cls,
        evidence: Iterable[tuple[str, Evidence]],
        statistics: Mapping[str, WorldStatistics],
        seed: int = 0,
    ) -> Trust:
        """Trust in a network from what it did on draws that it did not train on, a world at a time;
        the same seed gives the same numbers.

        statistics: of its training split. Raises `ModelError` if there are too few draws.
        """
        trust = cls({})
        trust.normaliser.fit(statistics)
        for number, (world, own) in enumerate(evidence):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                trust._position[world] = number
                trust.parts.append(trust._part(world, own, torch.Generator().manual_seed(seed)))
        return trust.eval().requires_grad_(False)

    def _part(self, world: str, evidence: Evidence, generator: torch.Generator) -> WorldTrust:
        statistics = self.normaliser.statistics(world)
        z = self.normaliser.theta(evidence.theta, world)
        band = ErrorBand.fitted(z, evidence.error, statistics.irf_scale, generator)
        determinacy = None
        if evidence.verdict_theta is not None and evidence.status is not None:
            verdict_z = self.normaliser.theta(evidence.verdict_theta, world)
            determinacy = Determinacy.fitted(verdict_z, evidence.status == Status.OK, generator)
        part = WorldTrust.assembled(
            band,
            EmptyCorners.fitted(evidence.theta_train),
            Remoteness.fitted(evidence.theta_train),
            determinacy,
        )
        part.widest = _relative_width(band(z), statistics).quantile(EXTREME)
        return part

    @staticmethod
    def held_out(n: int) -> slice:
        """Which of a world's n draws of the prior score the probability of a solution: the last
        fifth, which no fit sees.
        """
        return held_out(n)

    @property
    def content(self) -> dict[str, Any]:
        """Options and weights, as a checkpoint keeps them; `restored` reads them."""
        options = {
            world: part.options for world, part in zip(self._position, self.parts, strict=True)
        }
        return {"options": options, "weights": self.parts.state_dict()}

    @classmethod
    def restored(
        cls, content: Mapping[str, Any], statistics: Mapping[str, WorldStatistics]
    ) -> Trust:
        """The trust that `content` describes.

        Raises `KeyError`, `TypeError` or `RuntimeError` if it does not fit itself.
        """
        trust = cls(content["options"])
        trust.normaliser.fit(statistics)
        trust.parts.load_state_dict(content["weights"])
        return trust.eval().requires_grad_(False)

    def half_width(self, theta: Tensor, world: str) -> Tensor:
        """Half width (B, S, H+1, O), natural units, of the band around a prediction that holds the
        truth with probability 0.9.

        That is the share over draws like those of the training split, for each shock, horizon and
        observable; it is no promise for draws that are flagged. Zero where the network is exact.
        """
        return self._part_of(world).band(self.normaliser.theta(self._own(theta, world), world))

    def judges(self, world: str) -> bool:
        """Whether the data held verdicts of this world, so that `determinacy` is known."""
        return self._part_of(world).determinacy is not None

    def determinacy(self, theta: Tensor, world: str) -> Tensor:
        """Probability (B,) that the draw has a unique stable solution.

        Raises `ModelError` if the data held no verdicts.
        """
        part = self._part_of(world)
        if part.determinacy is None:
            raise ModelError(
                f"Nothing is known of determinacy in world '{world}': the network was calibrated on"
                " data without verdicts. Generate the data anew and calibrate again."
            )
        return part.determinacy(self.normaliser.theta(self._own(theta, world), world))

    def out_of_range(self, theta: Tensor, world: str) -> Tensor:
        """Which parameters (B, P) are beyond the smallest or largest value of the training split,
        bool.
        """
        return self.normaliser.outside(self._own(theta, world), world)

    def in_empty_corner(self, theta: Tensor, world: str) -> Tensor:
        """Which parameters (B, P) lie, two together, where the training split has no draw, bool."""
        return self._part_of(world).corners(self._own(theta, world))

    def far_out(self, theta: Tensor, world: str) -> Tensor:
        """Whether a draw (B,) lies farther out, all parameters together, than every draw of the
        training split, bool.
        """
        return self._part_of(world).remoteness.beyond(self._own(theta, world))

    def relative_width(self, theta: Tensor, world: str) -> Tensor:
        """Mean half width (B,) over all responses, in units of the responses' own scales."""
        return _relative_width(self.half_width(theta, world), self.normaliser.statistics(world))

    def flagged(self, theta: Tensor, world: str, placed: Tensor | None = None) -> Tensor:
        """Whether to doubt each draw (B,), bool: beyond the training data (each parameter, two
        together, all together), more likely than not without a solution, or a band wider than
        validation draws showed. placed (B, >= P): what is asked whether it is beyond them, by
        default the draws themselves (`EmulatorModel.as_learnt`).
        """
        placed = theta if placed is None else placed
        doubt = (
            self.out_of_range(placed, world).any(1)
            | self.in_empty_corner(placed, world).any(1)
            | self.far_out(placed, world)
        )
        doubt |= self.relative_width(theta, world) > self._part_of(world).widest
        if self.judges(world):
            doubt |= self.determinacy(theta, world) < DETERMINATE_FROM
        return doubt

    def _part_of(self, world: str) -> WorldTrust:
        self.normaliser.statistics(world)  # refuses worlds that are not known
        part = self.parts[self._position[world]]
        assert isinstance(part, WorldTrust)
        return part

    def _own(self, theta: Tensor, world: str) -> Tensor:
        """The world's own columns, float32 like the training data, so that a value of theirs is
        inside their range.
        """
        n_parameters = len(self.normaliser.statistics(world).theta_low)
        if theta.ndim != 2 or theta.shape[1] < n_parameters:
            raise ModelError(
                f"World '{world}' takes theta of shape (batch, {n_parameters}); found"
                f" {tuple(theta.shape)}."
            )
        return theta[:, :n_parameters].float()


def _relative_width(half_width_BSHO: Tensor, statistics: WorldStatistics) -> Tensor:
    return (half_width_BSHO / statistics.irf_scale[:, None]).mean((1, 2, 3))
