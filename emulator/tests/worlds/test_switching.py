"""`switching` against a reference solved draw by draw, brute force over regime paths, its own
equations, and `nk`.
"""

import csv
import itertools
import subprocess
import sys
from importlib.resources import as_file, files

import numpy as np
import pytest

from emulator.errors import NoSolutionError
from emulator.spec import Status
from emulator.worlds import get_world
from emulator.worlds.nk import OBSERVATION
from emulator.worlds.nk import SPEC as NK_SPEC
from emulator.worlds.switching import SPEC, chain

WORLD = get_world("switching")
REFERENCE = files("emulator.tests") / "reference" / "switching"
ACTIVE, PASSIVE = 1.0, 0.0


def read(name, folder=REFERENCE):
    """Header and numbers of a reference file."""
    header, *rows = csv.reader((folder / name).read_text().splitlines())
    return tuple(header), np.array(rows, dtype=float)


def changed(theta, **values):
    theta = theta.copy()
    for name, value in values.items():
        theta[:, SPEC.index(name)] = value
    return theta


def columns(theta):
    return dict(zip(SPEC.parameter_names, theta.T, strict=True))


@pytest.mark.fast
def test_responses_are_those_of_the_reference():
    """Rules by Powell's method on scalar equations, then every path of the regimes with its
    probability.
    """
    header, theta = read("theta.csv")
    assert header == SPEC.parameter_names
    header, table = read("irfs.csv")
    assert header == ("draw", "shock", "horizon", "output", "inflation", "rate")
    assert len(theta) == 24
    assert (table[:, :3] == np.argwhere(np.ones((24, 3, 13)))).all()
    assert np.abs(WORLD.irf(theta, horizon=12) - table[:, 3:].reshape(24, 3, 13, 3)).max() < 1e-10


@pytest.mark.fast
def test_verdicts_and_radii_are_those_of_the_reference():
    """Its radii come from the full Kronecker products, of the least explosive of all solutions
    found from 60 starts.
    """
    header, table = read("verdicts.csv")
    assert header == (*SPEC.parameter_names, "solutions", "stable_solutions", "stable", "bubble")
    solution = WORLD.solve(table[:, :-4])
    solutions, stable_solutions, stable, bubble = table[:, -4:].T
    assert len(table) == 120
    assert (solution.status == np.where(bubble < 1, Status.OK, Status.INDETERMINATE)).all()
    assert np.abs(solution.stable - stable).max() < 1e-10
    assert np.abs(solution.bubble - bubble).max() < 1e-10
    assert (stable_solutions[solution.status == Status.OK] == 1).all()
    assert (solutions > 1).mean() > 0.5  # so that it matters which one was found
    assert (np.abs(bubble - 1) < 5e-3).sum() >= 30


@pytest.mark.slow
def test_the_reference_is_remade_as_it_is(tmp_path):
    with as_file(REFERENCE) as folder:
        subprocess.run(
            [sys.executable, str(folder / "make.py"), "--output", str(tmp_path)], check=True
        )
    for name in ("theta.csv", "irfs.csv"):
        (header, new), (kept_header, kept) = read(name, tmp_path), read(name)
        assert header == kept_header
        assert np.abs(new - kept).max() < 1e-9
    new, kept = read("verdicts.csv", tmp_path)[1], read("verdicts.csv")[1]
    assert (
        np.abs(np.delete(new, -4, axis=1) - np.delete(kept, -4, axis=1)).max() < 1e-8
    )  # all but the count of solutions


@pytest.mark.fast
def test_regimes_that_are_alike_are_nk():
    nk = get_world("nk")
    theirs = nk.propose(2000, np.random.default_rng(1))
    p = dict(zip(NK_SPEC.parameter_names, theirs.T, strict=True))
    theta = WORLD.propose(2000, np.random.default_rng(2))
    for name in NK_SPEC.parameter_names:
        for of_regime in (
            [f"{name}_active", f"{name}_passive"] if name in ("phi_pi", "phi_y") else [name]
        ):
            theta[:, SPEC.index(of_regime)] = p[name]
    assert (WORLD.status(theta) == nk.status(theirs)).all()
    ours, single = (
        world.irf(values, on_failure="nan") for world, values in ((WORLD, theta), (nk, theirs))
    )
    assert np.nanmax(np.abs(ours - single)) < 1e-10


