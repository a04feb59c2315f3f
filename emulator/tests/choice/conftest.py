"""A tiny data set of two observables, imported from arrays."""

import numpy as np
import pytest

from emulator.data.importing.arrays import import_draws
from emulator.tests.conftest import brief_trust
from emulator.tests.data.toy import Toy

HORIZON = 8


@pytest.fixture(autouse=True)
def brief_bands():
    """What is chosen does not hang on its band."""
    with brief_trust():
        yield


@pytest.fixture(scope="session")
def toy():
    return Toy(("sales", "orders"))


@pytest.fixture(scope="session")
def arrays(toy):
    """theta, responses and the names of 120 draws, as `emulator.emulate` takes them."""
    theta = toy.sample(120, np.random.default_rng(0))
    names = {
        "parameters": toy.spec.parameter_names,
        "shocks": toy.spec.shock_names,
        "observables": toy.spec.observable_names,
    }
    return theta, toy.irf(theta, HORIZON), names


@pytest.fixture(scope="session")
def mine(arrays, tmp_path_factory):
    theta, irf, names = arrays
    path = tmp_path_factory.mktemp("choice") / "mine"
    import_draws(
        theta, irf, output=path, axes=("sample", "shock", "horizon", "observable"), **names
    )
    return path
