"""Checkpoints are whole or refused, hold all that a prediction needs, and execute nothing."""

import errno
import os
import pickle

import numpy as np
import pytest
import torch

import emulator.files
from emulator.errors import CheckpointError
from emulator.models import checkpoint as checkpoints
from emulator.models import load
from emulator.models.baselines import PerWorldMLPBaseline
from emulator.models.check import _statistics
from emulator.tests import commands
from emulator.worlds import get_world

pytestmark = pytest.mark.fast

SPECS = {name: get_world(name).spec for name in ("nk", "lss")}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    made = PerWorldMLPBaseline.from_specs(SPECS, 10, hidden_dims=[8])
    made.bind({name: _statistics(spec) for name, spec in SPECS.items()}, SPECS)
    return made.eval()


def content(model, **changes):
    fields = {
        "model_name": checkpoints.name_of(model),
        "model_options": model.options,
        "weights": model.state_dict(),
        "world_specs": SPECS,
        "statistics": {name: _statistics(spec) for name, spec in SPECS.items()},
        "config": {"lr": 1e-3},
        "data_fingerprint": "f" * 64,
        "epoch": 3,
        "val_loss": 0.5,
        "horizon": 10,
    }
    return checkpoints.Checkpoint(**(fields | changes))


@pytest.fixture
def path(model, tmp_path):
    checkpoints.save(tmp_path / "best.pt", content(model))
    return tmp_path / "best.pt"


def test_round_trip(model, path):
    again = load(path)
    theta = torch.tensor(SPECS["nk"].theta()).float()
    assert torch.equal(again.network(theta, "nk"), model(theta, "nk"))
    assert again.world_specs == SPECS
    assert not again.network.training
    stored = again.checkpoint
    assert (stored.epoch, stored.val_loss, stored.config, stored.data_fingerprint) == (
        3,
        0.5,
        {"lr": 1e-3},
        "f" * 64,
    )
    assert stored.versions["torch"]
    assert stored.model_name == "PerWorldMLPBaseline"


def test_any_flipped_byte_is_found(path):
    whole = path.read_bytes()
    positions = np.random.default_rng(0).integers(0, len(whole), 200).tolist()
    positions += [
        0,
        len(whole) - 1,
        len(whole) - 20,
        len(whole) - 72,
        len(whole) - 80,
        len(whole) - 93,
    ]
    for position in positions:
        damaged = bytearray(whole)
        damaged[position] ^= 0x10
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"altered|truncated"):
            load(path)


def test_any_truncation_is_found(path):
    whole = path.read_bytes()
    for length in [0, 1, 50, len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match="truncated"):
            load(path)


def test_missing_and_folder(tmp_path):
    with pytest.raises(CheckpointError, match="does not exist"):
        load(tmp_path / "none.pt")
    with pytest.raises(CheckpointError, match="cannot be read"):
        load(tmp_path)


def test_plain_torch_files_and_pickles_are_refused_and_not_executed(tmp_path):
    torch.save({"weights": torch.zeros(3)}, tmp_path / "plain.pt")
    with pytest.raises(CheckpointError, match="no checkpoint of this project"):
        load(tmp_path / "plain.pt")

    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/executed",)

    torch.save({"format": checkpoints.FORMAT, "x": Evil()}, tmp_path / "evil.pt")
    sealed = checkpoints._seal((tmp_path / "evil.pt").read_bytes())
    (tmp_path / "evil.pt").write_bytes(sealed)
    with pytest.raises(CheckpointError, match="cannot be read by PyTorch"):
        load(tmp_path / "evil.pt")
    (tmp_path / "raw.pt").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(CheckpointError):
        load(tmp_path / "raw.pt")
    assert not (tmp_path / "executed").exists()


def test_plain_torch_reads_the_file_too(path):
    raw = torch.load(path, weights_only=True)
    assert raw["model"]["name"] == "PerWorldMLPBaseline"


def test_another_format_and_unknown_classes_are_named(model, tmp_path):
    other = tmp_path / "other.pt"
    torch.save({"format": "something else"}, other)
    other.write_bytes(checkpoints._seal(other.read_bytes()))
    with pytest.raises(CheckpointError, match="something else"):
        load(other)
    checkpoints.save(other, content(model, model_name="my.module:Net"))
    with pytest.raises(CheckpointError, match=r"my\.module:Net"):
        load(other)
    checkpoints.save(other, content(model, model_options={"nonsense": 1}))
    with pytest.raises(CheckpointError, match="do not build"):
        load(other)
    checkpoints.save(other, content(model, weights={}))
    with pytest.raises(CheckpointError, match="do not fit"):
        load(other)


def test_a_full_disk_leaves_the_old_checkpoint(model, path, monkeypatch):
    before = path.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(emulator.files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoints.save(path, content(model, epoch=4))
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["best.pt"]


def test_loading_needs_nothing_else(path, tmp_path):
    code = (
        "import sys, torch; from emulator.models import load; m = load(sys.argv[1]).network; "
        "print(tuple(m(torch.tensor(m.world_specs['lss'].theta()).float(), 'lss').shape)); "
        "assert 'emulator.worlds' not in sys.modules and 'emulator.training' not in sys.modules"
    )
    empty = tmp_path / "elsewhere"
    empty.mkdir()
    done = commands.run("-c", code, path, folder=empty, check=True)
    assert done.stdout.strip() == "(1, 2, 11, 3)"