def simulated(theta, n_paths, horizon, rng):
    """Responses averaged over drawn regime paths (3, H+1, 3) and their standard errors, one draw of
    theta.
    """
    solution, p = WORLD.solve(theta), columns(theta)
    stay = np.array([p["p_active"][0], p["p_passive"][0]])
    regime = (rng.random(n_paths) >= p["active_at_impact"][0]).astype(int)
    state = solution.impact[0, regime]
    path = [OBSERVATION @ state]
    for _ in range(horizon):
        regime = np.where(rng.random(n_paths) < stay[regime], regime, 1 - regime)
        state = solution.transition[0, regime] @ state
        path.append(OBSERVATION @ state)
    sample = np.stack(path, axis=1).transpose(0, 3, 1, 2)
    return sample.mean(axis=0), sample.std(axis=0) / np.sqrt(n_paths)


def test_responses_are_the_mean_over_regime_paths_by_monte_carlo():
    """One z-score an economy, independent of the others: squares sum to chi-square, unless the
    chain differs a little.
    """
    rng = np.random.default_rng(3)
    theta = changed(WORLD.sample(100, rng), active_at_impact=0.5)
    other = theta.copy()
    other[:, SPEC.index("p_passive")] -= 0.05
    draws = [simulated(row[None], 3000, 8, rng) for row in theta]
    mean, error = (np.array(parts) for parts in zip(*draws, strict=True))
    right, wrong = ((mean - WORLD.irf(values, horizon=8)) / error for values in (theta, other))
    for shock, horizon, observable in itertools.product(range(3), (1, 4, 8), range(3)):
        assert (
            60 < np.square(right[:, shock, horizon, observable]).sum() < 150
        )  # outside with probability 0.0014
    assert np.abs(right).max() < 5
    assert np.square(wrong[:, :, 8]).sum(axis=0).min() > 2000


@pytest.mark.fast
def test_simulation_is_the_mean_over_all_regime_paths():
    """Shocks in every quarter, all 2^6 paths of the regimes with their probabilities."""
    rng = np.random.default_rng(4)
    theta, shocks = WORLD.sample(3, rng), rng.normal(size=(3, 6, 3))
    solution, transitions = WORLD.solve(theta), chain(theta)
    for k, first in enumerate(theta[:, SPEC.index("active_at_impact")]):
        expected, total = np.zeros((6, 3)), 0.0
        for regimes in itertools.product((0, 1), repeat=6):
            chance = (first, 1 - first)[regimes[0]] * np.prod(
                [transitions[k, i, j] for i, j in itertools.pairwise(regimes)]
            )
            state, total = np.zeros(6), total + chance
            for period, regime in enumerate(regimes):
                state = (
                    solution.transition[k, regime] @ state
                    + solution.impact[k, regime] @ shocks[k, period]
                )
                expected[period] += chance * OBSERVATION @ state
        assert total == pytest.approx(1.0)
        assert (
            np.abs(WORLD.simulate(theta[k : k + 1], shocks[k : k + 1])[0] - expected).max() < 1e-12
        )


