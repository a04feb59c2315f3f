"""Shocks that are known before they occur: against the same model with news states, under Dynare
and under our own solver, and against perfect foresight.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import emulator
from emulator.cli import app
from emulator.errors import ParameterError
from emulator.inference import Economy
from emulator.inference.over_solver import SolverAnswerer
from emulator.worlds.anticipated import AnticipatedWorld

pytestmark = pytest.mark.fast

REFERENCE = Path(__file__).parents[1] / "reference" / "foresight"
VARIABLES = ["x", "pi", "i", "a"]


@pytest.fixture(scope="module")
def economy():
    return emulator.world(REFERENCE / "surprise.mod")


def test_dynare_says_the_same_of_the_model_with_news_states(economy):
    table = pd.read_csv(REFERENCE / "news.csv")
    answer = economy.irf(rho=[0.7, 0.3], anticipated=4, horizon=20)["irf"]
    for draw, rho in enumerate((0.7, 0.3)):
        for shock in ("e_m", "e_a"):
            rows = table[(table["rho"] == rho) & (table["shock"] == shock)]
            expected = rows[VARIABLES].to_numpy()
            responses = answer.sel(shock=shock, observable=VARIABLES)[draw, : len(expected)]
            np.testing.assert_allclose(responses, expected, atol=1e-10)


def test_perfect_foresight_of_the_linear_model_is_the_same(economy):
    path = economy.perfect_foresight(shocks={"e_a": {5: 0.5}}, periods=200)["path"][0, 0]
    answer = economy.irf(anticipated=4, horizon=20, shock="e_a")["irf"][0, 0]
    np.testing.assert_allclose(answer, path[1:22], atol=1e-12)


def test_what_is_known_no_period_ahead_is_a_surprise(economy):
    for asked in (economy, emulator.world("nk"), emulator.world("rbc")):
        world = AnticipatedWorld(asked.solver, 0)
        known = Economy(SolverAnswerer(world)).irf(horizon=12)["irf"]
        np.testing.assert_allclose(known, asked.irf(horizon=12)["irf"], atol=1e-12)


def test_worlds_that_look_back_move_when_the_shock_comes():
    surprise = emulator.world("var").irf(horizon=6)["irf"].values
    known = emulator.world("var").irf(anticipated=2, horizon=8)["irf"].values
    assert (known[:, :, :2] == 0).all()
    np.testing.assert_allclose(known[:, :, 2:], surprise, atol=1e-14)


def test_sizes_and_paths_of_known_shocks_add_up(economy):
    one = economy.irf(anticipated=3, horizon=12, shock="e_m")["irf"].values[:, 0]
    twice = economy.irf(anticipated=3, horizon=12, shock="e_m", size=2)["irf"].values[:, 0]
    np.testing.assert_allclose(twice, 2 * one)
    path = economy.irf(anticipated=3, horizon=12, shocks={"e_m": [1, 1]})
    later = np.concatenate([np.zeros_like(one[:, :1]), one[:, :-1]], axis=1)
    np.testing.assert_allclose(path["irf"].values[:, 0], one + later, atol=1e-14)
    assert "occur at horizon 3" in path.attrs["notes"]


def test_draws_without_a_solution_are_nan(economy):
    answer = economy.irf(phi=[1.5, 0.5], anticipated=4, on_failure="nan")
    assert list(answer["determinate"].values) == [True, False]
    assert np.isnan(answer["irf"][1]).all()


@pytest.mark.parametrize(
    ("world", "arguments", "message"),
    [
        ("nk", {"anticipated": -1}, "a whole number from 0 to 400"),
        ("nk", {"anticipated": True}, "a whole number from 0 to 400"),
        ("nk", {"anticipated": 2.5}, "a whole number from 0 to 400"),
        ("zlb", {"anticipated": 4}, "not solved by a linear rule"),
        ("switching", {"anticipated": 4}, "does not say what its expectations are"),
        ("nk", {"anticipated": 4, "order": 2}, "about the first order"),
    ],
)
def test_what_cannot_be_known_ahead_is_refused(world, arguments, message):
    with pytest.raises(ParameterError, match=message):
        emulator.world(world).irf(**arguments)


def test_the_command_takes_the_periods(tmp_path):
    numbers = tmp_path / "news.csv"
    arguments = ["irf", "nk", "--anticipated", "4", "--horizon", "8", "--output", str(numbers)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    table = pd.read_csv(numbers).set_index(["shock", "horizon"])
    expected = emulator.world("nk").irf(anticipated=4, horizon=8)["irf"]
    np.testing.assert_allclose(table.loc["monetary", "output"], expected[0, 0, :, 0], rtol=1e-12)
