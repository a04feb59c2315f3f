"""Validation finds what is wrong, and finds nothing where nothing is."""

import json
import shutil

import numpy as np
import pytest

from emulator.data import SPLITS, validate_dataset
from emulator.data.splits import SLICE
from emulator.errors import DatasetError
from emulator.spec import Status
from emulator.tests.data.tampering import (
    contents,
    edit_json,
    flip_byte,
    forge_checksums,
    write_array,
)


def findings(root):
    return [f"{world}: {what}" for world, what in validate_dataset(root)]


def has(root, world, *words):
    """Whether one finding of the world holds every word, and no other world is blamed."""
    problems = findings(root)
    assert all(finding.startswith(f"{world}: ") for finding in problems), problems
    return any(all(word in finding for word in words) for finding in problems)


@pytest.mark.fast
def test_a_whole_data_set_gives_no_findings(small_dataset, tiny_dataset):
    assert findings(small_dataset) == []
    assert findings(tiny_dataset) == []


SHARDS = [
    "theta/c/0/0",
    "irfs/c/1/0/0/0",
    "status/c/2",
    "shocks/c/0/0/0",
    "trajectories/c/1/0/0",
    "state_transition/c/2/0/0",
    "state_impact/c/0/0/0",
    "state_observation/c/0/0/0",
]
BESIDE = [
    "zarr.json",
    "theta/zarr.json",
    "irfs/zarr.json",
    "status/zarr.json",
    "parameter/zarr.json",
    "horizon/zarr.json",
    "parameter/c/0",
    "parameter_unit/c/0",
    "shock/c/0",
    "horizon/c/0",
    "observable/c/0",
    "period/c/0",
    "state/c/0",
    "splits.json",
    "verdicts.npz",
]


ENDS = [
    (file, position)
    for file in ("irfs/c/1/0/0/0", "irfs/zarr.json", "shock/c/0", "splits.json")
    for position in (0.0, 1.0)
]


@pytest.mark.parametrize(("file", "position"), [*((file, 0.5) for file in SHARDS + BESIDE), *ENDS])
def test_one_flipped_byte_is_found_in_every_kind_of_file(tiny_copy, file, position):
    flip_byte(tiny_copy / "nk" / file, position)
    array = file.partition("/")[0]
    if file in SHARDS:
        assert has(tiny_copy, "nk", f"shard {file.split('/')[2]} of '{array}'", "altered")
    elif file in ("theta/zarr.json", "irfs/zarr.json", "status/zarr.json"):
        assert has(tiny_copy, "nk", f"{array}/zarr.json", "altered")
    else:
        assert has(tiny_copy, "nk", file, "altered")


def test_the_list_of_files_above_is_the_whole_list(tiny_dataset):
    listed = {
        p.relative_to(tiny_dataset / "nk").parts
        for p in (tiny_dataset / "nk").rglob("*")
        if p.is_file()
    }
    arrays = {file.split("/")[0] for file in SHARDS}
    assert {parts[0] for parts in listed if "c" in parts or "splits" in parts} <= arrays | {
        file.split("/")[0] for file in BESIDE
    } | {"observable_unit"}
    assert {parts[0] for parts in listed if parts[1:2] == ("c",) and parts[0] in arrays} == arrays


@pytest.mark.fast
def test_a_nan_written_through_zarr_is_found_with_its_row(tiny_copy):
    def spoil(irfs):
        irfs[70, 0, 0, 0] = np.nan

    write_array(tiny_copy, "lss", "irfs", spoil)
    assert has(tiny_copy, "lss", "'irfs'", "not finite", "row 70")
    assert has(tiny_copy, "lss", "shard 2 of 'irfs' was altered")


@pytest.mark.parametrize("name", ["theta", "irfs", "shocks", "trajectories", "state_transition"])
def test_a_nan_is_found_even_if_the_checksums_were_forged(tiny_copy, name):
    def spoil(values):
        values.reshape(len(values), -1)[5, -1] = np.nan

    write_array(tiny_copy, "nk", name, spoil)
    forge_checksums(tiny_copy)
    assert has(tiny_copy, "nk", f"'{name}'", "1 row(s)", "row 5")


