"""The table of `docs/solver_or_network.md` is that of the measurements beside the benchmark."""

import importlib.util

import pandas as pd
import pytest

from emulator.models import load
from emulator.models.shipped import SHIPPED

pytestmark = [pytest.mark.fast, pytest.mark.checkout]


@pytest.fixture(scope="module")
def benchmark(pytestconfig):
    path = pytestconfig.rootpath / "benchmarks" / "solver_or_network.py"
    spec = importlib.util.spec_from_file_location("solver_or_network", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_shows_what_was_measured(benchmark):
    table = pd.read_csv(benchmark.TABLE)
    assert list(table.columns) == list(benchmark.COLUMNS)
    for name, rows in table.groupby("network"):
        assert set(rows["world"]) == set(load(name).world_specs)
    assert set(table["network"]) == {"universal-alone", *SHIPPED} - {"universal"}
    page = benchmark.PAGE.read_text(encoding="utf-8")
    shown = page.split(benchmark.BEGIN)[1].split(benchmark.END)[0].strip()
    assert shown == benchmark.markdown(table)


def test_a_network_pays_where_a_draw_costs_the_solver_more(benchmark):
    row = dict.fromkeys(benchmark.NUMBERS, 1.0) | {
        "world": "x",
        "network": "y",
        "load_s": 2.0,
    }
    cheap, dear = (row | {"solver_batch_us": cost, "network_batch_us": 10.0} for cost in (9, 210))
    assert benchmark.draws_that_pay(pd.Series(cheap)) == float("inf")
    assert benchmark.draws_that_pay(pd.Series(dear)) == 10_000
    shown = benchmark.markdown(pd.DataFrame([cheap, dear]))
    assert "the solver" in shown
    assert "the network from 10,000 draws" in shown
