"""Answers of second and third order: generalised responses, paths and decision rules of pruned
approximations.

Axes: n draw, S shock, H horizon, T period, O observable, R replication.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from emulator.errors import ParameterError
from emulator.inference.asking import Asking
from emulator.inference.draws import generator, periods_wanted, whole
from emulator.inference.labels import Answered, refuse, refuse_impossible
from emulator.inference.orders import BURN_IN, IN_WORDS
from emulator.inference.paths import ShockPath
from emulator.inference.shock_size import Scaling
from emulator.solvers.perturbation import (
    Rules,
    mean_responses,
    simulate,
    simulated_responses,
)
from emulator.spec import Status

if TYPE_CHECKING:
    from emulator.inference.draws import DrawsLike

BLOCK_NUMBERS = 2**23
"""Numbers of the rules that are in memory at once."""


class Averaging(NamedTuple):
    """How a generalised response is averaged over states and other shocks: by its closed form, or
    over `replic` simulations with shocks of `seed`, after `burn_in` periods from the steady state.
    """

    replic: int | None = None
    burn_in: int = BURN_IN
    seed: int | np.random.Generator = 0

    @classmethod
    def of(cls, replic: Any, burn_in: Any, seed: Any, order: int) -> Averaging:
        """Raises `ParameterError` for numbers that are none, and at first order, whose responses
        do not depend on states.
        """
        if replic is None:
            return cls()
        if order == 1:
            raise ParameterError(
                f"replic={replic} averages responses over states, on which those of the first order"
                " do not depend. Ask order=2 or order=3, or leave out replic."
            )
        count = whole(burn_in)
        if count is None:
            raise ParameterError(
                f"burn_in is {burn_in!r}; expected a whole number of periods, 0 or more."
            )
        return cls(periods_wanted(replic), count, seed)

    @property
    def words(self) -> str:
        if self.replic is None:
            return "mean over the states and other shocks, in closed form"
        return (
            f"mean of {self.replic} simulations, seed {self.seed}, the shock after"
            f" {self.burn_in} periods"
        )


def answered(
    asking: Asking,
    theta: np.ndarray,
    asked: Scaling | ShockPath,
    *,
    draws: DrawsLike,
    horizon: int,
    order: int,
    observed: list[int] | slice,
    averaging: Averaging,
    on_failure: str,
) -> Answered:
    """Generalised responses as plain arrays with their labels; see `Economy.irf`."""
    spec = asking.spec
    refuse_impossible(spec, theta, on_failure)
    pulses = _pulses(asked, theta, horizon, order)
    shocks = None
    if averaging.replic is not None:
        size = (averaging.replic, averaging.burn_in + horizon + 1, spec.n_shocks)
        shocks = generator(averaging.seed).standard_normal(size)
    irf = np.full((*pulses.shape[:3], len(_positions(observed, spec.n_observables))), np.nan)
    status = np.empty(len(theta), dtype=np.uint8)
    for start in range(0, len(theta), block_of(asking, order)):
        part = slice(start, start + block_of(asking, order))
        rules, status[part] = asking.answerer.rules(theta[part], order)
        rules = rules.of(observed)
        for shock in range(pulses.shape[1]):
            path = pulses[part, shock]
            irf[part, shock] = (
                mean_responses(rules, path)
                if shocks is None
                else simulated_responses(rules, path, shocks, averaging.burn_in)
            )
    failed = status != Status.OK
    refuse(spec, theta, failed, on_failure, lambda: asking.why({}, theta, failed, None))
    _refuse_unit_roots(asking, irf, failed, averaging)
    irf[failed] = np.nan
    labels = asking.labels(asked, draws, theta, observed, order)
    labels = labels._replace(source=IN_WORDS[order], notes=(*labels.notes, averaging.words + "."))
    fields = {"irf": irf, "exact": np.ones(len(theta), dtype=bool), "determinate": ~failed}
    return Answered(labels, theta, fields)


def of_first_order(answered: Answered, notes: Sequence[str]) -> Answered:
    """The same answer, said to be of first order, with these notes beside its own."""
    labels = answered.labels
    labels = labels._replace(source=IN_WORDS[1], notes=(*labels.notes, *notes))
    return answered._replace(labels=labels)


def _refuse_unit_roots(
    asking: Asking, irf: np.ndarray, failed: np.ndarray, averaging: Averaging
) -> None:
    endless = ~failed & ~np.isfinite(irf).all(axis=(1, 2, 3))
    if averaging.replic is not None or not endless.any():
        return
    raise ParameterError(
        f"'{asking.spec.name}' has a unit root at {int(endless.sum()):,} of {len(failed):,} draws,"
        " so that its states have no distribution over which responses of third order could be"
        " averaged. Ask for simulations from the steady state: replic=50 (on the command line"
        " --replic 50), or for order=2."
    )


def _pulses(asked: Scaling | ShockPath, theta: np.ndarray, horizon: int, order: int) -> np.ndarray:
    """The paths of all shocks (n, S, H+1, K) that the answer's shock axis stands for, in standard
    deviations. Raises `ParameterError` for sizes by impact.
    """
    if isinstance(asked, ShockPath):
        path = asked.in_deviations(theta)
        pulses = np.zeros((len(theta), 1, horizon + 1, path.shape[1]))
        pulses[:, 0, : path.shape[2]] = path.swapaxes(1, 2)
        return pulses
    by_impact = [str(size) for size in asked.sizes if size.on is not None]
    if by_impact:
        raise ParameterError(
            f"At order {order} responses are not in proportion to the shock, so that the size"
            f" '{by_impact[0]}' does not follow from one answer. Give standard deviations."
        )
    pulses = np.zeros((len(theta), len(asked.shocks), horizon + 1, asked.spec.n_shocks))
    for row, (shock, size) in enumerate(zip(asked.shocks, asked.sizes, strict=True)):
        pulses[:, row, 0, shock] = asked.amplitude(theta, shock, size)
    return pulses


def _positions(observed: list[int] | slice, count: int) -> list[int]:
    return list(range(count))[observed] if isinstance(observed, slice) else list(observed)


def block_of(asking: Asking, order: int) -> int:
    """Draws whose rules are in memory at once."""
    spec = asking.spec
    width = len(spec.states) + spec.n_shocks
    return int(max(1, min(1024, BLOCK_NUMBERS // max(1, spec.n_observables * width**order))))


def simulated(
    asking: Asking,
    theta: np.ndarray,
    shocks: np.ndarray,
    *,
    start: np.ndarray | None,
    order: int,
    on_failure: str,
) -> np.ndarray:
    """Pruned paths (n, T, O) under shocks (n, T, S) in standard deviations, as deviations from the
    deterministic steady state; start: all variables (n, D) before the first period, or None.
    """
    refuse_impossible(asking.spec, theta, on_failure)
    paths, status = [], []
    for begin in range(0, len(theta), block_of(asking, order)):
        part = slice(begin, begin + block_of(asking, order))
        rules, code = asking.answerer.rules(theta[part], order)
        before = None if start is None else start[part][:, list(rules.states)]
        paths.append(simulate(rules, shocks[part], before))
        status.append(code)
    failed = np.concatenate(status) != Status.OK
    refuse(asking.spec, theta, failed, on_failure, lambda: asking.why({}, theta, failed, None))
    path = np.concatenate(paths)
    path[failed] = np.nan
    return path


def solved_rules(
    asking: Asking,
    theta: np.ndarray,
    order: int,
    observed: list[int] | slice,
    on_failure: str,
) -> tuple[Rules, np.ndarray]:
    """The rules of the observables at all draws, NaN where there is no solution, and which draws
    (n,) have one.
    """
    refuse_impossible(asking.spec, theta, on_failure)
    rules, status = asking.answerer.rules(theta, order)
    failed = status != Status.OK
    refuse(asking.spec, theta, failed, on_failure, lambda: asking.why({}, theta, failed, None))
    return rules.of(observed), ~failed
