"""The model on the page: its card, presets, at which order a file is answered, and its mapping,
which is edited, checked by the reader of mappings, and shown.
"""

import io
import re
from urllib.parse import parse_qsl

import numpy as np
import pytest

from emulator.explorer.presets import median, mode, presets_of
from emulator.tests.explorer.test_uploads import MAPPING, MOD, send
from emulator.worlds import get_world
from emulator.worlds.priors import Prior

NONLINEAR = """var y a; varexo e u; parameters rho; rho = 0.8;
model; y = exp(a + u); a = rho*a(-1) + e; end;
steady_state_model; a = 0; y = 1; end;
shocks; var e; stderr 0.1; var u; stderr 0.1; end;
stoch_simul(order=2, irf=20) y;
"""

MAPPED = "observables: {output: 100*log(y)}\nparameters: {rho: {low: 0.5, high: 0.9}}\n"


def remap(client, world, mapping):
    files = {"world": world, "mapping": (io.BytesIO(mapping.encode()), "mapping")}
    return client.post("/mapping", data=files)


def notes(client, world):
    asked = {"state": f"world={world}", "patient": "1"}
    return client.get("/picture", query_string=asked).get_json()


@pytest.mark.fast
def test_the_card_says_what_a_world_is(client):
    nk = client.get("/model?world=nk").get_json()
    assert "Galí (2015), ch. 3" in nk["card"]
    assert "pi = beta E pi&#39; + kappa x + u" in nk["card"]
    assert nk["mapping"] == ""
    rbc = client.get("/model?world=rbc").get_json()
    assert rbc["card"].count("<math") == 13
    assert "Euler equation of capital" in rbc["card"]
    assert "expression: 100*log(c)" in rbc["mapping"]
    assert ["k", "capital at the end of the quarter", "  k: {expression: k, unit: unknown}"] in rbc[
        "variables"
    ]
    assert client.get("/model?world=nkk").status_code == 400


@pytest.mark.fast
def test_presets_are_in_the_page(client):
    page = client.get("/?world=sw07").text
    queries = {
        name: query for query, name in re.findall(r'data-preset="([^"]*)"[^>]*>([^<]+)<', page)
    }
    assert list(queries) == ["Calibration", "Prior median", "Prior mode"]
    assert queries["Calibration"] == ""
    modes = dict(parse_qsl(queries["Prior mode"].replace("&amp;", "&")))
    assert float(modes["p.r_pi"]) == pytest.approx(1.5)
    assert "American Economic Review" in page
    assert 'id="edit-mapping"' in page
    assert 'id="edit-mapping"' not in client.get("/?world=nk").text


@pytest.mark.fast
def test_medians_and_modes_are_those_of_the_priors():
    shape = Prior(prior="beta", mean=0.7, sd=0.1, low=0.0, high=1.0)
    share = shape.probability(np.array([median(shape)]))[0]
    assert share == pytest.approx(0.5, abs=1e-6)
    a = 0.7 * (0.7 * 0.3 / 0.01 - 1)
    assert mode(shape) == pytest.approx((a - 1) / (a / 0.7 - 2), abs=1e-6)
    assert mode(Prior(prior="beta", mean=0.2, sd=0.2, low=0.01, high=1.0)) == pytest.approx(0.01)
    nk = {preset.name: preset.values for preset in presets_of(get_world("nk").spec, {})}
    assert nk["Prior median"]["kappa"] == pytest.approx(0.255)
    assert "Prior mode" not in nk


def test_a_file_says_at_which_order_it_is_answered(client):
    own = send(client, NONLINEAR, None, "own.mod").get_json()["world"]
    shown = notes(client, own)
    assert "second order, pruned" in shown["picture"]
    assert "order" not in shown["notes"]
    whole = remap(client, own, MAPPED).get_json()["world"]
    assert "second order, pruned" in notes(client, whole)["picture"]
    mapped = remap(client, own, MAPPED + "shocks: {news: e}\n").get_json()["world"]
    shown = notes(client, mapped)
    assert "pruned" not in shown["picture"]
    said = shown["notes"].replace("&#39;", "'")
    assert "This is the answer of first order" in said
    assert "stoch_simul in line 5 names order=2" in said
    assert "Write order=1" not in said
    card = client.get(f"/model?world={mapped}").get_json()["card"]
    assert "This is the answer of first order" in card


def test_an_edited_mapping_is_checked_and_shown(client, economies):
    world = send(client).get_json()["world"]
    wrong = remap(client, world, MAPPING.replace("inflation: 4*pi", "inflation: 4*nix"))
    assert wrong.status_code == 400
    assert "nix" in wrong.get_json()["error"]
    assert "/tmp" not in wrong.get_json()["error"]
    answer = remap(client, world, MAPPING.replace("{output: y,", "{output: y, real: r-pi(+1),"))
    assert answer.status_code == 400  # a lead is no observable
    answer = remap(
        client,
        world,
        MAPPING.replace("{output: y,", "{output: y, double: {expression: 2*y, unit: x},"),
    ).get_json()
    assert answer["observables"] == ["output", "inflation", "rate", "double"]
    assert answer["parameters"] == ["rho", "phi"]
    assert answer["world"] in answer["worlds"]
    shown = client.get(
        "/picture", query_string={"state": f"world={answer['world']}", "patient": "1"}
    )
    assert "Double" in shown.get_json()["picture"]
    assert "double:" in client.get(f"/model?world={answer['world']}").get_json()["mapping"]
    exact = economies.solver(answer["world"]).irf({}, shocks="monetary", size="1", horizon=4)["irf"]
    np.testing.assert_allclose(
        exact.sel(observable="double"), 2 * exact.sel(observable="output"), rtol=1e-12
    )


@pytest.mark.fast
@pytest.mark.parametrize(
    ("world", "mapping", "words"),
    [
        ("nk", MAPPING, "written in Python and has no mapping"),
        ("nix", MAPPING, "Unknown world"),
        ("../etc", MAPPING, "Unknown world"),
        ("rbc", " ", "The mapping is empty"),
        ("rbc", "x" * 200_001, "takes up to 200,000"),
    ],
)
def test_a_mapping_of_nothing_or_without_end_is_refused(client, world, mapping, words):
    answer = remap(client, world, mapping)
    assert answer.status_code == 400
    assert words in answer.get_json()["error"]


@pytest.mark.fast
def test_the_mapping_of_a_world_that_ships_is_the_world_itself(client):
    text = client.get("/model?world=rbc").get_json()["mapping"]
    assert remap(client, "rbc", text).get_json()["world"] == "rbc"
    foreign = client.post(
        "/mapping", data={"world": "rbc"}, headers={"Origin": "http://evil.example"}
    )
    assert foreign.status_code == 403


def test_names_and_texts_of_a_file_are_escaped_on_its_card(client):
    mod = MOD.replace("var y pi r;", "var y (long_name='<img src=x>') pi r;").replace(
        "y = rho", "[name='<script>alert(1)</script>'] y = rho"
    )
    mapping = f"title: <i>t</i>\nsource: <b>s</b>\n{MAPPING}"
    world = send(client, mod, mapping).get_json()["world"]
    answer = client.get(f"/model?world={world}").get_json()
    assert "&lt;script&gt;alert(1)" in answer["card"]
    for markup in ("<script", "<img", "<i>", "<b>"):
        assert markup not in answer["card"]
    page = client.get(f"/?world={world}").text
    for markup in ("<i>", "<b>s", "<img"):
        assert markup not in page
