"""A target whose identification is false in the world that is fitted is complained of, whoever
answers; one whose identification holds there is not.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.api import VAR

import emulator
from emulator.errors import EstimationWarning
from emulator.estimation import Budget, Target, estimate, from_var, read_target, us_monetary
from emulator.estimation.diagnostics import identification_complaints, movements
from emulator.estimation.target_files import write_target

TINY = Budget(starts=1, chains=2, draws=40, rescored=0)

AHEAD = """
var x p i xp pp; varexo e_m; parameters sigma kappa phi_pi; sigma = 1.5; kappa = 0.1; phi_pi = 1.5;
model(linear);
  x = xp(-1);
  p = pp(-1);
  xp = xp(+1) - (i(+1) - pp(+1))/sigma;
  pp = 0.99*pp(+1) + kappa*xp;
  i = 0.7*i(-1) + 0.3*phi_pi*p + e_m;
end;
shocks; var e_m; stderr 0.2; end;
"""
"""Output and inflation of a quarter are decided the quarter before."""

MAPPING = """
observables: {output: x, inflation: 4*p, rate: 4*i}
shocks: {monetary: e_m}
parameters:
  sigma: {low: 0.5, high: 4, role: preference}
  kappa: {low: 0.02, high: 0.3, role: price_setting}
  phi_pi: {low: 1.1, high: 3, role: policy_rule}
  stderr_e_m: {low: 0.1, high: 0.5, role: shock_size}
"""


@pytest.fixture(scope="module")
def us():
    return us_monetary(replications=60, horizon=12)


@pytest.fixture
def ahead(tmp_path):
    (tmp_path / "ahead.world.yaml").write_text(MAPPING)
    (tmp_path / "ahead.mod").write_text(AHEAD)
    return tmp_path / "ahead.mod"


@pytest.mark.parametrize("exact", [True, False])
def test_a_recursive_target_is_false_where_the_world_moves_on_impact(us, exact):
    said = "nk: the target's identification is false in this world: it sets output, inflation on"
    with pytest.warns(EstimationWarning, match=said.replace(", inflation", " and inflation")):
        result = estimate(us, "nk", exact=exact, budget=TINY)
    assert [(move.observable, move.horizon, move.stated) for move in result.movements] == [
        ("output", 0, True),
        ("inflation", 0, True),
    ]
    assert all(move.share == 1.0 and move.response < 0 for move in result.movements)


@pytest.mark.filterwarnings("ignore::emulator.errors.EstimationWarning")
def test_it_holds_where_the_world_decides_a_quarter_ahead(us, ahead):
    result = estimate(us, ahead, exact=True, budget=TINY)
    assert result.movements == ()
    assert not any("identification" in complaint for complaint in result.complaints)


@pytest.mark.checkout
@pytest.mark.filterwarnings("ignore::emulator.errors.EstimationWarning")  # of few draws
def test_the_us_fit_of_the_tutorial_is_on_no_bound():
    budget = Budget(starts=3, chains=2, draws=60, rescored=0)
    path = Path(emulator.__file__).parents[1] / "examples" / "decided_ahead.mod"
    result = estimate(us_monetary(replications=200), path, exact=True, budget=budget)
    assert result.point.at_bound == ()
    assert result.point.agreeing == 3
    assert result.point.distance < len(result.target.entries)
    assert result.movements == ()


def test_data_that_the_world_itself_made_do_not_make_it_true():
    world = emulator.world("nk")
    shocks = np.random.default_rng(0).normal(size=(1, 144, 3))
    simulated = world.solver.simulate(world.spec.theta(), shocks)[0, -84:]
    data = pd.DataFrame(simulated, columns=["output", "inflation", "rate"])
    same = {name: name for name in data}
    target = from_var(VAR(data).fit(4), "rate", same, horizon=12, replications=60)
    with pytest.warns(EstimationWarning, match="identification is false in this world"):
        estimate(target, world, exact=True, budget=TINY)


@pytest.mark.fast
def test_files_keep_what_identification_sets_to_zero(us, tmp_path):
    for name in ("x.csv", "x.npz"):
        write_target(us, tmp_path / name)
        again = read_target(tmp_path / name)
        np.testing.assert_array_equal(again.restricted, us.restricted)
        np.testing.assert_array_equal(again.matched, us.matched)
    assert us.restricted.sum() == 2
    assert us.without("output", [0, 1]).restricted.sum() == 2


@pytest.mark.fast
def test_a_target_that_is_silent_about_impact_is_asked_about_it(tmp_path):
    rows = ["0,,,0.9,0.1", "1,-0.1,0.1,0.7,0.1", "2,-0.2,0.1,0.5,0.1"]
    (tmp_path / "x.csv").write_text("\n".join(["horizon,output,output_sd,rate,rate_sd", *rows]))
    target = read_target(tmp_path / "x.csv")
    assert target.silent.tolist() == [True, False]
    irf = np.tile(np.array([-0.3, 1.0]), (5, 3, 1))
    moved = movements(target, irf)
    assert [(move.observable, move.stated) for move in moved] == [("output", False)]
    (complaint,) = identification_complaints(moved)
    assert complaint.startswith(
        "the target says nothing of output on impact, where the world answers -0.3 percent: if"
    )


@pytest.mark.fast
def test_small_errors_of_a_network_are_no_movement():
    irf = np.full((20, 3, 3), 1.0)
    irf[:, 0, :2] = 0.01
    irf[:, :, 1] *= 1e-9  # nothing, beside the others
    sd = np.full((3, 3), 0.1)
    sd[0, :2] = 0.0
    target = Target.of("x", "monetary", np.where(sd == 0, 0.0, 1.0), sd)
    assert movements(target, irf) == ()
    irf[:2, 0, 0] = 0.5
    (move,) = movements(target, irf)
    assert (move.observable, move.share) == ("output", 0.1)
