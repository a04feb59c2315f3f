"""What can be chosen and who answers: the network for the worlds it knows, each world's solver,
files from the page in processes of their own.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from emulator.errors import ServerBusyError, UnknownNameError, unknown_name
from emulator.explorer.fit import Fit
from emulator.explorer.state import Scenario
from emulator.explorer.tables import Tables
from emulator.explorer.uploads import Upload
from emulator.inference.economy import Economy
from emulator.inference.shock_size import ShockSize, units_of
from emulator.spec import WorldSpec
from emulator.worlds import WORLDS

if TYPE_CHECKING:
    from emulator.inference.emulator import Emulator

AT_ONCE = 0.03
"""Seconds: a solver that took no longer is asked while a slider moves, others when it rests."""

MOST_UPLOADS, MOST_ANSWERS = 4, 256
"""Files from the page that are kept, each with its process, and answers that are kept; the oldest
go.
"""

READING_AT_ONCE, SLOW_AT_ONCE = 2, 5
"""Files that are read, and slow questions that are answered or wait for their turn. More of them
are refused at once, so that the server's other threads stay free for whoever moves a slider.
"""

LOOK_AGAIN = 0.1
"""Seconds between two looks at whether whoever waits for a turn is still there."""


class Economies:
    """The worlds of the page.

    `network` may be None: then solvers alone answer. Threads may share it.
    """

    def __init__(self, network: Emulator | None, checkpoint: str = "universal") -> None:
        self.network, self.checkpoint = network, checkpoint
        self.fit: Fit | None = None  # data to draw responses over
        self.tables = Tables()
        self._lock = threading.Lock()  # of all that follows
        self._uploads: OrderedDict[str, Upload] = OrderedDict()
        self._reading: list[Upload] = []
        self._closed = False
        self._solvers: dict[str, Economy] = {}
        self._seconds: dict[str, float] = {}
        self._answers = AnswerCache(MOST_ANSWERS)
        self._slow = threading.BoundedSemaphore(SLOW_AT_ONCE)

    @property
    def names(self) -> tuple[str, ...]:
        with self._lock:
            return (*WORLDS, *self._uploads)

    def spec(self, world: str) -> WorldSpec:
        """What a world says of itself. Raises `UnknownNameError`."""
        return self.solver(world).spec

    def upload(self, world: str) -> Upload | None:
        """The uploaded file of that world, where it is one."""
        with self._lock:
            return self._uploads.get(world)

    def solver(self, world: str) -> Economy | Upload:
        """Who solves a world exactly.

        Raises `UnknownNameError`; files are reached through `load` alone, never by a path.
        """
        upload = self.upload(world)
        if upload is not None:
            return upload
        if world not in WORLDS:
            if "-" in world:
                raise UnknownNameError(
                    f"The address is about the file '{world[:60]}', which was not loaded here. Load"
                    " the same .mod file (and mapping) below, and open the address again."
                )
            raise unknown_name("world", world[:60], self.names)
        if world not in self._solvers:
            self._solvers[world] = Economy.named(world)
        return self._solvers[world]

    def remarks(self, world: str) -> list[str]:
        """What belongs to every answer of an uploaded file; empty for other worlds."""
        upload = self.upload(world)
        return [] if upload is None else upload.remarks

    def load(self, upload: Upload) -> str:
        """Read a file and offer its world on the page, under the name that its content determines;
        the oldest files are given up. Returns the name.

        Raises `EmulatorError` for a file that cannot be read, `ServerBusyError`.
        """
        with self._lock:
            if upload.name in self._uploads:
                self._uploads.move_to_end(upload.name)
                return upload.name
            if self._closed or len(self._reading) >= READING_AT_ONCE:
                raise ServerBusyError(
                    "The explorer is reading other files just now. Load this one again in a moment."
                )
            self._reading.append(upload)
        try:
            upload.read()
        finally:
            with self._lock:
                self._reading.remove(upload)
        with self._lock:
            superfluous = []
            if self._closed or upload.name in self._uploads:
                superfluous.append(upload)
            else:
                self._uploads[upload.name] = upload
            while len(self._uploads) > MOST_UPLOADS:
                superfluous.append(self._uploads.popitem(last=False)[1])
        for old in superfluous:
            old.close()  # outside of the lock: ending a process takes a while
        return upload.name

    def close(self) -> None:
        """End the processes of uploaded files, also of those that are being read."""
        with self._lock:
            self._closed = True
            uploads = (*self._uploads.values(), *self._reading)
        for upload in uploads:
            upload.close()

    def emulated(self, world: str) -> bool:
        """Whether the network knows this world, with these parameters and shocks."""
        if self.network is None or world not in WORLDS or world not in self.network.worlds:
            return False
        return self.spec(world).is_same_model(self.network.spec(world))

    def predicted(self, scenario: Scenario, horizon: int) -> xr.Dataset | None:
        """The network's answer; None where it does not know the world, or the observable that a
        size is about.

        Raises `ParameterError` for a size that has no meaning there.
        """
        if self.network is None or not self.emulated(scenario.world):
            return None
        network = self.network
        on = ShockSize.read(scenario.size, units_of(self.spec(scenario.world))).on
        if on is not None and on not in network.spec(scenario.world).observable_names:
            return None
        return self._answers.once(
            ("network", scenario, horizon),
            "network",
            lambda: network.irf(
                scenario.world,
                dict(scenario.values),
                shocks=scenario.shock,
                size=scenario.size,
                horizon=horizon,
                on_failure="nan",
            ),
        )

    def solved(
        self,
        scenario: Scenario,
        horizon: int,
        patient: bool = True,
        gone: Callable[[], bool] = lambda: False,
    ) -> xr.Dataset | None:
        """The exact answer; None where it is not known yet and would keep an impatient asker
        waiting, or where a patient one has gone meanwhile.

        Raises `EmulatorError`, `ServerBusyError`.
        """
        answer: xr.Dataset | None = self.once(
            ("exact", scenario, horizon),
            scenario.world,
            lambda: self._solve(scenario, horizon),
            patient=patient,
            gone=gone,
        )
        return answer

    def once(
        self,
        key: Hashable,
        who: str,
        compute: Callable[[], Any],
        *,
        pace: str = "",
        at_once: float = AT_ONCE,
        patient: bool = True,
        gone: Callable[[], bool] = lambda: False,
    ) -> Any:
        """A kept answer, or one that `who` computes now; None as in `solved`. An impatient asker
        has it computed where the last answer of the same `pace` (by default: of who answers) took
        no longer than `at_once` seconds.
        """
        known = self._answers.known(key)
        if known is not None:
            return known
        pace = pace or who
        quick = self._seconds.get(pace, np.inf) <= at_once
        if not patient and not quick:
            return None
        slow = not quick or self.upload(who) is not None
        if slow and not self._slow.acquire(blocking=False):
            if not patient:
                return None
            raise ServerBusyError(
                "the explorer is solving other slow models just now; ask again in a moment."
            )

        def timed() -> Any:
            started = time.perf_counter()
            try:
                return compute()
            finally:
                self._seconds[pace] = time.perf_counter() - started

        try:
            return self._answers.once(key, who, timed, given_up=gone if patient else lambda: True)
        finally:
            if slow:
                self._slow.release()

    def _solve(self, scenario: Scenario, horizon: int) -> xr.Dataset:
        solver = self.solver(scenario.world)
        values = dict(scenario.values)
        answer = solver.irf(
            values, shocks=scenario.shock, size=scenario.size, horizon=horizon, on_failure="nan"
        )
        if not bool(answer["determinate"][0]):
            answer.attrs["status"] = int(solver.status(values)[0])
        return answer


class AnswerCache:
    """The last `most` answers by their questions. Whoever answers (a world's solver, the network)
    is asked one question at a time; threads may share the cache.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._answers: OrderedDict[Hashable, Any] = OrderedDict()
        self._turns: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._answers)

    def known(self, question: Hashable) -> Any:
        with self._lock:
            return self._answers.get(question)

    def once(
        self,
        question: Hashable,
        who: str,
        compute: Callable[[], Any],
        given_up: Callable[[], bool] = lambda: False,
    ) -> Any:
        """A kept answer, or one that is computed now; who asks for the same meanwhile waits for it.

        None where `given_up` is true before it is the question's turn.
        """
        with self._lock:
            turn = self._turns.setdefault(who, threading.Lock())
        while not turn.acquire(timeout=LOOK_AGAIN):
            if given_up():
                return None
        try:
            answer = self.known(question)
            if answer is None:
                answer = compute()
                self._keep(question, answer)
            return answer
        finally:
            turn.release()

    def _keep(self, question: Hashable, answer: Any) -> None:
        with self._lock:
            self._answers[question] = answer
            while len(self._answers) > self.most:
                self._answers.popitem(last=False)
