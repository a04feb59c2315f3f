"""`rbc` against closed forms and its own equations, what matters for what, and what theory demands
of it.
"""

import numpy as np
import pytest

from emulator.spec import Status
from emulator.worlds import get_world

pytestmark = pytest.mark.fast

RBC = get_world("rbc")
SPEC = RBC.spec
TECHNOLOGY, GOVERNMENT, MONETARY = range(3)
OUTPUT, INFLATION, INTEREST, CONSUMPTION, INVESTMENT, HOURS = range(6)
THETA = RBC.sample(300, np.random.default_rng(0))


def changed(theta, **values):
    theta = theta.copy()
    for name, value in values.items():
        theta[:, SPEC.index(name)] = value
    return theta


def column(theta, name):
    return theta[:, SPEC.index(name)][:, None]


def test_full_depreciation_and_log_utility_have_a_closed_form():
    """Brock and Mirman (1972): hours are constant, k' = alpha beta y, so that y_h = a_h + alpha
    y_{h-1} in logs.

    Consumption follows output, hence the real rate is the expected growth of output; without
    smoothing, inflation is the discounted sum of expected real rates: phi_pi pi_h = y_{h+1} - y_h +
    pi_{h+1}.
    """
    theta = changed(
        THETA,
        sigma=1.0,
        delta=1.0,
        g_share=0.0,
        phi_pi=np.maximum(THETA[:, SPEC.index("phi_pi")], 1.05),
        rho_i=0.0,
    )
    irf = RBC.irf(theta, horizon=1500)[:, TECHNOLOGY]
    alpha, rho, size, phi = (
        column(theta, name)[:, 0] for name in ("alpha", "rho_a", "sigma_a", "phi_pi")
    )
    output = np.empty((len(theta), 1501))
    output[:, 0] = size
    for h in range(1, 1501):
        output[:, h] = size * rho**h + alpha * output[:, h - 1]
    inflation = np.zeros((len(theta), 1501))
    for h in range(1499, -1, -1):
        inflation[:, h] = (output[:, h + 1] - output[:, h] + inflation[:, h + 1]) / phi
    assert np.abs(irf[:, :40, OUTPUT] - output[:, :40]).max() < 1e-9
    assert np.abs(irf[:, :40, INFLATION] - 4 * inflation[:, :40]).max() < 1e-9


def test_the_rule_holds_along_every_response():
    irf = RBC.irf(THETA)
    rho_i, phi_pi, rho_m, size = (
        column(THETA, name) for name in ("rho_i", "phi_pi", "rho_m", "sigma_m")
    )
    for shock in range(3):
        policy = 4 * size * rho_m ** np.arange(41) * (shock == MONETARY)
        rate = irf[:, shock, :, INTEREST]
        before = np.concatenate([np.zeros((len(THETA), 1)), rate[:, :-1]], axis=1)
        assert (
            np.abs(
                rate - rho_i * before - (1 - rho_i) * phi_pi * irf[:, shock, :, INFLATION] - policy
            ).max()
            < 1e-9
        )


def test_money_is_neutral_and_a_tightening_only_lowers_inflation():
    """With the real rate at rest the nominal rate is expected inflation: it falls with it, however
    tight the rule is.
    """
    irf = RBC.irf(THETA)[:, MONETARY]
    assert np.abs(irf[:, :, OUTPUT]).max() < 1e-10
    assert (irf[:, 0, INFLATION] < 0).all()
    assert np.abs(irf[:, :-1, INTEREST] - irf[:, 1:, INFLATION]).max() < 1e-10


def test_technology_and_purchases_raise_output():
    irf = RBC.irf(THETA)
    assert (irf[:, [TECHNOLOGY, GOVERNMENT], 0, OUTPUT] > 0).all()


