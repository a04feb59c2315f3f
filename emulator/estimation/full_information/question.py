"""What is asked: a world, data, how it observes them, what is known before. Checked as a whole
before any work begins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from emulator.errors import ParameterError
from emulator.estimation.answering import answerers
from emulator.estimation.diagnostics import arviz
from emulator.estimation.full_information.density import DataDensity
from emulator.estimation.full_information.dynare_options import from_file
from emulator.estimation.prior import JointPrior, Ranges
from emulator.estimation.settings import Budget
from emulator.files import json_bytes
from emulator.inference.economy import Economy
from emulator.inference.likelihood import Likelihood
from emulator.inference.likelihood.about import about
from emulator.series import TimeSeries
from emulator.worlds.priors import Prior as MarginalPrior

if TYPE_CHECKING:
    from emulator.inference.answerer import Answerer
    from emulator.inference.emulator import Emulator

Begin = Literal["mode", "prior"]
"""What sequential Monte Carlo begins with."""

FEW = 25
"""Free parameters up to which it begins with the prior unless told otherwise. From the modes it
takes a third of the time. Where priors are wide it leaves tails out if the posterior is curved, and
a mode that no search found (measured, of 12 and 20 parameters: docs/posterior.md).
"""


@dataclass(frozen=True)
class DataSettings:
    """How data are observed, who answers and what is known before; each is described by
    `estimate_from_data`.
    """

    emulator: Emulator | None = None
    exact: bool = True
    observe: Mapping[str, str] | Sequence[str] | None = None
    errors: Mapping[str, Any] | None = None
    sample: str | None = None
    start: str | None = None
    presample: int | None = None
    horizon: int | None = None
    fixed: Mapping[str, float] | None = None
    ranges: Ranges | None = None
    priors: Mapping[str, MarginalPrior] | None = None
    begin: Begin | None = None
    budget: Budget = field(default_factory=Budget)


@dataclass(frozen=True)
class DataProblem:
    """A question that has been checked: the density to sample, the solver's where a network
    answers, the settings, and notes on what was read from a file.
    """

    density: DataDensity
    exact: DataDensity | None
    settings: DataSettings
    fixed: frozenset[str]
    notes: tuple[str, ...]
    spoken: str = ""
    """The world as it was asked for: a name, or the path of a file."""

    @property
    def world(self) -> str:
        """The world's name."""
        return self.density.prior.spec.name

    @classmethod
    def of(
        cls, data: TimeSeries, world: str | Path | Economy, settings: DataSettings | None = None
    ) -> DataProblem:
        """Raises `UnknownNameError`, `ParameterError`, `SeriesError`, `MissingExtraError`."""
        settings = settings or DataSettings()
        arviz()
        if settings.budget.sampler == "nuts":
            from emulator.estimation.nuts import nutpie

            nutpie()
        if settings.begin not in (None, *get_args(Begin)):
            raise ParameterError(
                f"Sampling begins from {settings.begin!r}; expected 'mode' or 'prior', on the"
                " command line --from mode or --from prior."
            )
        answerer, solver = answerers(world, settings.emulator, settings.exact)
        of_file = from_file(answerer, data, settings.sample)
        likelihoods = [
            Likelihood.of(
                who,
                of_file.data if settings.sample is None else of_file.data.window(settings.sample),
                observe=settings.observe,
                errors=settings.errors,
                start=settings.start or of_file.start,  # type: ignore[arg-type]
                presample=of_file.presample if settings.presample is None else settings.presample,
                horizon=settings.horizon,
            )
            for who in (answerer, *_beside(answerer, solver))
        ]
        prior = _prior(answerer, solver, settings)
        if settings.begin is None:
            begin: Begin = "prior" if len(prior.free) <= FEW else "mode"
            settings = replace(settings, begin=begin)
        densities = [DataDensity(one, prior, _follow(one.answerer, prior)) for one in likelihoods]
        likelihoods[-1].values(prior.base[None])  # refuses what no draw could be asked
        return cls(
            density=densities[0],
            exact=densities[1] if len(densities) > 1 else None,
            settings=settings,
            fixed=frozenset(settings.fixed or {}),
            notes=of_file.notes,
            spoken=answerer.spec.name if isinstance(world, Economy) else str(world),
        )

    @property
    def fingerprint(self) -> str:
        """Of all that decides the answer, so that no other question goes on from its stages."""
        likelihood, prior = self.density.likelihood, self.density.prior
        observation, budget = likelihood.observation, self.settings.budget
        content = {
            "world": [prior.spec.name, prior.spec.definition, self.density.title],
            "network": "" if likelihood.exact else likelihood.answerer.title,
            "free": list(prior.names),
            "base": [repr(value) for value in prior.base],
            "shapes": [repr(shape) for shape in prior.shapes],
            "data": hashlib.sha256(likelihood.data.values.tobytes()).hexdigest(),
            "sample": likelihood.data.sample,
            "observed": [[e.series, e.text] for e in observation.equations],
            "errors": {name: str(error) for name, error in observation.errors.items()},
            "start": [likelihood.start, likelihood.presample, likelihood.horizon],
            "budget": repr(budget),
            "begin": self.settings.begin,
        }
        return hashlib.sha256(json_bytes(content)).hexdigest()


def _beside(answerer: Answerer, solver: Economy | None) -> list[Answerer]:
    """The solver that a network is held against, if there is one."""
    return [] if answerer.exact or solver is None else [solver.answerer]


def _prior(answerer: Answerer, solver: Economy | None, settings: DataSettings) -> JointPrior:
    """Free are the parameters that have a prior, the others stay at their values.

    Raises `ParameterError` where none has one.
    """
    spec = answerer.spec
    own = about(answerer if solver is None else solver.answerer).priors
    shapes = dict(own if settings.priors is None else settings.priors)
    if not shapes:
        raise ParameterError(
            f"'{spec.source}' says no prior: it has no estimated_params block with priors, and no"
            " mapping beside it. Write either, or hand priors over."
        )
    fixed = dict(settings.fixed or {})
    for name in {**fixed, **(settings.ranges or {})}:
        spec.index(name)
    held = {
        p.name: p.default for p in spec.parameters if p.name not in shapes and p.name not in fixed
    }
    free = {name: shape for name, shape in shapes.items() if name not in fixed}
    return JointPrior.of(spec, held | fixed, settings.ranges, free)


def _follow(answerer: Answerer, prior: JointPrior):  # type: ignore[no-untyped-def]
    """What sets parameters that the file computes from the free ones; None where there are none."""
    complete = answerer.complete
    if complete is None:
        return None
    columns = list(prior.free)

    def follow(theta: np.ndarray) -> np.ndarray:
        given = {name: theta[:, k] for name, k in zip(prior.names, columns, strict=True)}
        return complete(given, len(theta))

    trial = prior.theta(np.random.default_rng(0).uniform(0.3, 0.7, size=(2, len(columns))))
    held = np.setdiff1d(np.arange(trial.shape[1]), columns)
    moved = follow(trial)[:, held] != prior.base[held]
    return follow if (moved & ~np.isnan(prior.base[held])).any() else None
