"""Worlds against Dynare's numbers: responses, verdicts, and, where Dynare is installed, that it
still says the same.
"""

import csv
import shutil
import subprocess
import sys
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pytest

from emulator.spec import Status
from emulator.worlds import get_world

REFERENCE = files("emulator.tests") / "reference"
DYNARE = Path("/usr/lib/dynare/matlab")
VERDICTS = {
    "determinate": Status.OK,
    "indeterminate": Status.INDETERMINATE,
    "no_stable_solution": Status.EXPLOSIVE,
}
WORLDS = pytest.mark.parametrize("name", ["nk", "rbc", "sw07"])


def read(folder, name):
    """Header and rows of a reference file."""
    header, *rows = csv.reader((folder / name).read_text().splitlines())
    return header, rows


@WORLDS
@pytest.mark.fast
def test_responses_are_dynares(name):
    world = get_world(name)
    header, rows = read(REFERENCE / name, "theta.csv")
    assert tuple(header) == world.spec.parameter_names
    theta = np.array(rows, dtype=float)
    assert len(theta) >= 25
    header, rows = read(REFERENCE / name, "irfs.csv")
    assert header == ["draw", "shock", "horizon", *world.spec.observable_names]
    table = np.array(rows, dtype=float)
    horizon = int(table[:, 2].max())
    shape = (len(theta), world.spec.n_shocks, horizon + 1, world.spec.n_observables)
    assert horizon >= 20
    assert (table[:, :3] == np.argwhere(np.ones(shape[:3]))).all()
    assert np.abs(world.irf(theta, horizon) - table[:, 3:].reshape(shape)).max() < 1e-8


@WORLDS
@pytest.mark.fast
def test_verdicts_are_dynares(name):
    world = get_world(name)
    header, rows = read(REFERENCE / name, "verdicts.csv")
    assert tuple(header) == (*world.spec.parameter_names, "verdict")
    theta, verdicts = np.array([row[:-1] for row in rows], dtype=float), [row[-1] for row in rows]
    assert len(rows) >= 100
    assert set(verdicts) == set(VERDICTS)
    assert [Status(code) for code in world.status(theta)] == [
        VERDICTS[verdict] for verdict in verdicts
    ]


if shutil.which("octave") and DYNARE.exists():

    @WORLDS
    @pytest.mark.slow
    def test_dynare_still_says_the_same(name, tmp_path):
        with as_file(REFERENCE / name) as folder:
            command = [
                sys.executable,
                str(folder / "make.py"),
                "--output",
                str(tmp_path),
                "--dynare",
                str(DYNARE),
            ]
            subprocess.run(command, check=True)
        for table in ("theta.csv", "irfs.csv", "verdicts.csv"):
            (header, rows), (kept_header, kept) = (
                read(tmp_path, table),
                read(REFERENCE / name, table),
            )
            assert header == kept_header
            width = len(header) - (table == "verdicts.csv")
            assert [row[width:] for row in rows] == [row[width:] for row in kept]
            new, old = (
                np.array([row[:width] for row in part], dtype=float) for part in (rows, kept)
            )
            assert np.abs(new - old).max() < 1e-10
