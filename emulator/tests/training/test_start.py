"""Where a run starts: from data, from another run's weights, from few draws, or with nothing to
train.
"""

import pytest
import torch

from emulator.errors import (
    CheckpointError,
    ConfigError,
    DatasetError,
    ModelError,
    TrainingError,
    UnknownNameError,
)
from emulator.models import checkpoint, counts, load
from emulator.models.base import EmulatorModel
from emulator.models.baselines import PerWorldMLPBaseline
from emulator.tests.training.runs import make_trainer
from emulator.training import BatchLoader, IRFDataset, Trainer, TrainingConfig, preparation, train

pytestmark = pytest.mark.fast


class MeanResponse(EmulatorModel):
    """The mean response of the draws that it is given, and nothing to train."""

    def __init__(self, param_dims, H=40, n_shocks=3):
        super().__init__(param_dims=param_dims, H=H, n_shocks=n_shocks)
        self.param_dims, self.shock_dims, self.horizon = (
            param_dims,
            counts.shock_dims(param_dims, n_shocks),
            H,
        )
        self.given = []
        for world in param_dims:
            self.register_buffer(f"mean_{world}", torch.zeros(self.shock_dims[world], H + 1, 3))

    def prepare(self, samples):
        self.given.append(
            {
                world: (theta.shape, irf.shape, torch.rand(1))
                for world, (theta, irf) in samples.items()
            }
        )
        for world, (_, irf) in samples.items():
            scale = self.normaliser.statistics(world).irf_scale
            self.get_buffer(f"mean_{world}").copy_(irf.mean(0) / scale[:, None])

    def standardised(self, theta_BP, world, horizon):
        return self.get_buffer(f"mean_{world}").expand(len(theta_BP), -1, -1, -1)


def loaders(dataset, worlds=("nk", "lss")):
    return [
        BatchLoader(IRFDataset(dataset, list(worlds), split), 32, split == "train", seed=0)
        for split in ("train", "val")
    ]


