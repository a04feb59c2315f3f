"""Draws of a world with their responses, and those without a solution beside them.

Axes: n draws, P parameters, S shocks, H+1 horizons, O observables.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emulator.data.shards import check_ranges
from emulator.spec import Status
from emulator.worlds import World


@dataclass
class Pool:
    """theta (n, P) and responses (n, S, H+1, O) of draws with a solution, and theta and status of
    those without.
    """

    theta: np.ndarray
    irf: np.ndarray
    failed_theta: np.ndarray
    failed_status: np.ndarray

    def add(self, other: Pool) -> Pool:
        return joined([self, other])


def joined(pools: Sequence[Pool]) -> Pool:
    """The draws of several pools, in their order."""
    return Pool(
        np.concatenate([pool.theta for pool in pools]),
        np.concatenate([pool.irf for pool in pools]),
        np.concatenate([pool.failed_theta for pool in pools]),
        np.concatenate([pool.failed_status for pool in pools]),
    )


def drawn(world: World, count: int, horizon: int, rng: np.random.Generator) -> tuple[Pool, float]:
    """Accepted draws of the prior, solved, and processor time a draw.

    A draw that is accepted and has no responses to this horizon counts as one that did not
    converge. Raises `NoSolutionError` where that is so of all.
    """
    began = time.process_time()
    draws = world.draw(count, rng)
    check_ranges(world.spec, draws.theta)
    irf = world.irf(draws.theta, horizon, on_failure="nan")
    good = np.isfinite(irf).all(axis=(1, 2, 3))
    if not good.any():
        world.irf(draws.theta, horizon)  # says why
    late = np.full(int((~good).sum()), Status.NOT_CONVERGED, dtype=np.uint8)
    pool = Pool(
        draws.theta[good],
        irf[good],
        np.concatenate([draws.rejected_theta, draws.theta[~good]]),
        np.concatenate([draws.rejected_status, late]),
    )
    return pool, (time.process_time() - began) / count


def solved(world: World, theta: np.ndarray, horizon: int) -> Pool:
    """Given draws (n, P) with their responses, those without a solution apart."""
    status = world.status(theta)
    irf = world.irf(theta, horizon, on_failure="nan")
    status[(status == Status.OK) & ~np.isfinite(irf).all(axis=(1, 2, 3))] = Status.NOT_CONVERGED
    good = status == Status.OK
    return Pool(theta[good], irf[good], theta[~good], status[~good])
