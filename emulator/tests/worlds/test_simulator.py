"""A simulator of one's own answers as every world does, and its failures are counted with their
reasons.
"""

import pickle
import warnings

import numpy as np
import pytest

import emulator
from emulator.errors import (
    NoSolutionError,
    ParameterError,
    SimulatorError,
    SimulatorWarning,
    UnknownNameError,
)
from emulator.spec import UNKNOWN_UNIT, Parameter, Shock, Status
from emulator.tests.worlds import shop as shops
from emulator.tests.worlds.shop import economy, fragile, fragile_one, one, shop, to_24
from emulator.worlds import Simulator, get_world
from emulator.worlds import calls as calls_of_simulators

pytestmark = pytest.mark.fast

RNG = np.random.default_rng


def test_a_function_and_its_table_are_an_economy():
    answer = emulator.world(shop()).irf(rho=0.5, shock="demand", horizon=6)
    assert dict(answer.sizes)["observable"] == 5
    assert answer["horizon"].attrs["units"] == "months after impact"
    np.testing.assert_array_equal(
        answer["irf"].sel(observable="stocks")[0, 0], -(0.5 ** np.arange(7))
    )
    assert emulator.world(shop()).irf().sizes["horizon"] == 25  # its own horizon, not 40


def test_what_is_left_out_of_the_table_is_filled_in():
    spec = shop(observables=["sales", "prices", "hours", "orders", "stocks"]).spec
    assert spec.observable_units == (UNKNOWN_UNIT,) * 5
    rho = spec.parameters[0]
    assert (rho.default, rho.unit, rho.meaning) == (0.5, UNKNOWN_UNIT, "rho")
    assert (spec.title, spec.summary) == ("shop", "A model in Python.")
    assert shop(economy).spec.title == "A shop and its stocks"
    assert not spec.linear


def test_a_table_may_say_more():
    spec = shop(
        parameters=[
            *shop().spec.parameters[:2],
            Parameter(
                name="sigma", tex="s", low=0, high=2, default=1, unit="1", meaning="size",
                role="shock_size",
            ),
        ],
        shocks={"demand": {"meaning": "more buyers", "process": ["rho"]}, "supply": "less wheat"},
    ).spec  # fmt: skip
    assert spec.shocks[0].process == ("rho",)
    assert spec.shocks[1].meaning == "less wheat"
    table = {
        "rho": (0.1, 0.9),
        "slope": {"low": 0, "high": 1, "default": 0.3, "unit": "1"},
        "s": (0, 1),
    }
    declared = shop(
        parameters=table, shocks=[Shock(name="a", tex="a", meaning="a", size="s"), "b"]
    ).spec
    assert declared.parameters[2].role == "shock_size"
    assert declared.parameters[1].default == 0.3


def test_one_draw_at_a_time_has_the_same_answers():
    theta = shop().sample(5, RNG(0))
    single = shop(one, batched=False)
    np.testing.assert_array_equal(single.irf(theta, 24), shop().irf(theta, 24))
    assert single.draws_per_task < shop().draws_per_task


def test_a_horizon_that_the_function_takes_has_no_end():
    theta = shop().sample(2, RNG(0))
    assert shop(economy).irf(theta, 300).shape == (2, 2, 301, 5)
    with pytest.raises(ParameterError, match=r"horizons 0 .* to 24"):
        shop().irf(theta, 25)


@pytest.mark.parametrize(("function", "batched"), [(fragile, True), (fragile_one, False)])
@pytest.mark.filterwarnings("ignore::emulator.errors.SimulatorWarning")
def test_failures_are_draws_without_a_solution_with_their_reasons(function, batched):
    world = shop(function, batched=batched)
    theta = np.array([[0.5, 0.5, 1.0], [0.8, 0.5, 1.0], [0.15, 0.5, 1.0], [0.6, 0.5, 1.0]])
    ok, not_converged = Status.OK, Status.NOT_CONVERGED
    assert list(world.status(theta)) == [ok, not_converged, not_converged, ok]
    irf = world.irf(theta, 24, on_failure="nan")
    assert np.isnan(irf[1:3]).all()
    np.testing.assert_array_equal(irf[[0, 3]], economy(theta[[0, 3]]))
    draws = world.draw(200, RNG(0))
    assert set(draws.rejections) == {
        "not_converged: ZeroDivisionError: rho is # (shop.py:51)",
        "not_converged: the answer holds values that are not finite",
    }
    assert sum(draws.rejections.values()) == len(draws.rejected_theta) == len(draws.reasons)
    with pytest.raises(NoSolutionError, match=r"rho is 0\.8 \(shop\.py:\d+\)"):
        world.irf(theta[1:2], 24)


