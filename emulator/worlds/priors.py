"""Prior distributions of single parameters, truncated to a range, in Dynare's meaning of mean and
standard deviation.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator
from scipy import optimize, special, stats

Shape = Literal["uniform", "normal", "beta", "gamma", "inv_gamma", "inv_gamma2", "weibull"]

SHIFTED = ("gamma", "inv_gamma", "inv_gamma2", "weibull")
"""Shapes on the positive numbers, which `shift` moves."""

TAIL = 0.005
"""Probability cut off at each end where a prior is given without a range."""

LEAST_MASS = 1e-9
"""Probability between the bounds of a prior at least: with less its draws would be rounding errors.
"""


REMEMBERED = 4096
"""Priors whose distribution is kept: scipy takes longer to make one than to evaluate it."""

SMALLEST = 1e-100
LARGEST = 1e100
"""Sizes of numbers whose squares and ratios can be computed."""


class Prior(BaseModel):
    """One parameter's prior: a shape with its mean and standard deviation, cut to [low, high].

    A uniform prior needs only its range. `shift` and `upper` move the support of beta (to [shift,
    upper]); `shift` moves that of gamma, inverse gamma and weibull. `inv_gamma` is the distribution
    of a standard deviation whose square is inverse gamma (Dynare's type 1; Zellner 1971, An
    Introduction to Bayesian Inference in Econometrics, appendix B); it and `inv_gamma2` may have an
    infinite sd.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prior: Shape = "uniform"
    mean: float | None = None
    sd: float | None = None
    low: float | None = None
    high: float | None = None
    shift: float = 0.0
    upper: float = 1.0

    @model_validator(mode="after")
    def _complete(self) -> Prior:
        for name in ("mean", "sd", "low", "high", "shift", "upper"):
            value = getattr(self, name)
            if name == "sd" and value == math.inf and self.prior in ("inv_gamma", "inv_gamma2"):
                continue
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{name} is {value}; expected a finite number")
            if value and not SMALLEST <= abs(value) <= LARGEST:
                raise ValueError(
                    f"{name} is {value:g}; expected 0 or a number of a size between {SMALLEST:g}"
                    f" and {LARGEST:g}"
                )
        if self.prior == "uniform":
            if self.low is None or self.high is None:
                raise ValueError("a uniform prior needs low and high")
        elif self.mean is None or self.sd is None or not self.sd > 0:
            raise ValueError(f"a {self.prior} prior needs a mean and a positive sd")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(f"low ({self.low:g}) must be below high ({self.high:g})")
        if self.prior in SHIFTED and not (self.mean is not None and self.mean > self.shift):
            raise ValueError(f"the mean of a {self.prior} prior must be above {self.shift:g}")
        self._check_range()
        return self

    def _check_range(self) -> None:
        """Raises `ValueError` where no distribution has these moments, or none of it lies between
        the bounds.
        """
        try:
            with np.errstate(all="ignore"):
                low, high = self.bounds()
                below, within = (float(p) for p in self.probability(np.array([low, high])))
                middle = float(self.quantile(np.array((below + within) / 2)))
        except (OverflowError, ZeroDivisionError):
            raise ValueError(
                f"a {self.prior} prior of mean {self.mean:g} and sd {self.sd:g} cannot be computed:"
                " its moments are too large, too small or too far apart"
            ) from None
        if not low < high or not math.isfinite(high - low):
            raise ValueError(f"the range {low:g} to {high:g} is empty or without end")
        if not within - below > LEAST_MASS:
            moments = "" if self.mean is None else f" of mean {self.mean:g} and sd {self.sd:g}"
            raise ValueError(
                f"a {self.prior} prior{moments} has no probability between {low:g} and {high:g}"
            )
        if not math.isfinite(middle):
            raise ValueError(
                f"a {self.prior} prior of mean {self.mean:g} and sd {self.sd:g} has no quantiles"
                f" between {low:g} and {high:g}"
            )

    def bounds(self) -> tuple[float, float]:
        """low and high; where one is not given, the quantile that leaves 0.5 % outside."""
        low = self.low if self.low is not None else float(self.quantile(np.array(TAIL)))
        high = self.high if self.high is not None else float(self.quantile(np.array(1 - TAIL)))
        return low, high

    def opened(self, tail: float) -> Self:
        """The same over all of its support but a probability `tail` at each end without a bound."""
        ends = {}
        if self.low is None:
            ends["low"] = float(self.quantile(np.array(tail)))
        if self.high is None:
            ends["high"] = float(self.quantile(np.array(1 - tail)))
        return self.model_copy(update=ends)

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n draws (n,) by the inverse of the distribution function between the bounds."""
        low, high = self.bounds()
        if self.prior == "uniform":
            return rng.uniform(low, high, n)
        ends = self.probability(np.array([low, high]))
        return np.clip(self.quantile(rng.uniform(float(ends[0]), float(ends[1]), n)), low, high)

    def probability(self, x: np.ndarray) -> np.ndarray:
        """Distribution function before truncation."""
        if self.prior in ("inv_gamma", "inv_gamma2"):
            s, nu = inverse_gamma(self)
            gap = np.maximum(np.asarray(x, dtype=np.float64) - self.shift, 0.0)
            square = gap**2 if self.prior == "inv_gamma" else gap
            with np.errstate(divide="ignore", over="ignore"):
                return special.gammaincc(nu / 2, s / (2 * square))
        return _distribution(self).cdf(x)

    def quantile(self, share: np.ndarray) -> np.ndarray:
        """Inverse of `probability`."""
        if self.prior in ("inv_gamma", "inv_gamma2"):
            s, nu = inverse_gamma(self)
            square = s / (2 * special.gammainccinv(nu / 2, share))
            return self.shift + (np.sqrt(square) if self.prior == "inv_gamma" else square)
        return _distribution(self).ppf(share)

    def log_density(self, x: np.ndarray, whole: bool = False) -> np.ndarray:
        """Logarithm of the density between the bounds, minus infinity outside; whole: of the shape
        before truncation, which integrates to one over its own support, as Dynare has it.
        """
        low, high = self.bounds()
        with np.errstate(all="ignore"):
            if self.prior == "uniform":
                density = np.full(np.shape(x), -np.log(high - low))
            elif self.prior in ("inv_gamma", "inv_gamma2"):
                density = self._log_inverse_gamma(x)
            else:
                density = np.asarray(_distribution(self).logpdf(x))
        if not whole and self.prior != "uniform":
            ends = self.probability(np.array([low, high]))
            density = density - np.log(ends[1] - ends[0])
        return np.where((x >= low) & (x <= high), density, -np.inf)

    def _log_inverse_gamma(self, x: np.ndarray) -> np.ndarray:
        """Zellner (1971), appendix B: of a standard deviation (type 1), or of a variance."""
        s, nu = inverse_gamma(self)
        square = self.prior == "inv_gamma"
        x = x - self.shift
        variance = x**2 if square else x
        constant = 0.5 * nu * np.log(s / 2) - special.gammaln(nu / 2) + (np.log(2) if square else 0)
        power = (nu + 1) if square else (nu / 2 + 1)
        return constant - power * np.log(x) - s / (2 * variance)

    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation, which every prior but the uniform has."""
        assert self.mean is not None
        assert self.sd is not None
        return self.mean, self.sd


