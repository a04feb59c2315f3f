"""The universal network: what its structure promises holds, whatever its weights are."""

import dataclasses

import numpy as np
import pytest
import torch

from emulator.errors import ModelError
from emulator.models.check import _statistics, _theta
from emulator.models.normaliser import WorldStatistics
from emulator.models.universal import UniversalEmulator
from emulator.models.universal.autoregression import regress
from emulator.models.universal.exact import exact_start
from emulator.models.universal.state_space import bounded_powers, bounding_factor, powers, rollout
from emulator.models.universal.tokens import Description, name_features, parameter_features
from emulator.solvers import StateSpace, impulse_response
from emulator.training.sources import moments
from emulator.worlds import WORLDS, get_world

pytestmark = pytest.mark.fast

SPECS = {name: get_world(name).spec for name in WORLDS}


def network(*worlds, horizon=40, seed=0, **options):
    torch.manual_seed(seed)
    specs = {name: SPECS[name] for name in worlds}
    made = UniversalEmulator.from_specs(specs, horizon, **options)
    made.bind({name: _statistics(spec) for name, spec in specs.items()}, specs)
    return made


def draws(world, n, seed=0, horizon=40):
    theta = get_world(world).sample(n, np.random.default_rng(seed))
    irf = get_world(world).irf(theta, horizon)
    return torch.from_numpy(theta).float(), torch.from_numpy(irf).float()


def test_rollout_equals_the_solver_room():
    rng = np.random.default_rng(0)
    A, B, C = rng.normal(size=(5, 6, 6)), rng.normal(size=(5, 6, 2)), rng.normal(size=(5, 3, 6))
    A *= (0.9 / np.abs(np.linalg.eigvals(A)).max(axis=1))[:, None, None]
    for horizon in (0, 1, 7, 31, 32, 40, 63, 64, 100):
        exact = impulse_response(StateSpace(A, B, C), horizon)
        transition, rows, columns = (torch.from_numpy(m).mT for m in (A, B, C))
        one = torch.full((5,), 40.0).double()
        for rolled_out in (
            powers(transition),
            bounded_powers(transition, one, 2.0),
            powers(bounding_factor(transition, one, 2.0) * transition),
        ):
            np.testing.assert_allclose(
                rollout(rolled_out, rows, columns, horizon).numpy(), exact, rtol=1e-9, atol=1e-12
            )


@pytest.mark.parametrize("size", [1.0, 10.0, 1e4])
def test_responses_and_gradients_stay_finite_whatever_the_transition(size):
    torch.manual_seed(0)
    A = (size * torch.randn(8, 9, 9)).requires_grad_()
    rows, columns, decay = torch.ones(8, 3, 9), torch.ones(8, 9, 3), torch.zeros(8)
    irf = rollout(bounded_powers(A, decay), rows, columns, 40)
    torch.testing.assert_close(
        rollout(powers(bounding_factor(A, decay) * A), rows, columns, 40),
        irf,
        rtol=1e-3,
        atol=1e-3 * float(irf.detach().abs().max()),
    )
    irf.square().sum().backward()
    assert torch.isfinite(irf).all()
    assert torch.isfinite(A.grad).all()


@pytest.mark.parametrize("size", [1.0, 10.0, 1e4])
def test_responses_and_gradients_stay_finite_whatever_the_outputs(size):
    head = network("sw07").heads[0]
    common, by_shock = (
        (size * torch.randn(shape)).requires_grad_()
        for shape in ((8, head.common), (7, 8, head.per_shock))
    )
    irf = head.responses(common, by_shock, torch.ones(1, 7), None, 40, 1.08)
    irf.square().sum().backward()
    assert torch.isfinite(irf).all()
    assert torch.isfinite(common.grad).all()
    assert torch.isfinite(by_shock.grad).all()


@pytest.mark.parametrize(
    "world", [name for name in WORLDS if SPECS[name].linear and Description.of(SPECS[name]).sizes]
)
def test_responses_are_linear_in_the_size_of_their_own_shock_and_free_of_the_others(world):
    model, spec = network(world), SPECS[world]
    theta = _theta(spec, 4)
    sizes = [k for k, p in enumerate(spec.parameters) if p.role == "shock_size"]
    before = model(theta, world)
    for shock, column in enumerate(sizes):
        doubled = theta.clone()
        doubled[:, column] *= 2
        after = model(doubled, world)
        torch.testing.assert_close(after[:, shock], 2 * before[:, shock])
        others = [s for s in range(spec.n_shocks) if s != shock]
        assert torch.equal(after[:, others], before[:, others])


