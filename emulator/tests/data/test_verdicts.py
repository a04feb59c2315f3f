"""Verdicts: draws of the prior before any is refused, with the status that the world gives them."""

import numpy as np
import pytest

from emulator.data import open_dataset, validate_dataset
from emulator.data.streams import stream
from emulator.data.verdicts import VERDICTS_FILE
from emulator.errors import DatasetError, UnknownNameError
from emulator.spec import Status
from emulator.tests.conftest import SMALL, SMALL_WORLDS
from emulator.tests.data.tampering import edit_json, flip_byte, forge_checksums
from emulator.worlds import get_world

EACH_WORLD = pytest.mark.parametrize("world", SMALL_WORLDS)


@pytest.mark.fast
@EACH_WORLD
def test_they_are_draws_of_the_prior_and_what_the_world_says_of_each(small_dataset, world):
    theta, status = open_dataset(small_dataset).verdicts(world)
    economy, n = get_world(world), SMALL["n_samples"]
    assert (theta.shape, theta.dtype) == ((n, economy.spec.n_parameters), np.float32)
    assert (status.shape, status.dtype) == ((n,), np.uint8)
    np.testing.assert_array_equal(
        theta, economy.propose(n, stream(SMALL["seed"], world, "verdicts")).astype(np.float32)
    )
    np.testing.assert_array_equal(status, economy.status(theta.astype(np.float64)))


@pytest.mark.fast
@EACH_WORLD
def test_refusals_are_as_frequent_as_on_the_way_to_the_stored_rows_which_are_other_draws(
    small_dataset, world
):
    data = open_dataset(small_dataset)
    theta, status = data.verdicts(world)
    refused = sum(data.world(world).rejections.values())
    share = refused / (SMALL["n_samples"] + refused)
    assert (status != Status.OK).mean() == pytest.approx(
        share, abs=4 * np.sqrt(2 * share * (1 - share) / len(status))
    )
    stored = data.group(world)["theta"][:]
    assert len(np.unique(np.concatenate([theta, stored]), axis=0)) == len(theta) + len(stored)


@pytest.mark.fast
def test_both_kinds_are_among_them_where_the_prior_holds_both(small_dataset):
    _, status = open_dataset(small_dataset).verdicts("nk")
    assert {Status.OK, Status.INDETERMINATE} <= {Status(code) for code in status}


@pytest.mark.parametrize(
    ("verdicts", "n_samples", "expected"), [(50, 100, 50), (20_000, 90, 80), (20_000, 60, 60)]
)
def test_they_are_no_more_than_asked_for_than_the_rows_and_than_eight_tasks_of_a_costly_world(
    generate_tiny, tmp_path, costly, verdicts, n_samples, expected
):
    data = generate_tiny(tmp_path / "x", worlds=["nk"], n_samples=n_samples, verdicts=verdicts)
    assert len(data.verdicts("nk")[1]) == data.manifest.request.n_verdicts("nk") == expected
    assert validate_dataset(tmp_path / "x") == []


def test_a_draw_gets_the_same_verdict_in_tasks_of_any_size(
    generate_tiny, tiny_dataset, tmp_path, costly
):
    for status, expected in zip(
        generate_tiny(tmp_path / "x").verdicts("nk"),
        open_dataset(tiny_dataset).verdicts("nk"),
        strict=True,
    ):
        np.testing.assert_array_equal(status, expected)


@pytest.mark.fast
def test_none_may_be_asked_for(generate_tiny, tmp_path):
    data = generate_tiny(tmp_path / "x", verdicts=0)
    assert not list((tmp_path / "x").rglob(VERDICTS_FILE))
    assert "judged apart" not in (tmp_path / "x" / "README.md").read_text()
    assert validate_dataset(tmp_path / "x") == []
    with pytest.raises(
        DatasetError, match=r"no verdicts of world 'nk'.*--verdicts 0.*Generate the data anew"
    ):
        data.verdicts("nk")


