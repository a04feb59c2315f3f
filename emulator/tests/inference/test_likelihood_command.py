"""`emulator likelihood`."""

import json

import pandas as pd
import pytest

import emulator
from emulator.tests.inference.test_likelihood import growth, simulated

pytestmark = pytest.mark.fast


@pytest.fixture
def file(tmp_path):
    growth(simulated("nk")).to_csv(tmp_path / "data.csv")
    return tmp_path / "data.csv"


OBSERVED = ["--observe", "growth=diff(output) + 0.5", "--observe", "inflation=inflation"]
OBSERVED += ["--observe", "rate=rate"]


def test_a_series_that_observes_nothing_is_named(emulate, file, tmp_path):
    pd.read_csv(file, index_col=0).rename(columns={"rate": "interest"}).to_csv(tmp_path / "x.csv")
    code, _, messages = emulate("likelihood", "nk", "--exact", "--data", tmp_path / "x.csv")
    assert code == 0
    assert "not used, being called like nothing that is observed: interest, growth" in messages
    assert "--observe 'interest=VARIABLE'" in messages


def test_a_series_that_observes_nothing_is_named_in_python_too(file):
    """The answer says so, of the likelihood and of what is asked about history."""
    data = pd.read_csv(file, index_col=0).rename(columns={"rate": "interest"})
    nk = emulator.world("nk")
    for answer in (nk.log_likelihood(data), nk.smooth(data), nk.forecast(data, horizon=2)):
        notes = answer.attrs["notes"]
        assert notes.count("not used, being called like nothing that is observed: interest") == 1
        assert "observe={'interest': 'VARIABLE'}" in notes
    assert "notes" not in nk.log_likelihood(data, observe={"inflation": "inflation"}).attrs


def test_a_series_that_never_moves_is_named(emulate, file, tmp_path):
    data = pd.read_csv(file, index_col=0)
    data["rate"] = data["rate"].where(data.index < "1990", 2.5)
    data.to_csv(tmp_path / "still.csv")
    asked = ("likelihood", "nk", "--exact", "--data", tmp_path / "still.csv")
    code, _, messages = emulate(*asked, "--sample", "1990Q1:")
    assert code == 0
    assert messages.count("The same value in every period of the sample: rate (2.5).") == 1
    assert "The same value" not in emulate(*asked)[2]


def test_draws_of_a_sweep_in_a_table_and_a_file(emulate, file, tmp_path):
    code, out, _ = emulate(
        "likelihood", "nk", "--exact", "--data", file, *OBSERVED, "--set", "kappa=0.1,0.2",
        "--sample", "1985Q1:", "--presample", "4", "--error", "rate=0.1", "--gradient",
        "--output", tmp_path / "l.csv", "--output", tmp_path / "l.json",
    )  # fmt: skip
    assert code == 0
    data = emulator.read_data(file, sample="1985Q1:")
    wanted = emulator.world("nk").log_likelihood(
        data,
        observe={"growth": "diff(output) + 0.5", "inflation": "inflation", "rate": "rate"},
        errors={"rate": 0.1},
        kappa=[0.1, 0.2],
        presample=4,
    )
    values = wanted["log_likelihood"].values
    for value in values:
        assert f"{value:.4f}" in out
    assert "diff(output) + 0.5" in out
    table = pd.read_csv(tmp_path / "l.csv", index_col="draw")
    assert table["log_likelihood"].to_numpy() == pytest.approx(values)
    assert {"kappa", "log_prior", "by_kappa"} <= set(table.columns)
    written = json.loads((tmp_path / "l.json").read_text())
    assert written["data_vars"]["period_log_likelihood"]["dims"] == ["draw", "period"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--data", "nowhere.csv"], "There is no file 'nowhere.csv'"),
        (["--observe", "rate"], "--observe 'rate' is not of the form series=value"),
        (["--observe", "rate=rate^2"], "linear in them"),
        (["--start", "flat"], "expected one of stationary, diffuse, wide"),
        (["--error", "rate=x"], "names 'x', which is neither"),
        (["--output", "x.doc"], "must end in .csv, .nc, .json"),
        (["--sample", "1850Q1:"], "does not lie within the data"),
    ],
)
def test_bad_input_is_a_message(emulate, file, words, message):
    given = words if "--data" in words else ["--data", file, *words]
    observed = [] if "--observe" in words else OBSERVED
    code, _, err = emulate("likelihood", "nk", "--exact", *given, *observed)
    assert code == 1
    assert message in err


def test_a_world_that_is_not_linear_says_what_to_do(emulate, file):
    code, _, err = emulate("likelihood", "zlb", "--exact", "--data", file)
    assert code == 1
    assert "emulator estimate --world zlb" in err
