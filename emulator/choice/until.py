"""Drawing until an emulator is good enough, or until it is plain that it will not be.

Every draw is solved once. Draws that no emulator has seen score it first and teach the next one
after that. Where draws are dear some of the new ones are chosen: where two kinds of emulators
disagree most, all the more where it is open whether there is a solution (query by committee:
Seung, Opper and Sompolinsky, 1992, doi:10.1145/130385.130417).

What is drawn, how well it did and what is chosen next is kept step by step (`Journal`): a drawing
that was interrupted is told again from its beginning, without the work.

Axes: n draws, P parameters, S shocks, H+1 horizons, O observables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from emulator.choice.committee import Committee, chosen
from emulator.choice.journal import Journal
from emulator.choice.pool import Pool, drawn, joined, solved
from emulator.choice.rounds import hopeless, next_draws, reason_of
from emulator.choice.scoring import fractions_for
from emulator.console import say
from emulator.data import DataSet, Fractions, open_dataset
from emulator.data.importing.arrays import given_arrays
from emulator.data.importing.place import check_free, the_place
from emulator.data.importing.write import Plan, SolvedHere, put_dataset
from emulator.data.meter import Line
from emulator.data.schema import Until
from emulator.data.storage import Folder
from emulator.data.store import MANIFEST
from emulator.data.streams import stream
from emulator.data.wanted import last_horizon, wanted_world
from emulator.errors import ConfigError
from emulator.models.trained import one_thread
from emulator.progress import progress
from emulator.spec import IRF_AXES, Status
from emulator.version import __version__
from emulator.worlds import Source, World, is_path
from emulator.worlds.calls import listening

DEAR = 0.02
"""Seconds of processor time a draw from which draws are chosen."""

FRESH_SHARE, LEAST_FRESH = 0.25, 25
PART = 16
"""Draws of a dear world that are solved and kept at a time: what an interruption loses at most."""

PURPOSE = "until"


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
    world: str | Path | World,
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
    choose draws, by default where a draw takes more than `DEAR` seconds; fractions: by default the
    usual ones, with nine draws in `val` at least, which an emulator needs. The same request goes on
    with what an interrupted one has drawn, and opens what a finished one has. Raises `ConfigError`,
    `DatasetError`.
    """
    opened = wanted_world(world)
    _check_request(opened, error, most)
    place = the_place(output)
    source = None if isinstance(world, World) or not is_path(world) else opened.source
    drawing = _Drawing(
        world=opened,
        source=source,
        error=error,
        most=most,
        horizon=last_horizon([opened], horizon),
        seed=seed,
        choose=choose,
        fractions=fractions,
        journal=Journal(place),
    )
    with place.sole_writer(), one_thread():
        finished = None if overwrite else drawing.finished_at(place)
        return finished or drawing.run(place, overwrite)


def _check_request(world: World, error: float, most: int) -> None:
    if not 0 < error < 1:
        raise ConfigError(
            f"--until is {error:g}; expected an NRMSE between 0 and 1, such as 0.01: the root mean"
            " square error in standard deviations of the responses."
        )
    first = first_draws(world)
    if most < 2 * first:
        raise ConfigError(
            f"At most {most} draws were allowed; --until begins with {first} of '{world.spec.name}'"
            f" and needs room for twice as many. Raise --n_samples."
        )


def first_draws(world: World) -> int:
    """Draws that teach the first emulator."""
    return max(60, 2 * world.spec.n_parameters)


