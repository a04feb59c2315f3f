"""Files of draws: npz, CSV in both forms, Parquet, NetCDF and Zarr."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emulator.data import open_dataset, validate_dataset
from emulator.data.importing import npz, tables
from emulator.spec import UNKNOWN_UNIT
from emulator.tests.data.drawn import NAMES, Drawn, drawn, imported, plain_card
from emulator.tests.data.drawn_files import (
    labelled,
    long_frame,
    read,
    save_long,
    save_netcdf,
    save_npz,
    save_parquet,
    save_wide,
    save_zarr,
    wide_frame,
)

pytestmark = [pytest.mark.fast, pytest.mark.usefixtures("plain_card")]

__all__ = ["plain_card"]


FORMATS: dict[str, Callable[[Path], dict[str, Path]]] = {
    "npz": lambda folder: {"source": save_npz(folder / "draws.npz")},
    "long": save_long,
    "wide": save_wide,
    "parquet": save_parquet,
    "netcdf": save_netcdf,
    "zarr": save_zarr,
}


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_the_data_that_the_arrays_give(tmp_path: Path, form: str) -> None:
    places = FORMATS[form](tmp_path)
    data = read(output=tmp_path / "mine", **places)
    order = {kind: getattr(data.spec("mine"), f"{kind[:-1]}_names") for kind in NAMES}
    assert {kind: set(names) for kind, names in order.items()} == {
        kind: set(names) for kind, names in NAMES.items()
    }
    theta, irf = drawn()
    shocks = [NAMES["shocks"].index(name) for name in order["shocks"]]
    columns = [NAMES["observables"].index(name) for name in order["observables"]]
    group = data.group("mine")
    np.testing.assert_array_equal(group["theta"][:], theta.astype(np.float32))
    expected = irf[:, shocks][..., columns].astype(np.float32)
    np.testing.assert_array_equal(group["irfs"][:], expected)
    assert validate_dataset(tmp_path / "mine") == []
    monthly = form in ("netcdf", "zarr")
    assert data.spec("mine").frequency == ("month" if monthly else "quarter")
    assert (data.spec("mine").observable_units[0] == UNKNOWN_UNIT) is not monthly
    origin = data.manifest.request.imported["mine"]
    assert origin.origin == places["source"].name
    assert (origin.sha256 == "") is (form == "zarr")


def test_long_tables_are_read_in_the_order_that_is_told(tmp_path: Path) -> None:
    places = save_long(tmp_path)
    data = read(
        output=tmp_path / "mine",
        **places,
        shocks=NAMES["shocks"],
        observables=NAMES["observables"],
    )
    arrays = imported(tmp_path / "arrays" / "mine")
    theta, irf = data.read("mine", "train")
    np.testing.assert_array_equal(theta, arrays.read("mine", "train")[0])
    np.testing.assert_array_equal(irf, arrays.read("mine", "train")[1])


def test_our_own_data_and_answers_can_be_imported(tmp_path: Path, tiny_dataset: Path) -> None:
    data = read(tiny_dataset / "nk", tmp_path / "mine")
    source = open_dataset(tiny_dataset)
    np.testing.assert_array_equal(data.group("mine")["irfs"][:], source.group("nk")["irfs"][:])
    assert data.spec("mine").observable_units == source.spec("nk").observable_units
    assert data.spec("mine").parameters[0].unit == source.spec("nk").parameters[0].unit


def test_an_answer_of_ours_can_be_imported(tmp_path: Path) -> None:
    import emulator

    kappa, sigma = np.linspace(0.05, 0.2, 25), np.linspace(2.0, 0.5, 25)
    answer = emulator.world("nk").irf(kappa=kappa, sigma=sigma, horizon=5)
    answer.responses.write(tmp_path / "answer.nc")
    constant = [
        str(name)
        for name in answer["parameter"].values
        if np.ptp(answer["theta"].sel(parameter=name).values) == 0
    ]
    data = read(tmp_path / "answer.nc", tmp_path / "mine", drop=constant)
    assert data.spec("mine").parameter_names == ("sigma", "kappa")
    np.testing.assert_array_equal(
        data.group("mine")["irfs"][:], answer["irf"].values.astype(np.float32)
    )


@pytest.mark.parametrize("form", ["wide", "long", "npz", "netcdf"])
def test_failed_draws_come_along_in_every_format(tmp_path: Path, form: str) -> None:
    theta, irf = drawn()
    irf[[2, 30]] = np.nan
    status = np.array(60 * ["ok"], dtype=object)
    status[[2, 30]] = ["explosive", "indeterminate"]
    draws = Drawn(theta, irf)
    places = {"source": tmp_path / f"draws.{'csv' if form in ('wide', 'long') else form}"}
    if form == "wide":
        wide_frame(draws).assign(status=status).to_csv(places["source"], index=False)
    elif form == "long":
        frame, parameters = long_frame(draws)
        frame.dropna().to_csv(places["source"], index=False)
        places["theta"] = tmp_path / "theta.csv"
        parameters.assign(status=status).to_csv(places["theta"], index=False)
    elif form == "npz":
        save_npz(places["source"], draws, status=status.astype(str))
    else:
        places["source"] = tmp_path / "draws.nc"
        labelled(draws).assign(status=("draw", status.astype(str))).to_netcdf(places["source"])
    data = read(output=tmp_path / "mine", **places)
    assert data.world("mine").rejections == {"explosive": 1, "indeterminate": 1}
    assert len(data.verdicts("mine")[0]) == 60


def test_npz_brings_units_axes_and_frequency(tmp_path: Path) -> None:
    theta, irf = drawn()
    save_npz(
        tmp_path / "d.npz",
        Drawn(theta, irf.swapaxes(1, 2)),
        axes=np.array(["sample", "horizon", "shock", "observable"]),
        units=np.array(["percent", "index", "hours", "percent"]),
        frequency=np.array("year"),
    )
    spec = read(tmp_path / "d.npz", tmp_path / "mine").spec("mine")
    assert spec.frequency == "year"
    assert spec.observable_units == ("percent", "index", "hours", "percent")


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_of_many_draws_is_read_block_by_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save: Any, order: str
) -> None:
    theta, irf = drawn(500)
    save(tmp_path / "d.npz", theta=theta, irf=np.asarray(irf, order=order), **NAMES)
    monkeypatch.setattr("emulator.data.importing.given.BLOCK_BYTES", 40 * irf[0].size * 4)
    read_sizes = []
    exactly = npz._exactly

    def watched(stream: Any, size: int) -> bytes:
        read_sizes.append(size)
        return exactly(stream, size)

    monkeypatch.setattr(npz, "_exactly", watched)
    data = read(tmp_path / "d.npz", tmp_path / "mine")
    np.testing.assert_array_equal(data.group("mine")["irfs"][:], irf.astype(np.float32))
    assert (max(read_sizes, default=0) == 40 * irf[0].nbytes) is (order == "C")


def test_tables_of_many_rows_are_read_some_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "CELLS", 400)
    for form, save in (("long", save_long), ("wide", save_wide)):
        (tmp_path / form).mkdir()
        places = save(tmp_path / form)
        data = read(output=tmp_path / form / "mine", **places, shocks=NAMES["shocks"])
        assert data.group("mine")["irfs"].shape == (60, 2, 7, 4)


def test_decimal_commas_are_read_where_they_are_told(tmp_path: Path) -> None:
    wide_frame().to_csv(tmp_path / "d.csv", index=False, sep=";", decimal=",")
    data = read(tmp_path / "d.csv", tmp_path / "mine", separator=";", decimal=",")
    np.testing.assert_allclose(data.group("mine")["irfs"][:], drawn().irf, rtol=1e-6)


def test_a_link_to_an_ordinary_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link.npz").symlink_to(save_npz(tmp_path / "d.npz"))
    assert read(tmp_path / "link.npz", tmp_path / "mine").worlds == ["mine"]


def test_a_single_shock_that_was_selected_is_an_axis_of_one(tmp_path: Path) -> None:
    labelled().sel(shock="supply").to_netcdf(tmp_path / "d.nc", engine="h5netcdf")
    data = read(tmp_path / "d.nc", tmp_path / "mine")
    assert data.spec("mine").shock_names == ("supply",)
    expected = drawn().irf[:, 1:].astype(np.float32)
    np.testing.assert_array_equal(data.group("mine")["irfs"][:], expected)


def test_the_command_makes_a_data_set_and_says_what_it_took(
    tmp_path: Path, emulate: Callable[..., tuple[int, str, str]]
) -> None:
    save_npz(tmp_path / "draws.npz", notes=np.array("of 2019"))
    output = tmp_path / "sets" / "mine"
    code, out, _ = emulate(
        *("import", tmp_path / "draws.npz", "--name", "mine", "--output", output),
        *("--units", "sales=percent", "--frequency", "month", "--ranges", "share=0:1"),
    )
    text = " ".join(out.split())
    assert code == 0
    assert "Not read: notes. Known: theta, irf, parameters" in text
    assert "Units of price, hours, wage are unknown. Say them with --units price=...," in text
    assert "Held out of training: the upper ends of" in text
    assert "They move the responses most." in text
    spec = open_dataset(output).spec("mine")
    assert (spec.parameters[2].low, spec.parameters[2].high) == (0.0, 1.0)
    assert spec.observable_units[0] == "percent"
    code, out, _ = emulate("validate", "--dataset", output)
    assert code == 0
    assert "solved before (mine from " in " ".join(out.split())
    assert "are not solved again" in " ".join(out.split())
    code, _, error = emulate("import", tmp_path / "draws.npz", "--output", output)
    assert code == 1
    assert "pass --overwrite" in " ".join(error.split())
    code, _, error = emulate("import", tmp_path / "nothing.npz")
    assert code == 1
    assert "cannot be read: No such file" in " ".join(error.split())
