"""The dear part of each group of draws is stored once, beside the draws."""

import json
import shutil
from functools import cache

import numpy as np
import pytest
import zarr

from emulator import Simulator
from emulator.data import generate_dataset, open_dataset, validate_dataset
from emulator.errors import DatasetError, ParameterError
from emulator.tests.closures import economy
from emulator.worlds import get_world
from emulator.worlds.closing import Closing


class Closed(Simulator):
    """The small economy of the closures' tests as a world with a dear part."""

    has_part = True

    @property
    def closure(self):
        return economy.closure()

    def dear_part(self, theta):
        return economy.part_of(self.spec.check_theta(theta))


def function(theta, horizon):
    whole = economy.closure()
    return whole.responses(theta, economy.part_of(theta), horizon)


@cache
def world():
    ranges = {
        "patience": (0.3, 0.9),
        "rho": (0.0, 0.9),
        "phi": (0.5, 2.0),
        "rho_a": (0.0, 0.9),
        "sigma_a": (0.5, 2.0),
    }
    return Closed(
        function,
        parameters=ranges,
        shocks=["demand", "policy"],
        observables={"output": "percent", "policy_rate": "percent", "gap": "percent"},
        horizon=economy.HORIZON,
        name="closed",
        dear=("patience",),
    )


@pytest.fixture(scope="module")
def grouped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts") / "data"
    return generate_dataset(
        folder, [world()], 96, seed=3, draws_per_group=4, verdicts=0, chunk=16, shard=32
    )


def test_parts_close_to_the_responses_that_are_stored(grouped):
    for split in ("train", "test", "test_extrapolation_slice"):
        parts = grouped.parts("closed", grouped.rows("closed", split))
        theta, irfs = grouped.read("closed", split)
        assert parts.values.dtype == np.float32
        assert len(parts.values) < len(theta)
        whole = parts.values[parts.group].astype(float)
        closed = world().from_part(theta.astype(float), whole, economy.HORIZON)
        assert np.abs(closed - irfs).max() < 1e-5 * np.abs(irfs).max()


def test_a_part_is_stored_once_for_a_group(grouped):
    theta = grouped.theta("closed")
    stored = np.isfinite(grouped.group("closed")["part"][:]).all(axis=1)
    assert stored.sum() == len(np.unique(theta[:, 0]))
    assert stored.sum() < len(theta) / 3


def test_the_request_names_the_closure_and_the_data_validate(grouped):
    request = json.loads(grouped.folder.read_bytes("request.json"))
    part = request["groups"]["closed"]["part"]
    assert part == {
        "size": economy.closure().part_size,
        "closure_sha256": economy.closure().sha256,
    }
    assert validate_dataset(grouped.path) == []


def test_a_damaged_part_is_found_and_made_again(grouped, tmp_path):
    copy = tmp_path / "data"
    shutil.copytree(grouped.path, copy)
    array = zarr.open_group(str(copy / "closed"), mode="r+")["part"]
    first = int(np.flatnonzero(np.isfinite(array[:]).all(axis=1))[1])
    array[first] = np.nan
    assert any("'part'" in finding.what for finding in validate_dataset(copy))
    with pytest.raises(DatasetError, match="'part' was altered"):
        open_dataset(copy).parts("closed", grouped.rows("closed", "train"))
    again = generate_dataset(
        copy, [world()], 96, seed=3, draws_per_group=4, verdicts=0, chunk=16, shard=32
    )
    assert again.fingerprint == grouped.fingerprint


def test_data_without_parts_say_so(tmp_path):
    data = generate_dataset(tmp_path / "data", [world()], 64, verdicts=0)
    with pytest.raises(DatasetError, match=r"no dear parts of 'closed'.*--draws-per-group"):
        data.parts("closed", data.rows("closed", "train"))


@pytest.mark.filterwarnings("ignore:function raised")  # odd draws have singular equations
def test_a_world_of_parts_passes_the_suite():
    from emulator.worlds import check_world

    check_world(world(), n=16, horizon=economy.HORIZON)


def test_a_closing_of_ones_own_answers_by_the_same_interface():
    nk = get_world("nk")
    shocks = list(nk.spec.shock_names)
    economy_of_nk = Closing(
        nk,
        lambda part, theta: part[..., :1] * theta[:, -1][:, None, None, None],
        {"scale": (0.5, 2.0)},
        shocks,
        {"scaled_output": "percent"},
        name="scaled",
    )
    theta = economy_of_nk.sample(4, np.random.default_rng(0))
    part = economy_of_nk.dear_part(theta)
    assert np.array_equal(economy_of_nk.from_part(theta, part, 8), economy_of_nk.irf(theta, 8))
    assert economy_of_nk.closure is None
    with pytest.raises(ParameterError, match="The part of 4 draws is an array"):
        economy_of_nk.from_part(theta, part[:, 1:], 8)
