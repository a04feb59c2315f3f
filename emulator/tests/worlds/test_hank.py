"""`hank` against sequence-jacobian's own graph and against its published figures."""

import csv
import subprocess
import sys
from importlib.resources import as_file, files

import numpy as np
import pytest

from emulator.errors import ParameterError, UnknownNameError
from emulator.spec import Status
from emulator.worlds import get_world
from emulator.worlds.hank.closure import close
from emulator.worlds.hank.equilibrium import Paths, Transforms, determinacy, economy, winding
from emulator.worlds.hank.fake_news import INPUTS, jacobian, jacobians, outputs
from emulator.worlds.hank.household import GRID, PUBLISHED
from emulator.worlds.hank.outputs import groups
from emulator.worlds.hank.steady import calibrate
from emulator.worlds.hank.world import LONG, SPEC, Policy, Tastes, processes, rest, solve_household

HANK = get_world("hank")
ON_PUBLISHED_GRID = HANK.with_settings({"pivot": PUBLISHED.pivot})
SMALL = PUBLISHED._replace(points=60)
REFERENCE = files("emulator.tests") / "reference" / "hank"
EXAMPLE = Tastes(*SPEC.theta()[0, :7])
RULE = Policy(*SPEC.theta()[0, 7:12])


def read(name):
    """Rows of a reference file as numbers, and its header."""
    header, *rows = csv.reader((REFERENCE / name).read_text().splitlines())
    return header, rows


def responses(name):
    header, rows = read(name)
    names = header[3:]
    assert tuple(names) == SPEC.observable_names[: len(names)]
    table = np.array(rows, dtype=float)
    draws, shocks = (int(table[-1, k]) + 1 for k in (0, 1))
    assert (table[:, :3] == np.argwhere(np.ones((draws, shocks, 41)))).all()
    return table[:, 3:].reshape(draws, shocks, 41, len(names))


def reference_theta():
    header, rows = read("theta.csv")
    assert tuple(header) == SPEC.parameter_names
    return np.array(rows, dtype=float)


def test_the_reference_is_about_the_draws_that_its_script_makes():
    """A prior that moved since would make others."""
    pytest.importorskip("sequence_jacobian")
    from emulator.tests.reference.hank.make import reference_draws

    np.testing.assert_array_equal(np.array(read("theta.csv")[1], dtype=float), reference_draws())


@pytest.mark.slow
def test_the_library_still_says_the_same(tmp_path):
    pytest.importorskip("sequence_jacobian")
    with as_file(REFERENCE) as folder:
        subprocess.run(
            [sys.executable, str(folder / "make.py"), "--output", str(tmp_path)], check=True
        )
    for name, tolerance in (
        ("theta.csv", 0),
        ("irfs.csv", 1e-6),
        ("published.csv", 1e-6),
        ("own_grid.csv", 1e-6),
        ("nonlinear.csv", 1e-6),
        ("news.csv", 1e-6),
    ):
        kept = np.array(read(name)[1], dtype=float)
        assert (
            np.abs(np.loadtxt(tmp_path / name, delimiter=",", skiprows=1) - kept).max() <= tolerance
        ), name


@pytest.fixture(scope="module")
def small():
    """Households on a coarse grid over a short time, the library's own Jacobians of them, and their
    steady state.
    """
    library = pytest.importorskip("sequence_jacobian")
    from sequence_jacobian.examples.hank import labor_supply

    steady = calibrate(EXAMPLE, SMALL)
    household = library.hetblocks.hh_labor.hh.add_hetinputs([incomes]).add_hetoutputs(
        [labor_supply, spending]
    )
    poor, rich = groups(steady)
    known = {
        "a_grid": steady.grid,
        "Pi": steady.transition,
        "e_grid": steady.skill,
        "w": EXAMPLE.wage,
        "tau": EXAMPLE.tau,
        "r": EXAMPLE.r,
        "beta": steady.beta,
        "vphi": steady.vphi,
        "eis": EXAMPLE.eis,
        "frisch": EXAMPLE.frisch,
        "poor": poor.member / poor.spent,
        "poor_replaced": poor.replaced / poor.spent,
        "rich": rich.member / rich.spent,
        "rich_replaced": rich.replaced / rich.spent,
    }
    rest = household.steady_state(known, backward_tol=1e-13, forward_tol=1e-15)
    names = ["A", "NE", "C", "C_POOR", "C_RICH"]
    theirs = household.jacobian(rest, list(INPUTS), names, T=80, twosided=True, h=1e-6)
    return steady, theirs


def incomes(w, tau, e_grid):
    we, T = w * e_grid, tau * e_grid
    return we, T


def spending(c, poor, poor_replaced, rich, rich_replaced):
    c_poor = poor * c - poor_replaced
    c_rich = rich * c - rich_replaced
    return c_poor, c_rich


def test_responses_are_the_librarys():
    theta, reference = reference_theta(), responses("irfs.csv")
    assert len(theta) >= 10
    assert reference.shape[3] == 7
    assert np.abs(ON_PUBLISHED_GRID.irf(theta) - reference).max() < 1e-6
    assert ON_PUBLISHED_GRID.residual(theta).max() < 1e-7


