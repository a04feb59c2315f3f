"""Views over data without a browser: the numbers are those of `Economy`, and whatever cannot be
answered is told in plain words.
"""

import io
import re

import numpy as np
import pandas as pd
import pytest

import emulator
from emulator.errors import ParameterError
from emulator.explorer.economies import Economies
from emulator.explorer.over_data.asking import ask
from emulator.explorer.over_data.axes import dates
from emulator.explorer.state import State
from emulator.tests.explorer.test_uploads import MAPPING, MOD

SHORT = "sample=1995Q1:2007Q4"
CONDITION = "condition=rate:4.5,4.25,,4"


def asked(economies, query):
    return ask(State.read(query, economies.spec), economies)


def drawn(client, state, **fields):
    return client.get("/picture", query_string={"state": state, "patient": "1", **fields})


def notes(client, state):
    return drawn(client, state).get_json()["notes"].replace("&#39;", "'")


def csv_of(periods=64, names=("output", "inflation", "rate"), seed=0):
    """Quarterly series as a file."""
    values = np.random.default_rng(seed).normal(size=(periods, len(names)))
    table = pd.DataFrame(values.round(3), columns=list(names))
    table.insert(0, "period", [f"{1990 + t // 4}Q{t % 4 + 1}" for t in range(periods)])
    return table.to_csv(index=False).encode()


def post(client, path, field, content, name):
    return client.post(path, data={field: (io.BytesIO(content), name)})


@pytest.mark.fast
def test_an_address_keeps_a_view(exact):
    query = (
        "world=nk&shock=monetary&view=forecast&sample=1984Q1%3A2007Q4&start=diffuse&over=us"
        "&o.rate=rate+%2B+mean&e.rate=0.2&t.output=log&ahead=8&condition=rate%3A4.5%2C4.25%2C%2C4"
        "&by=monetary&announced=1"
    )
    state = State.read(query, exact.spec)
    assert sorted(state.query().split("&")) == sorted(query.split("&"))
    assert State.read(state.query(), exact.spec) == state
    assert State.read("view=responses", exact.spec).query() == "world=nk&shock=monetary"


@pytest.mark.fast
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("view=nix", "expected one of responses, history, forecast"),
        ("ahead=0", "1 to 40"),
        ("ahead=x", "1 to 40"),
        ("condition=rate", "such as rate:4.5,4.25,,4"),
        ("condition=rate:a", "such as rate:4.5,4.25,,4"),
        ("condition=rate:1e99", "such as rate:4.5,4.25,,4"),
        ("condition=rate:" + "1," * 50, "such as rate:4.5,4.25,,4"),
        ("by=nix", "Unknown shock"),
        ("start=wide", "expected one of stationary, diffuse"),
        ("o.rate=" + "x" * 300, "at most 200"),
        ("&".join(f"o.s{k}=x" for k in range(40)), "at most 30"),
    ],
)
def test_a_bad_address_is_refused(client, query, words):
    answer = drawn(client, query)
    assert answer.status_code == 400
    assert words in answer.get_json()["error"]


@pytest.mark.fast
def test_a_history_is_the_decomposition_of_inference_at_the_sliders(exact):
    shown = asked(exact, f"view=history&{SHORT}&p.kappa=0.2")
    expected = emulator.world("nk").decompose("us", kappa=0.2, sample="1995Q1:2007Q4")
    np.testing.assert_array_equal(
        shown.answer["contribution"].values, expected["contribution"].values
    )
    parts = shown.answer["contribution"].isel(draw=0).sum("part")
    np.testing.assert_allclose(parts.values, expected["data"].values, atol=1e-9)


@pytest.mark.fast
@pytest.mark.parametrize(
    ("more", "arguments"),
    [
        ("", {}),
        ("&by=monetary", {"by": "monetary"}),
        ("&by=monetary&announced=1", {"by": "monetary", "anticipated": True}),
    ],
)
def test_a_forecast_is_that_of_inference_under_the_condition(exact, more, arguments):
    shown = asked(exact, f"view=forecast&{SHORT}&ahead=6&{CONDITION}{more}")
    expected = emulator.world("nk").forecast(
        "us",
        sample="1995Q1:2007Q4",
        horizon=6,
        condition={"rate": [4.5, 4.25, np.nan, 4.0]},
        **arguments,
    )
    np.testing.assert_array_equal(shown.answer["quantile"].values, expected["quantile"].values)
    np.testing.assert_array_equal(shown.answer["shock_path"].values, expected["shock_path"].values)


