"""Histories and forecasts as an economy answers them: sums, conditions, mixtures, networks."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import emulator
from emulator.errors import NoSolutionError, ParameterError, UnknownNameError
from emulator.inference.history.mixture import quantiles
from emulator.inference.history.past import past_of
from emulator.inference.likelihood import Likelihood

SAMPLE = "1984Q1:1999Q4"

pytestmark = pytest.mark.fast


@pytest.fixture(scope="module")
def nk():
    return emulator.world("nk")


@pytest.fixture(scope="module")
def gaps():
    """US data of which some are missing."""
    table = emulator.read_data("us", sample=SAMPLE).select(["output_growth", "inflation", "rate"])
    frame = table.frame()
    frame.iloc[3, 0] = frame.iloc[10:12, 1] = frame.iloc[20] = np.nan
    return frame


OBSERVE = {
    "output_growth": "diff(output) + mean",
    "inflation": "inflation + mean",
    "rate": "rate + mean",
}


@pytest.mark.parametrize("errors", [None, {"inflation": 0.5}])
def test_parts_sum_up_to_the_data(nk, gaps, errors):
    answer = nk.decompose(gaps, observe=OBSERVE, errors=errors, kappa=[0.05, 0.1])
    total = answer["contribution"].sum("part")
    there = np.isfinite(answer["data"])
    np.testing.assert_allclose(total.where(there), answer["data"].broadcast_like(total), atol=1e-10)
    smoothed = nk.smooth(gaps, observe=OBSERVE, errors=errors, kappa=[0.05, 0.1])
    path = smoothed["target_path"].sel(target=answer["target"])
    np.testing.assert_allclose(total.where(~there), path.where(~there), atol=1e-10)
    assert np.isfinite(path).all()
    measured = np.abs(answer["contribution"].sel(part="measurement")).max("period")
    assert (measured.sel(target="rate") < 1e-10).all()
    assert ((measured.sel(target="inflation") > 1e-3) == (errors is not None)).all()


def test_without_shocks_and_data_nothing_happens(nk):
    """Data that are at rest call for no shock."""
    rest = pd.DataFrame(
        0.0, index=pd.period_range("1990Q1", periods=20, freq="Q"), columns=["output", "inflation"]
    )
    answer = nk.smooth(rest)
    assert np.abs(answer["shock_path"]).max() < 1e-12


def test_history_of_given_shocks_is_found_again(nk):
    """Three series without errors and three shocks: what made the data is what is smoothed, once
    the state before has faded.
    """
    rng = np.random.default_rng(0)
    shocks = rng.standard_normal((60, 3))
    path = nk.simulate(shocks=shocks).isel(draw=0)
    index = pd.period_range("1990Q1", periods=60, freq="Q")
    table = pd.DataFrame(path.values, index=index, columns=list(path["observable"].values))
    answer = nk.smooth(table).isel(draw=0)
    np.testing.assert_allclose(answer["shock_path"][30:], shocks[30:], atol=1e-8)


def test_responses_alone_say_the_same(nk, gaps):
    """The covariance of the moving average against the smoother over states."""
    theta = nk.spec.theta()
    series = emulator.read_data(gaps)
    by_states = Likelihood.of(nk.answerer, series, observe=OBSERVE, errors={"rate": 0.3})
    observed = np.arange(3)

    class Responses(type(nk.answerer)):
        @property
        def has_state_space(self):
            return False

        @has_state_space.setter
        def has_state_space(self, value):
            pass

    alone = Responses(nk.solver)
    by_responses = Likelihood.of(alone, series, observe=OBSERVE, errors={"rate": 0.3}, horizon=150)
    first = past_of(by_states, theta, observed)
    second = past_of(by_responses, theta, observed)
    assert type(first) is not type(second)
    np.testing.assert_allclose(second.shocks, first.shocks, atol=1e-6)
    np.testing.assert_allclose(second.parts(), first.parts(), atol=1e-6)
    a, b = first.outlook(6), second.outlook(6)
    for name in ("level", "past", "covariance", "responses"):
        np.testing.assert_allclose(getattr(b, name), getattr(a, name), atol=1e-6, err_msg=name)


def test_variances_of_forecasts_follow_their_recursion(nk, gaps):
    """Without data the state is as uncertain as ever, and so is every forecast; with a known past
    the first step is the impact of shocks alone.
    """
    empty = gaps[["rate"]] * np.nan
    empty.iloc[0, 0] = 5.0
    answer = nk.forecast(empty, observe={"rate": "rate + mean"}, observables=["output"], horizon=4)
    std = nk.moments()["std"].sel(observable=["rate", "output"])
    last = answer["std"].sel(target=["rate", "output"]).isel(draw=0, period=-1)
    np.testing.assert_allclose(last, std[0], rtol=1e-6)
    known = nk.forecast(gaps, observe=OBSERVE, horizon=3, known_past=True, observables=["output"])
    irf = nk.irf(horizon=2)["irf"].isel(draw=0).sel(observable="output")
    wanted = np.sqrt((irf**2).sum("shock").cumsum("horizon"))
    np.testing.assert_allclose(known["std"].isel(draw=0).sel(target="output"), wanted, atol=1e-10)


@pytest.mark.parametrize("by", [None, "monetary", ["monetary", "demand"]])
def test_conditions_are_met(nk, gaps, by):
    condition = {"rate": [4.5, 4.25, np.nan, 4.0]}
    answer = nk.forecast(
        gaps, observe=OBSERVE, condition=condition, by=by, horizon=6, kappa=[0.05, 0.1]
    )
    rate = answer["mean"].sel(target="rate")
    np.testing.assert_allclose(rate[:, [0, 1, 3]], [[4.5, 4.25, 4.0]] * 2, atol=1e-10)
    assert (answer["std"].sel(target="rate")[:, [0, 1, 3]] < 1e-6).all()
    plain = nk.forecast(gaps, observe=OBSERVE, horizon=6, kappa=[0.05, 0.1])
    assert (answer["std"].sel(target="inflation")[:, -1] > 0).all()
    if by is None:  # knowing more never makes a forecast less certain
        assert (answer["std"] < plain["std"] + 1e-9).all()
    named = [by] if isinstance(by, str) else by or list(nk.spec.shock_names)
    others = [name for name in nk.spec.shock_names if name not in named]
    assert not np.abs(answer["shock_path"].sel(shock=others)).values.any()


def test_shocks_that_meet_a_condition_make_its_path(nk, gaps):
    """The mean under a condition is the plain forecast plus the responses to the shocks."""
    common = {"observe": OBSERVE, "horizon": 6}
    answer = nk.forecast(gaps, **common, condition={"rate": [4.5, 4.25]}, by="monetary")
    plain = nk.forecast(gaps, **common)
    path = answer["shock_path"].isel(draw=0).sel(shock="monetary").values
    response = nk.irf(shocks={"monetary": path}, horizon=5)["irf"].isel(draw=0)
    moved = (answer["mean"] - plain["mean"]).isel(draw=0)
    np.testing.assert_allclose(
        moved.sel(target="rate"), response.sel(observable="rate").squeeze(), atol=1e-10
    )


def test_an_announced_path_is_met_by_shocks_that_are_known_ahead(nk, gaps):
    condition = {"rate": [4.5, 4.25, 4.0]}
    common = {"observe": OBSERVE, "horizon": 5}
    answer = nk.forecast(gaps, **common, condition=condition, by="monetary", anticipated=True)
    plain = nk.forecast(gaps, **common)
    np.testing.assert_allclose(
        answer["mean"].sel(target="rate")[0, :3], condition["rate"], atol=1e-10
    )
    size = answer["shock_path"].isel(draw=0).sel(shock="monetary").values
    assert np.abs(size[:3]).min() > 0.01
    assert np.abs(size[3:]).max() == 0
    moved = sum(
        size[k] * nk.irf(shock="monetary", anticipated=k, horizon=4)["irf"].isel(draw=0, shock=0)
        for k in range(3)
    )
    for name in ("inflation", "rate"):
        difference = (answer["mean"] - plain["mean"]).isel(draw=0).sel(target=name)
        np.testing.assert_allclose(difference, moved.sel(observable=name), atol=1e-10)
    np.testing.assert_array_equal(answer["std"], plain["std"])
    network = emulator.load("universal")["nk"]
    with pytest.raises(ParameterError, match="Announced shocks are asked of a solver"):
        network.forecast(gaps, **common, condition=condition, anticipated=True)


def test_a_mixture_over_draws_has_its_quantiles(nk, gaps):
    answer = nk.forecast(
        gaps, observe=OBSERVE, horizon=3, kappa=[0.02, 0.1, 0.2], weights=[0.2, 0.5, 0.3]
    )
    mean, std = (answer[name].sel(target="rate")[:, 2].values for name in ("mean", "std"))
    for probability in answer["probability"].values:
        value = float(answer["quantile"].sel(target="rate", probability=probability)[2])
        below = np.dot([0.2, 0.5, 0.3], norm.cdf((value - mean) / std))
        assert below == pytest.approx(probability, abs=1e-9)


def test_quantiles_of_a_point_and_of_one_distribution():
    one = quantiles(np.array([2.0]), np.array([0.0]), np.array([1.0]), np.array([0.1, 0.9]))
    np.testing.assert_allclose(one, 2.0)
    normal = quantiles(np.array([1.0]), np.array([3.0]), np.array([1.0]), np.array([0.05]))
    assert normal[0] == pytest.approx(norm.ppf(0.05, 1, 3), abs=1e-9)


def test_the_same_history_under_the_same_rule_is_the_data(nk, gaps):
    whole = gaps.ffill()
    same = nk.counterfactual(whole, observe=OBSERVE, under={"phi_pi": 1.5})
    np.testing.assert_allclose(same["path"].isel(draw=0), same["data"], atol=1e-9)
    firm = nk.counterfactual(whole, observe=OBSERVE, under={"phi_pi": 3.0})
    spread = [answer["path"].sel(target="inflation").std() for answer in (same, firm)]
    assert spread[1] < spread[0]
    alone = nk.counterfactual(whole, observe=OBSERVE, shocks=["monetary"])
    decomposed = nk.decompose(whole, observe=OBSERVE)["contribution"]
    kept = decomposed.sel(part=["monetary", "initial", "level"]).sum("part")
    np.testing.assert_allclose(alone["path"], kept, atol=1e-9)


@pytest.mark.parametrize("announced", [False, True])
def test_conditions_that_shocks_do_not_move_are_refused(announced):
    """Money is neutral in `rbc`: no monetary shock moves growth."""
    rbc = emulator.world("rbc")
    observe = {"output_growth": "diff(output) + mean", "inflation": "inflation + mean"}
    asked = {"observe": observe, "sample": SAMPLE, "horizon": 2, "by": "monetary"}
    with pytest.raises(ParameterError, match="they must move what is conditioned"):
        rbc.forecast("us", condition={"output_growth": [5.0]}, anticipated=announced, **asked)
    met = rbc.forecast("us", condition={"inflation": [5.0]}, anticipated=announced, **asked)
    assert float(met["mean"].sel(target="inflation")[0, 0]) == pytest.approx(5.0, abs=1e-10)


def test_conditions_that_contradict_each_other_are_refused(nk, gaps):
    both = {"rate": [4.0, 4.0], "rate (observable)": [1.0, 3.0]}
    with pytest.raises(ParameterError, match="fewer conditions"):
        nk.forecast(gaps, observe=OBSERVE, observables=["rate"], condition=both)


@pytest.mark.parametrize("by", [None, "monetary"])
def test_draws_without_a_solution_do_not_stop_the_others(nk, gaps, by):
    asked = {"observe": OBSERVE, "horizon": 2, "on_failure": "nan"}
    condition = {"rate": [4.0]}
    some = nk.forecast(gaps, phi_pi=[0.3, 1.5], condition=condition, by=by, **asked)
    one = nk.forecast(gaps, phi_pi=1.5, condition=condition, by=by, **asked)
    assert np.isnan(some["mean"][0]).all()
    np.testing.assert_allclose(some["quantile"], one["quantile"], atol=1e-12)
    none = nk.forecast(gaps, phi_pi=[0.3, 0.2], **asked)
    assert np.isnan(none["quantile"]).all()


def test_a_networks_history_is_near_the_solvers(nk, gaps):
    network = emulator.load("universal")["nk"]
    for question in ("smooth", "decompose", "forecast"):
        near = getattr(network, question)(gaps, observe=OBSERVE)
        exact = getattr(nk, question)(gaps, observe=OBSERVE)
        for name in set(near.data_vars) & {"shock_path", "contribution", "mean", "std"}:
            assert float(abs(near[name] - exact[name]).max()) < 0.1


def test_what_cannot_be_answered_is_refused(nk, gaps):
    with pytest.raises(NoSolutionError, match="indeterminate"):
        nk.smooth(gaps, observe=OBSERVE, phi_pi=0.8)
    lost = nk.smooth(gaps, observe=OBSERVE, phi_pi=[1.5, 0.8], on_failure="nan")
    assert np.isnan(lost["shock_path"][1]).all()
    assert np.isfinite(lost["shock_path"][0]).all()
    with pytest.raises(UnknownNameError, match="'rat'"):
        nk.forecast(gaps, observe=OBSERVE, condition={"rat": [1.0]})
    with pytest.raises(ParameterError, match="cannot"):
        nk.forecast(
            gaps, observe=OBSERVE, condition={"rate": [4.0], "inflation": [2.0]}, by="monetary"
        )
    with pytest.raises(ParameterError, match="20 periods, and the forecast 12"):
        nk.forecast(gaps, observe=OBSERVE, condition={"rate": [4.0] * 20})
    with pytest.raises(ParameterError, match="Say one"):
        nk.forecast(gaps, observe=OBSERVE, by="monetary")
    with pytest.raises(ParameterError, match="one a draw"):
        nk.forecast(gaps, observe=OBSERVE, weights=[0.5, 0.5])
    with pytest.raises(ParameterError, match="between 0 and 1"):
        nk.forecast(gaps, observe=OBSERVE, probabilities=[5, 95])
    for condition in ({"rate": "abc"}, {"rate": []}):
        with pytest.raises(ParameterError, match="expected numbers, one a period"):
            nk.forecast(gaps, observe=OBSERVE, condition=condition)
    with pytest.raises(ParameterError, match="one number, the same for all draws"):
        nk.counterfactual(gaps, observe=OBSERVE, under={"phi_pi": [2.0, 3.0]})
    with pytest.raises(ParameterError, match="error of measurement of 'rate'"):
        nk.smooth(gaps, observe=OBSERVE, errors={"rate": "-1"})
    with pytest.raises(ParameterError, match="Nothing is said to be different"):
        nk.counterfactual(gaps, observe=OBSERVE)
    with pytest.raises(ParameterError, match="is not linear"):
        emulator.world("zlb").smooth("us")
    network = emulator.load("universal")["nk"]
    with pytest.raises(ParameterError, match="gives responses alone"):
        network.counterfactual(gaps, observe=OBSERVE, under={"phi_pi": 2.0})
    with pytest.raises(ParameterError, match="needs a state space"):
        network.smooth(gaps, observe=OBSERVE, start="diffuse")


DOUBLE_ROOT = """
var y x; varexo e u; parameters rho; rho = 0.6;
model(linear); y = y(-1) + x(-1) + e; x = x(-1) + u; end;
shocks; var e; stderr 1; var u; stderr 1; end;
varobs y x;
"""


@pytest.mark.fast
def test_a_unit_root_is_named_with_what_to_do(tmp_path):
    """Rounding leaves 1 - 1e-8 of a double root, and the filter says nothing but that it failed."""
    (tmp_path / "walk.mod").write_text(DOUBLE_ROOT)
    walk = emulator.world(tmp_path / "walk.mod")
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.normal(size=(20, 2)).cumsum(axis=0), columns=["y", "x"])
    table.index = pd.period_range("1990Q1", periods=20, freq="Q")
    for ask in (walk.smooth, walk.forecast, walk.log_likelihood):
        with pytest.raises(ParameterError, match="has a unit root") as caught:
            ask(table)
        assert "--start diffuse" in str(caught.value)
    assert np.isfinite(walk.smooth(table, start="diffuse")["shock_path"]).all()
