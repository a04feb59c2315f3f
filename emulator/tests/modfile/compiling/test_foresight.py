"""Perfect foresight of a file: the past, the end, shocks that come once, for good or later, against
closed forms and against equations solved by hand.
"""

import csv
import warnings
from pathlib import Path

import numpy as np
import pytest

from emulator.errors import ModFileError
from emulator.modfile import irf, load, load_text
from emulator.modfile.compiling.foresight import Foresight
from emulator.spec import Status

pytestmark = pytest.mark.fast

SOLOW = """var k; varexo z; parameters s d; s=0.2; d=0.1;
model; k=(1-d)*k(-1)+s*z*k(-1)^0.5; end;
initval; z=1; k=4; end; steady;
shocks; var z; periods 1; values 1.1; end;
simul(periods=50);
"""
"""Dynare 5.3: 4 4.04 4.037995025 4.036090784 4.034282192 4.032564426."""

FORWARD = """var p; varexo d; parameters b; b = 0.5;
model; p = b*p(+1) + d; end;
initval; d = 1; end; steady;
"""


def solved(text, periods=None, **values):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = load_text(text, "m.mod")
    answer = Foresight(model).solve(model.theta(**values), periods)
    assert (answer.status == Status.OK).all(), answer.worst
    return answer


def test_the_file_of_a_temporary_shock_has_dynares_path():
    path = solved(SOLOW).path[0, :6, 0]
    expected = [4, 4.04, 4.037995025, 4.036090784, 4.034282192, 4.032564426]
    np.testing.assert_allclose(path, expected, atol=1e-9)


def test_irf_is_the_path_less_the_period_before_the_first(tmp_path):
    file = tmp_path / "solow.mod"
    file.write_text(SOLOW)
    answer = irf(file, 3)
    assert list(answer["shock"].values) == ["scenario"]
    np.testing.assert_allclose(answer[0, :, 0], [0.04, 0.037995025, 0.036090784, 0.034282192])
    assert "run 1: simul(periods=50)" in answer.attrs["run"]


def test_a_shock_to_come_moves_prices_before_it_comes():
    text = FORWARD + "shocks; var d; periods 4; values 3; end; simul(periods=6);"
    path = solved(text).path[0, :, 0]
    np.testing.assert_allclose(path[1:6], 2 + 2 * 0.5 ** np.array([3, 2, 1, 0, np.inf]))


def test_endval_is_a_change_for_good():
    text = FORWARD + "endval; d = 2; end; steady; simul(periods=6);"
    np.testing.assert_allclose(solved(text).path[0, :, 0], [2, 4, 4, 4, 4, 4, 4, 4])


def test_endval_with_a_shock_is_a_change_for_good_that_is_announced():
    text = FORWARD + (
        "endval; d = 2; end; steady; shocks; var d; periods 1:2; values 1; end; simul(periods=4);"
    )
    np.testing.assert_allclose(solved(text).path[0, :4, 0], [2, 2.5, 3, 4])


def test_histval_sets_the_past_and_zero_where_it_names_none():
    text = (
        "var y x; varexo e; model; y = 0.5*y(-1) + 0.25*y(-2) + e(-1); x = 0.5*x(-1) + 1; end;"
        " initval; y = 3; x = 2; end; histval; y(0) = 4; y(-1) = 8; e(0) = 1; end;"
        " simul(periods=3);"
    )
    path = solved(text).path[0]
    np.testing.assert_allclose(path[:4, 0], [4, 5, 3.5, 3])
    np.testing.assert_allclose(path[:4, 1], [0, 1, 1.5, 1.75])


def test_a_past_that_matlab_computes_from_the_steady_state():
    text = SOLOW.partition("shocks;")[0].replace("k=4", "k=3") + (
        "ik = strmatch('k', M_.endo_names, 'exact');\nhalf = oo_.steady_state(ik)/2;\n"
        "more = half + 1;\nhistval; k(0) = more; end; simul(periods=40);"
    )
    assert solved(text).path[0, 0, 0] == pytest.approx(3)


def test_parameters_between_blocks_count_where_they_stand():
    text = (
        "var y; varexo e; parameters r size; r = 0.5; size = 1; model; y = r*y(-1) + e; end;"
        " initval; y = 8*r; end; shocks; var e; periods 1; values (size); end; size = 5;"
        "\nset_param_value('r', 0.25);\nsimul(periods=2);"
    )
    # y before is 8*0.5, the shock 1, the coefficient at the run 0.25
    np.testing.assert_allclose(solved(text).path[0, :3, 0], [4, 2, 0.5])


