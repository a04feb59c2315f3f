"""What a reader takes away: the numbers, the picture, and the Python code that gives the same
numbers.
"""

from __future__ import annotations

import io
from typing import Any

import pandas as pd

from emulator.explorer.curves import Answer, Curve
from emulator.explorer.economies import Economies
from emulator.explorer.fit import Fit
from emulator.explorer.looks import CURVES, MARKS, colour_of, mark_of
from emulator.explorer.state import Scenario, State
from emulator.spec import OBSERVABLES
from emulator.version import __version__
from emulator.worlds.figures import label, new_figure

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
    """The numbers as CSV: a row a scenario and quarter, a column an observable and each end of its
    band.
    """
    frames = {curve.name: curve.data.responses.frame() for curve in answer.curves}
    content: str = (
        pd.concat(frames, names=["scenario"]).to_csv(lineterminator="\n")
        if frames
        else "scenario\n"
    )
    return content


def picture(answer: Answer) -> bytes:
    """The picture as PNG, on white."""
    figure = new_figure(11.0, 3.9)
    axes = figure.subplots(1, 3)
    for k, axis in enumerate(axes):
        label(axis, OBSERVABLES[k], answer.units[k])
        axis.set_xlabel("quarters after impact", fontsize=8)
        if answer.fit is not None:
            _draw_data(axis, answer.fit, answer.state.horizon, k)
        for curve in answer.curves:
            if curve.drawn:
                _draw(axis, curve, k)
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


def _draw(axis: Any, curve: Curve, observable: int) -> None:
    colour = CURVES["light"][colour_of(curve.place)]
    horizon = curve.data["horizon"].values
    if curve.band is not None:
        axis.fill_between(
            horizon,
            *(end[:, observable] for end in curve.band),
            color=colour,
            alpha=0.2,
            linewidth=0,
        )
    mark = None if curve.dashed else MARKS[mark_of(curve.place)][1]
    axis.plot(
        horizon,
        curve.irf[:, observable],
        color=colour,
        linestyle="--" if curve.dashed else "-",
        marker=mark,
        markersize=4,
        markevery=4,
        label=curve.name,
    )


def _draw_data(axis: Any, fit: Fit, last: int, observable: int) -> None:
    lower, upper, irf = (part[: last + 1, observable] for part in (fit.lower, fit.upper, fit.irf))
    axis.fill_between(range(len(irf)), lower, upper, color="black", alpha=0.15, linewidth=0)
    axis.plot(
        range(len(irf)),
        irf,
        color="black",
        linestyle="none",
        marker="o",
        markersize=3,
        label=f"data: {fit.name}",
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
        f"# {upload.file} and {upload.file.removesuffix('.mod')}.world.yaml, as they were loaded"
        " into the explorer, lie in the folder that this is run in.\n"
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
