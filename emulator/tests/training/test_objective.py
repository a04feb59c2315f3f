"""What a sample weighs, which horizons a step sees, and which weights are judged."""

import math

import numpy as np
import pytest
import torch

from emulator.errors import ConfigError, TrainingError
from emulator.models import checkpoint
from emulator.tests.training.runs import WORLDS, make_trainer
from emulator.training import BatchLoader, TrainingConfig, collate_mixed_worlds
from emulator.training.optimisation import (
    WeightAverage,
    clip_gradients,
    curriculum_horizon,
    lr_factor,
)
from emulator.training.processes import Group

pytestmark = pytest.mark.fast

SHOCKS = {"nk": 3, "var": 3, "lss": 2}


@pytest.fixture
def uneven(train_set):
    """A batch of 5 samples of nk, 1 of var and 3 of lss."""
    ends = np.cumsum(train_set.sizes)
    return collate_mixed_worlds(
        train_set.gather(np.r_[0:5, ends[0] : ends[0] + 1, ends[1] : ends[1] + 3])
    )


def by_hand(losses, names):
    """Mean over worlds of the mean over a world's samples of (1 / (3 S_w)) loss."""
    means = []
    for world in dict.fromkeys(names):
        own = [
            float(loss) / (3 * SHOCKS[world])
            for loss, name in zip(losses, names, strict=True)
            if name == world
        ]
        means.append(sum(own) / len(own))
    return sum(means) / len(means)


@torch.no_grad()
def test_equal_weights_by_hand(train_set, val_set, tmp_path, uneven):
    for weighting in ("samples", "equal"):
        trainer = make_trainer(
            train_set, val_set, tmp_path, world_weighting=weighting, lambda_smooth=0.3
        )
        trainer._prepare(Group())
        losses = trainer.objective.losses(trainer.model, uneven)
        counts = trainer.objective.counts(uneven)
        assert counts == [5, 1, 3]
        value = float(trainer.objective.total(losses, uneven, counts)) / 9
        assert value == pytest.approx(
            by_hand(losses, uneven["world_ids"]) if weighting == "equal" else float(losses.mean()),
            rel=1e-5,
        )


@torch.no_grad()
def test_shares_of_processes_add_up(train_set, val_set, tmp_path, uneven):
    trainer = make_trainer(train_set, val_set, tmp_path, world_weighting="equal")
    trainer._prepare(Group())
    whole = trainer.objective.counts(uneven)
    total = float(
        trainer.objective.total(trainer.objective.losses(trainer.model, uneven), uneven, whole)
    )
    parts = 0.0
    for rank in range(2):
        share = {key: value[rank::2] for key, value in uneven.items()}
        parts += float(
            trainer.objective.total(trainer.objective.losses(trainer.model, share), share, whole)
        )
    assert parts == pytest.approx(total, rel=1e-5)
    assert trainer.objective.counts(uneven | {"idle": True}) == [0, 0, 0]
    assert float(trainer.objective.total(torch.ones(9), uneven | {"idle": True}, whole)) == 0.0


@torch.no_grad()
@pytest.mark.parametrize(("scheme", "power"), [("relative", 1.0), ("root", 0.5)])
def test_weights_by_size_by_hand(train_set, val_set, tmp_path, uneven, scheme, power):
    """A loss counts by 1 / (mean square of the sample's own normalised responses + 0.03), or by the
    root of that; padding has no say.
    """
    trainer = make_trainer(train_set, val_set, tmp_path, sample_weighting=scheme)
    trainer._prepare(Group())
    losses, expected = trainer.objective.losses(trainer.model, uneven), 0.0
    for row, world in enumerate(uneven["world_ids"]):
        irf = uneven["irf"][row, : SHOCKS[world]] / trainer.statistics[world].irf_scale[:, None, :]
        expected += float(losses[row]) / (float(irf.square().mean()) + 0.03) ** power
    assert float(
        trainer.objective.total(losses, uneven, trainer.objective.counts(uneven))
    ) == pytest.approx(expected, rel=1e-5)


@torch.no_grad()
def test_losses_in_natural_units_are_not_divided_by_scales(train_set, val_set, tmp_path, uneven):
    trainer = make_trainer(train_set, val_set, tmp_path, loss_units="natural", lambda_smooth=0.0)
    trainer._prepare(Group())
    error = trainer.model(uneven["theta"], uneven["world_ids"]) - uneven["irf"]
    expected = (
        torch.where(uneven["shock_mask"][:, :, None, None], error, 0.0)
        .square()
        .sum(dim=(1, 3))
        .mean(dim=1)
    )
    torch.testing.assert_close(trainer.objective.losses(trainer.model, uneven), expected)


