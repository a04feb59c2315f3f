"""What an economy of a `.mod` file answers beyond responses: the part of `Economy` that asks for an
optimal simple rule and for paths under occasionally binding constraints or perfect foresight.

Axes: n draw, Z size, S shock, H horizon, V variable, C constraint.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from emulator.errors import ParameterError
from emulator.inference.asking import Asking
from emulator.inference.draws import chosen_shocks, given_once, labels_of
from emulator.inference.labels import refuse
from emulator.spec import Status

if TYPE_CHECKING:
    import xarray as xr

    from emulator.inference.draws import DrawsLike, Names


class FileQuestions(ABC):
    """`optimal_rule`, `occbin` and `perfect_foresight`, of an economy over the solver of a file."""

    @property
    @abstractmethod
    def asking(self) -> Asking:
        """What makes theta, positions and labels of the arguments of a call."""

    def optimal_rule(self, draws: DrawsLike = None, **parameters: Any) -> xr.Dataset:
        """The optimal simple rule of a file whose run is an `osr`, at each draw of the other
        parameters: `coefficient` (draw, coefficient) and the `objective` (draw) there, and
        `at_start`, the objective at the file's own coefficients, whose values are `start`.

        A coefficient that is given is held. The objective is the weighted sum of variances and
        covariances that the attribute `objective` writes out, infinite where there is no solution.
        Raises `ParameterError` where the economy has no such rule, `ModFileError` as reading does.
        """
        from emulator.inference.simple_rules import answer

        theta = self.asking.theta(draws, parameters)
        return answer(self.asking, theta, labels_of(draws, len(theta)))

    def occbin(
        self,
        draws: DrawsLike = None,
        *,
        size: float | Sequence[float] = 1.0,
        shocks: Names = None,
        shock: str | None = None,
        observables: Names = None,
        variables: Names = None,
        horizon: int | None = None,
        on_failure: str = "raise",
        **parameters: Any,
    ) -> xr.Dataset:
        """Paths of a file whose run is an `occbin_solver`, under its constraints and without them:
        `piecewise` and `linear` (draw, size, shock, horizon, observable), deviations from `steady`
        (draw, observable), and `binding` (draw, size, shock, horizon, constraint).

        size: one or several multiples of the shock, of either sign: of one standard deviation, or,
        of the shock `surprises`, of the file's `shocks(surprise)`. horizon: by default that of the
        file's `simul_periods`. Units: those of the file. Raises `NoSolutionError` for draws at
        which no path meets its conditions, NaN with on_failure="nan", `ParameterError` where the
        economy has no such constraints.
        """
        from emulator.inference.binding import Question, answer

        named = given_once(shock=shock, shocks=shocks)
        self.asking.refuse_still(named)
        chosen = chosen_shocks(self.asking.spec, named)
        theta = self.asking.theta(draws, parameters)
        question = Question(
            theta=theta,
            draws=labels_of(draws, len(theta)),
            sizes=_sizes(size),
            shocks=chosen,
            observed=self.asking.observed(observables, variables),
            last=self.asking.last(horizon),
        )
        data, status = answer(self.asking, question)
        solver = self.asking.solver
        failed = status != Status.OK
        refuse(
            self.asking.spec,
            theta,
            failed,
            on_failure,
            lambda: solver.explain(theta[failed][:1]),
            "path under its constraints",
        )
        return data

    def perfect_foresight(
        self,
        draws: DrawsLike = None,
        *,
        shocks: Mapping[str, Any] | None = None,
        initial: Mapping[str, Any] | None = None,
        terminal: Mapping[str, Any] | None = None,
        controls: Mapping[str, tuple[str, Any]] | None = None,
        scenarios: Mapping[str, Mapping[str, Any]] | None = None,
        periods: int | None = None,
        variables: Names = None,
        observables: Names = None,
        on_failure: str = "raise",
        **parameters: Any,
    ) -> xr.Dataset:
        """Non-linear paths of a `.mod` file's variables, in levels, where all shocks are known from
        the first period on: `path` (draw, scenario, period, variable); see
        `emulator.inference.foresight`.

        A file's own blocks say which path, those before its `perfect_foresight_solver` or `simul`;
        the path of any other file begins and ends in the steady state. In their place: shocks,
        values of exogenous variables from period 1 on, {"e": [0.1, 0.05]}, or by period, {"e": {4:
        0.1}}; initial, variables before the first period; terminal, exogenous variables from period
        1 on and for good; controls, values of a variable in some periods and the exogenous variable
        that is solved for there, {"y": ("e", [1.02, 1.01])}. scenarios: several of these by name,
        {"cut": {"terminal": {"tau": 0.2}}}, solved together. Numbers are in the units
        of the file, as levels. periods: by default the file's, else 200.

        Raises `NoSolutionError`, which names the period and the equation that are furthest from
        being solved, unless on_failure="nan" and some path was found; `ParameterError` for a world
        that is not read from a `.mod` file and for bad input, `ModFileError`.
        """
        from emulator.inference.foresight import ForesightQuestion, perfect_foresight

        question = ForesightQuestion(
            draws=draws,
            parameters=parameters,
            shocks=shocks,
            initial=initial,
            terminal=terminal,
            controls=controls,
            scenarios=scenarios,
            periods=periods,
            variables=variables,
            observables=observables,
            on_failure=on_failure,
        )
        return perfect_foresight(self.asking, question)


def _sizes(size: float | Sequence[float]) -> np.ndarray:
    """Finite multiples (Z,). Raises `ParameterError`."""
    try:
        sizes = np.atleast_1d(np.asarray(size, dtype=np.float64))
    except (TypeError, ValueError):
        sizes = np.array([np.nan])
    if sizes.ndim != 1 or not sizes.size or not np.isfinite(sizes).all():
        raise ParameterError(
            f"size is {size!r}; expected a multiple of the shock, such as 1, or several: [1, -1]."
        )
    return sizes
