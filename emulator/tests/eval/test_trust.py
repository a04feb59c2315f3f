"""What a network claims of itself: coverage, flags and determinacy as by hand; wrong
claims are seen; absent ones stay absent.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from emulator.data import DataSet
from emulator.errors import DatasetError
from emulator.eval import (
    Evaluation,
    Request,
    evaluate_checkpoint,
    evaluate_network,
    figures,
    report,
    tables,
    trust,
)
from emulator.eval.results import write
from emulator.leaderboard.board import collect
from emulator.models import load
from emulator.spec import Status
from emulator.tests.eval.stand_ins import Doctored

WIDE = 0.3


class Claims(torch.nn.Module):
    """A band of one width everywhere, a flag on every draw whose first parameter is above its
    middle, and a coin for verdicts.
    """

    def __init__(self, network: Any, middle: dict[str, float]) -> None:
        super().__init__()
        self.network, self.middle = [network], middle

    def half_width(self, theta: torch.Tensor, world: str) -> torch.Tensor:
        return torch.full_like(self.network[0](theta, world), WIDE)

    def flagged(
        self, theta: torch.Tensor, world: str, placed: torch.Tensor | None = None
    ) -> torch.Tensor:
        return theta[:, 0] > self.middle[world]

    def judges(self, world: str) -> bool:
        return world == "nk"

    def determinacy(self, theta: torch.Tensor, world: str) -> torch.Tensor:
        return theta[:, 0].clamp(0, 1)

    @staticmethod
    def held_out(n: int) -> slice:
        return slice(n - 5, n)


@pytest.fixture(scope="module")
def network(trained: Path, data: DataSet) -> Any:
    plain = load(trained)
    middle = {world: float(np.median(data.read(world, "test")[0][:, 0])) for world in data.worlds}
    return replace(plain, trust=Claims(plain.network, middle))


@pytest.fixture(scope="module")
def verdicts() -> tuple[np.ndarray, np.ndarray]:
    """Ten draws; of the last five, held out, the third alone has no unique solution."""
    theta = np.zeros((10, 12), dtype=np.float32)
    theta[5:, 0] = [0.9, 0.8, 0.6, 0.7, 0.4]
    status = np.full(10, Status.EXPLOSIVE, dtype=np.uint8)
    status[[5, 6, 8, 9]] = Status.OK
    return theta, status


@pytest.fixture(scope="module")
def evaluation(
    network: Any, trained: Path, data: DataSet, verdicts: tuple[np.ndarray, np.ndarray]
) -> Evaluation:
    return evaluate_network(
        network,
        Doctored(data, verdicts=lambda world: verdicts),
        Request(trained, data.path, bootstrap=200),
    )


def test_coverage_and_flags_are_those_of_hand(
    evaluation: Evaluation, network: Any, data: DataSet
) -> None:
    assert tuple(evaluation.trust.columns) == trust.COLUMNS
    rows = evaluation.trust.set_index(["world", "split"])
    assert len(rows) == 6
    for world in data.worlds:
        errors = {}
        train = data.read(world, "train")[1].astype(np.float64)
        sigma = train.std(axis=(0, 2))
        for split in ("test", "test_extrapolation_slice"):
            theta, truth = data.read(world, split)
            with torch.inference_mode():
                error = np.abs(network.network(torch.as_tensor(theta), world).numpy() - truth)
            row = rows.loc[(world, split)]
            assert row["coverage"] == pytest.approx((error <= np.float32(WIDE)).mean())
            assert row["low"] <= row["coverage"] <= row["high"]
            assert 0 < row["high"] - row["low"] < 0.2
            assert row["width"] == pytest.approx((WIDE / sigma).mean(), rel=1e-5)
            flags = theta[:, 0] > network.trust.middle[world]
            assert row["flagged"] == pytest.approx(flags.mean())
            scaled = (error / sigma[:, None]) ** 2
            errors[split] = np.sqrt(
                scaled.sum(axis=(1, 2, 3)) / ((truth / sigma[:, None]) ** 2).sum(axis=(1, 2, 3))
            )
            bad = errors[split] > 2 * np.quantile(errors["test"], 0.95)
            assert row["bad"] == bad.sum()
            assert row["bad_flagged"] == pytest.approx(
                flags[bad].mean() if bad.any() else np.nan, nan_ok=True
            )
            others = np.sqrt(scaled[~flags].mean(axis=(0, 2)))
            assert row["nrmse_unflagged"] == pytest.approx(np.nanmean(others), rel=1e-5)


def test_verdicts_are_scored_on_draws_that_no_fit_saw(evaluation: Evaluation) -> None:
    (row,) = evaluation.determinacy.to_dict(orient="records")
    assert (row["world"], row["draws"], row["determinate"]) == ("nk", 5, 0.8)
    assert row["auc"] == pytest.approx(3 / 4), (
        "three of four determinate draws rank above the other one"
    )
    assert row["accuracy"] == pytest.approx(3 / 5)
    assert row["brier"] == pytest.approx(np.mean(np.square([0.1, 0.2, 0.6, 0.3, 0.6])))


def test_a_band_of_no_width_covers_nothing_and_an_endless_one_all(
    network: Any, trained: Path, data: DataSet
) -> None:
    for width, expected in ((0.0, 0.0), (1e9, 1.0)):
        plain = load(trained)
        claims = Claims(plain.network, network.trust.middle)
        claims.half_width = lambda theta, world, plain=plain, width=width: torch.full_like(
            plain.network(theta, world), width
        )
        made = replace(plain, trust=claims)
        outcome = evaluate_network(
            made,
            data_without_verdicts(data),
            Request(trained, data.path, splits=("test",), bootstrap=0),
        )
        assert set(outcome.trust["coverage"]) == {expected}
        assert outcome.determinacy.empty


def data_without_verdicts(data: DataSet) -> Any:
    return Doctored(data, world=lambda name: SimpleNamespace(metadata_sha256={}))


def test_verdicts_that_were_altered_are_an_error_not_an_absence(
    network: Any, trained: Path, data: DataSet
) -> None:
    def refuse(world: str) -> None:
        raise DatasetError("verdicts.npz was altered")

    with pytest.raises(DatasetError, match="was altered"):
        evaluate_network(
            network,
            Doctored(data, verdicts=refuse),
            Request(trained, data.path, ("nk",), ("test",), bootstrap=0),
        )


def test_predictions_that_are_not_finite_are_not_covered(
    evaluation: Evaluation, network: Any, trained: Path, data: DataSet
) -> None:
    made = replace(load(trained), trust=Claims(network.network, network.trust.middle))
    for parameter in made.network.parameters():
        parameter.data.fill_(np.nan)
    outcome = evaluate_network(
        made,
        data_without_verdicts(data),
        Request(trained, data.path, splits=("test",), bootstrap=0),
    )
    assert set(outcome.trust["coverage"]) == {0.0}


def test_without_the_reference_split_bad_draws_are_unknown(
    network: Any, trained: Path, data: DataSet
) -> None:
    request = Request(trained, data.path, worlds=("lss",), splits=("val",), bootstrap=0)
    outcome = evaluate_network(network, data, request)
    assert outcome.trust["bad"].isna().all()
    assert outcome.trust["bad_flagged"].isna().all()


def test_a_network_without_trust_claims_nothing(trained: Path, data: DataSet) -> None:
    outcome = evaluate_checkpoint(Request(trained, data.path, splits=("test",), bootstrap=0))
    assert outcome.trust.empty
    assert outcome.determinacy.empty
    assert np.isnan(outcome.examples["nk"]["half_width"]).all()
    assert "carries no error band: not measured" in report.render(outcome, {})


def test_claims_reach_files_pages_and_figures(evaluation: Evaluation, tmp_path: Path) -> None:
    write(evaluation, tmp_path / "run")
    table = collect(tmp_path, ("test", "test_extrapolation_slice")).table.set_index(
        ["world", "split"]
    )
    for row in evaluation.trust.to_dict(orient="records"):
        if row["split"] != "test_extrapolation_corner":
            shown = table.loc[(row["world"], row["split"])]
            assert (shown["coverage"], shown["coverage_low"], shown["flagged"]) == (
                row["coverage"],
                row["low"],
                row["flagged"],
            )
    assert table.loc[("nk", "test"), "auc"] == pytest.approx(0.75)
    assert np.isnan(table.loc[("lss", "test"), "auc"])
    text = report.render(evaluation, {})
    assert all(cell in text for cell in tables.claims(evaluation)["in band"])
    bands = [c for axes in figures.worst(evaluation).get_axes() for c in axes.collections]
    assert len(bands) == 6, "two worlds by three observables"


def test_worst_figure_shows_the_shock_that_is_missed_most(evaluation: Evaluation) -> None:
    examples = {world: example.copy(deep=True) for world, example in evaluation.examples.items()}
    examples["nk"]["prediction"].loc[{"rank": "worst", "shock": "cost_push"}] += 100.0
    labels = [
        axes.get_ylabel()
        for axes in figures.worst(replace(evaluation, examples=examples)).get_axes()
    ]
    assert any(label.startswith("nk: cost_push") for label in labels)
