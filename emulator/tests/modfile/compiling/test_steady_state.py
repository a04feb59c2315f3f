"""Steady states: from initial values as Dynare takes them, along a homotopy, by blocks, by the
file's formulas.
"""

import numpy as np
import pytest

from emulator.errors import ModFileError, NoSolutionError
from emulator.modfile import irf, load

pytestmark = [pytest.mark.fast, pytest.mark.filterwarnings("ignore::UserWarning")]

SHOCK = "shocks; var e; stderr 1; end;\n"


@pytest.fixture
def steady(tmp_path):
    def of(text, **named):
        path = tmp_path / "model.mod"
        path.write_text(text)
        model = load(path)
        return dict(zip(model.variables, model.steady_state(model.theta(**named))[0], strict=True))

    return of


CUBIC = "var x y; varexo e; model; 0 = (x-1)*(x-2)*(x+3) + y - y(-1) + e; y = 0.9*y(-1) + x; end;\n"


@pytest.mark.parametrize(("start", "root"), [(1.7, 2.0), (0.2, 1.0), (-4.0, -3.0)])
def test_the_initial_value_chooses_among_several_steady_states(steady, start, root):
    assert steady(CUBIC + f"initval; x = {start}; end;" + SHOCK)["x"] == pytest.approx(root)


def test_a_variable_named_like_a_constant_of_matlab_starts_at_zero(steady):
    """pi = 3.14... would lead to the other steady state, pi = 4."""
    text = "var pi i; varexo eps e; model; pi*(pi - 4) = i - i(-1) + eps; i = 0.5*i(-1) + e; end;\n"
    assert steady(text + SHOCK)["pi"] == pytest.approx(0.0)


def test_a_shock_named_like_a_constant_of_matlab_is_zero_in_the_steady_state(steady):
    text = (
        "var x; varexo inf e; model; x = 0.5*x(-1) + inf^3*x(-1) + exp(e); end;\ninitval; x = 1;"
        " end;\n"
    )
    assert steady(text + SHOCK)["x"] == pytest.approx(2.0)


def test_exogenous_variables_keep_the_values_of_their_place(steady):
    """initval reads its parameters where it stands; what the file sets below it does not reach
    back.
    """
    text = "var y; varexo g e; parameters a; a = 2; model; y = 0.5*y(-1) + g + e*y; end;\n"
    assert steady(text + "initval; g = a; end; a = 7;" + SHOCK)["y"] == pytest.approx(4.0)
    assert steady(text + "initval; g = a; end;" + SHOCK, a=3.0)["y"] == pytest.approx(6.0)


def test_homotopy_ends_at_the_last_values_and_leaves_them_behind(steady):
    text = (
        "var y; varexo g e; parameters a b; a = 2; b = 1; model; log(y) = a + b + g + e;"
        " end;\ninitval; y = 1; end;\n"
    )
    setup = "homotopy_setup; a, 2, 3; g, 1; end;\n"
    assert np.log(
        steady(text + setup + "steady(homotopy_mode = 1, homotopy_steps = 5);" + SHOCK)["y"]
    ) == pytest.approx(5.0)
    assert np.log(steady(text + setup + "steady;" + SHOCK)["y"]) == pytest.approx(3.0)


def test_solved_blocks_stay_where_they_start_when_the_steady_state_is_not_unique(steady):
    """p q = 2, q r = 1, p / r = 2 hold at a line of points; only s is to be moved."""
    text = """
    var p q r s; varexo e;
    model; p*q = 2*exp(e); log(q) + log(r) = 0.5*(log(q(-1)) + log(r(-1))); 
           s^2 = p + r*q(-1); p/r = 2 + 0.1*(p - p(-1)); end;
    initval; p = 2; q = 1; r = 1; s = 1.7; end;
    """
    assert steady(text + SHOCK) == pytest.approx(
        {"p": 2.0, "q": 1.0, "r": 1.0, "s": np.sqrt(3)}, rel=1e-12
    )


def test_a_draw_far_from_the_file_is_reached_by_homotopy(steady):
    """At a = 8 the logarithm does not exist at the initial value; small steps of the parameter keep
    it defined.
    """
    text = (
        "var y; varexo e; parameters a; a = 0.5; model; log(y - a) = e; end;\ninitval; y = 1.4;"
        " end;\n" + SHOCK
    )
    assert steady(text, a=8.0)["y"] == pytest.approx(9.0)


def test_formulas_set_parameters_that_later_statements_read(tmp_path):
    path = tmp_path / "model.mod"
    text = (
        "var y; varexo e; parameters a b; a = 2; model; y = b*y(-1) + 1 - b + e;"
        " end;\nsteady_state_model; y = 1; b = a/4; end;\n"
    )
    path.write_text(text + "steady;\nshocks; var e; stderr 2*b; end;\nstoch_simul;")
    np.testing.assert_allclose(
        irf(path, horizon=3).values[0, :, 0], 0.5 ** np.arange(4), atol=1e-12
    )
    path.write_text(text + "shocks; var e; stderr 2*b; end;\nsteady; stoch_simul;")
    with pytest.raises(ModFileError, match="'b' has no value"):
        irf(path)


def test_formulas_follow_the_draw(tmp_path):
    path = tmp_path / "model.mod"
    path.write_text(
        "var k y; varexo e; parameters a share; a = 0.3; model; k = 0.9*k(-1) + 0.1*y; y ="
        " share*k(-1)^a + e; end;\nsteady_state_model; share = 2; big = share^(1/(1-a)); k = big; y"
        " = big; end;\n" + SHOCK
    )
    model = load(path)
    theta = model.theta(a=np.linspace(0.2, 0.5, 5))
    np.testing.assert_allclose(
        model.steady_state(theta)[:, 0], 2 ** (1 / (1 - np.linspace(0.2, 0.5, 5))), rtol=1e-13
    )
    assert np.isfinite(model.solve(theta).transition).all()


def test_formulas_that_do_not_solve_the_model_are_told_with_the_equation(tmp_path):
    path = tmp_path / "model.mod"
    path.write_text(
        "var x;\nvarexo e;\nmodel;\nx = 0.5*x(-1) + 1 + e*x;\nend;\nsteady_state_model; x = 1;"
        " end;\n" + SHOCK
    )
    with pytest.raises(
        NoSolutionError,
        match=r"model\.mod:3: no steady state: the steady_state_model .*model\.mod:4 is off by",
    ):
        irf(path)


NUMBER = "var y; varexo g e; parameters a; a = 2;\nq = 2*a;\nmodel; y = 0.5*y(-1) + g + e*y; end;\n"


def test_initial_values_read_the_numbers_of_matlab(steady):
    """They follow the parameters that are given, and stay where the file changes them below."""
    text = NUMBER + "initval; g = q; y = q; end;"
    assert steady(text + SHOCK)["y"] == pytest.approx(8.0)
    assert steady(text + SHOCK, a=3.0)["y"] == pytest.approx(12.0)
    assert steady(text + "a = 7;" + SHOCK)["y"] == pytest.approx(8.0)
    assert steady(text + "q = 7;\n" + SHOCK)["y"] == pytest.approx(8.0)
