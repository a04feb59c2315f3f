"""Runs that differ in their seed alone, as one entry: means, and an interval over seeds where there
are two or more.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from itertools import takewhile

import numpy as np
import pandas as pd
from scipy.stats import t

from emulator.eval.bootstrap import CONFIDENCE
from emulator.eval.results import LEFT_OUT
from emulator.leaderboard.runs import INTERVALS, PLAIN_SCORES

OVER_SEEDS, OVER_DRAWS, NO_INTERVAL = "seeds", "draws", "none"
"""What an interval ranges over: trainings from other seeds (t), or draws of one trained network
(bootstrap).
"""

KEY = ["world", "split", "data"]
SHARED = (
    "model",
    "role",
    "worlds",
    "steps",
    "trained_on",
    "n_train",
    "best_trivial",
    "best_trivial_nrmse",
    "draws",
    "outside_range",
    LEFT_OUT,
)
"""Columns that are the same for all seeds of an entry."""


def over_seeds(values: np.ndarray) -> tuple[float, float, float]:
    """Mean of values (n,), one a seed, and the ends of its 95 % t-interval (Student, 1908); NaN
    ends for a single seed.
    """
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, np.nan, np.nan
    reach = float(
        t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    )
    return mean, mean - reach, mean + reach


def entries(runs: pd.DataFrame) -> pd.DataFrame:
    """One row an entry, world and split, from `runs.read_runs`; `entry` names the recipe, `run` is
    its readable name.

    Runs whose recorded configurations differ in seed and folder alone are one entry. Where two of
    them have the same seed they are no seeds of one recipe (the code between them differed, or one
    was scored twice): each stands alone.
    """
    files = runs.drop_duplicates("file")
    repeated = files[files.duplicated(["recipe", "seed"], keep=False)]["recipe"]
    alone = runs["recipe"].isin(set(repeated))
    labelled = runs.assign(entry=runs["recipe"].where(~alone, runs["recipe"] + runs["file"]))
    names = {
        str(entry): common_name(sorted(set(rows["run"])))
        for entry, rows in labelled.groupby("entry")
    }
    return pd.DataFrame(
        [_entry(key, rows, names) for key, rows in labelled.groupby(["entry", *KEY], sort=False)]
    )


def _entry(
    key: tuple[Hashable, ...], rows: pd.DataFrame, names: dict[str, str]
) -> dict[str, object]:
    first = rows.iloc[0]
    entry: dict[str, object] = dict(zip(["entry", *KEY], key, strict=True))
    entry |= {
        "run": names[str(key[0])],
        "seeds": len(rows),
        **{column: first[column] for column in SHARED},
    }
    for name in INTERVALS:
        mean, low, high = over_seeds(rows[name].to_numpy())
        if len(rows) == 1:
            low, high = first[f"{name}_low"], first[f"{name}_high"]
        entry |= {name: mean, f"{name}_low": low, f"{name}_high": high}
    known = np.isfinite(float(str(entry["nrmse_low"])))
    entry["interval"] = NO_INTERVAL if not known else OVER_SEEDS if len(rows) > 1 else OVER_DRAWS
    entry |= {name: rows[name].mean() for name in PLAIN_SCORES}
    entry |= {
        "beats_trivial": bool(rows["beats_trivial"].all()),
        "failures": int(rows["failures"].sum()),
    }
    return entry | {"files": "; ".join(sorted(rows["file"]))}


def common_name(names: list[str]) -> str:
    """What the names of an entry's runs have in common, without a trailing 'seed' or number: 'x' of
    x_seed1, x_seed2.
    """
    if len(names) == 1:
        return names[0]
    shared = "".join(
        letters[0]
        for letters in takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    )
    return re.sub(r"[_\-. ]+(seed|s)?[_\-. ]?\d*$", "", shared) or names[0]
