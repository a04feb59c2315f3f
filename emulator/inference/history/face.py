"""What an economy answers of data about the past and the future: the part of `Economy` that asks
for smoothed shocks, historical decompositions, forecasts and histories under other parameters.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from emulator.inference.asking import Asking

if TYPE_CHECKING:
    import xarray as xr

    from emulator.inference.draws import DrawsLike, Names
    from emulator.inference.history.questions import DataQuestion
    from emulator.solvers.kalman import Start


class HistoryQuestions(ABC):
    """`smooth`, `decompose`, `forecast`, `counterfactual`, of whoever answers.

    They share these arguments: data, sample, transform, observe, errors and start are those of
    `log_likelihood`; memory: of a world without a state space, the last horizon of the responses
    that count; observables: of the world, to follow beside the series; draws and parameters as in
    `irf`: a point, or draws of a posterior. They raise as `log_likelihood` does, and
    `NoSolutionError` for draws without a unique stable solution unless on_failure="nan".
    """

    @property
    @abstractmethod
    def asking(self) -> Asking:
        """What makes theta, positions and labels of the arguments of a call."""

    def smooth(
        self,
        data: Any,
        draws: DrawsLike = None,
        *,
        observe: Mapping[str, str] | Sequence[str] | None = None,
        errors: Mapping[str, Any] | None = None,
        sample: str | None = None,
        transform: Mapping[str, str] | None = None,
        start: Start = "stationary",
        memory: int | None = None,
        observables: Names = None,
        states: bool = False,
        on_failure: str = "raise",
        **parameters: Any,
    ) -> xr.Dataset:
        """Shocks, and paths of the series and of observables, given all of the data: their means
        under the model, `shock_path` (draw, period, shock) in standard deviations and `target_path`
        (draw, period, target); see `emulator.inference.history.answers`.

        observables: all by default; states: also the states, `state_path`. Values that are missing
        are filled in. The other arguments are those of the class.
        """
        from emulator.inference.history.questions import smooth

        question = _question(locals())
        return smooth(self.asking, question, states)

    def decompose(
        self,
        data: Any,
        draws: DrawsLike = None,
        *,
        observe: Mapping[str, str] | Sequence[str] | None = None,
        errors: Mapping[str, Any] | None = None,
        sample: str | None = None,
        transform: Mapping[str, str] | None = None,
        start: Start = "stationary",
        memory: int | None = None,
        observables: Names = None,
        on_failure: str = "raise",
        **parameters: Any,
    ) -> xr.Dataset:
        """Historical decomposition: what each shock contributed to each series, `contribution`
        (draw, part, period, target). Beside the shocks, the parts are `initial`, what happened
        before the data, `level`, and `measurement`, the error of measurement; their sum is the
        data.

        The other arguments are those of the class.
        """
        from emulator.inference.history.questions import decompose

        return decompose(self.asking, _question(locals()))

    def forecast(
        self,
        data: Any,
        draws: DrawsLike = None,
        *,
        horizon: int = 12,
        condition: Mapping[str, Sequence[float]] | None = None,
        by: Names = None,
        anticipated: bool = False,
        weights: Any = None,
        probabilities: Sequence[float] = (0.05, 0.16, 0.5, 0.84, 0.95),
        known_past: bool = False,
        observe: Mapping[str, str] | Sequence[str] | None = None,
        errors: Mapping[str, Any] | None = None,
        sample: str | None = None,
        transform: Mapping[str, str] | None = None,
        start: Start = "stationary",
        memory: int | None = None,
        observables: Names = None,
        on_failure: str = "raise",
        **parameters: Any,
    ) -> xr.Dataset:
        """Forecast of the periods after the data: `mean` and `std` (draw, period, target) of each
        draw's normal distribution, and `quantile` (probability, period, target) of their mixture,
        in which draws have `weights`.

        condition: paths that series or observables take, {"rate": [4.5, 4.25, 4.0]}, NaN where a
        period is free. Without `by` the most likely shocks meet them, and the answer is the
        distribution given the conditions; by="monetary" has these shocks alone meet them, each a
        surprise, or with anticipated=True all announced in the first period, so that the conditions
        hold in the mean. `shock_path` (draw, period, shock) says which shocks it takes.

        Bands hold the uncertainty of shocks to come, of today's state (none with known_past=True)
        and, over draws, of parameters; errors of measurement to come are not in them. The other
        arguments are those of the class. Raises `ParameterError` where shocks cannot meet the
        conditions.
        """
        from emulator.inference.history.questions import forecast

        return forecast(
            self.asking,
            _question(locals()),
            horizon=horizon,
            condition=condition,
            by=by,
            announced=anticipated,
            weights=weights,
            probabilities=probabilities,
            known_past=known_past,
        )

    def counterfactual(
        self,
        data: Any,
        draws: DrawsLike = None,
        *,
        under: Mapping[str, Any] | None = None,
        shocks: Names = None,
        observe: Mapping[str, str] | Sequence[str] | None = None,
        errors: Mapping[str, Any] | None = None,
        sample: str | None = None,
        transform: Mapping[str, str] | None = None,
        start: Start = "stationary",
        memory: int | None = None,
        observables: Names = None,
        on_failure: str = "raise",
        **parameters: Any,
    ) -> xr.Dataset:
        """The same history under other parameters, such as another policy rule, under={"phi_pi":
        2.5}, or with some shocks alone: `path` (draw, period, target) beside the data.

        The shocks and the state before the data are those that the data say under the parameters of
        the draw; errors of measurement are left out. Parameters that scale a shock change what a
        standard deviation of it is. Needs a state space. The other arguments are those of the
        class.
        """
        from emulator.inference.history.questions import counterfactual

        return counterfactual(self.asking, _question(locals()), under or {}, shocks)


def _question(given: Mapping[str, Any]) -> DataQuestion:
    """The arguments that all questions share, of those of a call."""
    from emulator.inference.history.questions import DataQuestion

    return DataQuestion(**{name: given[name] for name in DataQuestion._fields})