@dataclass
class _Drawing:
    """One request, and how far it has come."""

    world: World
    source: Source | None
    error: float
    most: int
    horizon: int
    seed: int
    choose: bool | None
    fractions: Fractions | None
    journal: Journal
    outcome: Outcome = field(default_factory=Outcome)

    @cached_property
    def request(self) -> dict[str, object]:
        """All that decides the draws."""
        return {
            "world": self.world.spec.name,
            "spec": self.world.spec.sha256,
            "until": self.error,
            "n_samples": self.most,
            "horizon": self.horizon,
            "seed": self.seed,
            "choose": self.choose,
            "fractions": None if self.fractions is None else self.fractions.model_dump(),
            "made_by": __version__,
        }

    def finished_at(self, place: Folder) -> Outcome | None:
        """The outcome of this very request, where its data set is there."""
        if not place.exists(MANIFEST):
            return None
        data, name = open_dataset(place), self.world.spec.name
        request = data.manifest.request
        if name not in request.until:
            return None
        until = request.until[name]
        same = (
            (until.error, until.most, request.horizon, request.seed)
            == (self.error, self.most, self.horizon, self.seed)
            and request.specs_sha256[name] == self.world.spec.sha256
            and self.fractions in (None, request.fractions)
            and request.made_by == __version__
            and self.choose in (None, until.choosing)
        )
        if not same:
            return None
        rounds = list(until.rounds)
        reason = reason_of(rounds, self.error, self.most)
        return Outcome(rounds, rounds[-1][1] <= self.error, reason, data)

    def run(self, place: Folder, overwrite: bool) -> Outcome:
        if overwrite or not self.journal.begun:
            self.journal.close()
            check_free(place, overwrite)  # before the work of drawing
        self.journal.open(self.request, overwrite=False)
        pool, seconds = self._drawn("first", first_draws(self.world))
        choosing = seconds > DEAR if self.choose is None else self.choose
        while not self.outcome.reason:
            pool = self._round(pool, choosing)
        self.outcome.reached = self.outcome.rounds[-1][1] <= self.error
        until = Until(
            error=self.error,
            most=self.most,
            choosing=choosing,
            rounds=tuple(self.outcome.rounds),
        )
        self.outcome.data = _written(self, pool, place, until)
        self.journal.close()
        return self.outcome

    def _round(self, pool: Pool, choosing: bool) -> Pool:
        """Fit on all draws so far, score on fresh ones, and draw more; the pool with all of
        them.
        """
        rounds, most, n = self.outcome.rounds, self.most, len(pool.theta)
        number = len(rounds) + 1
        count = min(max(LEAST_FRESH, int(FRESH_SHARE * n)), most - n)
        fresh, _ = self._drawn(f"fresh_{number}", count)
        committee = Committee(self.world, pool, fresh)
        reached = float(
            self.journal.step(f"error_{number}", lambda: {"error": np.array(committee.error)})[
                "error"
            ]
        )
        rounds.append((n, reached))
        say(f"{n} draws: error {reached:.4f} on {len(fresh.theta)} fresh draws")
        pool = pool.add(fresh)
        room = most - LEAST_FRESH - len(pool.theta)  # the next emulator is scored on fresh draws
        if reached <= self.error or room < 1 or hopeless(rounds, self.error, most):
            self.outcome.reason = reason_of(rounds, self.error, most)
            return pool
        wanted = next_draws(rounds, self.error, n)
        more = int(min(max(wanted - len(pool.theta), LEAST_FRESH), room))
        if not choosing:
            return pool.add(self._drawn(f"more_{number}", more)[0])
        rng = stream(self.seed, self.world.spec.name, f"{PURPOSE} candidates", number)
        theta = self.journal.step(
            f"chosen_{number}",
            lambda: {
                "theta": chosen(self.world, committee.networks, committee.splits, pool, more, rng)
            },
        )["theta"]
        return pool.add(self._solved(f"chosen_{number}", theta))

    def _drawn(self, name: str, count: int) -> tuple[Pool, float]:
        """Draws of the prior and processor time a draw: part by part, each in a stream of its own,
        so that an interrupted run comes to the same ones.
        """

        def work(start: int, stop: int) -> dict[str, np.ndarray]:
            rng = stream(self.seed, self.world.spec.name, f"{PURPOSE} {name}", start)
            pool, seconds = drawn(self.world, stop - start, self.horizon, rng)
            return {**vars(pool), "seconds": np.array(seconds * (stop - start))}

        parts = self._in_parts(name, count, work)
        seconds = sum(float(part.pop("seconds")) for part in parts)
        return joined([Pool(**part) for part in parts]), seconds / count

    def _solved(self, name: str, theta: np.ndarray) -> Pool:
        """Given draws, solved part by part."""

        def work(start: int, stop: int) -> dict[str, np.ndarray]:
            return vars(solved(self.world, theta[start:stop], self.horizon))

        return joined([Pool(**part) for part in self._in_parts(name, len(theta), work)])

    def _in_parts(
        self, name: str, count: int, work: Callable[[int, int], dict[str, np.ndarray]]
    ) -> list[dict[str, np.ndarray]]:
        """The arrays of all parts, those that are kept read, each other one done and kept."""
        rows = count if self.world.draws_per_task >= 1000 else min(PART, self.world.draws_per_task)
        parts = []
        with progress() as display:
            line = Line(display, self.world.spec.name, count, "solving")
            for start in range(0, count, rows):
                stop = min(start + rows, count)
                with listening(line.hear):
                    arrays = self.journal.step(
                        f"{name}_from_{start}",
                        lambda start=start, stop=stop: work(start, stop),  # type: ignore[misc]
                    )
                parts.append(dict(arrays))
                line.finish(stop - start)
        return parts


def _written(drawing: _Drawing, pool: Pool, place: Folder, until: Until) -> DataSet:
    """All draws as a data set of the world. Raises `DatasetError`."""
    spec = drawing.world.spec
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
    plan = Plan(
        name=spec.name,
        seed=drawing.seed,
        fractions=drawing.fractions or fractions_for(len(pool.theta)),
        drop_duplicates=True,  # a prior of few values proposes the same draw again
        solved_here=SolvedHere(drawing.world, until, drawing.source),
    )
    return put_dataset(place, plan, lambda aside: arrays)
