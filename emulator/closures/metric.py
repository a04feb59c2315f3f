"""What entries of a dear part count for: how far an error of each block moves the responses.

An error dJ of a block meets the path x that the block answers to, and what it answers goes through
the targets to the responses. To first order the mean square of that is tr(left dJ right dJ'), with
right the second moment of x and left that of what follows. Axes: n draw, K mode, H horizon, O
observable.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emulator.closures.closure import LEAD, Closure, _Closing


class Weights(NamedTuple):
    """Symmetric matrices of one block: `left` (rows, rows) and `right` (K, K)."""

    left: np.ndarray
    right: np.ndarray


def metric(
    closure: Closure, theta: np.ndarray, part: np.ndarray, scale_O: np.ndarray, horizon: int
) -> list[Weights]:
    """Weights of each block at draws (n, P) with their parts (n, D); scale_O: the size of each
    observable's responses, in whose units errors are counted.
    """
    at = _Closing(closure, closure._layout, theta, part)
    layout, paths = at.layout, at._paths()
    solution = at._solution(paths)
    sizes = at._sized(np.ones((len(theta), layout.n_shocks, 1, 1)))[:, None, :, 0, 0]
    uses = {
        operator - LEAD - 1: (row, path)
        for row, terms in enumerate(layout.equations)
        for path, operator, _ in terms
        if operator > LEAD
    }
    by_target = _by_target(at, paths, scale_O, horizon)
    n_modes, first = layout.n_modes, layout.n_defined
    weights = []
    for block, (_, _, rows) in enumerate(layout.places):
        row, path = uses[block]
        answered = at._at(paths[path], solution) * sizes
        right = np.einsum("nks,nls->kl", answered, answered) / answered[:, 0].size
        if layout.in_time[block]:
            left = np.eye(rows) / scale_O[row - first - layout.n_unknown] ** 2
        else:
            own = slice((row - first) * n_modes, (row - first + 1) * n_modes)
            left = by_target[own, own]
        weights.append(Weights(left, right))
    return weights


def _by_target(
    at: _Closing, paths: list[np.ndarray], scale_O: np.ndarray, horizon: int
) -> np.ndarray:
    """The second moment (UK, UK) of what an error of the targets does to all responses."""
    layout, width = at.layout, at.width
    inverse = np.linalg.inv(at._targets(paths)[:, :, :width])
    rows = at.modes[: horizon + 1]
    total = np.zeros(inverse.shape[1:])
    for terms, scale in zip(layout.equations[-layout.n_observed :], scale_O, strict=True):
        response: np.ndarray | float = 0.0
        for path, operator, coefficient in terms:
            value, block = paths[path][:, :, :width], operator - LEAD - 1
            if block >= 0 and layout.in_time[block]:
                value = at.blocks[block][:, : horizon + 1] @ value
            else:
                value = rows @ at._applied(operator, value)
            response = response + at._times(coefficient, value) / scale
        moved = np.asarray(response) @ inverse
        total += np.einsum("nhk,nhl->kl", moved, moved) / len(moved)
    return total
