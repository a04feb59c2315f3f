"""Real worlds: what is recovered from their own responses, network against solver, and
comparisons.
"""

import copy

import numpy as np
import pytest
from matplotlib.figure import Figure

import emulator
from emulator.errors import EstimationWarning, MissingExtraError, ParameterError, UnknownNameError
from emulator.estimation import (
    Budget,
    Target,
    diagnostics,
    draw_fit,
    estimate,
    fit_table,
    parameter_table,
    posterior_distance,
    us_monetary,
    weighted_distance,
)
from emulator.estimation.density import Criterion, Density, Responder
from emulator.estimation.matching import MatchingProblem, Settings
from emulator.estimation.point import _standard_errors, find_point
from emulator.estimation.prior import JointPrior
from emulator.inference import Economy
from emulator.inference.over_solver import SolverAnswerer
from emulator.tests.worlds.stranger import write_stranger

TRUTH = {"sigma": 1.2, "kappa": 0.12, "phi_pi": 1.8, "rho_i": 0.6, "rho_m": 0.4, "sigma_m": 0.3}
FIXED = {"beta": 0.99, "phi_y": 0.125, "phi_pi": 1.8, "rho_m": 0.4}
"""A shock to the rule tells its path, not its coefficients: of rho_i, phi_pi, phi_y, rho_m and
sigma_m two follow from the others.
"""
TINY = Budget(sampler="smc", scouts=50, starts=2, chains=2, tune=30, draws=100, rescored=100)


@pytest.fixture(scope="module")
def nk():
    return emulator.world("nk")


@pytest.fixture(scope="module")
def em():
    network = emulator.load("universal")
    network.irf(
        "nk"
    )  # leaves tensors of inference mode behind, which must not stand in the way of gradients
    return network


def made_by(world, sd, **parameters):
    irf = world.irf(shocks="monetary", horizon=20, **parameters)["irf"].values[0, 0]
    return Target.of("made", "monetary", irf, np.full(irf.shape, sd))


def whole(responder, target, **fixed):
    density = Density(responder, Criterion(target), JointPrior.of(responder.spec, fixed))
    return Density(
        responder, density.criterion, density.prior.only(density.moving(np.random.default_rng(0)))
    )


def test_parameters_are_recovered_from_the_exact_solution_s_own_responses(nk):
    density = whole(Responder(nk.answerer, "monetary", 20), made_by(nk, 1e-3, **TRUTH), **FIXED)
    assert set(density.prior.names) == set(TRUTH) - set(FIXED)
    point = find_point(density, 6, np.random.default_rng(0))
    assert point.distance < 1e-4
    for name in density.prior.names:
        assert point.theta[nk.spec.index(name)] == pytest.approx(TRUTH[name], rel=2e-3)
    assert np.isfinite(point.standard_errors).all()


def test_responses_to_one_shock_do_not_tell_smoothing_from_persistence(nk):
    """The response has two roots, rho_m and one that the rule makes; which is which, it does not
    say: two sets of parameters fit without error.
    """
    density = whole(
        Responder(nk.answerer, "monetary", 20), made_by(nk, 1e-3, **TRUTH), beta=0.99, phi_y=0.125
    )
    fits = [find_point(density, 8, np.random.default_rng(seed)) for seed in range(4)]
    ends = {
        round(float(fit.theta[nk.spec.index("rho_m")]), 2) for fit in fits if fit.distance < 1e-3
    }
    assert 0.4 in ends
    assert len(ends) == 2


def test_the_network_recovers_them_nearly(nk, em):
    density = whole(
        Responder(em["nk"].answerer, "monetary", 20), made_by(nk, 0.02, **TRUTH), **FIXED
    )
    point = find_point(density, 6, np.random.default_rng(0))
    values = point.theta[list(density.prior.free)]
    truth = np.array([TRUTH[name] for name in density.prior.names])
    assert (abs(values - truth) < 0.1 * (density.prior.high - density.prior.low)).all()


