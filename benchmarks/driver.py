"""The driver that Dynare's preprocessor writes for a `.mod` file, and which of its lines are run by
`referee.py`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

FUNCTIONS = (
    "exp|log|ln|log10|sqrt|abs|sign|min|max|sin|cos|tan|asin|acos|atan|"
    "normcdf|normpdf|erf|gamma|cbrt"
)
NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?(?!\w)"
EXPRESSION = rf"(?:(?:{FUNCTIONS})\s*\(|(?!\d)\w+(?![\w.(]|\s+\()|{NUMBER}|[-+*/^(),\s])+"
ASSIGNMENT = re.compile(
    rf"\s*(?:[A-Za-z]\w*\s*={EXPRESSION}|set_param_value\(\s*'\w+'\s*,{EXPRESSION}\)|)[,\s]*"
)
SIMULATION = re.compile(
    r"(?:\[info, oo_, options_, M_\] ="
    r" (?:stoch_simul|discretionary_policy)|ramsey_policy)\(.*var_list_\);"
)

MATLAB = {"native", "verbatim"}
"""Statements that the preprocessor hands on to MATLAB as they stand."""

OPENING = re.compile(r"\s*(?:for|while|if|switch|try|parfor)\b(?!.*\bend\w*\s*;?\s*$)")
CLOSING = re.compile(r"\s*end\w*\s*(?:;|$)")


def plain(line: str) -> bool:
    """Whether a MATLAB line only gives names the values of arithmetic expressions."""
    return all(ASSIGNMENT.fullmatch(part) for part in line.split(";"))


def parse(file: Path) -> list[dict[str, Any]]:
    """The statements of a file as Dynare's preprocessor reads them.

    Raises `ValueError` with its message.
    """
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(shutil.copytree(file.parent, Path(scratch) / "copy"))
        done = preprocess(work, file.name, "json=parse", "onlyjson", "jsonstdout")
    if '{"modfile"' not in done.replace(" ", "").replace("\n", ""):
        raise ValueError(preprocessor_message(done))
    text = done[done.index("{") : done.rindex("}") + 1]
    return list(json.loads(text, strict=False)["modfile"].get("statements", []))


def preprocess(work: Path, name: str, *options: str) -> str:
    done = subprocess.run(
        ["dynare-preprocessor", name, *options],
        cwd=work,
        capture_output=True,
        check=False,
        timeout=120,
    )
    return (done.stdout + done.stderr).decode("latin-1")


def preprocessor_message(text: str) -> str:
    errors = [line for line in text.splitlines() if line.startswith("ERROR")]
    return " ".join(errors) or text.strip()[-300:]


def declared_part(script: str, native: list[str]) -> str:
    """The driver without those MATLAB lines of the file that are not plain assignments, or that
    need what such a line would give.
    """
    lines = script.splitlines()
    place = next((k for k, line in enumerate(lines) if line.startswith("M_.params = ")), 0)
    for piece in native:
        for part in piece.strip().splitlines():
            at = next(
                (k for k in range(place, len(lines)) if lines[k].strip() == part.strip()), None
            )
            if at is None:
                continue
            lines[at] = f"try\n{lines[at]}\ncatch\nend" if plain(piece) else ""
            place = at + 1
    return "\n".join(lines) + "\n"


def until_last_simulation(script: str) -> str:
    """The driver up to the last `stoch_simul` and on to the end of the MATLAB loop or branch that
    holds it.
    """
    lines = script.splitlines()
    last = max(
        (k for k, line in enumerate(lines) if SIMULATION.match(line)), default=len(lines) - 1
    )
    depth = 0
    for k, line in enumerate(lines):
        depth += bool(OPENING.match(line)) - bool(CLOSING.match(line))
        if k >= last and depth <= 0:
            return "\n".join(lines[: k + 1]) + "\n"
    return script


def with_simulation(script: str) -> str:
    """The driver with a `stoch_simul` where a file has none, before what needs an estimation."""
    lines = script.splitlines()
    if any(map(SIMULATION.match, lines)):
        return script
    late = ("shock_decomposition(", "dynare_estimation")
    end = next((k for k, line in enumerate(lines) if any(word in line for word in late)), None)
    asked = "[info, oo_, options_, M_] = stoch_simul(M_, options_, oo_, {});"
    return "\n".join([*lines[:end], asked]) + "\n"
