"""This process: its place among several, its device, threads, random generators and signals.

Several processes train as one by PyTorch's DistributedDataParallel, started by torchrun (gloo on
CPUs, NCCL on GPUs).
"""

from __future__ import annotations

import ctypes
import inspect
import os
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from emulator.errors import TrainingError

SMALL_MODEL = 5_000_000
"""Parameters below which several PyTorch threads cost more than they bring."""


class Group:
    """This process's place among all that train together; alone, every operation is trivial."""

    def __init__(self) -> None:
        self.joined = dist.is_available() and dist.is_initialized()
        self.rank = dist.get_rank() if self.joined else 0
        self.size = dist.get_world_size() if self.joined else 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files and shows progress."""
        return self.rank == 0

    def sum(self, values: Tensor) -> Tensor:
        """Sum over processes, the same bits in each."""
        if self.size > 1:
            dist.all_reduce(values)
        return values

    def any(self, flag: bool) -> bool:
        """Whether the flag is up in any process."""
        return bool(self.sum(torch.tensor([float(flag)]))[0] > 0) if self.size > 1 else flag

    def gather(self, thing: Any) -> list[Any]:
        """Everyone's thing, by rank, in every process."""
        if self.size == 1:
            return [thing]
        things: list[Any] = [None] * self.size
        dist.all_gather_object(things, thing)
        return things

    def barrier(self) -> None:
        """Wait for every process; by a sum on the CPU, since PyTorch's own barrier guesses a GPU
        and warns of it.
        """
        self.sum(torch.zeros(1))

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model whose gradients are averaged over processes.

        A world may be missing from one process's share of a batch.
        """
        if self.size == 1:
            return model
        # Newer releases of PyTorch have another name for the option that leaves buffers alone.
        options = inspect.signature(DistributedDataParallel).parameters
        name = "forward_sync_buffers" if "forward_sync_buffers" in options else "broadcast_buffers"
        buffers: dict[str, Any] = {name: False}
        return DistributedDataParallel(SomeUnused(model), find_unused_parameters=True, **buffers)


class SomeUnused(nn.Module):
    """A network beside a weight that nothing uses.

    A batch may lack a world, whose weights then go unused; PyTorch looks for such weights, and
    warns where it finds none.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, *arguments: Any, **options: Any) -> Any:
        return self.network(*arguments, **options)


def unwrapped(model: nn.Module) -> nn.Module:
    """The network itself, whether `Group.wrap` wrapped it or not."""
    return model.module.network if isinstance(model, DistributedDataParallel) else model


@contextmanager
def process_group(device: str) -> Iterator[Group]:
    """Join the processes that torchrun started, for the length of a run; a single process joins
    nothing.

    `device` as in the configuration: on CUDA each process takes the GPU of its local rank.
    """
    started = (
        "RANK" in os.environ
        and int(os.environ.get("WORLD_SIZE", "1")) > 1
        and not dist.is_initialized()
    )
    if started:
        cuda = device.startswith("cuda") or (device == "auto" and torch.cuda.is_available())
        if cuda:
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo")
        # The destructor of a gloo group waits, holding the interpreter's lock, for a thread that
        # may itself wait for that lock to drop a tensor: a run could hang at its end. So the group
        # is never destructed.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(dist.group.WORLD))
    try:
        yield Group()
    finally:
        if started:
            dist.destroy_process_group()


def choose_device(name: str, group: Group) -> torch.device:
    """The device of a configuration's name. Raises `TrainingError` for one that is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise TrainingError(
            f"The device '{name}' cannot be used: {str(error).splitlines()[0]}"
        ) from None
    if device.type == "meta":
        raise TrainingError("The device 'meta' holds no numbers; use cpu or cuda.")
    if device.type == "cuda" and group.size > 1:
        return torch.device("cuda", torch.cuda.current_device())
    return device


@contextmanager
def threads(model: nn.Module, wanted: int) -> Iterator[None]:
    """PyTorch's thread count for a run, 0 for what suits the network; what it was before comes back
    afterwards.
    """
    before = torch.get_num_threads()
    small = sum(p.numel() for p in model.parameters()) < SMALL_MODEL
    torch.set_num_threads(wanted or (1 if small else before))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def seed_everything(seed: int) -> None:
    """Seed Python's, NumPy's and PyTorch's global generators."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002  (users' data sets may draw from it)
    torch.manual_seed(seed)


def random_state() -> dict[str, Any]:
    """The states of the global generators: tensors, lists and numbers only."""
    version, internal, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state()  # noqa: NPY002
    return {
        "python": [version, list(internal), gauss],
        "numpy": [
            name,
            torch.from_numpy(np.asarray(keys, dtype=np.int64)),
            int(position),
            int(has_gauss),
            float(cached),
        ],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state() if torch.cuda.is_initialized() else None,
    }


def set_random_state(state: dict[str, Any]) -> None:
    """Put the generators back into a state that `random_state` gave."""
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))
    name, keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), position, has_gauss, cached))  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    if state["cuda"] is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])


class Interrupt:
    """A context in which `caught` is the number of the signal that asked to stop, or None."""

    def __init__(self) -> None:
        self.caught: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._catch)
        return self

    def _catch(self, number: int, frame: FrameType | None) -> None:
        if self.caught is not None:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.caught = number

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
