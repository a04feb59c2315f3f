"""Splits: two regions of the prior held out whole, the rest shuffled into train, val and test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache

import numpy as np

from emulator.data.schema import HARD, SPLITS, Condition, Fractions, Group, Region
from emulator.data.storage import Folder
from emulator.data.streams import stream
from emulator.errors import DatasetError
from emulator.spec import WorldSpec
from emulator.worlds import World

REFERENCE_DRAWS = 4096
CORNER, SLICE = "test_extrapolation_corner", "test_extrapolation_slice"
SPLITS_FILE = "splits.json"
MOST_HELD_OUT = 0.5
"""Share of imported draws that a held-out region may hold."""


@cache
def _reference(world: World) -> np.ndarray:
    """Draws from the prior in a stream of their own: a region depends on the world, never on a data
    set's seed or size.
    """
    rng = stream(0, world.spec.name, "regions")
    judged = world.draws_per_task >= REFERENCE_DRAWS
    return world.sample(REFERENCE_DRAWS, rng) if judged else world.propose(REFERENCE_DRAWS, rng)


def _shares(spec: WorldSpec, fractions: Fractions) -> Iterator[tuple[str, tuple[str, ...], float]]:
    """Each held-out region: its split, the parameters that span it, and the share of the draws that
    it is to hold.
    """
    held = spec.extrapolation
    yield SLICE, held.slice_parameters, fractions.test_extrapolation_slice
    yield CORNER, held.corner_parameters, fractions.test_extrapolation_corner


def make_regions(world: World, fractions: Fractions) -> dict[str, Region]:
    """The two held-out regions: upper tails of the parameters that the spec names, of the given
    probability.

    With k parameters of independent priors each condition has probability f^(1/k), all of them
    together f: of the draws that have a solution, or, in a world where to judge so many would cost
    hours, of the draws before they are judged.
    """
    spec, reference = world.spec, _reference(world)
    regions = {}
    for name, parameters, share in _shares(spec, fractions):
        tail = share ** (1 / len(parameters))
        thresholds = {
            p: float(np.float32(np.quantile(reference[:, spec.index(p)], 1 - tail)))
            for p in parameters
        }
        regions[name] = Region(
            all_of=tuple(Condition(parameter=p, at_least=v) for p, v in thresholds.items())
        )
    return regions


def regions_of_draws(spec: WorldSpec, theta: np.ndarray, fractions: Fractions) -> dict[str, Region]:
    """The two held-out regions of a world that is known by its draws (n, P) alone: of all boxes at
    the upper ends of the parameters that the spec names, with the same share of draws cut off in
    each, the one that holds the given share of the draws.

    Raises `DatasetError` where so many draws have the same values that no region is small.
    """
    regions = {}
    for name, parameters, share in _shares(spec, fractions):
        columns = theta[:, [spec.index(p) for p in parameters]]
        ranks = np.argsort(np.argsort(columns, axis=0, kind="stable"), axis=0, kind="stable")
        count = max(1, round(share * len(theta)))
        chosen = np.argsort(ranks.min(axis=1), kind="stable")[-count:]
        regions[name] = Region(
            all_of=tuple(
                Condition(parameter=p, at_least=float(at))
                for p, at in zip(parameters, columns[chosen].min(axis=0), strict=True)
            )
        )
        held = inside(spec, regions[name], theta)
        if held.mean() > MOST_HELD_OUT:
            raise DatasetError(
                f"World '{spec.name}': the region '{name}' over {', '.join(parameters)} would hold"
                f" {int(held.sum())} of {len(theta)} draws, since many have the same values. Name"
                " other parameters with --slice-parameters and --corner-parameters."
            )
    return regions


def inside(spec: WorldSpec, region: Region, theta: np.ndarray) -> np.ndarray:
    """Which draws (n, P) lie in a region, (n,) bool."""
    return np.all([theta[:, spec.index(c.parameter)] >= c.at_least for c in region.all_of], axis=0)


def held_out(spec: WorldSpec, regions: dict[str, Region], theta: np.ndarray) -> np.ndarray:
    """Where each draw (n, P) lies: (n,) uint8 positions in `SPLITS`, 0 outside both regions.

    The corner takes draws that lie in both.
    """
    codes = np.zeros(len(theta), dtype=np.uint8)
    for name in (SLICE, CORNER):
        codes[inside(spec, regions[name], theta)] = SPLITS.index(name)
    return codes


def groups_of(spec: WorldSpec, group: Group | None, theta: np.ndarray) -> np.ndarray | None:
    """The group (n,) of each draw (n, P): draws with the same dear parameters; None where draws
    come one by one.
    """
    if group is None:
        return None
    columns = theta[:, [spec.index(name) for name in group.parameters]]
    return np.unique(columns, axis=0, return_inverse=True)[1].ravel()


def make_splits(
    world: str,
    held_out: np.ndarray,
    fractions: Fractions,
    seed: int,
    groups: np.ndarray | None = None,
    hard: int = 0,
) -> dict[str, np.ndarray]:
    """Row indices of every split, sorted; `held_out` (n,) says which draws of the prior lie in
    which region, `hard` how many hard draws follow them.

    Where draws come in groups (n,), a whole group is in `train`, `val` or `test`: a draw of `test`
    then has dear parameters that `train` has not seen. Raises `DatasetError` if a split would be
    empty.
    """
    rest = np.flatnonzero(held_out == 0)
    units = rest if groups is None else np.unique(groups[rest])
    units = stream(seed, world, "splits").permutation(units)
    n_val, n_test = (max(1, round(share * len(units))) for share in (fractions.val, fractions.test))
    parts = units[n_val + n_test :], units[:n_val], units[n_val : n_val + n_test]
    train, val, test = (
        np.sort(part) if groups is None else rest[np.isin(groups[rest], part)] for part in parts
    )
    splits = {
        "train": train,
        "val": val,
        "test": test,
        SLICE: np.flatnonzero(held_out == SPLITS.index(SLICE)),
        CORNER: np.flatnonzero(held_out == SPLITS.index(CORNER)),
    }
    if hard:
        splits[HARD] = np.arange(len(held_out), len(held_out) + hard)
    empty = [name for name, rows in splits.items() if len(rows) == 0]
    if empty:
        grouped = "" if groups is None else f" in {len(np.unique(groups))} groups"
        raise DatasetError(
            f"World '{world}': {len(held_out)} draws{grouped} leave {', '.join(empty)} empty; ask"
            " for more samples or larger fractions."
        )
    return splits


def splits_name(world: str) -> str:
    return f"{world}/{SPLITS_FILE}"


def read_splits(folder: Folder, world: str) -> dict[str, np.ndarray]:
    """The splits of a world as sorted row indices.

    Raises `DatasetError` if their file is missing or malformed.
    """
    path = folder.at(splits_name(world))
    try:
        content = json.loads(folder.read_bytes(splits_name(world)))
        names = (*SPLITS, HARD) if HARD in content else SPLITS
        splits = {name: np.array(content[name], dtype=np.int64) for name in names}
    except FileNotFoundError:
        raise DatasetError(
            f"{path} is missing; generation did not finish. Run the same generate command again."
        ) from None
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise DatasetError(
            f"{path} is not a table of splits ({error}); expected lists of rows for"
            f" {', '.join(SPLITS)}."
        ) from None
    if any(rows.ndim != 1 for rows in splits.values()):
        raise DatasetError(f"{path}: each split must be a flat list of rows.")
    return splits
