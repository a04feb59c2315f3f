"""A data set behind an fsspec URL is the same data set: same bytes, same refusals, same resuming,
one writer at a time.
"""

import json
import pickle
import sys
from pathlib import Path

import fsspec
import numpy as np
import pytest

from emulator.data import jobs, open_dataset, validate_dataset
from emulator.data.folders import open_folder
from emulator.data.remote import RemoteFolder
from emulator.data.storage import LocalFolder
from emulator.errors import DatasetError, EmulatorError, MissingExtraError
from emulator.tests.data.tampering import contents
from emulator.tests.data.test_resume import interrupted


def everything(place):
    """Every file of a data set and its bytes, wherever it lies."""
    folder = open_folder(place)
    return {name: folder.read_bytes(name) for name in folder.walk("")}


@pytest.fixture
def url():
    """A place in fsspec's memory, empty before and after."""
    memory = fsspec.filesystem("memory")
    for _ in "before", "after":
        if memory.exists("/box"):
            memory.rm("/box", recursive=True)
        if _ == "before":
            yield "memory://box/tiny"


@pytest.mark.fast
def test_a_url_holds_the_same_bytes_as_a_folder(generate_tiny, tiny_dataset, url):
    here, there = open_dataset(tiny_dataset), generate_tiny(url)
    assert everything(url) == contents(tiny_dataset)
    assert (there.path, there.fingerprint) == (url, here.fingerprint)
    assert validate_dataset(url) == []
    for remote, expected in zip(there.read("nk", "train"), here.read("nk", "train"), strict=True):
        np.testing.assert_array_equal(remote, expected)
    assert there.xarray("lss").irfs.equals(here.xarray("lss").irfs)


@pytest.mark.fast
def test_a_url_is_resumed_mended_and_left_alone_like_a_folder(generate_tiny, tiny_dataset, url):
    with interrupted(jobs, "make_shard", 4):
        generate_tiny(url)
    with pytest.raises(DatasetError, match=r"memory://box/tiny is not finished.*resumes"):
        open_dataset(url)
    generate_tiny(url)
    folder = open_folder(url)
    folder.write_bytes("nk/irfs/c/1/0/0/0", b"short")
    folder.remove("lss/splits.json")
    assert {finding.world for finding in validate_dataset(url)} == {"nk", "lss"}
    with pytest.raises(DatasetError, match=r"shard 1 of 'irfs' was altered"):
        open_dataset(url).read("nk", "train")
    generate_tiny(url)
    assert everything(url) == contents(tiny_dataset)


@pytest.mark.fast
def test_what_is_not_ours_is_refused_behind_a_url_too(generate_tiny, url):
    generate_tiny(url, worlds=["nk"])
    with pytest.raises(DatasetError, match=r"seed: there 7, asked 8.*--overwrite"):
        generate_tiny(url, worlds=["nk"], seed=8)
    open_folder(url).write_bytes("thesis/chapter1.tex", b"precious")
    with pytest.raises(DatasetError, match=r"also holds thesis.*nothing was deleted"):
        generate_tiny(url, worlds=["nk"], seed=8, overwrite=True)
    open_folder(url).remove("thesis")
    assert generate_tiny(url, worlds=["nk"], seed=8, overwrite=True).manifest.request.seed == 8
    with pytest.raises(DatasetError, match="not empty and is no data set"):
        generate_tiny("memory://box")


def test_training_reads_a_url_and_shards_of_a_costly_world(generate_tiny, costly, url, tmp_path):
    from emulator.training import IRFDataset

    here = generate_tiny(tmp_path / "x").read("nk", "val")[1]
    generate_tiny(url)
    for in_memory in (True, False):
        there = IRFDataset(url, ["nk"], "val", in_memory)
        np.testing.assert_array_equal([there[k]["irf"] for k in range(len(there))], here)


@pytest.mark.fast
def test_one_writer_at_a_time_and_how_to_go_on_after_one_was_killed(generate_tiny, url):
    folder = open_folder(url)
    with folder.sole_writer():
        assert folder.entries() == []  # the lock is none of the data
        with pytest.raises(
            EmulatorError,
            match=(
                r"written by process \d+ of .* on .* since 20.*delete"
                r" memory://box/tiny/\.writer\.json"
            ),
        ):
            generate_tiny(url)
    folder.write_bytes(".writer.json", b"{")
    with pytest.raises(EmulatorError, match="an unknown process"):
        generate_tiny(url)
    folder.remove(".writer.json")
    generate_tiny(url)
    assert not folder.exists(".writer.json")


