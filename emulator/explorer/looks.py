"""How the page looks: colours that differ for every kind of colour vision, on light and on dark
(after Okabe and Ito, 2008, shifted to contrast with the page), marks, and symbols of parameters.

No meaning rests on colour alone: each scenario has a mark of its own shape, and exact solutions are
dashed. TeX names of parameters become outlines by matplotlib's mathtext, so that no text of a file
ever becomes markup or a script.
"""

from __future__ import annotations

import math
import threading
from functools import lru_cache

from markupsafe import Markup
from matplotlib.textpath import TextPath

from emulator.inference.figures import in_words

PAPER = {"light": "#ffffff", "dark": "#14171c"}
INK = {"light": "#1b1f24", "dark": "#e8eaed"}

CURVES = {
    "light": ("#0072b2", "#c44e00", "#00795c", "#a8507f", "#75620a", "#55585e"),
    "dark": ("#56b4e9", "#f58a42", "#2fc79a", "#e59ac2", "#f0e442", "#b6bac2"),
}
"""One a scenario, in the order of `State.scenarios`."""

MARKS = (
    ("circle", "o", "m-3,0a3,3 0 1,0 6,0a3,3 0 1,0 -6,0"),
    ("square", "s", "m-2.7,-2.7h5.4v5.4h-5.4z"),
    ("triangle", "^", "m0,-3.6l3.5,6h-7z"),
    ("diamond", "D", "m0,-3.7l3.5,3.7l-3.5,3.7l-3.5,-3.7z"),
    ("triangle down", "v", "m0,3.6l3.5,-6h-7z"),
    ("bar", "|", "m-1.1,-4h2.2v8h-2.2z"),
)
"""Name, matplotlib's letter, and the path of an SVG relative to the point."""


def colour_of(place: int) -> int:
    return place % len(CURVES["light"])


def mark_of(place: int) -> int:
    """Shifted after each round of colours, so that no two scenarios share both."""
    return (place + place // len(MARKS)) % len(MARKS)


def title(name: str) -> str:
    """An observable's name above its panel: in words, but a symbol such as y_gap as it stands."""
    words = in_words(name)
    symbolic = "_" in words or len(words) < 3 or any(letter.isdigit() for letter in words)
    return words if symbolic else words[:1].upper() + words[1:]


def css() -> str:
    """The colours as variables of CSS, for the system's choice of light or dark and for the
    reader's own.
    """
    light = _variables("light")
    dark = _variables("dark")
    return (
        f":root{{color-scheme:light;{light}}}\n@media"
        f" (prefers-color-scheme:dark){{:root{{color-scheme:dark;{dark}}}}}\n"
        f":root[data-theme=light]{{color-scheme:light;{light}}}\n:root[data-theme=dark]{{color-scheme:dark;{dark}}}\n"
        + "".join(f".c{k}{{--curve:var(--curve-{k})}}\n" for k in range(len(CURVES["light"])))
    )


def _variables(theme: str) -> str:
    curves = "".join(f"--curve-{k}:{colour};" for k, colour in enumerate(CURVES[theme]))
    return f"--paper:{PAPER[theme]};--ink:{INK[theme]};{curves}"


LONGEST_TEX = 80
"""Characters; longer TeX is left out, and the plain name stands alone."""

LARGEST_SYMBOL = 400.0
"""Pixels: width and height of a symbol; one that is larger is left out."""

PATH_COMMANDS = {1: ("M", 1), 2: ("L", 1), 3: ("Q", 2), 4: ("C", 3), 79: ("Z", 1)}
"""matplotlib's codes of a path: the command of SVG and how many vertices it takes."""

_one_at_a_time = threading.Lock()


@lru_cache(maxsize=1024)
def symbol(tex: str) -> Markup:
    """An SVG in the colour of the text around it; empty where the TeX is too long, too large, draws
    nothing or is not understood.
    """
    if not tex or len(tex) > LONGEST_TEX or "$" in tex:
        return Markup("")
    try:
        with _one_at_a_time:  # mathtext's parser is not made for threads
            path = TextPath((0, 0), f"${tex}$", size=16)
    except Exception:  # mathtext fails in many ways on TeX that it does not know, or that is blank
        return Markup("")
    if not len(path.vertices):
        return Markup("")
    box = path.get_extents()
    sides = (box.x0, box.y1, box.width, box.height)
    if not all(math.isfinite(side) and abs(side) <= LARGEST_SYMBOL for side in sides):
        return Markup("")
    size = f"{box.width + 1.0:.1f} {box.height + 1.0:.1f}"
    width, height = size.split()
    corner = f"{box.x0 - 0.5:.1f} {-box.y1 - 0.5:.1f}"
    return Markup(
        f'<svg class="tex" aria-hidden="true" width="{width}" height="{height}"'
        f' viewBox="{corner} {size}"><path d="{_outline(path)}"/></svg>'
    )


def _outline(path: TextPath) -> str:
    parts = []
    k = 0
    while k < len(path.vertices):
        letter, n = PATH_COMMANDS[int(path.codes[k])]
        points = " ".join(f"{px:.2f} {-py:.2f}" for px, py in path.vertices[k : k + n])
        parts.append(letter if letter == "Z" else letter + points)
        k += n
    return "".join(parts)
