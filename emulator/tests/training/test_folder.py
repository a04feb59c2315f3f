"""The folder of a run: what may be replaced, what is refused, what is left behind."""

import dataclasses

import pytest

from emulator.errors import CheckpointError, ConfigError
from emulator.tests.training.runs import assert_same_run, make_trainer
from emulator.training import TrainingConfig, train

pytestmark = pytest.mark.fast


def test_a_finished_run_is_not_overwritten(train_set, val_set, tmp_path):
    make_trainer(train_set, val_set, tmp_path).fit()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    again = make_trainer(train_set, val_set, tmp_path)
    with pytest.raises(ConfigError, match=r"already holds a run .*--resume.*--overwrite"):
        again.fit()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("how", ["setting", "argument"])
def test_an_overwritten_run_leaves_nothing_of_the_old(train_set, val_set, tmp_path, how):
    old = make_trainer(train_set, val_set, tmp_path, epochs=3, save_every_n_epochs=1)
    old.fit()
    assert (tmp_path / "epoch_0003.pt").exists()
    new = make_trainer(train_set, val_set, tmp_path, epochs=1, overwrite=how == "setting")
    new.overwrite = new.overwrite or how == "argument"
    new.fit()
    assert not list(tmp_path.glob("epoch_*.pt"))
    assert new.history["epoch"] == [1]


def test_a_trainer_may_fit_again_in_its_own_folder(train_set, val_set, tmp_path):
    trainer = make_trainer(train_set, val_set, tmp_path)
    assert trainer.fit() == trainer.fit()


def settings(dataset, folder, **changes):
    plain = {"worlds": ["nk"], "model_options": {"hidden_dims": [8]}, "epochs": 1, "batch_size": 64}
    return TrainingConfig(dataset=dataset, checkpoint_dir=folder, **(plain | changes))


def test_what_a_run_killed_before_its_first_state_left_is_started_afresh(small_dataset, tmp_path):
    config = settings(small_dataset, tmp_path)
    train(config)
    for name in ("last.pt", "final.pt"):
        (tmp_path / name).unlink()
    with pytest.raises(ConfigError, match="already holds a run"):
        train(config)
    assert train(config, resume=True).history["epoch"] == [1]


def test_a_run_is_not_gone_on_with_and_replaced_at_once(small_dataset, tmp_path, emulate):
    with pytest.raises(ConfigError, match="give one of them"):
        train(settings(small_dataset, tmp_path), resume=True, overwrite=True)
    place = ("--dataset", small_dataset, "--output", tmp_path / "run", "--resume", "--overwrite")
    code, _, error = emulate("train", *place)
    assert code == 1
    assert "--resume goes on with the run in the folder, and --overwrite replaces it" in error
    assert not (tmp_path / "run").exists()


def test_a_finished_run_without_a_state_is_not_started_afresh(small_dataset, tmp_path):
    config = settings(small_dataset, tmp_path)
    train(config)
    (tmp_path / "last.pt").unlink()
    with pytest.raises(ConfigError, match="already holds a run"):
        train(config, resume=True)
    assert train(dataclasses.replace(config, overwrite=True)).history["epoch"] == [1]


def test_a_run_without_a_cosine_goes_on_for_more_epochs(train_set, val_set, tmp_path):
    """To the bits of a run that was as long from the start."""
    plain = {"scheduler": "none", "save_every_n_epochs": 2, "ema_decay": 0.9}
    make_trainer(train_set, val_set, tmp_path / "long", epochs=5, **plain).fit()
    make_trainer(train_set, val_set, tmp_path / "short", epochs=3, **plain).fit()
    longer = make_trainer(train_set, val_set, tmp_path / "short", epochs=5, **plain)
    longer.resume = True
    longer.fit()
    assert_same_run(tmp_path / "long", tmp_path / "short")
    shorter = make_trainer(train_set, val_set, tmp_path / "short", epochs=4, **plain)
    shorter.resume = True
    with pytest.raises(CheckpointError, match=r"\(epochs: there 5, now 4\)\.$"):
        shorter.fit()


@pytest.mark.parametrize("options", [{}, {"scheduler": "none", "curriculum": [3]}])
def test_why_a_run_cannot_go_on_for_more_epochs(train_set, val_set, tmp_path, options):
    make_trainer(train_set, val_set, tmp_path, epochs=1, **options).fit()
    longer = make_trainer(train_set, val_set, tmp_path, epochs=2, **options)
    longer.resume = True
    reason = "curriculum" if options else "scheduler: cosine"
    with pytest.raises(CheckpointError, match=rf"With {reason}.*depends on how many.*init_from"):
        longer.fit()
