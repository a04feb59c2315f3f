"""Which network is held to the targets, its rivals on the same draws, and what came of a target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import pandas as pd

from emulator.eval.tables import Row, records
from emulator.leaderboard.targets import Targets

NOT_MEASURED = "not measured"


class Outcome(NamedTuple):
    """One target in one world: its limit, the value and what came of it, as text; met is None where
    it was not measured; reserve: '1 of 3 seeds' where the value rests on fewer than the targets ask
    for.
    """

    target: str
    world: str
    limit: str
    value: str
    outcome: str
    met: bool | None
    reserve: str = ""


@dataclass(frozen=True)
class Field:
    """The universal network, its rivals on the same data, and what they are held to."""

    targets: Targets
    universal: pd.DataFrame
    """One row a world and split."""
    rivals: pd.DataFrame
    few_draws: pd.DataFrame | None
    speed: pd.DataFrame | None

    def own(self, world: str, split: str = "test") -> Row | None:
        """The universal network's row of a world and split."""
        return self._own.get((world, split))

    def best(self, world: str, among: Callable[[Row], bool]) -> Row | None:
        """The rival of lowest NRMSE on `test` of a world."""
        rows = filter(among, self.rows(world))
        return min(rows, key=lambda row: float(row["nrmse"]), default=None)

    def rows(self, world: str) -> list[dict[str, Any]]:
        """The rivals on `test` of a world."""
        return self._rivals.get(world, [])

    @cached_property
    def _own(self) -> dict[tuple[str, str], Row]:
        """The first row of each world and split: they are asked for by every target."""
        rows = reversed(records(self.universal))
        return {(row["world"], row["split"]): row for row in rows}

    @cached_property
    def _rivals(self) -> dict[str, list[dict[str, Any]]]:
        rows: dict[str, list[dict[str, Any]]] = {}
        for row in records(self.rivals[self.rivals["split"] == "test"]):
            rows.setdefault(row["world"], []).append(row)
        return rows

    def outcome(
        self, target: str, world: str, limit: str, value: str, shortfall: str | None, seeds: int
    ) -> Outcome:
        """The outcome of a number that was measured; shortfall: by how much it misses, None where
        it does not.
        """
        needed = self.targets.seeds
        reserve = "" if seeds >= needed else f"{seeds} of {needed} seeds"
        text = "met" if shortfall is None else f"missed: {shortfall}"
        said = f"{text} ({reserve})" if reserve else text
        return Outcome(target, world, limit, value, said, shortfall is None, reserve)


def absent(target: str, world: str, limit: str, value: str = "") -> Outcome:
    """The outcome of a number that is missing."""
    return Outcome(target, world, limit, value, NOT_MEASURED, None)
