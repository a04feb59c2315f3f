"""Rules, paths, responses and moments of second and third order against Dynare's (see
`emulator/tests/reference/orders`).
"""

import csv
from collections import defaultdict
from functools import cache

import numpy as np
import pytest

import emulator
from emulator.modfile import load
from emulator.tests.reference.orders import make

pytestmark = pytest.mark.fast

FILES = sorted(path.stem for path in make.HERE.glob("*.mod"))
STATES = {"AUX_ENDO_LAG_1_1": "d(-1)", "AUX_EXO_LAG_3_0": "e(0)"}
"""What Dynare's auxiliary states of lags.mod are here."""


@cache
def table(name):
    with open(make.HERE / name, encoding="utf-8") as file:
        return list(csv.DictReader(file))


def rows_of(file, name, order, **others):
    wanted = {"file": name, "order": str(order), **others}
    rows = [row for row in table(file) if wanted.items() <= row.items()]
    assert rows
    return rows


@pytest.fixture(scope="module", params=FILES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def economy(name):
    return emulator.world(make.HERE / f"{name}.mod")


def factor_of(name):
    """The lower Cholesky factor of the file's shocks."""
    model = load(make.HERE / f"{name}.mod")
    return model.shocks, model.cholesky(model.theta())[0]


@pytest.mark.parametrize("order", [2, 3])
def test_decision_rules_are_dynares(name, economy, order):
    rules = economy.decision_rules(order=order).isel(draw=0)
    shocks, factor = factor_of(name)
    arrays = defaultdict(list)
    for row in rows_of("rules.csv", name, order):
        arrays[row["array"]].append(row)
    assert len(arrays) == {2: 6, 3: 12}[order]
    for array, theirs in arrays.items():
        ours = rules[array]
        values = ours.values
        # Ours are per standard deviation of independent shocks, Dynare's per shock of the file.
        for k, axis in enumerate(ours.dims):
            if axis.startswith("shock"):
                values = np.moveaxis(np.moveaxis(values, k, -1) @ np.linalg.inv(factor), -1, k)
        size = max(1.0, float(np.abs(values).max()))
        places = [{str(v): k for k, v in enumerate(ours[axis].values)} for axis in ours.dims]
        for row in theirs:
            words = iter([STATES.get(word, word) for word in row["columns"].split()])
            labels = [
                row["variable"]
                if axis == "observable"
                else next(words) + ("" if axis.startswith("shock") else "(-1)")
                for axis in ours.dims
            ]
            place = tuple(at[label] for at, label in zip(places, labels, strict=True))
            assert abs(values[place] - float(row["value"])) < 1e-9 * size, (array, labels)
    assert shocks == tuple(economy.spec.shock_names)


@pytest.mark.parametrize("order", [2, 3])
def test_paths_under_the_same_shocks_are_dynares(name, economy, order):
    shocks = make.shocks()[:1, :, : economy.spec.n_shocks]
    path = economy.simulate(order=order, shocks=shocks)[0]
    steady = economy.decision_rules(order=order)["steady_state"][0]
    levels = (path + steady).transpose("period", "observable").values
    names = list(path["observable"].values)
    for row in rows_of("paths.csv", name, order, kind="path"):
        level = levels[int(row["period"]), names.index(row["variable"])]
        assert level == pytest.approx(float(row["value"]), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("order", [2, 3])
def test_responses_with_common_random_numbers_are_dynares(name, economy, order, monkeypatch):
    given = make.shocks()[:, :, : economy.spec.n_shocks]

    class Given:
        def standard_normal(self, size):
            assert size == given.shape
            return given

    monkeypatch.setattr("emulator.inference.higher_order.generator", lambda seed: Given())
    answer = economy.irf(
        order=order,
        replic=make.REPLICATIONS,
        burn_in=make.BURN,
        horizon=make.PERIODS - make.BURN - 1,
    )
    assert answer.attrs["order"] == str(order)
    rows = rows_of("paths.csv", name, order, kind="response")
    assert len(rows) == answer["irf"].size
    shocks, variables = (list(answer[axis].values) for axis in ("shock", "observable"))
    for row in rows:
        place = shocks.index(row["shock"]), int(row["period"]), variables.index(row["variable"])
        mine = answer["irf"].values[(0, *place)]
        assert mine == pytest.approx(float(row["value"]), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("order", [2, 3])
def test_theoretical_moments_are_dynares(name, economy, order):
    answer = economy.moments(order=order, lags=1).isel(draw=0)
    for row in rows_of("moments.csv", name, order):
        own = answer.sel(observable=row["variable"])
        assert float(own["mean"]) == pytest.approx(float(row["mean"]), rel=1e-9, abs=1e-9)
        variance = float(own["variance"])
        assert variance == pytest.approx(float(row["variance"]), rel=1e-8)
        if row["lag_1"] != "NaN":  # of second order alone: see the reference's README
            lagged = variance * float(own["autocorrelation"].sel(lag=1))
            assert lagged == pytest.approx(float(row["lag_1"]), rel=1e-8)