@lru_cache(REMEMBERED)
def _distribution(prior: Prior) -> Any:
    """scipy's frozen distribution before truncation; of all shapes but inverse gammas."""
    if prior.prior == "uniform":
        low, high = prior.bounds()
        return stats.uniform(low, high - low)
    mean, sd = prior.moments()
    if prior.prior == "normal":
        return stats.norm(mean, sd)
    if prior.prior == "gamma":
        return stats.gamma(
            ((mean - prior.shift) / sd) ** 2, loc=prior.shift, scale=sd**2 / (mean - prior.shift)
        )
    if prior.prior == "weibull":
        return _weibull(mean - prior.shift, sd, prior.shift)
    width = prior.upper - prior.shift
    share = (mean - prior.shift) / width
    size = share * (1 - share) / (sd / width) ** 2 - 1
    if not size > 0:
        raise ValueError(f"no beta distribution has mean {mean:g} and standard deviation {sd:g}")
    return stats.beta(share * size, (1 - share) * size, loc=prior.shift, scale=width)


@lru_cache(REMEMBERED)
def inverse_gamma(prior: Prior) -> tuple[float, float]:
    """s and nu of the inverse gamma distribution of the square (type 1) or of the parameter
    itself (type 2).
    """
    mean, sd = prior.moments()
    mean = mean - prior.shift
    if math.isinf(sd):
        return (2 * mean, 4.0) if prior.prior == "inv_gamma2" else (2 * mean**2 / math.pi, 2.0)
    variance = sd**2
    if prior.prior == "inv_gamma2":
        nu = 2 * (2 + mean**2 / variance)
        return mean * (nu - 2), nu

    def excess(log_gap: float) -> float:
        """The mean at nu = 2 + exp(log_gap) over the mean wanted, in logarithms."""
        nu = 2 + math.exp(log_gap)
        return (
            0.5 * (log_gap + math.log((variance + mean**2) / 2))
            + math.lgamma((nu - 1) / 2)
            - math.lgamma(nu / 2)
            - math.log(mean)
        )

    if not excess(-40.0) < 0.0 < excess(30.0):
        raise ValueError(
            f"an inv_gamma prior of mean {mean:g} and sd {sd:g} cannot be computed: its moments"
            " are too far apart"
        )
    nu = 2 + math.exp(optimize.brentq(excess, -40.0, 30.0, xtol=1e-14))
    return (nu - 2) * (variance + mean**2), nu


def _weibull(mean: float, sd: float, shift: float):  # type: ignore[no-untyped-def]  # see `_distribution`
    """The Weibull distribution above `shift` with this mean over it and standard deviation."""

    def excess(log_power: float) -> float:
        power = math.exp(log_power)
        ratio = math.lgamma(1 + 2 / power) - 2 * math.lgamma(1 + 1 / power)
        return ratio - math.log1p((sd / mean) ** 2)

    if not excess(-4.0) > 0.0 > excess(9.0):
        raise ValueError(
            f"a weibull prior of mean {mean:g} and sd {sd:g} cannot be computed: its moments are"
            " too far apart"
        )
    power = math.exp(optimize.brentq(excess, -4.0, 9.0, xtol=1e-14))
    return stats.weibull_min(power, loc=shift, scale=mean / math.gamma(1 + 1 / power))
