"""Drawing until an emulator is good enough, or until it is plain that it will not be.

Every draw is solved once. Draws that no emulator has seen score it first and teach the next one
after that. Where draws are dear some of the new ones are chosen: where two kinds of emulators
disagree most, all the more where it is open whether there is a solution (query by committee:
Seung, Opper and Sompolinsky, 1992, doi:10.1145/130385.130417).

Axes: n draws, P parameters, S shocks, H+1 horizons, O observables.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from emulator.choice import fitting
from emulator.choice.curve import LearningCurve
from emulator.choice.kinds import KINDS
from emulator.choice.scoring import Draws, Splits, answers_of
from emulator.console import say
from emulator.data import DataSet, Fractions
from emulator.data.importing.arrays import given_arrays
from emulator.data.importing.write import Plan, check_free, write_dataset
from emulator.data.wanted import last_horizon
from emulator.errors import ConfigError, DatasetError
from emulator.models.base import EmulatorModel
from emulator.models.trained import one_thread
from emulator.spec import IRF_AXES, Status
from emulator.worlds import World

COMMAND = "emulator generate --until"
"""Where the draws of such a data set come from, as its manifest says."""

COMMITTEE = ("gp", "gp_shape")
DEAR = 0.02
"""Seconds of processor time a draw from which draws are chosen."""

CANDIDATES = 20
"""Proposals of which one is chosen."""

NEIGHBOURS = 8
FRESH_SHARE, LEAST_FRESH = 0.25, 25
MOST_FACTOR, LEAST_FACTOR = 2.0, 1.3
SECONDS_A_DRAW = 0.02
"""Processor time of a fit, for each draw that it learns from."""


@dataclass
class Pool:
    """All draws so far: theta (n, P) and responses (n, S, H+1, O) of those with a solution, and
    theta and status of those without.
    """

    theta: np.ndarray
    irf: np.ndarray
    failed_theta: np.ndarray
    failed_status: np.ndarray

    def add(self, other: Pool) -> Pool:
        return Pool(
            np.concatenate([self.theta, other.theta]),
            np.concatenate([self.irf, other.irf]),
            np.concatenate([self.failed_theta, other.failed_theta]),
            np.concatenate([self.failed_status, other.failed_status]),
        )


@dataclass
class Outcome:
    """How far the drawing came: draws that taught and error on fresh ones, round by round; why it
    ended; the data set.
    """

    rounds: list[tuple[int, float]] = field(default_factory=list)
    reached: bool = False
    reason: str = ""
    data: DataSet | None = None


def draw_until(
    world: World,
    error: float,
    output: str | Path,
    *,
    most: int = 10_000,
    horizon: int | None = None,
    seed: int = 42,
    choose: bool | None = None,
    fractions: Fractions | None = None,
    overwrite: bool = False,
) -> Outcome:
    """Draw, solve and fit until the NRMSE on fresh draws of the prior is at most `error`, and write
    the draws as a data set.

    most: draws with a solution at most; horizon: by default the world's own; choose: whether to
    choose draws, by default where a draw takes more than `DEAR` seconds.
    Raises `ConfigError`, `DatasetError`.
    """
    if not 0 < error < 1:
        raise ConfigError(
            f"--until is {error:g}; expected an NRMSE between 0 and 1, such as 0.01: the root mean"
            " square error in standard deviations of the responses."
        )
    first = max(60, 2 * world.spec.n_parameters)
    if most < 2 * first:
        raise ConfigError(
            f"At most {most} draws were allowed; --until begins with {first} of '{world.spec.name}'"
            f" and needs room for twice as many. Raise --n_samples."
        )
    if "://" in str(output):
        raise DatasetError(f"--output is {output}; with --until it is a folder of this machine.")
    check_free(output, overwrite)  # before the work of drawing
    horizon = last_horizon([world], horizon)
    rng = np.random.default_rng([seed, 0])
    outcome = Outcome()
    with one_thread():
        pool, seconds = drawn(world, first, horizon, rng)
        choosing = seconds > DEAR if choose is None else choose
        while not outcome.reason:
            pool = _round(world, error, most, horizon, choosing, rng, pool, outcome)
    outcome.data = _written(world, pool, output, seed, fractions, overwrite)
    return outcome


def _round(
    world: World,
    error: float,
    most: int,
    horizon: int,
    choosing: bool,
    rng: np.random.Generator,
    pool: Pool,
    outcome: Outcome,
) -> Pool:
    """Fit on all draws so far, score on fresh ones, and draw more; the pool with all of them."""
    n = len(pool.theta)
    count = min(max(LEAST_FRESH, int(FRESH_SHARE * n)), most - n)
    fresh, _ = drawn(world, count, horizon, rng)
    networks, splits = fitted(world, pool, fresh)
    reached = min(
        splits.error(answers_of(network, splits, "test"), "test") for network in networks.values()
    )
    outcome.rounds.append((n, reached))
    say(f"{n} draws: error {reached:.4f} on {len(fresh.theta)} fresh draws")
    pool = pool.add(fresh)
    if reached <= error:
        outcome.reached = True
        outcome.reason = f"The error on fresh draws is {reached:.4f}, at most {error:g}."
        return pool
    wanted = _next(outcome, error, n)
    last = outcome.rounds[-3:]
    hopeless = len(last) == 3 and _curve(last).draws_for(error) > 4 * most
    room = most - LEAST_FRESH - len(pool.theta)  # the next emulator is scored on fresh draws
    if room < 1 or hopeless:
        outcome.reason = _why_not(outcome, error, most)
        return pool
    more = int(min(max(wanted - len(pool.theta), LEAST_FRESH), room))
    if not choosing:
        return pool.add(drawn(world, more, horizon, rng)[0])
    theta = chosen(world, networks, splits, pool, more, rng)
    return pool.add(solved(world, theta, horizon))


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


def drawn(world: World, count: int, horizon: int, rng: np.random.Generator) -> tuple[Pool, float]:
    """Accepted draws of the prior, solved, and processor time a draw."""
    began = time.process_time()
    draws = world.draw(count, rng)
    irf = world.irf(draws.theta, horizon)
    seconds = (time.process_time() - began) / count
    return Pool(draws.theta, irf, draws.rejected_theta, draws.rejected_status), seconds


def solved(world: World, theta: np.ndarray, horizon: int) -> Pool:
    """Given draws (n, P) with their responses, those without a solution apart."""
    status = world.status(theta)
    good = status == Status.OK
    return Pool(theta[good], world.irf(theta[good], horizon), theta[~good], status[~good])


def _curve(rounds: list[tuple[int, float]]) -> LearningCurve:
    draws, errors = zip(*rounds, strict=True)
    return LearningCurve("the better of two", draws, errors)


def _next(outcome: Outcome, error: float, n: int) -> float:
    """How many draws the next emulator learns from: what the power law asks for, within a step that
    can be relied on.
    """
    if len(outcome.rounds) < 2:
        return MOST_FACTOR * n
    wanted = 1.05 * _curve(outcome.rounds[-3:]).draws_for(error)
    return min(max(wanted, LEAST_FACTOR * n), MOST_FACTOR * n)


def _why_not(outcome: Outcome, error: float, most: int) -> str:
    n, reached = outcome.rounds[-1]
    start = f"The error on fresh draws is {reached:.4f} with {n} draws, above {error:g}."
    if len(outcome.rounds) < 2:
        return f"{start} --n_samples allows no more than {most}."
    curve = _curve(outcome.rounds[-3:])
    needed = curve.draws_for(error)
    if not np.isfinite(needed):
        return (
            f"{start} It no longer falls with more draws: these kinds of emulators will not get"
            " there. A larger error, or a narrower prior, may do."
        )
    return (
        f"{start} It falls with the power -{curve.power:.2f} of their number, so that about"
        f" {needed:,.0f} would be needed; --n_samples allows {most}."
    )


def _written(
    world: World,
    pool: Pool,
    output: str | Path,
    seed: int,
    fractions: Fractions | None,
    overwrite: bool,
) -> DataSet:
    """All draws as a data set of the world. Raises `DatasetError`."""
    spec = world.spec
    failed = np.full((len(pool.failed_theta), *pool.irf.shape[1:]), np.nan)
    status = [Status.OK.label] * len(pool.theta)
    status += [Status(code).label for code in pool.failed_status]
    arrays = given_arrays(
        np.concatenate([pool.theta, pool.failed_theta]),
        np.concatenate([pool.irf, failed]),
        parameters=spec.parameter_names,
        shocks=spec.shock_names,
        observables=spec.observable_names,
        status=np.array(status),
        axes=IRF_AXES,
    )
    given = replace(arrays, origin=COMMAND)
    plan = Plan(
        name=spec.name,
        seed=seed,
        fractions=fractions or Fractions(),
        overwrite=overwrite,
        spec=spec,
    )
    return write_dataset(output, plan, lambda aside: given)
