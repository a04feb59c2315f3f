"""Baselines: networks that any other must beat, and predictors that any network must beat (`trivial`)."""

from emulator.models.baselines.per_world_mlp import PerWorldMLPBaseline
from emulator.models.baselines.pooled_mlp import PooledMLPBaseline

__all__ = ["PerWorldMLPBaseline", "PooledMLPBaseline"]
