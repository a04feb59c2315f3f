"""Worlds that are solved with settings, and whose draws have regimes: both are kept in data sets,
and data of before, which say neither, are judged as they were solved.
"""

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from typer.testing import CliRunner

from emulator import worlds
from emulator.cli import app
from emulator.data import card, generate_dataset, open_dataset, validate_dataset
from emulator.errors import DatasetError, ParameterError, UnknownNameError
from emulator.tests.data.tampering import edit_json, forge_checksums, write_array
from emulator.tests.data.toy import NAMES, Toy
from emulator.worlds import get_world
from emulator.worlds.regimes import Regimes

REFERENCE = Path(__file__).parents[1] / "reference" / "data_of_before"
SIZES = {"n_samples": 40, "seed": 3, "horizon": 6, "periods": 0, "chunk": 16, "shard": 16}
KINDS = Regimes("roots above one half", "distance from one half", 0.01, 0.02)


class Coarse(Toy):
    """A toy whose responses depend on a grid, and which counts its persistent roots."""

    solution_error: ClassVar = {"sales": (0.01, 0.002)}
    settings_before: ClassVar = {"points": 5.0}
    regimes = KINDS

    def __init__(self, points=10.0):
        super().__init__(NAMES[:1])
        self.points = points

    @property
    def settings(self):
        return {"points": self.points}

    def with_settings(self, settings):
        return Coarse(**{**self.settings, **settings})

    def state_space(self, theta):
        space = super().state_space(theta)
        return replace(space, C=space.C * (1 + 1 / self.points))

    def regime(self, theta):
        return np.count_nonzero(self.spec.check_theta(theta)[:, :2] > 0.5, axis=1)


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    toy, table = Coarse(), worlds._of_table
    monkeypatch.setitem(worlds.WORLDS, "toy", "emulator.tests.data.toy:Toy")
    monkeypatch.setattr(worlds, "_of_table", lambda name: toy if name == "toy" else table(name))
    monkeypatch.setattr(card, "picture", lambda spec, irf: b"no picture")
    return toy


def test_settings_and_regimes_are_kept_and_validate(tmp_path, installed):
    data = generate_dataset(tmp_path / "d", ["toy"], **SIZES)
    request = json.loads((tmp_path / "d" / "request.json").read_text())
    assert request["settings"] == {"toy": {"points": 10.0}}
    assert request["regimes"] == {"toy": KINDS.counts}
    for split in ("train", "test"):
        theta, _ = data.read("toy", split)
        np.testing.assert_array_equal(data.regime("toy", split), installed.regime(theta))
    assert validate_dataset(tmp_path / "d") == []
    text = (tmp_path / "d" / "README.md").read_text()
    assert "Solved with points 10. Nine of ten responses err by less" in text
    assert "`sales` 0.01" in text
    counts = np.bincount(installed.regime(data.theta("toy")), minlength=3)
    for number, count in enumerate(counts):
        assert f"| {number} | {count} |" in text


def test_a_world_with_other_settings_is_another_request(tmp_path, installed):
    generate_dataset(tmp_path / "d", ["toy"], **SIZES)
    coarser = installed.with_settings({"points": 2.0})
    with pytest.raises(DatasetError, match=r"another request.*settings.*10.*2"):
        generate_dataset(tmp_path / "d", [coarser], **SIZES)
    data = generate_dataset(tmp_path / "e", [coarser], **SIZES)
    theta, irf = data.read("toy", "test")
    np.testing.assert_allclose(irf, coarser.irf(theta.astype(float), horizon=6), rtol=1e-6)
    assert validate_dataset(tmp_path / "e") == []


def test_validation_solves_with_the_settings_of_the_data(tmp_path):
    generate_dataset(tmp_path / "d", ["toy"], **SIZES)
    for file in ("manifest.json", "request.json"):
        edit_json(tmp_path / "d" / file, _without_settings)
    findings = [finding.what for finding in validate_dataset(tmp_path / "d")]
    assert any("rows solved again differ" in what for what in findings)


