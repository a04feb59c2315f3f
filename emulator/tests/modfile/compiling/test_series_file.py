"""Series in files beside a model: `initval_file` and `histval_file`."""

import numpy as np
import pytest
from scipy.io import savemat

from emulator.errors import ModFileError
from emulator.modfile import load, load_text
from emulator.modfile.compiling.foresight import Foresight

pytestmark = pytest.mark.fast

MODEL = """var y; varexo e; model; y = 0.5*y(-1) + 0.25*y(+1) + e; end;
initval; y = 0; end; steady;
"""
COLUMNS = {"y": [1.0, 9, 9, 9, 9, 2], "e": [0.0, 1, 0, 0, 0, 0]}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "table.csv").write_text(
        "date,y,e\n" + "\n".join(f"2000Q{k},{y},{e}" for k, (y, e) in enumerate(_rows(), 1))
    )
    (tmp_path / "script.m").write_text(
        "% series\ny = vertcat(1, ...\n repmat(9, 4, 1), [2]);\n"
        "e = [0 1 0 0 ...\n 0 0]';\nsave('x.mat', 'y');\n"
    )
    savemat(tmp_path / "matrix.mat", {name: np.array(v) for name, v in COLUMNS.items()})
    return tmp_path


def _rows():
    return list(zip(*COLUMNS.values(), strict=True))


def path(folder, statements, periods=4):
    file = folder / "m.mod"
    file.write_text(f"{MODEL}{statements} simul(periods={periods});")
    model = load(file)
    return Foresight(model).solve(model.theta()).path[0, :, 0]


def expected(first, last, pushes):
    """The path of y by one linear system."""
    n = len(pushes)
    system = np.eye(n) - 0.5 * np.eye(n, k=-1) - 0.25 * np.eye(n, k=1)
    right = np.array(pushes, dtype=float)
    right[0] += 0.5 * first
    right[-1] += 0.25 * last
    return [first, *np.linalg.solve(system, right), last]


@pytest.mark.parametrize("name", ["table.csv", "script.m", "matrix.mat", "script"])
def test_past_end_and_exogenous_variables_come_from_the_file(folder, name):
    levels = path(folder, f"initval_file(datafile = '{name}');")
    np.testing.assert_allclose(levels, expected(1, 2, [1, 0, 0, 0]), atol=1e-12)


def test_shocks_and_a_past_of_its_own_come_on_top(folder):
    levels = path(
        folder,
        "initval_file(filename = table.csv); histval; y(0) = 3; end;"
        " shocks; var e; periods 2; values 5; end;",
    )
    np.testing.assert_allclose(levels, expected(3, 2, [1, 5, 0, 0]), atol=1e-12)


def test_options_select_rows(folder):
    wanted = expected(9, 2, [0, 0, 0])
    for options in ("first_obs=2", "first_simulation_period=3", "nobs=5, last_obs=6"):
        levels = path(folder, f"initval_file(datafile='table.csv', {options});", periods=3)
        np.testing.assert_allclose(levels, wanted, atol=1e-12)


def test_the_past_alone_comes_from_histval_file(folder):
    levels = path(folder, "histval_file(datafile='table.csv', first_obs=2, nobs=1);")
    np.testing.assert_allclose(levels, expected(9, 0, [0, 0, 0, 0]), atol=1e-12)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("initval_file(datafile='none.csv');", r"m.mod:3: 'initval_file': there is no file"),
        ("initval_file(datafile='../table.csv');", "is no file in the model's folder"),
        ("initval_file(datafile='table.xlsx');", "spreadsheets are not read. Save"),
        ("initval_file(series=mine);", "series of MATLAB's workspace"),
        ("initval_file(datafile='table.csv', first_obs=4);", "has 3 rows from the first one"),
        ("initval_file(datafile='table.csv', first_obs=2000Q2);", "Dates are not read"),
        ("initval_file(datafile='table.csv', first_obs=3, last_obs=2);", "select no rows"),
        ("histval_file(datafile='table.csv');", "6 rows were selected; the past of the model"),
    ],
)
def test_a_file_that_does_not_serve_is_refused(folder, statement, message):
    with pytest.raises(ModFileError, match=message):
        path(folder, statement)


def test_a_file_without_a_variable_is_refused(folder):
    (folder / "short.csv").write_text("y\n1\n2\n")
    with pytest.raises(ModFileError, match=r"short.csv has no series 'e'"):
        path(folder, "initval_file(datafile='short.csv');")


def test_a_text_that_stands_alone_reads_no_file(folder):
    model = load_text(MODEL + "initval_file(datafile='table.csv'); simul(periods=4);", "m.mod")
    with pytest.raises(ModFileError, match="the text stands alone and reads none"):
        Foresight(model).solve(model.theta())
