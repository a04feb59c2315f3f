"""What theory and evidence say of `hank`, over draws from its prior; households here on a grid of
100 points, paths of 150 quarters.
"""

import dataclasses

import numpy as np
import pytest

from emulator.spec import Status
from emulator.worlds.hank.closure import close
from emulator.worlds.hank.equilibrium import determinacy
from emulator.worlds.hank.household import GRID
from emulator.worlds.hank.outputs import Output, groups, watched
from emulator.worlds.hank.world import (
    N_POLICY,
    N_TASTES,
    SPEC,
    HeterogeneousAgents,
    Policy,
    Tastes,
    processes,
)

N, PERIODS = 8, 150
COARSE = GRID._replace(points=100)
MONETARY, TECHNOLOGY, FISCAL, COST_PUSH = range(4)

pytest.importorskip("numba")

from emulator.worlds.hank.fake_news import differentiate, jacobian, outputs  # noqa: E402
from emulator.worlds.hank.steady import calibrate  # noqa: E402


class Economy:
    """One draw: its households, and responses (3, T, 4) to innovations of 1 under any policy."""

    def __init__(self, row):
        self.tastes, self.policy = (
            Tastes(*row[:N_TASTES]),
            Policy(*row[N_TASTES : N_TASTES + N_POLICY]),
        )
        self.persistence = row[N_TASTES + N_POLICY :][:4]
        self.steady = calibrate(self.tastes, COARSE)
        self.jacobian = jacobian(
            self.tastes, self.steady, outputs(self.tastes, self.steady), PERIODS
        )

    def respond(self, **policy):
        return close(
            self.jacobian,
            self.tastes,
            self.policy._replace(**policy),
            processes(self.persistence, PERIODS),
        )[0]


def spending(tastes, steady):
    """Share of one more unit of cash that is spent within the quarter, by household (E, A)."""
    return differentiate(tastes, steady).c_slope


@pytest.fixture(scope="module")
def economies():
    return [Economy(row) for row in HeterogeneousAgents().propose(N, np.random.default_rng(7))]


def test_tightening_lowers_output_and_inflation(economies):
    for economy in economies:
        y, pi, _ = economy.respond()
        assert y[0, MONETARY] < 0
        assert pi[0, MONETARY] < 0


def test_technology_lowers_inflation_and_a_cost_push_raises_it(economies):
    for economy in economies:
        _, pi, _ = economy.respond()
        assert pi[0, TECHNOLOGY] < 0 < pi[0, COST_PUSH]


def test_purchases_raise_output_and_more_so_if_debt_pays_for_them(economies):
    """Ricardian equivalence fails: households that spend out of cash today feel taxes that come
    later less.
    """
    for economy in economies:
        balanced, deficit = (economy.respond(rho_b=rho_b)[0][0, FISCAL] for rho_b in (0.0, 0.9))
        assert 0 < balanced < deficit


def test_a_firmer_rule_holds_inflation_after_a_cost_push_nearer_to_target(economies):
    for economy in economies:
        assert abs(economy.respond(phi_pi=economy.policy.phi_pi + 0.2)[1][0, COST_PUSH]) < abs(
            economy.respond()[1][0, COST_PUSH]
        )


def test_more_flexible_prices_move_more_after_a_tightening(economies):
    for economy in economies:
        assert abs(economy.respond(kappa=1.2 * economy.policy.kappa)[1][0, MONETARY]) > abs(
            economy.respond()[1][0, MONETARY]
        )


def test_the_prior_is_determinate(economies):
    assert all(
        determinacy(economy.jacobian, economy.tastes, economy.policy) == Status.OK
        for economy in economies
    )


def test_households_save_for_precaution(economies):
    """beta (1 + r) < 1: without risk nobody would hold assets at this rate; more risk needs more
    impatience at the same debt.
    """
    for economy in economies:
        assert economy.steady.beta * (1 + economy.tastes.r) < 1
        riskier = calibrate(economy.tastes._replace(sd_e=1.1 * economy.tastes.sd_e), COARSE)
        assert riskier.beta < economy.steady.beta


def test_marginal_propensities_to_consume(economies):
    """Between those of permanent income and of hand-to-mouth, falling in wealth, lower where
    liquidity is ample.
    """
    for economy in economies:
        steady = economy.steady
        mpc = spending(economy.tastes, steady)
        assert 0.02 < steady.mean(mpc) < 0.4
        assert ((mpc > 0) & (mpc <= 1)).all()
        by_wealth = (steady.distribution * mpc).sum(axis=0) / steady.distribution.sum(axis=0).clip(
            1e-12
        )
        assert by_wealth[0] > 2 * by_wealth[60]
        liquid = economy.tastes._replace(debt=1.2 * economy.tastes.debt)
        richer = calibrate(liquid, COARSE)
        assert richer.mean(spending(liquid, richer)) < steady.mean(mpc)


