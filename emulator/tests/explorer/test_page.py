"""What the server answers: the numbers of `emulator.inference` and no others, warnings in plain
words, and only to its own page.
"""

import io
import re

import numpy as np
import pandas as pd
import pytest

import emulator
from emulator.errors import UnknownNameError
from emulator.explorer.curves import ask
from emulator.explorer.economies import Economies
from emulator.explorer.state import State

pytestmark = pytest.mark.fast


def asked(economies, query):
    return ask(State.read(query, economies.spec), economies)


def drawn(client, state, **fields):
    return client.get(
        "/picture", query_string={"state": state, "patient": "1", **fields}
    ).get_json()


def test_curves_are_the_answers_of_inference_to_the_last_bit(economies, network):
    shown = {
        curve.name: curve for curve in asked(economies, "p.kappa=0.05&size=25bp&with=sw07").curves
    }
    assert list(shown) == ["nk, kappa=0.05", "nk, kappa=0.05 (exact)", "sw07", "sw07 (exact)"]
    options = {"shocks": "monetary", "size": "25bp", "horizon": 20}
    expected = network.irf("nk", kappa=0.05, **options)
    np.testing.assert_array_equal(shown["nk, kappa=0.05"].irf, expected["irf"].values[0, 0])
    np.testing.assert_array_equal(shown["nk, kappa=0.05"].band[1], expected["upper"].values[0, 0])
    np.testing.assert_array_equal(
        shown["sw07 (exact)"].irf, emulator.world("sw07").irf(**options)["irf"].values[0, 0]
    )


def test_the_picture_shows_each_curve_where_it_belongs(client, network):
    """The ends of the live line, read back from the SVG by the labels of its axis."""
    panels = re.findall(
        r"<figure>.*?</figure>", drawn(client, "exact=0", w=400, h=240)["picture"], re.DOTALL
    )
    expected = network.irf("nk", shocks="monetary", horizon=20)["irf"].values[0, 0]
    for k, panel in enumerate(panels):
        ticks = [
            (float(y), float(value))
            for y, value in re.findall(r'd="M46 ([\d.]+)H392"/><text [^>]*>([^<]+)</text>', panel)
        ]
        slope, level = np.polyfit(*zip(*ticks, strict=True), 1)
        points = re.search(r'class="line c0" d="M([^"]+)"', panel)[1].split("L")
        shown = [slope * float(point.split()[1]) + level for point in points]
        np.testing.assert_allclose(shown, expected[:, k], atol=0.004 * np.ptp(expected[:, k]))


def test_bands_dashed_exact_lines_and_pins_are_in_the_picture(client):
    picture = drawn(
        client, "p.kappa=0.05&with=zlb&pin=world%3Dnk%26shock%3Dmonetary%26p.kappa%3D0.4"
    )["picture"]
    for kind in ("band c0", "line c0 dashed", "band c1", "line c1 dashed", "line c2", "mark c2"):
        assert picture.count(f'class="{kind}"') >= 3, kind
    assert "pin 1: nk, kappa=0.4" in picture
    assert 'aria-label="Unpin' in picture


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("p.kappa=0.9", "out of range: kappa = 0.9 (trained on 0.01 to 0.5)"),
        (
            "p.phi_pi=0.8&p.phi_y=0",
            "finds no unique stable solution (indeterminate: many stable solutions)",
        ),
        ("with=rbc&shock=demand", "rbc: Unknown shock of world 'rbc': 'demand'"),
        ("size=25bp&with=nk&world=sw07&shock=technology", "cannot be translated"),
    ],
)
def test_warnings_in_plain_words(client, state, words):
    assert words in drawn(client, state)["notes"].replace("&#39;", "'")


def test_where_there_is_no_solution_no_line_is_drawn(client):
    shown = drawn(client, "p.phi_pi=0.8&p.phi_y=0")
    assert 'class="line c0"' not in "".join(
        re.findall(r"<figure>.*?</figure>", shown["picture"], re.DOTALL)
    )
    assert "No response is drawn" in shown["picture"]
    assert "the network takes it that there is no unique stable solution" in shown["notes"]