@pytest.mark.fast
def test_bars_lie_where_the_contributions_are(client, exact):
    """Heights of the bars of a shock, read back by the labels of the axis."""
    picture = drawn(client, f"view=history&{SHORT}", w=900, h=200).get_json()["picture"]
    panel = re.findall(r"<figure.*?</figure>", picture, re.DOTALL)[2]
    ticks = [
        (float(y), float(value))
        for y, value in re.findall(r'd="M46 ([\d.]+)H892"/><text [^>]*>([^<]+)</text>', panel)
    ]
    slope = np.polyfit(*zip(*ticks, strict=True), 1)[0]
    bars = re.search(r'class="part c0 p0" d="([^"]+)"', panel)[1]
    heights = [slope * float(v) for v in re.findall(r"v(-?[\d.]+)", bars)]
    here = asked(exact, f"view=history&{SHORT}").answer.sel(target="rate", part="monetary")
    expected = here["contribution"].values[0]
    expected = expected[np.abs(expected / slope) >= 0.05]
    np.testing.assert_allclose(heights, expected, atol=0.06 * abs(slope))
    assert "1995Q1 1995Q2" in picture
    assert "percent a quarter" in picture


@pytest.mark.fast
def test_the_fan_has_units_dates_condition_and_the_shocks_that_meet_it(client):
    picture = drawn(client, f"view=forecast&{SHORT}&{CONDITION}").get_json()["picture"]
    assert picture.count("data-ahead=") == 3
    assert picture.count('class="field"') == 3
    assert "Forecast from 2008Q1 on, condition met by the most likely shocks" in picture
    assert "Shocks that meet the condition" in picture
    assert "annualised percentage points" in picture
    assert 'data-target="rate"' in picture


@pytest.mark.fast
def test_an_observable_that_is_no_series_can_be_conditioned(exact):
    shown = asked(exact, f"view=forecast&{SHORT}&condition=output:1,1")
    assert shown.targets[-1] == "output"
    middle = shown.answer["quantile"].sel(target="output", probability=0.5).values
    np.testing.assert_allclose(middle[:2], 1.0, atol=1e-9)
    shown = asked(exact, f"view=forecast&{SHORT}&condition=rate (observable):-1")
    middle = shown.answer["quantile"].sel(target="rate (observable)", probability=0.5).values
    np.testing.assert_allclose(middle[0], -1.0, atol=1e-9)


@pytest.mark.fast
def test_what_can_be_conditioned_is_listed_with_every_observable(client, exact):
    text = notes(client, f"view=forecast&{SHORT}&condition=nix:1")
    assert "Known: inflation, inflation (observable), output, output_growth, rate," in text
    page = client.get(f"/?view=forecast&{SHORT}").text
    offered = page.partition('id="path-of"')[2].partition("</select>")[0]
    names = re.findall(r'<option value="([^"]+)"', offered)
    observables = ["output", "inflation (observable)", "rate (observable)"]
    assert names == ["output_growth", "inflation", "rate", *observables]


@pytest.mark.fast
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("world=zlb&view=history", "is not linear in its shocks"),
        ("world=switching&view=forecast", "has regimes"),
        ("view=history&data=nix", "Unknown data: 'nix'"),
        ("view=history&data=mine-0123456789ab", "Load the same file below"),
        ("view=history&sample=1900Q1:", "does not lie within the data"),
        ("view=history&o.nix=output", "nix"),
        ("view=history&o.rate=rate*rate", "linear"),
        ("view=history&o.rate=__import__('os')", "rate"),
        ("view=history&e.rate=-1", "standard deviation of zero or more"),
        ("view=history&t.rate=nix", "Unknown transformation"),
        ("view=history&o.rate=&o.inflation=&o.output_growth=", "No series of the data"),
        (f"view=forecast&{SHORT}&condition=nix:1", "Unknown series or observable"),
        (f"view=forecast&{SHORT}&{CONDITION}&condition=inflation:1&by=monetary", "cannot"),
        (f"view=history&{SHORT}&p.phi_pi=0.8&p.phi_y=0", "no unique stable solution"),
        ("posterior=nix", "Unknown draws of a posterior"),
        ("over=us&shock=demand", "choose this shock"),
    ],
)
def test_what_cannot_be_answered_is_told(client, query, words):
    assert words in notes(client, query)


