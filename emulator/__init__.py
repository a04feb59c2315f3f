"""Universal Macro Emulator: from the parameters of macroeconomic models to their impulse responses.

import emulator
em = emulator.load("universal")                          # the network that ships; needs PyTorch
em.irf("nk", kappa=0.1, phi_pi=2.0)                      # an xarray Dataset: responses, band, flags
emulator.world("nk").irf(kappa=0.1, phi_pi=2.0)          # the same question to the solver: exact
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emulator.inference import Emulator, ExactWorld

__all__ = ["__version__", "load", "world"]


def world(name: str | Path) -> ExactWorld:
    """The world of that name, or of a `.mod` file: exact answers in float64.

    Raises `UnknownNameError`, `ModFileError`.
    """
    from emulator.inference import ExactWorld

    return ExactWorld.named(name)


def load(name_or_path: str | Path = "universal", device: str = "cpu") -> Emulator:
    """A trained network: "universal", which ships with the package, a checkpoint, a weights file,
    or the folder of a run.

    Raises `UnknownNameError` for another name, `CheckpointError` if the file is missing, truncated
    or altered.
    """
    from emulator.inference import Emulator

    return Emulator.load(name_or_path, device)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from emulator.provenance import package_version

        return package_version()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
