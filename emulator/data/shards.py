"""One shard of one world: drawn, solved, written, and recorded once it is whole.

A shard is the unit of work and of writing. Two writers in one Zarr shard lose data silently, so
each task owns whole shards; its record is written last, and a shard without a record that fits its
files is not data.
"""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import zarr
from pydantic import ValidationError

from emulator.data.hard import hard_draws
from emulator.data.layout import PART
from emulator.data.schema import Request, ShardRecord
from emulator.data.splits import make_regions
from emulator.data.storage import Folder
from emulator.data.streams import stream
from emulator.errors import DatasetError, NoSolutionError
from emulator.spec import Status, WorldSpec
from emulator.worlds import World
from emulator.worlds.base import MAX_ROUNDS, OnFailure

RECORDS = ".records"


def record_name(world: str, shard: int) -> str:
    return f"{RECORDS}/{world}/{shard:06d}.json"


def write_record(folder: Folder, world: str, record: ShardRecord) -> None:
    """Say that a shard is whole."""
    folder.write_json(record_name(world, record.index), record.model_dump())


def read_record(folder: Folder, world: str, shard: int) -> ShardRecord | None:
    """The record of a finished shard, None where there is none that can be read."""
    try:
        return ShardRecord.model_validate_json(folder.read_bytes(record_name(world, shard)))
    except (OSError, ValidationError):
        return None


def make_shard(folder: Folder, request: Request, world_name: str, shard: int) -> ShardRecord:
    """Draw, solve and write a shard, then its record.

    Safe to repeat: the same bytes come out each time.
    """
    world = request.world(world_name)
    start, stop = request.rows(world_name, shard)
    rng = stream(request.seed, world_name, "theta", shard)
    plain = min(max(request.plain_size(world_name) - start, 0), stop - start)
    draws = world.draw(plain, rng, request.group_size(world_name))
    theta = draws.theta
    if plain < stop - start:
        regions = make_regions(world, request.fractions)
        hard = hard_draws(world, stop - start - plain, request.horizon, regions, rng)
        theta = np.concatenate([theta, hard])
    check_ranges(world.spec, theta)
    arrays = solve_rows(world, request, theta, shard)
    late = refused_late(world, request, arrays, shard, rng) if world.may_fail_late else []
    group = zarr.open_group(folder.store(world_name, read_only=False), mode="r+")
    for name, values in arrays.items():
        folder.remove(
            f"{world_name}/{shard_file(name, shard, values.ndim)}"
        )  # zarr would read what a killed run left
        filled = first_of_groups(request, world.spec, arrays["theta"]) if name == PART else ...
        if name != "status" and not np.isfinite(values[filled]).all():
            raise DatasetError(
                f"World '{world_name}', shard {shard}: {name} holds values that are not finite;"
                " this is a defect of the world."
            )
        group[name][start:stop] = values  # type: ignore[index]
    record = ShardRecord(
        index=shard,
        start=start,
        stop=stop,
        rejections=dict(sorted((Counter(draws.rejections) + Counter(late)).items())),
        sha256=checksums(folder, world_name, sorted(arrays), shard),
    )
    write_record(folder, world_name, record)
    return record


def beyond_range(spec: WorldSpec, theta: np.ndarray) -> np.ndarray:
    """Which parameters of draws (n, P) leave the ranges that their world declares, bool (n, P).

    A draw at the end of a range may leave it by what single precision rounds.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # ends beyond single precision
        rounding = np.spacing(np.maximum(abs(spec.low), abs(spec.high)).astype(np.float32))
    margin = np.fmax(1e-6 * (spec.high - spec.low), rounding)
    return (theta < spec.low - margin) | (theta > spec.high + margin)


def check_ranges(spec: WorldSpec, theta: np.ndarray) -> None:
    """Refuse draws (n, P) of a prior that leaves the ranges it declares, which a data set promises.

    Raises `DatasetError`.
    """
    outside = beyond_range(spec, theta)
    if outside.any():
        row, column = np.argwhere(outside)[0]
        parameter = spec.parameters[column]
        raise DatasetError(
            f"The prior of '{spec.name}' drew {parameter.name}={theta[row, column]:g}, beyond its"
            f" range {parameter.low:g} to {parameter.high:g}. Declare a range that holds its draws,"
            " or draw again what lies beyond it."
        )


def refused_late(
    world: World,
    request: Request,
    arrays: dict[str, np.ndarray],
    shard: int,
    rng: np.random.Generator,
) -> list[str]:
    """Put another draw in the place of each that was accepted and has no answer in the end; the
    reasons of those that were refused.

    Of a group the draw keeps the dear parameters. Raises `NoSolutionError` where hardly any draw
    has an answer.
    """
    spec, grouped = world.spec, request.group_size(world.spec.name) > 1
    dear = [spec.index(name) for name in world.dear] if grouped else []
    reasons: list[str] = []
    for _ in range(MAX_ROUNDS):
        bad = ~_finite(arrays)
        if not bad.any():
            return reasons
        theta = arrays["theta"][bad].astype(np.float64)
        status = world.status(theta)
        status[status == Status.OK] = Status.NOT_CONVERGED
        reasons += world.reasons(theta, status)
        if bad.all():
            world.give_up(theta, reasons)
        others = world.propose(len(theta), rng).astype(np.float32).astype(np.float64)
        others[:, dear] = theta[:, dear]
        for name, values in solve_rows(world, request, others, shard, np.flatnonzero(bad)).items():
            if name != PART:  # follows from the dear parameters
                arrays[name][bad] = values
    raise NoSolutionError(
        f"World '{spec.name}': {int(bad.sum())} of {len(bad)} draws had no answer after"
        f" {MAX_ROUNDS} rounds. The last was refused for: {reasons[-1]}."
    )


def _finite(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Which rows of a shard hold finite numbers alone, (n,)."""
    return np.all(
        [
            np.isfinite(values).reshape(len(values), -1).all(axis=1)
            for name, values in arrays.items()
            if name != PART
        ],
        axis=0,
    )


