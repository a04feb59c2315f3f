"""Optimal simple rules of files against Dynare's, and the commands that print them."""

import csv
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import emulator

pytestmark = [
    pytest.mark.fast,
    pytest.mark.filterwarnings("ignore::emulator.errors.ModFileWarning"),
]

FOLDER = Path(__file__).parents[1] / "reference" / "rules"


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.mod")))
def test_rules_are_those_of_dynare(name):
    with (FOLDER / "rules.csv").open() as file:
        wanted = {row[1]: float(row[2]) for row in csv.reader(file) if row[0] == name}
    rule = emulator.world(FOLDER / f"{name}.mod").optimal_rule().isel(draw=0)
    objective = wanted.pop("objective")
    assert float(rule["objective"]) == pytest.approx(objective, rel=1e-7)
    assert float(rule["objective"]) <= objective * (1 + 1e-9)
    assert float(rule["objective"]) < float(rule["at_start"])
    for coefficient, value in wanted.items():
        ours = float(rule["coefficient"].sel(coefficient_name=coefficient))
        assert ours == pytest.approx(value, rel=1e-3, abs=1e-6), coefficient


def test_the_command_prints_a_row_a_draw_and_writes_all(emulate, tmp_path):
    table = tmp_path / "rules.csv"
    code, out, err = emulate(
        "osr", FOLDER / "taylor.mod", "--set", "kappa=0.1:0.3:3", "--output", table
    )
    assert code == 0, err
    assert "optimal simple rule" in out
    assert "the objective is 1 var(pi) + 1 var(y) + weight var(r) + 0.2 cov(y, pi)" in err
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert [set(row) for row in rows] == [{"draw", "a", "b", "objective", "at_start"}] * 3
    assert float(rows[0]["objective"]) > float(rows[2]["objective"])


def test_the_command_of_constraints_prints_writes_and_draws(emulate, tmp_path):
    file = FOLDER.parent / "binding" / "irreversible.mod"
    paths, picture = tmp_path / "paths.nc", tmp_path / "paths.svg"
    code, out, err = emulate(
        *("occbin", file, "--size", "1,-1", "--variables", "iv,c", "--horizon", "12"),
        *("--plot", picture, "--output", paths),
    )
    assert code == 0, err
    assert "floor binds" in out
    assert "surprises, -1 sd" in out
    assert picture.read_bytes()[:5] == b"<?xml"
    data = xr.open_dataset(paths)
    assert data["piecewise"].dims == ("draw", "size", "shock", "horizon", "observable")
    assert float(data["piecewise"].sel(observable="iv", size=1).min()) == pytest.approx(
        -0.02 * float(data["steady"].sel(observable="iv")[0])
    )
    assert not np.array_equal(data["piecewise"], data["linear"])


def test_other_files_are_refused_with_the_way_out(emulate):
    code, _, err = emulate("occbin", FOLDER / "taylor.mod")
    assert code == 1
    assert "is occbin_solver" in err
    code, _, err = emulate("osr", FOLDER / "bounded.mod", "--run", "1")
    assert code == 1
    assert "is osr" in err
