"""`load NAME.mat` of a file beside the model: its numbers, and the numbers in its structures.

Text, cells, objects and functions in it are passed over; nothing of it is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.reading.syntax import Call, Expression, Number, Place

LARGEST_FILE = 1_000_000
"""Bytes; what is packed in it may be a thousand times as large."""

LARGEST_MATRIX = 10_000
"""Elements."""

DEEPEST = 5
"""Structures inside of one another."""

_LOAD = re.compile(
    r"(?:(?P<into>[A-Za-z_]\w*)\s*=\s*)?load\b\s*\(?\s*(?P<q>['\"]?)(?P<file>[\w./ -]*?[\w.-]+)"
    r"(?P=q)(?P<names>(?:[\s,]+['\"]?[A-Za-z_]\w*['\"]?)*)\s*\)?\s*;?\s*"
)
_NUMERIC = {"double", "single", "logical", "struct"}


def is_load(text: str) -> bool:
    """Whether a line loads a `.mat` file."""
    match = _LOAD.fullmatch(text)
    return match is not None and Path(match["file"]).suffix in ("", ".mat")


def loaded(text: str, folder: Path, place: Place) -> dict[str, Expression] | None:
    """Numbers and matrices by name (a field of a structure: `NAME.FIELD`) that such a line brings;
    None where there is no such file.

    Raises `ModFileError` for a file that lies outside of the folder, is too large or cannot be
    read.
    """
    match = _LOAD.fullmatch(text)
    assert match is not None
    name = match["file"] + ("" if match["file"].endswith(".mat") else ".mat")
    path = (folder / name).resolve()
    if folder.resolve() not in path.parents:
        raise ModFileError(f"'{name}' lies outside of the model's folder.", place)
    if not path.is_file():
        return None
    if path.stat().st_size > LARGEST_FILE:
        raise ModFileError(
            f"'{name}' has more than {LARGEST_FILE:,} bytes; save the parameters alone.", place
        )
    wanted = re.findall(r"\w+", match["names"])
    values: dict[str, Expression] = {}
    for variable, value in _variables(path, name, wanted, place).items():
        whole = f"{match['into']}.{variable}" if match["into"] else variable
        values |= dict(_numbers(whole, value, 0))
    return values


def _variables(path: Path, name: str, wanted: list[str], place: Place) -> dict[str, Any]:
    from scipy.io import loadmat, whosmat

    try:
        # Shapes come first: a large array is not unpacked.
        names = [
            variable
            for variable, shape, kind in whosmat(path)
            if (kind in _NUMERIC or kind.startswith(("int", "uint")))
            and np.prod(shape, dtype=float) <= LARGEST_MATRIX
            and (not wanted or variable in wanted)
        ]
        return {v: x for v, x in loadmat(path, variable_names=names).items() if v in names}
    except NotImplementedError:
        raise ModFileError(
            f"'{name}' is a file of MATLAB's version 7.3 (HDF5), which is not read. Save it anew in"
            " MATLAB with save('FILE.mat', ..., '-v7').",
            place,
        ) from None
    except Exception as error:  # whatever a damaged file leads the library to
        raise ModFileError(
            f"'{name}' cannot be read as a .mat file ({type(error).__name__}). Save it anew in"
            " MATLAB with save('FILE.mat', ..., '-v7').",
            place,
        ) from None


def _numbers(name: str, value: Any, depth: int) -> Iterator[tuple[str, Expression]]:
    if not isinstance(value, np.ndarray) or type(value) is not np.ndarray or depth > DEEPEST:
        return
    if value.dtype.names is not None:
        if value.size == 1 and value.dtype.kind == "V":
            for field in value.dtype.names:
                yield from _numbers(f"{name}.{field}", value.flat[0][field], depth + 1)
        return
    if value.dtype.kind not in "fiub" or value.ndim != 2 or value.size > LARGEST_MATRIX:
        return
    rows = [[Number(float(cell)) for cell in row] for row in value]
    if value.shape == (1, 1):
        yield name, rows[0][0]
    else:
        yield name, Call("[]", tuple(Call("[row]", tuple(row)) for row in rows))
