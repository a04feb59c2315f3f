"""The arrays of a world's Zarr group: names, axes, shapes, dtypes, units, fill values, and the
files of the empty group.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import zarr
from zarr.core.buffer import Buffer
from zarr.errors import ZarrUserWarning

from emulator.data.schema import FORMAT_VERSION, Request
from emulator.solvers import StateSpace
from emulator.spec import IRF_AXES, Status, WorldSpec

PART = "part"
"""The array that holds the dear part of each group of draws."""
NO_REGIME = -1
"""Fills the rows of `regime` that were never written."""


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
    """The sharded arrays of a world; `space` is any solved state space of a linear world, for its
    sizes.
    """
    n, p, s, nan = request.size(spec.name), spec.n_parameters, spec.n_shocks, float("nan")
    o, observable_units = spec.n_observables, units_text(spec)
    yield ArrayLayout(
        "theta", ("sample", "parameter"), (n, p), "float32", nan, "see parameter_unit", "parameters"
    )
    yield ArrayLayout(
        "irfs",
        IRF_AXES,
        (n, s, request.horizon + 1, o),
        "float32",
        nan,
        observable_units,
        "responses to shocks of one standard deviation; horizon 0 is the impact period",
    )
    yield ArrayLayout(
        "status", ("sample",), (n,), "uint8", int(Status.MISSING), "code", "0 ok; see flag_meanings"
    )
    if spec.name in request.regimes:
        yield ArrayLayout(
            "regime", ("sample",), (n,), "int16", NO_REGIME, "number", request.regimes[spec.name]
        )
    if request.periods:
        t = request.periods
        yield ArrayLayout(
            "trajectories",
            ("sample", "period", "observable"),
            (n, t, o),
            "float32",
            nan,
            observable_units,
            "simulated path from the steady state",
        )
        yield ArrayLayout(
            "shocks",
            ("sample", "period", "shock"),
            (n, t, s),
            "float32",
            nan,
            "standard deviations",
            "innovations behind the trajectory",
        )
    part = request.part(spec.name)
    if part is not None:
        yield ArrayLayout(
            PART,
            ("sample", "part"),
            (n, part.size),
            "float32",
            nan,
            "units of the world's own equations",
            "dear part, in the first row of each group of a shard; other rows are missing",
        )
    if space is not None:
        d = space.A.shape[1]
        units = "units of the world's own equations"
        yield ArrayLayout(
            "state_transition",
            ("sample", "state", "previous_state"),
            (n, d, d),
            "float64",
            nan,
            units,
            "A of s = A s_1 + B e",
        )
        yield ArrayLayout(
            "state_impact",
            ("sample", "state", "shock"),
            (n, d, s),
            "float64",
            nan,
            units,
            "B of s = A s_1 + B e",
        )
        yield ArrayLayout(
            "state_observation",
            ("sample", "observable", "state"),
            (n, o, d),
            "float64",
            nan,
            units,
            "C of y = C s, y in the units of irfs",
        )


def units_text(spec: WorldSpec) -> str:
    """The units of a world's observables in a line, each unit once with the names that have it."""
    names: dict[str, list[str]] = {}
    for observable in spec.observables:
        names.setdefault(observable.unit, []).append(observable.name)
    return "; ".join(f"{unit} ({', '.join(group)})" for unit, group in names.items())


def group_files(spec: WorldSpec, request: Request, space: StateSpace | None) -> dict[str, bytes]:
    """The files of a world's empty group: sharded arrays full of fill values, coordinates,
    attributes.
    """
    store: dict[str, Buffer] = {}
    create_group(store, spec, request, space)
    return {name: content.to_bytes() for name, content in sorted(store.items())}


def create_group(
    store: dict[str, Buffer], spec: WorldSpec, request: Request, space: StateSpace | None
) -> None:
    """Create a world's empty group in memory."""
    group = zarr.create_group(store, zarr_format=3)
    group.attrs.update(
        {
            "title": spec.title,
            "source": spec.source,
            "world": spec.name,
            "format_version": FORMAT_VERSION,
        }
    )
    if spec.frequency != "quarter":  # not written where it is, as in groups older than the field
        group.attrs["frequency"] = spec.frequency
    group.attrs["coordinates"] = (
        "parameter_unit observable_unit"  # CF: coordinates that are no axis
    )
    for item in layouts(spec, request, space):
        array = group.create_array(
            item.name,
            shape=item.shape,
            # one row a chunk, so that rows without a part take no room
            chunks=(1 if item.name == PART else request.chunk_rows(spec.name), *item.shape[1:]),
            shards=(request.shard_rows(spec.name), *item.shape[1:]),
            dtype=item.dtype,
            fill_value=item.fill,
            dimension_names=item.dims,
            attributes={"units": item.units, "description": item.description},
        )
        if item.name == "status":
            array.attrs.update(
                {
                    "flag_values": [int(s) for s in Status],
                    "flag_meanings": " ".join(s.label for s in Status),
                }
            )
    for name, (dim, values) in _coordinates(spec, request).items():
        dtype = "string" if isinstance(values[0], str) else "int32"
        array = group.create_array(name, shape=(len(values),), dtype=dtype, dimension_names=(dim,))
        array[:] = np.array(values, dtype=object if dtype == "string" else dtype)
        if dtype == "int32":
            array.attrs["units"] = spec.periods
    with warnings.catch_warnings():
        # xarray looks for consolidated metadata first and zarr writes it; that it is not yet in the
        # Zarr 3 text is known.
        warnings.simplefilter("ignore", ZarrUserWarning)
        zarr.consolidate_metadata(store)


def _coordinates(spec: WorldSpec, request: Request) -> dict[str, tuple[str, list[Any]]]:
    coordinates: dict[str, tuple[str, list[Any]]] = {
        "parameter": ("parameter", list(spec.parameter_names)),
        "parameter_unit": ("parameter", [p.unit for p in spec.parameters]),
        "shock": ("shock", list(spec.shock_names)),
        "horizon": ("horizon", list(range(request.horizon + 1))),
        "observable": ("observable", list(spec.observable_names)),
        "observable_unit": ("observable", list(spec.observable_units)),
    }
    if request.periods:
        coordinates["period"] = ("period", list(range(request.periods)))
    if spec.states:
        coordinates["state"] = ("state", list(spec.states))
    return coordinates
