"""Colours that everybody can tell from the page, marks that tell scenarios apart without colour,
and symbols that hold no text.
"""

import itertools
import re
import time

import pytest

from emulator.explorer.looks import CURVES, INK, PAPER, colour_of, css, mark_of, symbol
from emulator.worlds import WORLDS, get_world

pytestmark = pytest.mark.fast


def luminance(colour):
    """Relative luminance of WCAG 2.2."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast(theme):
    assert contrast(INK[theme], PAPER[theme]) > 7
    for colour in CURVES[theme]:
        assert contrast(colour, PAPER[theme]) > 4.5  # they are also the colour of links


DEUTERANOPIA = (
    (0.367322, 0.860646, -0.227968),
    (0.280085, 0.672501, 0.047413),
    (-0.011820, 0.042940, 0.968881),
)
PROTANOPIA = (
    (0.152286, 1.052583, -0.204868),
    (0.114503, 0.786281, 0.099216),
    (-0.003882, -0.048116, 1.051998),
)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("seen", [DEUTERANOPIA, PROTANOPIA], ids=["deuteranopia", "protanopia"])
def test_the_first_three_colours_differ_for_colour_blind_eyes(theme, seen):
    """Simulated after Machado, Oliveira and Fernandes (2009), doi:10.1109/TVCG.2009.113, severity
    1, in linear RGB.
    """

    def look(colour):
        linear = [(int(colour[k : k + 2], 16) / 255) ** 2.2 for k in (1, 3, 5)]
        return [
            max(sum(a * b for a, b in zip(row, linear, strict=True)), 0) ** (1 / 2.2)
            for row in seen
        ]

    for one, other in itertools.combinations(CURVES[theme][:3], 2):
        assert sum((a - b) ** 2 for a, b in zip(look(one), look(other), strict=True)) ** 0.5 > 0.2


def test_no_two_scenarios_share_colour_and_mark():
    pairs = [(colour_of(place), mark_of(place)) for place in range(14)]
    assert len(set(pairs)) == len(pairs)
    assert len({mark for _, mark in pairs[:6]}) == 6


def test_light_and_dark_by_the_system_and_by_hand():
    assert "@media (prefers-color-scheme:dark)" in css()
    assert "[data-theme=light]" in css()
    assert css().count(f"--paper:{PAPER['dark']}") == 2


@pytest.mark.parametrize("world", [name for name in WORLDS if not name.startswith("hank")])
def test_every_symbol_of_every_world_is_drawn(world):
    for p in get_world(world).spec.parameters:
        assert re.fullmatch(
            r'<svg class="tex"[^<>]*><path d="[MLQCZ0-9. -]+"/></svg>', symbol(p.tex)
        ), p.tex


@pytest.mark.parametrize(
    "tex",
    [
        "",
        "<script>alert(1)</script>",
        r"\href{javascript:alert(1)}{x}",
        "$x$",
        "}{",
        r"\frac" * 16,
        "{" * 40 + "}" * 40,
        "x" * 5000,
        r"\undefined",
        "&amp;",
        "\x00",
        "x^" * 39,
        r"\hspace{1}",
        r"x\hspace{1e308}x",
        r"x\hspace{99999}x",
        r"\quad",
        "~",
        r"\phantom{x}",
        r"\overset{}{}",
        r"\genfrac{(}{)}{9999999999}{0}{a}{b}",
    ],
)
def test_hostile_symbols_are_outlines_or_nothing(tex):
    started = time.process_time()
    outline = symbol(tex)
    assert time.process_time() - started < 2.0
    assert re.fullmatch(r'|<svg class="tex"[^<>]*><path d="[MLQCZ0-9. -]+"/></svg>', outline)