def test_a_network_is_prepared_once_from_the_first_draws(small_dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(preparation, "PREPARE_DRAWS", 20)
    config = TrainingConfig(epochs=2, checkpoint_dir=str(tmp_path), seed=3)
    model, (train_loader, val_loader) = (
        MeanResponse({"nk": 12, "lss": 36}, n_shocks={"nk": 3, "lss": 2}),
        loaders(small_dataset),
    )
    model.weight = torch.nn.Parameter(torch.ones(1))
    model.standardised = lambda theta, world, horizon: (
        model.weight * model.get_buffer(f"mean_{world}").expand(len(theta), -1, -1, -1)
    )
    Trainer(model, train_loader, val_loader, config).fit()
    (given,) = model.given
    assert {world: shapes[:2] for world, shapes in given.items()} == {
        "nk": ((20, 12), (20, 3, 41, 3)),
        "lss": ((20, 36), (20, 2, 41, 3)),
    }
    torch.manual_seed(3)
    assert torch.equal(given["nk"][2], torch.rand(1))  # under the run's seed
    expected = (
        train_loader.dataset.sources[0].irf[:20].mean(0)
        / train_loader.dataset.statistics["nk"].irf_scale[:, None]
    )
    torch.testing.assert_close(model.mean_nk, expected)
    Trainer(model, train_loader, val_loader, config, resume=True).fit()
    assert len(model.given) == 1


def test_every_process_prepares_alike_and_then_goes_its_own_way(train_set):
    drawn = []
    for rank in (0, 1):
        torch.manual_seed(99)
        model = MeanResponse(
            {"nk": 12, "var": 27, "lss": 36}, n_shocks={"nk": 3, "var": 3, "lss": 2}
        )
        model.bind(train_set.statistics, {})
        preparation.start_network(model, train_set, TrainingConfig(seed=3), rank)
        drawn.append((model.given[0]["nk"][2], torch.rand(1)))
    assert torch.equal(drawn[0][0], drawn[1][0])
    assert not torch.equal(drawn[0][1], drawn[1][1])


def test_a_network_without_weights_is_validated_once_and_kept(small_dataset, tmp_path):
    model = MeanResponse({"nk": 12, "lss": 36}, n_shocks={"nk": 3, "lss": 2})
    config = TrainingConfig(epochs=9, checkpoint_dir=str(tmp_path), ema_decay=0.9)
    history = Trainer(model, *loaders(small_dataset), config).fit()
    assert history["epoch"] == [1]
    assert history["train_loss"] == [None]
    assert history["lr"] == []
    assert not history["stopped_early"]
    for name in ("best.pt", "final.pt"):
        stored = checkpoint.read(tmp_path / name)
        assert torch.equal(stored.weights["mean_lss"], model.mean_lss)
        assert stored.val_loss == history["val_loss"][0]
    again = MeanResponse({"nk": 12, "lss": 36}, n_shocks={"nk": 3, "lss": 2})
    assert Trainer(again, *loaders(small_dataset), config, resume=True).fit() == history
    assert torch.equal(again.mean_nk, model.mean_nk)
    assert again.given == []


def test_a_run_starts_from_another_runs_weights(small_dataset, train_set, val_set, tmp_path):
    """Weights are taken over, scales are the new data's: nk and lss learn on, at rate zero, from a
    run over three worlds.
    """
    make_trainer(train_set, val_set, tmp_path / "first", lr=0.02).fit()
    first = checkpoint.read(tmp_path / "first" / "best.pt")
    model = PerWorldMLPBaseline({"nk": 12, "lss": 36, "var": 27}, [16], H=40)
    settings = {
        "epochs": 1,
        "lr": 1e-12,
        "weight_decay": 0.0,
        "init_from": tmp_path / "first",
    }  # a run's folder: its best.pt
    Trainer(
        model,
        *loaders(small_dataset),
        TrainingConfig(**settings, checkpoint_dir=tmp_path / "second"),
    ).fit()
    torch.testing.assert_close(
        model.networks[0][0].weight.cpu(), first.weights["networks.0.0.weight"]
    )
    torch.testing.assert_close(
        model.networks[1][2].weight.cpu(), first.weights["networks.1.2.weight"]
    )  # same shape
    assert (
        model.networks[1][0].weight.shape != first.weights["networks.1.0.weight"].shape
    )  # another one: kept its start
    assert model.normaliser.worlds == {"nk": 0, "lss": 1}
    torch.testing.assert_close(
        model.normaliser.statistics("lss").theta_mean, first.statistics["lss"].theta_mean
    )


def test_single_worlds_start_from_networks_of_their_own(small_dataset, tmp_path):
    """At a rate of next to nothing: `lss` answers as the run of both, `nk` as the run of `nk`
    alone.
    """
    common = {
        "dataset": small_dataset,
        "model": "UniversalEmulator",
        "model_options": {"width": 16, "shock_width": 8, "token_dim": 8, "start": False},
        "epochs": 1,
        "batch_size": 32,
        "weight_decay": 0.0,
    }
    both, nk = ["nk", "lss"], ["nk"]
    train(TrainingConfig(**common, worlds=both, lr=0.01, checkpoint_dir=tmp_path / "both"))
    train(TrainingConfig(**common, worlds=nk, lr=0.01, seed=1, checkpoint_dir=tmp_path / "nk"))
    starts = {"init_from": tmp_path / "both", "init_worlds": {"nk": tmp_path / "nk"}}
    settings = TrainingConfig(
        **common, **starts, worlds=both, lr=1e-30, checkpoint_dir=tmp_path / "joined"
    )
    joined = train(settings).model.eval()
    theta = {
        world: IRFDataset(small_dataset, [world], "val").sources[0].theta[:8] for world in both
    }
    for world, run in (("nk", "nk"), ("lss", "both")):
        wanted = load(tmp_path / run).network(theta[world], world)
        other = load(tmp_path / ("both" if run == "nk" else "nk")).network
        torch.testing.assert_close(joined(theta[world], world), wanted, rtol=1e-3, atol=1e-4)
        if world in other.param_dims:
            assert not torch.allclose(other(theta[world], world), wanted, rtol=0.1, atol=1e-3)
    with pytest.raises(ConfigError, match=r"init_worlds names 'nkk'.*Did you mean 'nk'"):
        TrainingConfig(worlds=both, init_worlds={"nkk": tmp_path})
    with pytest.raises(ModelError, match="from a network of nk: expected one that knows 'lss'"):
        train(
            TrainingConfig(
                **common,
                worlds=both,
                init_worlds={"lss": tmp_path / "nk"},
                checkpoint_dir=tmp_path / "refused",
            )
        )


def test_what_cannot_be_started_from_is_refused(train_set, val_set, tmp_path):
    make_trainer(train_set, val_set, tmp_path / "first", epochs=1).fit()
    start = {"init_from": tmp_path / "first" / "best.pt"}
    trainer = make_trainer(train_set, val_set, tmp_path / "b", **start)
    trainer.model = PerWorldMLPBaseline({"nk": 12, "var": 27, "lss": 36}, [17, 18], H=40)
    with pytest.raises(
        ModelError, match=r"None of the \d+ weights to start from fits PerWorldMLPBaseline"
    ):
        trainer.fit()
    with pytest.raises(CheckpointError, match="does not exist"):
        make_trainer(train_set, val_set, tmp_path / "c", init_from="nowhere.pt").fit()
    with pytest.raises(UnknownNameError, match="universal"):
        make_trainer(train_set, val_set, tmp_path / "c", init_from="univresal").fit()
    trainer = make_trainer(train_set, val_set, tmp_path / "d", **start)
    trainer.model = torch.nn.Linear(36, 369)
    with pytest.raises(TrainingError, match="init_from, init_worlds and curriculum need"):
        trainer.fit()


@pytest.mark.parametrize("in_memory", [True, False])
def test_few_draws_are_the_first_ones_and_set_the_scales(small_dataset, in_memory):
    whole = IRFDataset(small_dataset, ["nk", "lss"], "train")
    few = IRFDataset(small_dataset, ["nk", "lss"], "train", in_memory, {"lss": 30})
    assert few.sizes == [whole.sizes[0], 30]
    assert len(few) == whole.sizes[0] + 30
    assert few.get_world_info("lss")["n_samples"] == 30
    assert few[len(few) - 1]["sample_idx"] == whole[whole.sizes[0] + 29]["sample_idx"]
    expected = whole.sources[1].theta[:30].mean(0)
    torch.testing.assert_close(few.statistics["lss"].theta_mean, expected, rtol=1e-5, atol=1e-6)
    assert torch.equal(few.statistics["nk"].irf_scale, whole.statistics["nk"].irf_scale)
    assert IRFDataset(small_dataset, ["nk", "lss"], "train", in_memory, 7).sizes == [7, 7]
    with pytest.raises(DatasetError, match="given for var; the worlds are nk, lss"):
        IRFDataset(small_dataset, ["nk", "lss"], "train", in_memory, {"var": 3})


def test_few_draws_in_a_run(small_dataset, tmp_path):
    settings = {
        "dataset": small_dataset,
        "worlds": ["nk", "lss"],
        "model_options": {"hidden_dims": [8]},
        "epochs": 1,
        "batch_size": 16,
    }
    trainer = train(
        TrainingConfig(**settings, checkpoint_dir=tmp_path, max_train_samples={"nk": 20, "lss": 12})
    )
    assert trainer.step == 2
    assert len(trainer.val_loader.dataset) == len(IRFDataset(small_dataset, ["nk", "lss"], "val"))
    statistics = checkpoint.read(tmp_path / "best.pt").statistics["nk"]
    theta = IRFDataset(small_dataset, ["nk"], "train").sources[0].theta[:20]
    torch.testing.assert_close(statistics.theta_high, theta.max(0).values)
