"""`emulator estimate` as a user types it, on a tiny budget."""

import json
import sys

import pandas as pd
import pytest

from emulator.estimation.result_files import check_estimates
from emulator.tests import commands
from emulator.tests.worlds.stranger import write_stranger

SMALL = ("--sampler", "smc", "--chains", "2", "--draws", "60", "--starts", "2", "--rescored", "60")


def test_two_worlds_against_us_data(emulate, tmp_path):
    code, out, err = emulate(
        "estimate",
        "--world",
        "nk,rbc",
        "--target",
        "us-monetary",
        "--output",
        tmp_path / "x",
        "--horizon",
        "12",
        "--skip",
        "inflation:1-2",
        "--fix",
        "beta=0.99",
        "--range",
        "rho_m=0:0.7",
        *SMALL,
    )
    assert code == 0
    assert "Target: us-monetary, 35 entries" in out
    assert "Worlds against the same target" in out
    assert "warning: nk: " in err  # so few draws
    assert check_estimates(tmp_path / "x") == ["nk", "rbc"]
    names = {
        path.relative_to(tmp_path / "x").as_posix()
        for path in (tmp_path / "x").rglob("*")
        if path.is_file()
    }
    each = {
        f"{world}/{file}"
        for world in ("nk", "rbc")
        for file in ("posterior.nc", "parameters.csv", "fit.csv", "weights.csv", "result.json")
    }
    assert names == each | {
        "target.csv",
        "target.npz",
        "estimate.json",
        "comparison.csv",
        "parameters.csv",
        "fit.png",
    }
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
    code, out, _ = emulate(
        "estimate",
        "--world",
        "nk",
        "--target",
        tmp_path / "mine.csv",
        "--output",
        tmp_path / "x",
        "--exact",
        *SMALL,
    )
    assert code == 0
    assert "Target: mine, 9 entries" in out
    assert "nk, exact solution" in out


