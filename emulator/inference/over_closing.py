"""An economy whose dear part a network answers for, closed exactly.

What the closing does is exact, such as the effect of its own parameters. The network's flags and
ranges of the part are the economy's. The network's band is not: how errors of the part pass through
the closing depends on how they go together, which no band says. It is measured on draws of the part
(`ClosingBand`), or the answer has no band and says so.

Axes: n draw, P parameter, S shock, H horizon, O observable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral

import numpy as np

from emulator.errors import ParameterError
from emulator.inference.answerer import Answerer, Local
from emulator.inference.closing_band import LEAST, ClosingBand
from emulator.inference.economy import Economy
from emulator.inference.over_solver import SolverAnswerer
from emulator.inference.shock_size import Scaling
from emulator.spec import DEFAULT_HORIZON, Status
from emulator.worlds.base import OnFailure, World
from emulator.worlds.calls import in_short
from emulator.worlds.closing import Closing

DIFFERENCE = 1e-2
"""Half width of a difference that stands for a derivative, as a share of a parameter's range: wide,
since a network answers in single precision.
"""


NO_BAND = (
    "This answer has no error band: how errors of the network pass through the closing was not"
    " measured. emulator.closed(part, economy, draws=...) measures it on draws of the part."
)


def closed(
    part: Economy,
    economy: Closing,
    draws: int | tuple[np.ndarray, np.ndarray] | None = None,
    seed: int = 0,
) -> Economy:
    """The economy that a closing makes of what answers for its part, such as a trained network.

    emulator.closed(emulator.load("runs/household")["household"], economy, draws=100).irf(...)

    draws: from which the error band is fitted: theta (n, P') and exact responses (n, S', H+1, O')
    of the part that the network has not learnt from, such as `data.read("household", "val")`, or
    how many the part is to be solved for here; without them the answer has no band, and says so.
    seed: of draws that are solved, and of the closing's own parameters at them.
    Raises `ParameterError` where `part` is another model than the closing's part, or observes other
    things, and for draws that do not fit.
    """
    if not isinstance(economy, Closing) or not isinstance(part, Economy):
        raise ParameterError(
            f"closed() was given a {type(part).__name__} and a {type(economy).__name__}; expected"
            " an economy that answers for the part, and the `Closing` that is made of it."
        )
    spec, wanted = part.spec, economy.part.spec
    same = spec.is_same_model(wanted) and spec.observable_names == wanted.observable_names
    if not same:
        raise ParameterError(
            f"'{economy.spec.name}' is closed over '{wanted.name}', and '{spec.name}' has other"
            " parameters, shocks or observables. Train the network on data of the closing's part."
        )
    band = None
    if draws is not None and not part.answerer.exact:
        rng = np.random.default_rng([seed, 0])
        theta, irf = _solved(part.answerer, economy.part, draws, rng)
        band = ClosingBand.fitted(part.answerer, economy, theta, irf, rng)
    return Economy(ClosedAnswerer(part.answerer, economy, band))


def _solved(
    answerer: Answerer,
    part: World,
    draws: int | tuple[np.ndarray, np.ndarray],
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draws of the part (n, P') with their exact responses, as they were given or solved here.

    Raises `ParameterError` for what is neither a number of draws nor a pair of arrays.
    """
    if isinstance(draws, tuple | list) and len(draws) == 2:
        return draws[0], draws[1]
    if isinstance(draws, bool) or not isinstance(draws, Integral) or draws < LEAST:
        raise ParameterError(
            f"draws is {in_short(draws)}; expected how many draws of '{part.spec.name}' to solve,"
            f" {LEAST} or more, or theta (n, P) and exact responses of draws, as a pair."
        )
    theta = part.sample(int(draws), rng)
    last = answerer.last_horizon
    return theta, part.irf(theta, part.horizon if last is None else min(part.horizon, last))


class AnsweredPart(World):
    """What answers for the part, in the place of the world that it was trained on."""

    has_trajectories = False

    def __init__(self, answerer: Answerer, world: World) -> None:
        self.answerer, self.world, self.spec = answerer, world, world.spec
        self.horizon = min(world.horizon, answerer.usual_horizon)
        self.longest_horizon = answerer.last_horizon
        self.draws_per_task = World.draws_per_task
        self.difference = DIFFERENCE

    def propose(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return self.world.propose(n, rng)

    def status(self, theta: np.ndarray) -> np.ndarray:
        return self.answerer.status(theta)

    def irf(
        self, theta: np.ndarray, horizon: int = DEFAULT_HORIZON, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        irf = self.answerer.responses(theta, horizon)
        failed = self.status(theta) != Status.OK
        irf[failed] = np.nan
        self._refuse(theta, failed, on_failure)
        return irf

    def simulate(
        self, theta: np.ndarray, shocks: np.ndarray, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        raise ParameterError(f"No paths of '{self.spec.name}' are known; the solver has them.")


class ClosedAnswerer(Answerer):
    """A closing over what answers for its part."""

    exact = False

    def __init__(self, part: Answerer, economy: Closing, band: ClosingBand | None = None) -> None:
        self.part, self.economy, self.band = part, economy, band
        self.spec = economy.spec
        without = band is None and not part.exact
        self.title = f"{part.title}, closed exactly{', without a band' if without else ''}"
        self.calibrated = part.calibrated
        self.solver = SolverAnswerer(economy.over(AnsweredPart(part, economy.part)))
        self.usual_horizon = self.solver.usual_horizon
        self.last_horizon = self.solver.last_horizon
        self.notes = (*part.notes, NO_BAND) if without else part.notes
        self.solution = economy.solution

    @property
    def trained_range(self) -> tuple[np.ndarray, np.ndarray] | None:
        """That of the part; the closing's own parameters are exact anywhere."""
        ranges = self.part.trained_range
        if ranges is None:
            return None
        own = slice(self.economy.part.spec.n_parameters, None)
        ends = self.spec.low[own], self.spec.high[own]
        low, high = (np.concatenate(pair) for pair in zip(ranges, ends, strict=True))
        return low, high

    def responses(
        self, theta: np.ndarray, horizon: int, shocks: Sequence[int] | None = None
    ) -> np.ndarray:
        return self.solver.responses(theta, horizon, shocks)

    def status(self, theta: np.ndarray) -> np.ndarray:
        return self.solver.status(theta)

    def log_solvable(self, theta: np.ndarray) -> np.ndarray:
        return self.part.log_solvable(self.economy.of_part(theta))

    def scaled(
        self,
        theta: np.ndarray,
        scaling: Scaling,
        horizon: int,
        horizons: Sequence[int] | None = None,
    ) -> np.ndarray:
        return self.solver.scaled(theta, scaling, horizon, horizons)

    def answered(self, theta: np.ndarray, scaling: Scaling, horizon: int) -> dict[str, np.ndarray]:
        fields = self.solver.answered(theta, scaling, horizon)
        if self.band is not None:
            asked = scaling.theta(theta)
            plain = self.responses(asked, horizon, scaling.shocks)
            with np.errstate(divide="ignore", invalid="ignore"):
                factor = np.abs(scaling.factor(theta, plain))
            width = self.band.half_width(asked, horizon)[:, list(scaling.shocks)] * factor
            fields |= {"lower": fields["irf"] - width, "upper": fields["irf"] + width}
        signs = self.signs(theta, scaling)
        determinate = fields["determinate"] & signs.get("determinate", True)
        return fields | signs | {"determinate": determinate, "exact": np.zeros(len(theta), bool)}

    def half_width(self, theta: np.ndarray, horizon: int) -> np.ndarray | None:
        return None if self.band is None else self.band.half_width(theta, horizon)

    def along_path(self, theta: np.ndarray, path_nST: np.ndarray, horizon: int) -> np.ndarray:
        return self.solver.along_path(theta, path_nST, horizon)

    def jacobian(self, theta: np.ndarray, scaling: Scaling, horizon: int) -> np.ndarray:
        return self.solver.jacobian(theta, scaling, horizon)

    def local(self, theta: np.ndarray, horizon: int, shock: int, columns: Sequence[int]) -> Local:
        return self.solver.local(theta, horizon, shock, columns)

    def flagged(self, theta: np.ndarray) -> np.ndarray:
        return self.part.flagged(self.economy.of_part(theta))

    def signs(self, theta: np.ndarray, scaling: Scaling | None = None) -> dict[str, np.ndarray]:
        """The part's, of its parameters; the closing's own are in range anywhere."""
        signs = self.part.signs(self.economy.of_part(theta))
        if "parameter_in_range" in signs:
            own = np.ones((len(theta), self.spec.n_parameters), dtype=bool)
            own[:, : signs["parameter_in_range"].shape[1]] = signs["parameter_in_range"]
            signs["parameter_in_range"] = own
        return signs

    def explain(self, theta: np.ndarray, fields: Mapping[str, np.ndarray]) -> str:
        closing = self.solver.world
        if closing.explain(theta[:1]):  # the closing fails, of whatever the part has
            return closing.failures(theta)
        return self.part.explain(self.economy.of_part(theta), fields)
