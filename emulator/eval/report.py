"""One HTML file with everything: tables, figures, provenance. It loads nothing and opens
anywhere.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from emulator.eval import tables
from emulator.eval.metrics import METRICS, NEGLIGIBLE
from emulator.eval.results import Evaluation
from emulator.files import write_text

TEMPLATES = Path(__file__).parent / "templates"

CAPTIONS = {
    "nrmse_by_world.png": (
        "Mean NRMSE of the network and the trivial baselines by world; whiskers are bootstrap 95 %"
        " intervals."
    ),
    "nrmse_by_horizon.png": "Pooled NRMSE at each horizon.",
    "worst_draws.png": (
        "The worst draw of each world: the shock whose response is missed by most, with the band"
        " where there is one."
    ),
}


def write(evaluation: Evaluation, images: dict[str, bytes], folder: Path) -> Path:
    """Write `report.html` into a folder and return its path; `images` as from
    `figures.draw_all`.
    """
    path = folder / "report.html"
    write_text(path, render(evaluation, images))
    return path


def render(evaluation: Evaluation, images: dict[str, bytes]) -> str:
    """The report as HTML, figures embedded, every text escaped."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    splits = list(evaluation.by_horizon["split"].values)
    return environment.get_template("report.html.j2").render(
        evaluation=evaluation,
        warnings=tables.warnings_of(evaluation),
        comparison=tables.comparison(evaluation),
        details=[(split, tables.details(evaluation, split)) for split in splits],
        responses=[
            (world, record, tables.responses(evaluation, world, splits[0]))
            for world, record in evaluation.worlds.items()
        ],
        claims=tables.claims(evaluation),
        determinacy=tables.determinacy(evaluation),
        split=splits[0],
        metrics=METRICS,
        negligible=NEGLIGIBLE,
        figures=[_figure(name, content) for name, content in images.items()],
        provenance=_provenance(evaluation),
    )


def _figure(name: str, content: bytes) -> dict[str, str]:
    world = name.removeprefix("irf_").removesuffix(".png")
    caption = CAPTIONS.get(
        name, f"{world}: true and predicted responses of the best, the median and the worst draw."
    )
    return {
        "source": f"data:image/png;base64,{base64.b64encode(content).decode('ascii')}",
        "caption": caption,
    }


def _provenance(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Where the numbers come from, as pairs of a label and a text."""
    origin: dict[str, Any] = evaluation.provenance
    checkpoint = origin["checkpoint"]
    data = origin["dataset"]
    settings = origin["settings"]
    weights = (
        f"{checkpoint['n_weights']:,} weights, " if checkpoint["n_weights"] is not None else ""
    )
    return [
        ("Command", origin["command"]),
        ("Network", f"{checkpoint['model_name']}, {weights}epoch {checkpoint['epoch']}"),
        ("Checkpoint", f"{checkpoint['path']} (SHA-256 {checkpoint['sha256']})"),
        ("Trained at commit", checkpoint["commit"]),
        ("Data set", f"{data['path']} (fingerprint {data['fingerprint']}, H = {data['horizon']})"),
        ("Scored at commit", origin["commit"]),
        (
            "Versions",
            ", ".join(f"{name} {version}" for name, version in origin["versions"].items()),
        ),
        (
            "Bootstrap",
            f"{settings['bootstrap']} resamples, percentile intervals, seed {settings['seed']}",
        ),
        ("Training configuration", json.dumps(checkpoint["config"], sort_keys=True, default=str)),
    ]
