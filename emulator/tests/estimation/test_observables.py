"""Targets and estimates of worlds with any number of observables, of any name, unit and period."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import chisquare

import emulator
from emulator.errors import ParameterError, TargetError
from emulator.estimation import (
    Budget,
    Target,
    draw_fit,
    estimate,
    fit_table,
    read_target,
    us_monetary,
    write_target,
)
from emulator.estimation.density import Criterion, Density, Responder
from emulator.estimation.diagnostics import identification_complaints, movements
from emulator.estimation.matching import MatchingProblem, Settings
from emulator.estimation.prior import JointPrior
from emulator.estimation.smc import run_smc
from emulator.inference import Economy
from emulator.inference.over_solver import SolverAnswerer
from emulator.tests.worlds.tiny import NAMES, TinyWorld

TINY = Budget(starts=2, chains=2, draws=60, rescored=0)
OFF = pytest.mark.filterwarnings("ignore::emulator.errors.EstimationWarning")  # of few draws


def economy(n, frequency="quarter", **options):
    return Economy(SolverAnswerer(TinyWorld(n, frequency, **options)))


def made_by(tiny, sd=0.05, observables=None, horizon=6, **parameters):
    data = tiny.irf(shock="money", observables=observables, horizon=horizon, **parameters)
    irf = data["irf"].values[0, 0]
    names = [str(name) for name in data["observable"].values]
    return Target.of("made", "money", irf, np.full(irf.shape, sd), observables=names)


@OFF
@pytest.mark.parametrize("n", [1, 2, 5, 7])
def test_any_number_of_observables_is_matched_diagnosed_and_drawn(n, tmp_path):
    tiny = economy(n, "month")
    result = estimate(made_by(tiny, rho=0.7), tiny, exact=True, budget=TINY)
    assert result.target.observables == tiny.spec.observable_names
    assert result.target.units == tiny.spec.observable_units
    assert result.point.distance < 1e-3
    assert result.fitted.shape == (3, 7, n)
    assert result.movements == ()
    names = result.fit().index.get_level_values("observable").unique().tolist()
    assert names == list(tiny.spec.observable_names)
    figure = draw_fit([result], tmp_path / "fit.png")
    panels = [axis for axis in figure.axes if axis.axison]
    assert [axis.get_title() for axis in panels] == names
    assert {axis.get_xlabel() for axis in panels} == {"months after impact"}
    result.write(tmp_path / "x")
    about = json.loads((tmp_path / "x" / "result.json").read_text())["target"]
    assert about["frequency"] == "month"
    assert about["observables"] == names
    assert about["units"] == list(tiny.spec.observable_units)


def test_some_of_a_world_s_observables_are_matched_by_name(tmp_path):
    tiny = economy(7)
    asked = ["consumption", "spread"]
    problem = MatchingProblem.of(
        made_by(tiny, observables=asked), tiny, Settings(exact=True, budget=TINY)
    )
    theta = tiny.spec.theta()
    np.testing.assert_array_equal(
        problem.responder.responses(theta)[0],
        tiny.irf(shock="money", horizon=6, observables=asked)["irf"][0, 0],
    )
    assert problem.target.units == ("percent", "unknown")


@pytest.mark.fast
def test_files_hold_any_observables(tmp_path):
    tiny = economy(5, "month")
    target = made_by(tiny).without("spread", [0, 1]).in_world(tiny.spec)
    for ending in ("csv", "npz"):
        write_target(target, tmp_path / f"x.{ending}")
        again = read_target(tmp_path / f"x.{ending}", "money")
        assert again.observables == target.observables
        np.testing.assert_array_equal(again.matched, target.matched)
        np.testing.assert_allclose(again.values, target.values)
    assert (again.units, again.frequency) == (target.units, "month")
    columns = (tmp_path / "x.csv").read_text().splitlines()[0]
    assert columns.startswith("horizon,hours,output,rate,spread,unemployment,hours_sd,output_sd")
    from_csv = read_target(tmp_path / "x.csv", "money")
    assert from_csv.frequency is None
    assert from_csv.in_world(tiny.spec).units == tiny.spec.observable_units


@pytest.mark.fast
def test_files_of_before_are_read_as_they_are(tmp_path):
    """Their NPZ named no observables, and held output, inflation and the rate of quarters."""
    us = us_monetary(replications=40, horizon=3)
    np.savez(
        tmp_path / "x.npz",
        irf=us.irf,
        covariance=us.covariance,
        matched=us.matched,
        about=np.array([us.name, us.shock, us.source]),
    )
    again = read_target(tmp_path / "x.npz")
    assert again.observables == ("output", "inflation", "rate")
    assert again.units == us.units
    assert again.in_world(emulator.world("nk").spec).frequency == "quarter"


@pytest.mark.fast
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"observables": np.array(["a", "a", "b"])}, "none twice"),
        ({"observables": np.array(["a", "b"])}, r"O = 2 observables a, b"),
        ({"observables": np.array([1, 2, 3])}, "of a text each"),
        ({"units": np.array(["percent"])}, "3 observables and 1 units"),
        ({"frequency": np.array("week")}, "one of quarter, month, year"),
    ],
)
def test_an_npz_whose_names_do_not_fit_is_refused(tmp_path, fields, message):
    us = us_monetary(replications=40, horizon=3)
    arrays = {"irf": us.irf, "covariance": us.covariance, "matched": us.matched}
    about = np.array([us.name, us.shock, us.source])
    np.savez(tmp_path / "x.npz", **arrays, about=about, **fields)
    with pytest.raises(TargetError, match=message):
        read_target(tmp_path / "x.npz")


@pytest.mark.fast
def test_a_world_that_lacks_a_matched_observable_is_refused_with_its_name():
    target = made_by(economy(5))
    settings = Settings(exact=True, budget=TINY)
    lacking = "'tiny2' has no observable 'rate', 'spread', 'unemployment', which target 'made'"
    message = f"{lacking} matches. .*Known: hours, output"
    with pytest.raises(ParameterError, match=message):
        MatchingProblem.of(target, economy(2), settings)
    every = range(target.horizon + 1)
    for name in ("rate", "spread", "unemployment"):
        target = target.without(name, every)
    problem = MatchingProblem.of(target, economy(2), settings)
    assert problem.target.observables == ("hours", "output")


@pytest.mark.fast
def test_units_and_periods_that_differ_are_refused():
    monthly = economy(3, "month")
    settings = Settings(exact=True, shock="money", budget=TINY)
    us = us_monetary(replications=40, horizon=3)
    with pytest.raises(ParameterError, match="'us-monetary' counts quarters, world 'tiny3' months"):
        MatchingProblem.of(us, monthly, settings)
    irf = np.ones((4, 1))
    points = Target.of("x", "money", irf, irf, observables=["output"], units=["index points"])
    with pytest.raises(ParameterError, match=r"has output in percent; target 'x' .* index points"):
        MatchingProblem.of(points, monthly, settings)


@pytest.mark.fast
def test_what_the_network_does_not_observe_is_asked_of_the_solver():
    hank = emulator.world("hank")
    poor = "consumption_bottom_half"
    observed = ("output", poor)
    data = hank.irf(shock="monetary", observables=observed, horizon=4)
    irf = data["irf"].values[0, 0]
    target = Target.of("x", "monetary", irf, 0.1 + 0 * irf, observables=observed)
    message = (
        f"network knows output, .* consumption_top_tenth of world 'hank', and no {poor}.*--exact"
    )
    with pytest.raises(ParameterError, match=message):
        MatchingProblem.of(target, "hank", Settings(budget=TINY))
    problem = MatchingProblem.of(target.without(poor, range(5)), "hank", Settings(budget=TINY))
    theta = hank.spec.theta()
    network, solver = (
        who.responses(theta)[0] for who in (problem.responder, problem.exact_responder)
    )
    assert network.shape == solver.shape == (5, 1)
    assert abs(network - solver).max() < 0.1 * abs(solver).max()


@OFF
def test_worlds_with_different_observables_are_compared_on_what_they_share(tmp_path):
    wide, narrow = economy(5, name="wide"), economy(2, name="narrow")
    target = made_by(wide)
    for name in ("rate", "spread", "unemployment"):
        target = target.without(name, range(7))
    results = [estimate(target, world, exact=True, budget=TINY) for world in (wide, narrow)]
    assert [result.fitted.shape[2] for result in results] == [5, 2]
    assert list(fit_table(results).index) == ["wide", "narrow"]
    figure = draw_fit(results)
    assert [axis.get_title() for axis in figure.axes] == ["hours", "output"]


@pytest.mark.fast
def test_identification_is_complained_of_only_where_there_may_be_one():
    """A target that says nothing of any observable on impact sets none to zero there."""
    tiny = economy(5)
    whole = made_by(tiny)
    irf = tiny.irf(shock="money", horizon=6)["irf"].values[:, 0]
    late = whole.irf.copy()
    late[0] = np.nan
    later = Target.of("later", "money", late, whole.sd, observables=whole.observables)
    assert not later.silent.any()
    assert movements(later, irf) == movements(whole, irf) == ()
    partly = whole.irf.copy()
    partly[0, 4] = np.nan
    silent = Target.of("partly", "money", partly, whole.sd, observables=whole.observables)
    (moved,) = movements(silent.in_world(tiny.spec), irf)
    assert moved.observable == "unemployment"
    (complaint,) = identification_complaints([moved])
    assert "nothing of unemployment on impact" in complaint
    assert "persons per thousand" in complaint


def test_posteriors_cover_the_truth_on_data_that_a_world_of_five_observables_made():
    """Simulation-based calibration, as in `test_calibration`: truths rank uniformly."""
    tiny, sd, truths = economy(5), 0.5, 40
    responder = Responder(tiny.answerer, "money", 6)
    prior = JointPrior.of(tiny.spec, {"sigma_supply": 0.5})
    rng = np.random.default_rng(0)
    names = [name for name, _ in NAMES[:5]]
    ranks = []
    for number, truth in enumerate(prior.sample(truths, rng)):
        irf = responder.responses(prior.theta(truth[None]))[0] + sd * rng.normal(size=(7, 5))
        target = Target.of("x", "money", irf, np.full(irf.shape, sd), observables=names)
        density = Density(responder, Criterion(target), prior)
        draws = expit(run_smc(density, 100, np.random.default_rng(number)).z)
        ranks.append((draws < truth).mean(axis=0))
    for column in np.transpose(ranks):
        counts = np.bincount((4 * column).astype(int).clip(max=3), minlength=4)
        assert chisquare(counts).pvalue > 1e-3
    inside = (np.array(ranks) > 0.05) & (np.array(ranks) < 0.95)
    assert 0.8 < inside.mean() < 0.98


MOD = """
var y p i c n w k; varexo e_m; parameters sigma kappa phi; sigma = 1.5; kappa = 0.1; phi = 1.5;
model(linear);
  y = y(+1) - (i - p(+1))/sigma;
  p = 0.99*p(+1) + kappa*y;
  i = 0.7*i(-1) + 0.3*phi*p + e_m;
  c = 0.8*c(-1) + 0.2*y;
  n = 0.7*y;
  w = 0.5*w(-1) + n;
  k = 0.9*k(-1) - i;
