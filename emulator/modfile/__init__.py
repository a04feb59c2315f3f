"""Dynare `.mod` files: text -> symbolic model -> matrices -> responses, for whole batches of
parameters.
"""

from emulator.modfile.compiling.load import load, load_text
from emulator.modfile.compiling.model import CompiledModel
from emulator.modfile.compiling.responses import irf

__all__ = ["CompiledModel", "irf", "load", "load_text"]
