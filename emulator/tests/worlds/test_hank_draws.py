"""What becomes of each kind of draw of `hank`, and what is refused."""

import io
import sys

import numba
import numpy as np
import pytest
from rich.console import Console

from emulator import console
from emulator.errors import MissingExtraError, NoSolutionError, ParameterError
from emulator.spec import Status
from emulator.worlds import check_world, get_world
from emulator.worlds.hank import world as hank
from emulator.worlds.hank.world import SPEC, rest, solve_household
from emulator.worlds.households import compiled

HANK = get_world("hank")


def test_it_passes_the_conformance_suite():
    check_world(HANK, n=6, seed=1)


def test_each_kind_of_failure_is_labelled():
    theta = np.concatenate(
        [
            SPEC.theta(),
            SPEC.theta(phi_pi=0.9),
            SPEC.theta(mu=1.0),
            SPEC.theta(rho_m=1.0),
            SPEC.theta(debt=149.9),
            SPEC.theta(rho_z=0.99),
        ]
    )
    status = HANK.status(theta)
    labels = [
        Status.OK,
        Status.INDETERMINATE,
        Status.OUTSIDE_BOUNDS,
        Status.OUTSIDE_RANGE,
        Status.NOT_CONVERGED,
        Status.NOT_CONVERGED,
    ]
    assert [Status(code) for code in status] == labels
    with pytest.raises(
        NoSolutionError,
        match=r"5 draw\(s\).*1 indeterminate, 2 not_converged, 1 outside_bounds, 1 outside_range"
        r".*row 1.*phi_pi=0.9",
    ):
        HANK.irf(theta)
    irf, paths = (
        HANK.irf(theta, on_failure="nan"),
        HANK.simulate(theta, np.ones((6, 9, 4)), on_failure="nan"),
    )
    for values in (irf, paths):
        assert np.isfinite(values[0]).all()
        assert np.isnan(values[1:]).all()


def test_what_cannot_be_answered_is_refused():
    with pytest.raises(ParameterError, match=r"horizon is 201; expected 0 .* to 200"):
        HANK.irf(SPEC.theta(), horizon=201)
    with pytest.raises(ParameterError, match="horizon is -1"):
        HANK.irf(SPEC.theta(), horizon=-1)
    with pytest.raises(ParameterError, match="on_failure is 'ignore'"):
        HANK.irf(SPEC.theta(), on_failure="ignore")
    with pytest.raises(ParameterError, match="takes shocks of shape"):
        HANK.simulate(SPEC.theta(), np.zeros((1, 5, 3)))


def test_households_are_solved_once_and_answers_do_not_depend_on_what_came_before():
    for remembered in (hank.solve_draw, rest, solve_household):
        remembered.cache_clear()
    theta = SPEC.theta(rho_e=0.95)
    first = HANK.irf(theta)
    HANK.irf(SPEC.theta(rho_e=0.95, phi_pi=2.0, kappa=0.2, rho_g=0.1, sigma_m=0.4))
    assert rest.cache_info().misses == 1
    HANK.irf(SPEC.theta(rho_e=0.94))
    assert rest.cache_info().misses == 2
    for remembered in (hank.solve_draw, rest, solve_household):
        remembered.cache_clear()
    assert (HANK.irf(theta) == first).all()


def test_a_shocks_own_process_moves_its_own_responses_alone_and_everything_else_moves_all():
    own = {
        f"{kind}_{letter}": shock
        for shock, letter in enumerate("mzgu")
        for kind in ("rho", "sigma")
    }
    base = HANK.irf(SPEC.theta(rho_i=0.3, rho_b=0.4, phi_y=0.1))[0]
    for k, name in enumerate(SPEC.parameter_names):
        changed = SPEC.theta(rho_i=0.3, rho_b=0.4, phi_y=0.1)
        changed[0, k] += 0.02 * (SPEC.high[k] - SPEC.low[k])
        effect = np.abs(HANK.irf(changed)[0] - base).max(axis=1)  # shock, observable
        for shock in range(4):
            moves = own.get(name, shock) == shock and (
                name != "rho_b" or shock == 2
            )  # debt moves with purchases alone
            assert (effect[shock] > 1e-6).all() if moves else (effect[shock] == 0).all(), (
                name,
                shock,
            )


@pytest.mark.fast
def test_without_the_extra_the_spec_stands_and_a_solution_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    hank.threads.cache_clear()
    assert HANK.spec.n_parameters == 20
    assert len(HANK.propose(3, np.random.default_rng(0))) == 3
    with pytest.raises(MissingExtraError, match=r"universal-macro-emulator\[hank\]"):
        HANK.irf(SPEC.theta(eis=0.123))
    hank.threads.cache_clear()


@pytest.mark.fast
def test_without_numba_a_solution_says_what_to_install(monkeypatch):
    for name in ("households.compiled", "hank.kernels", "hank.steady", "hank.fake_news"):
        monkeypatch.delitem(sys.modules, f"emulator.worlds.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(MissingExtraError, match=r"numba.*universal-macro-emulator\[hank\]"):
        HANK.irf(SPEC.theta(eis=0.124))


@pytest.mark.parametrize("terminal", [True, False])
def test_a_person_who_waits_for_the_compiler_is_told_once(monkeypatch, terminal):
    said = Console(file=io.StringIO(), force_terminal=terminal)
    monkeypatch.setattr(console, "err", said)
    monkeypatch.setattr(compiled.TELLING, "told", False)
    counts = []
    for module in ("somebodys.simulator", "emulator.worlds.hank", "emulator.worlds.hank"):
        function = lambda x: x + 1  # noqa: E731
        function.__module__ = module
        numba.njit(function)(1)
        counts.append(said.file.getvalue().count("is being compiled"))
    assert counts == [0, terminal, terminal]


@pytest.mark.fast
def test_the_command_line_says_its_grid_and_its_regimes():
    from typer.testing import CliRunner

    from emulator.cli import app

    text = " ".join(CliRunner().invoke(app, ["worlds", "hank"]).output.split())
    assert "Solved with the settings points 500, pivot 0.05, top 150, fade 1." in text
    assert "skills (of seven) that the limit to borrowing holds at no assets" in text
