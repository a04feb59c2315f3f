"""The command line of the training room, as a user types it."""

import subprocess
import sys

import pytest
import yaml

from emulator.models import load
from emulator.tests.training.runs import write_config
from emulator.tests.training.test_golden import NAMES
from emulator.training.command import main


def run(*arguments, cwd=None):
    command = [sys.executable, "-W", "error", "-m", "emulator.training.trainer", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=300)


def test_one_copy_and_no_warning_under_dash_m(small_dataset, tmp_path):
    config = write_config(tmp_path / "c.yaml", small_dataset, tmp_path / "run", epochs=1, batch_size=64)
    done = run("--config", config, "--set", "worlds=[nk, var]", "--set", "lr=3e-4")
    assert done.returncode == 0, done.stderr
    assert "best validation loss" in done.stdout
    assert "Warning" not in done.stderr
    found = load(tmp_path / "run" / "best.pt").checkpoint
    assert list(found.world_specs) == ["nk", "var"]
    assert found.config["lr"] == 3e-4
    again = run("--config", config, "--set", "worlds=[nk, var]", "--set", "lr=3e-4")
    assert again.returncode == 1
    assert "already holds a run" in again.stderr
    assert run("--config", config, "--overwrite").returncode == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learning_rate": 1}, "Unknown configuration key 'learning_rate'"),
        ({"worlds": ["nkk"]}, "Did you mean 'nk'"),
        ({"model": "PerWorldMLP"}, "Did you mean 'PerWorldMLPBaseline'"),
        ({"model_options": {"depth": 3}}, "depth"),
        ({"dataset": "nowhere"}, "emulator generate"),
        ({"lr": 1e30, "grad_clip": 0}, "not finite"),
    ],
)
@pytest.mark.fast
def test_mistakes_end_in_a_message_and_exit_code_1(small_dataset, tmp_path, changes, message, monkeypatch, capsys):
    config = write_config(tmp_path / "c.yaml", small_dataset, tmp_path / "run", **changes)
    monkeypatch.setattr(sys, "argv", ["trainer", "--config", str(config)])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 1
    assert message in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.checkout
@pytest.mark.parametrize("name", ["baseline_mlp", "universal_A"])
def test_published_configurations_train(small_dataset, tmp_path, name, pytestconfig):
    config = pytestconfig.rootpath / "configs" / f"{name}.yaml"
    settings = yaml.safe_load(config.read_text())
    assert settings["checkpoint_dir"] == f"runs/{name}"
    assert (settings["model"], settings["model_options"]["hidden_dims"]) == NAMES[name]
    done = run("--config", config, "--set", f"dataset={small_dataset}", "--set", "epochs=2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert load(tmp_path / "runs" / name / "best.pt").checkpoint.config["model"] == settings["model"]
