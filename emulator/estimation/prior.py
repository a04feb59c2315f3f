"""The prior over the free parameters of a world, in three coordinates.

    theta    the parameter's own unit, within its range
    u        its place in the prior's distribution, 0 to 1: uniform, whatever the prior's shape
    z        log(u / (1 - u)), all of the real line, in which samplers move

By default each parameter has the world's prior: for `.mod` worlds the shapes of their mapping,
otherwise uniform over the range of the spec. Networks were trained on draws of it, or of wider ones
(`drawn` in a mapping). What has no unique stable solution has no prior mass either: responders say
so (`Responder.log_solvable`). Axes: n draw, P parameter, F free parameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from pydantic import ValidationError
from scipy.interpolate import CubicHermiteSpline, PchipInterpolator
from scipy.special import expit, log_expit, logit

from emulator.errors import ParameterError, first_error
from emulator.spec import WorldSpec
from emulator.worlds.priors import Prior as MarginalPrior

Ranges = Mapping[str, tuple[float, float]]

EDGE = 1e-9
"""How near to an end a parameter may come in u, so that z stays finite."""

NODES = 4001
"""Points at which the quantiles of a prior that is not uniform are computed; a cubic spline over z
joins them, monotone.
"""


@dataclass(frozen=True)
class JointPrior:
    """Free parameters by position, each with its own prior in `shapes`; the others have their
    values in base (P,).
    """

    spec: WorldSpec
    free: tuple[int, ...]
    base: np.ndarray
    shapes: tuple[MarginalPrior, ...]
    splines: tuple[CubicHermiteSpline | None, ...]

    @classmethod
    def of(
        cls,
        spec: WorldSpec,
        fixed: Mapping[str, float] | None = None,
        ranges: Ranges | None = None,
        shapes: Mapping[str, MarginalPrior] | None = None,
    ) -> JointPrior:
        """fixed: parameters held at values; ranges: narrower ones, name -> (low, high); shapes: of
        priors, uniform for the parameters that it does not name.

        Raises `UnknownNameError`, `ParameterError`.
        """
        base = spec.theta(fixed)[0]
        for name in {**(ranges or {}), **(shapes or {})}:
            spec.index(name)
        both = sorted(set(fixed or {}) & set(ranges or {}))
        if both:
            raise ParameterError(
                f"Parameter '{both[0]}' is held at a value and given a range; expected one of the"
                " two."
            )
        marginals = {}
        for k, p in enumerate(spec.parameters):
            if p.name in (fixed or {}):
                if not p.low <= base[k] <= p.high:
                    raise ParameterError(
                        f"Parameter '{p.name}' was fixed at {base[k]:g}; expected a value within"
                        f" its range, {p.low:g} to {p.high:g}."
                    )
                continue
            low, high = (ranges or {}).get(p.name, (p.low, p.high))
            if not p.low <= low < high <= p.high:
                raise ParameterError(
                    f"The range of '{p.name}' was given as {low:g} to {high:g}; expected one within"
                    f" {p.low:g} to {p.high:g}, the smaller end first."
                )
            marginals[k] = _cut((shapes or {}).get(p.name), low, high, p.name)
        prior = cls(
            spec,
            tuple(marginals),
            base,
            tuple(marginals.values()),
            tuple(_spline(shape) for shape in marginals.values()),
        )
        return prior.only(np.ones(len(marginals), dtype=bool))

    def only(self, chosen: np.ndarray) -> JointPrior:
        """The prior with some of its parameters (F,) free, the others held at their defaults.

        Raises `ParameterError` where none is left.
        """
        rows = np.flatnonzero(chosen)
        if len(rows) == 0:
            raise ParameterError(
                f"No parameter of '{self.spec.name}' is left to estimate: every one is fixed, or"
                " moves none of the matched responses."
            )
        return replace(
            self,
            free=tuple(self.free[k] for k in rows),
            shapes=tuple(self.shapes[k] for k in rows),
            splines=tuple(self.splines[k] for k in rows),
        )

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.spec.parameter_names[k] for k in self.free)

    @property
    def low(self) -> np.ndarray:
        """(F,)"""
        return np.array([shape.bounds()[0] for shape in self.shapes])

    @property
    def high(self) -> np.ndarray:
        """(F,)"""
        return np.array([shape.bounds()[1] for shape in self.shapes])

    @property
    def informative(self) -> np.ndarray:
        """Which parameters (F,) have a prior that is not uniform."""
        return np.array([spline is not None for spline in self.splines])

    @property
    def sd(self) -> np.ndarray:
        """Standard deviation (F,) of each parameter, in its own unit."""
        places = (np.arange(NODES) + 0.5) / NODES
        return self.values(np.repeat(places[:, None], len(self.free), axis=1)).std(axis=0)

    def values(self, u: np.ndarray) -> np.ndarray:
        """Free parameters (n, F) at places u (n, F)."""
        low = self.low
        high = self.high
        values = low + (high - low) * u
        z = self.z(u)
        for k, spline in enumerate(self.splines):
            if spline is not None:
                values[:, k] = spline(z[:, k])
        return np.clip(values, low, high)

    def slopes(self, u: np.ndarray) -> np.ndarray:
        """Derivatives (n, F) of the parameters by u."""
        slopes = np.broadcast_to(self.high - self.low, u.shape).copy()
        z = self.z(u)
        for k, spline in enumerate(self.splines):
            if spline is not None:
                slopes[:, k] = spline(z[:, k], 1) / (expit(z[:, k]) * expit(-z[:, k]))
        return slopes

    def theta(self, u: np.ndarray) -> np.ndarray:
        """Whole parameter vectors (n, P) at places u (n, F)."""
        theta = np.repeat(self.base[None], len(u), axis=0)
        theta[:, list(self.free)] = self.values(u)
        return theta

    def places(self, values: np.ndarray) -> np.ndarray:
        """Places u (n, F) of free parameters (n, F): the inverse of `values`."""
        u = np.empty_like(values)
        for k, shape in enumerate(self.shapes):
            ends = shape.probability(np.array(shape.bounds()))
            u[:, k] = (shape.probability(values[:, k]) - ends[0]) / (ends[1] - ends[0])
        return u

    def z(self, u: np.ndarray) -> np.ndarray:
        return logit(np.clip(u, EDGE, 1 - EDGE))

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n draws of u (n, F), before it is known which have a solution."""
        return rng.uniform(size=(n, len(self.free)))

    def log_density(self, values: np.ndarray) -> np.ndarray:
        """Logarithm of the density (n,) by the parameters themselves, at values (n, F)."""
        return sum(
            (shape.log_density(values[:, k]) for k, shape in enumerate(self.shapes)),
            np.zeros(len(values)),
        )

    def log_density_z(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Logarithm of the density by z (n,), and its derivatives (n, F)."""
        return (log_expit(z) + log_expit(-z)).sum(axis=-1), 1 - 2 * expit(z)


def _cut(shape: MarginalPrior | None, low: float, high: float, name: str) -> MarginalPrior:
    """A shape cut to a range; uniform where there is none.

    A range of its own that the shape has is cut further, not left.
    """
    if shape is None:
        return MarginalPrior(low=low, high=high)
    ends = shape.bounds()
    try:
        return MarginalPrior(
            **shape.model_dump(include=set(MarginalPrior.model_fields))
            | {
                "low": max(low, ends[0]),
                "high": min(high, ends[1]),
            }
        )
    except ValidationError as error:
        raise ParameterError(
            f"The prior of '{name}' cannot be cut to {low:g} to {high:g}: {first_error(error)}."
        ) from None


def _spline(shape: MarginalPrior) -> CubicHermiteSpline | None:
    """theta over z, from the quantiles between the bounds; None for a uniform prior, which needs
    none.
    """
    if shape.prior == "uniform":
        return None
    low, high = shape.bounds()
    ends = shape.probability(np.array([low, high]))
    z = np.linspace(logit(EDGE), logit(1 - EDGE), NODES)
    return PchipInterpolator(
        z, np.clip(shape.quantile(ends[0] + expit(z) * (ends[1] - ends[0])), low, high)
    )
