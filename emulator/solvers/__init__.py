"""Exact, batched solvers. Arrays are NumPy or PyTorch (array API); this room never imports
torch.
"""

from emulator.solvers.linear_re import Solution, block_size, solve_equations, solve_linear_re
from emulator.solvers.lyapunov import lyapunov
from emulator.solvers.qz import solve_qz, stable_root_count
from emulator.solvers.state_space import (
    StateSpace,
    impulse_response,
    simulate,
    spectral_radius,
    superposed,
)
from emulator.solvers.structure import Structure

__all__ = [
    "Solution",
    "StateSpace",
    "Structure",
    "block_size",
    "impulse_response",
    "lyapunov",
    "simulate",
    "solve_equations",
    "solve_linear_re",
    "solve_qz",
    "spectral_radius",
    "stable_root_count",
    "superposed",
]
