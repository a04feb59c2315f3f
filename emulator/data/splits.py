"""Splits: two regions of the prior held out whole, the rest shuffled into train, val and test."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np

from emulator.data.schema import SPLITS, Condition, Fractions, Region
from emulator.data.streams import stream
from emulator.errors import DatasetError
from emulator.spec import WorldSpec
from emulator.worlds import get_world

REFERENCE_DRAWS = 4096
CORNER, SLICE = "test_extrapolation_corner", "test_extrapolation_slice"


@cache
def _reference(world: str) -> np.ndarray:
    """Draws from the prior in a stream of their own: a region depends on the world, never on a data set's seed or size."""
    return get_world(world).sample(REFERENCE_DRAWS, stream(0, world, "regions"))


def make_regions(spec: WorldSpec, fractions: Fractions) -> dict[str, Region]:
    """The two held-out regions: upper tails of the parameters that the spec names, of the given probability.

    With k parameters of independent priors each condition has probability f^(1/k), all of them together f.
    """
    reference = _reference(spec.name)
    found = {}
    for name, parameters, share in (
        (SLICE, spec.extrapolation.slice_parameters, fractions.test_extrapolation_slice),
        (CORNER, spec.extrapolation.corner_parameters, fractions.test_extrapolation_corner),
    ):
        tail = share ** (1 / len(parameters))
        thresholds = {p: float(np.float32(np.quantile(reference[:, spec.index(p)], 1 - tail))) for p in parameters}
        found[name] = Region(all_of=tuple(Condition(parameter=p, at_least=v) for p, v in thresholds.items()))
    return found


def inside(spec: WorldSpec, region: Region, theta: np.ndarray) -> np.ndarray:
    """Which draws (n, P) lie in a region, (n,) bool."""
    return np.all([theta[:, spec.index(c.parameter)] >= c.at_least for c in region.all_of], axis=0)


def make_splits(
    spec: WorldSpec, regions: dict[str, Region], theta: np.ndarray, fractions: Fractions, seed: int
) -> dict[str, np.ndarray]:
    """Row indices of every split, sorted. The corner takes draws that lie in both regions.

    Raises `DatasetError` if a split would be empty.
    """
    corner = inside(spec, regions[CORNER], theta)
    sliced = inside(spec, regions[SLICE], theta) & ~corner
    rest = np.flatnonzero(~corner & ~sliced)
    rest = stream(seed, spec.name, "splits").permutation(rest)
    n_val, n_test = (max(1, round(share * len(rest))) for share in (fractions.val, fractions.test))
    splits = {
        "train": np.sort(rest[n_val + n_test :]),
        "val": np.sort(rest[:n_val]),
        "test": np.sort(rest[n_val : n_val + n_test]),
        SLICE: np.flatnonzero(sliced),
        CORNER: np.flatnonzero(corner),
    }
    empty = [name for name, rows in splits.items() if len(rows) == 0]
    if empty:
        raise DatasetError(f"World '{spec.name}': {len(theta)} draws leave {', '.join(empty)} empty; ask for more samples or larger fractions.")
    return splits


def read_splits(path: Path) -> dict[str, np.ndarray]:
    """`splits.json` as sorted row indices. Raises `DatasetError` if it is missing or malformed."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        splits = {name: np.array(content[name], dtype=np.int64) for name in SPLITS}
    except FileNotFoundError:
        raise DatasetError(f"{path} is missing; generation did not finish. Run the same generate command again.") from None
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise DatasetError(f"{path} is not a table of splits ({error}); expected lists of rows for {', '.join(SPLITS)}.") from None
    if any(rows.ndim != 1 for rows in splits.values()):
        raise DatasetError(f"{path}: each split must be a flat list of rows.")
    return splits
