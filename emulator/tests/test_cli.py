"""The command line as a person meets it: what it prints, how it refuses, with which exit code."""

from __future__ import annotations

import csv
import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import emulator
from emulator.tests import commands
from emulator.tests.conftest import SMALL_WORLDS
from emulator.worlds import WORLDS, get_world

ROTEMBERG = Path(emulator.__file__).parents[1] / "examples" / "rotemberg.mod"

REPOSITORY = Path(emulator.__file__).parents[1]


def joined(text):
    """Text without line breaks and frames, to look for sentences in."""
    return " ".join(text.replace("│", " ").split())


@pytest.mark.fast
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--help"], ["generate", "validate", "worlds", "irf"]),
        (
            ["generate", "--help"],
            [
                "--world",
                "--n_samples",
                "--seed",
                "--output",
                "--workers",
                "--overwrite",
                "resumes",
                "10000",
                "42",
            ],
        ),
        (["validate", "--help"], ["--path", "Check every file"]),
        (["irf", "--help"], ["--set", "--shock", "--horizon", "--plot", "--csv"]),
        (["worlds", "--help"], ["parameters, shocks and units"]),
    ],
)
def test_help_names_every_option(emulate, arguments, expected):
    code, out, _ = emulate(*arguments)
    assert code == 0
    for words in expected:
        assert words in joined(out)


@pytest.mark.fast
def test_the_version_is_printed(emulate):
    assert emulate("--version") == (0, f"{emulator.__version__}\n", "")


@pytest.mark.fast
def test_worlds_lists_every_world(emulate):
    code, out, _ = emulate("worlds")
    assert code == 0
    for name in WORLDS:
        assert name in out
        assert str(get_world(name).spec.n_parameters) in out


@pytest.mark.fast
@pytest.mark.parametrize("name", SMALL_WORLDS)
def test_worlds_of_one_world_shows_parameters_shocks_units_and_source(emulate, name):
    code, out, _ = emulate("worlds", name)
    spec, text = get_world(name).spec, joined(out)
    assert code == 0
    for p in spec.parameters:
        assert f"{p.name} {p.default:g}".split()[0] in text
    for shock in spec.shocks:
        assert shock.name in text
    assert "annualised percentage points" in text
    assert spec.source in text


@pytest.mark.fast
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["worlds", "nkk"], "Unknown world: 'nkk'. Did you mean 'nk'?"),
        (["irf", "vra", "--exact"], "Unknown world: 'vra'. Did you mean 'var'?"),
        (["irf", "vra", "--network"], "Unknown world of this network: 'vra'. Did you mean 'var'?"),
        (["irf", "nk", "--network", "--exact"], "--exact asks the world's solver and --network"),
        (["irf", "nk", "--set", "kapa=0.1"], "Did you mean 'kappa'?"),
        (["irf", "nk", "--set", "kappa"], "'kappa' is not of the form name=value"),
        (
            ["irf", "nk", "--set", "kappa=0.1", "--set", "kappa=0.2"],
            "--set names a parameter twice",
        ),
        (["irf", "nk", "--set", "kappa=steep"], "expected a number"),
        (["irf", "nk", "--set", "kappa=nan"], "expected finite numbers"),
        (["irf", "nk", "--shock", "monetry"], "Did you mean 'monetary'?"),
        (
            ["irf", "nk", "--exact", "--set", "phi_pi=0.8"],
            "no unique stable solution at 1 of 1 draws: 1 indeterminate (many stable solutions)",
        ),
        (
            ["irf", "nk", "--exact", "--set", "rho_r=1.2"],
            "no unique stable solution at 1 of 1 draws: 1 explosive (no stable solution)",
        ),
        (["irf", "nk", "--exact", "--set", "sigma=0"], "no unique stable solution at 1 of 1 draws"),
        (["irf", "nk", "--plot", "x.gif"], "must end in .png, .pdf, .svg"),
        (
            ["irf", "nk", "--exact", "--csv", "/dev/null/x.csv"],
            "'/dev/null/x.csv' cannot be written",
        ),
        (["validate", "--path", "/no/such/data"], "does not exist or is no data set"),
        (
            ["generate", "--world", "nk,vra", "--output", "/no/such/data"],
            "Unknown world: 'vra'. Did you mean 'var'?",
        ),
        (["generate", "--world", ",", "--output", "/no/such/data"], "Unknown world"),
        (["generate", "--val", "0", "--output", "/no/such/data"], "strictly between 0 and 0.5"),
        (
            ["generate", "--corner", "0.5", "--output", "/no/such/data"],
            "strictly between 0 and 0.5",
        ),
        (["generate", "--chunk", "100", "--output", "/no/such/data"], "multiple of chunk"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_a_mistake_ends_in_one_clear_line_and_code_one(emulate, arguments, message):
    code, out, err = emulate(*arguments)
    assert code == 1
    assert out == ""
    assert err.startswith("error: ")
    assert len(err.splitlines()) == 1
    assert message in err


@pytest.mark.fast
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate", "--n_samples", "5"], "--n_samples"),
        (["generate", "--n_samples", "many"], "--n_samples"),
        (["generate", "--seed", "-1"], "--seed"),
        (["generate", "--val", "-0.1"], "--val"),
        (["generate", "--test", "0.9"], "--test"),
        (["generate", "--workers", "0"], "--workers"),
        (["generate", "--horizon", "0"], "--horizon"),
        (["irf", "nk", "--horizon", "-1"], "--horizon"),
        (["irf"], "Missing argument"),
        (["generat"], "No such command"),
        (["validate", "--pth", "x"], "No such option"),
    ],
)
def test_a_misused_option_is_named_with_code_two(emulate, arguments, message):
    code, _, err = emulate(*arguments)
    assert code == 2
    assert message in err


