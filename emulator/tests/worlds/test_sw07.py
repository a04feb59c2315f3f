"""`sw07` against the authors' own model at the published mode, its prior, and what theory demands
of it.
"""

import csv
from importlib.resources import files

import numpy as np
import pytest
from scipy.special import ndtri

from emulator.worlds import from_source, get_world

SW07 = get_world("sw07")
SPEC = SW07.spec
REFERENCE = files("emulator.tests") / "reference" / "sw07"
OUTPUT, INFLATION, INTEREST, CONSUMPTION, INVESTMENT, HOURS, WAGE = range(7)
SHOCKS = "abgirpw"
THETA = SW07.sample(200, np.random.default_rng(0))

# Smets and Wouters (2007), Tables 1A and 1B: shape, mean and standard deviation of the prior;
# posterior mode
TABLE_1 = {
    "varphi": ("normal", 4.00, 1.50, 5.48),
    "sigma_c": ("normal", 1.50, 0.37, 1.39),
    "h": ("beta", 0.70, 0.10, 0.71),
    "xi_w": ("beta", 0.50, 0.10, 0.73),
    "sigma_l": ("normal", 2.00, 0.75, 1.92),
    "xi_p": ("beta", 0.50, 0.10, 0.65),
    "iota_w": ("beta", 0.50, 0.15, 0.59),
    "iota_p": ("beta", 0.50, 0.15, 0.22),
    "psi": ("beta", 0.50, 0.15, 0.54),
    "phi_p": ("normal", 1.25, 0.12, 1.61),
    "r_pi": ("normal", 1.50, 0.25, 2.03),
    "rho": ("beta", 0.75, 0.10, 0.81),
    "r_y": ("normal", 0.12, 0.05, 0.08),
    "r_dy": ("normal", 0.12, 0.05, 0.22),
    "beta_bar": ("gamma", 0.25, 0.10, 0.16),
    "gamma_bar": ("normal", 0.40, 0.10, 0.43),
    "alpha": ("normal", 0.30, 0.05, 0.19),
    "rho_a": ("beta", 0.50, 0.20, 0.95),
    "rho_b": ("beta", 0.50, 0.20, 0.18),
    "rho_g": ("beta", 0.50, 0.20, 0.97),
    "rho_i": ("beta", 0.50, 0.20, 0.71),
    "rho_r": ("beta", 0.50, 0.20, 0.12),
    "rho_p": ("beta", 0.50, 0.20, 0.90),
    "rho_w": ("beta", 0.50, 0.20, 0.97),
    "mu_p": ("beta", 0.50, 0.20, 0.74),
    "mu_w": ("beta", 0.50, 0.20, 0.88),
    "rho_ga": ("beta", 0.50, 0.20, 0.52),
    "sigma_a": ("inv_gamma", 0.10, 2.00, 0.45),
    "sigma_b": ("inv_gamma", 0.10, 2.00, 0.24),
    "sigma_g": ("inv_gamma", 0.10, 2.00, 0.52),
    "sigma_i": ("inv_gamma", 0.10, 2.00, 0.45),
    "sigma_r": ("inv_gamma", 0.10, 2.00, 0.24),
    "sigma_p": ("inv_gamma", 0.10, 2.00, 0.14),
    "sigma_w": ("inv_gamma", 0.10, 2.00, 0.24),
}


def read(name):
    header, *rows = csv.reader((REFERENCE / name).read_text().splitlines())
    return header, np.array(rows, dtype=object)


def changed(theta, **values):
    theta = theta.copy()
    for name, value in values.items():
        theta[:, SPEC.index(name)] = value
    return theta


def column(theta, name):
    return theta[:, SPEC.index(name)]


def published_mode():
    header, rows = read("mode_theta.csv")
    values = dict(zip(header, rows[0].astype(float), strict=True))
    return SPEC.theta({name: values[name] for name in SPEC.parameter_names})


def test_the_published_modes_responses_are_reproduced():
    """Every shock, 21 quarters: the authors' file in Dynare at their mode file (see the README of
    the reference).
    """
    header, rows = read("mode_irfs.csv")
    columns = [header.index(name) for name in ("y", "pi", "r", "c", "inv", "l", "w")]
    table = rows[:, columns].astype(float).reshape(7, 21, 7) * [1, 4, 4, 1, 1, 1, 1]
    assert rows[::21, 0].tolist() == [f"eta_{letter}" for letter in SHOCKS]
    assert np.abs(SW07.irf(published_mode(), horizon=20)[0] - table).max() < 1e-8


