"""Reading a data set: what opens, what is refused, and that nothing can be written."""

import numpy as np
import pytest

from emulator.data import SPLITS, open_dataset
from emulator.errors import DatasetError, UnknownNameError
from emulator.tests.conftest import SMALL, SMALL_WORLDS
from emulator.tests.data.tampering import edit_json, flip_byte, forge_checksums, write_array

pytestmark = pytest.mark.fast


@pytest.mark.parametrize("world", SMALL_WORLDS)
@pytest.mark.parametrize("split", SPLITS)
def test_read_gives_the_rows_of_the_split_in_float32(small_dataset, world, split):
    data = open_dataset(small_dataset)
    theta, irfs = data.read(world, split)
    rows, group, spec = data.rows(world, split), data.group(world), data.spec(world)
    assert theta.dtype == irfs.dtype == np.float32
    assert irfs.shape == (len(rows), spec.n_shocks, SMALL["horizon"] + 1, 3)
    np.testing.assert_array_equal(theta, group["theta"][:][rows])
    np.testing.assert_array_equal(irfs, group["irfs"][:][rows])


def test_a_data_set_says_what_it_holds(small_dataset):
    data = open_dataset(str(small_dataset))
    assert data.worlds == list(SMALL_WORLDS)
    assert data.horizon == SMALL["horizon"]
    assert data.spec("lss").n_parameters == 36


def test_the_fingerprint_is_of_the_data_not_of_what_made_them(damaged_dataset, small_dataset):
    edit_json(damaged_dataset / "manifest.json", lambda m: m.update(commit="another", versions={}))
    edit_json(damaged_dataset / "manifest.json", lambda m: m["request"].update(made_by="9.9"))
    assert open_dataset(damaged_dataset).fingerprint == open_dataset(small_dataset).fingerprint
    edit_json(
        damaged_dataset / "manifest.json",
        lambda m: m["worlds"]["nk"].update(splits_sha256="0" * 64),
    )
    assert open_dataset(damaged_dataset).fingerprint != open_dataset(small_dataset).fingerprint


def test_a_manifest_altered_by_hand_is_refused(damaged_dataset):
    file = damaged_dataset / "manifest.json"
    file.write_text(file.read_text().replace('"name": "sigma"', '"name": "sigmas"'))
    with pytest.raises(DatasetError, match="does not fit its own fingerprint"):
        open_dataset(damaged_dataset)


def test_altered_metadata_are_refused_before_a_number_is_read(damaged_dataset):
    for file in (
        damaged_dataset / "nk" / "zarr.json",
        damaged_dataset / "nk" / "irfs" / "zarr.json",
    ):
        file.write_text(file.read_text().replace("float32", "int32"))
    with pytest.raises(DatasetError, match=r"zarr\.json is missing or was altered"):
        open_dataset(damaged_dataset).read("nk", "test")


def test_the_fingerprint_changes_with_the_data(
    small_dataset, tiny_dataset, generate_tiny, tmp_path
):
    prints = {
        open_dataset(small_dataset).fingerprint,
        open_dataset(tiny_dataset).fingerprint,
        generate_tiny(tmp_path / "x", seed=9).fingerprint,
    }
    assert len(prints) == 3


def test_a_folder_that_is_not_there_is_refused_with_the_command_that_makes_it(tmp_path):
    with pytest.raises(DatasetError, match=r"does not exist.*emulator generate --output"):
        open_dataset(tmp_path / "nothing")
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match="no data set"):
        open_dataset(tmp_path / "file")


def test_an_unfinished_data_set_is_refused_with_how_to_resume(tiny_copy):
    (tiny_copy / "manifest.json").unlink()
    with pytest.raises(DatasetError, match=r"not finished.*emulator generate.*resumes"):
        open_dataset(tiny_copy)


def test_a_manifest_of_a_later_format_is_refused(tiny_copy):
    edit_json(
        tiny_copy / "manifest.json", lambda manifest: manifest["request"].update(format_version=2)
    )
    with pytest.raises(DatasetError, match=r"format_version.*another version"):
        open_dataset(tiny_copy)


def test_altered_splits_are_refused(tiny_copy):
    edit_json(
        tiny_copy / "nk" / "splits.json",
        lambda splits: splits["train"].append(splits["test"].pop()),
    )
    with pytest.raises(DatasetError, match=r"splits\.json was altered"):
        open_dataset(tiny_copy).read("nk", "train")
    assert len(open_dataset(tiny_copy).read("lss", "train")[0])


def test_missing_splits_are_refused(tiny_copy):
    (tiny_copy / "nk" / "splits.json").unlink()
    with pytest.raises(DatasetError, match=r"splits\.json is missing"):
        open_dataset(tiny_copy).rows("nk", "train")


@pytest.mark.parametrize("file", ["theta/c/0/0", "irfs/c/2/0/0/0"])
def test_an_altered_shard_is_refused_before_a_number_of_it_is_used(tiny_copy, file):
    flip_byte(tiny_copy / "nk" / file)
    with pytest.raises(DatasetError, match=r"was altered.*generate command again"):
        open_dataset(tiny_copy).read("nk", "test")


def test_a_missing_shard_is_refused(tiny_copy):
    (tiny_copy / "nk" / "theta" / "c" / "1" / "0").unlink()
    with pytest.raises(DatasetError, match="shard 1 of 'theta' is missing"):
        open_dataset(tiny_copy).read("nk", "train")


def test_values_that_are_not_finite_are_refused_even_if_the_checksums_were_forged(tiny_copy):
    write_array(tiny_copy, "nk", "irfs", lambda irfs: irfs[::2].fill(np.nan))
    forge_checksums(tiny_copy)
    with pytest.raises(DatasetError, match="not finite"):
        open_dataset(tiny_copy).read("nk", "train")


def test_a_missing_group_is_refused(tiny_copy):
    (tiny_copy / "nk").rename(tiny_copy / "elsewhere")
    with pytest.raises(DatasetError, match="nk"):
        open_dataset(tiny_copy).group("nk")


def test_unknown_names_come_with_the_nearest_known_one(small_dataset):
    data = open_dataset(small_dataset)
    for ask in (
        data.world,
        data.spec,
        data.splits,
        data.group,
        data.xarray,
        lambda world: data.read(world, "train"),
    ):
        with pytest.raises(UnknownNameError, match=r"'ns'.*Did you mean 'nk'"):
            ask("ns")
    with pytest.raises(UnknownNameError, match=r"'tets'.*Did you mean 'test'"):
        data.rows("nk", "tets")


def test_the_data_set_is_read_only(tiny_copy):
    group = open_dataset(tiny_copy).group("nk")
    with pytest.raises(ValueError, match="read-only"):
        group["theta"][0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        group.attrs["title"] = "mine"


def test_xarray_reads_the_same_numbers(small_dataset):
    data = open_dataset(small_dataset)
    np.testing.assert_array_equal(data.xarray("var").irfs.values, data.group("var")["irfs"][:])
