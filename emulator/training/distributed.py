"""Several processes as one: PyTorch's DistributedDataParallel, started by torchrun (gloo on CPUs,
NCCL on GPUs).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel


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
        found: list[Any] = [None] * self.size
        dist.all_gather_object(found, thing)
        return found

    def barrier(self) -> None:
        if self.size > 1:
            dist.barrier()

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model whose gradients are averaged over processes.

        A world may be missing from one process's share of a batch.
        """
        if self.size == 1:
            return model
        return DistributedDataParallel(model, find_unused_parameters=True, broadcast_buffers=False)


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
    try:
        yield Group()
    finally:
        if started:
            dist.destroy_process_group()
