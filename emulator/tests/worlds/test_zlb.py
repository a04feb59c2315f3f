"""`zlb` against OccBin's paths, against `nk` where the bound is far, against its own equations, and
its verdicts.
"""

import csv
import shutil
import subprocess
import sys
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pytest

from emulator.errors import NoSolutionError, ParameterError, WorldCheckError
from emulator.spec import Status
from emulator.worlds import check_world, get_world
from emulator.worlds.zlb import SPEC, ZeroLowerBound

ZLB, NK = get_world("zlb"), get_world("nk")
REFERENCE = files("emulator.tests") / "reference" / "zlb"
DYNARE = Path("/usr/lib/dynare/matlab")
MONETARY, DEMAND, COST_PUSH = range(3)


def read(folder, name):
    """Header and numbers of a reference file."""
    header, *rows = csv.reader((folder / name).read_text().splitlines())
    return header, np.array(rows, dtype=float)


def column(theta, name):
    return theta[:, SPEC.index(name)]


def floor(theta):
    """Lowest rate that the bound allows, in annualised percentage points of deviation, (n,)."""
    return 400 * np.log(column(theta, "beta")) - column(theta, "pi_star")


@pytest.mark.fast
def test_paths_are_those_of_occbin():
    header, theta = read(REFERENCE, "theta.csv")
    assert tuple(header) == SPEC.parameter_names
    assert len(theta) >= 25
    header, table = read(REFERENCE, "paths.csv")
    assert header == ["draw", "path", "quarter", "output", "inflation", "rate"]
    assert (table[:, :3] == np.argwhere(np.ones((len(theta), 4, 25)))).all()
    expected = table[:, 3:].reshape(len(theta), 4, 25, 3)
    paths, spells, status = ZLB.solve(theta, 24)
    assert (status == Status.OK).all()
    assert np.abs(paths - expected).max() < 1e-8
    assert np.abs(ZLB.irf(theta, 24) - (expected[:, 1:] - expected[:, :1])).max() < 1e-8
    assert (spells == (expected[..., 2] < floor(theta)[:, None, None] + 1e-8).sum(axis=2)).all()


@pytest.mark.fast
def test_simulations_are_those_of_occbin():
    _, theta = read(REFERENCE, "theta.csv")
    header, shocks = read(REFERENCE, "surprises.csv")
    assert tuple(header) == SPEC.shock_names
    shocks = shocks.reshape(len(theta), -1, 3)
    header, table = read(REFERENCE, "simulations.csv")
    assert header == ["draw", "quarter", "output", "inflation", "rate"]
    assert (table[:, :2] == np.argwhere(np.ones(shocks.shape[:2]))).all()
    expected = table[:, 2:].reshape(shocks.shape)
    assert np.abs(ZLB.simulate(theta, shocks) - expected).max() < 1e-8
    assert 0.2 < (expected[..., 2] < floor(theta)[:, None] + 1e-8).mean() < 0.6


@pytest.mark.fast
def test_the_reference_holds_every_kind_of_path():
    _, theta = read(REFERENCE, "theta.csv")
    paths, spells, _ = ZLB.solve(theta, 24)
    binds = spells > 0
    at_impact = paths[:, :, 0, 2] < floor(theta)[:, None] + 1e-9
    assert (~binds).all(axis=1).sum() >= 4
    assert (binds[:, 0] & ~binds[:, 1:].any(axis=1)).sum() >= 4
    assert (~binds[:, 0] & binds[:, 1:].any(axis=1)).sum() >= 1
    assert (at_impact & binds).all(axis=1).sum() >= 4
    assert (binds[:, 0] & ~at_impact[:, 0]).sum() >= 4
    assert (spells[:, 0] >= 10).sum() >= 4


if shutil.which("octave") and DYNARE.exists():

    @pytest.mark.slow
    def test_occbin_still_says_the_same(tmp_path):
        with as_file(REFERENCE) as folder:
            subprocess.run(
                [
                    sys.executable,
                    str(folder / "make.py"),
                    "--output",
                    str(tmp_path),
                    "--dynare",
                    str(DYNARE),
                ],
                check=True,
            )
        for name in ("theta.csv", "paths.csv", "surprises.csv", "simulations.csv"):
            (header, kept), (new_header, new) = read(REFERENCE, name), read(tmp_path, name)
            assert new_header == header
            assert np.abs(new - kept).max() < 1e-8


