"""Hard draws: further draws for training alone, where responses are large or bend most, as they do
near the border of determinacy.

A few draws in a thousand hold most of a network's squared error: those whose responses are large,
those near draws without a solution, and those near a pole. Of `OF` draws of the prior for each that
is wanted, draws are kept with probabilities in proportion to

    size / mean size + bend / mean bend,    size = |y(theta)|,
    bend = |y(theta + d) - 2 y(theta) + y(theta - d)|,    d = STEP (theta' - theta''),

norms over all responses in units of their standard deviations, theta' and theta'' two other draws.
Where a neighbour has no solution the bend counts as `REFUSED` times its mean. So that scores stay
those of the prior, hard draws are in no split but `train_hard`, and none of them lies in a held-out
region. Axes: n draw, P parameter, S shock, H horizon, O observable.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import numpy as np

from emulator.data.schema import Region
from emulator.data.splits import held_out
from emulator.data.streams import stream
from emulator.errors import DatasetError
from emulator.worlds import World

OF = 12
"""Draws of the prior among which each hard draw is chosen."""

STEP = 0.05
"""Distance of a draw's two neighbours, as a share of the distance of two draws of the prior."""

REFUSED = 20.0
"""Bend of a draw with a neighbour that has no solution, in mean bends."""

REFERENCE = 2048
"""Draws from which standard deviations, the mean size and the mean bend of a world come."""

SILENT = 1e-9
"""Standard deviation, as a share of the largest, below which a response never moves."""

BLOCK = 2048
"""Draws whose responses are in memory at once."""


class Measure(NamedTuple):
    """What makes sizes and bends of a world's draws comparable: the inverse standard deviations
    (S, 1, O) of its responses, the mean size and the mean bend.
    """

    inverse: np.ndarray
    size: float
    bend: float


def hard_draws(
    world: World, n: int, horizon: int, regions: Mapping[str, Region], rng: np.random.Generator
) -> np.ndarray:
    """n hard draws theta (n, P), float64 values that float32 holds exactly, outside the held-out
    regions.

    Raises `NoSolutionError` as `World.draw` does, and `DatasetError` where hardly any draw lies
    outside the regions.
    """
    theta = world.draw(OF * n, rng).theta
    theta = theta[held_out(world.spec, dict(regions), theta) == 0]
    measure = _measure(world, horizon)
    weight = np.concatenate(
        [
            _weights(world, theta[first : first + BLOCK], horizon, measure, rng)
            for first in range(0, len(theta), BLOCK)
        ]
    )
    # The largest of log weights with Gumbel noise: a sample without replacement in proportion.
    with np.errstate(divide="ignore"):
        keys = np.log(weight) + rng.gumbel(size=len(weight))
    chosen = np.argsort(-keys, kind="stable")[:n]
    if len(chosen) < n or not np.isfinite(keys[chosen]).all():
        raise DatasetError(
            f"World '{world.spec.name}': of {OF * n} draws fewer than {n} lie outside the held-out"
            " regions and have an answer, so that no hard ones can be chosen."
        )
    return theta[np.sort(chosen)]


@cache
def _measure(world: World, horizon: int) -> Measure:
    """From draws in a stream of their own: the same for every shard and data set."""
    rng = stream(0, world.spec.name, "hard")
    theta = world.sample(REFERENCE, rng)
    irf = world.irf(theta, horizon, on_failure="nan")
    irf = irf[np.isfinite(irf).all(axis=(1, 2, 3))]
    deviation = irf.std(axis=(0, 2))
    alive = deviation > SILENT * deviation.max()
    inverse = np.where(alive, 1 / np.where(alive, deviation, 1.0), 0.0)[:, None]
    size = np.sqrt(np.square(irf * inverse).mean(axis=(1, 2, 3)))
    bend = _bends(world, theta, world.irf(theta, horizon, on_failure="nan"), inverse, rng)
    return Measure(inverse, float(size.mean()), float(bend[np.isfinite(bend)].mean()))


def _weights(
    world: World, theta: np.ndarray, horizon: int, measure: Measure, rng: np.random.Generator
) -> np.ndarray:
    """How much more often than in the prior each draw (n, P) is wanted, up to a factor; zero for
    a draw without an answer.
    """
    irf = world.irf(theta, horizon, on_failure="nan")
    size = np.sqrt(np.square(irf * measure.inverse).mean(axis=(1, 2, 3))) / measure.size
    bend = _bends(world, theta, irf, measure.inverse, rng) / measure.bend
    bend = np.where(np.isfinite(bend), bend, REFUSED)
    return np.where(np.isfinite(size), size + bend, 0.0)


def _bends(
    world: World,
    theta: np.ndarray,
    irf: np.ndarray,
    inverse: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Second differences (n,) of the responses (n, S, H+1, O) of draws (n, P), each along a random
    direction; NaN where a neighbour has no solution.
    """
    spec, n = world.spec, len(theta)
    step = STEP * (world.propose(n, rng) - world.propose(n, rng))
    horizon = irf.shape[2] - 1
    ahead, behind = (
        world.irf(np.clip(theta + sign * step, spec.low, spec.high), horizon, on_failure="nan")
        for sign in (1.0, -1.0)
    )
    return np.sqrt(np.square((ahead - 2 * irf + behind) * inverse).mean(axis=(1, 2, 3)))
