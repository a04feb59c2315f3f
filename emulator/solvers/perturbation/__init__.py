"""Perturbation of second and third order around the deterministic steady state, in batches."""

from emulator.solvers.perturbation.expansion import Expansion
from emulator.solvers.perturbation.pruned import simulate, stochastic_steady_state
from emulator.solvers.perturbation.responses import mean_responses, simulated_responses
from emulator.solvers.perturbation.rules import Rules
from emulator.solvers.perturbation.solving import Point, solve_rules
from emulator.solvers.perturbation.system import mean_and_recursion

__all__ = [
    "Expansion",
    "Point",
    "Rules",
    "mean_and_recursion",
    "mean_responses",
    "simulate",
    "simulated_responses",
    "solve_rules",
    "stochastic_steady_state",
]
