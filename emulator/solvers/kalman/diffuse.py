"""The exact start of the Kalman filter where states have unit roots: nothing is known of their
levels.

The covariance is `kappa P_inf + P` with kappa without bound; series are taken one at a time, so
that no matrix need be inverted that might be singular. Koopman and Durbin (2003,
doi:10.1111/1467-9892.00317); Durbin and Koopman (2012), Time Series Analysis by State Space
Methods, ch. 5.2 and 6.4. `P_inf` is the projection on the invariant subspace of the unit roots
among the states that the next period reads, by an ordered Schur decomposition, as in Dynare; a
series that pins down a level adds the density of its error without the term in kappa.

Axes: N draw, D state, S shock, O series, T period.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from emulator.solvers.kalman.belief import LOG_TWO_PI, Belief
from emulator.solvers.lyapunov import lyapunov

UNIT = 1e-6
"""Roots of a modulus above one minus this count as unit roots, as in Dynare."""

KNOWN = 1e-8
"""Diffuse variance below which a direction counts as known; the projection's own is one."""

NOTHING = 1e-14
"""Variance of an error of prediction, relative to the largest of the states, below which a series
says nothing new.
"""


@dataclass
class _Diffuse:
    """What is known: mean (N, D), finite part (N, D, D) and diffuse part (N, D, D) of the
    covariance.
    """

    mean: np.ndarray
    finite: np.ndarray
    diffuse: np.ndarray


def begin_diffuse(
    belief: Belief, deviations: np.ndarray, answers: np.ndarray
) -> tuple[Belief, int]:
    """What is known once every level is pinned down, and the first period after that; writes the
    log-densities of the periods before it into answers (N, T).
    """
    start = _start(belief)
    period = 0
    while period < deviations.shape[1] and np.abs(start.diffuse).max(initial=0.0) > KNOWN:
        for series in np.flatnonzero(np.isfinite(deviations[0, period])):
            answers[:, period] += _learn(
                start,
                belief.loading[:, series],
                belief.error[:, series],
                deviations[:, period, series],
            )
        start.mean = (belief.onward @ start.mean[..., None])[..., 0]
        start.finite = belief.onward @ start.finite @ belief.back + belief.noise
        start.diffuse = belief.onward @ start.diffuse @ belief.back
        period += 1
    return replace(belief, mean=start.mean[..., None], covariance=start.finite), period


def _start(belief: Belief) -> _Diffuse:
    """Levels of unit roots unknown, the rest as its own distribution has it."""
    a, shock = belief.onward, belief.shock
    read = (a != 0).any(axis=(0, 1))
    start = _Diffuse(np.zeros(a.shape[:2]), np.zeros_like(a), np.zeros_like(a))
    for row in range(len(a)):
        start.finite[row], levels = levels_and_rest(a[row], shock[row], read)
        start.diffuse[row] = levels @ levels.T
    return start


def levels_and_rest(
    a: np.ndarray, shock: np.ndarray, read: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Finite part (D, D) of the covariance at first, and the directions (D, U) of the levels of
    unit roots, whose products are its diffuse part; read (D,): which states the next period reads.

    Among the states that the next period reads, P_inf is a projection; the others follow from the
    states of the period before, which are traced back from today's.
    """
    from scipy.linalg import schur

    triangular, basis, count = schur(a[np.ix_(read, read)], sort=_is_unit)
    unit, rest = basis[:, :count], basis[:, count:]
    growing, mixed, fading = (
        triangular[:count, :count],
        triangular[:count, count:],
        triangular[count:, count:],
    )
    of_unit, of_rest = unit.T @ shock[read], rest.T @ shock[read]
    inner = lyapunov(fading[None], (of_rest @ of_rest.T)[None])[0]
    outer = a[np.ix_(~read, read)]
    back = np.linalg.solve(growing.T, (outer @ unit).T).T if count else np.zeros((len(outer), 0))
    # Of what is not read: back times today's levels, plus this of yesterday's rest and the shocks.
    by_rest, by_shock = outer @ rest - back @ mixed, shock[~read] - back @ of_unit
    finite = np.zeros_like(a)
    finite[np.ix_(read, read)] = rest @ inner @ rest.T
    finite[np.ix_(~read, ~read)] = by_rest @ inner @ by_rest.T + by_shock @ by_shock.T
    across = (by_rest @ inner @ fading.T + by_shock @ of_rest.T) @ rest.T
    finite[np.ix_(~read, read)], finite[np.ix_(read, ~read)] = across, across.T
    levels = np.zeros((len(a), count))
    levels[read], levels[~read] = unit, back
    return finite, levels


def _is_unit(real: float, imaginary: float) -> bool:
    return bool(np.hypot(real, imaginary) > 1 - UNIT)


def _learn(known: _Diffuse, loading: np.ndarray, error: np.ndarray, data: np.ndarray) -> np.ndarray:
    """Take in one series of a period: loading (N, D), error and data (N,); its log-density (N,)."""
    toward_diffuse = (known.diffuse @ loading[..., None])[..., 0]
    toward = (known.finite @ loading[..., None])[..., 0]
    unknown = np.einsum("nd,nd->n", loading, toward_diffuse)
    variance = np.einsum("nd,nd->n", loading, toward) + error
    surprise = data - np.einsum("nd,nd->n", loading, known.mean)
    scale = np.einsum("nd,nd->n", loading, loading)
    pins = unknown > KNOWN * scale
    largest = np.diagonal(known.finite, axis1=1, axis2=2).max(axis=1, initial=0.0)
    level = scale * largest + error
    tells = ~pins & (variance > NOTHING * level)
    by_diffuse = np.where(pins, 1 / unknown, 0.0)[:, None]
    by_finite = np.where(tells, 1 / variance, 0.0)[:, None]
    known.mean = known.mean + surprise[:, None] * (toward_diffuse * by_diffuse + toward * by_finite)
    share = toward_diffuse * by_diffuse
    known.finite = (
        known.finite
        + variance[:, None, None] * _outer(share, share)
        - _outer(share, toward)
        - _outer(toward, share)
        - by_finite[..., None] * _outer(toward, toward)
    )
    known.diffuse = known.diffuse - _outer(share, toward_diffuse)
    of_finite = np.log(variance) + surprise**2 / variance
    density = np.where(pins, np.log(unknown), np.where(tells, of_finite, -LOG_TWO_PI))
    return -0.5 * (density + LOG_TWO_PI)


def _outer(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[:, :, None] * b[:, None, :]
