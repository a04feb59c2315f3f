"""Responses of a posterior's draws, and of the data, among the others of the page."""

import pytest

from emulator.explorer.app import create_app
from emulator.tests.explorer.conftest import client_of
from emulator.tests.explorer.test_over_data import drawn, notes, post

pytestmark = pytest.mark.fast


@pytest.fixture
def solved(exact):
    """A client of an explorer without a network."""
    return client_of(create_app(exact))


def loaded(client, content):
    return post(client, "/posterior", "draws", content, "d.csv").get_json()["posterior"]


def test_draws_outside_of_what_parameters_can_be_are_told_apart_from_those_without_a_solution(
    solved,
):
    rows = b"phi_pi,phi_y,sigma_m\n1.5,0.1,0.3\n1.5,0.1,-1\n0.5,0,0.3\n"
    text = notes(solved, f"posterior={loaded(solved, rows)}")
    assert "1 of 3 draws are outside of what parameters can be, and are left out: parameter" in text
    assert "'sigma_m'" in text
    assert "1 of 3 draws have no unique stable solution, and are left out." in text


def test_draws_that_are_all_impossible_are_not_said_to_have_no_solution(solved):
    name = loaded(solved, b"sigma_m\n-1\n")
    text = notes(solved, f"posterior={name}")
    assert "nothing is drawn of it: 1 of 1 draws are outside of what parameters can be" in text
    assert "unique stable solution" not in text


def test_tables_of_the_same_name_are_told_apart_by_their_content(solved):
    few, many = loaded(solved, b"kappa\n0.1\n0.2\n"), loaded(solved, b"kappa\n0.4\n0.5\n0.45\n")
    first = drawn(solved, f"posterior={few}").get_json()["picture"]
    second = drawn(solved, f"posterior={many}").get_json()["picture"]
    lines = [p.partition("median of")[2].partition('data-upper="')[2][:40] for p in (first, second)]
    assert lines[0] != lines[1]


def test_the_code_leaves_a_posterior_out_and_says_so(solved):
    name = loaded(solved, b"kappa\n0.1\n0.2\n")
    code = solved.get(f"/responses.py?posterior={name}").text
    compile(code, "responses.py", "exec")
    assert "# Without 'posterior d.csv, median of 2 draws'" in code


def test_a_posterior_keeps_its_place_in_the_legend_beside_many_scenarios(solved):
    name = loaded(solved, b"kappa\n0.1\n0.2\n")
    pins = "".join(f"&pin=world%3Dnk%26p.kappa%3D0.{k}" for k in range(1, 5))
    picture = drawn(solved, f"posterior={name}{pins}&with=sw07&with=rbc").get_json()["picture"]
    legend = picture.partition('class="legend"')[2]
    assert "median of 2 draws, 90 % band" in legend
