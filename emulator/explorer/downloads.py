"""What a reader takes away: the numbers, the picture, and the Python code that gives the same
numbers.
"""

from __future__ import annotations

import pandas as pd

from emulator.explorer.curves import Answer, Curve
from emulator.explorer.economies import Economies
from emulator.explorer.state import Scenario, State
from emulator.version import __version__

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


def recipe(answer: Answer, economies: Economies) -> str:
    """A Python program that writes the CSV of `table`, byte by byte; of an uploaded file it expects
    a copy beside itself, and of a posterior's draws it says that they are not in it.
    """
    scenarios = answer.state.scenarios()
    asked = [curve for curve in answer.curves if curve.place in scenarios]
    lines = [_call(curve, answer.state, economies) for curve in asked]
    others = [curve.label for curve in answer.curves if curve.place not in scenarios]
    left_out = (
        f"# Without {', '.join(others)!r}, which rest on a table of draws.\n" if others else ""
    )
    network = (
        f"network = emulator.load({economies.checkpoint!r})\n"
        if any(not curve.exact for curve in asked)
        else ""
    )
    worlds = dict.fromkeys(scenario.world for scenario in scenarios.values())
    uploads = filter(None, map(economies.upload, worlds))
    files = "".join(
        f"# {' and '.join(upload.files)}, as loaded into the explorer, in the folder that this is"
        " run in.\n"
        for upload in uploads
    )
    body = f"{files}{left_out}{network}answers = {{\n{''.join(lines)}}}\n"
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
