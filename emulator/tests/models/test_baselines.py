"""Baselines start where they should, keep what they are made of, and refuse what they cannot
answer.
"""

import numpy as np
import pytest
import torch

from emulator.errors import ModelCheckError, ModelError
from emulator.models.baselines import (
    LinearBaseline,
    PCAMLPBaseline,
    PerWorldGRUBaseline,
    PerWorldMLPBaseline,
)
from emulator.models.baselines.pca import PrincipalComponents
from emulator.models.baselines.pca_mlp import LearntActivation
from emulator.models.baselines.trivial import LinearRegression
from emulator.models.check import HORIZON, _samples, _statistics, _theta, check_model
from emulator.worlds import get_world

pytestmark = pytest.mark.fast

SPECS = {name: get_world(name).spec for name in ("nk", "lss")}
SAMPLES = {name: _samples(spec) for name, spec in SPECS.items()}


def prepared(model, **options):
    torch.manual_seed(0)
    made = model.from_specs(SPECS, HORIZON, **options)
    made.bind({name: _statistics(spec) for name, spec in SPECS.items()}, SPECS)
    made.prepare(SAMPLES)
    return made.eval()


def test_the_linear_network_starts_at_least_squares_in_natural_units():
    model = prepared(LinearBaseline)
    for name, spec in SPECS.items():
        theta, irf = SAMPLES[name]
        fresh = _theta(spec, 7) * 1.1
        expected = LinearRegression().fit(theta.numpy(), irf.numpy()).predict(fresh.numpy())
        np.testing.assert_allclose(
            model(fresh, name).detach().numpy(),
            expected,
            rtol=1e-3,
            atol=1e-4 * np.abs(expected).max(),
        )


def test_principal_components_are_those_of_a_singular_value_decomposition():
    values = torch.randn(
        50, 12, generator=torch.Generator().manual_seed(0)
    ).double() * torch.arange(1, 13)
    space = PrincipalComponents(12, 12).fit(values)
    assert torch.allclose(space.decode(space.encode(values)), values)
    assert torch.allclose(space.deviation, torch.linalg.svdvals(values - values.mean(0)) / 50**0.5)
    scores = space.encode(values)
    assert torch.allclose(scores.T @ scores / 50, torch.eye(12).double(), atol=1e-10)
    short = PrincipalComponents(12, 4).fit(values)
    missed = (short.decode(short.encode(values)) - values).square().sum(1).mean()
    assert torch.allclose(missed, space.deviation[4:].square().sum())


def test_components_that_the_draws_do_not_span_are_zero_both_ways():
    values = torch.outer(torch.linspace(-1, 1, 30), torch.arange(1.0, 8.0))
    space = PrincipalComponents(7, 20).fit(values)
    assert space.silent.tolist() == [False] + [True] * 19
    assert torch.allclose(space.decode(space.encode(values)).float(), values, atol=1e-6)
    assert not space.encode(values)[:, 1:].any()
    assert torch.equal(
        space.decode(torch.cat([torch.zeros(1, 1), torch.ones(1, 19)], dim=1))[0],
        space.mean.float(),
    )


def refused_until_weights_are_loaded(model):
    full = prepared(model, components=4)
    empty = model(**full.options)
    empty.bind({name: _statistics(spec) for name, spec in SPECS.items()}, SPECS)
    theta = _theta(SPECS["nk"], 3)
    with pytest.raises(ModelError, match=r"call prepare\(samples\) first"):
        empty(theta, "nk")
    empty.load_state_dict(full.state_dict())
    assert torch.equal(empty.eval()(theta, "nk"), full(theta, "nk"))


def test_components_that_were_not_fitted_are_refused_until_weights_are_loaded():
    refused_until_weights_are_loaded(PCAMLPBaseline)


def test_samples_of_another_horizon_are_refused():
    model = prepared(LinearBaseline)
    theta, irf = SAMPLES["nk"]
    with pytest.raises(ModelError, match="32 draws over 5 horizons"):
        model.prepare({"nk": (theta, irf[:, :, :5])})


def test_fewer_shocks_in_the_data_than_in_the_network():
    model = LinearBaseline({"lss": 36}, H=HORIZON, n_shocks=3)
    model.bind({"lss": _statistics(SPECS["lss"])}, {"lss": SPECS["lss"]})
    model.prepare({"lss": SAMPLES["lss"]})
    assert model(SAMPLES["lss"][0], "lss").shape == SAMPLES["lss"][1].shape
    assert not model.layers[0].weight.unflatten(0, (3, -1))[2].any()


def test_the_learnt_activation_by_hand():
    layer = LearntActivation(2)
    layer.load_state_dict({"beta": torch.tensor([0.0, 1.0]), "gamma": torch.tensor([0.0, 0.5])})
    expected = [0.5 * 2.0, (0.5 + 0.5 / (1 + np.exp(-2.0))) * 2.0]
    assert layer(torch.tensor([2.0, 2.0])).tolist() == pytest.approx(expected)


def test_bf16_does_not_blur_the_reconstruction():
    model = prepared(PCAMLPBaseline, hidden_dims=[8], components=4)
    scores = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    plain = model.spaces[0].decode(scores)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(model.spaces[0].decode(scores), plain)


def test_the_recurrent_network_answers_at_any_horizon_and_for_no_draw():
    model = prepared(PerWorldGRUBaseline, hidden_dim=8)
    theta = _theta(SPECS["lss"], 4)
    longer = model(theta, "lss", horizon=2 * HORIZON)
    assert longer.shape == (4, 2, 2 * HORIZON + 1, 3)
    assert torch.allclose(longer[:, :, : HORIZON + 1], model(theta, "lss"), atol=1e-6)
    assert model(theta[:0], "lss").shape == (0, 2, HORIZON + 1, 3)


class Frozen(PerWorldMLPBaseline):
    """A network that has parameters and does not train one of them."""

    def standardised(self, theta_BP, world, horizon):
        return (
            super().standardised(theta_BP, world, horizon) - self.networks[0][0].bias.detach().sum()
        )

    def part(self, parts, world):
        network = super().part(parts, world)
        network[-1].bias.requires_grad_(False)
        return network


def test_the_suite_finds_networks_that_cannot_learn():
    with pytest.raises(ModelCheckError, match="no finite gradient reaches"):
        check_model(Frozen, [SPECS["nk"]])