def test_a_draw_that_is_not_ok_is_found(tiny_copy):
    write_array(
        tiny_copy, "nk", "status", lambda status: status.__setitem__(3, Status.INDETERMINATE)
    )
    forge_checksums(tiny_copy)
    assert has(tiny_copy, "nk", "'status'", "row 3")


def test_a_missing_shard_is_found_and_named(tiny_copy):
    (tiny_copy / "nk" / "irfs" / "c" / "1" / "0" / "0" / "0").unlink()
    assert has(tiny_copy, "nk", "shard 1 of 'irfs' is missing")
    assert has(tiny_copy, "nk", "'irfs'", "32 row(s)", "row 32")


@pytest.mark.parametrize("part", ["irfs", "parameter", "."])
def test_a_missing_folder_is_found(tiny_copy, part):
    shutil.rmtree(tiny_copy / "lss" / part)
    assert has(tiny_copy, "lss", "missing")


@pytest.mark.parametrize("name", ["irfs", "theta", "trajectories"])
def test_numbers_that_the_world_does_not_give_are_found_even_if_the_checksums_were_forged(
    tiny_copy, name
):
    def nudge(values):
        values[10] = values[10] + 1e-3 * np.abs(values[10]).max()

    write_array(tiny_copy, "nk", name, nudge)
    forge_checksums(tiny_copy)
    assert has(tiny_copy, "nk", "solved again differ")


def test_parameters_out_of_range_and_repeated_rows_are_found(tiny_copy):
    def spoil(theta):
        theta[4, 2] = 0.6
        theta[9] = theta[8]

    write_array(tiny_copy, "nk", "theta", spoil)
    forge_checksums(tiny_copy)
    assert has(tiny_copy, "nk", "theta leaves the declared ranges in 1 row(s)")
    assert has(tiny_copy, "nk", "some rows of theta are equal")


def move(source, target, count=1, keep=False):
    def change(splits):
        splits[target] += splits[source][:count]
        splits[source] = splits[source] if keep else splits[source][count:]

    return change


