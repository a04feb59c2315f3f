"""Weights files hold a network bit for bit, refuse what was altered, execute nothing; names and
folders lead to files.
"""

import json
import struct

import numpy as np
import pytest
import safetensors.torch
import torch
from safetensors import safe_open

from emulator.errors import CheckpointError, UnknownNameError
from emulator.files import sha256
from emulator.models import build, load, shipped, weights_file
from emulator.models import checkpoint as checkpoints
from emulator.models.check import _statistics
from emulator.models.trust import learner
from emulator.models.trust.trust import Evidence, Trust
from emulator.tests import commands
from emulator.worlds import get_world

pytestmark = pytest.mark.fast

SPECS = {name: get_world(name).spec for name in ("nk", "lss")}
STATISTICS = {name: _statistics(spec) for name, spec in SPECS.items()}
HORIZON = 6
NETWORKS = {
    "PerWorldMLPBaseline": {"hidden_dims": (8, 8)},
    "PooledMLPBaseline": {"hidden_dims": [16], "token_dim": 4},
}


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Two threads on networks this small wait for each other, most of all on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def thetas(world, n=7):
    low, high = torch.tensor(SPECS[world].low), torch.tensor(SPECS[world].high)
    return (
        low + (high - low) * torch.rand(n, len(low), generator=torch.Generator().manual_seed(3))
    ).float()


def a_checkpoint(name="PerWorldMLPBaseline", **changes):
    torch.manual_seed(0)
    model = build(name, SPECS, HORIZON, NETWORKS[name])
    model.bind(STATISTICS, SPECS)
    fields = {
        "model_name": name,
        "model_options": model.options,
        "weights": model.state_dict(),
        "world_specs": SPECS,
        "statistics": STATISTICS,
        "config": {"lr": 1e-3, "worlds": ["nk", "lss"], "threads": None},
        "data_fingerprint": "0" * 64,  # looks like a sum that is not there yet
        "epoch": 3,
        "val_loss": 0.5,
        "horizon": HORIZON,
    }
    return checkpoints.Checkpoint(**(fields | changes))


def some_trust():
    evidence = {
        world: Evidence(
            thetas(world, 300),
            thetas(world, 120),
            0.1 * torch.randn(120, spec.n_shocks, HORIZON + 1, 3),
            thetas(world, 200),
            torch.arange(200) % 2,
        )
        for world, spec in SPECS.items()
    }
    return Trust.fitted(evidence.items(), STATISTICS)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / shipped.WEIGHTS
    weights_file.write(path, a_checkpoint())
    return path


@pytest.mark.parametrize("name", NETWORKS)
def test_a_weights_file_holds_the_network_of_the_checkpoint_bit_for_bit(name, tmp_path):
    made = a_checkpoint(name, training={"optimizer": {0: torch.zeros(3)}})
    checkpoints.save(tmp_path / "best.pt", made)
    weights_file.write(tmp_path / "model.safetensors", shipped.read(tmp_path / "best.pt"))
    trained = load(tmp_path / "model.safetensors")
    before, after = load(tmp_path / "best.pt").network, trained.network
    assert before.state_dict().keys() == after.state_dict().keys()
    for key, value in before.state_dict().items():
        assert torch.equal(value, after.state_dict()[key])
        assert value.dtype == after.state_dict()[key].dtype
    for world in SPECS:
        assert torch.equal(before(thetas(world), world), after(thetas(world), world))
    assert not after.training
    stored = trained.checkpoint
    for field in (
        "config",
        "world_specs",
        "data_fingerprint",
        "epoch",
        "val_loss",
        "horizon",
        "commit",
        "versions",
        "model_name",
    ):
        assert getattr(stored, field) == getattr(made, field)
    assert stored.training == {}
    assert stored.path == str(tmp_path / "model.safetensors")


def test_trust_travels_with_the_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(learner, "STEPS", 20)  # how well it was fitted does not matter here
    trust = some_trust()
    weights_file.write(tmp_path / "model.safetensors", a_checkpoint(trust=trust.content))
    again = load(tmp_path / "model.safetensors").trust
    for world in SPECS:
        for method in ("half_width", "determinacy", "flagged", "out_of_range"):
            assert torch.equal(
                getattr(again, method)(thetas(world), world),
                getattr(trust, method)(thetas(world), world),
            )


