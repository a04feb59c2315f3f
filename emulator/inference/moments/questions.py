"""Questions about second moments, from the arguments of a call to a Dataset."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from emulator.errors import ParameterError
from emulator.inference.asking import Asking
from emulator.inference.draws import generator, periods_wanted, whole
from emulator.inference.labels import Labels, refuse, refuse_impossible
from emulator.inference.moments import tables  # noqa: F401  # registers `.tables`
from emulator.inference.moments.answers import (
    Derivatives,
    decomposition_dataset,
    moments_dataset,
)
from emulator.inference.moments.arrays import (
    Asked,
    Way,
    decomposition,
    second_moments,
    way_of,
)
from emulator.inference.moments.simulated import (
    BURNT,
    moments_of_pruned_paths,
    simulated_moments,
)
from emulator.inference.orders import IN_WORDS
from emulator.inference.over_solver import SolverAnswerer
from emulator.solvers.filters import FIRST_DIFFERENCE, Filter, hodrick_prescott

if TYPE_CHECKING:
    import xarray as xr

    from emulator.inference.draws import DrawsLike, Names

HORIZONS = (1, 4, 8, 20, math.inf)
"""Periods ahead of the forecast errors that a decomposition answers unless others are asked for."""

MOST_LAGS = 1_000

DIFFERENTIATED = ("mean", "std", "variance", "correlation", "autocorrelation")


class Question(NamedTuple):
    """What every question about second moments says: of which draws and observables, by which
    filter, to which horizon where responses are cut.
    """

    draws: DrawsLike
    parameters: Mapping[str, Any]
    observables: Names
    variables: Names
    hp: float | None
    difference: bool
    horizon: int | None
    on_failure: str
    order: int | None = None

    @property
    def filter(self) -> Filter | None:
        """Raises `ParameterError` for two filters at once, and for no number."""
        if self.hp is None:
            return FIRST_DIFFERENCE if self.difference else None
        if self.difference:
            raise ParameterError("Both hp= and difference= were given; expected one of the two.")
        if isinstance(self.hp, bool) or not isinstance(self.hp, int | float | np.number):
            raise ParameterError(
                f"The HP filter's lambda is {self.hp!r}; expected a number, such as 1600."
            )
        return hodrick_prescott(float(self.hp))


class _Prepared(NamedTuple):
    """A question as arrays and labels, and what is said of its answer."""

    theta: np.ndarray
    asked: Asked
    labels: Labels
    said: dict[str, str]


def moments(
    asking: Asking,
    question: Question,
    *,
    lags: int,
    cross: bool,
    simulated: int | None,
    seed: int | np.random.Generator,
    by: Iterable[str] | bool | None,
) -> xr.Dataset:
    """See `Economy.moments`."""
    order = asking.order(question.order)
    prepared = _prepared(asking, question, _lags(lags), cross, order)
    theta, asked, labels, said = prepared
    columns = _columns(asking, by)
    if simulated is not None:
        if columns:
            raise ParameterError(
                "Derivatives are those of theoretical moments; leave out by= or simulated=."
            )
        return _simulated(asking, question, prepared, simulated, seed, order)
    if question.filter is None:
        labels = labels._replace(notes=(*labels.notes, *asking.answerer.moments_notes))
    way = _way(asking, question, order)
    arrays = second_moments(asking.answerer, theta, asked, way)
    _refuse(asking, question, theta, arrays["solved"])
    mean = asking.answerer.levels(theta)[:, asked.observed] + arrays.pop("risk", 0.0)
    arrays |= {"mean": mean, "theta": theta}
    slopes = _slopes(asking, theta, asked, way, columns) if columns else None
    return moments_dataset(labels, arrays, {**said, "method": way.words}, slopes)


def variance_decomposition(
    asking: Asking, question: Question, horizons: Sequence[float] | float | None
) -> xr.Dataset:
    """See `Economy.variance_decomposition`."""
    theta, asked, labels, said = _prepared(asking, question, 0, False, None)
    if question.filter is None:
        labels = labels._replace(notes=(*labels.notes, *asking.answerer.filter_notes))
    way = _way(asking, question, 1)
    ahead = _horizons(horizons, asked.filter, way)
    arrays = decomposition(asking.answerer, theta, asked, way, ahead)
    _refuse(asking, question, theta, arrays["solved"])
    arrays["theta"] = theta
    return decomposition_dataset(labels, arrays, ahead, {**said, "method": way.words})


def _prepared(
    asking: Asking, question: Question, lags: int, cross: bool, order: int | None
) -> _Prepared:
    """order: of the answer; None of one that is of the first order by what it is."""
    theta = asking.theta(question.draws, question.parameters)
    observed = asking.observed(question.observables, question.variables)
    asked = Asked(lags, observed, question.filter, cross)
    refuse_impossible(asking.spec, theta, question.on_failure)
    labels = asking.labels(asking.scaling(None, None, 1.0), question.draws, theta, observed, order)
    if order is not None and order > 1:
        labels = labels._replace(source=IN_WORDS[order])
    said = {} if asked.filter is None else {"filter": asked.filter.title}
    return _Prepared(theta, asked, labels, said)


def _way(asking: Asking, question: Question, order: int) -> Way:
    horizon = None if question.horizon is None else asking.last(question.horizon)
    return way_of(asking.answerer, horizon, order)


def _simulated(
    asking: Asking,
    question: Question,
    prepared: _Prepared,
    simulated: int,
    seed: int | np.random.Generator,
    order: int,
) -> xr.Dataset:
    theta, asked, labels, said = prepared
    if question.horizon is not None:
        raise ParameterError("A simulated path is not cut at a horizon; leave out horizon=.")
    periods = periods_wanted(simulated)
    rng = generator(seed)
    arrays = (
        simulated_moments(asking.solver, theta, asked, periods, rng)
        if order == 1
        else moments_of_pruned_paths(asking, theta, asked, periods, rng, order)
    )
    _refuse(asking, question, theta, arrays["solved"])
    arrays |= {"mean": arrays.pop("average"), "theta": theta}
    said["method"] = (
        f"simulation of {periods:,} periods, after {BURNT} from the steady state; sample moments"
    )
    return moments_dataset(labels, arrays, said, None)


def _refuse(asking: Asking, question: Question, theta: np.ndarray, solved: np.ndarray) -> None:
    refuse(
        asking.spec,
        theta,
        ~solved,
        question.on_failure,
        lambda: asking.why(asking.answerer.signs(theta), theta, ~solved, None),
    )


def _lags(lags: Any) -> int:
    number = whole(lags)
    if number is None or number > MOST_LAGS:
        raise ParameterError(
            f"The lags are {lags!r}; expected a whole number of periods, 0 to {MOST_LAGS:,}."
        )
    return number


def _columns(asking: Asking, by: Iterable[str] | bool | None) -> list[int]:
    """Positions of the parameters by which derivatives are asked for; none unless they are."""
    if by is None or by is False:
        return []
    if not isinstance(asking.answerer, SolverAnswerer):
        raise ParameterError(
            f"Derivatives of moments need a solver, and {asking.answerer.title} answers here. Ask"
            " emulator.world(...)."
        )
    if by is True:
        return list(range(asking.spec.n_parameters))
    return [asking.spec.index(name) for name in ([by] if isinstance(by, str) else by)]


def _slopes(
    asking: Asking, theta: np.ndarray, asked: Asked, way: Way, columns: list[int]
) -> Derivatives:
    """Derivatives of each moment by differences; NaN where the moment is."""
    answerer = asking.answerer
    assert isinstance(answerer, SolverAnswerer)  # `_columns` refuses others
    shapes: dict[str, tuple[int, ...]] = {}

    def moments_of(rows: np.ndarray) -> np.ndarray:
        arrays = second_moments(answerer, rows, asked, way)
        variance = np.einsum("noo->no", arrays["covariance"])
        parts = {
            **arrays,
            "mean": answerer.levels(rows)[:, asked.observed] + arrays.get("risk", 0.0),
            "variance": variance,
            "std": np.sqrt(variance),
        }
        shapes.update({name: parts[name].shape[1:] for name in DIFFERENTIATED})
        flat = [parts[name].reshape(len(rows), -1) for name in DIFFERENTIATED]
        values = np.concatenate(flat, axis=1)
        values[arrays["solved"]] = np.nan_to_num(values[arrays["solved"]])
        return values

    joined = answerer.derivatives(moments_of, theta, columns)
    ends = np.cumsum([math.prod(shapes[name]) for name in DIFFERENTIATED])[:-1]
    values = {
        name: part.reshape(len(theta), *shapes[name], len(columns))
        for name, part in zip(DIFFERENTIATED, np.split(joined, ends, axis=1), strict=True)
    }
    return Derivatives(tuple(asking.spec.parameter_names[k] for k in columns), values)


def _horizons(
    horizons: Sequence[float] | float | None, by: Filter | None, way: Way
) -> tuple[float, ...]:
    """The periods ahead that are asked for, rising, each once."""
    if horizons is None:
        most = math.inf if way.horizon is None else way.horizon + 1
        usual = [h for h in HORIZONS if math.isinf(h) or h <= most]
        return tuple(usual) if by is None or by.causal else (math.inf,)
    listed = list(horizons) if isinstance(horizons, Iterable) else [horizons]
    ahead = sorted({_ahead(h) for h in listed})
    if not ahead:
        raise ParameterError("The list of horizons is empty; leave it out for the usual ones.")
    if by is not None and not by.causal and any(map(math.isfinite, ahead)):
        raise ParameterError(
            f"The {by.title} looks ahead, so that its output has no forecast errors; leave out"
            " horizons= for the decomposition of the variance itself."
        )
    return tuple(ahead)


def _ahead(horizon: Any) -> float:
    if isinstance(horizon, str) and horizon.strip().lower() in ("inf", "infinity"):
        return math.inf
    if isinstance(horizon, float | np.floating) and math.isinf(horizon) and horizon > 0:
        return math.inf
    number = whole(horizon)
    if not number or number > 10_000:
        raise ParameterError(
            f"A horizon of the decomposition is {horizon!r}; expected periods ahead, 1 (the impact"
            " alone) to 10,000, or infinity (the variance itself)."
        )
    return float(number)
