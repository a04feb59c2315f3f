"""Which parameters the data can tell apart at all, however long they are, at one point.

Two Jacobians by the free parameters: of the series' means and autocovariances (Iskrev 2010,
doi:10.1016/j.jmoneco.2009.12.007), and of their spectrum at all frequencies (Qu and Tkachenko 2012,
doi:10.3982/QE126). Where one has less than full rank, directions in its null space leave the
distribution of the data as it is, and the parameters in them cannot be told apart. Where it has
full rank and is nearly singular, they are told apart weakly.

Axes: F free parameter, V series, K lag, W frequency, M moment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from emulator.errors import ParameterError
from emulator.estimation.full_information.density import DataDensity
from emulator.estimation.full_information.mode import Mode
from emulator.inference.likelihood.second_moments import SecondMoments, second_moments

STEP = 1e-3
"""Half width of differences, in standard deviations of the prior."""

SINGULAR = 1e-6
"""Singular value, by the largest, of a Jacobian with columns of length one, below which it counts
as zero; differences err by less.
"""

WEAK = 1e-3
"""The same below which parameters are told apart weakly."""

PART = 0.15
"""Weight in a direction from which a parameter counts as a part of it."""


@dataclass(frozen=True)
class Identification:
    """Ranks of the Jacobians of moments and spectrum by the free parameters, names; at `values`.

    ranks: -1 where nothing is known; groups: sets of parameters that cannot be told apart, of one a
    parameter that moves nothing; weak: sets that are told apart weakly; strength (F,): smallest
    relative change of the moments that a parameter makes if the others may answer, NaN where
    nothing is known.
    """

    names: tuple[str, ...]
    rank_of_moments: int
    rank_of_spectrum: int
    groups: tuple[tuple[str, ...], ...]
    weak: tuple[tuple[str, ...], ...]
    strength: np.ndarray

    @property
    def known(self) -> bool:
        """Whether there are Jacobians."""
        return self.rank_of_moments >= 0

    @property
    def identified(self) -> np.ndarray:
        """Which parameters (F,) are in no group."""
        lost = {name for group in self.groups for name in group}
        return np.array([name not in lost for name in self.names])

    @property
    def complaints(self) -> list[str]:
        """What cannot be told apart, in words; empty where everything can."""
        words = [
            f"{group[0]} moves nothing that is observed: its posterior is its prior"
            for group in self.groups
            if len(group) == 1
        ]
        words += [
            f"{', '.join(group)} cannot be told apart by these series, however long they are: the"
            " prior decides between them"
            for group in self.groups
            if len(group) > 1
        ]
        return words

    def table(self) -> pd.DataFrame:
        """A row a parameter: whether it is identified, with which it is confused, its strength."""
        partners = []
        for name in self.names:
            groups = [g for g in (*self.groups, *self.weak) if name in g]
            partners.append(
                ", ".join(other for other in (groups[0] if groups else ()) if other != name)
            )
        return pd.DataFrame(
            {"identified": self.identified, "confused_with": partners, "strength": self.strength},
            index=pd.Index(self.names, name="parameter"),
        )


def identification(density: DataDensity, mode: Mode) -> Identification:
    """At the mode, by central differences, one-sided where a neighbour has no solution; nothing is
    known where the series have no moments.
    """
    prior = density.prior
    theta = mode.theta[None]
    steps = STEP * prior.sd
    size = len(steps)
    rows = np.repeat(theta, 2 * size, axis=0)
    for k, column in enumerate(prior.free):
        rows[2 * k, column] += steps[k]
        rows[2 * k + 1, column] -= steps[k]
    if density.follow is not None:
        rows = density.follow(rows)
    try:
        there = second_moments(density.likelihood, np.concatenate([theta, rows]))
    except ParameterError:
        return _unknown(prior.names)
    scales = prior.sd
    by_moments = _jacobian(_moments(there), steps, scales)
    by_spectrum = _jacobian(_spectrum(there), steps, scales)
    if not (np.isfinite(by_moments).all() and np.isfinite(by_spectrum).all()):
        return _unknown(prior.names)
    groups, weak, rank = _confused(by_moments, prior.names)
    return Identification(
        names=prior.names,
        rank_of_moments=rank,
        rank_of_spectrum=_confused(by_spectrum, prior.names)[2],
        groups=groups,
        weak=weak,
        strength=_strength(by_moments),
    )


def _unknown(names: tuple[str, ...]) -> Identification:
    return Identification(names, -1, -1, (), (), np.full(len(names), np.nan))


def _moments(there: SecondMoments) -> np.ndarray:
    """(n, M), each by its standard deviations."""
    sd = np.sqrt(np.einsum("nvv->nv", there.autocovariances[:1, 0]))
    both = sd[:, None, :, None] * sd[:, None, None, :]
    flat = (there.autocovariances / both).reshape(len(there.means), -1)
    return np.concatenate([there.means / sd, there.slopes / sd, flat], axis=1)


def _spectrum(there: SecondMoments) -> np.ndarray:
    """(n, M): real and imaginary parts, by the variances of the series: at a single frequency the
    spectrum may be zero, as that of a difference at zero.
    """
    size = np.sqrt(np.einsum("nvv->nv", there.autocovariances[:1, 0]))[:, None]
    scaled = (there.spectrum / (size[:, :, :, None] * size[:, :, None, :])).reshape(
        len(there.means), -1
    )
    sd = np.sqrt(np.einsum("nvv->nv", there.autocovariances[:1, 0]))
    return np.concatenate([there.means / sd, there.slopes / sd, scaled.real, scaled.imag], axis=1)


def _jacobian(rows: np.ndarray, steps: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Derivatives (M, F) by the parameters, in standard deviations of the prior."""
    there = np.isfinite(rows).all(axis=1)
    ends = np.where(there[:, None], rows, rows[0])
    sides = there[1::2].astype(float) + there[2::2]
    with np.errstate(invalid="ignore", divide="ignore"):
        slopes = (ends[1::2] - ends[2::2]) / (sides * steps)[:, None]
    return (slopes * scales[:, None]).T


