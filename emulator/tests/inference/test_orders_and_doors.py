"""What a file says of its order wherever it is asked, and doors that open only so far."""

import re

import numpy as np
import pytest

import emulator
from emulator.errors import ModFileError, ParameterError, UnknownNameError
from emulator.tests.reference.modfile import make

pytestmark = [pytest.mark.fast, pytest.mark.filterwarnings("ignore::UserWarning")]

LEVELS = """var y k; varexo e; parameters r; r = 0.9;
model; y = 2*(y(-1)/2)^r*exp(e); k = y*y(-1); end;
initval; y = 2; k = 4; end;
steady;
shocks; var e; stderr 0.1; end;
stoch_simul(OPTIONS);
"""

WITHOUT_SHOCKS = """var k; varexo z; parameters s d; s = 0.2; d = 0.1;
model; k = (1-d)*k(-1) + s*z*k(-1)^0.5; end;
initval; z = 1; k = 4; end;
steady;
"""


@pytest.fixture
def opened(tmp_path):
    def of(text):
        path = tmp_path / "m.mod"
        path.write_text(text)
        return emulator.world(path)

    return of


def test_logarithms_say_that_they_are_of_first_order(opened):
    economy = opened(LEVELS.replace("OPTIONS", "loglinear"))
    notes = economy.irf(horizon=1).attrs["notes"]
    assert "the answer is that of order 1: loglinear is of the first order alone" in notes
    assert "notes" not in opened(LEVELS.replace("OPTIONS", "order=1, loglinear")).irf().attrs


def test_rules_under_loglinear_are_those_of_logarithms(opened):
    """log k = log y + log y(-1), whose steady state is 2 log 2."""
    rules = opened(LEVELS.replace("OPTIONS", "order=1, loglinear")).decision_rules()
    np.testing.assert_allclose(rules["ghx"].values[0, :, 0], [0.9, 1.9])
    np.testing.assert_allclose(rules["ghu"].values[0, :, 0], [0.1, 0.1])
    np.testing.assert_allclose(rules["steady_state"].values[0], np.log([2.0, 4.0]))


def test_anticipated_shocks_of_a_file_of_second_order_say_their_order(opened):
    answer = opened(LEVELS.replace("OPTIONS", "order=2")).irf(anticipated=2, horizon=1)
    assert "asks for order=2; the answer is that of order 1" in answer.attrs["notes"]


def test_the_command_line_says_the_order_of_what_is_of_first_order_alone(emulate, tmp_path):
    path = tmp_path / "m.mod"
    path.write_text(LEVELS.replace("OPTIONS", "order=2"))
    for words in (["irf", "--anticipated", "2", "--horizon", "2"], ["fevd", "--horizons", "1"]):
        code, out, err = emulate(words[0], path, *words[1:])
        assert code == 0, err
        assert err.count("asks for order=2; the answer is that of order 1") == 1, words
        assert "exact solution" not in out or words[0] == "fevd"
    _, out, err = emulate("irf", path, "--anticipated", "2", "--order", "1", "--horizon", "2")
    assert "first order" in " ".join(out.split())
    assert "asks for" not in err


def test_shocks_known_ahead_of_a_file_that_is_not_linear_are_left_to_a_command(emulate, tmp_path):
    path = tmp_path / "m.mod"
    path.write_text(LEVELS.replace("OPTIONS", "order=2"))
    code, _, err = emulate("irf", path, "--anticipated", "2", "--order", "2")
    assert code == 1
    assert "A .mod file answers emulator foresight" in " ".join(err.split())
    path.write_text(LEVELS.replace("stoch_simul(OPTIONS)", "extended_path(periods=5)"))
    code, _, err = emulate("irf", path, "--anticipated", "2")
    assert code == 1
    said = " ".join(err.split())
    command = f"emulator foresight {path} --shock e=,,0.01"
    assert f"{command}, in Python perfect_foresight(shocks={{'e': {{3: 0.01}}}})." in said
    assert emulate(*command.split()[1:])[0] == 0


