"""The data card: what a data set holds, in Markdown, with a picture of some of its responses."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import zarr
from jinja2 import Environment
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from emulator.data.schema import SPLITS, Manifest
from emulator.data.splits import read_splits
from emulator.files import write_bytes, write_text
from emulator.spec import WorldSpec

CARD, FIGURES = "README.md", "figures"
SHOWN = 40

TEMPLATE = """\
# Data card

{{ request.n_samples }} draws of each of {{ request.worlds | join(", ") }}; seed {{ request.seed }}; horizons 0 to {{ request.horizon }}
{%- if request.periods %}; trajectories of {{ request.periods }} quarters{% endif %}.
Made by version {{ request.made_by }}, commit `{{ manifest.commit }}`. Format {{ request.format_version }}.

    emulator generate --world {{ request.worlds | join(",") }} --n_samples {{ request.n_samples }} --seed {{ request.seed }} --output PATH
    emulator validate --path PATH

Units: output in percent; inflation and rate in annualised percentage points; one period is a quarter; shocks are one
standard deviation; horizon 0 is the impact period.
{% for name, world in manifest.worlds.items() %}
## {{ name }}: {{ world.spec.title }}

{{ world.spec.summary }} Source: {{ world.spec.source }}.

Prior: {{ world.spec.prior }} Refused draws:
{%- for reason, count in world.rejections.items() %} {{ count }} {{ reason }}{{ "," if not loop.last }}{% else %} none{% endfor %}.

![sample responses](figures/{{ name }}.png)

| split | draws | rule |
|---|---|---|
{% for split in splits -%}
| `{{ split }}` | {{ counts[name][split] }} | {{ rules[name][split] }} |
{% endfor %}
| parameter | meaning | unit | role | range |
|---|---|---|---|---|
{% for p in world.spec.parameters -%}
| `{{ p.name }}` | {{ p.meaning }} | {{ p.unit }} | {{ p.role }} | {{ "%g" % p.low }} to {{ "%g" % p.high }} |
{% endfor %}
{%- endfor %}
"""


def write(root: Path, manifest: Manifest) -> None:
    """Write the card and its figures into a data set whose arrays and splits are finished."""
    counts = {name: {s: len(rows) for s, rows in read_splits(root / name / "splits.json").items()} for name in manifest.worlds}
    rules = {name: {s: _rule(manifest, name, s) for s in SPLITS} for name in manifest.worlds}
    # Markdown, not HTML: nothing here is escaped, and every value is our own.
    text = Environment(autoescape=False).from_string(TEMPLATE).render(
        manifest=manifest, request=manifest.request, counts=counts, rules=rules, splits=SPLITS
    )
    for name, world in manifest.worlds.items():
        irfs = np.asarray(zarr.open_group(root / name, mode="r")["irfs"][: manifest.request.chunk])  # type: ignore[index]
        write_bytes(root / FIGURES / f"{name}.png", picture(world.spec, irfs))
    write_text(root / CARD, text)


def _rule(manifest: Manifest, world: str, split: str) -> str:
    regions = manifest.worlds[world].regions
    if split not in regions:
        return "outside both regions, at random"
    return " and ".join(f"`{c.parameter}` >= {c.at_least:.4g}" for c in regions[split].all_of)


def picture(spec: WorldSpec, irf_BSHO: np.ndarray) -> bytes:
    """PNG of sample responses: a panel a shock and observable, single draws over their median and middle 80 %."""
    figure = Figure(figsize=(9.0, 2.3 * spec.n_shocks), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(spec.n_shocks, 3, squeeze=False, sharex=True)
    horizon = np.arange(irf_BSHO.shape[2])
    for row, shock in enumerate(spec.shocks):
        for column, observable in enumerate(spec.observables):
            axis, series = axes[row, column], irf_BSHO[:, row, :, column]
            low, middle, high = np.quantile(series, [0.1, 0.5, 0.9], axis=0)
            axis.plot(horizon, series[:SHOWN].T, color="0.75", linewidth=0.5)
            axis.fill_between(horizon, low, high, color="tab:blue", alpha=0.2, linewidth=0)
            axis.plot(horizon, middle, color="tab:blue")
            axis.axhline(0.0, color="black", linewidth=0.6)
            axis.set_ylim(*(np.quantile(series[:SHOWN], [0.005, 0.995]) * 1.1 + [-1e-6, 1e-6]))
            axis.set_title(f"{shock.name} → {observable.name}", fontsize=9)
            axis.set_ylabel("pp, annualised" if observable.name != "output" else "percent", fontsize=8)
    for axis in axes[-1]:
        axis.set_xlabel("quarters after impact", fontsize=8)
    figure.suptitle(f"{spec.title}: {SHOWN} draws, median and middle 80 %", fontsize=10)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()
