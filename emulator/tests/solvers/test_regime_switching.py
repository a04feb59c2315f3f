"""The Markov-switching solver against models whose solution is known, closed forms, published
tables and other methods.
"""

import numpy as np
import pytest
import torch

from emulator.errors import SolverError
from emulator.solvers import regime_switching, solve_linear_re, solve_qz
from emulator.solvers.regime_switching import solve_switching, solve_switching_equations
from emulator.spec import Status
from emulator.tests.solvers.random_models import random_models
from emulator.worlds import nk, switching
from emulator.worlds.switching import RegimeSwitching

pytestmark = pytest.mark.fast

WORLD = RegimeSwitching()
ABOVE, BELOW = 1 + 1e-3, 1 - 1e-3


def known_models(n, regimes, size, shocks, spread, seed=0):
    """Matrices built around random T, and what the solver should find: T, R and the two radii from
    full Kronecker products.
    """
    rng = np.random.default_rng(seed)
    shape = (n, regimes, size, size)
    transition = rng.normal(size=shape) * spread / np.sqrt(size)
    lead, current = (
        rng.normal(size=shape) * 0.4 / np.sqrt(size),
        rng.normal(size=shape) * 0.2 + np.eye(size),
    )
    chain, shock = (
        rng.dirichlet(np.ones(regimes), size=(n, regimes)),
        rng.normal(size=(n, regimes, size, shocks)),
    )
    tomorrow = lead @ np.einsum("nij,njab->niab", chain, transition) + current
    impact, forward = -np.linalg.solve(tomorrow, shock), -np.linalg.solve(tomorrow, lead)
    stable, bubble = full_radius(transition, np.swapaxes(chain, 1, 2)), full_radius(forward, chain)
    return (lead, current, -tomorrow @ transition, shock, chain), transition, impact, stable, bubble


def full_radius(stack, weights):
    """Spectral radius of the matrix with blocks w_ij M_i (x) M_i, nothing reduced."""
    radii = []
    for matrices, w in zip(stack, weights, strict=True):
        blocks = [[w[i, j] * np.kron(m, m) for j in range(len(w))] for i, m in enumerate(matrices)]
        radii.append(np.abs(np.linalg.eigvals(np.block(blocks))).max())
    return np.array(radii)


@pytest.mark.parametrize(
    ("regimes", "size", "shocks"), [(1, 3, 2), (2, 1, 1), (2, 3, 2), (3, 2, 1), (4, 2, 3)]
)
def test_models_built_around_a_solution_give_it_back(regimes, size, shocks):
    matrices, transition, impact, stable, bubble = known_models(200, regimes, size, shocks, 0.9)
    solution = solve_switching(*matrices)
    unique, none = (stable < BELOW) & (bubble < BELOW), (stable > ABOVE) & (bubble < BELOW)
    many = (stable < BELOW) & (bubble > ABOVE)
    assert unique.sum() > 100
    assert none.sum() + many.sum() >= 8
    assert (solution.status[unique] == Status.OK).all()
    assert (solution.status[none] == Status.EXPLOSIVE).all()
    assert (solution.status[many] == Status.INDETERMINATE).all()
    assert solution.residual[unique].max() < 1e-13
    for ours, theirs in (
        (solution.transition, transition),
        (solution.impact, impact),
        (solution.stable, stable),
        (solution.bubble, bubble),
    ):
        assert np.abs(ours[unique] - theirs[unique]).max() < 1e-11
    assert np.isnan(solution.transition[solution.status != Status.OK]).all()


