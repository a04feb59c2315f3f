"""The emulator of structure: the part is learnt, all that the closure says is exact."""

import dataclasses

import numpy as np
import pytest
import torch

from emulator.closures.metric import Weights
from emulator.closures.modes import periods_alone
from emulator.closures.parts import DearParts
from emulator.data import generate_dataset
from emulator.errors import CheckpointError, DatasetError, ModelError
from emulator.models import build, load
from emulator.models import checkpoint as checkpoints
from emulator.models.checkpoint import Checkpoint
from emulator.models.structure.borders import Borders
from emulator.models.structure.learnt import Structure
from emulator.models.structure.maps import Shape, SmoothMap, answers
from emulator.models.structure.space import PartSpace
from emulator.tests.closures import economy
from emulator.tests.data.test_parts import world
from emulator.training.config import TrainingConfig
from emulator.training.sources import moments
from emulator.training.trainer import train

SPEC = world().spec


def known_parts(n=60, seed=1):
    """Draws of the small economy, two for each patience."""
    theta = np.repeat(economy.draws(n, seed), 2, axis=0)
    theta[1::2, 1:] = economy.draws(n, seed + 1)[:, 1:]
    group = np.repeat(np.arange(n), 2)
    values = economy.part_of(theta[::2]).astype(np.float32)
    irf = economy.closure().responses(theta, economy.part_of(theta), economy.HORIZON)
    return DearParts(theta, irf, group, values, (0,), economy.closure())


def learnt(parts):
    torch.manual_seed(0)
    network = build("StructureEmulator", {"closed": SPEC}, economy.HORIZON, {"components": (8, 1)})
    draws = torch.from_numpy(parts.theta).float(), torch.from_numpy(parts.irf).float()
    network.bind({"closed": moments(lambda: [draws])}, {"closed": SPEC})
    network.learn_parts({"closed": parts})
    network.prepare({"closed": draws})
    return network.eval()


@pytest.fixture(scope="module")
def network():
    return learnt(known_parts())


@pytest.fixture(scope="module")
def fresh():
    theta = economy.draws(20, seed=9)
    theta[:, 0] = np.linspace(0.32, 0.88, 20)
    truth = economy.closure().responses(theta, economy.part_of(theta), economy.HORIZON)
    return torch.from_numpy(theta), truth


def test_it_answers_parts_that_it_has_not_seen(network, fresh):
    theta, truth = fresh
    answer = network(theta, "closed").numpy()
    assert answer.shape == truth.shape
    assert np.abs(answer - truth).max() < 5e-4 * np.abs(truth).max()


def test_single_precision_is_answered_in_single_precision_and_short_horizons(network, fresh):
    theta, _ = fresh
    answer = network(theta.float(), "closed", 3)
    assert answer.dtype == torch.float32
    assert torch.allclose(answer, network(theta, "closed")[:, :, :4].float(), atol=1e-5)


def test_predictions_are_the_numbers_that_are_differentiated(network, fresh):
    theta, _ = fresh
    with torch.inference_mode():
        answer = network(theta, "closed")
    assert torch.allclose(answer, network(theta, "closed"), rtol=1e-10, atol=1e-12)


def test_a_map_has_the_degree_that_it_needs():
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.uniform(-1, 1, (1500, 2)))
    for degree in (3, 5):
        smooth = SmoothMap()
        target = (x[:, :1] - 0.4 * x[:, 1:]) ** degree
        assert smooth.fit(x, target, 0, rng).degree >= degree
        assert torch.allclose(smooth(x), target, atol=1e-6)


def test_an_input_that_hardly_bends_has_half_the_degree():
    x = 2 * torch.rand(3000, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(4)) - 1
    jump = 0.05 * torch.sin(9 * x[:, 0] + 2 * x[:, 2]).sign()
    wanted = (torch.exp(x[:, 0] * x[:, 2]) + 0.1 * x[:, 1] + jump)[:, None]
    smooth = SmoothMap()
    shape = smooth.fit(x, wanted, 0, np.random.default_rng(0))
    assert 1 in shape.calm
    assert not {0, 2} & set(shape.calm)

    def slope_error(own):
        up, down = x[:500].clone(), x[:500].clone()
        up[:, 1], down[:, 1] = 0.1, -0.1
        return float(((own(up) - own(down)) / 0.2 - 0.1).square().mean().sqrt())

    calm = slope_error(smooth)
    full = SmoothMap()
    full.fit(x, wanted, 0, np.random.default_rng(0), shape._replace(calm=()))
    assert calm < 0.7 * slope_error(full)


