"""`NAME_steadystate.m` followed: against roots and values that are known otherwise."""

import numpy as np
import pytest

from emulator.errors import ModFileError
from emulator.modfile import irf, load
from emulator.modfile.compiling.roots import bisected, newton
from emulator.modfile.compiling.steady_program import program_beside
from emulator.modfile.reading.parser import parse

pytestmark = [pytest.mark.fast, pytest.mark.filterwarnings("ignore::UserWarning")]

MODEL = """var y k; varexo e; parameters r a scale; r = 0.6; a = 0.3;
model; log(y) = r*log(y(-1)) + (1-r)*log(2) + e; scale*(k^3 + k) = scale*(y*a + k(-1)*0.5); end;
steady;
shocks; var e; stderr 0.1; end;
stoch_simul(order=1);
"""

FRAME = """function [ys,params,check] = m_steadystate(ys,exo,M_,options_)
% as Dynare's manual has it
NumberOfParameters = M_.param_nbr;
for ii = 1:NumberOfParameters
  paramname = M_.param_names{ii};
  eval([ paramname ' = M_.params(' int2str(ii) ');']);
end
check = 0;
scale = 4;
y = 2;
BODY
params = NaN(NumberOfParameters,1);
for iter = 1:length(M_.params)
  eval([ 'params(' num2str(iter) ') = ' M_.param_names{iter} ';' ])
end
for ii = 1:M_.orig_endo_nbr
  varname = M_.endo_names{ii};
  eval(['ys(' int2str(ii) ') = ' varname ';']);
end
"""

BODIES = {
    "handle": "options = optimset('Display','off');\n"
    "[k,fval,exitflag] = fsolve(@(x) x^3 + 0.5*x - y*a, 1, options);\n"
    "if exitflag < 1\n check = 1; return\nend",
    "bracket": "f = @(x) x^3 + 0.5*x - y*a;\nk = fzero(f, [0 3]);",
    "choice": "if ~user_has_matlab_license('optimization_toolbox')\n"
    " [k,rc] = csolve(@(x) x^3 + 0.5*x - y*a, 1, [], 1e-6, 1000)\nelse\n k = 0;\nend",
    "function": "[root, res] = fsolve(@(x) gap(x, y, a), 1);\nk = root;\n"
    "fprintf('found %4.3f\\n', k);",
    "two": "x = fsolve(@(v) [v(1)^3 + 0.5*v(1) - v(2)*a; v(2) - y], [1; 1]);\nk = x(1);",
    "loop": "k = 1;\nfor it = 1:200\n k = k - (k^3 + 0.5*k - y*a)/(3*k^2 + 0.5);\n"
    " if all(abs(k^3 + 0.5*k - y*a) < 1e-14)\n  break\n end\nend",
}
FUNCTION = "end\nfunction res = gap(x, y, a)\nz = x^3;\nres = z + ...\n 0.5*x - y*a;\nend\n"


@pytest.fixture
def beside(tmp_path):
    def of(text, model=MODEL):
        (tmp_path / "m_steadystate.m").write_text(text)
        path = tmp_path / "m.mod"
        path.write_text(model)
        return path

    return of


def root(a):
    roots = np.roots([1, 0, 0.5, -2 * a])
    return roots[np.isreal(roots)].real[0]


@pytest.mark.parametrize("name", list(BODIES))
def test_the_file_is_followed_for_all_draws(beside, name):
    text = FRAME.replace("BODY", BODIES[name]) + (FUNCTION if name == "function" else "")
    model = load(beside(text))
    assert model.program is not None
    assert any("its formulas are followed here" in note for note in model.notes)
    theta = model.theta(a=[0.3, 0.5, 1.1])
    steady = model.steady_state(theta)
    np.testing.assert_allclose(steady[:, 0], 2.0)
    np.testing.assert_allclose(steady[:, 1], [root(a) for a in (0.3, 0.5, 1.1)], rtol=1e-12)
    assert (model.linearise(theta).theta[:, model.parameters.index("scale")] == 4.0).all()


