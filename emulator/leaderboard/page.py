"""The leaderboard as Markdown, on two screens: scores by world, targets, what networks claim of
themselves, studies, and the commands behind them, folded away.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from emulator.eval.results import LEFT_OUT, PREDICTOR_TITLES
from emulator.eval.tables import Row, number, records, score_of, with_interval
from emulator.leaderboard import studies
from emulator.leaderboard.held import NOT_MEASURED
from emulator.leaderboard.outcomes import ALL_WORLDS, the_universal
from emulator.leaderboard.runs import SPECIALIST
from emulator.leaderboard.seeds import OVER_SEEDS
from emulator.leaderboard.speed import speed_table

if TYPE_CHECKING:
    from emulator.leaderboard.board import Board

HEADER = """# Leaderboard

Mean NRMSE over responses: root mean square error in standard deviations of the training split;
0 is exact. In brackets 95 % intervals: over seeds (t, marked *seeds*) where runs differ in their
seed alone, which are one entry, else over draws (bootstrap). **LOSES** marks an entry that does not
beat every trivial baseline (zero, training mean, linear regression, nearest neighbour). Data sets
on which these score the same are the same draws, however a processor rounded their last bits.
`emulator leaderboard results` makes this page and `leaderboard.csv`: all scores of all entries.
"""
CAPTIONS = {
    "error_by_world.png": (
        "Mean NRMSE on test by world: the universal network beside every specialist and baseline;"
        " the lines are the targets."
    ),
    "few_draws.png": (
        "Mean NRMSE of a world that the network did not know, by the number of its draws."
    ),
    "coverage.png": "Share of the true responses in the nominal 90 % band, by world and split.",
}
SPEED_NOTE = (
    "One process, one thread, medians (`python benchmarks/prediction.py`): the network at one draw"
    " and in a batch, the batched exact solver at draws of the prior, and the draws after which the"
    " network's training has paid against it.\n\n"
)
SPLIT_ENDS = {"": "test", "_slice": "slice", "_corner": "corner"}

STRUCTURE = "StructureEmulator"
"""Class of networks that predict a dear part and close it exactly."""
LATE = (
    "structure: exact closure",
    "network only",
    "best of one world",
    "best of several",
    "best trivial",
    "draws",
)
"""Columns of scores after those of the network that is held to the targets, in their order."""
OTHER_DATA = "other data than trained on"
NOT_HELD = "-"
"""In the table of targets: a world that is not held to a target."""


def markdown(board: Board, images: list[Path], folder: Path) -> str:
    """The whole page, to lie in `folder`, with links to the images."""
    chosen = the_universal(board.everywhere, board.targets)
    shown, folded = [], []
    sections = list(board.table.groupby(["split", "data"], sort=False))
    sections.sort(key=lambda section: chosen not in set(section[1]["entry"]))
    for section, rows in sections:
        split, data = (str(name) for name in section)
        title, text = f"Scores on `{split}` (data `{data[:12]}`)", _scores(rows, chosen)
        if chosen is None or (rows["entry"].eq(chosen) | rows["model"].eq(STRUCTURE)).any():
            shown.append(f"\n## {title}\n\n{text}")
        else:  # data of which the network that is held to the targets has no scores
            folded += _folded(title.replace("`", ""), text)
    parts = [
        HEADER,
        *shown,
        *folded,
        *_targets(board, chosen),
        *_pictures(images, folder),
        *_claims(board.everywhere, chosen),
        *_new_worlds(board),
        *_speed(board),
        *_ablations(board),
        *_commands(board.runs),
    ]
    return "".join(parts)


def _scores(rows: pd.DataFrame, chosen: str | None) -> str:
    """The tables of one data set's entries on one split."""
    text = _table(_by_world(rows, chosen))
    if rows["entry"].nunique() > 1:
        text += "\nEvery entry, by mean NRMSE:\n\n" + _table(_every_entry(rows))
    return text


