"""What Dynare 5.3 refuses is refused here (its message stands beside each), and what it does not
know or we do on purpose otherwise is tested by algebra.
"""

import numpy as np
import pytest

from emulator.errors import ModFileError, NoSolutionError
from emulator.modfile import irf, load

pytestmark = [pytest.mark.fast, pytest.mark.filterwarnings("ignore::UserWarning")]

HEAD = "var y; varexo e; parameters r; r = 0.9;\n"
MODEL = "model(linear); y = r*y(-1) + e; end;\n"
SHOCKS = "shocks; var e; stderr 0.1; end;\n"
SOLVE = "stoch_simul(order=1, irf=20, nograph);\n"


@pytest.fixture
def written(tmp_path):
    def of(text):
        path = tmp_path / "m.mod"
        path.write_text(text)
        return path

    return of


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        # ERROR: typo not used in model block. To bypass this error, use the `nostrict` option.
        (
            HEAD.replace("varexo e", "varexo e typo") + MODEL + SHOCKS + SOLVE,
            ModFileError,
            r"m\.mod:1: 'typo' is declared but stands in no equation.*nostrict",
        ),
        # Error: z not used in the model block
        (
            HEAD.replace("var y", "var y z") + MODEL + SHOCKS + SOLVE,
            ModFileError,
            r"m\.mod:1: 'z' is declared but stands in no equation",
        ),
        # The steadystate file did not compute the steady state
        (
            HEAD.replace("var y", "var y z")
            + "model; y = r*y(-1) + e; z = y + 1; end;\nsteady_state_model; y = 0; z = 2; end;\n"
            + SHOCKS
            + SOLVE,
            NoSolutionError,
            r"m\.mod:2: .*the steady_state_model does not solve the model",
        ),
        (
            HEAD
            + "model(linear); y = r*y(-1) + 1 + e; end;\nsteady_state_model; y = 1; end;\n"
            + SHOCKS
            + SOLVE,
            NoSolutionError,
            "the steady_state_model does not solve the model",
        ),
        # Impossible to find the steady state (the sum of square residuals ... is 1.0000)
        (
            HEAD + "model; y = y(-1) + 1 + e + 0*r; end;\n" + SHOCKS + SOLVE,
            NoSolutionError,
            "no steady state",
        ),
    ],
)
def test_what_dynare_refuses_is_refused(written, text, error, words):
    with pytest.raises(error, match=words):
        irf(written(text))


PLANNER = """
var infl cons hrs gross tfp; varexo shk; parameters disc frisch cost elas rhoz;
disc = 0.99; frisch = 3; cost = 17; elas = 8; rhoz = 0.95;
model;
tfp = rhoz*tfp(-1) + shk;
1/cons = disc*gross/(infl(+1)*cons(+1));
cost*infl*(infl-1) = disc*cost*cons/cons(+1)*infl(+1)*(infl(+1)-1)
    + elas*exp(tfp)*hrs*(cons*hrs^frisch/exp(tfp) - (elas-1)/elas);
exp(tfp)*hrs = cons + cost/2*(infl-1)^2;
end;
START
shocks; var shk; stderr 0.01; end;
planner_objective log(cons) - hrs^(1+frisch)/(1+frisch);
ramsey_model(planner_discount=0.99, instruments=(infl));
stoch_simul(order=1);
"""


def test_a_planner_without_a_steady_state_is_told(written):
    """Dynare: info 81, the static first order conditions could not be solved."""
    start = "initval; infl = 1.1; cons = 0.1; hrs = 0.1; gross = 1; end;"
    with pytest.raises(NoSolutionError, match="no steady state of the planner's problem"):
        irf(written(PLANNER.replace("START", start)))


def test_a_planner_is_met_where_the_objective_is_defined(written):
    """From a start without consumption; at the optimum inflation is one and output (7/8)^(1/4)."""
    model = load(written(PLANNER.replace("START", "initval; infl = 1.1; end;")))
    steady = dict(zip(model.variables, model.steady_state(model.theta())[0], strict=True))
    assert steady["infl"] == pytest.approx(1.0)
    assert steady["cons"] == pytest.approx((7 / 8) ** 0.25)


def test_relative_responses_are_over_the_standard_deviation(written):
    """Dynare's oo_.irfs: 100 90 81 ..."""
    path = written(HEAD + MODEL + SHOCKS + SOLVE.replace("order", "relative_irf, order"))
    answer = irf(path, 2)
    np.testing.assert_allclose(answer.values[0, :, 0], [100.0, 90.0, 81.0])
    assert "percent" in answer.attrs["units"]


