"""The state space as a public answer: names, and the responses that follow from it."""

import numpy as np
import pytest

import emulator
from emulator.errors import NoSolutionError, OutsideBoundsError, ParameterError

pytestmark = pytest.mark.fast


@pytest.mark.parametrize("name", ["nk", "var", "lss", "rbc"])
def test_responses_follow_from_the_named_matrices(name):
    economy = emulator.world(name)
    draws = economy.sample(4, 1)
    space = economy.state_space(draws)
    irf = economy.irf(draws, horizon=3)["irf"]
    assert space["A"].dims == ("draw", "state", "state_before")
    assert tuple(space["state"].values) == economy.spec.states
    state = space["B"]
    for horizon in range(4):
        seen = space["C"].dot(state, dim="state")
        np.testing.assert_allclose(
            seen.transpose("draw", "shock", "observable"), irf.sel(horizon=horizon), atol=1e-10
        )
        before = state.rename(state="state_before").assign_coords(
            state_before=space["state_before"]
        )
        state = space["A"].dot(before, dim="state_before")


def test_observables_are_chosen_by_name():
    space = emulator.world("nk").state_space(observables=["rate", "output"], phi_pi=[1.5, 2.0])
    assert list(space["observable"].values) == ["rate", "output"]
    assert space.sizes["draw"] == 2
    assert "standard normal" in space.attrs["equations"]


def test_the_mean_of_a_world_with_constants():
    space = emulator.world("var").state_space(c_1=1.0)
    np.testing.assert_allclose(
        space["mean"][0], emulator.world("var").solver.mean(space_theta(c_1=1.0))[0]
    )
    assert abs(space["mean"].values).max() > 0


def space_theta(**parameters):
    spec = emulator.world("var").spec
    theta = spec.theta()
    for name, value in parameters.items():
        theta[:, spec.index(name)] = value
    return theta


def test_draws_without_a_solution_are_refused_or_nan():
    nk = emulator.world("nk")
    with pytest.raises(NoSolutionError, match="1 of 2 draws: 1 indeterminate"):
        nk.state_space(phi_pi=[1.5, 0.8])
    with pytest.raises(OutsideBoundsError):
        nk.state_space(sigma_m=-1.0)
    space = nk.state_space(phi_pi=[1.5, 0.8], on_failure="nan")
    assert np.isnan(space["A"].values[1]).all()
    assert np.isfinite(space["A"].values[0]).all()


@pytest.mark.parametrize(("name", "why"), [("zlb", "not linear"), ("switching", "averages")])
def test_a_world_without_one_says_why(name, why):
    with pytest.raises(ParameterError, match=f"has no state space: .*{why}"):
        emulator.world(name).state_space()


def test_a_network_has_none():
    with pytest.raises(ParameterError, match="responses alone"):
        emulator.load("universal")["nk"].state_space()
