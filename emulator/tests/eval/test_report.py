"""Figures are drawn and not empty; the report is one file that loads nothing and escapes what it is
given.
"""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO, StringIO
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from rich.console import Console

from emulator.data import DataSet
from emulator.eval import Evaluation, Request, evaluate_checkpoint, figures, report, tables


@pytest.fixture(scope="module")
def evaluation(trained: Path, data: DataSet) -> Evaluation:
    return evaluate_checkpoint(Request(checkpoint=trained, dataset=data.path, bootstrap=50))


@pytest.fixture(scope="module")
def images(evaluation: Evaluation) -> dict[str, bytes]:
    return figures.draw_all(evaluation)


class References(HTMLParser):
    """Everything that a browser would load or follow, and every tag."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [
            value or ""
            for name, value in attrs
            if name in ("src", "href", "srcset", "data", "action", "poster")
        ]


def test_figures_are_not_empty(images: dict[str, bytes], tmp_path: Path) -> None:
    assert set(images) == {
        "nrmse_by_world.png",
        "nrmse_by_horizon.png",
        "irf_nk.png",
        "irf_lss.png",
        "worst_draws.png",
    }
    for name, content in images.items():
        picture = matplotlib.image.imread(BytesIO(content), format="png")[:, :, :3]
        assert min(picture.shape[:2]) > 400, name
        ink = (picture < 0.99).any(axis=2)
        assert 0.01 < ink.mean() < 0.6, name
        blue = np.abs(picture - np.array([0, 0x72, 0xB2]) / 255).max(axis=2) < 0.02
        assert blue.sum() > 200, f"{name} shows no network"
    figures.save_all(images, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(images)


def test_every_curve_is_seen_whoever_is_best(evaluation: Evaluation) -> None:
    """A network far worse than the baselines must not push them off its axis, nor one exact horizon
    the rest.
    """
    curves = evaluation.by_horizon.copy(deep=True)
    curves.loc[{"predictor": "network"}] *= 1000
    curves.loc[{"predictor": "linear_regression", "horizon": 0}] = 1e-14
    for axes in figures.horizons(replace(evaluation, by_horizon=curves)).get_axes():
        assert axes.get_ylim()[0] > 1e-10
        for line in axes.get_lines():
            assert np.mean(line.get_ydata() > axes.get_ylim()[0]) > 0.9


def test_same_evaluation_same_figures(evaluation: Evaluation, images: dict[str, bytes]) -> None:
    alone = {"nk": evaluation.examples["nk"]}
    again = figures.draw_all(replace(evaluation, examples=alone))
    assert len(again) == 4
    again.pop("worst_draws.png")  # of all worlds
    assert all(images[name] == image for name, image in again.items())


def test_axes_carry_names_and_units(evaluation: Evaluation) -> None:
    drawn = {
        "bars": figures.bars(evaluation),
        "horizons": figures.horizons(evaluation),
        "responses": figures.responses(evaluation.examples["nk"]),
    }
    for name in ("bars", "horizons"):
        assert all(
            "training standard deviations" in axes.get_ylabel() for axes in drawn[name].get_axes()
        )
    shocks = {text.get_text() for axes in drawn["responses"].get_axes() for text in axes.texts}
    assert shocks == {"monetary", "demand", "cost\npush"}
    assert all(
        axes.get_yscale() == "log"
        for axes in drawn["bars"].get_axes() + drawn["horizons"].get_axes()
    )
    titles = {axes.get_title() for axes in drawn["responses"].get_axes()}
    assert "inflation\n(annualised percentage points)" in titles
    assert "quarters after the shock" in {
        axes.get_xlabel() for axes in drawn["responses"].get_axes()
    }


def test_figures_of_a_network_that_failed_or_is_perfect(evaluation: Evaluation) -> None:
    """Nothing to draw must not be an error: predictions that are not finite, and scores of zero on
    a log axis.
    """
    failed = {"nk": evaluation.examples["nk"].copy(deep=True)}
    failed["nk"]["prediction"][:] = np.inf
    scores, curves = evaluation.scores.copy(), evaluation.by_horizon.copy(deep=True)
    scores.loc[scores["predictor"] == "network", ["value", "low", "high"]] = 0.0
    curves.loc[{"predictor": "network"}] = 0.0
    assert (
        len(
            figures.draw_all(replace(evaluation, scores=scores, by_horizon=curves, examples=failed))
        )
        == 4
    )


def test_report_loads_nothing(
    evaluation: Evaluation, images: dict[str, bytes], tmp_path: Path
) -> None:
    text = report.write(evaluation, images, tmp_path).read_text(encoding="utf-8")
    seen = References()
    seen.feed(text)
    assert len(seen.addresses) == len(images)
    assert all(reference.startswith("data:image/png;base64,") for reference in seen.addresses)
    assert not {"script", "link", "iframe", "object"} & set(seen.tags)
    assert not re.search(r"https?:|@import|url\(", re.sub(r"base64,[A-Za-z0-9+/=]+", "", text))
    assert {base64.b64decode(reference.partition(",")[2]) for reference in seen.addresses} == set(
        images.values()
    )


def test_report_says_what_matters(evaluation: Evaluation, images: dict[str, bytes]) -> None:
    text = report.render(evaluation, images)
    made = evaluation.provenance
    for part in (
        made["checkpoint"]["sha256"],
        made["dataset"]["fingerprint"],
        "nearest neighbour",
        "test_extrapolation_corner",
    ):
        assert part in text
    assert 'name="viewport"' in text
    assert "prefers-color-scheme: dark" in text


def test_report_marks_losers(evaluation: Evaluation, images: dict[str, bytes]) -> None:
    losing = replace(evaluation, summary=evaluation.summary.assign(beats_trivial=False))
    text = report.render(losing, images)
    assert text.count('<tr class="loses">') == len(losing.summary)
    assert text.count("does NOT beat") == len(losing.summary)
    winning = report.render(
        replace(evaluation, summary=evaluation.summary.assign(beats_trivial=True)), images
    )
    assert '<tr class="loses">' not in winning


def test_report_escapes(evaluation: Evaluation, images: dict[str, bytes]) -> None:
    hostile = "<script>alert(1)</script>"
    provenance = {**evaluation.provenance, "command": hostile}
    text = report.render(replace(evaluation, name=hostile, provenance=provenance), images)
    assert hostile not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_tables_on_a_terminal_are_whole_at_any_width(evaluation: Evaluation, width: int) -> None:
    """A pipe has 80 columns; nothing is cut, whatever the columns."""
    page = StringIO()
    tables.show(evaluation, Console(file=page, width=width))
    text = page.getvalue()
    assert "…" not in text
    assert max(map(len, text.split("WARNING")[0].splitlines())) <= width
    for split in ("test", "test_extrapolation_slice", "test_extrapolation_corner"):
        assert f"\n{split}: mean NRMSE" in text
    rows = evaluation.scores[evaluation.scores["shock"] == "all"]
    for row in tables.records(rows[rows["metric"] == "nrmse"]):
        assert tables.number(row["value"]) in text
    if width > 60:
        headings = ("outcome", "network", "nearest", "pooled", "err95%", "outside")
        assert all(heading in text for heading in headings)
