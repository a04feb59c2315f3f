"""What is not supported is refused by name, with file and line; what is MATLAB's is passed over
with a note.
"""

import warnings

import numpy as np
import pytest

from emulator.errors import ModFileError
from emulator.modfile import irf, load, load_text

pytestmark = pytest.mark.fast

TOP = "var x y;\nvarexo e;\nparameters a;\na = 0.5;\n"
MODEL = "model;\nx = a*x(-1) + e;\ny = x(+1);\nend;\n"
SHOCKS = "shocks; var e; stderr 1; end;\n"


@pytest.fixture
def refused(tmp_path):
    def of(text):
        path = tmp_path / "model.mod"
        path.write_text(text)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(ModFileError) as error:
                irf(path)
        assert str(path) in str(error.value)
        return str(error.value)

    return of


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("occbin_constraints; name 'zlb'; bind x < 0; end;", "occasionally binding"),
        ("load_params_and_steady_state('old.txt');", "another file"),
        ("model_remove('Euler');", "no equation has the tag name = 'Euler'"),
        ("var_model(model_name = m, eqtags = ['Euler']);", "VAR models"),
        ("trend_component_model(model_name = m);", "trend component"),
        ("pac_model(model_name = m);", "PAC"),
        ("stoch_simul(partial_information);", "partial_information"),
        ("Sigma_e = [1, 2];", "rows of 2 elements; for 1 shock(s) a triangle"),
    ],
)
def test_a_statement_that_is_not_supported_is_refused_with_its_line(refused, statement, message):
    assert f"model.mod:{9}: " in (said := refused(TOP + MODEL + statement + "\n" + SHOCKS))
    assert message in said


@pytest.mark.parametrize(
    ("equation", "message"),
    [
        ("y = adl(x, 'p', 1);", "p_lag_1"),
        ("[name = 'Taylor', bind = 'zlb'] y = x;", "OccBin"),
        ("y = f(x);", "external_function"),
        ("y = x/0;", "divides by zero"),
        ("y = z;", "'z' is not declared"),
        ("y = x**2;", "x\\^2"),
        ("y = x(+1000);", "500 periods"),
    ],
)
def test_an_equation_that_cannot_be_read_is_refused_with_its_line(refused, equation, message):
    said = refused(TOP + MODEL.replace("y = x(+1);", equation) + SHOCKS)
    assert "model.mod:7: " in said
    assert message.replace("\\", "") in said


def test_the_weights_of_distributed_lags_declare_themselves():
    """As Dynare reads it: they are given values below the model, and the lags are whole."""
    text = TOP + MODEL.replace("y = x(+1);", "y = adl(x, 'p', [1 3]) + adl(x, 'q');")
    values = "p_lag_1 = 0.3; p_lag_3 = 0.2; q_lag_1 = 0.1;\n"
    model = load_text(text + values + SHOCKS, "model.mod")
    assert set(model.parameters) >= {"p_lag_1", "p_lag_3", "q_lag_1"}
    written = MODEL.replace("y = x(+1);", "y = 0.4*x(-1) + 0.2*x(-3);")
    plain = load_text(TOP + written + SHOCKS, "model.mod")
    y = model.variables.index("y")
    mine, expected = (m.solve(m.theta()).transition[0, y] for m in (model, plain))
    np.testing.assert_allclose(mine, expected)
    for lags in ("1.5", "[1 0.5]", "100000"):
        with pytest.raises(ModFileError, match=r"'adl'|whole number of periods"):
            load_text(TOP + MODEL.replace("x(+1)", f"adl(x, 'p', {lags})") + SHOCKS, "model.mod")


def test_an_external_function_is_refused_by_name(refused):
    text = (
        "external_function(name = f, nargs = 1);\n" + TOP + MODEL.replace("x(+1)", "f(x)") + SHOCKS
    )
    assert "model.mod:8: the external function 'f'" in refused(text)


def test_a_steady_state_of_matlab_functions_needs_initial_values(tmp_path, refused):
    formulas = "steady_state_model; x = 0; y = solve_it(a); end;\n"
    assert "model.mod:9: this steady_state_model calls a MATLAB function" in refused(
        TOP + MODEL.replace("x(+1)", "exp(x)") + formulas + SHOCKS
    )


def test_perfect_foresight_alone_is_told_apart_from_a_missing_variance(refused):
    path = "shocks; var e; periods 1; values 1; end;\nperfect_foresight_setup(periods = 100);\n"
    assert "model.mod:10: this is a perfect foresight model" in refused(TOP + MODEL + path)
    assert "model.mod:5: no shock has a variance" in refused(TOP + MODEL)


@pytest.mark.parametrize(
    ("loop", "message"),
    [
        ("for k = 1:f(3)\n a = k/10;\nend\n", "'a' is set by a MATLAB line"),
        ("set_param_value('a', quantile([0.1 0.2]));\n", "'a' is set by a MATLAB line"),
        ("set_param_value(names(1), 0.1);\n", "sets parameters and is not run"),
        ("load('old.mat'); M_.params(k) = 2;\n", "sets parameters and is not run"),
        ("if f(1)\nshocks; var e; stderr 2; end;\nend\n", "shocks block inside"),
    ],
)
def test_matlab_that_decides_the_answer_is_never_passed_over(refused, loop, message):
    assert message in refused(TOP + MODEL + loop + SHOCKS)


@pytest.mark.parametrize(
    "line",
    ["x9 = 1; a = 0.9;", "if true, a = 0.9; end", "options_.irf = 99;", "a_values = [1 2 3];"],
)
def test_matlab_that_does_not_reach_the_model_changes_nothing(tmp_path, line):
    """On a line of MATLAB's `a = 0.9` sets a variable of the workspace; Dynare's parameter
    stays.
    """
    path = tmp_path / "model.mod"
    path.write_text(TOP + MODEL + line + "\n" + SHOCKS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert float(irf(path, horizon=1).sel(shock="e", variable="x", horizon=1)) == pytest.approx(
            0.5
        )


def test_skipped_lines_are_counted_in_one_note(tmp_path):
    path = tmp_path / "model.mod"
    path.write_text(TOP + "close all\nfigure;\n" + MODEL + SHOCKS)
    with pytest.warns(UserWarning, match="MATLAB"):
        notes = load(path).calibration.notes
    assert len(notes) == 1
    assert "2 MATLAB line(s) were not run, the first at" in notes[0]


def test_a_model_that_says_linear_and_is_not_is_refused_at_its_equation(tmp_path):
    path = tmp_path / "bent.mod"
    path.write_text(
        "var x y; varexo e; model(linear);\nx = 0.5*x(-1) + e;\ny = 0.5*y(+1) + x^2;\nend; shocks;"
        " var e; stderr 1; end;\n"
    )
    with pytest.raises(ModFileError, match=r"bent\.mod:3: .*not linear in 'x'"):
        irf(path)


def test_a_misspelt_prior_is_named_with_the_nearest_one(tmp_path):
    path = tmp_path / "typo.mod"
    path.write_text(
        "var x; varexo e; parameters r; r = 0.5; model(linear);\nx = r*x(-1) + e;\nend; shocks; var"
        " e; stderr 1; end;\nestimated_params;\nr, bta_pdf, 0.5, 0.1;\nend;\n"
    )
    with pytest.raises(ModFileError, match=r"typo\.mod:5: 'bta_pdf' is no prior.*beta_pdf"):
        load(path)
