"""Random streams keyed by what they are for, so that no two worlds, seeds, purposes or shards share
a draw.
"""

from __future__ import annotations

import hashlib

import numpy as np


def _key(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:4], "little")


def stream(seed: int, world: str, purpose: str, shard: int = 0) -> np.random.Generator:
    """The generator of (seed, world, purpose, shard): the same on every machine, whatever else was
    drawn before.
    """
    return np.random.Generator(
        np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(_key(world), _key(purpose), shard)))
    )
