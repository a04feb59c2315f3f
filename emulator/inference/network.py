"""A trained network behind five lines: named parameters in, responses with a band and with how far
to trust them out.

Axes: n draw, P parameter, S shock, H horizon.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from emulator.errors import (
    DoubtWarning,
    NoSolutionError,
    ParameterError,
    UnknownNameError,
    unknown_name,
)
from emulator.inference.answers import answer, derivatives, in_words, refuse
from emulator.inference.draws import Draws, chosen_shocks, labels, last_quarter, theta_of
from emulator.inference.exact import ExactWorld
from emulator.inference.fallback import Fallback, replace, solver_of
from emulator.inference.sensitivity import HORIZONS, Question, Ranges, sobol
from emulator.inference.shock_size import Scaling, SizeLike
from emulator.models.base import EmulatorModel
from emulator.models.checkpoint import Checkpoint
from emulator.models.trained import BATCH, TrainedNetwork, in_batches, load, placed
from emulator.models.trust import Trust
from emulator.spec import DETERMINATE_FROM, WorldSpec

AT_THE_END = 2e-3
"""A parameter this share of its trained range beyond it counts as inside: draws come near a prior's
end and never hit it; a few thousand end about so far from it.
"""

DOUBTED = 1 / 3
"""Share of flagged draws from which indices of sensitivity come with a warning."""


class Emulator:
    """A network that answers for the worlds it was trained on.

    `network` is the PyTorch module itself, which takes and returns tensors, with gradients;
    `checkpoint` says where it comes from.
    """

    def __init__(self, trained: TrainedNetwork | EmulatorModel, device: str = "cpu") -> None:
        self.trained = trained if isinstance(trained, TrainedNetwork) else TrainedNetwork(trained)
        self.device = placed(self.trained, device)

    @classmethod
    def load(cls, name_or_path: str | Path = "universal", device: str = "cpu") -> Emulator:
        """From the name under which it ships, a file, or the folder of a run.

        Raises `UnknownNameError`, `CheckpointError`.
        """
        return cls(load(name_or_path), device)

    def __repr__(self) -> str:
        return (
            f"Emulator of {', '.join(self.worlds)}"
            f" ({type(self.network).__name__}{'' if self.trust else ', not calibrated'})"
        )

    @property
    def worlds(self) -> tuple[str, ...]:
        """Names of the worlds that it knows."""
        return tuple(self.network.world_specs)

    @property
    def network(self) -> EmulatorModel:
        return self.trained.network

    @property
    def checkpoint(self) -> Checkpoint | None:
        return self.trained.origin

    @property
    def trust(self) -> Trust | None:
        """Its bands and flags; None until it is calibrated (`emulator calibrate`)."""
        return self.trained.trust

    def spec(self, world: str) -> WorldSpec:
        """What a world says of itself, as it was when the network was trained.

        Raises `UnknownNameError`.
        """
        if world not in self.worlds:
            error = unknown_name("world of this network", str(world), self.worlds)
            raise (
                UnknownNameError(
                    f"{error} A file is solved, not emulated: emulator.world({str(world)!r})"
                )
                if str(world).endswith(".mod")
                else error
            )
        return self.network.world_specs[world]

    def trained_range(self, world: str) -> tuple[np.ndarray, np.ndarray]:
        """Smallest and largest value of each parameter among the training draws, (P,) and (P,), in
        the parameter's own unit.
        """
        self.spec(world)
        found = self.network.normaliser.statistics(world)
        return found.theta_low.double().cpu().numpy(), found.theta_high.double().cpu().numpy()

    def irf(
        self,
        world: str,
        draws: Draws = None,
        *,
        shocks: str | Iterable[str] | None = None,
        size: SizeLike = 1.0,
        horizon: int | None = None,
        fallback: Fallback = None,
        on_failure: str = "raise",
        **parameters: Any,
    ) -> xr.Dataset:
        """Impulse responses as an xarray Dataset over (draw, shock, horizon, observable); see
        `emulator.inference.answers`.

        draws: a table, a mapping of names or an array (n, P), in each parameter's own unit;
        parameters: by name, the rest at their defaults; shocks: names, all by default; size:
        standard deviations, "25bp", "1%", "25bp on rate" (see `emulator.inference.shock_size`), or
        a mapping by shock; horizon: the last quarter. fallback="exact" has the world's solver
        answer for draws that the network flags or takes for unsolvable (of an own model give the
        path of its .mod file, or the `World` itself). Units: output in percent, inflation and rate
        in annualised percentage points.

        Raises `NoSolutionError` for draws without a unique stable solution, by the network's own
        judgement where the solver was not asked; their responses are NaN with on_failure="nan".
        Raises `UnknownNameError`, `ParameterError` for bad input.
        """
        spec = self.spec(world)
        theta = theta_of(spec, draws, parameters)
        scaling = Scaling.of(spec, chosen_shocks(spec, shocks), size)
        last = self._last(horizon)
        solver = solver_of(spec, fallback, calibrated=self.trust is not None)
        fields = self._predicted(theta, scaling, last)
        if solver is not None:
            replace(fields, fields["flagged"] | ~fields["determinate"], solver, theta, scaling)
        failed = ~fields.get("determinate", np.ones(len(theta), dtype=bool))
        for name in ("irf", "lower", "upper"):
            if name in fields:
                fields[name][failed] = np.nan
        refuse(spec, theta, failed, on_failure, lambda: self._why(fields, theta, failed, solver))
        low, high = self.trained_range(world)
        return answer(
            scaling, theta, fields, self._title(), labels(draws, len(theta))
        ).assign_coords(trained_from=("parameter", low), trained_to=("parameter", high))

    def jacobian(
        self,
        world: str,
        draws: Draws = None,
        *,
        shocks: str | Iterable[str] | None = None,
        size: SizeLike = 1.0,
        horizon: int | None = None,
        **parameters: Any,
    ) -> xr.DataArray:
        """Derivatives of responses by parameters, (draw, shock, horizon, observable, parameter), by
        automatic differentiation.

        Units: of the response, per unit of the parameter. NaN at draws which the network takes for
        unsolvable; coordinates `determinate`, `flagged`, `in_range` .. (draw) as in `irf`, whose
        arguments these are. Raises `UnknownNameError`, `ParameterError` for bad input.
        """
        spec = self.spec(world)
        theta = theta_of(spec, draws, parameters)
        scaling, last = Scaling.of(spec, chosen_shocks(spec, shocks), size), self._last(horizon)
        with torch.no_grad():
            parts = [
                self._derivatives(
                    torch.as_tensor(
                        theta[k : k + BATCH // 4], dtype=torch.float32, device=self.device
                    ),
                    scaling,
                    last,
                )
                for k in range(0, len(theta), BATCH // 4)
            ]
        slopes, signs = np.concatenate(parts), self._signs(scaling.theta(theta), theta, world)
        if "determinate" in signs:
            slopes[~signs["determinate"]] = np.nan
        signs = {name: sign for name, sign in signs.items() if sign.ndim == 1}
        return derivatives(
            scaling,
            slopes,
            signs,
            f"automatic differentiation of {self._title()}",
            labels(draws, len(theta)),
        )

    def sensitivity(
        self,
        world: str,
        n: int = 8192,
        *,
        shocks: str | Iterable[str] | None = None,
        size: SizeLike = 1.0,
        horizons: Sequence[int] = HORIZONS,
        ranges: Ranges | None = None,
        seed: int = 0,
        **fixed: float,
    ) -> xr.Dataset:
        """Sobol's indices of first and total order, (parameter, shock, horizon, observable), with
        standard errors, from n (P + 2) draws.

        Parameters vary over the prior's ranges or those of `ranges`, except the ones that `fixed`
        holds at values. Among the attributes, `without_solution` is the share of draws which the
        network takes for unsolvable, at which it answers all the same, and `flagged` that which it
        doubts. Narrow the ranges where these are not small. Warns with `DoubtWarning` where more
        than `DOUBTED` are flagged. Raises `NoSolutionError` where most have no solution,
        `ParameterError`, `UnknownNameError`.
        """
        spec = self.spec(world)
        scaling = Scaling.of(spec, chosen_shocks(spec, shocks), size)
        question = Question.of(spec, scaling, horizons, ranges, fixed)
        last, doubts = self._last(max(question.horizons)), self._doubts(question, seed)
        found = sobol(
            question,
            lambda theta: self._irf(theta, scaling, last, list(question.horizons)),
            n,
            seed,
        )
        return found.assign_attrs(source=self._title(), **doubts)

    def _doubts(self, question: Question, seed: int) -> dict[str, float]:
        """Shares of a question's draws without a solution and flagged, by the network's own
        judgement; see `sensitivity`.
        """
        theta = question.theta(
            np.random.default_rng(seed).uniform(
                question.low, question.high, (4096, len(question.free))
            )
        )
        name = question.spec.name
        signs = self._signs(question.scaling.theta(theta), theta, name)
        shares = (
            {
                "without_solution": 1 - signs["determinate"].mean(),
                "flagged": signs["flagged"].mean(),
            }
            if "flagged" in signs
            else {}
        )
        if shares.get("without_solution", 0.0) > 0.5:
            raise NoSolutionError(
                f"World '{name}': the network takes {shares['without_solution']:.0%} of the draws"
                " of these ranges for unsolvable. Narrow them, ranges={'name': (low, high)}, or"
                " hold parameters at values."
            )
        if shares.get("flagged", 0.0) > DOUBTED:
            warnings.warn(
                f"{name}: the network doubts its answers at {shares['flagged']:.0%} of the draws of"
                " these ranges, and with them these indices. Narrow the ranges, or ask the solver:"
                f" emulator.world('{name}').sensitivity.",
                DoubtWarning,
                stacklevel=3,
            )
        return {share: float(value) for share, value in shares.items()}

    # -- the network's answers as arrays
    # ---------------------------------------------------------------------------

    def _predicted(self, theta: np.ndarray, scaling: Scaling, last: int) -> dict[str, np.ndarray]:
        """What the network says at theta (n, P), for shocks of the sizes that are asked for, as the
        fields of an answer.
        """
        world, asked = scaling.spec.name, scaling.theta(theta)
        plain = self._irf(theta, scaling, last, scaled=False)
        factor = scaling.factor(theta, plain)
        fields = {"irf": plain * factor, "exact": np.zeros(len(theta), dtype=bool)}
        trust = self.trust
        if trust is not None:
            width = self._ask(lambda batch: trust.half_width(batch, world), asked)[
                :, list(scaling.shocks), : last + 1
            ].astype(np.float64)
            beyond = np.full(
                (*width.shape[:2], last + 1 - width.shape[2], 3), np.nan
            )  # no band is known beyond the training data's horizon
            width = np.concatenate([width, beyond], axis=2) * np.abs(factor)
            fields |= {"lower": fields["irf"] - width, "upper": fields["irf"] + width}
        return fields | self._signs(asked, theta, world)

    def _signs(self, asked: np.ndarray, theta: np.ndarray, world: str) -> dict[str, np.ndarray]:
        """How far to trust the answers at theta (n, P), for shocks whose sizes `asked` holds; see
        `emulator.inference.answers`.
        """
        doubted, trust = self._ends_moved_in(asked, world), self.trust
        found: dict[str, np.ndarray] = {}
        if trust is not None:
            found["flagged"] = self._ask(lambda batch: trust.flagged(batch, world), doubted) > 0
            if trust.judges(world):
                found["probability_determinate"] = self._determinacy(theta, world)
            found["determinate"] = (
                found.get("probability_determinate", np.ones(len(theta))) >= DETERMINATE_FROM
            )
        found["parameter_in_range"] = (
            self._ask(lambda batch: self.network.normaliser.outside(batch, world), doubted) == 0
        )
        found["in_range"] = np.all(found["parameter_in_range"], axis=1)
        return found

    def _ends_moved_in(self, theta: np.ndarray, world: str) -> np.ndarray:
        """theta (n, P) with values that are `AT_THE_END` of their trained range put on it."""
        low, high = self.trained_range(world)
        reach = AT_THE_END * (high - low)
        return np.where(
            (theta >= low - reach) & (theta <= high + reach), np.clip(theta, low, high), theta
        )

    def _irf(
        self,
        theta: np.ndarray,
        scaling: Scaling,
        last: int,
        horizons: list[int] | None = None,
        scaled: bool = True,
    ) -> np.ndarray:
        """Responses (n, S, H, 3), float64, of the chosen shocks, multiplied by their factors if
        `scaled`.
        """
        kept = slice(last + 1) if horizons is None else horizons
        return self._ask(
            lambda batch: self._of_shocks(batch, scaling, last, scaled)[:, :, kept], theta
        ).astype(np.float64)

    def _of_shocks(self, theta: Tensor, scaling: Scaling, last: int, scaled: bool = True) -> Tensor:
        irf = self.network(scaling.theta(theta), scaling.spec.name, last)[:, list(scaling.shocks)]
        return irf * scaling.factor(theta, irf) if scaled else irf

    def _derivatives(self, theta: Tensor, scaling: Scaling, last: int) -> np.ndarray:
        """Forward mode, a parameter at a time: there are fewer parameters than responses."""
        self._of_shocks(
            theta[:1], scaling, last
        )  # what a network keeps from its first answer must not be made inside a transform
        directions = torch.eye(theta.shape[1], device=theta.device)
        columns = [
            torch.func.jvp(
                lambda at: self._of_shocks(at, scaling, last),
                (theta,),
                (direction.expand_as(theta),),
            )[1]
            for direction in directions
        ]
        return torch.stack(columns, dim=-1).double().cpu().numpy()

    def _determinacy(self, theta: np.ndarray, world: str) -> np.ndarray:
        trust = self.trust
        assert trust is not None
        return self._ask(lambda batch: trust.determinacy(batch, world), theta).astype(np.float64)

    def _ask(self, what: Any, theta: np.ndarray) -> np.ndarray:
        if self.network.training:  # someone trained it since
            self.network.eval()
        with torch.inference_mode():
            return in_batches(what, theta, self.device)

    # -- what was asked
    # --------------------------------------------------------------------------------------------

    def _last(self, horizon: int | None) -> int:
        last = self.network.horizon if horizon is None else last_quarter(horizon)
        if last > self.network.horizon and not self.network.any_horizon:
            raise ParameterError(
                f"The horizon is {last}; this network answers to horizons 0 to"
                f" {self.network.horizon}."
            )
        return last

    def _why(
        self,
        fields: dict[str, np.ndarray],
        theta: np.ndarray,
        failed: np.ndarray,
        solver: ExactWorld | None,
    ) -> str:
        if solver is not None:
            return in_words(solver.verdicts(theta[failed]))
        return (
            "the network's own judgement, with probabilities of a solution down to"
            f" {fields['probability_determinate'][failed].min():.2g} (fallback='exact', on the"
            " command line --exact, asks the solver)"
        )

    def _title(self) -> str:
        return (
            "network"
            if self.checkpoint is None
            else f"network {Path(self.checkpoint.path).parent.name}"
        )
