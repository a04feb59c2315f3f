"""What a reader takes away: the numbers, the picture, and the Python code that gives the same
numbers.
"""

from __future__ import annotations

import io
from typing import Any

import pandas as pd

from emulator.explorer.curves import Answer, Curve
from emulator.explorer.economies import Economies
from emulator.explorer.fit import FitData
from emulator.explorer.looks import CURVES, MARKS, colour_of, mark_of
from emulator.explorer.state import MOST_SHOWN, Scenario, State
from emulator.spec import Observable
from emulator.version import __version__
from emulator.worlds.figures import label, panel_figure, periods

CSV = "responses.csv"

HEAD = '''"""Impulse responses as the explorer of universal-macro-emulator {version} showed them.

Writes {csv}.
"""

import emulator
import pandas as pd

'''

TAIL = """
frames = {{name: answer.responses.frame() for name, answer in answers.items()}}
table = pd.concat(frames, names=["scenario"])
table.to_csv({csv!r}, lineterminator="\\n")
print(table)
"""


def table(answer: Answer) -> str:
    """The numbers as CSV: a row a scenario and period, a column an observable and each end of its
    band; every observable, also those that are not drawn.
    """
    frames = {curve.name: curve.data.responses.frame() for curve in answer.curves}
    content: str = (
        pd.concat(frames, names=["scenario"]).to_csv(lineterminator="\n")
        if frames
        else "scenario\n"
    )
    return content


def picture(answer: Answer) -> bytes:
    """The picture as PNG, on white: every observable of the world, or those that the page draws
    where there are more than `MOST_SHOWN`.
    """
    whole = answer.spec.observables
    observables = whole if len(whole) <= MOST_SHOWN else answer.shown
    figure, axes = panel_figure(len(observables))
    for axis, observable in zip(axes, observables, strict=True):
        label(axis, observable.name, observable.unit)
        periods(axis, f"{answer.spec.periods} after impact")
        data = None if answer.fit is None else answer.fit.of(observable)
        if answer.fit is not None and data is not None:
            _draw_data(axis, data, answer.state.horizon, f"data: {answer.fit.name}")
        for curve in answer.curves:
            _draw(axis, curve, observable)
    handles, names = axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(
            handles,
            names,
            loc="outside lower center",
            ncols=min(len(names), 3),
            fontsize=8,
            frameon=False,
        )
    figure.suptitle(
        f"{answer.state.live.shock.replace('_', ' ')} shock, {answer.size}", fontsize=10
    )
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=150)
    return stream.getvalue()


def _draw(axis: Any, curve: Curve, observable: Observable) -> None:
    line = curve.line(observable)
    if line is None:
        return
    colour = CURVES["light"][colour_of(curve.place)]
    horizon = curve.data["horizon"].values
    band = curve.band_of(observable)
    if band is not None:
        axis.fill_between(
            horizon,
            *band,
            color=colour,
            alpha=0.2,
            linewidth=0,
        )
    mark = None if curve.dashed else MARKS[mark_of(curve.place)][1]
    axis.plot(
        horizon,
        line,
        color=colour,
        linestyle="--" if curve.dashed else "-",
        marker=mark,
        markersize=4,
        markevery=4,
        label=curve.name,
    )


def _draw_data(axis: Any, data: FitData, last: int, name: str) -> None:
    lower, upper, irf = (part[: last + 1] for part in (data.lower, data.upper, data.irf))
    axis.fill_between(range(len(irf)), lower, upper, color="black", alpha=0.15, linewidth=0)
    axis.plot(
        range(len(irf)),
        irf,
        color="black",
        linestyle="none",
        marker="o",
        markersize=3,
        label=name,
    )


def recipe(answer: Answer, economies: Economies) -> str:
    """A Python program that writes the CSV of `table`, byte by byte; of an uploaded file it expects
    a copy beside itself.
    """
    lines = [_call(curve, answer.state, economies) for curve in answer.curves]
    network = (
        f"network = emulator.load({economies.checkpoint!r})\n"
        if any(not curve.exact for curve in answer.curves)
        else ""
    )
    worlds = dict.fromkeys(scenario.world for scenario in answer.state.scenarios().values())
    uploads = filter(None, map(economies.upload, worlds))
    files = "".join(
        f"# {' and '.join(upload.files)}, as loaded into the explorer, in the folder that this is"
        " run in.\n"
        for upload in uploads
    )
    body = f"{files}{network}answers = {{\n{''.join(lines)}}}\n"
    return HEAD.format(version=__version__, csv=CSV) + body + TAIL.format(csv=CSV)


def _call(curve: Curve, state: State, economies: Economies) -> str:
    """One entry of the dictionary of answers.

    Every text is written as Python writes it (`repr`), so that none becomes code.
    """
    scenario: Scenario = state.scenarios()[curve.place]
    options = (
        f"shocks={scenario.shock!r}, size={scenario.size!r}, horizon={state.horizon},"
        " on_failure='nan'"
    )
    values = dict(scenario.values)
    if not curve.exact:
        return f"    {curve.name!r}: network.irf({scenario.world!r}, {values!r}, {options}),\n"
    upload = economies.upload(scenario.world)
    world = upload.file if upload else scenario.world
    return f"    {curve.name!r}: emulator.world({world!r}).irf({values!r}, {options}),\n"
