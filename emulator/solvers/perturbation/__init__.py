"""Perturbation of second and third order around the deterministic steady state, in batches."""

from emulator.solvers.perturbation.expansion import Expansion
from emulator.solvers.perturbation.moments import PrunedMoments, numbers_needed, pruned_moments
from emulator.solvers.perturbation.pruned import simulate, stochastic_steady_state
from emulator.solvers.perturbation.responses import mean_responses, simulated_responses
from emulator.solvers.perturbation.rules import Rules
from emulator.solvers.perturbation.solving import Point, solve_rules

__all__ = [
    "Expansion",
    "Point",
    "PrunedMoments",
    "Rules",
    "mean_responses",
    "numbers_needed",
    "pruned_moments",
    "simulate",
    "simulated_responses",
    "solve_rules",
    "stochastic_steady_state",
]