@pytest.mark.fast
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--world", "nkk"], "Unknown world: 'nkk'. Did you mean 'nk'?"),
        (["--world", "nk,nkk", "--exact"], "Unknown world: 'nkk'. Did you mean 'nk'?"),
        (["--world", ","], "--world names no world"),
        (
            ["--world", "nk", "--target", "us-monetry"],
            "must end in .csv or .npz, or be the name us-monetary",
        ),
        (["--world", "nk", "--target", "none.csv"], "cannot be read: No such file"),
        (["--world", "nk", "--sample", "1965"], "expected two quarters"),
        (
            ["--world", "nk", "--skip", "inflation"],
            "expected an observable and horizons, such as 'inflation:0-3'",
        ),
        (["--world", "nk", "--skip", "prices:0"], "Unknown observable: 'prices'"),
        (["--world", "nk", "--skip", "rate:99"], "has horizons 0 to 20"),
        (["--world", "nk", "--fix", "kappa"], "'kappa' is not of the form name=value"),
        (["--world", "nk", "--fix", "kappa=steep"], "expected, a number"),
        (["--world", "nk", "--range", "kappa=1"], "expected, two numbers, low:high"),
        (["--world", "nk", "--weighting", "none"], "expected one of diagonal, full, principal"),
        (["--world", "nk", "--kept", "1"], "kept is 1.0; expected a share between 0 and 1"),
        (["--world", "nk", "--sampler", "gibbs"], "expected nuts or smc"),
        (["--world", "nk", "--checkpoint", "none.pt"], "does not exist"),
        (["--world", "nk", "--fix", "kapa=1"], "Did you mean 'kappa'?"),
        (["--world", "nk", "--range", "kappa=3:1"], "kappa"),
        (["--world", "nk", "--shock", "cost"], "Did you mean 'cost_push'?"),
        (["--world", "mine.mod"], "--exact"),
        (["--world", "nk", "--output", "mine.mod"], "which is a file; expected a folder"),
    ],
)
def test_bad_requests_end_in_a_message(emulate, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    write_stranger(tmp_path)
    code, _, err = emulate("estimate", *arguments)
    assert code == 1
    assert message in err
    assert not (tmp_path / "estimated").exists()


@pytest.mark.fast
def test_a_horizon_beyond_the_longest_target_is_refused_by_its_option(emulate):
    code, _, err = emulate("estimate", "--world", "nk", "--horizon", "400")
    assert code == 2
    assert "399" in err


@pytest.mark.fast
def test_a_missing_package_is_named_before_anything_is_searched(emulate, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "nutpie", None)
    code, _, err = emulate("estimate", "--world", "nk", "--sampler", "nuts")
    assert code == 1
    assert "[estimation]" in err
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_estimate_is_replaced_only_when_told(emulate, tmp_path):
    asked = (
        "estimate",
        "--world",
        "nk",
        "--target",
        "us-monetary",
        "--horizon",
        "4",
        "--exact",
        "--output",
        tmp_path / "x",
        "--sampler",
        "smc",
        "--chains",
        "1",
        "--draws",
        "30",
        "--starts",
        "1",
    )
    code, _, err = emulate(*asked)
    assert code == 0
    assert "a single chain has no R-hat" in err
    assert "Shape validation" not in err
    (tmp_path / "x" / "zlb").mkdir()  # of an earlier estimate
    (tmp_path / "x" / "nk" / "result.json").rename(tmp_path / "x" / "zlb" / "result.json")
    code, _, err = emulate(*asked)
    assert code == 1
    assert "holds an estimate already" in err
    (tmp_path / "x" / "nk" / "notes.txt").write_text("mine")
    assert emulate(*asked, "--overwrite")[0] == 0
    assert not (tmp_path / "x" / "zlb").exists()
    assert (tmp_path / "x" / "nk" / "notes.txt").exists()
    assert (tmp_path / "x" / "nk" / "result.json").exists()


def test_a_killed_estimate_does_not_stand_in_the_way_of_the_same_command(emulate, tmp_path):
    """Killed for good, as by a lack of memory: after the first world, before the second ends."""
    asked = [
        *("estimate", "--world", "nk,zlb", "--horizon", "4", "--exact", "--output"),
        *(tmp_path / "x", "--chains", "1", "--draws", "30", "--starts", "1"),
    ]
    script = f"""
import os, signal, sys
from emulator.estimation import result_files
from emulator import cli
write = result_files.write_estimate
def write_and_die(estimate, folder):
    write(estimate, folder)
    os.kill(os.getpid(), signal.SIGKILL)
result_files.write_estimate = write_and_die
sys.argv = ["emulator", *{[str(word) for word in asked]!r}]
cli.main()
"""
    assert commands.run("-c", script).returncode == -9
    assert (tmp_path / "x" / "nk" / "result.json").exists()
    code, out, err = emulate(*asked)
    assert code == 0, err
    assert f"An interrupted estimate in {tmp_path / 'x'} is replaced: nk." in out
    assert check_estimates(tmp_path / "x") == ["nk", "zlb"]


@pytest.mark.fast
def test_an_output_that_leads_back_to_itself_is_refused_in_words(emulate, tmp_path):
    (tmp_path / "x").symlink_to(tmp_path / "x")
    code, _, err = emulate("estimate", "--world", "nk", "--output", tmp_path / "x")
    assert code == 1
    assert "a symbolic link that leads back to itself" in err


@pytest.mark.fast
def test_help_and_import_are_light():
    heavy = "{'torch', 'arviz', 'statsmodels', 'nutpie', 'scipy.stats', 'pandas', 'matplotlib'}"
    script = f"import sys, emulator.estimation.command; print({heavy} & set(sys.modules))"
    assert commands.run("-c", script, fresh=True).stdout == "set()\n"


def test_the_shock_of_the_world_is_the_one_that_is_asked_for(emulate, tmp_path):
    code, out, _ = emulate(
        "estimate",
        "--world",
        "nk",
        "--shock",
        "demand",
        "--horizon",
        "4",
        "--exact",
        "--output",
        tmp_path / "x",
        "--sampler",
        "smc",
        "--chains",
        "2",
        "--draws",
        "30",
        "--starts",
        "1",
    )
    assert code == 0
    assert (
        json.loads((tmp_path / "x" / "nk" / "result.json").read_text())["world_shock"] == "demand"
    )
    assert "Matched: the VAR's shock in rate," in out
    assert "to the worlds' demand shock." in out
