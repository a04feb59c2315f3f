"""What a network says at given parameters, in batches: its responses, without gradients, threads
put back afterwards.

Axes: n draws, P parameters, S shocks, H+1 horizons, 3 observables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from emulator.errors import EvaluationError
from emulator.eval.guards import Network


def predict(
    network: Network,
    world: str,
    theta: np.ndarray,
    batch_size: int = 1024,
    device: str = "cpu",
    threads: int = 1,
) -> np.ndarray:
    """Responses (n, S, H+1, 3), natural units, of a network at theta (n, P), natural units, in
    batches.
    """
    with inference(network, device, threads) as target:
        return in_batches(lambda batch: network(batch, world), theta, batch_size, target)


def in_batches(
    answer: Callable[[Tensor], Tensor], theta: np.ndarray, batch_size: int, device: torch.device
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


@contextmanager
def inference(network: Network, device: str, threads: int) -> Iterator[torch.device]:
    """The network in evaluation mode on a device, without gradients; threads as they were
    afterwards.
    """
    before = torch.get_num_threads()
    try:
        target = torch.device(device)
        if isinstance(network, torch.nn.Module):
            network.to(target).eval()
    except (
        RuntimeError,
        AssertionError,
    ) as error:  # PyTorch says in either way that a device is not there
        raise EvaluationError(
            f"The device '{device}' cannot be used: {error}. Try --device cpu."
        ) from None
    if target.type == "meta":
        raise EvaluationError("The device 'meta' holds no numbers. Try --device cpu.")
    torch.set_num_threads(threads)
    try:
        with torch.inference_mode():
            yield target
    finally:
        torch.set_num_threads(before)
