"""The batched solver against QZ, a second method, and against the equations themselves."""

import numpy as np
import pytest

from emulator.errors import SolverError
from emulator.solvers import Structure, solve_equations, solve_linear_re, solve_qz
from emulator.spec import Status
from emulator.tests.solvers.random_models import random_models, residual
from emulator.worlds import get_world
from emulator.worlds.nk import STRUCTURE, equations

pytestmark = pytest.mark.fast

KINDS = {
    "all kinds of variables": {},
    "mixed alone, three verdicts": {
        "led_only": 0,
        "lagged_only": 0,
        "mixed": 3,
        "static": 0,
        "forward": 0.8,
    },
    "no static": {"static": 0},
    "no mixed": {"mixed": 0},
    "static alone": {"led_only": 0, "lagged_only": 0, "mixed": 0, "static": 3},
    "no exogenous": {"exogenous": 0},
    "exogenous alone": {"led_only": 0, "lagged_only": 0, "mixed": 0, "static": 0},
    "purely forward": {"lagged_only": 0, "mixed": 0, "led_only": 3},
    "purely backward": {"led_only": 0, "mixed": 0, "lagged_only": 3},
    "more lagged than led": {
        "led_only": 1,
        "lagged_only": 4,
        "static": 2,
        "exogenous": 3,
        "n_shocks": 4,
    },
    "more led than lagged": {"led_only": 3, "forward": 0.5},
}


def against_qz(matrices):
    """Largest difference from QZ over the determinate draws, after the verdicts were found
    equal.
    """
    solution = solve_linear_re(*matrices)
    worst = 0.0
    for k, status in enumerate(solution.status):
        transition, impact, verdict = solve_qz(*(m[k] for m in matrices))
        assert status == verdict, f"draw {k}"
        if verdict is Status.OK:
            scale = max(np.abs(transition).max(), np.abs(impact).max(), 1.0)
            worst = max(worst, np.abs(solution.transition[k] - transition).max() / scale)
            worst = max(worst, np.abs(solution.impact[k] - impact).max() / scale)
    return solution, worst


@pytest.mark.parametrize("kind", KINDS)
def test_random_models_agree_with_qz(kind):
    matrices = random_models(50, np.random.default_rng(7), **KINDS[kind])
    solution, worst = against_qz(matrices)
    good = solution.status == Status.OK
    assert good.sum() >= 10
    assert worst < 1e-8
    assert (
        residual(tuple(m[good] for m in matrices), solution.transition[good], solution.impact[good])
        < 1e-8
    )
    assert solution.residual[good].max() < 1e-10
    assert np.isnan(solution.transition[~good]).all()
    assert np.isnan(solution.impact[~good]).all()


def test_random_models_contain_every_verdict():
    solution = solve_linear_re(
        *random_models(120, np.random.default_rng(7), **KINDS["mixed alone, three verdicts"])
    )
    assert {Status.OK, Status.INDETERMINATE, Status.EXPLOSIVE} == {
        Status(code) for code in solution.status
    }


def test_prior_draws_of_nk_agree_with_qz():
    matrices = equations(get_world("nk").propose(120, np.random.default_rng(11)))
    _, worst = against_qz(matrices)
    assert worst < 1e-10


def test_every_draw_of_a_large_batch_is_certified():
    solution = get_world("nk").solve(get_world("nk").propose(5000, np.random.default_rng(12)))
    assert solution.residual.max() < 1e-10
    assert Status.NOT_CONVERGED not in solution.status


def test_blocks_and_single_draws_give_the_same_solution(monkeypatch):
    theta = get_world("nk").propose(40, np.random.default_rng(13))
    whole = solve_linear_re(*equations(theta))
    monkeypatch.setattr("emulator.solvers.linear_re.BLOCK", 7)
    for other in (solve_linear_re(*equations(theta)), solve_equations(equations, theta, STRUCTURE)):
        assert np.allclose(other.transition, whole.transition, atol=1e-13, equal_nan=True)
        assert np.allclose(other.impact, whole.impact, atol=1e-13, equal_nan=True)
        assert (other.status == whole.status).all()


