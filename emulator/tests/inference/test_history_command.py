"""`emulator smooth`, `decompose`, `forecast` and `counterfactual`."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import emulator
from emulator.errors import ParameterError
from emulator.inference.history.pooling import pooled

SAMPLE = ("--sample", "1995Q1:2007Q4")

pytestmark = pytest.mark.fast


@pytest.fixture(scope="module")
def nk():
    return emulator.world("nk")


def test_smoothed_shocks_in_a_table_and_a_file(emulate, nk, tmp_path):
    code, out, _ = emulate(
        "smooth", "nk", *SAMPLE, "--set", "kappa=0.2", "--csv", tmp_path / "shocks.csv"
    )
    assert code == 0
    wanted = nk.smooth("us", sample=SAMPLE[1], kappa=0.2)["shock_path"].isel(draw=0)
    assert f"{float(wanted.sel(shock='monetary')[-1]):.3f}" in out
    table = pd.read_csv(tmp_path / "shocks.csv").set_index("period")
    np.testing.assert_allclose(table[list(wanted["shock"].values)], wanted, atol=1e-12)
    assert {"rate", "rate (observable)", "output"} <= set(table.columns)


def test_a_decomposition_sums_up_in_its_file_and_is_drawn(emulate, tmp_path):
    code, out, _ = emulate(
        "decompose", "nk", *SAMPLE, "--plot", tmp_path / "d.png", "--csv", tmp_path / "d.csv"
    )
    assert code == 0
    assert "cost_push" in out
    table = pd.read_csv(tmp_path / "d.csv").set_index(["draw", "period", "target"])
    data = table.pop("data")
    np.testing.assert_allclose(table.sum(axis=1), data, atol=1e-10)
    assert (tmp_path / "d.png").stat().st_size > 10_000


def test_a_condition_is_met_in_the_table(emulate, tmp_path):
    code, out, err = emulate(
        "forecast", "nk", *SAMPLE, "--horizon", "5", "--condition", "rate=4.5,,4.0", "--by",
        "monetary", "--plot", tmp_path / "f.png", "--output", tmp_path / "f.nc", "--csv",
        tmp_path / "f.csv",
    )  # fmt: skip
    assert code == 0
    assert "met by monetary, each a surprise" in " ".join(err.split())
    table = pd.read_csv(tmp_path / "f.csv").set_index(["target", "period"])
    assert table.loc[("rate", "2008Q1"), "q50"] == pytest.approx(4.5, abs=1e-9)
    assert table.loc[("rate", "2008Q3"), "q95"] == pytest.approx(4.0, abs=1e-6)
    whole = xr.load_dataset(tmp_path / "f.nc", engine="h5netcdf")
    assert list(whole["period"].values) == ["2008Q1", "2008Q2", "2008Q3", "2008Q4", "2009Q1"]
    assert "4.500" in out


def test_several_worlds_are_pooled(emulate, tmp_path):
    common = (*SAMPLE, "--observe", "rate=rate + mean", "--horizon", "3")
    code, out, _ = emulate(
        "forecast", "nk,rbc", *common, "--probabilities", "1,3", "--output", tmp_path / "f.nc"
    )
    assert code == 0
    assert "sum up to 4, and are taken by their size: nk 0.25, rbc 0.75" in " ".join(out.split())
    both = xr.load_dataset(tmp_path / "f.nc", engine="h5netcdf")
    alone = [
        emulator.world(name).forecast(
            "us", sample=SAMPLE[1], observe={"rate": "rate + mean"}, horizon=3
        )
        for name in ("nk", "rbc")
    ]
    assert list(both["world"].values) == ["nk", "rbc"]
    np.testing.assert_allclose(both["weight"], [0.25, 0.75])
    for k, one in enumerate(alone):
        np.testing.assert_allclose(both["mean"][k], one["mean"][0], atol=1e-12)
    medians = [one["quantile"].sel(probability=0.5, target="rate").values for one in alone]
    middle = both["quantile"].sel(probability=0.5, target="rate").values
    assert ((middle >= np.min(medians, axis=0)) & (middle <= np.max(medians, axis=0))).all()


def test_worlds_without_a_series_in_common_are_not_pooled(nk):
    forecasts = {
        "a": nk.forecast("us", sample=SAMPLE[1], observe={"rate": "rate + mean"}, horizon=2),
        "b": nk.forecast("us", sample=SAMPLE[1], observe=["inflation"], horizon=2),
    }
    with pytest.raises(ParameterError, match="no series in common"):
        pooled(forecasts, {"a": 1, "b": 1})
    longer = nk.forecast("us", sample=SAMPLE[1], observe={"rate": "rate + mean"}, horizon=3)
    with pytest.raises(ParameterError, match="different periods"):
        pooled({"a": forecasts["a"], "b": longer}, {"a": 1, "b": 1})


def written(folder, draws, question):
    """A posterior as `emulator estimate --data` writes it, with beta held."""
    folder.mkdir()
    root = xr.Dataset(
        attrs={
            "world": "nk",
            "parameters": json.dumps(list(draws.columns)),
            "held": json.dumps({"beta": 0.99}),
            "question": json.dumps(question),
            "answered_by": "exact solution",
        }
    )
    free = {
        name: (("chain", "draw"), draws[name].to_numpy()[None])
        for name in draws.columns
        if name != "beta"
    }
    file = folder / "posterior.nc"
    root.to_netcdf(file, engine="h5netcdf")
    xr.Dataset(free).to_netcdf(file, mode="a", group="posterior", engine="h5netcdf")


def test_draws_of_a_posterior_are_asked_as_they_were_estimated(emulate, nk, tmp_path):
    """The data and how they are observed come from the posterior's file."""
    draws = nk.sample(5, seed=2)
    folder = tmp_path / "nk"
    question = {"data": "us", "sample": SAMPLE[1], "observe": {"rate": "rate + mean"}}
    written(folder, draws, question)
    code, _, err = emulate(
        "forecast", "nk", "--posterior", folder, "--horizon", "4", "--output", tmp_path / "f.nc"
    )
    assert code == 0
    assert "5 draws" in err
    answer = xr.load_dataset(tmp_path / "f.nc", engine="h5netcdf")
    draws["beta"] = 0.99
    wanted = nk.forecast("us", draws, sample=SAMPLE[1], observe={"rate": "rate + mean"}, horizon=4)
    np.testing.assert_allclose(answer["quantile"], wanted["quantile"], atol=1e-10)


