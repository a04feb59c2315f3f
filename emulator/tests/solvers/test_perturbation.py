"""Second and third order on models whose rules are known, and by their own equations."""

import numpy as np
import pytest

from emulator.modfile import load_text
from emulator.modfile.compiling.rules import decision_rules, states_of
from emulator.solvers.filters import FIRST_DIFFERENCE, hodrick_prescott
from emulator.solvers.perturbation import (
    mean_responses,
    pruned_moments,
    simulate,
    simulated_responses,
    stochastic_steady_state,
)
from emulator.solvers.second_moments import autocovariances, stationary_part
from emulator.tests.solvers.dense_pruned import combinations, folded, mean_and_recursion

pytestmark = pytest.mark.fast

GROWTH = """var c k a; varexo e; parameters beta alpha rho gamma delta;
beta = 0.95; alpha = 0.35; rho = 0.8; gamma = {gamma}; delta = {delta};
model;
  c^(-gamma) = beta*c(+1)^(-gamma)*(alpha*exp(a(+1))*k^(alpha-1) + 1 - delta);
  c + k = exp(a)*k(-1)^alpha + (1-delta)*k(-1);
  a = rho*a(-1) + e;
end;
steady_state_model;
  a = 0; k = ((1/beta - 1 + delta)/alpha)^(1/(alpha-1)); c = k^alpha - delta*k;
end;
shocks; var e; stderr {size}; end;
stoch_simul(order=3);
"""

PRICE = """var p z; varexo u; parameters rho; rho = 0.9;
model;
  p = exp(z(+1));
  z = rho*z(-1) + u;
end;
initval; p = 1; z = 0; end;
steady;
shocks; var u; stderr 0.3; end;
stoch_simul(order=3);
"""

SEVERAL = """var x y w z; varexo e u; parameters a b; a = 0.7; b = 0.5;
model;
  x = a*x(-1) + 0.2*x(-1)^2 + 0.3*x(-1)*e + e + 0.1*z(-1)^3;
  z = b*z(-1) + u + 0.15*u^2 + 0.1*x(-1)*z(-1) + 0.05*u^3;
  y = 0.5*y(+1) + x*z + 0.1*x^2*e;
  w = exp(0.3*x + 0.2*z) - 1;
end;
initval; x = 0; y = 0; w = 0; z = 0; end;
steady;
shocks; var e; stderr 0.4; var u; stderr 0.5; var e, u = 0.05; end;
stoch_simul(order=3);
"""


def growth(gamma=2.0, delta=0.1, size=0.05):
    return load_text(GROWTH.format(gamma=gamma, delta=delta, size=size), "growth.mod")


def solved(model, order=3, **theta):
    rules, status = decision_rules(model, model.theta(theta), order)
    assert not status.any()
    return rules.of(slice(0, len(model.variables)))


def test_log_utility_and_full_depreciation_have_the_rule_of_the_textbook():
    """k = alpha beta exp(a) k_1^alpha (Brock and Mirman 1972), whatever the risk."""
    model = growth(gamma=1.0, delta=1.0, size=0.1)
    rules = solved(model)
    alpha, beta, rho, k = 0.35, 0.95, 0.8, (0.35 * 0.95) ** (1 / 0.65)
    row = model.variables.index("k")
    states = [model.all_variables[s] for s in states_of(model)]
    assert states == ["k", "a"]
    by_k = np.array([k, alpha, alpha * (alpha - 1) / k, alpha * (alpha - 1) * (alpha - 2) / k**2])
    power = {"k": 0, "a": 1, "e": 2}
    size = {0: None, 1: rho, 2: 0.1}
    for order, array in ((1, rules.first), (2, rules.second), (3, rules.third)):
        for place in np.ndindex(array.shape[2:]):
            times_k = sum(p == power["k"] for p in place)
            rest = np.prod([size[p] for p in place if p != power["k"]])
            assert array[(0, row, *place)] == pytest.approx(by_k[times_k] * rest, abs=1e-11), order
    np.testing.assert_allclose(rules.risk[0], 0, atol=1e-12)
    np.testing.assert_allclose(rules.risk_slope[0], 0, atol=1e-11)
    assert beta == 0.95


