"""The leaderboard: every recipe below a folder, ranked by mean NRMSE over its seeds, beside the
targets it was to reach.

Functions and a plain record only.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from emulator.errors import EvaluationError
from emulator.eval.results import LEFT_OUT
from emulator.files import write_text
from emulator.leaderboard.outcomes import compare
from emulator.leaderboard.runs import INTERVALS, PLAIN_SCORES, read_runs
from emulator.leaderboard.seeds import entries
from emulator.leaderboard.speed import read_speed
from emulator.leaderboard.studies import ABLATIONS, FEW_DRAWS, UNSEEN, read_study
from emulator.leaderboard.targets import Targets, read_targets

COLUMNS = (
    "world",
    "split",
    "data",
    "rank",
    "run",
    "role",
    "model",
    "worlds",
    "seeds",
    "interval",
    *(f"{name}{end}" for name in INTERVALS for end in ("", "_low", "_high")),
    *PLAIN_SCORES,
    "best_trivial",
    "best_trivial_nrmse",
    "beats_trivial",
    "n_train",
    "draws",
    "failures",
    "outside_range",
    "trained_on",
    "entry",
    "files",
)
"""An entry is one recipe: runs that differ in their seed alone.

`files` names their results, `entry` the recipe.
"""


class Board(NamedTuple):
    """What a leaderboard is made of: entries (`COLUMNS`), the runs behind them, targets and what
    came of them, the studies and the times.
    """

    table: pd.DataFrame
    """`left_out` names observables that an entry's scores are without; its file has the column only
    where there are some.
    """
    runs: pd.DataFrame
    everywhere: pd.DataFrame
    """Entries on all splits, whichever the table shows."""
    targets: Targets | None
    outcomes: pd.DataFrame | None
    """None where no targets were set."""
    few_draws: pd.DataFrame | None
    ablations: pd.DataFrame | None
    unseen: pd.DataFrame | None
    speed: pd.DataFrame | None


def collect(folder: Path, splits: tuple[str, ...] = ("test",)) -> Board:
    """Everything below a folder; the table holds these splits, best first within a world, split
    and data set.

    Raises `EvaluationError` if there is no result, or naming the file that is none.
    """
    runs = read_runs(folder)
    everywhere = entries(runs)
    table = everywhere[everywhere["split"].isin(splits)]
    if table.empty:
        raise EvaluationError(
            f"No result below {folder} holds scores on {', '.join(splits)}; name others with"
            " --splits."
        )
    table = table.sort_values(
        ["world", "split", "data", "nrmse", "run", "files"], ignore_index=True
    )
    table["rank"] = (
        table.groupby(["world", "split", "data"])["nrmse"].rank(method="min").astype(int)
    )
    targets = read_targets(folder)
    few_draws = read_study(folder, FEW_DRAWS)
    speed = read_speed(folder)
    return Board(
        table=table[[*COLUMNS, LEFT_OUT]],
        runs=runs,
        everywhere=everywhere,
        targets=targets,
        outcomes=None if targets is None else compare(everywhere, targets, few_draws, speed),
        few_draws=few_draws,
        ablations=read_study(folder, ABLATIONS),
        unseen=read_study(folder, UNSEEN),
        speed=speed,
    )


def write(board: Board, folder: Path, figures: Path | None = None) -> list[Path]:
    """Write `leaderboard.csv`, `LEADERBOARD.md` and the figures that the results allow; return the
    files written.

    The figures go to the folder `figures`, by default beside the other two.
    """
    from emulator.leaderboard import figures as drawings
    from emulator.leaderboard.page import markdown

    place = folder if figures is None else figures
    images = drawings.draw_all(board.everywhere, board.few_draws, board.targets)
    drawings.save_all(images, place)
    paths = [place / name for name in images]
    table = board.table if board.table[LEFT_OUT].any() else board.table.drop(columns=LEFT_OUT)
    write_text(folder / "leaderboard.csv", table.to_csv(index=False, lineterminator="\n"))
    write_text(folder / "LEADERBOARD.md", markdown(board, paths, folder))
    return [folder / "LEADERBOARD.md", folder / "leaderboard.csv", *paths]
