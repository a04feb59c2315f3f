"""How far responses of `hank` jump with other processes of skill, and what a draw then costs.

Where the limit to borrowing begins or ceases to hold households of one skill without assets,
responses jump: a border. It is found along the range of public debt, by the root of the assets up
to which the limit holds that skill, and output on impact is taken on both sides of it, where debt
differs by 0.002 %. A jump is in percent of the path's peak. The draws are the first of the prior
along whose debt the world's own seven skills have a border (which a polynomial tells,
`fitted_held`); with other processes the first three of them are solved. These processes are
Rouwenhorst's chains of more skills, of the same persistence and standard deviation, and the seven
skills times a shock of one quarter, log-normal, at three or five equiprobable points. Its standard
deviations in a quarter:

- 0.20: Carroll, Slacalek, Tokuoka and White (2017, doi:10.3982/QE694), variance 0.01 a year;
- 0.41: Floden and Linde (2001, Review of Economic Dynamics 4, 406-437, table IV), variance 0.0421 a
  year of US wages, which they take for error of measurement, so that it is an upper bound.

A year's logarithm is about the mean of four quarters', so that the variance of a shock that is
independent over quarters is four times as large in a quarter.

Times are of processor, measured in turn in one process on one thread: state of rest, Jacobians,
determinacy and equilibrium to quarter 40. The fitted start of the world is for its own seven
skills. So the search for the state of rest begins at no guess, or at the solution where debt is 2 %
lower, with every process; ratios are to seven skills begun in the same way. Takes a minute and a
half of processor time. Without the fitted start a process may have no solution at a draw; then
neither its borders nor its time count, and the last line says so.

    python benchmarks/hank_skills.py [--draws 12] [--compared 3]
"""

from __future__ import annotations

import os

# One thread; read once, when NumPy is imported.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.optimize import brentq

from emulator.errors import NoSolutionError
from emulator.worlds.hank.closure import close
from emulator.worlds.hank.equilibrium import Policy, determinacy
from emulator.worlds.hank.fake_news import differentiate, jacobians
from emulator.worlds.hank.household import GRID, Income, SteadyState, Tastes, rouwenhorst
from emulator.worlds.hank.regime import constrained
from emulator.worlds.hank.start import Start, fitted_held
from emulator.worlds.hank.steady import calibrate, coarse_start, grids
from emulator.worlds.hank.structure import margins
from emulator.worlds.hank.world import N_POLICY, N_TASTES, SHORT, SPEC
from emulator.worlds.households.world import processes

DEBT = SPEC.index("debt")
RANGE = np.linspace(SPEC.low[DEBT], SPEC.high[DEBT], 7)
"""Debt, in quarterly output, between which a border is looked for."""
APART = 1e-5
"""The sides of a border are so far from it, relative to debt."""
LINES = 400
"""Draws of the prior among which lines with a border are sought."""
MONETARY = SPEC.shock_names.index("monetary")


def persistent(skills: int, tastes: Tastes) -> Income:
    return rouwenhorst(tastes.rho_e, tastes.sd_e, skills)


def with_shock(points: int, deviation: float, tastes: Tastes) -> Income:
    """The world's skills times a shock that is independent over quarters."""
    lasting, shock = rouwenhorst(tastes.rho_e, tastes.sd_e), equiprobable(points, deviation)
    chances = np.full((points, points), 1 / points)
    return Income(np.kron(lasting.skill, shock), np.kron(lasting.transition, chances))


def equiprobable(points: int, deviation: float) -> np.ndarray:
    """Equally likely values (points,) of mean 1 whose logarithms, the means of a normal variable
    between its quantiles, are scaled to this standard deviation.
    """
    normal = NormalDist()
    density = [normal.pdf(normal.inv_cdf(k / points)) for k in range(1, points)]
    logs = -np.diff([0.0, *density, 0.0])
    logs *= deviation / np.sqrt(np.mean(logs**2))
    return np.exp(logs) / np.exp(logs).mean()


Process = Callable[[Tastes], Income]
OWN, FITTED = "7", "7, fitted"
PROCESSES: dict[str, Process] = {
    OWN: partial(persistent, 7),
    "11": partial(persistent, 11),
    "15": partial(persistent, 15),
    "21": partial(persistent, 21),
    "7 x 3, 0.20": partial(with_shock, 3, 0.2),
    "7 x 5, 0.20": partial(with_shock, 5, 0.2),
    "7 x 3, 0.41": partial(with_shock, 3, 2 * 0.0421**0.5),
    "7 x 5, 0.41": partial(with_shock, 5, 2 * 0.0421**0.5),
}


