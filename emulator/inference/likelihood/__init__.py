"""The likelihood of data: observation equations, Kalman filter or moving average, priors."""

from emulator.inference.likelihood.likelihood import Likelihood, Values

__all__ = ["Likelihood", "Values"]
