"""Responses of a posterior's draws, and of the data, among the others of the page."""

import io
import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import emulator
from emulator.errors import EmulatorError
from emulator.explorer.app import create_app
from emulator.explorer.over_data.starting import started_by
from emulator.explorer.posterior import Posterior
from emulator.explorer.state import State
from emulator.files import netcdf_bytes
from emulator.tests.explorer.conftest import client_of
from emulator.tests.explorer.test_over_data import csv_of, drawn, notes, post

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


def test_responses_of_a_posterior_are_quantiles_of_its_draws(client, economies):
    table = pd.DataFrame({"kappa": np.linspace(0.05, 0.2, 30), "phi_pi": 1.5})
    content = table.to_csv(index=False).encode()
    name = post(client, "/posterior", "draws", content, "draws.csv").get_json()["posterior"]
    shown = drawn(client, f"posterior={name}&horizon=4").get_json()
    assert "posterior draws.csv, median of 30 draws, 90 % band" in shown["picture"]
    csv = client.get(f"/responses.csv?posterior={name}&horizon=4").data
    rows = pd.read_csv(io.BytesIO(csv)).set_index(["scenario", "horizon"])
    expected = emulator.world("nk").irf(table, shocks="monetary", horizon=4)["irf"].values[:, 0]
    label = next(s for s in rows.index.unique("scenario") if s.startswith("posterior"))
    low, middle, high = np.quantile(expected[:, :, 1], [0.05, 0.5, 0.95], axis=0)
    for column, values in (
        ("inflation", middle),
        ("inflation_lower", low),
        ("inflation_upper", high),
    ):
        np.testing.assert_allclose(rows.loc[label, column], values, rtol=1e-9)
    page = client.get(f"/?posterior={name}").data.decode()
    assert "p.kappa=0.125" in page  # the sliders to its mean
    assert "another world" in notes(client, f"world=rbc&posterior={name}")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no table that can be read"),
        (b"kappa\n", "has no draws"),
        (b"kappa\n0.1\nx\n", "row 2, column 'kappa' has 'x'"),
        (b"kappa\n0.1\ninf\n", "expected a finite number"),
        (b"parameter,mean\nkappa,0.1\n", "is a summary"),
        (b"\x89HDF\r\n", "--posterior FILE"),
        (b"kappa,weight\n0.1,0\n0.2,0\n", "weights"),
        (b"kappa, kappa\n1,2\n", "the column 'kappa' twice"),
        (b"kappa\n" + b"0.1\n" * 101_000, "takes up to 400,000"),
    ],
)
def test_a_bad_table_of_draws_is_refused(client, content, words):
    answer = post(client, "/posterior", "draws", content, "draws.csv")
    assert answer.status_code == 400
    assert words in answer.get_json()["error"]


def test_draws_that_weigh_nothing_are_left_out():
    weighed = Posterior.of_table(b"kappa,weight\n0.1,0\n0.2,1\n0.3,3\n0.4,0\n", "w.csv")
    np.testing.assert_allclose(weighed.table["kappa"], [0.2, 0.3, 0.3, 0.3])


def test_the_responses_of_the_data_stand_below(client):
    shown = drawn(client, "over=us&horizon=8").get_json()
    assert "data: us, autoregression, 90 % interval" in shown["picture"]
    assert "do not move in the quarter of the shock" in shown["notes"]
    name = post(client, "/data", "data", csv_of(periods=80), "mine.csv").get_json()["data"]
    assert "data: mine, autoregression" in drawn(client, f"over={name}").get_json()["picture"]
    few = post(client, "/data", "data", csv_of(periods=30), "few.csv").get_json()["data"]
    assert "needs 60 or more in a row" in notes(client, f"over={few}")
    none = post(client, "/data", "data", csv_of(names=("a", "b")), "ab.csv").get_json()["data"]
    assert "has no rate" in notes(client, f"over={none}")


def test_an_estimate_starts_the_explorer_at_its_mean(exact, tmp_path):
    names = list(exact.spec("nk").parameter_names)
    root = xr.Dataset(
        attrs={
            "world": "nk",
            "parameters": json.dumps(names),
            "held": json.dumps(
                {n: p.default for n, p in zip(names, exact.spec("nk").parameters, strict=True)}
            ),
            "question": json.dumps({"data": "us", "sample": "1984Q1:2007Q4"}),
            "answered_by": "exact solution",
        }
    )
    draws = xr.Dataset({"kappa": (("chain", "draw"), [[0.1, 0.2, 0.3]])})
    folder = tmp_path / "nk"
    folder.mkdir()
    (folder / "posterior.nc").write_bytes(netcdf_bytes({"/": root, "posterior": draws}))
    query = started_by(folder, exact)
    state = State.read(query, exact.spec)
    assert dict(state.live.values) == {"kappa": pytest.approx(0.2)}
    assert state.view.posterior == "nk"
    assert started_by(folder, exact, "world=sw07") == "world=sw07"
    with pytest.raises(EmulatorError, match="It has those of nk"):
        started_by(tmp_path, exact)
