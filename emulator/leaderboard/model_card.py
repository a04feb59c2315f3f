"""The model card: what a network that ships was made from, how to make it again, what it is worth,
and where.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from emulator.data import DataSet, card
from emulator.eval.cases import NETWORK
from emulator.eval.tables import number, with_interval
from emulator.files import sha256
from emulator.models import shipped, weights_file
from emulator.models.checkpoint import Checkpoint
from emulator.models.trained import restored

TEMPLATES = Path(__file__).parent / "templates"

PERCENT = {
    "nrmse": False,
    "pooled_nrmse": False,
    "relative_error_median": True,
    "relative_error_p95": True,
}
"""The scores that a card shows, and whether in percent; their headings stand in the template."""


@dataclass(frozen=True)
class Facts:
    """What a card is written from; `content` are the bytes of the weights file, `results` a read
    `results.json`.
    """

    origin: Checkpoint
    results: dict[str, Any]
    data: DataSet
    output: Path
    content: bytes
    release_command: str
    hardware: str


def render(facts: Facts) -> str:
    """The card as Markdown; nothing is escaped, since every value is our own."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    origin = facts.origin
    results = facts.results
    trained = restored(origin)
    splits = list(dict.fromkeys(row["split"] for row in results["summary"]))
    return environment.get_template("model_card.md.j2").render(
        facts=facts,
        origin=origin,
        settings=results["provenance"]["settings"],
        name=(
            facts.output.name
            if facts.output.name in shipped.SHIPPED
            else facts.output / shipped.WEIGHTS
        ),
        weights=shipped.WEIGHTS,
        file_sha256=sha256(facts.content),
        n_weights=trained.n_weights,
        exact_in=trained.network.exact_in,
        training_time=_training_time(Path(origin.path).parent),
        before=[f"`{run}`: {_training_time(run)}" for run in _runs_before(origin.config)],
        commands=list(commands(facts)),
        config=yaml.safe_dump(origin.config, sort_keys=False),
        scores={split: list(_scores(results, split)) for split in splits},
        trust=list(_trust(results)),
        determinacy=list(_determinacy(results)),
        ranges={world: list(_ranges(origin, world)) for world in origin.world_specs},
    )


def commands(facts: Facts) -> Iterator[str]:
    """From nothing to these files, one command a line."""
    data = shlex.quote(str(facts.data.path))
    parent, config = Path(facts.origin.path).parent, facts.origin.config
    # Weights of the last epoch are those of `final.pt`; `best.pt` may hold an earlier one.
    weights = "final.pt" if facts.origin.epoch == config.get("epochs") else "best.pt"
    yield card.command(facts.data.manifest.request).removesuffix("PATH") + data
    for run in _runs_before(config):
        yield f"# training starts from {run}: train that network first"
    yield f"emulator train --config {shlex.quote(str(facts.output / shipped.CONFIG))}"
    if facts.origin.trust:
        yield (
            f"emulator calibrate --checkpoint {shlex.quote(str(parent / weights))} --dataset"
            f" {data} --output {shlex.quote(facts.origin.path)}"
        )
    yield facts.results["provenance"]["command"]
    yield facts.release_command


def _runs_before(config: dict[str, Any], seen: tuple[Path, ...] = ()) -> list[Path]:
    """The runs from whose weights a training starts, and those from which these started as far as
    their configurations are at hand; the earliest first. Networks that ship have cards of their
    own.
    """
    runs: list[Path] = []
    for start in (config.get("init_from"), *config.get("init_worlds", {}).values()):
        if start is None or start in shipped.SHIPPED:
            continue
        place = Path(start)
        run = place.parent if place.suffix in (".pt", weights_file.SUFFIX) else place
        if run not in seen:  # a run that was started anew from its own weights
            runs += [*_runs_before(_config_of(run), (*seen, run)), run]
    return list(dict.fromkeys(runs))


def _config_of(run: Path) -> dict[str, Any]:
    """A run's configuration; nothing where it cannot be read."""
    try:
        config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def _training_time(run: Path) -> str:
    """What a run itself recorded beside its checkpoints."""
    place = run / "cost.json"
    if not place.is_file():
        return "not recorded"
    cost = json.loads(place.read_text(encoding="utf-8"))
    machine = f"device {cost['device']}, threads {cost['threads']}, processes {cost['processes']}"
    return f"{cost['seconds'] / 60:.3g} minutes, {cost['steps']:,} steps ({machine})"


def _records(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of a table in `results.json`, in which null stands for what is not a number."""
    return [
        {key: float("nan") if value is None else value for key, value in row.items()}
        for row in rows
    ]


def _scores(results: dict[str, Any], split: str) -> Iterator[dict[str, Any]]:
    """A row for each world on a split: the network's scores as text, counts of draws."""
    rows = [
        row
        for row in _records(results["scores"])
        if (row["predictor"], row["split"]) == (NETWORK, split)
    ]
    scores = {(row["world"], row["metric"]): row for row in rows}
    for case in _records(results["summary"]):
        if case["split"] == split:
            shown = [
                with_interval(scores[case["world"], metric], percent)
                for metric, percent in PERCENT.items()
            ]
            yield {**case, "shown": shown, "trivial": number(case["best_trivial_nrmse"])}


def _trust(results: dict[str, Any]) -> Iterator[list[str]]:
    """Cells of the table of error bands: coverage, width and flags by world and split."""
    for row in _records(results["trust"]):
        coverage = with_interval({**row, "value": row["coverage"]}, percent=True)
        bad = (
            f"{number(row['bad_flagged'], percent=True)} of {row['bad']}"
            if row["bad"] > 0
            else "none"
        )
        yield [
            row["world"],
            f"`{row['split']}`",
            coverage,
            number(row["width"]),
            number(row["flagged"], percent=True),
            bad,
        ]


def _determinacy(results: dict[str, Any]) -> Iterator[list[str]]:
    """Cells of the table of determinacy, by world."""
    for row in _records(results["determinacy"]):
        shares = [number(row[key], percent=True) for key in ("determinate", "accuracy")]
        yield [row["world"], str(row["draws"]), *shares, number(row["auc"]), number(row["brier"])]


def _ranges(origin: Checkpoint, world: str) -> Iterator[dict[str, str]]:
    """Each parameter of a world with its prior and the range of its training draws, in its own
    unit.
    """
    statistics = origin.statistics[world]
    for p, low, high in zip(
        origin.world_specs[world].parameters,
        statistics.theta_low.tolist(),
        statistics.theta_high.tolist(),
        strict=True,
    ):
        trained = f"{low:.4g} to {high:.4g}"
        yield {
            "name": p.name,
            "meaning": p.meaning,
            "unit": p.unit,
            "prior": f"{p.low:g} to {p.high:g}",
            "trained": trained,
        }