TAMPERED = {
    "an overlap": (
        move("train", "val", 3, keep=True),
        "splits 'train' and 'val' overlap in 3 row(s)",
    ),
    "a held-out row in train": (
        move(SLICE, "train"),
        f"1 row(s) of the held-out region '{SLICE}' are in 'train'",
    ),
    "a held-out row in test": (move("test_extrapolation_corner", "test"), "are in 'test'"),
    "a common row in the slice": (
        move("train", SLICE),
        f"1 row(s) of '{SLICE}' lie outside its region",
    ),
    "a row in no split": (lambda s: s["train"].pop(), "1 row(s) belong to no split"),
    "a row twice": (lambda s: s["train"].append(s["train"][0]), "names a row twice"),
    "a row beyond the data": (lambda s: s["test"].append(80), "rows outside 0 to 79"),
    "a negative row": (lambda s: s["test"].append(-1), "rows outside 0 to 79"),
    "an empty split": (
        lambda s: s["train"].extend(s.pop("val")) or s.update(val=[]),
        "split 'val' is empty",
    ),
    "no such split": (lambda s: s.pop("val"), "not a table of splits"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_splits_that_break_their_promise_are_found_even_if_the_checksum_was_forged(tiny_copy, what):
    change, message = TAMPERED[what]
    edit_json(tiny_copy / "nk" / "splits.json", lambda splits: change(splits) and None)
    assert has(tiny_copy, "nk", "splits.json was altered")
    forge_checksums(tiny_copy)
    assert has(tiny_copy, "nk", message)


@pytest.mark.parametrize(
    "content",
    ["", "{", '{"train": [0, 1', "null", json.dumps({name: [0.5, "x"] for name in SPLITS})],
)
def test_a_malformed_splits_file_is_found(tiny_copy, content):
    (tiny_copy / "nk" / "splits.json").write_text(content)
    assert has(tiny_copy, "nk", "splits", "not a table of splits")


@pytest.mark.parametrize("content", ["", "{", "null", '{"worlds": {}}'])
def test_a_malformed_manifest_stops_validation_with_a_message(tiny_copy, content):
    (tiny_copy / "manifest.json").write_text(content)
    with pytest.raises(DatasetError, match=r"manifest\.json cannot be read"):
        validate_dataset(tiny_copy)


def test_a_truncated_manifest_stops_validation_with_a_message(tiny_copy):
    file = tiny_copy / "manifest.json"
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(DatasetError, match=r"manifest\.json cannot be read"):
        validate_dataset(tiny_copy)


def test_shards_that_the_manifest_leaves_out_are_missed(tiny_copy):
    edit_json(
        tiny_copy / "manifest.json",
        lambda manifest: manifest["worlds"]["nk"]["shards"].pop() and None,
    )
    assert has(tiny_copy, "nk", "do not cover the rows")


def test_a_world_that_is_not_installed_is_said_to_be_unchecked(tiny_copy):
    def rename(manifest):
        manifest["worlds"]["nk2"] = manifest["worlds"].pop("nk")
        manifest["worlds"]["nk2"]["spec"]["name"] = "nk2"
        manifest["request"]["worlds"][0] = "nk2"

    edit_json(tiny_copy / "manifest.json", rename)
    (tiny_copy / "nk").rename(tiny_copy / "nk2")
    problems = findings(tiny_copy)
    assert (
        "nk2: world 'nk2' is not installed here, so its responses cannot be checked; one of a"
        " Python file is named: emulator validate --world mysim.py:economy"
    ) in problems
    assert "data set: request.json and the manifest disagree on what was asked for" in problems


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m["worlds"]["nk"].update(regions={}), "held-out regions are not those"),
        (
            lambda m: [r["sha256"].pop("irfs") for r in m["worlds"]["nk"]["shards"]],
            "does not hold checksums of exactly",
        ),
        (
            lambda m: m["worlds"]["nk"]["metadata_sha256"].pop("shock/c/0"),
            "shock/c/0 is not in the manifest",
        ),
    ],
)
def test_a_manifest_that_forgets_is_found(tiny_copy, change, message):
    edit_json(tiny_copy / "manifest.json", lambda manifest: (change(manifest), None)[1])
    assert has(tiny_copy, "nk", message)


def test_splits_and_verdicts_of_another_seed_are_found_in_every_world(tiny_copy):
    for file in ("manifest.json", "request.json"):
        edit_json(
            tiny_copy / file, lambda content: content.get("request", content).update(seed=999)
        )
    messages = (
        "the splits are not those that the request's seed and fractions draw",
        "verdicts.npz: theta are not the draws of the prior that the request's seed gives",
    )
    assert findings(tiny_copy) == [
        f"{world}: {message}" for world in ("nk", "lss") for message in messages
    ]


def test_request_card_and_stray_files_are_part_of_the_set(tiny_copy):
    (tiny_copy / "request.json").unlink()
    (tiny_copy / "figures" / "nk.png").unlink()
    (tiny_copy / "nk" / "irfs" / "c" / "99").write_text("stray")
    assert findings(tiny_copy) == [
        "data set: request.json is missing or cannot be read",
        "data set: figures/nk.png is missing",
        "nk: irfs/c/99 is not in the manifest",
    ]


@pytest.mark.fast
def test_wrong_solution_matrices_are_found_though_their_checksums_fit(tiny_copy):
    write_array(tiny_copy, "nk", "state_impact", lambda values: values.__imul__(2.0))
    forge_checksums(tiny_copy)
    assert has(tiny_copy, "nk", "'state_impact'", "solved again differ")


@pytest.mark.fast
def test_validation_changes_nothing(tiny_copy, tiny_dataset):
    validate_dataset(tiny_copy)
    assert contents(tiny_copy) == contents(tiny_dataset)
