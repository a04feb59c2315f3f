"""What the project set out to reach, as data, and how far the collected results are from it.

All bars but those on few draws and on time are about the universal network's numbers of the kind
"network only", on `test` unless the bar says otherwise, as means over seeds. A number that is
missing is "not measured", never a pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from emulator.eval.guards import KINDS
from emulator.eval.tables import Row, number, records, score_of, with_interval
from emulator.leaderboard import speed as speeds
from emulator.leaderboard import studies
from emulator.leaderboard.runs import PLAIN, SPECIALIST, UNIVERSAL

NRMSE = {
    "nk": 0.01,
    "var": 0.002,
    "lss": 0.002,
    "rbc": 0.01,
    "sw07": 0.01,
    "switching": 0.02,
    "zlb": 0.02,
    "hank": 0.03,
}
"""Largest mean NRMSE of each world, in training standard deviations."""
P95_FACTOR = 3.0
"""The 95th percentile of the relative error is at most this many times the world's bar on NRMSE."""
PLAIN_FACTOR = 10.0
"""NRMSE is at least this many times below that of the best network without structure."""
GAP_MEAN, GAP_WORST = 0.0, 0.10
"""NRMSE over that of the world's best specialist, less one: mean over worlds, and in any world."""
COVERAGE = (0.87, 0.93)
"""Share of the true responses of `test` in the nominal 90 % band."""
EXTRAPOLATION_FACTOR, FLAGGED = 2.0, 0.95
"""Beyond the training region NRMSE is at most so many times that on `test`, or so many of the bad
draws are flagged.
"""
EXTRAPOLATION_SPLITS = ("test_extrapolation_slice", "test_extrapolation_corner")
FEW_DRAWS, FEW_DRAWS_FACTOR = 300, 2.0
"""With so many draws of a new world, fine-tuning beats training from scratch by this factor in
NRMSE.
"""
SEEDS = 3
"""Seeds behind a number that meets a bar without reserve."""

NOT_MEASURED = "not measured"


class Verdict(NamedTuple):
    """One bar in one world: what was asked, what was found, in words; met is None where it was not
    measured.
    """

    bar: str
    world: str
    target: str
    value: str
    verdict: str
    met: bool | None


@dataclass(frozen=True)
class Field:
    """The universal network and its rivals: entries of one data set, "network only"."""

    universal: pd.DataFrame
    """One row a world and split."""
    rivals: pd.DataFrame
    few_draws: pd.DataFrame | None
    speed: pd.DataFrame | None

    def own(self, world: str, split: str = "test") -> Row | None:
        """The universal network's row of a world and split."""
        rows = self.universal[
            (self.universal["world"] == world) & (self.universal["split"] == split)
        ]
        return records(rows)[0] if len(rows) else None

    def best(self, world: str, among: Callable[[Row], bool]) -> Row | None:
        """The rival of lowest NRMSE on `test` of a world."""
        return min(
            filter(among, self.rows(world)), key=lambda row: float(row["nrmse"]), default=None
        )

    def rows(self, world: str) -> list[dict[str, Any]]:
        """The rivals on `test` of a world."""
        return records(
            self.rivals[(self.rivals["world"] == world) & (self.rivals["split"] == "test")]
        )


def the_universal(entries: pd.DataFrame) -> str | None:
    """Which entry is judged: of the universal ones that of most worlds, then most seeds, then
    lowest NRMSE (geometric mean on `test`).
    """
    rows = entries[
        entries["role"].eq(UNIVERSAL) & entries["split"].eq("test") & entries["trained_on"]
    ]
    if rows.empty:
        return None
    ranked = rows.assign(log=np.log(rows["nrmse"].clip(lower=1e-300))).groupby("entry")
    order = ranked.agg(worlds=("worlds", "first"), seeds=("seeds", "min"), log=("log", "mean"))
    return str(
        order.sort_values(["worlds", "seeds", "log"], ascending=[False, False, True]).index[0]
    )