def test_shocks_are_exactly_free_of_what_is_not_theirs(network, fresh):
    theta, _ = fresh
    before = network(theta, "closed")
    other = theta.clone()
    other[:, 3] = 0.5 * theta[:, 3]
    other[:, 4] = 2.0 * theta[:, 4]
    after = network(other, "closed")
    assert torch.equal(before[:, 1], after[:, 1])
    doubled = theta.clone()
    doubled[:, 4] *= 2
    assert torch.allclose(network(doubled, "closed")[:, 0], 2 * before[:, 0], rtol=1e-14)


def test_slopes_are_those_of_differences(network, fresh):
    theta = fresh[0][8:10].clone().requires_grad_()
    (slope,) = torch.autograd.grad(network(theta, "closed")[:, :, 2].sum(), theta)
    for column in range(5):
        step = torch.zeros(5, dtype=torch.float64)
        step[column] = 1e-3
        with torch.no_grad():
            both = [network(theta + s * step, "closed")[:, :, 2].sum((1, 2)) for s in (1, -1)]
        assert torch.allclose(slope[:, column], (both[0] - both[1]) / 2e-3, rtol=1e-3, atol=1e-4)


def test_each_regime_has_a_map_of_its_own(fresh):
    """Where patience passes one half the part jumps: a map for each side follows it."""
    parts = known_parts(200)
    jump = (parts.values[:, -1] > 0)[:, None] * np.where(np.arange(401) < 400, 0.05, 0.0)
    broken = parts._replace(values=(parts.values + jump).astype(np.float32))
    theta, _ = fresh
    part = economy.part_of(theta.numpy())
    part += (part[:, -1:] > 0) * np.where(np.arange(401) < 400, 0.05, 0.0)
    truth = economy.closure().responses(theta.numpy(), part, economy.HORIZON)
    network = learnt(broken)
    assert len(network.structure("closed").regimes) == 2
    assert np.array_equal(network.margins(theta, "closed")[:, 0] > 0, theta[:, 0] > 0.5)
    error = np.abs(network(theta, "closed").numpy() - truth).max()
    assert error < 1e-3 * np.abs(truth).max()
    assert not network.structure("closed").alternates(theta).any()
    near = theta[:3].clone()
    near[:, 0] = torch.tensor([0.5, 0.4, 0.6])
    assert network.doubted(near, "closed").tolist() == [True, False, False]


def test_a_border_is_met_where_margins_have_a_kink():
    """Beyond zero the slope is three times as steep: a smooth map through both sides would miss."""

    def margin(x):
        level = x[:, :1] + 0.3 * x[:, 1:] ** 2 - 0.6
        return torch.where(level > 0, 3 * level, level)

    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.uniform(-1, 1, (600, 2)))
    borders = Borders()
    borders.fit(x, margin(x), 100, rng)
    assert borders.crossing.tolist() == [0]
    fresh = torch.from_numpy(rng.uniform(-1, 1, (4000, 2)))
    wrong = (borders(fresh) > 0) != (margin(fresh) > 0)
    assert int(wrong.sum()) <= 2
    assert not (wrong & (borders(fresh).abs() > borders.unsure)).any()
    again = Borders()
    again.load_state_dict(borders.state_dict())
    assert torch.equal(again(fresh), borders(fresh))


def test_only_what_the_part_depends_on_can_be_beyond_what_was_learnt(network):
    """The closure follows the rest exactly, up to the ends of its declared range."""
    theta = torch.tensor(np.stack([SPEC.low, SPEC.high, SPEC.high + 1.0]))
    placed = network.as_learnt(theta, "closed")
    assert torch.equal(placed[:, 0], theta[:, 0])
    middle = torch.tensor(0.5 * (SPEC.low + SPEC.high))
    assert torch.equal(placed[:2, 1:], middle[1:].expand(2, -1))
    assert torch.equal(placed[2], theta[2])