def test_shocks_add_up_until_overwrite_and_mshocks_multiply():
    text = (
        "var y; varexo e u; model; y = e + 10*u; end; shocks; var e; periods 1:2; values 1 ; end;"
        " shocks; var u; periods 2 3; values 1, (1+1); end; simul(periods=3);"
        " shocks(overwrite); var e; periods 3; values -1; end;"
        " mshocks; var e; periods 3; values 3; end; simul(periods=3);"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first, second = (load_text(text, "m.mod", run=k) for k in (1, 2))
    np.testing.assert_allclose(Foresight(first).solve(first.theta()).path[0, 1:4, 0], [1, 11, 20])
    np.testing.assert_allclose(Foresight(second).solve(second.theta()).path[0, 1:4, 0], [0, 0, -3])
    assert second.runs[1].endswith("after new values of the path of e")


def test_a_vector_of_matlab_gives_a_value_a_period():
    text = (
        "var y; varexo e; model; y = e; end;\nv = [1; 2; 3];\nshocks; var e; periods 1:3;"
        " values (v); end; simul(periods=3);"
    )
    np.testing.assert_allclose(solved(text).path[0, 1:4, 0], [1, 2, 3])


def test_draws_are_solved_together_and_each_as_alone():
    shares = [0.15, 0.2, 0.3]
    together = solved(SOLOW, s=shares).path
    for share, path in zip(shares, together, strict=True):
        np.testing.assert_allclose(path, solved(SOLOW, s=share).path[0], atol=1e-12)


def test_a_bound_with_lmmcp_binds_where_the_equation_pushes_below_it():
    text = (
        "var r y; varexo e; model; [mcp = 'r > -0.5'] r = 1.5*y; y = 0.5*y(-1) - 0.2*r + e; end;"
        " shocks; var e; periods 1 4; values -2 1; end;"
        " perfect_foresight_setup(periods=8); perfect_foresight_solver(lmmcp);"
    )
    path = solved(text).path[0]
    r, y = path[1:-1].T
    assert (r >= -0.5 - 1e-12).all()
    assert r[0] == -0.5
    np.testing.assert_allclose(r, np.maximum(1.5 * y, -0.5), atol=1e-10)
    free = solved(text.replace("(lmmcp)", "")).path[0]
    assert free[1:, 0].min() < -0.5


PLANNER = """var i y pi; varexo d; parameters low s; low = -0.5; s = 1;
model; y = y(+1) - (i - pi(+1)) + d; pi = 0.9*pi(+1) + 0.2*y; end;
planner_objective s*(pi^2 + 0.3*y^2 + 0.1*i^2);
ramsey_model(planner_discount = 0.95);
initval; i = 0; end; steady;
ramsey_constraints; i >= low; end;
shocks; var d; periods 1:3; values -2; end;
perfect_foresight_setup(periods=30);
"""


def test_the_instrument_of_a_planner_stays_within_its_bounds():
    held = solved(PLANNER + "perfect_foresight_solver(lmmcp);", low=[-0.5, -0.8]).path
    free = solved(PLANNER + "perfect_foresight_solver;").path
    assert free[0, :, 0].min() < -0.9
    np.testing.assert_allclose(held[:, :, 0].min(axis=1), [-0.5, -0.8], atol=1e-10)

    def loss(path):
        i, y, pi = path.T[:3, 1:-1]
        return (0.95 ** np.arange(len(i)) * (pi**2 + 0.3 * y**2 + 0.1 * i**2)).sum()

    assert loss(free[0]) < loss(held[1]) < loss(held[0])


def test_welfare_is_maximised_where_a_loss_is_minimised():
    text = PLANNER + "perfect_foresight_solver(lmmcp);"
    loss, welfare = solved(text).path, solved(text, s=-1).path
    np.testing.assert_allclose(welfare[..., :3], loss[..., :3], atol=1e-9)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("i + 1 > low;", "a variable, < or >, and a value were expected"),
        ("i = low;", "in the block 'ramsey_constraints'"),
        ("i > y;", "the bound of 'i' holds 'y'"),
        ("low > 1;", "a variable, < or >, and a value were expected"),
    ],
)
def test_bounds_of_a_planner_that_cannot_be_are_refused(block, message):
    with pytest.raises(ModFileError, match=message):
        load_text(PLANNER.replace("i >= low;", block), "m.mod")


def test_a_linear_approximation_is_the_derivative_of_the_path():
    half, whole = (
        solved(SOLOW.replace("1.1", text).replace("periods=50", "periods=50, linear_approximation"))
        for text in ("1.05", "1.1")
    )
    step = 1e-6
    near = solved(SOLOW.replace("1.1", f"{1 + step}"))
    np.testing.assert_allclose(whole.path - 4, 2 * (half.path - 4), atol=1e-12)
    np.testing.assert_allclose(0.1 * (near.path - 4) / step, whole.path - 4, atol=1e-6)


def test_a_linear_approximation_away_from_a_steady_state_is_refused():
    text = SOLOW.replace("steady;", "").replace("k=4", "k=3.9")
    model = load_text(text.replace("periods=50", "periods=50, linear_approximation"), "m.mod")
    foresight = Foresight(model)
    assert foresight.solve(model.theta()).status[0] == Status.NOT_CONVERGED
    assert "the end of the path is no steady state" in foresight.explain(model.theta())