def test_an_arma_shock_is_exogenous_with_its_moving_average_as_state():
    # y = 0.5 y' + z, z = rho z_1 + e + psi e_1, w = e: exogenous w and z. E z' = rho z + psi w.
    rho, psi, b = 0.8, 0.4, 0.5
    lead, current, lag, shock = (
        np.zeros((1, 3, 3)),
        np.zeros((1, 3, 3)),
        np.zeros((1, 3, 3)),
        np.zeros((1, 3, 1)),
    )
    lead[0, 0, 0], current[0, 0, 0], current[0, 0, 1] = -b, 1.0, -1.0
    current[0, 1, 1], lag[0, 1, 1], lag[0, 1, 2], shock[0, 1, 0] = 1.0, -rho, -psi, -1.0
    current[0, 2, 2], shock[0, 2, 0] = 1.0, -1.0
    structure = Structure.of(lead, current, lag)
    assert set(structure.exogenous) == {1, 2}
    solution = solve_linear_re(lead, current, lag, shock)
    # y = z / (1 - b rho) + b psi w / (1 - b rho), by solving forwards
    on_z, on_w = 1 / (1 - b * rho), b * psi / (1 - b * rho)
    assert np.allclose(solution.impact[0, :, 0], [on_z + on_w, 1.0, 1.0], atol=1e-14)
    assert np.allclose(solution.transition[0, 0], [0.0, on_z * rho, on_z * psi], atol=1e-14)


def test_singular_current_matrix_is_solved_by_a_change_of_variables():
    matrices = random_models(
        60, np.random.default_rng(3), led_only=0, lagged_only=0, mixed=3, static=0, exogenous=0
    )
    lead, current, lag, shock = matrices
    u, s, vt = np.linalg.svd(current)
    s[:, -1] = 0.0
    solution, worst = against_qz((lead, u @ (s[:, :, None] * vt), lag, shock))
    assert (solution.status == Status.OK).sum() >= 5
    assert worst < 1e-8


def test_a_rule_on_lagged_inflation_alone_has_a_singular_current_matrix():
    # i = E pi' + r, i = phi pi_1: pi' moves one for one with phi pi_1, one period late.
    lead, current, lag, shock = (np.zeros((2, 3, k)) for k in (3, 3, 3, 1))
    current[:, 0, 0], lead[:, 0, 1], current[:, 0, 2] = 1.0, -1.0, -1.0
    current[:, 1, 0], lag[:, 1, 1] = 1.0, [-0.5, -1.5]
    current[:, 2, 2], lag[:, 2, 2], shock[:, 2, 0] = 1.0, -0.5, -1.0
    assert list(solve_linear_re(lead, current, lag, shock).status) == [
        Status.INDETERMINATE,
        Status.EXPLOSIVE,
    ]


def test_singular_and_broken_draws_do_not_spoil_the_others():
    matrices = equations(get_world("nk").sample(12, np.random.default_rng(14)))
    clean = solve_linear_re(*matrices, structure=STRUCTURE)
    broken = tuple(m.copy() for m in matrices)
    for m in broken[:3]:
        m[3] = 0.0  # no equation at all
    broken[1][5, 0, 0] = np.nan
    broken[0][8, 1, 1] = np.inf
    solution = solve_linear_re(*broken, structure=STRUCTURE)
    bad = [3, 5, 8]
    good = np.setdiff1d(np.arange(12), bad)
    assert (solution.status[bad] != Status.OK).all()
    assert (solution.status[good] == Status.OK).all()
    assert np.allclose(solution.transition[good], clean.transition[good], atol=1e-13)
    assert np.isnan(solution.transition[bad]).all()


def test_explosive_models_are_labelled():
    theta = np.repeat(get_world("nk").spec.theta(), 3, axis=0)
    for row, name in enumerate(("rho_m", "rho_r", "rho_u")):
        theta[row, get_world("nk").spec.index(name)] = 1.05
    assert (solve_equations(equations, theta, STRUCTURE).status == Status.EXPLOSIVE).all()
    one = np.ones((1, 1, 1))
    backward = solve_linear_re(0 * one, one, -1.2 * one, one)
    assert backward.status[0] == Status.EXPLOSIVE
    assert np.isnan(backward.transition).all()


def test_an_empty_batch_gives_an_empty_answer():
    solution = solve_linear_re(
        *(m[:0] for m in equations(get_world("nk").spec.theta())), structure=STRUCTURE
    )
    assert solution.transition.shape == (0, 6, 6)
    assert solution.impact.shape == (0, 6, 3)
    assert solution.status.shape == solution.residual.shape == (0,)


@pytest.mark.parametrize(
    "shapes",
    [
        ((2, 3, 3), (2, 3, 3), (2, 3, 2), (2, 3, 1)),
        ((3, 3), (3, 3), (3, 3), (3, 1)),
        ((2, 3, 3),) * 3 + ((1, 3, 1),),
    ],
)
def test_shapes_that_do_not_fit_are_refused(shapes):
    with pytest.raises(SolverError, match="Expected lead, current, lag"):
        solve_linear_re(*(np.ones(shape) for shape in shapes))
