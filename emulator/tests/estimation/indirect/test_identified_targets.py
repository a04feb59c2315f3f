"""Targets by an instrument and by signs, against what is true of the simulated data; and targets of
data as they are read.
"""

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.api import VAR

import emulator
from emulator.errors import EstimationWarning, SeriesError, TargetError, UnknownNameError
from emulator.estimation import from_var, read_target, target_from_data, write_target
from emulator.estimation.indirect.identification import Reduced, Restriction, Signs
from emulator.estimation.indirect.procedure import Procedure

pytestmark = pytest.mark.fast

SERIES = ("output", "inflation", "rate")
SAME = {name: name for name in SERIES}


@pytest.fixture(scope="module")
def history():
    """Quarters of `nk`, with its monetary shock as `z`."""
    world = emulator.world("nk")
    shocks = np.random.default_rng(5).normal(size=(1, 700, 3))
    data = world.solver.simulate(world.spec.theta(), shocks)[0, 100:]
    frame = pd.DataFrame(data, columns=list(SERIES))
    frame["z"] = shocks[0, 100:, 0] + np.random.default_rng(6).normal(size=600)
    frame.index = pd.period_range("1850Q1", periods=600, freq="Q")
    return frame


@pytest.fixture(scope="module")
def own():
    world = emulator.world("nk")
    return world.solver.irf(world.spec.theta(), horizon=8)[0, 0]


def test_an_instrument_finds_the_worlds_response(history, own):
    results = VAR(history[list(SERIES)]).fit(2)
    z = history["z"].to_numpy().copy()
    z[:100] = np.nan
    target = from_var(results, "rate", SAME, horizon=8, replications=300, instrument=z)
    assert target.matched.all()
    assert np.abs((target.irf - own) / target.sd).max() < 3
    assert target.procedure.identification.F > 100
    assert "moving block bootstrap" in target.source


def test_a_weak_instrument_is_announced_and_a_wrong_one_refused(history):
    results = VAR(history[list(SERIES)].iloc[:120]).fit(2)
    noise = np.random.default_rng(3).normal(size=118)
    with pytest.warns(EstimationWarning, match="The instrument 'given' is weak: F is"):
        from_var(results, "rate", SAME, replications=20, instrument=noise)
    for given, said in (
        (noise[:7], r"has shape \(7,\); expected 118 numbers"),
        (np.ones(118), "is there in 118 of 118 periods and does not move"),
        (np.where(np.arange(118) < 5, noise, np.nan), "is there in 5 of 118 periods; expected 20"),
        (["a"] * 118, "holds what is no number"),
    ):
        with pytest.raises(TargetError, match=said):
            from_var(results, "rate", SAME, replications=20, instrument=given)
    with pytest.raises(TargetError, match="by an instrument and by signs"):
        from_var(results, "rate", SAME, instrument=noise, signs={"rate": "+"})


def test_signs_are_met_and_the_mean_over_the_set_is_as_by_brute_force():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(2, 2))
    coefficients = np.concatenate([np.zeros((1, 2)), [[0.6, 0.1], [0.0, 0.4]]])[None]
    reduced = Reduced(coefficients, (root @ root.T)[None], 1)
    signs = Signs(0, (Restriction(0, 1, 0, 1), Restriction(1, -1, 0, 0)), rotations=20_000)
    angle = np.linspace(0, 2 * np.pi, 20_001)[:-1]
    impact = np.linalg.cholesky(root @ root.T) @ np.stack([np.cos(angle), np.sin(angle)])
    later = coefficients[0, 1:].T @ impact
    met = (impact[0] > 0) & (later[0] > 0) & (impact[1] < 0)
    assert 0.05 < met.mean() < 0.5
    mean = signs.responses(reduced, 1, [False, False])[0]
    np.testing.assert_allclose(mean[0], impact[:, met].mean(axis=1), atol=0.02)
    np.testing.assert_allclose(mean[1], later[:, met].mean(axis=1), atol=0.02)
    spread = signs.spread(reduced, 1, [False, False])[0, :, 0]
    np.testing.assert_allclose(spread.T @ spread, np.cov(impact[:, met]), atol=0.02)


