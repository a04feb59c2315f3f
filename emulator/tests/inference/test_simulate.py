"""Simulated paths: given shocks, given states, and paths that go on where another ended."""

import numpy as np
import pytest

import emulator
from emulator.errors import ParameterError, UnknownNameError

pytestmark = pytest.mark.fast


def test_a_path_of_given_shocks_is_the_response_to_them():
    nk = emulator.world("nk")
    shocks = {"monetary": [1.0, 0.0, -0.5], "demand": [0.0, 2.0]}
    path = nk.simulate(shocks=shocks, periods=8)
    response = nk.irf(shocks=shocks, horizon=7)["irf"][:, 0]
    np.testing.assert_allclose(path, response, atol=1e-12)
    as_array = np.zeros((3, nk.spec.n_shocks))
    as_array[:, nk.spec.shock_index("monetary")] = shocks["monetary"]
    as_array[:2, nk.spec.shock_index("demand")] = shocks["demand"]
    np.testing.assert_array_equal(nk.simulate(shocks=as_array, periods=8), path)
    assert nk.simulate(shocks=as_array).sizes["period"] == 3


def test_random_shocks_are_the_same_for_a_seed():
    nk = emulator.world("nk")
    assert nk.simulate().sizes == {"draw": 1, "period": 200, "observable": 3}
    np.testing.assert_array_equal(nk.simulate(seed=4), nk.simulate(seed=4))
    assert (nk.simulate(seed=4) != nk.simulate(seed=5)).any()


@pytest.mark.parametrize("name", ["nk", "var", "lss"])
def test_a_path_goes_on_where_another_ended(name):
    economy = emulator.world(name)
    draws = economy.sample(3, 1)
    shocks = np.random.default_rng(2).normal(size=(3, 12, economy.spec.n_shocks))
    whole = economy.simulate(draws, shocks=shocks)
    first = economy.simulate(draws, shocks=shocks[:, :5], states=True)
    assert tuple(first["states"].dims) == ("draw", "period", "state")
    rest = economy.simulate(draws, shocks=shocks[:, 5:], state=first["states"].isel(period=-1))
    joined = np.concatenate([first["simulation"], rest], axis=1)
    np.testing.assert_allclose(joined, whole, atol=1e-10)


def test_a_state_is_given_by_name():
    lss = emulator.world("lss")
    path = lss.simulate(shocks=np.zeros((2, 2)), state={"s_2": 1.0})
    space = lss.state_space()
    expected = space["C"].values[0] @ space["A"].values[0][:, 1]
    np.testing.assert_allclose(path[0, 0], expected, atol=1e-12)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"shocks": {"monetary": [1, 2, 3]}, "periods": 2}, "periods=3 or more"),
        ({"shocks": {}}, "mapping of shocks to paths is empty"),
        ({"shocks": [1.0]}, r"expected finite numbers in standard deviations, \(periods, 3\)"),
        ({"shocks": [[1.0, np.nan, 0.0]]}, "expected finite numbers"),
        ({"state": [1.0]}, r"The state was given with shape \(1,\)"),
        ({"periods": 0}, "number of periods"),
    ],
)
def test_bad_input_is_named(options, match):
    with pytest.raises(ParameterError, match=match):
        emulator.world("nk").simulate(**options)


def test_unknown_names_are_named():
    with pytest.raises(UnknownNameError):
        emulator.world("nk").simulate(shocks={"monetry": [1.0]})
    with pytest.raises(UnknownNameError):
        emulator.world("nk").simulate(state={"y": 1.0})


def test_a_world_that_is_not_linear_starts_where_its_parameters_say():
    with pytest.raises(ParameterError, match="can be neither given nor answered"):
        emulator.world("zlb").simulate(state={"x": 1.0})
    assert emulator.world("zlb").simulate(periods=3).sizes["period"] == 3
