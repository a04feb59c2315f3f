"""Mixed precision, several processes, logging: the other ways to run the same loop."""

import json
import sys
import types

import pytest
import torch

from emulator.errors import MissingExtraError, TrainingError
from emulator.models.baselines import PerWorldMLPBaseline
from emulator.tests.training.runs import TORCHRUN, TWO, finish, start, write_config
from emulator.tests.training.test_resume import EVERYTHING
from emulator.training import BatchLoader, IRFDataset, Trainer, TrainingConfig, train


def make_trainer(dataset, folder, **settings):
    sets = [IRFDataset(dataset, ["nk", "lss"], split) for split in ("train", "val")]
    torch.manual_seed(0)
    model = PerWorldMLPBaseline({"nk": 12, "lss": 36}, [32], H=40)
    loaders = [BatchLoader(s, 32, k == 0, seed=0) for k, s in enumerate(sets)]
    return Trainer(
        model,
        *loaders,
        TrainingConfig(
            **(
                {"epochs": 4, "lr": 3e-3, "warmup_epochs": 1, "checkpoint_dir": str(folder)}
                | settings
            )
        ),
    )


@pytest.mark.parametrize(
    ("precision", "dtype"), [("bf16", torch.bfloat16), ("fp16", torch.float16)]
)
def test_mixed_precision_computes_in_half_and_keeps_weights_whole(
    small_dataset, tmp_path, precision, dtype
):
    whole = make_trainer(small_dataset, tmp_path / "fp32").fit()
    trainer, seen = make_trainer(small_dataset, tmp_path / precision, precision=precision), set()
    trainer.model.networks[0][0].register_forward_hook(
        lambda module, inputs, output: seen.add(output.dtype)
    )
    half = trainer.fit()
    assert seen == {dtype}
    assert all(p.dtype == torch.float32 for p in trainer.model.parameters())
    assert half["val_loss"][-1] == pytest.approx(whole["val_loss"][-1], rel=0.03)
    assert half["val_loss"] != whole["val_loss"]
    assert trainer.scaler.is_enabled() == (precision == "fp16")


def test_a_device_that_is_not_there_is_named(small_dataset, tmp_path):
    with pytest.raises(TrainingError, match="'cuda:99' cannot be used"):
        make_trainer(small_dataset, tmp_path, device="cuda:99").fit()
    with pytest.raises(TrainingError, match="'nonsense' cannot be used"):
        make_trainer(small_dataset, tmp_path, device="nonsense").fit()


def history_of(launcher, dataset, folder, **changes):
    """The history of a run with 16 hidden units; it must end without a warning."""
    folder.mkdir()
    settings = {"model_options": {"hidden_dims": [16]}, "batch_size": 64, "lr": 0.003} | changes
    config = write_config(folder / "c.yaml", dataset, folder / "run", **settings)
    output = finish(start(config, launcher=launcher))
    assert "arning" not in output, output
    return json.loads((folder / "run" / "history.json").read_text())


@pytest.mark.parametrize(
    "options",
    [{}, EVERYTHING | {"batch_size": 16, "ema_decay": 0.5, "optimizer": "adamw"}],
    ids=["plain", "everything"],
)
def test_two_processes_follow_the_path_of_one(small_dataset, tmp_path, options):
    """A batch is shared out, gradients are averaged: the same losses but for rounding, and early
    stopping in step.

    Not with SOAP, which magnifies rounding: where a first gradient does not reach, its bases are
    arbitrary.
    """
    # An equally weighted loss is smaller by the number of responses of a sample.
    changes = {"epochs": 30, "patience": 2, "min_delta": 0.01 if options else 0.1} | options
    one = history_of(None, small_dataset, tmp_path / "one", **changes)
    two = history_of(TWO, small_dataset, tmp_path / "two", **changes)
    assert two["stopped_early"]
    assert one["epoch"] == two["epoch"]
    assert two["val_loss"] == pytest.approx(one["val_loss"], rel=1e-5)
    assert two["train_loss"] == pytest.approx(one["train_loss"], rel=1e-5)
    assert two["lr"] == one["lr"]


def test_pytorchs_own_launcher_starts_the_run_of_two_forks(small_dataset, tmp_path):
    """Two epochs; they take 10 s of processor time, as three new Pythons import PyTorch."""
    started = history_of(TORCHRUN, small_dataset, tmp_path / "torchrun", epochs=2)
    forked = history_of(TWO, small_dataset, tmp_path / "forks", epochs=2)
    for losses in ("train_loss", "val_loss"):
        assert started[losses] == pytest.approx(forked[losses], rel=1e-6)


