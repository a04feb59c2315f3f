"""What a world itself says of data: priors, which variables are observed, with which errors of
measurement, and at which frequency.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from emulator.inference.answerer import Answerer
from emulator.worlds import get_world, is_known
from emulator.worlds.base import World
from emulator.worlds.priors import Prior


class About(NamedTuple):
    """priors by parameter; varobs: the variables that a `.mod` file observes; errors: standard
    deviations of their errors of measurement, as it gives them; frequency: of the data that fit,
    None where nobody said.
    """

    priors: Mapping[str, Prior]
    varobs: tuple[str, ...]
    errors: Mapping[str, float]
    frequency: str | None


def about(answerer: Answerer) -> About:
    """What the world behind an answerer says of data."""
    world = _world(answerer)
    data = getattr(world, "said_of_data", None)
    return About(
        priors=_priors(answerer, world),
        varobs=data.varobs if data else (),
        errors=data.errors if data else {},
        frequency=None if data else answerer.spec.frequency,
    )


def _world(answerer: Answerer) -> World | None:
    return getattr(answerer, "world", None) if answerer.exact else None


def _priors(answerer: Answerer, world: World | None) -> Mapping[str, Prior]:
    """The world's own, else uniform over each range that has ends."""
    spec = answerer.spec
    if world is None and is_known(spec.name):
        world = get_world(spec.name)
    own: Mapping[str, Prior] = getattr(world, "priors", {})
    if own:
        return own
    return {
        p.name: Prior(low=p.low, high=p.high)
        for p in spec.parameters
        if np.isfinite([p.low, p.high]).all()
    }
