"""The picture to take away: title, parameters and band are in it, whatever a file calls things."""

import io
import re

import pytest
from PIL import Image

from emulator.explorer.curves import ask
from emulator.explorer.exported import picture, said_below
from emulator.explorer.state import State
from emulator.tests.explorer.test_uploads import MAPPING, send


def answered(economies, query):
    return ask(State.read(query, economies.spec), economies)


@pytest.fixture
def letters(monkeypatch):
    """SVGs with text as text, so that a test can read it."""
    monkeypatch.setitem(__import__("matplotlib").rcParams, "svg.fonttype", "none")


@pytest.mark.fast
def test_title_parameters_and_band_are_in_the_picture(client, letters):
    asked = "p.kappa=0.05&size=25bp&show=rate&pin=world%3Dnk%26p.kappa%3D0.3%26p.beta%3D0.995"
    svg = client.get(f"/picture.svg?{asked}")
    assert svg.mimetype == "image/svg+xml"
    assert 'filename="picture.svg"' in svg.headers["Content-Disposition"]
    said = re.sub(r"\s+", " ", " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg.text)))
    for words in (
        "Three-equation New Keynesian model",
        "monetary shock, 0.25 pp",
        "90 % band of the network",
        "nk: kappa = 0.05; at their defaults sigma = 1.5",
        "sigma_u = 0.2.",
        "beta = 0.995, kappa = 0.3",
        "annualised percentage points",
        "universal-macro-emulator",
    ):
        assert words in said, words
    assert "percent<" not in svg.text  # output is not shown


@pytest.mark.fast
def test_doubts_travel_with_the_picture(economies):
    texts = said_below(answered(economies, "p.kappa=0.9"))
    assert any(text.startswith("Note: ") and "out of range: kappa = 0.9" in text for text in texts)


@pytest.mark.fast
def test_png_of_what_is_shown(client):
    shown = client.get("/picture.png?world=nk&show=rate")
    assert shown.mimetype == "image/png"
    one, three = (
        Image.open(io.BytesIO(data)).size
        for data in (shown.data, client.get("/responses.png?world=nk").data)
    )
    assert one[0] < three[0]
    assert client.get("/picture.exe?world=nk").status_code == 404


def test_units_and_titles_that_look_like_mathematics_or_markup_are_text(client, economies, letters):
    hostile = MAPPING.replace(
        "{output: y,", '{output: y, pay: {expression: y, unit: "$\\\\frac{ <script> $"},'
    )
    world = send(client, mapping=f'title: "$\\\\nix$ <b>"\n{hostile}').get_json()["world"]
    answer = answered(economies, f"world={world}&show=pay")
    svg = picture(answer, kind="svg", shown_alone=True).decode()
    assert "<script>" not in svg
    assert "<b>" not in svg
    assert "&lt;script&gt;" in svg