def test_a_target_by_signs_has_them_and_counts_the_set(history):
    results = VAR(history[list(SERIES)].iloc[:200]).fit(2)
    signs = {"rate": "+0-1", "inflation": "-0-1"}
    target = from_var(results, "rate", SAME, horizon=4, replications=60, signs=signs)
    recursive = from_var(results, "rate", SAME, horizon=4, replications=60)
    assert (target.irf[:2, 2] > 0).all()
    assert (target.irf[:2, 1] < 0).all()
    assert target.matched.all()
    assert target.sd[0, 2] > 1.5 * recursive.sd[0, 2]
    impossible = Signs(2, (Restriction(2, 1, 0, 0), Restriction(2, -1, 0, 0)))
    assert np.isnan(impossible.responses(Reduced(*_reduced()), 2, [False] * 3)).all()
    for wrong, said in (
        ({"rate": "up"}, r"given as 'up'; expected \+ or -, and horizons"),
        ({"rate": "+3-1"}, "given as"),
    ):
        with pytest.raises(TargetError, match=said):
            from_var(results, "rate", SAME, signs=wrong)
    with pytest.raises(UnknownNameError, match="hours"):
        from_var(results, "rate", SAME, signs={"hours": "+"})


def _reduced():
    return np.zeros((1, 4, 3)), np.eye(3)[None], 1


def test_files_keep_how_a_target_was_made(history, tmp_path):
    signs = {"rate": "+0-1", "inflation": "-0-1"}
    target = target_from_data(
        history, sample="1850Q1:1899Q4", lags=2, horizon=4, replications=20, signs=signs
    )
    write_target(target, tmp_path / "x.npz")
    assert read_target(tmp_path / "x.npz").procedure == target.procedure
    assert target.frequency == "quarter"
    assert target.source.startswith("data, 1850Q1:1899Q4; VAR(2) in output, inflation, rate, 198")
    for damaged in ("{", "[]", target.procedure.text().replace('"lags": 2', '"lags": 0')):
        with pytest.raises(ValueError, match=r".+"):
            Procedure.read(damaged)


def test_differences_are_summed_up_and_other_observables_have_names(history):
    frame = history.iloc[:200].rename(columns={"rate": "ffr"})
    frame["growth"] = frame["output"].diff()
    target = target_from_data(
        frame.iloc[1:],
        series=["growth", "ffr"],
        lags=2,
        observe={"growth": "diff(output) + mean", "ffr": "wages"},
        horizon=6,
        replications=40,
    )
    assert target.observables == ("output", "wages")
    assert target.procedure.summed == [True, False]
    assert target.restricted[0].tolist() == [True, False]


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"series": ["output"]}, TargetError, "A VAR of the series output was asked for"),
        ({"series": ["output", "hours"]}, UnknownNameError, "hours"),
        ({"innovation": "hours"}, UnknownNameError, "hours"),
        ({"instrument": "hours"}, UnknownNameError, "hours"),
        ({"instrument": "rate"}, TargetError, "is an instrument and a series of the VAR"),
        ({"lags": 60}, TargetError, "quarters for|periods for"),
        ({"lags": 0}, TargetError, "has 0 lags"),
        ({"observe": {"rate": "4*rate"}}, TargetError, r"expected an observable or its difference"),
        ({"observe": {"rate": "output"}}, TargetError, "are both output in worlds"),
        ({"observe": {"hours": "output"}}, UnknownNameError, "hours"),
        ({"sample": "1700Q1:1710Q1"}, SeriesError, "1700Q1"),
    ],
)
def test_what_data_do_not_allow_is_refused(history, settings, error, said):
    with pytest.raises(error, match=said):
        target_from_data(history.iloc[:200], replications=20, **settings)


def test_missing_numbers_are_named_with_the_sample_that_has_all(history):
    frame = history.iloc[:200].copy()
    frame.iloc[0, 1] = np.nan
    with pytest.raises(TargetError, match=r"1850Q1; a VAR needs .* sample='1850Q2:1899Q4'"):
        target_from_data(frame, replications=20)
