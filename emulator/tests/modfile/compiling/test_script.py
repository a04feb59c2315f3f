"""MATLAB between Dynare's statements: values as Octave gives them, and formulas that follow what a
caller gives. Against Dynare: `values.mod` of the reference files.
"""

import warnings

import numpy as np
import pytest

from emulator.errors import ModFileError
from emulator.modfile import irf, load_text
from emulator.modfile.compiling.matlab import value_of
from emulator.modfile.compiling.matlab_values import Beyond, Matrix, cells_of, plain
from emulator.modfile.reading.matlab import read_code

pytestmark = [pytest.mark.fast, pytest.mark.filterwarnings("ignore::UserWarning")]

WORKSPACE = {
    "a": 2.0,
    "w": Matrix(np.array([[1.0, 2.0, 4.0]])[:, :, None]),
    "M": Matrix(np.array([[1.0, 2.0], [3.0, 4.0]])[:, :, None]),
    "t": "text",
}


def value(text, workspace=WORKSPACE):
    (code,) = read_code(f"x = {text};")
    return value_of(code.value, workspace)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2^-3^2", [[2.0**-6]]),
        ("-2^2", [[-4]]),
        ("[1 -2]", [[1, -2]]),
        ("[1 - 2]", [[-1]]),
        ("[a', 3; w(1:2)]", [[2, 3], [1, 2]]),
        ("M'", [[1, 3], [2, 4]]),
        ("M*M", [[7, 10], [15, 22]]),
        ("M.*M", [[1, 4], [9, 16]]),
        ("M\\[1; 2]", [[0], [0.5]]),
        ("M^2", [[7, 10], [15, 22]]),
        ("M(:, end)", [[2], [4]]),
        ("M(2)", [[3]]),
        ("w(end)", [[4]]),
        ("1:2:6", [[1, 3, 5]]),
        ("3:1", np.zeros((1, 0))),
        ("sum(M)", [[4, 6]]),
        ("sum(M, 2)", [[3], [7]]),
        ("max(w)", [[4]]),
        ("max(w, 3)", [[3, 3, 4]]),
        ("cumsum(w)", [[1, 3, 7]]),
        ("numel(M)*length(w)", [[12]]),
        ("zeros(2)", [[0, 0], [0, 0]]),
        ("linspace(0, 1, 3)", [[0, 0.5, 1]]),
        ("round([-2.5 2.5 0.4])", [[-3, 3, 0]]),
        ("mod([-1 5], 3)", [[2, 2]]),
        ("rem(-1, 3)", [[-1]]),
        ("fix(-1.5)", [[-1]]),
        ("norminv(0.975)", [[1.959963984540054]]),
        ("~(a > 1 && a < 3)", [[0]]),
        ("strcmp(t, 'text')", [[1]]),
        ("inv(M)*M", [[1, 0], [0, 1]]),
    ],
)
def test_values_are_those_of_matlab(text, wanted):
    np.testing.assert_allclose(value(text)[:, :, 0], wanted, atol=1e-14)


@pytest.mark.parametrize(
    "text",
    ["t + 1", "w(5)", "w(0)", "w*w", "[1 2; 3]", "f(2)", "M\\[1 2 3]", "zeros(1e9)", "b", "[w; M]"],
)
def test_what_has_no_value_is_said(text):
    with pytest.raises(Beyond):
        value(text)


@pytest.mark.parametrize("text", ["close all", "x = 1 2", "x = 'a", "x = @(1) k"])
def test_more_than_the_subset_is_not_read(text):
    assert read_code(text) is None


@pytest.mark.parametrize("line", ["x = @(k) k;", "[a, b] = f(1);", "f = @exp;"])
def test_handles_and_several_outputs_are_passed_over_in_a_model_file(line):
    """They are followed in a file that computes steady states."""
    model = load_text(AROUND.replace("LINES", line), "m.mod")
    assert any("1 MATLAB line(s) were not run" in note for note in model.notes)
    np.testing.assert_allclose(model.theta()[0], [0.9, 0.1])


