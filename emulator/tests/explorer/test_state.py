"""The address carries everything, is read strictly, and makes itself again."""

import numpy as np
import pytest

from emulator.errors import EmulatorError, ParameterError, UnknownNameError
from emulator.explorer.state import MOST_PINS, Scenario, State
from emulator.worlds import get_world

pytestmark = pytest.mark.fast


def spec_of(name):
    return get_world(name).spec


def read(query):
    return State.read(query, spec_of)


def test_an_empty_address_is_the_start():
    state = read("")
    assert state.live == Scenario("nk", "monetary")
    assert state.exact
    assert state.horizon == 20


@pytest.mark.parametrize(
    "query",
    [
        "world=nk&shock=demand&size=25bp+on+rate&p.kappa=0.05&p.phi_pi=2.25&horizon=12&exact=0&with=zlb&with=sw07",
        "world=sw07&shock=monetary&pin=world%3Dnk%26shock%3Dmonetary%26size%3D25bp%26p.kappa%3D0.15&pin=world%3Drbc%26shock%3Dtechnology",
    ],
)
def test_an_address_makes_itself_again(query):
    assert read(query).query() == query
    assert read(read(query).query()) == read(query)


def test_any_value_survives_the_address_to_the_last_bit():
    rng = np.random.default_rng(3)
    for value in rng.uniform(0.01, 0.5, 50):
        state = State(Scenario("nk", "monetary", "1", (("kappa", float(value)),)))
        assert read(state.query()) == state


def test_defaults_are_left_out_and_values_stand_in_the_worlds_order():
    assert read("p.phi_pi=2&p.kappa=0.1&p.sigma=3").live.values == (("sigma", 3.0), ("phi_pi", 2.0))


@pytest.mark.parametrize(
    ("query", "error", "words"),
    [
        ("world=nkk", UnknownNameError, "nk"),
        ("world=/etc/passwd.mod", EmulatorError, None),
        ("world=nk&shock=fiscal", UnknownNameError, "monetary"),
        ("p.kapa=0.1", UnknownNameError, "kappa"),
        ("p.kappa=x", ParameterError, "expected a number"),
        ("p.kappa=nan", ParameterError, "finite"),
        ("p.kappa=1e999", ParameterError, "finite"),
        ("p.sigma_m=-1", ParameterError, "standard deviation"),
        ("p.kappa=-1", ParameterError, "expected a value in"),
        ("horizon=-1", ParameterError, "0 to 200"),
        ("horizon=10000", ParameterError, "0 to 200"),
        ("horizon=²", ParameterError, "whole quarters"),
        ("size=25b", ParameterError, "25bp"),
        ("size=" + "1" * 50, ParameterError, "characters"),
        ("kappa=0.1", ParameterError, "p.name"),
        ("with=nix", UnknownNameError, None),
        ("pin=p.kappa%3Dx", ParameterError, "number"),
        (
            "&".join(f"pin=p.kappa%3D0.{k}" for k in range(11, 12 + MOST_PINS)),
            ParameterError,
            "at most",
        ),
        ("&".join("with=nk" for _ in range(1000)), ParameterError, "fields"),
    ],
)
def test_what_no_page_wrote_is_refused_with_a_reason(query, error, words, tmp_path):
    from emulator.explorer.economies import Economies

    with pytest.raises(error, match=words):
        State.read(query, Economies(None).spec)


def test_no_scenario_is_drawn_twice_and_each_keeps_its_colour():
    state = read(
        "p.kappa=0.2&with=nk&with=zlb&pin=world%3Dnk%26shock%3Dmonetary%26p.kappa%3D0.2&pin=world%3Dnk%26shock%3Dmonetary%26p.kappa%3D0.3"
    )
    assert {place: scenario.world for place, scenario in state.scenarios().items()} == {
        0: "nk",
        1: "zlb",
        3: "nk",
    }
    moved = read(state.query().replace("p.kappa=0.2&", "p.kappa=0.25&", 1))
    assert {place: scenario.world for place, scenario in moved.scenarios().items()} == {
        0: "nk",
        1: "zlb",
        2: "nk",
        3: "nk",
    }


def test_labels_tell_scenarios_apart_and_stay_short():
    many = "&".join(
        f"p.{p.name}={p.default * 0.97 + 0.001}" for p in get_world("sw07").spec.parameters[:20]
    )
    twice = read(f"world=sw07&{many}").live
    state = State(
        twice, pins=(Scenario("sw07", "monetary", "1", twice.values[:-1]), Scenario("nk", "demand"))
    )
    labels = [state.label(scenario) for scenario in state.scenarios().values()]
    assert len(set(labels)) == 3
    assert max(map(len, labels)) < 120
    assert "demand" in labels[2]


def test_unpinning():
    state = read("pin=world%3Dnk%26shock%3Dmonetary%26p.kappa%3D0.3")
    assert state.without_pin(state.pins[0]).pins == ()
