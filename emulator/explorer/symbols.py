"""TeX names of parameters as small pictures: outlines by matplotlib's mathtext, so that no text of
a file ever becomes markup or a script.
"""

from __future__ import annotations

import math
import threading
from functools import lru_cache

from markupsafe import Markup
from matplotlib.textpath import TextPath

LONGEST = 80
"""Characters; longer TeX is left out, and the plain name stands alone."""

LARGEST = 400.0
"""Pixels: width and height of a symbol; one that is larger is left out."""

COMMANDS = {1: ("M", 1), 2: ("L", 1), 3: ("Q", 2), 4: ("C", 3), 79: ("Z", 1)}
"""matplotlib's codes of a path: the command of SVG and how many vertices it takes."""

_one_at_a_time = threading.Lock()


@lru_cache(maxsize=1024)
def symbol(tex: str) -> Markup:
    """An SVG in the colour of the text around it; empty where the TeX is too long, too large, draws
    nothing or is not understood.
    """
    if not tex or len(tex) > LONGEST or "$" in tex:
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
    if not all(math.isfinite(side) and abs(side) <= LARGEST for side in sides):
        return Markup("")
    x, y, width, height = box.x0 - 0.5, -box.y1 - 0.5, box.width + 1.0, box.height + 1.0
    return Markup(
        f'<svg class="tex" aria-hidden="true" width="{width:.1f}" height="{height:.1f}"'
        f' viewBox="{x:.1f} {y:.1f} {width:.1f} {height:.1f}"><path d="{_outline(path)}"/></svg>'
    )


def _outline(path: TextPath) -> str:
    parts, k = [], 0
    while k < len(path.vertices):
        letter, n = COMMANDS[int(path.codes[k])]
        points = " ".join(f"{px:.2f} {-py:.2f}" for px, py in path.vertices[k : k + n])
        parts.append(letter if letter == "Z" else letter + points)
        k += n
    return "".join(parts)