def test_a_message_names_the_function_that_raised_the_place_and_the_draw():
    answer = emulator.world(shop(fragile_one, batched=False))
    with pytest.raises(NoSolutionError) as refused:
        answer.irf(rho=[0.5, 0.8, 0.9], slope=0.5, horizon=3)
    message = str(refused.value)
    assert "the function 'fragile_one' raised ZeroDivisionError: rho is 0.8 (shop.py:" in message
    assert "and alike at 1 more" in message
    assert "Draw 1: rho=0.8" in message
    for of_a_solver in ("steady state", "stable", "equations", "converged"):
        assert of_a_solver not in message
    with pytest.raises(NoSolutionError, match="'fragile_one' returned values that are not finite"):
        answer.irf(rho=0.15, horizon=3)
    with pytest.raises(NoSolutionError, match=r"at the last, rho=.*function 'broken' raised"):
        shop(broken, batched=False).draw(9, RNG(0))


def test_a_status_that_raises_is_named_too():
    def hopeful(theta):
        raise KeyError("no table")

    world = shop(one, batched=False, status=hopeful)
    with pytest.raises(NoSolutionError, match="the function 'hopeful' raised KeyError: 'no table'"):
        emulator.world(world).irf(horizon=3)


def broken(theta):
    raise ValueError("I am broken")


def test_a_batch_that_raises_is_called_again_in_halves_and_that_is_said_once():
    world = shop(fragile)
    theta = np.full((64, 3), 0.5)
    theta[17, 0] = 0.75
    with pytest.warns(SimulatorWarning, match="for 64 draws at once"):
        status = world.status(theta)
    with warnings.catch_warnings():
        warnings.simplefilter("error", SimulatorWarning)
        world.status(theta + 1e-9)
    assert np.flatnonzero(status != Status.OK).tolist() == [17]


def test_a_draw_that_is_accepted_is_not_solved_again():
    calls = []

    def counted(theta):
        calls.append(len(theta))
        return to_24(theta)

    world = shop(counted)
    world.irf(world.draw(20, RNG(0)).theta, 10)
    assert calls == [20]


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(calls_of_simulators, "REMEMBERED_BYTES", 3 * 2 * 25 * 5 * 8)
    calls = []
    world = shop(lambda theta: calls.append(len(theta)) or to_24(theta))
    theta = shop().sample(10, RNG(0))
    first = world.irf(theta, 24)
    np.testing.assert_array_equal(world.irf(theta[-3:], 12), first[-3:, :, :13])
    np.testing.assert_array_equal(world.irf(theta, 24), first)
    assert calls == [10, 7]


def test_a_function_that_always_raises_ends_soon_and_shows_its_line():
    def broken(theta):
        return undefined_name  # noqa: F821

    with (
        pytest.warns(SimulatorWarning),
        pytest.raises(
            NoSolutionError,
            match=r"none of the first \d+ draws .* NameError: .*test_simulator\.py:\d+",
        ),
    ):
        shop(broken).draw(20, RNG(0))


def test_a_declared_status_spares_the_function_hopeless_draws():
    seen = []

    def watched(theta):
        seen.append(theta)
        return to_24(theta)

    world = shop(watched, status=lambda theta: theta[:, 0] < 0.5)
    theta = shop().sample(40, RNG(0))
    assert ((world.status(theta) == Status.OK) == (theta[:, 0] < 0.5)).all()
    assert (np.concatenate(seen)[:, 0] < 0.5).all()
    codes = shop(status=lambda theta: np.where(theta[:, 0] < 0.5, 0, Status.EXPLOSIVE))
    assert set(codes.status(theta)) == {Status.OK, Status.EXPLOSIVE}
    with pytest.raises(SimulatorError, match="gives 77; expected True and False"):
        shop(status=lambda theta: np.full(len(theta), 77)).status(theta)


def test_a_linear_simulator_that_takes_a_horizon_simulates_by_itself():
    world = shop(economy, linear=True)
    shocks = RNG(0).normal(size=(3, 50, 2))
    theta = world.sample(3, RNG(0))
    paths = world.simulate(theta, shocks)
    irf = world.irf(theta, 49)
    direct = sum(shocks[0, k, s] * irf[0, s, 49 - k] for k in range(50) for s in range(2))
    np.testing.assert_allclose(paths[0, 49], direct)
    with pytest.raises(ParameterError, match=r"has no `simulate`"):
        shop().simulate(theta, shocks)
    assert shop(linear=True).response_to_path(theta, shocks[:, :5].swapaxes(1, 2)).shape == (
        3,
        5,
        5,
    )


def test_functions_of_paths_and_matrices_are_asked():
    def matrices(theta):
        ones = np.ones(len(theta))
        return (
            theta[:, :1, None],
            np.ones((len(theta), 1, 2)),
            ones[:, None, None] * np.ones((5, 1)),
        )

    def walk(theta, shocks):
        return np.cumsum(shocks, axis=1)[:, :, :1] * np.ones(5)

    world = shop(simulate=walk, state_space=matrices, states=["s"])
    theta = world.sample(4, RNG(0))
    assert world.state_space(theta).C.shape == (4, 5, 1)
    assert world.simulate(theta, np.ones((4, 7, 2)))[0, -1, 0] == 7
    assert not any(text.startswith(("no simulate", "no state_space")) for text in world.lacks)
    assert emulator.world(world).simulate(periods=9).sizes["period"] == 9


