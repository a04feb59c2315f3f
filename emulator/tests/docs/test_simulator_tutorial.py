"""The tutorial of a simulator stays as short as it promises."""

from pathlib import Path

import pytest

import emulator
from emulator.tests.documents import blocks

pytestmark = [pytest.mark.fast, pytest.mark.checkout]

ROOT = Path(emulator.__file__).parents[1]
LONGEST = 60
"""Lines of code, of the file that the page shows and of the page itself."""


def code_lines(text):
    lines = [line.strip() for line in text.splitlines()]
    return sum(bool(line) and not line.startswith("#") for line in lines)


def test_a_simulator_is_an_emulator_in_sixty_lines():
    page = (ROOT / "docs" / "tutorials" / "simulator.md").read_text(encoding="utf-8")
    file = (ROOT / "examples" / "own_simulator.py").read_text(encoding="utf-8")
    assert "../../examples/own_simulator.py" in page
    assert code_lines(file) + sum(code_lines(block.code) for block in blocks(page)) <= LONGEST
