"""Regressions from few draws: what is declared of shocks is exact; stacks weigh their members."""

import numpy as np
import pytest
import torch

from emulator.errors import ModelError
from emulator.models.regressions import GaussianProcessEmulator, RidgeEmulator, StackedEmulator
from emulator.models.regressions.likelihood import loss
from emulator.models.regressions.ridge import ridge
from emulator.models.regressions.stack import convex_weights, stacked
from emulator.training.sources import moments
from emulator.worlds import get_world

pytestmark = pytest.mark.fast
HORIZON = 12


@pytest.fixture(scope="module")
def draws():
    """theta and responses of `switching` (declared sizes and processes of shocks)."""
    world = get_world("switching")
    theta = world.sample(100, np.random.default_rng(1))
    return world.spec, torch.tensor(theta).float(), torch.tensor(world.irf(theta, HORIZON)).float()


def fitted(kind, draws, rows=slice(0, 80), **options):
    spec, theta, irf = draws
    network = kind.from_specs({spec.name: spec}, HORIZON, **options)
    network.bind({spec.name: moments(lambda: [(theta[rows], irf[rows])])}, {spec.name: spec})
    network.prepare({spec.name: (theta[rows], irf[rows])})
    return network.eval()


GP = {"components": 4, "iterations": 8, "own": 1}
KINDS = [
    (RidgeEmulator, {"degree": 1}),
    (RidgeEmulator, {"degree": 2}),
    (GaussianProcessEmulator, GP),
    (GaussianProcessEmulator, {**GP, "shape": True}),
]


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_sizes_multiply_exactly_and_processes_move_their_own_shock_alone(draws, kind, options):
    spec, theta, _ = draws
    network = fitted(kind, draws, **options)
    for s, shock in enumerate(spec.shocks):
        before = network(theta[80:], spec.name)
        larger = theta[80:].clone()
        larger[:, spec.index(shock.size)] *= 2
        after = network(larger, spec.name)
        others = [k for k in range(spec.n_shocks) if k != s]
        torch.testing.assert_close(after[:, s], 2 * before[:, s], rtol=1e-5, atol=1e-7)
        assert torch.equal(after[:, others], before[:, others])
        larger = theta[80:].clone()
        larger[:, spec.index(shock.process[0])] *= 0.9
        moved = network(larger, spec.name)
        assert torch.equal(moved[:, others], before[:, others])
        assert not torch.equal(moved[:, s], before[:, s])


@pytest.mark.parametrize(("kind", "options"), KINDS[2:])
def test_processes_beat_the_mean_on_draws_they_have_not_seen(draws, kind, options):
    spec, theta, irf = draws
    scale = irf.std((0, 2))[:, None, :]
    errors = (fitted(kind, draws, **options)(theta[80:], spec.name) - irf[80:]) / scale
    of_the_mean = (irf[80:] - irf[:80].mean(0)) / scale
    typical = [float(e.square().mean((1, 2, 3)).sqrt().median()) for e in (errors, of_the_mean)]
    assert typical[0] < 0.7 * typical[1]


def test_gradient_of_the_likelihood_is_that_of_differences():
    rng = np.random.default_rng(0)
    points, values = rng.normal(size=(30, 3)), rng.normal(size=(30, 2))
    vector = np.array([0.1, -1.0, -1.5, 0.3, 0.9, 1.4])
    for kind in ("matern", "gaussian"):
        gradient = loss(vector, kind, points, values, 0.5)[1]
        for k, slope in enumerate(gradient):
            step = np.eye(6)[k] * 1e-5
            ahead, behind = (
                loss(vector + sign * step, kind, points, values, 0.5)[0] for sign in (1, -1)
            )
            assert slope == pytest.approx((ahead - behind) / 2e-5, rel=1e-4, abs=1e-6)


def test_a_time_limit_of_the_processes_leaves_the_shared_hyperparameters(draws):
    network = fitted(GaussianProcessEmulator, draws, **{**GP, "seconds": 1e-6})
    lengths = network.regressions[0][0].lengths
    assert torch.equal(lengths[0], lengths[1])


def test_a_time_limit_of_the_processes_counts_the_factorisations_that_are_still_to_come(
    draws, monkeypatch
):
    """With thousands of draws these took all the time, and kinds that were better had none."""
    monkeypatch.setattr("emulator.models.regressions.gaussian_process._Search.cost", lambda _: 1e6)
    network = fitted(GaussianProcessEmulator, draws, **{**GP, "seconds": 1000.0})
    lengths = network.regressions[0][0].lengths
    assert torch.equal(lengths[0], lengths[1])


def test_ridge_finds_the_penalty_of_pure_noise_and_of_none():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(60, 5, generator=generator, dtype=torch.float64)
    noise = torch.randn(60, 3, generator=generator, dtype=torch.float64)
    x, noise = x - x.mean(0), noise - noise.mean(0)
    truth = torch.ones(5, 3, dtype=torch.float64)
    torch.testing.assert_close(ridge(x, x @ truth), truth, rtol=1e-6, atol=1e-6)
    assert float(ridge(x, noise).abs().max()) < 0.3


def test_weights_of_a_stack_are_convex_and_prefer_the_better():
    rng = np.random.default_rng(0)
    target = rng.normal(size=500)
    answers = target[:, None] + rng.normal(size=(500, 3)) * [0.1, 0.1, 10.0]
    weights = convex_weights(answers, target)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    assert weights == pytest.approx([0.5, 0.5, 0.0], abs=0.1)
    exact = convex_weights(np.stack([target, answers[:, 2]], axis=1), target)
    assert exact == pytest.approx([1.0, 0.0], abs=1e-4)


def test_a_stack_of_trained_networks_answers_with_their_weighted_sum(draws):
    spec, theta, irf = draws
    members = [fitted(RidgeEmulator, draws, degree=degree) for degree in (1, 2)]
    stack = stacked(members, ["RidgeEmulator", "RidgeEmulator"])
    answers = [member(theta[80:], spec.name) for member in members]
    stack.weigh(spec.name, irf[80:], answers)
    shares = stack.shares(spec.name).float()[:, :, None, None]
    expected = shares[0] * answers[0] + shares[1] * answers[1]
    torch.testing.assert_close(stack(theta[80:], spec.name), expected)
    again = StackedEmulator(**stack.options)
    again.bind({spec.name: stack.normaliser.statistics(spec.name)}, {spec.name: spec})
    again.load_state_dict(stack.state_dict())
    assert torch.equal(again(theta[80:], spec.name), stack(theta[80:], spec.name))


def test_options_that_cannot_be_are_refused(draws):
    for kind, options in (
        (RidgeEmulator, {"degree": 3}),
        (GaussianProcessEmulator, {"iterations": 0}),
        (GaussianProcessEmulator, {"seconds": -1.0}),
        (StackedEmulator, {"members": []}),
    ):
        with pytest.raises(ModelError):
            fitted(kind, draws, **options)


def test_a_size_that_is_never_positive_is_refused(draws):
    spec, theta, irf = draws
    theta = theta.clone()
    theta[:, spec.shock_sizes[0]] = 0.0
    with pytest.raises(ModelError, match="zero or negative"):
        fitted(RidgeEmulator, (spec, theta, irf))
