"""A file that solves its model several times, or asks for more than the first order: the answer
says which run it is and what was not done.
"""

import warnings

import numpy as np
import pytest

from emulator.errors import ModFileError, ModFileWarning, ParameterError
from emulator.modfile import irf, load, load_text
from emulator.modfile.compiling.responses import explain
from emulator.spec import Status
from emulator.worlds import get_world

pytestmark = pytest.mark.fast

CHAPTER = """var y m a;
varexo e_m e_a;
parameters rho size;
rho = 0.5; size = 1;
model(linear);
  y = rho*y(-1) + m + a;
  m = e_m;
  a = e_a;
end;
shocks; var e_m; stderr 0.25*size; end;
stoch_simul(order=1, irf=15) y m;
rho = 0.9;
shocks; var e_m = 0; var e_a; stderr 1; end;
stoch_simul(order=1, irf=30) y a;
rho = 0.1;
extended_path(periods=5);
"""
MAPPING = """observables: {output: y, inflation: 0.5*y, rate: m}
parameters:
  rho: {low: 0.1, high: 0.95}
"""


@pytest.fixture
def chapter(tmp_path):
    path = tmp_path / "chapter.mod"
    path.write_text(CHAPTER)
    return path


def quiet(function, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModFileWarning)
        return function(*args, **options)


def test_each_run_answers_at_what_is_in_force_there(chapter):
    first, last = (quiet(irf, chapter, 2, run=k) for k in (1, 2))
    assert list(first["shock"].values) == ["e_m"]
    np.testing.assert_allclose(
        first.sel(shock="e_m", variable="y"), 0.25 * 0.5 ** np.arange(3), atol=1e-14
    )
    assert list(last["shock"].values) == ["e_a"]
    np.testing.assert_allclose(last.sel(shock="e_a", variable="y"), 0.9 ** np.arange(3))


def test_the_answer_is_the_last_stoch_simul_and_says_so_once(chapter):
    with pytest.warns(ModFileWarning) as warned:
        answer = irf(chapter, 2)
    np.testing.assert_array_equal(answer, quiet(irf, chapter, 2, run=2))
    notes = [str(w.message) for w in warned if "commands solve the model" in str(w.message)]
    assert len(notes) == 1
    assert "3 commands" in notes[0]
    assert "run 2: stoch_simul(order=1, irf=30) at chapter.mod:14" in notes[0]
    assert notes[0] in answer.attrs["notes"].splitlines()
    assert answer.attrs["run"] == str(quiet(load, chapter).calibration.run)


def test_the_runs_are_listed_in_words(chapter):
    model = quiet(load, chapter, run=1)
    assert model.run == 1
    assert model.runs == (
        "run 1: stoch_simul(order=1, irf=15) at chapter.mod:11",
        "run 2: stoch_simul(order=1, irf=30) at chapter.mod:14, after new values of rho, the size"
        " of e_m, the size of e_a",
        "run 3: extended_path(periods=5) at chapter.mod:16, after new values of rho",
    )
    assert not model.notes


@pytest.mark.parametrize("number", [0, 4, -1, True, "last", 1.0])
def test_a_run_that_is_not_there_is_refused_with_the_list(chapter, number):
    with pytest.raises(ParameterError, match=r"1 to 3: its runs are: run 1: stoch_simul"):
        load(chapter, run=number)


def test_given_parameters_go_before_those_of_any_run(chapter):
    model = quiet(load, chapter, run=1)
    assert model.theta(size=4.0)[0, model.parameters.index("stderr_e_m")] == 1.0


CURVED = CHAPTER.replace("model(linear)", "model").replace("+ m + a;", "+ m + a + 0.1*m^2;")


@pytest.mark.parametrize("order", [2, 3])
def test_a_file_is_answered_at_the_order_that_it_asks_for(tmp_path, order):
    path = tmp_path / "high.mod"
    path.write_text(CURVED.replace("order=1", f"order={order}"))
    answer = quiet(irf, path, 1, run=1)
    assert answer.attrs["order"] == str(order)
    # Expected: 0.25 + 0.1 (0.25^2 more than without) on impact, and what is left of it.
    expected = (0.25 + 0.1 * 0.25**2) * 0.5 ** np.arange(2)
    np.testing.assert_allclose(answer.sel(shock="e_m", variable="y"), expected)
    assert not quiet(load, path).notes_on_order(order)
    first = quiet(irf, path, 1, run=1, order=1)
    np.testing.assert_allclose(first.sel(shock="e_m", variable="y"), 0.25 * 0.5 ** np.arange(2))


def test_a_linear_model_is_its_own_second_order():
    model = quiet(load_text, CHAPTER.replace("order=1", "order=2"), "m.mod", run=1)
    assert model.order == 1
    assert not model.notes_on_order(1)


def test_dynares_default_order_is_the_second():
    without = CURVED.replace("order=1, ", "")
    assert quiet(load_text, without, "m.mod", run=1).order == 2
    (note,) = quiet(load_text, without, "m.mod", run=1).notes_on_order(1)
    assert "order=2, Dynare's default; the answer is that of order 1" in note


def test_an_order_beyond_the_third_is_answered_at_the_third_and_says_so():
    model = quiet(load_text, CURVED.replace("order=1", "order=4"), "m.mod", run=1)
    assert model.order == 3
    assert "asks for order=4; the answer is that of order 3" in model.notes_on_order(3)[0]


