"""Who answers for one world: a solver or a trained network, behind one contract of arrays.

Axes: n draw, P parameter, S shock, H horizon, O observable, F parameter of a derivative.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from emulator.errors import EmulatorError, ParameterError
from emulator.inference.draws import Complete
from emulator.inference.shock_size import Scaling
from emulator.solvers import StateSpace
from emulator.solvers.perturbation import Rules
from emulator.spec import DEFAULT_HORIZON, WorldSpec

if TYPE_CHECKING:
    from emulator.inference.paths import ShockPath


class Local(NamedTuple):
    """Responses (H+1, O) to one shock at one draw, the logarithm of the probability that the draw
    has a unique stable solution, and the derivatives of both, (F, H+1, O) and (F,).
    """

    irf: np.ndarray
    log_solvable: float
    irf_by: np.ndarray
    log_solvable_by: np.ndarray


class Gradient(NamedTuple):
    """Responses (H+1, O) to one shock at one draw, log-probability of a solution, and the gradient
    (F,) of a function of both.
    """

    irf: np.ndarray
    log_solvable: float
    gradient: np.ndarray


Force = Callable[[np.ndarray], np.ndarray]
"""The derivatives (H+1, O) of a function of the responses (H+1, O)."""


class Answerer(ABC):
    """Responses of one world, arrays in and arrays out.

    theta is float64 (n, P), each parameter in its own unit; responses are in the units of the
    world's observables, float64, NaN where the solver finds no unique stable solution.
    """

    spec: WorldSpec
    title: str
    """Who answers, as figures and tables name it."""
    exact: bool
    """Whether a solver answers."""
    last_horizon: int | None = None
    """The last horizon that it answers to; None where there is none."""
    usual_horizon: int = DEFAULT_HORIZON
    notes: Sequence[str] = ()
    """What a reader should know of every answer, such as a request of a file that is not met."""
    solution: str = "unique stable solution"
    """What a draw has that is answered, in words."""
    calibrated: bool = True
    """Whether it knows how far to trust it; a solver does, a network once it is calibrated."""
    order: int = 1
    """The order of approximation of an answer unless another is asked for."""
    highest_order: int = 1
    """The highest order at which it answers."""
    order_notes: Sequence[str] = ()
    """What a reader should know of first-order answers: that another order was asked for."""
    moments_notes: Sequence[str] = ()
    """What a reader should know of theoretical moments: that a file asks for others."""
    filter_notes: Sequence[str] = ()
    """Those of them that hold for shares in variances too."""
    still_shocks: Mapping[str, str] = MappingProxyType({})
    """Shocks of a file that have no size, each with what can be done."""
    no_shocks: EmulatorError | None = None
    """Why it answers to no shock but under perfect foresight, of a file in which none has a
    variance.
    """
    predicts_regime: bool = False
    """Whether a network predicts the regime of a draw and answers within it; the responses of
    others are smooth where the world's jump.
    """
    complete: Complete | None = None
    """Makes theta of named columns where other parameters follow from them."""

    @property
    def trained_range(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Of a network, smallest and largest value of each parameter in training, (P,) and (P,)."""
        return None

    @abstractmethod
    def responses(
        self, theta: np.ndarray, horizon: int, shocks: Sequence[int] | None = None
    ) -> np.ndarray:
        """Responses (n, S, H+1, O) to shocks of one standard deviation; shocks: positions of the
        wanted ones, by default all.
        """

    @abstractmethod
    def status(self, theta: np.ndarray) -> np.ndarray:
        """`Status` of each draw, (n,) uint8."""

    @abstractmethod
    def log_solvable(self, theta: np.ndarray) -> np.ndarray:
        """Logarithm (n,) of the probability that each draw has a unique stable solution."""

    @abstractmethod
    def scaled(
        self,
        theta: np.ndarray,
        scaling: Scaling,
        horizon: int,
        horizons: Sequence[int] | None = None,
    ) -> np.ndarray:
        """Responses (n, S, H+1, O) to the shocks of a scaling, up to a horizon; of these the given
        horizons alone.
        """

    @abstractmethod
    def answered(self, theta: np.ndarray, scaling: Scaling, horizon: int) -> dict[str, np.ndarray]:
        """The fields of an answer (`emulator.inference.answers`): `irf`, `exact`, `determinate`,
        and what else is known of each draw.
        """

    @abstractmethod
    def along_path(self, theta: np.ndarray, path_nST: np.ndarray, horizon: int) -> np.ndarray:
        """Responses (n, H+1, O) to a path of shocks (n, S, T), in standard deviations, which nobody
        expects. Raises `ParameterError` where such a question cannot be answered.
        """

    @abstractmethod
    def jacobian(self, theta: np.ndarray, scaling: Scaling, horizon: int) -> np.ndarray:
        """Derivatives (n, S, H+1, O, P) of `scaled` by the parameters; they mean nothing where
        `signs` calls a draw not determinate.
        """

    has_state_space: bool = False
    """Whether `state_space` answers."""

    def state_space(self, theta: np.ndarray) -> StateSpace:
        """Matrices of `s = A s_1 + B e, y = C s`, A (n, D, D), B (n, D, S), C (n, O, D), e of
        standard deviation one, y the deviation from `mean`; NaN where there is no solution. Raises
        `ParameterError` unless `has_state_space`.
        """
        raise ParameterError(
            f"'{self.spec.name}' has no state space: {self.title} gives responses alone."
        )

    def rules(self, theta: np.ndarray, order: int) -> tuple[Rules, np.ndarray]:
        """Decision rules of order 2 or 3 of the observables, in their units, and the `Status` (n,)
        of each draw. Raises `ParameterError` beyond `highest_order`.
        """
        raise ParameterError(
            f"'{self.spec.name}' is answered at first order: {self.title} gives responses alone;"
            f" order={order} was asked for. Ask emulator.world of a .mod file."
        )

    def mean(self, theta: np.ndarray) -> np.ndarray:
        """What the observables move around, (n, O): zero unless the world has constants."""
        return np.zeros((len(theta), self.spec.n_observables))

    def levels(self, theta: np.ndarray) -> np.ndarray:
        """The mean of the variables themselves, (n, O): `mean`, or the steady state of a file's
        variables where the observables are deviations from it.
        """
        return self.mean(theta)

    def refusal(self, asked: Scaling | ShockPath) -> str:
        """Why these shocks cannot be answered, and who can, without a full stop; empty where they
        can.
        """
        return ""

    def half_width(self, theta: np.ndarray, horizon: int) -> np.ndarray | None:
        """Half width (n, S, H+1, O) of the band around responses to one standard deviation; None
        where there is none, as of a solver that errs by rounding alone.
        """
        return None

    def own_half_width(self, theta: np.ndarray, horizon: int) -> np.ndarray | None:
        """`half_width` without what the solutions that a network learnt from err by."""
        return self.half_width(theta, horizon)

    @abstractmethod
    def signs(self, theta: np.ndarray, scaling: Scaling | None = None) -> dict[str, np.ndarray]:
        """How far to trust the answers at each draw, as fields of an answer, (n,) or (n, P)."""

    @abstractmethod
    def local(self, theta: np.ndarray, horizon: int, shock: int, columns: Sequence[int]) -> Local:
        """Responses to one shock and their derivatives by some parameters at one draw (P,).

        NaN where the solver finds no solution, there or at both neighbours.
        """

    @abstractmethod
    def explain(self, theta: np.ndarray, fields: Mapping[str, np.ndarray]) -> str:
        """Why draws (n, P) have no answer, in words; fields: those of an answer at these draws."""

    def judged(self, theta: np.ndarray, horizon: int, shock: int) -> tuple[np.ndarray, np.ndarray]:
        """Responses (n, H+1, O) to one shock and `log_solvable` (n,); a solver has both at once."""
        return self.responses(theta, horizon, [shock])[:, 0], self.log_solvable(theta)

    def flagged(self, theta: np.ndarray) -> np.ndarray:
        """Which draws (n,) it says itself to doubt; a solver none."""
        return np.zeros(len(theta), dtype=bool)

    def near_jump(self, theta: np.ndarray) -> np.ndarray | None:
        """Which draws (n,) are near a border between regimes, where responses jump; None where the
        world has no such borders, or none that are known.
        """
        return None

    def gradient(
        self, theta: np.ndarray, horizon: int, shock: int, columns: Sequence[int], force: Force
    ) -> Gradient:
        """The gradient of f(responses) + log-probability of a solution by some parameters, at one
        draw (P,); force: derivatives of f.
        """
        local = self.local(theta, horizon, shock, columns)
        pulled = np.tensordot(local.irf_by, force(local.irf), 2) + local.log_solvable_by
        return Gradient(local.irf, local.log_solvable, pulled)
