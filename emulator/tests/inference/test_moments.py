"""Moments and variance decompositions as answers: names, units, refusals, derivatives; every way
to them says the same.
"""

import numpy as np
import pytest

import emulator
from emulator.errors import (
    NoSolutionError,
    OutsideBoundsError,
    ParameterError,
    UnknownNameError,
)

pytestmark = pytest.mark.fast

UNIT_ROOT = """
var w x y z; varexo e u; parameters rho c; rho = 0.5; c = 1;
model; w = w(-1) + e; x = rho*x(-1) + u + c; y = w + x; z = 0; end;
initval; x = 2; y = 2; end; steady;
shocks; var e; stderr 2; var u; stderr 1; end;
stoch_simul(order=1);
"""


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    path = tmp_path_factory.mktemp("walk") / "walk.mod"
    path.write_text(UNIT_ROOT)
    return emulator.world(path)


def test_moments_of_draws_have_names_and_units():
    nk = emulator.world("nk")
    draws = nk.sample(3, 1)
    moments = nk.moments(draws, lags=2, observables=["rate", "output"])
    assert moments["std"].dims == ("draw", "observable")
    assert moments["correlation"].dims == ("draw", "observable", "other")
    assert moments["autocorrelation"].dims == ("draw", "lag", "observable")
    assert list(moments["observable"].values) == ["rate", "output"]
    assert list(moments["lag"].values) == [1, 2]
    assert str(moments["unit"].sel(observable="output").values) == "percent"
    assert moments.attrs["method"] == "state space"
    np.testing.assert_allclose(moments["variance"], moments["std"] ** 2)
    alone = nk.moments(draws[1:2], lags=2)
    np.testing.assert_allclose(moments["std"].sel(observable="rate")[1], alone["std"][0, 2])


@pytest.mark.parametrize("options", [{}, {"hp": 1600}, {"difference": True}])
def test_theory_responses_and_a_long_path_agree(options):
    nk = emulator.world("nk")
    theory = nk.moments(phi_pi=1.7, **options)
    path = nk.moments(phi_pi=1.7, simulated=40_000, seed=3, **options)
    np.testing.assert_allclose(path["std"], theory["std"], rtol=0.03)
    np.testing.assert_allclose(path["autocorrelation"], theory["autocorrelation"], atol=0.03)
    np.testing.assert_allclose(path["correlation"], theory["correlation"], atol=0.03)
    assert "simulation of 40,000 periods" in path.attrs["method"]


def test_a_network_answers_by_its_responses_and_says_where_they_are_cut():
    network = emulator.load("universal")["nk"]
    moments, exact = network.moments(phi_pi=1.7), emulator.world("nk").moments(phi_pi=1.7)
    np.testing.assert_allclose(moments["std"], exact["std"], rtol=0.02)
    assert "moving average" in moments.attrs["method"]
    assert "to horizon 40" in moments.attrs["method"]
    short = network.moments(phi_pi=1.7, horizon=1)
    assert (short["cut"] > moments["cut"]).all()
    shares = network.variance_decomposition(phi_pi=1.7)
    other = emulator.world("nk").variance_decomposition(phi_pi=1.7)
    np.testing.assert_allclose(shares["share"], other["share"], atol=1.0)
    with pytest.raises(ParameterError, match=r"60 periods ahead .* to horizon 40"):
        network.variance_decomposition(horizons=60)
    with pytest.raises(ParameterError, match="no horizon cuts them"):
        emulator.world("nk").moments(horizon=40)


def test_variables_with_a_unit_root_are_named(walk):
    moments = walk.moments()
    assert moments.attrs["non_stationary"] == "w, y"
    assert moments.attrs["constant"] == "z"
    deviation = moments["std"].sel(draw=0)
    assert np.isinf(deviation.sel(observable=["w", "y"])).all()
    assert float(deviation.sel(observable="x")) == pytest.approx(np.sqrt(4 / 3))
    assert float(deviation.sel(observable="z")) == 0.0
    np.testing.assert_allclose(moments["mean"][0], [0, 2, 2, 0], atol=1e-12)
    both = walk.moments(rho=[0.5, 1.0], c=[1.0, 0.0])
    assert both.attrs["non_stationary"] == "w, x (1 of 2 draws), y"


def test_filters_make_a_unit_root_stationary(walk):
    changes = walk.moments(difference=True)
    assert "non_stationary" not in changes.attrs
    assert float(changes["std"].sel(draw=0, observable="w")) == pytest.approx(2.0)
    assert changes.attrs["filter"] == "first differences"
    assert "non_stationary" not in walk.moments(hp=1600).attrs


def test_shares_of_shocks_add_up_and_follow_from_responses(walk):
    shares = walk.variance_decomposition(horizons=[1, 4, np.inf])
    assert shares["share"].dims == ("draw", "ahead", "observable", "shock")
    finite = shares["share"].sel(draw=0, observable=["w", "x", "y"], ahead=[1, 4])
    np.testing.assert_allclose(finite.sum("shock"), 100.0)
    y = finite.sel(observable="y", shock="e", ahead=4)
    of_u = sum(0.25**h for h in range(4))
    assert float(y) == pytest.approx(100 * 16 / (16 + of_u))
    endless = shares["share"].sel(draw=0, ahead=np.inf)
    np.testing.assert_allclose(endless.sel(observable="x"), [0.0, 100.0], atol=1e-10)
    assert np.isnan(endless.sel(observable="y")).all()
    assert np.isinf(shares["variance"].sel(draw=0, ahead=np.inf, observable="y"))
    assert shares.attrs["non_stationary"] == "w, y"
    of_changes = walk.variance_decomposition(difference=True)["share"].sel(draw=0)
    assert float(of_changes.sel(ahead=np.inf, observable="w", shock="e")) == pytest.approx(100.0)


