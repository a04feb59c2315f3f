"""Mappings and tables that somebody wrote to break the page: what is wrong is told in plain words,
nothing is executed, nothing becomes markup, and the server goes on.
"""

import io
from urllib.parse import urlencode

import pytest

from emulator.explorer.app import create_app
from emulator.tests.explorer.conftest import client_of
from emulator.tests.explorer.test_over_data import csv_of, drawn, post
from emulator.tests.explorer.test_uploads import MAPPING, send

VIEWS = ("view=history", "view=forecast&condition=rate:1")


@pytest.fixture
def solved(exact):
    """A client of an explorer without a network."""
    return client_of(create_app(exact))


def remapped(client, world, mapping):
    content = mapping.encode()
    fields = {"world": world, "mapping": (io.BytesIO(content), "mapping")}
    return client.post("/mapping", data=fields)


def observing(expression, name="x"):
    return MAPPING.replace("{output:", f"{{{name}: {{expression: {expression}}}, output:")


def test_mappings_that_are_written_in_the_page_are_refused_in_plain_words(solved):
    world = send(solved).get_json()["world"]
    for mapping, words in (
        ("hello world", "expected a table with observables, parameters and shocks"),
        (observing("y/(pi-pi)"), "divides by zero"),
        (observing("nix"), "'nix' is used but never declared"),
        (observing("\"__import__('os').system('id')\""), "was not expected"),
        (observing("(" * 3000 + "y" + ")" * 3000), "nest more than 200 deep"),
        (observing("y^1e300"), "depend on the steady state"),
        (observing("y", '"<img src=x>"'), "observables.<img src=x>: expected a name: a letter"),
        ("observables: !!python/object/apply:os.system [id]\n", "this is not YAML"),
        (MAPPING.replace("0.1", "0.95", 1), "must be below high"),
        ("#" * 200_001, "takes up to 200,000"),
    ):
        answer = remapped(solved, world, mapping)
        assert answer.status_code == 400, mapping[:60]
        assert words in answer.get_json()["error"]
    assert drawn(solved, f"world={world}").status_code == 200


def test_texts_of_a_mapping_do_not_become_markup(solved):
    world = send(solved).get_json()["world"]
    hostile = "<img src=x onerror=alert(1)>"
    mapping = MAPPING + f"title: '{hostile}'\nsummary: '{hostile}'\n"
    own = remapped(solved, world, mapping).get_json()["world"]
    for text in (
        solved.get(f"/?world={own}").text,
        solved.get(f"/model?world={own}").get_json()["card"],
        drawn(solved, f"world={own}").get_json()["picture"],
    ):
        assert "<img" not in text
    assert "&lt;img" in solved.get(f"/?world={own}").text


def table(head, row, periods=24):
    lines = [f"{1990 + t // 4}Q{t % 4 + 1}{row(t)}" for t in range(periods)]
    return "\n".join([head, *lines, ""]).encode()


def two(t):
    return f",{t % 3},{t % 5}"


@pytest.mark.fast
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(table("period,<img src=x onerror=alert(1)>,rate", two), id="markup"),
        pytest.param(table('period,"a\'""b\\",rate', two), id="quotes"),
        pytest.param(table('period,"a,b",rate', two), id="commas"),
        pytest.param(table("period,a:b,rate", two), id="colons"),
        pytest.param(table("period,=cmd|' /C calc'!A0,rate", two), id="formula"),
        pytest.param(table("period;rate", lambda t: f";{t % 5},{t % 7}"), id="decimal commas"),
        pytest.param(table("period,rate", lambda t: f",{t}", periods=1), id="one row"),
        pytest.param(table("period,rate", lambda t: ",0"), id="zeros"),
        pytest.param(table("period,rate", lambda t: ",3" if t < 20 else ","), id="ends early"),
        pytest.param(b"period,rate\n9999Q3,1\n9999Q4,2\n", id="the last periods there are"),
    ],
)
def test_tables_that_can_be_read_are_answered_and_taken_away(solved, content):
    name = post(solved, "/data", "data", content, "<b>.csv").get_json()["data"]
    for view in VIEWS:
        query = f"{view}&data={name}"
        answer = drawn(solved, query)
        assert answer.status_code == 200
        assert "<svg" in answer.get_json()["picture"]
        page = solved.get(f"/?{query}")
        assert page.status_code == 200
        assert "<img" not in page.text + answer.get_json()["picture"]
        compile(solved.get(f"/responses.py?{query}").text, "code.py", "exec")
        assert solved.get(f"/responses.csv?{query}").status_code == 200