def test_indeterminate_models_have_a_stable_bubble():
    """Built after Cho (2021). With Q the eigenvector of `Q_i -> F_i (sum_j p_ij Q_j) F_i'`, a
    bubble is `w = Q_s z` where `z' = F_s' z / radius`: it solves `w = F_s E[w']`, and its second
    moments fade at one over the radius.

    No Q is inverted, since some are all but singular: the same holds on every machine.
    """
    matrices, transition, _, stable, bubble = known_models(400, 2, 2, 1, 0.9)
    lead, current, _, _, chain = matrices
    forward = -np.linalg.solve(
        lead @ np.einsum("nij,njab->niab", chain, transition) + current, lead
    )
    rows = np.flatnonzero(
        (solve_switching(*matrices).status == Status.INDETERMINATE) & (stable < 1)
    )
    assert len(rows) >= 5
    for k in rows:
        f, p = forward[k], chain[k]
        roots, vectors = np.linalg.eig(
            np.block([[p[i, j] * np.kron(f[i], f[i]) for j in (0, 1)] for i in (0, 1)])
        )
        q = np.real(vectors[:, np.argmax(np.abs(roots))]).reshape(2, 2, 2)
        q = q * np.sign(np.trace(q[0]))
        assert np.linalg.eigvalsh(q).min() > -1e-9  # second moments of a bubble that is not zero
        assert np.trace(q[0] + q[1]) > 0.1
        for i in (0, 1):
            expected = f[i] @ (p[i, 0] * q[0] + p[i, 1] * q[1]) @ f[i].T / bubble[k]
            assert np.abs(expected - q[i]).max() < 1e-9
        onward = [f[i].T / bubble[k] for i in (0, 1)]
        moments = np.block(
            [[p[i, j] * np.kron(onward[i], onward[i]) for i in (0, 1)] for j in (0, 1)]
        )
        radius = np.abs(np.linalg.eigvals(moments)).max()
        assert radius < 1
        assert radius == pytest.approx(1 / bubble[k], rel=1e-9)


def fisherian(alpha, stay, rho, delta=(0.0, 0.0)):
    """`alpha_s pi = E pi' + delta_s pi_1 + r`, r = rho r_1 + e: matrices for arrays of draws."""
    alpha, stay, rho, delta = (
        np.asarray(values, dtype=float) for values in (alpha, stay, rho, delta)
    )
    lead, current, lag = np.zeros((3, len(alpha), 2, 2, 2))
    lead[..., 0, 0], current[..., 0, 0], current[..., 0, 1], current[..., 1, 1] = (
        1.0,
        -alpha,
        1.0,
        1.0,
    )
    lag[..., 0, 0], lag[..., 1, 1] = delta, -rho[:, None]
    shock = np.zeros((len(alpha), 2, 2, 1))
    shock[..., 1, 0] = -1.0
    chain = np.stack(
        [
            np.stack([stay[:, 0], 1 - stay[:, 0]], axis=1),
            np.stack([1 - stay[:, 1], stay[:, 1]], axis=1),
        ],
        axis=1,
    )
    return lead, current, lag, shock, chain


def long_run_principle(alpha, stay):
    """Davig and Leeper (2007), proposition 1: the region of determinacy among bounded solutions,
    for these two reactions.
    """
    (a1, a2), (p11, p22) = alpha.T, stay.T
    return (a1 > p11) & (a2 > p22) & ((1 - a2) * p11 + (1 - a1) * p22 + a1 * a2 > 1)


def test_the_fisherian_model_of_davig_and_leeper():
    """Closed form of pi on r.

    Mean-square stability asks their condition of the squared reactions, and so for more.
    """
    rng = np.random.default_rng(1)
    alpha, stay, rho = (
        rng.uniform(0.4, 2.0, (4000, 2)),
        rng.uniform(0.05, 0.99, (4000, 2)),
        rng.uniform(0, 0.95, 4000),
    )
    solution = solve_switching(*fisherian(alpha, stay, rho))
    unique = solution.status == Status.OK
    assert (unique == long_run_principle(alpha**2, stay)).all()
    assert set(solution.status) == {Status.OK, Status.INDETERMINATE}
    bounded = long_run_principle(alpha, stay)
    assert bounded[unique].all()
    assert (bounded & ~unique).sum() > 100
    (a1, a2), (p11, p22) = alpha.T, stay.T
    divisor = (a1 - rho * p11) * (a2 - rho * p22) - rho**2 * (1 - p11) * (1 - p22)
    loading = (
        np.stack([a2 - rho * p22 + rho * (1 - p11), a1 - rho * p11 + rho * (1 - p22)], axis=1)
        / divisor[:, None]
    )
    assert (
        np.abs(solution.impact[unique, :, 0, 0] - loading[unique]).max()
        < 1e-11 * np.abs(loading[unique]).max()
    )
    assert (
        np.abs(solution.transition[unique, :, 0, 1] - (rho[:, None] * loading)[unique]).max()
        < 1e-11 * np.abs(loading[unique]).max()
    )


