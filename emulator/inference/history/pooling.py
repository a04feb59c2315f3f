"""A forecast over several worlds, weighted by their probabilities."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from emulator.errors import ParameterError
from emulator.inference.history.mixture import quantiles


def pooled(forecasts: Mapping[str, xr.Dataset], probabilities: Mapping[str, float]) -> xr.Dataset:
    """The mixture of forecasts of the same periods by world: of the series that all of them have,
    `mean` and `std` of all draws of all worlds, `weight` (draw) and `quantile` (probability,
    period, target). The coordinate `world` (draw) says whose draw it is.

    probabilities: by world, of which only the relative sizes count. Raises `ParameterError` for
    forecasts of different periods or without a series in common, and for probabilities that are
    none.
    """
    names = list(forecasts)
    first = forecasts[names[0]]
    for name in names[1:]:
        same = ("period", "probability")
        if any(not np.array_equal(forecasts[name][a].values, first[a].values) for a in same):
            raise ParameterError(
                f"The forecasts of '{names[0]}' and '{name}' are of different periods or quantiles;"
                " ask both for the same data and horizon."
            )
    targets = [
        str(target)
        for target in first["target"].values
        if all(target in forecasts[name]["target"].values for name in names)
    ]
    if not targets:
        raise ParameterError(
            f"The worlds {', '.join(names)} observe no series in common. Say what each observes:"
            " observe={'rate': 'rate + mean'}."
        )
    weights = np.array([float(probabilities.get(name, 0.0)) for name in names])
    if not (weights >= 0).all() or not weights.sum() > 0:
        raise ParameterError(
            f"The probabilities of the worlds are {dict(probabilities)}; expected a number, zero or"
            " more, for each, not all of them zero."
        )
    parts = [
        forecasts[name][["mean", "std", "weight"]]
        .sel(target=targets)
        .assign_coords(world=("draw", [name] * forecasts[name].sizes["draw"]))
        .assign(weight=forecasts[name]["weight"] * weight)
        .drop_vars("draw")
        for name, weight in zip(names, weights / weights.sum(), strict=True)
    ]
    whole = xr.concat(parts, dim="draw", coords="minimal", compat="override", join="exact")
    good = np.isfinite(whole["mean"].values).all(axis=(1, 2))
    share = np.where(good, whole["weight"].values, 0.0)
    bands = quantiles(
        whole["mean"].values[good],
        whole["std"].values[good],
        share[good] / share.sum(),
        first["probability"].values,
    )
    whole["quantile"] = (("probability", "period", "target"), bands)
    whole["data"] = first["data"].sel(target=targets)
    shares = ", ".join(
        f"{name} {weight:.2g}" for name, weight in zip(names, weights / weights.sum(), strict=True)
    )
    return whole.assign_coords(probability=first["probability"]).assign_attrs(
        {**first.attrs, "world": "+".join(names), "title": f"Mixture of worlds: {shares}"}
    )