def test_responses_to_news_are_the_librarys():
    ours = ON_PUBLISHED_GRID.anticipated(reference_theta()[:2], 40, ahead=4)
    assert np.abs(ours - responses("news.csv")).max() < 1e-6


def test_a_surprise_is_news_of_each_of_its_quarters():
    """A process of persistence 0.5 is a sum of innovations of which each is known beforehand."""
    at_once, fading = SPEC.theta(), SPEC.theta()
    processes_of = [SPEC.index(f"rho_{letter}") for letter in "mzgu"]
    at_once[:, processes_of] = 0.0
    fading[:, processes_of] = 0.5
    news = [HANK.anticipated(at_once, 12, ahead) * 0.5**ahead for ahead in range(41)]
    surprise = HANK.irf(fading, 12)
    np.testing.assert_allclose(sum(news), surprise, atol=1e-10 * np.abs(surprise).max())


def test_news_beyond_the_end_of_its_paths_are_refused():
    with pytest.raises(ParameterError, match="up to 40 quarters before they occur"):
        HANK.anticipated(SPEC.theta(), 12, ahead=41)


def test_responses_on_its_own_grid_are_the_librarys_there():
    reference = responses("own_grid.csv")
    theta = reference_theta()[: len(reference)]
    assert HANK.settings == {"points": 500, "pivot": 0.05, "top": 150.0, "fade": 1.0}
    assert np.abs(HANK.irf(theta) - reference).max() < 1e-6
    # The grids are two: on the published one responses differ by more than the tolerance.
    assert np.abs(ON_PUBLISHED_GRID.irf(theta) - reference).max() > 1e-5


def test_the_grid_is_a_setting():
    assert HANK.with_settings({}) is HANK
    assert HANK.with_settings({"pivot": 0.05, "points": 500.0}) is HANK
    assert ON_PUBLISHED_GRID.settings == PUBLISHED._asdict()
    assert HANK.settings_before == {**PUBLISHED._asdict(), "fade": 0.0}
    assert ON_PUBLISHED_GRID.with_settings(GRID._asdict()).settings == HANK.settings
    with pytest.raises(UnknownNameError, match=r"'pivots'.*Did you mean 'pivot'"):
        HANK.with_settings({"pivots": 0.1})
    for bad in ({"points": 10}, {"points": 50.5}, {"pivot": 0.0}, {"top": 0.01}):
        with pytest.raises(ParameterError, match=r"expected a whole number of 20 points or more"):
            HANK.with_settings(bad)
    with pytest.raises(UnknownNameError, match="setting of world 'nk'"):
        get_world("nk").with_settings({"pivot": 0.1})


def test_the_published_example_is_reproduced():
    """With its defaults the world is the library's example; the steady states of all draws are the
    library's too.
    """
    reference = responses("published.csv")[0]
    assert np.abs(ON_PUBLISHED_GRID.irf(SPEC.theta())[0, :2, :, :3] - reference).max() < 1e-6
    header, rows = read("steady.csv")
    assert header == ["draw", "beta", "vphi", "consumption"]
    assert float(rows[0][1]) == pytest.approx(0.982, abs=5e-4)
    for theta, row in zip(reference_theta()[[0, *range(10)]], rows, strict=True):
        steady = rest(Tastes(*theta[:7]), PUBLISHED)
        assert (steady.beta, steady.vphi) == pytest.approx([float(x) for x in row[1:3]], abs=1e-8)
        assert steady.mean(steady.c) == pytest.approx(1, abs=1e-8)


def test_the_notebooks_printed_errors_are_ours():
    """What the markets miss, to first order, when a cut of 1 % a year meets unchanged output and
    inflation (its first iteration).
    """
    household = solve_household(EXAMPLE, LONG, PUBLISHED)
    shocks = np.zeros((4, LONG.periods, 1))
    shocks[0, :, 0] = -0.01 / 4 * 0.61 ** np.arange(LONG.periods)
    still = np.zeros((LONG.periods, 1))
    missed = economy(Paths(household.jacobian_OITT), EXAMPLE, RULE, still, still, shocks)
    assert np.abs(missed.assets).max() == pytest.approx(1.46e-2, rel=0.01)
    assert np.abs(missed.labour).max() == pytest.approx(2.73e-3, rel=0.01)


def test_the_nonlinear_model_responds_alike_to_a_small_shock():
    """Groups end at a grid point: what households do who save to just beside it has a kink there,
    which the other observables average out.
    """
    nonlinear = responses("nonlinear.csv")
    linear = ON_PUBLISHED_GRID.irf(reference_theta()[: len(nonlinear)])
    peak = np.abs(nonlinear).max(axis=2, keepdims=True)
    error = (np.abs(linear - nonlinear) / peak).max(axis=(0, 1, 2))
    assert error[:5].max() < 2e-4
    assert error[5:].max() < 5e-4