def test_tied_and_transposed_weights_come_back(tmp_path):
    made = a_checkpoint()
    weight = torch.arange(6.0).reshape(2, 3)
    weights_file.write(
        tmp_path / "x.safetensors",
        a_checkpoint(weights={"a": weight, "b": weight, "c": weight.T, "d": torch.tensor(3)}),
    )
    stored = weights_file.read(tmp_path / "x.safetensors").weights
    assert all(torch.equal(stored[key], weight) for key in "ab")
    assert torch.equal(stored["c"], weight.T)
    assert (stored["d"].shape, stored["d"].dtype) == ((), torch.int64)
    assert made.weights.keys() != stored.keys()


def test_the_same_checkpoint_gives_the_same_bytes(file):
    assert (
        weights_file.encode(a_checkpoint())
        == weights_file.encode(a_checkpoint())
        == file.read_bytes()
    )
    assert weights_file.encode(a_checkpoint(epoch=4)) != file.read_bytes()


def test_any_reader_of_safetensors_opens_it_and_nothing_is_a_pickle(file):
    with safe_open(file, "pt") as opened:
        held = json.loads(opened.metadata()[weights_file.ENTRY])
        assert "model/weights/" in " ".join(opened.keys())
    digest = held["sha256"]
    assert (
        sha256(file.read_bytes().replace(digest.encode(), b"0" * 64, 1))
        == digest
        == weights_file.read(file).sha256
    )
    assert held["content"]["model"]["name"] == "PerWorldMLPBaseline"
    assert file.read_bytes()[8:9] == b"{"


def test_any_flipped_byte_is_found(file):
    whole = file.read_bytes()
    positions = [
        *np.random.default_rng(0).integers(0, len(whole), 300).tolist(),
        0,
        7,
        8,
        9,
        40,
        len(whole) - 1,
    ]
    for position in positions:
        damaged = bytearray(whole)
        damaged[position] ^= 0x10
        file.write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"altered|truncated"):
            load(file)


def test_any_truncation_or_growth_is_found(file):
    whole = file.read_bytes()
    for content in [
        b"",
        whole[:1],
        whole[:8],
        whole[:50],
        whole[: len(whole) // 2],
        whole[:-1],
        whole + b"\0",
    ]:
        file.write_bytes(content)
        with pytest.raises(CheckpointError, match=r"altered|truncated"):
            load(file)


def with_header(header, tail=b""):
    return struct.pack("<Q", len(header)) + header + tail


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (struct.pack("<Q", 2**63) + b"{}" * 50, "announces a header of 9223372036854775808"),
        (struct.pack("<Q", 2**30) + b"{}" * 50, "truncated"),
        (with_header(b" " * (weights_file.LARGEST_HEADER + 1)), "announces a header"),
        (with_header(b"[" * 100_000), "not written by this project"),
        (with_header(b"\xff\xfe{}"), "not written by this project"),
        (with_header(b"[1, 2]"), "not written by this project"),
        (with_header(b'{"__metadata__": null}'), "not written by this project"),
        (
            with_header(json.dumps({"__metadata__": {weights_file.ENTRY: "[" * 100_000}}).encode()),
            "not written by this project",
        ),
        (
            with_header(
                json.dumps({"__metadata__": {weights_file.ENTRY: '{"sha256": ""}'}}).encode()
            ),
            "not written by this project",
        ),
        (safetensors.torch.save({"w": torch.zeros(3)}), "not written by this project"),
        (b"PK\x03\x04" + b"\0" * 200, "no safetensors file"),
        (b"\x80\x04cos\nsystem\n(S'touch executed'\ntR." + b"\0" * 99, "no safetensors file"),
    ],
)
def test_foreign_files_are_refused(tmp_path, content, message):
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        load(tmp_path / "x.safetensors")


