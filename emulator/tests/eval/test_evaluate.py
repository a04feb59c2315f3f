"""Whole evaluations: the exact solver scores zero, a network is scored as by hand, losers are
marked, files agree.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from emulator.data import DataSet
from emulator.errors import EvaluationError
from emulator.eval import (
    Evaluation,
    Request,
    evaluate_checkpoint,
    evaluate_network,
    results,
    tables,
)
from emulator.eval.scores import ALL, COLUMNS
from emulator.models import load
from emulator.models.baselines.trivial import TRIVIAL_BASELINES
from emulator.tests.eval.stand_ins import solver


@pytest.fixture(scope="module")
def evaluation(trained: Path, data: DataSet) -> Evaluation:
    return evaluate_checkpoint(Request(checkpoint=trained, dataset=data.path, bootstrap=100))


def world_scores(evaluation: Evaluation, metric: str = "nrmse") -> pd.Series:
    rows = evaluation.scores
    rows = rows[(rows["shock"] == ALL) & (rows["metric"] == metric)]
    return rows.set_index(["predictor", "world", "split"])["value"]


def test_table_is_tidy_and_whole(evaluation: Evaluation) -> None:
    scores = evaluation.scores
    assert tuple(scores.columns) == COLUMNS
    assert not scores.duplicated(
        ["predictor", "world", "split", "shock", "observable", "metric"]
    ).any()
    assert set(scores["predictor"]) == {"network", *TRIVIAL_BASELINES}
    assert list(evaluation.by_horizon.sizes.values()) == [5, 2, 3, 13]
    assert np.isfinite(evaluation.by_horizon).all()
    assert (scores["low"] <= scores["high"]).all()


def test_network_is_scored_as_by_hand(evaluation: Evaluation, trained: Path, data: DataSet) -> None:
    model = load(trained).network
    for world in data.worlds:
        (theta, truth), (_, train) = data.read(world, "test"), data.read(world, "train")
        with torch.inference_mode():
            error = model(torch.as_tensor(theta), world).numpy().astype(np.float64) - truth
        nrmse = np.sqrt((error**2).mean(axis=(0, 2))) / train.astype(np.float64).std(axis=(0, 2))
        assert world_scores(evaluation)["network", world, "test"] == pytest.approx(
            nrmse.mean(), rel=1e-6
        )


def test_network_that_learnt_beats_the_trivial_in_nk(evaluation: Evaluation) -> None:
    case = evaluation.summary.set_index(["world", "split"]).loc[("nk", "test")]
    trivial = (
        world_scores(evaluation)
        .drop("network", level="predictor")
        .xs(("nk", "test"), level=("world", "split"))
    )
    assert case["best_trivial_nrmse"] == trivial.min()
    assert case["best_trivial"] == trivial.idxmin()
    assert case["beats_trivial"]
    assert case["nrmse"] < trivial.min()


def test_exact_solver_scores_zero_up_to_float32(data: DataSet) -> None:
    outcome = evaluate_network(
        solver(data), data, Request(Path("runs/solver/best.pt"), data.path, bootstrap=20)
    )
    assert (world_scores(outcome)["network"] < 1e-6).all()
    assert (world_scores(outcome, "relative_error_p95")["network"] < 1e-6).all()
    assert (world_scores(outcome, "sign_at_impact")["network"] == 1).all()
    assert (world_scores(outcome, "peak_time_error")["network"] == 0).all()
    assert outcome.beaten.empty
    assert tables.warnings_of(outcome) == []


def test_counts_of_draws(evaluation: Evaluation, data: DataSet) -> None:
    for case in evaluation.summary.to_dict(orient="records"):
        theta, train = (
            data.read(case["world"], case["split"])[0],
            data.read(case["world"], "train")[0],
        )
        outside = sum(any((t < train.min(axis=0)) | (t > train.max(axis=0))) for t in theta)
        assert (case["draws"], case["outside_range"], case["failures"]) == (len(theta), outside, 0)
    held_out = evaluation.summary[evaluation.summary["split"] != "test"]
    assert held_out["outside_range"].sum() > 0


def test_untrained_network_is_marked_loudly(
    data: DataSet, make_checkpoint: Callable[..., Path]
) -> None:
    path = make_checkpoint(
        steps=0, damage=lambda model: [p.data.mul_(5) for p in model.parameters()]
    )
    outcome = evaluate_checkpoint(Request(path, data.path, splits=("test",), bootstrap=0))
    assert len(outcome.beaten) == 2
    assert sum("does NOT beat" in warning for warning in tables.warnings_of(outcome)) == 2
    assert set(tables.comparison(outcome)["outcome"]) == {"LOSES"}


def test_predictions_that_are_not_finite_are_failures(trained: Path, data: DataSet) -> None:
    """A checkpoint of such weights is refused when it is read; a network at hand is scored."""
    broken = load(trained)
    for weight in broken.network.parameters():
        weight.data.fill_(np.nan)
    request = Request(trained, data.path, splits=("test",), bootstrap=20)
    outcome = evaluate_network(broken, data, request)
    assert (outcome.summary["failures"] == outcome.summary["draws"]).all()
    scores = world_scores(outcome)
    np.testing.assert_array_equal(scores["network"], scores["zero"])
    assert not outcome.summary["beats_trivial"].any(), "as good as zero is not better"
    assert any("not finite" in warning for warning in tables.warnings_of(outcome))


def test_same_request_same_numbers_whatever_the_batch(
    trained: Path, data: DataSet, evaluation: Evaluation
) -> None:
    request = Request(checkpoint=trained, dataset=data.path, bootstrap=100)
    pd.testing.assert_frame_equal(evaluate_checkpoint(request).scores, evaluation.scores)
    small = evaluate_checkpoint(replace(request, batch_size=7)).scores
    pd.testing.assert_frame_equal(small, evaluation.scores, rtol=1e-4)
    assert torch.get_num_threads() >= 1


def test_threads_are_put_back(trained: Path, data: DataSet) -> None:
    before = torch.get_num_threads()
    evaluate_checkpoint(
        Request(trained, data.path, worlds=("nk",), splits=("test",), bootstrap=0, threads=2)
    )
    assert torch.get_num_threads() == before


def test_worlds_and_splits_of_the_request(trained: Path, data: DataSet) -> None:
    outcome = evaluate_checkpoint(
        Request(trained, data.path, worlds=("lss",), splits=("val", "train"), bootstrap=0)
    )
    assert set(outcome.scores["world"]) == {"lss"}
    assert list(outcome.summary["split"]) == ["val", "train"]
    assert outcome.examples["lss"].attrs["split"] == "val"


def test_examples_are_the_best_median_and_worst_draw(evaluation: Evaluation, data: DataSet) -> None:
    scores = world_scores(evaluation, "relative_error_median")
    for world, examples in evaluation.examples.items():
        error = examples["relative_error"].values
        assert error[0] <= error[1] <= error[2]
        assert error[1] == pytest.approx(scores["network", world, "test"], rel=0.2)
        np.testing.assert_array_equal(
            examples["truth"], data.read(world, "test")[1][examples["row"].values]
        )


def test_files_hold_what_python_returns(evaluation: Evaluation, tmp_path: Path) -> None:
    results.write(evaluation, tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "scores.csv")
    pd.testing.assert_frame_equal(table, evaluation.scores, check_dtype=False)
    document = results.read(tmp_path / "out" / "results.json")
    of_worlds = evaluation.scores[
        (evaluation.scores["shock"] == ALL)
        & ((evaluation.scores["predictor"] == "network") | (evaluation.scores["metric"] == "nrmse"))
    ]
    columns = [name for name in COLUMNS if name not in ("shock", "observable")]
    pd.testing.assert_frame_equal(
        pd.DataFrame(document["scores"])[columns],
        of_worlds[columns].reset_index(drop=True),
        check_dtype=False,
    )
    curves = pd.read_csv(tmp_path / "out" / "horizons.csv").set_index(
        ["predictor", "world", "split", "horizon"]
    )["nrmse"]
    assert len(curves) == evaluation.by_horizon.size
    place = ("network", "nk", "test", 3)
    assert curves[place] == pytest.approx(
        float(evaluation.by_horizon.sel(predictor="network", world="nk", split="test", horizon=3))
    )
    assert len(pd.read_csv(tmp_path / "out" / "scales.csv")) == 15, "five shocks, three observables"
    assert (
        document["provenance"]["checkpoint"]["sha256"]
        == evaluation.provenance["checkpoint"]["sha256"]
    )
    assert document["provenance"]["command"].startswith(
        "python -m emulator.eval.evaluate --checkpoint "
    )
    assert document["worlds"]["nk"]["units"]["rate"] == "annualised percentage points"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "horizons.csv",
        "masked.csv",
        "results.json",
        "scales.csv",
        "scores.csv",
    ]


def test_missing_intervals_are_null_in_json(trained: Path, data: DataSet, tmp_path: Path) -> None:
    results.write(
        evaluate_checkpoint(Request(trained, data.path, ("nk",), ("test",), bootstrap=0)), tmp_path
    )
    text = (tmp_path / "results.json").read_text()
    assert "NaN" not in text
    assert json.loads(text)["scores"][0]["low"] is None


@pytest.mark.fast
def test_command_repeats_the_request() -> None:
    plain = Request(Path("runs/a b/best.pt"), Path("data"))
    assert (
        plain.command
        == "python -m emulator.eval.evaluate --checkpoint 'runs/a b/best.pt' --dataset data"
    )
    assert (plain.name, plain.folder) == ("a b", Path("runs/a b/evaluation"))
    full = replace(
        plain,
        worlds=("nk", "var"),
        splits=("test",),
        output=Path("o"),
        bootstrap=5,
        allow_other_data=True,
    )
    assert full.command.endswith(
        "--worlds nk,var --splits test --output o --bootstrap 5 --allow-other-data"
    )


@pytest.mark.fast
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[1, 2]",
        b'{"format": "another"}',
        b"\xff\xfe",
        b'{"format": "universal-macro-emulator/results", "format_version": 99}',
    ],
)
def test_files_that_are_no_results_are_refused_by_name(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(content)
    with pytest.raises(EvaluationError, match=r"results\.json"):
        results.read(path)
