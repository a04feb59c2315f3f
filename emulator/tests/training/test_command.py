"""The command line of the training room, as a user types it."""

import sys

import pytest

from emulator.data import generate_dataset
from emulator.models import load
from emulator.tests import commands
from emulator.tests.training.runs import write_config
from emulator.tests.training.test_golden import NAMES
from emulator.training.command import main
from emulator.training.config import load_config


def run(*arguments, folder=None):
    return commands.run(
        "-m", "emulator.training.trainer", *arguments, folder=folder, warnings="error"
    )


def test_one_copy_and_no_warning_under_dash_m(small_dataset, tmp_path):
    config = write_config(
        tmp_path / "c.yaml", small_dataset, tmp_path / "run", epochs=1, batch_size=64
    )
    done = run("--config", config, "--set", "worlds=[nk, var]", "--set", "lr=3e-4")
    assert done.returncode == 0, done.stderr
    assert "best validation loss" in done.stdout
    assert "Warning" not in done.stderr
    stored = load(tmp_path / "run" / "best.pt").checkpoint
    assert list(stored.world_specs) == ["nk", "var"]
    assert stored.config["lr"] == 3e-4
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
def test_mistakes_end_in_a_message_and_exit_code_1(
    small_dataset, tmp_path, changes, message, monkeypatch, capsys
):
    config = write_config(tmp_path / "c.yaml", small_dataset, tmp_path / "run", **changes)
    monkeypatch.setattr(sys, "argv", ["trainer", "--config", str(config)])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 1
    assert message in capsys.readouterr().err.replace("\n", " ")


@pytest.fixture(scope="module")
def published_data(tmp_path_factory):
    """A small data set for the worlds of a configuration; made once."""
    made = {}

    def get(name):
        worlds = tuple(NAMES[name].worlds)
        if worlds not in made:
            made[worlds] = generate_dataset(
                tmp_path_factory.mktemp("published") / "data", worlds, 200, seed=42, periods=0
            ).path
        return made[worlds]

    return get


@pytest.mark.checkout
@pytest.mark.parametrize("name", NAMES)
def test_published_configurations_train(published_data, tmp_path, name, pytestconfig):
    config, published = pytestconfig.rootpath / "configs" / f"{name}.yaml", NAMES[name]
    settings = load_config(config)
    assert settings.checkpoint_dir == f"runs/{name}"
    assert (settings.model, settings.model_options) == (published.model, published.options)
    assert set(published.worlds) <= set(settings.worlds)
    assert {key: getattr(settings, key) for key in published.training} == published.training
    changes = [
        f"dataset={published_data(name)}",
        f"worlds=[{', '.join(published.worlds)}]",
        "epochs=2",
    ]
    if settings.world_sampling:
        changes += ["batch_size=64", "steps_per_epoch=5"]
    done = run(
        "--config",
        config,
        *(part for change in changes for part in ("--set", change)),
        folder=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert load(tmp_path / "runs" / name / "best.pt").checkpoint.config["model"] == published.model