def test_a_size_needs_a_linear_world_or_a_parameter_that_is_the_size():
    with pytest.raises(ParameterError, match=r"no parameter is the size of 'demand'.*'2 sd'"):
        emulator.world(shop()).irf(shock="demand", size=2)
    table = {"demand": {"size": "sigma"}, "supply": ""}
    sized = emulator.world(shop(shocks=table)).irf(shock="demand", size=2)["irf"]
    one_sd = emulator.world(shop()).irf(shock="demand")["irf"]
    np.testing.assert_allclose(sized, 2 * one_sd)


def test_paths_that_fail_are_told_with_their_row():
    def walk(theta, shocks):
        raise OverflowError("too far")

    with pytest.raises(
        SimulatorError, match=r"fails at row 0.*OverflowError: too far.*on_failure='nan'"
    ):
        shop(simulate=walk).simulate(shop().sample(1, RNG(0)), np.ones((1, 7, 2)))


def test_a_prior_that_fails_is_named():
    def failing(n, rng):
        return 1 / 0

    with pytest.raises(SimulatorError, match=r"prior of 'shop' raised ZeroDivisionError.*\.py:\d"):
        shop(prior=failing).sample(5, RNG(0))


def test_a_parameter_that_is_named_as_an_argument_is_not_taken_for_it():
    def fade(theta):
        return (theta[:, 1, None] * theta[:, 0, None] ** np.arange(7))[:, None, :, None]

    table = {"rho": (0.1, 0.9), "size": (1.0, 2.0)}
    economy_of = emulator.world(Simulator(fade, table, ["e"], ["sales"], horizon=6, linear=True))
    with pytest.raises(ParameterError, match=r"parameter of this name.*irf\(\{'size': 1\.2\}\)"):
        economy_of.irf(size=1.2)
    plain = economy_of.irf({"size": 1.2}).irf.values
    assert plain[0, 0, 0, 0] == 1.2
    np.testing.assert_allclose(economy_of.irf({"size": 1.2}, size="2 sd").irf, 2 * plain)


def test_questions_of_many_horizons_end_where_a_short_world_ends():
    economy_of = emulator.world(shop(to_24, name="one"))
    assert list(economy_of.sensitivity(n=16).horizon) == [0, 4, 8, 20]
    short = shop(lambda theta: to_24(theta)[:, :, :7], name="short", horizon=6)
    assert list(emulator.world(short).sensitivity(n=16).horizon) == [0, 4]
    assert emulator.compare([short, get_world_of(economy_of)], shock="demand").horizon[-1] == 6


def get_world_of(economy_of):
    return economy_of.solver


def test_a_prior_of_ones_own():
    world = shop(prior=lambda n, rng: rng.beta(2, 2, (n, 3)) * 0.5 + 0.3)
    assert world.sample(50, RNG(0))[:, 0].min() > 0.3
    with pytest.raises(SimulatorError, match=r"shape \(3,\) for 4 draws; expected .* \(4, 3\)"):
        shop(prior=lambda n, rng: rng.uniform(size=3)).sample(4, RNG(0))


def test_a_simulator_travels_to_other_processes():
    for world in (shop(), shop(one, batched=False)):
        copy = pickle.loads(pickle.dumps(world))
        theta = world.sample(2, RNG(0))
        np.testing.assert_array_equal(copy.irf(theta, 24), world.irf(theta, 24))
    shops.decorated = emulator.simulator(**shops.TABLE)(decorated)
    decorated.__module__ = shops.__name__
    try:
        assert pickle.loads(pickle.dumps(shops.decorated)) is shops.decorated
    finally:
        del shops.decorated


def decorated(theta):
    return to_24(theta)


def test_a_function_alone_is_told_what_it_lacks():
    with pytest.raises(UnknownNameError, match=r"by its table: emulator\.Simulator"):
        get_world(economy)


def test_sys_exit_in_a_draw_ends_nothing():
    def leaving(theta):
        raise SystemExit("no convergence")

    world = shop(leaving)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SimulatorWarning)
        assert (world.status(shop().sample(3, RNG(0))) == Status.NOT_CONVERGED).all()


def test_parameters_outside_their_bounds_are_never_tried():
    seen = []
    world = shop(
        lambda theta: seen.append(theta) or to_24(theta),
        parameters={
            **shops.TABLE["parameters"],
            "rho": {"low": 0.1, "high": 0.9, "bounds": "[0, 1)"},
        },
    )
    theta = shop().sample(3, RNG(0))
    theta[1, 0] = 2.0
    assert world.status(theta)[1] == Status.OUTSIDE_BOUNDS
    assert len(seen[0]) == 2


def test_the_class_is_reached_at_the_top():
    assert emulator.Simulator is Simulator
