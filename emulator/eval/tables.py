"""Score tables as a person reads them: who wins where, and every metric of the network.

For terminal and report.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from emulator.eval.cases import NETWORK
from emulator.eval.metrics import METRICS
from emulator.eval.results import PREDICTOR_TITLES, Evaluation
from emulator.eval.scores import ALL

Row = Mapping[str, Any]

NARROW_LEGEND = (
    "pooled: NRMSE. err50%, err95%: relative error, median draw and 95th percentile. IAE: sd x"
    " periods. sign%: right at impact. peak%, peak t: error in its size and date. outside: draws"
    " beyond the training range."
)
NARROW_CLAIMS = {
    "half width (sd)": "width (sd)",
    "of these flagged": "bad flagged",
    "NRMSE unflagged": "unflagged",
}
NARROW = {"training_mean": "mean", "linear_regression": "linear", "nearest_neighbour": "nearest"}


def number(value: float, percent: bool = False) -> str:
    """A score with three significant digits, `n/a` where there is none."""
    if not math.isfinite(value):
        return "n/a"
    shown = 100 * value if percent else value
    text = f"{shown:#.3g}".rstrip(".") if abs(shown) < 999.5 else f"{shown:,.0f}"
    return f"{text} %" if percent else text


def with_interval(row: Row, percent: bool = False) -> str:
    """A score and, in brackets, its 95 % interval."""
    if not (math.isfinite(row["low"]) and math.isfinite(row["high"])):
        return number(row["value"], percent)
    ends = (number(100 * row[end] if percent else row[end]) for end in ("low", "high"))
    return f"{number(row['value'], percent)} [{', '.join(ends)}]"


def score_of(row: Row, score: str) -> dict[str, float]:
    """A score of a row that holds several, with the ends of its interval, as `with_interval` takes
    it.
    """
    return {"value": row[score], "low": row[f"{score}_low"], "high": row[f"{score}_high"]}


def comparison(evaluation: Evaluation) -> pd.DataFrame:
    """Mean NRMSE of the network and of every trivial baseline, one row a world and split, as
    text.
    """
    rows = evaluation.scores[
        (evaluation.scores["shock"] == ALL) & (evaluation.scores["metric"] == "nrmse")
    ]
    scores = {(row["world"], row["split"], row["predictor"]): row for row in records(rows)}
    lines = []
    for case in records(evaluation.summary):
        line = {
            "world": case["world"],
            "split": case["split"],
            "outcome": "beats all" if case["beats_trivial"] else "LOSES",
        }
        for predictor, title in PREDICTOR_TITLES.items():
            score = scores[case["world"], case["split"], predictor]
            line[title] = with_interval(score) if predictor == NETWORK else number(score["value"])
        lines.append(line)
    return pd.DataFrame(lines)


def details(evaluation: Evaluation, split: str) -> pd.DataFrame:
    """Every metric of the network on a split as text: one row a metric, one column a world, then
    counts of draws.
    """
    scores, cases = _of_network(evaluation, split)
    lines = [
        {
            "metric": m.label or m.title,
            **{w: with_interval(scores[w, name], m.percent) for w in cases},
        }
        for name, m in METRICS.items()
    ]
    for column, title in (
        ("draws", "draws"),
        ("failures", "failures"),
        ("outside_range", "outside training range"),
    ):
        lines.append(
            {"metric": title, **{world: str(case[column]) for world, case in cases.items()}}
        )
    return pd.DataFrame(lines)


def count(value: float) -> str:
    """A number of draws, `n/a` where it is not known."""
    return f"{value:.0f}" if math.isfinite(value) else "n/a"


def claims(evaluation: Evaluation, intervals: bool = True) -> pd.DataFrame:
    """What the network says of its own errors against the truth, as text: one row a world and
    split; empty without a band.
    """
    lines = [
        {
            "world": row["world"],
            "split": row["split"],
            "in band": (
                with_interval({**row, "value": row["coverage"]}, percent=True)
                if intervals
                else number(row["coverage"], percent=True)
            ),
            "half width (sd)": number(row["width"]),
            "flagged": number(row["flagged"], percent=True),
            "bad draws": count(row["bad"]),
            "of these flagged": number(row["bad_flagged"], percent=True),
            "NRMSE unflagged": number(row["nrmse_unflagged"]),
        }
        for row in records(evaluation.trust)
    ]
    return pd.DataFrame(lines)


def determinacy(evaluation: Evaluation) -> pd.DataFrame:
    """How well the network tells draws with a unique stable solution, as text: one row a world;
    empty where it makes no such claim.
    """
    lines = [
        {
            "world": row["world"],
            "draws": row["draws"],
            "determinate": number(row["determinate"], percent=True),
            "AUC": number(row["auc"]),
            "Brier score": number(row["brier"]),
            "accuracy": number(row["accuracy"], percent=True),
        }
        for row in records(evaluation.determinacy)
    ]
    return pd.DataFrame(lines)


def _of_network(
    evaluation: Evaluation, split: str
) -> tuple[dict[tuple[str, str], Row], dict[str, Row]]:
    """The network's scores on a split by world and metric, and its row of the summary by world."""
    s = evaluation.scores
    rows = s[(s["predictor"] == NETWORK) & (s["split"] == split) & (s["shock"] == ALL)]
    cases = evaluation.summary[evaluation.summary["split"] == split]
    return (
        {(row["world"], row["metric"]): row for row in records(rows)},
        {case["world"]: case for case in records(cases)},
    )


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table, each by column name."""
    return [
        {str(key): value for key, value in row.items()} for row in frame.to_dict(orient="records")
    ]


def responses(evaluation: Evaluation, world: str, split: str) -> pd.DataFrame:
    """NRMSE of the network for each response of a world on a split as text: one row a shock, one
    column an observable.
    """
    s = evaluation.scores
    rows = s[
        (s["predictor"] == NETWORK)
        & (s["world"] == world)
        & (s["split"] == split)
        & (s["metric"] == "nrmse")
    ]
    rows = rows[rows["shock"] != ALL]
    masked = "zero in training"
    text = {(row["shock"], row["observable"]): with_interval(row) for row in records(rows)}
    names = [tuple(name.split("/")) for name in evaluation.worlds[world]["sigma"]]
    shocks, observables = (list(dict.fromkeys(pair[axis] for pair in names)) for axis in (0, 1))
    return pd.DataFrame(
        [{"shock": s, **{o: text.get((s, o), masked) for o in observables}} for s in shocks]
    )


def warnings_of(evaluation: Evaluation) -> list[str]:
    """What a reader must not miss, a sentence each; empty where nothing is amiss."""
    warnings = [
        f"{world}: not scored, since {reason}: {', '.join(names)}. Scores are those of"
        f" {', '.join(about['units'])}."
        for world, about in evaluation.worlds.items()
        for reason, names in about["left_out"].items()
    ]
    for case in records(evaluation.summary):
        where = f"{case['world']}, {case['split']}"
        if not case["beats_trivial"]:
            warnings.append(
                f"{where}: the network does NOT beat '{PREDICTOR_TITLES[case['best_trivial']]}'"
                f" (mean NRMSE {number(case['nrmse'])} against"
                f" {number(case['best_trivial_nrmse'])})."
            )
        if case["failures"]:
            warnings.append(
                f"{where}: {case['failures']} of {case['draws']} predictions were not finite,"
                " scored as zero."
            )
    if not evaluation.provenance["dataset"]["trained_on"]:
        warnings.append(
            "These are not the data that the network was trained on: some draws may be known to it."
        )
    return warnings


def show(evaluation: Evaluation, console: Console) -> None:
    """Print who wins on each split, the network by every metric, warnings.

    Tables are whole at any width: columns that do not fit stand in a further table below.
    """
    compared = comparison(evaluation).rename(
        columns={PREDICTOR_TITLES[name]: short for name, short in NARROW.items()}
    )
    for split, rows in compared.groupby("split", sort=False):
        title = f"{split}: mean NRMSE (0 is exact) [95 % interval]"
        _print(console, rows.drop(columns="split"), title)
    split = evaluation.summary["split"].iloc[0]
    _print(console, _by_world(evaluation, split), f"{split}: the network by every metric")
    console.print(NARROW_LEGEND, style="dim", highlight=False)
    if len(evaluation.trust):
        claimed = claims(evaluation, intervals=False).rename(columns=NARROW_CLAIMS)
        claimed["split"] = claimed["split"].str.removeprefix("test_extrapolation_")
        _print(console, claimed, "what the network claims of itself: its 90 % band, its flags")
    for warning in warnings_of(evaluation):
        console.print(
            f"WARNING  {warning}", style="bold red", markup=False, highlight=False, soft_wrap=True
        )


def _by_world(evaluation: Evaluation, split: str) -> pd.DataFrame:
    """Every metric without its interval, one row a world, percentages marked in the heading."""
    scores, cases = _of_network(evaluation, split)
    lines = []
    for world, case in cases.items():
        line = {"world": world}
        for name, metric in METRICS.items():
            if metric.column:
                line[metric.column] = number(
                    scores[world, name]["value"] * (100 if metric.percent else 1)
                )
        lines.append(
            {
                **line,
                "draws": case["draws"],
                "fail": case["failures"],
                "outside": case["outside_range"],
            }
        )
    return pd.DataFrame(lines)


TEXT_COLUMNS = ("world", "split", "outcome")
GAP = 2


def _print(console: Console, frame: pd.DataFrame, title: str) -> None:
    """Print a table; columns that the console has no room for follow in tables of their own, which
    repeat the columns that name the row.
    """
    console.print(f"\n{title}", style="bold", markup=False, highlight=False)
    for part in _fitting(frame, console.width):
        console.print(_rich(part))


def _fitting(frame: pd.DataFrame, width: int) -> list[pd.DataFrame]:
    """A table in parts of at most so many characters a line; no part is without a column of its
    own.
    """
    widths = {
        column: GAP + max(map(len, [str(column), *frame[column].map(str)])) for column in frame
    }
    keys = [column for column in ("world", "split") if column in frame]
    room = width - sum(widths[column] for column in keys)
    parts: list[list[Hashable]] = [[]]
    used = 0
    for column in (name for name in frame if name not in keys):
        if parts[-1] and used + widths[column] > room:
            parts.append([])
            used = 0
        parts[-1].append(column)
        used += widths[column]
    return [frame[[*keys, *part]] for part in parts]


def _rich(frame: pd.DataFrame) -> Table:
    table = Table(
        box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0)
    )  # the box adds the last blank of a gap
    for column in frame.columns:
        text = column in TEXT_COLUMNS
        table.add_column(str(column), justify="left" if text else "right", overflow="fold")
    for row in frame.itertuples(index=False):
        loses = any(str(cell).startswith("LOSES") for cell in row)
        table.add_row(*(escape(str(cell)) for cell in row), style="bold red" if loses else None)
    return table