def test_an_example_of_farmer_waggoner_and_zha_with_several_solutions():
    """Farmer, Waggoner and Zha (2011), the Fisherian example with a lag: of its solutions the one
    below has the smallest radius.
    """
    listed = np.array([-0.765149, -0.262196])
    solution = solve_switching(*fisherian([(0.2, 0.4)], [(0.9, 0.8)], [0.0], [(-0.7, -0.2)]))
    chain = np.array([[0.9, 0.1], [0.2, 0.8]])
    ahead = np.array([0.2, 0.4]) - chain @ listed
    assert solution.stable[0] == pytest.approx(
        full_radius(listed.reshape(1, 2, 1, 1), chain.T[None])[0], abs=2e-6
    )
    assert solution.bubble[0] == pytest.approx(
        full_radius((1 / ahead).reshape(1, 2, 1, 1), chain[None])[0], abs=2e-5
    )
    assert solution.status[0] == Status.INDETERMINATE


@pytest.mark.parametrize("regimes", [1, 3])
def test_regimes_that_are_alike_are_no_regimes(regimes):
    theta = nk.NewKeynesian().propose(3000, np.random.default_rng(2))
    matrices = nk.equations(theta)
    chain = np.random.default_rng(3).dirichlet(np.ones(regimes), size=(len(theta), regimes))
    solution = solve_switching(*(np.repeat(m[:, None], regimes, axis=1) for m in matrices), chain)
    single = solve_linear_re(*matrices)
    assert (solution.status == single.status).all()
    good = single.status == Status.OK
    for name in ("transition", "impact"):
        assert (
            np.abs(getattr(solution, name)[good] - getattr(single, name)[good][:, None]).max()
            < 1e-10
        )


def test_one_regime_of_any_structure_is_solved_as_without_regimes():
    """Verdicts are equal, except where no solution was found that settles one."""
    matrices = random_models(
        300, np.random.default_rng(4), led_only=2, lagged_only=2, mixed=2, static=1, exogenous=2
    )
    solution, single = (
        solve_switching(*(m[:, None] for m in matrices), np.ones((300, 1, 1))),
        solve_linear_re(*matrices),
    )
    good = single.status == Status.OK
    assert good.sum() > 100
    assert (solution.status[good] == Status.OK).all()
    assert ((solution.status == single.status) | (solution.status == Status.NOT_CONVERGED)).all()
    assert (solution.status == single.status).mean() > 0.8
    for ours, theirs in (
        (solution.transition[good, 0], single.transition[good]),
        (solution.impact[good, 0], single.impact[good]),
    ):
        scale = np.maximum(np.abs(theirs).max(axis=(1, 2)), 1.0)
        assert (np.abs(ours - theirs).max(axis=(1, 2)) < 1e-8 * scale).all()


def test_a_regime_left_for_good_is_solved_by_qz():
    """Where the active regime is absorbing it is `nk`, and the passive regime a linear model whose
    expectations are partly known.
    """
    theta = WORLD.propose(60, np.random.default_rng(5))
    theta[:, switching.SPEC.index("p_active")] = 1.0
    lead, current, lag, shock, chain = switching.equations(theta)
    solution = WORLD.solve(theta)
    checked = 0
    for k in np.flatnonzero(solution.status == Status.OK):
        active, _, _ = solve_qz(lead[k, 0], current[k, 0], lag[k, 0], shock[k, 0])
        assert np.abs(solution.transition[k, 0] - active).max() < 1e-10
        known = current[k, 1] + chain[k, 1, 0] * lead[k, 1] @ active
        passive, impact, verdict = solve_qz(
            chain[k, 1, 1] * lead[k, 1], known, lag[k, 1], shock[k, 1]
        )
        assert verdict is Status.OK
        assert np.abs(solution.transition[k, 1] - passive).max() < 1e-10
        assert np.abs(solution.impact[k, 1] - impact).max() < 1e-10
        checked += 1
    assert checked > 30


