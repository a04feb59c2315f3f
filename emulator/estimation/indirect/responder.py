"""What a target's vector autoregression finds in a world's own data: what stands in the place of
the world's responses where an estimation is to treat the world as the data were treated.

Indirect inference: Gouriéroux, Monfort and Renault (1993, doi:10.1002/jae.3950080507); Smith (1993,
doi:10.1002/jae.3950080506). The auxiliary statistics are responses of an identified VAR, which need
not be the world's responses to the shock.

Axes: n draw, P parameter, F free parameter, S shock, T period, V series, H horizon, O observable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from emulator.errors import ParameterError, unknown_name
from emulator.estimation.density import Responder
from emulator.estimation.indirect.identification import Reduced
from emulator.estimation.indirect.population import (
    Moments,
    Seen,
    moments_of_responses,
    moments_of_space,
    reduced_form,
    why_none,
)
from emulator.estimation.indirect.procedure import Procedure
from emulator.estimation.target import Target
from emulator.inference.answerer import Answerer, Force, Gradient, Local
from emulator.inference.moments.arrays import way_of
from emulator.inference.over_solver import SolverAnswerer, differences
from emulator.solvers import StateSpace

STEP = 2e-3
"""Half width of a difference by a parameter, as a share of its range, where a network answers in
single precision.
"""

LAST_PART, CUT = 0.1, 0.01
"""The last of the horizons, and the share of a variance that they may hold where responses are cut
there.
"""

BURN = 200
"""Periods before a history, in which it forgets that it began at rest."""


class DataOfWorld(NamedTuple):
    """How data of a world are looked at: errors of measurement by series, in the series' unit;
    periods of the history that is simulated where a world is not linear, and its seed.
    """

    errors: Mapping[str, float] = {}
    periods: int = 2000
    seed: int = 0


class LikeTheData(Responder):
    """The responses that the target's procedure finds in endless data of the world: by its
    autocovariances where it is linear, else in one long history, with the same shocks at all draws.

    The target's observables are all among its series. Raises `ParameterError` where the world lacks
    a series, has fewer shocks than there are series, or has no data.
    """

    def __init__(
        self, answerer: Answerer, shock: str, target: Target, data: DataOfWorld | None = None
    ) -> None:
        self.procedure = procedure_of(target)
        super().__init__(answerer, shock, 0, target.observables)
        self.data = data or DataOfWorld()
        self.horizon = target.horizon
        self.names = target.observables
        self.seen = _seen(self.procedure, answerer, self.data.errors)
        self.solver = answerer if isinstance(answerer, SolverAnswerer) else None
        self.by_simulation = self.solver is not None and not answerer.spec.linear
        self.last = None if self.by_simulation else way_of(answerer, None).horizon
        if self.by_simulation:
            self.shocks = self._shocks(self.data.periods)

    @property
    def words(self) -> str:
        """How the world's own data are looked at, for people."""
        if self.by_simulation:
            return f"a simulated history of {self.data.periods:,} periods"
        if self.last is None:
            return "the autocovariances of its state space"
        return f"the autocovariances of its responses, which end at horizon {self.last}"

    def _shocks(self, periods: int) -> np.ndarray:
        if self.solver is None or not self.solver.world.has_trajectories:
            raise ParameterError(
                f"World '{self.spec.name}' answers with responses and simulates no data, so that no"
                " VAR can be run on them. Leave like_the_data (--like-the-data) out."
            )
        least = BURN + 10 * (self.procedure.lags * len(self.procedure.columns) + 1)
        if periods < least:
            raise ParameterError(
                f"A history of {periods} periods was asked for; expected {least} or more for this"
                " VAR (history=, on the command line --history)."
            )
        rng = np.random.default_rng([self.data.seed, 11])
        return rng.normal(size=(1, BURN + self.procedure.lags + periods, self.spec.n_shocks))

    def check(self, theta: np.ndarray) -> None:
        """Raises `ParameterError` where the world has a solution at a draw (P,), and its data
        have no VAR: some series follow from others.
        """
        if self.by_simulation:
            return
        moments, solved = self.moments(theta[None])
        names = [column.name for column in self.procedure.columns]
        why = why_none(moments, names) if solved[0] else ""
        if why:
            first = self.procedure.columns[0].name
            raise ParameterError(
                f"The VAR cannot be run on data of world '{self.spec.name}': {why} (at its"
                " default parameters). Leave a series out of the VAR, or give it"
                f" an error of measurement (errors={{'{first}': 0.1}}, on the command line"
                f" --error {first}=0.1)."
            )

    def complaints(self, theta: np.ndarray) -> list[str]:
        """What speaks against the world's autocovariances at parameters (P,), in words."""
        if self.last is None:
            return []
        irf = self.answerer.responses(theta[None], self.last)[0].astype(np.float64)
        squares = (irf[..., list(self.seen.observables)] ** 2).sum(axis=0)
        last = max(1, round(LAST_PART * len(squares)))
        with np.errstate(invalid="ignore"):
            share = float(np.nan_to_num(squares[-last:].sum(axis=0) / squares.sum(axis=0)).max())
        if share < CUT:
            return []
        return [
            f"responses end at horizon {self.last}, and the last tenth of them holds {share:.0%} of"
            " a series' variance: its autocovariances lack what comes later; let the solver answer"
            " (exact=True, on the command line --exact)"
        ]

    # What the procedure finds

    def moments(self, theta: np.ndarray) -> tuple[Moments, np.ndarray]:
        """Autocovariances of the series at the draws that are solved, and which these are (n,)."""
        lags = self.procedure.lags
        if self.last is None:
            space = self.answerer.state_space(theta)
            solved = np.isfinite(space.A).all(axis=(1, 2)) & np.isfinite(space.B).all(axis=(1, 2))
            space = StateSpace(space.A[solved], space.B[solved], space.C[solved])
            return moments_of_space(space, self.seen, lags), solved
        irf = self.answerer.responses(theta, self.last)
        solved = np.isfinite(irf).all(axis=(1, 2, 3))
        irf = irf[solved].astype(np.float64)
        return moments_of_responses(irf, self.seen, lags), solved

    def reduced(self, theta: np.ndarray) -> tuple[Reduced, np.ndarray]:
        """The reduced forms of the draws that have one, and which these are (n,)."""
        if self.by_simulation:
            shocks = np.broadcast_to(self.shocks, (len(theta), *self.shocks.shape[1:]))
            paths = self.paths(theta, shocks)[:, BURN:]
            usable = np.isfinite(paths).all(axis=(1, 2))
            shock = shocks[usable, BURN + self.procedure.lags :, self.shock]
            instrument = shock if self.procedure.needs_instrument else None
            return self.procedure.reduced(paths[usable], instrument), usable
        moments, usable = self.moments(theta)
        reduced = reduced_form(moments, self.shock)
        there = np.isfinite(reduced.coefficients).all(axis=(1, 2))
        usable[usable] = there
        return reduced.at(there), usable

    def paths(self, theta: np.ndarray, shocks: np.ndarray) -> np.ndarray:
        """Series (n, T, V) that the world's solver makes of shocks (n, T, S), without errors of
        measurement; NaN where there is no solution.
        """
        assert self.solver is not None
        with np.errstate(all="ignore"):
            simulated = self.solver.world.simulate(theta, shocks, on_failure="nan")
        paths = simulated[:, :, list(self.seen.observables)]
        for k, differenced in enumerate(self.seen.differenced):
            if differenced:
                level = simulated[:, :, self.seen.observables[k]]
                paths[:, :, k] = np.diff(level, axis=1, prepend=level[:, :1])
        return paths

    # What an estimation asks

    def responses(self, theta: np.ndarray) -> np.ndarray:
        irf = np.full((len(theta), self.horizon + 1, len(self.names)), np.nan)
        reduced, usable = self.reduced(theta)
        if usable.any():
            irf[usable] = self.procedure.responses(reduced, self.horizon, self.names)
        return irf

    def own(self, theta: np.ndarray) -> np.ndarray:
        """The world's own responses (n, H+1, O) to its shock; NaN beyond a network's last
        horizon.
        """
        last = self.answerer.last_horizon
        horizon = self.horizon if last is None else min(self.horizon, last)
        irf = np.full((len(theta), self.horizon + 1, len(self.names)), np.nan)
        answered = self.answerer.responses(theta, horizon, [self.shock])[:, 0]
        irf[:, : horizon + 1] = answered[..., self.observables]
        return irf

    def judged(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        irf = self.responses(theta)
        if self.solver is None:
            return irf, self.log_solvable(theta)
        return irf, np.where(np.isfinite(irf).all(axis=(1, 2)), 0.0, -np.inf)

    def local(self, theta: np.ndarray, free: Sequence[int]) -> Local:
        """By differences within the ranges of the prior."""
        spec = self.spec
        steps = STEP * (spec.high - spec.low) if self.solver is None else self.solver.steps()
        irf, by = differences(
            self.responses, theta[None], list(free), steps[list(free)], spec.low, spec.high
        )
        if self.solver is not None:
            solvable = 0.0 if np.isfinite(irf).all() else -np.inf
            return Local(irf[0], solvable, by[:, 0], np.zeros(len(free)))
        network = self.answerer.local(theta, 0, self.shock, free)
        return Local(irf[0], network.log_solvable, by[:, 0], network.log_solvable_by)

    def pulled(self, theta: np.ndarray, free: Sequence[int], force: Force) -> Gradient:
        local = self.local(theta, free)
        pulled = np.tensordot(local.irf_by, force(local.irf), 2) + local.log_solvable_by
        return Gradient(local.irf, local.log_solvable, pulled)


def procedure_of(target: Target) -> Procedure:
    """What made a target. Raises `ParameterError` where it does not say."""
    if target.procedure is None:
        raise ParameterError(
            f"Target '{target.name}' holds responses and does not say which VAR of which data made"
            " them, so that it cannot be run on a world's data. Expected us-monetary, a target from"
            " `from_var` or `target_from_data` (--target var, proxy or signs with --data), or the"
            " .npz file of one."
        )
    return target.procedure


def _seen(procedure: Procedure, answerer: Answerer, errors: Mapping[str, float]) -> Seen:
    """The series as observables of the world."""
    spec = answerer.spec
    names = [column.name for column in procedure.columns]
    for column in procedure.columns:
        if not column.observable:
            raise ParameterError(
                f"The VAR has a series '{column.name}' of which nobody said what it is in a world,"
                " so that the VAR cannot be run on the data of one. Name its observable"
                f" ({', '.join(spec.observable_names)}), or leave the series out."
            )
        if column.observable not in spec.observable_names:
            who = f"World '{spec.name}' has" if answerer.exact else "The network knows"
            raise ParameterError(
                f"{who} no observable '{column.observable}', which the VAR has as"
                f" '{column.name}'; it has {', '.join(spec.observable_names)}. Leave the series out"
                " of the VAR."
            )
    for name, error in errors.items():
        if name not in names:
            raise unknown_name("series of the VAR", name, names)
        if not (np.isfinite(error) and error >= 0):
            raise ParameterError(
                f"The error of measurement of '{name}' is {error:g}; expected a standard deviation"
                " of 0 or more."
            )
    seen = Seen(
        [spec.observable_names.index(column.observable) for column in procedure.columns],
        procedure.summed,
        np.array([errors.get(name, 0.0) for name in names]),
    )
    clean = [name for name in names if not errors.get(name)]
    if len(clean) > spec.n_shocks:
        raise ParameterError(
            f"The VAR has {len(names)} series, of which {len(clean)} are measured without error"
            f" ({', '.join(clean)}), and world '{spec.name}' has {spec.n_shocks} shocks"
            f" ({', '.join(spec.shock_names)}): its data are stochastically singular, and the VAR"
            f" has no innovations there. Leave {len(clean) - spec.n_shocks} of the series out, or"
            f" give as many of them an error of measurement (errors={{'{clean[0]}': 0.1}}, on the"
            f" command line --error {clean[0]}=0.1)."
        )
    return seen