def test_a_network_leaves_shocks_known_ahead_to_the_solver_by_the_words_of_the_command(emulate):
    code, _, err = emulate("irf", "nk", "--network", "--anticipated", "4")
    assert code == 1
    assert "not by a network; ask without --network." in " ".join(err.split())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("order=2, hp_filter=1600", "HP-filtered variables; .* --hp 1600"),
        ("order=1, periods=500", "a simulated path; .* --simulated 500"),
        ("order=1, bandpass_filter=[6 32]", "the band-pass filter .*not made here"),
    ],
)
def test_moments_say_where_the_file_asks_for_others(opened, emulate, tmp_path, options, words):
    economy = opened(LEVELS.replace("OPTIONS", options))
    assert re.search(words, economy.moments(lags=1).attrs["notes"])
    assert "asks for moments" not in economy.moments(lags=1, hp=1600).attrs.get("notes", "")
    path = tmp_path / "m.mod"
    path.write_text(LEVELS.replace("OPTIONS", options))
    code, _, err = emulate("moments", path, "--lags", "1")
    assert code == 0, err
    assert err.count("asks for moments") == 1
    code, _, err = emulate("fevd", path, "--horizons", "inf")
    assert code == 0, err
    shares = economy.variance_decomposition().attrs.get("notes", "")
    filtered = "periods" not in options
    assert err.count("asks for moments") == filtered == bool(re.search(words, shares))
    assert "asks for moments" not in emulate("fevd", path, "--hp", "1600")[2]


@pytest.mark.parametrize("smoothing", ["0", "0.0", "00"])
def test_a_filter_that_filters_nothing_is_not_spoken_of(opened, smoothing):
    economy = opened(LEVELS.replace("OPTIONS", f"order=1, hp_filter={smoothing}"))
    assert "asks for moments" not in economy.moments(lags=1).attrs.get("notes", "")


def test_a_run_asked_of_an_answer_says_where_runs_are_chosen(opened):
    text = LEVELS.replace("OPTIONS", "order=1")
    economy = opened(text + "stoch_simul(order=1, irf=7);")
    assert "of emulator.world(path, run=1)" in " ".join(economy.solver.model.notes)
    with pytest.raises(UnknownNameError, match=r"emulator\.world\(path, run=2\).* --run 2"):
        economy.irf(run=2)


def test_a_file_under_discretion_has_rules_of_first_order():
    economy = emulator.world(make.HERE / "discretion.mod")
    rules = economy.decision_rules()
    impact = economy.irf(horizon=0)["irf"].values[0, :, 0]
    np.testing.assert_allclose(rules["ghu"].values[0].T, impact, atol=1e-12)
    with pytest.raises(ModFileError, match="under discretion has no answer of order 2"):
        economy.decision_rules(order=2)


@pytest.mark.parametrize("order", [1, 2])
def test_a_path_cannot_start_from_what_is_no_state(opened, order):
    economy = opened(LEVELS.replace("OPTIONS", "order=2"))
    with pytest.raises(ParameterError, match=r"'k' is no state of 'm'.*States are y\."):
        economy.simulate(state={"k": 0.1}, periods=2, order=order)
    economy.simulate(state={"y": 0.1}, periods=2, order=order)


def test_a_file_without_random_shocks_answers_perfect_foresight_alone(opened):
    """The numbers are Dynare's for simul(periods=50)."""
    economy = opened(WITHOUT_SHOCKS)
    path = economy.perfect_foresight(shocks={"z": [1.1]}, periods=50)["path"]
    np.testing.assert_allclose(
        path.values[0, 0, :5, 0], [4, 4.04, 4.037995025, 4.036090784, 4.034282192], atol=1e-9
    )
    for ask in (economy.irf, economy.moments, economy.simulate, economy.status):
        with pytest.raises(ModFileError, match=r"no shock has a variance.*emulator foresight"):
            ask()