def test_all_draws_at_once():
    draws = np.array([1.0, 2.0])
    square = value("[q 2*q]*[q; 1]", {"q": draws})
    np.testing.assert_array_equal(plain(square), draws**2 + 2 * draws)
    assert cells_of(draws).shape == (1, 1, 2)


BASE = (
    "var y; varexo e; parameters r k; r = 0.9; k = 1;\n"
    "model(linear); y = r*y(-1) + k*e; end;\nshocks; var e; stderr 1; end;\n"
)


def parameters(script, **given):
    model = load_text(BASE + script + "stoch_simul(order=1);\n", "m.mod")
    return dict(zip(model.parameters, model.theta(given).T, strict=True))


def test_a_loop_follows_what_is_given():
    loop = "s = 0;\nfor i = 1:3\n s = s + i*r;\nend\nset_param_value('k', s);\n"
    np.testing.assert_allclose(parameters(loop)["k"], [5.4])
    np.testing.assert_allclose(parameters(loop, r=[0.1, 0.2])["k"], [0.6, 1.2])
    np.testing.assert_allclose(parameters(loop, r=[0.1, 0.2], k=3.0)["k"], [3.0, 3.0])


def test_another_branch_than_the_files_own_is_refused():
    branch = "if r > 0.5\n k = 2;\nelse\n k = 3;\nend\n"
    np.testing.assert_allclose(parameters(branch, r=[0.6, 0.7])["k"], [2.0, 2.0])
    with pytest.raises(ModFileError, match=r"m\.mod:4: .*goes another way"):
        parameters(branch, r=0.1)
    with pytest.raises(ModFileError, match=r"another way|differs between draws"):
        parameters(branch, r=[0.1, 0.9])


@pytest.mark.parametrize(
    ("script", "k"),
    [
        ("i = 0;\nwhile true\n i = i + 1;\n if i > 4, break; end\nend\nk = i;\n", 5.0),
        ("mode = 'b';\nswitch mode\ncase 'a'\n k = 2;\notherwise\n k = 7;\nend\n", 7.0),
        ("for i = 1:4\n if i == 2\n  continue\n end\n k = i;\n end\n", 4.0),
        ("c.x = 3; set_param_value('k', c.x);\n", 3.0),
        ("n = {'r', 'k'}; v = [0.2 4];\nfor i = 1:2\n set_param_value(n{i}, v(i));\nend\n", 4.0),
        ("for i = 1:M_.param_nbr\n M_.params(i) = 0.5;\nend\n", 0.5),
        ("v = zeros(1, 2); v(end+1) = 6;\nk = v(3);\n", 6.0),
    ],
)
def test_control_flow(script, k):
    assert parameters(script)["k"] == pytest.approx(k)


def test_a_loop_without_end_ends_in_a_message():
    with pytest.raises(ModFileError, match="'k' is set by a MATLAB line that is not run"):
        parameters("while true\n k = 2;\nend\n")


def test_every_turn_that_solves_is_a_run(tmp_path):
    path = tmp_path / "m.mod"
    path.write_text(BASE + "for x = [0.2 0.4]\n r = x;\n stoch_simul(order=1);\nend\n")
    for run, persistence in ((1, 0.2), (2, 0.4), (None, 0.4)):
        assert irf(path, 1, run=run).values[0, 1, 0] == pytest.approx(persistence)


def test_nothing_is_executed(tmp_path):
    target = tmp_path / "touched"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        load_text(BASE + f"for i = 1:2\n system('touch {target}');\nend\n", "m.mod")
    assert not target.exists()


