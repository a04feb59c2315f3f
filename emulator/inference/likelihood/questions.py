"""What a likelihood is asked for: which worlds have one, and which series they observe how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emulator.errors import ParameterError, SeriesError, UnknownNameError, nearest, unknown_name
from emulator.inference.answerer import Answerer
from emulator.inference.likelihood.about import about
from emulator.inference.likelihood.expressions import Equation, deviation
from emulator.inference.likelihood.observation import Observation
from emulator.series import TimeSeries


def refuse_regimes(answerer: Answerer) -> None:
    """`ParameterError` for worlds whose data are not Gaussian: not linear in shocks, or with
    regimes.
    """
    spec = answerer.spec
    if spec.linear and spec.shocks_add_up:
        return
    why = (
        "has regimes, over which its responses are averages"
        if spec.linear
        else "is not linear in its shocks"
    )
    raise ParameterError(
        f"World '{spec.name}' {why}, so that its data are not Gaussian and the Kalman filter does"
        " not hold. Match its responses to those of the data instead (emulator estimate"
        f" --world {spec.name}), or ask a linear world, such as nk."
    )


def observation_of(
    answerer: Answerer,
    data: TimeSeries,
    observe: Mapping[str, str] | Sequence[str] | None,
    errors: Mapping[str, Any],
) -> tuple[Observation, TimeSeries]:
    """The observation of the series that are observed, and these series alone.

    Raises `SeriesError`, `UnknownNameError`, `ParameterError`.
    """
    data = _at_frequency_of(answerer, data)
    equations = _equations(answerer, data, observe)
    series = data.select([equation.series for equation in equations])
    known = answerer.spec.parameter_names
    of_file = about(answerer).errors
    given = {name: of_file[name] for name in series.names if name in of_file} | dict(errors)
    for name in given:
        if name not in series.names:
            raise unknown_name("series with an error of measurement", name, series.names)
    all_errors = {name: deviation(name, error, known) for name, error in given.items()}
    _refuse_singular(answerer, equations, all_errors)
    there = np.isfinite(series.values)
    if not there.any():
        raise SeriesError(f"'{data.name}' has no value of {', '.join(series.names)}.")
    means = np.nanmean(np.where(there.any(axis=0), series.values, 0.0), axis=0)
    observation = Observation(tuple(equations), tuple(map(float, means)), all_errors, known)
    return observation, series


def notes_on_series(data: TimeSeries, series: TimeSeries, by_names: bool) -> tuple[str, ...]:
    """What a reader should know of the data: which of their series are not among the observed ones,
    where these are observed by their names alone (by_names), and which observed ones never move.
    """
    notes = []
    unused = [name for name in data.names if name not in series.names]
    if unused and by_names:
        notes.append(
            f"Series not used, being called like nothing that is observed: {', '.join(unused)}."
            f" Say what they observe: observe={{'{unused[0]}': 'VARIABLE'}}, on the command line"
            f" --observe '{unused[0]}=VARIABLE'."
        )
    there = [values[np.isfinite(values)] for values in series.values.T]
    still = [
        f"{name} ({values[0]:g})"
        for name, values in zip(series.names, there, strict=True)
        if len(values) > 1 and not np.ptp(values)
    ]
    if still:
        notes.append(
            f"The same value in every period of the sample: {', '.join(still)}. A series that"
            " never moves says next to nothing of the parameters, and drives the sizes of the"
            " shocks that move it to zero, where the data have no density. Leave it out, or give it"
            " an error of measurement."
        )
    return tuple(notes)


def _at_frequency_of(answerer: Answerer, data: TimeSeries) -> TimeSeries:
    """The data by the world's periods; longer ones stand in their last period."""
    spec = answerer.spec
    if about(answerer).frequency in (None, data.frequency):
        return data
    if data.is_finer_than(spec.frequency):
        raise SeriesError(
            f"'{data.name}' has a value a {data.frequency}, and '{spec.name}' is a world of"
            f" {spec.frequency}s. Make {spec.frequency}s of them by sums or averages:"
            f" read_data(..., frequency='{spec.frequency}', how='sum'), on the command line"
            f" --frequency {spec.frequency}."
        )
    return data.spread(spec.frequency)


def _equations(
    answerer: Answerer, data: TimeSeries, observe: Mapping[str, str] | Sequence[str] | None
) -> list[Equation]:
    spec = answerer.spec
    texts = _texts(answerer, data, observe)
    for name in texts:
        data.column(name)
    return [
        Equation.of(name, text, spec.observable_names, spec.parameter_names)
        for name, text in texts.items()
    ]


def _texts(
    answerer: Answerer, data: TimeSeries, observe: Mapping[str, str] | Sequence[str] | None
) -> dict[str, str]:
    """Equations as text by series: what was asked for, else what the file says, else what the data
    bring with them, else series that are called as observables are.
    """
    if isinstance(observe, Mapping):
        texts = {str(name): str(text) for name, text in observe.items()}
    elif observe is not None:
        texts = {name: name for name in ([observe] if isinstance(observe, str) else observe)}
    elif about(answerer).varobs:
        texts = {name: name for name in about(answerer).varobs}
        missing = [name for name in texts if name not in data.names]
        if missing:
            raise UnknownNameError(
                f"The file's varobs name {', '.join(missing)}, which '{data.name}' does not have;"
                f" it has {', '.join(data.names)}. Name its columns so, or say what is observed"
                " how: observe={'column': 'variable'}, on the command line --observe."
            )
    else:
        texts = _brought(answerer, data)
    if not texts:
        raise UnknownNameError(
            f"No series of '{data.name}' ({', '.join(data.names)}) is an observable of"
            f" '{answerer.spec.name}'. {nearest(data.names[0], answerer.spec.observable_names)} Say"
            " what is observed how: observe={'series': 'diff(output) + mean'}, on the command line"
            " --observe 'series=diff(output) + mean'."
        )
    return texts


def observed_series(answerer: Answerer, data: TimeSeries) -> dict[str, str]:
    """The equations, by series, that a world observes data with unless it is told otherwise."""
    return _texts(answerer, _at_frequency_of(answerer, data), None)


def _brought(answerer: Answerer, data: TimeSeries) -> dict[str, str]:
    spec = answerer.spec
    if not any(data.observing):
        return {name: name for name in data.names if name in spec.observable_names}
    texts = {}
    for name, text in zip(data.names, data.observing, strict=True):
        try:
            if text:
                Equation.of(name, text, spec.observable_names, spec.parameter_names)
                texts[name] = text
        except SeriesError:  # this world does not have such an observable
            continue
    return texts


def _refuse_singular(
    answerer: Answerer, equations: Sequence[Equation], errors: Mapping[str, Equation | float]
) -> None:
    """`ParameterError` where series outnumber what moves them: they would have no density."""
    shocks = answerer.spec.n_shocks
    noisy = [e.series for e in equations if errors.get(e.series, 0.0) != 0.0]
    if len(equations) > shocks + len(noisy):
        names = ", ".join(equation.series for equation in equations)
        raise ParameterError(
            f"{len(equations)} series are observed ({names}), and '{answerer.spec.name}' has"
            f" {shocks} shocks and {len(noisy)} errors of measurement: the series would depend on"
            " each other exactly. Observe fewer, or give some of them errors of measurement:"
            " errors={'series': 0.2}, on the command line --error series=0.2."
        )