def test_derivatives_are_those_of_the_formula(walk):
    moments = walk.moments(rho=0.8, by=["rho", "stderr_u"])
    assert list(moments["by"].values) == ["rho", "stderr_u"]
    variance = moments["variance_by"].sel(draw=0, observable="x")
    np.testing.assert_allclose(variance, [2 * 0.8 / 0.36**2, 2 / 0.36], rtol=1e-6)
    mean = moments["mean_by"].sel(draw=0, observable="x", by="rho")
    assert float(mean) == pytest.approx(1 / 0.04, rel=1e-6)
    own = moments["autocorrelation_by"].sel(draw=0, observable="x", by="rho", lag=[1, 2])
    np.testing.assert_allclose(own, [1.0, 1.6], rtol=1e-6)
    assert np.isnan(moments["std_by"].sel(draw=0, observable="w")).all()


def test_derivatives_of_all_parameters_agree_with_smaller_steps():
    nk = emulator.world("nk")
    slopes = nk.moments(by=True)["std_by"].sel(draw=0, by="kappa")
    default = nk.spec.theta()[0, nk.spec.index("kappa")]
    around = nk.moments(kappa=[default - 1e-6, default + 1e-6])["std"]
    np.testing.assert_allclose(slopes, (around[1] - around[0]) / 2e-6, rtol=1e-5)
    with pytest.raises(ParameterError, match="Derivatives of moments need a solver"):
        emulator.load("universal")["nk"].moments(by=True)


def test_draws_without_a_solution_are_refused_or_nan():
    nk = emulator.world("nk")
    for question in (nk.moments, nk.variance_decomposition):
        with pytest.raises(NoSolutionError, match="1 of 2 draws: 1 indeterminate"):
            question(phi_pi=[1.5, 0.8])
        with pytest.raises(OutsideBoundsError):
            question(sigma_m=-1.0)
        answer = question(phi_pi=[1.5, 0.8], on_failure="nan")
        values = answer["std" if "std" in answer else "share"]
        assert np.isnan(values[1]).all()
        assert np.isfinite(values[0]).all()
        assert "non_stationary" not in answer.attrs


def test_worlds_that_are_not_linear_simulate_or_refuse():
    with pytest.raises(ParameterError, match=r"not linear.*simulated=10_000"):
        emulator.world("zlb").moments()
    with pytest.raises(ParameterError, match="not linear"):
        emulator.world("zlb").variance_decomposition()
    path = emulator.world("zlb").moments(simulated=300)
    assert np.isfinite(path["std"]).all()
    for options in ({}, {"simulated": 300}):
        with pytest.raises(ParameterError, match="averages over regimes"):
            emulator.world("switching").moments(**options)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"lags": -1}, "lags are -1"),
        ({"lags": 2.5}, "lags are 2.5"),
        ({"hp": 0}, "lambda is 0"),
        ({"hp": "yes"}, "lambda is 'yes'"),
        ({"hp": 1600, "difference": True}, "expected one of the two"),
        ({"simulated": 3}, "no autocorrelation at lag 5"),
        ({"simulated": 0}, "number of periods is 0"),
        ({"simulated": 100, "by": True}, "leave out by="),
    ],
)
def test_bad_options_are_named(options, match):
    with pytest.raises(ParameterError, match=match):
        emulator.world("nk").moments(**options)


@pytest.mark.parametrize("horizons", [0, -1, 2.5, "soon", [], [1, None], 10**6])
def test_bad_horizons_are_named(horizons):
    with pytest.raises(ParameterError, match="horizon"):
        emulator.world("nk").variance_decomposition(horizons=horizons)
    with pytest.raises(ParameterError, match="no forecast errors"):
        emulator.world("nk").variance_decomposition(hp=1600, horizons=4)


def test_names_are_checked():
    with pytest.raises(UnknownNameError):
        emulator.world("nk").moments(observables="outputt")
    with pytest.raises(UnknownNameError):
        emulator.world("nk").moments(by="kapa")


def test_all_pairs_at_each_lag_are_answered_if_asked_for():
    cross = emulator.world("nk").moments(cross=True)["cross_correlation"]
    assert cross.dims == ("draw", "lag", "observable", "other")
    own = emulator.world("nk").moments()["autocorrelation"]
    np.testing.assert_allclose(np.einsum("nloo->nlo", cross.values), own)


def test_a_thousand_draws_are_those_one_by_one():
    lss = emulator.world("lss")
    draws = lss.sample(600, 1)
    whole = lss.moments(draws)
    assert whole.sizes["draw"] == 600
    one = lss.moments(draws.iloc[555:556])
    np.testing.assert_allclose(whole["std"][555], one["std"][0], rtol=1e-10)
