"""Coefficients of wildly different size: the status is right or says that it is not known."""

import mpmath
import numpy as np
import pytest

from emulator.solvers import qz, solve_linear_re, spectral_radius
from emulator.solvers.scaling import (
    WIDE,
    Scaled,
    distance_from_circle,
    equilibrate,
    widths,
)
from emulator.spec import Status
from emulator.worlds import get_world, nk
from emulator.worlds.nk import SPEC, NewKeynesian

NK = NewKeynesian()

CALLED_DETERMINATE = [
    {"rho_i": 1e21},
    {"rho_i": 8e39},
    {"rho_i": -9e99},
    {"phi_y": -1e-258, "rho_i": 4e24},
    {"kappa": 7e24, "phi_pi": 3e-20},
    {"kappa": 7e259, "phi_pi": -2e-19},
    {"sigma": 2e-24, "phi_pi": -7e-81},
    {"sigma": 8e-148, "phi_pi": 8e-30},
    {"sigma": 9e-28, "kappa": 2e19, "phi_pi": -9e-26},
    {"beta": 0.4, "kappa": 2e247, "phi_pi": 3e-25},
]
"""Draws without a unique stable solution that were called determinate."""


def stable_roots(draw):
    """(roots inside the unit circle, distance of the nearest root from it), with 700 digits."""
    with mpmath.workdps(700):
        named = dict(zip(SPEC.parameter_names, map(mpmath.mpf, map(float, draw)), strict=True))
        sigma, beta, kappa, phi_pi, phi_y, rho = (
            named[name] for name in ("sigma", "beta", "kappa", "phi_pi", "phi_y", "rho_i")
        )
        cubic = [
            sigma * beta,
            -sigma * (1 + beta + rho * beta) - kappa - (1 - rho) * phi_y * beta,
            sigma * (1 + rho * (1 + beta)) + kappa * rho + (1 - rho) * (phi_pi * kappa + phi_y),
            -sigma * rho,
        ]
        roots = mpmath.polyroots(cubic, maxsteps=2000, extraprec=1500)
        moduli = [abs(root) for root in roots]
        return sum(m < 1 for m in moduli), float(min(abs(m - 1) for m in moduli))


def odd_draws(n, seed):
    """Draws with one to three of the structural parameters at any size that float64 has."""
    rng = np.random.default_rng(seed)
    theta = np.repeat(SPEC.theta(), n, axis=0)
    names = ("sigma", "kappa", "phi_pi", "phi_y", "rho_i")
    for draw in theta:
        for name in rng.choice(names, rng.integers(1, 4), replace=False):
            sign = -1.0 if rng.random() < 0.3 and name not in ("sigma", "kappa") else 1.0
            draw[SPEC.index(name)] = sign * 10.0 ** rng.choice(
                [rng.uniform(-30, 30), rng.uniform(-150, 150)]
            )
    return theta


@pytest.mark.fast
@pytest.mark.parametrize("values", CALLED_DETERMINATE)
def test_a_draw_without_a_solution_is_not_called_determinate(values):
    theta = SPEC.theta(values)
    inside, distance = stable_roots(theta[0])
    assert inside != 1
    assert distance > 1e-4
    truth = Status.INDETERMINATE if inside > 1 else Status.EXPLOSIVE
    assert NK.status(theta)[0] in (truth, Status.NOT_CONVERGED)
    assert np.isnan(NK.irf(theta, on_failure="nan")).all()


def test_the_status_of_odd_draws_is_the_count_of_exact_roots():
    theta = odd_draws(150, 3)
    named = {1: Status.OK, 0: Status.EXPLOSIVE, 2: Status.INDETERMINATE, 3: Status.INDETERMINATE}
    said = 0
    for draw, status in zip(theta, NK.status(theta), strict=True):
        inside, distance = stable_roots(draw)
        if distance > 1e-5 and status != Status.NOT_CONVERGED:
            said += 1
            assert status == named[inside], draw
    assert said > 70


@pytest.mark.fast
def test_small_coefficients_that_do_no_harm_change_nothing():
    """A parameter at 1e-30 is as good as zero: the answer is that at zero."""
    for name in ("phi_y", "rho_i", "rho_m", "kappa"):
        small, zero = NK.irf(SPEC.theta({name: 1e-30})), NK.irf(SPEC.theta({name: 0.0}))
        assert np.abs(small - zero).max() < 1e-12


@pytest.mark.fast
def test_priors_are_never_scaled():
    theta = NK.propose(5000, np.random.default_rng(0))
    assert widths(*nk.equations(theta)[:3]).max() < WIDE / 100


