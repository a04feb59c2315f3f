"""The data format: what a request asks for, which arrays a world's Zarr group holds, what the manifest says.

`docs/data_format.md` is the same in prose.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
import zarr
from pydantic import BaseModel, ConfigDict, Field, model_validator
from zarr.core.buffer import Buffer
from zarr.errors import ZarrUserWarning

from emulator.files import sha256
from emulator.solvers import StateSpace
from emulator.spec import DEFAULT_HORIZON, IRF_AXES, OBSERVABLES, Status, WorldName, WorldSpec
from emulator.worlds import Source, World, from_source, get_world

FORMAT_VERSION: Literal[1] = 1
SPLITS = ("train", "val", "test", "test_extrapolation_slice", "test_extrapolation_corner")
OBSERVABLE_UNITS = "percent (output); annualised percentage points (inflation, rate)"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Fractions(_Record):
    """Shares of the draws: val and test of what lies outside the held-out regions, the regions of the whole prior."""

    val: float = Field(default=0.1, gt=0, lt=0.5)
    test: float = Field(default=0.1, gt=0, lt=0.5)
    test_extrapolation_slice: float = Field(default=0.1, gt=0, lt=0.5)
    test_extrapolation_corner: float = Field(default=0.05, gt=0, lt=0.5)


class Request(_Record):
    """All that decides the bytes of a data set; written first, so that an interrupted run knows what to resume."""

    worlds: tuple[WorldName, ...] = Field(min_length=1)
    specs_sha256: dict[str, str] = Field(description="hash of each world's spec: data of an older spec are another request's")
    n_samples: int = Field(ge=20)
    seed: int = Field(ge=0)
    horizon: int = Field(default=DEFAULT_HORIZON, ge=1)
    periods: int = Field(default=200, ge=0, description="length T of the simulated trajectories; 0 stores none")
    chunk: int = Field(default=512, ge=1)
    shard: int = Field(default=2048, ge=1)
    shards: dict[WorldName, int] = Field(default={}, description="rows of a shard in worlds whose tasks must be smaller than `shard`")
    sources: dict[WorldName, Source] = Field(default={}, description="texts of the worlds that were named by the path of a .mod file")
    fractions: Fractions = Fractions()
    format_version: Literal[1] = 1
    made_by: str

    @model_validator(mode="after")
    def _consistent(self) -> Request:
        if len(set(self.worlds)) != len(self.worlds):
            raise ValueError("a world is named twice")
        if self.shard % self.chunk:
            raise ValueError(f"shard ({self.shard}) must be a multiple of chunk ({self.chunk})")
        for world, rows in self.shards.items():
            if world not in self.worlds or rows != shard_size(rows, self.shard, self.chunk) or rows == self.shard:
                raise ValueError(f"shards: {rows} rows for '{world}' do not fit shard ({self.shard}) and chunk ({self.chunk})")
        return self

    def world(self, name: str) -> World:
        """A world of this request: made again from its texts, or the one of this package. Raises `UnknownNameError`."""
        return from_source(self.sources[name]) if name in self.sources else get_world(name)

    def shard_rows(self, world: str) -> int:
        """Rows of a shard of a world."""
        return self.shards.get(world, self.shard)

    def chunk_rows(self, world: str) -> int:
        """Rows of a chunk of a world."""
        return min(self.chunk, self.shard_rows(world))

    def n_shards(self, world: str) -> int:
        return math.ceil(self.n_samples / self.shard_rows(world))

    def rows(self, world: str, shard: int) -> tuple[int, int]:
        """First row and one past the last row of a shard."""
        size = self.shard_rows(world)
        return shard * size, min((shard + 1) * size, self.n_samples)


def shard_size(limit: int, shard: int, chunk: int) -> int:
    """Rows of a shard of at most `limit` rows: whole chunks, or one chunk that is smaller."""
    size = min(limit, shard)
    return size if size < chunk else size - size % chunk


class ShardRecord(_Record):
    """A finished shard: its rows, what was refused on the way to them, and the SHA-256 of each file."""

    index: int
    start: int
    stop: int
    rejections: dict[str, int]
    sha256: dict[str, str]


class Condition(_Record):
    parameter: str
    at_least: float


class Region(_Record):
    """Draws for which every condition holds."""

    all_of: tuple[Condition, ...]


class WorldManifest(_Record):
    """What a data set knows of one world."""

    spec: WorldSpec
    rejections: dict[str, int]
    regions: dict[str, Region]
    shards: tuple[ShardRecord, ...]
    metadata_sha256: dict[str, str]
    splits_sha256: str


class Manifest(_Record):
    """The root of a data set, written last: where it is, the data set is complete."""

    request: Request
    worlds: dict[str, WorldManifest]
    versions: dict[str, str]
    commit: str

    @model_validator(mode="after")
    def _worlds_of_the_request(self) -> Manifest:
        if set(self.worlds) != set(self.request.worlds) or any(name != entry.spec.name for name, entry in self.worlds.items()):
            raise ValueError("the worlds of the manifest are not those of its request")
        return self

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that the data are (request, specs, regions, checksums of every file), not of what made them."""
        return fingerprint(self.model_dump(mode="json"))

    def dump(self) -> dict[str, Any]:
        """The manifest as it is written: with its own fingerprint, so that an altered one is known."""
        return {**self.model_dump(mode="json"), "fingerprint": self.fingerprint}


