"""What a checkpoint must be to be believed: plain types, finite numbers of plausible size, a
network no larger than the file that describes it.

The seal of a file says that it was not altered since it was written, not that it makes sense.
"""

from __future__ import annotations

import math
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from emulator.errors import CheckpointError
from emulator.models.normaliser import WorldStatistics
from emulator.spec import WorldSpec

LARGEST_FILE = 16 * 2**30
LONGEST_HORIZON = 10_000
LARGEST_SETTING = 10**8
LARGEST_MOMENT = 1e18
"""Of means and standard deviations: their squares are still numbers in single precision."""

MOST_ENTRIES = 10**6
DEEPEST = 50

SPARE_NUMBERS = 10**7
SPARE_TENSORS = 20_000
"""What a network may allocate while it is built, beyond four times the weights in its file."""

LARGEST_ANSWER = 1e6
"""At the mean of its training draws, in multiples of the world's largest standard deviation of a
response: trained networks stay below ten there.
"""

NUMBERS = {
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
    *(torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.bool),
}
"""What tensors of our files consist of."""

FACTORIES = {
    torch.arange,
    torch.empty,
    torch.eye,
    torch.full,
    torch.ones,
    torch.rand,
    torch.randn,
    torch.zeros,
}


def refuse_other_than_files(place: Path) -> None:
    """Raise `CheckpointError` for a pipe, a device or a file too large to be a network."""
    status = place.stat()
    if stat.S_ISDIR(status.st_mode):
        return  # reading it says so
    if not stat.S_ISREG(status.st_mode):
        raise CheckpointError(
            f"{place} is a pipe or a device; expected a file that holds a trained network."
        )
    if status.st_size > LARGEST_FILE:
        raise CheckpointError(
            f"{place} has {status.st_size} bytes; a trained network has at most {LARGEST_FILE}."
        )


def refuse_unsound(raw: Mapping[str, Any], place: Path, size: int) -> None:
    """Raise `CheckpointError` for content of wrong types or with numbers that cannot be, in a file
    of `size` bytes.
    """
    try:
        _check(raw, size)
    except KeyError as error:
        raise CheckpointError(
            f"{place} lacks what a checkpoint of this format holds: {error} is missing."
        ) from None
    except (AttributeError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{place} is no checkpoint to be believed: {error}. Train again, or restore it."
        ) from None


def _check(raw: Mapping[str, Any], size: int) -> None:
    _expect_bounded(raw)
    for key in ("data_fingerprint", "commit"):
        _expect(isinstance(raw[key], str), f"its {key} is no text")
    for key in ("config", "training", "versions", "worlds", "statistics", "model"):
        _expect(isinstance(raw[key], Mapping), f"its {key} is no table")
    _expect(isinstance(raw.get("trust", {}), Mapping), "its trust is no table")
    _expect(_whole(raw["epoch"]) and raw["epoch"] >= 0, f"its epoch is {raw['epoch']!r:.50}")
    _expect(isinstance(raw["val_loss"], float | int), f"its val_loss is {raw['val_loss']!r:.50}")
    _expect_horizon(raw["horizon"])
    model = raw["model"]
    _expect(isinstance(model["name"], str), "the name of its network is no text")
    _expect(isinstance(model["options"], Mapping), "the options of its network are no table")
    _expect_options(model["options"])
    _expect_weights(model["weights"], size, "weights")
    if raw.get("trust"):
        _expect_options(raw["trust"]["options"])
        _expect_weights(raw["trust"]["weights"], size, "trust")


def _expect(condition: bool, complaint: str) -> None:
    if not condition:
        raise ValueError(complaint)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _expect_horizon(value: Any) -> None:
    _expect(
        _whole(value) and 0 <= value <= LONGEST_HORIZON,
        f"its horizon is {value!r:.50}; expected a whole number up to {LONGEST_HORIZON}",
    )


def _expect_bounded(raw: Any) -> None:
    """Refuse what unfolds without end: entries that hold themselves, or each other many times."""
    waiting = [(raw, 0)]
    seen = 0
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        _expect(seen <= MOST_ENTRIES and depth <= DEEPEST, "its entries are nested without end")
        if isinstance(value, Mapping):
            waiting += [(entry, depth + 1) for entry in value.values()]
        elif isinstance(value, list | tuple | set | frozenset):
            waiting += [(entry, depth + 1) for entry in value]


