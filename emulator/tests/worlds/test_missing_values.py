"""Parameters of a `.mod` file that MATLAB, or an estimation, would have set."""

import warnings

import numpy as np
import pytest

import emulator
from emulator.errors import EmulatorError
from emulator.modfile import load_text

pytestmark = [pytest.mark.fast, pytest.mark.filterwarnings("ignore::UserWarning")]

MODEL = """var x y;
varexo e;
parameters a b r unused;
a = 0.5;
r = read_from('a file');
b = 2*r;
model;
x = a*x(-1) + b*y(-1) + e;
y = 0.1*y(-1) + e;
end;
shocks; var e; stderr 1; end;
stoch_simul(order=1);
"""
MAPPING = "observables:\n  output: x\nparameters:\n  a: {low: 0.1, high: 0.9}\n"
ESTIMATED = "estimated_params; q, 0.1, beta_pdf, 0.3, 0.1; p, normal_pdf, 0.4, 0.1; end;\n"


@pytest.fixture
def economy(tmp_path):
    def of(text, mapping=None):
        path = tmp_path / "given.mod"
        path.write_text(text)
        if mapping is not None:
            path.with_name("given.world.yaml").write_text(mapping)
        return emulator.world(path)

    return of


def test_a_value_that_matlab_would_have_set_is_given_to_the_economy(economy):
    model = economy(MODEL)
    responses = model.irf(r=[0.1, 0.2], horizon=1)["irf"].sel(observable="x")
    np.testing.assert_allclose(responses.values[:, 0, 1], [0.5 + 0.2, 0.5 + 0.4])
    table = model.irf({"r": [0.1, 0.2]}, horizon=1)["irf"].sel(observable="x")
    np.testing.assert_array_equal(table.values, responses.values)
    assert model.moments(r=0.1)["std"].notnull().all()


@pytest.mark.parametrize(
    "ask",
    [
        lambda model: model.irf(),
        lambda model: model.irf({}),
        lambda model: model.irf(a=0.2),
        lambda model: model.moments(),
        lambda model: model.jacobian(),
    ],
)
def test_an_answer_without_that_value_is_refused_by_name(economy, ask):
    with pytest.raises(EmulatorError, match=r"given\.mod:5: .*--set r=VALUE"):
        ask(economy(MODEL))


def test_the_command_line_takes_the_value(emulate, tmp_path):
    path = tmp_path / "given.mod"
    path.write_text(MODEL)
    assert emulate("irf", path, "--set", "r=0.02", "--horizon", "1")[0] == 0
    code, _, said = emulate("irf", path)
    assert code == 1
    assert "r=VALUE" in said


def test_a_mapping_gives_the_value_by_its_default(economy):
    entry = "  r: {low: 0.0, high: 1.0, default: 0.1}\n"
    model = economy(MODEL, MAPPING + entry)
    assert model.irf(horizon=1)["irf"].values[0, 0, 1, 0] == pytest.approx(0.7)
    with pytest.raises(EmulatorError, match=r"parameters\.r: .*add default: VALUE"):
        economy(MODEL, MAPPING + entry.replace(", default: 0.1", ""))
    with pytest.raises(EmulatorError, match="under parameters: b:"):
        economy(MODEL, MAPPING)


def test_estimated_params_begin_with_values_where_the_file_sets_none():
    text = MODEL.replace("r unused;", "r p q;").replace("read_from('a file')", "q + p")
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        model = load_text(text.replace("stoch_simul", ESTIMATED + "stoch_simul"), "started.mod")
    values = dict(zip(model.parameters, model.theta()[0], strict=True))
    assert (values["q"], values["p"]) == (0.1, 0.4)
    assert values["b"] == pytest.approx(2 * (0.1 + 0.4))
    (note,) = [note for note in model.notes if "estimated_params" in note]
    assert "q, p" in note
    assert note in {str(warning.message) for warning in warned}


def test_what_the_file_sets_is_not_replaced_by_estimated_params():
    text = MODEL.replace("r unused;", "r p q;").replace("read_from('a file')", "0.1")
    block = "q = 0.2;\n" + ESTIMATED
    model = load_text(text.replace("stoch_simul", block + "stoch_simul"), "started.mod")
    assert model.theta()[0, model.parameters.index("q")] == 0.2