@torch.no_grad()
def test_what_the_exact_truth_and_a_prediction_of_zero_cost(train_set, val_set, tmp_path, uneven):
    """Under the default `lambda_smooth` the truth pays for not being smooth; without it nothing."""
    losses = {}
    for penalty in (TrainingConfig().lambda_smooth, 0.0):
        trainer = make_trainer(train_set, val_set, tmp_path, lambda_smooth=penalty)
        trainer._prepare(Group())
        truth = trainer.objective.losses(lambda theta, ids: uneven["irf"], uneven)
        zero = trainer.objective.losses(lambda theta, ids: 0 * uneven["irf"], uneven)
        losses[penalty] = truth, zero
    second = [
        0.01 * (irf[:, 2:] - 2 * irf[:, 1:-1] + irf[:, :-2]).square().sum()
        for irf in (
            uneven["irf"][row, : SHOCKS[world]] / trainer.statistics[world].irf_scale[:, None]
            for row, world in enumerate(uneven["world_ids"])
        )
    ]
    torch.testing.assert_close(losses[0.01][0], torch.stack(second))
    assert (losses[0.01][0] > 0).all()
    assert (losses[0.0][0] == 0).all()
    torch.testing.assert_close(losses[0.01][1], losses[0.0][1])


def test_an_epochs_losses_are_weighted_alike(train_set, val_set, tmp_path):
    """Without steps (rate zero but for rounding) the training loss is the mean over batches;
    validation is by hand.
    """
    for weighting in ("samples", "equal"):
        trainer = make_trainer(
            train_set,
            val_set,
            tmp_path / weighting,
            epochs=1,
            lr=1e-12,
            weight_decay=0.0,
            world_weighting=weighting,
        )
        history = trainer.fit()
        batch = next(BatchLoader(val_set, len(val_set), False).epoch(0))
        losses = trainer.objective.losses(trainer.model.eval(), batch).detach()
        names = batch["world_ids"]
        expected = by_hand(losses, names) if weighting == "equal" else float(losses.mean())
        assert history["val_loss"] == [pytest.approx(expected, rel=1e-5)]
        entries = {world: 3 * SHOCKS[world] if weighting == "equal" else 1 for world in WORLDS}
        for world in WORLDS:
            own = [float(loss) for loss, name in zip(losses, names, strict=True) if name == world]
            assert history["val_loss_by_world"][world] == [
                pytest.approx(np.mean(own) / entries[world], rel=1e-5)
            ]
        steps = []
        for part in BatchLoader(train_set, 64, True, seed=42).epoch(0):
            value = trainer.objective.losses(trainer.model, part).detach()
            steps.append(
                (
                    len(value),
                    (
                        by_hand(value, part["world_ids"])
                        if weighting == "equal"
                        else float(value.mean())
                    ),
                )
            )
        assert history["train_loss"] == [
            pytest.approx(
                np.average([s for _, s in steps], weights=[n for n, _ in steps]), rel=1e-4
            )
        ]


def test_a_curriculum_shows_the_first_horizons_first(train_set, val_set, tmp_path):
    trainer = make_trainer(
        train_set,
        val_set,
        tmp_path,
        epochs=4,
        curriculum=[3, 6, 12],
        curriculum_share=0.5,
        lambda_smooth=0.1,
    )
    seen, original = [], trainer.model.forward

    def recorded(theta, world_id, horizon=None, **options):
        if trainer.model.training:
            seen.append(horizon)
        return original(theta, world_id, horizon, **options)

    trainer.model.forward = recorded
    trainer.fit()
    assert seen == [3] * 7 + [6] * 7 + [12] * 6 + [None] * 20
    assert checkpoint.read(tmp_path / "last.pt").horizon == 40


def test_a_stages_loss_is_the_loss_of_data_cut_there(train_set, val_set, tmp_path, uneven):
    trainer = make_trainer(
        train_set, val_set, tmp_path, horizon_weights="impact", lambda_smooth=0.1
    )
    trainer._prepare(Group())
    value = trainer.objective.losses(trainer.model, uneven, 6)
    cut = uneven | {"irf": uneven["irf"][:, :, :7]}
    expected = trainer.objective.losses(lambda theta, ids: trainer.model(theta, ids)[:, :, :7], cut)
    torch.testing.assert_close(value, expected)
    with pytest.raises(TrainingError, match="horizon 41; the data end at 40"):
        trainer.objective.losses(trainer.model, uneven, 41)


