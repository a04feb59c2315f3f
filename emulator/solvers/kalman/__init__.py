"""The likelihood of data under linear state spaces, and shocks and states given data; see
`likelihood.py` and `smoother.py`.
"""

from emulator.solvers.kalman.likelihood import SETTLED, WIDE, Observed, Start, log_likelihoods
from emulator.solvers.kalman.smoother import Smoothed, path, smooth

__all__ = [
    "SETTLED",
    "WIDE",
    "Observed",
    "Smoothed",
    "Start",
    "log_likelihoods",
    "path",
    "smooth",
]
