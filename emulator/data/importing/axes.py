"""Which axis of an array of responses is which."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

from emulator.errors import DatasetError
from emulator.spec import IRF_AXES

AXES_OPTION = "--axes (axes= in Python)"


def order_of(
    shape: tuple[int, ...], lengths: dict[str, int], axes: Sequence[str] | None
) -> tuple[int, ...]:
    """Positions in an array of this shape of sample, shock, horizon and observable.

    `lengths` has the known length of each axis but the horizon's; `axes` are the names of the
    array's axes, None where nobody said them. An axis of length one need not be there where `axes`
    says the others. Raises `DatasetError` for a shape that does not fit, and, where nobody said the
    axes, for one that can be read in two ways or in another order than ours.
    """
    if axes is not None:
        return _as_named(shape, lengths, tuple(axes))
    if len(shape) != len(IRF_AXES):
        raise DatasetError(
            f"The responses have the shape {shape}; expected four axes, {', '.join(IRF_AXES)}:"
            f" {_expected(lengths)}. Where an axis of length one is left out, name the others with"
            f" {AXES_OPTION}."
        )
    readings = [names for names in permutations(IRF_AXES) if _fits(shape, lengths, names) is None]
    if not readings:
        raise DatasetError(
            f"The responses have the shape {shape}, which fits no order of the axes; expected"
            f" {_expected(lengths)}. Check the numbers of draws, shocks and observables."
        )
    readings = _different(shape, readings)
    if len(readings) > 1:
        texts = " or ".join(f"({', '.join(names)})" for names in readings[:4])
        raise DatasetError(
            f"The responses have the shape {shape}, which can be read as {texts}. Say which it is"
            f" with {AXES_OPTION}, such as {','.join(readings[0])}."
        )
    if readings[0] != IRF_AXES:
        raise DatasetError(
            f"The responses have the shape {shape}, which is ({', '.join(readings[0])}); expected"
            f" ({', '.join(IRF_AXES)}). If that is what they are, say it with {AXES_OPTION}:"
            f" {','.join(readings[0])}."
        )
    return tuple(range(4))


def _different(shape: tuple[int, ...], readings: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Readings that give different responses, one of each: which of several axes of length one is
    which makes none. Our own order comes first.
    """
    ordered = sorted(readings, key=lambda names: names != IRF_AXES)
    by_long_axes: dict[tuple[str, ...], tuple[str, ...]] = {}
    for names in ordered:
        long_axes = tuple(name for name, size in zip(names, shape, strict=True) if size > 1)
        by_long_axes.setdefault(long_axes, names)
    return list(by_long_axes.values())


def _expected(lengths: dict[str, int]) -> str:
    return f"({lengths['sample']}, {lengths['shock']}, horizons 0 to H, {lengths['observable']})"


def _as_named(
    shape: tuple[int, ...], lengths: dict[str, int], axes: tuple[str, ...]
) -> tuple[int, ...]:
    for name in axes:
        if name not in IRF_AXES:
            raise DatasetError(
                f"The axes are {', '.join(axes)}; expected {', '.join(IRF_AXES)}, in the order in"
                " which the array has them."
            )
    if len(set(axes)) != len(axes) or len(axes) != len(shape):
        raise DatasetError(
            f"The responses have the shape {shape} and {len(axes)} axes are named,"
            f" {', '.join(axes)}; expected each axis once."
        )
    missing = [name for name in IRF_AXES if name not in axes]
    if any(lengths.get(name) != 1 for name in missing):
        raise DatasetError(
            f"The axes are {', '.join(axes)}, without {', '.join(missing)}. Only an axis of length"
            " one can be left out."
        )
    problem = _fits(shape, lengths, axes)
    if problem:
        raise DatasetError(
            f"The responses have the shape {shape}, read as ({', '.join(axes)}); {problem}."
        )
    return tuple(axes.index(name) if name in axes else -1 for name in IRF_AXES)


def _fits(shape: tuple[int, ...], lengths: dict[str, int], names: tuple[str, ...]) -> str | None:
    """What does not fit where the axes have these names; None where all does."""
    for size, name in zip(shape, names, strict=True):
        if name in lengths and size != lengths[name]:
            return f"the axis '{name}' has length {size}, expected {lengths[name]}"
    return None
