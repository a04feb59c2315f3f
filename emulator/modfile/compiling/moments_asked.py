"""What a `stoch_simul` asks of its moments beside the variables themselves: filters, paths."""

from __future__ import annotations

import re

from emulator.errors import printable
from emulator.modfile.compiling.runs import Run

_WHOLE = re.compile(r"\d+(?:\.0*)?$")

_ZERO = re.compile(r"0*\.?0*$")
"""What filters nothing, as in Dynare."""

_OTHER_FILTERS = {
    "one_sided_hp_filter": "the one-sided HP filter",
    "bandpass_filter": "the band-pass filter",
}


def notes_on_moments(run: Run | None) -> tuple[str, ...]:
    """A note for each request of a command that theoretical moments of the variables themselves
    do not meet.
    """
    notes = notes_on_filters(run)
    periods = "" if run is None else run.options.get("periods", "")
    if run is None or not _WHOLE.match(periods) or float(periods) == 0:
        return notes
    return (
        *notes,
        printable(
            f"{_head(run)} of a simulated path; these are theoretical."
            f" simulated={float(periods):.0f} (on the command line --simulated"
            f" {float(periods):.0f}) asks for those."
        ),
    )


def notes_on_filters(run: Run | None) -> tuple[str, ...]:
    """A note for each filter that a command asks for, and that moments and shares of the variables
    themselves have not.
    """
    if run is None:
        return ()
    head = _head(run)
    notes = []
    smoothing = run.options.get("hp_filter", "")
    if smoothing and not _ZERO.match(smoothing):
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
    return tuple(map(printable, notes))


def _head(run: Run) -> str:
    return f"{run.place}: '{run.command}' asks for moments"