class Border(NamedTuple):
    """Debt at a border, the share of households at it, how many skills the limit holds before and
    after, and output after each shock before and after (2, H+1, S), in percent.
    """

    debt: float
    share: float
    held: list[int]
    output: np.ndarray

    @property
    def impact(self) -> np.ndarray:
        return self.output[:, 0]

    @property
    def jump(self) -> np.ndarray:
        """Of output on impact, in percent of its path's peak, (S,)."""
        return 100 * np.abs(np.diff(self.impact, axis=0)[0]) / np.abs(self.output).max(axis=(0, 1))


class Line:
    """States of rest of one draw theta (P,) along public debt, remembered; each search begins at
    the nearest that is known.
    """

    def __init__(self, row: np.ndarray, process: Process) -> None:
        self.row = row
        self.income = process(Tastes(*row[:N_TASTES]))
        self.known: dict[float, SteadyState] = {}
        self.slope = np.eye(2)

    def tastes(self, debt: float) -> Tastes:
        return Tastes(*self.row[:N_TASTES])._replace(debt=debt)

    def rest(self, debt: float) -> SteadyState:
        if debt not in self.known:
            self.known[debt] = self._rest(debt)
        return self.known[debt]

    def _rest(self, debt: float) -> SteadyState:
        tastes = self.tastes(debt)
        if self.known:
            try:
                return calibrate(tastes, GRID, self._near(debt), self.income)
            except NoSolutionError:
                pass  # a neighbour too far away: from no guess
        start = coarse_start(tastes, GRID, self.income)
        self.slope = start.slope
        return calibrate(tastes, GRID, start, self.income)

    def _near(self, debt: float) -> Start:
        near = min(self.known, key=lambda known: abs(np.log(known / debt)))
        s, index = self.known[near], grids(GRID).index
        unknown = np.log([1 - s.beta * (1 + self.tastes(debt).r), s.vphi])
        return Start(unknown, self.slope, s.grid[index], np.log(s.marginal[:, index]))

    def margins(self, debt: float) -> np.ndarray:
        """Assets up to which the limit holds each skill, (E,), in quarterly output."""
        return margins(self.tastes(debt), self.rest(debt))

    def output(self, debt: float) -> np.ndarray:
        """Output after each shock (H+1, S), in percent."""
        return solve(self.row, self.tastes(debt), self.rest(debt))

    def borders(self) -> list[Border]:
        return [
            self._border(skill, low, high)
            for low, high in pairwise(RANGE.tolist())
            for skill in self._crossed(low, high)
        ]

    def _crossed(self, low: float, high: float) -> list[int]:
        """Skills that the limit holds on one side only."""
        apart = (self.margins(low) > 0) != (self.margins(high) > 0)
        return [int(skill) for skill in np.flatnonzero(apart)]

    def _border(self, skill: int, low: float, high: float) -> Border:
        debt = brentq(lambda debt: self.margins(debt)[skill], low, high, xtol=APART / 10)
        sides = [debt * (1 - APART), debt * (1 + APART)]
        before, after = (self.margins(side) for side in sides)
        if (before[skill] > 0) == (after[skill] > 0):
            raise NoSolutionError(f"No border between debt {sides[0]} and {sides[1]}.")
        held = constrained(np.stack([before, after])).tolist()
        share = float(self.rest(debt).distribution[skill, 0])
        return Border(debt, share, held, np.stack([self.output(side) for side in sides]))


def solve(row: np.ndarray, tastes: Tastes, s: SteadyState) -> np.ndarray:
    """What a draw theta (P,) takes after its state of rest; output (H+1, S), in percent."""
    policy = Policy(*row[N_TASTES : N_TASTES + N_POLICY])
    persistence, size = np.reshape(row[N_TASTES + N_POLICY :], (2, -1))
    markets, _ = jacobians(tastes, s, SHORT.periods, SHORT.horizon)
    determinacy(markets, tastes, policy)
    paths, _ = close(markets, tastes, policy, processes(persistence, SHORT.periods))
    return paths[0, : SHORT.horizon + 1] * size


def lines(draws: int) -> tuple[np.ndarray, float]:
    """Draws (n, P) of the prior along whose debt seven skills have a border, and the share of draws
    that have one.
    """
    theta = np.random.default_rng(2).uniform(SPEC.low, SPEC.high, size=(LINES, SPEC.n_parameters))
    along = np.repeat(theta[:, None, :N_TASTES], len(RANGE), axis=1)
    along[:, :, DEBT] = RANGE
    held = fitted_held(along.reshape(-1, N_TASTES)).reshape(LINES, len(RANGE), -1) > 0
    crossed = (held != held[:, :1]).any(axis=(1, 2))
    return theta[crossed][:draws], float(crossed.mean())


def seconds(task: Callable[[], object]) -> float:
    started = time.process_time()
    task()
    return time.process_time() - started