def test_a_checkpoint_holds_it_whole(network, fresh, tmp_path):
    path = tmp_path / "structure.pt"
    checkpoint = Checkpoint(
        model_name="StructureEmulator",
        model_options=network.options,
        weights=network.state_dict(),
        world_specs={"closed": SPEC},
        statistics={"closed": network.normaliser.statistics("closed")},
        config={},
        data_fingerprint="",
        epoch=0,
        val_loss=0.0,
        horizon=economy.HORIZON,
    )
    checkpoints.save(path, checkpoint)
    again = load(path).network
    assert torch.equal(again(fresh[0], "closed"), network(fresh[0], "closed"))
    weights = dict(network.state_dict())
    weights["structures.0.closure_terms"] = weights["structures.0.closure_terms"] + 1000
    checkpoints.save(path, dataclasses.replace(checkpoint, weights=weights))
    with pytest.raises(CheckpointError):
        load(path)


def test_what_has_learnt_no_parts_says_so():
    network = build("StructureEmulator", {"closed": SPEC}, economy.HORIZON, {})
    with pytest.raises(ModelError, match=r"has learnt no parts.*--draws-per-group"):
        network(torch.from_numpy(economy.draws(2)), "closed")
    with pytest.raises(ModelError, match="robust is 'no'; expected true or false"):
        build("StructureEmulator", {"closed": SPEC}, 40, {"robust": "no"})
    with pytest.raises(ModelError, match="two numbers of components"):
        build("StructureEmulator", {"closed": SPEC}, 40, {"components": (0, 3)})


def test_few_draws_give_a_flat_map_and_a_smooth_function_is_followed():
    x = torch.linspace(-1, 1, 120, dtype=torch.float64)[:, None].repeat(1, 2)
    x[:, 1] = torch.sin(7 * x[:, 0])
    y = torch.stack([torch.exp(x[:, 0]), x[:, 0] * x[:, 1]], dim=1)
    smooth = SmoothMap()
    smooth.fit(x, y, 50, np.random.default_rng(0))
    assert float((smooth(x) - y).abs().max()) < 1e-3
    smooth.fit(x[:3], y[:3], 50, np.random.default_rng(0))
    assert torch.allclose(smooth(x), y[:3].mean(0), atol=1e-6)


@pytest.mark.parametrize("centres", [0, 40])
def test_draws_that_no_smooth_map_follows_bend_it_for_no_others(centres):
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.uniform(-1, 1, (600, 2)))
    y = torch.stack([torch.exp(x[:, 0] * x[:, 1]), torch.cos(x[:, 0])], dim=1)
    rough = torch.from_numpy(rng.random(600) < 0.05)
    bent = y + rough[:, None] * torch.from_numpy(rng.normal(size=(600, 2)))
    errors = []
    for robust in (True, False):
        smooth = SmoothMap(robust)
        smooth.fit(x, bent, centres, np.random.default_rng(0))
        errors.append(float((smooth(x) - y).abs().amax(1).median()))
    assert errors[0] < 2e-4
    assert 20 * errors[0] < errors[1]


def test_least_squares_are_those_of_numpy():
    rng = np.random.default_rng(1)
    x = torch.from_numpy(rng.uniform(-1, 1, (400, 2)))
    y = torch.from_numpy(rng.normal(size=(400, 3)))
    plain = SmoothMap(robust=False)
    plain.fit(x, y, 30, np.random.default_rng(0), Shape(2, 4.0, 1e-3))
    trend = plain.polynomials(x).numpy()
    wanted = np.linalg.lstsq(trend, y.numpy(), rcond=None)[0]
    assert np.allclose(plain.trend, wanted, atol=1e-6)
    kernels, inner = (plain._kernels(own, plain.centres).numpy() for own in (x, plain.centres))
    left = y.numpy() - trend @ plain.trend.numpy()
    penalty = 1e-3 * inner + 1e-10 * 400 * np.eye(30)
    weights = np.linalg.solve(kernels.T @ kernels + penalty, kernels.T @ left)
    assert np.allclose(plain(x), trend @ plain.trend.numpy() + kernels @ weights, atol=1e-6)


@pytest.fixture(scope="module")
def grouped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("structure") / "data"
    return generate_dataset(folder, [world()], 320, seed=3, draws_per_group=4, verdicts=0)


@pytest.fixture(scope="module")
def ungrouped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("structure") / "data"
    return generate_dataset(folder, [world()], 64, seed=3, verdicts=0)


def config(data, folder):
    return TrainingConfig(
        dataset=str(data.path),
        worlds=["closed"],
        model="StructureEmulator",
        model_options={"components": [8, 1], "centres": 50},
        checkpoint_dir=str(folder),
        epochs=1,
        batch_size=32,
        lambda_smooth=0.0,
        device="cpu",
    )


