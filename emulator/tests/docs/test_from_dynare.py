"""The page on Dynare's statements names all that the reader knows, and commands that are ours."""

from pathlib import Path

import pytest

import emulator
from emulator.cli import COMMANDS as OURS
from emulator.modfile.reading.keywords import BLOCKS, COMMANDS, DECLARATIONS

PAGE = Path(emulator.__file__).parents[1] / "docs" / "from_dynare.md"

pytestmark = [pytest.mark.fast, pytest.mark.checkout]


def test_every_statement_is_named_once_in_the_tables():
    rows = [line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines()]
    named = [
        word.strip(" `,")
        for row in rows
        if len(row) > 3 and row[2].strip() in ("does", "otherwise", "does not")
        for word in row[1].split(",")
    ]
    assert sorted(named) == sorted(DECLARATIONS | BLOCKS | COMMANDS)


def test_commands_that_it_names_are_ours():
    words = PAGE.read_text(encoding="utf-8").split("`emulator ")[1:]
    assert {word.partition("`")[0].split()[0] for word in words} <= set(OURS)
