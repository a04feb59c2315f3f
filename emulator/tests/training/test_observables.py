"""Training on worlds of one, three and seven observables in one batch."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from emulator import models, worlds
from emulator.data import generate_dataset, open_dataset
from emulator.errors import CheckpointError
from emulator.models import load
from emulator.models.trained import predict
from emulator.models.trust import learner
from emulator.spec import Moves
from emulator.tests.data.toy import NAMES, Toy
from emulator.tests.training.runs import assert_same_run
from emulator.tests.worlds.altered import observing
from emulator.training import IRFDataset, Trainer, TrainingConfig, collate_mixed_worlds
from emulator.training.calibrate import calibrate_checkpoint
from emulator.training.losses import irf_loss, size_weights, smoothness
from emulator.training.preparation import learn_data
from emulator.training.processes import Group
from emulator.training.trainer import train

SIZES = {"one": 1, "three": 3, "seven": 7}
HORIZON = 8
SMALL = {
    "PerWorldMLPBaseline": {"hidden_dims": [8]},
    "PooledMLPBaseline": {"hidden_dims": [8], "token_dim": 4},
    "PerWorldGRUBaseline": {"hidden_dim": 8},
    "UniversalEmulator": {"width": 8, "shock_width": 4, "token_dim": 4, "states": 4},
}


def install(patch, names_of):
    """Put toy worlds with these observables into the table of worlds."""
    table, toys = worlds._of_table, {}
    for name, observables in names_of.items():
        toys[name] = Toy(observables)
        toys[name].spec = toys[name].spec.model_copy(update={"name": name})
        patch.setitem(worlds.WORLDS, name, "emulator.tests.data.toy:Toy")
    patch.setattr(worlds, "_of_table", lambda name: toys[name] if name in toys else table(name))


def generated(folder, names_of, n_samples=200, seed=3):
    with pytest.MonkeyPatch.context() as patch:
        install(patch, names_of)
        generate_dataset(folder, list(names_of), n_samples, seed=seed, horizon=HORIZON, periods=0)
    return folder


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A data set of three worlds, with 1, 3 and 7 observables."""
    names_of = {world: NAMES[:count] for world, count in SIZES.items()}
    return generated(tmp_path_factory.mktemp("mixed") / "data", names_of)


def config_of(data, folder, model="PerWorldMLPBaseline", **settings):
    return TrainingConfig(
        **{
            "dataset": str(data),
            "worlds": list(SIZES),
            "model": model,
            "model_options": SMALL[model],
            "checkpoint_dir": str(folder),
            "batch_size": 32,
            "epochs": 2,
            "warmup_epochs": 0,
            "lr": 1e-2,
        }
        | settings
    )


def trainer_of(data, folder, **settings):
    config = config_of(data, folder, **settings)
    train_set, val_set = (IRFDataset(data, list(SIZES), split) for split in ("train", "val"))
    loaders = [
        DataLoader(split, batch_size=32, shuffle=True, collate_fn=collate_mixed_worlds)
        for split in (train_set, val_set)
    ]
    specs = {world: train_set.data.spec(world) for world in SIZES}
    torch.manual_seed(0)
    model = models.build(config.model, specs, HORIZON, config.model_options)
    return Trainer(model, *loaders, config)


def mixed_batch(data, rows=3):
    """Three samples of each world, one world after the other."""
    whole = IRFDataset(data, list(SIZES), "train")
    starts = np.cumsum([0, *whole.sizes[:-1]])
    return whole.gather(np.concatenate([start + np.arange(rows) for start in starts]))


def test_a_mixed_batch_is_padded_with_zeros_and_says_what_is_real(mixed):
    gathered = mixed_batch(mixed)
    batch = collate_mixed_worlds(gathered)
    assert batch["irf"].shape == (9, 2, HORIZON + 1, 7)
    assert batch["observable_mask"].sum(1).tolist() == [1, 1, 1, 3, 3, 3, 7, 7, 7]
    for row, sample in enumerate(gathered):
        own = SIZES[sample["world_id"]]
        assert torch.equal(batch["irf"][row, ..., :own], sample["irf"])
        assert not batch["irf"][row, ..., own:].any()


