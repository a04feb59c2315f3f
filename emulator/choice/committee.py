"""Two kinds of emulators of the draws so far: how good the better is, and where they differ.

Axes: n draws, P parameters, S shocks, H+1 horizons, O observables.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import torch

from emulator.choice import fitting
from emulator.choice.kinds import KINDS
from emulator.choice.pool import Pool
from emulator.choice.scoring import Draws, Splits, answers_of
from emulator.models.base import EmulatorModel
from emulator.worlds import World

COMMITTEE = ("gp", "gp_shape")
CANDIDATES = 20
"""Proposals of which one is chosen."""

NEIGHBOURS = 8
SECONDS_A_DRAW = 0.02
"""Processor time of a fit, for each draw that it learns from."""


class Committee:
    """The emulators of a round, fitted when they are asked: a round that is told again needs
    none.
    """

    def __init__(self, world: World, pool: Pool, fresh: Pool) -> None:
        self.world, self.pool, self.fresh = world, pool, fresh

    @cached_property
    def _fitted(self) -> tuple[dict[str, EmulatorModel], Splits]:
        return fitted(self.world, self.pool, self.fresh)

    @property
    def networks(self) -> dict[str, EmulatorModel]:
        return self._fitted[0]

    @property
    def splits(self) -> Splits:
        return self._fitted[1]

    @property
    def error(self) -> float:
        """NRMSE of the better one on the fresh draws."""
        return min(
            self.splits.error(answers_of(network, self.splits, "test"), "test")
            for network in self.networks.values()
        )


def fitted(world: World, pool: Pool, fresh: Pool) -> tuple[dict[str, EmulatorModel], Splits]:
    """The committee fitted on the pool, with the fresh draws as test."""
    name = world.spec.name
    draws = {
        split: {name: Draws(part.theta.astype(np.float32), part.irf.astype(np.float32))}
        for split, part in (("train", pool), ("val", fresh), ("test", fresh))
    }
    splits = Splits({name: world.spec}, draws)
    networks = {
        kind: fitting.fit_regression(
            KINDS[kind], splits, max(1.0, SECONDS_A_DRAW * len(pool.theta)), 0
        )
        for kind in COMMITTEE
    }
    return networks, splits


def chosen(
    world: World,
    networks: Mapping[str, EmulatorModel],
    splits: Splits,
    pool: Pool,
    count: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Of `CANDIDATES` proposals each, the one (count, P) that would teach most."""
    name = world.spec.name
    proposals = world.propose(count * CANDIDATES, rng).astype(np.float32).astype(np.float64)
    theta = torch.from_numpy(proposals).float()
    with torch.inference_mode():
        one, other = (
            torch.cat([networks[kind](part, name) for part in theta.split(1024)]).numpy()
            for kind in COMMITTEE
        )
    sigma = splits.scales[name].sigma
    apart = np.sqrt(np.nanmean(((one - other) / sigma[None, :, None, :]) ** 2, axis=(1, 2, 3)))
    likely = _probability(pool, proposals)
    worth = np.where(likely >= 0.25, apart * (1 + 4 * likely * (1 - likely)), -1.0)
    best = worth.reshape(count, CANDIDATES).argmax(axis=1)
    return proposals.reshape(count, CANDIDATES, -1)[np.arange(count), best]


def _probability(pool: Pool, theta: np.ndarray) -> np.ndarray:
    """Share of the nearest draws that have a solution, (n,)."""
    if not len(pool.failed_theta):
        return np.ones(len(theta))
    known = np.concatenate([pool.theta, pool.failed_theta])
    has = np.arange(len(known)) < len(pool.theta)
    spread = known.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    left, right = theta / spread, known / spread
    squares = (left**2).sum(1)[:, None] + (right**2).sum(1) - 2 * left @ right.T
    nearest = np.argpartition(squares, min(NEIGHBOURS, len(known) - 1), axis=1)[:, :NEIGHBOURS]
    return has[nearest].mean(axis=1)
