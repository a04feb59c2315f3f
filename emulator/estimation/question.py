"""What is asked, checked as a whole before anything is searched, sampled or written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emulator.errors import ParameterError, UnknownNameError
from emulator.estimation.criterion import Criterion, Weighting
from emulator.estimation.posterior import arviz, nutpie
from emulator.estimation.prior import Prior, Ranges
from emulator.estimation.responder import ExactResponder, Responder
from emulator.estimation.smc import KEPT
from emulator.estimation.target import Target
from emulator.inference.exact import ExactWorld
from emulator.worlds.priors import Prior as Shape

if TYPE_CHECKING:
    from emulator.inference.network import Emulator

SAMPLERS = ("nuts", "smc")


@dataclass(frozen=True)
class Budget:
    """How much is spent: searches, chains with their warm-up and draws, draws for the exact solver
    to score; and the seed of it all.

    sampler: "smc", whose independent runs are the chains and whose particles are the draws, or
    "nuts" (docs/decisions/004-sampler.md). scouts: particles of the one run of sequential Monte
    Carlo that finds where the chains of NUTS start. kept: share of particles that stay effective at
    each rise of the likelihood's power; nearer to one takes more stages, and finds modes that are
    far apart more surely.
    """

    sampler: str = "smc"
    kept: float = KEPT
    scouts: int = 1000
    starts: int = 8
    chains: int = 4
    tune: int = 500
    draws: int = 1000
    rescored: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.sampler not in SAMPLERS:
            raise ParameterError(
                f"The sampler is {self.sampler!r}; expected {' or '.join(SAMPLERS)}."
            )
        if not 0 < self.kept < 1:
            raise ParameterError(f"kept is {self.kept}; expected a share between 0 and 1.")
        least = {
            "scouts": 20,
            "starts": 1,
            "chains": 1,
            "tune": 20,
            "draws": 20,
            "rescored": 0,
            "seed": 0,
        }
        for name, bound in least.items():
            if getattr(self, name) < bound:
                raise ParameterError(f"{name} is {getattr(self, name)}; expected {bound} or more.")


@dataclass(frozen=True)
class Question:
    """A target, who answers during the search, the solver that judges a network (None without one),
    and what is known before: priors, values held, a budget.
    """

    target: Target
    criterion: Criterion
    responder: Responder
    judge: Responder | None
    prior: Prior
    fixed: frozenset[str]
    budget: Budget

    @classmethod
    def of(
        cls,
        target: Target,
        world: str | Path | ExactWorld,
        *,
        emulator: Emulator | None = None,
        exact: bool = False,
        shock: str | None = None,
        weighting: Weighting = "diagonal",
        fixed: Mapping[str, float] | None = None,
        ranges: Ranges | None = None,
        priors: Mapping[str, Shape] | None = None,
        budget: Budget | None = None,
    ) -> Question:
        """See `emulator.estimation.estimate`, whose arguments these are.

        Raises `UnknownNameError`, `ParameterError`, `MissingExtraError`.
        """
        budget = budget or Budget()
        arviz()
        if budget.sampler == "nuts":
            nutpie()
        solver = (
            world
            if isinstance(world, ExactWorld)
            else _solver(world, needed=exact or emulator is None or world not in emulator.worlds)
        )
        responder, judge = _responders(
            target, world, solver, emulator, exact, shock or target.shock
        )
        own = getattr(solver.solver, "priors", None) if solver is not None else None
        prior = Prior.of(responder.spec, fixed, ranges, own if priors is None else priors)
        return cls(
            target,
            Criterion(target, weighting),
            responder,
            judge,
            prior,
            frozenset(fixed or {}),
            budget,
        )


def _solver(world: str | Path, needed: bool) -> ExactWorld | None:
    """The world's solver, if there is one; a network may know worlds that this installation does
    not.
    """
    try:
        found = ExactWorld.named(world)
    except UnknownNameError:
        if needed:
            raise
        return None
    found.solver.require()
    return found


def _responders(
    target: Target,
    world: str | Path | ExactWorld,
    solver: ExactWorld | None,
    emulator: Emulator | None,
    exact: bool,
    shock: str,
) -> tuple[Responder, Responder | None]:
    """Who answers during the search, and the solver that judges a network, where there is one."""
    judge = None if solver is None else ExactResponder(solver, shock, target.horizon)
    if exact:
        assert judge is not None
        return judge, None
    from emulator.estimation.network_responder import NetworkResponder
    from emulator.inference.network import Emulator

    name = (
        world.spec.name
        if isinstance(world, ExactWorld)
        else str(world)
        if solver is None
        else solver.spec.name
    )
    network = emulator or Emulator.load()
    if name not in network.worlds:
        raise UnknownNameError(
            f"The network was not trained on '{world}'; it knows {', '.join(network.worlds)}. The"
            " world's solver answers with exact=True, on the command line --exact."
        )
    responder = NetworkResponder(network, name, shock, target.horizon)
    if judge is not None and not judge.spec.is_same_model(responder.spec):
        raise ParameterError(
            f"The solver of '{judge.spec.name}' has other parameters, shocks or another file than"
            f" the world '{name}' that the network was trained on. Use the exact solver, or a"
            " network that was trained on this model."
        )
    return responder, judge
