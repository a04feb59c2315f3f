"""The leaderboard as Markdown: bars and values, a table a world, what networks say of themselves,
studies, commands.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from emulator.eval.guards import KINDS
from emulator.eval.results import PREDICTOR_TITLES
from emulator.eval.tables import Row, count, number, records, score_of, with_interval
from emulator.leaderboard import studies
from emulator.leaderboard.bars import NOT_MEASURED, the_universal
from emulator.leaderboard.seeds import OVER_SEEDS
from emulator.leaderboard.speed import speed_table

if TYPE_CHECKING:
    from emulator.leaderboard.board import Board

HEADER = """# Leaderboard

Mean NRMSE over responses (root mean square error in standard deviations of the training split;
0 is exact), with 95 % intervals. Runs that differ in their seed alone are one entry: mean over
seeds and a t-interval over them (marked *seeds*), for a single seed the bootstrap interval over
draws. Ranks compare entries of one kind on the same data set, named by its fingerprint. Numbers of
a network alone, numbers exact by construction and numbers refined by a solver stand in columns of
their own. An entry that does not beat every trivial baseline (zero, training mean, linear
regression, nearest neighbour) is marked **LOSES**.
"""

SPEED_NOTE = """One process, one thread, medians (`python benchmarks/prediction.py`): the
network at one draw and in a batch, the batched exact solver at draws of the prior, and the draws
after which the network's training has paid against it.

