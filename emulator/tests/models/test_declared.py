"""What a world declares that parameters and shocks move is exact in every network."""

import numpy as np
import pytest
import torch

import emulator
from emulator.errors import ModelCheckError
from emulator.models import MODELS, build, model_class
from emulator.models.baselines import PerWorldMLPBaseline
from emulator.models.check import (
    _declaring,
    _observed,
    _samples,
    _statistics,
    _theta,
    check_model,
)
from emulator.models.declared import Declared
from emulator.spec import Moves
from emulator.tests.models.test_observables import taught
from emulator.worlds import get_world

pytestmark = pytest.mark.fast

NK = get_world("nk").spec
HORIZON = 8


def declaring(parameters, shocks=()):
    """`nk` with these declarations by the names of its parameters and shocks."""
    moves, silent = dict(parameters), dict(shocks)
    return NK.model_copy(
        update={
            "parameters": tuple(
                p.model_copy(update={"moves_only": moves.get(p.name)}) for p in NK.parameters
            ),
            "shocks": tuple(
                s.model_copy(update={"moves_only": silent.get(s.name)}) for s in NK.shocks
            ),
        }
    )


RULE = {"phi_pi": Moves(shocks=("demand",)), "phi_y": Moves(observables=("rate", "inflation"))}


def assert_exact(model, spec, theta):
    """Responses are the same bits where a parameter is declared to leave them alone."""
    before = model(theta, spec.name)
    moved = torch.from_numpy(spec.moved)
    for k, name in enumerate(spec.parameter_names):
        other = theta.clone()
        other[:, k] = theta[:, k].roll(1)
        same = (model(other, spec.name) == before).all(2).all(0)
        assert bool((same | moved[k]).all()), name
        assert not moved[k].any() or not same[moved[k]].all(), name
    silent = torch.from_numpy(spec.silent)
    assert not before.transpose(1, 2)[:, :, silent].any()


def test_a_world_that_declares_nothing_is_asked_once():
    assert Declared.of(NK.moved, NK.silent) is None


def test_the_network_is_asked_once_for_each_set_of_held_parameters():
    spec = declaring(RULE, [("monetary", ("rate",))])
    declared = Declared.of(spec.moved, spec.silent)
    held = [
        [name for name, is_held in zip(NK.parameter_names, row, strict=True) if is_held]
        for row in declared.held_KP.tolist()
    ]
    assert sorted(held) == [[], ["phi_pi"], ["phi_pi", "phi_y"], ["phi_y"]]
    times_read = declared.read_KSO.sum(0)
    assert times_read[1:].eq(1).all()
    assert times_read[0].tolist() == [0, 0, 1]


@pytest.mark.parametrize("world", ["rbc", "sw07", "hank"])
def test_worlds_that_ship_and_declare_are_exact_in_a_universal_network(world):
    spec = get_world(world).spec
    assert not spec.moved.all()
    model = taught(spec)
    with torch.no_grad():
        assert_exact(model, spec, _theta(spec, 3))


@pytest.mark.parametrize("world", ["rbc", "sw07", "hank"])
def test_a_single_draw_which_is_asked_for_all_sets_at_once_is_exact_and_that_of_many(world):
    spec = get_world(world).spec
    model, theta = taught(spec), _theta(spec, 3)

    def one_by_one(draws, name):
        return torch.cat([model(draw[None], name) for draw in draws])

    with torch.no_grad():
        assert_exact(one_by_one, spec, theta)
        alone, many = one_by_one(theta, world), model(theta, world)
    assert (alone - many).abs().max() < 1e-5 * many.abs().max()


def test_one_world_of_a_batch_may_declare_and_another_not():
    spec = declaring(RULE).model_copy(update={"name": "declares"})
    model = taught(NK, spec)
    theta = _theta(NK, 4)
    together = model(theta, ["declares", "nk", "declares", "nk"])
    torch.testing.assert_close(together[::2], model(theta[::2], "declares"))
    torch.testing.assert_close(together[1::2], model(theta[1::2], "nk"))
    held = theta.clone()
    held[:, NK.index("phi_pi")] = held[:, NK.index("phi_y")] = 1.0
    assert torch.equal(model(held, "declares")[:, 0, :, 0], model(theta, "declares")[:, 0, :, 0])


def test_responses_that_all_move_are_those_of_a_network_without_declarations():
    spec = declaring({"phi_pi": Moves(shocks=("demand",))})
    model, plain, theta = taught(spec), taught(NK), _theta(NK, 4)
    torch.testing.assert_close(model(theta, "nk")[:, 1], plain(theta, "nk")[:, 1])
    assert not torch.equal(model(theta, "nk")[:, 0], plain(theta, "nk")[:, 0])


def test_the_network_alone_is_exact_too():
    """As exporters ask it."""
    spec = declaring(RULE, [("monetary", ("rate",))])
    model, theta = taught(spec), _theta(spec, 3)
    torch.testing.assert_close(model.alone("nk")(theta), model(theta, "nk"))
    plain = build("PerWorldMLPBaseline", {"nk": spec}, HORIZON, {"hidden_dims": [8]})
    plain.bind({"nk": _statistics(spec)}, {"nk": spec})
    assert torch.equal(plain.alone("nk")(theta), plain(theta, "nk"))


