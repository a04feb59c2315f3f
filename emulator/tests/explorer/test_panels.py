"""What the server draws for a slider that is being moved, and the numbers that are read off."""

import re

import numpy as np
import pytest

from emulator.errors import ParameterError
from emulator.explorer.panel import held_limits

pytestmark = pytest.mark.fast


def drawn(client, state, **fields):
    asked = {"state": state, "patient": "1", **fields}
    return client.get("/picture", query_string=asked).get_json()


def axes(picture):
    limits = re.findall(r'data-name="(\w+)" data-low="([^"]+)" data-high="([^"]+)"', picture)
    return {name: (float(low), float(high)) for name, low, high in limits}


def test_axes_that_are_held_stay_while_they_hold_everything(client):
    start = axes(drawn(client, "")["picture"])
    hold = [f"{name}:{low!r}:{high!r}" for name, (low, high) in start.items()]
    smaller = axes(drawn(client, "size=0.5", hold=hold)["picture"])
    assert smaller == start
    assert axes(drawn(client, "size=0.5")["picture"]) != start
    larger = axes(drawn(client, "size=2", hold=hold)["picture"])
    for name, (low, high) in larger.items():
        assert low <= start[name][0]
        assert high >= start[name][1]
    assert larger["output"][0] < start["output"][0]


def test_what_was_live_before_a_move_is_drawn_as_a_ghost(client, network):
    before = "world=nk&shock=monetary&p.kappa=0.3"
    picture = drawn(client, "p.kappa=0.05", ghost=before)["picture"]
    assert "before this move" in picture
    ghost = re.search(
        r'class="ghost" d="[^"]+" data-label="([^"]+)" data-values="([^"]+)"', picture
    )
    assert ghost[1] == "before: nk, kappa=0.3"
    expected = network.irf("nk", kappa=0.3, shocks="monetary", horizon=20)["irf"].values[0, 0, :, 0]
    np.testing.assert_allclose(np.array(ghost[2].split(), float), expected, rtol=1e-4, atol=1e-8)
    assert "ghost" not in drawn(client, "p.kappa=0.3", ghost=before)["picture"]


def test_lines_carry_the_numbers_that_are_read_off(client, network):
    picture = drawn(client, "exact=0&horizon=8")["picture"]
    (line,) = re.findall(
        r'class="line c0" d="[^"]+" data-label="nk" data-values="([^"]+)" data-lower="([^"]+)"'
        r' data-upper="([^"]+)"',
        picture.split("</figure>")[1],
    )
    answer = network.irf("nk", shocks="monetary", horizon=8)
    for text, name in zip(line, ("irf", "lower", "upper"), strict=True):
        expected = answer[name].sel(observable="inflation").values[0, 0]
        np.testing.assert_allclose(np.array(text.split(), float), expected, rtol=1e-4)


@pytest.mark.parametrize(
    "text",
    ["output", "output:1", "output:2:1", "output:nan:1", "output:-inf:inf", "a:-1e308:1e308"],
)
def test_axes_that_cannot_be_held_are_refused(client, text):
    with pytest.raises(ParameterError, match="expected observable:low:high"):
        held_limits([text])
    assert client.get("/picture", query_string={"state": "", "hold": text}).status_code == 400


def test_a_ghost_of_nothing_that_is_known_is_refused(client):
    answer = client.get("/picture", query_string={"state": "", "ghost": "world=nkk"})
    assert answer.status_code == 400
    assert "Did you mean 'nk'?" in answer.get_json()["error"]
