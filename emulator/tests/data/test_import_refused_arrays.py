"""Arrays of draws that are refused, and damage that is seen later."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emulator.data import validate_dataset
from emulator.errors import DatasetError, UnknownNameError
from emulator.spec import IRF_AXES, UNKNOWN_UNIT
from emulator.tests.data.drawn import Drawn, drawn, imported, plain_card, rows_of
from emulator.tests.data.tampering import flip_byte, forge_checksums, write_array

pytestmark = [pytest.mark.fast, pytest.mark.usefixtures("plain_card")]

__all__ = ["plain_card"]


@pytest.mark.parametrize("status", [60 * [7], 60 * ["bad"], 60 * [True], 60 * [255], 60 * [0.5]])
def test_a_status_that_is_none_is_refused(tmp_path: Path, status: list) -> None:
    with pytest.raises(DatasetError, match=r"status of draw 0 .*expected 'ok' \(0\)"):
        imported(tmp_path / "mine", status=status)


def test_shapes_that_can_be_read_in_two_ways_are_refused_with_both(tmp_path: Path) -> None:
    theta, irf = drawn()
    square = Drawn(theta, irf[..., :2])
    with pytest.raises(
        DatasetError,
        match=r"\(sample, shock, horizon, observable\) or \(sample, observable, horizon, shock\)"
        r".*--axes",
    ):
        imported(tmp_path / "mine", square, observables=("sales", "price"))
    short = Drawn(theta, irf[:, :, :4])
    with pytest.raises(DatasetError, match="can be read as"):
        imported(tmp_path / "mine", short)
    data = imported(tmp_path / "mine", square, observables=("sales", "price"), axes=IRF_AXES)
    np.testing.assert_array_equal(rows_of(data)[1], square.irf.astype(np.float32))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"irf": lambda irf: irf.swapaxes(1, 2)}, "which is .sample, horizon, shock, observable"),
        ({"irf": lambda irf: irf[:50]}, "fits no order of the axes"),
        ({"irf": lambda irf: irf[:, 0]}, "expected four axes"),
        ({"irf": lambda irf: irf[:, :, :1]}, "one horizon"),
        ({"irf": lambda irf: irf.astype(object)}, "expected real numbers"),
        ({"irf": lambda irf: irf.astype(complex)}, "expected real numbers"),
        ({"irf": lambda irf: 0 * irf}, "Every response of every draw is zero"),
        ({"irf": lambda irf: np.full_like(irf, np.nan)}, "0 of 60 draws have responses"),
        ({"theta": lambda theta: theta.T}, "Give its transpose"),
        ({"theta": lambda theta: theta[:, 0]}, "theta has the shape"),
        ({"theta": lambda theta: 1e300 * theta}, "single precision cannot hold"),
        ({"theta": lambda theta: theta.astype(str)}, "expected real numbers"),
        ({"parameters": ("a", "b")}, "there are 2 parameters"),
        ({"parameters": ("a", "b", "a")}, "name 'a' twice"),
        ({"parameters": ("a", "b", "real rate")}, "such as 'real_rate'"),
        ({"shocks": ("a/b", "c")}, "such as 'a_b'"),
        ({"observables": ()}, "have no names"),
        ({"observables": None}, "have no names"),
        ({"name": "nk"}, "a world that is installed"),
        ({"name": "../x"}, "letters, digits and underscores"),
        ({"ranges": {"share": (0.4, 0.6)}}, "Give a range that holds them all"),
        ({"units": {"inflation": "x"}}, "Unknown observable or parameter"),
        ({"frequency": "week"}, "Unknown frequency"),
        ({"axes": ("sample", "shock", "horizon", "variable")}, "expected sample, shock, horizon"),
        ({"axes": ("sample", "observable", "horizon", "shock")}, "has length 2, expected 4"),
        ({"status": 59 * [0]}, r"expected \(60,\)"),
        ({"units": ["percent"]}, "units is a list; expected a table by name"),
        ({"ranges": [(0, 1)]}, "ranges is a list; expected a table by name"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, change: dict, said: str) -> None:
    theta, irf = drawn()
    draws = Drawn(
        change.pop("theta", lambda x: x)(theta),
        change.pop("irf", lambda x: x)(irf),
    )
    with pytest.raises((DatasetError, UnknownNameError), match=said):
        imported(tmp_path / "mine", draws, **change)
    assert list(tmp_path.iterdir()) == []


def test_responses_that_are_missing_in_part_are_refused(tmp_path: Path) -> None:
    theta, irf = drawn()
    irf[17, 1, 3, 2] = np.nan
    with pytest.raises(
        DatasetError, match=r"Draw 17 has 1 of 56 .*'hours' to 'supply' at horizon 3"
    ):
        imported(tmp_path / "mine", Drawn(theta, irf))
    irf[17, 1, 3, 2] = 1e39
    with pytest.raises(DatasetError, match=r"1e\+39, which single precision cannot hold"):
        imported(tmp_path / "mine", Drawn(theta, irf))


def test_a_draw_that_is_ok_and_has_no_responses_is_refused(tmp_path: Path) -> None:
    theta, irf = drawn()
    irf[4] = np.nan
    with pytest.raises(DatasetError, match="Draw 4 has the status 'ok' and no responses"):
        imported(tmp_path / "mine", Drawn(theta, irf), status=60 * ["ok"])


def test_parameters_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    theta, irf = drawn()
    theta[5, 1], irf[5] = np.nan, np.nan
    with pytest.raises(DatasetError, match="Parameter 'impact' of draw 5 is nan"):
        imported(tmp_path / "mine", Drawn(theta, irf))


def test_a_constant_parameter_is_refused_and_can_be_dropped(tmp_path: Path) -> None:
    theta, irf = drawn()
    theta[:, 2] = 0.99
    with pytest.raises(DatasetError, match=r"'share' is 0\.99 in all 60 draws.*--drop share"):
        imported(tmp_path / "mine", Drawn(theta, irf))
    data = imported(tmp_path / "mine", Drawn(theta, irf), drop=["share"])
    assert data.spec("mine").parameter_names == ("persistence", "impact")
    with pytest.raises(DatasetError, match="differs between draws"):
        imported(tmp_path / "other", Drawn(theta, irf), drop=["impact"])


def test_duplicate_draws_are_refused_and_can_be_dropped(tmp_path: Path) -> None:
    theta, irf = drawn()
    twice = Drawn(np.vstack([theta, theta[4:6]]), np.concatenate([irf, irf[4:6]]))
    with pytest.raises(DatasetError, match=r"2 draw\(s\) .*the first is draw 60, which is draw 4"):
        imported(tmp_path / "mine", twice)
    data = imported(tmp_path / "mine", twice, drop_duplicates=True)
    assert data.manifest.request.size("mine") == 60
    assert validate_dataset(tmp_path / "mine") == []


def test_the_same_parameters_with_two_answers_are_refused(tmp_path: Path) -> None:
    theta, irf = drawn()
    theta[9] = theta[2]
    with pytest.raises(DatasetError, match="Draws 2 and 9 have the same parameters"):
        imported(tmp_path / "mine", Drawn(theta, irf), drop_duplicates=True)


@pytest.mark.parametrize("n", [1, 19])
def test_too_few_draws_are_refused(tmp_path: Path, n: int) -> None:
    with pytest.raises(DatasetError, match=r"There (is 1 draw|are 19 draws); a data set needs 20"):
        imported(tmp_path / "mine", drawn(n))


def test_values_that_repeat_too_much_span_no_region(tmp_path: Path) -> None:
    theta, irf = drawn()
    theta[:, 2] = theta[:, 2] > 0.3
    with pytest.raises(DatasetError, match="since many have the same values"):
        imported(tmp_path / "mine", Drawn(theta, irf), slice_parameters=["share"])


def test_a_unit_of_a_shared_name_must_be_the_shared_one(tmp_path: Path) -> None:
    names = ("output", "inflation", "rate", "hours")
    with pytest.raises(DatasetError, match="'inflation', by which worlds are compared, is in 'q'"):
        imported(tmp_path / "mine", observables=names, units={"inflation": "q"})
    assert imported(tmp_path / "mine", observables=names).spec("mine").observable_units[1] == (
        UNKNOWN_UNIT
    )


def test_damage_is_found_and_the_remedy_is_an_import(tmp_path: Path) -> None:
    data = imported(tmp_path / "mine")
    flip_byte(tmp_path / "mine" / "mine" / "irfs" / "c" / "0" / "0" / "0" / "0")
    assert any("was altered" in finding.what for finding in validate_dataset(tmp_path / "mine"))
    with pytest.raises(DatasetError, match="Import the draws again"):
        data.read("mine", "train")


@pytest.mark.parametrize("array", ["theta", "irfs"])
def test_forged_arrays_are_found_by_what_they_hold(tmp_path: Path, array: str) -> None:
    imported(tmp_path / "mine")

    def spoil(values: np.ndarray) -> None:
        values[3] = np.nan if array == "irfs" else values[4]

    write_array(tmp_path / "mine", "mine", array, spoil)
    forge_checksums(tmp_path / "mine")
    assert validate_dataset(tmp_path / "mine") != []
