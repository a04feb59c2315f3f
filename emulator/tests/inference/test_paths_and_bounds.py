"""Paths of shocks, sizes that would turn a shock around, parameters outside what they can be."""

import warnings

import numpy as np
import pytest

import emulator
from emulator.errors import DoubtWarning, NoSolutionError, ParameterError
from emulator.spec import Status

pytestmark = pytest.mark.fast


@pytest.fixture(scope="module")
def em():
    return emulator.load("universal")


@pytest.mark.parametrize("name", ["nk", "sw07"])
def test_a_path_of_shocks_is_the_sum_of_its_periods(name):
    world = emulator.world(name)
    single = world.irf(shocks="monetary")["irf"].values[0, 0]
    path = world.irf(shocks={"monetary": [1, 1, 0.5]})
    expected = single.copy()
    expected[1:] += single[:-1]
    expected[2:] += 0.5 * single[:-2]
    np.testing.assert_allclose(path["irf"].values[0, 0], expected, atol=1e-12)
    assert path["shock"].values.tolist() == ["monetary"]
    assert path["size"].values.tolist() == ["path: monetary 1, 1, 0.5 times 1 sd"]


def test_a_path_is_not_one_plain_impulse():
    nk = emulator.world("nk")
    path = nk.irf(shocks={"monetary": [1, 1, 1]})["irf"]
    assert float(abs(path - nk.irf(shocks="monetary")["irf"]).max()) > 0.1


def test_shocks_of_a_path_come_together_in_the_size_that_is_asked_for():
    nk = emulator.world("nk")
    both = nk.irf(shocks={"monetary": [2], "demand": [0, -1]}, size="25bp")["irf"].values[0, 0]
    monetary, demand = nk.irf(shocks=["monetary", "demand"], size="25bp")["irf"].values[0]
    expected = 2 * monetary
    expected[1:] -= demand[:-1]
    np.testing.assert_allclose(both, expected, atol=1e-12)


def test_under_the_bound_a_path_is_solved_and_does_not_add_up():
    zlb = emulator.world("zlb")
    once = zlb.irf(shocks="demand")["irf"].values[0, 0]
    np.testing.assert_allclose(zlb.irf(shocks={"demand": [1]})["irf"].values[0, 0], once, atol=1e-8)
    twice = zlb.irf(shocks={"demand": [1, 1]})["irf"].values[0, 0]
    added = once.copy()
    added[1:] += once[:-1]
    assert abs(twice - added).max() > 0.01


def test_the_network_adds_up_where_the_world_is_linear_and_else_names_the_solver(em):
    path = em["nk"].irf(shocks={"monetary": [1, 1]})
    exact = emulator.world("nk").irf(shocks={"monetary": [1, 1]})
    assert float(abs(path["irf"] - exact["irf"]).max()) < 0.02
    assert ((path["lower"] <= path["irf"]) & (path["irf"] <= path["upper"])).all()
    with pytest.raises(ParameterError, match=r"'switching' has regimes.*fallback='exact'"):
        em["switching"].irf(shocks={"demand": [1, 1]})
    for asked in ({"shocks": {"demand": [1, 1]}}, {"shocks": "demand", "size": -1}):
        with pytest.raises(ParameterError, match=r"emulator\.world\('zlb'\) or fallback='exact'"):
            em["zlb"].irf(**asked)
        solved = em["zlb"].irf(fallback="exact", **asked)
        assert solved["exact"].all()
        np.testing.assert_array_equal(solved["irf"], emulator.world("zlb").irf(**asked)["irf"])


def test_the_solver_answers_both_signs_of_a_shock_under_the_bound():
    zlb = emulator.world("zlb")
    up, down = (zlb.irf(shocks="demand", size=size)["irf"].values for size in (1, -1))
    assert np.isfinite(down).all()
    assert abs(up + down).max() > 0.01  # not the mirror of each other


@pytest.mark.parametrize(
    ("shocks", "message"),
    [
        ({"monetery": [1]}, "Did you mean 'monetary'"),
        ({"monetary": []}, "expected finite numbers, one a period"),
        ({"monetary": [1, np.nan]}, "expected finite numbers, one a period"),
        ({"monetary": "25bp"}, "expected finite numbers, one a period"),
        ({"monetary": [[1, 1]]}, "expected finite numbers, one a period"),
        ({}, "The mapping of shocks to paths is empty"),
        ({"monetary": [1] * 50}, "Ask horizon=49 or more"),
    ],
)
def test_what_is_no_path_is_refused(shocks, message):
    with pytest.raises(emulator.errors.EmulatorError, match=message):
        emulator.world("nk").irf(shocks=shocks)


def test_a_path_has_no_impact_and_no_derivatives_by_shock():
    nk = emulator.world("nk")
    with pytest.raises(ParameterError, match="which a path of shocks does not have"):
        nk.irf(shocks={"monetary": [1, 1]}, size="25bp on rate")
    with pytest.raises(ParameterError, match=r"which irf\(\.\.\.\) alone takes"):
        nk.jacobian(shocks={"monetary": [1, 1]})