def test_gradients_by_held_parameters_are_zero():
    spec = declaring(RULE)
    model, theta = taught(spec), _theta(spec, 2).requires_grad_()
    irf = model(theta, "nk")
    (slope,) = torch.autograd.grad(irf[:, 0, :, 0].sum(), theta, retain_graph=True)
    assert not slope[:, [NK.index("phi_pi"), NK.index("phi_y")]].any()
    (slope,) = torch.autograd.grad(irf[:, 1, :, 2].sum(), theta)
    assert slope[:, [NK.index("phi_pi"), NK.index("phi_y")]].all()


def test_the_suite_finds_a_network_that_does_not_keep_to_what_is_declared():
    class Loose(PerWorldMLPBaseline):
        def bind(self, statistics, specs):
            super().bind(statistics, specs)
            self._declared = {}

    with pytest.raises(ModelCheckError, match=r"declared_is_exact.*'sigma' moves responses"):
        check_model(Loose, [_observed(NK, 3)])


@pytest.mark.parametrize("name", [name for name in MODELS if not model_class(name).wants_parts])
def test_every_network_in_the_table_is_exact(name):
    """Of made-up declarations of each kind, in a world of seven observables."""
    spec = _declaring(_observed(NK, 7))
    options = {"tuning_draws": 20, "iterations": 2} if name.startswith("Gaussian") else {}
    torch.manual_seed(0)
    model = build(name, {spec.name: spec}, 12, options)
    model.bind({spec.name: _statistics(spec)}, {spec.name: spec})
    model.prepare({spec.name: _samples(spec)})
    with torch.no_grad():
        assert_exact(model.eval(), spec, _theta(spec, 3))


def test_the_network_that_ships_declares_what_its_worlds_do_and_is_of_the_same_models():
    network = emulator.load("universal-alone").network
    declaring = {world for world, declared in network._declared.items() if declared is not None}
    assert declaring == {"hank", "rbc", "sw07"}
    em = emulator.load("universal")
    for world in ("hank", "rbc", "sw07"):
        assert em[world].spec.is_same_model(get_world(world).spec)


@pytest.mark.parametrize("name", ["PerWorldMLPBaseline", "PCAMLPBaseline", "PerWorldGRUBaseline"])
def test_a_baseline_that_is_told_the_sizes_of_shocks_has_them_exactly(name):
    """Responses are in proportion to the size of their shock, and depend on no other shock's size
    or, where it is cheap to have so, process.
    """
    torch.manual_seed(0)
    model = build(name, {"nk": NK}, 12, {"sizes": {"nk": list(NK.shock_sizes)}})
    model.bind({"nk": _statistics(NK)}, {"nk": NK})
    model.prepare({"nk": _samples(NK)})
    model.eval()
    theta = _theta(NK, 3)
    with torch.no_grad():
        before = model(theta, "nk")
        for shock, (size, own) in enumerate(zip(NK.shock_sizes, NK.shock_parameters, strict=True)):
            others = [s for s in range(NK.n_shocks) if s != shock]
            for column in (size, *own) if model.holds_processes else (size,):
                moved = theta.clone()
                moved[:, column] *= 0.5
                after = model(moved, "nk")
                assert torch.equal(after[:, others], before[:, others])
                assert not torch.equal(after[:, shock], before[:, shock])
            moved = theta.clone()
            moved[:, size] *= 2.0
            assert torch.equal(model(moved, "nk")[:, shock], 2.0 * before[:, shock])


def test_a_baseline_learns_from_draws_whose_sizes_are_divided_out():
    """Least squares of responses that are linear but for the sizes of shocks finds them exactly."""
    spec = NK
    theta, moments = _theta(spec, 200), _statistics(spec)
    shared = [
        k
        for k in range(spec.n_parameters)
        if k not in spec.shock_sizes and not any(k in own for own in spec.shock_parameters)
    ]
    z = ((theta - moments.theta_mean) / moments.theta_std)[:, shared]
    torch.manual_seed(1)
    slopes = torch.randn(len(shared), spec.n_shocks, 5, spec.n_observables)
    irf = (1.0 + torch.einsum("np,psho->nsho", z, slopes)) * theta[:, list(spec.shock_sizes)][
        :, :, None, None
    ]
    model = build("LinearBaseline", {"nk": spec}, 4, {"sizes": {"nk": list(spec.shock_sizes)}})
    model.bind({"nk": moments}, {"nk": spec})
    model.prepare({"nk": (theta, irf)})
    with torch.no_grad():
        torch.testing.assert_close(model(theta, "nk"), irf, rtol=1e-3, atol=1e-3)


def test_derivatives_of_an_economy_over_a_network_keep_to_what_is_declared():
    """In every mode that answers are asked in, one after the other."""
    spec = declaring(RULE, [("monetary", ("rate", "inflation"))])
    economy = emulator.Emulator(taught(spec))["nk"]
    before = economy.irf().irf.values
    jacobian = economy.jacobian().transpose(..., "parameter").values[0]
    assert np.array_equal(economy.irf().irf.values, before)
    for column in (NK.index("phi_pi"), NK.index("phi_y")):
        moved = spec.moved[column]
        assert not jacobian.transpose(0, 2, 1, 3)[~moved][..., column].any()
        assert jacobian.transpose(0, 2, 1, 3)[moved][..., column].any()
    theta = spec.theta()[0]
    local = economy.answerer.local(theta, HORIZON, 1, range(len(theta)))
    np.testing.assert_allclose(
        np.moveaxis(local.irf_by, 0, -1), jacobian[1, : HORIZON + 1], rtol=1e-3, atol=1e-3
    )
