"""Perfect foresight with errors of expectation: everybody knows what is to come, until something
else is learnt in a later period, and the path begins anew from there.

What is known when says `learnt_in` of the blocks `shocks` and `endval` (Dynare 6), or the table of
`perfect_foresight_with_expectation_errors_setup(datafile = ...)` (Dynare 5): a column for each
exogenous variable and period of learning, with the period, the value in the end and the values from
that period on. A value that a shock gave stays where a later `endval` changes the end.

Axes: N draw, T period, L periods of the past, V variable, K exogenous variable.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.compiling.foresight import Foresight, Paths, Whole
from emulator.modfile.compiling.scenario import (
    Extent,
    Given,
    Scenario,
    apply_shock,
    controlled,
    scenario,
)
from emulator.modfile.compiling.scenario_reading import News
from emulator.modfile.compiling.series_file import data_path, number, table_of
from emulator.modfile.reading.syntax import Command, ControlledPath, Number, ShockPath
from emulator.spec import Status

SETUP = "perfect_foresight_with_expectation_errors_setup"


class Learning(Foresight):
    """The path of a file whose agents learn of its shocks in several periods."""

    def solve(
        self, theta: np.ndarray, periods: int | None = None, given: Given | None = None
    ) -> Paths:
        """See `Foresight.solve`; where `given` says shocks or the end, nothing is learnt later."""
        theta = self.model.check_theta(theta)
        extent = self._extent(self.periods if periods is None else periods)
        first = scenario(self.model, theta, extent, given)
        if given is not None and (given.shocks is not None or given.terminal or given.controls):
            return self._answer(first, self._solved(first))
        learnt = {**_of_table(self, extent, len(theta)), **first.learnt}
        for period in learnt:
            if period > extent.periods:
                raise ModFileError(
                    f"something is learnt in period {period}, after the last one,"
                    f" {extent.periods}. Raise the option periods.",
                    self.place,
                )
        asked = self._with(first, learnt.pop(1, News()), 1, extent)
        path = self._solved(asked)
        for period in sorted(learnt):
            # What controls freed until now is the path of exogenous variables from here on.
            asked = replace(asked, exogenous=path.exogenous)
            asked = self._with(asked, learnt[period], period, extent)
            path = self._from(asked, path, period, extent)
        return self._answer(asked, path)

    def _with(self, asked: Scenario, news: News, period: int, extent: Extent) -> Scenario:
        """The problem after what is learnt in a period."""
        assert asked.steady is not None
        assert asked.pinned is not None
        exogenous = asked.exogenous.copy()
        pinned = asked.pinned.copy()
        end = asked.exogenous_terminal.copy()
        ahead = np.arange(extent.whole) >= extent.lags + period - 1
        for name, operator, value in news.ends:
            column = self.exogenous.index(name)
            before = end[:, column]
            end[:, column] = {"=": value, "+=": before + value, "*=": before * value}[operator]
            moved = ahead & ~pinned[column]
            exogenous[:, moved, column] = end[:, column, None]
        for path, ranges in news.shocks:
            column = self.exogenous.index(path.name)
            _refuse_past(path, period)
            apply_shock(path, ranges, exogenous[:, :, column], pinned[column], extent)
        for controlled_path, _ in news.controls:
            _refuse_past(controlled_path, period)
        names = (self.model.variables, self.exogenous)
        controls = controlled(asked.controls, news.controls, names, extent, pinned)
        terminal = asked.terminal
        if news.ends:
            terminal, _ = asked.steady.solve(terminal, end, asked.theta)
        return replace(
            asked,
            exogenous=exogenous,
            exogenous_terminal=end,
            terminal=terminal,
            pinned=pinned,
            controls=controls,
        )

    def _from(self, asked: Scenario, path: Whole, period: int, extent: Extent) -> Whole:
        """The whole paths, solved anew from a period on."""
        rest = slice(period - 1, None)
        size = len(self.model.variables)
        part = replace(
            asked,
            before=path.path[:, period - 1 : period - 1 + extent.lags, :size],
            exogenous=asked.exogenous[:, rest],
            course=None,
            controls=None if asked.controls is None else asked.controls.later(rest),
            first=period,
        )
        later = self._solved(part)
        whole = path.path.copy()
        whole[:, rest] = later.path
        exogenous = asked.exogenous.copy()
        exogenous[:, rest] = later.exogenous
        failed = (path.status != Status.OK) | (later.status != Status.OK)
        whole[failed] = np.nan
        status = np.where(path.status != Status.OK, path.status, later.status).astype(np.uint8)
        worst = [
            early or (f"{late} That is of what is known from period {period} on." if late else "")
            for early, late in zip(path.worst, later.worst, strict=True)
        ]
        return Whole(whole, exogenous, status, worst)


def _refuse_past(path: ShockPath | ControlledPath, period: int) -> None:
    first = min(first for first, _ in path.periods)
    if first < period:
        raise ModFileError(
            f"'{path.name}' is given a value in period {first}, which is over in period {period},"
            " when it is learnt.",
            path.place,
        )


def _of_table(solver: Learning, extent: Extent, draws: int) -> dict[int, News]:
    """What the table of the setup says, {} without one. Raises `ModFileError`."""
    commands = [
        s for s in solver.model.file.statements if isinstance(s, Command) and s.name == SETUP
    ]
    command = commands[-1] if commands else None
    if command is None or "datafile" not in command.options:
        return {}
    path = data_path(solver.model.file, command.options["datafile"], command)
    rows = table_of(path)
    if len(rows) != extent.periods + 3:
        raise ModFileError(
            f"'{command.name}': {path.name} has {max(0, len(rows) - 3)} rows of values below three"
            f" of names, periods of learning and ends; expected {extent.periods}, one a period.",
            command.place,
        )
    learnt: dict[int, News] = {}
    for k, name in enumerate(rows[0][1:], start=1):
        cells = [number(row[k]) if k < len(row) else math.nan for row in rows[1:]]
        when = int(cells[0]) if cells[0] == cells[0] // 1 else 0
        values = cells[1 + when :]
        usable = name in solver.exogenous and 1 <= when <= extent.periods
        if not usable or not np.isfinite([cells[1], *values]).all():
            raise ModFileError(
                f"'{command.name}': column {k + 1} of {path.name} is not understood: an exogenous"
                f" variable, the period in which it is learnt, the value in the end, and a value"
                " for each period from that one on were expected.",
                command.place,
            )
        periods = tuple((t, t) for t in range(when, extent.periods + 1))
        shock = ShockPath(name, periods, tuple(map(Number, values)), False, command.place)
        news = learnt.setdefault(when, News())
        news.ends.append((name, "=", np.full(draws, cells[1])))
        news.shocks.append((shock, [np.full((draws, 1), value) for value in values]))
    return learnt