def _expect_options(options: Any) -> None:
    """Plain values; whole numbers, which become sizes, of a size that a network can have."""
    waiting = [("", options)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, Mapping):
            for key, entry in value.items():
                _expect(isinstance(key, str), f"an option of its network is named {key!r:.50}")
                waiting.append((key, entry))
        elif isinstance(value, list | tuple):
            waiting += [(name, entry) for entry in value]
        elif name in ("H", "horizon"):
            _expect_horizon(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            _expect(
                abs(value) <= LARGEST_SETTING,  # false also where it is not a number
                f"the option {name} of its network is {value!r:.50}",
            )
        else:
            _expect(
                value is None or isinstance(value, str | bool),
                f"the option {name} of its network is a {type(value).__name__}",
            )


def _expect_weights(weights: Any, size: int, what: str) -> None:
    _expect(isinstance(weights, Mapping), f"its {what} are no table of tensors")
    for name, tensor in weights.items():
        _expect(isinstance(name, str), f"one of its {what} is named {name!r:.50}")
        _expect_tensor(tensor, size, f"{what} '{name:.80}'")


def _expect_tensor(tensor: Any, size: int, what: str) -> None:
    """A dense tensor of finite numbers that the file really holds."""
    _expect(isinstance(tensor, Tensor), f"its {what} are a {type(tensor).__name__}, no tensor")
    plain = tensor.layout is torch.strided and tensor.device.type == "cpu"
    plain = plain and not tensor.is_nested and not tensor.is_quantized
    _expect(plain, f"its {what} are no plain tensor")
    _expect(
        tensor.numel() * tensor.element_size() <= size,
        f"its {what} are said to be of shape {tuple(tensor.shape)}, larger than the file",
    )
    _expect(not tensor.is_complex(), f"its {what} are complex numbers")
    _expect(tensor.dtype in NUMBERS, f"its {what} are of type {tensor.dtype}")
    _expect(
        not tensor.is_floating_point() or bool(torch.isfinite(tensor).all()),
        f"its {what} hold values that are not finite (NaN or infinite)",
    )


def refuse_unsound_statistics(
    statistics: Mapping[str, WorldStatistics],
    specs: Mapping[str, WorldSpec],
    place: Path,
    size: int,
) -> None:
    """Raise `CheckpointError` for moments of the training data that cannot be, or are none of the
    worlds'.
    """
    try:
        for world, moments in statistics.items():
            spec = specs.get(world)
            parameters, responses = moments.theta_mean.shape[0], tuple(moments.irf_scale.shape)
            if spec is not None:
                parameters, responses = spec.n_parameters, (spec.n_shocks, spec.n_observables)
            _expect(len(responses) == 2, f"its statistics of '{world:.80}' are of no responses")
            for field, value in moments._asdict().items():
                what = f"statistics of '{world:.80}' ({field})"
                _expect_tensor(value, size, what)
                _expect(value.dtype is torch.float32, f"its {what} are of type {value.dtype}")
                shape = responses if field == "irf_scale" else (parameters,)
                _expect(
                    tuple(value.shape) == shape,
                    f"its {what} have shape {tuple(value.shape)}, expected {shape}",
                )
                largest = float(value.abs().max()) if value.numel() else 0.0
                _expect(largest <= LARGEST_MOMENT, f"its {what} reach {largest:.3g}")
            for field in ("theta_std", "irf_scale"):
                _expect(
                    bool((getattr(moments, field) >= 0).all()),
                    f"its statistics of '{world:.80}' ({field}) are negative",
                )
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{place} is no checkpoint to be believed: {error}. Train again, or restore it."
        ) from None


class _Budget(TorchFunctionMode):
    """Counts what is allocated, before it is."""

    def __init__(self, numbers: int, tensors: int) -> None:
        super().__init__()
        self.numbers = numbers
        self.tensors = tensors

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func in FACTORIES:
            self.tensors -= 1
            self.numbers -= _numbers(func, args, kwargs or {})
            if self.numbers < 0 or self.tensors < 0:
                raise ValueError("they ask for more numbers than the weights in the file")
        return func(*args, **(kwargs or {}))


def _numbers(func: Any, args: tuple[Any, ...], options: Mapping[str, Any]) -> int:
    """How many numbers a factory of tensors is asked for."""
    size = args[0] if args else options.get("size", options.get("end", options.get("n", 0)))
    if func is torch.full or isinstance(size, tuple | list):
        return math.prod(int(length) for length in size)
    whole = [int(length) for length in args if isinstance(length, int)]
    if func is torch.eye:
        return math.prod(whole) if len(whole) > 1 else math.prod(whole) ** 2
    return max(map(abs, whole), default=0) if func is torch.arange else math.prod(whole)


@contextmanager
def no_larger_than(weights: Mapping[str, Tensor]) -> Iterator[None]:
    """Within it a network can be built about as large as these weights; a larger one raises
    `ValueError` before its memory is asked for.
    """
    numbers = sum(weight.numel() for weight in weights.values())
    with _Budget(4 * numbers + SPARE_NUMBERS, 4 * len(weights) + SPARE_TENSORS):
        yield


@torch.inference_mode()
def refuse_unsound_answers(model: Any, path: str) -> None:
    """Raise `CheckpointError` for a network whose answer at the mean of its training draws is not
    finite in one of its worlds, or absurdly large: weights can be finite, and what they make of a
    draw not.
    """
    for world in model.normaliser.worlds:
        statistics = model.normaliser.statistics(world)
        irf = model(statistics.theta_mean[None], world)
        largest = LARGEST_ANSWER * float(statistics.irf_scale.max())
        if bool((irf.abs() > largest).any()) and bool(torch.isfinite(irf).all()):
            raise CheckpointError(
                f"{path} is no checkpoint to be believed: at the mean of its training draws of"
                f" '{world}' it answers {float(irf.abs().max()):.3g}, more than"
                f" {LARGEST_ANSWER:,.0f} times the standard deviation of the responses that it"
                " was trained on. Train again, or restore it."
            )
        if not bool(torch.isfinite(irf).all()):
            raise CheckpointError(
                f"{path} is no checkpoint to be believed: at the mean of its training draws of"
                f" '{world}' it answers with numbers that are not finite. Train again, or restore"
                " it."
            )
