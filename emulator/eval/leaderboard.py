"""The leaderboard: every run below a folder, ranked by mean NRMSE, with the literal command behind each row.

`python -m emulator.eval.leaderboard results/` is `emulator leaderboard results/`. Functions only, as in `evaluate.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from emulator.errors import EvaluationError
from emulator.eval.results import PREDICTOR_TITLES, read
from emulator.eval.tables import number
from emulator.files import write_text

COLUMNS = (
    "world", "split", "data", "rank", "run", "model", "nrmse", "low", "high", "best_trivial", "best_trivial_nrmse",
    "beats_trivial", "draws", "failures", "outside_range", "trained_on", "checkpoint_sha256", "commit", "command", "file",
)  # fmt: skip

HEADER = """# Leaderboard

Mean NRMSE over responses (root mean square error in standard deviations of the training split; 0 is exact), with
bootstrap 95 % intervals. Ranks compare runs on the same data set only, named by its fingerprint. A run that does not
beat every trivial baseline (zero, training mean, linear regression, nearest neighbour) is marked **LOSES**.
"""


def collect(folder: Path, splits: tuple[str, ...] = ("test",)) -> pd.DataFrame:
    """One row a run, world and split below a folder, best first within a world, split and data set (`COLUMNS`).

    Raises `EvaluationError` if there is no result, or naming the file that is none.
    """
    if not folder.is_dir():
        raise EvaluationError(f"{folder} is no folder; expected the folder of the results, such as results/.")
    files = sorted(folder.rglob("results.json"))
    if not files:
        raise EvaluationError(f"There is no results.json below {folder}. Make one with: emulator evaluate")
    rows = [row for path in files for row in _rows(path, path.relative_to(folder)) if row["split"] in splits]
    if not rows:
        raise EvaluationError(f"No result below {folder} holds scores on {', '.join(splits)}; name others with --splits.")
    table = pd.DataFrame(rows)
    table = table.sort_values(["world", "split", "data", "nrmse", "run", "file"], ignore_index=True)
    table["rank"] = table.groupby(["world", "split", "data"])["nrmse"].rank(method="min").astype(int)
    return table[list(COLUMNS)]


def _rows(path: Path, shown: Path) -> list[dict[str, Any]]:
    document = read(path)
    try:
        origin = document["provenance"]
        run = {
            "run": document["name"],
            "model": origin["checkpoint"]["model_name"],
            "data": origin["dataset"]["fingerprint"],
            "trained_on": bool(origin["dataset"]["trained_on"]),
            "checkpoint_sha256": origin["checkpoint"]["sha256"],
            "commit": origin["commit"],
            "command": origin["command"],
            "file": shown.as_posix(),
        }
        return [run | _scores(entry) for entry in document["summary"]]
    except (KeyError, TypeError, ValueError) as error:
        raise EvaluationError(
            f"{path} is damaged: {type(error).__name__} {error} in a result of the right format. "
            "Run the evaluation again, or move the file out of the folder."
        ) from None


def _scores(entry: dict[str, Any]) -> dict[str, Any]:
    """The part of a row that comes from one world and split."""
    nan = float("nan")
    return {
        "world": str(entry["world"]),
        "split": str(entry["split"]),
        "nrmse": float(entry["nrmse"]),
        "low": nan if entry["low"] is None else float(entry["low"]),
        "high": nan if entry["high"] is None else float(entry["high"]),
        "best_trivial": str(entry["best_trivial"]),
        "best_trivial_nrmse": float(entry["best_trivial_nrmse"]),
        "beats_trivial": bool(entry["beats_trivial"]),
        "draws": int(entry["draws"]),
        "failures": int(entry["failures"]),
        "outside_range": int(entry["outside_range"]),
    }


def write(table: pd.DataFrame, folder: Path) -> None:
    """Write `leaderboard.csv` and `LEADERBOARD.md` into a folder."""
    write_text(folder / "leaderboard.csv", table.to_csv(index=False, lineterminator="\n"))
    write_text(folder / "LEADERBOARD.md", markdown(table))


def markdown(table: pd.DataFrame) -> str:
    """The leaderboard as Markdown: a section a world, split and data set, then the command behind each run."""
    parts = [HEADER]
    for section, rows in table.groupby(["world", "split", "data"], sort=False):
        world, split, data = (str(name) for name in section)
        parts.append(f"\n## {world}, {split} (data `{data[:12]}`)\n\n")
        parts.append("| rank | run | network | mean NRMSE | 95 % interval | best trivial | verdict | draws | failures |\n")
        parts.append("|---:|---|---|---:|---:|---|---|---:|---:|\n")
        parts += [_line(row) for row in rows.itertuples()]
    parts.append("\n## The command behind each row\n\n")
    for _, rows in table.groupby(["run", "file"], sort=True):
        first = rows.iloc[0]
        parts.append(f"`{first['file']}` ({_cell(first['run'])}), checkpoint `{first['checkpoint_sha256'][:12]}`, commit `{_short(first['commit'])}`:\n\n")
        parts.append(f"    {first['command']}\n\n")
    return "".join(parts)


def _line(row: Any) -> str:
    verdict = "beats all" if row.beats_trivial else "**LOSES**"
    if not row.trained_on:
        verdict += ", other data than trained on"
    trivial = f"{PREDICTOR_TITLES.get(row.best_trivial, row.best_trivial)} {number(row.best_trivial_nrmse)}"
    cells = (
        row.rank, _cell(row.run), _cell(row.model), number(row.nrmse), f"{number(row.low)} to {number(row.high)}",
        trivial, verdict, row.draws, row.failures,
    )  # fmt: skip
    return "| " + " | ".join(str(cell) for cell in cells) + " |\n"


def _cell(text: object) -> str:
    """Text that cannot end a cell of a Markdown table."""
    return str(text).replace("|", r"\|").replace("\n", " ")


if __name__ == "__main__":
    from emulator.console import run
    from emulator.eval.command import leaderboard

    run(leaderboard)


def _short(commit: str) -> str:
    """A commit's first digits; that the code differed from it stays visible."""
    head, dash, dirty = commit.partition("-")
    return head[:12] + dash + dirty
