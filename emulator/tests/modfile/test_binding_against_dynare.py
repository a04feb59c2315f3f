"""Occasionally binding constraints in files against Dynare's paths under the same surprises."""

import csv
from pathlib import Path

import numpy as np
import pytest

import emulator

pytestmark = pytest.mark.fast

FOLDER = Path(__file__).parents[1] / "reference" / "binding"
FILES = sorted(path.stem for path in FOLDER.glob("*.mod"))


def reference(name):
    with (FOLDER / "paths.csv").open() as file:
        rows = [row for row in csv.reader(file) if row[0] == name]
    return {(row[1], row[2]): np.array(row[3:], dtype=float) for row in rows}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.filterwarnings("ignore::emulator.errors.ModFileWarning")
def test_paths_are_those_of_dynare(name):
    economy = emulator.world(FOLDER / f"{name}.mod")
    wanted = reference(name)
    answer = economy.occbin(shock="surprises").isel(draw=0, size=0, shock=0)
    assert answer.sizes["horizon"] == len(next(iter(wanted.values())))
    assert answer["binding"].any("horizon").all()
    for (kind, variable), path in wanted.items():
        np.testing.assert_allclose(
            answer[kind].sel(observable=variable), path, atol=1e-9, err_msg=f"{variable} {kind}"
        )
    responses = economy.irf(shock="surprises")["irf"][0, 0]
    np.testing.assert_array_equal(responses, answer["piecewise"])
