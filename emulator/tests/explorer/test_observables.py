"""Worlds with one to many observables on the page: panels, the chooser, downloads, data by name."""

import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import emulator
from emulator.errors import ParameterError, UnknownNameError
from emulator.explorer.curves import ask
from emulator.explorer.fit import Fit
from emulator.explorer.looks import title
from emulator.explorer.state import State
from emulator.files import sealed, sha256_file
from emulator.tests.estimation.test_observables import MAPPING, MOD
from emulator.tests.explorer.test_uploads import send
from emulator.worlds import get_world

SEVEN = ["output", "inflation", "rate", "consumption", "investment", "hours", "wage"]


def picture(client, state, **fields):
    asked = {"state": state, "patient": "1", **fields}
    return client.get("/picture", query_string=asked).get_json()


def panels(shown):
    return re.findall(r"<figcaption[^>]*>([^<]+) <small>([^<]*)</small>", shown["picture"])


def checked(page):
    boxes = re.findall(r'name="show"[^>]*value="([^"]+)"[^>]*>', page)
    on = re.findall(r'name="show"[^>]*value="([^"]+)"[^>]* checked>', page)
    return boxes, on


def test_six_observables_are_drawn_and_others_chosen(client):
    page = client.get("/?world=sw07&exact=0").text
    assert checked(page) == (SEVEN, SEVEN[:6])
    shown = picture(client, "world=sw07&shock=monetary")
    assert [name for name, _ in panels(shown)] == [name.capitalize() for name in SEVEN[:6]]
    assert panels(shown)[1][1] == "annualised percentage points"
    other = "world=sw07&shock=monetary&show=wage&show=consumption"
    assert [name for name, _ in panels(picture(client, other))] == ["Consumption", "Wage"]
    assert checked(client.get(f"/?{other}").text)[1] == ["consumption", "wage"]
    three = ["output", "inflation", "rate"]
    assert checked(client.get("/?world=nk").text) == (three, three)


def test_an_address_keeps_the_chosen_observables():
    def spec_of(name):
        return get_world(name).spec

    query = "world=sw07&shock=monetary&show=consumption&show=wage"
    state = State.read("world=sw07&show=wage&show=consumption&show=wage", spec_of)
    assert state.query() == query
    assert State.read(query, spec_of) == state
    usual = "&".join(f"show={name}" for name in SEVEN[:6])
    assert "show" not in State.read(f"world=sw07&{usual}", spec_of).query()
    with pytest.raises(UnknownNameError, match="Did you mean 'consumption'"):
        State.read("world=sw07&show=consumtion", spec_of)
    with pytest.raises(ParameterError, match="expected whole quarters"):
        State.read("world=sw07&horizon=x", spec_of)


def test_what_the_network_does_not_know_is_drawn_by_the_solver_or_said(client, economies):
    other = "world=hank&shock=monetary&show=output&show=consumption_bottom_half"
    shown = picture(client, other)
    output, consumption = re.findall(r"<figure>.*?</figure>", shown["picture"], re.DOTALL)
    assert 'class="line c0"' in output
    assert 'class="line c0 dashed"' in output
    assert 'class="line c0"' not in consumption
    assert 'class="line c0 dashed"' in consumption
    assert "knows no" not in shown["notes"]
    hasty = picture(client, f"{other}&exact=0")
    assert (
        "the network knows no consumption_bottom_half. The exact solution draws them"
        in hasty["notes"]
    )
    state = State.read(
        "world=hank&shock=monetary&size=-0.5%25+on+consumption_bottom_half", economies.spec
    )
    (curve,) = ask(state, economies).curves
    assert curve.exact
    impact = curve.line(curve_observable(economies, "consumption_bottom_half", "hank"))[0]
    assert impact == pytest.approx(-0.5)


def curve_observable(economies, name, world="sw07"):
    spec = economies.spec(world)
    return spec.observables[spec.observable_index(name)]


def test_worlds_beside_are_drawn_where_they_have_the_observable(client):
    shown = picture(client, "world=sw07&shock=monetary&with=nk&show=rate&show=hours", table="1")
    rate, hours = re.findall(r"<figure>.*?</figure>", shown["picture"], re.DOTALL)
    assert 'class="line c1"' in rate
    assert 'class="line c1"' not in hours
    heads = re.findall(r'<th scope="col">([^<]+)</th>', shown["table"])
    assert "hours, sw07 (exact)" in heads
    assert "rate, nk (exact)" in heads
    assert "hours, nk (exact)" not in heads