@pytest.mark.fast
def test_one_interface_to_a_disk_and_to_a_url(tmp_path, url):
    for folder in (open_folder(tmp_path / "x"), open_folder(url)):
        assert (folder.entries(), folder.walk(""), folder.exists("a"), folder.is_file()) == (
            [],
            [],
            False,
            False,
        )
        folder.remove("a")
        folder.write_bytes("a", b"1")
        folder.write_json("b/c/d.json", {"x": 1})
        assert folder.entries() == ["a", "b"]
        assert (folder.walk(""), folder.walk("b")) == (["a", "b/c/d.json"], ["c/d.json"])
        assert json.loads(folder.read_bytes("b/c/d.json")) == {"x": 1}
        assert (
            folder.sha256("a") == "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
        )
        assert pickle.loads(pickle.dumps(folder)).walk("") == folder.walk("")
        assert open_folder(folder.at("a")).is_file()
        folder.remove("b")
        assert folder.entries() == ["a"]
        with pytest.raises(FileNotFoundError):
            folder.read_bytes("b/c/d.json")


@pytest.mark.fast
def test_a_path_that_folded_a_url_is_understood(tmp_path, monkeypatch):
    assert str(open_folder(Path("memory://box/tiny"))) == "memory://box/tiny"
    assert (
        open_folder(f"file://{tmp_path}").place
        == open_folder(Path(f"file://{tmp_path}")).place
        == tmp_path
    )
    monkeypatch.chdir(tmp_path)
    relative = open_folder("datasets/x")
    assert isinstance(relative, LocalFolder)
    assert str(relative) == "datasets/x"
    assert relative.absolute().place == tmp_path / "datasets" / "x"


@pytest.mark.fast
def test_a_protocol_that_nothing_installed_speaks_is_refused(monkeypatch):
    with pytest.raises(DatasetError, match="Protocol not known: foo"):
        open_folder("foo://x")
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(MissingExtraError, match=r"'s3fs'.*\[s3\]"):
        open_folder("s3://bucket/x")


@pytest.mark.fast
def test_a_failure_of_the_network_is_an_error_of_ours(url, monkeypatch):
    folder = open_folder(url)
    assert isinstance(folder, RemoteFolder)

    def fail(*_, **__):
        raise RuntimeError("name resolution failed")

    monkeypatch.setattr(folder._fs, "cat_file", fail)
    with pytest.raises(
        DatasetError,
        match=r"memory://box/tiny cannot be reached: RuntimeError: name resolution failed",
    ):
        open_dataset(folder)


def test_memory_is_not_shared_with_other_processes_and_they_say_so(generate_tiny, url):
    with pytest.raises(
        DatasetError,
        match=r"worker on .* does not see this run in memory://box/tiny; it wrote nothing",
    ):
        generate_tiny(url, workers=2)


@pytest.fixture
def bucket(monkeypatch):
    """A bucket of an S3 server on this machine, reached over HTTP."""
    s3fs, moto = pytest.importorskip("s3fs"), pytest.importorskip("moto.server")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*server.get_host_and_port()))
    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem().makedirs("bucket", exist_ok=True)
    yield "s3://bucket"
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def test_s3_holds_the_same_bytes_and_two_processes_may_write_them(
    generate_tiny, spawned_workers, tmp_path, bucket
):
    """One world alone: each of its files costs the server some milliseconds, several times."""
    url, asked = f"{bucket}/tiny", {"worlds": ["nk"]}
    with interrupted(jobs, "make_shard", 2):
        generate_tiny(url, **asked)
    generate_tiny(url, workers=2, **asked)
    generate_tiny(tmp_path / "here", **asked)
    assert everything(url) == contents(tmp_path / "here")
    assert validate_dataset(url) == []
    assert len(open_dataset(url).read("nk", "test")[0])
    with (
        open_folder(url).sole_writer(),
        pytest.raises(EmulatorError, match="is being written by process"),
    ):
        generate_tiny(url, **asked)


def test_a_bucket_that_does_not_exist_is_not_made(generate_tiny, bucket):
    with pytest.raises(FileNotFoundError):
        generate_tiny("s3://no-such-bucket/tiny")
    assert not open_folder("s3://no-such-bucket").exists("")