def _by_world(rows: pd.DataFrame, chosen: str | None) -> pd.DataFrame:
    """A line a world: the universal network with its intervals, the best rival of each kind, the
    best trivial baseline; where a dear part was predicted and closed exactly, that beside the best
    network that has to learn the closure too.
    """
    lines = []
    structured = set(rows.loc[rows["model"].eq(STRUCTURE), "world"])
    for world, group in rows.groupby("world", sort=False):
        entries = records(group)
        own = next((row for row in entries if row["entry"] == chosen), None)
        rivals = [row for row in entries if row["entry"] != chosen and row["model"] != STRUCTURE]
        first = entries[0]
        line: dict[str, object] = {"world": world}
        if own is not None:
            line |= {
                f"`{own['run']}`": _shown(own, "nrmse"),
                "relative error: median": number(own["relative_error_median"], percent=True),
                "95th percentile": number(own["relative_error_p95"], percent=True),
            }
        if world in structured:
            line |= {
                "structure: exact closure": _best(r for r in entries if r["model"] == STRUCTURE),
                "network only": _best(r for r in entries if r["model"] != STRUCTURE),
            }
        line |= {
            "best of one world": _best(row for row in rivals if row["role"] == SPECIALIST),
            "best of several": _best(row for row in rivals if row["role"] != SPECIALIST),
            "best trivial": (
                f"{PREDICTOR_TITLES.get(first['best_trivial'], first['best_trivial'])}"
                f" {number(first['best_trivial_nrmse'])}"
            ),
            "draws": first["draws"],
        }
        lines.append(line)
    columns = list(dict.fromkeys(name for line in lines for name in line))
    columns.sort(key=lambda name: LATE.index(name) if name in LATE else -1)
    said = [name for name in columns if any(line.get(name) for line in lines)]
    return pd.DataFrame(lines, columns=said).fillna("")


def _best(rows: Iterable[Row]) -> str:
    """The first of rows that come best first, with its name."""
    row = next(iter(rows), None)
    return "" if row is None else f"{_shown(row, 'nrmse')} `{row['run']}`"


def _every_entry(rows: pd.DataFrame) -> pd.DataFrame:
    """A line an entry, a column a world; networks of one world that differ in the world alone share
    a line.
    """
    worlds = sorted(set(rows["world"]))
    lines: dict[tuple[object, ...], dict[str, object]] = {}
    taken: set[tuple[object, ...]] = set()
    for row in records(rows):
        alone = row["worlds"] == 1
        key: tuple[object, ...] = (
            (row["model"], row["seeds"], row["trained_on"]) if alone else (row["entry"],)
        )
        while (key, row["world"]) in taken:
            key = (*key, row["entry"])
        taken.add((key, row["world"]))
        if key not in lines:
            name = f"`{row['run']}`" if not alone else "one network a world"
            other = "" if row["trained_on"] else f" ({OTHER_DATA})"
            lines[key] = {"entry": name + other, "network": row["model"]} | dict.fromkeys(
                worlds, ""
            )
        lines[key][row["world"]] = _marked(row)
    return pd.DataFrame(lines.values())


def _marked(row: Row) -> str:
    """A mean NRMSE with what a reader must not miss: seeds behind it, a loss, failures."""
    marks = [number(row["nrmse"])]
    if not row["beats_trivial"]:
        marks.append("**LOSES**")
    if row["failures"]:
        marks.append(f"({row['failures']} failures)")
    if row[LEFT_OUT]:
        marks.append(f"(without {row[LEFT_OUT]})")
    return " ".join(marks)


def _shown(row: Row, score: str, percent: bool = False) -> str:
    """A score and its 95 % interval; *seeds* where that ranges over seeds, else over draws."""
    seeds = " *seeds*" if row["interval"] == OVER_SEEDS else ""
    loses = "" if score != "nrmse" or row["beats_trivial"] else " **LOSES**"
    other = "" if row["trained_on"] else f" ({OTHER_DATA})"
    without = f" (without {row[LEFT_OUT]})" if row[LEFT_OUT] else ""
    return with_interval(score_of(row, score), percent) + seeds + loses + other + without


