"""What theory says of a policy rule that may switch, over the determinate part of the prior.

Claims without exception were first tried on 20,000 draws; where smoothing or unequal output
reactions break a claim, the test says for what share of the prior it holds.
"""

import numpy as np

from emulator.spec import Status
from emulator.worlds import get_world
from emulator.worlds.nk import SPEC as NK_SPEC
from emulator.worlds.switching import SPEC

WORLD, NK = get_world("switching"), get_world("nk")
MONETARY, DEMAND, COST_PUSH = range(3)
OUTPUT, INFLATION = 0, 1


def changed(theta, **values):
    theta = theta.copy()
    for name, value in values.items():
        theta[:, SPEC.index(name)] = value
    return theta


def value(theta, name):
    return theta[:, SPEC.index(name)]


def economies(n=1000, seed=0, **values):
    theta = changed(WORLD.sample(n, np.random.default_rng(seed)), **values)
    return theta[WORLD.status(theta) == Status.OK]


def with_one_output_reaction(**values):
    """Economies whose two rules differ in the reaction to inflation alone."""
    theta = economies(**values)
    theta = changed(theta, phi_y_passive=value(theta, "phi_y_active"))
    return theta[WORLD.status(theta) == Status.OK]


def by_first_regime(theta):
    """Responses (n, 3, 41, 3) where the active and where the passive regime holds in the first
    quarter.
    """
    return tuple(WORLD.irf(changed(theta, active_at_impact=first)) for first in (1.0, 0.0))


def impact(irf):
    return np.abs(irf[:, :, 0, INFLATION])


def total(irf):
    return np.abs(irf[..., INFLATION]).sum(axis=2)


def of_nk(theta, regime):
    """Responses of `nk` under the rule of one regime for ever."""
    names = (
        f"{name}_{regime}" if name in ("phi_pi", "phi_y") else name
        for name in NK_SPEC.parameter_names
    )
    return NK.irf(theta[:, [SPEC.index(name) for name in names]])


def compared(theta, **values):
    """Responses by first regime before and after a change, at the draws where both have them."""
    other = changed(theta, **values)
    both = WORLD.status(other) == Status.OK
    assert both.mean() > 0.9
    return zip(by_first_regime(theta[both]), by_first_regime(other[both]), strict=True)


def test_signs_on_impact():
    theta = economies()
    for irf in by_first_regime(theta):
        assert (irf[:, MONETARY, :, INFLATION] <= 1e-12).all()
        assert (irf[:, MONETARY, 0, INFLATION] < 0).all()
        assert (irf[:, [DEMAND, COST_PUSH], 0, INFLATION] > 0).all()
        assert (
            irf[:, MONETARY, 0, OUTPUT] < 0
        ).mean() > 0.99  # no law: 20,000 draws hold 13 exceptions
        assert (irf[:, DEMAND, 0, OUTPUT] > 0).mean() > 0.99


def test_a_monetary_shock_moves_inflation_more_in_the_passive_regime_and_more_than_in_nk():
    """The passive regime may come: that alone makes inflation more volatile under the active rule
    (Davig and Leeper 2007).
    """
    theta = with_one_output_reaction()
    active, passive = by_first_regime(theta)
    single = of_nk(theta, "active")
    for size in (impact, total):
        assert (size(passive) > size(active))[:, MONETARY].all()
        assert (size(active) > size(single))[:, MONETARY].all()


def test_other_shocks_do_so_without_smoothing_and_mostly_with_it():
    theta = with_one_output_reaction(rho_i=0.0)
    (active, passive), single = by_first_regime(theta), of_nk(theta, "active")
    for size in (impact, total):
        assert (size(passive) > size(active)).all()
        assert (size(active) > size(single)).all()
    theta = with_one_output_reaction()
    (active, passive), single = by_first_regime(theta), of_nk(theta, "active")
    assert ((total(passive) > total(active)).mean(axis=0) > 0.94).all()
    assert ((total(active) > total(single)).mean(axis=0) > 0.97).all()


def test_a_passive_regime_that_lasts_longer_amplifies_inflation_in_both_regimes():
    for smooth, shocks in (({}, [MONETARY]), ({"rho_i": 0.0}, [MONETARY, DEMAND, COST_PUSH])):
        theta = with_one_output_reaction(**smooth)
        longer = 0.02 + 0.98 * value(theta, "p_passive")
        for before, after in compared(theta, p_passive=longer):
            assert (impact(after) > impact(before))[:, shocks].all()
            assert (total(after) > total(before))[:, shocks].all()


def test_the_rule_of_either_regime_works_in_the_other_one():
    """A weaker reaction to inflation, in whichever regime, amplifies the effect of a monetary shock
    in both.
    """
    theta = economies()
    for name in ("phi_pi_active", "phi_pi_passive"):
        for before, after in compared(theta, **{name: 0.98 * value(theta, name)}):
            assert (impact(after) > impact(before))[:, MONETARY].all()
            assert (total(after) > total(before))[:, MONETARY].all()
            assert ((total(after) > total(before)).mean(axis=0) > 0.95).all()


def test_an_active_regime_for_good_is_nk():
    theta = economies(p_active=1.0)
    active, passive = by_first_regime(theta)
    assert np.abs(active - of_nk(theta, "active")).max() < 1e-10
    assert np.median(np.abs(passive - active).max(axis=(1, 2, 3))) > 0.05


def test_a_passive_rule_may_break_the_taylor_principle_if_it_does_not_last():
    """Determinate draws whose passive rule alone leaves the price level open; the same rule for
    long is refused.
    """
    theta = economies()
    gap = value(theta, "kappa") * (value(theta, "phi_pi_passive") - 1) + (
        1 - value(theta, "beta")
    ) * value(theta, "phi_y_passive")
    assert (gap < 0).mean() > 0.7
    assert (
        WORLD.status(changed(theta, p_passive=0.999))[gap < 0] == Status.INDETERMINATE
    ).mean() > 0.9
