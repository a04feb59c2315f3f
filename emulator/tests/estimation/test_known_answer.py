"""Where the posterior is known in closed form, every part has to find it."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from emulator.errors import ParameterError, TargetError
from emulator.estimation.density import Criterion, Density, Responder
from emulator.estimation.diagnostics import diagnose, rescore
from emulator.estimation.nuts import log_evidence, missed, sample, u_of, z_of
from emulator.estimation.point import find_point
from emulator.estimation.prior import JointPrior
from emulator.estimation.smc import run_smc, sample_smc
from emulator.estimation.target import Target
from emulator.inference import Emulator
from emulator.tests.estimation.linear import (
    SLOPES,
    SPEC,
    LinearNetwork,
    LinearResponder,
    N,
    known,
    target,
)
from emulator.worlds.priors import Prior


@pytest.fixture(scope="module")
def data():
    return target()


@pytest.fixture(scope="module")
def density(data):
    whole = Density(LinearResponder(), Criterion(data), JointPrior.of(SPEC))
    return Density(
        whole.responder, whole.criterion, whole.prior.only(whole.moving(np.random.default_rng(0)))
    )


@pytest.fixture(scope="module")
def scout(density):
    return run_smc(density, 400, np.random.default_rng(1))


def test_a_parameter_that_moves_nothing_is_not_estimated(density):
    assert density.prior.names == ("p0", "p1", "p2")
    with pytest.raises(ParameterError, match="No parameter of 'line' is left"):
        density.prior.only(np.zeros(N, dtype=bool))


@pytest.mark.fast
def test_the_quasi_likelihood_is_the_normal_density(data):
    irf = np.random.default_rng(2).normal(size=(4, 5, 3))
    root = np.random.default_rng(3).normal(size=(15, 15))
    correlated = Target(
        data.name, data.shock, data.irf, root @ root.T + np.eye(15), data.matched, "made up"
    ).without("output", [0])
    for weighting, covariance in (
        ("full", correlated.matched_covariance),
        ("diagonal", np.diag(np.diag(correlated.matched_covariance))),
    ):
        criterion = Criterion(correlated, weighting)
        entries = irf.reshape(4, -1)[:, correlated.entries]
        np.testing.assert_allclose(
            criterion.log_likelihood(irf),
            multivariate_normal(correlated.values, covariance).logpdf(entries),
            rtol=1e-10,
        )
        step = 1e-6 * np.random.default_rng(4).normal(size=(5, 3))
        change = criterion.log_likelihood(irf[0] + step) - criterion.log_likelihood(irf[0] - step)
        assert change == pytest.approx(2 * (criterion.force(irf[0]) * step).sum(), rel=1e-4)
    assert np.isneginf(criterion.log_likelihood(np.full((5, 3), np.nan)))


@pytest.mark.fast
def test_a_singular_covariance_is_refused(data):
    with pytest.raises(TargetError, match="is singular"):
        Criterion(
            Target("x", "monetary", data.irf, np.ones((15, 15)), data.matched, "all the same"),
            "full",
        )
    with pytest.raises(TargetError, match="expected one of diagonal, full, principal"):
        Criterion(data, "diag")


@pytest.mark.fast
def test_the_point_estimate_is_generalised_least_squares(density, data):
    point = find_point(density, 3, np.random.default_rng(0))
    mean, covariance, _ = known(data)
    np.testing.assert_allclose(point.theta[:N], mean, atol=1e-6)
    np.testing.assert_allclose(point.standard_errors, np.sqrt(np.diag(covariance)), rtol=1e-6)
    assert point.agreeing == 3
    assert point.at_bound == ()


def test_nuts_finds_the_known_posterior_and_its_evidence(density, data, scout):
    posterior = sample(density, scout.z, chains=4, tune=300, draws=500, seed=0)
    mean, covariance, evidence = known(data)
    draws = np.stack(
        [posterior.posterior[name].values.ravel() for name in density.prior.names], axis=1
    )
    diagnosis = diagnose(posterior)
    assert diagnosis.complaints == []
    error = 4 * np.sqrt(np.diag(covariance) / diagnosis.ess_bulk)
    assert (abs(draws.mean(axis=0) - mean) < error).all()
    np.testing.assert_allclose(
        np.cov(draws, rowvar=False), covariance, rtol=0.15, atol=0.1 * covariance.diagonal().mean()
    )
    bridge = log_evidence(
        density, z_of(density, u_of(density, posterior), 4), np.random.default_rng(0)
    )
    assert bridge.log == pytest.approx(evidence, abs=4 * bridge.error + 0.01)
    assert bridge.error < 0.05
    assert missed(density, posterior, scout.z) == []
    again = sample(density, scout.z, chains=4, tune=300, draws=500, seed=0)
    assert again.posterior.equals(posterior.posterior)


def test_smc_finds_the_known_posterior_and_its_evidence(density, data):
    posterior, evidence = sample_smc(density, 4, 500, seed=3)
    mean, covariance, exact = known(data)
    draws = np.stack(
        [posterior.posterior[name].values.ravel() for name in density.prior.names], axis=1
    )
    assert (abs(draws.mean(axis=0) - mean) < 5 * np.sqrt(np.diag(covariance) / 1000)).all()
    np.testing.assert_allclose(
        np.cov(draws, rowvar=False), covariance, rtol=0.15, atol=0.1 * covariance.diagonal().mean()
    )
    assert evidence.log == pytest.approx(exact, abs=4 * evidence.error + 0.02)
    assert diagnose(posterior).r_hat < 1.01


@pytest.mark.fast
def test_smc_finds_two_modes_in_their_proportions_where_one_chain_sees_one():
    """Responses in the square of a parameter: plus and minus are equally likely."""

    class Even(LinearResponder):
        def responses(self, theta):
            return super().responses(theta**2)

    data = Target.of("x", "monetary", 4.0 * SLOPES[0], np.full(SLOPES[0].shape, 0.3))
    density = Density(
        Even(), Criterion(data), JointPrior.of(SPEC, fixed={"p1": 0.0, "p2": 0.0, "p3": 0.0})
    )
    u = density.prior.values(1 / (1 + np.exp(-run_smc(density, 1000, np.random.default_rng(0)).z)))
    assert (u > 0).mean() == pytest.approx(0.5, abs=0.1)
    np.testing.assert_allclose(abs(u), 2.0, atol=0.3)


@pytest.mark.fast
def test_chains_that_saw_one_mode_of_two_are_told(density, scout):
    import arviz

    half = scout.z[scout.z[:, 0] > np.median(scout.z[:, 0])]
    values = density.prior.values(1 / (1 + np.exp(-half)))
    lopsided = arviz.from_dict(
        posterior={name: values[None, :, k] for k, name in enumerate(density.prior.names)}
    )
    assert "p0" in missed(density, lopsided, scout.z)


@pytest.mark.fast
def test_a_network_gives_the_gradient_of_the_posterior(data):
    network = Responder(Emulator(LinearNetwork())["line"].answerer, "monetary", data.horizon)
    ours, theirs = (
        Density(who, Criterion(data), JointPrior.of(SPEC)) for who in (LinearResponder(), network)
    )
    z = np.random.default_rng(0).normal(size=N + 1)
    for theirs_part, expected in zip(theirs.with_gradient(z), ours.with_gradient(z), strict=True):
        np.testing.assert_allclose(theirs_part, expected, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(theirs.parts(z[None]).total, ours.parts(z[None]).total, rtol=1e-5)
    step = 1e-5
    numeric = [
        (ours.parts((z + step * e)[None]).total[0] - ours.parts((z - step * e)[None]).total[0])
        / (2 * step)
        for e in np.eye(N + 1)
    ]
    np.testing.assert_allclose(ours.with_gradient(z)[1], numeric, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(
        network.local(np.ones(N + 1), (0, 2)).irf_by, SLOPES[[0, 2]], atol=1e-5
    )
    with pytest.raises(ParameterError, match="answers to horizons 0 to 4"):
        Responder(Emulator(LinearNetwork())["line"].answerer, "monetary", 5)


@pytest.mark.fast
def test_weights_undo_the_error_of_a_network(density, data):
    """Draws of a posterior that is off by a quarter of a standard deviation, weighted, have the
    right mean; one that is far off is told.
    """

    class Off(LinearResponder):
        def __init__(self, by):
            super().__init__()
            self.by = by

        def responses(self, theta):
            return super().responses(theta + self.by)

    mean, covariance, _ = known(data)
    for shift, close in ((0.25, True), (8.0, False)):
        by = np.r_[shift * np.sqrt(np.diag(covariance)), 0.0]
        draws = np.random.default_rng(1).multivariate_normal(mean - by[:N], covariance, size=4000)
        rescored = rescore(
            density.criterion, Off(by), LinearResponder(), np.c_[draws, np.zeros(4000)]
        )
        assert (rescored.complaints == []) == close
        if close:
            assert 0.5 < rescored.effective < 0.99
            np.testing.assert_allclose(
                rescored.weights @ draws, mean, atol=0.2 * np.sqrt(covariance.diagonal().max())
            )
            assert rescored.log_mean_weight == pytest.approx(0.0, abs=0.1)


@pytest.mark.fast
def test_few_scored_draws_are_too_few_to_assess_the_network(density):
    rescored = rescore(
        density.criterion, LinearResponder(), LinearResponder(), np.zeros((20, N + 1))
    )
    assert rescored.effective == pytest.approx(1.0)
    assert np.isnan(rescored.k_hat)
    assert rescored.complaints == [
        "the exact solver scored 20 draws, too few to assess the network; let it score 25 or more"
    ]


@pytest.mark.fast
def test_draws_that_have_no_solution_at_all_are_no_effective_draws(density):
    class Nowhere(LinearResponder):
        def responses(self, theta):
            return np.full((len(theta), *SLOPES.shape[1:]), np.nan)

    rescored = rescore(density.criterion, LinearResponder(), Nowhere(), np.zeros((50, N + 1)))
    assert (rescored.effective, rescored.unsolved) == (0.0, 1.0)
    assert np.isnan(rescored.weights).all()
    assert "no unique stable solution at any" in rescored.complaints[0]


@pytest.mark.fast
def test_priors_of_any_shape_are_uniform_in_their_places():
    shapes = {
        "p0": Prior(prior="normal", mean=1.0, sd=0.5),
        "p1": Prior(prior="gamma", mean=2.0, sd=1.0, low=0.0, high=9.0),
    }
    prior = JointPrior.of(SPEC, ranges={"p2": (-1.0, 2.0)}, shapes=shapes)
    u = np.linspace(0.001, 0.999, 400)[:, None].repeat(N + 1, axis=1)
    values = prior.values(u)
    np.testing.assert_allclose(prior.places(values), u, atol=1e-5)
    np.testing.assert_allclose(
        prior.slopes(u[1:-1]),
        (prior.values(u[1:-1] + 1e-5) - prior.values(u[1:-1] - 1e-5)) / 2e-5,
        rtol=1e-3,
    )
    draws = prior.values(prior.sample(20_000, np.random.default_rng(0)))
    assert draws[:, 0].mean() == pytest.approx(1.0, abs=0.02)
    assert draws[:, 1].mean() == pytest.approx(2.0, abs=0.05)
    assert values[:, 2].min() >= -1.0
    assert prior.high[1] == 6.0  # cut to the world's range
    np.testing.assert_allclose(prior.sd, draws.std(axis=0), rtol=0.02)
    assert JointPrior.of(SPEC).sd == pytest.approx(np.full(N + 1, 12 / 12**0.5), rel=1e-3)
    assert prior.informative.tolist() == [True, True, False, False]


@pytest.mark.fast
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fixed": {"p0": 7.0}}, "expected a value within its range, -6 to 6"),
        ({"ranges": {"p0": (2.0, 1.0)}}, "the smaller end first"),
        ({"ranges": {"p0": (-7.0, 1.0)}}, "expected one within -6 to 6"),
        ({"fixed": {"p0": 1.0}, "ranges": {"p0": (0.0, 1.0)}}, "held at a value and given a range"),
        ({"shapes": {"p0": Prior(prior="normal", mean=50.0, sd=0.1)}}, "cannot be cut to -6 to 6"),
        ({"fixed": {f"p{k}": 0.0 for k in range(4)}}, "No parameter of 'line' is left"),
    ],
)
def test_priors_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        JointPrior.of(SPEC, **arguments)