def test_the_whole_economy_is_reproduced_at_the_published_mode():
    """Flexible output too, in the file's own units."""
    header, rows = read("mode_irfs.csv")
    theta = SW07.model.theta(dict(zip(SPEC.parameter_names, published_mode().T, strict=True)))
    solution = SW07.model.solve(theta)
    names = [SW07.model.all_variables.index(name) for name in header[2:]]
    state, response = solution.impact[0], []
    for _ in range(21):
        response.append(state[names].T)
        state = solution.transition[0] @ state
    assert (
        np.abs(np.stack(response, axis=1) - rows[:, 2:].astype(float).reshape(7, 21, -1)).max()
        < 1e-8
    )


def test_the_defaults_are_the_published_mode():
    assert tuple(TABLE_1) == SPEC.parameter_names
    assert SPEC.theta()[0] == pytest.approx(published_mode()[0], rel=1e-5)
    for parameter in SPEC.parameters:  # the table cuts some figures off and rounds others
        assert abs(parameter.default - TABLE_1[parameter.name][3]) < 0.01, parameter.name


def test_the_priors_are_the_papers():
    """The table prints two decimals of 0.375 and 0.125; the ranges cut off less than 2.5 % of each
    prior.
    """
    for name, (shape, mean, sd, _) in TABLE_1.items():
        prior = SW07.priors[name]
        assert prior.prior == shape, name
        assert prior.mean == pytest.approx(mean, abs=0.0051), name
        assert prior.sd == pytest.approx(sd, abs=0.0051), name
        below, upto = prior.probability(np.array([prior.low, prior.high]))
        assert below + 1 - upto < 0.025, name


def test_the_published_mode_lies_well_within_the_draws():
    """Its squared normal scores among the draws add up to no more than those of most draws do (of
    34 parameters, their mean is 34); under the priors alone they would add up to 109.
    """
    scores = 0.0
    for name, value in zip(SPEC.parameter_names, SPEC.theta()[0], strict=True):
        below, at, upto = SW07.priors[name].proposal.probability(
            np.array([SPEC.low[SPEC.index(name)], value, SPEC.high[SPEC.index(name)]])
        )
        scores += ndtri((at - below) / (upto - below)) ** 2
    assert scores < 34


def test_one_draw_in_two_hundred_is_refused_for_strong_complements():
    """Consumption and hours are complements where sigma_c is below one; strong ones can be
    indeterminate.
    """
    draws = SW07.draw(4000, np.random.default_rng(1))
    assert set(draws.rejections) <= {"indeterminate", "explosive"}
    assert 0.0005 < len(draws.rejected_theta) / (4000 + len(draws.rejected_theta)) < 0.01
    assert (
        column(draws.rejected_theta, "sigma_c").mean() < 0.8 < column(draws.theta, "sigma_c").mean()
    )


def test_every_parameter_matters_exactly_where_theory_says_so():
    """A shock's own persistence, moving average and size move its own responses alone; everything
    else moves all.
    """
    base = SW07.irf(THETA)
    own = {
        f"{kind}_{letter}": {shock}
        for shock, letter in enumerate(SHOCKS)
        for kind in ("rho", "sigma")
    }
    own |= {
        "mu_p": {5},
        "mu_w": {6},
        "rho_ga": {0},
        "rho_g": {0, 2},
    }  # spending answers to technology
    size = np.abs(base).max(axis=(2, 3))
    for name in SPEC.parameter_names:
        moved = changed(THETA, **{name: column(THETA, name) * 0.999})
        effect = np.abs(SW07.irf(moved, on_failure="nan") - base).max(axis=(2, 3)) / size
        for shock in range(7):
            if shock in own.get(name, set(range(7))):
                assert (np.nan_to_num(effect[:, shock], nan=1.0) > 1e-9).mean() > 0.99, (
                    name,
                    shock,
                )
            else:
                assert np.nanmax(effect[:, shock]) < 1e-9, (name, shock)


