"""Pruned rules under normal shocks, apart by degree: parts that are uncorrelated at all leads and
lags, since products of normal variables of different degree are (Wiener's chaos).

With v = (x1, e), Omega its variance, :vv: a product less what lower degrees make of it, m2 the mean
of x2 and z = x2 - m2, the state x = x1 + x2 + x3 follows `x' = h x + u` and variables are
`y = G x + u`, whose innovations u have the parts

    degree 1: G_e e + (G2 m2 + 1/2 G3 : Omega + 1/2 g_vss) v + G2 : p
    degree 2: 1/2 G2 : vv
    degree 3: 1/6 G3 : vvv + G2 : q

of carriers that move by themselves, p and q being what x1 z has of first and of third degree:

    x1' = h_v v,  p' = h p h' + (h_v Omega H2) v,  :x1 x1:' = h_v h_v :vv:,
    :x1 x1 x1:' = h_v h_v h_v :vvv:,  q' = (h_v v)(h z + 1/2 H2 : vv), of third degree

At one date covariances of products are sums of products of covariances, so that no covariance of
all products with each other is needed. Janson (1997), Gaussian Hilbert Spaces, Cambridge, ch. 3;
Isserlis (1918), Biometrika 12, 134-139.

Axes: N draw, f row of the rules, s state, k shock, m = s + k.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from emulator.solvers.lyapunov import lyapunov
from emulator.solvers.perturbation.rules import Rules
from emulator.solvers.perturbation.sylvester import along, sylvester


class Part(NamedTuple):
    """Innovations u of one degree: their variance (N, f, f) and, for each carrier, what they have
    of it before the period, `by_carrier` (N, f, s, ..), and their covariances with it after,
    `with_next` (N, f, s, ..). `link` makes of covariances with the first carrier, (N, r, s, ..),
    what they add to those with the second one a period later.
    """

    variance: np.ndarray
    by_carrier: tuple[np.ndarray, ...]
    with_next: tuple[np.ndarray, ...]
    link: Callable[[np.ndarray], np.ndarray] | None = None


class States(NamedTuple):
    """What carriers are made of: the states' rules without unit roots; h (N, s, s), h_v (N, s, m);
    omega (N, m, m) and mean (N, s), those of v and of x2.
    """

    rules: Rules
    h: np.ndarray
    h_v: np.ndarray
    omega: np.ndarray
    mean: np.ndarray

    @classmethod
    def of(cls, rules: Rules, omega: np.ndarray, mean: np.ndarray) -> States:
        return cls(rules, rules.first[:, :, : rules.n_states], rules.first, omega, mean)

    @property
    def size(self) -> int:
        return self.rules.n_states


def parts_of(rules: Rules, states: States) -> list[Part]:
    """The parts of the innovations of rules (f rows)."""
    if rules.third is None:
        return [_linear(rules, states), _quadratic(rules, states)]
    p = _First.of(states)
    return [
        _first(rules, states, p),
        _quadratic(rules, states),
        _cubic(rules, states, p),
    ]


def _linear(rules: Rules, states: States) -> Part:
    """Degree 1 at second order: the shocks themselves."""
    impact = rules.first[:, :, states.size :]
    return Part(impact @ impact.swapaxes(1, 2), (), ())


class _First(NamedTuple):
    """p, the part of first degree of x1 z, axes (x1, z): what v adds to it, `by_v` (N, s, s, m);
    its covariances with x1 (N, s, s, s) and with itself (N, s, s, s, s).
    """

    by_v: np.ndarray
    with_x: np.ndarray
    variance: np.ndarray

    @classmethod
    def of(cls, states: States) -> _First:
        n, size = states.h.shape[:2]
        h_omega = states.h_v @ states.omega
        by_v = np.einsum("nkb,njbw->nkjw", h_omega, states.rules.second, optimize=True)
        new = by_v @ h_omega.swapaxes(1, 2)[:, None]
        with_x = _summed(new, states, 3)
        by_x = by_v[..., :size].reshape(n, size * size, size)
        mixed = (_moved(with_x, states, 2).reshape(n, -1, size)) @ by_x.swapaxes(1, 2)
        flat = by_v.reshape(n, size * size, -1)
        own = flat @ states.omega @ flat.swapaxes(1, 2) + mixed + mixed.swapaxes(1, 2)
        variance = _summed(own.reshape(n, *(size,) * 4), states, 4)
        return cls(by_v, with_x, variance)


def _summed(new: np.ndarray, states: States, order: int) -> np.ndarray:
    """X of `X = (h x .. x h) X + new`, X and new (N, s, .., s)."""
    alone = np.ones((len(new), 1, 1))
    return sylvester(alone, new[:, None], _turned(states.h), order)[:, 0]


def _moved(x: np.ndarray, states: States, order: int) -> np.ndarray:
    """x (N, s, .., s) with its first `order` axes moved by h."""
    n, size = states.h.shape[:2]
    rows = x.reshape(n, size**order, -1).swapaxes(1, 2)
    moved = along(rows.reshape(n, -1, *(size,) * order), _turned(states.h), order)
    return moved.reshape(n, -1, size**order).swapaxes(1, 2).reshape(x.shape)


def _turned(matrix: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(matrix.swapaxes(1, 2))


def _flat(stack: np.ndarray) -> np.ndarray:
    """The axes after the first two as one."""
    return stack.reshape(*stack.shape[:2], -1)


def _times(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(N, f, r) of left (N, f, ..) and right (N, r, ..): sums over all that follows."""
    return _flat(left) @ _flat(right).swapaxes(1, 2)