def test_rules_are_the_limit_of_a_far_last_date():
    """Backwards from a date after which nothing is expected, the full system and plain loops, one
    draw at a time.
    """
    theta = WORLD.sample(5, np.random.default_rng(6))
    solution = WORLD.solve(theta)
    for k in range(5):
        lead, current, lag, shock, chain = (m[k] for m in switching.equations(theta))
        rule = [np.zeros((6, 6)), np.zeros((6, 6))]
        for _ in range(1500):
            ahead = [sum(chain[i, j] * rule[j] for j in (0, 1)) for i in (0, 1)]
            systems = [lead[i] @ ahead[i] + current[i] for i in (0, 1)]
            rule = [-np.linalg.solve(systems[i], lag[i]) for i in (0, 1)]
        assert np.abs(solution.transition[k] - np.array(rule)).max() < 1e-10
        assert (
            np.abs(
                solution.impact[k]
                - np.array([-np.linalg.solve(systems[i], shock[i]) for i in (0, 1)])
            ).max()
            < 1e-10
        )


def test_second_moments_shrink_at_the_rate_of_the_radius():
    theta = WORLD.sample(100, np.random.default_rng(7))
    solution, chain = WORLD.solve(theta), switching.chain(theta)
    moment = np.broadcast_to(np.eye(6), (100, 2, 6, 6))
    for period in range(400):
        moment = (
            solution.transition
            @ np.einsum("nij,niab->njab", chain, moment)
            @ np.swapaxes(solution.transition, 2, 3)
        )
        size = np.trace(moment, axis1=2, axis2=3).sum(axis=1)
        if period >= 399:
            assert np.abs(size - solution.stable).max() < 1e-3
        moment = moment / size[:, None, None, None]


def test_other_starts_settle_draws_that_the_first_attempt_leaves_open(monkeypatch):
    matrices, *_ = known_models(400, 2, 2, 1, 0.9)
    settled = solve_switching(*matrices)
    monkeypatch.setattr(regime_switching, "RESTARTS", 0)
    first = solve_switching(*matrices)
    open_before = first.status == Status.NOT_CONVERGED
    assert (settled.status == Status.NOT_CONVERGED).sum() < open_before.sum()
    assert (settled.status == first.status)[~open_before].all()


def test_blocks_and_single_draws_give_the_same_solution(monkeypatch):
    theta = WORLD.propose(40, np.random.default_rng(8))
    whole = WORLD.solve(theta)
    monkeypatch.setattr(regime_switching, "block_size", lambda size: 7)
    for other in (WORLD.solve(theta), solve_switching(*switching.equations(theta))):
        assert np.allclose(other.transition, whole.transition, atol=1e-13, equal_nan=True)
        assert (other.status == whole.status).all()


def test_tensors_pass_through_with_gradients():
    theta = WORLD.sample(5, np.random.default_rng(9))
    tensor = torch.tensor(theta, requires_grad=True)
    solution = solve_switching_equations(switching.equations, tensor, nk.STRUCTURE)
    assert (
        np.abs(solution.transition.detach().numpy() - WORLD.solve(theta).transition).max() < 1e-12
    )
    (solution.transition[..., :3, :].sum() + solution.impact.sum()).backward()
    for k in range(theta.shape[1]):
        up, down = theta.copy(), theta.copy()
        up[:, k] += 1e-6
        down[:, k] -= 1e-6
        value = [
            (s.transition[..., :3, :].sum(axis=(1, 2, 3)) + s.impact.sum(axis=(1, 2, 3)))
            for s in map(WORLD.solve, (up, down))
        ]
        difference = (value[0] - value[1]) / 2e-6
        assert np.abs(tensor.grad[:, k].numpy() - difference).max() < 1e-5 * max(
            1.0, np.abs(difference).max()
        )


def test_input_that_is_no_model_is_refused():
    lead, current, lag, shock, chain = switching.equations(switching.SPEC.theta())
    with pytest.raises(SolverError, match=r"chain \(N, K, K\); found"):
        solve_switching(lead, current, lag, shock, chain[0])
    with pytest.raises(SolverError, match="summing to one"):
        solve_switching(lead, current, lag, shock, 0.5 * chain)