def fingerprint(manifest: dict[str, Any]) -> str:
    """Names the data of a manifest in its written form; see `Manifest.fingerprint`."""
    content = {key: value for key, value in manifest.items() if key not in ("versions", "commit", "fingerprint")}
    content["request"] = {key: value for key, value in content["request"].items() if key != "made_by"}
    for added in ("shards", "sources"):  # as in data sets older than the field, which hold the same numbers
        if not content["request"].get(added):
            content["request"].pop(added, None)
    return sha256(json.dumps(content, sort_keys=True).encode())


class ArrayLayout(NamedTuple):
    """One array of a world's group."""

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    fill: Any
    units: str
    description: str


def layouts(spec: WorldSpec, request: Request, space: StateSpace | None) -> Iterator[ArrayLayout]:
    """The sharded arrays of a world; `space` is any solved state space of a linear world, for its sizes."""
    n, p, s, nan = request.n_samples, spec.n_parameters, spec.n_shocks, float("nan")
    yield ArrayLayout("theta", ("sample", "parameter"), (n, p), "float32", nan, "see parameter_unit", "parameters")
    yield ArrayLayout("irfs", IRF_AXES, (n, s, request.horizon + 1, 3), "float32", nan, OBSERVABLE_UNITS, "responses to shocks of one standard deviation; horizon 0 is the impact period")
    yield ArrayLayout("status", ("sample",), (n,), "uint8", int(Status.MISSING), "code", "0 ok; see flag_meanings")
    if request.periods:
        t = request.periods
        yield ArrayLayout("trajectories", ("sample", "period", "observable"), (n, t, 3), "float32", nan, OBSERVABLE_UNITS, "simulated path from the steady state")
        yield ArrayLayout("shocks", ("sample", "period", "shock"), (n, t, s), "float32", nan, "standard deviations", "innovations behind the trajectory")
    if space is not None:
        d = space.A.shape[1]
        units = "units of the world's own equations"
        yield ArrayLayout("state_transition", ("sample", "state", "previous_state"), (n, d, d), "float64", nan, units, "A of s = A s_1 + B e")
        yield ArrayLayout("state_impact", ("sample", "state", "shock"), (n, d, s), "float64", nan, units, "B of s = A s_1 + B e")
        yield ArrayLayout("state_observation", ("sample", "observable", "state"), (n, 3, d), "float64", nan, units, "C of y = C s, y in the units of irfs")


def group_files(spec: WorldSpec, request: Request, space: StateSpace | None) -> dict[str, bytes]:
    """The files of a world's empty group: sharded arrays full of fill values, coordinates, attributes."""
    store: dict[str, Buffer] = {}
    create_group(store, spec, request, space)
    return {name: content.to_bytes() for name, content in sorted(store.items())}


def create_group(store: dict[str, Buffer], spec: WorldSpec, request: Request, space: StateSpace | None) -> None:
    """Create a world's empty group in memory."""
    group = zarr.create_group(store, zarr_format=3)
    group.attrs.update({"title": spec.title, "source": spec.source, "world": spec.name, "format_version": FORMAT_VERSION})
    group.attrs["coordinates"] = "parameter_unit observable_unit"  # CF: coordinates that are no axis
    for item in layouts(spec, request, space):
        array = group.create_array(
            item.name,
            shape=item.shape,
            chunks=(request.chunk_rows(spec.name), *item.shape[1:]),
            shards=(request.shard_rows(spec.name), *item.shape[1:]),
            dtype=item.dtype,
            fill_value=item.fill,
            dimension_names=item.dims,
            attributes={"units": item.units, "description": item.description},
        )
        if item.name == "status":
            array.attrs.update({"flag_values": [int(s) for s in Status], "flag_meanings": " ".join(s.label for s in Status)})
    for name, (dim, values) in _coordinates(spec, request).items():
        dtype = "string" if isinstance(values[0], str) else "int32"
        array = group.create_array(name, shape=(len(values),), dtype=dtype, dimension_names=(dim,))
        array[:] = np.array(values, dtype=object if dtype == "string" else dtype)
        if dtype == "int32":
            array.attrs["units"] = "quarters"
    with warnings.catch_warnings():
        # xarray looks for consolidated metadata first and zarr writes it; that it is not yet in the Zarr 3 text is known.
        warnings.simplefilter("ignore", ZarrUserWarning)
        zarr.consolidate_metadata(store)


def _coordinates(spec: WorldSpec, request: Request) -> dict[str, tuple[str, list[Any]]]:
    found: dict[str, tuple[str, list[Any]]] = {
        "parameter": ("parameter", list(spec.parameter_names)),
        "parameter_unit": ("parameter", [p.unit for p in spec.parameters]),
        "shock": ("shock", list(spec.shock_names)),
        "horizon": ("horizon", list(range(request.horizon + 1))),
        "observable": ("observable", list(OBSERVABLES)),
        "observable_unit": ("observable", list(spec.observable_units)),
    }
    if request.periods:
        found["period"] = ("period", list(range(request.periods)))
    if spec.states:
        found["state"] = ("state", list(spec.states))
    return found