@pytest.mark.fast
def test_hank_needs_its_emulator(client, exact):
    assert "a network answers" in notes(client, f"world=hank&view=history&{SHORT}")
    shown = asked(exact, "world=hank&view=history")
    assert shown.answer is None
    assert "has no state space, and no network is loaded" in shown.notes[0]


@pytest.mark.fast
def test_a_world_of_few_shocks_is_held_to_as_many_series_and_says_so(client):
    text = notes(client, f"world=lss&view=history&{SHORT}")
    assert "it has 2 shocks, and is held to as many series: output_growth, inflation" in text
    text = notes(client, f"world=lss&view=history&{SHORT}&o.rate=rate %2B mean&e.rate=0.2")
    assert "held to" not in text


@pytest.mark.fast
def test_a_table_of_ones_own(client, economies):
    content = csv_of()
    name = post(client, "/data", "data", content, "mine.csv").get_json()["data"]
    assert re.fullmatch(r"mine-[0-9a-f]{12}", name)
    shown = asked(economies, f"view=history&data={name}")
    table = pd.read_csv(io.BytesIO(content), index_col="period")
    expected = emulator.world("nk").decompose(table)
    np.testing.assert_allclose(
        shown.answer["contribution"].values, expected["contribution"].values, atol=1e-10
    )
    page = client.get(f"/?view=forecast&data={name}").data.decode()
    assert f'value="{name}" selected' in page
    assert "2006Q1" in page  # the first period of the condition
    code = client.get(f"/responses.py?view=forecast&data={name}").data.decode()
    assert "'mine.csv'" in code
    compile(code, "forecast.py", "exec")


@pytest.mark.fast
def test_a_file_of_ones_own_over_data(client, economies):
    files = {
        "mod": (io.BytesIO(MOD.encode()), "own.mod"),
        "mapping": (io.BytesIO(MAPPING.encode()), "own.world.yaml"),
    }
    world = client.post("/upload", data=files).get_json()["world"]
    spec = economies.spec(world)
    name = post(
        client, "/data", "data", csv_of(names=spec.observable_names[:1]), "mine.csv"
    ).get_json()["data"]
    query = f"world={world}&data={name}"
    shown = asked(economies, f"{query}&view=history")
    assert shown.notes == []
    assert np.isfinite(shown.answer["contribution"].values).all()
    answer = drawn(client, f"{query}&view=forecast&condition={spec.observable_names[0]}:1")
    assert answer.get_json()["picture"].count("data-ahead=") == 1
    assert "us" in notes(client, f"world={world}&view=history&o.nix=x")


@pytest.mark.fast
@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([f"{1990 + t // 4}Q{t % 4 + 1}" for t in range(9)], ["1990", "1991", "1992"]),
        ([f"{1990 + t // 4}Q{t % 4 + 1}" for t in range(80)], ["1990", "1995", "2000", "2005"]),
        ([f"2001M{m:02d}" for m in (3, 4, 5)], ["2001M03", "2001M04", "2001M05"]),
        ([str(year) for year in range(1950, 1960)], ["1950", "1952", "1954", "1956", "1958"]),
    ],
)
def test_dates_along_the_axis(labels, expected):
    assert [text for _, text in dates(labels, 5)] == expected


@pytest.mark.fast
def test_nothing_to_take_away_is_told(client):
    answer = client.get("/responses.csv?world=zlb&view=history")
    assert answer.status_code == 400
    assert "is not linear" in answer.get_json()["error"]
    with pytest.raises(ParameterError):
        State.read("view=nix", Economies(None).spec)