def test_logarithms_are_answered_at_first_order_alone(tmp_path):
    path = tmp_path / "logs.mod"
    path.write_text(CURVED.replace("order=1", "order=2, loglinear"))
    assert quiet(load, path, run=1).order == 1
    with pytest.raises(ModFileError, match=r"logs.mod:11: loglinear is an option of the first"):
        quiet(irf, path, 1, run=1, order=2)


def test_options_stay_in_force_as_in_dynare():
    """Dynare 5.3 answers this file in logarithms: h0 = 0.1."""
    model = quiet(
        load_text,
        "var y; varexo e; parameters r; r=0.9; model; y=2*(y(-1)/2)^r*exp(e); end; initval; y=2;"
        " end; steady; shocks; var e; stderr 0.1; end; stoch_simul(order=1,loglinear);"
        " stoch_simul(irf=10);",
        "m.mod",
    )
    assert "loglinear" in model.calibration.options
    assert model.calibration.run.own == {"irf": "10"}
    assert not any("order" in note for note in model.notes)


def test_a_shock_of_size_zero_is_switched_on_by_theta(chapter):
    model = quiet(load, chapter)
    impact = model.solve(model.theta(stderr_e_m=2.0)).impact[0]
    assert impact[model.variables.index("y"), model.shocks.index("e_m")] == 2.0


@pytest.mark.parametrize(
    ("entry", "size"),
    [
        ("{low: 0.5, high: 1.5}", 1.0),
        ("{prior: inv_gamma, mean: 0.7, sd: 0.2, low: 0.1, high: 3}", 0.7),
        ("{low: 0.5, high: 1.5, default: 0.6}", 0.6),
    ],
)
def test_a_shock_of_size_zero_is_switched_on_by_a_mapping(chapter, entry, size):
    chapter.with_name("chapter.world.yaml").write_text(MAPPING + f"  stderr_e_m: {entry}\n")
    world = quiet(get_world, chapter)
    response = world.irf(world.spec.theta(), 1)[0, world.spec.shock_names.index("e_m"), :, 0]
    np.testing.assert_allclose(response, [size, 0.9 * size], rtol=1e-6)
    assert any("commands solve the model" in note for note in world.notes)


def test_a_default_outside_its_range_is_refused(chapter):
    chapter.with_name("chapter.world.yaml").write_text(
        MAPPING.replace("high: 0.95", "high: 0.95, default: 0.99")
    )
    with pytest.raises(ModFileError, match=r"rho: the default is 0.99, outside"):
        quiet(get_world, chapter)


PLANNER = """var pi x u; varexo e; parameters beta; beta = 0.99;
model; pi = 0.99*pi(+1) + 0.1*x + u; u = 0.5*u(-1) + e; end;
planner_objective pi^2 + 0.1*x^2;
ramsey_model(planner_discount = beta);
shocks; var e; stderr 1; end;
stoch_simul(order=1);
"""


@pytest.mark.parametrize("discount", ["1.01", "0", "-0.5", "beta + 0.1", "1/0", "0/0"])
def test_a_planner_who_does_not_discount_is_refused(discount):
    text = PLANNER.replace("planner_discount = beta", f"planner_discount = {discount}")
    with pytest.raises(ModFileError, match=r"m\.mod:3: planner_discount is"):
        load_text(text, "m.mod")


def test_draws_without_a_discount_factor_have_no_solution(tmp_path):
    path = tmp_path / "m.mod"
    path.write_text(PLANNER)
    model = load(path)
    status = model.solve(model.theta(beta=[0.99, 1.2, 1.0])).status
    assert status[0] == status[2] == 0 != status[1]
    path.write_text(PLANNER.replace("planner_discount = beta", "planner_discount = 1"))
    assert irf(path, 1).shape[0] == 1
    assert "planner_discount" in explain(model, model.theta(beta=1.2), Status(status[1]))


def test_the_command_line_says_what_was_not_done(emulate, tmp_path):
    path = tmp_path / "high.mod"
    path.write_text(CURVED.replace("order=1", "order=2"))
    path.with_name("high.world.yaml").write_text(MAPPING)
    code, out, err = emulate("irf", path, "--horizon", "2")
    assert code == 0
    assert "second order, pruned" in " ".join(out.split())
    assert "the answer is that of order 1" not in err
    assert err.count("3 commands solve the model") == 1


def test_a_shock_of_size_zero_is_switched_on_by_the_command_line(emulate, chapter):
    code, out, err = emulate("irf", chapter, "--set", "stderr_e_m=0.5", "--horizon", "1")
    assert code == 0, err
    cells = {cell.strip() for line in out.splitlines() for cell in line.split("│")}
    assert {"+0.5", "+0.45"} <= cells


def test_the_last_run_of_responses_is_answered_unless_another_is_chosen(chapter):
    assert quiet(load, chapter).run == 2
    assert quiet(load, chapter, run=3).kind.title == "the extended path"


def test_options_of_commands_that_set_up_a_run_stay_in_force():
    text = CHAPTER + "perfect_foresight_setup(periods=40);\nstoch_simul(order=1);\n"
    model = quiet(load_text, text, "m.mod")
    assert model.calibration.run.options["periods"] == "40"


def test_optimal_policy_alone_is_a_run():
    text = (
        "var y i; varexo e; model; y = 0.5*y(-1) - i + e; end; planner_objective y^2 + i^2;"
        " ramsey_model(planner_discount=0.99); shocks; var e; stderr 1; end;"
    )
    assert quiet(load_text, text, "m.mod").runs == (
        "run 1: ramsey_model(planner_discount=0.99) at m.mod:1",
    )
    followed = text + "stoch_simul(order=1);"
    assert quiet(load_text, followed, "m.mod").runs == ("run 1: stoch_simul(order=1) at m.mod:1",)
