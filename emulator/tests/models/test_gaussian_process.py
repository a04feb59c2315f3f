"""Gaussian processes: through their own draws, as scikit-learn has them, and without it where they
only predict.
"""

import copy
import sys

import numpy as np
import pytest
import torch

from emulator.errors import MissingExtraError, ModelCheckError
from emulator.models.baselines import GaussianProcessBaseline
from emulator.models.check import _statistics, _theta, check_model
from emulator.tests.models.test_baselines import (
    SAMPLES,
    SPECS,
    prepared,
    refused_until_weights_are_loaded,
)


def test_what_was_not_prepared_is_refused_until_weights_are_loaded():
    refused_until_weights_are_loaded(GaussianProcessBaseline)


def test_gaussian_processes_go_through_their_own_draws_and_are_scikit_learns():
    sklearn = pytest.importorskip("sklearn.gaussian_process")
    model = prepared(GaussianProcessBaseline, components=2)
    theta, irf = SAMPLES["nk"]
    error = (model(theta, "nk") - irf) / model.normaliser.statistics("nk").irf_scale[:, None]
    assert float(error.square().mean().sqrt()) < 0.02
    process = model.processes[0]
    z = model.normaliser.theta(theta, "nk").double().numpy()
    kernel = sklearn.kernels.RBF(process.length_scales[0].numpy())
    fresh = z[:5] + 0.1
    ours = process._kernel(torch.from_numpy(fresh), process.length_scales[0]) @ process.weights[0]
    np.testing.assert_allclose(
        ours.numpy(), kernel(fresh, z) @ process.weights[0].numpy(), rtol=1e-8
    )


def test_gaussian_processes_take_no_more_draws_than_told_and_need_no_scikit_learn_to_predict(
    monkeypatch,
):
    model = prepared(GaussianProcessBaseline, components=1, draws=10)
    assert model.processes[0].points.shape == (10, 12)
    monkeypatch.setitem(sys.modules, "sklearn.gaussian_process", None)
    again = GaussianProcessBaseline(**model.options)
    again.bind({name: _statistics(spec) for name, spec in SPECS.items()}, SPECS)
    again.load_state_dict(copy.deepcopy(model.state_dict()))
    theta = _theta(SPECS["nk"], 3)
    assert torch.equal(again(theta, "nk"), model(theta, "nk"))
    with pytest.raises(MissingExtraError, match=r"\[gp\]"):
        again.prepare(SAMPLES)


class LearnsNothing(GaussianProcessBaseline):
    """A network without parameters that pays no heed to the draws it is given after the first."""

    def prepare(self, samples):
        if not len(self.processes[0].points):
            super().prepare(samples)


def test_the_suite_finds_processes_that_learn_nothing():
    with pytest.raises(ModelCheckError, match="prepare learns nothing"):
        check_model(LearnsNothing, [SPECS["nk"]])
