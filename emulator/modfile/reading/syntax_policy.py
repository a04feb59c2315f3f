"""What a `.mod` file says of policy: objectives, weights, bounds, constraints that may bind."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.modfile.reading.terms import Expression, Operation, Place


@dataclass(frozen=True)
class PlannerObjective:
    """`planner_objective U;`, with the `planner_discount` of the file's `ramsey_model`, None where
    it gives none.
    """

    value: Expression
    discount: Expression | None
    place: Place


@dataclass(frozen=True)
class Weight:
    """One line of `optim_weights`: the weight of a variance (one name) or a covariance (two)."""

    names: tuple[str, ...]
    value: Expression
    place: Place


@dataclass(frozen=True)
class OptimWeights:
    """`optim_weights; ... end;`: each block replaces the one before it."""

    weights: tuple[Weight, ...]
    place: Place


@dataclass(frozen=True)
class RuleBound:
    """One line of `osr_params_bounds`."""

    name: str
    low: Expression
    high: Expression
    place: Place


@dataclass(frozen=True)
class RuleBounds:
    """`osr_params_bounds; ... end;`: each block replaces the one before it."""

    bounds: tuple[RuleBound, ...]
    place: Place


@dataclass(frozen=True)
class Constraint:
    """A constraint of OccBin: the comparisons that say when it binds where it did not, and when it
    is relaxed where it did, None where that is when `bind` does not hold.
    """

    name: str
    bind: Operation
    relax: Operation | None
    place: Place


@dataclass(frozen=True)
class Constraints:
    """`occbin_constraints; ... end;`."""

    constraints: tuple[Constraint, ...]
    place: Place


@dataclass(frozen=True)
class PlannerBound:
    """One line of `ramsey_constraints`: a bound of a variable, from below where `side` is 1, from
    above where it is -1.
    """

    name: str
    side: float
    value: Expression
    place: Place


@dataclass(frozen=True)
class PlannerBounds:
    """`ramsey_constraints; ... end;`."""

    bounds: tuple[PlannerBound, ...]
    place: Place
