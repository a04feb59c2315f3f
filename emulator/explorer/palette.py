"""Colours that differ for every kind of colour vision, on light and on dark; after Okabe and Ito
(2008), made to contrast with the page.

No meaning rests on colour alone: each scenario has a mark of its own shape, and exact solutions are
dashed.
"""

from __future__ import annotations

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


def css() -> str:
    """The colours as variables of CSS, for the system's choice of light or dark and for the
    reader's own.
    """
    light, dark = _variables("light"), _variables("dark")
    return (
        f":root{{color-scheme:light;{light}}}\n@media"
        f" (prefers-color-scheme:dark){{:root{{color-scheme:dark;{dark}}}}}\n"
        f":root[data-theme=light]{{color-scheme:light;{light}}}\n:root[data-theme=dark]{{color-scheme:dark;{dark}}}\n"
        + "".join(f".c{k}{{--curve:var(--curve-{k})}}\n" for k in range(len(CURVES["light"])))
    )


def _variables(theme: str) -> str:
    curves = "".join(f"--curve-{k}:{colour};" for k, colour in enumerate(CURVES[theme]))
    return f"--paper:{PAPER[theme]};--ink:{INK[theme]};{curves}"
