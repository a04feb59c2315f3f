"""The stochastic extended path (`extended_path(order = 1)`): in every period the non-linear model
is solved for a path on which the shocks of the next periods, `order` of them, are expected at the
nodes of a Gauss-Hermite quadrature, and none after these.

So risk moves decisions, which certainty equivalence (`order = 0`) leaves out. Dynare's own tree
(`ep.stochastic.algo = 0`). Axes: N draw, P column of theta, S shock, T period, H horizon, V
variable, K exogenous variable, B node of the tree, M triple of nodes.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from itertools import product

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from emulator.errors import ModFileError
from emulator.modfile.compiling.extended_path import ExtendedPath, Simulated
from emulator.modfile.compiling.model import CompiledModel
from emulator.modfile.compiling.scenario import Scenario
from emulator.solvers.tree_paths import Tree, TreeSolved, solve_tree, tree
from emulator.spec import Status

NODES = 5
"""Nodes of each shock in a period (`options_.ep.stochastic.quadrature.nodes`)."""

MOST_UNKNOWNS = 400_000
"""Variables at all nodes of a tree."""


def extended_path(model: CompiledModel) -> ExtendedPath:
    """Who answers an `extended_path`, by its order."""
    path = ExtendedPath(model)
    return StochasticPath(model) if path.stochastic_order else path


class StochasticPath(ExtendedPath):
    """A `PathSolver`: responses are those to a shock in the first period and none later, less the
    path without it, which risk moves away from the steady state.
    """

    unit = "deviation from the path without the shock, in the units of the file"

    def __init__(self, model: CompiledModel) -> None:
        super().__init__(model)
        equations = self.foresight.equations
        band = equations.band
        far = max(equations.lags, equations.leads, band.lags, band.leads) > 1
        if far or "lmmcp" in model.calibration.options:
            raise ModFileError(
                "the stochastic extended path takes leads and lags of one period alone, and no"
                " bounds (lmmcp). Define variables for those further away, or leave the option"
                " order out for certainty equivalence.",
                self.foresight.place,
            )
        self._unknowns()

    @property
    def has_past(self) -> bool:
        """Always: without a shock risk moves the path away from the steady state."""
        return True

    def explain(self, theta: np.ndarray) -> str:
        """What is said of the first path, without a shock or with one, that is not solved."""
        unit = self.unit_shocks(theta)
        impulses = [np.zeros_like(unit[:, :1]), *np.split(unit, unit.shape[1], axis=1)]
        texts = (self.simulate(theta, shocks).why[0] for shocks in impulses)
        return next((text for text in texts if text), "")

    @cached_property
    def tree(self) -> Tree:
        return tree(self.quadrature[1], self.stochastic_order, self.ahead)

    @cached_property
    def quadrature(self) -> tuple[np.ndarray, np.ndarray]:
        """Nodes (n, S) in standard deviations of shocks that are independent, and weights (n,)."""
        points, weights = hermegauss(self._nodes)
        points = np.where(np.abs(points) < 1e-14, 0.0, points)
        grid = np.array(list(product(points, repeat=len(self.shocks))))
        shares = np.array(list(product(weights / weights.sum(), repeat=len(self.shocks))))
        return grid, shares.prod(axis=1)

    @property
    def _nodes(self) -> int:
        text = self.model.calibration.options.get("ep.stochastic.quadrature.nodes", str(NODES))
        if not text.isdigit() or not 2 <= int(text) <= 15:
            raise ModFileError(
                f"options_.ep.stochastic.quadrature.nodes is {text}; expected a number from 2 to"
                " 15.",
                self.foresight.place,
            )
        return int(text)

    def _unknowns(self) -> None:
        """Raise `ModFileError` for a tree that is too large."""
        branches = self._nodes ** len(self.shocks)
        order = self.stochastic_order
        nodes = branches**order * max(1, self.ahead - order)
        if nodes * len(self.foresight.equations.variables) > MOST_UNKNOWNS:
            raise ModFileError(
                f"'extended_path(order = {order})': {len(self.shocks)} shocks at {self._nodes}"
                f" nodes make a tree of {nodes:,} nodes, which is too large. Lower the order,"
                " solver_periods or options_.ep.stochastic.quadrature.nodes.",
                self.foresight.place,
            )

    def responses(self, theta: np.ndarray, horizon: int) -> tuple[np.ndarray, np.ndarray]:
        unit = self.unit_shocks(theta)
        n, count, width = unit.shape
        impulses = np.zeros((count + 1, n, horizon + 1, width))
        impulses[1:, :, 0] = np.moveaxis(unit, 1, 0)
        paths, states = [], []
        for shocks in impulses:
            simulated = self.simulate(theta, shocks)
            paths.append(simulated.levels)
            states.append(simulated.status)
        responses = np.stack([path - paths[0] for path in paths[1:]], axis=1)
        return responses, np.max(states, axis=0)

    def simulate(self, theta: np.ndarray, shocks: np.ndarray) -> Simulated:
        asked = self._asked(theta, self.ahead)
        sizes = self.unit_shocks(theta)
        size = len(self.model.variables)
        levels = np.full((*shocks.shape[:2], size), np.nan)
        status = np.full(len(theta), Status.OK, dtype=np.uint8)
        certain = self.foresight._solved(asked)
        why = [text and f"where no shock is expected: {text}" for text in certain.worst]
        for k in range(len(theta)):
            one = asked.rows(slice(k, k + 1))
            start = certain.path[k, 1:-1][self.tree.period]
            if not np.isfinite(start).all():
                status[k] = Status.NOT_CONVERGED
                continue
            for t in range(shocks.shape[1]):
                values, solved, steps, off = self._solved_tree(one, shocks[k, t], sizes[k], start)
                if not solved:
                    status[k] = Status.NOT_CONVERGED
                    levels[k] = np.nan
                    why[k] = f"in period {t + 1} of the simulation: {self._unsolved(steps, off)}"
                    break
                levels[k, t] = values[0, :size]
                one = self._onward(one, values[0, :size], shocks[k, t])
                start = values
        return Simulated(levels, status, why)

    def _unsolved(self, steps: int, residual: float) -> str:
        off = f"off by {residual:.2e}" if np.isfinite(residual) else "not finite"
        return (
            f"{self.foresight.place}: the stochastic extended path did not converge in {steps}"
            f" steps of Newton's method on the tree of expected shocks: an equation is {off}."
            " Fewer nodes (options_.ep.stochastic.quadrature.nodes) or smaller shocks may be"
            " solved."
        )

    def _onward(self, one: Scenario, today: np.ndarray, shocks: np.ndarray) -> Scenario:
        """The problem of the next period, of which today is the past."""
        exogenous = one.exogenous.copy()
        exogenous[:, 0] = exogenous[:, -1] + shocks
        return replace(one, before=today[None, None], exogenous=exogenous)

    def _solved_tree(
        self, one: Scenario, shocks: np.ndarray, sizes: np.ndarray, start: np.ndarray
    ) -> TreeSolved:
        """Values at the nodes after shocks (K,) of today."""
        foresight, shape = self.foresight, self.tree
        equations = foresight.equations
        declared = one.theta[:, : len(self.model.file.parameters)]
        terminal = foresight._whole(one.terminal, one.exogenous_terminal, one.theta)
        past = foresight._whole(one.before[:, 0], one.exogenous[:, 0], one.theta)
        quiet = one.exogenous_terminal[0]
        expected = self.quadrature[0] @ sizes
        at_nodes = np.where(shape.shock[:, None] < 0, 0.0, expected[shape.shock]) + quiet
        at_nodes[0] = quiet + shocks
        stacked = np.concatenate([at_nodes, quiet[None], one.exogenous[0, :1]])
        moved = np.stack([stacked[shape.before], stacked[shape.node], stacked[shape.after]], axis=1)
        count = len(shape.node)
        rest = np.repeat(terminal, count, axis=0), np.repeat(declared, count, axis=0)
        return solve_tree(
            lambda paths: equations.residual(paths, moved, *rest)[:, 0],
            lambda paths: equations.slopes(paths, moved, *rest)[:, 0],
            equations.band,
            shape,
            start,
            (past[0], terminal[0]),
        )
