"""Signs and orderings that theory demands of `nk`, over the determinate part of the prior.

Each claim made for the whole prior was first tried on 20,000 draws without an exception; where
theory needs a condition, or smoothing can overturn a textbook claim, the test says so.
"""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from emulator.spec import Status
from emulator.worlds import get_world
from emulator.worlds.nk import PI, RATE, SPEC, X

NK = get_world("nk")
MONETARY, DEMAND, COST_PUSH = range(3)
OUTPUT, INFLATION, INTEREST = range(3)
ZERO = 1e-12
over_the_prior = settings(max_examples=60, derandomize=True, deadline=None, database=None)


@st.composite
def economies(draw, **fixed):
    """A determinate theta (1, 12) from the ranges of the prior, some parameters held fixed."""
    grid = st.integers(0, 10_000)  # ends included, subnormal numbers not
    values = {
        p.name: p.low + (p.high - p.low) * draw(grid) / 10_000
        for p in SPEC.parameters
        if p.name not in fixed
    }
    theta = SPEC.theta({**values, **fixed})
    assume(NK.status(theta)[0] == Status.OK)
    return theta


def changed(theta, **values):
    theta = theta.copy()
    for name, value in values.items():
        theta[0, SPEC.index(name)] = value
    return theta


def value(theta, name):
    return theta[0, SPEC.index(name)]


@over_the_prior
@given(economies())
def test_a_monetary_tightening_lowers_output_and_inflation_throughout(theta):
    irf = NK.irf(theta)[0, MONETARY]
    assert (irf[0, [OUTPUT, INFLATION]] < 0).all()
    assert (irf[:, [OUTPUT, INFLATION]] <= ZERO).all()


@over_the_prior
@given(economies())
def test_a_demand_shock_raises_output_inflation_and_the_rate(theta):
    irf = NK.irf(theta)[0, DEMAND]
    assert (irf[0] > 0).all()
    assert (irf[:, INTEREST] >= -ZERO).all()


@over_the_prior
@given(economies())
def test_a_cost_push_shock_raises_inflation_and_the_rate(theta):
    irf = NK.irf(theta)[0, COST_PUSH]
    assert irf[0, INFLATION] > 0
    assert (irf[:, INTEREST] >= -ZERO).all()


@over_the_prior
@given(economies())
def test_a_cost_push_shock_lowers_output_where_the_rule_outweighs_expected_inflation(theta):
    """About one prior draw in a hundred sees output rise: policy so timid that the real rate falls.

    Putting the decision rules x = a_x i_1 + .., pi = a_pi i_1 + .. into the IS curve, output falls
    if and only if (1 - rho_i) phi_pi (1 - a_pi - sigma a_x) > rho_u; without smoothing that is
    phi_pi > rho_u.
    """
    transition = NK.solve(theta).transition[0]
    gain = 1 - transition[PI, RATE] - value(theta, "sigma") * transition[X, RATE]
    reaction = (1 - value(theta, "rho_i")) * value(theta, "phi_pi") * gain - value(theta, "rho_u")
    assume(abs(reaction) > 1e-4)
    assert np.sign(NK.irf(theta)[0, COST_PUSH, 0, OUTPUT]) == -np.sign(reaction)


@over_the_prior
@given(economies(), st.floats(1.01, 2.0))
def test_higher_phi_pi_dampens_inflation_after_monetary_and_cost_push_shocks(theta, factor):
    strict = changed(theta, phi_pi=factor * value(theta, "phi_pi"))
    weak, strong = (np.abs(NK.irf(t)[0, :, 0, INFLATION]) for t in (theta, strict))
    assert strong[MONETARY] < weak[MONETARY]
    assert strong[COST_PUSH] < weak[COST_PUSH]


@over_the_prior
@given(economies(rho_i=0.0), st.floats(1.01, 2.0))
def test_without_smoothing_higher_phi_pi_dampens_inflation_after_demand_shocks_throughout(
    theta, factor
):
    strict = changed(theta, phi_pi=factor * value(theta, "phi_pi"))
    weak, strong = (NK.irf(t)[0, DEMAND, :, INFLATION] for t in (theta, strict))
    assert strong[0] < weak[0]
    assert (strong <= weak + ZERO).all()


def test_with_smoothing_higher_phi_pi_dampens_inflation_after_demand_shocks_almost_everywhere():
    """A smooth rate stays high after the shock has gone, so that impact can move the other way: not
    a law, a tendency.
    """
    theta = NK.sample(5000, np.random.default_rng(1))
    strict = theta.copy()
    strict[:, SPEC.index("phi_pi")] *= 1.1
    weak, strong = (np.abs(NK.irf(t)[:, DEMAND, :, INFLATION]) for t in (theta, strict))
    assert (strong.sum(axis=1) < weak.sum(axis=1)).mean() > 0.999
    assert (strong[:, 0] < weak[:, 0]).mean() > 0.9


@over_the_prior
@given(economies(kappa=1e-8))
def test_fixed_prices_fix_inflation_after_monetary_and_demand_shocks(theta):
    assume(
        value(theta, "phi_pi") > 1.05
    )  # else output must bear determinacy alone, ever more weakly
    irf = NK.irf(theta)[0]
    assert np.abs(irf[[MONETARY, DEMAND], :, INFLATION]).max() < 1e-4
    assert np.abs(irf[[MONETARY, DEMAND], 0, OUTPUT]).min() > 1e-3


@over_the_prior
@given(economies(kappa=1e6))
def test_flexible_prices_take_the_real_effect_away(theta):
    assume(value(theta, "phi_pi") > 1.05)
    irf = NK.irf(theta)[0]
    assert np.abs(irf[:, :, OUTPUT]).max() < 1e-3
    assert np.abs(irf[MONETARY, 0, INFLATION]) > 1e-2


@over_the_prior
@given(
    economies(),
    st.sampled_from([("sigma_m", MONETARY), ("sigma_r", DEMAND), ("sigma_u", COST_PUSH)]),
)
def test_a_shock_twice_as_large_doubles_its_own_responses_exactly(theta, which):
    name, shock = which
    once, twice = (NK.irf(t)[0] for t in (theta, changed(theta, **{name: 2 * value(theta, name)})))
    others = [k for k in range(3) if k != shock]
    assert (twice[shock] == 2 * once[shock]).all()
    assert (twice[others] == once[others]).all()


@over_the_prior
@given(economies())
def test_after_a_demand_shock_output_and_inflation_move_together(theta):
    """Divine coincidence (Blanchard and Galí 2007): without cost-push shocks inflation is the sum
    of expected gaps.
    """
    irf = NK.irf(theta, horizon=3000)[0]
    weights = value(theta, "beta") ** np.arange(3001)
    for shock in (MONETARY, DEMAND):
        expected = 4 * value(theta, "kappa") * (weights * irf[shock, :, OUTPUT]).sum()
        assert irf[shock, 0, INFLATION] == pytest.approx(expected, rel=1e-6, abs=1e-9)
