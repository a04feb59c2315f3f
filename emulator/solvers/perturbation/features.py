"""Products of states and shocks that a pruned system moves linearly, each product once.

Axes: N draw, s state, k shock, m = s + k; P pairs (i <= j), Q triples (i <= j <= l).
"""

from __future__ import annotations

from functools import cache
from itertools import combinations_with_replacement, product

import numpy as np


@cache
def combinations(size: int, order: int) -> np.ndarray:
    """Positions (P, order) of the products of `order` of so many variables, each product once."""
    listed = list(combinations_with_replacement(range(size), order))
    return np.array(listed, dtype=int).reshape(len(listed), order)


@cache
def _folding(size: int, order: int) -> tuple[np.ndarray, np.ndarray]:
    """The order in which entries of a form (size, ..) stand by product, and where each begins."""
    where = {tuple(row): k for k, row in enumerate(combinations(size, order).tolist())}
    places = product(range(size), repeat=order)
    belongs = np.array([where[tuple(sorted(place))] for place in places], dtype=int)
    by_product = np.argsort(belongs, kind="stable")
    return by_product, np.searchsorted(belongs[by_product], np.arange(len(where)))


def folded(form: np.ndarray, order: int) -> np.ndarray:
    """The coefficients (.., P) of each product of a form (.., size, .., size), `order` times."""
    lead, size = form.shape[: form.ndim - order], form.shape[-1]
    flat = form.reshape(*lead, -1)
    if not flat.shape[-1]:
        return flat
    by_product, begins = _folding(size, order)
    return np.asarray(np.add.reduceat(flat[..., by_product], begins, axis=-1))


def normal_pairs(variance: np.ndarray) -> np.ndarray:
    """Covariances (N, P, P) of the products of pairs of normal variables, variance (N, s, s): those
    of i j with k l are `ik jl + il jk` (Isserlis 1918, Biometrika 12, 134-139).
    """
    i, j = combinations(variance.shape[1], 2).T
    return variance[:, i][:, :, i] * variance[:, j][:, :, j] + (
        variance[:, i][:, :, j] * variance[:, j][:, :, i]
    )


@cache
def standard_moments(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Moments of independent standard normal variables: of each with each product of three,
    (size, Q), and of products of three with each other, (Q, Q).
    """
    triples = combinations(size, 3)
    powers = np.stack([(triples == k).sum(axis=1) for k in range(size)], axis=1)
    single = np.eye(size, dtype=int)
    return _expected(single, powers), _expected(powers, powers)


NORMAL = np.array([1.0, 0.0, 1.0, 0.0, 3.0, 0.0, 15.0])
"""Moments of a standard normal variable, by the power."""


def _expected(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Means of products of powers (a, size) and (b, size): (a, b)."""
    return np.asarray(NORMAL[left[:, None] + right[None]].prod(axis=2))
