"""What the documentation shows is true: its code runs, and the commands that are too long for a
test have the options that they name.
"""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

import emulator
from emulator.tests.documents import (
    INDENTED,
    blocks,
    difference,
    differences,
    pictures,
    prepare,
    run_command,
    run_page,
)

pytestmark = pytest.mark.checkout

ROOT = Path(emulator.__file__).parents[1]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "docs").rglob("*.md"))
}
WITH_CODE = [name for name, text in PAGES.items() if blocks(text)]
BESIDE = (
    "README.md",
    "CONTRIBUTING.md",
    "LEADERBOARD.md",
    "benchmarks/README.md",
    "emulator/training/README.md",
)
ALL = PAGES | {
    name: (ROOT / name).read_text(encoding="utf-8") for name in BESIDE if (ROOT / name).exists()
}
LONG = sorted({(name, line) for name, text in ALL.items() for line in INDENTED.findall(text)})


@pytest.mark.parametrize("name", WITH_CODE)
@pytest.mark.filterwarnings("ignore")  # small budgets are announced as such
def test_code_runs_and_prints_and_draws_what_is_shown(
    name, pictures_of_cards, monkeypatch, tmp_path
):
    prepare(tmp_path, ROOT)
    monkeypatch.chdir(tmp_path)
    printed = run_page(PAGES[name], name, run_command)
    assert not differences(PAGES[name], printed)
    page = (ROOT / name).parent
    for shown, drawn in pictures(PAGES[name], tmp_path):
        assert difference(page / shown, drawn) < 0.02, shown


def test_pages_were_found():
    assert {
        "docs/start.md",
        "docs/trust.md",
        "docs/tutorials/compare.md",
        "docs/modfile.md",
        "docs/estimation.md",
    } <= set(WITH_CODE)
    assert len(LONG) > 10


@pytest.mark.fast
@pytest.mark.parametrize(("name", "line"), LONG)
def test_long_commands_have_the_options_that_they_name(name, line):
    import typer

    from emulator.cli import app

    subcommand, *words = shlex.split(line.replace("...", ""), comments=True)[1:]
    group = typer.main.get_command(app)
    command = group.get_command(typer.Context(group), subcommand)
    command.make_context(subcommand, words)
