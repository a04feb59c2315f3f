"""What can go wrong in this room: errors that end an estimation, warnings that a reader of its
result has to know.
"""

from __future__ import annotations

from emulator.errors import EmulatorError


class TargetError(EmulatorError):
    """A target of estimation is missing, malformed, or cannot be matched as it was asked."""


class EstimationError(EmulatorError):
    """An estimation cannot be done, or came to no end that can be reported."""


class EstimationWarning(UserWarning):
    """An estimate that is not to be relied on as it stands: chains that disagree, too few effective
    draws, an emulator that is not close enough.
    """
