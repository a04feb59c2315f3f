"""Everything that an evaluation refuses.

Each case ends in an error that says what was found and what to do.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emulator.data import DataSet, generate_dataset
from emulator.errors import (
    CheckpointError,
    DatasetError,
    DeviceError,
    EvaluationError,
    UnknownNameError,
)
from emulator.eval import Request, evaluate_checkpoint, evaluate_network
from emulator.tests.eval.stand_ins import Doctored, solver


@pytest.fixture
def request_(trained: Path, data: DataSet) -> Request:
    return Request(checkpoint=trained, dataset=data.path, splits=("test",), bootstrap=0)


def test_missing_checkpoint(request_: Request, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        evaluate_checkpoint(replace(request_, checkpoint=tmp_path / "none.pt"))


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_truncated_checkpoint(request_: Request, tmp_path: Path, share: float) -> None:
    content = request_.checkpoint.read_bytes()
    (tmp_path / "cut.pt").write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError):
        evaluate_checkpoint(replace(request_, checkpoint=tmp_path / "cut.pt"))


def test_altered_checkpoint(request_: Request, tmp_path: Path) -> None:
    content = bytearray(request_.checkpoint.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "flipped.pt").write_bytes(content)
    with pytest.raises(CheckpointError, match="altered"):
        evaluate_checkpoint(replace(request_, checkpoint=tmp_path / "flipped.pt"))


def test_missing_data(request_: Request, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="does not exist"):
        evaluate_checkpoint(replace(request_, dataset=tmp_path / "none"))


@pytest.mark.parametrize(
    "damage", ["manifest cut", "manifest gone", "splits", "responses", "response file gone"]
)
def test_damaged_data(request_: Request, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "copy"
    shutil.copytree(request_.dataset, path)
    manifest, splits = path / "manifest.json", path / "nk" / "splits.json"
    shard = next(file for file in sorted((path / "nk" / "irfs" / "c").rglob("*")) if file.is_file())
    if damage == "manifest cut":
        manifest.write_bytes(manifest.read_bytes()[:-100])
    elif damage == "manifest gone":
        manifest.unlink()
    elif damage == "splits":
        splits.write_text(splits.read_text().replace("1", "2", 1))
    elif damage == "responses":
        content = bytearray(shard.read_bytes())
        content[len(content) // 2] ^= 4
        shard.write_bytes(content)
    else:
        shard.unlink()
    with pytest.raises(DatasetError):
        evaluate_checkpoint(replace(request_, dataset=path))


def test_unknown_worlds_and_splits(request_: Request) -> None:
    with pytest.raises(UnknownNameError, match=r"checkpoint.*'nkk'.*Did you mean 'nk'"):
        evaluate_checkpoint(replace(request_, worlds=("nkk",)))
    with pytest.raises(UnknownNameError, match=r"split of world 'nk'.*'tset'.*Did you mean 'test'"):
        evaluate_checkpoint(replace(request_, splits=("tset",)))
    with pytest.raises(EvaluationError, match="No split"):
        evaluate_checkpoint(replace(request_, splits=()))


def test_world_that_the_data_lack(data: DataSet, request_: Request) -> None:
    with pytest.raises(UnknownNameError, match=r"data set.*'lss'"):
        evaluate_network(solver(data), Doctored(data, worlds=["nk"]), request_)


@pytest.mark.parametrize("field", ["parameters", "shocks"])
def test_specs_in_another_order(
    field: str, data: DataSet, request_: Request, make_checkpoint: Callable[..., Path]
) -> None:
    spec = data.spec("nk")
    other = spec.model_copy(update={field: getattr(spec, field)[::-1]})
    path = make_checkpoint(world_specs={"nk": other, "lss": data.spec("lss")})
    with pytest.raises(EvaluationError, match=f"World 'nk': the checkpoint's {field} are"):
        evaluate_checkpoint(replace(request_, checkpoint=path))
    assert not evaluate_checkpoint(replace(request_, checkpoint=path, worlds=("lss",))).scores.empty


def test_other_data_and_another_horizon(request_: Request, tmp_path: Path) -> None:
    generate_dataset(
        tmp_path / "other", worlds=["nk", "lss"], n_samples=60, seed=5, horizon=12, periods=0
    )
    other = replace(request_, dataset=tmp_path / "other")
    with pytest.raises(EvaluationError, match="--allow-other-data"):
        evaluate_checkpoint(other)
    allowed = evaluate_checkpoint(replace(other, allow_other_data=True))
    assert allowed.provenance["dataset"]["trained_on"] is False
    generate_dataset(
        tmp_path / "short", worlds=["nk", "lss"], n_samples=60, seed=5, horizon=8, periods=0
    )
    with pytest.raises(EvaluationError, match=r"\(3, 13, 3\).*\(3, 9, 3\)"):
        evaluate_checkpoint(replace(request_, dataset=tmp_path / "short", allow_other_data=True))


def test_data_without_a_recorded_fingerprint(data: DataSet, request_: Request) -> None:
    with pytest.raises(EvaluationError, match="without a recorded fingerprint"):
        evaluate_network(solver(data, fingerprint=""), data, request_)


@pytest.mark.parametrize("split", ["train", "test"])
def test_empty_split(data: DataSet, request_: Request, split: str) -> None:
    def splits(world: str) -> dict[str, np.ndarray]:
        return {**data.splits(world), split: np.array([], dtype=int)}

    with pytest.raises(EvaluationError, match=f"Split '{split}' of world 'nk'.*is empty"):
        evaluate_network(solver(data), Doctored(data, splits=splits), request_)


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("array", [0, 1])
def test_truth_that_is_not_finite(data: DataSet, request_: Request, split: str, array: int) -> None:
    def read(world: str, asked: str) -> tuple[np.ndarray, np.ndarray]:
        arrays = tuple(part.copy() for part in data.read(world, asked))
        if asked == split:
            arrays[array].flat[-1] = np.nan
        return arrays[0], arrays[1]

    with pytest.raises(EvaluationError, match=f"Split '{split}' of world 'nk' holds 1 draw"):
        evaluate_network(solver(data), Doctored(data, read=read), request_)


@pytest.mark.parametrize("change", [{"bootstrap": -1}, {"batch_size": 0}, {"threads": 0}])
def test_numbers_out_of_range(data: DataSet, request_: Request, change: dict[str, Any]) -> None:
    with pytest.raises(EvaluationError, match="Expected --bootstrap"):
        evaluate_network(solver(data), data, replace(request_, **change))


@pytest.mark.parametrize("device", ["cuda:99", "quantum"])
def test_device_that_is_not_there(request_: Request, device: str) -> None:
    with pytest.raises(DeviceError, match=f"device '{device}' cannot be used"):
        evaluate_checkpoint(replace(request_, device=device))
