"""Folders that generation must not touch, and what it takes to replace a data set."""

import json

import pytest

from emulator.data import open_dataset
from emulator.errors import DatasetError
from emulator.tests.data.tampering import contents, edit_json
from emulator.worlds import get_world


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_samples": 90}, "n_samples: there 80, asked 90"),
        ({"seed": 8}, "seed: there 7, asked 8"),
        ({"worlds": ["nk"]}, "worlds: there"),
        ({"horizon": 6}, "horizon: there 5, asked 6"),
        ({"periods": 0}, "periods"),
        ({"shard": 64}, "shard"),
    ],
)
def test_another_request_in_the_same_folder_is_refused_and_nothing_is_lost(
    tiny_copy, generate_tiny, change, message
):
    before = contents(tiny_copy)
    with pytest.raises(DatasetError, match=rf"{message}.*--overwrite"):
        generate_tiny(tiny_copy, **change)
    assert contents(tiny_copy) == before


def test_data_of_an_older_spec_are_another_requests(generate_tiny, tiny_copy, monkeypatch):
    world = get_world("nk")
    wider = world.spec.parameters[2].model_copy(update={"high": 0.9})
    parameters = (*world.spec.parameters[:2], wider, *world.spec.parameters[3:])
    monkeypatch.setattr(world, "spec", world.spec.model_copy(update={"parameters": parameters}))
    with pytest.raises(DatasetError, match=r"another request.*specs_sha256"):
        generate_tiny(tiny_copy)


def test_names_of_worlds_that_would_leave_the_folder_are_refused(tiny_copy):
    edit_json(tiny_copy / "manifest.json", lambda m: m["request"]["worlds"].append("../../evil"))
    with pytest.raises(DatasetError, match="cannot be read"):
        open_dataset(tiny_copy)
    edit_json(
        tiny_copy / "manifest.json",
        lambda m: (m["request"]["worlds"].pop(), m["worlds"].update(evil=m["worlds"]["nk"]), None)[
            2
        ],
    )
    with pytest.raises(DatasetError, match="not those of its request"):
        open_dataset(tiny_copy)


def test_data_of_another_version_of_this_package_are_refused(tiny_copy, generate_tiny):
    edit_json(tiny_copy / "request.json", lambda request: request.update(made_by="0.0.1"))
    with pytest.raises(DatasetError, match=r"made_by: there 0\.0\.1"):
        generate_tiny(tiny_copy)


def test_overwrite_replaces_the_data_of_another_request(tiny_copy, generate_tiny, tmp_path):
    generate_tiny(tiny_copy, n_samples=90, overwrite=True)
    generate_tiny(tmp_path / "fresh", n_samples=90)
    assert contents(tiny_copy) == contents(tmp_path / "fresh")


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_something_else_is_refused_even_with_overwrite(
    generate_tiny, tmp_path, overwrite
):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").write_text("years of work")
    with pytest.raises(DatasetError, match="not empty and is no data set"):
        generate_tiny(tmp_path / "thesis", overwrite=overwrite)
    assert contents(tmp_path / "thesis") == {"chapter1.tex": b"years of work"}


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_path_that_is_a_file_is_refused(generate_tiny, tmp_path, overwrite):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DatasetError, match="is a file"):
        generate_tiny(tmp_path / "file", overwrite=overwrite)
    assert (tmp_path / "file").read_text() == "mine"


def test_an_empty_folder_is_used(generate_tiny, tmp_path):
    (tmp_path / "empty").mkdir()
    assert generate_tiny(tmp_path / "empty").worlds == ["nk", "lss"]


def test_a_run_killed_while_it_wrote_its_request_can_start_again(generate_tiny, tmp_path):
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / ".request.json.x1.partial").write_text('{"worlds"')
    generate_tiny(tmp_path / "begun")
    assert not list((tmp_path / "begun").rglob("*.partial"))


@pytest.mark.parametrize("content", ["{", json.dumps({"worlds": ["nk"], "who": "knows"})])
def test_a_request_that_cannot_be_read_is_refused(tiny_copy, generate_tiny, content):
    (tiny_copy / "request.json").write_text(content)
    before = contents(tiny_copy)
    for overwrite in (False, True):
        with pytest.raises(
            DatasetError, match=r"request\.json is no request of this version.*yourself"
        ):
            generate_tiny(tiny_copy, overwrite=overwrite)
    assert contents(tiny_copy) == before


def test_overwriting_never_deletes_what_is_not_ours(generate_tiny, tiny_copy):
    (tiny_copy / "thesis").mkdir()
    (tiny_copy / "thesis" / "chapter1.tex").write_text("precious")
    before = contents(tiny_copy)
    with pytest.raises(DatasetError, match=r"also holds thesis.*nothing was deleted"):
        generate_tiny(tiny_copy, seed=9, overwrite=True)
    assert contents(tiny_copy) == before


def test_overwriting_through_a_link_replaces_what_it_points_to(generate_tiny, tiny_copy, tmp_path):
    (tmp_path / "link").symlink_to(tiny_copy)
    generate_tiny(tmp_path / "link", seed=9, overwrite=True)
    assert (tmp_path / "link").is_symlink()
    assert open_dataset(tiny_copy).manifest.request.seed == 9
