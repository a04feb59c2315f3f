"""The result of one estimation: a world's parameters from one target.

Axes: n draw, P parameter, F free parameter, H horizon, Q quantile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emulator.estimation.density import Density
from emulator.estimation.diagnostics import (
    Diagnostics,
    Evidence,
    Movement,
    Rescored,
    identification_complaints,
)
from emulator.estimation.indirect.responder import LikeTheData
from emulator.estimation.point import Point
from emulator.estimation.settings import QUANTILE_NAMES, QUANTILES, Budget
from emulator.estimation.target import Target
from emulator.spec import WorldSpec

MONETARY, RATE = "monetary", "rate"
"""The shock and the observable that belong together in the worlds that have both."""

TAIL = 0.005
"""Share of the posterior's draws that lie beyond the point estimate, from which it counts as
another mode's.
"""


@dataclass(frozen=True)
class Estimate:
    """Point estimate, posterior and marginal likelihood of one world, and what speaks against
    them.

    `posterior` is ArviZ InferenceData with a variable for each free parameter, in its own unit.

    fitted (Q, H+1, O): quantiles `QUANTILES` under the posterior of what is matched; own
    (Q, H+1, O): of the world's own responses to the shock, which are the same unless the world is
    looked at like the data; evidence: log
    marginal quasi-likelihood under the responder that was sampled, exact_evidence under the solver,
    by importance weights; held: values of parameters that were not estimated, with the reason;
    movements: where the world moves although the target's identification says that it does not;
    missed: parameters whose chains differ from the scout's particles; flagged: share of draws that
    the network itself doubts; seconds: by stage, on a clock on the wall; processor_seconds: those
    that this process computed, which other programs do not lengthen.
    """

    target: Target
    density: Density
    budget: Budget
    point: Point
    posterior: Any
    diagnostics: Diagnostics
    evidence: Evidence
    fitted: np.ndarray
    own: np.ndarray
    held: Mapping[str, tuple[float, str]]
    movements: Sequence[Movement] = ()
    missed: Sequence[str] = ()
    rescored: Rescored | None = None
    exact_evidence: float | None = None
    flagged: float = 0.0
    seconds: Mapping[str, float] = field(default_factory=dict)
    processor_seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def spec(self) -> WorldSpec:
        return self.density.prior.spec

    @property
    def exact(self) -> bool:
        """Whether the solver answered during the search, not a network."""
        return self.density.responder.exact

    @property
    def like_the_data(self) -> bool:
        """Whether the target's procedure was run on the world's own data."""
        return isinstance(self.density.responder, LikeTheData)

    @property
    def complaints(self) -> list[str]:
        """What speaks against relying on the posterior, in words; empty where nothing does."""
        complaints = [
            *of_another_shock(self.target, self.spec, self.density.responder.shock),
            *identification_complaints(self.movements),
            *self.diagnostics.complaints,
        ]
        entries = self.density.criterion.size
        free = len(self.density.prior.free)
        if entries < free:
            complaints.append(
                f"{self.density.criterion.words} cannot tell {free} parameters apart: many values"
                " fit as well as the point estimate, and the prior decides between them"
            )
        if self.missed:
            complaints.append(
                "the chains are distributed otherwise than the scout's particles in"
                f" {', '.join(self.missed)}: the posterior has several modes between which they do"
                " not move; use the sampler smc"
            )
        if apart := self.apart:
            complaints.append(
                f"the point lies beyond nearly all draws of the posterior in {', '.join(apart)}:"
                " the best fit and most of the probability are different modes"
            )
        if self.rescored is not None:
            complaints += self.rescored.complaints
        if isinstance(self.density.responder, LikeTheData):
            complaints += self.density.responder.complaints(self.point.theta)
        if self.flagged > 0.05:
            complaints.append(f"the network itself doubts {self.flagged:.0%} of the draws")
        return complaints

    @property
    def draws(self) -> np.ndarray:
        """Draws (n, F) of the posterior, each parameter in its unit."""
        return np.stack(
            [self.posterior.posterior[name].values.ravel() for name in self.density.prior.names],
            axis=1,
        )

    @property
    def apart(self) -> list[str]:
        """Parameters inside their ranges whose point estimate is beyond all but a share `TAIL` of
        the posterior's draws.
        """
        prior = self.density.prior
        below = (self.draws < self.point.theta[list(prior.free)]).mean(axis=0)
        beyond = (below < TAIL) | (below > 1 - TAIL)
        return [
            name
            for name, far in zip(prior.names, beyond, strict=True)
            if far and name not in self.point.at_bound
        ]

    def table(self) -> pd.DataFrame:
        """A row a free parameter: point, standard error, whether at its bound, mean, standard
        deviation and quantiles of the posterior, and the mean under exact weights.
        """
        prior = self.density.prior
        draws = self.draws
        columns: dict[str, Any] = {
            "point": self.point.theta[list(prior.free)],
            "standard_error": self.point.standard_errors,
            "at_bound": [name in self.point.at_bound for name in prior.names],
            "mean": draws.mean(axis=0),
            "sd": draws.std(axis=0),
            **dict(zip(QUANTILE_NAMES, np.quantile(draws, QUANTILES, axis=0), strict=True)),
        }
        if self.rescored is not None:
            columns["mean_exact"] = self.rescored.weights @ self.rescored.theta[:, list(prior.free)]
        columns |= {
            "low": prior.low,
            "high": prior.high,
            "unit": [self.spec.parameters[k].unit for k in prior.free],
        }
        return pd.DataFrame(columns, index=pd.Index(prior.names, name="parameter"))

    def fit(self) -> pd.DataFrame:
        """A row a horizon and observable: the target with its standard deviation, whether it was
        matched, the fit at the point, and its quantiles; of a world that is looked at like the
        data, quantiles of its own responses as well.
        """
        data = (
            self.target.dataset()[["irf", "sd", "matched"]]
            .to_dataframe()
            .drop(columns="unit", errors="ignore")
        )
        data = data.rename(columns={"irf": "target", "sd": "target_sd"}).assign(
            point=self.point.irf.ravel()
        )
        quantiles = self.fitted.reshape(len(QUANTILES), -1)
        data = data.assign(**dict(zip(QUANTILE_NAMES, quantiles, strict=True)))
        if not self.like_the_data:
            return data
        names = [f"own_{name}" for name in QUANTILE_NAMES]
        own = self.own.reshape(len(QUANTILES), -1)
        return data.assign(**dict(zip(names, own, strict=True)))

    def write(self, folder: str | Path) -> None:
        """Write `posterior.nc`, `parameters.csv`, `fit.csv` and `result.json` into a folder."""
        from emulator.estimation.result_files import write_estimate

        write_estimate(self, Path(folder))


def of_another_shock(target: Target, spec: WorldSpec, shock: int) -> list[str]:
    """What speaks against a VAR whose shock is not that in the rate and that is matched to a
    world's monetary shock, in words.
    """
    procedure = target.procedure
    if procedure is None or spec.shock_names[shock] != MONETARY:
        return []
    name, observable, _ = procedure.innovation
    if observable in ("", RATE) or RATE not in spec.observable_names:
        return []
    return [
        f"the target is the response to the VAR's shock in {name} ({observable}), and it is"
        f" matched to the world's {MONETARY} shock, which is one to the {RATE}; order the"
        f" {RATE} last or name its series (innovation=, on the command line --innovation), or"
        " name the world's shock that the VAR's stands for (shock=, on the command line"
        " --shock)"
    ]
