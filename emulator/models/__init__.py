"""The table of networks.

A network is one file and one line here; it is imported when it is asked for.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator.errors import ConfigError, unknown_name
from emulator.spec import WorldSpec

if TYPE_CHECKING:
    from emulator.models.base import EmulatorModel
    from emulator.models.trained import TrainedNetwork

MODELS = {
    "GaussianProcessBaseline": "emulator.models.baselines.gaussian_process:GaussianProcessBaseline",
    "GaussianProcessEmulator": (
        "emulator.models.regressions.gaussian_process:GaussianProcessEmulator"
    ),
    "LinearBaseline": "emulator.models.baselines.linear:LinearBaseline",
    "PCAMLPBaseline": "emulator.models.baselines.pca_mlp:PCAMLPBaseline",
    "PerWorldGRUBaseline": "emulator.models.baselines.per_world_gru:PerWorldGRUBaseline",
    "PerWorldMLPBaseline": "emulator.models.baselines.per_world_mlp:PerWorldMLPBaseline",
    "PooledMLPBaseline": "emulator.models.baselines.pooled_mlp:PooledMLPBaseline",
    "RidgeEmulator": "emulator.models.regressions.ridge:RidgeEmulator",
    "StackedEmulator": "emulator.models.regressions.stack:StackedEmulator",
    "StructureEmulator": "emulator.models.structure.network:StructureEmulator",
    "UniversalEmulator": "emulator.models.universal.network:UniversalEmulator",
}


FROM_SPECS = ("worlds", "H", "param_dims", "shock_dims", "n_shocks", "n_observables")
"""Arguments of networks that follow from the specs of their worlds, and are no options."""


def model_class(name: str) -> type[EmulatorModel]:
    """The class of that name. Raises `UnknownNameError`, with the nearest known name."""
    if name not in MODELS:
        raise unknown_name("model", name, MODELS)
    module, _, attribute = MODELS[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def build(
    name: str, specs: Mapping[str, WorldSpec], horizon: int, options: Mapping[str, Any]
) -> EmulatorModel:
    """A fresh network for these worlds, responses over horizons 0 to `horizon`.

    Raises `UnknownNameError` for the model, `ConfigError` for options that it does not take.
    """
    network = model_class(name)
    try:
        return network.from_specs(specs, horizon, **options)
    except (TypeError, ValueError, RuntimeError, MemoryError) as error:
        taken = [
            option for option in inspect.signature(network).parameters if option not in FROM_SPECS
        ]
        raise ConfigError(
            f"The model_options {dict(options)} do not fit {name}, which takes"
            f" {', '.join(taken) or 'none'}: {error}"
        ) from None


def load(name_or_path: str | Path) -> TrainedNetwork:
    """A trained network, from the name under which it ships, its file, or the folder of its run.

    Raises `UnknownNameError` for a name that does not ship, `CheckpointError` if the file is
    missing, truncated, altered, or of a class that is not in the table.
    """
    from emulator.models.trained import load as load_trained

    return load_trained(name_or_path)


__all__ = ["MODELS", "build", "load", "model_class"]
