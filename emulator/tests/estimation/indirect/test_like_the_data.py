"""A world that is treated as the data were: its parameters are found again, also where the VAR's
identification is false in it; what cannot be asked is refused in words.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.api import VAR

import emulator
from emulator.errors import ParameterError
from emulator.estimation import (
    Budget,
    Target,
    draw_fit,
    estimate,
    from_var,
    read_target,
    write_target,
)
from emulator.estimation.density import Density
from emulator.estimation.indirect.identification import Instrument
from emulator.estimation.indirect.responder import LikeTheData
from emulator.estimation.matching import MatchingProblem, Settings
from emulator.estimation.point import find_point
from emulator.estimation.result import of_another_shock

TINY = Budget(starts=1, chains=2, draws=40, rescored=0)
SERIES = ("output", "inflation", "rate")


@pytest.fixture(scope="module")
def nk():
    return emulator.world("nk")


def data_of(world, periods, seed=0):
    shocks = np.random.default_rng(seed).normal(size=(1, 100 + periods, world.spec.n_shocks))
    simulated = world.solver.simulate(world.spec.theta(), shocks)[0, 100:]
    return pd.DataFrame(simulated, columns=list(SERIES)), shocks[0, 100:, 0]


@pytest.fixture(scope="module")
def recursive(nk):
    data, _ = data_of(nk, 124)
    same = {name: name for name in SERIES}
    return from_var(VAR(data).fit(2), "rate", same, horizon=8, replications=200)


@pytest.fixture(scope="module")
def asked(nk, recursive):
    """The problem whose target is what the population itself gives at the defaults."""
    responder = LikeTheData(nk.answerer, "monetary", recursive)
    truth = responder.responses(nk.spec.theta())[0]
    held = ("beta", "phi_y", "rho_i", "rho_m", "rho_u", "sigma_r", "sigma_u")
    values = dict(zip(nk.spec.parameter_names, nk.spec.theta()[0], strict=True))
    settings = Settings(
        exact=True, like_the_data=True, priors={}, budget=TINY, fixed={n: values[n] for n in held}
    )
    return MatchingProblem.of(replace(recursive, irf=truth), nk, settings)


@pytest.mark.fast
def test_parameters_are_found_again_from_the_populations_own_responses(nk, asked):
    point = find_point(
        Density(asked.responder, asked.criterion, asked.prior), 3, np.random.default_rng(0)
    )
    assert point.distance < 1e-10
    np.testing.assert_allclose(point.theta, nk.spec.theta()[0], rtol=1e-4)


@pytest.mark.fast
def test_the_recursive_var_of_nk_is_not_its_own_response(nk, asked):
    theta = nk.spec.theta()
    like = asked.responder.responses(theta)[0]
    own = asked.responder.own(theta)[0]
    assert like[0, :2].tolist() == [0.0, 0.0]
    assert own[0, 0] < -0.4
    assert np.abs(like[1:, 0]).max() < 0.2 * np.abs(own[1:, 0]).max()


@pytest.mark.fast
def test_an_instrument_finds_the_own_response_where_the_lags_are_enough(nk, recursive):
    procedure = replace(recursive.procedure, identification=Instrument(2, "z"))
    responder = LikeTheData(nk.answerer, "monetary", replace(recursive, procedure=procedure))
    theta = nk.solver.sample(5, np.random.default_rng(1))
    np.testing.assert_allclose(responder.responses(theta), responder.own(theta), atol=1e-8)


@pytest.mark.fast
def test_derivatives_and_gradient_agree(nk, asked):
    free = [0, 2, 3]
    local = asked.responder.local(nk.spec.theta()[0], free)
    pulled = asked.responder.pulled(nk.spec.theta()[0], free, asked.criterion.force)
    by_hand = np.tensordot(local.irf_by, asked.criterion.force(local.irf), 2)
    np.testing.assert_allclose(pulled.gradient, by_hand)


@pytest.mark.filterwarnings("ignore::emulator.errors.EstimationWarning")
def test_an_estimate_says_both_responses_and_does_not_complain_of_identification(
    nk, recursive, tmp_path
):
    write_target(recursive, tmp_path / "x.npz")
    target = read_target(tmp_path / "x.npz")
    assert target.procedure == recursive.procedure
    result = estimate(target, nk, exact=True, priors={}, budget=TINY, like_the_data=True)
    assert result.density.criterion.weighting == "pooled"
    assert result.target.sd[3, 0] == recursive.sd[3, 0]  # the figure shows the data's own errors
    assert result.density.criterion.target.sd[3, 0] != recursive.sd[3, 0]
    assert not [text for text in result.complaints if "identification" in text]
    assert result.own[1, 0, 0] < -0.1
    assert np.abs(result.fitted[:, 0, :2]).max() == 0
    result.write(tmp_path / "nk")
    columns = pd.read_csv(tmp_path / "nk" / "fit.csv").columns
    assert list(columns[-3:]) == ["own_q05", "own_q50", "own_q95"]
    draw_fit([result], tmp_path / "fit.png")
    assert (tmp_path / "fit.png").stat().st_size > 0


@pytest.mark.fast
def test_a_shock_to_output_that_is_matched_to_the_monetary_one_is_named(nk):
    data, _ = data_of(nk, 60)
    same = {name: name for name in SERIES}
    target = from_var(VAR(data).fit(1), "output", same, horizon=1, replications=50)
    (complaint,) = of_another_shock(target, nk.spec, 0)
    assert complaint.startswith("the target is the response to the VAR's shock in output (output)")
    assert of_another_shock(target, nk.spec, 1) == []  # matched to the world's demand shock
    in_rate = from_var(VAR(data).fit(1), "rate", same, horizon=1, replications=50)
    assert of_another_shock(in_rate, nk.spec, 0) == []


@pytest.mark.filterwarnings("ignore::emulator.errors.EstimationWarning")
def test_a_network_answers_by_its_responses(recursive):
    result = estimate(recursive, "nk", priors={}, budget=TINY, like_the_data=True)
    assert result.density.responder.words.startswith("the autocovariances of its responses, which")
    assert result.own[1, 0, 0] < -0.1


@pytest.mark.fast
def test_a_world_that_is_not_linear_is_simulated(recursive):
    zlb = emulator.world("zlb")
    settings = Settings(exact=True, like_the_data=True, history=300, budget=TINY)
    responder = MatchingProblem.of(recursive, zlb, settings).responder
    assert responder.words == "a simulated history of 300 periods"
    one, again = responder.responses(np.repeat(zlb.spec.theta(), 2, axis=0))
    np.testing.assert_array_equal(one, again)  # the same shocks at all draws
    assert one[0, :2].tolist() == [0.0, 0.0]
    with pytest.raises(ParameterError, match="A history of 30 periods was asked for; expected"):
        MatchingProblem.of(recursive, zlb, replace(settings, history=30))


@pytest.mark.fast
@pytest.mark.parametrize(
    ("change", "settings", "said"),
    [
        ({"procedure": None}, {}, "does not say which VAR of which data made them"),
        ({}, {"errors": {"hours": 0.1}}, "hours"),
        ({}, {"errors": {"rate": -1.0}}, "expected a standard deviation of 0 or more"),
        ({}, {"weighting": "pooled", "like_the_data": False}, "needs a recursive VAR that is run"),
        ({}, {"errors": {"rate": 0.1}, "like_the_data": False}, "they need like_the_data=True"),
        ({}, {"emulator": None, "exact": False, "world": "zlb"}, "is not linear in its shocks"),
    ],
)
def test_what_cannot_be_asked_is_refused(recursive, change, settings, said):
    settings = {"exact": True, "like_the_data": True, "budget": TINY, **settings}
    world = settings.pop("world", "nk")
    with pytest.raises((ParameterError, emulator.errors.UnknownNameError), match=said):
        MatchingProblem.of(replace(recursive, **change), world, Settings(**settings))


ONE_SHOCK = """
var x p i; varexo e_m; parameters sigma kappa phi; sigma = 1.5; kappa = 0.1; phi = 1.5;
model(linear);
  x = x(+1) - (i - p(+1))/sigma;
  p = 0.99*p(+1) + kappa*x;
  i = 0.7*i(-1) + 0.3*phi*p + e_m;
