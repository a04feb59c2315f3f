"""Whatever ends a run, resuming it gives the bits of a run that nobody disturbed."""

import random
import signal
import time

import pytest
import torch

from emulator.data import generate_dataset
from emulator.errors import CheckpointError, TrainingInterrupted
from emulator.models import checkpoint
from emulator.models.baselines import PerWorldMLPBaseline
from emulator.tests.training.barriers import Barriers
from emulator.tests.training.runs import (
    TWO,
    assert_same_run,
    finish,
    kill,
    start,
    write_config,
)
from emulator.training import IRFDataset, Trainer, TrainingConfig, collate_mixed_worlds

EVERYTHING = {
    "optimizer": "soap",
    "ema_decay": 0.9,
    "world_sampling": 2.0,
    "steps_per_epoch": 13,
    "world_weighting": "equal",
    "curriculum": [3, 12],
    "curriculum_share": 0.4,
    "lr_end": 1e-3,
}


@pytest.fixture(scope="module")
def undisturbed(small_dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    finish(start(write_config(folder / "c.yaml", small_dataset, folder / "run")))
    return folder / "run"


def test_kill_9_at_any_moment(small_dataset, undisturbed, tmp_path):
    """Three kills at random moments, most of them in the middle of an epoch; each before a barrier
    that the run would stand at.
    """
    run = tmp_path / "run"
    config = write_config(tmp_path / "c.yaml", small_dataset, run)
    rng = random.Random(0)
    for first in (20, 90, 160):
        barriers = Barriers(tmp_path, first, first + 40)
        process = start(config, "--resume", barriers=barriers)
        barriers.reached(first, process)
        barriers.open(first)
        time.sleep(0.1 * rng.random())
        kill(process)
        process.wait()
    finish(start(config, "--resume"))
    assert_same_run(run, undisturbed)
    assert not list(run.glob("*.partial"))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals_save_at_the_next_step_and_have_their_own_exit_code(
    small_dataset, undisturbed, tmp_path, number, code
):
    run, barriers = tmp_path / "run", Barriers(tmp_path, 20)
    config = write_config(tmp_path / "c.yaml", small_dataset, run, save_every_n_steps=0)
    process = start(config, barriers=barriers)
    barriers.reached(20, process)
    kill(process, number)
    barriers.open(20)
    text = finish(process, expected=code)
    assert "--resume" in text
    assert "Traceback" not in text
    assert checkpoint.read(run / "last.pt").training["position"]["step"] in (20, 21)
    finish(start(config, "--resume"))
    assert_same_run(run, undisturbed)


@pytest.mark.parametrize("everything", [False, True])
def test_kill_9_with_two_processes(small_dataset, tmp_path, everything):
    runs = []
    for name in ("undisturbed", "disturbed"):
        config = write_config(
            tmp_path / f"{name}.yaml",
            small_dataset,
            tmp_path / name,
            epochs=4,
            **(EVERYTHING if everything else {}),
        )
        runs.append(tmp_path / name)
        if name == "disturbed":
            barriers = Barriers(tmp_path, 30)
            process = start(config, launcher=TWO, barriers=barriers)
            barriers.reached(30, process)
            kill(process)
            process.wait()
            text = finish(start(config, "--resume"), expected=1)
            assert "another number of processes: there 2, now 1" in text
        finish(start(config, "--resume", launcher=TWO))
    assert_same_run(*runs)


def make(dataset, folder, *, rows=32, **changes):
    """A network, loaders of batches of so many rows, and a configuration."""
    sets = [IRFDataset(dataset, ["nk", "lss"], split) for split in ("train", "val")]
    torch.manual_seed(0)
    model = PerWorldMLPBaseline({"nk": 12, "lss": 36}, [16], H=40, dropout=0.2)
    loaders = [
        torch.utils.data.DataLoader(
            s, batch_size=rows, shuffle=k == 0, collate_fn=collate_mixed_worlds
        )
        for k, s in enumerate(sets)
    ]
    config = TrainingConfig(**({"epochs": 3, "checkpoint_dir": str(folder), "lr": 1e-3} | changes))
    return model, loaders, config


@pytest.mark.parametrize(
    "options", [{}, EVERYTHING | {"steps_per_epoch": 7}], ids=["plain", "everything"]
)
def test_stopped_at_every_single_step(small_dataset, tmp_path, monkeypatch, options):
    """A run of two epochs of seven steps that is broken off before each of its steps in turn, and
    resumed each time.
    """
    options = {"epochs": 2, "rows": 64} | options
    model, loaders, config = make(small_dataset, tmp_path / "whole", **options)
    whole = Trainer(model, *loaders, config)
    whole.fit()
    original = Trainer._train_step
    for fresh in range(10_000):
        model, loaders, config = make(
            small_dataset, tmp_path / "broken", save_every_n_steps=1, **options
        )
        broken, done = Trainer(model, *loaders, config, resume=fresh > 0), []

        def one_step(self, *arguments, done=done):
            if done:
                raise KeyboardInterrupt
            done.append(1)
            return original(self, *arguments)

        monkeypatch.setattr(Trainer, "_train_step", one_step)
        try:
            broken.fit()
            break
        except KeyboardInterrupt:
            continue
    assert fresh >= 13
    assert_same_run(tmp_path / "whole", tmp_path / "broken")


@pytest.mark.fast
def test_a_signal_before_the_first_step_has_nothing_to_save(small_dataset, tmp_path, monkeypatch):
    model, loaders, config = make(small_dataset, tmp_path)
    trainer = Trainer(model, *loaders, config)
    monkeypatch.setattr(
        trainer,
        "_prepare",
        lambda group, prepare=trainer._prepare: (
            prepare(group),
            signal.raise_signal(signal.SIGTERM),
        ),
    )
    with pytest.raises(TrainingInterrupted, match="before the first step") as stopped:
        trainer.fit()
    assert stopped.value.exit_code == 143
    assert not list(tmp_path.glob("*.pt"))


@pytest.mark.parametrize(
    "options", [{"num_workers": 2}, {"drop_last": True, "num_workers": 1}, {"sampler": "weighted"}]
)
def test_foreign_loaders_resume_as_well(small_dataset, tmp_path, monkeypatch, options):
    """Loaders with workers or samplers of their own: the order of samples depends on (seed, epoch)
    alone there too.
    """

    def loaders(dataset):
        sampler = (
            torch.utils.data.WeightedRandomSampler(torch.ones(len(dataset)), len(dataset))
            if "sampler" in options
            else None
        )
        chosen = {key: value for key, value in options.items() if key != "sampler"}
        return torch.utils.data.DataLoader(
            dataset,
            batch_size=64,
            shuffle=sampler is None,
            sampler=sampler,
            collate_fn=collate_mixed_worlds,
            **chosen,
        )

    def trainer(folder, **more):
        model, (train, val), config = make(small_dataset, folder, epochs=2, save_every_n_steps=1)
        return Trainer(model, loaders(train.dataset), val, config, **more)

    trainer(tmp_path / "whole").fit()
    broken, original = trainer(tmp_path / "broken"), Trainer._train_step

    def stop_in_the_second_epoch(self, *arguments):
        if self.epoch == 1 and self.batch == 2:
            raise KeyboardInterrupt
        return original(self, *arguments)

    monkeypatch.setattr(Trainer, "_train_step", stop_in_the_second_epoch)
    with pytest.raises(KeyboardInterrupt):
        broken.fit()
    monkeypatch.setattr(Trainer, "_train_step", original)
    (tmp_path / "broken" / ".last.pt.x.partial").write_text("left by a kill")
    trainer(tmp_path / "broken", resume=True).fit()
    assert_same_run(tmp_path / "whole", tmp_path / "broken")
    assert not list((tmp_path / "broken").glob(".*"))


@pytest.mark.fast
def test_weights_without_a_state_cannot_be_resumed(small_dataset, tmp_path):
    model, loaders, config = make(small_dataset, tmp_path, epochs=1)
    Trainer(model, *loaders, config).fit()
    (tmp_path / "final.pt").rename(tmp_path / "last.pt")
    with pytest.raises(CheckpointError, match="no state to resume from"):
        Trainer(model, *loaders, config, resume=True).fit()


@pytest.mark.fast
def test_a_finished_run_resumes_to_its_own_end(small_dataset, tmp_path):
    model, loaders, config = make(small_dataset, tmp_path)
    history = Trainer(model, *loaders, config).fit()
    before = {p.name: p.stat().st_mtime_ns for p in tmp_path.glob("*.pt")}
    again, loaders, config = make(small_dataset, tmp_path)
    resumed = Trainer(again, *loaders, config, resume=True)
    assert resumed.fit() == history
    assert resumed.seconds > checkpoint.read(tmp_path / "last.pt").training["seconds"] > 0
    assert {p.name: p.stat().st_mtime_ns for p in tmp_path.glob("*.pt")} == before
    assert torch.equal(again.networks[0][0].weight, model.networks[0][0].weight)


def test_another_configuration_or_data_set_is_refused(small_dataset, tmp_path):
    model, loaders, config = make(small_dataset, tmp_path / "run", epochs=1)
    Trainer(model, *loaders, config).fit()
    model, loaders, config = make(small_dataset, tmp_path / "run", epochs=2)
    with pytest.raises(CheckpointError, match=r"another configuration \(epochs: there 1, now 2\)"):
        Trainer(model, *loaders, config, resume=True).fit()
    generate_dataset(tmp_path / "other", ["nk", "lss"], 300, seed=2, periods=0)
    model, loaders, config = make(tmp_path / "other", tmp_path / "run", epochs=1)
    with pytest.raises(CheckpointError, match="another data set"):
        Trainer(model, *loaders, config, resume=True).fit()


@pytest.mark.fast
def test_what_a_run_is_called_and_where_it_logs_may_change(small_dataset, tmp_path):
    model, loaders, config = make(small_dataset, tmp_path / "a", epochs=1)
    Trainer(model, *loaders, config).fit()
    (tmp_path / "a").rename(tmp_path / "b")
    model, loaders, config = make(small_dataset, tmp_path / "b", epochs=1, log_every_n_steps=1)
    assert len(Trainer(model, *loaders, config, resume=True).fit()["epoch"]) == 1
