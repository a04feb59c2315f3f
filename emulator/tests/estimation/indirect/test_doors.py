"""Targets of data, and `--like-the-data`, as a user types them."""

import json

import numpy as np
import pandas as pd
import pytest

import emulator

SMALL = ("--chains", "1", "--draws", "40", "--starts", "1", "--horizon", "6", "--lags", "2")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    world = emulator.world("nk")
    shocks = np.random.default_rng(5).normal(size=(1, 220, 3))
    series = world.solver.simulate(world.spec.theta(), shocks)[0, 100:]
    frame = pd.DataFrame(series, columns=["output", "inflation", "rate"])
    frame["z"] = shocks[0, 100:, 0]
    frame.index = pd.period_range("1980Q1", periods=120, freq="Q").astype(str)
    path = tmp_path_factory.mktemp("data") / "mine.csv"
    frame.to_csv(path, index_label="period")
    return path


def test_an_instrument_like_the_data(emulate, data, tmp_path):
    folder = tmp_path / "x"
    words = ("--target", "proxy", "--data", data, "--instrument", "z", "--like-the-data")
    code, out, err = emulate(
        "estimate", "--world", "nk", "--exact", *words, *SMALL, "--output", folder
    )
    assert code == 0, err
    assert "identified by the instrument z" in out
    assert "The same VAR on data of nk: the autocovariances of its state space." in out
    assert "identification is false" not in err
    result = json.loads((folder / "nk" / "result.json").read_text())
    assert result["like_the_data"]["identification"] == "instrument"
    assert result["weighting"] == "principal"
    again = ("--target", folder / "target.npz", "--like-the-data", "--error", "rate=0.05")
    code, _, err = emulate(
        "estimate", "--world", "nk", "--exact", *again, *SMALL[:6], "--output", tmp_path / "y"
    )
    assert code == 0, err
    result = json.loads((tmp_path / "y" / "nk" / "result.json").read_text())
    assert result["like_the_data"]["errors_of_measurement"] == {"rate": 0.05}


@pytest.mark.fast
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--target", "var"), "--target var is made of data: --data us, or a file."),
        (("--target", "proxy", "--data", "us"), "--target proxy needs --instrument"),
        (("--target", "signs", "--data", "us"), "--target signs needs --sign"),
        (("--target", "var", "--data", "us", "--sign", "rate=+"), "--target var takes no --sign"),
        (("--sign", "rate=+"), "--sign is about a VAR of data, and the target is 'us-monetary'"),
        (("--data", "us", "--like-the-data"), "Name the target: --target var, proxy, signs."),
        (("--error", "rate=0.1"), "they need like_the_data=True (--like-the-data)"),
        (
            ("--target", "var", "--data", "us", "--weighting", "pooled", "--world", "nk,rbc"),
            "so that worlds could not be compared. Name one world, or --weighting principal.",
        ),
        (("--target", "var", "--data", "us", "--error", "rate=x"), "--error rate=x: expected a"),
        (("--presample", "4"), "--presample is about the likelihood of data, and the target is"),
        (
            ("--target", "var", "--data", "us", "--from", "prior"),
            "--from is about the likelihood of data, and the target is 'var'",
        ),
        (("--history", "5"), "--history is for --like-the-data"),
        (("--transform", "gdp=log"), "--transform is about a VAR of data"),
        (("--data", "us", "--skip", "output:0"), "--skip is about matching responses"),
        (("--data", "us", "--weighting", "full"), "--weighting is about matching responses"),
        (("--weighting", "best"), "expected one of diagonal, full, principal"),
    ],
)
def test_options_that_do_not_fit_are_refused(emulate, tmp_path, words, said):
    code, _, err = emulate(
        "estimate", "--world", "nk", "--exact", *words, "--output", tmp_path / "x"
    )
    assert code == 1
    assert said in " ".join(err.split())
