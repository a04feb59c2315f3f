"""Damage to model files: cut, doubled and swapped pieces, and lines of MATLAB where none belong."""

from __future__ import annotations

from random import Random

PIECES = [
    "(",
    ")",
    ";",
    "end;",
    "=",
    "^",
    "'",
    "@#if 1\n",
    "@{",
    "model;",
    "var ",
    "1e999",
    "0",
    "/*",
    "\x00",
    "(+1)",
    "STEADY_STATE(",
]

MATLAB = [
    "for k = 1:3\n",
    "end\n",
    "if a > 1\n",
    "while 1\n",
    "switch a\n",
    "case 1\n",
    "break;\n",
    "w = [];\n",
    "[1 2; 3]",
    "w(end)",
    "w(1.5)",
    "x{2}",
    "zeros(1e9)",
    "ones(3, -1)",
    "inv(0)",
    "round()",
    "max(, 1)",
    "k = 1:1e7;\n",
    "M_.params(99) = 1;\n",
    "set_param_value('a', 1);\n",
    "load given.mat;\n",
]


def mutilated(text: str, rng: Random) -> str:
    """The text of a file with one, two or four places damaged."""
    for _ in range(rng.choice([1, 2, 4])):
        text = text or " "
        start = rng.randrange(len(text))
        stop = min(len(text), start + rng.randrange(1, 25))
        text = rng.choice(
            [
                text[: start + 1],
                text[:start] + text[stop:],
                text[:start] + rng.choice(PIECES) + text[stop:],
                text[:stop] + text[start:],
            ]
        )
    return text or " "


def with_matlab(text: str, rng: Random) -> str:
    """The text of a file with one to three pieces of MATLAB in it, or lines of their own."""
    for _ in range(rng.choice([1, 2, 3])):
        start = rng.randrange(len(text))
        if rng.random() < 0.5:  # a line of its own
            start = stop = text.find("\n", start) + 1
        else:
            stop = start + rng.randrange(6)
        text = text[:start] + rng.choice(MATLAB) + text[stop:]
    return text
