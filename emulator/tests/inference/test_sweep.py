"""Lists, ranges and grids of parameters on the command line."""

import csv

import matplotlib.image
import numpy as np
import pytest

import emulator
from emulator.errors import ParameterError
from emulator.inference.labels import DrawNames
from emulator.inference.sweep import swept

pytestmark = pytest.mark.fast


def test_values_lists_and_ranges():
    columns = swept(["a=0.5", "b=1,2,4", "c=1:2:3"], grid=False)
    assert columns["a"] == "0.5"
    assert columns["b"].tolist() == [1, 2, 4]
    assert columns["c"].tolist() == [1, 1.5, 2]
    assert swept(["a=1:2:3,5"], grid=False)["a"].tolist() == [1, 1.5, 2, 5]


def test_a_grid_takes_each_value_with_each():
    columns = swept(["a=1,2", "b=5:7:3", "c=9"], grid=True)
    assert columns["a"].tolist() == [1, 1, 1, 2, 2, 2]
    assert columns["b"].tolist() == [5, 6, 7, 5, 6, 7]
    assert columns["c"] == "9"


@pytest.mark.parametrize(
    ("pairs", "grid", "match"),
    [
        (["a"], False, "not of the form"),
        (["a=1", "a=2"], False, "names a parameter twice"),
        (["a=1,x"], False, "'x' is not a finite number"),
        (["a=0,02"], False, "found '02', as after a decimal comma"),
        (["a=1,,2"], False, "'' is not a finite number"),
        (["a=1:2"], False, "low:high:count"),
        (["a=1:2:1"], False, "low:high:count"),
        (["a=1:2:0.5"], False, "low:high:count"),
        (["a=1:2:100000000000"], False, "a count of 100,000 values at most"),
        (["a=nan,1"], False, "'nan' is not a finite number"),
        (["a=1,2", "b=1,2,3"], False, "differ in length: 2 of a, 3 of b. .*--grid"),
        (["a=0:1:1000", "b=0:1:1000"], True, "1,000,000 draws"),
    ],
)
def test_bad_lists_are_named(pairs, grid, match):
    with pytest.raises(ParameterError, match=match):
        swept(pairs, grid)


def test_a_sweep_prints_a_row_and_draws_a_line_for_each_value(emulate, tmp_path):
    figure, numbers = tmp_path / "irf.png", tmp_path / "irf.csv"
    code, out, err = emulate(
        "irf", "nk", "--exact", "--set", "phi_pi=0.8,1.5:2.5:3", "--shock", "monetary",
        "--horizon", "8", "--plot", str(figure), "--csv", str(numbers),
    )  # fmt: skip
    assert code == 0, err
    assert "phi_pi" in out
    assert "1 of 4 draws have no unique stable solution, the first at phi_pi = 0.8" in err
    assert sum(line.count("(0)") == 3 for line in out.splitlines()) == 3
    rows = list(csv.DictReader(numbers.open()))
    assert {row["draw"] for row in rows} == {"0", "1", "2", "3"}
    assert np.ptp(matplotlib.image.imread(figure)[..., :3]) > 0


def test_a_grid_prints_each_pair(emulate):
    code, out, err = emulate(
        "irf", "nk", "--exact", "--set", "phi_pi=1.5,2", "--set", "kappa=0.1,0.2", "--grid"
    )
    assert code == 0, err
    assert "0.2, 2" in out


def test_notes_name_draws_by_what_varies_and_many_by_their_numbers():
    spec = emulator.world("nk").spec
    theta = np.repeat(spec.theta(), 8, axis=0)
    chosen = np.arange(8) >= 2

    def counted(chosen):
        return DrawNames(spec, theta, np.arange(8)).counted(chosen)

    theta[:, spec.index("phi_pi")] = np.linspace(1.1, 1.8, 8)
    assert counted(chosen) == "6 of 8 draws (phi_pi = 1.3, 1.4, 1.5, 1.6, 1.7 and 1 more)"
    theta[:, spec.index("kappa")] = np.linspace(0.1, 0.8, 8)
    assert counted(np.arange(8) > 5) == "2 of 8 draws (kappa, phi_pi = 0.7, 1.7; 0.8, 1.8)"
    theta[:, :4] = np.linspace(0.1, 0.9, 8)[:, None]
    assert counted(np.arange(8) == 3) == "1 of 8 draws (draw 3)"
    assert counted(chosen).endswith("(draws 2, 3, 4, 5, 6 and 1 more)")


def test_draws_that_all_fail_are_an_error(emulate):
    code, _, err = emulate("irf", "nk", "--exact", "--set", "phi_pi=0.7,0.8")
    assert code == 1
    assert "2 of 2 draws: 2 indeterminate" in err


def test_a_figure_has_a_line_for_each_of_many_values_and_names_some():
    answer = emulator.world("nk").irf(phi_pi=np.linspace(1.1, 2.5, 40), horizon=4)
    figure = answer.responses.plot(shocks="monetary", observables="rate")
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 5]
    assert len(lines) == 40
    assert len({str(line.get_color()) for line in lines}) == 40
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named[0] == "phi_pi = 1.1"
    assert named[-1] == "phi_pi = 2.5"
    assert len(named) < 10


def test_a_grid_of_two_has_a_line_of_deviations_for_each_value_of_the_second():
    columns = swept(["phi_pi=1.5,2,2.5", "kappa=0.1,0.2"], grid=True)
    moments = emulator.world("nk").moments(columns)
    axis = moments.tables.plot().axes[0]
    lines = [line for line in axis.lines if line.get_label().startswith("kappa")]
    assert [list(line.get_xdata()) for line in lines] == [[1.5, 2.0, 2.5]] * 2
    np.testing.assert_allclose(lines[1].get_ydata(), moments["std"][1::2, 0])
