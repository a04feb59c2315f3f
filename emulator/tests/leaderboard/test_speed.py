"""Times of predictions: read with suspicion, shown with what they mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.errors import EvaluationError
from emulator.leaderboard.speed import read_speed, speed_table

pytestmark = pytest.mark.fast

HEADER = "world,one_draw_us,batch_us,exact_us,training_s\n"


def test_the_table_says_when_training_has_paid(tmp_path: Path) -> None:
    (tmp_path / "speed.csv").write_text(HEADER + "hank,400,10,500010,3600\nlss,310,7,5,3600\n")
    speed = read_speed(tmp_path)
    assert speed is not None
    table = speed_table(speed).set_index("world")
    assert float(
        table.loc["hank", "draws after which training pays"].replace(",", "")
    ) == pytest.approx(7200)
    assert table.loc["lss", "draws after which training pays"] == "never"
    assert float(table.loc["lss", "exact over predicted"]) == pytest.approx(5 / 7, rel=1e-2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("world,one_draw_us\nnk,300\n", "lacks batch_us"),
        (HEADER + "nk,300,5,inf,60\n", "line 2 holds a time that is no positive number"),
        (HEADER + "nk,300,5,1,60\nvar,fast,5,1,60\n", "line 3 holds a time"),
        (HEADER + "nk,300,0,1,60\n", "line 2 holds a time"),
        (HEADER + "nk,300,5,1,60\nnk,300,5,1,60\n", "names world 'nk' twice"),
        ("", "cannot be read as CSV"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "speed.csv").write_text(content)
    with pytest.raises(EvaluationError, match=message):
        read_speed(tmp_path)


def test_no_file_is_no_measurement(tmp_path: Path) -> None:
    assert read_speed(tmp_path) is None
