"""Every network in the table passes the conformance suite."""

import pytest

from emulator.models import MODELS, model_class
from emulator.models.check import check_model
from emulator.worlds import WORLDS, get_world

SLOW_TO_PREPARE = ("GaussianProcessBaseline", "GaussianProcessEmulator", "StackedEmulator")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in SLOW_TO_PREPARE else pytest.mark.fast)
        for name in MODELS
        if not model_class(name).wants_parts  # tests/models/test_structure.py
    ],
)
def test_every_network_passes(name):
    check_model(model_class(name), [get_world(world).spec for world in WORLDS])
