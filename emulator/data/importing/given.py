"""Draws as they were given: parameters, responses that are read a block at a time, names, units.

Axes: n draws, P parameters, S shocks, H+1 horizons, O observables.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from emulator.errors import DatasetError

BLOCK_BYTES = 1 << 25
"""Bytes of responses that are in memory at a time."""


class Responses(Protocol):
    """Responses (n, S, H+1, O) that are read a block of draws at a time, first to last."""

    @property
    def shape(self) -> tuple[int, int, int, int]: ...

    def read(self, start: int, stop: int) -> np.ndarray:
        """The responses of draws `start` to `stop`, (stop - start, S, H+1, O)."""
        ...


def blocks(responses: Responses) -> Iterator[tuple[int, int, np.ndarray]]:
    """First draw, one past the last, and the responses in single precision, block by block."""
    n, *rest = responses.shape
    rows = max(1, BLOCK_BYTES // (4 * int(np.prod(rest))))
    for start in range(0, n, rows):
        stop = min(n, start + rows)
        yield start, stop, single(np.asarray(responses.read(start, stop)))


def single(values: np.ndarray) -> np.ndarray:
    """Responses in single precision. Raises `DatasetError` for a number that it cannot hold: as
    infinity it would pass for a draw that failed.
    """
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32, copy=False)
    lost = np.isinf(narrow) & np.isfinite(values)
    if lost.any():
        raise DatasetError(
            f"A response is {values[lost][0]:g}, which single precision cannot hold. Give it in"
            " another unit, or NaN for all responses of a draw that failed."
        )
    return narrow


class Unread(ABC):
    """An array in a file, of which parts are read when they are asked for."""

    shape: tuple[int, ...]
    dtype: np.dtype

    @abstractmethod
    def __getitem__(self, rows: tuple[slice, ...]) -> np.ndarray: ...


class ArrayResponses:
    """Responses in an array, whatever the order of its axes.

    `order`: where sample, shock, horizon and observable stand in it, -1 for one of length one that
    it does not have.
    """

    def __init__(self, array: Any, order: tuple[int, ...]) -> None:
        self._array, self._order = array, order
        n, s, h, o = (1 if k < 0 else int(array.shape[k]) for k in order)
        self.shape = (n, s, h, o)

    def read(self, start: int, stop: int) -> np.ndarray:
        present = [k for k in self._order if k >= 0]
        if self._order[0] < 0:
            part = np.asarray(self._array)
        else:
            rows: list[slice] = [slice(None)] * len(present)
            rows[self._order[0]] = slice(start, stop)
            part = np.asarray(self._array[tuple(rows)])
        part = part.transpose(present)
        for axis, k in enumerate(self._order):
            if k < 0:
                part = np.expand_dims(part, axis)
        return part


class Scratch:
    """Responses (n, S, H+1, O) in a file of our own, in single precision.

    It is mapped anew for each use, so that pages that were seen do not stay in our memory.
    """

    def __init__(self, path: Path, shape: tuple[int, int, int, int]) -> None:
        self.path, self.shape = path, shape

    def opened(self, mode: Any = "r") -> np.memmap:
        return np.memmap(self.path, np.float32, mode, shape=self.shape)

    def read(self, start: int, stop: int) -> np.ndarray:
        return np.array(self.opened()[start:stop])


@dataclass(frozen=True)
class Given:
    """Draws as an array or a file holds them.

    theta (n, P) float64; status (n,) as it was given, None where it was not; units by name of
    observable or parameter, where they are known; `meanings` of shocks by name.
    """

    theta: np.ndarray
    responses: Responses
    parameters: tuple[str, ...]
    shocks: tuple[str, ...]
    observables: tuple[str, ...]
    status: np.ndarray | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    meanings: Mapping[str, str] = field(default_factory=dict)
    frequency: str | None = None
    origin: str = "arrays"
    sha256: str = ""
