"""The trainer: what it writes, what it learns from, what it refuses."""

import json

import pytest
import torch
from torch.utils.data import DataLoader

from emulator.errors import ModelError, TrainingError
from emulator.models import checkpoint, load
from emulator.models.baselines import PerWorldMLPBaseline
from emulator.tests.training.runs import WORLDS, make_trainer
from emulator.training import (
    BatchLoader,
    IRFDataset,
    Trainer,
    TrainingConfig,
    collate_mixed_worlds,
    collate_single_world,
)
from emulator.training.preparation import moments_of_batches

pytestmark = pytest.mark.fast


def test_files_and_history(train_set, val_set, tmp_path):
    trainer = make_trainer(train_set, val_set, tmp_path, epochs=4, save_every_n_epochs=2)
    history = trainer.fit()
    assert {p.name for p in tmp_path.iterdir()} == {
        "best.pt",
        "final.pt",
        "last.pt",
        "history.json",
        "config.json",
        "cost.json",
        "epoch_0002.pt",
        "epoch_0004.pt",
    }
    assert json.loads((tmp_path / "config.json").read_text()) == trainer.config.to_dict()
    cost = json.loads((tmp_path / "cost.json").read_text())
    assert (cost["steps"], cost["threads"], cost["processes"], cost["device"]) == (
        trainer.step,
        1,
        1,
        trainer.device.type,
    )
    assert cost["trainable_weights"] == sum(p.numel() for p in trainer.model.parameters())
    assert 0 < cost["seconds"] <= trainer.seconds + 0.05  # written in tenths
    assert history["epoch"] == [1, 2, 3, 4]
    assert history["train_loss"][-1] < history["train_loss"][0]
    assert trainer.best_val_loss == min(history["val_loss"])
    best = load(tmp_path / "best.pt")
    assert best.checkpoint.val_loss == trainer.best_val_loss
    assert best.checkpoint.data_fingerprint == train_set.fingerprint


def test_same_seed_same_bits_other_seed_other_bits(train_set, val_set, tmp_path):
    runs = []
    for name, seed in (("a", 42), ("b", 42), ("c", 43)):
        trainer = make_trainer(train_set, val_set, tmp_path / name, seed=seed)
        runs.append((trainer.fit(), trainer.model.state_dict()))
    assert runs[0][0] == runs[1][0]
    assert all(torch.equal(runs[0][1][key], runs[1][1][key]) for key in runs[0][1])
    assert runs[0][0]["train_loss"] != runs[2][0]["train_loss"]


def test_dataloader_and_batch_loader_give_the_same_run(train_set, val_set, tmp_path):
    plain = make_trainer(train_set, val_set, tmp_path / "a").fit()
    own = make_trainer(
        train_set, val_set, tmp_path / "b", loader=BatchLoader(train_set, 64, True, seed=42)
    ).fit()
    assert plain == own


def test_losses_are_in_normalised_units(train_set, val_set, tmp_path):
    """Data in other units, a thousand times as large: the same losses."""

    def loader(dataset, size):
        batches = [b | {"irf": b["irf"] * size} for b in BatchLoader(dataset, 64, False).epoch(0)]
        return DataLoader(batches, batch_size=None, shuffle=False)

    histories = []
    for size in (1.0, 1000.0):
        trainer = make_trainer(
            train_set, val_set, tmp_path / str(size), loader=loader(train_set, size)
        )
        trainer._loaders = (trainer._loaders[0], loader(val_set, size))
        histories.append(trainer.fit())
    assert histories[1]["val_loss"] == pytest.approx(histories[0]["val_loss"], rel=1e-4)
    assert 1 < histories[0]["val_loss"][0] < 20


def test_foreign_data_have_the_same_statistics(train_set):
    statistics, horizon = moments_of_batches(BatchLoader(train_set, 64, True).epoch(0))
    assert horizon == 40
    for world, expected in train_set.statistics.items():
        for left, right in zip(statistics[world], expected, strict=True):
            assert torch.allclose(left, right, rtol=1e-5, atol=1e-7)


