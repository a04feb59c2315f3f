"""Scale and score table: masking, failures, ranges, counts, and agreement with pandas on the raw
arrays.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from emulator.errors import EvaluationError
from emulator.eval.metrics import METRICS
from emulator.eval.scale import Scale
from emulator.eval.scores import ALL, masked_report, score
from emulator.models.baselines.trivial import TrainingMean, Zero
from emulator.spec import OBSERVABLES, WorldSpec
from emulator.worlds import get_world

pytestmark = pytest.mark.fast


def headline(rows, metric="nrmse"):
    """The row of a metric for the whole world."""
    return rows[
        (rows["shock"] == ALL) & (rows["observable"] == ALL) & (rows["metric"] == metric)
    ].iloc[0]


@pytest.fixture
def spec() -> WorldSpec:
    """`lss`: 36 parameters, 2 shocks."""
    return get_world("lss").spec


@pytest.fixture
def arrays(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """theta (80, 36) and responses (80, 2, 9, 3) of quite different sizes."""
    irf = rng.normal(size=(80, 2, 9, 3)) * 0.8 ** np.arange(9)[:, None] * [1.0, 30.0, 0.02]
    return rng.uniform(size=(80, 36)), irf


def test_sigma_is_the_standard_deviation_over_draws_and_horizons(
    arrays: tuple[np.ndarray, np.ndarray],
) -> None:
    theta, irf = arrays
    scale = Scale.fit(theta.astype(np.float32), irf)
    np.testing.assert_allclose(scale.sigma, irf.std(axis=(0, 2)), rtol=1e-12)
    assert scale.n == 80
    assert not scale.masked.any()


def test_identically_zero_responses_are_masked_up_to_rounding(
    arrays: tuple[np.ndarray, np.ndarray],
) -> None:
    theta, irf = arrays
    irf[:, 0, :, 1] = 0.0
    irf[:, 1, :, 2] *= 1e-12
    irf[:, 1, :, 0] = 4.0
    scale = Scale.fit(theta, irf)
    assert [tuple(int(i) for i in pair) for pair in np.argwhere(scale.masked)] == [(0, 1), (1, 2)]
    assert scale.sigma[1, 0] == pytest.approx(4.0), (
        "a response that never varies is measured by its size"
    )
    with pytest.raises(EvaluationError, match="Every impulse response"):
        Scale.fit(theta, np.zeros_like(irf))


def test_draws_outside_the_range_of_training(arrays: tuple[np.ndarray, np.ndarray]) -> None:
    theta, irf = arrays
    scale = Scale.fit(theta, irf)
    assert not scale.outside(theta).any(), "the training draws themselves are inside"
    moved = theta[:4].copy()
    moved[1, 5], moved[3, 0] = 1.5, -0.1
    np.testing.assert_array_equal(scale.outside(moved), [False, True, False, True])


def test_rows_agree_with_pandas(
    spec: WorldSpec, arrays: tuple[np.ndarray, np.ndarray], rng: np.random.Generator
) -> None:
    theta, truth = arrays
    scale, prediction = (
        Scale.fit(theta, truth),
        truth + rng.normal(size=truth.shape) * truth.std(axis=(0, 2))[:, None],
    )
    index = pd.MultiIndex.from_product(
        [range(80), spec.shock_names, range(9), OBSERVABLES], names=["n", "s", "h", "o"]
    )
    frame = pd.DataFrame({"y": truth.ravel(), "e": (prediction - truth).ravel()}, index=index)
    rmse = (frame["e"] ** 2).groupby(["s", "o"]).mean() ** 0.5 / frame["y"].groupby(["s", "o"]).std(
        ddof=0
    )
    rows = score(spec, scale, truth, prediction, resamples=0).rows
    nrmse = rows[(rows["metric"] == "nrmse") & (rows["shock"] != ALL)].set_index(
        ["shock", "observable"]
    )["value"]
    for pair, expected in rmse.items():
        assert nrmse[pair] == pytest.approx(expected, rel=1e-10)
    assert headline(rows)["value"] == pytest.approx(rmse.mean(), rel=1e-10)
    assert headline(rows, "pooled_nrmse")["value"] == pytest.approx(
        (rmse**2).mean() ** 0.5, rel=1e-10
    )
    relative = score(spec, scale, truth, prediction, resamples=0).relative_error
    assert headline(rows, "relative_error_median")["value"] == pytest.approx(np.median(relative))
    assert headline(rows, "relative_error_p95")["value"] == pytest.approx(
        np.percentile(relative, 95)
    )


def test_every_metric_has_its_rows_and_intervals_around_them(
    spec: WorldSpec, arrays: tuple[np.ndarray, np.ndarray], rng: np.random.Generator
) -> None:
    theta, truth = arrays
    table = score(
        spec,
        Scale.fit(theta, truth),
        truth,
        0.8 * truth + 0.001 * rng.normal(size=truth.shape),
        resamples=200,
    )
    counts = table.rows.groupby("metric").size()
    assert {name: counts[name] for name in METRICS} == {
        n: 1 if m.pooled else 7 for n, m in METRICS.items()
    }
    assert (table.rows["low"] <= table.rows["value"] + 1e-12).all()
    assert (table.rows["value"] <= table.rows["high"] + 1e-12).all()
    assert table.horizon_nrmse.shape == (9,)


def test_perfect_prediction(spec: WorldSpec, arrays: tuple[np.ndarray, np.ndarray]) -> None:
    theta, truth = arrays
    rows = score(spec, Scale.fit(theta, truth), truth, truth, resamples=50).rows
    for name, metric in METRICS.items():
        values = rows[rows["metric"] == name][["value", "low", "high"]]
        np.testing.assert_array_equal(values, np.full(values.shape, metric.best))


def test_zero_and_mean_on_the_training_split(
    spec: WorldSpec, arrays: tuple[np.ndarray, np.ndarray]
) -> None:
    """Zero earns rms/sigma, which is 1 for responses without a mean; the mean never does worse than
    1 in training.
    """
    theta, truth = arrays
    truth = truth + 0.5 * truth.std(axis=(0, 2))[:, None]
    scale = Scale.fit(theta, truth)
    zero = score(spec, scale, truth, Zero().fit(theta, truth).predict(theta), resamples=0).rows
    expected = np.sqrt((truth**2).mean(axis=(0, 2))) / truth.std(axis=(0, 2))
    assert headline(zero)["value"] == pytest.approx(expected.mean())
    mean = score(
        spec, scale, truth, TrainingMean().fit(theta, truth).predict(theta), resamples=0
    ).rows
    assert (mean[mean["metric"] == "nrmse"]["value"] <= 1 + 1e-12).all()
    assert headline(zero, "relative_error_median")["value"] == pytest.approx(1.0)


def test_failures_are_scored_as_zero_and_counted(
    spec: WorldSpec, arrays: tuple[np.ndarray, np.ndarray]
) -> None:
    theta, truth = arrays
    scale, prediction = Scale.fit(theta, truth), truth.copy()
    prediction[3, 0, 2, 1], prediction[9, 1, 0, 0], prediction[9, 0, 0, 0] = np.nan, np.inf, -np.inf
    by_hand = truth.copy()
    by_hand[[3, 9]] = 0.0
    table, expected = (score(spec, scale, truth, p, resamples=0) for p in (prediction, by_hand))
    assert table.failures == 2
    assert expected.failures == 0
    pd.testing.assert_frame_equal(table.rows, expected.rows)
    assert (table.rows[(table.rows["metric"] == "nrmse")]["n"] == 80).all()


def test_masked_responses_leave_no_row_and_are_reported(
    spec: WorldSpec, arrays: tuple[np.ndarray, np.ndarray]
) -> None:
    theta, truth = arrays
    truth[:, 1, :, 2] = 0.0
    scale = Scale.fit(theta, truth)
    prediction = truth.copy()
    prediction[:, 1, :, 2] = -0.5
    table = score(spec, scale, truth, prediction, resamples=0)
    assert headline(table.rows)["value"] == 0.0
    assert len(table.rows[table.rows["metric"] == "nrmse"]) == 6
    (report,) = masked_report(spec, scale, truth, prediction)
    assert report == {
        "shock": "shock_2",
        "observable": "rate",
        "largest_truth": 0.0,
        "largest_prediction": 0.5,
    }


def test_draws_that_do_not_count_are_not_in_n(
    spec: WorldSpec, arrays: tuple[np.ndarray, np.ndarray]
) -> None:
    theta, truth = arrays
    truth[:30, 0, 0, 0] = 0.0
    rows = score(spec, Scale.fit(theta, truth), truth, truth, resamples=0).rows.set_index(
        ["metric", "shock", "observable"]
    )
    assert rows.loc[("sign_at_impact", "shock_1", "output"), "n"] <= 50
    assert rows.loc[("nrmse", "shock_1", "output"), "n"] == 80


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: (y, y[:, :1]), "differ"),
        (lambda y: (y[:0], y[:0]), "no draw"),
        (lambda y: (np.where(y == y.max(), np.nan, y), y), "not finite"),
    ],
)
def test_refusals(
    spec: WorldSpec, arrays: tuple[np.ndarray, np.ndarray], change: object, message: str
) -> None:
    theta, truth = arrays
    with pytest.raises(EvaluationError, match=message):
        score(spec, Scale.fit(theta, truth), *change(truth))  # type: ignore[operator]
