"""Dear parts as a network learns them: with the draws that they belong to and what closes them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emulator.closures.closure import Closure


class DearParts(NamedTuple):
    """What is known of a world whose dear part is stored with its data.

    theta (n, P) and responses (n, S, H+1, O): training draws, natural units. group (n,): the part
    that each draw has. values (G, D): the parts. dear: columns of theta that decide them. closure:
    what makes responses of theta and part.
    """

    theta: np.ndarray
    irf: np.ndarray
    group: np.ndarray
    values: np.ndarray
    dear: tuple[int, ...]
    closure: Closure
