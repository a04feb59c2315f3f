"""Inner loops of households, compiled by Numba at their first use on a machine and kept there; a
person who waits for it at a terminal is told.
"""

from __future__ import annotations

from typing import Any

from emulator.errors import MissingExtraError

try:
    from numba import njit
    from numba.core import event
except ImportError as error:
    raise MissingExtraError(error.name or "numba", "hank") from None

compiled = njit(cache=True, error_model="numpy")

OURS = "emulator.worlds."


class _Telling(event.Listener):
    """Says once that functions of this package are compiled, where none that was kept can be
    used.
    """

    def __init__(self) -> None:
        self.told = False

    def on_start(self, begun: Any) -> None:
        if self.told or not begun.data["dispatcher"].py_func.__module__.startswith(OURS):
            return
        self.told = True
        from emulator.console import err  # who waits for no compiler needs none

        if err.is_terminal:
            err.print(
                "note: the solver of households is being compiled, which takes up to a minute,"
                " once on this machine.",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )

    def on_end(self, _: Any) -> None:
        pass


TELLING = _Telling()
event.register("numba:compile", TELLING)