def test_single_shock_networks(small_dataset, tmp_path):
    class OneShock(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(12, 41 * 3)

        def forward(self, theta, world_id):
            return self.linear(theta).unflatten(1, (41, 3))

    def one_shock(samples):
        batch = collate_single_world(samples)
        return batch | {"irf": batch["irf"][:, :1], "shock_mask": batch["shock_mask"][:, :1]}

    sets = [IRFDataset(small_dataset, ["nk"], split) for split in ("train", "val")]
    loaders = [DataLoader(s, batch_size=32, collate_fn=one_shock) for s in sets]
    history = Trainer(
        OneShock(), *loaders, TrainingConfig(epochs=2, lr=1e-2, checkpoint_dir=str(tmp_path))
    ).fit()
    assert history["val_loss"][1] < history["val_loss"][0]
    whole = [DataLoader(s, batch_size=32, collate_fn=collate_single_world) for s in sets]
    with pytest.raises(ModelError, match=r"\(32, 1, 41, 3\); the data have \(32, 3, 41, 3\)"):
        Trainer(
            OneShock(), *whole, TrainingConfig(epochs=1, checkpoint_dir=str(tmp_path / "b"))
        ).fit()


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_what_was_written(
    train_set, val_set, tmp_path
):
    trainer = make_trainer(train_set, val_set, tmp_path, epochs=3)
    trainer.fit()
    best = (tmp_path / "best.pt").read_bytes()
    with torch.no_grad():
        trainer.model.networks[1][0].weight.fill_(float("nan"))
    trainer.epoch = trainer.batch = trainer.step = 0
    with pytest.raises(
        TrainingError,
        match=r"not finite at step 0 \(epoch 1\), learning rate 1e-05, world var, in \d+ of 64",
    ):
        trainer.fit()
    assert (tmp_path / "best.pt").read_bytes() == best


def test_a_gradient_that_is_not_finite_stops_the_run_before_it_reaches_the_weights(
    train_set, val_set, tmp_path
):
    trainer = make_trainer(train_set, val_set, tmp_path, save_every_n_steps=1)
    weight = trainer.model.networks[0][0].weight
    weight.register_hook(
        lambda gradient: gradient * float("inf") if trainer.step == 3 else gradient
    )
    with pytest.raises(TrainingError, match=r"The gradient is not finite at step 3 \(epoch 1\)"):
        trainer.fit()
    assert all(
        torch.isfinite(value).all()
        for value in checkpoint.read(tmp_path / "last.pt").weights.values()
    )
    assert torch.isfinite(weight).all()


def test_a_loader_over_a_part_of_the_data_knows_whose_part_it_is(train_set, val_set, tmp_path):
    part = torch.utils.data.Subset(train_set, range(0, len(train_set), 2))
    loader = DataLoader(part, batch_size=64, shuffle=True, collate_fn=collate_mixed_worlds)
    make_trainer(train_set, val_set, tmp_path, epochs=1, loader=loader).fit()
    loaded = load(tmp_path / "best.pt")
    assert loaded.checkpoint.data_fingerprint == train_set.fingerprint
    assert list(loaded.world_specs) == WORLDS


def test_a_network_may_always_return_the_widest_worlds_shocks(small_dataset, tmp_path):
    class Widest(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(36, 3 * 41 * 3)

        def forward(self, theta, world_id):
            return self.linear(theta).unflatten(1, (3, 41, 3))

    loaders = [
        BatchLoader(IRFDataset(small_dataset, ["lss"], split), 32, False)
        for split in ("train", "val")
    ]
    history = Trainer(
        Widest(), *loaders, TrainingConfig(epochs=2, lr=1e-2, checkpoint_dir=str(tmp_path))
    ).fit()
    assert history["val_loss"][1] < history["val_loss"][0]


def test_a_warm_up_longer_than_the_run_is_said(train_set, val_set, tmp_path, capsys):
    make_trainer(train_set, val_set, tmp_path, epochs=1, warmup_epochs=5).fit()
    assert "the learning rate stays below" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"collate_fn": None}, "collate_fn=collate_mixed_worlds"),
        ({"drop_last": True, "batch_size": 10_000}, "has no batch"),
        ({"num_workers": 1, "persistent_workers": True}, "persistent_workers=False"),
    ],
)
def test_loaders_that_cannot_work_are_refused(train_set, val_set, tmp_path, options, message):
    loader = DataLoader(
        train_set, **({"batch_size": 64, "collate_fn": collate_mixed_worlds} | options)
    )
    with pytest.raises(TrainingError, match=message):
        make_trainer(train_set, val_set, tmp_path, loader=loader).fit()