@pytest.mark.parametrize("name", ["nk", "sw07"])
def test_derivatives_are_those_of_the_network(name, em):
    target, spec = us_monetary(replications=50), em.spec(name)
    responder, theta, free = (
        Responder(em[name].answerer, "monetary", 20),
        spec.theta()[0],
        range(spec.n_parameters),
    )
    local = responder.local(theta, free)
    expected = em.jacobian(name, theta, shocks="monetary", horizon=20).values[0, 0]
    np.testing.assert_allclose(
        np.moveaxis(local.irf_by, 0, -1), expected, rtol=1e-3, atol=1e-4 * abs(expected).max()
    )
    force = Criterion(target).force
    pulled = responder.pulled(theta, free, force)
    by = np.tensordot(local.irf_by, force(pulled.irf), 2) + local.log_solvable_by
    np.testing.assert_allclose(pulled.gradient, by, rtol=1e-3, atol=1e-4 * abs(by).max())


def test_the_network_s_gradient_is_nearly_the_solver_s(nk, em):
    free = range(nk.spec.n_parameters)
    ours, theirs = (
        who.local(nk.spec.theta()[0], free).irf_by * (nk.spec.high - nk.spec.low)[:, None, None]
        for who in (
            Responder(em["nk"].answerer, "monetary", 20),
            Responder(nk.answerer, "monetary", 20),
        )
    )
    assert abs(ours - theirs).mean() < 0.1 * abs(theirs).mean()


def test_which_parameters_matter_follows_from_the_solver(em):
    target = us_monetary(replications=50)
    for name, held in {
        "nk": {"rho_r", "rho_u", "sigma_r", "sigma_u"},
        "zlb": {"rho_u", "sigma_r", "sigma_u"},
    }.items():
        world = emulator.world(name)
        assert (
            set(world.spec.parameter_names)
            - set(whole(Responder(world.answerer, "monetary", 20), target).prior.names)
            == held
        )


def test_no_solution_means_no_density(nk):
    density = whole(Responder(nk.answerer, "monetary", 20), us_monetary(replications=50), kappa=0.1)
    theta = nk.spec.theta(phi_pi=0.81, phi_y=0.0)
    assert nk.status(theta)[0] != 0
    z = density.prior.z(density.prior.places(theta[:, list(density.prior.free)]))
    value, gradient = density.with_gradient(z[0])
    assert np.isneginf(value)
    assert (gradient == 0).all()
    assert np.isneginf(density.parts(z).total[0])


def test_derivatives_beside_where_there_is_no_solution(nk):
    """One-sided where one neighbour has none; and standard errors that are missing rather than
    wrong or a crash where both have none.
    """
    theta, free = nk.spec.theta()[0], (nk.spec.index("phi_pi"), nk.spec.index("kappa"))
    answerer = SolverAnswerer(nk.solver)
    responder = Responder(answerer, "monetary", 20)
    central, solve = responder.local(theta, free).irf_by, answerer.responses

    def without(above, below):
        def responses(draws, horizon, shocks=None):
            irf = solve(draws, horizon, shocks)
            irf[
                above & (draws[:, free[0]] > theta[free[0]])
                | below & (draws[:, free[0]] < theta[free[0]])
            ] = np.nan
            return irf

        answerer.responses = responses
        return responder.local(theta, free)

    for above in (True, False):
        slopes = without(above, not above)
        np.testing.assert_allclose(
            slopes.irf_by[0], central[0], rtol=1e-2, atol=1e-3 * abs(central[0]).max()
        )
        np.testing.assert_array_equal(slopes.irf_by[1], central[1])
    slopes = without(True, True)
    assert np.isnan(slopes.irf_by[0]).all()
    assert np.isfinite(slopes.irf).all()
    density = Density(
        responder,
        Criterion(us_monetary(replications=50)),
        JointPrior.of(
            nk.spec,
            {
                name: nk.spec.theta()[0][nk.spec.index(name)]
                for name in nk.spec.parameter_names
                if name not in ("phi_pi", "kappa")
            },
        ),
    )
    assert np.isnan(_standard_errors(density, slopes, np.array([False, False]))).all()


def test_the_network_keeps_out_of_where_there_is_no_solution(em):
    for name in ("nk", "rbc"):
        world = emulator.world(name)
        draws = world.solver.draw(400, np.random.default_rng(7))
        responder = Responder(em[name].answerer, "monetary", 20)
        assert np.quantile(responder.log_solvable(draws.theta), 0.1) > -0.1
        assert np.median(responder.log_solvable(draws.rejected_theta)) < -5