def test_every_sample_goes_to_one_process(small_dataset):
    dataset = IRFDataset(small_dataset, ["nk", "lss"], "train")
    loaders = [BatchLoader(dataset, 32, True, seed=3, rank=rank, processes=3) for rank in range(3)]
    alone = list(BatchLoader(dataset, 32, True, seed=3).epoch(5))
    shared = list(zip(*(loader.epoch(5) for loader in loaders), strict=True))
    for whole, parts in zip(alone, shared, strict=True):
        rows = sorted(int(k) for part in parts if "idle" not in part for k in part["sample_idx"])
        assert rows == sorted(whole["sample_idx"].tolist())
    with pytest.raises(TrainingError, match="at least one sample each"):
        BatchLoader(dataset, 2, True, processes=3)


def test_weights_and_biases_sees_losses_and_rate(small_dataset, tmp_path, monkeypatch):
    logged, finished = [], []
    run = types.SimpleNamespace(
        log=lambda values, step=None: logged.append(values), finish=lambda: finished.append(True)
    )
    opened = {}
    monkeypatch.setitem(
        sys.modules,
        "wandb",
        types.SimpleNamespace(init=lambda **options: (opened.update(options), run)[1]),
    )
    trainer = make_trainer(
        small_dataset, tmp_path, use_wandb=True, wandb_project="mine", log_every_n_steps=3
    )
    history = trainer.fit()
    assert opened["project"] == "mine"
    assert opened["config"]["lr"] == 3e-3
    assert [v["val/loss"] for v in logged if "val/loss" in v] == history["val_loss"]
    assert [v["train/lr"] for v in logged if "train/lr" in v] == history["lr"][2::3]
    assert finished == [True]


@pytest.fixture
def wandb(monkeypatch):
    """A stand-in for Weights & Biases that keeps what it is told."""
    opened, logged = [], []

    def init(**options):
        opened.append(options)
        return types.SimpleNamespace(
            id=options.get("id", f"run-{len(opened)}"),
            log=lambda values, step=None: logged.append((step, values)),
            finish=lambda: None,
        )

    monkeypatch.setitem(sys.modules, "wandb", types.SimpleNamespace(init=init))
    return types.SimpleNamespace(opened=opened, logged=logged)


def test_losses_at_weights_and_biases_carry_their_step(small_dataset, tmp_path, wandb):
    trainer = make_trainer(small_dataset, tmp_path, use_wandb=True, log_every_n_steps=3)
    trainer.fit()
    steps = [step for step, _ in wandb.logged]
    assert steps == sorted(steps)
    length = len(trainer.train_loader)
    by_epoch = [step for step, values in wandb.logged if "val/loss" in values]
    assert by_epoch == [length * (epoch + 1) for epoch in range(4)]


def test_a_resumed_run_goes_on_with_its_run_at_weights_and_biases(small_dataset, tmp_path, wandb):
    settings = {"use_wandb": True, "save_every_n_steps": 1}
    broken = make_trainer(small_dataset, tmp_path, **settings)
    original = broken._train_step

    def stop(*arguments):
        if broken.step == 5:
            raise KeyboardInterrupt
        return original(*arguments)

    broken._train_step = stop
    with pytest.raises(KeyboardInterrupt):
        broken.fit()
    resumed = make_trainer(small_dataset, tmp_path, **settings)
    resumed.resume = True
    resumed.fit()
    first, second = wandb.opened
    assert "id" not in first
    assert (second["id"], second["resume"]) == ("run-1", "allow")


def test_a_missing_extra_is_named(small_dataset, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(MissingExtraError, match=r"universal-macro-emulator\[wandb\]"):
        make_trainer(small_dataset, tmp_path, use_wandb=True).fit()


def test_streaming_trains_as_well(small_dataset, tmp_path):
    losses = []
    for in_memory in (True, False):
        config = TrainingConfig(
            dataset=str(small_dataset),
            worlds=["nk"],
            checkpoint_dir=str(tmp_path / str(in_memory)),
            in_memory=in_memory,
            epochs=5,
            lr=3e-3,
            warmup_epochs=1,
            batch_size=32,
            model_options={"hidden_dims": [32]},
        )
        losses.append(train(config).best_val_loss)
    assert losses[1] == pytest.approx(losses[0], rel=0.1)
