"""Errors of expectation and the extended path: against paths that are begun anew by hand, closed
forms and, in `test_foresight.py`, Dynare's.
"""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import emulator
from emulator.errors import ModFileError, NoSolutionError
from emulator.modfile import load, load_text
from emulator.modfile.compiling.extended_path import ExtendedPath
from emulator.modfile.compiling.foresight import Foresight
from emulator.modfile.compiling.learning import Learning
from emulator.spec import Status

pytestmark = pytest.mark.fast

REFERENCE = Path(__file__).parents[2] / "reference" / "foresight"
SETUP = "perfect_foresight_with_expectation_errors_setup"
SOLVER = "perfect_foresight_with_expectation_errors_solver;"
PRICE = """var p; varexo d e; parameters b; b = 0.5;
model; p = b*p(+1) + d + 0*e; end;
initval; d = 1; end; steady;
"""


def learnt(statements, periods=8, **values):
    model = load_text(f"{PRICE}{statements} {SETUP}(periods={periods}); {SOLVER}", "m.mod")
    answer = Learning(model).solve(model.theta(**values))
    assert (answer.status == Status.OK).all(), answer.worst
    return answer


def test_what_is_learnt_moves_the_path_from_its_period_on():
    answer = learnt("shocks(learnt_in=3); var d; periods 5; values 3; end;")
    expected = [2, 2, 2, 2 + 2 * 0.25, 2 + 2 * 0.5, 4, 2, 2]
    np.testing.assert_allclose(answer.path[0, :8, 0], expected)
    np.testing.assert_allclose(answer.exogenous[0, :8, 0], [1, 1, 1, 1, 1, 3, 1, 1])


def test_an_end_that_is_learnt_later_and_again():
    answer = learnt("endval(learnt_in=3); d = 2; end; endval(learnt_in=5); d *= 1.5; end;")
    np.testing.assert_allclose(answer.path[0, :, 0], [2, 2, 2, 4, 4, 6, 6, 6, 6, 6])
    answer = learnt("endval(learnt_in=3); d = 2; end; endval(learnt_in=5); d += -1; end;")
    np.testing.assert_allclose(answer.path[0, :, 0], [2, 2, 2, 4, 4, 2, 2, 2, 2, 2])


def test_a_value_that_a_shock_gave_stays_where_the_end_changes():
    answer = learnt(
        "shocks(learnt_in=2); var d; periods 4; values 5; end; endval(learnt_in=3); d = 2; end;"
    )
    np.testing.assert_allclose(answer.exogenous[0, :7, 0], [1, 1, 1, 2, 5, 2, 2])
    answer = learnt("shocks; var d; periods 1:2; values 5; end; endval(learnt_in=1); d = 2; end;")
    np.testing.assert_allclose(answer.exogenous[0, :5, 0], [1, 5, 5, 2, 2])


def test_values_are_added_to_what_was_expected():
    answer = learnt(
        "shocks; var d; periods 4; values 3; end;"
        " shocks(learnt_in=2); var d; periods 4:5; add 0.5; end;"
        " shocks(learnt_in=3); var d; periods 5; multiply 2; end;"
    )
    np.testing.assert_allclose(answer.exogenous[0, :7, 0], [1, 1, 1, 1, 3.5, 3, 1])


def test_each_draw_is_solved_as_alone():
    news = "shocks(learnt_in=3); var d; periods 5; values 3; end;"
    together = learnt(news, b=[0.5, 0.8]).path
    for path, b in zip(together, (0.5, 0.8), strict=True):
        np.testing.assert_allclose(path, learnt(news, b=b).path[0])


def test_the_words_of_later_versions_say_what_the_table_of_5_3_says():
    paths = [Learning(m).solve(m.theta()).path for m in map(load, _files("learning", "learnt"))]
    np.testing.assert_allclose(*paths, atol=1e-9)


def test_by_hand_the_second_path_begins_where_the_first_was():
    """The path after period 4 is the one of plain perfect foresight from the capital stock then."""
    model = load(REFERENCE / "learnt.mod")
    path = Learning(model).solve(model.theta()).path[0]
    text = (REFERENCE / "learnt.mod").read_text().partition("shocks;")[0]
    rest = text + (
        f"histval; k(0) = {path[3, 1]:.17g}; a(0) = 1; end; initval; a = 1.1; end; steady;"
        " shocks; var a; periods 1:2; values 1.12; end; simul(periods=37);"
    )
    plain = load_text(rest, "m.mod")
    later = Foresight(plain).solve(plain.theta()).path[0]
    np.testing.assert_allclose(path[4:8], later[1:5], atol=1e-9)