def test_downloads_hold_every_observable(client):
    asked = "world=sw07&shock=monetary&show=wage&horizon=4"
    shown = pd.read_csv(io.BytesIO(client.get(f"/responses.csv?{asked}").data))
    exact = emulator.world("sw07").irf(shock="monetary", horizon=4)["irf"]
    rows = shown[shown["scenario"] == "sw07 (exact)"]
    for name in SEVEN:
        np.testing.assert_allclose(rows[name], exact.sel(observable=name)[0, 0], rtol=1e-12)
    few, many = (
        Image.open(io.BytesIO(client.get(f"/responses.png?{query}").data)).size
        for query in ("world=nk", asked)
    )
    assert few[0] == many[0]
    assert many[1] > 2 * few[1]  # three rows of panels


def test_a_monthly_world_says_months(client):
    world = send(client, MOD, "frequency: month\n" + MAPPING, "mine.mod").get_json()["world"]
    page = client.get(f"/?world={world}").text
    assert "<label>Months" in page
    shown = picture(client, f"world={world}", table="1")
    assert "months after impact" in shown["picture"]
    assert "in month 4" in shown["picture"]
    assert "quarter" not in shown["picture"]
    assert '<th scope="col">month</th>' in shown["table"]
    beside = picture(client, f"world={world}&with=nk")
    assert "nk: its periods are quarters, those of the picture months" in beside["notes"]


def test_a_file_without_a_mapping_shows_its_own_variables(client, economies, tmp_path):
    world = send(client, MOD, None, "mine.mod").get_json()["world"]
    page = client.get(f"/?world={world}").text
    assert "these are its own variables" in page
    assert checked(page) == (list("ypicnwk"), list("ypicnw"))
    assert "inf" not in re.findall(r"<input[^>]*>", page)
    assert 'id="r-kappa"' not in page  # nobody says a range
    assert 'name="p.kappa"' in page
    (tmp_path / "mine.mod").write_text(MOD)
    exact = emulator.world(tmp_path / "mine.mod").irf(kappa=0.2, horizon=5)["irf"]
    shown = pd.read_csv(
        io.BytesIO(client.get(f"/responses.csv?world={world}&p.kappa=0.2&horizon=5").data)
    )
    for name in "ypicnwk":
        np.testing.assert_allclose(shown[name], exact.sel(observable=name)[0, 0], rtol=1e-12)
    drawn = picture(client, f"world={world}&show=k&show=pi".replace("pi", "p"))
    assert [name for name, _ in panels(drawn)] == ["p", "k"]
    recipe = client.get(f"/responses.py?world={world}").text
    assert "# mine.mod, as loaded" in recipe
    assert "world.yaml" not in recipe


@pytest.fixture
def estimated(tmp_path):
    """A fit of two of sw07's observables."""
    about = {
        "world": "sw07",
        "world_shock": "monetary",
        "target": {"name": "made-up", "units": ["percent", "percent"]},
        "held": {"r_pi": {"value": 1.8, "why": "given"}},
    }
    pd.DataFrame({"parameter": ["r_y"], "point": [0.1]}).to_csv(
        tmp_path / "parameters.csv", index=False
    )
    index = pd.MultiIndex.from_product(
        [range(3), ("wage", "consumption")], names=["horizon", "observable"]
    )
    fit = pd.DataFrame({"target": np.arange(6.0), "target_sd": 1.0, "matched": True}, index=index)
    fit.to_csv(tmp_path / "fit.csv")
    files = {name: sha256_file(tmp_path / name) for name in ("parameters.csv", "fit.csv")}
    (tmp_path / "result.json").write_text(json.dumps(sealed(about | {"files": files})))
    return tmp_path


def test_data_are_drawn_over_the_observable_of_their_name(estimated, client, economies):
    economies.fit = Fit.read(estimated, economies.spec)
    wage = economies.fit.of(curve_observable(economies, "wage"))
    np.testing.assert_allclose(wage.irf, [0, 2, 4])
    np.testing.assert_allclose(wage.upper, [1.645, 3.645, 5.645])
    assert economies.fit.of(curve_observable(economies, "output")) is None
    asked = f"{economies.fit.scenario.text}&show=output&show=wage"
    output, wage = re.findall(r"<figure>.*?</figure>", picture(client, asked)["picture"], re.DOTALL)
    assert 'class="mark plain"' in wage
    assert 'class="mark plain"' not in output


@pytest.mark.fast
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("output", "Output"),
        ("house_prices", "House prices"),
        ("y_gap", "y_gap"),
        ("pi", "pi"),
        ("v10", "v10"),
    ],
)
def test_titles_are_words_and_symbols_stay(name, shown):
    assert title(name) == shown
