"""Controlled paths: what is given holds, the shocks that are found bring it about, and Dynare's
conditional forecast finds the same.
"""

import csv
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import emulator
from emulator.errors import ModFileError, ModFileWarning, ParameterError, UnknownNameError
from emulator.modfile import load, load_text
from emulator.modfile.compiling.foresight import Foresight
from emulator.modfile.compiling.scenario import Given
from emulator.spec import Status

pytestmark = pytest.mark.fast

REFERENCE = Path(__file__).parents[2] / "reference" / "foresight"
BLOCK = "perfect_foresight_controlled_paths;"
MODEL = """var c k; varexo a tau; parameters b; b = 0.95;
model; 1/c = b/c(+1)*((1 - tau(+1))*0.4*a(+1)*k^(-0.6) + 0.9);
c + k = a(-1)^0.2*a*k(-1)^0.4 + 0.9*k(-1); end;
initval; a = 1; tau = 0.1; k = 3; c = 1; end; steady;
"""
SOLVE = "perfect_foresight_setup(periods=30); perfect_foresight_solver;"


def solved(statements, solve=SOLVE, given=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = load_text(f"{MODEL}{statements} {solve}", "m.mod")
    answer = model.kind.path_solver(model).solve(model.theta(), given=given)
    assert (answer.status == Status.OK).all(), answer.worst
    return answer


@pytest.mark.parametrize("option", ["", "(linear_approximation)"])
def test_a_path_that_is_given_holds_and_the_shocks_that_are_found_bring_it_about(option):
    solve = SOLVE.replace("solver", f"solver{option}")
    controlled = solved(
        f"{BLOCK} exogenize c; periods 2:3 5; values 1.2 1.1; endogenize a;"
        " exogenize k; periods 4; values 3; endogenize tau; end;",
        solve,
    )
    np.testing.assert_allclose(controlled.path[0, [2, 3, 5], 0], [1.2, 1.2, 1.1], atol=1e-12)
    assert controlled.path[0, 4, 1] == pytest.approx(3)
    a, tau = controlled.exogenous[0].T
    assert (a[[1, 4, 6]] == 1).all()
    given = Given(shocks={"a": a[None, 1:31], "tau": tau[None, 1:31]})
    plain = solved("", solve, given)
    np.testing.assert_allclose(plain.path, controlled.path, atol=1e-9)


def test_each_shock_is_a_surprise_as_in_dynares_conditional_forecast():
    model = load(REFERENCE / "controlled.mod")
    answer = model.kind.path_solver(model).solve(model.theta())
    with open(REFERENCE / "plan.csv") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3
    for row in rows:
        period = int(row["period"])
        levels = dict(zip(model.variables, answer.path[0, period], strict=True))
        levels |= {"e": answer.exogenous[0, period, 0], "d": answer.exogenous[0, period, 1]}
        for name, value in levels.items():
            assert value == pytest.approx(float(row[name]), abs=1e-7)
    assert (answer.exogenous[0, 4:] == 0).all()


def test_lines_of_a_plan_are_named_with_what_asks_for_them_here():
    with pytest.warns(ModFileWarning, match="controlled paths in MATLAB"):
        notes = emulator.world(REFERENCE / "plan.mod").solver.notes
    note = next(note for note in notes if "flip_plan" in note)
    assert "plan.mod:22 (and lines 23, 24, 27): controlled paths in MATLAB" in note
    command = "emulator foresight plan.mod --control y:e=2.52,2.53,2.5 --control c:d=1.77,1.765,"
    assert command in note
    assert "controls={'y': ('e', [2.52, 2.53, 2.5])" in note
    assert sum("init_plan" in note for note in notes) == 1


def test_the_command_that_a_note_on_a_plan_gives_keeps_its_periods(tmp_path, emulate):
    path = tmp_path / "growth.mod"
    kind = "'perfect_foresight'"
    path.write_text(
        f"{MODEL}p = init_plan(1:30);\np = basic_plan(p, 'a', {kind}, 1:2, [1.02 1.01]);"
        f"\np = flip_plan(p, 'k', 'a', {kind}, 5:6, [4.2 4.21]);\n{SOLVE}"
    )
    with pytest.warns(ModFileWarning, match="controlled paths in MATLAB") as warned:
        economy = emulator.world(path)
    note = str(warned[0].message)
    command = re.search(r"emulator (foresight growth.mod .*?), in Python", note)[1].split()
    assert command[2:] == ["--control", "k:a=,,,,4.2,4.21", "--shock", "a=1.02,1.01"]
    controls = {"k": ("a", {5: 4.2, 6: 4.21})}
    assert f"controls={controls}, shocks={{'a': [1.02, 1.01]}})" in note
    answer = economy.perfect_foresight(controls=controls, shocks={"a": [1.02, 1.01]})["path"]
    np.testing.assert_allclose(answer.sel(variable="k", period=[5, 6]).values.ravel(), [4.2, 4.21])
    output = tmp_path / "path.nc"
    code, _, err = emulate(command[0], path, *command[2:], "--output", output)
    assert code == 0
    assert "controlled paths" not in err
    with xr.open_dataset(output) as written:
        np.testing.assert_allclose(written["path"].values, answer.values, rtol=1e-12)
    assert "controlled paths" in emulate("foresight", path)[2]


def test_the_economy_is_asked_for_controlled_paths(tmp_path, emulate):
    path = tmp_path / "growth.mod"
    path.write_text(MODEL + SOLVE)
    economy = emulator.world(path)
    controls = {"c": ("a", {2: 1.2}), "k": ("tau", {4: 3.0})}
    answer = economy.perfect_foresight(controls=controls, b=[0.95, 0.96], periods=40)
    np.testing.assert_allclose(answer["path"].sel(variable="c", period=2), 1.2)
    np.testing.assert_allclose(answer["path"].sel(variable="k", period=4), 3)
    moved = answer["exogenous"].sel(shock="a", scenario="given")
    assert (moved.sel(period=2) != 1).all()
    assert (moved.sel(period=3) == 1).all()
    scenarios = {"one": {"controls": {"c": ("a", [1.2])}}, "two": {"controls": {"c": ("a", [1.1])}}}
    both = economy.perfect_foresight(scenarios=scenarios)["path"].sel(variable="c", period=1)
    np.testing.assert_allclose(both.values.ravel(), [1.2, 1.1])
    code, out, _ = emulate("foresight", path, "--control", "c:a=1.2,1.1")
    assert code == 0
    assert "1.2" in out
    code, _, err = emulate("foresight", path, "--control", "c=1.2")
    assert code == 1
    assert "--control c:e=1.02" in " ".join(err.split())


@pytest.mark.parametrize(
    ("controls", "error", "message"),
    [
        (
            {"k": ("tau", {3: 3.0})},
            ParameterError,
            "a value there itself, in period 3, by the file",
        ),
        ({"c": [1.2]}, ParameterError, "the exogenous variable that is solved for"),
        ({"q": ("a", [1.2])}, UnknownNameError, "Unknown variable"),
        ({"c": ("q", [1.2])}, UnknownNameError, "Unknown exogenous variable"),
        ({"c": ("a", [1.2]), "k": ("a", [3.0])}, ParameterError, "moves another variable"),
    ],
)
def test_controls_that_cannot_be_are_refused(tmp_path, controls, error, message):
    path = tmp_path / "growth.mod"
    path.write_text(f"{MODEL}shocks; var tau; periods 3; values 0.2; end; {SOLVE}")
    with pytest.raises(error, match=message):
        emulator.world(path).perfect_foresight(controls=controls)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("exogenize a; periods 1; values 1; endogenize tau;", "'a' is no endogenous variable"),
        ("exogenize c; periods 1; values 1; endogenize k;", "'k' is no exogenous variable"),
        ("exogenize c; periods 1; endogenize a;", "without 'values' before it"),
        ("exogenize c; periods 1; values 1;", "without 'endogenize' behind it"),
        ("exogenize c; periods 1 2; values 1 2 3; endogenize a;", "2 ranges of periods and 3"),
        ("exogenise c;", "the line is not understood"),
        ("exogenize c; periods 31; values 1; endogenize a;", "after the last one, 30"),
        (
            "exogenize c; periods 1; values 1; endogenize a;"
            " exogenize k; periods 1; values 3; endogenize a;",
            "moves another variable there too, in period 1",
        ),
        (
            "exogenize c; periods 2; values 1; endogenize a; end;"
            " shocks; var a; periods 2; values 1;",
            "moved by a shock that has a value there itself, in period 2",
        ),
    ],
)
def test_blocks_that_cannot_be_are_refused(block, message):
    with pytest.raises(ModFileError, match=message):
        solved(f"{BLOCK} {block} end;")


def test_factors_relative_to_initval():
    text = (
        "var y; varexo e; model; y = e; end; initval; e = 2; end; endval; e = 5; end; steady;"
        " mshocks(relative_to_initval); var e; periods 1; values 3; end;"
        " mshocks; var e; periods 2; values 3; end; perfect_foresight_setup(periods=4);"
        " perfect_foresight_solver;"
    )
    model = load_text(text, "m.mod")
    path = Foresight(model).solve(model.theta()).path[0, :, 0]
    np.testing.assert_allclose(path[1:4], [6, 15, 5])
