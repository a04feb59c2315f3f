"""What a reader takes away of a view over data: the numbers, the picture, and the Python code that
gives the same numbers.
"""

from __future__ import annotations

import io
from typing import Any

from emulator.errors import EmulatorError
from emulator.explorer.economies import Economies
from emulator.explorer.exported import MADE_BY, below, notes_in_words, parameters_in_words
from emulator.explorer.over_data.asking import OverData, question_of, who
from emulator.explorer.tables import BUNDLED
from emulator.explorer.uploads import Upload
from emulator.explorer.views import STARTS
from emulator.inference.history import figures, files
from emulator.version import __version__

FILES: dict[str, Any] = {"history": files.DECOMPOSITION, "forecast": files.FORECAST}

BANDS = (
    "Bands of 68 and 90 % at these parameters: shocks to come, and what is not known of the state"
    " today."
)

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
    """The picture as the command line draws it, and below it what it rests on. Raises
    `EmulatorError` where there is none.
    """
    draw = (
        figures.draw_forecast
        if answer.state.view.kind == "forecast"
        else figures.draw_decomposition
    )
    drawn = draw(_answered(answer))
    for legend in list(drawn.legends):
        legend.remove()
    below(drawn, drawn.axes, said_below(answer))
    stream = io.BytesIO()
    drawn.savefig(stream, format=kind, dpi=150)
    return stream.getvalue()


def said_below(answer: OverData) -> list[str]:
    """The parameters, the data and how they are observed, the condition, what the bands are, notes,
    and what made the picture, a text each.
    """
    texts = [parameters_in_words(answer.state.live, answer.spec), _data_in_words(answer)]
    if answer.state.view.kind == "forecast":
        texts += [*_conditions_in_words(answer), BANDS]
    return [*texts, *notes_in_words(answer.notes), MADE_BY]


def _data_in_words(answer: OverData) -> str:
    view = answer.state.view
    equations = [f"{name} = {text}" for name, text in answer.equations.items() if text.strip()]
    parts = [f"Data: {view.data}, {_answered(answer).attrs['sample']}", *equations]
    parts += [f"{name}: {text}" for name, text in view.transforms if text.strip()]
    parts += [f"error of {name} {text}" for name, text in view.errors if text.strip()]
    return f"{'; '.join(parts)}. Before the data: {STARTS[view.start]}."


def _conditions_in_words(answer: OverData) -> list[str]:
    """The path of each condition, and who meets them."""
    forecast = _answered(answer)
    if "conditions" not in forecast.attrs:
        return []
    periods = [str(period) for period in forecast["period"].values]
    paths = [
        f"{name} "
        + ", ".join(f"{periods[h]} {path[h]:g}" for h in range(len(path)) if path[h] == path[h])
        for name, path in answer.state.view.conditions
    ]
    return [f"Condition: {'; '.join(paths)}; {forecast.attrs['conditions']}."]


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