def test_what_is_used_adds_up_to_what_hours_and_capital_produce():
    """Capital services that the production function (5) leaves to hours and output are the capital
    that investment builds (8), used as its rental rate (11) asks (7); with their cost, consumption
    and investment add up to output (1).
    """
    names = ("phi_p", "alpha", "psi", "varphi", "gamma_bar", "beta_bar", "sigma_c", "rho_ga")
    phi, alpha, psi, varphi, gamma_bar, beta_bar, sigma_c, rho_ga = (
        column(THETA, name)[:, None, None] for name in names
    )
    gamma = 1 + gamma_bar / 100
    rental = gamma**sigma_c * (1 + beta_bar / 100) - 0.975
    share = (gamma - 0.975) * alpha / rental
    processes = {
        letter: column(THETA, f"sigma_{letter}")[:, None]
        * column(THETA, f"rho_{letter}")[:, None] ** np.arange(41)
        for letter in "agi"
    }
    technology, spending, installing = np.zeros((3, len(THETA), 7, 41))
    technology[:, 0] = processes["a"]
    spending[:, 0] = processes["g"] * (column(THETA, "sigma_a") / column(THETA, "sigma_g"))[:, None]
    spending *= rho_ga
    spending[:, 2] = processes["g"]
    installing[:, 3] = processes["i"]

    irf = SW07.irf(THETA)
    output, consumption = irf[..., OUTPUT], irf[..., CONSUMPTION]
    services = (output / phi - technology - (1 - alpha) * irf[..., HOURS]) / alpha
    used = (1 - psi) / psi * (irf[..., HOURS] + irf[..., WAGE] - services)
    capital = np.zeros_like(output)
    left = 0.975 / gamma
    for h in range(40):
        capital[..., h + 1] = (
            left[..., 0] * capital[..., h]
            + (1 - left[..., 0]) * irf[..., h, INVESTMENT]
            + ((1 - left) * gamma**2 * varphi)[..., 0] * installing[..., h]
        )
    uses = (0.82 - share) * consumption + share * irf[..., INVESTMENT] + alpha * used + spending
    assert np.abs(uses - output).max() < 1e-8
    assert np.abs(capital + used - services).max() < 1e-8


def test_spending_answers_to_technology_by_rho_ga():
    """eta_a enters exogenous spending with rho_ga: its responses are linear in rho_ga, the slope a
    spending shock's response.
    """
    low, high = (SW07.irf(changed(THETA, rho_ga=value))[:, 0] for value in (0.25, 0.75))
    spending = SW07.irf(THETA)[:, 2]
    slope = 0.5 * (column(THETA, "sigma_a") / column(THETA, "sigma_g"))[:, None, None] * spending
    assert np.abs(high - low - slope).max() < 1e-9


@pytest.mark.parametrize(("letter", "shock"), [("p", 5), ("w", 6)])
def test_a_markup_whose_roots_cancel_is_white_noise(letter, shock):
    """An ARMA(1, 1) with mu = rho is white noise, whatever the two are."""
    one, other = (
        SW07.irf(changed(THETA, **{f"rho_{letter}": value, f"mu_{letter}": value}))[:, shock]
        for value in (0.3, 0.8)
    )
    assert np.abs(one - other).max() < 1e-9


def test_a_shock_twice_as_large_doubles_its_own_responses():
    base = SW07.irf(THETA)
    for shock, letter in enumerate(SHOCKS):
        twice = SW07.irf(
            changed(THETA, **{f"sigma_{letter}": 2 * column(THETA, f"sigma_{letter}")})
        )
        others = [k for k in range(7) if k != shock]
        assert np.abs(twice[:, shock] - 2 * base[:, shock]).max() < 1e-12
        assert (twice[:, others] == base[:, others]).all()


def test_signs_over_the_prior():
    """On impact and over the whole prior: what demand and policy do to output and inflation."""
    impact = SW07.irf(THETA, horizon=0)[:, :, 0]
    demand, spending, investment, policy, prices = 1, 2, 3, 4, 5
    assert (impact[:, [demand, spending, investment], OUTPUT] > 0).all()
    assert (impact[:, demand, : INTEREST + 1] > 0).all()
    assert (impact[:, demand][:, [CONSUMPTION, INVESTMENT]] > 0).all()
    assert (impact[:, policy, [OUTPUT]] < 0).all()
    assert (impact[:, policy, [INFLATION]] < 0).all()
    assert (impact[:, prices, INFLATION] > 0).all()
    assert (impact[:, 0, [INFLATION]] < 0).all()  # technology lowers costs


def test_prices_that_change_less_often_make_inflation_answer_less_to_policy():
    flexible, sticky = (
        np.abs(SW07.irf(changed(THETA, xi_p=xi))[:, 4, 0, INFLATION]) for xi in (0.5, 0.8)
    )
    assert (sticky < flexible).all()


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("slice: [sigma_c]", "slice: [h]", True),
        ("drawn: {prior: normal, mean: 5, sd: 2}, ", "", True),
        ('title: "Smets', 'title: "Mets', True),
        ("high: 15.0", "high: 14.0", False),
    ],
)
def test_what_is_held_out_is_not_the_model(old, new, same):
    """A network knows its world by the model's definition: ranges belong to it, the choice of a
    test region does not.
    """
    texts = SW07.texts
    other = from_source(texts.model_copy(update={"mapping": texts.mapping.replace(old, new)}))
    assert texts.mapping.count(old) == 1
    assert (other.spec.definition == SW07.spec.definition) is same