def test_a_path_that_does_not_converge_after_news_names_the_periods_of_the_file():
    """The equation of period 6 has no solution: q is a square there, and would be negative."""
    model = load_text(
        "var q; varexo d; model; q^2 = d; end; initval; q = 1; d = 1; end; steady;"
        f" shocks(learnt_in=5); var d; periods 6; values -9; end; {SETUP}(periods=9); {SOLVER}",
        "m.mod",
    )
    message = Learning(model).solve(model.theta()).worst[0]
    assert "The largest residual is in period 6:" in message
    assert message.endswith("That is of what is known from period 5 on.")


def test_the_economy_answers_for_such_a_file(tmp_path):
    economy = emulator.world(REFERENCE / "learnt.mod")
    answer = economy.perfect_foresight(beta=[0.95, 0.96])
    assert answer.sizes["period"] == 42
    response = economy.irf(horizon=10)["irf"].sel(observable="k")[0, 0]
    levels = answer["path"].sel(variable="k", draw=1)[0]
    np.testing.assert_allclose(response, levels[1:12] - levels[0], atol=1e-10)
    known = economy.perfect_foresight(shocks={"a": [1.05, 1.05]})["path"][0, 0]
    assert known[-1, 1] == pytest.approx(float(known[0, 1]))


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        ("shocks(learnt_in=4); var d; periods 3; values 3; end;", "over in period 4, when it is"),
        ("endval(learnt_in=9); d = 2; end;", "in period 9, after the last one, 8"),
        ("endval(learnt_in=x); d = 2; end;", r"m.mod:4: learnt_in is x; the number of a period"),
        ("endval(learnt_in=2); p = 2; end;", "'p' is no exogenous variable"),
        ("endval(learnt_in=2); d - 2; end;", "'name \\+= value;'"),
        ("shocks(surprise); var d; periods 3; values 3; end;", r"shocks\(learnt_in = PERIOD\)"),
    ],
)
def test_news_that_cannot_be_are_refused(statements, message):
    with pytest.raises(ModFileError, match=message):
        learnt(statements)


def test_news_need_the_solver_that_knows_them():
    model = load_text(PRICE + "endval(learnt_in=2); d = 2; end; simul(periods=4);", "m.mod")
    with pytest.raises(ModFileError, match=r"m.mod:4: what is learnt later .* is solved by"):
        Foresight(model).solve(model.theta())


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("x,d\nlearnt,1\nend,1\n1,1\n", "1 rows of values below three .* expected 2"),
        ("x,z\nlearnt,1\nend,1\n1,1\n2,1\n", "column 2 of t.csv is not understood"),
        ("x,d\nlearnt,1\nend,1\n1,1\n2,\n", "column 2 of t.csv is not understood"),
        ("x,d\nlearnt,3\nend,1\n1,1\n2,1\n", "column 2 of t.csv is not understood"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path, table, message):
    (tmp_path / "t.csv").write_text(table)
    file = tmp_path / "m.mod"
    file.write_text(f"{PRICE} {SETUP}(periods=2, datafile='t.csv'); {SOLVER}")
    model = load(file)
    with pytest.raises(ModFileError, match=message):
        Learning(model).solve(model.theta())


def _files(*names):
    return [REFERENCE / f"{name}.mod" for name in names]


LINEAR = """var y x; varexo e d; parameters r; r = 0.5;
model; y = 0.4*y(+1) + x + 0.2*d; x = r*x(-1) + e; end;
shocks; var e; stderr 0.5; var d; stderr 1; corr e, d = 0.3; end;
"""


def extended(statements):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ExtendedPath(load_text(statements, "m.mod"))


def test_the_extended_path_of_a_linear_model_is_its_linear_simulation(tmp_path):
    file = tmp_path / "linear.mod"
    file.write_text(LINEAR + "stoch_simul(order=1); extended_path(periods=5);")
    shocks = np.random.default_rng(0).normal(size=(2, 6, 2))
    linear, path = (emulator.world(file, run=run).solver for run in (1, 2))
    theta = np.repeat(linear.spec.theta(), 2, axis=0)
    np.testing.assert_allclose(
        path.simulate(theta, shocks), linear.simulate(theta, shocks), atol=1e-9
    )
    np.testing.assert_allclose(path.irf(theta, 8), linear.irf(theta, 8), atol=1e-9)


