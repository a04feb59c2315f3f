"""A trained network with what is known of it: how far to trust it, and where it comes from.

Trust lies beside the network and not inside it: a module that carried the other as an attribute
would register its weights as its own, so that they would be trained, counted and saved with it.

Axes: n draw, P parameter, S shock, H horizon, O observable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from emulator.errors import DeviceError
from emulator.models import checkpoint as checkpoints
from emulator.models import shipped
from emulator.models.base import EmulatorModel
from emulator.models.checkpoint import Checkpoint
from emulator.models.trust import Trust
from emulator.spec import WorldSpec

BATCH = 1024
"""Draws predicted at a time, unless a call asks otherwise."""


@dataclass(frozen=True)
class TrainedNetwork:
    """A network, its trust (None until it is calibrated) and its origin (None where it was never
    read from a file).
    """

    network: EmulatorModel
    trust: Trust | None = None
    origin: Checkpoint | None = None

    def __repr__(self) -> str:
        calibrated = "calibrated" if self.trust is not None else "not calibrated"
        return (
            f"TrainedNetwork of {', '.join(self.world_specs)} ({type(self.network).__name__},"
            f" {self.n_weights:,} weights, {calibrated})"
        )

    @property
    def world_specs(self) -> Mapping[str, WorldSpec]:
        """The spec of each world that the network knows, as it was when the network was trained."""
        return self.network.world_specs

    @property
    def n_weights(self) -> int:
        """Number of the network's own weights, without those of its trust."""
        return sum(weight.numel() for weight in self.network.parameters())

    def flagged(self, theta: Tensor, world: str) -> Tensor:
        """Which draws (B,), of parameters (B, P) in natural units, its trust or the network itself
        doubts, bool. For calibrated networks.
        """
        assert self.trust is not None, "asked of calibrated networks only"
        placed = self.network.as_learnt(theta, world)
        return self.trust.flagged(theta, world, placed) | self.network.doubted(theta, world)

    @property
    def checkpoint(self) -> Checkpoint:
        """Its origin. Raises `CheckpointError` where it was never read from a file."""
        if self.origin is None:
            raise checkpoints.CheckpointError(
                "This network was not read from a checkpoint, so that nothing says where it comes"
                " from. Save it first, and load it."
            )
        return self.origin


def load(name_or_path: str | Path) -> TrainedNetwork:
    """A trained network in evaluation mode, from the name under which it ships, its file, or the
    folder of its run.

    Raises `UnknownNameError` for a name that does not ship, `CheckpointError` for a file that is
    missing, truncated, altered, or of a class that is not in the table of models.
    """
    with one_thread():
        return restored(shipped.read(shipped.find(name_or_path)))


def restored(origin: Checkpoint) -> TrainedNetwork:
    """The network of a checkpoint that was read. Raises `CheckpointError`."""
    return TrainedNetwork(checkpoints.restore(origin), checkpoints.trust_of(origin), origin)


def save(path: Path, trained: TrainedNetwork, report: Mapping[str, Any] | None = None) -> None:
    """Write a network with its trust as one checkpoint; report: of the calibration, kept with it.

    Raises `CheckpointError` for a network that was never read from a file, `OSError`.
    """
    content: dict[str, Any] = {}
    if trained.trust is not None:
        content = trained.trust.content | ({"report": dict(report)} if report is not None else {})
    checkpoints.save(path, replace(trained.checkpoint, trust=content))


def predict(
    trained: TrainedNetwork,
    world: str,
    theta: np.ndarray,
    *,
    horizon: int | None = None,
    batch_size: int = BATCH,
    device: str = "cpu",
    threads: int | None = None,
) -> np.ndarray:
    """Responses (n, S, H+1, O), float32, in the units of the world, at theta (n, P) in each
    parameter's own unit.

    horizon: the last one, by default the one that the network was built for; threads: of PyTorch,
    by default as many as are set. Raises `DeviceError` for a device that is not there.
    """
    with answering(trained, device, threads) as target:
        return in_batches(
            lambda batch: trained.network(batch, world, horizon), theta, target, batch_size
        )


def in_batches(
    answer: Callable[[Tensor], Tensor],
    theta: np.ndarray,
    device: torch.device,
    batch_size: int = BATCH,
) -> np.ndarray:
    """What `answer` gives for theta (n, P), a batch at a time: (n, ...), float32; truth values
    become 0 and 1.
    """
    parts = []
    for start in range(0, len(theta), batch_size):
        batch = torch.as_tensor(
            theta[start : start + batch_size], dtype=torch.float32, device=device
        )
        parts.append(answer(batch).float().cpu().numpy())
    return np.concatenate(parts)


def placed(trained: TrainedNetwork, device: str) -> torch.device:
    """Move a network and its trust to a device, in evaluation mode. Raises `DeviceError`."""
    try:
        target = torch.device(device)
        for module in (trained.network, trained.trust):
            if isinstance(module, torch.nn.Module) and not _is_there(module, target):
                module.to(target).eval()
    except (RuntimeError, AssertionError) as error:  # PyTorch says in either way that it is missing
        raise DeviceError(
            f"The device '{device}' cannot be used: {error}. Try --device cpu."
        ) from None
    if target.type == "meta":
        raise DeviceError("The device 'meta' holds no numbers. Try --device cpu.")
    return target


def _is_there(module: torch.nn.Module, target: torch.device) -> bool:
    """Whether nothing is left to do: for a single draw a walk over all modules takes longer, as it
    does to look for weights in a network that has none.
    """
    first = next(chain(module.buffers(), module.parameters()), None)
    return not module.training and first is not None and first.device == target


@contextmanager
def one_thread() -> Iterator[None]:
    """One PyTorch thread: for many small operations, among which several only wait for each
    other.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def answering(
    trained: TrainedNetwork, device: str = "cpu", threads: int | None = None
) -> Iterator[torch.device]:
    """The network in evaluation mode on a device, without gradients, with so many threads (as many
    as there are if None), which are put back afterwards. Raises `DeviceError`.
    """
    before = torch.get_num_threads()
    target = placed(trained, device)
    torch.set_num_threads(threads or before)
    try:
        with torch.inference_mode():
            yield target
    finally:
        torch.set_num_threads(before)
