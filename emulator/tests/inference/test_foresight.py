"""Perfect foresight as a user asks for it: draws and scenarios, in Python and in the shell."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import emulator
from emulator.cli import app
from emulator.errors import NoSolutionError, ParameterError, UnknownNameError

matplotlib.use("Agg")
pytestmark = pytest.mark.fast

PRICE = """var p q; varexo d; parameters b; b = 0.5;
model; p = b*p(+1) + d; q = 0.5*q(-1) + p; end;
initval; d = 1; end; steady;
shocks; var d; periods 2; values 3; end;
simul(periods=30);
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("foresight") / "price.mod"
    path.write_text(PRICE)
    return path


def test_the_paths_of_a_file_are_levels_with_names(file):
    answer = emulator.world(file).perfect_foresight()
    assert answer["path"].dims == ("draw", "scenario", "period", "variable")
    assert list(answer["scenario"].values) == ["file"]
    assert list(answer["period"].values) == list(range(32))
    price = answer["path"].sel(variable="p")[0, 0]
    np.testing.assert_allclose(price[:4], [2, 3, 4, 2])
    np.testing.assert_allclose(answer["exogenous"][0, 0, :4, 0], [1, 1, 3, 1])
    assert "run 1: simul(periods=30)" in answer.attrs["run"]


def test_scenarios_and_draws_are_each_solved_as_alone(file):
    economy = emulator.world(file)
    scenarios = {
        "twice": {"shocks": {"d": {1: 2, 4: 2}}},
        "once": {"shocks": {"d": [2]}},
        "for good": {"shocks": {}, "terminal": {"d": 2}},
        "start": {"initial": {"q": 7}},
    }
    answer = economy.perfect_foresight(scenarios=scenarios, b=[0.5, 0.8])
    for name, parts in scenarios.items():
        alone = economy.perfect_foresight(**parts, b=0.8)
        np.testing.assert_allclose(
            answer["path"].sel(scenario=name, draw=1), alone["path"][0, 0], atol=1e-12
        )
    for_good = answer["path"].sel(scenario="for good", draw=0, variable="p")
    np.testing.assert_allclose(for_good[:3], [2, 4, 4])
    assert answer["path"].sel(scenario="start", draw=0, variable="q")[0] == 7


def test_a_stochastic_file_begins_and_ends_in_its_steady_state(tmp_path):
    path = tmp_path / "m.mod"
    path.write_text(
        "var y; varexo e; model; y = 0.5*y(-1) + 1 + e; end; initval; y = 2; end; steady;"
        " shocks; var e; stderr 1; end; stoch_simul(order=1);"
    )
    answer = emulator.world(path).perfect_foresight(shocks={"e": [1.0]}, periods=40)
    np.testing.assert_allclose(answer["path"][0, 0, :4, 0], [2, 3, 2.5, 2.25])


def test_irf_of_the_file_is_the_path_less_where_it_begins(file):
    economy = emulator.world(file)
    irf = economy.irf(horizon=40)["irf"].sel(shock="scenario", observable="p")[0]
    np.testing.assert_allclose(irf[:3], [1, 2, 0])
    assert irf[40] == 0


def test_tables_figures_and_files(file, tmp_path):
    answer = emulator.world(file).perfect_foresight(b=[0.4, 0.5])
    frame = answer.foresight.frame()
    assert list(frame.columns) == ["p", "q", "d"]
    assert frame.loc[(1, "file", 2), "p"] == pytest.approx(4)
    for ending in ("csv", "nc", "json", "png"):
        target = tmp_path / f"answer.{ending}"
        (answer.foresight.plot if ending == "png" else answer.foresight.write)(target)
        assert target.stat().st_size > 0
    assert len(pd.read_csv(tmp_path / "answer.csv")) == 64
    with pytest.raises(UnknownNameError, match="variable of this answer"):
        answer.foresight.plot(variables="x")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"shocks": {"z": [1]}}, UnknownNameError, "exogenous variable of 'price'"),
        ({"shocks": {"d": [1] * 31}}, ParameterError, "after the last one, 30; ask periods=31"),
        ({"shocks": {"d": {0: 1}}}, ParameterError, "values by period, from 1"),
        ({"shocks": [1]}, ParameterError, "shocks is a mapping of names"),
        ({"shocks": {"d": [np.nan]}}, ParameterError, "one a period, in levels, in the units of"),
        ({"initial": {"p": np.nan}}, ParameterError, "expected a finite number"),
        ({"terminal": {"p": 1}}, UnknownNameError, "exogenous variable"),
        ({"scenarios": {}}, ParameterError, "scenarios are a mapping"),
        ({"scenarios": {"a": {"shock": {}}}}, UnknownNameError, "part of the scenario 'a'"),
        ({"periods": 0}, ParameterError, "number of periods is 0"),
        ({"variables": "x"}, UnknownNameError, "variable of 'price'"),
        ({"on_failure": "stop"}, ParameterError, "'raise' or 'nan'"),
    ],
)
def test_bad_input_is_refused(file, arguments, error, message):
    with pytest.raises(error, match=message):
        emulator.world(file).perfect_foresight(**arguments)


def test_a_world_that_is_no_file_is_refused():
    with pytest.raises(ParameterError, match=r"not read from a \.mod file"):
        emulator.world("nk").perfect_foresight()


def test_paths_that_are_not_found_are_nan_or_an_error(tmp_path):
    path = tmp_path / "root.mod"
    path.write_text(
        "var y; varexo e; parameters a; a = 1; model; y^2 = a - e; end; initval; y = 1; end;"
        " shocks; var e; periods 2; values 2; end; simul(periods=4);"
    )
    economy = emulator.world(path)
    with pytest.raises(NoSolutionError, match="largest residual is in period 2"):
        economy.perfect_foresight()
    answer = economy.perfect_foresight(a=[1, 3], on_failure="nan")
    assert list(answer["solved"].values[:, 0]) == [False, True]
    assert np.isnan(answer["path"][0]).all()
    with pytest.raises(NoSolutionError, match="1 of 2 paths were not found"):
        economy.perfect_foresight(a=[1, 3])


def test_the_command_prints_a_path_and_writes_it(file, tmp_path):
    numbers = tmp_path / "path.csv"
    shown = ["--variables", "p", "--output", str(numbers), "--plot", str(tmp_path / "path.png")]
    given = ["--shock", "d=2,2", "--initial", "q=3", "--terminal", "d=1.5", "--periods", "12"]
    result = CliRunner().invoke(app, ["foresight", str(file), *given, *shown])
    assert result.exit_code == 0, result.output
    frame = pd.read_csv(numbers)
    np.testing.assert_allclose(frame["p"][:4], [2, 3.75, 3.5, 3])
    assert (tmp_path / "path.png").exists()