def test_sizes_of_shocks_say_how_far_beyond_training_a_draw_is_only_above_the_largest():
    """Responses are in proportion to them; the width of a band is not."""
    model, sizes = network("nk"), list(SPECS["nk"].shock_sizes)
    seen = model.normaliser.statistics("nk")
    theta = torch.stack([seen.theta_low - 1.0, seen.theta_high, seen.theta_high + 1.0])
    placed = model.as_learnt(theta, "nk")
    assert torch.equal(placed[:2, sizes], seen.theta_mean[sizes].expand(2, -1))
    assert torch.equal(placed[2], theta[2])
    others = [p for p in range(theta.shape[1]) if p not in sizes]
    assert torch.equal(placed[:, others], theta[:, others])


def test_no_size_is_factored_out_where_the_world_is_not_linear_or_has_none():
    assert Description.of(SPECS["zlb"]).sizes == ()
    assert Description.of(SPECS["var"]).sizes == ()
    assert network("nk", shock_sizes=False)._seen["nk"].sizes == ()


@pytest.mark.parametrize("fused", [True, False])
def test_a_step_of_any_optimiser_reaches_the_next_answer(fused):
    """Also of one that changes weights without a trace in their versions."""
    model, theta = network("nk", horizon=8), _theta(SPECS["nk"], 4)
    with torch.no_grad():
        before = model(theta, "nk")
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2, fused=fused)
    model(theta, "nk").square().sum().backward()
    optimiser.step()
    with torch.no_grad():
        after = model(theta, "nk")
    assert not torch.equal(after, before)
    torch.testing.assert_close(after, model(theta, "nk").detach())


def test_a_longer_horizon_goes_on_where_the_shorter_one_ends():
    model = network("nk", horizon=12)
    theta = _theta(SPECS["nk"], 3)
    torch.testing.assert_close(model(theta, "nk", horizon=100)[:, :, :13], model(theta, "nk"))
    with pytest.raises(ModelError, match="was built for 0 to 12"):
        network("nk", horizon=12, structure=False)(theta, "nk", horizon=13)


def test_a_response_that_is_silent_in_training_is_zero():
    torch.manual_seed(0)
    model = UniversalEmulator.from_specs({"nk": SPECS["nk"]}, 12)
    statistics = _statistics(SPECS["nk"])
    statistics.irf_scale[1, 2] = (
        1e-3 * statistics.irf_scale.max()
    )  # what `moments` gives a response that never moves
    model.bind({"nk": statistics}, SPECS)
    irf = model(_theta(SPECS["nk"], 3), "nk")
    assert not irf[:, 1, :, 2].any()
    assert irf[:, 1, :, 1].any()


def started(world: str, n: int, seed: int = 0) -> tuple[UniversalEmulator, WorldStatistics]:
    """A network that has seen so many draws of a world and was not trained."""
    theta, irf = draws(world, n, seed)
    statistics = moments(lambda: [(theta, irf)])
    torch.manual_seed(0)
    model = UniversalEmulator.from_specs({world: SPECS[world]}, 40)
    model.bind({world: statistics}, SPECS)
    model.prepare({world: (theta, irf)})
    return model, statistics


@pytest.mark.parametrize("n", [300, 600])
@pytest.mark.parametrize("world", ["var", "lss"])
def test_a_state_space_linear_in_theta_is_found_from_its_responses_alone(world, n):
    """The starts of `var` and `lss` are exact in single precision: their matrices are linear in
    theta, and least squares knows nothing else of them.
    """
    model, statistics = started(world, n)
    fresh, truth = draws(world, 200, seed=1)
    error = (model(fresh, world) - truth) / statistics.irf_scale[:, None, :]
    assert float(error.square().mean().sqrt().detach()) < 2e-5
    assert float(model._own(world).reach) == 0.0


@pytest.mark.parametrize(("world", "n"), [("zlb", 600), ("lss", 150)])
def test_where_no_state_space_is_found_training_starts_from_chance(world, n):
    """`zlb` is not linear, and 150 draws of `lss` are fewer than its coefficients need: a start
    that fits them would be wrong elsewhere.
    """
    model, _ = started(world, n)
    assert float(model._own(world).reach) == 1.0


