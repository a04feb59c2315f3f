"""What theory says of a lower bound, over the prior of `zlb`: laws without an exception in 20,000
draws, and tendencies called so.

Everything is compared with the same economy whose bound is out of reach.
"""

import numpy as np
import pytest

from emulator.worlds import get_world
from emulator.worlds.zlb import SPEC

pytestmark = pytest.mark.fast

ZLB = get_world("zlb")
MONETARY, DEMAND, COST_PUSH = range(3)
OUTPUT, INFLATION, RATE = range(3)
ZERO = 1e-12


def changed(theta, name, factor=1.0, more=0.0):
    theta = theta.copy()
    theta[:, SPEC.index(name)] = factor * theta[:, SPEC.index(name)] + more
    return theta


class Sample:
    """2,000 draws at which the bound binds without a shock, solved with the bound and with it out
    of reach.
    """

    def __init__(self):
        theta = ZLB.sample(8000, np.random.default_rng(11))
        self.theta = theta[ZLB.solve(theta, 0)[1][:, 0] > 0][:2000]
        self.paths, self.spells, _ = ZLB.solve(self.theta, 40)
        self.free, _, _ = ZLB.solve(changed(self.theta, "pi_star", more=400.0), 40)
        self.irf, self.free_irf = (paths[:, 1:] - paths[:, :1] for paths in (self.paths, self.free))
        floor = (
            400 * np.log(self.theta[:, SPEC.index("beta")]) - self.theta[:, SPEC.index("pi_star")]
        )
        self.at_bound = self.paths[..., RATE] < floor[:, None, None] + 1e-9


@pytest.fixture(scope="module")
def sample():
    return Sample()


def test_the_bound_never_raises_output_or_inflation_in_any_quarter(sample):
    loss = sample.paths[:, 0, :, :2] - sample.free[:, 0, :, :2]
    assert loss.max() <= ZERO
    assert (loss[:, 0] < 0).all()


def test_demand_and_cost_push_shocks_have_larger_effects_on_impact_where_the_bound_binds(sample):
    for shock in (DEMAND, COST_PUSH):
        assert (sample.irf[:, shock, 0, :2] > sample.free_irf[:, shock, 0, :2]).all()


def test_demand_and_cost_push_shocks_never_prolong_the_spell(sample):
    longer = sample.spells[:, 1:] - sample.spells[:, :1]
    assert (longer[:, [DEMAND, COST_PUSH]] <= 0).all()
    assert (longer[:, DEMAND] < 0).mean() > 0.5


def test_a_tightening_may_prolong_the_spell_but_seldom_does(sample):
    """News of tight money to come deepens the slump by more than it lifts the rule."""
    longer = sample.spells[:, 1 + MONETARY] > sample.spells[:, 0]
    assert 0 < longer.mean() < 0.05


def test_the_rate_does_not_respond_while_the_bound_binds_with_and_without_the_shock(sample):
    for shock in range(3):
        both = sample.at_bound[:, 0] & sample.at_bound[:, 1 + shock]
        assert both.sum() > 1000
        assert np.abs(sample.irf[:, shock, :, RATE][both]).max() < 1e-10


def test_a_tightening_is_weaker_where_the_bound_binds_on_impact_with_and_without_it(sample):
    """A tendency: where it prolongs the spell, a persistent tightening does more harm than without
    the bound.
    """
    both = sample.at_bound[:, 0, 0] & sample.at_bound[:, 1, 0]
    weaker = np.abs(sample.irf[both, MONETARY, 0, OUTPUT]) < np.abs(
        sample.free_irf[both, MONETARY, 0, OUTPUT]
    )
    assert 0.85 < weaker.mean() < 1


def test_a_rise_of_inflation_raises_output_at_the_bound_and_lowers_it_elsewhere(sample):
    """Eggertsson (2010), NBER Macroeconomics Annual 25: what raises prices lowers the real rate
    when the nominal one cannot move.
    """
    long = sample.at_bound[:, 0, :4].all(axis=1) & sample.at_bound[:, 1 + COST_PUSH, :4].all(axis=1)
    assert long.sum() > 50
    assert (sample.irf[long, COST_PUSH, 0, OUTPUT] > 0).all()
    assert (sample.free_irf[long, COST_PUSH, 0, OUTPUT] < 0).all()


def test_a_higher_target_makes_the_slump_milder_and_never_longer(sample):
    paths, spells, _ = ZLB.solve(changed(sample.theta, "pi_star", more=0.3), 40)
    assert (paths[:, 0, 0, :2] > sample.paths[:, 0, 0, :2]).all()
    assert (spells[:, 0] <= sample.spells[:, 0]).all()


def test_a_larger_shortfall_makes_the_slump_deeper_and_never_shorter(sample):
    paths, spells, _ = ZLB.solve(changed(sample.theta, "shortfall", factor=1.1), 40)
    assert (paths[:, 0, 0, :2] < sample.paths[:, 0, 0, :2]).all()
    assert (spells[:, 0] >= sample.spells[:, 0]).all()


def test_flexible_prices_deepen_a_long_slump(sample):
    """Paradox of flexibility (Eggertsson and Krugman 2012, Q.

    J. Economics 127(3)): inflation falls more always, output almost always.
    """
    paths, _, _ = ZLB.solve(changed(sample.theta, "kappa", factor=1.1), 40)
    long = sample.spells[:, 0] >= 4
    assert (paths[:, 0, 0, INFLATION] < sample.paths[:, 0, 0, INFLATION]).all()
    assert (paths[long, 0, 0, OUTPUT] < sample.paths[long, 0, 0, OUTPUT]).mean() > 0.95
    free, _, _ = ZLB.solve(
        changed(changed(sample.theta, "kappa", factor=1.1), "pi_star", more=400.0), 40
    )
    assert (free[long, 0, 0, OUTPUT] > sample.free[long, 0, 0, OUTPUT]).mean() > 0.9
