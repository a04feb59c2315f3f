"""A trained network as answerer: predictions in batches, derivatives by automatic differentiation,
and what the network says of its own errors.

Axes: n draw, P parameter, S shock, H horizon, O observable, F parameter of a derivative.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from emulator.inference.answerer import Answerer, Force, Gradient, Local
from emulator.inference.method_error import method_error
from emulator.inference.paths import ShockPath, without_infinite
from emulator.inference.shock_size import Scaling
from emulator.models.base import EmulatorModel
from emulator.models.trained import BATCH, TrainedNetwork, in_batches
from emulator.models.trust import Trust
from emulator.solvers import superposed
from emulator.spec import DETERMINATE_FROM, Status
from emulator.worlds.known import regimes_of, solution_error_of

AT_THE_END = 2e-3
"""A parameter this share of its trained range beyond it counts as inside: draws come near a prior's
end and never hit it; a few thousand end about so far from it.
"""

LEAST = 1e-30
"""Probabilities nearer to zero than this count as this, so that their logarithm stays finite in
single precision.
"""

SHARPER = 8.0
"""Factor on the log-odds of a solution. A likelihood may favour draws without one by many orders of
magnitude, since there the network's responses are whatever they are: at odds of one to nine as the
network states them, such a draw is to be worth 2e-8 rather than a tenth.
"""


class NetworkAnswerer(Answerer):
    """A trained network for one of its worlds, on a device that it was moved to."""

    exact = False

    def __init__(self, trained: TrainedNetwork, world: str, device: torch.device) -> None:
        self.trained, self.device = trained, device
        self.world = world
        self.spec = trained.world_specs[world]
        self.usual_horizon = trained.network.horizon
        self.last_horizon = None if trained.network.any_horizon else trained.network.horizon
        origin = trained.origin
        self.title = "network" if origin is None else f"network {Path(origin.path).parent.name}"
        if trained.network.exact_in:
            self.title = f"{self.title} ({trained.network.exact_in})"
        self.calibrated = trained.trust is not None
        self.solution_error = solution_error_of(self.spec)
        self.predicts_regime = trained.network.predicts_regime(world)

    @cached_property
    def trained_range(self) -> tuple[np.ndarray, np.ndarray]:
        statistics = self.trained.network.normaliser.statistics(self.world)
        low, high = statistics.theta_low, statistics.theta_high
        return low.double().cpu().numpy(), high.double().cpu().numpy()

    @property
    def trust(self) -> Trust | None:
        """Its bands and flags; None until it is calibrated."""
        return self.trained.trust

    # Responses

    def responses(
        self, theta: np.ndarray, horizon: int, shocks: Sequence[int] | None = None
    ) -> np.ndarray:
        chosen = slice(None) if shocks is None else list(shocks)
        network = self.trained.network
        return self._ask(lambda rows: network(rows, self.world, horizon)[:, chosen], theta)

    def scaled(
        self,
        theta: np.ndarray,
        scaling: Scaling,
        horizon: int,
        horizons: Sequence[int] | None = None,
    ) -> np.ndarray:
        chosen = slice(horizon + 1) if horizons is None else list(horizons)
        return self._ask(lambda rows: self._of_shocks(rows, scaling, horizon)[:, :, chosen], theta)

    def answered(self, theta: np.ndarray, scaling: Scaling, horizon: int) -> dict[str, np.ndarray]:
        """What the network says, with its band and its flags; draws that it takes for unsolvable
        are not `determinate`, and their numbers mean nothing.
        """
        asked = scaling.theta(theta)
        network, chosen = self.trained.network, list(scaling.shocks)
        last = max(horizon, self.usual_horizon) if self.solution_error else horizon
        whole = self._ask(
            lambda rows: network(scaling.theta(rows), self.world, last)[:, chosen], theta
        )
        plain = whole[:, :, : horizon + 1]
        signs = self.signs(theta, scaling)
        scaling.check_impacts(plain[signs.get("determinate", np.ones(len(theta), dtype=bool))])
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = scaling.factor(theta, plain)
            fields = {"irf": plain * factor, "exact": np.zeros(len(theta), dtype=bool)}
            own = self.own_half_width(asked, horizon)
            if own is not None:
                width = self._with_method_error(own[:, chosen], whole) * np.abs(factor)
                fields["lower"] = fields["irf"] - width
                fields["upper"] = fields["irf"] + width
        return without_infinite(fields | signs)

    def half_width(self, theta: np.ndarray, horizon: int) -> np.ndarray | None:
        """Half width (n, S, H+1, O) of the band around responses to one standard deviation; NaN
        beyond the horizon of the training data, None where the network is not calibrated.

        It holds the network's error (`own_half_width`) and, where the solutions that it learnt from
        err themselves, theirs (`method_error`, with the world's own settings): the root of the sum
        of squares, as of errors that have nothing to do with each other.
        """
        own = self.own_half_width(theta, horizon)
        if own is None or not self.solution_error:
            return own
        return self._with_method_error(own, self.responses(theta, max(horizon, self.usual_horizon)))

    def own_half_width(self, theta: np.ndarray, horizon: int) -> np.ndarray | None:
        trust = self.trust
        if trust is None:
            return None
        width = self._ask(lambda rows: trust.half_width(rows, self.world), theta)[
            :, :, : horizon + 1
        ]
        beyond = np.full((*width.shape[:2], horizon + 1 - width.shape[2], width.shape[3]), np.nan)
        return np.concatenate([width, beyond], axis=2)

    def _with_method_error(self, own: np.ndarray, irf: np.ndarray) -> np.ndarray:
        """The network's half width and what solutions err by around responses (n, S, H'+1, O)."""
        if not self.solution_error:
            return own
        return np.hypot(own, method_error(self.spec, self.solution_error, irf, own.shape[2] - 1))

    def near_jump(self, theta: np.ndarray) -> np.ndarray | None:
        """By what is known of the borders without a solution."""
        known = regimes_of(self.spec)
        if known is None:
            return None
        return known.margin_estimate(theta) < known.REGIMES.near_estimate

    def along_path(self, theta: np.ndarray, path_nST: np.ndarray, horizon: int) -> np.ndarray:
        return superposed(self.responses(theta, horizon), path_nST)

    def refusal(self, asked: Scaling | ShockPath) -> str:
        if isinstance(asked, ShockPath):
            answered = self.spec.shocks_add_up
            what = "a path of shocks"
        else:
            answered = self.spec.linear or not asked.reversed_shocks
            what = "a size below zero"
        if answered:
            return ""
        why = (
            "has regimes, which a later shock meets with other chances"
            if self.spec.linear
            else "is not linear in its shocks"
        )
        return (
            f"World '{self.spec.name}' {why}, and the network was trained on single shocks of one"
            f" sign: {what} is answered by the solver, emulator.world('{self.spec.name}')"
        )

    def _of_shocks(self, theta: Tensor, scaling: Scaling, horizon: int) -> Tensor:
        asked = scaling.theta(theta)
        irf = self.trained.network(asked, self.world, horizon)[:, list(scaling.shocks)]
        return irf * scaling.factor(theta, irf)

    # How far to trust them

    def signs(self, theta: np.ndarray, scaling: Scaling | None = None) -> dict[str, np.ndarray]:
        """Flags, probability of a solution and ranges; scaling: of the shocks that are asked for,
        whose sizes are part of theta in a world that is not linear in them.
        """
        asked = theta if scaling is None else scaling.theta(theta)
        near = self._ends_moved_in(asked)
        trust, possible = self.trust, self.spec.possible(theta)
        signs: dict[str, np.ndarray] = {}
        if trust is not None:
            signs["flagged"] = self._flagged(near)
            signs["flagged"] |= ~possible
            if trust.judges(self.world):
                signs["probability_determinate"] = np.where(possible, self.probability(theta), 0.0)
            likely = signs.get("probability_determinate", np.ones(len(theta)))
            signs["determinate"] = (likely >= DETERMINATE_FROM) & possible
        normaliser = self.trained.network.normaliser
        outside = self._ask(lambda rows: normaliser.outside(rows, self.world), near)
        signs["parameter_in_range"] = outside == 0
        signs["in_range"] = np.all(signs["parameter_in_range"], axis=1)
        overflowing = self._overflowing(asked, ~signs["in_range"])
        if overflowing.any():
            signs["determinate"] = signs.get("determinate", True) & ~overflowing
        return signs

    def _overflowing(self, theta: np.ndarray, far: np.ndarray) -> np.ndarray:
        """Which of the draws (n,) have responses too large for single precision, among those that
        are `far` (n,) from the training draws; no other can.
        """
        overflowing = np.zeros(len(theta), dtype=bool)
        if far.any():
            irf = self.responses(theta[far], self.usual_horizon)
            overflowing[far] = ~np.isfinite(irf).all(axis=(1, 2, 3))
        return overflowing

    def probability(self, theta: np.ndarray) -> np.ndarray:
        """The network's probability (n,) that each draw has a unique stable solution."""
        trust = self.trust
        assert trust is not None, "asked of calibrated networks only"
        return self._ask(lambda rows: trust.determinacy(rows, self.world), theta)

    def status(self, theta: np.ndarray) -> np.ndarray:
        """As the network takes them: it tells draws with a solution from draws without one, and not
        why there is none (`Status.UNSOLVABLE`).
        """
        determinate = self.signs(theta).get("determinate", np.ones(len(theta), dtype=bool))
        status = np.where(determinate, Status.OK, Status.UNSOLVABLE)
        return np.where(self.spec.possible(theta), status, Status.OUTSIDE_BOUNDS).astype(np.uint8)

    def flagged(self, theta: np.ndarray) -> np.ndarray:
        return super().flagged(theta) if self.trust is None else self._flagged(theta)

    def _flagged(self, theta: np.ndarray) -> np.ndarray:
        return self._ask(lambda rows: self.trained.flagged(rows, self.world), theta) > 0

    def explain(self, theta: np.ndarray, fields: Mapping[str, np.ndarray]) -> str:
        likely = fields.get("probability_determinate", np.ones(len(theta)))
        if (likely >= DETERMINATE_FROM).any():
            return (
                "the network's responses there are too large for a number, far beyond its training"
                " draws"
            )
        lowest = likely.min()
        return (
            f"the network's own judgement, with probabilities of a solution down to {lowest:.2g}"
            " (fallback='exact', on the command line --exact, asks the solver)"
        )

    def _ends_moved_in(self, theta: np.ndarray) -> np.ndarray:
        """theta (n, P) with values that are `AT_THE_END` of their trained range put on it."""
        low, high = self.trained_range
        reach = AT_THE_END * (high - low)
        near = (theta >= low - reach) & (theta <= high + reach)
        return np.where(near, np.clip(theta, low, high), theta)

    def _ask(self, what: Callable[[Tensor], Tensor], theta: np.ndarray) -> np.ndarray:
        if self.trained.network.training:  # someone trained it since
            self.trained.network.eval()
        with torch.inference_mode():
            return in_batches(what, theta, self.device).astype(np.float64)

    # Derivatives

    def jacobian(self, theta: np.ndarray, scaling: Scaling, horizon: int) -> np.ndarray:
        """In forward mode, a parameter at a time: there are fewer parameters than responses."""
        with torch.no_grad():
            parts = [
                self._derivatives(self._rows(theta[start : start + BATCH // 4]), scaling, horizon)
                for start in range(0, len(theta), BATCH // 4)
            ]
        return np.concatenate(parts)

    def _derivatives(self, theta: Tensor, scaling: Scaling, horizon: int) -> np.ndarray:
        # What a network keeps from its first answer must not be made inside a transform.
        self._of_shocks(theta[:1], scaling, horizon)
        directions = torch.eye(theta.shape[1], device=theta.device)
        columns = [
            torch.func.jvp(
                lambda at: self._of_shocks(at, scaling, horizon),
                (theta,),
                (direction.expand_as(theta),),
            )[1]
            for direction in directions
        ]
        return torch.stack(columns, dim=-1).double().cpu().numpy()

    @cached_property
    def _frozen(self) -> EmulatorModel:
        """A copy whose weights ask for no gradients, so that backward passes cost less."""
        return copy.deepcopy(self.trained.network).requires_grad_(False)

    def _alone(self, horizon: int) -> Callable[[Tensor], Tensor]:
        """The frozen network for this world and horizon."""
        if horizon <= self._frozen.horizon:
            return self._frozen.alone(self.world)
        return lambda rows: self._frozen(rows, self.world, horizon)

    def local(self, theta: np.ndarray, horizon: int, shock: int, columns: Sequence[int]) -> Local:
        """By one backward pass over N copies of the draw, of which the k-th is asked for its k-th
        response; PyTorch's forward mode took three times as long.
        """
        n = self.spec.n_observables * (horizon + 1)
        rows = self._rows(theta[None]).repeat(n + 1, 1).requires_grad_()
        responses = self._alone(horizon)(rows)[:, shock, : horizon + 1]
        log_solvable = self._log_solvable(rows[n:]).sum()
        diagonal = responses.flatten(1)[:n].diagonal().sum()
        (by,) = torch.autograd.grad(diagonal + log_solvable, rows)
        by_columns = by[:, list(columns)].double().cpu().numpy()
        irf = responses[0].detach().double().cpu().numpy()
        irf_by = by_columns[:n].T.reshape(len(columns), *irf.shape)
        return Local(irf, float(log_solvable.detach()), irf_by, by_columns[n])

    def gradient(
        self, theta: np.ndarray, horizon: int, shock: int, columns: Sequence[int], force: Force
    ) -> Gradient:
        """By one backward pass."""
        row = self._rows(theta[None]).requires_grad_()
        responses = self._alone(horizon)(row)[0, shock, : horizon + 1]
        irf = responses.detach().double().cpu().numpy()
        log_solvable = self._log_solvable(row).sum()
        forces = torch.as_tensor(force(irf), dtype=responses.dtype, device=self.device)
        (by,) = torch.autograd.grad((responses * forces).sum() + log_solvable, row)
        gradient = by[0, list(columns)].double().cpu().numpy()
        return Gradient(irf, float(log_solvable.detach()), gradient)

    def log_solvable(self, theta: np.ndarray) -> np.ndarray:
        """The network's probability, sharpened (`SHARPER`); one everywhere where it was calibrated
        without draws that have no solution.
        """
        return self._ask(self._log_solvable, theta)

    def _log_solvable(self, theta: Tensor) -> Tensor:
        if self.trust is None or not self.trust.judges(self.world):
            return theta.new_zeros(len(theta))
        most = 1 - torch.finfo(torch.float32).eps
        probability = self.trust.determinacy(theta, self.world).clamp(LEAST, most)
        return torch.nn.functional.logsigmoid(SHARPER * probability.logit())

    def _rows(self, theta: np.ndarray) -> Tensor:
        return torch.as_tensor(theta, dtype=torch.float32, device=self.device)