def test_a_problem_far_away_is_reached_by_homotopy():
    text = (
        "var c k; varexo a; parameters b; b = 0.95;"
        " model; 1/c = b/c(+1)*(0.4*a(+1)*k^(-0.6) + 0.9);"
        " c + k = a*k(-1)^0.4 + 0.9*k(-1); end; steady_state_model;"
        " k = ((1/b - 0.9)/(0.4*a))^(-1/0.6); c = a*k^0.4 - 0.1*k; end;"
        " initval; a = 1; end; steady; histval; k(0) = 0.05; c(0) = 0.1; a(0) = 1; end;"
        " simul(periods=150);"
    )
    path = solved(text).path[0]
    c, k = path.T
    np.testing.assert_allclose(c[1:-1] + k[1:-1], k[:-2] ** 0.4 + 0.9 * k[:-2], atol=1e-9)
    assert k[0] == 0.05


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        ("simul;", r"m.mod:1: 'simul': the number of periods is ''"),
        (
            "shocks; var z; periods 9; values 1; end; simul(periods=8);",
            r"m.mod:1: 'z' is given a value in period 9, after the last one, 8",
        ),
        (
            "endval; z = 2; end; histval; k(0) = 3; end; simul(periods=8);",
            "histval and endval cannot be used together",
        ),
        ("shocks; var z; periods 3:1; values 1; end; simul(periods=8);", "not an increasing"),
        ("shocks; var z; periods 1 2 3; values 1 2; end; simul(periods=8);", "3 ranges of periods"),
        ("shocks; var z; values 1; end; simul(periods=8);", "without 'periods' before it"),
        ("histval; k(1) = 3; end; simul(periods=8);", "periods before the first one"),
    ],
)
def test_a_scenario_that_cannot_be_is_refused(statements, message):
    text = SOLOW.partition("steady;")[0].replace("\n", " ") + statements
    with pytest.raises(ModFileError, match=message):
        solved(text)


def test_a_path_that_is_not_found_names_period_and_equation():
    text = (
        "var y x; varexo e; model; [name = 'root'] y^2 = 1 - e; x = y; end; initval; y = 1; x = 1;"
        " end; shocks; var e; periods 3; values 2; end; simul(periods=4);"
    )
    model = load_text(text, "m.mod")
    foresight = Foresight(model)
    assert foresight.solve(model.theta()).status[0] == Status.NOT_CONVERGED
    assert "period 3: the equation 'root' at m.mod:1" in foresight.explain(model.theta())


@pytest.mark.parametrize(
    "name",
    ["growth", "lags", "bound", "linear", "planner", "learning", "from_file", "past_from_file"],
)
def test_dynares_paths(name):
    check_dynares_path(name)


def test_dynares_path_from_a_past_far_away():
    check_dynares_path("far")


def check_dynares_path(name):
    folder = Path(__file__).parents[2] / "reference" / "foresight"
    model = load(folder / f"{name}.mod")
    path = model.kind.path_solver(model).solve(model.theta()).path[0]
    count = 0
    with open(folder / "paths.csv") as file:
        for row in csv.DictReader(file):
            if row["file"] == name:
                column = model.variables.index(row["variable"])
                assert path[int(row["period"]), column] == pytest.approx(
                    float(row["value"]), abs=1e-7 if name == "planner" else 1e-8
                )
                count += 1
    assert count >= 44


@pytest.mark.parametrize("run", [1, 2, 3])
def test_dynares_paths_of_each_run_of_a_file(run):
    folder = Path(__file__).parents[2] / "reference" / "foresight"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # three commands solve the model
        model = load(folder / "runs.mod", run=run)
    path = Foresight(model).solve(model.theta()).path[0]
    with open(folder / "runs.csv") as file:
        rows = [row for row in csv.DictReader(file) if row["run"] == str(run)]
    expected = np.array([[float(row[name]) for name in ("c", "k")] for row in rows])
    np.testing.assert_allclose(path, expected, atol=1e-8)


@pytest.mark.parametrize("name", ["extended", "stochastic"])
def test_dynares_extended_path(name):
    folder = Path(__file__).parents[2] / "reference" / "foresight"
    model = load(folder / f"{name}.mod")
    with open(folder / f"{name}.csv") as file:
        rows = [{name: float(text) for name, text in row.items()} for row in csv.DictReader(file)]
    shocks = np.array([[[row["e"], row["d"]] for row in rows]])
    levels = model.kind.path_solver(model).simulate(model.theta(), shocks).levels
    expected = [[row[name] for name in model.variables] for row in rows]
    np.testing.assert_allclose(levels[0], expected, atol=1e-7)


def test_ends_and_histories_read_the_numbers_of_matlab_at_each_draw():
    head = "var y; varexo e; parameters a; a=0.5;\nq=2*a;\nmodel; y=a*y(-1)+e; end;\n"
    ends = "initval; e=q; y=q; end; steady; endval; e=2*q; y=q; end; steady; simul(periods=40);"
    path = solved(head + ends, a=[0.5, 0.25]).path[:, :, 0]
    np.testing.assert_allclose(path[:, 0], [2.0, 0.5 / 0.75])
    np.testing.assert_allclose(path[:, -1], [4.0, 1.0 / 0.75])
    past = "initval; y=q; end; steady; histval; y(0)=q; end; simul(periods=40);"
    path = solved(head + past, a=[0.5, 0.25]).path[:, :, 0]
    np.testing.assert_allclose(path[:, :2], [[1.0, 0.5], [0.5, 0.125]])
