"""Which parameters move a response: Sobol's indices of first and total order over the ranges of the
prior.

Sobol' (2001), doi:10.1016/S0378-4754(00)00270-6; estimators of Saltelli et al. (2010), Table 2 (b)
and (f), doi:10.1016/j.cpc.2009.09.018, on SciPy's sampling scheme. Parameters are drawn
independently and uniformly. Axes: n draw, P parameter, S shock, H horizon, F free parameter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from scipy.stats import sobol_indices, uniform

from emulator.errors import DoubtWarning, NoSolutionError, ParameterError, warn
from emulator.inference.answerer import Answerer
from emulator.inference.draws import generator, last_period
from emulator.inference.shock_size import Scaling
from emulator.spec import WorldSpec

BLOCKS = 16
"""Parts of the sequence, each of which gives indices of its own; their spread gives standard
errors.
"""

STILL = 1e-12
"""A response whose variance is below this share of its mean square does not move: its indices are
NaN.
"""

DOUBTED = 1 / 3
"""Share of flagged draws from which indices of sensitivity come with a warning."""

Ranges = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class SensitivityDesign:
    """Of which responses the variance is taken apart, and over which parameters."""

    spec: WorldSpec
    scaling: Scaling
    horizons: tuple[int, ...]
    base: np.ndarray
    free: tuple[int, ...]
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(
        cls,
        spec: WorldSpec,
        scaling: Scaling,
        horizons: Sequence[int],
        ranges: Ranges | None,
        fixed: Mapping[str, float],
    ) -> SensitivityDesign:
        """fixed: parameters that are held at these values; ranges: of others, in place of the
        prior's.

        Raises `UnknownNameError`, and `ParameterError` for ranges that are empty or missing and
        where nothing is left to vary.
        """
        low, high = spec.low.copy(), spec.high.copy()
        for name, given in (ranges or {}).items():
            try:
                lowest, highest = map(float, given)
            except (TypeError, ValueError):
                lowest = highest = math.nan
            if not (math.isfinite(lowest) and math.isfinite(highest) and lowest < highest):
                raise ParameterError(
                    f"The range of '{name}' is {given!r}; expected two numbers, the smaller first."
                )
            low[spec.index(name)], high[spec.index(name)] = lowest, highest
        both = [name for name in fixed if name in (ranges or {})]
        if both:
            raise ParameterError(
                f"Parameter '{both[0]}' is held at a value and given a range; expected one of the"
                " two."
            )
        held = {spec.index(name) for name in fixed}
        free = tuple(k for k in range(spec.n_parameters) if k not in held)
        wanted = np.atleast_1d(np.asarray(horizons)).tolist()
        periods = tuple(last_period(horizon, spec.periods) for horizon in wanted)
        if not free or not periods:
            raise ParameterError(
                "Sensitivity needs a parameter that varies and horizons of 0 or more; found"
                f" {len(free)} such parameters and horizons {periods}."
            )
        endless = [
            spec.parameter_names[k] for k in free if not np.isfinite([low[k], high[k]]).all()
        ]
        if endless:
            raise ParameterError(
                f"World '{spec.name}' says no range of {', '.join(endless)}. Give one to those that"
                f" are to vary, ranges={{'{endless[0]}': (low, high)}}, and hold the others at"
                f" values: {endless[-1]}={spec.theta()[0, spec.index(endless[-1])]:g}."
            )
        return cls(
            spec, scaling, periods, spec.theta(fixed), free, low[list(free)], high[list(free)]
        )

    def theta(self, values_nF: np.ndarray) -> np.ndarray:
        """Parameter vectors (n, P): the free ones as given, the others held."""
        theta = np.repeat(self.base, len(values_nF), axis=0)
        theta[:, list(self.free)] = values_nF
        return theta


def sobol(
    design: SensitivityDesign, respond: Callable[[np.ndarray], np.ndarray], n: int, seed: int = 0
) -> xr.Dataset:
    """First- and total-order indices, (parameter, shock, horizon, observable), from n (F + 2)
    draws, with standard errors.

    respond: responses (m, S, H, O) of the question's shocks and horizons at theta (m, P), NaN where
    there is no solution. A response that does not move has NaN. Raises `ParameterError` unless n is
    a power of two of at least `BLOCKS`, `NoSolutionError` where draws of the ranges have no
    solution.
    """
    if not isinstance(n, int | np.integer) or n < BLOCKS or n & (n - 1):
        raise ParameterError(
            f"Sobol's sequence needs a power of two of draws, {BLOCKS} or more, such as 1024 or"
            f" 4096; found n = {n!r}."
        )
    moves: list[np.ndarray] = []
    errors: list[np.ndarray] = []

    def outputs(x_Fn: np.ndarray) -> np.ndarray:
        irf = respond(design.theta(x_Fn.T))
        _refuse(design, ~np.isfinite(irf).all(axis=(1, 2, 3)))
        flat = irf.reshape(len(irf), -1).T
        moves.append(flat.var(axis=1) > STILL * np.square(flat).mean(axis=1))
        return flat

    def estimate(f_A: np.ndarray, f_B: np.ndarray, f_AB: np.ndarray) -> tuple[Any, Any]:
        blocks = _estimate(f_A, f_B, f_AB, BLOCKS)
        errors.append(blocks.std(axis=-1, ddof=1) / BLOCKS**0.5)
        first, total = blocks.mean(axis=-1)
        return first, total

    dists = [uniform(low, high - low) for low, high in zip(design.low, design.high, strict=True)]
    indices = sobol_indices(func=outputs, n=n, dists=dists, method=estimate, rng=generator(seed))
    first, total = errors[0]
    return _named(
        design,
        {
            "first_order": indices.first_order,
            "total_order": indices.total_order,
            "first_order_error": first,
            "total_order_error": total,
        },
        moves[0],
    )


def shares_doubted(answerer: Answerer, design: SensitivityDesign, seed: int) -> dict[str, float]:
    """Shares of a design's draws without a solution and flagged, as a network says; see
    `Economy.sensitivity`.
    """
    if answerer.exact:
        return {}
    shape = (4096, len(design.free))
    values = generator(seed).uniform(design.low, design.high, shape)
    signs = answerer.signs(design.theta(values), design.scaling)
    if "flagged" not in signs:
        return {}
    unsolvable = float(1 - signs["determinate"].mean())
    flagged = float(signs["flagged"].mean())
    name = design.spec.name
    if unsolvable > 0.5:
        raise NoSolutionError(
            f"World '{name}': the network takes {unsolvable:.0%} of the draws of these ranges"
            " for unsolvable. Narrow them, ranges={'name': (low, high)}, or hold parameters at"
            " values."
        )
    if flagged > DOUBTED:
        warn(
            f"{name}: the network doubts its answers at {flagged:.0%} of the draws of these"
            " ranges, and with them these indices. Narrow the ranges, or ask the solver:"
            f" emulator.world('{name}').sensitivity.",
            DoubtWarning,
        )
    return {"without_solution": unsolvable, "flagged": flagged}


def _estimate(f_A: np.ndarray, f_B: np.ndarray, f_AB: np.ndarray, blocks: int) -> np.ndarray:
    """Indices of both orders (2, s, F, blocks) from each block of points; f_A, f_B (s, n), f_AB (F,
    s, n), their mean taken away.
    """
    variance = np.concatenate([f_A, f_B], axis=1).var(axis=1)
    first, total = f_B * (f_AB - f_A), 0.5 * np.square(f_A - f_AB)
    means = np.stack(
        [part.reshape(*part.shape[:2], blocks, -1).mean(axis=-1) for part in (first, total)]
    )
    return np.moveaxis(means, 1, 2) / variance[:, None, None]


def _refuse(design: SensitivityDesign, failed: np.ndarray) -> None:
    if failed.any():
        raise NoSolutionError(
            f"World '{design.spec.name}': {failed.sum():,} of {len(failed):,} draws of these"
            " ranges have no unique stable solution, and indices need every one. Narrow the"
            " ranges, ranges={'name': (low, high)}, or hold parameters at values."
        )


def _named(
    design: SensitivityDesign, fields: Mapping[str, np.ndarray], moves: np.ndarray
) -> xr.Dataset:
    spec, scaling = design.spec, design.scaling
    shape = (len(scaling.shocks), len(design.horizons), spec.n_observables, len(design.free))
    coordinates: dict[str, Any] = {
        "parameter": [spec.parameter_names[k] for k in design.free],
        "shock": [spec.shock_names[k] for k in scaling.shocks],
        "horizon": ("horizon", list(design.horizons), {"units": f"{spec.periods} after impact"}),
        "observable": list(spec.observable_names),
    }
    named = {
        name: (
            tuple(coordinates),
            np.moveaxis(
                np.where(moves[:, None], values.reshape(len(moves), -1), np.nan).reshape(shape),
                -1,
                0,
            ),
        )
        for name, values in fields.items()
    }
    return xr.Dataset(
        named, coordinates, {"world": spec.name, "units": "share of the response's variance"}
    )
