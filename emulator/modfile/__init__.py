"""Dynare `.mod` files: text -> symbolic model -> matrices -> responses, for whole batches of
parameters.
"""

from emulator.modfile.model import CompiledModel, load, load_text
from emulator.modfile.responses import irf

__all__ = ["CompiledModel", "irf", "load", "load_text"]
