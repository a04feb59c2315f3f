"""Moments and variance decompositions with names and units, as xarray Datasets.

Of moments:
mean                 (draw, observable) what a variable moves around: the steady state of a .mod
                     file's variable (its logarithm under `loglinear`)
std, variance        (draw, observable) infinite where a variable is not stationary
correlation          (draw, observable, other)
autocorrelation      (draw, lag, observable)
cross_correlation    (draw, lag, observable, other) of an observable today with the other one so
                     many periods ago; where it is asked for
Of a decomposition:
share                (draw, ahead, observable, shock) percent of the variance of forecast errors so
                     many periods ahead, 1 being the next period; infinite: of the variance itself
variance             (draw, ahead, observable)
Of both:
stationary, constant (draw, observable)
cut                  (draw, observable) where a moving average was cut: the share of the variance in
                     the last tenth of its horizons
theta                (draw, parameter)
NAME_by              derivatives of a moment by parameters, with a last axis `by`

Axes of arrays: n draw, S shock, O observable, K horizon of a forecast error, L lag.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from emulator.inference.labels import Labels

AXES = {
    "mean": ("draw", "observable"),
    "std": ("draw", "observable"),
    "variance": ("draw", "observable"),
    "correlation": ("draw", "observable", "other"),
    "autocorrelation": ("draw", "lag", "observable"),
    "cross_correlation": ("draw", "lag", "observable", "other"),
    "stationary": ("draw", "observable"),
    "constant": ("draw", "observable"),
    "cut": ("draw", "observable"),
}

MOST_NAMED = 12
"""Variables that an attribute lists one by one."""


class Derivatives(NamedTuple):
    """Derivatives of moments, by the moment's name, with a last axis of `parameters`."""

    parameters: Sequence[str]
    values: Mapping[str, np.ndarray]


def moments_dataset(
    labels: Labels,
    arrays: Mapping[str, np.ndarray],
    said: Mapping[str, str],
    derivatives: Derivatives | None,
) -> xr.Dataset:
    """The arrays of `arrays.second_moments`, with `mean` (n, O) and `theta` (n, P)."""
    variance = np.einsum("noo->no", arrays["covariance"]).copy()
    moving = arrays["solved"][:, None] & ~arrays["stationary"]
    variance[moving] = np.inf
    values = {**arrays, "variance": variance, "std": np.sqrt(variance)}
    variables: dict[str, Any] = {
        name: (axes, values[name]) for name, axes in AXES.items() if name in values
    }
    variables["theta"] = (("draw", "parameter"), arrays["theta"])
    names = list(labels.spec.observable_names)
    coordinates = _coordinates(labels) | {
        "other": names,
        "lag": ("lag", np.arange(arrays["autocorrelation"].shape[1]) + 1, _periods(labels)),
    }
    if derivatives is not None:
        coordinates["by"] = list(derivatives.parameters)
        for name, slopes in derivatives.values.items():
            defined = np.isfinite(values[name])[..., None]
            slopes = np.where(defined, slopes, np.nan)
            variables[f"{name}_by"] = ((*AXES[name], "by"), slopes)
    return xr.Dataset(variables, coordinates, _attributes(labels, arrays, said))


def decomposition_dataset(
    labels: Labels,
    arrays: Mapping[str, np.ndarray],
    horizons: Sequence[float],
    said: Mapping[str, str],
) -> xr.Dataset:
    """The arrays of `arrays.decomposition` as shares in percent, with `theta` (n, P)."""
    by_shock = np.moveaxis(arrays["variance"], 2, 3)
    by_shock = np.where(arrays["constant"][:, None, :, None], 0.0, by_shock)
    total = by_shock.sum(axis=3)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = 100 * by_shock / total[..., None]
    endless = np.array([math.isinf(horizon) for horizon in horizons])
    moving = arrays["solved"][:, None] & ~arrays["stationary"]
    total = np.where(endless[None, :, None] & moving[:, None], np.inf, total)
    variables: dict[str, Any] = {
        "share": (("draw", "ahead", "observable", "shock"), share, {"units": "percent"}),
        "variance": (("draw", "ahead", "observable"), total),
        "stationary": (AXES["stationary"], arrays["stationary"]),
        "constant": (AXES["constant"], arrays["constant"]),
        "theta": (("draw", "parameter"), arrays["theta"]),
    }
    if "cut" in arrays:
        variables["cut"] = (AXES["cut"], arrays["cut"])
    coordinates = _coordinates(labels) | {
        "ahead": ("ahead", np.array(horizons, dtype=float), _periods(labels)),
        "shock": list(labels.shocks),
    }
    return xr.Dataset(variables, coordinates, _attributes(labels, arrays, said))


def _periods(labels: Labels) -> dict[str, str]:
    return {"units": labels.spec.periods}


def _coordinates(labels: Labels) -> dict[str, Any]:
    spec = labels.spec
    return {
        "draw": labels.draws,
        "observable": list(spec.observable_names),
        "unit": ("observable", list(spec.observable_units)),
        "parameter": list(spec.parameter_names),
    }


def _attributes(
    labels: Labels, arrays: Mapping[str, np.ndarray], said: Mapping[str, str]
) -> dict[str, str]:
    """What is said of an answer, with the variables that are not stationary or do not move."""
    attributes = {**labels.attributes, **said}
    solved = arrays["solved"]
    for attribute, where in (
        ("non_stationary", ~arrays["stationary"]),
        ("constant", arrays["constant"]),
    ):
        names = _named(labels, where[solved])
        if names:
            attributes[attribute] = names
    if "cut" in arrays and solved.any():
        attributes["cut"] = (
            "the last tenth of the horizons accounts for up to"
            f" {100 * arrays['cut'][solved].max():.2g} percent of a variance; what lies beyond"
            " them is left out"
        )
    return attributes


def _named(labels: Labels, where: np.ndarray) -> str:
    """The observables of which something holds (n, O), each with the number of draws."""
    counts = where.sum(axis=0)
    n = len(where)
    names = [
        name if count == n else f"{name} ({count:,} of {n:,} draws)"
        for name, count in zip(labels.spec.observable_names, counts, strict=True)
        if count
    ]
    if len(names) > MOST_NAMED:
        return ", ".join(names[:MOST_NAMED]) + f" and {len(names) - MOST_NAMED} more"
    return ", ".join(names)