def solve_rows(
    world: World,
    request: Request,
    theta: np.ndarray,
    shard: int,
    rows: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Every array of a shard, solved in float64 at exactly the parameters that are stored, in the
    dtype of storage; rows: those of the shard that theta stands for, by default all.

    Draws without an answer are NaN in a world that may fail late.
    """
    on_failure: OnFailure = "nan" if world.may_fail_late else "raise"
    irf = world.irf(theta, horizon=request.horizon, on_failure=on_failure)
    arrays: dict[str, np.ndarray] = {
        "theta": theta.astype(np.float32),
        "irfs": irf.astype(np.float32),
        "status": np.full(len(theta), Status.OK, dtype=np.uint8),
    }
    if world.spec.name in request.regimes:
        arrays["regime"] = world.regime(theta).astype(np.int16)
    if request.periods:
        rng = stream(request.seed, world.spec.name, "shocks", shard)
        start, stop = request.rows(world.spec.name, shard)
        shape = (stop - start, request.periods, world.spec.n_shocks)
        shocks = rng.standard_normal(shape, dtype=np.float32)[slice(None) if rows is None else rows]
        paths = world.simulate(theta, shocks.astype(np.float64), on_failure=on_failure)
        arrays["shocks"] = shocks
        arrays["trajectories"] = paths.astype(np.float32)
    if request.part(world.spec.name) is not None:
        first = first_of_groups(request, world.spec, arrays["theta"])
        parts = world.dear_part(theta[first])
        arrays[PART] = np.full((len(theta), parts.shape[1]), np.nan, dtype=np.float32)
        arrays[PART][first] = parts
    if world.has_state_space:
        space = world.state_space(theta)
        arrays |= {
            "state_transition": space.A,
            "state_impact": space.B,
            "state_observation": space.C,
        }
    return arrays


def first_of_groups(request: Request, spec: WorldSpec, theta: np.ndarray) -> np.ndarray:
    """The first row of each group among the draws (n, P) of a shard, sorted."""
    columns = [spec.index(name) for name in request.groups[spec.name].parameters]
    return np.sort(np.unique(theta[:, columns], axis=0, return_index=True)[1])


def shard_file(array: str, shard: int, ndim: int) -> str:
    """The file of an array's shard, in its world's group: arrays are sharded along their first axis
    alone.
    """
    return "/".join([array, "c", str(shard), *("0" * (ndim - 1))])


def checksums(folder: Folder, world: str, arrays: list[str], shard: int) -> dict[str, str]:
    """SHA-256 of a shard's file in each array.

    Raises `DatasetError` naming a file that is not there.
    """
    digests = {}
    for name in arrays:
        metadata = f"{world}/{name}/zarr.json"
        try:
            ndim = len(json.loads(folder.read_bytes(metadata))["shape"])
            digests[name] = folder.sha256(f"{world}/{shard_file(name, shard, ndim)}")
        except FileNotFoundError as error:
            raise DatasetError(
                f"{world}: shard {shard} of '{name}' is missing ({error.filename or error})."
            ) from None
        except (ValueError, KeyError):
            raise DatasetError(
                f"{world}: the metadata of '{name}' cannot be read ({folder.at(metadata)})."
            ) from None
    return digests


def intact(folder: Folder, world: str, record: ShardRecord) -> bool:
    """Whether the shard's files are those that the record describes."""
    try:
        return checksums(folder, world, sorted(record.sha256), record.index) == record.sha256
    except DatasetError:
        return False
