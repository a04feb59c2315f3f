"""Determinacy of `nk`: the solver, the QZ root count and the closed form of Woodford (2003), ch. 4,
agree.
"""

import numpy as np
import pytest
from scipy import linalg

from emulator.solvers.qz import blanchard_kahn, pencil
from emulator.spec import Status
from emulator.worlds import get_world
from emulator.worlds.nk import SPEC, equations


def margin(theta):
    """kappa (phi_pi - 1) + (1 - beta) phi_y, (n,): positive where the model is determinate."""
    beta, kappa, phi_pi, phi_y = (
        theta[:, SPEC.index(name)] for name in ("beta", "kappa", "phi_pi", "phi_y")
    )
    return kappa * (phi_pi - 1) + (1 - beta) * phi_y


def near_border(n, rng):
    """Draws (n, 12) whose phi_pi lies within 1e-5 to 1e-1 of the border, on either side."""
    theta = rng.uniform(SPEC.low, SPEC.high, size=(n, SPEC.n_parameters))
    border = 1 - (1 - theta[:, 1]) * theta[:, 4] / theta[:, 2]
    theta[:, 3] = border + rng.choice([-1.0, 1.0], n) * 10.0 ** rng.uniform(-5, -1, n)
    return theta


def distance_from_unit_circle(theta):
    """Smallest | |root| - 1 | of each draw's pencil, (n,)."""
    distances = []
    for matrices in zip(*equations(theta)[:3], strict=True):
        g0, g1, _, _ = pencil(*matrices)
        distances.append(np.abs(np.abs(linalg.eigvals(g1, g0)) - 1).min())
    return np.array(distances)


def agrees_with_closed_form(theta, status):
    """The two disagree only where a root lies within the unit-root tolerance of the count."""
    closed = np.where(margin(theta) > 0, Status.OK, Status.INDETERMINATE)
    differ = closed != status
    assert differ.mean() < 0.02
    assert (distance_from_unit_circle(theta[differ]) < 2e-6).all()


@pytest.mark.fast
def test_prior_draws_have_the_verdict_of_the_closed_form():
    theta = get_world("nk").propose(20_000, np.random.default_rng(1))
    agrees_with_closed_form(theta, get_world("nk").status(theta))


@pytest.mark.fast
def test_draws_near_the_border_have_the_verdict_of_the_closed_form():
    theta = near_border(5000, np.random.default_rng(2))
    agrees_with_closed_form(theta, get_world("nk").status(theta))


def test_status_is_the_root_count_by_qz():
    rng = np.random.default_rng(3)
    theta = np.concatenate([get_world("nk").propose(2500, rng), near_border(2500, rng)])
    counted = [blanchard_kahn(*matrices) for matrices in zip(*equations(theta)[:3], strict=True)]
    assert (get_world("nk").status(theta) == counted).all()


@pytest.mark.fast
def test_draws_near_the_border_are_solved_as_exactly_as_the_others():
    theta = near_border(3000, np.random.default_rng(4))
    solution = get_world("nk").solve(theta)
    assert solution.residual.max() < 1e-10
    assert Status.NOT_CONVERGED not in solution.status


@pytest.mark.fast
def test_indeterminate_draws_are_labelled_from_the_factored_pencil_alone(monkeypatch):
    def never(*matrices):
        raise AssertionError("a draw went to the root count by QZ")

    monkeypatch.setattr("emulator.solvers.linear_re.solve_qz", never)
    theta = np.concatenate(
        [
            get_world("nk").propose(2000, np.random.default_rng(5)),
            near_border(2000, np.random.default_rng(6)),
        ]
    )
    assert (get_world("nk").status(theta) == Status.INDETERMINATE).sum() > 1000
