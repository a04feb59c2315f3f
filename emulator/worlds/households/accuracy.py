"""What solutions on a grid of assets err by, quarter by quarter, from what it is at a few."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Shares = tuple[float, ...]
"""Shares of a path's peak, by quarter."""

QUARTERS = (0, 1, 2, 4, 8, 16, 40)


def between(measured: Mapping[str, Shares]) -> dict[str, Shares]:
    """Shares in each quarter up to the last of `QUARTERS`, by observable, from those at these: on
    straight lines, which lie above what falls ever more slowly.
    """
    each = np.arange(QUARTERS[-1] + 1)
    return {
        name: tuple(np.interp(each, QUARTERS, shares).tolist()) for name, shares in measured.items()
    }
