"""Budgets, kinds, learning curves."""

import pytest

from emulator.choice.budget import in_words, seconds
from emulator.choice.curve import LearningCurve
from emulator.choice.kinds import KINDS, asked, fits
from emulator.models import MODELS
from emulator.worlds import get_world

pytestmark = pytest.mark.fast


def test_budgets_are_read():
    assert [seconds(text) for text in ("90s", "10m", "1h30m", "1.5m")] == [90, 600, 5400, 90]
    assert seconds(12) == 12
    assert in_words(90) == "90.0 s"
    assert in_words(600) == "10.0 min"


def test_all_beside_other_names_is_all():
    assert asked("all,gp") == asked("all")


def test_kinds_are_networks_of_the_table():
    assert {kind.model for kind in KINDS.values()} <= set(MODELS)
    assert [kind.name for kind in asked("mlp, gp")] == ["gp", "mlp"]
    assert len(asked("all")) == len(KINDS)


def test_kinds_say_why_they_are_left_out(toy):
    assert "it needs" in fits(KINDS["gru"], {"toy": toy.spec}, 50)
    assert "at most" in fits(KINDS["gp"], {"toy": toy.spec}, 10**6)
    assert "no world" in fits(KINDS["finetune"], {"toy": toy.spec}, 1000)
    assert fits(KINDS["finetune"], {"nk": get_world("nk").spec}, 1000) == ""


def test_sizes_of_shocks_reach_the_networks_that_take_them(toy):
    spec = get_world("switching").spec
    options = KINDS["mlp"].options_for({"switching": spec}, 1.0)
    assert options["sizes"] == {"switching": list(spec.shock_sizes)}
    assert KINDS["mlp"].options_for({"toy": toy.spec}, 1.0)["sizes"] == {}


def test_a_learning_curve_carries_on_its_power_law():
    curve = LearningCurve("gp", (100, 200, 400), (0.4, 0.2, 0.1))
    assert curve.power == pytest.approx(1)
    assert curve.at(800) == pytest.approx(0.05)
    assert curve.draws_for(0.05) == pytest.approx(800)
    assert curve.draws_for(0.2) == 400
    assert "0.05" in curve.in_words()
    flat = LearningCurve("gp", (100, 200), (0.1, 0.1))
    assert flat.draws_for(0.05) == float("inf")
    assert "little" in flat.in_words()
