"""`emulator estimate` as a user types it, on a tiny budget."""

import json

import pandas as pd
import pytest
import typer

from emulator.console import exit_with
from emulator.estimation.command import estimate

SMALL = ("--sampler", "smc", "--chains", "2", "--draws", "60", "--starts", "2", "--rescored", "60")


@pytest.fixture
def run(monkeypatch, capsys):
    """Exit code, standard output and error output of the command."""

    def call(*arguments):
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        app.command()(estimate)
        app.command()(typer.Typer)  # a second one, so that the first keeps its name
        monkeypatch.setattr("sys.argv", ["emulator", "estimate", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            exit_with(app)
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return end.value.code, said.out, said.err

    return call


def test_two_worlds_against_us_data(run, tmp_path):
    code, out, err = run("--world", "nk,rbc", "--target", "us-monetary", "--output", tmp_path / "x", "--horizon", "12", "--skip", "inflation:1-2", "--fix", "beta=0.99", "--range", "rho_m=0:0.7", *SMALL)
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


def test_a_file_of_responses_and_the_exact_solver(run, tmp_path):
    rows = ["horizon,rate,rate_sd", *(f"{h},{0.8 * 0.7**h},0.1" for h in range(9))]
    (tmp_path / "mine.csv").write_text("\n".join(rows))
    code, out, _ = run("--world", "nk", "--target", tmp_path / "mine.csv", "--output", tmp_path / "x", "--exact", *SMALL)
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
        (["--world", "nk", "--sampler", "gibbs"], "expected nuts or smc"),
        (["--world", "nk", "--checkpoint", "none.pt"], "does not exist"),
    ],
)
def test_bad_requests_end_in_a_message(run, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(*arguments)
    assert code == 1
    assert message in err
    assert not (tmp_path / "estimated" / "nk").exists()
