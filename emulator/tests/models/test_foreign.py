"""What is no network says what it is and which command takes it, wherever one is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import emulator
from emulator.cli import COMMANDS
from emulator.errors import CheckpointError
from emulator.models.foreign import ENDINGS

pytestmark = pytest.mark.fast

FOLDERS = {
    "manifest.json": r"not a network. Train on it: emulator train --dataset .* --output runs/",
    "request.json": "is a data set that is not finished",
    "results.json": r"holds the scores of a network.*emulator leaderboard",
    "zarr.json": r"holds draws.*emulator import",
    "last.pt": r"without a best\.pt.*--resume",
    "config.json": r"without a best\.pt.*--resume",
    "notes.txt": r"none of calibrated\.pt, best\.pt",
}
FILES = {
    "draws.npz": r"emulator import .*draws.npz --name",
    "draws.csv": "emulator import",
    "draws.parquet": "emulator import",
    "answer.nc": "emulator import",
    "model.mod": r"is a model.*emulator irf .*model.mod",
    "sim.py": r"is a Python file.*emulator irf .*sim.py:economy",
    "results.json": r"holds the scores.*emulator leaderboard",
    "baseline.yaml": r"emulator train --config .*baseline.yaml",
    "network.onnx": "is an exported network",
    "other.json": r"ends in \.pt or .safetensors",
}


@pytest.mark.parametrize("file", FOLDERS)
def test_a_folder_says_what_it_is(tmp_path: Path, file: str) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (place / file).write_text("")
    with pytest.raises(CheckpointError, match=f"place.*{FOLDERS[file]}"):
        emulator.load(place)


@pytest.mark.parametrize("file", FILES)
def test_a_file_says_what_it_is(tmp_path: Path, file: str) -> None:
    (tmp_path / file).write_text("")
    with pytest.raises(CheckpointError, match=FILES[file]):
        emulator.load(tmp_path / file)
    with pytest.raises(CheckpointError, match=FILES[file]):
        emulator.load(str(tmp_path / file))


def test_a_world_of_a_python_file_is_none() -> None:
    with pytest.raises(CheckpointError, match=r"emulator irf mysim.py:economy, in Python"):
        emulator.load("mysim.py:economy")


def test_what_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        emulator.load(tmp_path / "draws.npz")


def test_the_commands_that_are_named_exist() -> None:
    for text in ENDINGS.values():
        for part in text.split("emulator ")[1:]:
            assert part.split()[0] in COMMANDS


def test_the_command_line_says_it_too(
    tmp_path: Path, emulate: Callable[..., tuple[int, str, str]]
) -> None:
    (tmp_path / "manifest.json").write_text("")
    code, _, error = emulate("evaluate", "--checkpoint", tmp_path, "--dataset", tmp_path)
    assert code == 1
    assert "is a data set, not a network" in " ".join(error.split())