def test_a_posterior_from_a_file_reads_it_again_unless_it_changed(emulate, nk, tmp_path):
    path = tmp_path / "own.csv"
    frame = emulator.read_data("us", sample=SAMPLE[1], series=["rate"]).frame()
    frame.drop(index="2001Q1").to_csv(path)
    data = emulator.read_data(path, gaps="missing", transform={"rate": "demeaned"})
    question = {"data": data.name, "source": data.source, "sample": data.sample}
    written(tmp_path / "nk", nk.sample(2, seed=2), {**question, "origin": dict(data.origin)})
    asked = ("forecast", "nk", "--posterior", tmp_path / "nk", "--horizon", "1")
    assert emulate(*asked)[0] == 0
    code, _, err = emulate(*asked, "--gaps", "missing")
    assert (code, "say which data are meant" in " ".join(err.split())) == (1, True)
    path.write_text(path.read_text() + "2008Q1,3\n")
    code, _, err = emulate(*asked)
    assert code == 1
    assert "has changed since" in " ".join(err.split())
    code, _, _ = emulate(*asked, "--data", path, "--gaps", "missing")
    assert code == 0


def test_a_posterior_of_another_world_is_refused(emulate, nk, tmp_path):
    written(tmp_path / "nk", nk.sample(2, seed=2), {"data": "us", "sample": SAMPLE[1]})
    code, _, err = emulate("smooth", "rbc", "--posterior", tmp_path)
    assert code == 1
    assert "holds posteriors of nk, a folder each, and none of this world" in " ".join(err.split())
    code, _, err = emulate("smooth", "rbc", "--posterior", tmp_path / "nk")
    assert code == 1
    assert "The posterior is of 'nk', with parameters sigma," in " ".join(err.split())


