"""What a prediction costs beside the exact solution: measured by `benchmarks/prediction.py`, one
row a world, shown on the leaderboard beside the targets.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from emulator.errors import EvaluationError
from emulator.eval.tables import number, records
from emulator.leaderboard.studies import read_columns

SPEED = "speed.csv"
COLUMNS = ("world", "one_draw_us", "batch_us", "exact_us", "training_s")
"""Medians, one thread: microseconds of a call with one draw, of a draw in a batch of 10,000, of a
draw by the exact solver; seconds of training.
"""


def read_speed(folder: Path) -> pd.DataFrame | None:
    """The measurements below a folder of results, or None where nothing was measured.

    Raises `EvaluationError` for a file with other columns, a number that is none, or a world twice.
    """
    path = folder / SPEED
    table = read_columns(path, COLUMNS)
    if table is None:
        return None
    numbers = table[list(COLUMNS[1:])].apply(pd.to_numeric, errors="coerce")
    wrong = np.flatnonzero(~(np.isfinite(numbers) & (numbers > 0)).all(axis=1))
    if len(wrong):
        raise EvaluationError(
            f"{path}: line {wrong[0] + 2} holds a time that is no positive number."
        )
    if table["world"].duplicated().any():
        raise EvaluationError(
            f"{path} names world '{table['world'][table['world'].duplicated()].iloc[0]}' twice."
            " Keep one of the rows."
        )
    return table[["world"]].join(numbers)


def speed_table(speed: pd.DataFrame) -> pd.DataFrame:
    """As text, a row a world: times, the exact solver's over the network's, and the draws after
    which training has paid.
    """
    rows = []
    for row in records(speed):
        saved = row["exact_us"] - row["batch_us"]
        rows.append(
            {
                "world": row["world"],
                "one draw, us": number(row["one_draw_us"]),
                "a draw of 10,000, us": number(row["batch_us"]),
                "exact, us a draw": number(row["exact_us"]),
                "exact over predicted": number(row["exact_us"] / row["batch_us"]),
                "draws after which training pays": (
                    number(1e6 * row["training_s"] / saved) if saved > 0 else "never"
                ),
            }
        )
    return pd.DataFrame(rows)
