"""Priors have the moments they are asked for, and Dynare's inverse gamma is the one that is
meant.
"""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import integrate

from emulator.worlds.priors import Prior, inverse_gamma

pytestmark = pytest.mark.fast

WIDE = [
    Prior(prior="normal", mean=1.5, sd=0.25, low=-9, high=9),
    Prior(prior="beta", mean=0.7, sd=0.1, low=0, high=1),
    Prior(prior="beta", mean=0.1, sd=0.4, low=-1, high=1, shift=-1, upper=1),
    Prior(prior="gamma", mean=0.6, sd=0.3, low=0, high=30),
    Prior(prior="gamma", mean=1.6, sd=0.3, low=1, high=30, shift=1),
    Prior(prior="inv_gamma", mean=0.5, sd=0.2, low=1e-6, high=50),
    Prior(prior="inv_gamma2", mean=0.5, sd=0.2, low=1e-6, high=50),
    Prior(prior="uniform", low=-1, high=3),
]


@pytest.mark.parametrize("prior", WIDE, ids=lambda p: f"{p.prior}-{p.shift:g}")
def test_draws_have_the_mean_and_deviation_asked_for(prior):
    draws = prior.draw(200_000, np.random.default_rng(0))
    mean, sd = (1.0, 4 / np.sqrt(12)) if prior.prior == "uniform" else (prior.mean, prior.sd)
    assert draws.mean() == pytest.approx(mean, abs=5 * sd / np.sqrt(200_000))
    assert draws.std() == pytest.approx(sd, rel=0.05)


@pytest.mark.parametrize("prior", WIDE, ids=lambda p: f"{p.prior}-{p.shift:g}")
def test_truncation_keeps_draws_within_and_shape_the_same(prior):
    low, high = np.quantile(prior.draw(20_000, np.random.default_rng(1)), [0.3, 0.6])
    cut = prior.model_copy(update={"low": float(low), "high": float(high)})
    draws = cut.draw(20_000, np.random.default_rng(2))
    assert low <= draws.min() < draws.max() <= high
    if prior.prior != "uniform":
        assert np.mean(draws < prior.quantile(np.array(0.45))) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(("mean", "sd"), [(0.1, 2.0), (0.5, 0.2), (0.01, 1.0)])
def test_inverse_gamma_is_that_of_a_standard_deviation(mean, sd):
    """Mean and variance by quadrature over the density p(x) ~ x^(-nu-1) exp(-s / (2 x^2)), an
    independent route.
    """
    s, nu = inverse_gamma(Prior(prior="inv_gamma", mean=mean, sd=sd, low=0, high=10))

    def moment(power):  # x = exp(t), in logs so that the heavy tail is reached
        def density(t):
            return np.exp((power - nu) * t - s * np.exp(-2 * t) / 2)

        return integrate.quad(
            density, np.log(np.sqrt(s)) - 5, 600 / max(nu - power, 0.01), limit=2000
        )[0]

    assert moment(1) / moment(0) == pytest.approx(mean, rel=1e-6)
    if nu > 2.2:  # else the second moment converges too slowly to be integrated
        assert moment(2) / moment(0) == pytest.approx(sd**2 + mean**2, rel=1e-6)


@pytest.mark.parametrize(
    "content",
    [
        {"prior": "uniform", "low": 1},
        {"prior": "beta", "mean": 0.5},
        {"prior": "normal", "mean": 0, "sd": -1},
        {"low": 2, "high": 1},
        {"prior": "cauchy"},
    ],
    ids=["no range", "no deviation", "negative deviation", "empty range", "unknown shape"],
)
def test_incomplete_priors_are_refused(content):
    with pytest.raises(ValidationError):
        Prior.model_validate(content)


def test_an_impossible_beta_is_refused():
    with pytest.raises(ValueError, match="no beta distribution"):
        Prior(prior="beta", mean=0.5, sd=0.9, low=0, high=1).draw(3, np.random.default_rng(0))


@pytest.mark.fast
def test_a_distribution_is_made_once(monkeypatch):
    """scipy takes a hundred times as long to make a distribution as to evaluate it."""
    prior = Prior(prior="gamma", mean=0.4321, sd=0.1, low=0, high=2)
    density = prior.log_density(np.array([0.3, 0.5]))
    monkeypatch.setattr("emulator.worlds.priors.stats", None)
    same = Prior(prior="gamma", mean=0.4321, sd=0.1, low=0, high=2)
    np.testing.assert_array_equal(same.log_density(np.array([0.3, 0.5])), density)
