"""Discretion against its closed form, against backward induction from a last period, and where
there is none.
"""

import numpy as np
import pytest

from emulator.solvers.discretion import solve_discretion
from emulator.spec import Status

pytestmark = pytest.mark.fast

PI, X, RATE, U = range(4)


def cost_push(beta, kappa, rho):
    """Private equations of pi, x, i, u: Phillips curve, IS curve, process of the shock."""
    n = len(kappa)
    lead, current, lag = (np.zeros((n, 3, 4)) for _ in range(3))
    shock = np.zeros((n, 3, 1))
    current[:, 0, PI] = 1.0
    current[:, 0, X] = -kappa
    current[:, 0, U] = -1.0
    lead[:, 0, PI] = -beta
    current[:, 1, X] = current[:, 1, RATE] = 1.0
    lead[:, 1, X] = lead[:, 1, PI] = -1.0
    current[:, 2, U] = 1.0
    lag[:, 2, U] = -rho
    shock[:, 2, 0] = -1.0
    return lead, current, lag, shock


def squares(n, *weights):
    return np.broadcast_to(np.diag(weights).astype(float), (n, len(weights), len(weights))).copy()


def test_responses_are_those_of_the_closed_form():
    """Galí (2015), Monetary Policy, Inflation, and the Business Cycle, ch. 5: pi = weight q u and x
    = -kappa q u with q = 1 / (kappa^2 + weight (1 - beta rho)).
    """
    rng = np.random.default_rng(1)
    beta, kappa, rho = rng.uniform([0.9, 0.02, 0.0], [1.0, 0.5, 0.95], (200, 3)).T
    weight = rng.uniform(0.05, 2.0, 200)
    loss = squares(200, 1.0, 0.0, 0.0, 0.0)
    loss[:, X, X] = weight
    solution = solve_discretion(*cost_push(beta, kappa, rho), loss, beta, [RATE])
    assert (solution.status == Status.OK).all()
    q = 1 / (kappa**2 + weight * (1 - beta * rho))
    np.testing.assert_allclose(solution.impact[:, PI, 0], weight * q, rtol=1e-11)
    np.testing.assert_allclose(solution.impact[:, X, 0], -kappa * q, rtol=1e-11)
    np.testing.assert_allclose(solution.transition[:, PI, U], rho * weight * q, rtol=1e-10)


def with_states(rng):
    """Four variables, two of them instruments, with lags of everything; stable enough."""
    lead = 0.2 * rng.normal(size=(1, 2, 4))
    current = np.concatenate([np.eye(2) * 3, rng.normal(size=(2, 2))], axis=1)[None]
    lag = 0.5 * rng.normal(size=(1, 2, 4))
    shock = rng.normal(size=(1, 2, 2))
    root = rng.normal(size=(4, 4))
    return lead, current, lag, shock, (root @ root.T)[None]


def backward(lead, current, lag, weights, discount, instruments, periods):
    """The rule of the first of so many periods, one after another from the last: of each the
    instruments minimise this period's loss and the value of what it leaves behind.
    """
    size = weights.shape[0]
    others = [k for k in range(size) if k not in instruments]
    rule, value = np.zeros((size, size)), np.zeros((size, size))
    for _ in range(periods):
        system = current + lead @ rule
        settled = np.linalg.inv(system[:, others])
        by_choice, by_state = np.zeros((size, len(instruments))), np.zeros((size, size))
        by_choice[instruments] = np.eye(len(instruments))
        by_choice[others] = -settled @ system[:, instruments]
        by_state[others] = -settled @ lag
        total = weights + discount * value
        chosen = -np.linalg.solve(by_choice.T @ total @ by_choice, by_choice.T @ total @ by_state)
        rule = by_state + by_choice @ chosen
        value = rule.T @ total @ rule
    return rule