def test_a_batch_of_one_world_has_the_mask_too(small_dataset):
    dataset = IRFDataset(small_dataset, ["nk"], "val")
    batch = collate_mixed_worlds(dataset.gather(np.arange(2)))
    assert batch["observable_mask"].all()
    assert batch["observable_mask"].shape == (2, dataset.get_world_info("nk")["n_observables"])


@torch.no_grad()
@pytest.mark.parametrize(
    "settings",
    [
        {"lambda_smooth": 0.0},
        {"lambda_smooth": 0.3},
        {"lambda_smooth": 0.0, "loss_fn": "mae"},
        {"lambda_smooth": 0.0, "sample_weighting": "relative"},
    ],
)
def test_the_loss_of_a_mixed_batch_is_the_sum_over_its_worlds_apart(mixed, tmp_path, settings):
    trainer = trainer_of(mixed, tmp_path, **settings)
    trainer._prepare(Group())
    objective, model = trainer.objective, trainer.model
    gathered = mixed_batch(mixed)
    for batch in (gathered, collate_mixed_worlds(gathered)):
        losses = objective.losses(model, batch)
        total = objective.total(losses, batch, objective.counts(batch))
        apart = 0.0
        for first in (0, 3, 6):
            alone = collate_mixed_worlds(gathered[first : first + 3])
            own = objective.losses(model, alone)
            assert torch.equal(losses[first : first + 3], own)
            apart += objective.total(own, alone, objective.counts(alone))
        torch.testing.assert_close(total, apart)


def test_gradients_of_a_mixed_batch_are_those_of_its_worlds_apart(mixed, tmp_path):
    """Of squared errors, whose gradients are written by hand, under one weight and under many."""
    trainer = trainer_of(mixed, tmp_path, lambda_smooth=0.0)
    trainer._prepare(Group())
    objective, model, gathered = trainer.objective, trainer.model, mixed_batch(mixed)
    for weights in (torch.ones(9), torch.arange(1.0, 10.0)):
        model.zero_grad()
        (objective.losses(model, gathered) * weights).sum().backward()
        together = [weight.grad.clone() for weight in model.parameters()]
        model.zero_grad()
        for first in (0, 3, 6):
            alone = collate_mixed_worlds(gathered[first : first + 3])
            (objective.losses(model, alone) * weights[first : first + 3]).sum().backward()
        for gradient, weight in zip(together, model.parameters(), strict=True):
            torch.testing.assert_close(gradient, weight.grad)


@torch.no_grad()
def test_equal_weights_of_worlds_divide_by_their_own_numbers_of_responses(mixed, tmp_path):
    trainer = trainer_of(mixed, tmp_path, world_weighting="equal", lambda_smooth=0.0)
    trainer._prepare(Group())
    batch = mixed_batch(mixed)
    losses = trainer.objective.losses(trainer.model, batch)
    total = trainer.objective.total(losses, batch, trainer.objective.counts(batch))
    means = [float(losses[3 * k : 3 * k + 3].mean()) / (2 * o) for k, o in enumerate((1, 3, 7))]
    assert float(total) / 9 == pytest.approx(np.mean(means), rel=1e-5)


@pytest.mark.fast
def test_what_a_mask_says_is_padding_counts_nothing():
    true, pred = torch.randn(2, 3, 5, 4), torch.randn(2, 3, 5, 4)
    real = torch.zeros(2, 3, 4, dtype=torch.bool)
    real[0, :2, :3] = real[1, :, :1] = True
    weights = torch.full((5,), 0.2)
    parts = [(slice(0, 1), slice(0, 2), slice(0, 3)), (slice(1, 2), slice(0, 3), slice(0, 1))]
    for row, (sample, shocks, observables) in enumerate(parts):
        cut = [values[sample, shocks, :, observables] for values in (pred, true)]
        all_real = torch.ones(cut[0].shape[:2], dtype=torch.bool)
        for whole, alone in (
            (irf_loss(pred, true, weights, real), irf_loss(*cut, weights, all_real)),
            (smoothness(pred, real), smoothness(cut[0], all_real)),
            (
                size_weights("relative", true, real),
                size_weights("relative", cut[1], all_real),
            ),
        ):
            torch.testing.assert_close(whole[row], alone[0])