def test_a_slow_solver_is_waited_for_only_when_the_page_rests(economies):
    economies._seconds["nk"] = 5.0
    state = State.read("p.kappa=0.06", economies.spec)
    hasty = ask(state, economies, patient=False)
    assert not hasty.complete
    assert [curve.exact for curve in hasty.curves] == [False]
    patient = ask(state, economies)
    assert patient.complete
    assert [curve.exact for curve in patient.curves] == [False, True]


def test_csv_holds_what_inference_says(client, network):
    shown = pd.read_csv(
        io.BytesIO(client.get("/responses.csv?p.kappa=0.07&horizon=8").data)
    ).set_index(["scenario", "horizon"])
    expected = network.irf("nk", kappa=0.07, shocks="monetary", horizon=8)
    np.testing.assert_allclose(
        shown.loc["nk, kappa=0.07", "inflation_lower"],
        expected["lower"].sel(observable="inflation").values[0, 0],
        rtol=1e-12,
    )
    exact = emulator.world("nk").irf(kappa=0.07, shocks="monetary", horizon=8)
    np.testing.assert_allclose(
        shown.loc["nk, kappa=0.07 (exact)", "rate"],
        exact["irf"].sel(observable="rate").values[0, 0],
        rtol=1e-12,
    )


def test_png_is_a_picture(client):
    answer = client.get("/responses.png?with=zlb")
    assert answer.data.startswith(b"\x89PNG")
    assert len(answer.data) > 20_000
    assert 'filename="responses.png"' in answer.headers["Content-Disposition"]


def test_the_table_is_sent_where_it_is_wanted(client):
    assert drawn(client, "")["table"] == ""
    table = drawn(client, "horizon=4", table="1")["table"]
    assert table.count("<tr>") == 6
    assert '<th scope="col">inflation, nk (exact)</th>' in table


def test_a_page_that_cannot_be_shown_says_why_and_shows_the_start(client):
    answer = client.get("/?world=nkk")
    assert answer.status_code == 400
    assert "Did you mean &#39;nk&#39;?" in answer.text
    assert 'role="alert"' in answer.text
    assert client.get("/picture?state=p.kappa=x").status_code == 400
    assert "Load the same .mod file" in client.get("/?world=model-0123456789ab").text


def test_every_control_has_a_label(client):
    page = client.get("/?world=sw07").text
    for name in (p.name for p in emulator.world("sw07").spec.parameters):
        assert f'<label for="p-{name}">' in page
        assert re.search(rf'id="r-{name}"[^>]*aria-label="{name}, ', page)
    assert '<html lang="en">' in page
    assert page.index('class="skip"') < page.index("<main")


def test_nothing_from_an_address_becomes_markup(client):
    for query in ("?world=<script>alert(1)</script>", "?size=%3Cimg%20src=x%3E", "?p.%3Cb%3E=1"):
        assert not re.search(r"<script>alert|<img src|<b>=", client.get("/" + query).text)
    assert (
        client.get("/picture?state=size%3D%3Cimg%3E").mimetype == "application/json"
    )  # the page shows it as text


def test_only_its_own_scripts(client):
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in re.sub(
        r"https?://www\.w3\.org\S*", "", client.get("/").text
    )  # nothing is fetched from elsewhere
    assert client.get("/static/../app.py").status_code == 404


def test_huge_sizes_of_a_panel_are_bounded(client):
    assert 'viewBox="0 0 2000 1200"' in drawn(client, "", w=10**9, h=10**9)["picture"]
    assert 'viewBox="0 0 120 70"' in drawn(client, "", w=-5, h=1)["picture"]


def test_old_answers_are_given_up(network, monkeypatch):
    monkeypatch.setattr("emulator.explorer.economies.MOST_ANSWERS", 5)
    economies = Economies(network)
    for k in range(8):
        asked(economies, f"p.kappa=0.2{k}")
    assert len(economies._answers) == 5


def test_worlds_are_never_read_from_a_path(tmp_path):
    path = tmp_path / "model.mod"
    path.write_text("var x;")
    with pytest.raises(UnknownNameError):
        Economies(None).spec(str(path))
