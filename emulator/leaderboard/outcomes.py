"""How far the collected results are from the targets.

All targets but those on few draws and on time are about the universal network's scores on `test`,
unless the target says otherwise, as means over seeds. A number that is missing is "not measured",
never a pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd

from emulator.errors import EvaluationError, nearest
from emulator.eval.tables import Row, number, records, score_of, with_interval
from emulator.leaderboard import studies
from emulator.leaderboard.held import Field, Outcome, absent
from emulator.leaderboard.runs import PLAIN, SPECIALIST, UNIVERSAL
from emulator.leaderboard.same_data import on_same_draws
from emulator.leaderboard.targets import FILE, Targets

EXTRAPOLATION_SPLITS = ("test_extrapolation_slice", "test_extrapolation_corner")
ALL_WORLDS = "all"


def the_universal(entries: pd.DataFrame, targets: Targets | None = None) -> str | None:
    """Which entry is held to the targets: the one that they name, else of the universal ones that
    of most worlds, then most seeds, then lowest NRMSE (geometric mean on `test`).

    Raises `EvaluationError` if they name one that has no scores on `test`.
    """
    rows = entries[
        entries["role"].eq(UNIVERSAL) & entries["split"].eq("test") & entries["trained_on"]
    ]
    if targets is not None and targets.held is not None:
        named = rows.loc[rows["run"].eq(targets.held), "entry"]
        if named.empty:
            raise EvaluationError(
                f"{FILE}: held: no universal network has scores on 'test' as '{targets.held}'."
                f" {nearest(targets.held, sorted(set(rows['run'])))}"
            )
        return str(named.iloc[0])
    if rows.empty:
        return None
    ranked = rows.assign(log=np.log(rows["nrmse"].clip(lower=1e-300))).groupby("entry")
    order = ranked.agg(worlds=("worlds", "first"), seeds=("seeds", "min"), log=("log", "mean"))
    return str(
        order.sort_values(["worlds", "seeds", "log"], ascending=[False, False, True]).index[0]
    )


def compare(
    entries: pd.DataFrame,
    targets: Targets,
    few_draws: pd.DataFrame | None = None,
    speed: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Every target in every world against the entries (`seeds.entries`), the few-draw study and the
    times: columns of `Outcome`.
    """
    chosen = the_universal(entries, targets)
    networks = entries[entries["trained_on"]]
    universal = networks[networks["entry"] == chosen]
    field = Field(
        targets=targets,
        universal=universal,
        rivals=networks[on_same_draws(networks, universal) & (networks["entry"] != chosen)],
        few_draws=few_draws,
        speed=speed,
    )
    outcomes = [compared(field, world) for compared in BY_WORLD for world in targets.nrmse]
    for split in EXTRAPOLATION_SPLITS:
        outcomes += [_extrapolation(field, world, split) for world in targets.nrmse]
    outcomes += [_few_draws(field, world) for world in _taught(targets)]
    means = [_mean_gap(field), _mean_few_draws(field)]
    return pd.DataFrame([*outcomes, *means], columns=list(Outcome._fields))


def _nrmse(field: Field, world: str) -> Outcome:
    return _at_most(field, "NRMSE", world, "nrmse", field.targets.nrmse[world])


def _p95(field: Field, world: str) -> Outcome:
    limit = field.targets.relative_error_p95_factor * field.targets.nrmse[world]
    return _at_most(field, "relative error, 95th percentile", world, "relative_error_p95", limit)


def _at_most(field: Field, target: str, world: str, score: str, limit: float) -> Outcome:
    row = field.own(world)
    text = f"at most {limit:.3g}"
    if row is None or not math.isfinite(row[score]):
        return absent(target, world, text)
    return field.outcome(
        target=target,
        world=world,
        limit=text,
        value=with_interval(score_of(row, score)),
        shortfall=None if row[score] <= limit else f"{row[score] / limit:.3g} times the target",
        seeds=row["seeds"],
    )