@pytest.mark.parametrize("named", ["", "nk"])
def test_a_posterior_whose_estimate_has_not_ended_says_how_it_goes_on(emulate, tmp_path, named):
    (tmp_path / "run" / "nk" / "stages").mkdir(parents=True)
    np.savez(tmp_path / "run" / "nk" / "stages" / "mode.npz", fingerprint=np.array("x"))
    for command in ("decompose", "forecast", "smooth"):
        code, _, err = emulate(command, "nk", "--posterior", tmp_path / "run" / named)
        message = " ".join(err.split())
        assert code == 1
        assert f"The estimate in '{tmp_path / 'run' / 'nk'}' has not ended" in message
        resumed = f"emulator estimate --world nk --data ... --output {tmp_path / 'run'}"
        assert resumed in message


@pytest.mark.parametrize(
    ("end", "message"),
    [(3000, "it is cut off; estimate again"), (0, "it is no NetCDF file")],
)
def test_a_damaged_posterior_says_what_is_wrong(emulate, nk, tmp_path, end, message):
    written(tmp_path / "nk", nk.sample(2, seed=2), {"data": "us", "sample": SAMPLE[1]})
    file = tmp_path / "nk" / "posterior.nc"
    file.write_bytes(file.read_bytes()[:end])
    code, _, err = emulate("forecast", "nk", "--posterior", file)
    assert (code, message in " ".join(err.split())) == (1, True)


def test_other_data_than_the_posteriors(emulate, nk, tmp_path):
    question = {"data": "us", "sample": SAMPLE[1], "observe": {"rate": "rate + mean"}}
    written(tmp_path / "nk", nk.sample(2, seed=2), question)
    asked = ("forecast", "nk", "--posterior", tmp_path / "nk", "--horizon", "1")
    code, _, err = emulate(*asked, "--data", "us")
    assert code == 0
    assert "the sample is the posterior's, 1995Q1:2007Q4; data 'us' cover" in " ".join(err.split())
    frame = emulator.read_data("us", sample="2001Q1:2007Q4", series=["rate"]).frame()
    frame.to_csv(tmp_path / "short.csv")
    frame.rename(columns={"rate": "bill"}).to_csv(tmp_path / "other.csv")
    code, _, err = emulate(*asked, "--data", tmp_path / "short.csv")
    assert (code, "--sample 2001Q1:2007Q4" in " ".join(err.split())) == (1, True)
    code, _, err = emulate(*asked, "--data", tmp_path / "other.csv")
    assert code == 1
    assert "The posterior observes rate, and data 'other' have no rate" in " ".join(err.split())


def test_another_rule(emulate, tmp_path):
    code, out, _ = emulate(
        "counterfactual", "nk", *SAMPLE, "--under", "phi_pi=3", "--plot", tmp_path / "c.png"
    )
    assert code == 0
    assert "phi_pi = 3" in out
    assert (tmp_path / "c.png").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["forecast", "nk", "--condition", "rate=a"], "expected numbers separated by commas"),
        (["forecast", "nk", "--condition", "rat=1"], "'rat'"),
        (["forecast", "nk", "--by", "monetary"], "--condition rate=4.5,4.25"),
        (["forecast", "nk", "--probabilities", "1"], "Name several: nk,sw07"),
        (["forecast", "nk,var", "--probabilities", "1"], "1 numbers, and there are 2 worlds"),
        (["forecast", "nk,var", "--probabilities", "1,-1"], "not all of them zero"),
        (["forecast", "nk", "--csv", "f.doc"], "must end in .csv, .nc, .json"),
        (["smooth", "nk", "--draws", "3"], "Name one with --posterior, or leave --draws out"),
        (["smooth", "zlb"], "is not linear in its shocks"),
        (["decompose", "nk", "--posterior", "nowhere"], "There is no 'nowhere'. Expected a file"),
        (["counterfactual", "nk"], "--under phi_pi=2.5"),
        (["counterfactual", "nk", "--under", "phi_pi=0.5"], "no unique stable solution"),
        (["smooth", "nk", "--data", "nowhere.csv"], "There is no file 'nowhere.csv'"),
    ],
)
def test_mistakes_end_in_one_message(emulate, words, message):
    code, _, err = emulate(*words)
    assert code == 1
    assert message in " ".join(err.split())