def _targets(board: Board, chosen: str | None) -> list[str]:
    """A line a target, a column a world: values, in bold where the target is missed."""
    heading = "\n## Targets\n\n"
    if board.outcomes is None:
        return [heading, "None were set: there is no `targets.yaml` beside these results.\n"]
    if chosen is None:
        return [heading, "Every target is not measured: there is no universal network here.\n"]
    name = board.everywhere.set_index("entry").loc[[chosen], "run"].iloc[0]
    met = board.outcomes["met"]
    missed = int((met.notna() & met.eq(False)).sum())
    text = (
        f"`{_cell(name)}` on `test`, means over seeds (`targets.yaml`): {int(met.eq(True).sum())}"
        f" met, {missed} missed (**bold**), {int(met.isna().sum())} not measured (n/m)."
    )
    by_world = board.outcomes["world"] != ALL_WORLDS
    for row in records(board.outcomes[~by_world]):
        text += f" {str(row['target']).capitalize()} over worlds: {_outcome(row)} ({row['limit']})."
    lines = []
    for target, rows in board.outcomes[by_world].groupby("target", sort=False):
        limits = list(dict.fromkeys(rows["limit"]))
        limit = limits[0] if len(limits) == 1 else _ends(limits)
        reserves = set(rows.loc[rows["met"].notna(), "reserve"])
        of_all = reserves.pop() if len(reserves) == 1 else ""
        outcomes = {str(row["world"]): _outcome(row, bool(of_all)) for row in records(rows)}
        title = f"{target} ({of_all})" if of_all else target
        lines.append({"target": title, "limit": limit, **outcomes})
    return [heading, text, "\n\n", _table(pd.DataFrame(lines).fillna(NOT_HELD))]


def _ends(limits: list[str]) -> str:
    """'at most 0.002 to 0.03' for limits that differ by world."""
    text = limits[0].rsplit(" ", 1)[0]
    numbers = sorted((limit.rsplit(" ", 1)[1] for limit in limits), key=float)
    return f"{text} {numbers[0]} to {numbers[-1]}, by world"


def _outcome(row: Row, alike: bool = False) -> str:
    """The value of an outcome without interval and remarks, bold where it misses its target;
    `alike`: the heading says on how many seeds it rests.
    """
    brief = str(row["value"]).split(" [")[0].split(" (")[0].split(",")[0]
    if pd.isna(row["met"]):
        return f"n/m {brief}".strip()
    text = f"{brief} ({row['reserve']})" if row["reserve"] and not alike else brief
    return text if row["met"] else f"**{text}**"


def _pictures(images: list[Path], folder: Path) -> list[str]:
    links = [
        (CAPTIONS[image.name], Path(os.path.relpath(image, folder)).as_posix()) for image in images
    ]
    return ["\n", *(f"![{caption}]({link})\n" for caption, link in links)] if links else []


def _claims(entries: pd.DataFrame, chosen: str | None) -> list[str]:
    """What networks claim of their own errors against the truth; absent claims are said to be
    absent.
    """
    heading = "\n## What the network claims of itself\n\n"
    claimed = entries[entries["coverage"].notna()]
    if chosen in set(claimed["entry"]):
        claimed = claimed[claimed["entry"] == chosen]
    if claimed.empty:
        return [heading, f"{NOT_MEASURED.capitalize()}: no network here carries a band.\n"]
    note = (
        "Share of the true responses in the nominal 90 % band, on test draws and on the two regions"
        " beyond training; mean half width in training standard deviations; flagged draws of"
        ' `test`, which the solver answers with `fallback="exact"`, and the mean NRMSE of the'
        " others; badly predicted draws (relative error over twice the 95th percentile of `test`)"
        " that are flagged; and how well it tells draws of the prior that have a unique stable"
        " solution.\n\n"
    )
    lines = []
    for (run, world), group in claimed.groupby(["run", "world"], sort=False):
        by_split: dict[str, Row] = {row["split"]: row for row in records(group)}
        lines.append({"run": run, "world": world} | _claims_of(by_split))
    table = pd.DataFrame(lines)
    if table["run"].nunique() == 1:
        note = f"`{table['run'].iloc[0]}`. {note}"
        table = table.drop(columns="run")
    return [heading, note, _table(table)]