def _beats_plain(field: Field, world: str) -> Outcome:
    target = "times below the best plain network"
    needed = field.targets.plain_factor
    limit = f"at least {needed:g}"
    own = field.own(world)
    best = field.best(world, lambda row: row["model"] in PLAIN)
    if own is None or best is None:
        return absent(target, world, limit)
    factor = best["nrmse"] / own["nrmse"] if own["nrmse"] > 0 else math.inf
    missing = sorted(set(PLAIN.values()) - {PLAIN.get(row["model"]) for row in field.rows(world)})
    value = f"{factor:.3g} ({PLAIN[best['model']]} {number(best['nrmse'])})"
    if missing and factor >= needed:
        return absent(target, world, limit, f"{value}; without {', '.join(missing)}")
    return field.outcome(
        target=target,
        world=world,
        limit=limit,
        value=value,
        shortfall=None if factor >= needed else f"{factor:.3g} of {needed:g} times",
        seeds=own["seeds"],
    )


def _gap(field: Field, world: str) -> tuple[float, Row, Row] | None:
    """NRMSE over the best specialist's, less one, and both rows: at the most optimiser steps that
    the universal network took as this recipe or another, and its own structure as a specialist too;
    None until there are such steps. Specialists of other structure are rivals whatever their steps.
    """
    own = field.own(world)
    rivals = field.rows(world)
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
    longest = max(matched, key=lambda row: (row["steps"], row["seeds"], -row["nrmse"]))
    best = field.best(
        world,
        lambda row: (
            row["role"] == SPECIALIST
            and (row["model"] != longest["model"] or row["steps"] == longest["steps"])
        ),
    )
    if best is None or not best["nrmse"] > 0:
        return None
    return float(longest["nrmse"] / best["nrmse"] - 1), longest, best


def _worst_gap(field: Field, world: str) -> Outcome:
    target = "gap to the best specialist"
    largest = field.targets.worst_gap
    limit = f"at most {100 * largest:+.0f} %"
    measured = _gap(field, world)
    if measured is None:
        return absent(target, world, limit)
    gap, own, best = measured
    return field.outcome(
        target=target,
        world=world,
        limit=limit,
        value=(
            f"{100 * gap:+.1f} % ({own['run']} {number(own['nrmse'])} against {best['run']}"
            f" {number(best['nrmse'])}, {own['steps']:,.0f} steps)"
        ),
        shortfall=None if gap <= largest else f"{100 * (gap - largest):.1f} points",
        seeds=own["seeds"],
    )


def _mean_gap(field: Field) -> Outcome:
    largest = field.targets.mean_gap
    gaps = [_gap(field, world) for world in field.targets.nrmse]
    return _mean(
        field,
        "mean gap to the best specialist",
        f"at most {100 * largest:.0f} %",
        [None if gap is None else (gap[0], int(gap[1]["seeds"])) for gap in gaps],
        lambda mean: f"{100 * mean:+.1f} %",
        lambda mean: None if mean <= largest else f"{100 * (mean - largest):.1f} points",
    )


def _mean(
    field: Field,
    target: str,
    limit: str,
    values: list[tuple[float, int] | None],
    shown: Callable[[float], str],
    shortfall: Callable[[float], str | None],
) -> Outcome:
    """The outcome of a mean over worlds, from each world's value and seeds; measured where all
    are.
    """
    measured = [value for value in values if value is not None]
    if not measured:
        return absent(target, ALL_WORLDS, limit)
    mean = float(np.mean([value for value, _ in measured]))
    if len(measured) < len(values):
        text = f"{shown(mean)} in {len(measured)} of {len(values)} worlds"
        return absent(target, ALL_WORLDS, limit, text)
    return field.outcome(
        target=target,
        world=ALL_WORLDS,
        limit=limit,
        value=shown(mean),
        shortfall=shortfall(mean),
        seeds=min(seeds for _, seeds in measured),
    )


def _coverage(field: Field, world: str) -> Outcome:
    target = "coverage of the 90 % band"
    low, high = field.targets.coverage
    limit = f"{100 * low:.0f} to {100 * high:.0f} %"
    row = field.own(world)
    if row is None or not math.isfinite(row["coverage"]):
        return absent(target, world, limit)
    off = max(low - row["coverage"], row["coverage"] - high)
    return field.outcome(
        target=target,
        world=world,
        limit=limit,
        value=with_interval(score_of(row, "coverage"), percent=True),
        shortfall=None if off <= 0 else f"{100 * off:.1f} points",
        seeds=row["seeds"],
    )


