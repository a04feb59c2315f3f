"""Addresses are read strictly: what they say and the page cannot do is told, never passed over."""

import re

import pytest

from emulator.explorer.app import create_app
from emulator.tests.explorer.conftest import client_of
from emulator.tests.explorer.test_over_data import drawn

pytestmark = pytest.mark.fast

FORECAST = "view=forecast&sample=1995Q1:2007Q4"


@pytest.fixture
def solved(exact):
    """A client of an explorer without a network."""
    return client_of(create_app(exact))


@pytest.mark.parametrize(
    ("state", "fields", "words"),
    [
        ("", {"hold": "nix:0:1"}, "Unknown panel whose axis is to be held: 'nix'. Known: inflat"),
        ("", {"hold": "output:1:0"}, "expected observable:low:high"),
        ("", {"ghost": "world=nk&nix=1"}, "unknown field 'nix'"),
        ("", {"ghost": "p.kappa=x"}, "kappa"),
        ("", {"ghost": "world=sw07"}, "The ghost is about responses of world 'sw07'; expected"),
        ("", {"ghost": "view=history"}, "The ghost is about history of world 'nk'"),
        ("", {"nix": "1"}, "The picture's address has an unknown field 'nix'"),
        (FORECAST, {"hold": "nix:0:1"}, "Unknown panel whose axis is to be held: 'nix'"),
        ("hold=output:0:1", {}, "The address has an unknown field 'hold'"),
        ("pin=world%3Dnk%26nix%3D1", {}, "unknown field 'nix'"),
        ("pin=p.kappa%3D1%26p.kappa%3D2", {}, "the field 'p.kappa' more than once"),
        ("world=nk&world=sw07", {}, "the field 'world' more than once"),
        ("exact=maybe", {}, "exact=maybe; expected one of 0, 1"),
        ("announced=yes&view=forecast", {}, "announced=yes; expected one of 0, 1"),
        ("view=forecast&condition=rate:1&condition=rate:2", {}, "two conditions on 'rate'"),
        ("p.kappa=1e999", {}, "kappa"),
        ("p.kappa=nan", {}, "kappa"),
        ("p.%3Cb%3E=1", {}, "Unknown parameter"),
        ("horizon=٣", {}, "whole quarters"),
        ("size=%00", {}, "size"),
        ("&".join(f"p.a{k}=1" for k in range(500)), {}, "more than 400 fields"),
    ],
)
def test_what_an_address_says_and_cannot_be_done_is_told(solved, state, fields, words):
    answer = drawn(solved, state, **fields)
    assert answer.status_code == 400
    assert words in answer.get_json()["error"]


def limits(answer):
    text = answer.get_json()["picture"]
    names = re.findall(r'data-name="(\w+)" data-low="([^"]+)" data-high="([^"]+)"', text)
    return {name: (float(low), float(high)) for name, low, high in names}


def test_axes_of_a_forecast_stay_and_its_old_median_stands_behind(solved):
    before = drawn(solved, FORECAST)
    axes = limits(before)
    assert "ghost" not in before.get_json()["picture"]
    held = [f"{name}:{low}:{high}" for name, (low, high) in axes.items()]
    state = f"{FORECAST}&condition=rate:3.5"
    moved = drawn(solved, state, ghost=FORECAST, hold=held)
    assert {name: limits(moved)[name] for name in axes} == axes
    assert moved.get_json()["picture"].count('class="ghost"') == len(axes) + 1  # and the legend
    far = drawn(solved, f"{FORECAST}&condition=rate:30", ghost=FORECAST, hold=held)
    assert limits(far)["rate"][1] >= 30
    assert limits(far)["rate"][0] <= axes["rate"][0]


def test_axes_of_a_history_stay_and_have_round_ends_near_the_bars(solved):
    query = "view=history&sample=1995Q1:2007Q4"
    axes = limits(drawn(solved, query))
    for low, high in axes.values():
        assert low == float(f"{low:.10g}")
        assert high - low < 15
    held = [f"{name}:{low - 1}:{high}" for name, (low, high) in axes.items()]
    moved = limits(drawn(solved, f"{query}&p.kappa=0.1001", hold=held))
    assert moved == {name: (low - 1, high) for name, (low, high) in axes.items()}


def test_a_view_without_an_answer_draws_no_empty_panel(solved):
    assert drawn(solved, "world=zlb&view=history").get_json()["picture"] == ""
    page = solved.get("/?world=zlb&view=history").text
    assert "Nothing is drawn</h2>" in page
    assert "<figure" not in page