def test_jacobians_are_the_librarys_differences(small):
    steady, theirs = small
    ours = jacobian(EXAMPLE, steady, outputs(EXAMPLE, steady), 80)
    for o, output in enumerate(("A", "NE")):
        for i, name in enumerate(INPUTS):
            assert (
                np.abs(ours[o, i] - theirs[output, name]).max() < 1e-7 * np.abs(ours[o, i]).max()
            ), (output, name)


def test_what_groups_spend_answers_as_the_library_says(small):
    """The first 41 quarters, which are all that the short truncation keeps of them."""
    steady, theirs = small
    _, ours = jacobians(EXAMPLE, steady, 80, 40)
    assert ours.shape == (2, 3, 41, 80)
    for o, output in enumerate(("C_POOR", "C_RICH")):
        for i, name in enumerate(INPUTS):
            error = np.abs(ours[o, i] - theirs[output, name][:41]).max()
            assert error < 1e-7 * np.abs(ours[o]).max(), (output, name)


def test_both_truncations_say_the_same_of_every_observable():
    theta = reference_theta()[:3]
    short, long = HANK.irf(theta, 40), HANK.irf(theta, 41)[:, :, :41]
    assert np.abs(short - long).max() < 1e-6 * np.abs(long).max()


def test_goods_clear_by_walras_law_along_every_response(small):
    """Consumption, which the solution never looks at, is output less purchases; prices are written
    down again here.
    """
    steady, theirs = small
    policy = Policy(kappa=0.1, phi_pi=1.5, phi_y=0.1, rho_i=0.5, rho_b=0.8)
    shocks = 0.01 * processes(np.array([0.6, 0.8, 0.7, 0.5]), 80)
    (y, pi, i), _ = close(
        jacobian(EXAMPLE, steady, outputs(EXAMPLE, steady), 80), EXAMPLE, policy, shocks
    )
    m, z, g, u = shocks
    before = lambda x: np.vstack([np.zeros((1, 4)), x[:-1]])  # noqa: E731
    after = np.vstack([pi[1:], np.zeros((1, 4))])
    assert np.abs(i - 0.5 * before(i) - 0.5 * (1.5 * pi + 0.1 * y) - m).max() < 1e-15
    r = before(i) - (1 + EXAMPLE.r) * pi
    wage = (pi - after / (1 + EXAMPLE.r) - u) / 0.1 + z / EXAMPLE.mu
    debt = np.zeros_like(y)
    for t in range(80):
        debt[t] = 0.8 * (debt[t - 1] * (t > 0) + g[t])
    taxes = EXAMPLE.debt * r + (1 + EXAMPLE.r) * before(debt) + g - debt
    profits = y - wage - (y - z) / EXAMPLE.mu
    consumption = sum(
        theirs["C", name] @ path
        for name, path in zip(INPUTS, (r, wage, profits - taxes), strict=True)
    )
    assert np.abs(consumption - (y - g)).max() < 1e-6 * np.abs(y).max()


@pytest.mark.fast
def test_winding_counts_zeros_less_poles():
    z = np.exp(-2j * np.pi * np.arange(4096) / 4096)
    assert winding((1 - 0.5 * z) * (1 - 0.9 / z)) == 0
    assert winding(1.5 - 1 / z) == 0  # i = 1.5 pi: determinate
    assert winding(0.9 - 1 / z) == -1  # i = 0.9 pi: many solutions
    assert winding(1 - 1.1 * z) == 1  # explosive
    assert winding(1 - z) is None


@pytest.mark.filterwarnings("ignore:An ill-conditioned matrix")
def test_the_verdict_agrees_with_what_a_longer_truncation_does():
    """A unique solution stays when the truncation moves; among many, the truncation picks one, and
    another when it moves.
    """
    steady = calibrate(EXAMPLE, SMALL)
    jacobians = {
        periods: jacobian(EXAMPLE, steady, outputs(EXAMPLE, steady), periods)
        for periods in (150, 300)
    }
    for phi_pi, expected in (
        (0.7, Status.INDETERMINATE),
        (0.9, Status.INDETERMINATE),
        (1.05, Status.OK),
        (2.0, Status.OK),
    ):
        policy = RULE._replace(phi_pi=phi_pi)
        assert [determinacy(derivative, EXAMPLE, policy) for derivative in jacobians.values()] == [
            expected
        ] * 2
        short, long = (
            close(derivative, EXAMPLE, policy, processes(np.full(4, 0.5), periods))[0][:, :20]
            for periods, derivative in jacobians.items()
        )
        moved = np.abs(short - long).max() / np.abs(long).max()
        assert moved < 1e-8 if expected == Status.OK else moved > 0.01, (phi_pi, moved)


def test_far_from_the_start_the_operators_are_their_transforms():
    """A pulse in the middle of a long time, by the Jacobian and by its symbol."""
    steady = calibrate(EXAMPLE, SMALL)
    derivative = jacobian(EXAMPLE, steady, outputs(EXAMPLE, steady), 300)
    symbol = Transforms(derivative).symbol_OIF
    far = np.fft.ifft(symbol).real
    middle = derivative[..., 150]
    lags = np.arange(-60, 61)
    assert np.abs(far[..., lags] - middle[..., 150 + lags]).max() < 2e-2 * np.abs(middle).max()
