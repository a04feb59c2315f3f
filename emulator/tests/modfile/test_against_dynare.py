"""Each feature of the language, in a small file of its own, against Dynare's responses to the same
file.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import emulator
from emulator import modfile

FOLDER = Path(__file__).parents[1] / "reference" / "modfile"
FILES = sorted(path.stem for path in FOLDER.glob("*.mod"))
TOLERANCE = 1e-8


@pytest.fixture(scope="module")
def reference():
    return pd.read_csv(FOLDER / "irfs.csv", index_col=["file", "shock", "variable"])


@pytest.mark.fast
@pytest.mark.parametrize("name", FILES)
@pytest.mark.filterwarnings("ignore::emulator.errors.ModFileWarning")
def test_responses_are_those_of_dynare(name, reference):
    responses = modfile.irf(FOLDER / f"{name}.mod", horizon=20)
    wanted = reference.loc[name]
    assert set(responses["shock"].values) == set(wanted.index.get_level_values("shock"))
    for (shock, variable), path in wanted.iterrows():
        answer = responses.sel(shock=shock, variable=variable)
        np.testing.assert_allclose(
            answer,
            path.to_numpy(),
            rtol=TOLERANCE,
            atol=TOLERANCE,
            err_msg=f"{name}: {variable} to {shock}",
        )
    face = emulator.world(FOLDER / f"{name}.mod").irf(
        variables=list(responses["variable"].values), horizon=20
    )
    np.testing.assert_allclose(
        face["irf"][0].sel(shock=responses["shock"]).transpose("shock", "horizon", "observable"),
        responses,
        rtol=1e-12,
        atol=1e-12,
    )
    written = set(wanted.index)
    for shock in responses["shock"].values:
        for variable in responses["variable"].values:
            if (
                shock,
                variable,
            ) not in written:  # Dynare writes no response that is zero throughout
                assert float(np.abs(responses.sel(shock=shock, variable=variable)).max()) < 1e-9, (
                    variable,
                    shock,
                )


def test_every_file_has_a_reference(reference):
    assert set(FILES) == set(reference.index.get_level_values("file"))