@pytest.mark.fast
def test_scaling_brings_every_largest_coefficient_near_one():
    matrices = [m[0] for m in nk.equations(SPEC.theta(sigma=1e-40, kappa=1e90))]
    rows, columns = equilibrate(*matrices[:3])
    scaled = np.max(np.abs([rows[:, None] * m * columns for m in matrices[:3]]), axis=0)
    for axis in (0, 1):
        assert (scaled.max(axis=axis) <= 2).all()
        assert (scaled.max(axis=axis) >= 0.25).all()
    assert (np.log2(rows) % 1 == 0).all()  # powers of two round nothing


@pytest.mark.fast
def test_scaling_keeps_the_solution():
    matrices = tuple(m[0] for m in nk.equations(SPEC.theta()))
    solution = NK.solve(SPEC.theta())
    scaled = Scaled.of(matrices)
    assert scaled.status() is Status.OK
    transition, impact = scaled.solve()
    assert np.abs(transition - solution.transition[0]).max() < 1e-12
    assert np.abs(impact - solution.impact[0]).max() < 1e-12
    assert scaled.error(transition, impact) < 1e-14
    assert scaled.error(transition + 1e-3, impact) > 1e-5


@pytest.mark.fast
def test_the_distance_from_the_circle_is_that_of_a_root():
    one = np.ones((1, 1))
    for root in (0.5, 0.9, 1.5):
        distance = distance_from_circle(0 * one, one, -root * one)
        assert distance == pytest.approx(abs(1 - root), abs=1e-5)


@pytest.mark.fast
@pytest.mark.parametrize("error", [ValueError("Reordering failed"), np.linalg.LinAlgError("QZ")])
@pytest.mark.parametrize("routine", ["ordqz", "eigvals"])
def test_a_draw_at_which_lapack_gives_up_does_not_end_the_batch(monkeypatch, routine, error):
    def give_up(*_, **__):
        raise error

    theta = np.repeat(SPEC.theta(), 3, axis=0)
    theta[1, SPEC.index("sigma")] = 1e-12  # wide apart: settled by QZ
    before = NK.irf(theta[[0, 2]])
    monkeypatch.setattr(qz.linalg, routine, give_up)
    status = NK.status(theta)
    assert status[0] == status[2] == Status.OK
    assert status[1] == (Status.NOT_CONVERGED if routine == "eigvals" else Status.OK)
    assert (NK.irf(theta, on_failure="nan")[[0, 2]] == before).all()
    transition, _, one = qz.solve_qz(*(m[0] for m in nk.equations(SPEC.theta())))
    assert one is Status.NOT_CONVERGED
    assert np.isnan(transition).all()


@pytest.mark.fast
def test_a_matrix_without_eigenvalues_leaves_the_others_theirs(monkeypatch):
    stack = np.random.default_rng(0).normal(size=(4, 3, 3))
    expected = spectral_radius(stack)
    eigvals = np.linalg.eigvals

    def give_up_on_the_second(matrices):
        if any((matrix == stack[1]).all() for matrix in np.atleast_3d(matrices).reshape(-1, 3, 3)):
            raise np.linalg.LinAlgError("Eigenvalues did not converge")
        return eigvals(matrices)

    monkeypatch.setattr(np.linalg, "eigvals", give_up_on_the_second)
    radius = spectral_radius(stack)
    assert np.isnan(radius[1])
    assert (radius[[0, 2, 3]] == expected[[0, 2, 3]]).all()


@pytest.mark.fast
def test_coefficients_that_are_not_finite_are_not_converged():
    lead, current, lag, shock = nk.equations(np.repeat(SPEC.theta(), 3, axis=0))
    current[1, 0, 0] = np.inf
    lag[2, 2, 2] = np.nan
    solution = solve_linear_re(lead, current, lag, shock, nk.STRUCTURE)
    assert list(solution.status) == [Status.OK, Status.NOT_CONVERGED, Status.NOT_CONVERGED]


@pytest.mark.fast
def test_responses_beyond_the_range_of_numbers_are_not_converged():
    theta = SPEC.theta(sigma_m=1e300)
    assert NK.status(theta)[0] == Status.NOT_CONVERGED
    assert NK.status(SPEC.theta(sigma_m=1e60))[0] == Status.OK


def test_regimes_that_are_equal_are_never_determinate_where_the_model_without_them_is_not():
    """`switching` with the rule of one regime in both is `nk`, whose status is certified."""
    switching = get_world("switching")
    theta = odd_draws(300, 8)
    both = np.repeat(switching.spec.theta(), len(theta), axis=0)
    for column, name in enumerate(switching.spec.parameter_names):
        plain = name.removesuffix("_active").removesuffix("_passive")
        if plain in SPEC.parameter_names:
            both[:, column] = theta[:, SPEC.index(plain)]
    with np.errstate(all="ignore"):
        alone, status = NK.status(theta), switching.status(both)
    assert not ((status == Status.OK) & np.isin(alone, (1, 2))).any()
    assert ((status == Status.OK) & (alone == Status.OK)).sum() > 40