@pytest.mark.fast
def test_where_the_bound_never_binds_the_responses_are_those_of_nk():
    theta = ZLB.sample(2000, np.random.default_rng(0))
    _, spells, _ = ZLB.solve(theta, 0)
    never = (spells == 0).all(axis=1)
    difference = np.abs(ZLB.irf(theta) - NK.irf(theta[:, :12])).max(axis=(1, 2, 3))
    assert 0.5 < never.mean() < 0.8
    assert difference[never].max() < 1e-10
    # Where it binds the same in every path the difference may be small, but it is never nothing.
    assert (difference[~never] > 1e-9).all()
    far = theta.copy()
    far[:, SPEC.index("pi_star")] = 400.0
    assert np.abs(ZLB.irf(far) - NK.irf(theta[:, :12])).max() < 1e-10


@pytest.mark.fast
def test_every_path_satisfies_the_equations_as_they_are_written():
    theta = ZLB.sample(3000, np.random.default_rng(1))
    paths, spells, _ = ZLB.solve(theta, 60)
    p = {
        name: values[:, None, None]
        for name, values in zip(SPEC.parameter_names, theta.T, strict=True)
    }
    start = np.zeros((len(theta), 4, 3))
    start[:, :, DEMAND] = -column(theta, "shortfall")[:, None] / 4
    for shock in range(3):
        start[:, 1 + shock, shock] += column(theta, f"sigma_{'mru'[shock]}")
    m, r, u = (
        start[:, :, [k]] * p[f"rho_{letter}"] ** np.arange(61) for k, letter in enumerate("mru")
    )
    x, pi, i = paths[..., 0], paths[..., 1] / 4, paths[..., 2] / 4
    before = np.concatenate([np.zeros((*i.shape[:2], 1)), i[:, :, :-1]], axis=2)
    rule = p["rho_i"] * before + (1 - p["rho_i"]) * (p["phi_pi"] * pi + p["phi_y"] * x) + m
    bound = floor(theta)[:, None, None] / 4
    scale = np.maximum(np.abs(paths).max(axis=(2, 3)), 1)[:, :, None]
    now, ahead = np.s_[:, :, :-1], np.s_[:, :, 1:]
    for error in (
        x[now] - x[ahead] + (i[now] - pi[ahead] - r[now]) / p["sigma"],
        pi[now] - p["beta"] * pi[ahead] - p["kappa"] * x[now] - u[now],
        i - np.maximum(rule, bound),
    ):
        assert (np.abs(error) / scale).max() < 1e-10
    assert (
        spells == ((i - rule) > 1e-9 * scale).sum(axis=2)
    ).mean() > 0.999  # but for spells that end in a tie
    assert (paths[..., 2] - floor(theta)[:, None, None]).min() > -1e-10


def test_the_bound_binds_in_the_share_of_draws_that_the_card_states():
    draws = ZLB.draw(20_000, np.random.default_rng(2))
    assert not draws.rejections
    _, spells, _ = ZLB.solve(draws.theta, 0)
    shares = (spells > 0).mean(axis=0)
    assert shares == pytest.approx([0.355, 0.297, 0.183, 0.179], abs=0.012)
    assert (spells.max(axis=1) > 0).mean() == pytest.approx(0.356, abs=0.012)


@pytest.mark.fast
def test_a_simulation_is_solved_anew_every_quarter_and_respects_the_bound():
    theta = ZLB.sample(200, np.random.default_rng(3))
    shocks = np.random.default_rng(4).normal(size=(200, 60, 3))
    path = ZLB.simulate(theta, shocks)
    at_bound = path[..., 2] < floor(theta)[:, None] + 1e-9
    assert (path[..., 2] - floor(theta)[:, None]).min() > -1e-10
    assert 0.1 < at_bound.mean() < 0.5
    # What was expected holds as long as nothing new happens.
    quiet = shocks.copy()
    quiet[:, 1:] = 0
    once = ZLB.solve(theta, 59)[0][:, 0]
    assert (
        np.abs(ZLB.simulate(theta, np.zeros_like(shocks)) - once).max() < 1e-9 * np.abs(once).max()
    )
    assert np.abs(ZLB.simulate(theta, quiet)[:, 0] - path[:, 0]).max() == 0


@pytest.mark.fast
def test_a_simulation_far_from_the_bound_is_that_of_nk():
    theta = ZLB.sample(100, np.random.default_rng(5))
    theta[:, SPEC.index("pi_star")], theta[:, SPEC.index("shortfall")] = 400.0, 0.0
    shocks = np.random.default_rng(6).normal(size=(100, 80, 3))
    assert np.abs(ZLB.simulate(theta, shocks) - NK.simulate(theta[:, :12], shocks)).max() < 1e-10


