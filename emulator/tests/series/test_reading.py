"""Files of time series: what is read, and what is refused in which words."""

import numpy as np
import pandas as pd
import pytest

from emulator.errors import EmulatorError, SeriesError, UnknownNameError
from emulator.series import TimeSeries, read_data

pytestmark = pytest.mark.fast

PLAIN = "date,gdp,cpi\n1984Q1,1.5,2\n1984Q2,,3\n1984Q3,2.5,NA\n"


def write(folder, text, name="data.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_csv_file(tmp_path):
    data = read_data(write(tmp_path, PLAIN))
    assert data.names == ("gdp", "cpi")
    assert data.labels == ["1984Q1", "1984Q2", "1984Q3"]
    np.testing.assert_array_equal(data.values, [[1.5, 2], [np.nan, 3], [2.5, np.nan]])
    assert data.frequency == "quarter"
    assert data.array.dims == ("period", "series")
    assert float(data.array.sel(period="1984Q3", series="gdp")) == 2.5


@pytest.mark.parametrize(
    ("periods", "labels"),
    [
        (["1984q1", "1984q2"], ["1984Q1", "1984Q2"]),
        (["1984-Q1", "1984-Q2"], ["1984Q1", "1984Q2"]),
        (["1984:4", "1985:1"], ["1984Q4", "1985Q1"]),
        (["1984.75", "1985.00"], ["1984Q4", "1985Q1"]),
        (["1984-03-31", "1984-06-30", "1984-09-30"], ["1984Q1", "1984Q2", "1984Q3"]),
        (["1984M12", "1985M1"], ["1984M12", "1985M01"]),
        (["1984-12", "1985-01"], ["1984M12", "1985M01"]),
        (["1984-12-31", "1985-01-31"], ["1984M12", "1985M01"]),
        (["1984", "1985"], ["1984", "1985"]),
        (["1984-12-31", "1985-12-31"], ["1984", "1985"]),
    ],
)
def test_periods_and_dates(tmp_path, periods, labels):
    rows = "".join(f"{period},{k}\n" for k, period in enumerate(periods))
    data = read_data(write(tmp_path, "when,x\n" + rows))
    assert data.labels == labels
    np.testing.assert_array_equal(data.values[:, 0], range(len(labels)))


def test_year_and_quarter_in_columns_of_their_own(tmp_path):
    data = read_data(write(tmp_path, "year,quarter,x\n1984.0,4,1\n1985.0,1,2\n"))
    assert data.labels == ["1984Q4", "1985Q1"]
    assert data.names == ("x",)


def test_decimal_commas_semicolons_and_units(tmp_path):
    text = "date;gdp [percent];rate (points)\n1984Q2;1,5;-2\n1984Q1;0,25;3,125\n"
    data = read_data(write(tmp_path, text))
    np.testing.assert_array_equal(data.values, [[0.25, 3.125], [1.5, -2]])
    assert data.units == ("percent", "points")


def test_parquet_and_tables_and_arrays(tmp_path):
    pytest.importorskip("pyarrow")
    wanted = read_data(write(tmp_path, PLAIN))
    frame = pd.DataFrame(wanted.values, index=wanted.periods, columns=list(wanted.names))
    frame.index.name = "date"
    text = frame.copy()
    text.index = wanted.labels
    text.reset_index().to_parquet(tmp_path / "d.parquet")
    dates = frame.copy()
    dates.index = wanted.periods.to_timestamp()
    for source in (tmp_path / "d.parquet", frame, text, dates, wanted.array, wanted):
        data = read_data(source)
        assert data.labels == wanted.labels
        np.testing.assert_array_equal(data.values, wanted.values)


def test_excel(tmp_path):
    pytest.importorskip("openpyxl")
    frame = pd.DataFrame({"when": pd.to_datetime(["1984-01-01", "1984-04-01"]), "x": [1.0, None]})
    frame["y"] = [2.0, 3.0]
    frame.to_excel(tmp_path / "d.xlsx", index=False)
    data = read_data(tmp_path / "d.xlsx", gaps="missing")
    assert data.labels == ["1984Q1", "1984Q2"]
    np.testing.assert_array_equal(data.values, [[1, 2], [np.nan, 3]])


REFUSED = {
    "text": ("date,x\n1984Q1,1\n1984Q2,one\n", "row 2, column 'x' has 'one', which is no number"),
    "thousands": ('date,x\n1984Q1,"1,234.5"\n', "marks between thousands"),
    "points": ("date;x\n1984Q1;1.234,5\n1984Q2;1,5\n", "marks between thousands"),
    "mixed": ("date;x\n1984Q1;1.25\n1984Q2;1,5\n", "decimal point, while others have decimal com"),
    "comma": ("date,x\n1984Q1,1,5\n", "row 1 has 3 columns, the head 2.*semicolons"),
    "twice": ("date,x\n1984Q1,1\n1984Q1,2\n", "1984Q1 is there 2 times, in rows 1, 2"),
    "gap": ("date,x\n1984Q1,1\n1984Q4,2\n", "no row for 1984Q2, 1984Q3.*gaps='missing'"),
    "period": ("date,x\n1984Q1,1\nspring,2\n", "row 2 has 'spring' in place of a period"),
    "ways": ("date,x\n1984Q1,1\n1984M06,2\n", "written in different ways, '1984Q1' and '1984M06'"),
    "day": ("date,x\n1984-02-31,1\n1984-03-01,1\n", "a date does not exist"),
    "days": ("date,x\n1984-02-01,1\n1984-02-02,1\n1984-02-03,1\n", "less than a month apart"),
    "apart": ("date,x\n1984-01-01,1\n1984-07-01,1\n1985-01-01,1\n", "6 months apart"),
    "names": ("date,x,x\n1984Q1,1,1\n", "the name 'x' of another one"),
    "empty": ("date,x\n1984Q1,NA\n", "the series 'x' has no number at all"),
    "one column": ("date\n1984Q1\n", "one column; expected periods and series"),
    "nothing": ("date,x\n", "has 1 lines"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_says_where(tmp_path, case):
    text, message = REFUSED[case]
    with pytest.raises(SeriesError, match=message):
        read_data(write(tmp_path, text))


def test_files_that_are_not_there_or_of_no_known_kind(tmp_path):
    with pytest.raises(SeriesError, match=r"no file .*nowhere.csv"):
        read_data("nowhere.csv")
    with pytest.raises(SeriesError, match="format that is not read"):
        read_data(write(tmp_path, PLAIN, "data.doc"))
    (tmp_path / "latin.csv").write_bytes("date,größe\n1984Q1,1\n".encode("latin-1"))
    with pytest.raises(SeriesError, match="not text in UTF-8"):
        read_data(tmp_path / "latin.csv")
    with pytest.raises(SeriesError, match="data are a int"):
        read_data(3)


def test_gaps_may_be_missing_values(tmp_path):
    data = read_data(write(tmp_path, "date,x\n1984Q4,2\n1984Q1,1\n"), gaps="missing")
    np.testing.assert_array_equal(data.values[:, 0], [1, np.nan, np.nan, 2])
    with pytest.raises(SeriesError, match="expected one of error, missing"):
        read_data(write(tmp_path, PLAIN), gaps="ignore")


def test_samples_and_series(tmp_path):
    data = read_data(write(tmp_path, PLAIN), sample="1984Q2:", series=["cpi"])
    assert (data.labels, data.names) == (["1984Q2", "1984Q3"], ("cpi",))
    for sample, message in (
        ("1983Q1:", "does not lie within the data, 1984Q1:1984Q3"),
        ("1984Q3:1984Q1", "ends before it begins"),
        ("1984M01:", "does not lie within"),
        ("1984", "expected first and last period"),
    ):
        with pytest.raises(SeriesError, match=message):
            read_data(write(tmp_path, PLAIN), sample=sample)
    with pytest.raises(UnknownNameError, match="Did you mean 'gdp'"):
        read_data(write(tmp_path, PLAIN), series="gpd")


def test_every_refusal_is_an_error_of_ours():
    assert issubclass(SeriesError, EmulatorError)


def test_the_us_series():
    pytest.importorskip("statsmodels")
    data = read_data("us")
    assert isinstance(data, TimeSeries)
    assert data.sample == "1959Q2:2009Q3"
    growth = np.diff(data.values[:, data.column("output")])
    np.testing.assert_allclose(growth, data.values[1:, data.column("output_growth")], atol=1e-10)
    assert data.done[data.column("output_growth")] == "per head, log, difference, percent"
    assert data.done[data.column("inflation")] == "log, difference, percent, annualised"
    assert np.isfinite(data.values).all()
    assert 1 < data.values[:, data.column("inflation")].mean() < 6  # a year, in percent
