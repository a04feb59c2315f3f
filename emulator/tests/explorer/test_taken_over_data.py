"""What is taken away of a view over data: a picture says what it rests on."""

import io

import matplotlib.image
import pytest

from emulator.explorer.over_data.taking import figure, said_below
from emulator.tests.explorer.test_over_data import asked

pytestmark = pytest.mark.fast

SHORT = "sample=1995Q1:2007Q4"


def test_a_picture_names_parameters_data_equations_and_the_condition(exact):
    more = "condition=rate:4.5,,4&by=monetary&p.kappa=0.05&start=diffuse&e.rate=0.2"
    shown = asked(exact, f"view=forecast&{SHORT}&{more}")
    parameters, data, condition, bands, made_by = said_below(shown)
    assert parameters.startswith("nk: kappa = 0.05; at their defaults sigma = 1.5")
    assert data.startswith("Data: us, 1995Q1:2007Q4; output_growth = diff(output) + mean; infl")
    assert data.endswith("error of rate 0.2. Before the data: levels unknown (unit roots).")
    met = "met by monetary, each a surprise"
    assert condition == f"Condition: rate 2008Q1 4.5, 2008Q3 4; {met}."
    assert "90 %" in bands
    assert made_by.startswith("universal-macro-emulator")


def test_notes_stand_below_a_history_and_the_picture_has_room_for_them(exact):
    shown = asked(exact, f"view=history&{SHORT}&p.kappa=0.9")
    texts = said_below(shown)
    assert texts[0].startswith("nk: kappa = 0.9; at their defaults")
    assert texts[2].startswith("Note: nk: out of range: kappa = 0.9")
    picture = matplotlib.image.imread(io.BytesIO(figure(shown, "png")))
    foot = picture[-160:, :, :3]
    assert (foot.min(axis=(1, 2)) < 0.5).sum() > 20  # rows with ink
