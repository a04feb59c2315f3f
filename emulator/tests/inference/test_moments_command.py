"""`emulator moments`, `fevd` and `simulate`: tables, files, figures, sweeps, refusals."""

import csv
import json

import numpy as np
import pytest
import xarray as xr

import emulator
from emulator.errors import UnknownNameError

pytestmark = pytest.mark.fast


def test_moments_are_printed_and_written(emulate, tmp_path):
    paths = [tmp_path / f"moments{ending}" for ending in (".csv", ".tex", ".nc", ".json")]
    options = [word for path in paths for word in ("--output", path)]
    code, out, err = emulate("moments", "nk", "--hp", 1600, "--lags", 2, *options)
    assert code == 0, err
    expected = emulator.world("nk").moments(hp=1600, lags=2)
    assert f"{float(expected['std'][0, 0]):.4g}" in out
    assert "HP filter, lambda 1600" in " ".join(out.split())
    rows = list(csv.DictReader(paths[0].open()))
    np.testing.assert_allclose([float(row["std"]) for row in rows], expected["std"][0])
    np.testing.assert_allclose(
        [float(row["autocorrelation_2"]) for row in rows], expected["autocorrelation"][0, 1]
    )
    assert paths[1].read_text().count(r"\begin{tabular}") == 2
    xr.testing.assert_allclose(xr.load_dataset(paths[2])["std"], expected["std"])
    assert json.loads(paths[3].read_text())["attrs"]["world"] == "nk"


def test_a_sweep_has_a_row_and_a_point_for_each_value(emulate, tmp_path):
    figure = tmp_path / "moments.svg"
    code, out, err = emulate("moments", "nk", "--set", "phi_pi=0.8,1.1:2.5:4", "--plot", figure)
    assert code == 0, err
    assert "1.56667" in out
    assert "1 of 5 draws have no unique stable solution, the first at phi_pi = 0.8" in err
    assert figure.exists()


def test_shares_are_printed(emulate, tmp_path):
    figure = tmp_path / "fevd.png"
    code, out, err = emulate("fevd", "nk", "--horizons", "1,inf", "--plot", figure)
    assert code == 0, err
    share = emulator.world("nk").variance_decomposition()["share"]
    for ahead in (1, np.inf):
        value = float(share.sel(ahead=ahead, observable="rate", shock="monetary")[0])
        assert f"{value:.2f}" in out
    assert figure.exists()
    code, out, _ = emulate("fevd", "nk", "--set", "phi_pi=1.5,2", "--plot", figure)
    assert code == 0
    assert out.count("phi_pi") == 3


def test_what_a_unit_root_moves_is_named(emulate, tmp_path):
    path = tmp_path / "walk.mod"
    path.write_text(
        "var w d; varexo e; model; w = w(-1) + e; d = w - w(-1); end;"
        "shocks; var e; stderr 1; end; stoch_simul(order=1);"
    )
    code, out, err = emulate("moments", path)
    assert code == 0, err
    assert "∞" in out
    assert "not stationary, so that the variance is infinite: w." in err


def test_a_path_is_written(emulate, tmp_path):
    numbers, figure = tmp_path / "path.csv", tmp_path / "path.png"
    code, out, err = emulate(
        "simulate", "nk", "--shock", "monetary=1,0,0.5", "--periods", 4,
        "--csv", numbers, "--plot", figure, "--state", "m=0.1",
    )  # fmt: skip
    assert code == 0, err
    assert "period" in out
    path = emulator.world("nk").simulate(
        shocks={"monetary": [1, 0, 0.5]}, periods=4, state={"m": 0.1}
    )
    rows = list(csv.DictReader(numbers.open()))
    np.testing.assert_allclose([float(row["rate"]) for row in rows], path[0, :, 2])
    assert figure.exists()


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["moments", "nk", "--output", "moments.txt"], "must end in .csv, .tex, .nc, .json"),
        (["moments", "zlb"], "--simulated 10000"),
        (["moments", "nk", "--hp", "0"], "lambda is 0"),
        (["fevd", "nk", "--horizons", "1,soon"], "--horizons soon"),
        (["simulate", "nk", "--shock", "monetary=a"], "expected numbers separated by commas"),
        (["simulate", "nk", "--shock", "monetry=1"], "monetary"),
    ],
)
def test_refusals_are_messages(emulate, arguments, match):
    code, _, err = emulate(*arguments)
    assert code == 1
    assert match in " ".join(err.split())


def test_a_network_answers_if_it_is_asked(emulate):
    code, _, err = emulate("moments", "nk", "--checkpoint", "universal")
    assert code == 0
    assert "moving average of the responses to horizon 40" in err


def test_tables_of_an_answer_have_names():
    moments = emulator.world("nk").moments(phi_pi=[1.5, 2.0])
    assert moments.tables.names == ("moments", "correlations")
    frame = moments.tables.frame("correlations")
    assert frame.loc[(1, "rate"), "rate"] == pytest.approx(1.0)
    assert list(frame.columns) == list(moments["observable"].values)
    shares = emulator.world("nk").variance_decomposition()
    assert r"cost\_push" in shares.tables.latex()
    assert r"$\infty$" in shares.tables.latex()
    assert shares.tables.frame().shape == (15, 3)
    with pytest.raises(UnknownNameError):
        shares.tables.frame("moments")
