"""What the `estimation` command of a `.mod` file says of the data: which periods, logarithms, the
start of the filter. What a call says itself takes precedence.
"""

from __future__ import annotations

from dataclasses import dataclass

from emulator.errors import SeriesError
from emulator.inference.answerer import Answerer
from emulator.series import TimeSeries
from emulator.worlds.filemodel import FileModel

STARTS = {"1": "stationary", "2": "wide", "3": "diffuse"}
"""Values of Dynare's `lik_init`."""


@dataclass(frozen=True)
class OfFile:
    """The data as the file takes them, the start and presample of the filter, notes on both."""

    data: TimeSeries
    start: str = "stationary"
    presample: int = 0
    notes: tuple[str, ...] = ()


def from_file(answerer: Answerer, data: TimeSeries, sample: str | None) -> OfFile:
    """What the file behind an answerer says; nothing for other worlds.

    sample: the periods that the call asks for, which replace those of the file. Raises
    `SeriesError` where the file names periods or series that the data do not have.
    """
    world = getattr(answerer, "world", None)
    if not isinstance(world, FileModel):
        return OfFile(data)
    options, observed = world.said_of_data.options, world.said_of_data.varobs
    notes = []
    if world.loglinear and "logdata" not in options:
        known = [name for name in observed if name in data.names]
        data = data.transformed(dict.fromkeys(known, "log"))
        notes.append("loglinear: logarithms of the data are taken")
    if sample is None and {"first_obs", "nobs"} & options.keys():
        data = _rows(data, options)
        notes.append(f"first_obs and nobs: {data.sample}")
    if options.get("prefilter", "0") == "1":
        data = data.transformed(dict.fromkeys(observed, "demeaned"))
        notes.append("prefilter=1: the data are demeaned")
    start = STARTS.get(options.get("lik_init", "1"), "stationary")
    start = "diffuse" if "diffuse_filter" in options else start
    if start != "stationary":
        notes.append(f"the filter's start is {start}")
    presample = int(options["presample"]) if options.get("presample", "").isdigit() else 0
    if presample:
        notes.append(f"presample={presample}")
    return OfFile(data, start, presample, tuple(notes))


def _rows(data: TimeSeries, options) -> TimeSeries:  # type: ignore[no-untyped-def]
    """The periods that `first_obs` and `nobs` say."""
    said = {name: options[name] for name in ("first_obs", "nobs") if name in options}
    if not all(text.isdigit() for text in said.values()):
        listed = ", ".join(f"{name}={text}" for name, text in said.items())
        raise SeriesError(
            f"The file's estimation says {listed}, which is not read; say the periods with"
            " --sample FIRST:LAST, in Python sample='FIRST:LAST'."
        )
    first = int(said.get("first_obs", 1)) - 1
    last = first + int(said["nobs"]) if "nobs" in said else len(data)
    if not 0 <= first < last <= len(data):
        raise SeriesError(
            f"The file's estimation takes rows {first + 1} to {last} of the data; '{data.name}'"
            f" has {len(data)}. Say the periods with --sample FIRST:LAST, in Python"
            " sample='FIRST:LAST'."
        )
    return data.window(f"{data.labels[first]}:{data.labels[last - 1]}")
