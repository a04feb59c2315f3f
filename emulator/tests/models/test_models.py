"""The conformance suite finds networks that should not pass it; the contract of all networks."""

import pytest
import torch

from emulator.errors import ConfigError, ModelCheckError, ModelError, UnknownNameError
from emulator.models import build
from emulator.models.baselines import PerWorldMLPBaseline, PooledMLPBaseline
from emulator.models.check import _statistics, check_model
from emulator.worlds import WORLDS, get_world

pytestmark = pytest.mark.fast

SPECS = {name: get_world(name).spec for name in WORLDS}


class MeanEncoder(PerWorldMLPBaseline):
    """A network that cannot tell parameters apart: it sees only their mean."""

    def standardised(self, theta_BP, world, horizon):
        return super().standardised(
            theta_BP.mean(1, keepdim=True).expand_as(theta_BP), world, horizon
        )


class RawUnits(PerWorldMLPBaseline):
    """A network that ignores the data's scales."""

    def natural(self, theta, world, horizon):
        return self.standardised(theta, world, horizon)


@pytest.mark.parametrize(
    ("broken", "message"), [(MeanEncoder, "tells_parameters_apart"), (RawUnits, "natural_units")]
)
def test_the_suite_finds_broken_networks(broken, message):
    with pytest.raises(ModelCheckError, match=message):
        check_model(broken, list(SPECS.values()))


def test_contract_constructor_and_unbound_shapes():
    model = PerWorldMLPBaseline(
        param_dims={"nk": 12, "var": 27, "lss": 36}, hidden_dims=[256, 128, 64], H=40
    )
    assert model(torch.zeros(5, 12), "nk").shape == (5, 3, 41, 3)
    assert model(torch.zeros(2, 36), ["lss", "nk"]).shape == (2, 3, 41, 3)


def test_networks_of_different_worlds_share_nothing_per_world_and_all_pooled():
    per_world = PerWorldMLPBaseline(param_dims={"nk": 12, "var": 27})
    per_world(torch.ones(2, 12), "nk").sum().backward()
    assert all(p.grad is None for p in per_world.networks[1].parameters())
    pooled = PooledMLPBaseline(param_dims={"nk": 12, "var": 27})
    pooled(torch.ones(2, 12), "nk").sum().backward()
    assert all(p.grad is not None for p in pooled.network.parameters())


def test_a_shorter_horizon_is_the_start_of_the_longer_one_and_a_longer_one_is_refused():
    model = PerWorldMLPBaseline(param_dims={"nk": 12}, H=10)
    theta = torch.zeros(2, 12)
    assert torch.equal(model(theta, "nk", horizon=4), model(theta, "nk")[:, :, :5])
    with pytest.raises(
        ModelError,
        match="up to horizon 11 were asked for; PerWorldMLPBaseline was built for 0 to 10",
    ):
        model(theta, "nk", horizon=11)


def test_bind_refuses_data_of_another_shape():
    with pytest.raises(
        ModelError,
        match="36 parameters and 2 shocks in the data; this network was built for 36 and at most 1",
    ):
        PerWorldMLPBaseline(param_dims={"lss": 36}, n_shocks=1).bind(
            {"lss": _statistics(SPECS["lss"])}, SPECS
        )


def test_build_names_what_is_wrong():
    with pytest.raises(UnknownNameError, match="Did you mean 'PooledMLPBaseline'"):
        build("PooledMLP", SPECS, 40, {})
    with pytest.raises(
        ConfigError, match=r"which takes hidden_dims, token_dim, dropout: .*'hidden_dim'"
    ):
        build("PooledMLPBaseline", SPECS, 40, {"hidden_dim": [3]})


def test_float64_parameters_and_empty_batches():
    model = PerWorldMLPBaseline.from_specs({"nk": SPECS["nk"]}, 4)
    theta = torch.tensor(SPECS["nk"].theta())
    assert torch.equal(model(theta, "nk"), model(theta.float(), "nk"))
    assert model(theta[:0], "nk").shape == (0, 3, 5, 3)
    with pytest.raises(ModelError, match="empty list"):
        model(theta[:0], [])


def test_constant_parameters_and_silent_responses_do_not_blow_up():
    model = PerWorldMLPBaseline.from_specs({"nk": SPECS["nk"]}, 40)
    statistics = _statistics(SPECS["nk"])
    statistics = statistics._replace(theta_std=torch.zeros(12), theta_mean=torch.zeros(12))
    model.bind({"nk": statistics}, SPECS)
    assert torch.isfinite(model(torch.full((3, 12), 1e6), "nk")).all()