@pytest.mark.parametrize("world", ["var", "lss"])
def test_an_exact_start_is_kept_by_what_starts_from_other_weights(world):
    """Also where the others are exact: in standard scores of their own data."""
    model, _ = started(world, 300)
    before = {name: value.clone() for name, value in model._own(world).state_dict().items()}
    model.start_from(network("nk", world, seed=1))
    elsewhere, _ = started(world, 300, seed=5)
    model.start_from(elsewhere)
    now = model._own(world).state_dict()
    assert all(torch.equal(now[name], before[name]) for name in before)


def test_few_draws_of_a_world_that_others_know_exactly_start_from_that():
    """Twenty draws say nothing, and their means and spreads are not those of the known start.
    It begins near it (what is trained has a tighter bound on growth), and can learn.
    """
    known, statistics = started("lss", 400, seed=5)
    few, _ = started("lss", 20)
    few.start_from(known)
    fresh, truth = draws("lss", 200, seed=1)
    with torch.no_grad():
        error = (few(fresh, "lss") - truth) / statistics.irf_scale[:, None, :]
    assert float(error.square().mean().sqrt()) < 0.5
    assert float(few._own("lss").reach) == 1.0


def _standard_scores(theta):
    return torch.cat([torch.ones(len(theta), 1), (theta - theta.mean(0)) / theta.std(0)], 1)


def test_a_start_is_exact_for_every_draw_at_hand_or_is_not_taken():
    theta, irf = draws("lss", 2600)
    z = _standard_scores(theta)
    assert exact_start(z, irf, 3, 12) is not None
    irf[2500] *= 5.0  # beyond the draws from which starts are fitted
    assert exact_start(z, irf, 3, 12) is None


def test_what_is_no_state_space_linear_in_theta_has_no_exact_start():
    """Each response divided by its own standard deviation, as networks usually see them; impact
    alone; nothing; numbers that are none; fewer draws than can be judged.
    """
    theta, irf = draws("lss", 300)
    z = _standard_scores(theta)
    assert exact_start(z, irf, 3, 12) is not None
    assert exact_start(z, irf / irf.std((0, 2), keepdim=True), 3, 12) is None
    assert exact_start(z, irf[:, :, :1], 3, 12) is None
    assert exact_start(z, torch.zeros_like(irf), 3, 12) is None
    assert exact_start(z[:3], irf[:3], 3, 12) is None
    irf[7, 0, 30, 1] = float("nan")
    assert exact_start(z, irf, 3, 12) is None


def test_a_start_that_the_bounds_of_the_network_damp_is_not_taken():
    """A root of 1.35, beyond what an exact transition may grow by."""
    generator = torch.Generator().manual_seed(0)
    z = torch.cat([torch.ones(200, 1), torch.randn(200, 2, generator=generator)], 1)
    impact = z[:, 1:] @ torch.randn(2, 3, generator=generator)
    powers_of_root = 1.35 ** torch.arange(41.0)
    irf = impact[:, None, None] * powers_of_root[:, None]
    assert exact_start(z, irf, 1, 12) is None
    assert exact_start(z, impact[:, None, None] * (0.9 ** torch.arange(41.0))[:, None], 1, 12)


@pytest.mark.parametrize("world", ["nk", "zlb"])
def test_the_start_explains_more_than_the_mean_response(world):
    theta, irf = draws(world, 600)
    start = regress(
        torch.cat([torch.ones(600, 1), (theta - theta.mean(0)) / theta.std(0)], 1), irf, 3
    )
    assert 0.0 < start.unexplained < 1.0


def test_tokens_tell_names_and_roles_apart_and_know_common_words():
    def likeness(left, right):
        return float(name_features(left) @ name_features(right))

    assert likeness("phi_pi", "phi_pi") == pytest.approx(1.0)
    assert likeness("phi_pi", "phi_y") > likeness("phi_pi", "kappa")
    assert not torch.equal(
        parameter_features("rho", "persistence"), parameter_features("rho", "policy_rule")
    )
    seen = {tuple(parameter_features(p.name, p.role).tolist()) for p in SPECS["sw07"].parameters}
    assert len(seen) == SPECS["sw07"].n_parameters


def test_folded_weights_follow_training():
    model = network("nk").eval()
    theta = _theta(SPECS["nk"], 2)
    with torch.no_grad():
        before = model(theta, "nk")
        model.shared.first.add_(0.1)
        after = model(theta, "nk")
    assert not torch.equal(before, after)
    torch.testing.assert_close(after, model(theta, "nk").detach())


