"""What an economy of a `.mod` file answers beyond responses: the part of `Economy` that asks for an
optimal simple rule and for paths under occasionally binding constraints.

Axes: n draw, Z size, S shock, H horizon, V variable, C constraint.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
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
    """`optimal_rule` and `occbin`, of an economy over the solver of a file."""

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

        chosen = chosen_shocks(self.asking.spec, given_once(shock=shock, shocks=shocks))
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