def test_us_data_network_and_solver_agree(em, tmp_path):
    target = us_monetary(replications=300)
    budget = Budget(sampler="smc", starts=2, chains=4, draws=500, rescored=500)
    ours, theirs = (
        estimate(target, "nk", emulator=em, exact=exact, budget=budget) for exact in (False, True)
    )
    assert ours.rescored.effective > 0.6
    assert ours.exact_evidence == pytest.approx(theirs.evidence.log, abs=0.3)
    distance, shifts = posterior_distance(ours, theirs), weighted_distance(ours)
    assert distance["in_sd"].max() < 0.35
    spread = {name: float(theirs.posterior.posterior[name].std()) for name in distance.index}
    np.testing.assert_allclose(
        distance["in_prior_sd"] * theirs.density.prior.sd,
        [row["in_sd"] * spread[name] for name, row in distance.iterrows()],
    )
    assert list(shifts.index) == list(distance.index)
    assert 0 < shifts["in_prior_sd"].max() < 0.15
    assert ours.posterior.attrs["evaluations"] > 4 * 500
    assert set(ours.processor_seconds) == set(ours.seconds) == {"point", "posterior", "rescoring"}
    assert all(
        0 < ours.processor_seconds[stage] < 3 * ours.seconds[stage] for stage in ours.seconds
    )
    with pytest.raises(ParameterError, match="scored none of the draws of nk"):
        weighted_distance(theirs)
    table = ours.table()
    assert ((table["low"] <= table["q05"]) & (table["q95"] <= table["high"])).all()
    assert set(ours.held) == {"rho_r", "rho_u", "sigma_r", "sigma_u"}
    assert list(parameter_table([ours]).columns.levels[0]) == ["nk"]
    assert fit_table([ours]).loc["nk", "parameters"] == 8
    fit = ours.fit().xs("rate", level="observable")
    assert ((fit["q05"] <= fit["q50"]) & (fit["q50"] <= fit["q95"])).all()
    assert abs(fit["q50"] - fit["target"])[0] < 2 * fit["target_sd"][0]


def test_nuts_runs_on_a_world_and_says_what_is_wrong_with_short_chains(nk, em, tmp_path):
    budget = Budget(sampler="nuts", scouts=100, starts=2, chains=2, tune=30, draws=30, rescored=50)
    with pytest.warns(EstimationWarning, match="effective sample size"):
        fit = estimate(
            made_by(nk, 0.1, **TRUTH),
            "nk",
            emulator=em,
            fixed={**FIXED, "sigma": 1.2},
            budget=budget,
        )
    assert fit.posterior.posterior.sizes == {"chain": 2, "draw": 30}
    assert np.isfinite(fit.evidence.log)
    fit.write(tmp_path / "nk")
    import arviz

    again = arviz.from_netcdf(tmp_path / "nk" / "posterior.nc")
    np.testing.assert_array_equal(again.posterior["kappa"], fit.posterior.posterior["kappa"])
    assert (again.attrs["world"], again.attrs["sampler"]) == ("nk", "nuts")
    np.testing.assert_array_equal(again.observed_data["irf"], fit.target.irf)
    assert isinstance(draw_fit([fit], tmp_path / "fit.png"), Figure)
    assert (tmp_path / "fit.png").stat().st_size > 5000


@pytest.mark.filterwarnings("ignore::emulator.errors.EstimationWarning")
def test_comparisons_of_what_cannot_be_compared_are_refused(nk, em):
    one = estimate(made_by(nk, 0.1, **TRUTH), nk, exact=True, fixed=FIXED, budget=TINY)
    other = estimate(made_by(nk, 0.1), nk, exact=True, fixed=FIXED, budget=TINY)
    with pytest.raises(ParameterError, match="different targets"):
        fit_table([one, other])
    with pytest.raises(ParameterError, match="nothing to compare"):
        fit_table([])


