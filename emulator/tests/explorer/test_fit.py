"""A fitted result of `emulator estimate` over the data, read from its files."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from emulator.errors import EmulatorError
from emulator.explorer.curves import ask
from emulator.explorer.fit import Fit
from emulator.explorer.over_data import overlay
from emulator.explorer.over_data.starting import started_by
from emulator.explorer.state import State
from emulator.files import netcdf_bytes, sealed, sha256_file


@pytest.fixture
def estimated(tmp_path):
    """A world's folder as `emulator estimate` writes it, of numbers that are easily told."""
    folder = tmp_path / "nk"
    folder.mkdir()
    about = {
        "world": "nk",
        "world_shock": "monetary",
        "target": {"name": "made-up"},
        "held": {"beta": {"value": 0.99, "why": "given"}, "rho_r": {"value": 0.4, "why": "given"}},
    }
    pd.DataFrame(
        {"parameter": ["kappa", "phi_pi"], "point": [0.05, 2.0], "mean": [0.06, 2.1]}
    ).to_csv(folder / "parameters.csv", index=False)
    index = pd.MultiIndex.from_product(
        [range(5), ("output", "inflation", "rate")], names=["horizon", "observable"]
    )
    values = np.arange(15.0)
    matched = np.arange(15) > 1
    pd.DataFrame(
        {
            "target": np.where(matched, values, np.nan),
            "target_sd": np.where(matched, 2.0, np.nan),
            "matched": matched,
            "point": values,
        },
        index=index,
    ).to_csv(folder / "fit.csv")
    files = {name: sha256_file(folder / name) for name in ("parameters.csv", "fit.csv")}
    (folder / "result.json").write_text(json.dumps(sealed(about | {"files": files})))
    return folder


@pytest.mark.fast
def test_a_fitted_result_starts_at_its_estimate_over_the_data(estimated, client, economies):
    economies.fit = Fit.read(estimated, economies.spec)
    assert economies.fit.scenario.values == (("kappa", 0.05), ("phi_pi", 2.0), ("rho_r", 0.4))
    np.testing.assert_allclose(economies.fit.upper[1], [3 + 3.29, 4 + 3.29, 5 + 3.29])
    assert np.isnan(economies.fit.irf[0, :2]).all()
    shown = client.get("/picture", query_string={"state": economies.fit.scenario.text}).get_json()[
        "picture"
    ]
    assert "data: made-up" in shown
    assert len(re.findall(r'class="mark plain" d="((?:M[\d. ]+m[^M]*)+)"', shown)) >= 3
    assert (
        "made-up" not in client.get("/picture?state=size%3D2").get_json()["picture"]
    )  # another size than the data's
    assert client.get(f"/responses.png?{economies.fit.scenario.text}").data.startswith(b"\x89PNG")


def seal(folder):
    """As if `emulator estimate` had written what lies here."""
    about = json.loads((folder / "result.json").read_text())
    about.pop("sha256", None)
    about["files"] = {name: sha256_file(folder / name) for name in about["files"]}
    (folder / "result.json").write_text(json.dumps(sealed(about)))


@pytest.mark.fast
@pytest.mark.parametrize(
    ("file", "content", "sealed_again"),
    [
        ("result.json", "{", False),
        ("result.json", "[]", False),
        ("result.json", '{"files": {}}', True),
        ("parameters.csv", "", True),
        ("fit.csv", "a,b\n1,2\n", True),
        ("parameters.csv", "parameter,point\nnix,1\n", True),
        ("parameters.csv", "parameter,point\nkappa,x\n", True),
    ],
)
def test_a_damaged_result_is_refused(estimated, economies, file, content, sealed_again):
    (estimated / file).write_text(content)
    if sealed_again:
        seal(estimated)
    with pytest.raises(EmulatorError):
        Fit.read(estimated, economies.spec)


@pytest.mark.fast
@pytest.mark.parametrize("file", ["result.json", "parameters.csv", "fit.csv"])
def test_one_altered_digit_of_a_result_is_noticed(estimated, economies, file):
    text = (estimated / file).read_text()
    (estimated / file).write_text(
        text.replace("0.05", "0.06").replace("2.0", "2.1").replace("0.4", "0.5")
    )
    with pytest.raises(EmulatorError, match="altered"):
        Fit.read(estimated, economies.spec)


@pytest.mark.fast
@pytest.mark.parametrize("scored", [False, True])
def test_its_draws_are_a_posterior_over_the_data(estimated, economies, scored):
    draws = xr.Dataset(
        {"kappa": (("chain", "draw"), [[0.1, 0.2]]), "phi_pi": (("chain", "draw"), [[1.5, 2.5]])}
    )
    (estimated / "posterior.nc").write_bytes(netcdf_bytes({"/": xr.Dataset(), "posterior": draws}))
    (estimated / "weights.csv").write_text("kappa,phi_pi,weight\n0.1,1.5,0\n0.3,2.5,1\n")
    about = json.loads((estimated / "result.json").read_text())
    about["files"] |= {"posterior.nc": ""} | ({"weights.csv": ""} if scored else {})
    (estimated / "result.json").write_text(json.dumps(about))
    seal(estimated)
    state = State.read(started_by(estimated, economies), economies.spec)
    assert dict(state.live.values)["kappa"] == pytest.approx(0.3 if scored else 0.15)
    assert dict(state.live.values)["rho_r"] == 0.4
    answer = ask(state, economies)
    overlay.add(answer, economies)
    assert answer.fit.name == "made-up"
    assert answer.curves[-1].label == "posterior nk, median of 2 draws"


@pytest.mark.fast
def test_the_folder_above_names_its_worlds(estimated, economies):
    with pytest.raises(EmulatorError, match="estimates of nk"):
        Fit.read(estimated.parent, economies.spec)
