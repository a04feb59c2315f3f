"""What can be chosen and who answers: the network for the worlds it knows, each world's solver,
files from the page in processes of their own.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from emulator.errors import UnknownNameError, unknown_name
from emulator.explorer.fit import Fit
from emulator.explorer.state import Scenario
from emulator.explorer.uploads import Upload
from emulator.inference.economy import Economy
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


class Economies:
    """The worlds of the page.

    `network` may be None: then solvers alone answer. Threads may share it.
    """

    def __init__(self, network: Emulator | None, checkpoint: str = "universal") -> None:
        self.network, self.checkpoint = network, checkpoint
        self.fit: Fit | None = None  # data to draw responses over
        self.uploads: OrderedDict[str, Upload] = OrderedDict()
        self._solvers: dict[str, Economy] = {}
        self._seconds: dict[str, float] = {}
        self._kept: OrderedDict[Hashable, xr.Dataset] = OrderedDict()
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._keeping = threading.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        with self._keeping:
            return (*WORLDS, *self.uploads)

    def spec(self, world: str) -> WorldSpec:
        """What a world says of itself. Raises `UnknownNameError`."""
        return self.solver(world).spec

    def solver(self, world: str) -> Economy | Upload:
        """Who solves a world exactly.

        Raises `UnknownNameError`; files are reached through `add` alone, never by a path.
        """
        if world in self.uploads:
            return self.uploads[world]
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

    def add(self, upload: Upload) -> None:
        """Offer a file's world on the page, under a name that its content determines."""
        with self._keeping:
            known = self.uploads.pop(upload.name, None)
            if known is not None:
                known.close()
            self.uploads[upload.name] = upload
            while len(self.uploads) > MOST_UPLOADS:
                self.uploads.popitem(last=False)[1].close()

    def close(self) -> None:
        """End the processes of uploaded files."""
        with self._keeping:
            for upload in self.uploads.values():
                upload.close()

    def emulated(self, world: str) -> bool:
        """Whether the network knows this world, with these parameters and shocks."""
        if self.network is None or world not in WORLDS or world not in self.network.worlds:
            return False
        return self.spec(world).is_same_model(self.network.spec(world))

    def predicted(self, scenario: Scenario, horizon: int) -> xr.Dataset | None:
        """The network's answer; None where it does not know the world.

        Raises `ParameterError` for a size that has no meaning there.
        """
        if self.network is None or not self.emulated(scenario.world):
            return None
        network, values = self.network, dict(scenario.values)
        return self._once(
            ("network", scenario, horizon),
            self._locks["network"],
            lambda: network.irf(
                scenario.world,
                values,
                shocks=scenario.shock,
                size=scenario.size,
                horizon=horizon,
                on_failure="nan",
            ),
        )

    def solved(self, scenario: Scenario, horizon: int, patient: bool = True) -> xr.Dataset | None:
        """The exact answer; None where it is not known yet and would keep an impatient asker
        waiting. Raises `EmulatorError`.
        """
        key = ("exact", scenario, horizon)
        if patient or self._seconds.get(scenario.world, np.inf) <= AT_ONCE:
            return self._once(
                key, self._locks[scenario.world], lambda: self._solve(scenario, horizon)
            )
        with self._keeping:
            return self._kept.get(key)

    def _solve(self, scenario: Scenario, horizon: int) -> xr.Dataset:
        started = time.perf_counter()
        solver, values = self.solver(scenario.world), dict(scenario.values)
        found = solver.irf(
            values, shocks=scenario.shock, size=scenario.size, horizon=horizon, on_failure="nan"
        )
        if not bool(found["determinate"][0]):
            found.attrs["status"] = int(solver.status(values)[0])
        self._seconds[scenario.world] = time.perf_counter() - started
        return found

    def _once(
        self, key: Hashable, lock: threading.Lock, make: Callable[[], xr.Dataset]
    ) -> xr.Dataset:
        """A kept answer, or one that is made now; who asks for the same meanwhile waits for it."""
        with lock:
            with self._keeping:
                found = self._kept.get(key)
            if found is None:
                found = make()
                with self._keeping:
                    self._kept[key] = found
                    while len(self._kept) > MOST_ANSWERS:
                        self._kept.popitem(last=False)
        return found
