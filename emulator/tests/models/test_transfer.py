"""A new world starts from its nearest relative: what carries over is exact, what does not starts
from chance.
"""

import pytest
import torch

from emulator.errors import ModelError
from emulator.models.baselines import PerWorldMLPBaseline
from emulator.models.check import _statistics, _theta
from emulator.models.universal import UniversalEmulator
from emulator.models.universal.transfer import relative
from emulator.worlds import WORLDS, get_world

pytestmark = pytest.mark.fast

SPECS = {name: get_world(name).spec for name in WORLDS}


def made(specs, statistics=None, seed=0):
    torch.manual_seed(seed)
    network = UniversalEmulator.from_specs(specs, 20)
    network.bind(
        {name: (statistics or {}).get(name, _statistics(spec)) for name, spec in specs.items()},
        specs,
    )
    return network


def taught(*worlds, seed=0):
    """A network that has learnt something of every weight."""
    network = made({name: SPECS[name] for name in worlds}, seed=seed)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.02 * torch.randn_like(weight))
    return network


def copy_of(world):
    return SPECS[world].model_copy(update={"name": "copied"})


def close(values, wanted, tolerance=2e-4):
    torch.testing.assert_close(
        values, wanted, rtol=tolerance, atol=tolerance * float(wanted.detach().abs().max())
    )


@pytest.mark.parametrize("world", ["nk", "rbc", "sw07", "switching", "hank", "zlb"])
def test_a_copy_of_a_known_world_answers_as_it_does(world):
    old, new = taught(world, "lss"), made({"copied": copy_of(world)}, seed=1)
    theta = _theta(SPECS[world], 6)
    assert not torch.allclose(new(theta, "copied"), old(theta, world), rtol=0.1)
    new.start_from(old)
    close(new(theta, "copied"), old(theta, world))


def test_moments_of_the_new_draws_do_not_change_the_answer_to_the_same_parameters():
    spec = SPECS["nk"]
    moments = _statistics(spec)
    moments = moments._replace(
        theta_mean=moments.theta_mean + 0.4 * moments.theta_std, theta_std=0.7 * moments.theta_std
    )
    old, new, theta = (
        taught("nk"),
        made({"copied": copy_of("nk")}, {"copied": moments}, seed=1),
        _theta(spec, 6),
    )
    old._own("nk").shock_unit.copy_(
        new._own("copied").shock_unit
    )  # the size of responses is the new data's affair
    new.start_from(old)
    close(new(theta, "copied"), old(theta, "nk"))


def test_parameters_find_their_namesakes_wherever_they_stand():
    """`nk` of `switching`: what belongs to a regime is read from the plain name, unless its range
    is far from it; regimes stay at their means.
    """
    old, new = taught("switching"), made({"nk": SPECS["nk"]}, seed=1)
    old._own("switching").shock_unit.copy_(new._own("nk").shock_unit)
    old._own("switching").observable_unit.copy_(new._own("nk").observable_unit)
    new.start_from(old)
    theta, statistics = _theta(SPECS["nk"], 5), old.normaliser.statistics("switching")
    wide = statistics.theta_mean.repeat(5, 1)
    for k, name in enumerate(SPECS["switching"].parameter_names):
        plain = name.removesuffix("_active").removesuffix("_passive")
        if name != "phi_pi_passive" and plain in SPECS["nk"].parameter_names:
            wide[:, k] = theta[:, SPECS["nk"].parameter_names.index(plain)]
    close(new(theta, "nk"), old(wide, "switching"))


@pytest.mark.parametrize("world", ["lss", "zlb"])
def test_a_world_without_a_relative_starts_from_its_own_start(world):
    """Nothing of what others taught moves it, but for the sizes of shocks, by which responses are
    multiplied.
    """
    new = made({world: SPECS[world]}, seed=1)
    new.start_from(taught("nk", "rbc"))
    theta = _theta(SPECS[world], 5)
    theta[:, list(SPECS[world].shock_sizes)] = 1.0
    irf = new(theta, world)
    close(irf, irf[:1].expand_as(irf))


