"""Responses of a posterior's draws, as a median and a band, over the responses of the data, by a
vector autoregression: among the other responses of the page.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np
import xarray as xr

from emulator.errors import EmulatorError, TargetError
from emulator.explorer.curves import Answer, Curve
from emulator.explorer.economies import Economies
from emulator.explorer.fit import WIDTH, Fit
from emulator.explorer.over_data.asking import who
from emulator.explorer.posterior import Posterior
from emulator.explorer.state import Scenario
from emulator.explorer.tables import BUNDLED
from emulator.explorer.uploads import Upload
from emulator.explorer.views import View
from emulator.explorer.wording import on_the_page
from emulator.series import TimeSeries, read_data
from emulator.spec import OBSERVABLE_UNITS, OBSERVABLES, Frequency, WorldSpec

if TYPE_CHECKING:
    from emulator.estimation import Target

PLACE = 999
"""Of the posterior's curve, which says its colour and marks; beyond those of all scenarios."""

BAND = (0.05, 0.5, 0.95)

AT_ONCE = 0.25
"""Seconds, as in `asking`."""

MONETARY, INNOVATION = "monetary", "rate"
"""The shock that the autoregression finds, as that of its last variable."""

LAGS, REPLICATIONS, LEAST = 4, 400, 60
"""Of the autoregression: lags, draws of its bootstrap, and periods without a gap that it needs."""

TIMING = (
    "The responses of the data rest on the assumption that output and inflation do not move in the"
    " quarter of the shock. This world moves there, so that the two need not agree even if it is"
    " true."
)

Given = Callable[[], bool]


def add(
    answer: Answer, economies: Economies, patient: bool = True, gone: Given | None = None
) -> None:
    """Add what the view asks for to an answer: a curve of the posterior, the data to draw over, and
    notes where one of them cannot be had.
    """
    view, world = answer.state.view, answer.state.live.world
    stops = gone or (lambda: False)
    if view.posterior:
        try:
            _add_posterior(answer, economies, patient, stops)
        except EmulatorError as error:
            answer.notes.append(f"posterior: {on_the_page(error)}")
    if view.over:
        try:
            _add_data(answer, economies, patient, stops)
        except EmulatorError as error:
            reason = on_the_page(error)
            answer.notes.append(f"{world}: the data's responses are not drawn: {reason}")


def _add_posterior(answer: Answer, economies: Economies, patient: bool, gone: Given) -> None:
    state = answer.state
    posterior = economies.tables.posteriors.get(state.view.posterior)
    if not posterior.fits(state.live.world, answer.spec):
        other = f"world '{posterior.world}'" if posterior.world else "another world"
        raise EmulatorError(
            f"'{posterior.name}' holds draws of {other}, with the parameters"
            f" {', '.join(map(str, posterior.table.columns[:6]))}."
        )
    asked = who(state.live.world, economies)
    exact = isinstance(asked, Upload) or asked.answerer.exact
    scenario = replace(state.live, values=())
    drawn = economies.once(
        ("posterior", state.view.posterior, scenario, state.horizon),
        state.live.world if exact else "network",
        lambda: _bands(economies, posterior, scenario, state.horizon),
        pace=f"posterior {state.live.world}",
        at_once=AT_ONCE,
        patient=patient,
        gone=gone,
    )
    if drawn is None:
        answer.complete = False
        return
    label = f"posterior {posterior.name}, median of {len(posterior.table)} draws"
    answer.curves.append(Curve(label, PLACE, drawn))
    answer.notes += [f"posterior: {words}" for words in drawn.attrs["left_out"]]


def _bands(
    economies: Economies, posterior: Posterior, scenario: Scenario, horizon: int
) -> xr.Dataset:
    """The median and the ends of the 90 % band of the draws' responses, as an answer of one
    draw.
    """
    answer: xr.Dataset = who(scenario.world, economies).irf(
        posterior.columns(),
        shocks=scenario.shock,
        size=scenario.size,
        horizon=horizon,
        on_failure="nan",
    )
    irf = answer["irf"].values
    solved = np.isfinite(irf).all(axis=(1, 2, 3))
    left_out = _left_out(economies.spec(scenario.world), answer["theta"].values, solved)
    if not solved.any():
        raise EmulatorError(f"nothing is drawn of it: {' '.join(left_out)}")
    low, middle, high = np.quantile(irf[solved], BAND, axis=0)
    one = answer.isel(draw=[int(np.flatnonzero(solved)[0])]).copy(deep=True)
    one["irf"].values[:] = middle
    for name, end in (("lower", low), ("upper", high)):
        one[name] = (one["irf"].dims, end[None])
    one.attrs["left_out"] = left_out
    return one


