"""An estimate on disk: it comes back whole, and no digit of it can be altered unnoticed."""

import json
import os
import re
import shutil

import numpy as np
import pytest

from emulator.errors import EstimationError
from emulator.estimation import Budget, estimate, read_estimate, us_monetary
from emulator.estimation.result_files import check_estimates, write_summary

BUDGET = Budget(starts=1, chains=2, draws=40, rescored=30)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """An estimate and the folder that holds it, as the command lays it out."""
    folder = tmp_path_factory.mktemp("estimated")
    with pytest.warns(UserWarning, match="identification"):
        result = estimate(us_monetary(replications=60, horizon=6), "nk", budget=BUDGET)
    result.write(folder / "nk")
    for name in ("target.csv", "target.npz", "parameters.csv", "fit.png", "comparison.csv"):
        (folder / name).write_text(f"1.25 in {name}")
    write_summary(["nk"], folder)
    return result, folder


def test_an_estimate_comes_back_as_it_was_written(written):
    result, folder = written
    saved = read_estimate(folder / "nk")
    for name in result.density.prior.names:
        np.testing.assert_array_equal(
            saved.posterior.posterior[name], result.posterior.posterior[name]
        )
    np.testing.assert_allclose(saved.parameters["q50"], result.table()["q50"])
    np.testing.assert_allclose(saved.fit["target"], result.fit()["target"])
    np.testing.assert_allclose(saved.weights["weight"], result.rescored.weights)
    assert saved.result["complaints"] == result.complaints
    assert saved.posterior.attrs["world"] == "nk"
    assert check_estimates(folder) == ["nk"]


def test_what_is_no_document_is_refused_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "result.json")
    with pytest.raises(EstimationError, match="no ordinary file"):
        read_estimate(tmp_path)
    (tmp_path / "estimate.json").write_text("[" * 100_000)
    with pytest.raises(EstimationError, match="is damaged"):
        check_estimates(tmp_path)


def altered(content):
    """The content with one digit changed, somewhere in the second half."""
    place = re.compile(rb"[0-9]").search(content, len(content) // 2).start()
    digit = b"%d" % ((int(content[place : place + 1]) + 1) % 10)
    return content[:place] + digit + content[place + 1 :]


@pytest.mark.parametrize(
    "name", ["posterior.nc", "parameters.csv", "fit.csv", "weights.csv", "result.json"]
)
def test_one_changed_digit_of_a_world_s_files_is_noticed(written, tmp_path, name):
    copy = shutil.copytree(written[1], tmp_path / "copy")
    file = copy / "nk" / name
    file.write_bytes(altered(file.read_bytes()))
    with pytest.raises(EstimationError, match=f"{name}.* was altered"):
        read_estimate(copy / "nk")
    with pytest.raises(EstimationError, match="was altered"):
        check_estimates(copy)


@pytest.mark.parametrize("name", ["target.csv", "comparison.csv", "parameters.csv", "fit.png"])
def test_one_changed_digit_of_the_files_beside_them_is_noticed(written, tmp_path, name):
    copy = shutil.copytree(written[1], tmp_path / "copy")
    (copy / name).write_text(f"1.26 in {name}")
    with pytest.raises(EstimationError, match=f"{name}.* was altered"):
        check_estimates(copy)


def test_an_altered_number_of_the_posterior_is_noticed_by_any_reader(written, tmp_path):
    import arviz

    result, folder = written
    draws = np.ascontiguousarray(result.posterior.posterior["kappa"].values)
    content = bytearray((folder / "nk" / "posterior.nc").read_bytes())
    content[bytes(content).index(draws.tobytes()) + 6] ^= 1
    (tmp_path / "posterior.nc").write_bytes(content)
    with pytest.raises(OSError, match="filter returned failure"):
        arviz.from_netcdf(tmp_path / "posterior.nc").load()


def test_what_is_missing_damaged_or_unfinished_is_said(written, tmp_path):
    copy = shutil.copytree(written[1], tmp_path / "copy")
    (copy / "nk" / "fit.csv").unlink()
    with pytest.raises(EstimationError, match=r"fit\.csv' is missing, which result\.json names"):
        read_estimate(copy / "nk")
    document = json.loads((copy / "nk" / "result.json").read_text())
    del document["sha256"]
    (copy / "nk" / "result.json").write_text(json.dumps(document))
    with pytest.raises(EstimationError, match="carries no checksum"):
        read_estimate(copy / "nk")
    (copy / "nk" / "result.json").write_text("[]")
    with pytest.raises(EstimationError, match="expected an object of JSON that names files"):
        read_estimate(copy / "nk")
    (copy / "estimate.json").unlink()
    with pytest.raises(EstimationError, match="folder of a finished estimate"):
        check_estimates(copy)
