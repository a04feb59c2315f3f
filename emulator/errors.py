"""One family of errors: each message says what was found, what was expected and what to do."""

from __future__ import annotations

import difflib
import os
import re
import sys
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError  # a command that only prints help does not pay for it

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
NAME_PATTERN = "^[A-Za-z][A-Za-z0-9_]*$"
"""What names of worlds, parameters, shocks and observables are made of."""

_LONG_NAME = re.compile(r"(\w{60})\w{40,}+")


class EmulatorError(Exception):
    """Root of every error raised on purpose; the command line turns it into a message and
    `exit_code`.
    """

    exit_code = 1


class UnknownNameError(EmulatorError):
    """A world, model, split, parameter or shock that does not exist was named."""


class ParameterError(EmulatorError):
    """A parameter vector or a shock array has the wrong shape, is not finite or is out of its
    domain.
    """


class NoSolutionError(EmulatorError):
    """The model has no unique stable solution at some of the given parameters."""


class OutsideBoundsError(ParameterError, NoSolutionError):
    """A parameter is outside what it can be at all, so that there is nothing to solve."""


class SolverError(EmulatorError):
    """The matrices given to a solver do not form a linear rational-expectations model."""


class ModFileError(EmulatorError):
    """A `.mod` file, or the mapping beside it, cannot be read or says what is not supported; the
    message begins with file and line.
    """

    def __init__(self, message: str, place: object = None) -> None:
        short = _LONG_NAME.sub(lambda match: f"{match[1]}...", message)
        super().__init__(printable(f"{place}: {short}" if place is not None else short))
        self.place = place


class ModFileWarning(UserWarning):
    """A part of a `.mod` file was passed over, and the answer may depend on it."""


class DoubtWarning(UserWarning):
    """A network's answer rests on many draws that it flags itself."""


class SimulatorError(EmulatorError):
    """A simulator of one's own cannot be read, or answers in a form that cannot be used."""


class SimulatorWarning(UserWarning):
    """A simulator of one's own failed at some draws, and was called again for the others."""


class WorldCheckError(EmulatorError):
    """A world breaks the conformance suite."""


class ModelCheckError(EmulatorError):
    """A network breaks the conformance suite."""


class ServerBusyError(EmulatorError):
    """The explorer has as many slow questions as it takes at a time; asked again, it answers."""


class DatasetError(EmulatorError):
    """A data set is missing, incomplete, altered or was made by another request."""


class ConfigError(EmulatorError):
    """A configuration holds an unknown key or a value that cannot be used."""


class ModelError(EmulatorError):
    """A network was given input it cannot take, or returned output of the wrong shape."""


class CheckpointError(EmulatorError):
    """A checkpoint is missing, truncated, altered or does not fit what it is used for."""


class DeviceError(EmulatorError):
    """A device such as `cuda` was named that this machine, or this PyTorch, does not have."""


class TrainingError(EmulatorError):
    """Training cannot go on: a loss that is not finite, loaders that do not fit the network."""


class TrainingInterrupted(EmulatorError):
    """Training was stopped by a signal after its state was saved; exit code 128 + signal number."""

    def __init__(self, message: str, signum: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signum


class EvaluationError(EmulatorError):
    """A score cannot be computed; no number is reported in its place."""


class TargetError(EmulatorError):
    """A target of estimation is missing, malformed, or cannot be matched as it was asked."""


class SeriesError(EmulatorError):
    """Time series cannot be read, or cannot be made what they are asked to be."""


class EstimationError(EmulatorError):
    """An estimation cannot be done, or came to no end that can be reported."""


class EstimationWarning(UserWarning):
    """An estimate that is not to be relied on as it stands: chains that disagree, too few effective
    draws, an emulator that is not close enough.
    """


class MissingExtraError(EmulatorError):
    """An optional dependency is needed that is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"The package '{package}' is needed here and is not installed. "
            f"Install it with: pip install 'universal-macro-emulator[{extra}]'"
        )
        self.package, self.extra = package, extra

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        """So that it comes back whole from a worker process."""
        return type(self), (self.package, self.extra)


INSIDE = os.path.dirname(__file__) + os.sep
"""Where this package's own files lie."""

TESTS = INSIDE + "tests" + os.sep


def warn(message: str, category: type[Warning]) -> None:
    """Warn at the line outside of this package that asked, however deep inside the matter came up.

    So Python shows the user's own line, and a warning once for each line that brings it up.
    """
    frame = sys._getframe(1)
    level = 2  # `warnings.warn` counts this function as 1
    while frame.f_back is not None and _is_ours(frame.f_code.co_filename):
        frame = frame.f_back
        level += 1
    warnings.warn(message, category, stacklevel=level)


def _is_ours(path: str) -> bool:
    return path.startswith(INSIDE) and not path.startswith(TESTS)


def first_error(error: ValidationError) -> str:
    """The first complaint of a validation: where, what, and the value found there if it is a short
    one.
    """
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part != "[key]")
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "string_pattern_mismatch" and first["ctx"]["pattern"] == NAME_PATTERN:
        message = "expected a name: a letter, then letters, digits and underscores"
    value = repr(first["input"])
    return (
        (f"{where}: " if where else "")
        + message
        + (f" (found {value})" if where and len(value) < 60 else "")
    )


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """The error for a name that is not in a table, with the nearest known names."""
    return UnknownNameError(f"Unknown {kind}: '{name}'. {nearest(name, known)}")


def nearest(name: str, known: Iterable[str]) -> str:
    """'Did you mean ...?' with the nearest of the known names, and the whole list where it is
    short.
    """
    names = sorted(known)
    lower = {known.lower(): known for known in reversed(names)}
    close = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.5)
    hint = f"Did you mean '{lower[close[0]]}'? " if close else ""
    return f"{hint}Known: {', '.join(names)}." if len(names) <= 40 else hint.strip()


def printable(text: str) -> str:
    """A text of somebody else's as it may be shown: the control characters, which a terminal would
    obey, and those that turn the direction of writing are written out (`\\x1b`, `\\u202e`).
    """
    return _CONTROL.sub(_written_out, text)


def _written_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