def test_after_the_last_shock_the_extended_path_is_the_one_expected():
    solver = ExtendedPath(load(REFERENCE / "extended.mod"))
    theta = solver.model.theta()
    unit = solver.unit_shocks(theta)
    shocks = np.zeros((1, 6, 2))
    shocks[0, 0] = unit[0, 0]
    levels, status, _ = solver.simulate(theta, shocks)
    responses, _ = solver.responses(theta, 5)
    assert status[0] == Status.OK
    steady = solver.model.steady_state(theta)
    np.testing.assert_allclose(levels[0] - steady, responses[0, 0], atol=1e-8)


def test_histval_says_where_the_extended_path_begins(tmp_path):
    file = tmp_path / "linear.mod"
    file.write_text(LINEAR + "histval; x(0) = 1; end; extended_path(periods=5);")
    economy = emulator.world(file)
    path = economy.simulate(shocks={"e": [0, 0, 0]}).sel(observable="x")
    np.testing.assert_allclose(path[0], [0.5, 0.25, 0.125], atol=1e-10)
    response = economy.irf(shocks={"e": [1]}, horizon=2)["irf"].sel(observable="x")
    np.testing.assert_allclose(response[0, 0], [0.5, 0.25, 0.125], atol=1e-10)


@pytest.mark.parametrize(
    ("command", "method"),
    [
        ("extended_path(periods=5);", "perfect foresight: the path did not converge"),
        (
            "extended_path(periods=5, order=1, solver_periods=5);",
            "the stochastic extended path did not converge",
        ),
    ],
)
def test_a_simulated_path_that_does_not_converge_says_when_and_how_far_off(
    tmp_path, command, method
):
    """`exp(y) = 1 + 0.5 y(-1) + e` has no solution after a shock below -1."""
    file = tmp_path / "floor.mod"
    file.write_text(
        "var y; varexo e; model; exp(y) = 1 + 0.5*y(-1) + e; end; initval; y = 0; end;\n"
        f"shocks; var e; stderr 0.1; end;\n{command}"
    )
    economy = emulator.world(file)
    shocks = np.zeros((2, 4, 1))
    shocks[1, 2] = -20
    with pytest.raises(NoSolutionError) as error:
        economy.simulate(stderr_e=[0.1, 0.1], shocks=shocks)
    message = str(error.value)
    assert "1 of 2 simulated paths did not converge. That of draw 1 ended in period 3" in message
    assert f"floor.mod:3: {method} in " in message
    assert re.search(r"steps? of Newton's method.* is off by \d.*[Ss]maller shocks", message)
    assert "without" not in message
    with pytest.raises(NoSolutionError, match=r"no path \(there is one after shocks of one"):
        economy.irf(size=-20, horizon=2)
    paths = economy.simulate(stderr_e=[0.1, 0.1], shocks=shocks, on_failure="nan")
    assert np.isfinite(paths[0]).all()
    assert np.isnan(paths[1]).all()


def test_a_response_whose_path_does_not_converge_is_no_draw_without_a_solution(tmp_path):
    file = tmp_path / "floor.mod"
    file.write_text(
        "var y; varexo e; model; exp(y) = 1 + 0.5*y(-1) + e; end; initval; y = 0; end;\n"
        "shocks; var e; periods 1; values -3; end; perfect_foresight_setup(periods=9);\n"
        "perfect_foresight_solver;"
    )
    economy = emulator.world(file)
    with pytest.raises(NoSolutionError, match=r"did not converge in \d+ steps"):
        economy.perfect_foresight()
    with pytest.raises(NoSolutionError, match="has no path that converges at 1 of 1 draws"):
        economy.irf()


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        ("extended_path(periods=5, order=9);", "from 0 to 6"),
        ("extended_path(periods=5, hybrid);", "'extended_path.hybrid.' is not supported"),
        ("extended_path(periods=5, solver_periods=0);", "solver_periods is 0"),
    ],
)
def test_what_the_extended_path_does_not_do_is_refused(statements, message):
    def ask():
        solver = extended(LINEAR + statements)
        solver.responses(solver.model.theta(), 2)

    with pytest.raises(ModFileError, match=message):
        ask()