def test_relatives_are_the_worlds_that_an_economist_would_name():
    network = made({name: SPECS[name] for name in WORLDS})
    known = {name: network._known_as(name) for name in WORLDS}

    def nearest(world, *others):
        return relative(known[world], {name: known[name] for name in others})

    assert nearest("nk", "var", "lss", "rbc", "switching", "sw07", "hank") == "switching"
    assert nearest("switching", "nk", "rbc", "hank") == "nk"
    assert nearest("hank", "lss", "nk", "var") == "nk"
    assert nearest("nk", "var", "lss") is None
    assert nearest("var", "lss", "nk") is None


def test_inherited_weights_learn():
    new = made({"nk": SPECS["nk"]}, seed=1)
    new.start_from(taught("switching", "lss"))
    new(_theta(SPECS["nk"], 4), "nk").square().sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in new.parameters())


def test_a_network_of_another_width_has_no_relatives_and_starts_from_its_own_start():
    torch.manual_seed(1)
    new = UniversalEmulator.from_specs({"copied": copy_of("nk")}, 20, width=64)
    new.bind({"copied": _statistics(copy_of("nk"))}, {"copied": copy_of("nk")})
    new.start_from(taught("nk", "lss"))
    irf = new(_theta(SPECS["nk"], 5), "copied")
    assert torch.isfinite(irf).all()


@pytest.mark.parametrize("world", ["nk", "sw07", "hank"])
def test_one_world_takes_over_the_answers_of_a_network_of_its_own(world):
    """The other worlds, and what all share, keep every bit. Sizes of responses are the other's."""
    network, alone = taught(world, "rbc"), taught(world, seed=7)
    alone._own(world).shock_unit.mul_(1.3)
    alone._own(world).observable_unit.mul_(torch.linspace(0.8, 1.2, len(SPECS[world].observables)))
    theta, others = _theta(SPECS[world], 6), _theta(SPECS["rbc"], 6)
    shared = {name: value.clone() for name, value in network.shared.state_dict().items()}
    before, wanted = network(others, "rbc"), alone(theta, world)
    assert not torch.allclose(network(theta, world), wanted, rtol=0.1)
    network.start_world_from(alone, world)
    close(network(theta, world), wanted)
    assert torch.equal(network(others, "rbc"), before)
    assert all(torch.equal(value, shared[n]) for n, value in network.shared.state_dict().items())


def test_a_world_with_an_exact_start_keeps_it():
    network, alone = taught("lss", "nk"), taught("lss", seed=7)
    network._own("lss").reach.zero_()
    theta = _theta(SPECS["lss"], 4)
    before = network(theta, "lss")
    network.start_world_from(alone, "lss")
    assert torch.equal(network(theta, "lss"), before)


def test_a_world_starts_from_no_network_that_cannot_answer_for_it():
    network = taught("nk", "rbc")
    with pytest.raises(ModelError, match=r"from a network of rbc, hank: expected one that knows"):
        network.start_world_from(taught("rbc", "hank"), "nk")
    torch.manual_seed(1)
    for option, said in (
        ({"width": 64}, r"width: there \[64\], here \[128\]"),
        ({"layers": 1}, r"layers: there \[1\]"),
        ({"shock_width": 32}, r"shock_width: there \[32\]"),
        ({"structure": False}, r"structure: there \[False\]"),
        ({"states": 5}, r"states: there \[5\], here \[9\]"),
        ({"shock_sizes": False}, r"another sizes, own, states: there"),
    ):
        other = UniversalEmulator.from_specs({"nk": SPECS["nk"]}, 20, **option)
        other.bind({"nk": _statistics(SPECS["nk"])}, {"nk": SPECS["nk"]})
        with pytest.raises(ModelError, match=said):
            network.start_world_from(other, "nk")
    renamed = SPECS["nk"].model_copy(
        update={
            "parameters": tuple(
                p.model_copy(update={"name": "gamma"}) if p.name == "kappa" else p
                for p in SPECS["nk"].parameters
            )
        }
    )
    with pytest.raises(ModelError, match="another parameters: there"):
        network.start_world_from(made({"nk": renamed}, seed=1), "nk")
    plain = PerWorldMLPBaseline({"nk": 12}, [8], H=20)
    with pytest.raises(ModelError, match="from PerWorldMLPBaseline: expected a checkpoint of Univ"):
        network.start_world_from(plain, "nk")
    with pytest.raises(ModelError, match="worlds of PerWorldMLPBaseline have no parts"):
        plain.start_world_from(network, "nk")