def test_validation_data_of_another_world_are_named(small_dataset, val_set, tmp_path):
    class Plain(torch.nn.Linear):
        def forward(self, theta, world_id):
            return super().forward(theta[:, :12]).unflatten(1, (3, 41, 3))

    loaders = [
        BatchLoader(IRFDataset(small_dataset, [world], split), 32, False)
        for world, split in (("nk", "train"), ("var", "val"))
    ]
    for model in (Plain(12, 369), PerWorldMLPBaseline({"nk": 12, "var": 27}, [8])):
        with pytest.raises(TrainingError, match="World 'var' is not in the training data"):
            Trainer(model, *loaders, TrainingConfig(epochs=1, checkpoint_dir=str(tmp_path))).fit()


def test_a_batch_that_does_not_name_its_worlds_is_named(train_set, val_set, tmp_path):
    def nameless(samples):
        return {key: collate_mixed_worlds(samples)[key] for key in ("theta", "irf")}

    for part in (train_set, torch.utils.data.Subset(train_set, range(100))):
        loader = DataLoader(part, batch_size=64, collate_fn=nameless)
        with pytest.raises(TrainingError, match="holds theta, irf and no world_ids; give the"):
            make_trainer(train_set, val_set, tmp_path, loader=loader).fit()
    loader = DataLoader([torch.zeros(3)], batch_size=None)
    with pytest.raises(TrainingError, match="a Tensor, and no theta, irf, world_ids"):
        make_trainer(train_set, val_set, tmp_path, loader=loader).fit()


@pytest.mark.parametrize("own", [True, False])
def test_a_network_of_another_horizon_is_refused_before_the_first_step(
    train_set, val_set, tmp_path, own
):
    loader = None if own else list(BatchLoader(train_set, 64, True).epoch(0))
    if not own:
        loader = DataLoader(loader, batch_size=None)
    trainer = make_trainer(train_set, val_set, tmp_path, loader=loader)
    trainer.model = PerWorldMLPBaseline({"nk": 12, "var": 27, "lss": 36}, [8], H=20)
    with pytest.raises(ModelError, match=r"H = 20.*the training data end at horizon 40.*H=40"):
        trainer.fit()
    assert trainer.step == 0


def test_a_batch_size_that_has_no_effect_is_said(train_set, val_set, tmp_path, capsys):
    make_trainer(train_set, val_set, tmp_path / "a", epochs=1, batch_size=32).fit()
    said = " ".join(capsys.readouterr().err.split())
    assert "makes batches of 64 samples, which is what counts; batch_size = 32" in said
    make_trainer(train_set, val_set, tmp_path / "b", epochs=1, batch_size=64).fit()
    assert "batch_size" not in capsys.readouterr().err


def test_workers_give_the_same_bits(train_set, val_set, tmp_path):
    histories = []
    for workers in (0, 2):
        loader = DataLoader(
            train_set,
            batch_size=64,
            shuffle=True,
            collate_fn=collate_mixed_worlds,
            num_workers=workers,
        )
        folder = tmp_path / str(workers)
        trainer = make_trainer(train_set, val_set, folder, loader=loader, lr=0.01)
        histories.append((trainer.fit(), trainer.model.state_dict()))
    assert histories[0][0] == histories[1][0]
    assert all(torch.equal(histories[0][1][k], histories[1][1][k]) for k in histories[0][1])


def test_loaders_without_a_length_are_refused(train_set, val_set, tmp_path):
    trainer = make_trainer(train_set, val_set, tmp_path, loader=iter([]))
    with pytest.raises(TrainingError, match="no length"):
        trainer.fit()


def test_thread_count_is_set_and_given_back(train_set, val_set, tmp_path, monkeypatch):
    before, seen = torch.get_num_threads(), []
    trainer = make_trainer(train_set, val_set, tmp_path, epochs=1)
    original = trainer._train_step
    monkeypatch.setattr(
        trainer, "_train_step", lambda *a: (seen.append(torch.get_num_threads()), original(*a))[1]
    )
    trainer.fit()
    assert set(seen) == {1}
    assert torch.get_num_threads() == before
