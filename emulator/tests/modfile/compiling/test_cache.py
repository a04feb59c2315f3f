"""The cache of compiled equations: used when whole, remade when damaged, never in the way."""

import json
import multiprocessing

import numpy as np
import pytest

from emulator.modfile import irf
from emulator.modfile.compiling import load as load_module

pytestmark = [pytest.mark.fast, pytest.mark.filterwarnings("ignore::UserWarning")]

TEXT = (
    "var x; varexo e; parameters a; a = 0.5; model; x = a*x(-1) + e; end;\nshocks; var e; stderr 1;"
    " end;\n"
)
EXPECTED = 0.5 ** np.arange(4)


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """The path of a model and of its entry in a cache of its own."""
    monkeypatch.setenv("EMULATOR_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "model.mod"
    path.write_text(TEXT)
    answer(path)
    [entry] = (tmp_path / "cache").iterdir()
    return path, entry


def answer(path):
    return irf(path, horizon=3).values[0, :, 0]


def test_a_whole_entry_is_used(cached, monkeypatch):
    path, _ = cached
    monkeypatch.setattr(load_module, "compile_equations", lambda *a: pytest.fail("compiled again"))
    np.testing.assert_allclose(answer(path), EXPECTED)


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: b"",
        lambda d: d[:50],
        lambda d: b"\xff\x00" * 20,
        lambda d: b"[" * 100_000,
        lambda d: d.replace(b"-1.0", b"-2.0"),
        lambda d: d.replace(b'"x"', b'"q"'),
    ],
)
def test_a_damaged_entry_is_remade(cached, damage):
    path, entry = cached
    whole = entry.read_bytes()
    assert damage(whole) != whole
    entry.write_bytes(damage(whole))
    np.testing.assert_allclose(answer(path), EXPECTED)
    assert entry.read_bytes() == whole


def test_an_entry_of_another_shape_is_remade(cached):
    path, entry = cached
    for content in ({}, [], 3, None, {"static": []}):
        entry.write_text(json.dumps(content))
        np.testing.assert_allclose(answer(path), EXPECTED)


def test_a_cache_that_cannot_be_written_does_not_matter(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    path = tmp_path / "model.mod"
    path.write_text(TEXT)
    monkeypatch.setenv("EMULATOR_CACHE", str(blocked / "cache"))
    np.testing.assert_allclose(answer(path), EXPECTED)
    monkeypatch.delenv("EMULATOR_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("pathlib.Path.home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    np.testing.assert_allclose(answer(path), EXPECTED)


def test_comments_share_an_entry_and_equations_do_not(cached):
    path, entry = cached
    path.write_text(TEXT + "// half\n")
    answer(path)
    assert list(entry.parent.iterdir()) == [entry]
    path.write_text(TEXT.replace("+ e", "+ 2*e"))
    np.testing.assert_allclose(answer(path), 2 * EXPECTED)


def test_two_processes_at_once(cached):
    path, entry = cached
    entry.unlink()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for answer_of_process in pool.map(answer, [path] * 4):
            np.testing.assert_allclose(answer_of_process, EXPECTED)