@pytest.mark.fast
def test_every_parameter_matters():
    """At nine draws in ten and more; a bound that binds long takes away what a shock to the rule,
    and its persistence, would do.
    """
    theta = ZLB.sample(1000, np.random.default_rng(7))
    theta = theta[ZLB.solve(theta, 0)[1][:, 0] > 0]
    base = ZLB.irf(theta)
    for k, name in enumerate(SPEC.parameter_names):
        changed = theta.copy()
        changed[:, k] += 1e-3 * (SPEC.high[k] - SPEC.low[k])
        assert (np.abs(ZLB.irf(changed) - base).max(axis=(1, 2, 3)) > 1e-9).mean() > 0.9, name


@pytest.mark.fast
def test_responses_are_continuous_in_the_initial_shortfall():
    """Spells grow a quarter at a time, and no response jumps when they do."""
    theta = np.repeat(SPEC.theta(rho_r=0.88), 4001, axis=0)
    theta[:, SPEC.index("shortfall")] = np.linspace(0, 12, 4001)
    _, spells, _ = ZLB.solve(theta, 0)
    assert (np.diff(spells[:, 0]) >= 0).all()
    assert np.diff(spells[:, 0]).max() == 1
    assert spells[0, 0] == 0
    assert spells[-1, 0] >= 6
    irf = ZLB.irf(theta)
    assert np.abs(np.diff(irf, axis=0)).max() < 0.02
    assert np.ptp(irf, axis=0).max() > 0.5


VERDICTS = {
    "no solution is unique without the bound": (
        {"phi_pi": 0.5, "phi_y": 0.0},
        Status.INDETERMINATE,
    ),
    "a rule so perverse that news in it lowers the rate": (
        {"phi_y": -9.0, "phi_pi": 3.5, "kappa": 0.01},
        Status.INDETERMINATE,
    ),
    "a steady-state rate below the bound": ({"pi_star": -3.0}, Status.OUTSIDE_RANGE),
    "a shortfall that lasts for centuries": (
        {"rho_r": 0.9999, "shortfall": 12.0},
        Status.NOT_CONVERGED,
    ),
}


@pytest.mark.fast
@pytest.mark.parametrize("case", VERDICTS)
def test_draws_outside_the_prior_are_refused_with_their_reason(case):
    values, status = VERDICTS[case]
    theta = np.concatenate([SPEC.theta(), SPEC.theta(values)])
    assert ZLB.status(theta).tolist() == [Status.OK, status]
    with pytest.raises(NoSolutionError, match=rf"1 draw\(s\) .*1 {status.label}.*row 1"):
        ZLB.irf(theta)
    with pytest.raises(NoSolutionError):
        ZLB.simulate(theta, np.zeros((2, 3, 3)))
    for answer in (
        ZLB.irf(theta, on_failure="nan"),
        ZLB.simulate(theta, np.zeros((2, 3, 3)), on_failure="nan"),
    ):
        assert np.isfinite(answer[0]).all()
        assert np.isnan(answer[1]).all()


@pytest.mark.fast
def test_bad_requests_are_refused():
    with pytest.raises(ParameterError, match="horizon is -1"):
        ZLB.irf(SPEC.theta(), horizon=-1)
    with pytest.raises(ParameterError, match="on_failure is 'ignore'"):
        ZLB.irf(SPEC.theta(), on_failure="ignore")
    with pytest.raises(ParameterError, match=r"takes shocks of shape \(1, T, 3\)"):
        ZLB.simulate(SPEC.theta(), np.zeros((1, 5, 2)))


class NeverComesToRest(ZeroLowerBound):
    def simulate(self, theta, shocks, *, on_failure="raise"):
        return (
            super().simulate(theta, shocks, on_failure=on_failure)
            + 1e-6 * np.arange(shocks.shape[1])[:, None]
        )


class MissesOneShock(ZeroLowerBound):
    def irf(self, theta, horizon=40, *, on_failure="raise"):
        return (
            super().irf(theta, horizon, on_failure=on_failure)
            * np.array([1.0, 1.0, 0.0])[:, None, None]
        )


@pytest.mark.parametrize(
    ("broken", "check"),
    [(NeverComesToRest, "steady_state_is_at_rest"), (MissesOneShock, "responses_are_alive")],
)
def test_the_suite_still_fails_broken_worlds_that_start_away_from_rest(broken, check):
    with pytest.raises(WorldCheckError, match=check):
        check_world(broken(), n=16)


def test_ten_thousand_draws_at_once_are_those_draws_in_seven_parts_number_for_number():
    theta = ZLB.sample(10_000, np.random.default_rng(8))
    parts = np.concatenate([ZLB.irf(part, 20) for part in np.array_split(theta, 7)])
    assert (ZLB.irf(theta, 20) == parts).all()
