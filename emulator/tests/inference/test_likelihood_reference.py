"""Log-likelihoods against Dynare's, of small models and of `sw07`, at twenty draws each."""

import numpy as np
import pandas as pd
import pytest

from emulator.tests.reference.likelihood import cases

TOLERANCE = 1e-6

pytestmark = [
    pytest.mark.fast,
    pytest.mark.filterwarnings("ignore::emulator.errors.ModFileWarning"),
]


@pytest.mark.parametrize("name", cases.CASES)
def test_dynare_says_the_same(name, tmp_path):
    case = cases.CASES[name]()
    economy = cases.economy(case, tmp_path)
    draws = pd.read_csv(cases.HERE / f"{name}.csv")
    wanted = draws.pop("dynare").to_numpy()
    table = pd.read_csv(cases.HERE / f"{name}_data.csv", index_col="period")
    answer = economy.log_likelihood(
        table, cases.theta(economy, draws), start=case.start, presample=case.presample
    )
    assert list(answer["series"].values) == list(case.varobs)
    np.testing.assert_allclose(answer["log_likelihood"], wanted, rtol=0, atol=TOLERANCE)
    assert len(wanted) == cases.N_DRAWS