def test_groups_keep_their_shares_and_add_up(economies):
    """A half, a tenth and those between are everybody; what they spend adds up to consumption, at
    rest and, with what each spends at its edge, whatever moves.
    """
    for economy in economies:
        steady = economy.steady
        owners = steady.distribution.sum(axis=0)
        poor, rich = groups(steady)
        assert owners @ poor.member == pytest.approx(0.5, abs=1e-12)
        assert owners @ rich.member == pytest.approx(0.1, abs=1e-12)
        between = 1 - poor.member - rich.member
        assert ((between >= -1e-12) & (between <= 1 + 1e-12)).all()
        spent = float((steady.distribution * steady.c).sum(axis=0) @ between)
        assert poor.spent + spent + rich.spent == pytest.approx(steady.mean(steady.c), abs=1e-12)
        assert poor.spent / 0.5 < spent / 0.4 < rich.spent / 0.1

        middle = between * steady.c + poor.replaced + rich.replaced
        ones, none = np.ones(steady.c.shape), np.zeros(steady.c.shape)
        summed = [
            Output(steady.c, by_cash=none, by_c=ones, by_n=none, by_called=none),
            Output(middle, by_cash=none, by_c=between * ones, by_n=none, by_called=none),
            *watched(steady),
        ]
        everybody, others, bottom, top = jacobian(economy.tastes, steady, summed, 60)
        parts = others + poor.spent * bottom + rich.spent * top
        assert np.abs(parts - everybody).max() < 1e-9 * np.abs(everybody).max()


def test_what_groups_spend_follows_a_distribution_that_moves(economies):
    """Of households as they are and a few moved, found anew: groups keep their shares, and what
    they spend moves by what their members are and whose places they take.
    """
    for economy in economies:
        steady = economy.steady
        moved = np.roll(steady.distribution, 3, axis=1)
        change = 1e-5 * (moved - steady.distribution)
        ends = (
            groups(dataclasses.replace(steady, distribution=steady.distribution + sign * change))
            for sign in (-1, 1)
        )
        for group, less, more in zip(groups(steady), *ends, strict=True):
            owners = (steady.distribution + change).sum(axis=0)
            share = steady.distribution.sum(axis=0) @ group.member
            assert owners @ more.member == pytest.approx(share, abs=1e-12)
            expected = np.vdot(group.member * steady.c - group.replaced, change)
            assert (more.spent - less.spent) / 2 == pytest.approx(expected, rel=1e-3)


def test_after_a_tightening_the_poorest_half_spends_less_by_more_than_the_richest_tenth():
    """On impact and over the first year. The rich are paid more for what they own; in most draws
    they spend less all the same.
    """
    world = HeterogeneousAgents()
    irf = world.irf(world.propose(N, np.random.default_rng(7)))[:, MONETARY]
    consumption, bottom, top = irf[:, :4, 3], irf[:, :4, 5], irf[:, :4, 6]
    assert (bottom[:, 0] < 0).all()
    assert (bottom[:, 0] < consumption[:, 0]).all()
    assert (consumption[:, 0] < top[:, 0]).all()
    assert (bottom.sum(axis=1) < top.sum(axis=1)).all()


def test_consumption_and_hours_are_what_output_leaves_and_takes():
    world = HeterogeneousAgents()
    theta = world.propose(3, np.random.default_rng(7))
    irf = world.irf(theta)
    size, rho = (theta[:, [SPEC.index(f"{kind}_{k}") for k in "zg"]] for kind in ("sigma", "rho"))
    technology, purchases = (size[:, k, None] * rho[:, k, None] ** np.arange(41) for k in range(2))
    for shock in range(4):
        bought = purchases * (shock == FISCAL)
        eased = technology * (shock == TECHNOLOGY)
        assert np.abs(irf[:, shock, :, 3] - irf[:, shock, :, 0] + bought).max() < 1e-12
        assert np.abs(irf[:, shock, :, 4] - irf[:, shock, :, 0] + eased).max() < 1e-12


def test_the_world_tells_its_marginal_propensity_to_consume():
    world = HeterogeneousAgents()
    assert world.mpc(SPEC.theta())[0] == pytest.approx(0.1177, abs=1e-4)
    poor_and_rich = np.concatenate([SPEC.theta(debt=3.0), SPEC.theta(debt=8.0)])
    less, more = world.mpc(poor_and_rich)
    assert less > 0.1177 > more
    assert np.isnan(world.mpc(SPEC.theta(debt=-1.0))).all()


def test_the_parameters_are_those_of_the_tuples():
    names = (*Tastes._fields, *Policy._fields)
    assert SPEC.parameter_names[: len(names)] == names