"""

CAPTIONS = {
    "error_by_world.png": (
        "Mean NRMSE on test by world: the universal network beside every specialist and baseline;"
        " the lines are the bars."
    ),
    "few_draws.png": (
        "Mean NRMSE of a world that the network did not know, by the number of its draws."
    ),
    "coverage.png": "Share of the true responses in the nominal 90 % band, by world and split.",
}


def markdown(board: Board, images: list[Path], folder: Path) -> str:
    """The whole page, to lie in `folder`, with links to the images."""
    parts = [
        HEADER,
        *_bars(board),
        *_pictures(images, folder),
        *_worlds(board.table),
        *_further(board.table),
    ]
    parts += _trust(board.everywhere)
    for title, study, table in (
        ("A world never seen, without any draw of it", board.unseen, studies.unseen_table),
        ("Learning a new world from few draws", board.few_draws, studies.few_draws_table),
        ("What each part is worth", board.ablations, studies.ablation_table),
    ):
        parts.append(f"\n## {title}\n\n")
        parts.append(
            f"{NOT_MEASURED.capitalize()}.\n"
            if study is None
            else "Mean NRMSE on test, t-intervals over seeds.\n\n" + _table(table(study))
        )
    parts.append(
        "\n## What a prediction costs\n\n"
        + (
            f"{NOT_MEASURED.capitalize()}.\n"
            if board.speed is None
            else SPEED_NOTE + _table(speed_table(board.speed))
        )
    )
    return "".join([*parts, *_commands(board.runs)])


def _bars(board: Board) -> list[str]:
    """Every bar with its value; where there is no universal network a sentence says so."""
    entry = the_universal(board.everywhere)
    if entry is None:
        return [
            "\n## Bars\n\nThere is no universal network among these results: every bar is not"
            " measured.\n"
        ]
    name = board.everywhere.set_index("entry").loc[[entry], "run"].iloc[0]
    met, missed = (
        (board.verdicts["met"].eq(answer) & board.verdicts["met"].notna()).sum()
        for answer in (True, False)
    )
    open_ = board.verdicts["met"].isna().sum()
    text = (
        f"\n## Bars\n\n`{_cell(name)}`, network only, on `test`: {met} met, {missed} missed,"
        f" {open_} not measured. Verdicts are about means.\n\n"
    )
    shown = board.verdicts.assign(
        verdict=[
            v if met else f"**{v}**"
            for v, met in zip(board.verdicts["verdict"], board.verdicts["met"], strict=True)
        ]
    )
    return [text, _table(shown.drop(columns="met"))]


def _pictures(images: list[Path], folder: Path) -> list[str]:
    links = [
        (CAPTIONS[image.name], Path(os.path.relpath(image, folder)).as_posix()) for image in images
    ]
    return [f"\n![{caption}]({link})\n" for caption, link in links]


def _worlds(table: pd.DataFrame) -> list[str]:
    """A section a world, split and data set: every entry, its NRMSE in the column of its kind."""
    parts = []
    for section, rows in table.groupby(["world", "split", "data"], sort=False):
        world, split, data = (str(name) for name in section)
        parts.append(f"\n## {world}, {split} (data `{data[:12]}`)\n\n")
        parts.append(
            _table(
                pd.DataFrame([_line(row) for row in records(rows)]),
                right=("rank", *KINDS, "seeds", "draws", "failures"),
            )
        )
    return parts


def _line(row: Row) -> dict[str, object]:
    verdict = "beats all" if row["beats_trivial"] else "**LOSES**"
    if not row["trained_on"]:
        verdict += ", other data than trained on"
    return {
        "rank": row["rank"],
        "run": row["run"],
        "network": row["model"],
        **{kind: _shown(row, "nrmse") if kind == row["kind"] else "" for kind in KINDS},
        "seeds": row["seeds"],
        "best trivial": (
            f"{PREDICTOR_TITLES.get(row['best_trivial'], row['best_trivial'])}"
            f" {number(row['best_trivial_nrmse'])}"
        ),
        "verdict": verdict,
        "draws": row["draws"],
        "failures": row["failures"],
    }


def _shown(row: Row, score: str, percent: bool = False) -> str:
    """A score and its 95 % interval; *seeds* where that ranges over seeds, else over draws."""
    return with_interval(score_of(row, score), percent) + (
        " *seeds*" if row["interval"] == OVER_SEEDS else ""
    )


def _further(table: pd.DataFrame) -> list[str]:
    """Pooled NRMSE and relative errors, a table a kind."""
    parts = []
    for kind in KINDS:
        rows = table[table["kind"] == kind]
        lines = [
            {
                "world": row["world"],
                "split": row["split"],
                "run": row["run"],
                "pooled NRMSE": _shown(row, "pooled_nrmse"),
                "relative error, median draw": _shown(row, "relative_error_median", percent=True),
                "95th percentile": _shown(row, "relative_error_p95", percent=True),
            }
            for row in records(rows)
        ]
        if lines:
            parts.append(f"\n## Other scores, {kind}\n\n" + _table(pd.DataFrame(lines)))
    return parts


def _trust(entries: pd.DataFrame) -> list[str]:
    """What networks claim of their own errors against the truth, on every split; absent claims are
    said to be absent.
    """
    claimed = entries[entries["coverage"].notna()].sort_values(["run", "world"], kind="stable")
    parts = ["\n## What networks say of themselves\n\n"]
    if claimed.empty:
        return [
            *parts,
            f"{NOT_MEASURED.capitalize()}: no network among these results carries a band.\n",
        ]
    parts.append(
        "Share of the true responses in the nominal 90 % band; mean half width in training standard"
        " deviations; draws that are\nflagged; draws whose relative error exceeds twice the 95th"
        " percentile of test, and the share of these that is flagged.\n\n"
    )
    lines = [
        {
            "run": row["run"],
            "world": row["world"],
            "split": row["split"],
            "coverage": _shown(row, "coverage", percent=True),
            "half width": number(row["width"]),
            "flagged": number(row["flagged"], percent=True),
            "bad draws": count(row["bad"]),
            "of these flagged": number(row["bad_flagged"], percent=True),
        }
        for row in records(claimed)
    ]
    return [*parts, _table(pd.DataFrame(lines)), *_verdicts(claimed[claimed["split"] == "test"])]


def _verdicts(entries: pd.DataFrame) -> list[str]:
    """Verdicts on held-out draws of the prior: is there a unique stable solution?"""
    rows = entries[entries["brier"].notna()]
    if rows.empty:
        return [f"\nDeterminacy: {NOT_MEASURED}.\n"]
    lines = [
        {
            "run": row["run"],
            "world": row["world"],
            "determinate": number(row["determinate"], percent=True),
            "AUC": number(row["auc"]),
            "Brier score": number(row["brier"]),
            "accuracy": number(row["accuracy"], percent=True),
        }
        for row in records(rows)
    ]
    return [
        (
            "\nWhether draws of the prior have a unique stable solution, on draws that the network"
            " did not learn from:\n\n"
        ),
        _table(pd.DataFrame(lines)),
    ]


def _commands(runs: pd.DataFrame) -> list[str]:
    parts = ["\n## The command behind each row\n\n"]
    for row in records(runs.drop_duplicates("file").sort_values(["run", "file"])):
        seed = "" if row["seed"] < 0 else f", seed {row['seed']}"
        parts.append(
            f"`{row['file']}` ({_cell(row['run'])}{seed}), checkpoint"
            f" `{row['checkpoint_sha256'][:12]}`, commit `{_short(row['commit'])}`:\n\n"
        )
        parts.append(f"    {row['command']}\n\n")
    return parts


def _table(frame: pd.DataFrame, right: Iterable[str] = ()) -> str:
    """A Markdown table; the columns named in `right` are set flush right."""
    lines = [
        [str(column) for column in frame.columns],
        ["---:" if column in right else "---" for column in frame.columns],
    ]
    lines += [[_cell(cell) for cell in row] for row in frame.itertuples(index=False)]
    head, rule, *rest = ("| " + " | ".join(line) + " |" for line in lines)
    return "\n".join([head, rule.replace(" ", ""), *rest]) + "\n"


def _cell(text: object) -> str:
    """Text that cannot end a cell of a Markdown table."""
    return str(text).replace("|", r"\|").replace("\n", " ")


def _short(commit: str) -> str:
    """A commit's first digits; that the code differed from it stays visible."""
    head, dash, dirty = commit.partition("-")
    return head[:12] + dash + dirty