def _first(rules: Rules, states: States, p: _First) -> Part:
    size = states.size
    third, slope = rules.third, rules.risk_slope
    assert third is not None  # at third order
    assert slope is not None
    by_v = 0.5 * np.einsum("nfabc,nbc->nfa", third, states.omega, optimize=True) + 0.5 * slope
    by_v += (rules.second[:, :, :, :size] @ states.mean[:, None, :, None])[..., 0]
    by_v[:, :, size:] += rules.first[:, :, size:]
    by_p = rules.second[:, :, :size, :size]
    with_v = by_v @ states.omega
    with_v[:, :, :size] += _times(by_p, np.moveaxis(p.with_x, 3, 1))
    flat = p.with_x.reshape(len(by_v), size * size, size)
    with_p = by_v[:, :, :size] @ flat.swapaxes(1, 2) + _flat(by_p) @ p.variance.reshape(
        len(by_v), size * size, -1
    )
    added = np.ascontiguousarray(p.by_v.reshape(len(by_v), size * size, -1).swapaxes(1, 2))
    shape = (len(by_v), -1, size, size)
    next_p = along(with_p.reshape(shape), _turned(states.h), 2)
    return Part(
        variance=with_v @ by_v.swapaxes(1, 2) + with_p @ _flat(by_p).swapaxes(1, 2),
        by_carrier=(by_v[:, :, :size], by_p),
        with_next=(
            with_v @ states.h_v.swapaxes(1, 2),
            next_p + (with_v @ added).reshape(shape),
        ),
        link=lambda x: (x @ added[:, :size]).reshape(len(x), -1, size, size),
    )


def _quadratic(rules: Rules, states: States) -> Part:
    size = states.size
    products = along(rules.second, states.omega, 2)
    by_states = np.ascontiguousarray(0.5 * rules.second[:, :, :size, :size])
    return Part(
        variance=0.5 * _times(products, rules.second),
        by_carrier=(by_states,),
        with_next=(along(products, _turned(states.h_v), 2),),
    )


def _cubic(rules: Rules, states: States, p: _First) -> Part:
    """The covariances of u with :vvv:, (N, f, m, m, m), and with v z, (N, f, m, s), first."""
    n, size = states.h.shape[:2]
    third, omega = rules.third, states.omega
    assert third is not None  # at third order
    with_pairs, of_second = _of_second(states)
    by_q = rules.second[:, :, :, :size]
    crossed = omega[:, None] @ by_q
    triples = along(third, omega, 3)
    placed = (_flat_last(crossed) @ with_pairs.reshape(n, size, -1)).reshape(
        n, -1, omega.shape[1], size, size
    )
    triples[:, :, :, :size, :size] += placed
    triples[:, :, :size, :, :size] += placed.transpose(0, 1, 3, 2, 4)
    triples[:, :, :size, :size, :] += placed.transpose(0, 1, 3, 4, 2)

    pairs = third[:, :, :, :size, :size].reshape(n, -1, size * size)
    mixed = 0.5 * (pairs @ with_pairs.reshape(n, size, -1).swapaxes(1, 2))
    mixed = omega[:, None] @ mixed.reshape(n, -1, omega.shape[1], size)
    mixed += crossed @ of_second[:, None]
    swapped = np.ascontiguousarray(p.variance.transpose(0, 3, 2, 1, 4))  # (b, l, a, j)
    own = np.ascontiguousarray(by_q[:, :, :size]).reshape(n, -1, size * size)
    mixed[:, :, :size] += (own @ swapped.reshape(n, size * size, -1)).reshape(n, -1, size, size)

    half = 0.5 * states.rules.second.reshape(n, size, -1)
    h_v = states.h_v
    onward = h_v[:, None] @ (mixed @ _turned(states.h)[:, None])
    squares = triples.reshape(n, -1, half.shape[2]) @ half.swapaxes(1, 2)
    onward += h_v[:, None] @ squares.reshape(n, -1, omega.shape[1], size)
    own_half = np.ascontiguousarray(
        0.5 * states.rules.second[:, :, :size, :size].reshape(n, size, -1).swapaxes(1, 2)
    )

    def link(x: np.ndarray) -> np.ndarray:
        joined = x.reshape(n, -1, size * size) @ own_half
        return states.h[:, None] @ joined.reshape(n, -1, size, size)

    return Part(
        variance=_times(triples, third) / 6 + _times(mixed, by_q),
        by_carrier=(third[:, :, :size, :size, :size] / 6, by_q[:, :, :size]),
        with_next=(along(triples, _turned(h_v), 3), onward),
        link=link,
    )


def _flat_last(stack: np.ndarray) -> np.ndarray:
    """(N, a, b, c) as (N, a b, c)."""
    return stack.reshape(len(stack), -1, stack.shape[-1])


def _of_second(states: States) -> tuple[np.ndarray, np.ndarray]:
    """Covariances of z with :x1 x1: (N, s, s, s) and with itself (N, s, s)."""
    part = _quadratic(states.rules, states)
    with_pairs = sylvester(states.h, part.with_next[0], _turned(states.h), 2)
    mixed = states.h @ _times(with_pairs, part.by_carrier[0])
    return with_pairs, lyapunov(states.h, part.variance + mixed + mixed.swapaxes(1, 2))
