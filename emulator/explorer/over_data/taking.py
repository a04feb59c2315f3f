"""What a reader takes away of a view over data: the numbers, the picture, and the Python code that
gives the same numbers.
"""

from __future__ import annotations

import io
from typing import Any

from emulator.errors import EmulatorError
from emulator.explorer.economies import Economies
from emulator.explorer.over_data.asking import OverData, question_of, who
from emulator.explorer.tables import BUNDLED
from emulator.explorer.uploads import Upload
from emulator.inference.history import figures, files
from emulator.version import __version__

FILES: dict[str, Any] = {"history": files.DECOMPOSITION, "forecast": files.FORECAST}

RECIPE = '''"""What the explorer of universal-macro-emulator {version} showed. Writes {file}."""

{needs}from pathlib import Path

import emulator
from emulator.inference.history.files import {kind}

answer = {economy}.{method}(
    {data!r},
    {values!r},
{lines})
Path({file!r}).write_bytes({kind}[".csv"](answer))
print(answer)
'''


def csv(answer: OverData) -> bytes:
    """The numbers as the command line writes them. Raises `EmulatorError` where there are none."""
    return FILES[answer.state.view.kind][".csv"](_answered(answer))


def figure(answer: OverData, kind: str) -> bytes:
    """The picture as the command line draws it. Raises `EmulatorError` where there is none."""
    draw = (
        figures.draw_forecast
        if answer.state.view.kind == "forecast"
        else figures.draw_decomposition
    )
    stream = io.BytesIO()
    draw(_answered(answer)).savefig(stream, format=kind, dpi=150)
    return stream.getvalue()


def recipe(answer: OverData, economies: Economies) -> str:
    """Python code that asks the same question and writes the same CSV."""
    state = answer.state
    asked = who(state.live.world, economies)
    if isinstance(asked, Upload):
        economy = f"emulator.world({asked.file!r})"
    elif asked.answerer.exact:
        economy = f"emulator.world({state.live.world!r})"
    else:
        economy = f"emulator.load({economies.checkpoint!r})[{state.live.world!r}]"
    question = question_of(answer)
    method = question.pop("ask")
    data = BUNDLED if state.view.data == BUNDLED else answer.series.source  # type: ignore[union-attr]
    options = {
        "sample": state.view.sample or None,
        "transform": {n: text for n, text in state.view.transforms if text.strip()} or None,
        **question,
    }
    lines = "".join(f"    {k}={v!r},\n" for k, v in options.items() if v is not None and v != {})
    kind = "FORECAST" if method == "forecast" else "DECOMPOSITION"
    needs = "from math import nan\n" if "nan" in lines else ""
    return RECIPE.format(
        version=__version__,
        needs=needs,
        economy=economy,
        method=method,
        data=data,
        values=dict(state.live.values),
        lines=lines,
        kind=kind,
        file=file_name(answer, "csv"),
    )


def file_name(answer: OverData, ending: str) -> str:
    return f"{answer.state.view.kind}.{ending}"


def _answered(answer: OverData) -> Any:
    if answer.answer is None:
        raise EmulatorError(" ".join(answer.notes) or "There is no answer to be taken away.")
    return answer.answer
