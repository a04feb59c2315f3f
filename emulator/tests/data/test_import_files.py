"""Files of draws: npz, CSV in both forms, Parquet, NetCDF and Zarr; and broken and hostile ones."""

from __future__ import annotations

import os
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from emulator.data import DataSet, open_dataset, validate_dataset
from emulator.data.importing import npz, tables
from emulator.data.importing.files import Reading, import_file
from emulator.data.importing.spec import Choices
from emulator.data.importing.write import Plan
from emulator.errors import DatasetError
from emulator.spec import UNKNOWN_UNIT
from emulator.tests.data.drawn import NAMES, Drawn, drawn, imported, plain_card

pytestmark = [pytest.mark.fast, pytest.mark.usefixtures("plain_card")]

__all__ = ["plain_card"]

LABELS = [
    (s, h, o)
    for s in range(len(NAMES["shocks"]))
    for h in range(7)
    for o in range(len(NAMES["observables"]))
]


def read(source: Path, output: Path, choices: Choices | None = None, **told: Any) -> DataSet:
    plan = Plan("mine", choices=choices or Choices())
    return import_file(source, output, plan, Reading(**told))


def save_npz(path: Path, draws: Drawn | None = None, **changes: Any) -> Path:
    theta, irf = draws or drawn()
    content = {"theta": theta, "irf": irf, **{k: np.array(v) for k, v in NAMES.items()}, **changes}
    np.savez(path, **{key: value for key, value in content.items() if value is not None})
    return path


