"""A Python file goes through every command; where its path may not come from, it is never run."""

import json
from pathlib import Path

import pytest

import emulator
from emulator.errors import ParameterError, UnknownNameError
from emulator.eval import Request, evaluate_checkpoint
from emulator.spec import WorldSpec
from emulator.tests.worlds.shop import FILE, write_shop
from emulator.training import TrainingConfig, train
from emulator.worlds import get_world, registry

OTHER = FILE.replace("economy", "other").replace("(0.1, 0.9)", "(0.1, 0.8)")


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})


@pytest.fixture
def run(emulate, tmp_path, monkeypatch):
    """Run a command that succeeds, in a folder of its own; what it prints."""
    monkeypatch.chdir(tmp_path)

    def command(line):
        code, out, err = emulate(*line.split())
        assert code == 0, err
        return out + err

    return command


def test_a_python_file_goes_through_every_command(run, tmp_path):
    write_shop(tmp_path)
    write_shop(tmp_path, OTHER, "other.py")
    (tmp_path / "run.yaml").write_text(
        "dataset: d\nworlds: [economy]\nmodel: LinearBaseline\nepochs: 1\ncheckpoint_dir: trained\n"
    )
    run("generate --world mysim.py:economy --n_samples 150 --verdicts 40 --output d")
    run("validate --dataset d --world mysim.py:economy")
    run("train --config run.yaml")
    run("calibrate --checkpoint trained/best.pt --dataset d")
    request = Request(Path("trained/best.pt"), Path("d"), worlds=("mysim.py:economy",), bootstrap=0)
    assert set(evaluate_checkpoint(request).scores["world"]) == {"economy"}
    assert "±" in run("irf economy --checkpoint trained --set rho=0.5")
    cube = emulator.compare(["mysim.py", "other.py:other"], "demand", horizon=8)
    assert list(cube["observable"].values) == ["sales", "stocks"]

    network = emulator.load("trained")["economy"]
    answer = network.irf(rho=0.5, fallback="mysim.py:economy")
    assert set(answer.data_vars) >= {"lower", "upper", "flagged"}
    registry._registered.clear()  # as in another process
    with pytest.raises(ParameterError, match=r"path/to/file\.py:economy"):
        network.irf(rho=0.5, fallback="exact")
    with pytest.raises(ParameterError, match="is not that of the world 'economy'"):
        network.irf(rho=0.5, fallback="other.py")


def test_an_estimate_says_which_observables_are_missing(emulate, tmp_path):
    path = write_shop(tmp_path, FILE.replace('frequency="month"', 'frequency="quarter"'))
    code, _, err = emulate(
        "estimate", "--world", path, "--exact", "--shock", "demand", "--output", tmp_path / "e"
    )
    assert code == 1
    assert "'economy' has no observable 'output', 'inflation', 'rate'" in " ".join(err.split())


def test_a_configuration_or_a_checkpoint_runs_no_file(run, tmp_path):
    path = write_shop(tmp_path)
    run("generate --world mysim.py --n_samples 100 --verdicts 0 --output d")
    marker = tmp_path / "was_run"
    path.write_text(FILE + f"\nopen({str(marker)!r}, 'w').close()\n")
    config = {"dataset": "d", "model": "LinearBaseline", "epochs": 1, "checkpoint_dir": "r"}
    with pytest.raises(UnknownNameError, match="name the world as d does: economy"):
        train(TrainingConfig(worlds=["mysim.py:economy"], **config))
    limits = {"mysim.py:economy": 50}
    with pytest.raises(UnknownNameError, match="is a Python file"):
        train(TrainingConfig(worlds=["economy"], max_train_samples=limits, **config))
    assert not marker.exists()


@pytest.mark.fast
def test_neither_a_spec_nor_the_explorer_runs_a_file(tmp_path):
    from emulator.explorer.app import create_app
    from emulator.explorer.economies import Economies

    marker = tmp_path / "was_run"
    path = write_shop(tmp_path, f"open({str(marker)!r}, 'w').close()\n")
    economies = Economies(None)
    try:
        client = create_app(economies).test_client()
        for query in (f"world={path}:economy", f"with={path}:economy", f"world={path}"):
            answer = client.get(f"/?{query}")
            assert answer.status_code in (200, 400, 404)
    finally:
        economies.close()
    written = json.loads(get_world("nk").spec.model_dump_json()) | {"name": f"{path}:economy"}
    with pytest.raises(ValueError, match="name"):
        WorldSpec.model_validate(written)
    assert not marker.exists()
