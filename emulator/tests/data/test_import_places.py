"""Where an import comes to lie: on this machine whole or not at all, in an object store with the
manifest last.
"""

from __future__ import annotations

from pathlib import Path

import fsspec
import pytest

from emulator.data import open_dataset, validate_dataset
from emulator.data.importing import write
from emulator.data.remote import RemoteFolder
from emulator.errors import DatasetError
from emulator.tests.data.drawn import drawn, imported, plain_card
from emulator.tests.data.drawn_files import save_npz
from emulator.tests.data.tampering import contents
from emulator.tests.data.test_storage import everything

pytestmark = [pytest.mark.fast, pytest.mark.usefixtures("plain_card")]

__all__ = ["plain_card"]

URL = "memory://imports/mine"


@pytest.fixture
def memory():
    """fsspec's memory, empty of ours before and after."""
    files = fsspec.filesystem("memory")
    for when in ("before", "after"):
        if files.exists("/imports"):
            files.rm("/imports", recursive=True)
        if when == "before":
            yield files


def test_an_object_store_holds_the_same_bytes_as_a_folder(tmp_path, memory):
    here, there = imported(tmp_path / "mine"), imported(URL)
    assert everything(URL) == contents(tmp_path / "mine")
    assert (there.path, there.fingerprint) == (URL, here.fingerprint)
    assert validate_dataset(URL) == []
    with pytest.raises(DatasetError, match="holds a data set already"):
        imported(URL, seed=1)
    assert imported(URL, seed=1, overwrite=True).fingerprint != here.fingerprint
    memory.pipe_file("/imports/mine/thesis.tex", b"years of work")
    with pytest.raises(DatasetError, match=r"also holds thesis\.tex"):
        imported(URL, seed=1, overwrite=True)


def test_what_was_torn_on_the_way_is_no_data_set_and_is_replaced(memory, monkeypatch):
    put_whole, written = RemoteFolder.write_bytes, []

    def cut_off(self, name, content):
        written.append(name)
        if len(written) == 5:
            raise OSError("the line is dead")
        put_whole(self, name, content)

    with monkeypatch.context() as patch:
        patch.setattr(RemoteFolder, "write_bytes", cut_off)
        with pytest.raises(OSError, match="line is dead"):
            imported(URL)
    with pytest.raises(DatasetError, match="is not finished"):
        open_dataset(URL)
    assert validate_dataset(imported(URL).path) == []


def test_the_command_imports_into_an_object_store(tmp_path, memory, emulate):
    save_npz(tmp_path / "draws.npz", drawn())
    code, out, said = emulate("import", tmp_path / "draws.npz", "--name", "mine", "--output", URL)
    assert code == 0, said
    assert f"Data set: {URL}" in out
    code, out, said = emulate("validate", "--dataset", URL)
    assert code == 0, said


def test_a_place_of_an_unknown_kind_is_refused_before_the_draws_are_read():
    with pytest.raises(DatasetError, match="nosuch"):
        imported("nosuch://bucket/mine")


def test_what_lies_at_the_output_is_kept_unless_told(tmp_path: Path) -> None:
    first = imported(tmp_path / "mine")
    with pytest.raises(DatasetError, match=r"holds a data set already.*--overwrite"):
        imported(tmp_path / "mine", seed=1)
    assert open_dataset(tmp_path / "mine").fingerprint == first.fingerprint
    second = imported(tmp_path / "mine", seed=1, overwrite=True)
    assert second.fingerprint != first.fingerprint
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(DatasetError, match=r"also holds thesis\.tex"):
        imported(tmp_path / "mine", seed=1, overwrite=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match="is a file"):
        imported(tmp_path / "file", name="mine", overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "mine"]


@pytest.mark.parametrize("place", ["finish", "_shards", "put"])
def test_an_interrupted_import_leaves_nothing_and_an_older_data_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    before = imported(tmp_path / "mine").fingerprint

    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(write, place, interrupt)
        with pytest.raises(KeyboardInterrupt):
            imported(tmp_path / "mine", seed=2, overwrite=True)
        with pytest.raises(KeyboardInterrupt):
            imported(tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert open_dataset(tmp_path / "mine").fingerprint == before


def test_what_a_killed_import_left_is_put_back_or_removed(tmp_path: Path) -> None:
    imported(tmp_path / "mine")
    aside = tmp_path / ".mine.x.import.partial"
    aside.mkdir()
    (tmp_path / "mine").rename(aside / "older")  # killed between two renames
    with pytest.raises(DatasetError, match="holds a data set already"):
        imported(tmp_path / "mine")
    assert validate_dataset(tmp_path / "mine") == []
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