def _extrapolation(field: Field, world: str, split: str) -> Outcome:
    """NRMSE against that on `test`; where it is more, the share of bad draws that is flagged
    (`emulator.eval.trust`).
    """
    largest = field.targets.extrapolation_factor
    needed = field.targets.flagged
    target = f"beyond training ({split.removeprefix('test_extrapolation_')})"
    limit = f"at most {largest:g} times test, or {100 * needed:.0f} % of bad draws flagged"
    near = field.own(world)
    far = field.own(world, split)
    if near is None or far is None or not near["nrmse"] > 0:
        return absent(target, world, limit)
    ratio = far["nrmse"] / near["nrmse"]
    value = f"{ratio:.3g} times"
    # where no draw is bad by itself, all of them carry the error that is too large
    flagged = far["flagged"] if far["bad"] == 0 else far["bad_flagged"]
    of_flags = "no flags measured"
    if math.isfinite(flagged):
        of_what = "all (none bad)" if far["bad"] == 0 else f"{far['bad']:.0f} bad draws"
        value += f", {number(flagged, percent=True)} of {of_what} flagged"
        of_flags = f"{100 * (needed - flagged):.1f} points of flags"
    met = ratio <= largest or flagged >= needed
    return field.outcome(
        target=target,
        world=world,
        limit=limit,
        value=value,
        shortfall=None if met else f"{ratio / largest:.3g} times the target, {of_flags}",
        seeds=far["seeds"],
    )


def _taught(targets: Targets) -> list[str]:
    """Worlds that are held to the targets on few draws."""
    return [world for world in targets.nrmse if world not in targets.few_draws_without]


def _gain(field: Field, world: str) -> tuple[float, int] | None:
    """How many times better fine-tuning was than training from scratch, and on how many seeds."""
    if field.few_draws is None:
        return None
    return studies.gain(field.few_draws, world, field.targets.few_draws)


def _few_draws(field: Field, world: str) -> Outcome:
    needed = field.targets.few_draws_factor
    target = f"fine-tuning over scratch, {field.targets.few_draws} draws"
    limit = f"at least {needed:g} times"
    measured = _gain(field, world)
    if measured is None:
        return absent(target, world, limit)
    factor, seeds = measured
    return field.outcome(
        target=target,
        world=world,
        limit=limit,
        value=f"{factor:.3g} times",
        shortfall=None if factor >= needed else f"{factor:.3g} of {needed:g} times",
        seeds=seeds,
    )


def _mean_few_draws(field: Field) -> Outcome:
    needed = field.targets.few_draws_mean_factor
    return _mean(
        field,
        f"mean factor of fine-tuning, {field.targets.few_draws} draws",
        f"at least {needed:g} times",
        [_gain(field, world) for world in _taught(field.targets)],
        lambda mean: f"{mean:.3g} times",
        lambda mean: None if mean >= needed else f"{mean:.3g} of {needed:g} times",
    )


def _one_draw(field: Field, world: str) -> Outcome:
    return _within(field, world, "a call with one draw", "one_draw_us", field.targets.one_draw_us)


def _of_a_batch(field: Field, world: str) -> Outcome:
    return _within(field, world, "a draw of 10,000", "batch_us", field.targets.batch_us)


def _within(field: Field, world: str, target: str, column: str, limit: float) -> Outcome:
    rows = [] if field.speed is None else records(field.speed[field.speed["world"] == world])
    if not rows:
        return absent(target, world, f"at most {limit:g} us")
    time = rows[0][column]
    return field.outcome(
        target=target,
        world=world,
        limit=f"at most {limit:g} us",
        value=f"{number(time)} us",
        shortfall=None if time <= limit else f"{time / limit:.3g} times the target",
        seeds=field.targets.seeds,  # a time has no seeds
    )


BY_WORLD: tuple[Callable[[Field, str], Outcome], ...] = (
    _nrmse,
    _p95,
    _beats_plain,
    _worst_gap,
    _coverage,
    _one_draw,
    _of_a_batch,
)
