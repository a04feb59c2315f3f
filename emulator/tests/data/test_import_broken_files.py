"""Files of draws that are broken, hostile, or of another kind: each is refused with its fault."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from emulator.data.importing import npz
from emulator.errors import DatasetError
from emulator.tests.data.drawn import NAMES, Drawn, drawn, imported, plain_card
from emulator.tests.data.drawn_files import (
    labelled,
    read,
    save_long,
    save_npz,
    save_wide,
)

pytestmark = [pytest.mark.fast, pytest.mark.usefixtures("plain_card")]

__all__ = ["plain_card"]


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