CHANGED = """
var x y z; varexo e; parameters r; r = 0.5;
model(linear);
[name = 'a'] x = r*x(-1) + e;
[name = 'b'] y = x + 0.3*z;
[name = 'c', kind = 'rule'] z = 0.2*z(-1) + x;
end;
CHANGE
shocks; var e; stderr 1; end;
stoch_simul(order=1);
"""


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ("model_replace('c');\n[name = 'd'] z = 2*x;\nend;", {"x": 1.0, "y": 1.6, "z": 2.0}),
        ("model_replace(kind = 'rule');\nz = 2*x;\nend;", {"x": 1.0, "y": 1.6, "z": 2.0}),
        ("model_remove('c');", {"x": 1.0, "y": 1.0}),
        ("model_remove('b');", {"x": 1.0, "z": 1.0}),
        ("model_remove([name = 'c', kind = 'rule']);", {"x": 1.0, "y": 1.0}),
    ],
)
def test_equations_are_taken_out_and_replaced(written, change, wanted):
    """As Dynare's manual has it: a variable that has lost its equation is exogenous where others
    hold it. Dynare 5.3 itself does not know these statements.
    """
    answer = irf(written(CHANGED.replace("CHANGE", change)), 0)
    assert dict(zip(answer["variable"].values, answer.values[0, 0], strict=True)) == wanted


def test_a_block_of_a_later_dynare_is_passed_over(written):
    block = "matched_irfs;\nvar y; varexo e; periods 1:3; values 0.1, 0.05, 0.02;\nend;\n"
    answer = irf(written(HEAD + MODEL + SHOCKS + block + SOLVE), 1)
    np.testing.assert_allclose(answer.values[0, :, 0], [0.1, 0.09])


def test_a_file_of_parameters_elsewhere_is_not_read(written, tmp_path):
    (tmp_path.parent / "secret.txt").write_text("r 0.5\n")
    for name in ("../secret.txt", str(tmp_path.parent / "secret.txt")):
        line = f"load_params_and_steady_state('{name}');\n"
        with pytest.raises(ModFileError, match="outside of the model's folder"):
            irf(written(HEAD + MODEL + line + SHOCKS + SOLVE))


BESIDE = """function [ys,params,check] = m_steadystate(ys,exo,M_,options_)
for ii = 1:M_.param_nbr
  paramname = M_.param_names{ii};
  eval([ paramname ' = M_.params(' int2str(ii) ');']);
end
check = 0;
y = 2; % the level
k = y*a/(1-0.5);
for ii = 1:M_.orig_endo_nbr
  varname = M_.endo_names{ii};
  eval(['ys(' int2str(ii) ') = ' varname ';']);
end
"""
WITHOUT_START = (
    "var y k; varexo e; parameters r a; r=0.6; a=0.3;\n"
    "model; y^2 = (4 + r*(y(-1)^2 - 4))*exp(e); k = y*a + k(-1)*0.5 + log(y/2); end;\nsteady;\n"
)


def test_plain_formulas_of_a_matlab_file_beside_are_read(written, tmp_path):
    path = written(WITHOUT_START + SHOCKS + SOLVE)
    (tmp_path / "m_steadystate.m").write_text(BESIDE)
    model = load(path)
    np.testing.assert_allclose(model.steady_state(model.theta()), [[2.0, 1.2]])
    np.testing.assert_allclose(model.steady_state(model.theta(a=0.6)), [[2.0, 2.4]])
    assert any("its formulas give the steady state" in note for note in model.notes)


def test_a_matlab_file_that_solves_is_not_read(written, tmp_path):
    path = written(WITHOUT_START + SHOCKS + SOLVE)
    (tmp_path / "m_steadystate.m").write_text(BESIDE.replace("k = y*a", "k = fsolve(@(k) k, 1)*a"))
    with pytest.warns(UserWarning, match="is MATLAB and was not run"):
        load(path)


def test_the_block_at_which_newton_stops_is_named(written):
    text = (
        "var a b c d; varexo e; model; a = 0.5*a(-1) + e; b = 1 + a; c^2 + 1 + b*0 = 0*d;"
        " d = c + b; end;\n"
    )
    with pytest.raises(NoSolutionError, match=r"stops at the block of c: give these initial"):
        irf(written(text + SHOCKS + SOLVE))