@pytest.mark.fast
@pytest.mark.parametrize("first", [ACTIVE, PASSIVE])
def test_mean_responses_satisfy_the_equations_as_they_are_written(first):
    """IS and Phillips curve, the same in both regimes, along the whole mean path; the first
    regime's rule in the first quarter.
    """
    theta = changed(WORLD.sample(500, np.random.default_rng(5)), active_at_impact=first)
    p = {name: values[:, None] for name, values in columns(theta).items()}
    phi_pi, phi_y = (
        p[f"{name}_{'active' if first == ACTIVE else 'passive'}"] for name in ("phi_pi", "phi_y")
    )
    irf = WORLD.irf(theta, horizon=60)
    for shock, letter in enumerate("mru"):
        x, pi, i = irf[:, shock, :, 0], irf[:, shock, :, 1] / 4, irf[:, shock, :, 2] / 4
        process = p[f"sigma_{letter}"] * p[f"rho_{letter}"] ** np.arange(61)
        m, r, u = (process * (letter == other) for other in "mru")
        now, ahead = slice(0, 60), slice(1, 61)
        is_curve = x[:, now] - x[:, ahead] + (i[:, now] - pi[:, ahead] - r[:, now]) / p["sigma"]
        phillips = pi[:, now] - p["beta"] * pi[:, ahead] - p["kappa"] * x[:, now] - u[:, now]
        rule = (i - (1 - p["rho_i"]) * (phi_pi * pi + phi_y * x) - m)[:, 0]
        for error in (is_curve, phillips, rule):
            assert np.abs(error).max() < 1e-10


@pytest.mark.fast
def test_responses_average_those_of_the_two_first_regimes():
    theta = WORLD.sample(200, np.random.default_rng(6))
    active, passive = (
        WORLD.irf(changed(theta, active_at_impact=first)) for first in (ACTIVE, PASSIVE)
    )
    chance = theta[:, SPEC.index("active_at_impact"), None, None, None]
    assert np.abs(WORLD.irf(theta) - chance * active - (1 - chance) * passive).max() < 1e-12
    assert np.median(np.abs(active - passive).max(axis=(2, 3))) > 0.05


@pytest.mark.fast
def test_every_parameter_matters_exactly_where_theory_says_so():
    """A shock's own persistence and size move its own responses alone; every other parameter moves
    all of them.
    """
    theta = changed(WORLD.sample(100, np.random.default_rng(7)), active_at_impact=0.5)
    base = WORLD.irf(theta)
    own = {
        f"{kind}_{letter}": {shock}
        for shock, letter in enumerate("mru")
        for kind in ("rho", "sigma")
    }
    for k, name in enumerate(SPEC.parameter_names):
        moved = theta.copy()
        moved[:, k] += 0.002 * (SPEC.high[k] - SPEC.low[k])
        effect = np.abs(WORLD.irf(moved, on_failure="nan") - base).max(axis=2)
        effect = effect[np.isfinite(effect).all(axis=(1, 2))]
        assert len(effect) > 90
        for shock in range(3):
            if shock in own.get(name, {0, 1, 2}):
                assert (effect[:, shock] > 1e-10).all(), (name, shock)
            else:
                assert (effect[:, shock] < 1e-14).all(), (name, shock)


@pytest.mark.fast
def test_one_draw_in_five_is_refused_and_counted():
    draws = WORLD.draw(5000, np.random.default_rng(8))
    assert set(draws.rejections) == {"indeterminate"}
    assert 0.18 < len(draws.rejected_theta) / (5000 + len(draws.rejected_theta)) < 0.21
    assert (WORLD.status(draws.rejected_theta) == draws.rejected_status).all()


@pytest.mark.fast
def test_a_draw_without_solution_says_why():
    cases = {
        Status.INDETERMINATE: {"phi_pi_passive": 0.5, "p_passive": 0.99, "kappa": 0.5},
        Status.EXPLOSIVE: {"rho_i": -1.2},
        Status.OUTSIDE_BOUNDS: {"p_passive": 1.01},
    }
    for status, values in cases.items():
        theta = np.concatenate([SPEC.theta(), SPEC.theta(values)])
        assert list(WORLD.status(theta)) == [Status.OK, status]
        for ask in (
            WORLD.irf,
            lambda theta, **how: WORLD.simulate(theta, np.ones((2, 5, 3)), **how),
        ):
            with pytest.raises(
                NoSolutionError,
                match=rf"1 draw\(s\) without a unique stable solution \(1 {status.label}\)",
            ):
                ask(theta)
            answer = ask(theta, on_failure="nan")
            assert np.isfinite(answer[0]).all()
            assert np.isnan(answer[1]).all()
