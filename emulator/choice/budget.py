"""How much processor time a choice may take, as text and as a meter."""

from __future__ import annotations

import re
import time

from emulator.errors import ConfigError

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_AMOUNT = re.compile(r"(?:\d+(?:\.\d+)?[smh])+")
LARGEST = 1e7


def seconds(budget: str | float) -> float:
    """Processor time in seconds, from a number of them or a text such as `90s`, `10m`, `1h30m`.

    Raises `ConfigError`.
    """
    if isinstance(budget, str):
        text = budget.strip().lower()
        if not _AMOUNT.fullmatch(text):
            raise ConfigError(
                f"The budget is '{budget:.50}'; expected processor time with its unit, such as 90s,"
                " 10m or 1h30m."
            )
        parts = re.findall(r"(\d+(?:\.\d+)?)([smh])", text)
        amount = sum(float(number) * UNITS[unit] for number, unit in parts)
    else:
        amount = float(budget)
    if not 0 < amount <= LARGEST:
        raise ConfigError(
            f"The budget is {budget}; expected more than none and at most {LARGEST:g} seconds of"
            " processor time."
        )
    return amount


def in_words(amount: float) -> str:
    """Seconds as a table shows them."""
    return f"{amount:.1f} s" if amount < 100 else f"{amount / 60:.1f} min"


class Meter:
    """Processor time of this process, and of the interrupted ones that it goes on from."""

    def __init__(self, budget: float, spent: float = 0.0) -> None:
        self.budget = budget
        self._zero = time.process_time() - spent

    @property
    def spent(self) -> float:
        return time.process_time() - self._zero

    @property
    def left(self) -> float:
        return self.budget - self.spent
