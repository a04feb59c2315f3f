"""A trained network as users hold it: one economy for each world that it knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emulator.errors import UnknownNameError, unknown_name
from emulator.inference.economy import Economy
from emulator.inference.over_network import NetworkAnswerer
from emulator.models import shipped
from emulator.models.base import EmulatorModel
from emulator.models.checkpoint import Checkpoint
from emulator.models.trained import TrainedNetwork, load, placed
from emulator.models.trust import Trust
from emulator.spec import WorldSpec
from emulator.worlds import is_known, is_path, of_draws_alone

if TYPE_CHECKING:
    import xarray as xr


class Emulator:
    """A network that answers for the worlds it was trained on: `em["nk"]` is the economy of one.

    `network` is the PyTorch module itself, which takes and returns tensors, with gradients;
    `checkpoint` says where it comes from. beside: by world, the file of another network that
    answers for it in the place of this one, or that alone knows it; read when it is first asked.
    `alone` is the emulator without them.
    """

    def __init__(
        self,
        trained: TrainedNetwork | EmulatorModel,
        device: str = "cpu",
        beside: Mapping[str, Path] | None = None,
    ) -> None:
        self.trained = trained if isinstance(trained, TrainedNetwork) else TrainedNetwork(trained)
        self.device = placed(self.trained, device)
        self.beside = dict(beside or {})
        self._others: dict[str, TrainedNetwork] = {}
        self._economies: dict[str, Economy] = {}

    @classmethod
    def load(cls, name_or_path: str | Path = "universal", device: str = "cpu") -> Emulator:
        """From the name under which it ships, a file, or the folder of a run. A name brings the
        networks that ship beside it, the name with "-alone" after it does not.

        Raises `UnknownNameError`, `CheckpointError`, `DeviceError`.
        """
        return cls(load(name_or_path), device, shipped.beside(name_or_path))

    @property
    def alone(self) -> Emulator:
        """The network itself for each of its worlds, without those beside it."""
        return Emulator(self.trained, str(self.device)) if self.beside else self

    def answering(self, world: str) -> TrainedNetwork:
        """The network that answers for a world: one beside it, or itself. Raises
        `CheckpointError`.
        """
        if world not in self.beside:
            return self.trained
        if world not in self._others:
            other = load(self.beside[world])
            placed(other, str(self.device))
            self._others[world] = other
        return self._others[world]

    def __repr__(self) -> str:
        calibrated = "" if self.trust else ", not calibrated: no error band and no flags"
        others = "".join(f"; {world} by {file.parent.name}" for world, file in self.beside.items())
        name = type(self.network).__name__
        return f"Emulator of {', '.join(self.worlds)} ({name}{calibrated}{others})"

    def __getitem__(self, world: str) -> Economy:
        """The economy that the network answers for. Raises `UnknownNameError`."""
        self.spec(world)
        if world not in self._economies:
            answerer = NetworkAnswerer(self.answering(world), world, self.device)
            self._economies[world] = Economy(answerer)
        return self._economies[world]

    def __iter__(self) -> Iterator[str]:
        return iter(self.worlds)

    def __len__(self) -> int:
        return len(self.worlds)

    def __contains__(self, world: object) -> bool:
        return world in self.worlds

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.worlds)

    @property
    def network(self) -> EmulatorModel:
        return self.trained.network

    @property
    def worlds(self) -> tuple[str, ...]:
        """Names of the worlds that it knows, and of those that only a network beside it knows."""
        return tuple(dict.fromkeys([*self.network.world_specs, *self.beside]))

    @property
    def checkpoint(self) -> Checkpoint | None:
        """Where it comes from; None for a network that was never read from a file."""
        return self.trained.origin

    @property
    def trust(self) -> Trust | None:
        """Its bands and flags; None until it is calibrated (`emulator calibrate`)."""
        return self.trained.trust

    def spec(self, world: str) -> WorldSpec:
        """What a world says of itself, as it was when the network that answers for it was trained.

        Raises `UnknownNameError`.
        """
        if world not in self.worlds:
            error = unknown_name("world of this network", str(world), self.worlds)
            if is_path(world):
                raise UnknownNameError(
                    f"{error} A file is solved, not emulated: emulator.world({str(world)!r})"
                )
            if is_known(str(world)):
                raise UnknownNameError(
                    f"{error} Its solver answers: emulator.world({str(world)!r}), on the command"
                    " line --exact."
                )
            hint = of_draws_alone(str(world), error)
            raise UnknownNameError(f"{error} {hint}") if hint else error
        return self.answering(world).world_specs[world]

    def trained_range(self, world: str) -> tuple[np.ndarray, np.ndarray]:
        """Smallest and largest value of each parameter among the training draws, (P,) and (P,), in
        the parameter's own unit.
        """
        answerer = self[world].answerer
        assert isinstance(answerer, NetworkAnswerer)
        return answerer.trained_range

    def irf(self, world: str, *args: Any, **asked: Any) -> xr.Dataset:
        """`Economy.irf` of a world: em.irf("nk", kappa=0.1) is em["nk"].irf(kappa=0.1)."""
        return self[world].irf(*args, **asked)

    def jacobian(self, world: str, *args: Any, **asked: Any) -> xr.DataArray:
        """`Economy.jacobian` of a world."""
        return self[world].jacobian(*args, **asked)

    def sensitivity(self, world: str, *args: Any, **asked: Any) -> xr.Dataset:
        """`Economy.sensitivity` of a world."""
        return self[world].sensitivity(*args, **asked)

    def status(self, world: str, *args: Any, **asked: Any) -> np.ndarray:
        """`Economy.status` of a world."""
        return self[world].status(*args, **asked)

    def __dir__(self) -> Sequence[str]:
        return [name for name in super().__dir__() if not name.startswith("_")]
