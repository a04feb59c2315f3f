"""Text of strangers in a message is text, whatever it holds."""

import pytest

from emulator.errors import printable

pytestmark = pytest.mark.fast


@pytest.mark.parametrize("character", ["\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\r"])
def test_what_a_terminal_would_obey_is_written_out(character):
    shown = printable(f"a{character}[31mb\tc\n")
    assert character not in shown
    assert shown.startswith("a\\")
    assert shown.endswith("[31mb\tc\n")
