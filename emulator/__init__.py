"""Universal Macro Emulator: from the parameters of macroeconomic models to their impulse responses.

import emulator
nk = emulator.world("nk")                                # solved exactly
nk.irf(kappa=0.1, phi_pi=2.0).responses.plot()           # an xarray Dataset, drawn
em = emulator.load("universal")                          # the network that ships; needs PyTorch
em["nk"].irf(kappa=0.1, phi_pi=2.0)                      # the same question: band and flags
emulator.world("my.mod").irf()                           # a Dynare file, in its own variables
emulator.world("mysim.py:economy").irf()                 # a function of one's own (`Simulator`)
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator.version import __version__

if TYPE_CHECKING:
    from emulator import worlds
    from emulator.choice import train
    from emulator.estimation import estimate
    from emulator.inference import Economy, Emulator
    from emulator.inference.over_closing import closed
    from emulator.series import TimeSeries, read_data
    from emulator.worlds import World
    from emulator.worlds.closing import Closing
    from emulator.worlds.comparison import compare
    from emulator.worlds.simulator import Simulator, simulator

__all__ = [
    "Closing",
    "Economy",
    "Emulator",
    "Simulator",
    "TimeSeries",
    "__version__",
    "closed",
    "compare",
    "emulate",
    "estimate",
    "load",
    "read_data",
    "simulator",
    "train",
    "world",
    "worlds",
]

_ELSEWHERE = {
    "Closing": "emulator.worlds.closing",
    "Economy": "emulator.inference",
    "Emulator": "emulator.inference",
    "Simulator": "emulator.worlds.simulator",
    "TimeSeries": "emulator.series",
    "closed": "emulator.inference.over_closing",
    "compare": "emulator.worlds.comparison",
    "estimate": "emulator.estimation",
    "read_data": "emulator.series",
    "simulator": "emulator.worlds.simulator",
    "train": "emulator.choice.doors",
}
"""Names that are imported when they are asked for, each from its room."""


def world(name: str | Path | World, run: int | None = None) -> Economy:
    """The economy of that name, of a `.mod` file, of a Python file ("mysim.py:economy", which is
    run) or of a world such as a `Simulator`, over its solver: exact answers in float64.

    A `.mod` file with a mapping beside it answers with the mapping's observables, one without in
    its own variables and units; run: of a file with several solution commands the one that is
    answered, by default the last. Raises `UnknownNameError`, `ModFileError`, `SimulatorError`.
    """
    from emulator.inference import Economy

    return Economy.named(name, run)


def load(name_or_path: str | Path = "universal", device: str = "cpu") -> Emulator:
    """A trained network: "universal", which ships with the package, a checkpoint, a weights file,
    or the folder of a run.

    Raises `UnknownNameError` for another name, `CheckpointError` if the file is missing, truncated
    or altered.
    """
    from emulator.inference import Emulator

    return Emulator.load(name_or_path, device)


def emulate(theta: Any, irf: Any, **options: Any) -> Emulator:
    """The best emulator of draws in arrays: theta (n, P), irf (n, S, H+1, O), horizon 0 being the
    impact period.

    options: `parameters`, `shocks` and `observables` name what is on the axes, which is numbered
    otherwise (`parameter_1`); `kind`, `budget` and `seed` as
    in `train`; `output` keeps the data set and the emulator in a folder; the rest as in
    `emulator.choice.doors.emulated`. Raises `DatasetError`, `ConfigError`, `TrainingError`.
    """
    from emulator.choice.doors import emulated

    with emulated(theta, irf, **options) as folder:
        return load(folder)


def __getattr__(name: str) -> Any:
    if name == "worlds":
        return importlib.import_module("emulator.worlds")
    if name in _ELSEWHERE:
        return getattr(importlib.import_module(_ELSEWHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