LOOKED_UP = {
    "k = find(strcmp(M_.param_names, 'r')); M_.params(k) = 0.4;": (0.4, 0.1),
    "k = strmatch('r', M_.param_names, 'exact'); M_.params(k) = 0.4;": (0.4, 0.1),
    "if ismember('r', M_.param_names)\n set_param_value('r', 0.4);\nend": (0.4, 0.1),
    "for v = {0.2, 0.4}\n set_param_value('r', v{1});\nend": (0.4, 0.1),
    "switch 'b'\n case {'a', 'b'}\n  set_param_value('r', 0.4);\n otherwise\n  x = 1;\nend": (
        0.4,
        0.1,
    ),
    "switch 3\n case {1, 2}\n  x = 1;\n case 3\n  set_param_value('r', 0.4);\nend": (0.4, 0.1),
    "M_.Sigma_e = 0.04;": (0.9, 0.2),
    "k = find(strcmp('e', M_.exo_names)); M_.Sigma_e(k, k) = 0.04;": (0.9, 0.2),
    "for s = [0.1 0.2]\n M_.Sigma_e(1, 1) = s^2;\nend": (0.9, 0.2),
    "set_shock_stderr_value('e', 0.2);": (0.9, 0.2),
}
"""Lines, and the persistence and the standard deviation after them."""

AROUND = """var y; varexo e; parameters r; r = 0.9;
model(linear); y = r*y(-1) + e; end;
shocks; var e; stderr 0.1; end;
LINES
stoch_simul(order=1);
"""


@pytest.mark.parametrize("lines", list(LOOKED_UP))
def test_names_are_looked_up_and_sizes_of_shocks_are_set(lines):
    model = load_text(AROUND.replace("LINES", lines), "m.mod")
    np.testing.assert_allclose(model.theta()[0], LOOKED_UP[lines])


TWO = """var y z; varexo e u; parameters r s; r = 0.9; s = 0.1;
model(linear); y = r*y(-1) + e; z = u; end;
shocks; var e; stderr 0.7; var u; stderr 0.7; var e, u = 0.3; end;
LINES
stoch_simul(order=1);
"""


@pytest.mark.parametrize(
    ("lines", "expected", "at_double"),
    [
        ("M_.Sigma_e = s^2*eye(2);", [[0.1, 0], [0, 0.1]], [[0.2, 0], [0, 0.2]]),
        ("d = [s 0.3];\nM_.Sigma_e = diag(d.^2);", [[0.1, 0], [0, 0.3]], [[0.2, 0], [0, 0.3]]),
        (
            "A = [2 0; 1 3];\nM_.Sigma_e = s*(A*A');",
            np.sqrt(0.1) * np.array([[2, 0], [1, 3]]),
            np.sqrt(0.2) * np.array([[2, 0], [1, 3]]),
        ),
        ("S = s^2*eye(2);\nM_.Sigma_e = S;\nM_.Sigma_e(2, 2) = 0.09;", [[0.1, 0], [0, 0.3]], None),
    ],
)
def test_the_covariance_of_all_shocks_is_read_from_an_expression(lines, expected, at_double):
    """The factor of Cholesky, at the file's values and with s twice as large."""
    model = load_text(TWO.replace("LINES", lines), "m.mod")
    np.testing.assert_allclose(model.cholesky(model.theta())[0], expected, atol=1e-12)
    if at_double is not None:
        np.testing.assert_allclose(model.cholesky(model.theta(s=0.2))[0], at_double, atol=1e-12)


def test_a_covariance_of_another_number_of_shocks_is_refused():
    with pytest.raises(ModFileError, match=r"m\.mod:4: .* 3 by 3, and the file declares 2 shocks"):
        load_text(TWO.replace("LINES", "M_.Sigma_e = eye(3);"), "m.mod")
    with pytest.raises(ModFileError, match="sets the size of a shock"):
        load_text(TWO.replace("LINES", "M_.Sigma_e = 4*M_.Sigma_e;"), "m.mod")


@pytest.mark.parametrize(
    "line",
    ["M_.Sigma_e = f(3);", "if r > 0\n M_.Sigma_e = f(3);\nend", "set_shock_stderr_value(e)"],
)
def test_a_size_that_cannot_be_followed_is_never_passed_over(line):
    with pytest.raises(ModFileError, match=r"m\.mod:\d: this MATLAB line sets the size of a shock"):
        load_text(AROUND.replace("LINES", line), "m.mod")
