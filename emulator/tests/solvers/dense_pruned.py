"""The pruned rules as one linear recursion, from which all second moments follow: how moments were
found before, and what those of `emulator.solvers.perturbation.moments` are compared with.

The states of second order, their own products, and at third order the products with these, follow a
linear recursion whose innovations are products of states and shocks. These are uncorrelated over
time, and their covariance is known where shocks are normal. So a pruned model of second or third
order has theoretical moments, by the same equations as a linear one.
Andreasen, Fernandez-Villaverde and Rubio-Ramirez (2018), Review of Economic Studies 85, 1-49,
sections 3 and 4, doi:10.1093/restud/rdx037.

The parts of the state are x1, x2, the pairs of x1 and, at third order, x3, x1 x2, the triples of
x1; those of the innovations e, x1 e, the pairs of e less their means and, at third order, x2 e,
pairs of x1 times e, x1 times the pairs of e, the triples of e. A row is a mapping of parts to
coefficients (N, ..). Axes: N draw, n variable, s state, k shock, O observable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import combinations_with_replacement, product

import numpy as np

from emulator.solvers.lyapunov import lyapunov
from emulator.solvers.perturbation.pruned import at_rest
from emulator.solvers.perturbation.responses import variance_of_first
from emulator.solvers.perturbation.rules import Rules
from emulator.solvers.perturbation.unit_roots import apart
from emulator.solvers.second_moments import Recursion

STATES = {2: ("x1", "x2", "xx"), 3: ("x1", "x2", "xx", "x3", "x1x2", "xxx")}
SHOCKS = {
    2: ("e", "x1e", "ee"),
    3: ("e", "x1e", "ee", "x2e", "xxe", "x1ee", "eee"),
}

Row = Mapping[str, np.ndarray]
"""Coefficients (N, rows, width) of each part that counts; "1" (N, rows) is the constant."""


def mean_and_recursion(rules: Rules) -> tuple[np.ndarray, Recursion, np.ndarray]:
    """Means (N, O) as deviations from the deterministic steady state; the recursion of the
    deviations from them, whose shocks are uncorrelated and of standard deviation one; and which
    variables (N, O) it holds for: those that are linear in the unit roots of the states.

    The recursion has these unit roots itself. The mean of a variable that they move is none.
    """
    rules, still, linear = apart(rules)
    own = rules.of_states
    assert own is not None  # as it was
    widths = _widths(own)
    observed = _own(rules)
    stable = _state_rows(still)
    rows = stable | {f"x{k}": term for k, term in _terms(own).items()}
    omega = variance_of_first(still)[:, : own.n_states, : own.n_states]
    pairs_mean = omega[:, *combinations(own.n_states, 2).T]
    with np.errstate(all="ignore"):
        mean = at_rest(still, _constant(stable["x2"], {"xx": pairs_mean}))
        means = {"x2": mean, "xx": pairs_mean}
        root = _innovations(still, stable, omega, means)
        states, shocks = STATES[rules.order], SHOCKS[rules.order]
        a = np.concatenate([_joined(rows[part], states, widths) for part in states], axis=1)
        b = np.concatenate([_joined(rows[part], shocks, widths) for part in states], axis=1)
        g, h = (_joined(observed, parts, widths) for parts in (states, shocks))
        return _constant(observed, means), Recursion(a, b @ root, g, h @ root), linear


def _widths(own: Rules) -> dict[str, int]:
    s, k = own.n_states, own.n_shocks
    pairs, of_shocks = len(combinations(s, 2)), len(combinations(k, 2))
    return {
        "x1": s,
        "x2": s,
        "x3": s,
        "xx": pairs,
        "x1x2": s * s,
        "xxx": len(combinations(s, 3)),
        "e": k,
        "x1e": s * k,
        "ee": of_shocks,
        "x2e": s * k,
        "xxe": pairs * k,
        "x1ee": s * of_shocks,
        "eee": len(combinations(k, 3)),
    }


def _joined(row: Row, parts: Sequence[str], widths: Mapping[str, int]) -> np.ndarray:
    """The coefficients of all parts side by side, (N, rows, width)."""
    shape = next(iter(row.values())).shape[:2]
    return np.concatenate(
        [
            row[part].reshape(*shape, -1) if part in row else np.zeros((*shape, widths[part]))
            for part in parts
        ],
        axis=2,
    )


def _constant(row: Row, means: Mapping[str, np.ndarray]) -> np.ndarray:
    """The mean (N, rows) of what a row adds up, by the means (N, width) of its parts."""
    total = row["1"]
    for part, mean in means.items():
        if part in row:
            total = total + (row[part] @ mean[:, :, None])[:, :, 0]
    return total


def _terms(rules: Rules) -> dict[int, dict[str, np.ndarray]]:
    """The rows of y1, y2 and y3."""
    s = rules.n_states
    by_x, by_e = rules.first[:, :, :s], rules.first[:, :, s:]
    second = rules.second
    of_shocks = second[:, :, s:, s:]
    constant = 0.5 * (np.einsum("nikk->ni", of_shocks) + rules.risk)
    terms = {
        1: {"x1": by_x, "e": by_e},
        2: {
            "1": constant,
            "x2": by_x,
            "xx": 0.5 * folded(second[:, :, :s, :s], 2),
            "x1e": second[:, :, :s, s:],
            "ee": 0.5 * folded(of_shocks, 2),
        },
    }
    third, slope = rules.third, rules.risk_slope
    if third is None or slope is None:
        return terms
    mixed = third[:, :, :s, s:, s:]
    pairs = folded(third[:, :, :s, :s, s:].transpose(0, 1, 4, 2, 3), 2).swapaxes(2, 3)
    terms[3] = {
        "x3": by_x,
        "x1x2": second[:, :, :s, :s],
        "x2e": second[:, :, :s, s:],
        "xxx": folded(third[:, :, :s, :s, :s], 3) / 6,
        "xxe": 0.5 * pairs,
        "x1ee": 0.5 * folded(mixed, 2),
        "x1": 0.5 * (np.einsum("nijkk->nij", mixed) + slope[:, :, :s]),
        "eee": folded(third[:, :, s:, s:, s:], 3) / 6,
        "e": 0.5 * slope[:, :, s:],
    }
    return terms


def _own(rules: Rules) -> dict[str, np.ndarray]:
    """The row of the variables: the sum of their terms."""
    total: dict[str, np.ndarray] = {}
    for term in _terms(rules).values():
        for part, coefficients in term.items():
            total[part] = total[part] + coefficients if part in total else coefficients
    return total


def _state_rows(own: Rules) -> dict[str, dict[str, np.ndarray]]:
    terms = _terms(own)
    h, impact = terms[1]["x1"], terms[1]["e"]
    rows = {"x1": terms[1], "x2": terms[2], "xx": _pairs(h, impact)}
    if own.order == 3:
        rows |= {"x3": terms[3], "x1x2": _mixed(own), "xxx": _triples(h, impact)}
    return rows


def _pairs(h: np.ndarray, impact: np.ndarray) -> dict[str, np.ndarray]:
    """x1' x1' of x1' = h x1 + impact e."""
    i, j = combinations(h.shape[1], 2).T
    both = impact[:, i, :, None] * impact[:, j, None, :]
    return {
        "1": np.einsum("nikk->ni", both),
        "xx": folded(h[:, i, :, None] * h[:, j, None, :], 2),
        "x1e": h[:, i, :, None] * impact[:, j, None, :] + h[:, j, :, None] * impact[:, i, None, :],
        "ee": folded(both, 2),
    }