def test_the_rule_is_the_limit_of_backward_induction():
    rng = np.random.default_rng(3)
    solved = 0
    for _ in range(20):
        lead, current, lag, shock, weights = with_states(rng)
        solution = solve_discretion(lead, current, lag, shock, weights, np.array([0.95]), [1, 3])
        if solution.status[0] != Status.OK:
            continue
        solved += 1
        rule = backward(lead[0], current[0], lag[0], weights[0], 0.95, [1, 3], 600)
        np.testing.assert_allclose(solution.transition[0], rule, atol=1e-8)
    assert solved > 15


def test_draws_of_a_batch_do_not_touch_each_other():
    kappa = np.array([0.1, np.nan, 0.3])
    beta = np.full(3, 0.99)
    loss = squares(3, 1.0, 0.5, 0.0, 0.0)
    batch = solve_discretion(*cost_push(beta, kappa, 0.5), loss, beta, [RATE])
    assert batch.status.tolist() == [Status.OK, Status.NOT_CONVERGED, Status.OK]
    assert np.isnan(batch.transition[1]).all()
    alone = solve_discretion(*cost_push(beta[2:], kappa[2:], 0.5), loss[2:], beta[2:], [RATE])
    np.testing.assert_array_equal(batch.impact[2], alone.impact[0])


def test_an_explosive_economy_and_an_instrument_of_no_use_are_told_apart():
    kappa, beta = np.array([0.1]), np.array([0.9])
    loss = squares(1, 1.0, 0.5, 0.0, 0.0)
    explosive = solve_discretion(*cost_push(beta, kappa, 1.05), loss, beta, [RATE])
    assert explosive.status[0] == Status.EXPLOSIVE
    nothing = solve_discretion(*cost_push(beta, kappa, 0.5), squares(1, 0, 0, 0, 1.0), beta, [RATE])
    assert nothing.status[0] == Status.NOT_CONVERGED


def test_two_instruments_each_of_which_has_to_bend_the_loss_upward():
    """Of `a^2 + weight b^2` with `a` and `b` the instruments less a shock, the second is no minimum
    where its weight is negative.
    """
    n, weight = 3, np.array([1.0, 0.0, -0.5])
    lead, lag, shock = np.zeros((n, 2, 4)), np.zeros((n, 2, 4)), np.zeros((n, 2, 1))
    current = np.broadcast_to(np.eye(4)[:2] - np.eye(4)[2:], (n, 2, 4)).copy()
    current[:, [0, 1], [2, 3]] = -1.0
    shock[:, :, 0] = 1.0
    loss = squares(n, 1.0, 0.0, 0.1, 0.1)
    loss[:, 1, 1] = weight
    loss[2, 3, 3] = 0.0
    solution = solve_discretion(lead, current, lag, shock, loss, np.full(n, 0.9), [2, 3])
    assert solution.status.tolist() == [Status.OK, Status.OK, Status.NOT_CONVERGED]


def test_the_sign_of_the_objective_changes_no_number():
    """What is maximised has the rule of what is minimised, bit for bit, also where the objective is
    definite in what the instruments move alone.
    """
    kappa, beta = np.array([0.1, 0.3]), np.full(2, 0.99)
    loss = squares(2, 1.0, 0.5, -0.01, -2.0)
    loss[:, X, U] = loss[:, U, X] = 0.3
    answers = [
        solve_discretion(*cost_push(beta, kappa, 0.5), w, beta, [RATE]) for w in (loss, -loss)
    ]
    assert (answers[0].status == Status.OK).all()
    np.testing.assert_array_equal(answers[0].transition, answers[1].transition)


def test_a_largest_weight_of_the_other_sign_is_no_best_policy():
    kappa, beta = np.full(4, 0.3), np.full(4, 0.99)
    loss = squares(4, 1.0, 0.0, 0.0, 0.0)
    loss[:, X, X] = [-0.05, -0.2, -1.0, 0.5]
    for weights in (loss, -loss):
        status = solve_discretion(*cost_push(beta, kappa, 0.5), weights, beta, [RATE]).status
        refused = Status.NOT_CONVERGED
        assert status.tolist() == [Status.OK, refused, refused, Status.OK]