def test_stages_are_of_equal_length():
    assert [curriculum_horizon(step, 20, [1, 5], 0.4) for step in range(20)] == [1] * 4 + [
        5
    ] * 4 + [None] * 12
    assert curriculum_horizon(0, 20, [], 0.4) is None
    assert curriculum_horizon(0, 20, [1], 0.0) is None
    with pytest.raises(ConfigError, match=r"curriculum is \[6, 3\]"):
        TrainingConfig(curriculum=[6, 3])


def test_a_curriculum_needs_a_network_that_knows_horizons(train_set, val_set, tmp_path):
    trainer = make_trainer(train_set, val_set, tmp_path, curriculum=[3])
    trainer.model = torch.nn.Linear(36, 369)
    with pytest.raises(
        TrainingError, match="curriculum need a network derived from EmulatorModel; Linear is not"
    ):
        trainer.fit()


def test_the_rate_falls_to_its_end(train_set, val_set, tmp_path):
    assert lr_factor(99, 10, 100, "cosine", 1e-4) == pytest.approx(1e-4)
    assert lr_factor(0, 10, 100, "cosine", 1e-4) == pytest.approx(0.01)
    history = make_trainer(train_set, val_set, tmp_path, lr_end=0.0).fit()
    assert history["lr"][-1] == 0.0


def test_the_average_is_the_formula():
    model = torch.nn.Linear(2, 2)
    average = WeightAverage(model, 0.5)
    expected = model.weight.detach().clone()
    for step in range(12):
        with torch.no_grad():
            model.weight.add_(1.0)
        average.update(step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * model.weight.detach()
    own = model.weight.detach().clone()
    with average.in_place():
        torch.testing.assert_close(model.weight.detach(), expected)
    assert torch.equal(model.weight, own)
    with WeightAverage(model, 0.0).in_place():
        assert torch.equal(model.weight, own)


def test_the_average_is_validated_and_kept(train_set, val_set, tmp_path):
    plain = make_trainer(train_set, val_set, tmp_path / "plain", lr=0.02)
    averaged = make_trainer(train_set, val_set, tmp_path / "averaged", lr=0.02, ema_decay=0.9)
    histories = plain.fit(), averaged.fit()
    files = {
        name: checkpoint.read(tmp_path / "averaged" / name)
        for name in ("best.pt", "final.pt", "last.pt")
    }
    without = checkpoint.read(tmp_path / "plain" / "final.pt")
    key = "networks.0.0.weight"
    assert histories[0]["train_loss"] == histories[1]["train_loss"]
    assert histories[0]["val_loss"] != histories[1]["val_loss"]
    assert torch.equal(files["last.pt"].weights[key], without.weights[key])
    assert torch.equal(files["last.pt"].training["average"][key], files["final.pt"].weights[key])
    assert not torch.equal(files["final.pt"].weights[key], without.weights[key])
    checkpoint.load_weights(averaged.model, files["best.pt"])
    loss, _ = averaged.objective.mean(averaged.model, averaged.val_loader.epoch(0), Group(), "")
    assert loss == files["best.pt"].val_loss == averaged.best_val_loss


@pytest.mark.parametrize("largest", [1e-3, 1.0, 1e3, math.inf])
@pytest.mark.parametrize("size", [1.0, math.nan, math.inf])
def test_clipped_gradients_have_the_bits_of_pytorchs_own(largest, size):
    generator = torch.Generator().manual_seed(0)
    shapes = [(7, 5), (7,), (3, 7), ()]
    own, others = ([torch.nn.Parameter(torch.zeros(shape)) for shape in shapes] for _ in range(2))
    for mine, other in zip(own[:-1], others, strict=False):  # the last one has no gradient
        mine.grad = size * torch.randn(mine.shape, generator=generator)
        other.grad = mine.grad.clone()
    norm = clip_gradients(own, largest)
    expected = float(torch.nn.utils.clip_grad_norm_(others, largest))
    assert norm == expected or (math.isnan(norm) and math.isnan(expected))
    for mine, other in zip(own[:-1], others, strict=False):
        assert torch.equal(mine.grad.nan_to_num(nan=7.0), other.grad.nan_to_num(nan=7.0))
    assert own[-1].grad is None
    assert clip_gradients(own[-1:], largest) == 0.0
