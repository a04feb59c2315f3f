"""Tasks: small where draws cost much, and refused by a worker that is not what the command
expects.
"""

import pickle
from concurrent.futures import Executor, Future

import pytest

from emulator.data import Fractions, jobs, open_dataset, validate_dataset
from emulator.data.executors import Engine, make_shards
from emulator.data.folders import open_folder
from emulator.data.schema import shard_size
from emulator.data.splits import SLICE, make_regions
from emulator.errors import DatasetError, MissingExtraError
from emulator.tests.data.tampering import contents, edit_json
from emulator.worlds import get_world


@pytest.mark.parametrize(
    ("limit", "shard", "chunk", "size"),
    [
        (65_536, 2048, 512, 2048),
        (2048, 2048, 512, 2048),
        (1500, 2048, 512, 1024),
        (512, 2048, 512, 512),
        (500, 2048, 512, 500),
        (1, 2048, 512, 1),
    ],
)
def test_a_shard_is_whole_chunks_or_one_smaller_chunk(limit, shard, chunk, size):
    assert shard_size(limit, shard, chunk) == size


def test_a_costly_world_has_shards_of_its_own_and_leaves_the_others_alone(
    generate_tiny, tiny_dataset, tmp_path, costly
):
    data = generate_tiny(tmp_path / "x")
    assert data.manifest.request.shards == {"nk": 10}
    assert (data.group("nk")["irfs"].shards[0], data.group("nk")["irfs"].chunks[0]) == (10, 10)
    assert [(s.start, s.stop) for s in data.world("nk").shards] == [
        (k, k + 10) for k in range(0, 80, 10)
    ]
    assert contents(tmp_path / "x" / "lss") == contents(tiny_dataset / "lss")
    assert validate_dataset(tmp_path / "x") == []
    assert generate_tiny(tmp_path / "x").fingerprint == data.fingerprint


def test_shards_of_another_size_are_another_request_and_are_found(generate_tiny, tiny_copy, costly):
    with pytest.raises(DatasetError, match=r"shards: there \{\}, asked \{'nk': 10\}"):
        generate_tiny(tiny_copy)
    assert ("nk", "shards of 32 rows are not those that the world asks for") in validate_dataset(
        tiny_copy
    )


def test_the_regions_of_a_costly_world_are_found_without_solving_it(costly, monkeypatch):
    world = get_world("nk")
    monkeypatch.setattr(type(world), "status", lambda *_: pytest.fail("solved"))
    regions = make_regions(world, Fractions())
    assert regions[SLICE].all_of[0].at_least == pytest.approx(
        0.9 * 0.95, abs=0.01
    )  # rho_i is uniform on 0 to 0.95


@pytest.mark.parametrize("shards", [{"nk": 20}, {"nk": 32}, {"nk": 64}, {"var": 10}])
def test_shards_that_do_not_fit_the_request_are_refused(tiny_copy, shards):
    edit_json(
        tiny_copy / "manifest.json", lambda manifest: manifest["request"].update(shards=shards)
    )
    with pytest.raises(DatasetError, match="shards"):
        open_dataset(tiny_copy)


def test_data_sets_older_than_the_field_keep_their_fingerprint(tiny_copy, tiny_dataset):
    for name in ("manifest.json", "request.json"):
        edit_json(
            tiny_copy / name,
            lambda content: (content.get("request", content).pop("shards"), None)[1],
        )
    assert open_dataset(tiny_copy).fingerprint == open_dataset(tiny_dataset).fingerprint
    assert validate_dataset(tiny_copy) == []


@pytest.fixture
def job(tmp_path, generate_tiny):
    request = generate_tiny(tmp_path / "x").manifest.request
    with jobs.marked_run(open_folder(tmp_path / "x"), request) as job:
        yield job


def test_a_worker_with_other_versions_or_another_world_is_refused(job):
    changed = jobs.Job(job.folder, job.request, job.mark, {**job.versions, "numpy": "1.0"})
    with pytest.raises(
        DatasetError, match=r"worker on .* has numpy .* instead of 1\.0.*environment"
    ):
        jobs.perform(changed, "nk", 0)
    other = job.request.model_copy(update={"specs_sha256": {"nk": "0" * 64}})
    with pytest.raises(DatasetError, match="another world 'nk'"):
        jobs.perform(jobs.Job(job.folder, other, job.mark, job.versions), "nk", 0)


def test_tasks_of_a_run_that_was_killed_end_once_the_next_has_begun(job, tmp_path):
    assert jobs.perform(job, "nk", 0).index == 0
    with jobs.marked_run(open_folder(tmp_path / "x"), job.request) as later:
        with pytest.raises(DatasetError, match="does not see this run"):
            jobs.perform(job, "nk", 0)
        assert jobs.perform(pickle.loads(pickle.dumps(later)), "nk", 0).index == 0


def test_errors_come_back_whole_from_a_worker():
    error = pickle.loads(pickle.dumps(MissingExtraError("sequence-jacobian", "hank")))
    assert str(error) == str(MissingExtraError("sequence-jacobian", "hank"))


def test_what_waits_does_not_grow_with_the_number_of_tasks():
    waiting, most = [], 0

    class Slow(Executor):
        """Finishes the oldest of its tasks each time that it is full."""

        def submit(self, function, /, *args):
            nonlocal most
            waiting.append(future := Future())
            most = max(most, len(waiting))
            if len(waiting) == 3:
                waiting.pop(0).set_result(args[-1])
            return future

    tasks, begun = [("nk", shard) for shard in range(50)], []
    for future in (made := make_shards(Engine(Slow(), 3, lambda: 1), None, tasks, begun.append)):
        if len(begun) == 50:
            made.close()
            break
        assert future[0][0] == "nk"
    assert most == 3
    assert begun == tasks
