"""Regressions: fitted whole from a few hundred or thousand draws, a shock at a time, with what is
declared of shocks used exactly.
"""

from emulator.models.regressions.gaussian_process import GaussianProcessEmulator
from emulator.models.regressions.ridge import RidgeEmulator
from emulator.models.regressions.stack import StackedEmulator

__all__ = ["GaussianProcessEmulator", "RidgeEmulator", "StackedEmulator"]
