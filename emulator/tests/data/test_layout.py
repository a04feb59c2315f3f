"""The format as a reader meets it: xarray, names, coordinates, units, fill values."""

import warnings

import numpy as np
import pytest
import xarray as xr
import zarr

from emulator.data import open_dataset
from emulator.data.layout import create_group
from emulator.data.schema import FORMAT_VERSION, Request
from emulator.spec import IRF_AXES, OBSERVABLES, Status
from emulator.tests.conftest import SMALL, SMALL_WORLDS
from emulator.worlds import get_world

pytestmark = pytest.mark.fast

EACH_WORLD = pytest.mark.parametrize("world", SMALL_WORLDS)


@pytest.fixture
def opened(small_dataset):
    def open_strictly(world):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return xr.open_zarr(small_dataset / world, chunks=None).load()

    return open_strictly


@EACH_WORLD
def test_xarray_opens_named_axes_and_shapes_without_warnings(opened, world):
    spec, data = get_world(world).spec, opened(world)
    n, h, t = SMALL["n_samples"], SMALL["horizon"] + 1, SMALL["periods"]
    assert data.irfs.dims == IRF_AXES
    assert data.irfs.shape == (n, spec.n_shocks, h, 3)
    assert data.theta.dims == ("sample", "parameter")
    assert data.theta.shape == (n, spec.n_parameters)
    assert data.trajectories.dims == ("sample", "period", "observable")
    assert data.trajectories.shape == (n, t, 3)
    assert data.shocks.dims == ("sample", "period", "shock")
    assert data.state_transition.dims == ("sample", "state", "previous_state")


@EACH_WORLD
def test_coordinates_carry_the_names_of_the_spec(opened, world):
    spec, data = get_world(world).spec, opened(world)
    assert tuple(data.parameter.values) == spec.parameter_names
    assert tuple(data.shock.values) == spec.shock_names
    assert tuple(data.observable.values) == OBSERVABLES
    assert tuple(data.state.values) == spec.states
    assert data.horizon.values.tolist() == list(range(SMALL["horizon"] + 1))
    assert data.period.values.tolist() == list(range(SMALL["periods"]))


def test_a_response_is_found_by_name(opened, small_dataset):
    data = opened("nk")
    picked = data.irfs.sel(shock="demand", observable="inflation", horizon=3)
    raw = zarr.open_group(small_dataset / "nk", mode="r")["irfs"][:, 1, 3, 1]
    np.testing.assert_array_equal(picked, raw)


@EACH_WORLD
def test_units_stand_with_arrays_parameters_and_observables(opened, world):
    spec, data = get_world(world).spec, opened(world)
    assert set(data.coords) >= {"parameter_unit", "observable_unit"}
    assert tuple(data.parameter_unit.values) == tuple(p.unit for p in spec.parameters)
    assert tuple(data.observable_unit.values) == (
        "percent",
        "annualised percentage points",
        "annualised percentage points",
    )
    assert (
        data.irfs.attrs["units"]
        == "percent (output); annualised percentage points (inflation, rate)"
    )
    assert data.shocks.attrs["units"] == "standard deviations"
    assert data.horizon.attrs["units"] == data.period.attrs["units"] == "quarters"
    assert all("units" in array.attrs for array in data.data_vars.values())


def test_the_status_codes_explain_themselves(opened):
    attrs = opened("nk").status.attrs
    named = dict(zip(attrs["flag_values"], attrs["flag_meanings"].split(), strict=True))
    assert named == {int(code): code.label for code in Status}


@EACH_WORLD
def test_rows_that_were_never_written_read_as_missing(world):
    economy = get_world(world)
    request = Request(
        worlds=(world,), specs_sha256={}, made_by="test", **{**SMALL, "n_samples": 20}
    )
    store = {}
    create_group(store, economy.spec, request, economy.state_space(economy.spec.theta()))
    group = zarr.open_group(store, mode="r")
    assert (group["status"][:] == Status.MISSING).all()
    for name in (
        "theta",
        "irfs",
        "trajectories",
        "shocks",
        "state_transition",
        "state_impact",
        "state_observation",
    ):
        assert np.isnan(group[name].fill_value)
        assert np.isnan(group[name][:]).all()


def test_chunks_and_shards_are_those_asked_for(small_dataset):
    array = zarr.open_group(small_dataset / "nk", mode="r")["irfs"]
    assert array.metadata.zarr_format == 3
    assert array.chunks == (64, 3, SMALL["horizon"] + 1, 3)
    assert array.shards == (128, 3, SMALL["horizon"] + 1, 3)


def test_the_manifest_says_who_made_what_from_which_prior(small_dataset):
    manifest = open_dataset(small_dataset).manifest
    assert manifest.request.format_version == FORMAT_VERSION
    assert (manifest.request.n_samples, manifest.request.seed) == (300, 42)
    assert {"python", "numpy", "zarr", "universal-macro-emulator"} <= set(manifest.versions)
    assert manifest.commit
    for world in SMALL_WORLDS:
        assert manifest.worlds[world].spec == get_world(world).spec
        assert [(s.start, s.stop) for s in manifest.worlds[world].shards] == [
            (0, 128),
            (128, 256),
            (256, 300),
        ]