def test_a_size_by_impact_never_turns_a_shock_around():
    nk = emulator.world("nk")
    with pytest.raises(ParameterError, match=r"-?\d.* standard deviations: the opposite shock"):
        nk.irf(shocks="monetary", size="1% on output")
    tightening = nk.irf(shocks="monetary", size="-1% on output")
    assert float(tightening["irf"].sel(observable="output")[0, 0, 0]) == pytest.approx(-1.0)
    assert float(tightening["irf"].sel(observable="rate")[0, 0, 0]) > 0
    easing = nk.irf(shocks="monetary", size="-25bp on rate")  # a fall that was asked for
    assert float(easing["irf"].sel(observable="rate")[0, 0, 0]) == pytest.approx(-0.25)


def test_a_tightening_of_hank_by_its_impact_on_the_rate_is_refused_with_its_factor(em):
    with pytest.raises(ParameterError) as error:
        em["hank"].irf(shocks="monetary", size="25bp on rate")
    assert "would be a shock of -" in str(error.value)
    assert "standard deviations" in str(error.value)


@pytest.mark.parametrize("name", ["nk", "sw07", "switching", "zlb", "rbc"])
def test_a_parameter_outside_what_it_can_be_is_refused_by_network_and_solver_alike(em, name):
    spec = em.spec(name)
    wrong = next(
        (p.name, value)
        for p in spec.parameters
        for value in (-1.0, 2.0)
        if p.role != "shock_size" and not spec.possible(spec.theta({p.name: value}))[0]
    )
    for economy in (em[name], emulator.world(name)):
        with pytest.raises(ParameterError, match=f"parameter '{wrong[0]}' .* expected a value in"):
            economy.irf(**{wrong[0]: wrong[1]})
        mixed = economy.irf(
            **{wrong[0]: [spec.parameters[spec.index(wrong[0])].default, wrong[1]]},
            on_failure="nan",
        )
        assert np.isnan(mixed["irf"].values[1]).all()
        assert mixed["determinate"].values.tolist() == [True, False]
        assert economy.status(**{wrong[0]: wrong[1]}).tolist() == [Status.OUTSIDE_BOUNDS]


def test_a_flagged_answer_warns_once_and_says_so_wherever_it_is_shown(em):
    with pytest.warns(DoubtWarning, match="The network flags this answer") as caught:
        data = em["nk"].irf(kappa=0.6)
    assert [warning.filename for warning in caught] == [__file__]
    assert "doubt" in repr(data)
    assert "flagged" in data.responses.plot().get_suptitle()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "doubt" not in em["nk"].irf().attrs
        assert "doubt" not in em["nk"].irf(kappa=0.6, fallback="exact").attrs


@pytest.mark.parametrize("shock", ["monetary", "demand", "cost_push"])
def test_derivatives_and_indices_of_the_network_are_refused_for_a_sign_it_was_not_trained_on(
    em, shock
):
    """`irf` refused a size below zero in `zlb`; `jacobian` answered 209,207."""
    for ask in (em["zlb"].jacobian, em["zlb"].sensitivity):
        with pytest.raises(ParameterError, match=r"the solver, emulator\.world\('zlb'\)\.$"):
            ask(shocks=shock, size=-1.0)
    assert em["zlb"].jacobian(shocks=shock, size=0.5, horizon=1).shape == (1, 1, 2, 3, 14)


@pytest.mark.parametrize("wrong", [{1: 2}, {1, 2}, [True], [1, np.True_], [10**400]])
def test_mappings_sets_and_truth_values_are_no_path(wrong):
    with pytest.raises(ParameterError, match="expected finite numbers, one a period"):
        emulator.world("nk").irf(shocks={"monetary": wrong})


def test_a_path_whose_responses_overflow_has_no_answer(em):
    for economy in (em["nk"], emulator.world("nk")):
        with pytest.raises((NoSolutionError, ParameterError)):
            economy.irf(shocks={"monetary": [1e308, -1e308, 1e308]}, size=100)


@pytest.mark.parametrize("wrong", [{"rho_p": 1e30}, {"sigma_c": 1e30}, {"mu_w": -1e30}])
def test_a_network_never_answers_with_numbers_that_are_not_finite(em, wrong):
    """`sw07` gave infinite responses and NaN, called determinate."""
    economy = em["sw07"]
    assert economy.status(**wrong)[0] == Status.UNSOLVABLE
    with pytest.raises(NoSolutionError, match="too large for a number"):
        economy.irf(**wrong)
    with pytest.raises(NoSolutionError, match="too large for a number"):
        economy.irf(shocks={"monetary": [1, 1]}, **wrong)
    name, value = next(iter(wrong.items()))
    default = economy.spec.parameters[economy.spec.index(name)].default
    batch = economy.irf(**{name: [default, value]}, on_failure="nan")
    assert batch["determinate"].values.tolist() == [True, False]
    assert np.isnan(batch["irf"].values[1]).all()
    assert np.isfinite(batch["irf"].values[0]).all()
    slopes = economy.jacobian(horizon=1, **wrong)
    assert not slopes["determinate"].any()
    assert np.isnan(slopes).all()
