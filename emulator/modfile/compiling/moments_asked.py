"""What a `stoch_simul` asks of its moments beside the variables themselves: filters, paths."""

from __future__ import annotations

import re

from emulator.errors import printable
from emulator.modfile.compiling.runs import Run

_WHOLE = re.compile(r"\d+(?:\.0*)?$")

_OTHER_FILTERS = {
    "one_sided_hp_filter": "the one-sided HP filter",
    "bandpass_filter": "the band-pass filter",
}


def notes_on_moments(run: Run | None) -> tuple[str, ...]:
    """A note for each request of a command that theoretical moments of the variables themselves
    do not meet.
    """
    if run is None:
        return ()
    head = f"{run.place}: '{run.command}' asks for moments"
    notes = []
    smoothing = run.options.get("hp_filter", "")
    if smoothing:
        notes.append(
            f"{head} of HP-filtered variables; these are of the variables themselves."
            f" hp={smoothing} (on the command line --hp {smoothing}) asks for those."
        )
    notes += [
        f"{head} of variables after {words} ({option}), which is not made here; these are of the"
        " variables themselves."
        for option, words in _OTHER_FILTERS.items()
        if option in run.options
    ]
    periods = run.options.get("periods", "")
    if _WHOLE.match(periods) and float(periods) > 0:
        notes.append(
            f"{head} of a simulated path; these are theoretical. simulated={float(periods):.0f} (on"
            f" the command line --simulated {float(periods):.0f}) asks for those."
        )
    return tuple(map(printable, notes))