@pytest.mark.parametrize("model", SMALL)
def test_a_network_of_worlds_of_several_sizes_trains_and_is_read_again(mixed, tmp_path, model):
    trainer = train(config_of(mixed, tmp_path / "run", model, epochs=4))
    losses = trainer.history["val_loss"]
    assert losses[-1] < losses[0]
    trained = load(tmp_path / "run" / "best.pt")
    data = open_dataset(mixed)
    for world, count in SIZES.items():
        assert trained.world_specs[world] == data.spec(world)
        theta, irf = data.read(world, "test")
        answer = predict(trained, world, theta, batch_size=7)
        assert answer.shape == irf.shape == (len(theta), 2, HORIZON + 1, count)


def test_a_run_that_was_killed_goes_on_bit_by_bit(mixed, tmp_path, monkeypatch):
    settings = {"model": "UniversalEmulator", "save_every_n_steps": 4, "epochs": 2}
    train(config_of(mixed, tmp_path / "undisturbed", **settings))
    step = Trainer._train_step

    def dies(self, batch, counts):
        if self.step == 6:
            raise RuntimeError("killed")
        return step(self, batch, counts)

    monkeypatch.setattr(Trainer, "_train_step", dies)
    config = config_of(mixed, tmp_path / "killed", **settings)
    with pytest.raises(RuntimeError, match="killed"):
        train(config)
    monkeypatch.undo()
    train(config, resume=True)
    assert_same_run(tmp_path / "killed", tmp_path / "undisturbed")


def test_moments_of_a_foreign_loader_are_those_of_the_data(mixed):
    whole = IRFDataset(mixed, list(SIZES), "train")

    class Foreign:
        dataset = None

        def epoch(self, number):
            loader = DataLoader(whole, batch_size=50, collate_fn=collate_mixed_worlds)
            return iter(loader)

    statistics = learn_data(Foreign()).statistics
    for world, count in SIZES.items():
        assert statistics[world].irf_scale.shape == (2, count)
        torch.testing.assert_close(statistics[world].irf_scale, whole.statistics[world].irf_scale)


def test_a_plain_module_may_answer_without_an_axis_for_its_one_shock(mixed, tmp_path):
    class OneShock(nn.Module):
        def __init__(self, observables):
            super().__init__()
            self.layer = nn.Linear(3, (HORIZON + 1) * observables)
            self.observables = observables

        def forward(self, theta, world_id):
            return self.layer(theta).unflatten(1, (HORIZON + 1, self.observables))

    for world, count in (("one", 1), ("seven", 7)):
        sets = [IRFDataset(mixed, [world], split) for split in ("train", "val")]

        def first_shock(samples):
            batch = collate_mixed_worlds(samples)
            return batch | {"irf": batch["irf"][:, :1], "shock_mask": batch["shock_mask"][:, :1]}

        loaders = [DataLoader(split, batch_size=32, collate_fn=first_shock) for split in sets]
        config = config_of(mixed, tmp_path / world, worlds=[world], epochs=3)
        history = Trainer(OneShock(count), *loaders, config).fit()
        assert history["val_loss"][-1] < history["val_loss"][0]


@pytest.fixture
def short_fits(monkeypatch):
    monkeypatch.setattr(learner, "STEPS", 30)


def test_trust_of_worlds_of_several_sizes(mixed, tmp_path, short_fits):
    train(config_of(mixed, tmp_path / "run"))
    place, report = calibrate_checkpoint(tmp_path / "run" / "best.pt", mixed)
    trained = load(place)
    for world, count in SIZES.items():
        theta = torch.from_numpy(open_dataset(mixed).read(world, "test")[0])
        assert trained.trust.half_width(theta, world).shape[1:] == (2, HORIZON + 1, count)
        assert 0.5 < report[world]["splits"]["test"]["coverage"] <= 1