def _claims_of(by_split: dict[str, Row]) -> dict[str, str]:
    """The cells of one network in one world, from its rows by split."""
    splits = [f"test_extrapolation{end}" if end else "test" for end in SPLIT_ENDS]
    rows = [by_split.get(split) for split in splits]
    first = rows[0]

    def each(score: str) -> str:
        return ", ".join("n/a" if row is None else number(row[score], percent=True) for row in rows)

    cells = {f"in band: {', '.join(SPLIT_ENDS.values())}": each("coverage")}
    numbers = {
        "half width": ("width", False),
        "flagged": ("flagged", True),
        "NRMSE of the others": ("nrmse_unflagged", False),
        "AUC": ("auc", False),
        "Brier score": ("brier", False),
        "accuracy": ("accuracy", True),
    }
    for title, (score, percent) in numbers.items():
        cells[title] = "n/a" if first is None else number(first[score], percent)
    cells["bad draws flagged"] = each("bad_flagged")
    return cells


def _new_worlds(board: Board) -> list[str]:
    """A world that the network was not trained on: without any draw of it, and learnt from few."""
    heading = "\n## A world that the network never saw\n\n"
    tables, shown = [], [study for study in (board.unseen, board.few_draws) if study is not None]
    if board.unseen is not None:
        tables.append(studies.unseen_table(board.unseen).drop(columns="seeds"))
    if board.few_draws is not None:
        tables.append(studies.few_draws_table(board.few_draws))
    if not tables:
        return [heading, f"{NOT_MEASURED.capitalize()}.\n"]
    table = tables[0] if len(tables) == 1 else tables[0].merge(tables[1], on="world", how="outer")
    note = "Mean NRMSE on test, t-intervals over seeds; other numbers of draws are in the figure."
    on_data = "".join(dict.fromkeys(map(studies.on_data, shown)))
    return [heading, f"{note}{on_data}\n\n", _table(table.fillna(NOT_MEASURED))]


def _speed(board: Board) -> list[str]:
    heading = "\n## What a prediction costs\n\n"
    if board.speed is None:
        return [heading, f"{NOT_MEASURED.capitalize()}.\n"]
    return [heading, SPEED_NOTE, _table(speed_table(board.speed))]


def _ablations(board: Board) -> list[str]:
    """What each part of the network is worth, folded away."""
    if board.ablations is None:
        return []
    note = "Mean NRMSE on test, t-intervals over seeds, after a short training."
    table = _table(studies.ablation_table(board.ablations))
    return _folded(
        "What each part of the network is worth",
        f"{note}{studies.on_data(board.ablations)}\n\n{table}",
    )


def _commands(runs: pd.DataFrame) -> list[str]:
    """The command behind the `results.json` of each folder, a line each, folded away."""
    lines = [
        f"{row['file'].removesuffix('/results.json')}  checkpoint {row['checkpoint_sha256'][:12]}"
        f"  commit {_short(row['commit'])}  {row['command']}\n"
        for row in records(runs.drop_duplicates("file").sort_values("file"))
    ]
    return _folded("The command behind each result", "".join(["```text\n", *lines, "```\n"]))


def _folded(summary: str, text: str) -> list[str]:
    """A part that shows its summary alone until a reader opens it."""
    return [f"\n<details>\n<summary>{summary}</summary>\n\n{text}\n</details>\n"]


def _table(frame: pd.DataFrame) -> str:
    """A Markdown table."""
    head = " | ".join(_cell(column) for column in frame.columns)
    rule = "|".join("---" for _ in frame.columns)
    rows = [
        "| " + " | ".join(_cell(cell) for cell in row) + " |\n"
        for row in frame.itertuples(index=False)
    ]
    return "".join([f"| {head} |\n|{rule}|\n", *rows])


def _cell(text: object) -> str:
    """Text that cannot end a cell of a Markdown table."""
    return str(text).replace("|", r"\|").replace("\n", " ")


def _short(commit: str) -> str:
    """A commit's first digits; that the code differed from it stays visible."""
    head, dash, dirty = commit.partition("-")
    return head[:12] + dash + dirty