def test_it_trains_in_the_training_room(grouped, tmp_path):
    trainer = train(config(grouped, tmp_path / "run"))
    assert trainer.best_val_loss < 1e-4
    theta, irf = grouped.read("closed", "test")
    answer = load(tmp_path / "run").network(torch.from_numpy(theta), "closed").numpy()
    assert np.abs(answer - irf).max() < 2e-2 * np.abs(irf).max()


def test_data_without_parts_are_refused(ungrouped, tmp_path):
    with pytest.raises(DatasetError, match="no dear parts of 'closed'"):
        train(config(ungrouped, tmp_path / "run"))


def test_responses_that_go_to_and_fro_beyond_the_modes_are_doubted(network, fresh, monkeypatch):
    structure = network.structure("closed")
    theta, _ = fresh
    last = periods_alone(structure.closure_modes.numpy()) - 1
    irf = network(theta, "closed", last)
    irf[2, 0, :, 1] *= torch.tensor([1.0, -1.0]).repeat(last)[: last + 1]
    irf[2, 0, -3:, 1] = torch.tensor([1.0, -1.0, 1.0]) * irf[2, 0, :, 1].abs().max()
    monkeypatch.setattr(structure, "forward", lambda theta, horizon: irf)
    assert torch.nonzero(structure.alternates(theta)).tolist() == [[2]]


def test_a_block_that_is_a_number_times_a_matrix_keeps_the_numbers_sign():
    """The number runs over two orders of magnitude: of components alone, what is small errs by more
    than itself.
    """
    closure, rng = economy.closure(), np.random.default_rng(0)
    values = np.ones((200, closure.part_size)) + 0.1 * rng.normal(size=(200, closure.part_size))
    start, stop, _ = closure.places[0]
    sizes = np.exp(rng.uniform(-4, 1, size=200))
    values[:, start:stop] = sizes[:, None] * np.linspace(1.0, 2.0, stop - start)
    weights = [
        Weights(np.eye(rows), np.eye((last - first) // rows))
        for first, last, rows in closure.places
    ]
    space = PartSpace()
    modes, time = space.fit(closure, weights, values, (4, 4))
    assert space.sized.tolist() == [[start, stop]]
    modes, time = torch.from_numpy(modes), torch.from_numpy(time)
    block = space(modes, time)[:, start:stop].numpy()
    assert np.abs(block / values[:, start:stop] - 1).max() < 1e-5
    far = modes.clone()
    far[:, -1] -= 10 * space.units[0]
    assert (space(far, time)[:, start:stop] > 0).all()


def test_a_power_of_an_input_is_learnt_by_its_logarithm():
    """One over an input from 0.3 to 1, beside a plain one; as it is, polynomials need high
    degrees.
    """
    structure = Structure()
    structure.low, structure.high = torch.tensor([[0.3, 0.5], [1.0, 0.9]], dtype=torch.float64)
    structure.dear = torch.arange(2)
    theta = structure.low + (structure.high - structure.low) * torch.rand(
        200, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    x = structure.inputs(theta)
    wanted = torch.stack([theta[:, 0] ** -3 + theta[:, 1]], dim=1)
    structure._choose_logarithms(x, wanted, robust=True)
    assert structure.logs.tolist() == [True, False]
    bent = structure._bent(structure.inputs(torch.stack([structure.low, structure.high])))
    assert torch.allclose(bent, torch.tensor([[-1.0], [1.0]], dtype=torch.float64).expand(2, 2))
    below = structure._bent(structure.inputs(torch.tensor([[-1.0, 0.5]], dtype=torch.float64)))
    assert torch.isfinite(below).all()


def test_maps_of_the_same_polynomials_answer_together_as_each_alone():
    draws = torch.linspace(-1, 1, 40, dtype=torch.float64)[:, None]
    maps = [SmoothMap() for _ in range(3)]
    for own, degree in zip(maps, (3, 3, 2), strict=True):
        shape = Shape(degree, 1.0, 0.0)
        own.fit(draws, draws**3, 0, np.random.default_rng(0), shape)
    together = answers(maps, draws)
    assert all(torch.equal(own(draws), y) for own, y in zip(maps, together, strict=True))
    assert not torch.equal(together[0], together[2])