def test_observables_of_other_data_are_met_by_name(mixed, tmp_path, short_fits):
    """A network of three, calibrated on data in which the world observes more, in another order."""
    run = tmp_path / "run"
    train(config_of(mixed, run, worlds=["three"], max_train_samples={"three": 100}))
    wider = generated(tmp_path / "wider", {"three": ("wage", *NAMES[2::-1], "hours")})
    again = generated(tmp_path / "again", {"three": NAMES[:3]})
    answers = []
    for data in (wider, again):
        place, _ = calibrate_checkpoint(run / "best.pt", data, allow_other_data=True)
        theta = torch.from_numpy(open_dataset(again).read("three", "test")[0])
        answers.append(load(place).trust.half_width(theta, "three"))
    assert torch.equal(*answers)
    fewer = generated(tmp_path / "fewer", {"three": NAMES[:2]})
    with pytest.raises(CheckpointError, match="'three' has no observable 'price'"):
        calibrate_checkpoint(run / "best.pt", fewer, allow_other_data=True)


@pytest.mark.parametrize(
    "names",
    [
        ("rate",),
        ("hours", "inflation"),
        ("output", "inflation", "rate", "wage", "hours", "stock", "credit"),
    ],
)
def test_the_network_that_ships_is_fine_tuned_to_a_world_of_other_observables(tmp_path, names):
    """Of `nk`, under another name: observables that the network knows are nearly right at once."""
    folder = tmp_path / "data"
    world = observing(*names, world="mine")
    with pytest.MonkeyPatch.context() as patch:
        table = worlds._of_table
        patch.setitem(worlds.WORLDS, "mine", "emulator.tests.data.toy:Toy")
        patch.setattr(worlds, "_of_table", lambda name: world if name == "mine" else table(name))
        generate_dataset(folder, ["mine"], 150, seed=1, periods=0)
    trainer = train(
        TrainingConfig(
            dataset=str(folder),
            worlds=["mine"],
            model="UniversalEmulator",
            model_options={"width": 128, "layers": 2, "shock_width": 64, "states": 9},
            checkpoint_dir=str(tmp_path / "run"),
            init_from="universal",
            epochs=3,
            warmup_epochs=0,
            lr=1e-3,
            lambda_smooth=0.0,
        )
    )
    scale = trainer.statistics["mine"].irf_scale[:, None].numpy()
    theta, irf = open_dataset(folder).read("mine", "test")
    answer = predict(load(tmp_path / "run" / "best.pt"), "mine", theta)
    errors = np.square((answer - irf) / scale).mean(axis=(0, 1, 2)) ** 0.5
    for name, error in zip(names, errors, strict=True):  # one is that of an answer of zero
        assert error < (0.7 if name in ("output", "inflation", "rate") else 1.3)


@pytest.mark.parametrize("model", ["PerWorldMLPBaseline", "UniversalEmulator"])
def test_what_a_world_declares_is_exact_in_what_training_leaves_on_disk(tmp_path, model):
    """`rho_b` of the toy moves the responses to `supply` alone; its spec says so."""
    names = NAMES[:2]

    class Declaring(Toy):
        """With `moves_only`, by which `rho_b` leaves the responses to `demand` alone."""

        def __init__(self):
            super().__init__(names)
            parameters = [
                p.model_copy(update={"moves_only": Moves(shocks=("supply",))})
                if p.name == "rho_b"
                else p
                for p in self.spec.parameters
            ]
            update = {"name": "declaring", "parameters": tuple(parameters)}
            self.spec = self.spec.model_copy(update=update)

    with pytest.MonkeyPatch.context() as patch:
        world, table = Declaring(), worlds._of_table
        patch.setitem(worlds.WORLDS, "declaring", "emulator.tests.data.toy:Toy")
        patch.setattr(
            worlds, "_of_table", lambda name: world if name == "declaring" else table(name)
        )
        generate_dataset(tmp_path / "data", ["declaring"], 120, seed=2, horizon=HORIZON, periods=0)
    config = config_of(tmp_path / "data", tmp_path / "run", model, worlds=["declaring"])
    history = train(config).history
    assert history["val_loss"][-1] < history["val_loss"][0]
    trained = load(tmp_path / "run" / "best.pt")
    spec = trained.world_specs["declaring"]
    assert spec == world.spec
    theta = open_dataset(tmp_path / "data").read("declaring", "test")[0]
    moved = theta.copy()
    moved[:, spec.index("rho_b")] *= 0.5
    before, after = (predict(trained, "declaring", draws) for draws in (theta, moved))
    assert np.array_equal(before[:, 0], after[:, 0])
    assert not np.array_equal(before[:, 1], after[:, 1])
