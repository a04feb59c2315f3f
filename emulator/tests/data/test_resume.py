"""An interrupted run goes on where it stopped, a damaged data set is mended, and the bytes are
those of an undisturbed run.
"""

import errno
import shutil
from contextlib import contextmanager

import pytest

from emulator.data import (
    finishing,
    generate,
    jobs,
    open_dataset,
    shards,
    validate_dataset,
    verdicts,
)
from emulator.errors import DatasetError
from emulator.tests.data.tampering import contents, edit_json, flip_byte, modified


class PowerCut(BaseException):
    """Nothing in the code may catch it."""


@pytest.fixture
def undisturbed(tiny_dataset):
    return contents(tiny_dataset)


@contextmanager
def interrupted(module, name, after, error=PowerCut):
    """Let a function of a module work `after` times and then raise, within this context, which
    expects it to.
    """
    true, calls = getattr(module, name), []

    def fragile(*args, **kwargs):
        calls.append(args)
        if len(calls) > after:
            raise error
        return true(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, fragile)
        with pytest.raises(error if isinstance(error, type) else type(error)):
            yield


WHERE = {
    "before the first shard": (jobs, "make_shard", 0),
    "between two shards": (jobs, "make_shard", 4),
    "after a shard's arrays, before its record": (shards, "write_record", 2),
    "in the middle of a shard's arrays": (shards, "shard_file", 17),
    "while the groups are created": (generate, "group_files", 1),
    "before the second world's verdicts": (generate, "make_verdicts", 1),
    "after the verdicts, before their record": (verdicts, "record_verdicts", 0),
    "before the second world's splits": (finishing, "make_splits", 1),
    "before the manifest": (finishing.card, "write", 0),
}


@pytest.mark.parametrize("where", WHERE)
def test_a_run_stopped_anywhere_resumes_to_the_same_bytes(
    generate_tiny, undisturbed, tmp_path, where
):
    root = tmp_path / "stopped"
    with interrupted(*WHERE[where]):
        generate_tiny(root)
    assert not (root / "manifest.json").exists()
    with pytest.raises(DatasetError, match=r"not finished.*resumes"):
        open_dataset(root)
    generate_tiny(root)
    assert contents(root) == undisturbed


def test_finished_shards_are_kept_when_a_run_resumes(generate_tiny, undisturbed, tmp_path):
    root = tmp_path / "stopped"
    with interrupted(jobs, "make_shard", 4):
        generate_tiny(root)
    finished = [
        f"{world}/{array}/c/{shard}"
        for world, shard in (("nk", 0), ("nk", 1), ("nk", 2), ("lss", 0))
        for array in ("theta", "irfs", "shocks", "status")
    ]
    before = modified(root, finished)
    generate_tiny(root)
    assert modified(root, finished) == before
    assert contents(root) == undisturbed


def test_half_written_shards_and_leftovers_are_never_taken_for_data(
    generate_tiny, undisturbed, tmp_path
):
    root = tmp_path / "stopped"
    with interrupted(jobs, "make_shard", 5):
        generate_tiny(root)
    for shard in (1, 2):  # a whole record, half a file: a power cut before the disk had it
        file = root / "nk" / "irfs" / "c" / str(shard) / "0" / "0" / "0"
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        (file.parent / "0.1234.partial").write_bytes(b"half a shard")
    (root / ".manifest.json.abc.partial").write_bytes(b"{")
    (root / "lss" / "theta" / "c" / "2").mkdir(parents=True)
    (root / "lss" / "theta" / "c" / "2" / "0").write_bytes(
        b"not a shard"
    )  # written, never recorded
    generate_tiny(root)
    assert contents(root) == undisturbed


def test_a_record_that_cannot_be_read_costs_its_shard_and_nothing_else(
    generate_tiny, undisturbed, tmp_path
):
    root = tmp_path / "stopped"
    with interrupted(jobs, "make_shard", 5):
        generate_tiny(root)
    (root / shards.record_name("nk", 1)).write_bytes(b'{"index": 1')
    generate_tiny(root)
    assert contents(root) == undisturbed