def _left_out(spec: WorldSpec, theta: np.ndarray, solved: np.ndarray) -> list[str]:
    """Which of the draws (n, P) have no responses, and why, in words; solved (n,): which have."""
    impossible = ~spec.possible(theta)
    n = len(theta)
    reasons = []
    if impossible.any():
        first = spec.impossible(theta[int(np.flatnonzero(impossible)[0])])
        reasons.append(
            f"{impossible.sum()} of {n} draws are outside of what parameters can be, and are left"
            f" out: {first}."
        )
    without = int((~solved & ~impossible).sum())
    if without:
        reasons.append(f"{without} of {n} draws have no unique stable solution, and are left out.")
    return reasons


def _add_data(answer: Answer, economies: Economies, patient: bool, gone: Given) -> None:
    state = answer.state
    if (state.live.shock, state.live.size) != (MONETARY, "1"):
        raise EmulatorError(
            "they are those to a monetary shock of one standard deviation; choose this shock and"
            " this size."
        )
    if answer.spec.frequency != "quarter":
        raise EmulatorError(f"they are by quarter, and its periods are {answer.spec.periods}.")
    series = economies.tables.series(state.view.over)
    fit: Fit | None = economies.once(
        ("var", _of_the_autoregression(state.view)),
        "data",
        lambda: responses_of(series, state.view, state.live),
        at_once=AT_ONCE,
        patient=patient,
        gone=gone,
    )
    if fit is None:
        answer.complete = False
        return
    answer.fit = fit
    moved = ("output", "inflation")
    for curve in answer.curves:
        impact = [
            line[0] for o in answer.shown if o.name in moved and (line := curve.line(o)) is not None
        ]
        if curve.place in (0, PLACE) and any(abs(value) > 1e-9 for value in impact):
            answer.notes.append(TIMING)
            break


def _of_the_autoregression(view: View) -> View:
    """What of a view decides the responses of the data, alone."""
    own = view.data == view.over
    return View(
        over=view.over,
        data=view.data,
        sample=view.sample if own else "",
        equations=view.equations,
        transforms=view.transforms,
    )


def responses_of(series: TimeSeries, view: View, scenario: Scenario) -> Fit:
    """Responses of output, inflation and the rate to a monetary shock of one standard deviation, by
    a recursive autoregression with the rate last, with their 90 % interval.

    Raises `EmulatorError` for data that it cannot be had of.
    """
    from emulator.estimation.settings import SAMPLE
    from emulator.estimation.var_target import us_monetary

    if view.over == BUNDLED:
        target = us_monetary(_sample(series, view) or SAMPLE, replications=REPLICATIONS)
    else:
        target = _of_table(series, view)
    sd = np.sqrt(np.diag(target.covariance)).reshape(target.irf.shape)
    irf = np.where(target.matched, target.irf, np.nan)
    return Fit(
        name=f"{series.name}, autoregression",
        scenario=scenario,
        observables=OBSERVABLES,
        units=OBSERVABLE_UNITS,
        irf=irf,
        lower=irf - WIDTH * sd,
        upper=irf + WIDTH * sd,
    )


def _sample(series: TimeSeries, view: View) -> str:
    """The quarters that the autoregression explains: those of the view, behind its lags; empty
    where it names none.
    """
    if not view.sample or view.data != view.over:
        return ""
    chosen = series.window(view.sample).labels
    first = max(chosen[0], series.labels[LAGS])
    return f"{first}:{chosen[-1]}"


SIMPLE = re.compile(rf"(?P<growth>diff\()?(?P<name>{'|'.join(OBSERVABLES)})\)?(\+mean)?")
"""Equations, without blanks, that say that a series is an observable, or its growth."""


def _of_table(series: TimeSeries, view: View) -> Target:
    """The target that an autoregression in the table's output, inflation and rate gives."""
    import pandas as pd
    from statsmodels.tsa.api import VAR

    from emulator.estimation import from_var

    data = read_data(
        series,
        transform={n: t for n, t in view.transforms if n in series.names and t.strip()},
        sample=(view.sample or None) if view.data == view.over else None,
    )
    said = dict(view.equations)
    columns, cumulated = {}, []
    for name in data.names:
        match = SIMPLE.fullmatch(said.get(name, name).replace(" ", ""))
        if match and match["name"] not in columns:
            columns[match["name"]] = data.values[:, data.column(name)]
            cumulated += [match["name"]] if match["growth"] else []
    if "rate" not in columns or len(columns) < 2:
        raise TargetError(
            f"'{series.name}' has no rate and another of output and inflation, by the names or the"
            " equations of its series (see History)."
        )
    order = [name for name in OBSERVABLES if name in columns]  # the rate is the last
    table = pd.DataFrame({name: columns[name] for name in order}).dropna()
    contiguous = len(table) and table.index[-1] - table.index[0] + 1 == len(table)
    if len(table) < LEAST or not contiguous:
        raise TargetError(
            f"'{series.name}' has {len(table)} periods with {', '.join(order)}; an autoregression"
            f" needs {LEAST} or more in a row."
        )
    return from_var(
        VAR(table).fit(LAGS, trend="c"),
        INNOVATION,
        {name: name for name in order},
        shock=MONETARY,
        replications=REPLICATIONS,
        cumulated=cumulated,
        name=series.name,
        frequency=cast("Frequency", data.frequency),
    )
