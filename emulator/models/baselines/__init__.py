"""Baselines: networks that any other must beat, and predictors that any network must beat
(`trivial`).

The nearest neighbour is among the latter alone: it is constant between draws, so that no gradient
tells its parameters apart, and its weights would be the training split itself. Every evaluation
scores it beside the network.
"""

from emulator.models.baselines.gaussian_process import GaussianProcessBaseline
from emulator.models.baselines.linear import LinearBaseline
from emulator.models.baselines.pca_mlp import PCAMLPBaseline
from emulator.models.baselines.per_world_gru import PerWorldGRUBaseline
from emulator.models.baselines.per_world_mlp import PerWorldMLPBaseline
from emulator.models.baselines.pooled_mlp import PooledMLPBaseline

__all__ = [
    "GaussianProcessBaseline",
    "LinearBaseline",
    "PCAMLPBaseline",
    "PerWorldGRUBaseline",
    "PerWorldMLPBaseline",
    "PooledMLPBaseline",
]
