"""The training room's contract: data set, collation, losses, schedule, early stopping,
configuration, trainer.
"""

import dataclasses
import json
import math

import numpy as np
import pytest
import torch
import yaml
from torch.utils.data import DataLoader

from emulator.data import open_dataset
from emulator.errors import ConfigError, DatasetError, TrainingError, UnknownNameError
from emulator.models import load
from emulator.tests.training.runs import WORLDS, make_trainer
from emulator.training import (
    BatchLoader,
    IRFDataset,
    TrainingConfig,
    collate_mixed_worlds,
    collate_single_world,
    load_config,
)
from emulator.training.losses import (
    SquaredLosses,
    horizon_weights,
    irf_loss,
    smoothness,
    sums_at_horizons,
)
from emulator.training.optimisation import EarlyStopping, lr_factor
from emulator.training.sources import moments

pytestmark = pytest.mark.fast


class TestDataset:
    def test_samples_are_the_stored_rows(self, train_set, small_dataset):
        data = open_dataset(small_dataset)
        assert len(train_set) == sum(len(data.splits(w)["train"]) for w in WORLDS)
        for index in (0, len(train_set) - 1, len(train_set) // 2):
            sample = train_set[index]
            stored = data.xarray(sample["world_id"]).isel(sample=sample["sample_idx"])
            assert np.array_equal(sample["theta"], stored["theta"])
            assert np.array_equal(sample["irf"], stored["irfs"])
            assert sample["sample_idx"] in data.splits(sample["world_id"])["train"]
            assert isinstance(sample["sample_idx"], int)

    @pytest.mark.parametrize(
        ("world", "n_params", "n_shocks"), [("nk", 12, 3), ("var", 27, 3), ("lss", 36, 2)]
    )
    def test_world_info(self, train_set, world, n_params, n_shocks):
        info = train_set.get_world_info(world)
        assert (info["n_params"], info["n_shocks"], info["horizon"]) == (n_params, n_shocks, 40)
        assert len(info["param_names"]) == n_params

    def test_what_does_not_exist_is_refused(self, small_dataset, train_set):
        with pytest.raises(UnknownNameError, match="Did you mean 'test'"):
            IRFDataset(small_dataset, ["nk"], "tests")
        with pytest.raises(UnknownNameError, match="nk"):
            IRFDataset(small_dataset, ["nkk"], "train")
        with pytest.raises(DatasetError, match="does not exist"):
            IRFDataset(small_dataset / "none", ["nk"], "train")
        with pytest.raises(DatasetError, match=r"expected a list of names, such as \['nk'\]"):
            IRFDataset(small_dataset, "nk", "train")
        with pytest.raises(DatasetError, match="each named once"):
            IRFDataset(small_dataset, ["nk", "nk"], "train")
        with pytest.raises(IndexError):
            train_set[len(train_set)]

    def test_streaming_gives_the_same_samples_in_any_access_pattern(self, train_set, small_dataset):
        streamed = IRFDataset(small_dataset, WORLDS, "train", in_memory=False)
        rng = np.random.default_rng(0)
        for indices in (rng.permutation(len(train_set)), streamed.order(rng)):
            for rows in np.split(indices, range(50, len(indices), 50)):
                left, right = (collate_mixed_worlds(d.gather(rows)) for d in (train_set, streamed))
                assert all(np.array_equal(left[key], right[key]) for key in left)

    @pytest.mark.parametrize("in_memory", [True, False])
    def test_batches_gathered_ahead_are_those_gathered_one_by_one(
        self, small_dataset, in_memory, monkeypatch
    ):
        monkeypatch.setattr("emulator.training.dataset.AHEAD", 100)
        dataset = IRFDataset(small_dataset, WORLDS, "train", in_memory=in_memory)
        rng = np.random.default_rng(0)
        for order in (rng.permutation(len(dataset)), dataset.order(rng), np.arange(len(dataset))):
            rows_of = np.split(order, [1, *range(30, len(order), 30)])
            batches = list(dataset.batches(rows_of))
            assert len(batches) == len(rows_of)
            for batch, rows in zip(batches, rows_of, strict=True):
                alone = dataset.gather(rows)
                names = [piece.world_id for piece in batch.pieces]
                firsts = [int(piece.position[0]) for piece in batch.pieces]
                assert len(batch) == len(rows)
                assert names == [piece.world_id for piece in alone.pieces]
                assert firsts == sorted(firsts)
                for piece, other in zip(batch.pieces, alone.pieces, strict=True):
                    assert all(map(torch.equal, piece[1:], other[1:]))
                for row, sample in enumerate(rows[:3]):
                    one = dataset[int(sample)]
                    assert batch[row]["world_id"] == one["world_id"]
                    assert batch[row]["sample_idx"] == one["sample_idx"]
                    assert torch.equal(batch[row]["irf"], one["irf"])

    def test_an_epoch_holds_every_sample_once(self, train_set, small_dataset):
        for dataset in (train_set, IRFDataset(small_dataset, WORLDS, "train", in_memory=False)):
            first, second = (dataset.order(np.random.default_rng(k)) for k in (0, 1))
            assert np.array_equal(np.sort(first), np.arange(len(dataset)))
            assert not np.array_equal(first, second)

    def test_streaming_reads_no_shard_twice_an_epoch(self, small_dataset, monkeypatch):
        streamed = IRFDataset(small_dataset, WORLDS, "train", in_memory=False)
        reads = []
        for source in streamed.sources:
            original = source._load
            monkeypatch.setattr(
                source,
                "_load",
                lambda shard, original=original, world=source.world: (
                    reads.append((world, shard)),
                    original(shard),
                ),
            )
        for _ in BatchLoader(streamed, 32, True).epoch(0):
            pass
        assert len(reads) == len(set(reads)) > 3

    @pytest.mark.parametrize("in_memory", [True, False])
    def test_altered_data_are_refused_however_they_are_read(self, damaged_dataset, in_memory):
        file = damaged_dataset / "nk" / "irfs" / "c" / "0" / "0" / "0" / "0"
        content = bytearray(file.read_bytes())
        content[len(content) // 3] ^= 1
        file.write_bytes(content)
        with pytest.raises(DatasetError, match="shard 0 of 'irfs' was altered"):
            IRFDataset(damaged_dataset, ["nk"], "train", in_memory=in_memory)

    def test_silent_responses_have_a_floor_and_small_ones_their_own_scale(self):
        irf = torch.randn(50, 1, 5, 3) * torch.tensor([1.0, 1e-5, 0.0])
        scale = moments(lambda: [(torch.randn(50, 2), irf)]).irf_scale[0]
        assert scale[1] == pytest.approx(float(irf[..., 1].std(correction=0)), rel=1e-4)
        assert scale[2] == pytest.approx(1e-3 * float(scale[0]))

    def test_statistics_are_those_of_the_training_split(self, train_set, small_dataset):
        data = open_dataset(small_dataset)
        for world in WORLDS:
            theta, irf = data.read(world, "train")
            statistics = train_set.statistics[world]
            np.testing.assert_allclose(statistics.theta_mean, theta.mean(0), rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(statistics.theta_std, theta.std(0), rtol=1e-5)
            np.testing.assert_allclose(
                statistics.irf_scale,
                irf.astype(float).transpose(1, 3, 0, 2).reshape(irf.shape[1], 3, -1).std(2),
                rtol=1e-5,
            )
            assert np.array_equal(statistics.theta_low, theta.min(0))


class TestCollate:
    def test_the_contract_has_it_in_the_dataset_module(self):
        from emulator.training import dataset

        assert dataset.collate_mixed_worlds is collate_mixed_worlds
        assert dataset.collate_single_world is collate_single_world

    def test_mixed_pads_with_zeros_and_says_what_is_real(self, train_set):
        samples = [train_set[0], train_set[len(train_set) - 1], train_set[1]]
        batch = collate_mixed_worlds(samples)
        assert batch["theta"].shape == (3, 36)
        assert batch["irf"].shape == (3, 3, 41, 3)
        assert batch["world_ids"] == ["nk", "lss", "nk"]
        for row, sample in enumerate(samples):
            p, s = len(sample["theta"]), len(sample["irf"])
            assert torch.equal(batch["theta"][row, :p], sample["theta"])
            assert torch.equal(batch["irf"][row, :s], sample["irf"])
            assert not batch["theta"][row, p:].any()
            assert not batch["irf"][row, s:].any()
            assert batch["theta_mask"][row].sum() == p
            assert batch["theta_mask"][row, :p].all()
            assert batch["shock_mask"][row].sum() == s
            assert batch["sample_idx"][row] == sample["sample_idx"]

    def test_gathered_and_single_samples_collate_alike(self, train_set):
        rows = np.random.default_rng(0).permutation(len(train_set))[:40]
        fast = collate_mixed_worlds(train_set.gather(rows))
        slow = collate_mixed_worlds([train_set[int(k)] for k in rows])
        listed = collate_mixed_worlds(list(train_set.gather(rows)))
        for other in (slow, listed):
            assert all(np.array_equal(fast[key], other[key]) for key in fast)

    def test_single_world(self, train_set):
        batch = collate_single_world([train_set[0], train_set[1]])
        assert batch["theta"].shape == (2, 12)
        assert batch["irf"].shape == (2, 3, 41, 3)
        with pytest.raises(TrainingError, match="use collate_mixed_worlds"):
            collate_single_world([train_set[0], train_set[len(train_set) - 1]])

    def test_nothing_and_several_horizons_are_refused(self, train_set):
        with pytest.raises(TrainingError, match="without samples"):
            collate_mixed_worlds([])
        short = dict(train_set[0]) | {"irf": train_set[0]["irf"][:, :5], "world_id": "short"}
        with pytest.raises(TrainingError, match="several lengths"):
            collate_mixed_worlds([train_set[0], short])

    def test_a_plain_dataloader_works(self, train_set):
        loader = DataLoader(train_set, batch_size=64, shuffle=True, collate_fn=collate_mixed_worlds)
        assert sum(len(batch["theta"]) for batch in loader) == len(train_set)


class TestLosses:
    @pytest.mark.parametrize("kind", ["mse", "mae"])
    def test_against_the_formula_written_out(self, kind):
        rng = np.random.default_rng(0)
        pred, true = rng.normal(size=(2, 4, 3, 6, 3))
        real = rng.random((4, 3)) < 0.7
        weights = horizon_weights("exponential", 5).double()
        expected = 0.0
        for i in range(4):
            for s in range(3):
                for h in range(6):
                    for v in range(3):
                        error = pred[i, s, h, v] - true[i, s, h, v]
                        expected += (
                            real[i, s]
                            * float(weights[h])
                            * (error**2 if kind == "mse" else abs(error))
                            / 4
                        )
        value = irf_loss(
            torch.tensor(pred), torch.tensor(true), weights, torch.tensor(real), kind
        ).mean()
        assert float(value) == pytest.approx(expected, rel=1e-12)

    @pytest.mark.parametrize("horizon", [0, 1, 12, 40])
    def test_the_short_way_gives_the_same_bits(self, horizon):
        """`SquaredLosses` and its gradients, against `irf_loss` and PyTorch's own gradients."""
        generator = torch.Generator().manual_seed(0)
        rows = [torch.tensor([0, 3, 4]), torch.tensor([1, 2])]
        shapes = [
            (len(own), shocks, horizon + 1, 3) for own, shocks in zip(rows, (3, 2), strict=True)
        ]
        truths = [torch.randn(shape, generator=generator) for shape in shapes]
        scales = [torch.rand(shape[1:], generator=generator) + 0.1 for shape in shapes]
        weights = horizon_weights("exponential", horizon)
        upstream = torch.rand(5, generator=generator)
        outcomes = []
        for short in (False, True):
            preds = [torch.ones_like(true).mul_(1.1).requires_grad_() for true in truths]
            if short:
                repeated = weights[:, None].expand(-1, 3).contiguous()
                losses = SquaredLosses.apply(repeated, rows, scales, truths, *preds)
            else:
                parts = [
                    irf_loss(
                        pred / scale, true, weights, torch.ones(true.shape[:2], dtype=torch.bool)
                    )
                    for pred, scale, true in zip(preds, scales, truths, strict=True)
                ]
                losses = torch.cat(parts)[torch.argsort(torch.cat(rows))]
            gradients = torch.autograd.grad((losses * upstream).sum(), preds)
            outcomes.append([losses, *gradients])
        assert all(torch.equal(long, short) for long, short in zip(*outcomes, strict=True))

    @pytest.mark.parametrize("shocks", [1, 2, 3, 8, 13])
    @pytest.mark.parametrize("periods", [1, 2, 13, 41])
    def test_sums_by_slices_have_the_bits_of_pytorchs_own(self, shocks, periods):
        generator = torch.Generator().manual_seed(0)
        for samples in (1, 2, 21, 200):
            squares = torch.randn(samples, shocks, periods, 3, generator=generator).square()
            assert torch.equal(sums_at_horizons(squares), squares.sum(dim=(1, 3)))

    def test_one_gradient_for_all_samples_gives_the_bits_of_one_for_each(self):
        rows = [torch.tensor([0, 3, 4]), torch.tensor([1, 2])]
        preds = [torch.randn(len(own), 3, 5, 3).requires_grad_() for own in rows]
        scales = [torch.rand(3, 5, 3) + 0.1 for _ in rows]
        truths = [torch.randn(len(own), 3, 5, 3) for own in rows]
        weights = horizon_weights("exponential", 4)[:, None].expand(-1, 3).contiguous()
        losses = SquaredLosses.apply(weights, rows, scales, truths, *preds)
        one = torch.autograd.grad(losses.sum() * 0.3, preds, retain_graph=True)
        each = torch.autograd.grad(losses, preds, torch.full((5,), 0.3))
        assert all(map(torch.equal, one, each))

    def test_smoothness_against_the_formula_written_out(self):
        rng = np.random.default_rng(1)
        pred, real = rng.normal(size=(3, 2, 7, 3)), np.array([[1, 1], [1, 0], [0, 1]], dtype=bool)
        second = np.diff(pred, n=2, axis=2)
        expected = (second**2).sum(axis=(2, 3))[real].sum()
        assert float(smoothness(torch.tensor(pred), torch.tensor(real)).sum()) == pytest.approx(
            expected, rel=1e-12
        )
        line = torch.arange(9.0)[None, None, :, None].expand(1, 1, 9, 3)
        assert float(smoothness(line, torch.ones(1, 1, dtype=torch.bool)).sum()) == 0.0

    def test_weights(self):
        assert horizon_weights("uniform", 40).tolist() == pytest.approx([1 / 41] * 41)
        impact = horizon_weights("impact", 40)
        assert impact.tolist() == pytest.approx([0.3] + [0.7 / 40] * 40)
        exponential = horizon_weights("exponential", 40)
        assert float(exponential[20] / exponential[0]) == pytest.approx(math.exp(-1))
        for scheme in ("uniform", "impact", "exponential"):
            for horizon in (0, 1, 40):
                assert float(horizon_weights(scheme, horizon).sum()) == pytest.approx(1)
        with pytest.raises(ConfigError, match="uniform"):
            horizon_weights("unifrom", 40)

    def test_a_mixed_batch_is_the_sum_over_its_worlds(self, train_set, val_set, tmp_path):
        trainer = make_trainer(train_set, val_set, tmp_path, lambda_smooth=0.3, epochs=1)
        trainer.fit()
        rows = np.r_[0:5, len(train_set) - 3 : len(train_set)]
        mixed = trainer.objective.losses(
            trainer.model, collate_mixed_worlds(train_set.gather(rows))
        )
        apart = [
            trainer.objective.losses(trainer.model, collate_single_world(train_set.gather(part)))
            for part in (rows[:5], rows[5:])
        ]
        assert torch.allclose(mixed, torch.cat(apart), rtol=1e-5)

    def test_padding_never_counts(self):
        true, pred = torch.zeros(2, 3, 5, 3), torch.ones(2, 3, 5, 3)
        real = torch.tensor([[True, True, False], [True, False, False]])
        pred[0, 2] = pred[1, 1:] = float("nan")
        losses = irf_loss(pred, true, horizon_weights("uniform", 4), real)
        assert losses.tolist() == pytest.approx([2 * 3, 3])

    def test_shapes_must_agree(self):
        with pytest.raises(TrainingError, match="shape"):
            irf_loss(
                torch.zeros(2, 3, 5, 3),
                torch.zeros(2, 2, 5, 3),
                torch.ones(5),
                torch.ones(2, 3, dtype=torch.bool),
            )


class TestSchedule:
    def test_warm_up_then_cosine(self):
        curve = [lr_factor(step, 50, 1000, "cosine") for step in range(1000)]
        assert curve[0] == pytest.approx(0.01)
        assert curve[50] == 1.0
        assert curve[-1] == pytest.approx(0.01)
        assert np.all(np.diff(curve[:51]) > 0)
        assert np.all(np.diff(curve[50:]) < 0)
        assert curve[25] == pytest.approx(0.01 + 0.99 * 0.5)
        middle = 50 + (999 - 50) / 2
        assert lr_factor(int(middle), 50, 1000, "cosine") == pytest.approx(0.505, abs=1e-3)

    def test_none_is_constant_after_warm_up(self):
        assert [lr_factor(step, 10, 100, "none") for step in range(10, 100)] == [1.0] * 90
        assert lr_factor(5, 10, 100, "none") < 1

    @pytest.mark.parametrize("epochs", [1, 3])
    def test_the_optimiser_saw_the_schedule(self, train_set, val_set, tmp_path, epochs):
        history = make_trainer(
            train_set, val_set, tmp_path, epochs=epochs, warmup_epochs=0 if epochs == 1 else 1
        ).fit()
        steps = math.ceil(len(train_set) / 64)
        expected = [
            1e-3 * lr_factor(k, 0 if epochs == 1 else steps, steps * epochs, "cosine")
            for k in range(steps * epochs)
        ]
        assert history["lr"] == pytest.approx(expected)
        assert max(history["lr"]) == pytest.approx(1e-3)
        assert history["lr"][-1] == pytest.approx(1e-5)
        assert json.loads((tmp_path / "history.json").read_text())["lr"] == history["lr"]


class TestEarlyStopping:
    def test_patience_counts_by_min_delta_and_best_by_any_gain(self):
        stopping = EarlyStopping(patience=2, min_delta=0.1)
        seen = [(stopping.update(loss), stopping.waited) for loss in (1.0, 0.95, 0.84, 0.8)]
        assert seen == [(True, 0), (True, 1), (True, 0), (True, 1)]
        assert not stopping.stop
        assert stopping.update(0.72) is True  # the lowest so far, but not by more than min_delta
        assert stopping.stop
        assert stopping.best == 0.72

    def test_training_stops_and_says_so(self, train_set, val_set, tmp_path):
        trainer = make_trainer(train_set, val_set, tmp_path, epochs=50, patience=2, min_delta=1e9)
        history = trainer.fit()
        assert history["epoch"] == [1, 2, 3]
        assert history["stopped_early"]
        assert trainer.best_val_loss == min(history["val_loss"])
        assert load(tmp_path / "best.pt").checkpoint.epoch == history["best_epoch"]


class TestConfig:
    def test_defaults_are_the_contract(self):
        expected = {
            "lr": 1e-4,
            "weight_decay": 0.01,
            "batch_size": 64,
            "epochs": 100,
            "grad_clip": 1.0,
            "warmup_epochs": 5,
            "scheduler": "cosine",
            "patience": 10,
            "min_delta": 1e-4,
            "checkpoint_dir": "runs/default",
            "save_every_n_epochs": 10,
            "save_best": True,
            "log_every_n_steps": 50,
            "use_wandb": False,
            "wandb_project": "macro-emulator",
            "seed": 42,
            "loss_fn": "mse",
            "horizon_weights": "uniform",
            "lambda_smooth": 0.01,
        }
        assert dataclasses.is_dataclass(TrainingConfig)
        fields = [field.name for field in dataclasses.fields(TrainingConfig)]
        assert fields[: len(expected)] == list(expected)
        assert {key: getattr(TrainingConfig(), key) for key in expected} == expected

    def test_unknown_keys_name_the_nearest(self):
        with pytest.raises(ConfigError, match=r"'batchsize'.*Did you mean 'batch_size'"):
            TrainingConfig(batchsize=3)

    @pytest.mark.parametrize(
        "bad",
        [
            {"lr": -1},
            {"lr": "fast"},
            {"lr": float("nan")},
            {"epochs": 0},
            {"loss_fn": "huber"},
            {"precision": "fp8"},
            {"worlds": []},
            {"seed": -1},
        ],
    )
    def test_bad_values_are_named(self, bad):
        with pytest.raises(ConfigError, match=next(iter(bad))):
            TrainingConfig(**bad)

    def test_yaml_numbers(self, tmp_path):
        text = "lr: 3e-4\nepochs: 7\n"
        assert TrainingConfig(**yaml.safe_load(text)).lr == 3e-4
        (tmp_path / "c.yaml").write_text(text)
        assert load_config(
            tmp_path / "c.yaml", ["epochs=9", "worlds=[nk]", "lr=1e-2"]
        ) == TrainingConfig(lr=1e-2, epochs=9, worlds=["nk"])

    def test_unreadable_files_are_refused(self, tmp_path):
        with pytest.raises(ConfigError, match="does not exist"):
            load_config(tmp_path / "none.yaml")
        for text in ("- 1\n- 2\n", "a: [1", "!!python/object/apply:os.system ['true']"):
            (tmp_path / "bad.yaml").write_text(text)
            with pytest.raises(ConfigError):
                load_config(tmp_path / "bad.yaml")