def times(row: np.ndarray, process: Process | None) -> tuple[float, float]:
    """Processor seconds of a draw theta (P,) whose search begins at no guess, and at the solution
    where debt is 2 % lower; without a process: the world's own twice, at its fitted start.
    """
    tastes = Tastes(*row[:N_TASTES])
    if process is None:
        taken = seconds(lambda: solve(row, tastes, calibrate(tastes)))
        return taken, taken
    line, income = Line(row, process), process(tastes)
    line.rest(0.98 * tastes.debt)
    return (
        seconds(lambda: solve(row, tastes, calibrate(tastes, GRID, income=income))),
        seconds(lambda: line.output(tastes.debt)),
    )


def at_defaults(process: Process | None) -> tuple[float, float]:
    """With the defaults: the share of households without assets, and the average marginal
    propensity to consume out of cash within the quarter.
    """
    tastes = Tastes(*SPEC.theta()[0, :N_TASTES])
    s = calibrate(tastes, GRID, income=None if process is None else process(tastes))
    return float(s.distribution[:, 0].sum()), s.mean(differentiate(tastes, s).c_slope)


def both_sides(borders: list[list[Border]]) -> Table:
    """The borders of seven skills, by draw."""
    shown = Table(title="hank: output on impact on both sides of a border, percent")
    for name in ("draw", "skills held", "debt", "households, %", *SPEC.shock_names):
        shown.add_column(name, justify="right")
    for k, of_draw in enumerate(borders, 1):
        for border in of_draw:
            sides = (
                f"{before:.4f}, then {after:.4f} ({jump:.1f})"
                for (before, after), jump in zip(border.impact.T, border.jump, strict=True)
            )
            held, share = "{}, then {}".format(*border.held), f"{100 * border.share:.2f}"
            shown.add_row(str(k), held, f"{border.debt:.4f}", share, *sides)
    jumps = np.array([border.jump for of_draw in borders for border in of_draw])
    shown.add_section()
    ends = (f"median {np.median(jump):.1f}, up to {jump.max():.1f}" for jump in jumps.T)
    shown.add_row(f"{len(jumps)} jumps", "", "", "", *ends)
    return shown


def summary(borders: dict[str, list[Border]], taken: dict[str, np.ndarray]) -> Table:
    """By process: borders, their jumps, times (draw, 2) relative to seven skills, and households
    with the defaults.
    """
    shown = Table(title="hank: jumps by process of skill")
    for name in (
        "skills",
        "borders",
        "households: median, largest, %",
        "monetary: median, largest, %",
        "any shock: median, largest, %",
        "above 1 %",
        "time, no guess",
        "time, neighbour",
        "no assets, %",
        "MPC",
    ):
        shown.add_column(name, justify="left" if name == "skills" else "right")
    for name, ratios in taken.items():
        of = borders.get(name, [])
        cells = ["0" if name in borders else "", "", "", "", ""]
        if of:
            jumps = np.array([border.jump for border in of])
            shares = 100 * np.array([border.share for border in of])
            numbers = (shares, jumps[:, MONETARY], jumps.max(axis=1))
            pairs = [f"{np.median(values):.2g}, {values.max():.2g}" for values in numbers]
            cells = [str(len(of)), *pairs, str(np.count_nonzero(jumps.max(axis=1) > 1))]
        without, mpc = at_defaults(PROCESSES.get(name))
        relative = (f"{np.nanmedian(ratio):.2f}" for ratio in ratios.T)
        shown.add_row(name, *cells, *relative, f"{100 * without:.2g}", f"{mpc:.3f}")
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--draws", type=int, default=12)
    parser.add_argument("--compared", type=int, default=3)
    options = parser.parse_args()
    theta, share = lines(options.draws)
    console = Console(width=220)
    console.print(f"{100 * share:.0f} % of {LINES} draws have a border along debt.")
    own = [Line(row, PROCESSES[OWN]).borders() for row in track(theta, "seven skills")]
    console.print(both_sides(own))
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in (*PROCESSES, FITTED)}
    borders: dict[str, list[Border]] = {}
    missed = 0
    for row in track(theta[: options.compared], "all processes"):
        for name, of in taken.items():
            process = PROCESSES.get(name)
            try:
                new = times(row, process), [] if process is None else Line(row, process).borders()
            except NoSolutionError:
                new = (np.nan, np.nan), []
                missed += 1
            of.append(new[0])
            if process is not None:
                borders.setdefault(name, []).extend(new[1])
    seven = np.array(taken[OWN])
    console.print(summary(borders, {name: np.array(of) / seven for name, of in taken.items()}))
    console.print(f"7 skills: {1e3 * np.median(seven[:, 0]):.0f} ms a draw from no guess.")
    console.print(f"{missed} times a process had no solution at a draw.")


if __name__ == "__main__":
    main()
