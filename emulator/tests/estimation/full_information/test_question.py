"""What is asked of data, as it is settled before any work begins."""

from types import SimpleNamespace

import pytest

from emulator.errors import EstimationWarning, ParameterError
from emulator.estimation.full_information import solving
from emulator.estimation.full_information.asking import _say_question, _shared
from emulator.estimation.full_information.question import DataProblem, DataSettings
from emulator.series import read_data

pytestmark = pytest.mark.fast


@pytest.fixture(scope="module")
def us():
    pytest.importorskip("statsmodels")
    return read_data("us", sample="1984Q1:2007Q4")


def test_few_parameters_are_sampled_from_the_prior_on(us):
    assert DataProblem.of(us, "nk").settings.begin == "prior"
    assert DataProblem.of(us, "sw07").settings.begin == "mode"
    assert DataProblem.of(us, "nk", DataSettings(begin="mode")).settings.begin == "mode"
    with pytest.raises(ParameterError, match="expected 'mode' or 'prior'"):
        DataProblem.of(us, "nk", DataSettings(begin="middle"))


def test_several_worlds_say_which_series_are_left_out_for_whose_sake(us, capsys):
    shared = _shared(us, ["nk", "sw07", "rbc"])
    assert list(shared) == ["output_growth", "inflation", "rate"]
    out = " ".join(capsys.readouterr().out.split())
    assert "Left out: consumption_growth (not in nk); investment_growth (not in nk)." in out


def test_series_that_never_move_or_observe_nothing_are_named(us, capsys, monkeypatch):
    table = us.select(["output_growth", "inflation", "rate"]).frame().assign(rate=2.5)
    _say_question([DataProblem.of(read_data(table), "nk")])
    message = " ".join(capsys.readouterr().err.split())
    assert message.count("being called like nothing that is observed: output_growth.") == 1
    assert message.count("The same value in every period of the sample: rate (2.5).") == 1
    monkeypatch.setattr(solving, "solve", lambda *_: SimpleNamespace(complaints=()))
    with pytest.warns(EstimationWarning, match="The same value in every period"):
        solving.estimate_from_data(table, "nk")