def _mixed(own: Rules) -> dict[str, np.ndarray]:
    """x1' x2', each state with each."""
    s, n = own.n_states, len(own.first)
    h, impact = own.first[:, :, :s], own.first[:, :, s:]
    xx = 0.5 * own.second[:, :, :s, :s]
    xe, ee = own.second[:, :, :s, s:], 0.5 * own.second[:, :, s:, s:]
    constant = np.einsum("nikk->ni", ee) + 0.5 * own.risk

    def each(formula: str, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Coefficients of all pairs (i, j) of rows, (N, i j, ..)."""
        joined = np.einsum(formula, left, right)
        return joined.reshape(n, s * s, *joined.shape[3:])

    shocks = each("nik,njal->nijakl", impact, xe)
    with_pairs = each("nia,njbk->nijkab", h, xe) + each("nik,njab->nijkab", impact, xx)
    return {
        "x1x2": each("nia,njb->nijab", h, h),
        "xxx": folded(each("nia,njbc->nijabc", h, xx), 3),
        "xxe": folded(with_pairs, 2).swapaxes(2, 3),
        "x1ee": folded(each("nia,njkl->nijakl", h, ee) + shocks, 2),
        "x1": each("nia,nj->nija", h, constant) + np.einsum("npakk->npa", shocks),
        "x2e": each("nik,njb->nijbk", impact, h),
        "eee": folded(each("nik,njlm->nijklm", impact, ee), 3),
        "e": each("nik,nj->nijk", impact, 0.5 * own.risk),
    }


def _triples(h: np.ndarray, impact: np.ndarray) -> dict[str, np.ndarray]:
    """x1' x1' x1' of x1' = h x1 + impact e."""
    triple = combinations(h.shape[1], 3)
    rows = [(h[:, k], impact[:, k]) for k in triple.T]
    (hi, ei), (hj, ej), (hl, el) = rows
    with_pairs: np.ndarray | float = 0.0
    with_shocks: np.ndarray | float = 0.0
    for k in range(3):
        (a, _), (b, _), (_, e) = (rows[(k + shift) % 3] for shift in range(3))
        with_pairs = with_pairs + np.einsum("nqa,nqb,nqk->nqkab", a, b, e)
        (a, _), (_, d), (_, e) = (rows[(k + shift) % 3] for shift in range(3))
        with_shocks = with_shocks + np.einsum("nqa,nqk,nql->nqakl", a, d, e)
    shocks = np.asarray(with_shocks)
    return {
        "xxx": folded(np.einsum("nqa,nqb,nqc->nqabc", hi, hj, hl), 3),
        "xxe": folded(np.asarray(with_pairs), 2).swapaxes(2, 3),
        "x1ee": folded(shocks, 2),
        "x1": np.einsum("nqakk->nqa", shocks),
        "eee": folded(np.einsum("nqk,nql,nqm->nqklm", ei, ej, el), 3),
    }


def _innovations(
    own: Rules,
    rows: Mapping[str, Row],
    omega: np.ndarray,
    means: Mapping[str, np.ndarray],
) -> np.ndarray:
    """A root of the covariance of all innovations, in the sequence of `SHOCKS`."""
    s, k = own.n_states, own.n_shocks
    n = len(omega)
    i, j = combinations(k, 2).T
    of_pairs = np.where(i == j, 2.0, 1.0)
    states = np.zeros((n, 1 + s, 1 + s))
    states[:, 0, 0] = 1.0
    states[:, 1:, 1:] = omega
    parts = {"ee": np.broadcast_to(np.diag(of_pairs), (n, len(i), len(i)))}
    if own.order == 2:
        blocks = [(("e", "x1e"), _kronecker(states, k)), (("ee",), parts["ee"])]
        return _root(blocks, SHOCKS[2], _widths(own))
    multipliers = _raw_moments(own, rows, omega, means)
    linear = _kronecker(multipliers, k)
    of_single, of_triples = standard_moments(k)
    crossed = (multipliers[:, :, :1, None] * of_single[None, None]).reshape(
        n, -1, of_triples.shape[0]
    )
    top = np.concatenate([linear, crossed], axis=2)
    bottom = np.concatenate(
        [crossed.swapaxes(1, 2), np.broadcast_to(of_triples, (n, *of_triples.shape))], axis=2
    )
    odd = np.concatenate([top, bottom], axis=1)
    pairs = np.einsum("nab,kl->nakbl", states, np.diag(of_pairs))
    pairs = pairs.reshape(n, (1 + s) * len(i), -1)
    blocks = [(("e", "x1e", "x2e", "xxe", "eee"), odd), (("ee", "x1ee"), pairs)]
    return _root(blocks, SHOCKS[3], _widths(own))


def _raw_moments(
    own: Rules, rows: Mapping[str, Row], omega: np.ndarray, means: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Means of all products of (1, x1, x2, pairs of x1), (N, 1 + 2 s + P, same)."""
    n, s, k = len(omega), own.n_states, own.n_shocks
    even, widths = ("x2", "xx"), _widths(own)
    a = np.concatenate([_joined(rows[part], even, widths) for part in even], axis=1)
    b = np.concatenate([_joined(rows[part], ("x1e", "ee"), widths) for part in even], axis=1)
    i, j = combinations(k, 2).T
    spread = np.zeros((n, b.shape[2], b.shape[2]))
    spread[:, : s * k, : s * k] = _kronecker(omega, k)
    at = np.arange(s * k, b.shape[2])
    spread[:, at, at] = np.where(i == j, 2.0, 1.0)
    covariance = lyapunov(a, b @ spread @ b.swapaxes(1, 2))
    covariance[:, s:, s:] = normal_pairs(omega)
    mean = np.concatenate([means["x2"], means["xx"]], axis=1)
    size = 1 + 2 * s + mean.shape[1] - s
    moments = np.zeros((n, size, size))
    moments[:, 0, 0] = 1.0
    moments[:, 1 : 1 + s, 1 : 1 + s] = omega
    rest = slice(1 + s, None)
    moments[:, 0, rest] = moments[:, rest, 0] = mean
    moments[:, rest, rest] = covariance + mean[:, :, None] * mean[:, None, :]
    return moments


def _kronecker(left: np.ndarray, shocks: int) -> np.ndarray:
    """The covariance of products of variables, with moments left (N, a, a), and independent
    shocks.
    """
    n, size, _ = left.shape
    joined = np.einsum("nab,kl->nakbl", left, np.eye(shocks))
    return joined.reshape(n, size * shocks, size * shocks)


def _root(
    blocks: Sequence[tuple[Sequence[str], np.ndarray]],
    order: Sequence[str],
    widths: Mapping[str, int],
) -> np.ndarray:
    """A root (N, q, q) of the block-diagonal covariance of innovations, rows in the sequence of
    `order`.
    """
    begin = dict(zip(order, np.cumsum([0, *(widths[part] for part in order)]), strict=False))
    n, total = len(blocks[0][1]), sum(widths[part] for part in order)
    root = np.zeros((n, total, total))
    column = 0
    for parts, covariance in blocks:
        rows = np.concatenate([begin[part] + np.arange(widths[part]) for part in parts])
        columns = column + np.arange(len(rows))
        root[:, rows[:, None], columns[None]] = _symmetric_root(covariance)
        column += len(rows)
    return root


def _symmetric_root(matrix: np.ndarray) -> np.ndarray:
    """R with `R R' = matrix` (N, q, q), a covariance that may be singular; NaN where it is not
    finite.
    """
    finite = np.isfinite(matrix).all(axis=(1, 2))
    roots = np.full(matrix.shape, np.nan)
    if finite.any():
        values, vectors = np.linalg.eigh(matrix[finite])
        roots[finite] = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
    return roots


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
