"""What the page advises names its own controls, and what is out of range is told without a network
too.
"""

import re

import pytest

from emulator.explorer.app import create_app
from emulator.explorer.wording import on_the_page
from emulator.tests.explorer.conftest import client_of
from emulator.tests.explorer.test_over_data import csv_of, notes, post
from emulator.tests.explorer.test_uploads import send

pytestmark = pytest.mark.fast

OPTION = re.compile(r"(?<!-)--[a-z]|command line|\.xlsx|observe=|gaps=")

UNIT_ROOT = """var y; varexo e;
model(linear); y = y(-1) + e; end;
shocks; var e; stderr 1; end;
"""


@pytest.fixture
def solved(exact):
    """A client of an explorer without a network."""
    return client_of(create_app(exact))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"period,x\n1990Q1,1\n1990Q3,2\n", "Add the rows, with empty cells"),
        (b"period,x\n1990Q1,\xff\n", "save it as 'CSV UTF-8'."),
    ],
)
def test_a_refused_table_is_advised_in_the_words_of_the_page(client, content, words):
    refusal = post(client, "/data", "data", content, "mine.csv").get_json()["error"]
    assert words in refusal
    assert not OPTION.search(refusal)


def test_views_that_cannot_be_had_are_advised_in_the_words_of_the_page(solved):
    table = csv_of(names=("a", "b"))
    name = post(solved, "/data", "data", table, "mine.csv").get_json()["data"]
    monthly = re.sub(rb"(\d{4})Q(\d)", rb"\1M0\2", csv_of(periods=4)[:60]).rpartition(b"\n")[0]
    months = post(solved, "/data", "data", monthly, "months.csv").get_json()["data"]
    for query, words in (
        (f"view=history&data={name}", "Write the equation of a series"),
        (f"view=history&data={months}", "Make quarters of them by sums or averages, and load"),
        ("world=zlb&view=history", "Choose a linear world"),
        ("world=lss&view=history&o.rate=rate %2B mean", "give some of them an error of measurem"),
    ):
        text = notes(solved, query)
        assert words in text
        assert not OPTION.search(text)


def test_a_unit_root_is_advised_to_start_without_levels(solved):
    world = send(solved, UNIT_ROOT, None).get_json()["world"]
    table = csv_of(names=("y",))
    name = post(solved, "/data", "data", table, "mine.csv").get_json()["data"]
    query = f"world={world}&data={name}&view=history"
    assert "Choose 'levels unknown (unit roots)' under 'Before the data'" in notes(solved, query)
    assert "unit root" not in notes(solved, f"{query}&start=diffuse")


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("a (fallback='exact', on the command line --exact, asks the solver)", "a"),
        ("a; on the command line --exact.", "a."),
        (
            "the answer is x; run=1 to run=2 of emulator.world(path, run=1) or"
            " emulator.modfile.load (on the command line --run) chooses one.",
            "the answer is x. A file with one of them alone shows that one.",
        ),
        ("start='diffuse' as it stands", "start='diffuse' as it stands"),
    ],
)
def test_options_beside_other_advice_are_left_out(message, words):
    said = on_the_page(message)
    assert "--" not in said
    assert words in (None, said)


def test_values_beyond_a_slider_are_told_without_a_network(solved):
    words = "out of range: kappa = 0.9 (0.01 to 0.5), where the prior ends. The solver answers"
    assert words in notes(solved, "p.kappa=0.9")
    assert words in notes(solved, "p.kappa=0.9&view=history&sample=1995Q1:2007Q4")
    assert "nk, kappa=0.9: out" in notes(solved, "pin=world%3Dnk%26p.kappa%3D0.9")
    assert "out of range" not in notes(solved, "p.kappa=0.5")


def test_an_equation_is_taken_where_no_series_is_called_as_an_observable(solved):
    name = post(solved, "/data", "data", csv_of(names=("a", "b")), "mine.csv").get_json()["data"]
    assert notes(solved, f"view=history&data={name}&o.a=output") == ""


def test_the_fields_of_a_file_of_ones_own_begin_with_its_equations(solved):
    world = send(solved).get_json()["world"]
    name = post(solved, "/data", "data", csv_of(names=("output",)), "m.csv").get_json()["data"]
    page = solved.get(f"/?world={world}&data={name}&view=history").text
    assert 'value="output" data-default="output" aria-label="Equation of output"' in page