end;
shocks; var e_m; stderr 0.2; end;
"""

MAPPING = """
observables:
  output: y
  inflation: 4*p
  rate: 4*i
  consumption: {expression: c, unit: percent}
  hours: {expression: n, unit: percent}
  wage: {expression: w, unit: percent}
  capital: {expression: k, unit: index points}
shocks: {monetary: e_m}
parameters:
  sigma: {low: 0.5, high: 4, role: preference}
  kappa: {low: 0.02, high: 0.3, role: price_setting}
"""


def test_a_mapping_of_seven_observables_is_estimated_on_the_command_line(emulate, tmp_path):
    (tmp_path / "mine.mod").write_text(MOD)
    (tmp_path / "mine.world.yaml").write_text(MAPPING)
    mine = emulator.world(tmp_path / "mine.mod")
    names = list(mine.spec.observable_names)
    assert len(names) == 7
    irf = mine.irf(kappa=0.15, horizon=6)["irf"].values[0, 0]
    table = pd.DataFrame(irf, columns=names)
    errors = (0.02 + 0 * table).add_suffix("_sd")
    pd.concat([table, errors], axis=1).rename_axis("horizon").to_csv(tmp_path / "data.csv")
    few = ["--starts", "2", "--chains", "2", "--draws", "60", "--skip", "capital:0-1"]
    code, out, error = emulate(
        *("estimate", "--world", tmp_path / "mine.mod", "--exact", *few),
        *("--target", tmp_path / "data.csv", "--output", tmp_path / "out"),
    )
    assert code == 0, error
    assert f"47 entries of {', '.join(names)}" in out
    fit = pd.read_csv(tmp_path / "out" / "mine" / "fit.csv")
    assert fit["observable"].unique().tolist() == names
    point = pd.read_csv(tmp_path / "out" / "mine" / "parameters.csv").set_index("parameter")[
        "point"
    ]
    assert point["kappa"] == pytest.approx(0.15, abs=1e-3)
    (tmp_path / "gdp.csv").write_text("horizon,gdp,gdp_sd\n0,1,0.1\n")
    code, _, error = emulate(
        *("estimate", "--world", tmp_path / "mine.mod", "--exact", *few[:6]),
        *("--target", tmp_path / "gdp.csv", "--output", tmp_path / "no"),
    )
    assert code == 1
    assert (
        "World 'mine' has no observable 'gdp', which target 'gdp' matches. Known: capital" in error
    )
