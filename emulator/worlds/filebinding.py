"""A Dynare `.mod` file with occasionally binding constraints (`occbin_solver`), in its own
variables and units.

Axes: n draw, P parameter, S shock, H horizon, T period, V variable and K shock of the file.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from emulator.modfile import CompiledModel
from emulator.modfile.compiling.binding import SURPRISES, Answer, BindingPaths
from emulator.spec import DEFAULT_HORIZON, Parameter, Status, WorldSpec
from emulator.worlds.base import OnFailure
from emulator.worlds.filemodel import FileWorld

SCALE = "surprise_size"
"""The parameter by which the file's `shocks(surprise)` are multiplied."""


class BindingFile(FileWorld):
    """The model of a file, piecewise linear; every shock is a surprise after which no other is
    expected.

    The file's `shocks(surprise)` are one of its shocks, `surprises`, whose size is the parameter
    `surprise_size`: 1 for the block as it stands, -1 for its mirror image.
    """

    solution = "path under its constraints"

    def __init__(self, model: CompiledModel) -> None:
        super().__init__(model)
        self.solver = BindingPaths(model)
        self.spec = self._spec(self.solver.shocks, self.solver.unit, linear=False)
        self.horizon = self.solver.usual_periods - 1
        if self.solver.surprises:
            self.spec = _with_scale(self.spec)

    @property
    def still_shocks(self) -> Mapping[str, str]:
        """Shocks without a standard deviation; those of `shocks(surprise)` are `surprises`."""
        given = {surprise.name for surprise in self.solver.surprises}
        return {
            name: message
            + (f" Its values in shocks(surprise) are the shock '{SURPRISES}'." * (name in given))
            for name, message in super().still_shocks.items()
        }

    def complete(self, given: Mapping[str, np.ndarray], n: int) -> np.ndarray:
        if not self.solver.surprises:
            return super().complete(given, n)
        others = {name: values for name, values in given.items() if name != self.scale_name}
        scale = np.broadcast_to(given.get(self.scale_name, np.ones(1)), n)
        return np.concatenate([super().complete(others, n), scale[:, None]], axis=1)

    @property
    def scale_name(self) -> str:
        """The name of the last parameter, the size of the file's surprises."""
        return self.spec.parameter_names[-1]

    def full_theta(self, theta: np.ndarray) -> np.ndarray:
        theta = self.spec.check_theta(theta)
        full = np.full((len(theta), len(self.model.parameters)), np.nan)
        full[:, self.columns] = theta[:, : len(self.columns)]
        return full

    def status(self, theta: np.ndarray) -> np.ndarray:
        return self.answer(theta, self.unit_shocks(theta), 1).status

    def irf(
        self, theta: np.ndarray, horizon: int = DEFAULT_HORIZON, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        answer = self.answer(theta, self.unit_shocks(theta), horizon + 1)
        self._refuse(theta, answer.status != Status.OK, on_failure, answer.status)
        return answer.piecewise

    def simulate(
        self, theta: np.ndarray, shocks: np.ndarray, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        theta = self.spec.check_theta(theta)
        shocks = self._check_shocks(theta, shocks)
        answer = self.answer(theta, self.in_file_units(theta, shocks)[:, None], shocks.shape[1])
        self._refuse(theta, answer.status != Status.OK, on_failure, answer.status)
        return answer.piecewise[:, 0]

    def explain(self, theta: np.ndarray) -> str:
        """Why a draw (1, P) has no solution, with file and line."""
        return self.solver.explain(self.full_theta(theta))

    def _simulated_response(
        self, theta: np.ndarray, shocks: np.ndarray, on_failure: OnFailure
    ) -> np.ndarray:
        return self.simulate(theta, shocks, on_failure=on_failure)

    def answer(self, theta: np.ndarray, shocks: np.ndarray, periods: int) -> Answer:
        """Paths of so many periods under shocks (n, S, T, K) in the file's own units."""
        return self.solver.paths(self.full_theta(theta), shocks, periods)

    def levels(self, theta: np.ndarray) -> np.ndarray:
        """Steady states (n, V) of the variables."""
        return self.model.steady_state(self.full_theta(theta))[:, : len(self.shown)]

    def in_file_units(self, theta: np.ndarray, shocks: np.ndarray) -> np.ndarray:
        """Shocks (n, T, S) in multiples of the sizes in theta, as (n, T, K)."""
        unit = self.unit_shocks(theta)
        n, periods = shocks.shape[:2]
        path = np.zeros((n, periods, unit.shape[3]))
        for later in range(min(unit.shape[2], periods)):
            moved = np.einsum("nts,nsk->ntk", shocks[:, : periods - later], unit[:, :, later])
            path[:, later:] += moved
        return path

    def unit_shocks(self, theta: np.ndarray) -> np.ndarray:
        """What each shock is in the file's own units, (n, S, T, K)."""
        unit = self.solver.unit_shocks(self.full_theta(theta))
        if self.solver.surprises:
            unit[:, -1] *= np.asarray(theta)[:, -1, None, None]
        return unit


def _with_scale(spec: WorldSpec) -> WorldSpec:
    """The spec with the size of the file's surprises as its last parameter."""
    name = SCALE
    while name in spec.parameter_names:
        name += "_"
    scale = Parameter(
        name=name,
        tex=name,
        low=0.0,
        high=np.inf,
        default=1.0,
        unit="times the file's shocks(surprise)",
        meaning="size of the surprises",
        role="shock_size",
    )
    surprises = spec.shocks[-1].model_copy(
        update={"size": name, "meaning": "the file's shocks(surprise), all of them"}
    )
    fields = {field: getattr(spec, field) for field in WorldSpec.model_fields}
    fields["parameters"] = (*spec.parameters, scale)
    fields["shocks"] = (*spec.shocks[:-1], surprises)
    return WorldSpec(**fields)
