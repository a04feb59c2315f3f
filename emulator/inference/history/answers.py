"""History and forecast as answers: xarray Datasets with named axes.

`target` names the series of the data, then the observables that were asked for; `unit` and `kind`
("series", "observable") say which. Series are in the units of the data, observables in their own,
around their steady state where they have one. Shocks are in standard deviations.

smooth          shock (draw, period, shock); target_path (draw, period, target), without errors of
                measurement; data (period, target), NaN where there are none; state (draw, period,
                state) where it was asked for
decompose       contribution (draw, part, period, target): the parts are the shocks, `initial` (what
                was before the data), `level` and `measurement`; they sum up to the data, where a
                value is missing to the path of its series
forecast        mean, std (draw, period, target), quantile (probability, period, target) over draws;
                shock (draw, period, shock) that meets the conditions; data (past, target)
counterfactual  path (draw, period, target) and data (period, target)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from emulator.inference.history.conditions import Conditions, Forecasts
from emulator.inference.history.mixture import quantiles
from emulator.inference.history.past import Past
from emulator.inference.labels import Labels

if TYPE_CHECKING:
    import xarray as xr

BEYOND_SHOCKS = ("initial", "level", "measurement")
"""Parts of a decomposition that are no shocks."""


def target_names(past: Past, observed: np.ndarray) -> list[str]:
    """Series, then observables; an observable that is called as a series is `NAME (observable)`."""
    series = list(past.likelihood.data.names)
    names = [past.likelihood.answerer.spec.observable_names[k] for k in observed]
    return series + [f"{name} (observable)" if name in series else name for name in names]


def smoothed(
    past: Past,
    labels: Labels,
    observed: np.ndarray,
    paths: np.ndarray,
    states: np.ndarray | None,
) -> xr.Dataset:
    """paths (n, T, X) of the targets; states (n, T, D)."""
    variables: dict[str, Any] = {
        "shock_path": (("draw", "period", "shock"), past.shocks, {"units": "standard deviations"}),
        "target_path": (("draw", "period", "target"), paths),
        "data": (("period", "target"), _data(past, observed)),
    }
    coordinates = _coordinates(past, labels, observed)
    if states is not None:
        variables["state_path"] = (("draw", "period", "state"), states)
        coordinates["state"] = list(labels.spec.states)
    return _dataset(past, labels, variables, coordinates)


def decomposition(past: Past, labels: Labels, observed: np.ndarray) -> xr.Dataset:
    data = past.likelihood.data
    parts = past.parts()
    level = past.level(0, len(data))
    values = _data(past, observed)
    left = values - (parts.sum(axis=1) + level)
    left = np.where(np.isfinite(values), left, 0.0)
    whole = np.concatenate([parts, level[:, None], left[:, None]], axis=1)
    names = [*labels.spec.shock_names, *BEYOND_SHOCKS]
    variables = {
        "contribution": (("draw", "part", "period", "target"), whole),
        "data": (("period", "target"), values),
    }
    coordinates = _coordinates(past, labels, observed) | {"part": names}
    del coordinates["shock"]
    return _dataset(past, labels, variables, coordinates)


def forecast(
    *,
    past: Past,
    labels: Labels,
    observed: np.ndarray,
    forecasts: Forecasts,
    conditions: Conditions | None,
    weights: np.ndarray,
    probabilities: np.ndarray,
) -> xr.Dataset:
    data = past.likelihood.data
    good = np.isfinite(forecasts.mean).all(axis=(1, 2))
    share = np.where(good, weights, 0.0)
    share = share / share.sum() if share.any() else np.full(len(good), np.nan)
    bands = np.full((len(probabilities), *forecasts.mean.shape[1:]), np.nan)
    if good.any():
        bands = quantiles(forecasts.mean[good], forecasts.std[good], share[good], probabilities)
    dims = ("draw", "period", "target")
    variables: dict[str, Any] = {
        "mean": (dims, forecasts.mean),
        "std": (dims, forecasts.std),
        "quantile": (("probability", "period", "target"), bands),
        "weight": ("draw", share),
        "data": (("past", "target"), _data(past, observed)),
    }
    coordinates = _coordinates(past, labels, observed)
    coordinates["past"] = data.labels
    coordinates["period"] = data.labels_after(forecasts.mean.shape[1])
    coordinates["probability"] = probabilities
    if conditions is None:
        del coordinates["shock"]
    else:
        assert forecasts.shocks is not None
        path = forecasts.shocks.transpose(0, 2, 1)
        variables["shock_path"] = (
            ("draw", "period", "shock"),
            path,
            {"units": "standard deviations"},
        )
    answer = _dataset(past, labels, variables, coordinates)
    return (
        answer
        if conditions is None
        else answer.assign_attrs(conditions=_in_words(past, conditions))
    )


def counterfactual(
    past: Past,
    labels: Labels,
    observed: np.ndarray,
    paths: np.ndarray,
    under: Mapping[str, Any],
    kept: Sequence[int],
) -> xr.Dataset:
    """paths (n, T, X) of the targets."""
    variables = {
        "path": (("draw", "period", "target"), paths),
        "data": (("period", "target"), _data(past, observed)),
    }
    coordinates = _coordinates(past, labels, observed)
    del coordinates["shock"]
    names = labels.spec.shock_names
    said = [f"{name} = {float(value):g}" for name, value in under.items()]
    if len(kept) < len(names):
        said.append(f"the shocks {', '.join(names[k] for k in kept)} alone")
    return _dataset(past, labels, variables, coordinates).assign_attrs(under=", ".join(said))


def _in_words(past: Past, conditions: Conditions) -> str:
    names = past.likelihood.answerer.spec.shock_names
    if conditions.shocks is None and not conditions.announced:
        return "met by the most likely shocks"
    chosen = names if conditions.shocks is None else [names[k] for k in conditions.shocks]
    when = "announced in the first period" if conditions.announced else "each a surprise"
    return f"met by {', '.join(chosen)}, {when}"


def _data(past: Past, observed: np.ndarray) -> np.ndarray:
    """The data (T, X), with NaN for observables."""
    values = past.likelihood.data.values
    return np.pad(values, ((0, 0), (0, len(observed))), constant_values=np.nan)


def _coordinates(past: Past, labels: Labels, observed: np.ndarray) -> dict[str, Any]:
    spec, data = labels.spec, past.likelihood.data
    kinds = ["series"] * len(data.names) + ["observable"] * len(observed)
    units = [*data.units, *(spec.observables[k].unit for k in observed)]
    return {
        "draw": labels.draws,
        "period": data.labels,
        "shock": list(spec.shock_names),
        "target": target_names(past, observed),
        "kind": ("target", kinds),
        "unit": ("target", units),
    }


def _dataset(
    past: Past, labels: Labels, variables: Mapping[str, Any], coordinates: Mapping[str, Any]
) -> xr.Dataset:
    import xarray as xr

    likelihood = past.likelihood
    units = ", ".join(f"{p.name}: {p.unit}" for p in labels.spec.parameters)
    theta = {"theta": (("draw", "parameter"), past.theta, {"units": units})}
    attributes = {
        **labels.attributes,
        "data": f"{likelihood.data.name} ({likelihood.data.source})",
        "sample": likelihood.data.sample,
        "method": past.method,
        "start": likelihood.start,
    }
    names = {"parameter": list(labels.spec.parameter_names)}
    return xr.Dataset({**variables, **theta}, {**coordinates, **names}, attributes)
