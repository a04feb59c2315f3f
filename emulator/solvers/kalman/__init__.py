"""The likelihood of data under linear state spaces; see `likelihood.py`."""

from emulator.solvers.kalman.likelihood import SETTLED, WIDE, Observed, Start, log_likelihoods

__all__ = ["SETTLED", "WIDE", "Observed", "Start", "log_likelihoods"]