def _confused(
    jacobian: np.ndarray, names: tuple[str, ...]
) -> tuple[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...], int]:
    """Groups that cannot be told apart, those that weakly can, and the rank."""
    length = np.linalg.norm(jacobian, axis=0)
    moves = length > SINGULAR * max(length.max(initial=0.0), 1e-300)
    alone = [(name,) for name, there in zip(names, moves, strict=True) if not there]
    columns = np.flatnonzero(moves)
    if len(columns) == 0:
        return tuple(alone), (), 0
    _, values, directions = np.linalg.svd(
        jacobian[:, columns] / length[columns], full_matrices=False
    )
    shares = values / values[0]
    null = shares < SINGULAR
    groups = _groups(directions[null], [names[k] for k in columns])
    weak = _groups(directions[(shares < WEAK) & ~null], [names[k] for k in columns])
    return (*alone, *groups), tuple(weak), int((~null).sum())


def _groups(directions: np.ndarray, names: list[str]) -> list[tuple[str, ...]]:
    """Sets of names that directions (k, F) join, those that overlap as one."""
    groups: list[set[str]] = []
    for direction in directions:
        group = {
            name for name, weight in zip(names, np.abs(direction), strict=True) if weight > PART
        }
        joined = [g for g in groups if g & group]
        groups = [g for g in groups if not g & group] + [group.union(*joined)]
    return [tuple(name for name in names if name in group) for group in groups]


def _strength(jacobian: np.ndarray) -> np.ndarray:
    """Of each column (F,): length of what is left of it once the others are projected out, by the
    standard deviation of the prior.
    """
    information = jacobian.T @ jacobian
    roots, vectors = np.linalg.eigh(information)
    floor = max(float(roots[-1]), 1e-300) * 1e-14
    inverse = (vectors / np.maximum(roots, floor)) @ vectors.T
    return 1 / np.sqrt(np.diag(inverse))