def judge(
    entries: pd.DataFrame, few_draws: pd.DataFrame | None = None, speed: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Every bar in every world against the entries (`seeds.entries`), the few-draw study and the
    times: columns of `Verdict`.
    """
    chosen = the_universal(entries)
    networks = entries[(entries["kind"] == KINDS[0]) & entries["trained_on"]]
    universal = networks[networks["entry"] == chosen]
    same_data = networks["data"].isin(set(universal["data"]))
    field = Field(universal, networks[same_data & (networks["entry"] != chosen)], few_draws, speed)
    verdicts = [judged(field, world) for judged in BY_WORLD for world in NRMSE]
    verdicts += [
        _extrapolation(field, world, split) for split in EXTRAPOLATION_SPLITS for world in NRMSE
    ]
    return pd.DataFrame([*verdicts, _mean_gap(field)], columns=list(Verdict._fields))


def _nrmse(field: Field, world: str) -> Verdict:
    return _at_most("NRMSE", field.own(world), "nrmse", NRMSE[world], world)


def _p95(field: Field, world: str) -> Verdict:
    return _at_most(
        "relative error, 95th percentile",
        field.own(world),
        "relative_error_p95",
        P95_FACTOR * NRMSE[world],
        world,
    )


def _at_most(bar: str, row: Row | None, score: str, limit: float, world: str) -> Verdict:
    target = f"at most {limit:.3g}"
    if row is None or not math.isfinite(row[score]):
        return _absent(bar, world, target)
    value = with_interval(score_of(row, score))
    return _judged(
        bar,
        world,
        target,
        value,
        bool(row[score] <= limit),
        f"{row[score] / limit:.3g} times the bar",
        row["seeds"],
    )


def _beats_plain(field: Field, world: str) -> Verdict:
    bar, target = "times below the best plain network", f"at least {PLAIN_FACTOR:g}"
    own = field.own(world)
    best = field.best(world, lambda row: row["model"] in PLAIN)
    if own is None or best is None:
        return _absent(bar, world, target)
    factor = best["nrmse"] / own["nrmse"] if own["nrmse"] > 0 else math.inf
    missing = sorted(set(PLAIN.values()) - {PLAIN.get(row["model"]) for row in field.rows(world)})
    value = f"{factor:.3g} ({PLAIN[best['model']]} {number(best['nrmse'])})"
    if missing and factor >= PLAIN_FACTOR:
        return _absent(bar, world, target, f"{value}; without {', '.join(missing)}")
    return _judged(
        bar,
        world,
        target,
        value,
        factor >= PLAIN_FACTOR,
        f"{factor:.3g} of {PLAIN_FACTOR:g} times",
        own["seeds"],
    )


def _gap(field: Field, world: str) -> tuple[float, Row, Row] | None:
    """NRMSE over the best specialist's, less one, and both rows: at the most optimiser steps that
    the universal network took as the judged recipe or another, and its own structure as a
    specialist too; None until there are such steps. Specialists of other kinds are rivals whatever
    their steps.
    """
    own, rivals = field.own(world), field.rows(world)
    if own is None:
        return None
    alone = {
        row["steps"] for row in rivals if row["role"] == SPECIALIST and row["model"] == own["model"]
    }
    trained = [
        own,
        *(row for row in rivals if row["role"] == UNIVERSAL and row["worlds"] == own["worlds"]),
    ]
    matched = [row for row in trained if row["steps"] in alone]
    if not matched:
        return None
    own = max(matched, key=lambda row: (row["steps"], row["seeds"], -row["nrmse"]))
    best = field.best(
        world,
        lambda row: (
            row["role"] == SPECIALIST
            and (row["model"] != own["model"] or row["steps"] == own["steps"])
        ),
    )
    return (
        (float(own["nrmse"] / best["nrmse"] - 1), own, best)
        if best is not None and best["nrmse"] > 0
        else None
    )


def _worst_gap(field: Field, world: str) -> Verdict:
    bar, target, found = (
        "gap to the best specialist",
        f"at most {100 * GAP_WORST:+.0f} %",
        _gap(field, world),
    )
    if found is None:
        return _absent(bar, world, target)
    gap, own, best = found
    value = (
        f"{100 * gap:+.1f} % ({number(own['nrmse'])} against {best['run']} {number(best['nrmse'])},"
        f" {own['steps']:,.0f} steps)"
    )
    return _judged(
        bar,
        world,
        target,
        value,
        gap <= GAP_WORST,
        f"{100 * (gap - GAP_WORST):.1f} points",
        own["seeds"],
    )


def _mean_gap(field: Field) -> Verdict:
    bar, target = "gap to the best specialist, mean", f"at most {100 * GAP_MEAN:.0f} %"
    found = [gap for gap in (_gap(field, world) for world in NRMSE) if gap is not None]
    if not found:
        return _absent(bar, "all", target)
    gap = float(np.mean([entry[0] for entry in found]))
    if len(found) < len(NRMSE):
        return _absent(
            bar, "all", target, f"{100 * gap:+.1f} % in {len(found)} of {len(NRMSE)} worlds"
        )
    seeds = min(int(own["seeds"]) for _, own, _ in found)
    return _judged(
        bar,
        "all",
        target,
        f"{100 * gap:+.1f} %",
        gap <= GAP_MEAN,
        f"{100 * (gap - GAP_MEAN):.1f} points",
        seeds,
    )


def _coverage(field: Field, world: str) -> Verdict:
    bar, target = (
        "coverage of the 90 % band",
        f"{100 * COVERAGE[0]:.0f} to {100 * COVERAGE[1]:.0f} %",
    )
    row = field.own(world)
    if row is None or not math.isfinite(row["coverage"]):
        return _absent(bar, world, target)
    value = with_interval(score_of(row, "coverage"), percent=True)
    off = max(COVERAGE[0] - row["coverage"], row["coverage"] - COVERAGE[1])
    return _judged(bar, world, target, value, off <= 0, f"{100 * off:.1f} points", row["seeds"])


def _extrapolation(field: Field, world: str, split: str) -> Verdict:
    """NRMSE against that on `test`; where it is more, the share of bad draws that is flagged
    (`emulator.eval.trust`).
    """
    bar = f"beyond training ({split.removeprefix('test_extrapolation_')})"
    target = (
        f"at most {EXTRAPOLATION_FACTOR:g} times test, or {100 * FLAGGED:.0f} % of bad draws"
        " flagged"
    )
    near, far = field.own(world), field.own(world, split)
    if near is None or far is None or not near["nrmse"] > 0:
        return _absent(bar, world, target)
    ratio, none_bad = far["nrmse"] / near["nrmse"], far["bad"] == 0
    flagged = (
        far["flagged"] if none_bad else far["bad_flagged"]
    )  # without a bad draw all must carry the error that is too large
    value = f"{ratio:.3g} times"
    if math.isfinite(flagged):
        value += (
            f", {number(flagged, percent=True)} of"
            f" {'all (none bad)' if none_bad else format(far['bad'], '.0f') + ' bad draws'} flagged"
        )
    met = ratio <= EXTRAPOLATION_FACTOR or flagged >= FLAGGED
    short = (
        f"{100 * (FLAGGED - flagged):.1f} points of flags"
        if math.isfinite(flagged)
        else "no flags measured"
    )
    return _judged(
        bar,
        world,
        target,
        value,
        bool(met),
        f"{ratio / EXTRAPOLATION_FACTOR:.3g} times the bar, {short}",
        far["seeds"],
    )


def _few_draws(field: Field, world: str) -> Verdict:
    bar, target = (
        f"fine-tuning over scratch, {FEW_DRAWS} draws",
        f"at least {FEW_DRAWS_FACTOR:g} times",
    )
    found = None if field.few_draws is None else studies.gain(field.few_draws, world, FEW_DRAWS)
    if found is None:
        return _absent(bar, world, target)
    factor, seeds = found
    return _judged(
        bar,
        world,
        target,
        f"{factor:.3g} times",
        factor >= FEW_DRAWS_FACTOR,
        f"{factor:.3g} of {FEW_DRAWS_FACTOR:g} times",
        seeds,
    )


def _one_draw(field: Field, world: str) -> Verdict:
    return _within(field, world, "a call with one draw", "one_draw_us", speeds.ONE_DRAW)


def _of_a_batch(field: Field, world: str) -> Verdict:
    return _within(field, world, "a draw of 10,000", "batch_us", speeds.OF_A_BATCH)


def _within(field: Field, world: str, bar: str, column: str, limit: float) -> Verdict:
    target = f"at most {limit:g} us"
    rows = [] if field.speed is None else records(field.speed[field.speed["world"] == world])
    if not rows:
        return _absent(bar, world, target)
    return _judged(
        bar,
        world,
        target,
        f"{number(rows[0][column])} us",
        rows[0][column] <= limit,
        f"{rows[0][column] / limit:.3g} times the bar",
        SEEDS,
    )


def _judged(
    bar: str, world: str, target: str, value: str, met: bool, short: str, seeds: int
) -> Verdict:
    """A verdict on a number that was measured; `short` says by how much it falls short."""
    reserve = "" if seeds >= SEEDS else f" ({seeds} of {SEEDS} seeds)"
    return Verdict(bar, world, target, value, ("met" if met else f"missed: {short}") + reserve, met)


def _absent(bar: str, world: str, target: str, value: str = "") -> Verdict:
    return Verdict(bar, world, target, value, NOT_MEASURED, None)


BY_WORLD: tuple[Callable[[Field, str], Verdict], ...] = (
    _nrmse,
    _p95,
    _beats_plain,
    _worst_gap,
    _coverage,
    _few_draws,
    _one_draw,
    _of_a_batch,
)
