"""Moments and variance decompositions against Dynare's stored tables (see reference/moments)."""

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import emulator

REFERENCE = Path(__file__).parents[1] / "reference"
TOLERANCE = 1e-6
PRINTED = 1e-12
"""Variance from which on Dynare prints a variable."""


@cache
def lines():
    with open(REFERENCE / "moments/moments.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("file", sorted({line["file"] for line in lines()}))
@pytest.mark.filterwarnings("ignore::emulator.errors.ModFileWarning")
def test_moments_are_dynares(file):
    economy = emulator.world(REFERENCE / "modfile" / f"{file}.mod")
    answers = {
        hp: (economy.moments(hp=hp, lags=3), economy.variance_decomposition(hp=hp))
        for hp in (None, 1600)
    }
    for line in lines():
        if line["file"] != file or not float(line["variance"]) > PRINTED:
            continue
        moments, shares = answers[1600 if line["lambda"] == "1600" else None]
        one = moments.sel(draw=0, observable=line["variable"])
        mean = float(line["mean"])
        assert float(one["mean"]) == pytest.approx(mean, rel=TOLERANCE, abs=TOLERANCE)
        assert float(one["variance"]) == pytest.approx(float(line["variance"]), rel=TOLERANCE)
        lagged = [float(line[f"lag_{lag}"]) for lag in (1, 2, 3)]
        np.testing.assert_allclose(one["autocorrelation"], lagged, atol=TOLERANCE)
        known = set(economy.spec.shock_names)
        for shock, share in zip(line["shocks"].split(), line["shares"].split(), strict=True):
            own = 0.0
            if shock in known:
                own = shares["share"].sel(
                    draw=0, ahead=np.inf, observable=line["variable"], shock=shock
                )
            assert float(own) == pytest.approx(float(share), abs=100 * TOLERANCE)