@pytest.mark.fast
def test_bad_requests_are_refused_before_work_begins(nk, em, monkeypatch):
    target = made_by(nk, 0.1)
    for arguments, error, message in (
        ({"world": "nkk", "exact": True}, UnknownNameError, "Did you mean 'nk'"),
        ({"world": "nk", "shock": "monetery"}, UnknownNameError, "Did you mean 'monetary'"),
        ({"world": "lss"}, UnknownNameError, "shock of world 'lss'"),
        ({"world": "nk", "fixed": {"kapa": 1.0}}, UnknownNameError, "Did you mean 'kappa'"),
        ({"world": "nk", "fixed": {"kappa": 9.0}}, ParameterError, "within its range"),
    ):
        with pytest.raises(error, match=message):
            estimate(target, emulator=em, budget=TINY, **arguments)
    world = copy.copy(nk.solver)
    world.spec = nk.spec.model_copy(update={"definition": "f" * 64})
    other = Economy(SolverAnswerer(world))
    with pytest.raises(
        ParameterError, match="another file than the world 'nk' that the network was trained on"
    ):
        estimate(target, other, emulator=em, budget=TINY)
    with pytest.raises(ParameterError, match="nuts or smc"):
        Budget(sampler="gibbs")
    with pytest.raises(ParameterError, match="draws is 1; expected 20"):
        Budget(draws=1)
    monkeypatch.setitem(__import__("sys").modules, "arviz", None)
    with pytest.raises(MissingExtraError, match=r"universal-macro-emulator\[estimation\]"):
        diagnostics.arviz()


def test_fewer_entries_than_parameters_are_said_to_tell_little(nk):
    target = made_by(nk, 0.05)
    lone = Target.of(
        "lone", "monetary", target.irf, np.where(np.arange(63).reshape(21, 3) == 2, 0.05, np.nan)
    )
    said = "1 matched entries cannot tell 8 parameters apart"
    with pytest.warns(EstimationWarning, match=said):
        fit = estimate(lone, nk, exact=True, budget=TINY)
    assert np.isnan(fit.point.standard_errors).all()
    assert said not in " ".join(
        estimate(target, nk, exact=True, fixed=FIXED, budget=TINY).complaints
    )


def test_an_economy_over_a_network_is_answered_by_that_network(nk, em):
    target = made_by(nk, 0.1)
    over_network, named = (
        MatchingProblem.of(target, *world, Settings(emulator=network, budget=TINY))
        for world, network in (([em["nk"]], None), (["nk"], em))
    )
    assert over_network.responder.answerer is named.responder.answerer is em["nk"].answerer
    assert over_network.exact_responder.exact
    with pytest.raises(ParameterError, match="A network answers for the economy 'nk'"):
        MatchingProblem.of(target, em["nk"], Settings(exact=True))


@pytest.mark.fast
def test_a_file_without_a_mapping_has_not_what_a_target_is_matched_by(nk, tmp_path):
    write_stranger(tmp_path)
    (tmp_path / "mine.world.yaml").unlink()
    with pytest.raises(ParameterError, match=r"'mine' has no observable 'output'.*mapping beside"):
        estimate(made_by(nk, 0.1), tmp_path / "mine.mod", exact=True, shock="e_m", budget=TINY)


@pytest.mark.fast
def test_observables_are_matched_by_name_whatever_their_order(nk):
    """A world whose observables come in another order, with one more among them."""
    order = [2, 0, 0, 1]

    class Shuffled(SolverAnswerer):
        def responses(self, theta, horizon, shocks=None):
            return super().responses(theta, horizon, shocks)[..., order]

    shuffled = Shuffled(nk.solver)
    extra = nk.spec.observables[0].model_copy(update={"name": "hours"})
    observables = (nk.spec.observables[2], extra, *nk.spec.observables[:2])
    shuffled.spec = nk.spec.model_copy(update={"observables": observables})
    names = ("output", "inflation", "rate")
    ours, theirs = (Responder(who, "monetary", 12, names) for who in (shuffled, nk.answerer))
    theta = nk.spec.theta()
    np.testing.assert_array_equal(ours.responses(theta), theirs.responses(theta))
    np.testing.assert_array_equal(ours.judged(theta)[0], theirs.judged(theta)[0])
    free = range(nk.spec.n_parameters)
    force = Criterion(us_monetary(replications=50, horizon=12)).force
    for pulled, expected in zip(
        ours.pulled(theta[0], free, force), theirs.pulled(theta[0], free, force), strict=True
    ):
        np.testing.assert_allclose(pulled, expected, rtol=1e-9)
