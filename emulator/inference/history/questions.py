"""Questions about history and forecast, from the arguments of a call to a Dataset.

Axes: n draw, P parameter, T period, X target.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from emulator.errors import ParameterError
from emulator.inference.asking import Asking
from emulator.inference.draws import chosen_shocks, periods_wanted
from emulator.inference.history import answers
from emulator.inference.history.announcing import announced_responses
from emulator.inference.history.conditions import Conditions, conditional, forecasts
from emulator.inference.history.past import ByStates, Past, past_of
from emulator.inference.labels import Labels, refuse, refuse_impossible
from emulator.inference.likelihood import Likelihood
from emulator.series import read_data

if TYPE_CHECKING:
    import xarray as xr

    from emulator.inference.draws import DrawsLike, Names
    from emulator.solvers.kalman import Start

PROBABILITIES = (0.05, 0.16, 0.5, 0.84, 0.95)
"""Of the quantiles that a forecast gives: the median, and bands of 68 and 90 percent."""


class DataQuestion(NamedTuple):
    """What every question about history says: which data, observed how, at which draws."""

    data: Any
    sample: str | None
    transform: Mapping[str, str] | None
    observe: Mapping[str, str] | Sequence[str] | None
    errors: Mapping[str, Any] | None
    start: Start
    memory: int | None
    draws: DrawsLike
    parameters: Mapping[str, Any]
    observables: Names
    on_failure: str


class Asked(NamedTuple):
    """A question as arrays and labels: the past, and positions of the observables beside the
    series.
    """

    past: Past
    labels: Labels
    observed: np.ndarray


def asked(asking: Asking, question: DataQuestion, everything: bool) -> Asked:
    """everything: whether all observables are followed where none is named.

    Raises as `Likelihood.of` does, and `NoSolutionError` as `Economy.irf`.
    """
    likelihood = Likelihood.of(
        asking.answerer,
        read_data(question.data, sample=question.sample, transform=question.transform),
        observe=question.observe,
        errors=question.errors,
        start=question.start,
        horizon=question.memory,
    )
    theta = asking.theta(question.draws, question.parameters)
    refuse_impossible(asking.spec, theta, question.on_failure)
    if question.observables is None and not everything:
        observed = np.empty(0, dtype=int)
    else:
        chosen = asking.observed(question.observables, None)
        observed = np.arange(asking.spec.n_observables)[chosen]
    past = past_of(likelihood, theta, observed)
    failed = ~np.isfinite(past.shocks).all(axis=(1, 2))
    if failed.any():
        if question.on_failure != "nan":
            past.refuse_unit_roots(failed)
        signs = asking.answerer.signs(theta)
        refuse(
            asking.spec,
            theta,
            failed,
            question.on_failure,
            lambda: asking.why(signs, theta, failed, None),
        )
    labels = asking.labels(asking.scaling(None, None, 1.0), question.draws, theta, slice(None))
    labels = labels._replace(notes=(*labels.notes, *likelihood.notes))
    return Asked(past, labels, observed)


def smooth(asking: Asking, question: DataQuestion, states: bool) -> xr.Dataset:
    """See `Economy.smooth`."""
    past, labels, observed = asked(asking, question, everything=True)
    paths = past.parts().sum(axis=1) + past.level(0, len(past.likelihood.data))
    own = None
    if states:
        if not isinstance(past, ByStates):
            raise ParameterError(
                f"'{asking.spec.name}' ({asking.answerer.title}) has no state space, and no states."
            )
        own = past.states()
    return answers.smoothed(past, labels, observed, paths, own)


def decompose(asking: Asking, question: DataQuestion) -> xr.Dataset:
    """See `Economy.decompose`."""
    past, labels, observed = asked(asking, question, everything=False)
    return answers.decomposition(past, labels, observed)


def forecast(
    asking: Asking,
    question: DataQuestion,
    *,
    horizon: int,
    condition: Mapping[str, Sequence[float]] | None,
    by: Names,
    announced: bool,
    weights: Any,
    probabilities: Sequence[float],
    known_past: bool,
) -> xr.Dataset:
    """See `Economy.forecast`."""
    periods = periods_wanted(horizon)
    spec = asking.spec
    past, labels, observed = asked(asking, question, everything=False)
    targets = answers.target_names(past, observed)
    conditions = Conditions.of(
        paths=condition or {},
        targets=targets,
        horizon=periods,
        shocks=None if by is None else chosen_shocks(spec, by),
        announced=announced,
    )
    outlook = past.outlook(periods)
    good = np.isfinite(outlook.past).all(axis=(1, 2))
    known = announced_responses(past, periods)[good] if announced and conditions else None
    solved = outlook.of(good)
    if conditions is None:
        made = forecasts(solved, known_past)
    else:
        made = conditional(solved, conditions, known_past, known)
    return answers.forecast(
        past=past,
        labels=labels,
        observed=observed,
        forecasts=made.among(good),
        conditions=conditions,
        weights=_weights(weights, len(past.theta)),
        probabilities=_probabilities(probabilities),
    )


def counterfactual(
    asking: Asking, question: DataQuestion, under: Mapping[str, Any], shocks: Names
) -> xr.Dataset:
    """See `Economy.counterfactual`."""
    past, labels, observed = asked(asking, question, everything=False)
    spec = asking.spec
    if not isinstance(past, ByStates):
        raise ParameterError(
            f"A history under other parameters needs a state space, and '{spec.name}'"
            f" ({asking.answerer.title}) gives responses alone. Ask a linear world's solver:"
            " emulator.world('nk')."
        )
    if question.start == "wide":
        raise ParameterError(
            "start='wide' says nothing of the state before the data, from which a history under"
            " other parameters begins; expected 'stationary' or 'diffuse'."
        )
    if not under and shocks is None:
        raise ParameterError(
            "Nothing is said to be different. Give other parameters, under={'phi_pi': 2.5}, on the"
            " command line --under phi_pi=2.5, or the shocks that alone happen."
        )
    theta = past.theta.copy()
    for name, value in under.items():
        theta[:, spec.index(name)] = _number(name, value)
    refuse_impossible(spec, theta, question.on_failure)
    other = past_of(past.likelihood, theta, observed)
    assert isinstance(other, ByStates)
    kept = range(spec.n_shocks) if shocks is None else chosen_shocks(spec, shocks)
    paths = other.from_shocks(past.smoothed.before, _only(past.shocks, list(kept)))
    failed = ~np.isfinite(paths).all(axis=(1, 2))
    refuse(
        spec,
        theta,
        failed,
        question.on_failure,
        lambda: asking.why(asking.answerer.signs(theta), theta, failed, None),
    )
    return answers.counterfactual(past, labels, observed, paths, under, [*kept])


def _number(name: str, value: Any) -> float:
    """Of a parameter under which a history is asked again; the same for all draws."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ParameterError(
            f"under={{'{name}': {value!r}}}: expected one number, the same for all draws."
        ) from None


def _only(shocks: np.ndarray, kept: list[int]) -> np.ndarray:
    """The shocks (n, T, S) with all but some set to zero."""
    alone = np.zeros_like(shocks)
    alone[:, :, kept] = shocks[:, :, kept]
    return alone


def _weights(weights: Any, n: int) -> np.ndarray:
    """One a draw, that sum to one."""
    if weights is None:
        return np.full(n, 1 / n)
    numbers = np.asarray(weights, dtype=np.float64)
    if numbers.shape != (n,) or not (numbers >= 0).all() or not 0 < numbers.sum() < np.inf:
        raise ParameterError(
            f"The weights have the shape {numbers.shape}; expected {n} numbers, zero or more, one a"
            " draw, not all of them zero."
        )
    return numbers / numbers.sum()


def _probabilities(probabilities: Sequence[float]) -> np.ndarray:
    numbers = np.unique(np.asarray(probabilities, dtype=np.float64))
    if numbers.ndim != 1 or len(numbers) == 0 or not ((numbers > 0) & (numbers < 1)).all():
        raise ParameterError(
            f"The probabilities are {probabilities!r}; expected numbers between 0 and 1."
        )
    return numbers