def long_frame(draws: Drawn | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Responses in long form and the table of parameters."""
    theta, irf = draws or drawn()
    n, n_shocks, periods, n_observables = irf.shape
    index = pd.MultiIndex.from_product(
        [
            [f"d{k}" for k in range(n)],
            NAMES["shocks"][:n_shocks],
            range(periods),
            NAMES["observables"][:n_observables],
        ],
        names=["draw", "shock", "horizon", "observable"],
    )
    frame = pd.DataFrame({"value": irf.ravel()}, index=index).reset_index()
    parameters = pd.DataFrame(theta, columns=list(NAMES["parameters"]))
    parameters.insert(0, "draw", [f"d{k}" for k in range(n)])
    return frame, parameters


def wide_frame(draws: Drawn | None = None) -> pd.DataFrame:
    theta, irf = draws or drawn()
    columns = {
        f"{NAMES['shocks'][s]}/{NAMES['observables'][o]}/{h}": irf[:, s, h, o] for s, h, o in LABELS
    }
    return pd.DataFrame(dict(zip(NAMES["parameters"], theta.T, strict=True)) | columns)


def labelled(draws: Drawn | None = None) -> xr.Dataset:
    theta, irf = draws or drawn()
    return xr.Dataset(
        {
            "irf": (("draw", "shock", "horizon", "observable"), irf),
            "theta": (("draw", "parameter"), theta),
        },
        {
            "parameter": list(NAMES["parameters"]),
            "shock": list(NAMES["shocks"]),
            "observable": list(NAMES["observables"]),
            "horizon": ("horizon", np.arange(irf.shape[2]), {"units": "months after impact"}),
            "unit": ("observable", ["percent", "index", "hours", "percent"]),
        },
    )


def save_long(folder: Path) -> dict[str, Path]:
    frame, parameters = long_frame()
    frame.sample(frac=1, random_state=0).to_csv(folder / "irf.csv", index=False)
    parameters.to_csv(folder / "theta.csv", index=False)
    return {"source": folder / "irf.csv", "theta": folder / "theta.csv"}


def save_parquet(folder: Path) -> dict[str, Path]:
    pytest.importorskip("pyarrow")
    wide_frame().to_parquet(folder / "wide.parquet")
    return {"source": folder / "wide.parquet"}


def save_wide(folder: Path) -> dict[str, Path]:
    wide_frame().to_csv(folder / "wide.csv", index=False)
    return {"source": folder / "wide.csv"}


def save_netcdf(folder: Path) -> dict[str, Path]:
    labelled().to_netcdf(folder / "draws.nc", engine="h5netcdf")
    return {"source": folder / "draws.nc"}


def save_zarr(folder: Path) -> dict[str, Path]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about texts and metadata in Zarr 3
        labelled().to_zarr(folder / "draws.zarr")
    return {"source": folder / "draws.zarr"}


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


def broken_npz(path: Path, how: str) -> None:
    theta, irf = drawn()
    if how == "objects":
        save_npz(path, Drawn(theta, irf.astype(object)))
    elif how == "object names":
        save_npz(path, parameters=np.array(list(NAMES["parameters"]), dtype=object))
    elif how == "no theta":
        save_npz(path, theta=None)
    elif how == "no names":
        save_npz(path, shocks=None)
    elif how == "units":
        save_npz(path, units=np.array(["percent"]))
    elif how == "text":
        path.write_text("not a zip file")
    elif how == "other":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("theta.npy", b"nothing of NumPy's")
    else:
        save_npz(path)
        content = bytearray(path.read_bytes())
        if how == "cut":
            path.write_bytes(content[: len(content) // 2])
        elif how == "flipped":
            at = content.index(irf[30].tobytes()[:16])
            content[at + 3] ^= 0xFF
            path.write_bytes(content)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("objects", "holds Python objects, which are not read"),
        ("object names", "'parameters' in .* holds Python objects"),
        ("no theta", "expected 'theta' among them"),
        ("no names", "The shocks have no names"),
        ("units", "has 1 units and 4 observables"),
        ("text", "cannot be read as an .npz file"),
        ("other", "cannot be read as an .npz file"),
        ("cut", "cannot be read as an .npz file"),
        ("flipped", "cannot be read as an .npz file .*CRC"),
    ],
)
def test_a_broken_npz_is_refused(tmp_path: Path, how: str, said: str) -> None:
    broken_npz(tmp_path / "d.npz", how)
    with pytest.raises(DatasetError, match=said):
        read(tmp_path / "d.npz", tmp_path / "mine")
    assert [path.name for path in tmp_path.iterdir()] == ["d.npz"]


def test_an_npz_that_unfolds_to_too_much_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez_compressed(tmp_path / "d.npz", theta=np.zeros((10_000, 100)), irf=np.zeros((1, 1)))
    monkeypatch.setattr(npz, "LARGEST", 1_000_000)
    with pytest.raises(DatasetError, match=r"unfolds to 8,000,.* expected at most 1,000,000"):
        read(tmp_path / "d.npz", tmp_path / "mine")
    monkeypatch.setattr(npz, "LARGEST", 1 << 30)
    monkeypatch.setattr(npz, "LARGEST_IN_MEMORY", 1_000_000)
    with pytest.raises(DatasetError, match=r"'theta' in .* has to be read whole"):
        read(tmp_path / "d.npz", tmp_path / "mine")


def test_an_npz_whose_header_declares_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    save_npz(tmp_path / "whole.npz")
    with zipfile.ZipFile(tmp_path / "whole.npz") as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    members["irf.npy"] = members["irf.npy"].replace(b"(60, 2", b"(99999999, 2", 1)
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(DatasetError, match=r"cannot be read|header says"):
        read(tmp_path / "d.npz", tmp_path / "mine")


def edited(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text()))


def line(number: int, change: Callable[[str], str]) -> Callable[[str], str]:
    """Change one line of a text, counted from 1."""

    def edit(text: str) -> str:
        lines = text.splitlines()
        lines[number - 1] = change(lines[number - 1])
        return "\n".join(lines) + "\n"

    return edit


WIDE_FAULTS = {
    "text": (
        line(5, lambda row: "high," + row.partition(",")[2]),
        "'high' in line 5, column 'pers",
    ),
    "decimal comma": (
        line(5, lambda row: '"0,12",' + row.partition(",")[2]),
        r"'0,12' in line 5.*--decimal ','",
    ),
    "bare comma": (line(5, lambda row: "0,12," + row.partition(",")[2]), "different lengths"),
    "missing response": (
        line(6, lambda row: row.rpartition(",")[0] + ","),
        "Draw 4 has 1 of 56 responses",
    ),
    "missing parameter": (
        line(6, lambda row: "," + row.partition(",")[2]),
        "Parameter 'persistence' of draw 4 is nan",
    ),
    "short line": (line(6, lambda row: row.rpartition(",")[0]), "Draw 4 has 1 of 56 responses"),
    "column twice": (
        line(1, lambda row: row.replace("supply/sales/0", "demand/sales/0")),
        "two columns 'demand/sales/0'",
    ),
    "column missing": (
        line(1, lambda row: row.replace("supply/sales/3", "share2")),
        "expected supply/sales/3 too",
    ),
    "horizons from one": (
        line(1, lambda row: row.replace("/6", "/7")),
        "expected demand/sales/6 too",
    ),
    "index": (
        line(1, lambda row: row.replace("persistence", "Unnamed: 0")),
        "index=False",
    ),
    "index without a name": (
        line(1, lambda row: row.removeprefix("persistence")),
        "row numbers that pandas writes",
    ),
    "no responses": (lambda text: text.replace("/", "_"), "a row a response with the columns draw"),
    "semicolons": (lambda text: text.replace(",", ";"), "--separator"),
    "header alone": (lambda text: text.splitlines()[0], "no row below its first line"),
    "nothing": (lambda text: "", r"0 column\(s\)"),
}


@pytest.mark.parametrize("fault", WIDE_FAULTS)
def test_a_broken_wide_table_is_refused(tmp_path: Path, fault: str) -> None:
    change, said = WIDE_FAULTS[fault]
    source = save_wide(tmp_path)["source"]
    edited(source, change)
    with pytest.raises(DatasetError, match=said):
        read(source, tmp_path / "mine")


LONG_FAULTS = {
    "twice": (lambda text: text + text.splitlines()[9] + "\n", "once more in line 3362"),
    "stranger": (line(3, lambda row: "x" + row), "that the table of parameters does not have"),
    "horizon": (
        lambda text: text.replace(",0,", ",7,"),
        "horizons from 1 to 7; expected them from 0",
    ),
    "fraction": (line(3, lambda row: "d1,demand,0.5,sales,1"), "horizon 0.5 in line 3"),
    "far": (line(3, lambda row: "d1,demand,1e9,sales,1"), r"horizon 1e\+09 in line 3"),
    "no shock": (line(3, lambda row: "d1,,0,sales,1"), "no shock in line 3"),
    "gap": (line(3, lambda row: "d1,demand,9,sales,1"), "Draw 0 has .* of 80 responses"),
    "text": (line(3, lambda row: "d1,demand,0,sales,much"), "'much' in line 3, column 'value'"),
}


@pytest.mark.parametrize("fault", LONG_FAULTS)
def test_a_broken_long_table_is_refused(tmp_path: Path, fault: str) -> None:
    change, said = LONG_FAULTS[fault]
    places = save_long(tmp_path)
    edited(places["source"], change)
    with pytest.raises(DatasetError, match=said):
        read(output=tmp_path / "mine", **places)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text + text.splitlines()[4] + "\n", "the draw 'd3' twice"),
        (line(3, lambda row: "," + row.partition(",")[2]), "no draw in line 3"),
        (lambda text: text.replace("draw", "number"), "expected a column draw"),
    ],
)
def test_a_broken_table_of_parameters_is_refused(
    tmp_path: Path, change: Callable[[str], str], said: str
) -> None:
    places = save_long(tmp_path)
    edited(places["theta"], change)
    with pytest.raises(DatasetError, match=said):
        read(output=tmp_path / "mine", **places)


def test_long_and_wide_forms_are_not_mixed(tmp_path: Path) -> None:
    places = save_long(tmp_path)
    with pytest.raises(DatasetError, match="with --theta"):
        read(places["source"], tmp_path / "mine")
    save_wide(tmp_path)
    with pytest.raises(DatasetError, match="--theta belongs to the long form"):
        read(tmp_path / "wide.csv", tmp_path / "mine", theta=places["theta"])
    with pytest.raises(DatasetError, match="--theta belongs to tables"):
        read(save_npz(tmp_path / "d.npz"), tmp_path / "mine", theta=places["theta"])


def test_names_that_are_told_must_be_those_of_the_table(tmp_path: Path) -> None:
    source = save_wide(tmp_path)["source"]
    with pytest.raises(DatasetError, match="by --shocks; the table has demand, supply"):
        read(source, tmp_path / "mine", shocks=["demand"])
    with pytest.raises(DatasetError, match="no column of the parameter 'beta'"):
        read(source, tmp_path / "mine", parameters=["beta"])


def test_decimal_commas_are_read_where_they_are_told(tmp_path: Path) -> None:
    wide_frame().to_csv(tmp_path / "d.csv", index=False, sep=";", decimal=",")
    data = read(tmp_path / "d.csv", tmp_path / "mine", separator=";", decimal=",")
    np.testing.assert_allclose(data.group("mine")["irfs"][:], drawn().irf, rtol=1e-6)


@pytest.mark.parametrize("kind", ["pipe", "link to a pipe", "dangling", "circle", "folder", "data"])
def test_what_is_no_ordinary_file_is_refused_before_it_is_read(tmp_path: Path, kind: str) -> None:
    source = tmp_path / "d.npz"
    said = "is a pipe or a device"
    if kind == "pipe":
        os.mkfifo(source)
    elif kind == "link to a pipe":
        os.mkfifo(tmp_path / "pipe")
        source.symlink_to(tmp_path / "pipe")
    elif kind == "dangling":
        source.symlink_to(tmp_path / "nowhere")
        said = "No such file"
    elif kind == "circle":
        source.symlink_to(source)
        said = "cannot be read"
    elif kind == "folder":
        source.mkdir()
        said = "a folder and no Zarr group"
    else:
        imported(source, name="mine")
        said = "is a data set already"
    with pytest.raises(DatasetError, match=said):
        read(source, tmp_path / "mine")


def test_a_link_to_an_ordinary_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link.npz").symlink_to(save_npz(tmp_path / "d.npz"))
    assert read(tmp_path / "link.npz", tmp_path / "mine").worlds == ["mine"]


def test_another_ending_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d.xlsx").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"ends in '.xlsx'; expected .npz, .csv"):
        read(tmp_path / "d.xlsx", tmp_path / "mine")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data.drop_vars("theta"), "expected theta among them"),
        (lambda data: data.drop_vars("irf"), "expected irf or irfs or responses"),
        (lambda data: data.rename(observable="variable"), "have the axes"),
        (lambda data: data.isel(horizon=slice(1, None)), "has the horizons 1, 2, 3"),
        (lambda data: data.drop_vars("shock"), "The shocks have no names"),
        (lambda data: data.assign_coords(shock=["a/b", "c"]), "such as 'a_b'"),
    ],
)
def test_a_netcdf_file_without_what_is_needed_is_refused(
    tmp_path: Path, change: Callable[[xr.Dataset], xr.Dataset], said: str
) -> None:
    change(labelled()).to_netcdf(tmp_path / "d.nc", engine="h5netcdf")
    with pytest.raises(DatasetError, match=said):
        read(tmp_path / "d.nc", tmp_path / "mine")


def test_a_single_shock_that_was_selected_is_an_axis_of_one(tmp_path: Path) -> None:
    labelled().sel(shock="supply").to_netcdf(tmp_path / "d.nc", engine="h5netcdf")
    data = read(tmp_path / "d.nc", tmp_path / "mine")
    assert data.spec("mine").shock_names == ("supply",)
    expected = drawn().irf[:, 1:].astype(np.float32)
    np.testing.assert_array_equal(data.group("mine")["irfs"][:], expected)


@pytest.mark.parametrize("ending", [".nc", ".parquet", ".csv"])
def test_bytes_of_another_kind_are_refused(tmp_path: Path, ending: str) -> None:
    source = tmp_path / f"d{ending}"
    source.write_bytes(b"\x89\xff\x00 nothing that anybody reads")
    with pytest.raises(DatasetError, match=r"cannot be read|expected a row"):
        read(source, tmp_path / "mine")


def test_a_damaged_netcdf_file_is_refused(tmp_path: Path) -> None:
    from emulator.files import netcdf_bytes

    content = bytearray(netcdf_bytes({"/": labelled()}))
    at = content.index(drawn().irf[10].tobytes()[:16])
    content[at + 3] ^= 0xFF
    (tmp_path / "d.nc").write_bytes(content)
    with pytest.raises(DatasetError, match="is damaged"):
        read(tmp_path / "d.nc", tmp_path / "mine")


def test_python_objects_in_zarr_are_not_unpickled(tmp_path: Path) -> None:
    group = tmp_path / "d.zarr"
    (group / "irf").mkdir(parents=True)
    (group / ".zgroup").write_text('{"zarr_format": 2}')
    (group / "irf" / ".zarray").write_text(
        '{"zarr_format": 2, "shape": [1], "chunks": [1], "dtype": "|O", "order": "C",'
        ' "compressor": null, "fill_value": null, "filters": [{"id": "pickle"}]}'
    )
    (group / "irf" / "0").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(DatasetError, match="Python objects, which are not read"):
        read(group, tmp_path / "mine")


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


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--ranges", "share=0-1"], "expected two numbers such as 0.9:1"),
        (["--ranges", "share"], "expected pairs"),
        (["--units", "sales"], "'sales' was given as the unit of all observables"),
        (["--shares", "0.1,0.1"], "expected four shares"),
        (["--decimal", "ab"], "expected one sign"),
        (["--axes", "sample,shock"], "2 axes are named"),
        (["--name", "my world"], "a letter first"),
    ],
)
def test_the_command_refuses_options_that_say_nothing(
    tmp_path: Path,
    emulate: Callable[..., tuple[int, str, str]],
    options: list[str],
    said: str,
) -> None:
    save_npz(tmp_path / "draws.npz")
    code, _, error = emulate(
        "import", tmp_path / "draws.npz", "--output", tmp_path / "mine", *options
    )
    assert code in (1, 2)
    assert said in " ".join(error.replace("│", " ").split())
    assert not (tmp_path / "mine").exists()


def test_pandas_without_a_parquet_engine_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(path: Path) -> None:
        raise ImportError("no engine")

    (tmp_path / "d.parquet").write_bytes(b"")
    monkeypatch.setattr(pd, "read_parquet", missing)
    with pytest.raises(DatasetError, match="pip install pyarrow"):
        read(tmp_path / "d.parquet", tmp_path / "mine")