def _without_settings(content):
    request = content.get("request", content)
    del request["settings"]


def test_a_wrong_or_a_missing_regime_is_found(tmp_path):
    generate_dataset(tmp_path / "d", ["toy"], **SIZES)

    def other(values):
        values[:] = 7

    write_array(tmp_path / "d", "toy", "regime", other)
    forge_checksums(tmp_path / "d")
    findings = [finding.what for finding in validate_dataset(tmp_path / "d")]
    assert any(what.startswith("'regime': 40 of 40 rows") for what in findings)

    def never(values):
        values[5] = -1

    write_array(tmp_path / "d", "toy", "regime", never)
    forge_checksums(tmp_path / "d")
    findings = [finding.what for finding in validate_dataset(tmp_path / "d")]
    assert any("'regime' has 1 row(s) that are missing" in what for what in findings)


def test_worlds_without_settings_and_regimes_store_none(tmp_path):
    data = generate_dataset(tmp_path / "d", ["nk"], **SIZES)
    assert "regime" not in data.group("nk")
    assert data.manifest.request.settings == data.manifest.request.regimes == {}
    with pytest.raises(DatasetError, match="no regimes of world 'nk'"):
        data.regime("nk", "train")
    with pytest.raises(ParameterError, match="World 'nk' has no regimes"):
        get_world("nk").regime(data.theta("nk"))
    with pytest.raises(UnknownNameError, match="setting of world 'nk'"):
        get_world("nk").with_settings({"points": 3})


def test_hank_of_before_is_read_and_validates_on_the_published_grid(tmp_path):
    with zipfile.ZipFile(REFERENCE / "hank.zip") as archive:
        archive.extractall(tmp_path / "hank")
    data = open_dataset(tmp_path / "hank")
    assert data.fingerprint == "b22bb31312f27e4094d13c67098f497595967ff0efe20ad4d67f5a1144160222"
    request = data.manifest.request
    published = {"points": 500, "pivot": 0.25, "top": 150.0, "fade": 0.0}
    assert request.world("hank").settings == published
    assert get_world("hank").settings["pivot"] == 0.05
    assert data.read("hank", "train")[1].shape == (8, 4, 7, 7)
    assert validate_dataset(tmp_path / "hank") == []


def test_a_setting_is_given_on_the_command_line_and_stands_in_the_card(tmp_path):
    options = "--world toy --n_samples 40 --seed 3 --horizon 6 --periods 0 --chunk 16 --shard 16"
    command = f"generate {options} --setting toy.points=2 --output {tmp_path / 'd'}".split()
    assert CliRunner().invoke(app, command).exit_code == 0
    data = open_dataset(tmp_path / "d")
    assert data.manifest.request.world("toy").points == 2.0
    assert "--setting toy.points=2 --output" in (tmp_path / "d" / "README.md").read_text()
    for wrong in ("points=2", "nk.points=2", "toy.points=two"):
        answer = CliRunner().invoke(app, [*command[:-4], "--setting", wrong])
        assert answer.exit_code == 2
        assert "hank.pivot=0.25" in answer.output


def test_a_shard_holds_whole_groups(tmp_path, installed, monkeypatch):
    monkeypatch.setattr(Coarse, "draws_per_task", 4)
    monkeypatch.setattr(Coarse, "dear", ("rho_a",))
    sizes = {**SIZES, "n_samples": 60, "draws_per_group": 3}
    data = generate_dataset(tmp_path / "d", ["toy"], **sizes)
    assert data.manifest.request.shard_rows("toy") == 12
    dear = data.theta("toy")[:, 0].reshape(-1, 3)
    assert (dear == dear[:, :1]).all()
    assert len(np.unique(dear)) == 20
    assert validate_dataset(tmp_path / "d") == []