DAMAGE = {
    "a flipped byte in a shard": lambda root: flip_byte(
        root / "nk" / "irfs" / "c" / "1" / "0" / "0" / "0"
    ),
    "a truncated last shard": (
        lambda root: (root / "lss" / "theta" / "c" / "2" / "0").write_bytes(b"short")
    ),
    "a missing shard": lambda root: (root / "nk" / "status" / "c" / "0").unlink(),
    "a missing array": lambda root: shutil.rmtree(root / "lss" / "shocks"),
    "a missing world": lambda root: shutil.rmtree(root / "lss"),
    "a flipped byte in a coordinate": lambda root: flip_byte(root / "nk" / "parameter" / "c" / "0"),
    "a flipped byte in metadata": lambda root: flip_byte(root / "nk" / "irfs" / "zarr.json"),
    "altered splits": lambda root: (root / "nk" / "splits.json").write_text("{}"),
    "missing splits": lambda root: (root / "nk" / "splits.json").unlink(),
    "a flipped byte in the verdicts": lambda root: flip_byte(root / "nk" / "verdicts.npz"),
    "a flipped bit in a date of the verdicts, which no reader looks at": lambda root: flip_byte(
        root / "nk" / "verdicts.npz", 11 / (root / "nk" / "verdicts.npz").stat().st_size
    ),
    "missing verdicts": lambda root: (root / "lss" / "verdicts.npz").unlink(),
    "a missing card": lambda root: (root / "README.md").unlink(),
    "a missing figure": lambda root: (root / "figures" / "nk.png").unlink(),
    "a truncated manifest": lambda root: (root / "manifest.json").write_text('{"request"'),
    "a shard and a coordinate at once": lambda root: (
        flip_byte(root / "nk" / "theta" / "c" / "0" / "0"),
        flip_byte(root / "nk" / "shock" / "c" / "0"),
    ),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_the_same_command_mends_a_damaged_data_set(generate_tiny, undisturbed, tiny_copy, what):
    root = tiny_copy
    DAMAGE[what](root)
    assert contents(root) != undisturbed
    generate_tiny(root)
    assert contents(root) == undisturbed
    assert validate_dataset(root) == []


def test_mending_one_shard_leaves_the_others_alone_even_when_it_is_interrupted(
    generate_tiny, undisturbed, tiny_copy
):
    root = tiny_copy
    kept = ["nk/irfs/c/0/0/0/0", "lss/irfs/c/2/0/0/0", "lss/theta/c/0/0"]
    before = modified(root, kept)
    flip_byte(root / "nk" / "irfs" / "c" / "1" / "0" / "0" / "0")
    with interrupted(jobs, "make_shard", 0):
        generate_tiny(root)
    assert not (root / "manifest.json").exists(), "a data set under repair is not finished"
    generate_tiny(root)
    assert modified(root, kept) == before
    assert contents(root) == undisturbed


def test_verdicts_that_are_whole_are_not_made_again(generate_tiny, undisturbed, tmp_path):
    root, kept = tmp_path / "stopped", ["nk/verdicts.npz", "lss/verdicts.npz"]
    with interrupted(generate, "_finish_world", 0):
        generate_tiny(root)
    before = modified(root, kept)
    (root / "lss" / "verdicts.npz").write_bytes(b"half")
    generate_tiny(root)
    assert modified(root, kept[:1]) == {kept[0]: before[kept[0]]}
    flip_byte(root / "nk" / "irfs" / "c" / "1" / "0" / "0" / "0")
    before = modified(root, kept)
    generate_tiny(root)
    assert modified(root, kept) == before
    assert contents(root) == undisturbed


def test_a_mended_data_set_keeps_its_manifest_though_newer_code_mended_it(generate_tiny, tiny_copy):
    edit_json(
        tiny_copy / "manifest.json", lambda manifest: manifest.update(commit="an older commit")
    )
    before = (tiny_copy / "manifest.json").read_bytes()
    flip_byte(tiny_copy / "nk" / "irfs" / "c" / "1" / "0" / "0" / "0")
    generate_tiny(tiny_copy)
    assert (tiny_copy / "manifest.json").read_bytes() == before


def test_a_finished_data_set_is_left_alone_by_the_same_command(
    generate_tiny, undisturbed, tiny_copy
):
    root = tiny_copy
    before = modified(root, sorted(undisturbed))
    generate_tiny(root)
    assert modified(root, sorted(undisturbed)) == before


@pytest.mark.parametrize("place", ["arrays", "record", "manifest"])
def test_a_full_disk_stops_the_run_and_loses_nothing(generate_tiny, undisturbed, tmp_path, place):
    import zarr.storage._local as local

    root, full = tmp_path / "full", OSError(errno.ENOSPC, "No space left on device")
    target = {
        "arrays": (local, "_put", 30),
        "record": (shards, "write_record", 3),
        "manifest": (finishing, "write_manifest", 0),
    }[place]
    with interrupted(*target, error=full):
        generate_tiny(root)
    assert not (root / "manifest.json").exists()
    generate_tiny(root)
    assert contents(root) == undisturbed