def sealed(held, tensors):
    """A file with a right sum whose content is another's."""
    text = json.dumps({"sha256": "0" * 64, **held})
    plain = safetensors.torch.save(tensors, metadata={weights_file.ENTRY: text})
    return plain.replace(b"0" * 64, sha256(plain).encode(), 1)


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ({}, "content"),
        ({"content": {"format": "another"}}, "another"),
        ({"content": []}, "expected"),
        ({"content": {"format": checkpoints.FORMAT}}, "lacks"),
        ({"content": {"format": checkpoints.FORMAT, "model": 3}}, "lacks"),
        ({"content": {"w": {"$tensor": "missing"}}}, "missing"),
        ({"content": {"w": {"$tensor": [1]}}}, "cannot be read"),
    ],
)
def test_files_with_a_right_sum_and_another_content_are_refused(tmp_path, held, message):
    (tmp_path / "x.safetensors").write_bytes(sealed(held, {"w": torch.zeros(2)}))
    with pytest.raises(CheckpointError, match=message):
        load(tmp_path / "x.safetensors")


def test_weights_that_are_not_numbers_are_refused_on_both_ways(tmp_path, monkeypatch):
    made = a_checkpoint()
    made.weights[next(iter(made.weights))].view(-1)[1] = torch.nan
    with pytest.raises(CheckpointError, match=r"NaN.*model/weights/"):
        weights_file.write(tmp_path / "x.safetensors", made)
    assert not list(tmp_path.iterdir())
    with monkeypatch.context() as patched:
        patched.setattr(weights_file, "_refuse_non_numbers", lambda *_: None)
        weights_file.write(tmp_path / "x.safetensors", made)
    with pytest.raises(CheckpointError, match="NaN"):
        load(tmp_path / "x.safetensors")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"val_loss": float("nan")}, "not a finite number"),
        ({"config": {"x": {1, 2}}}, r"cannot hold a set \('config/x'\)"),
        ({"config": {1: 2}}, "cannot hold a dict"),
    ],
)
def test_what_json_cannot_hold_is_refused(tmp_path, changes, message):
    with pytest.raises(CheckpointError, match=message):
        weights_file.write(tmp_path / "x.safetensors", a_checkpoint(**changes))


def test_a_name_leads_to_the_weights_that_ship(file, monkeypatch, tmp_path):
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "weights")
    with pytest.raises(CheckpointError, match="emulator release --checkpoint"):
        load("universal")
    weights_file.write(tmp_path / "weights" / "universal" / shipped.WEIGHTS, a_checkpoint())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "universal").mkdir()  # a folder of that name does not stand in the way
    network = load("universal")
    assert network.checkpoint.path == str(tmp_path / "weights" / "universal" / shipped.WEIGHTS)


@pytest.mark.parametrize("name", ["Universal", "univresal", "UNIVERSAL", "universal "])
def test_names_are_exact_and_the_nearest_is_named(name):
    with pytest.raises(UnknownNameError, match="Known: structure_hank, structure_hank2, universal"):
        load(name)


def test_missing_files_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("none.safetensors", "none.pt", "runs/none", tmp_path / "none"):
        with pytest.raises(CheckpointError, match=r"none.* does not exist"):
            load(path)


def test_a_folder_stands_for_the_best_that_it_holds(tmp_path):
    with pytest.raises(
        CheckpointError, match=r"none of calibrated\.pt, best\.pt, model\.safetensors"
    ):
        load(tmp_path)
    weights_file.write(tmp_path / shipped.WEIGHTS, a_checkpoint(epoch=1))
    assert load(tmp_path).checkpoint.epoch == 1
    checkpoints.save(tmp_path / "best.pt", a_checkpoint(epoch=2))
    checkpoints.save(tmp_path / "last.pt", a_checkpoint(epoch=9))
    assert load(tmp_path).checkpoint.epoch == 2
    checkpoints.save(tmp_path / "calibrated.pt", a_checkpoint(epoch=3))
    assert load(str(tmp_path)).checkpoint.epoch == 3


def test_loading_asks_no_other_machine(file, tmp_path):
    code = (
        "import sys, emulator; sys.addaudithook(lambda event, _:"
        " sys.exit(event) if event.startswith('socket.') else None); from emulator.models import"
        " load; m = load(sys.argv[1]).network; import torch;"
        " print(tuple(m(torch.tensor(m.world_specs['lss'].theta()), 'lss').shape)); assert"
        " 'emulator.worlds' not in sys.modules"
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = commands.run("-c", code, file, folder=elsewhere, check=True)
    assert done.stdout.strip() == f"(1, 2, {HORIZON + 1}, 3)"
