"""Files are whole or not there."""

import errno
import hashlib
import json
import math
import os
from pathlib import Path

import pytest

from emulator.errors import EmulatorError
from emulator.files import (
    SEAL,
    check_seal,
    check_writable,
    sealed,
    sha256,
    sha256_file,
    sole_writer,
    sweep,
    write_bytes,
    write_json,
    write_text,
)
from emulator.tests import commands

pytestmark = pytest.mark.fast


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_content_arrives_whole_and_nothing_else_stays(tmp_path):
    write_bytes(tmp_path / "deep" / "down" / "a.bin", b"\x00\xff" * 1000)
    assert (tmp_path / "deep" / "down" / "a.bin").read_bytes() == b"\x00\xff" * 1000
    assert names(tmp_path / "deep" / "down") == ["a.bin"]


def test_text_is_utf8(tmp_path):
    write_text(tmp_path / "a.txt", "Galí → Δ")
    assert (tmp_path / "a.txt").read_bytes() == "Galí → Δ".encode()


@pytest.mark.parametrize("name", ["fsync", "replace", "fdopen"])
@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()]
)
def test_a_write_that_fails_leaves_the_old_file_and_no_partial_one(
    tmp_path, monkeypatch, name, error
):
    write_text(tmp_path / "a.txt", "old")

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(os, name, fail)
    with pytest.raises(type(error)):
        write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_the_content_is_on_the_disk_before_the_name_points_to_it(tmp_path, monkeypatch):
    order = []
    true_fsync, true_replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (order.append("fsync"), true_fsync(handle))[1])
    monkeypatch.setattr(
        os, "replace", lambda a, b: (order.append("replace"), true_replace(a, b))[1]
    )
    write_text(tmp_path / "a.txt", "x")
    assert order[:2] == ["fsync", "replace"]


def test_others_may_read_what_was_written(tmp_path):
    write_text(tmp_path / "a.txt", "x")
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o644


def test_a_reader_never_sees_a_part(tmp_path):
    write_text(tmp_path / "a.txt", "old")
    with (tmp_path / "a.txt").open() as reader:
        write_text(tmp_path / "a.txt", "new and longer")
        assert reader.read() == "old"
    assert (tmp_path / "a.txt").read_text() == "new and longer"


def test_json_is_sorted_and_ends_with_a_newline(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": [1.5, None, "é"]})
    text = (tmp_path / "a.json").read_text()
    assert text.endswith("}\n")
    assert text.index('"a"') < text.index('"b"')
    assert json.loads(text) == {"a": [1.5, None, "é"], "b": 1}


@pytest.mark.parametrize("value", [math.nan, math.inf, {"deep": [-math.inf]}, object()])
def test_json_refuses_what_other_readers_refuse_and_keeps_the_old_file(tmp_path, value):
    write_json(tmp_path / "a.json", 1)
    with pytest.raises((ValueError, TypeError)):
        write_json(tmp_path / "a.json", {"x": value})
    assert json.loads((tmp_path / "a.json").read_text()) == 1
    assert names(tmp_path) == ["a.json"]


def test_sha256_of_bytes_and_of_a_file(tmp_path):
    content = os.urandom(100_000)
    (tmp_path / "a").write_bytes(content)
    assert sha256(content) == sha256_file(tmp_path / "a") == hashlib.sha256(content).hexdigest()


def test_one_writer_a_folder(tmp_path):
    folder = tmp_path / "data"
    with (
        sole_writer(folder),
        pytest.raises(EmulatorError, match="Another process is writing"),
        sole_writer(folder),
    ):
        pass
    with sole_writer(folder):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(
    not Path("/proc/self").is_dir(), reason="needs a folder in which nobody can write"
)
def test_a_folder_that_cannot_be_is_not_said_to_be_in_use():
    with (
        pytest.raises(EmulatorError, match="nothing can be made in /proc"),
        sole_writer(Path("/proc/data")),
    ):
        pass


def test_a_killed_writer_holds_nothing(tmp_path):
    code = (
        "import sys, os, pathlib; from emulator.files import sole_writer\nwith"
        " sole_writer(pathlib.Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    commands.run("-c", code, tmp_path / "data")
    with sole_writer(tmp_path / "data"):
        pass


def test_sweeping_takes_only_what_is_half_written(tmp_path):
    (tmp_path / "below").mkdir()
    for name in (".a.json.x.partial", "below/0.abc.partial", "kept.json", "below/kept"):
        (tmp_path / name).write_text("")
    sweep(tmp_path)
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ["kept", "kept.json"]


def test_a_sealed_document_survives_its_file(tmp_path):
    content = {"b": [1, 2.5, None, "Galí"], "a": {"x": 1e-300, "y": 0.1}}
    write_json(tmp_path / "a.json", sealed(content))
    document = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    check_seal(document, tmp_path / "a.json")
    assert {key: value for key, value in document.items() if key != SEAL} == content
    assert sealed(document) == document, "sealing again changes nothing"


def test_any_changed_digit_of_a_sealed_document_is_noticed(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, sealed({"scores": [0.25, 17, 3e-05], "version": 3, "name": "run 4"}))
    text = path.read_text()
    for place in (i for i, letter in enumerate(text) if letter.isdigit()):
        digit = str((int(text[place]) + 1) % 10)
        altered = json.loads(text[:place] + digit + text[place + 1 :])
        with pytest.raises(EmulatorError, match=r"a\.json (was altered|carries no checksum)"):
            check_seal(altered, path)


def test_a_document_without_a_seal_is_refused_with_the_readers_own_error(tmp_path):
    class ReaderError(EmulatorError):
        pass

    with pytest.raises(ReaderError, match="carries no checksum"):
        check_seal({"a": 1}, tmp_path / "a.json", ReaderError)


def test_a_folder_that_can_be_written_passes_and_nothing_is_made(tmp_path):
    check_writable(tmp_path)
    check_writable(tmp_path / "not" / "yet" / "there")
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(EmulatorError, match="is a file"):
        check_writable(tmp_path / "file" / "deeper")

    def refuse(**_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)  # the tests may run as root
    with pytest.raises(EmulatorError, match=r"deeper' cannot be written.*Permission denied"):
        check_writable(tmp_path / "deeper")


def test_a_link_to_itself_is_refused_with_a_message(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    for folder in (tmp_path / "loop", tmp_path / "loop" / "deeper"):
        with pytest.raises(EmulatorError, match="leads back to itself"):
            check_writable(folder)
        with pytest.raises(EmulatorError, match="leads back to itself"), sole_writer(folder):
            pass