@pytest.mark.fast
@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.EEXIST, "A file stands where a folder is to be"),
        (errno.ENOSPC, "Free some space"),
        (errno.EACCES, "that you may write to"),
        (errno.EIO, "'x': "),
    ],
)
def test_what_the_system_refuses_is_said_with_what_to_do(emulate, monkeypatch, number, advice):
    def refused(*_):
        raise OSError(number, os.strerror(number), "x")

    monkeypatch.setattr("emulator.worlds.get_world", refused)
    code, _, err = emulate("worlds", "nk")
    assert code == 1
    assert err.startswith(f"error: 'x': {os.strerror(number)}. ".rstrip())
    assert advice in err


@pytest.mark.fast
def test_irf_prints_and_writes_the_numbers_of_the_solver(emulate, tmp_path):
    code, out, _ = emulate(
        "irf",
        "nk",
        "--exact",
        "--set",
        "kappa=0.1",
        "--set",
        "phi_pi=2",
        "--shock",
        "monetary",
        "--plot",
        tmp_path / "x.png",
        "--csv",
        tmp_path / "x.csv",
    )
    world = get_world("nk")
    solved_HO = world.irf(world.spec.theta(kappa=0.1, phi_pi=2.0))[0, 0]
    assert code == 0
    for value in solved_HO[0]:
        assert f"{value:+.4f}" in out
    assert "demand" not in out
    with (tmp_path / "x.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["shock"], int(row["horizon"])) for row in rows] == [
        ("monetary", h) for h in range(41)
    ]
    written_HO = np.array(
        [[float(row[name]) for name in ("output", "inflation", "rate")] for row in rows]
    )
    np.testing.assert_allclose(written_HO, solved_HO, rtol=1e-12)
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.checkout
def test_tables_are_whole_where_nobody_has_a_terminal(emulate):
    """Small numbers of a file's own variables were cut to '-8.37e-...' at 80 columns."""
    code, out, _ = emulate("irf", ROTEMBERG, "--set", "psi=120")
    assert code == 0
    assert "…" not in out
    tables = out.split("(continued)")
    for table in tables:
        assert len({len(line) for line in table.splitlines() if line.startswith("│")}) == 1
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("arguments", [["--plot"], ["--plot", "--network"], ["--plot=irf.png"]])
def test_a_figure_needs_no_path(emulate, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = emulate("irf", "nk", *arguments)
    assert code == 0, err
    assert "Figure: irf.png" in out + err
    assert (tmp_path / "irf.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.fast
@pytest.mark.parametrize("name", SMALL_WORLDS)
def test_irf_shows_all_shocks_of_every_world(emulate, name, tmp_path):
    code, out, _ = emulate("irf", name, "--exact", "--horizon", "8", "--plot", tmp_path / "x.svg")
    assert code == 0
    for shock in get_world(name).spec.shock_names:
        assert f"{name}: {shock}, 1 sd, exact solution" in out
    assert (tmp_path / "x.svg").stat().st_size > 1000


@pytest.mark.fast
def test_a_refused_irf_writes_no_file(emulate, tmp_path):
    assert (
        emulate(
            "irf",
            "nk",
            "--exact",
            "--set",
            "phi_pi=0.8",
            "--plot",
            tmp_path / "x.png",
            "--csv",
            tmp_path / "x.csv",
        )[0]
        == 1
    )
    assert list(tmp_path.iterdir()) == []


def test_the_installed_program_is_the_command():
    program = shutil.which("emulator", path=Path(sys.executable).parent)
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"{emulator.__version__}\n"


@pytest.mark.parametrize("words", [["worlds"], ["worlds", "nk"], ["irf", "nk", "--network"]])
def test_every_table_is_readable_in_eighty_columns(words):
    done = commands.typed("emulator", *words)
    assert done.returncode == 0, done.stderr
    assert commands.tables_fit(done.stdout)


@pytest.mark.fast
@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["validate", "data"], "(data). Name a data set with --dataset."),
        (["evaluate", "data", "--checkpoint", "x"], "(data). Name a data set with --dataset."),
        (["export", "run"], "(run). Name a network with --checkpoint."),
    ],
)
def test_a_folder_without_its_option_is_refused_with_the_option(emulate, words, hint):
    code, _, error = emulate(*words)
    assert code == 2
    assert f"Got unexpected extra argument {hint}" in joined(error)
