"""`emulator estimate` as a user types it, on a tiny budget."""

import json

import pandas as pd
import pytest

from emulator.cli import _add_learning_commands

SMALL = ("--sampler", "smc", "--chains", "2", "--draws", "60", "--starts", "2", "--rescored", "60")


@pytest.fixture(autouse=True, scope="module")
def command():
    """`emulator estimate`, which the command line adds when it starts."""
    _add_learning_commands()


def test_two_worlds_against_us_data(emulate, tmp_path):
    code, out, err = emulate("estimate", "--world", "nk,rbc", "--target", "us-monetary", "--output", tmp_path / "x", "--horizon", "12", "--skip", "inflation:1-2", "--fix", "beta=0.99", "--range", "rho_m=0:0.7", *SMALL)
    assert code == 0
    assert "Target: us-monetary, 35 entries" in out
    assert "Worlds against the same target" in out
    assert "warning: nk: " in err  # so few draws
    names = {path.relative_to(tmp_path / "x").as_posix() for path in (tmp_path / "x").rglob("*") if path.is_file()}
    each = {f"{world}/{file}" for world in ("nk", "rbc") for file in ("posterior.nc", "parameters.csv", "fit.csv", "weights.csv", "result.json")}
    assert names == each | {"target.csv", "target.npz", "comparison.csv", "parameters.csv", "fit.png"}
    table = pd.read_csv(tmp_path / "x" / "nk" / "parameters.csv", index_col="parameter")
    assert table.loc["rho_m", "high"] == 0.7
    assert "beta" not in table.index
    result = json.loads((tmp_path / "x" / "nk" / "result.json").read_text())
    assert result["held"]["beta"] == {"value": 0.99, "why": "given"}
    assert result["held"]["sigma_u"]["why"] == "moves no matched response"
    assert list(pd.read_csv(tmp_path / "x" / "comparison.csv")["world"]) == ["nk", "rbc"]


def test_a_file_of_responses_and_the_exact_solver(emulate, tmp_path):
    rows = ["horizon,rate,rate_sd", *(f"{h},{0.8 * 0.7**h},0.1" for h in range(9))]
    (tmp_path / "mine.csv").write_text("\n".join(rows))
    code, out, _ = emulate("estimate", "--world", "nk", "--target", tmp_path / "mine.csv", "--output", tmp_path / "x", "--exact", *SMALL)
    assert code == 0
    assert "Target: mine, 9 entries" in out
    assert "nk, exact solution" in out


@pytest.mark.fast
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--world", "nkk"], "Unknown world of this network: 'nkk'. Did you mean 'nk'?"),
        (["--world", "nkk", "--exact"], "Unknown world: 'nkk'. Did you mean 'nk'?"),
        (["--world", ","], "--world names no world"),
        (["--world", "nk", "--target", "us-monetry"], "must end in .csv or .npz, or be the name us-monetary"),
        (["--world", "nk", "--target", "none.csv"], "cannot be read: No such file"),
        (["--world", "nk", "--sample", "1965"], "expected two quarters"),
        (["--world", "nk", "--skip", "inflation"], "expected an observable and horizons, such as 'inflation:0-3'"),
        (["--world", "nk", "--skip", "prices:0"], "Unknown observable: 'prices'"),
        (["--world", "nk", "--skip", "rate:99"], "has horizons 0 to 20"),
        (["--world", "nk", "--fix", "kappa"], "'kappa' is not of the form name=value"),
        (["--world", "nk", "--fix", "kappa=steep"], "expected, a number"),
        (["--world", "nk", "--range", "kappa=1"], "expected, two numbers, low:high"),
        (["--world", "nk", "--weighting", "none"], "expected diagonal or full"),
        (["--world", "nk", "--kept", "1"], "kept is 1.0; expected a share between 0 and 1"),
        (["--world", "nk", "--sampler", "gibbs"], "expected nuts or smc"),
        (["--world", "nk", "--checkpoint", "none.pt"], "does not exist"),
    ],
)
def test_bad_requests_end_in_a_message(emulate, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, _, err = emulate("estimate", *arguments)
    assert code == 1
    assert message in err
    assert not (tmp_path / "estimated" / "nk").exists()