def test_risk_is_that_of_an_expected_exponential():
    """p = E exp(z') = exp(rho z + s^2 / 2)."""
    model = load_text(PRICE, "price.mod")
    rules = solved(model)
    row = model.variables.index("p")
    rho, s = 0.9, 0.3
    slope = np.array([rho**2, rho * s])  # z = rho z_1 + u, one period more
    np.testing.assert_allclose(rules.first[0, row], slope)
    np.testing.assert_allclose(rules.second[0, row], np.outer(slope, slope))
    np.testing.assert_allclose(rules.third[0, row], np.einsum("i,j,k->ijk", slope, slope, slope))
    assert rules.risk[0, row] == pytest.approx(s**2)
    np.testing.assert_allclose(rules.risk_slope[0, row], slope * s**2)
    assert stochastic_steady_state(rules)[0, row] == pytest.approx(s**2 / 2)


@pytest.mark.parametrize("order", [2, 3])
def test_errors_of_the_euler_equation_are_of_the_next_order(order):
    """Evaluated with quadrature at states and risk that shrink together."""
    model = growth(gamma=3.0)
    theta = model.theta()[0]
    beta, alpha, rho, gamma, delta = theta[:5]
    steady = dict(zip(model.variables, model.steady_state(theta[None])[0], strict=True))
    rules = solved(model, order)
    c, k = model.variables.index("c"), model.variables.index("k")
    nodes, weights = np.polynomial.hermite_e.hermegauss(9)
    weights = weights / weights.sum()

    def rule(row, v, sigma):
        value = rules.first[0, row] @ v + 0.5 * v @ rules.second[0, row] @ v
        value += 0.5 * rules.risk[0, row] * sigma**2
        if order == 3:
            value += np.einsum("ijk,i,j,k->", rules.third[0, row], v, v, v) / 6
            value += 0.5 * rules.risk_slope[0, row] @ v * sigma**2
        return value + steady[model.variables[row]]

    def error(scale):
        v = scale * np.array([0.3, 0.06, 0.8])  # k, a, the shock
        a = rho * v[1] + 0.05 * v[2]
        capital, consumption = rule(k, v, scale), rule(c, v, scale)
        later = 0.0
        for node, weight in zip(nodes, weights, strict=True):
            ahead = np.array([capital - steady["k"], a, scale * node])
            z = rho * a + 0.05 * scale * node
            gross = alpha * np.exp(z) * capital ** (alpha - 1) + 1 - delta
            later += weight * rule(c, ahead, scale) ** (-gamma) * gross
        return consumption ** (-gamma) - beta * later

    large, small = error(0.2), error(0.1)
    assert abs(large) > 1e-9
    assert abs(large / small) == pytest.approx(2 ** (order + 1), rel=0.2)


def test_a_model_that_looks_only_back_has_the_rules_of_one_that_looks_ahead_beside():
    """Dynare 5.3 refuses the first at higher order; the second it solves, with these numbers."""
    text = """var y z MORE; varexo e; parameters r; r = 0.9;
    model; y = r*y(-1) + e + 0.1*y(-1)^2; z = exp(y); EQUATION end;
    initval; y = 0; z = 1; end; steady;
    shocks; var e; stderr 0.1; end;
    stoch_simul(order=3);"""
    back = load_text(text.replace("MORE", "").replace("EQUATION", ""), "m.mod")
    equation = "w = 0.5*w(+1) + y;"
    ahead = load_text(text.replace("MORE", "w").replace("EQUATION", equation), "m.mod")
    rules, beside = solved(back), solved(ahead).of([0, 1])
    for name in ("first", "second", "risk", "third", "risk_slope"):
        np.testing.assert_allclose(getattr(rules, name), getattr(beside, name), atol=1e-13)
    np.testing.assert_allclose(rules.third[0, 1, 0, 0, 0], 1.269)
    moments = pruned_moments(rules, 1)
    np.testing.assert_allclose(moments.mean[0] + [0, 1], [5.263157894736845e-02, 1.078947368421053])
    expected = [[6.423348946464645e-02, 7.165076591089660e-02], [0, 8.142721637954266e-02]]
    upper = np.triu_indices(2)
    np.testing.assert_allclose(moments.covariances[0, 0][upper], np.array(expected)[upper])