@pytest.mark.fast
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (table("period,rate,output", lambda t: f",{t % 5},nan"), "'output' has no number at all"),
        (table("period,rate", lambda t: ",inf"), "which is no number"),
        (table("period,rate", lambda t: ",abc"), "row 1, column 'rate' has 'abc', which is no"),
        (b"period;rate\n1990Q1;1,5\n1990Q2;1.5\n", "expected one way throughout"),
        (b"period,rate\n1990Q1,1,5\n", "decimal commas need semicolons"),
        ("period,rate\n1990Q1,1\n".encode("utf-16"), "save it as 'CSV UTF-8'"),
        (b"period,rate\n" + b"1990Q1,1\n" * 100_000, "takes up to 400,000"),
        (b"rate\n1\n2\n", "has one column"),
    ],
)
def test_tables_that_cannot_be_read_are_refused(solved, content, words):
    answer = solved.post("/data", data={"data": (io.BytesIO(content), "mine.csv")})
    assert answer.status_code in (400, 413)
    said = answer.get_json()["error"]
    assert words in said or "400,000 of a table" in said


@pytest.mark.fast
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "0 lines"),
        (b"period;x\n1990Q1;a\n", "which is no number"),
        (b"period,x\n1990Q1,1\n1990Q1,2\n", "1990Q1"),
        (b"period,x\n1990Q1,1\n1990Q3,2\n", "there is no row for 1990Q2"),
        (b"period,x\nlast week,1\n", "last week"),
        (b'period,x\n1990Q1,"' + b"9" * 150_000, "no table of numbers"),
        (b"period," + b" " * 5000 + b"x\n1990Q1,1\n", "expected a name of at most 200"),
        (b"\xff\xfe\x00\x01", "not text in UTF-8"),
        (b"period,x\n" + b"1" * 400_000, "takes up to 400,000"),
        (csv_of(periods=700), "up to 30 series and 600 periods"),
        (csv_of(periods=4, names=[f"s{k}" for k in range(31)]), "up to 30 series"),
        (b"period,rate\n1990Q1,1e308\n1990Q2,1\n", "takes numbers up to 1e+09"),
    ],
)
def test_a_bad_table_is_refused_in_plain_words(client, content, words):
    answer = post(client, "/data", "data", content, "mine.csv")
    assert answer.status_code == 400
    assert words in answer.get_json()["error"]


@pytest.mark.fast
def test_a_head_that_looks_like_tex_is_drawn_as_it_stands(solved):
    content = table("period,$\\frac{$ ($\\x$)", lambda t: f",{t % 5}")
    name = post(solved, "/data", "data", content, "$\\y$.csv").get_json()["data"]
    for view in VIEWS:
        state = {"data": name, "o.$\\frac{$": "rate"}
        answer = solved.get(f"/picture.png?{view.partition('&')[0]}&{urlencode(state)}")
        assert answer.status_code == 200
        assert answer.data.startswith(b"\x89PNG")


@pytest.mark.fast
def test_posts_without_a_file_from_elsewhere_or_too_large(client):
    assert "No file was chosen" in client.post("/data").get_json()["error"]
    assert "No file was chosen" in client.post("/posterior").get_json()["error"]
    foreign = client.post("/data", headers={"Origin": "http://elsewhere"})
    assert foreign.status_code == 403
    large = post(client, "/data", "data", b"x" * 500_000, "mine.csv")
    assert large.status_code == 413
    assert "400,000 of a table" in large.get_json()["error"]


@pytest.mark.fast
def test_few_tables_are_kept_and_none_on_disk(client, economies, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    names = [
        post(client, "/data", "data", csv_of(seed=k), "mine.csv").get_json()["data"]
        for k in range(6)
    ]
    assert economies.tables.data.names == tuple(names[-4:])
    assert list(tmp_path.iterdir()) == []