def test_data_sets_older_than_the_fields_open_validate_and_keep_their_fingerprint(
    generate_tiny, tmp_path
):
    root = tmp_path / "x"
    fingerprint = generate_tiny(root, verdicts=0).fingerprint
    for name in ("manifest.json", "request.json"):
        edit_json(
            root / name,
            lambda content: (
                [
                    content.get("request", content).pop(field)
                    for field in ("verdicts", "samples", "shards")
                ]
                and content
            ),
        )
    assert '"verdicts"' not in (root / "manifest.json").read_text()
    assert open_dataset(root).fingerprint == fingerprint
    assert validate_dataset(root) == []


@pytest.mark.fast
def test_the_card_counts_them_by_status(small_dataset):
    _, status = open_dataset(small_dataset).verdicts("nk")
    card = (small_dataset / "README.md").read_text()
    assert (
        f"in `nk/verdicts.npz`: {(status == Status.OK).sum()} ok,"
        f" {(status == Status.INDETERMINATE).sum()} indeterminate" in card
    )
    assert f"in `var/verdicts.npz`: {SMALL['n_samples']} ok" in card


@pytest.mark.fast
def test_an_altered_or_missing_file_is_refused(tiny_copy):
    flip_byte(tiny_copy / "nk" / VERDICTS_FILE)
    (tiny_copy / "lss" / VERDICTS_FILE).unlink()
    for world in ("nk", "lss"):
        with pytest.raises(DatasetError, match=r"verdicts\.npz is missing or was altered"):
            open_dataset(tiny_copy).verdicts(world)
    with pytest.raises(UnknownNameError, match="Did you mean 'nk'"):
        open_dataset(tiny_copy).verdicts("nkk")


def objects(file, theta, status):
    np.savez(file, theta=theta.astype(object), status=status)


@pytest.mark.parametrize(
    "write",
    [
        lambda file, *_: file.write_bytes(b"text"),
        lambda file, *_: np.save(file.open("wb"), np.arange(3)),
        lambda file, theta, _: np.savez(file, theta=theta),
        objects,
    ],
)
def test_what_is_no_file_of_verdicts_is_refused_and_nothing_is_unpickled(tiny_copy, write):
    write(tiny_copy / "nk" / VERDICTS_FILE, *open_dataset(tiny_copy).verdicts("nk"))
    forge_checksums(tiny_copy)
    with pytest.raises(DatasetError, match="no file of verdicts"):
        open_dataset(tiny_copy).verdicts("nk")
    assert any("no file of verdicts" in what for _, what in validate_dataset(tiny_copy))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda theta, status: (
                theta,
                np.where(status == Status.OK, Status.EXPLOSIVE, status).astype(np.uint8),
            ),
            "draws judged again have another status",
        ),
        (lambda theta, status: (theta[::-1], status), "not the draws of the prior"),
        (lambda theta, status: (np.full_like(theta, np.nan), status), "not the draws of the prior"),
        (lambda theta, status: (theta[:-1], status[:-1]), "expected (80, 12) and (80,)"),
    ],
)
def test_validation_finds_wrong_ones_even_if_the_checksums_were_forged(tiny_copy, change, message):
    theta, status = change(*open_dataset(tiny_copy).verdicts("nk"))
    np.savez(tiny_copy / "nk" / VERDICTS_FILE, theta=theta, status=status)
    forge_checksums(tiny_copy)
    problems = validate_dataset(tiny_copy)
    assert [world for world, _ in problems] == ["nk"]
    assert message in problems[0].what


def test_validation_finds_that_the_manifest_forgot_them(tiny_copy):
    edit_json(
        tiny_copy / "manifest.json",
        lambda m: (m["worlds"]["nk"]["metadata_sha256"].pop(VERDICTS_FILE), None)[1],
    )
    assert {what for world, what in validate_dataset(tiny_copy) if world == "nk"} == {
        "verdicts.npz is not in the manifest",
        "the request asks for 80 verdicts, and the manifest does not hold the file of just as many",
    }
