"""Universal Macro Emulator: from the parameters of macroeconomic models to their impulse responses.

    import emulator
    nk = emulator.world("nk")                      # exact, batched
    nk.irf(nk.spec.theta(kappa=0.1))               # (1, shock, horizon, observable)
    network = emulator.load("runs/baseline_mlp")   # a run's folder, a checkpoint or a weights file; needs PyTorch
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emulator.models.base import EmulatorModel
    from emulator.worlds import World

__all__ = ["__version__", "load", "world"]


def world(name: str | Path) -> World:
    """The world of that name, or of a `.mod` file: exact answers in float64. Raises `UnknownNameError`, `ModFileError`."""
    from emulator.worlds import get_world

    return get_world(name)


def load(name_or_path: str | Path) -> EmulatorModel:
    """A trained network: a checkpoint, a weights file, the folder of a run, or "universal" where its weights are in the package.

    Raises `UnknownNameError` for another name, `CheckpointError` if the file is missing, truncated or altered.
    """
    from emulator.models import load as load_model

    return load_model(name_or_path)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from emulator.provenance import package_version

        return package_version()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