def test_dynares_answer(beside):
    """Dynare 5.3 with this fzero."""
    text = FRAME.replace("BODY", BODIES["bracket"])
    answer = irf(beside(text), 10).sel(shock="e", variable="k").values
    np.testing.assert_allclose(
        answer[[0, 1, 2, 10]], [0.02645120828, 0.02170127846, 0.01430597695, 0.0002528171371]
    )


def test_a_vector_in_the_order_of_the_variables_is_enough(beside):
    text = """function [ys,check] = old_steadystate(junk,ys);
global M_
a = get_param_by_name('a');
M_.params(strmatch('scale', M_.param_names, 'exact')) = 1;
check = 0;
x = [2
 fzero(@(k) k^3 + 0.5*k - 2*a, [0 3])];
if any(x <= 0)
  check = -1; ys = zeros(size(x));
else
  ys = x;
end
"""
    model = load(beside(text))
    np.testing.assert_allclose(model.steady_state(model.theta())[0], [2.0, root(0.3)])


def test_a_draw_without_a_steady_state_is_alone(beside):
    body = "k = fzero(@(x) x^3 + 0.5*x - y*a, [0 3]);\nif a > 1\n check = 1;\nend"
    model = load(beside(FRAME.replace("BODY", body)))
    has_rest = np.isfinite(model.steady_state(model.theta(a=[0.5, 2.0]))).all(axis=1)
    assert has_rest.tolist() == [True, False]


@pytest.mark.parametrize(
    "body", ["k = quadgk(@(x) x, 0, 1);", "k = 7;", "k = fsolve('gap', 1);", "x = {1; k = 2;"]
)
def test_what_is_beyond_or_does_not_solve_is_not_taken(beside, body):
    model = load(beside(FRAME.replace("BODY", body), MODEL.replace("a scale;", "a scale; scale=1;")
                        .replace("steady;", "initval; y = 2; k = 0.5; end; steady;")))  # fmt: skip
    assert model.program is None
    assert any("is MATLAB and was not run" in note for note in model.notes)
    np.testing.assert_allclose(model.steady_state(model.theta())[0], [2.0, root(0.3)])


def test_values_that_do_not_solve_the_model_are_told_with_the_equation(beside):
    model_text = MODEL.replace("a scale;", "a scale; scale=1;").replace(
        "steady;", "initval; y = 2; k = 0.5; end; steady;"
    )
    model = load(beside(FRAME.replace("BODY", "k = 7;"), model_text))
    (note,) = (note for note in model.notes if "is MATLAB and was not run" in note)
    error = 4 * (7**3 + 7 - 2 * 0.3 - 7 * 0.5)
    assert "Its values do not solve the model: the equation at" in note
    assert f"m.mod:2 is off by {error:.2e}" in note
    followed_not = load(beside(FRAME.replace("BODY", "k = quadgk(@(x) x, 0, 1);"), model_text))
    assert not any("do not solve" in note for note in followed_not.notes)


def test_roots_of_many_draws_at_once():
    c = np.array([2.0, 9.0, 1e-6])
    x, solved = newton(lambda v: v**2 - c, np.full((1, 3), 3.0))
    assert solved.all()
    np.testing.assert_allclose(x[0], np.sqrt(c), rtol=1e-9)
    x, solved = newton(lambda v: v**2 + 1.0, np.full((1, 1), 3.0))
    assert not solved.any()
    x, solved = bisected(lambda v: v**3 - c, np.array([[0.0] * 3, [5.0] * 3]))
    np.testing.assert_allclose(x[0], np.cbrt(c), rtol=1e-12)


def test_what_is_not_followed_is_refused_with_its_line(beside):
    body = "k = 1 + ...\n  1; % a line in two\nfprintf('%d', k);\nk = k + nowhere(2);"
    text = FRAME.replace("BODY", body)
    wanted = 1 + text[: text.index("nowhere")].count("\n")
    program = program_beside(parse(beside(text)))
    with pytest.raises(
        ModFileError, match=rf"m_steadystate\.m:{wanted}: .*nowhere.*steady_state_m"
    ):
        program(np.array([[0.6, 0.3, 4.0]]), np.zeros((1, 1)))