def test_a_batch_is_its_draws_one_by_one():
    model = growth()
    gammas = np.array([1.0, 2.0, 5.0])
    together = solved(model, gamma=gammas)
    for k, gamma in enumerate(gammas):
        alone = solved(model, gamma=gamma)
        for name in ("first", "second", "risk", "third", "risk_slope"):
            np.testing.assert_allclose(
                getattr(together, name)[k], getattr(alone, name)[0], rtol=1e-9, atol=1e-11
            )


def test_a_draw_without_a_solution_is_nan_and_leaves_the_others_alone():
    model = growth()
    theta = model.theta(rho=np.array([0.8, 1.2]))
    rules, status = decision_rules(model, theta, 3)
    assert status[0] == 0 != status[1]
    assert list(rules.solved) == [True, False]


def test_pruned_paths_are_sums_of_three_linear_ones():
    """One period after another, by the formulas of Andreasen and others, with loops."""
    model = load_text(SEVERAL, "several.mod")
    rules = solved(model)
    shocks = np.random.default_rng(1).standard_normal((1, 6, 2))
    own, s = rules.of_states, rules.n_states
    x1, x2, x3 = (np.zeros(s) for _ in range(3))

    def terms(r, e):
        v, none = np.concatenate([x1, e]), np.zeros(len(e))
        second, third = np.concatenate([x2, none]), np.concatenate([x3, none])
        g, g2, g3 = r.first[0], r.second[0], r.third[0]
        yield g @ v
        yield g @ second + 0.5 * (g2 @ v) @ v + 0.5 * r.risk[0]
        yield (g @ third + (g2 @ second) @ v + ((g3 @ v) @ v) @ v / 6 + 0.5 * r.risk_slope[0] @ v)

    path = simulate(rules, shocks)[0]
    for period, e in enumerate(shocks[0]):
        np.testing.assert_allclose(path[period], sum(terms(rules, e)), rtol=1e-10, atol=1e-13)
        x1, x2, x3 = terms(own, e)


@pytest.mark.parametrize("order", [2, 3])
def test_moments_are_those_of_long_paths(order):
    model = load_text(SEVERAL, "several.mod")
    rules = solved(model, order)
    mean, (covariances,), _ = pruned_moments(rules, 2)
    n, periods = 100, 600
    shocks = np.random.default_rng(3).standard_normal((n, periods + 100, 2))
    paths = simulate(rules.at(np.zeros(n, dtype=int)), shocks)[:, 100:]
    by_path = paths.mean(axis=1)
    spread = by_path.std(axis=0) / np.sqrt(n)
    assert (np.abs(by_path.mean(axis=0) - mean[0]) < 4.5 * spread).all()
    apart = paths - mean[0]
    for lag in range(3):
        products = np.einsum("nto,ntp->nop", apart[:, lag:], apart[:, : periods - lag])
        products = products / (periods - lag)
        errors = products.std(axis=0) / np.sqrt(n)
        assert (np.abs(products.mean(axis=0) - covariances[lag]) < 4.5 * errors).all(), lag


@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize("by", [None, hodrick_prescott(1600.0), FIRST_DIFFERENCE])
def test_moments_are_those_of_the_recursion_of_all_products(order, by):
    """Found part by part, they are those of the recursion whose state holds every product."""
    rules = solved(load_text(SEVERAL, "several.mod"), order).at(np.zeros(2, dtype=int))
    mean, recursion, _ = mean_and_recursion(rules)
    recursion = recursion if by is None else recursion.filtered(by)
    expected = autocovariances(stationary_part(recursion)[0], 3)
    moments = pruned_moments(rules, 3, by)
    np.testing.assert_allclose(moments.mean, mean, rtol=1e-12, atol=1e-14)
    size = np.sqrt(np.einsum("noo->no", expected[:, 0]))
    scale = (size[:, :, None] * size[:, None, :])[:, None]
    assert moments.stationary.all()
    np.testing.assert_allclose(moments.covariances / scale, expected / scale, atol=1e-12)