end;
shocks; var e_m; stderr 0.2; end;
"""
MAPPING = """
observables: {output: x, inflation: 4*p, rate: 4*i}
shocks: {monetary: e_m}
parameters:
  sigma: {low: 0.5, high: 4, role: preference}
  kappa: {low: 0.02, high: 0.3, role: price_setting}
  phi: {low: 1.1, high: 3, role: policy_rule}
  stderr_e_m: {low: 0.1, high: 0.5, role: shock_size}
"""


@pytest.mark.fast
def test_fewer_shocks_than_series_are_refused_with_what_to_do(recursive, tmp_path):
    (tmp_path / "one.world.yaml").write_text(MAPPING)
    (tmp_path / "one.mod").write_text(ONE_SHOCK)
    settings = Settings(exact=True, like_the_data=True, budget=TINY)
    said = r"3 are measured without error .* has 1 shocks .* stochastically singular"
    with pytest.raises(ParameterError, match=said):
        MatchingProblem.of(recursive, tmp_path / "one.mod", settings)
    errors = {"output": 0.1, "inflation": 0.1}
    problem = MatchingProblem.of(recursive, tmp_path / "one.mod", replace(settings, errors=errors))
    assert np.isfinite(problem.responder.responses(problem.prior.base[None])).all()


@pytest.mark.fast
def test_a_series_that_no_world_knows_is_refused(nk, recursive):
    columns = recursive.procedure.columns
    named = replace(recursive.procedure, columns=(columns[0]._replace(observable=""), *columns[1:]))
    with pytest.raises(ParameterError, match="nobody said what it is in a world"):
        LikeTheData(nk.answerer, "monetary", replace(recursive, procedure=named))
    other = (columns[0]._replace(observable="hours"), *columns[1:])
    named = replace(recursive.procedure, columns=other)
    with pytest.raises(ParameterError, match="has no observable 'hours', which the VAR has as"):
        LikeTheData(nk.answerer, "monetary", replace(recursive, procedure=named))


@pytest.mark.fast
def test_a_target_of_numbers_alone_cannot_be_asked():
    target = Target.of("mine", "monetary", np.ones((3, 3)), np.ones((3, 3)))
    with pytest.raises(ParameterError, match="Expected us-monetary, a target from"):
        MatchingProblem.of(target, "nk", Settings(exact=True, like_the_data=True, budget=TINY))
