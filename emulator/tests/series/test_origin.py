"""Where numbers were read, so that they can be read again."""

import json

import numpy as np
import pytest

import emulator
from emulator.errors import SeriesError
from emulator.series import read_data
from emulator.series.origin import read_again

pytestmark = pytest.mark.fast

TABLE = "date,gdp,cpi\n1984Q1,1.5,2\n1984Q2,2,3\n1984Q4,2.5,4\n1985Q1,3,3\n1985Q2,2.5,5\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text(TABLE)
    return path


def again(data):
    origin = json.loads(json.dumps(dict(data.origin)))
    return read_again(origin, data.name, data.source)


def test_a_file_is_read_again_as_it_was(file, monkeypatch):
    monkeypatch.chdir(file.parent)
    options = {
        "transform": {"gdp": "log, difference"},
        "gaps": "missing",
        "units": {"cpi": "points"},
    }
    data = read_data("data.csv", sample="1984Q2:", **options)
    monkeypatch.chdir("/")
    same = again(data)
    np.testing.assert_array_equal(same.values, data.values)
    assert (same.labels, same.done, same.units) == (data.labels, data.done, data.units)


def test_steps_after_reading_are_part_of_it(file):
    data = read_data(file, gaps="missing", transform={"gdp": "log"})
    later = data.transformed({"gdp": "difference"}).window("1984Q2:1985Q1")
    np.testing.assert_array_equal(again(later).values, later.values)
    with pytest.raises(SeriesError, match="cannot be read again"):
        again(later.transformed({"gdp": "demeaned"}))  # over a part of the sample


def test_a_file_that_changed_or_went_is_refused(file):
    data = read_data(file, gaps="missing")
    file.write_text(TABLE.replace("1.5", "1.6"))
    with pytest.raises(SeriesError, match="has changed since the data 'data' were read"):
        again(data)
    file.unlink()
    with pytest.raises(SeriesError, match="not there any more"):
        again(data)


def test_a_table_has_no_file(file):
    with pytest.raises(SeriesError, match="no file is known"):
        again(read_data(read_data(file, gaps="missing").frame()))


def test_a_simulation_is_data():
    nk = emulator.world("nk")
    history = nk.simulate(periods=12, seed=1)
    data = read_data(history)
    assert data.names == ("output", "inflation", "rate")
    assert (data.sample, data.units[0]) == ("0001Q1:0003Q4", "percent")
    np.testing.assert_array_equal(data.values, history[0].values)
    smoothed = nk.smooth(history.isel(draw=0))["target_path"]
    np.testing.assert_allclose(smoothed.sel(target="rate")[0], history.sel(observable="rate")[0])
    with pytest.raises(SeriesError, match="2 draws; expected one"):
        read_data(nk.simulate(nk.sample(2, seed=1), periods=12, seed=1))