def test_output_is_what_is_used_and_what_hours_and_capital_produce():
    """In percent of the steady state: the goods market adds up by shares of output, and hours with
    the capital that investment has built produce it.
    """
    irf = RBC.irf(THETA)
    alpha, beta, delta, spending = (
        column(THETA, name)[:, None] for name in ("alpha", "beta", "delta", "g_share")
    )
    invested = delta * alpha / (1 / beta - 1 + delta)
    technology, purchases = np.zeros((2, len(THETA), 3, 41))
    for process, shock, letter in ((technology, TECHNOLOGY, "a"), (purchases, GOVERNMENT, "g")):
        size, rho = (column(THETA, f"{kind}_{letter}") for kind in ("sigma", "rho"))
        process[:, shock] = size * rho ** np.arange(41)
    uses = (1 - invested - spending) * irf[..., CONSUMPTION] + invested * irf[..., INVESTMENT]
    assert np.abs(uses + spending * purchases - irf[..., OUTPUT]).max() < 1e-9
    capital = np.zeros((len(THETA), 3, 41))
    for h in range(40):
        capital[..., h + 1] = (1 - delta[..., 0]) * capital[..., h] + (
            delta[..., 0] * irf[..., h, INVESTMENT]
        )
    produced = technology + alpha * capital + (1 - alpha) * irf[..., HOURS]
    assert np.abs(produced - irf[..., OUTPUT]).max() < 1e-9


def test_households_work_and_save_for_what_the_government_takes():
    """Purchases are paid by lump-sum taxes: consumption falls and hours rise on impact, for every
    draw; better technology raises consumption and investment.
    """
    impact = RBC.irf(THETA, horizon=0)[:, :, 0]
    assert (impact[:, GOVERNMENT, CONSUMPTION] < 0).all()
    assert (impact[:, GOVERNMENT, HOURS] > 0).all()
    assert (impact[:, TECHNOLOGY][:, [CONSUMPTION]] > 0).all()


def test_purchases_raise_output_more_where_labour_supply_is_more_elastic():
    """Baxter and King (1993): purchases act on output through the supply of labour alone."""
    low, high = (
        RBC.irf(changed(THETA, frisch=frisch))[:, GOVERNMENT, 0, OUTPUT] for frisch in (0.5, 3.0)
    )
    assert (high > low).all()
    inelastic = RBC.irf(changed(THETA, frisch=1e-9))[:, GOVERNMENT, 0, OUTPUT]
    assert np.abs(inelastic).max() < 1e-6


def test_the_split_between_real_and_nominal_is_clean():
    """Output does not depend on the rule or on monetary shocks; everything nominal depends on
    everything.
    """
    base = RBC.irf(THETA)
    nominal = {"phi_pi", "rho_i", "rho_m", "sigma_m"}
    own = {
        f"{kind}_{letter}": shock for shock, letter in enumerate("agm") for kind in ("rho", "sigma")
    }
    for k, name in enumerate(SPEC.parameter_names):
        step = 0.01 * (SPEC.high[k] - SPEC.low[k])
        effect = np.abs(RBC.irf(changed(THETA, **{name: THETA[:, k] + step})) - base).max(
            axis=2
        )  # draw, shock, observable
        real, prices = effect[:, :, OUTPUT], effect[:, :, [INFLATION, INTEREST]].max(axis=2)
        moved = {own[name]} if name in own else {TECHNOLOGY, GOVERNMENT, MONETARY}
        for shock in range(3):
            assert (
                (real[:, shock] > 1e-8).all()
                if shock in moved - {MONETARY} and name not in nominal
                else (real[:, shock] < 1e-8).all()
            ), (name, shock)
            neutral = shock == MONETARY and name not in nominal
            assert (
                (prices[:, shock] > 1e-8).all()
                if shock in moved and not neutral
                else (prices[:, shock] < 1e-8).all()
            ), (name, shock)


def test_determinacy_is_the_taylor_principle():
    theta = RBC.propose(4000, np.random.default_rng(1))
    phi_pi = theta[:, SPEC.index("phi_pi")]
    clear = np.abs(phi_pi - 1) > 1e-4
    expected = np.where(phi_pi > 1, Status.OK, Status.INDETERMINATE)
    assert (RBC.status(theta)[clear] == expected[clear]).all()


def test_one_draw_in_twenty_one_is_refused():
    """The range of phi_pi begins at 0.9: 0.1 of its width of 2.1 lies below one."""
    draws = RBC.draw(20_000, np.random.default_rng(2))
    assert set(draws.rejections) == {"indeterminate"}
    assert draws.rejections["indeterminate"] / (
        20_000 + draws.rejections["indeterminate"]
    ) == pytest.approx(0.1 / 2.1, abs=0.005)