def test_a_new_world_starts_from_what_others_share_and_known_worlds_keep_their_own():
    taught = network("nk", "lss", seed=1)
    with torch.no_grad():
        for p in taught.parameters():
            p.add_(0.01 * torch.randn_like(p))
    fresh = network("zlb", "nk", seed=2)
    fresh.start_from(taught)
    assert torch.equal(fresh.shared.first, taught.shared.first)
    assert torch.equal(fresh._own("nk").first, taught._own("nk").first)
    assert not fresh._own("zlb").first.any()  # no relative: nk's shocks have processes of their own


@pytest.mark.parametrize("world", [name for name in WORLDS if any(SPECS[name].shock_parameters)])
def test_responses_to_a_shock_know_nothing_of_the_process_of_another(world):
    model, spec = network(world), SPECS[world]
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.003 * torch.randn_like(p))
    theta = _theta(spec, 4)
    before = model(theta, world)
    for shock, own in enumerate(spec.shock_parameters):
        moved = theta.clone()
        moved[:, list(own)] = 0.9 * moved[:, list(own)] + 0.01
        after, others = model(moved, world), [s for s in range(spec.n_shocks) if s != shock]
        torch.testing.assert_close(
            after[:, others],
            before[:, others],
            rtol=1e-4,
            atol=1e-4 * float(before.detach().abs().max()),
        )
        assert not own or not torch.allclose(after[:, shock], before[:, shock])
    if world == "nk":  # told nothing of shocks, every response depends on every parameter
        moved = network(world, own_parameters=False)
        assert not moved.heads[0].most_own


@pytest.mark.parametrize(
    "own", [((6,), (), (8,)), ((), (7,), ()), ((6, 0), (), (8,)), ((), (), ())]
)
def test_shocks_may_have_processes_of_any_length_or_none(own):
    seen = Description.of(SPECS["nk"])
    torch.manual_seed(0)
    model = UniversalEmulator({"nk": dataclasses.replace(seen, own=own).plain()}, H=12)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.01 * torch.randn_like(p))
    theta = _theta(SPECS["nk"], 4)
    irf = model(theta, "nk")
    assert irf.shape == (4, 3, 13, 3)
    assert torch.isfinite(irf).all()
    for shock, parameters in enumerate(own):
        moved = theta.clone()
        moved[:, list(parameters)] += 0.3
        after, others = model(moved, "nk"), [s for s in range(3) if s != shock]
        torch.testing.assert_close(after[:, others], irf[:, others], rtol=1e-4, atol=1e-5)
        assert not parameters or not torch.allclose(after[:, shock], irf[:, shock])


def test_a_shock_brings_states_of_its_own_and_the_number_of_states_is_a_multiple_of_four():
    model = network("nk", "var", "sw07", horizon=4)
    assert [(head.n, sum(head.own)) for head in model.heads] == [(9, 3), (12, 0), (12, 8)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 0}, "width, shock_width, layers"),
        ({"states": 2}, "three states or more"),
        ({"worlds": {}}, "at least one world"),
    ],
)
def test_options_that_build_no_network_are_refused(changes, message):
    worlds = {"nk": Description.of(SPECS["nk"]).plain()}
    with pytest.raises(ModelError, match=message):
        UniversalEmulator(**({"worlds": worlds} | changes))


def test_a_process_of_many_parameters_is_served():
    plain = Description.of(SPECS["nk"]).plain() | {"own": [[6, 1, 2], [], [8]]}
    model = UniversalEmulator({"nk": plain}, H=5)
    assert model.heads[0].own == (2, 0, 1)
    theta = _theta(SPECS["nk"], 2).requires_grad_()
    (slopes,) = torch.autograd.grad(model(theta, "nk")[:, 1].sum(), theta)
    assert slopes[:, 2].any()  # the third is common
    assert not slopes[:, [6, 1]].any()


@pytest.mark.parametrize(
    "change",
    [
        {"roles": ["policy_rule"]},
        {"sizes": [0]},
        {"own": [[0], [0], []]},
        {"own": [[99], [], []]},
        {"own": []},
    ],
)
def test_a_description_that_contradicts_itself_is_refused(change):
    with pytest.raises(ModelError, match="no parameter taken twice"):
        UniversalEmulator({"nk": Description.of(SPECS["nk"]).plain() | change})


def test_a_description_that_is_none_is_refused():
    with pytest.raises(ModelError, match="parameters, roles, shocks, sizes and own"):
        UniversalEmulator({"nk": {"parameters": ["a"]}})
