"""Studies that are not one run: a world never seen, learning one from few draws, and what each part
of the network is worth.

Each is a tidy CSV, one row a training; tables and figures average over its seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from emulator.errors import EvaluationError
from emulator.eval.tables import number, records, with_interval
from emulator.leaderboard.seeds import over_seeds

FEW_DRAWS, ABLATIONS, UNSEEN = "few_draws.csv", "ablations.csv", "unseen.csv"
FINE_TUNED, FROM_SCRATCH = "fine-tuned", "from scratch"
WITHOUT_DRAWS, MEAN_RESPONSE = "universal, no draw", "mean response"
MISSING = "not measured"
DATA = "data"
"""Column that a study may have: the data set of its trainings, twelve digits of its fingerprint."""
COLUMNS = {
    FEW_DRAWS: ("world", "start", "draws", "seed", "nrmse"),
    ABLATIONS: ("variant", "world", "seed", "nrmse"),
    UNSEEN: ("world", "predictor", "seed", "nrmse"),
}
"""Columns of each study; nrmse is the mean over responses on `test`, in training standard
deviations.
"""


def read_columns(
    path: Path, columns: Sequence[str], perhaps: Sequence[str] = ()
) -> pd.DataFrame | None:
    """These columns of a CSV file, and those of `perhaps` that it has, or None where there is no
    file.

    Raises `EvaluationError` where they are not to be had.
    """
    try:
        table = pd.read_csv(path, dtype={DATA: str})  # twelve digits may look like a number
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:  # pandas' own errors are ValueErrors
        raise EvaluationError(
            f"{path} cannot be read as CSV: {error}. Expected the columns {', '.join(columns)}."
        ) from None
    if missing := [column for column in columns if column not in table]:
        raise EvaluationError(
            f"{path} lacks {', '.join(missing)}; expected the columns {', '.join(columns)}."
        )
    return table[[*columns, *(column for column in perhaps if column in table)]]


def read_study(folder: Path, name: str) -> pd.DataFrame | None:
    """A study's file in a folder, one row a training, or None where it was not done.

    Raises `EvaluationError` for a file with other columns, an unknown start, a number that is none,
    or a training twice.
    """
    path = folder / name
    columns = list(COLUMNS[name])
    table = read_columns(path, columns, perhaps=[DATA])
    if table is None:
        return None
    numbers = pd.to_numeric(table["nrmse"], errors="coerce")
    wrong = np.flatnonzero(~np.isfinite(numbers) | (numbers < 0))
    if len(wrong):
        raise EvaluationError(
            f"{path}: line {wrong[0] + 2} holds no NRMSE; expected a number of 0 or more."
        )
    if "start" in columns and (unknown := set(table["start"]) - {FINE_TUNED, FROM_SCRATCH}):
        raise EvaluationError(
            f"{path}: unknown start '{min(map(str, unknown))}'; expected '{FINE_TUNED}' or"
            f" '{FROM_SCRATCH}'."
        )
    twice = np.flatnonzero(table.duplicated(columns[:-1]))
    if len(twice):
        raise EvaluationError(
            f"{path}: line {twice[0] + 2} repeats a training of the same seed. Keep one of them."
        )
    return table.assign(nrmse=numbers)


def averaged(study: pd.DataFrame) -> pd.DataFrame:
    """A study averaged over seeds: its columns less seed, with low, high (95 % t-interval, NaN for
    one seed) and seeds.
    """
    keys = [column for column in study.columns if column not in ("seed", "nrmse", DATA)]
    rows = []
    for key, group in study.groupby(keys, sort=False):
        mean, low, high = over_seeds(group["nrmse"].to_numpy())
        rows.append(
            {
                **dict(zip(keys, key, strict=True)),
                "nrmse": mean,
                "low": low,
                "high": high,
                "seeds": len(group),
            }
        )
    return pd.DataFrame(rows, columns=[*keys, "nrmse", "low", "high", "seeds"])


def on_data(study: pd.DataFrame) -> str:
    """' On data `6977f860436d`.', where a study says so."""
    names = sorted(set(study[DATA].dropna())) if DATA in study else []
    return f" On data {', '.join(f'`{name}`' for name in names)}." if names else ""


def gain(study: pd.DataFrame, world: str, draws: int) -> tuple[float, int] | None:
    """NRMSE from scratch over NRMSE fine-tuned with so many draws of a world, and the seeds behind
    the fewer of the two.

    None where either was not measured.
    """
    rows = {
        row["start"]: row
        for row in records(averaged(study[(study["world"] == world) & (study["draws"] == draws)]))
    }
    if not {FINE_TUNED, FROM_SCRATCH} <= set(rows) or rows[FINE_TUNED]["nrmse"] == 0:
        return None
    return rows[FROM_SCRATCH]["nrmse"] / rows[FINE_TUNED]["nrmse"], min(
        row["seeds"] for row in rows.values()
    )


def few_draws_table(study: pd.DataFrame) -> pd.DataFrame:
    """Learning a world from few draws as text: a row a world, at the number of draws that has most
    trainings; a column a start, and how many times better.
    """
    draws = int(study["draws"].mode().iloc[0])
    means = averaged(study[study["draws"] == draws])
    rows = []
    for world, group in means.groupby("world", sort=False):
        cells = {
            row["start"]: with_interval({**row, "value": row["nrmse"]}) for row in records(group)
        }
        better = gain(study, str(world), draws)
        rows.append(
            {"world": world}
            | {
                f"{start}, {draws} draws": cells.get(start, MISSING)
                for start in (FINE_TUNED, FROM_SCRATCH)
            }
            | {
                "times better": MISSING if better is None else number(better[0]),
                "seeds": group["seeds"].min(),
            }
        )
    return pd.DataFrame(rows)


def ablation_table(study: pd.DataFrame) -> pd.DataFrame:
    """Ablations as text: a row a variant, in the order of the file, a column a world."""
    return _crossed(study, "variant", "world")


def unseen_table(study: pd.DataFrame) -> pd.DataFrame:
    """Worlds predicted by a network that was trained on other families alone: a row a world, a
    column a predictor.
    """
    return _crossed(study, "world", "predictor")


def _crossed(study: pd.DataFrame, row: str, column: str) -> pd.DataFrame:
    """Means with intervals as text, one key down, the other across, both in the order of the
    file.
    """
    means = averaged(study)
    across = list(dict.fromkeys(means[column]))
    lines = []
    for name, group in means.groupby(row, sort=False):
        cells = {
            mean[column]: with_interval({**mean, "value": mean["nrmse"]}) for mean in records(group)
        }
        lines.append(
            {row: name}
            | {key: cells.get(key, MISSING) for key in across}
            | {"seeds": group["seeds"].min()}
        )
    return pd.DataFrame(lines)