def test_moments_of_third_order_of_a_model_of_more_than_twenty_states():
    """Lags of a variable are states that change nothing, and have its autocovariances."""
    lagged = SEVERAL.replace("var x y w z;", "var x y w z before long_before;").replace(
        "end;\ninitval;", "  before = x(-4);\n  long_before = x(-21);\nend;\ninitval;"
    )
    model = load_text(lagged, "several.mod")
    rules = solved(model)
    assert rules.n_states == 22
    (covariances,) = pruned_moments(rules, 1).covariances
    recursion = mean_and_recursion(solved(load_text(SEVERAL, "several.mod")))[1]
    expected = autocovariances(recursion, 22)[0]
    np.testing.assert_allclose(covariances[:2, :4, :4], expected[:2], rtol=1e-10, atol=1e-13)
    for place, lag in ((4, 4), (5, 21)):
        np.testing.assert_allclose(covariances[0, :4, place], expected[lag, :, 0], rtol=1e-10)
    np.testing.assert_allclose(covariances[0, 4, 5], expected[17, 0, 0], rtol=1e-10)


def test_moments_of_states_that_all_but_follow_each_other_keep_their_digits():
    """A variable that is a small difference of two large ones, beside the same by itself."""
    text = SEVERAL.replace("var x y w z;", "var x y w z big small;").replace(
        "end;\ninitval;",
        "  big = 0.9*big(-1) + 1e4*z;\n  small = big - 0.9*big(-1) - 1e4*z + x;\nend;\ninitval;",
    )
    model = load_text(text, "several.mod")
    moments = pruned_moments(solved(model), 1)
    x, small = model.variables.index("x"), model.variables.index("small")
    covariances = moments.covariances[0]
    np.testing.assert_allclose(covariances[:, small, small], covariances[:, x, x], rtol=1e-9)


@pytest.mark.parametrize("order", [2, 3])
def test_mean_responses_are_the_mean_of_simulated_ones(order):
    model = load_text(SEVERAL, "several.mod")
    rules = solved(model, order)
    path = np.zeros((1, 6, 2))
    path[0, 0], path[0, 2, 0] = (1.5, -0.5), -1.0
    shocks = np.random.default_rng(5).standard_normal((400, 46, 2))
    repeated = rules.at(np.zeros(len(shocks), dtype=int))
    pulsed = shocks.copy()
    pulsed[:, 40:] += path
    each = (simulate(repeated, pulsed) - simulate(repeated, shocks))[:, 40:]
    np.testing.assert_allclose(simulated_responses(rules, path, shocks, 40)[0], each.mean(axis=0))
    error = each.std(axis=0) / np.sqrt(len(each))
    expected = mean_responses(rules, path)[0]
    assert (np.abs(each.mean(axis=0) - expected) < 4.5 * error + 1e-12).all()


def test_responses_of_a_linear_state_need_no_distribution_at_second_order():
    """A random walk has none; its second-order responses are answered, the third are not."""
    text = PRICE.replace("rho = 0.9", "rho = 1")
    model = load_text(text, "walk.mod")
    path = np.zeros((1, 3, 1))
    path[0, 0] = 1.0
    second = mean_responses(solved(model, 2), path)
    assert np.isfinite(second).all()
    assert np.isnan(mean_responses(solved(model, 3), path)).any()


def test_rules_of_any_variables_keep_those_of_the_states():
    rules = solved(load_text(SEVERAL, "several.mod"))
    last = rules.of([3])
    np.testing.assert_array_equal(last.second, rules.second[:, [3]])
    np.testing.assert_array_equal(last.of_states.first, rules.of_states.first)


def test_products_are_folded_once_each():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(3)
    for order in (2, 3):
        form = rng.standard_normal((2, *(3,) * order))
        whole = form
        for _ in range(order):
            whole = whole @ x
        products = np.prod(x[combinations(3, order)], axis=1)
        np.testing.assert_allclose(folded(form, order) @ products, whole)
