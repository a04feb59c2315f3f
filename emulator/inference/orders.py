"""Orders of approximation as answers name them."""

IN_WORDS = {1: "first order", 2: "second order, pruned", 3: "third order, pruned"}

BURN_IN = 100
"""Periods before the shock of a simulated response, as Dynare's `drop`."""
