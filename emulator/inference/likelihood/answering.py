"""The likelihood as an answer: an xarray Dataset with named axes.

log_likelihood         (draw) of the data, given the draw; minus infinity where there is no unique
                       stable solution, or no density
log_prior              (draw) density of the draw under the world's prior
log_posterior          (draw) their sum, not normalised
period_log_likelihood  (draw, period) of each period given those before, the presample's included
gradient               (draw, parameter) of log_likelihood, per unit of the parameter
theta                  (draw, parameter)

The series are a coordinate, with their equation, unit, transformation and error of measurement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from emulator.inference.labels import Labels
from emulator.inference.likelihood.expressions import Equation
from emulator.inference.likelihood.likelihood import CUT, Likelihood, Values

if TYPE_CHECKING:
    import xarray as xr


def answer(
    likelihood: Likelihood, labels: Labels, theta: np.ndarray, gradient: bool, by_period: bool
) -> xr.Dataset:
    """Evaluate at draws (n, P), and name everything. Raises as `Likelihood.values` does."""
    import xarray as xr

    values = likelihood.values(theta, gradient)
    spec, data, observation = labels.spec, likelihood.data, likelihood.observation
    variables: dict[str, Any] = {"log_likelihood": ("draw", values.total)}
    if likelihood.priors:
        prior = likelihood.log_prior(theta)
        variables["log_prior"] = ("draw", prior)
        variables["log_posterior"] = ("draw", values.total + prior)
    if by_period:
        variables["period_log_likelihood"] = (("draw", "period"), values.by_period)
    if values.gradient is not None:
        variables["gradient"] = (("draw", "parameter"), values.gradient)
    units = ", ".join(f"{p.name}: {p.unit}" for p in spec.parameters)
    variables["theta"] = (("draw", "parameter"), theta, {"units": units})
    for name, sign in likelihood.answerer.signs(theta).items() if not likelihood.exact else ():
        if sign.ndim == 1:
            variables[name] = ("draw", sign)
    sizes = [observation.errors.get(name, "none") for name in observation.series]
    errors = [size.text if isinstance(size, Equation) else str(size) for size in sizes]
    coordinates = {
        "draw": labels.draws,
        "parameter": list(spec.parameter_names),
        "series": list(observation.series),
        "equation": ("series", [equation.text for equation in observation.equations]),
        "unit": ("series", list(data.units)),
        "transformation": ("series", list(data.done)),
        "error": ("series", errors),
    }
    if by_period:
        coordinates["period"] = data.labels
    return xr.Dataset(variables, coordinates, _attributes(likelihood, labels, values))


def _attributes(likelihood: Likelihood, labels: Labels, values: Values) -> dict[str, Any]:
    data = likelihood.data
    attributes: dict[str, Any] = {
        **labels.attributes,
        "data": f"{data.name} ({data.source})",
        "sample": data.sample,
        "values": int(np.isfinite(data.values[likelihood.presample :]).sum()),
        "method": likelihood.method,
        "start": likelihood.start,
        "presample": likelihood.presample,
    }
    notes = [*labels.notes, *likelihood.notes, *cut_off(likelihood, values)]
    if not likelihood.priors:
        notes.append("The world says no prior: there is a likelihood alone.")
    return attributes | ({"notes": " ".join(notes)} if notes else {})


def cut_off(likelihood: Likelihood, values: Values) -> list[str]:
    """A note where responses have not faded when their moving average is cut off."""
    left = 0.0 if values.cut is None else float(values.cut.max(initial=0.0))
    if left <= CUT:
        return []
    return [
        f"Responses are cut off at horizon {likelihood.horizon}, where {left:.0%} of a peak is left"
        " at the worst draw: the likelihood is that of the shorter moving average."
    ]
