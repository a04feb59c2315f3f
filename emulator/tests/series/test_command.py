"""`emulator data`."""

import pytest

pytestmark = pytest.mark.fast


def test_the_us_series_in_a_table(emulate):
    pytest.importorskip("statsmodels")
    code, out, _ = emulate("data", "us", "--series", "inflation,rate", "--sample", "1984Q1:2007Q4")
    assert code == 0
    assert "us: 1984Q1:2007Q4, 96 quarters" in out
    assert "log, difference" in out
    assert "annualised" in out
    assert "unemployment" not in out


def test_a_file_transformed_and_written(emulate, tmp_path):
    months = "".join(f"1984M{m:02d},{m},{m}\n" for m in range(1, 13))
    (tmp_path / "m.csv").write_text("month,x,y\n" + months)
    words = ["--frequency", "quarter", "--how", "x=sum", "--transform", "y=log, percent"]
    code, out, _ = emulate(
        "data", str(tmp_path / "m.csv"), *words, "--unit", "x=hours", "--output", tmp_path / "q.csv"
    )
    assert code == 0
    assert "sum over the quarter" in out
    assert "hours" in out
    lines = (tmp_path / "q.csv").read_text().splitlines()
    assert lines[0] == "period,x,y"
    assert lines[1].startswith("1984Q1,6.0,")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere.csv"], "There is no file 'nowhere.csv'"),
        (["us", "--transform", "rate"], "--transform 'rate' is not of the form series=value"),
        (["us", "--transform", "rte=log"], "Did you mean 'rate'"),
        (["us", "--output", "x.doc"], "expected a name that ends in .csv"),
        (["us", "--how", "sum", "--how", "rate=last"], "expected one for all series"),
        (["us", "--gaps", "none"], "expected one of error, missing"),
    ],
)
def test_bad_input_is_a_message(emulate, words, message):
    pytest.importorskip("statsmodels")
    code, _, err = emulate("data", *words)
    assert code == 1
    assert message in err
