"""Linear systems of the households of `hank2`, by GMRES (Saad and Schultz 1986,
doi:10.1137/0907058), compiled by Numba. Axes: E skill, B liquid asset, A illiquid asset.
"""

from __future__ import annotations

import numpy as np

from emulator.worlds.hank2.derivative import (
    Slopes,
    apply,
)
from emulator.worlds.hank2.kernels import (
    Choices,
    Endogenous,
    Lottery,
    Problem,
    expect,
)
from emulator.worlds.households.compiled import compiled

BASIS = 60
"""Vectors between two restarts."""
MOST_RESTARTS = 40
STEPS = 8
"""Steps back for each vector: what moves fast in them need not be told apart by vectors, whose
products with each other cost more than steps do.
"""
LOST = 0.1
"""Vectors are made orthogonal again where no more than this share of them is left."""
SMOOTHING = 20
"""Steps forward between two aggregations."""
MOST_ROUNDS = 200


@compiled
def solve_backward(
    problem: Problem,
    endogenous: Endogenous,
    choices: Choices,
    slopes: Slopes,
    residual: np.ndarray,
    expected: np.ndarray,
    tolerance: float,
    x: np.ndarray,
) -> int:
    """x (2, E, B, A) with x - G x = residual, G = beta transition dV; the error is at most
    `tolerance` relative to `expected`. Returns the number of vectors, or -1 where that was not
    reached.

    With x = (1 + G + ... + G^(n-1)) y, n = `STEPS`, the system is y - G^n y = residual.
    """
    shape = expected.shape
    room = np.empty((2, *endogenous.a.shape[1:]))
    answer = np.empty((3, *choices.a.shape))
    value = np.empty(shape)
    image = np.empty(shape)
    basis = np.empty((BASIS + 1, residual.size))
    hessenberg = np.zeros((BASIS + 1, BASIS))
    # Flat, as expressions of arrays of four dimensions take Numba long to compile.
    scale, aim, moved_back = expected.reshape(-1), residual.reshape(-1), image.reshape(-1)
    flat = x.reshape(-1)
    flat[:] = 0.0
    left = aim / scale
    count = 0
    for _ in range(MOST_RESTARTS):
        norm = np.sqrt(left @ left)
        if np.abs(left).max() < tolerance:
            return count
        basis[0] = left / norm
        size, done = 0, False
        rotated = np.zeros(BASIS + 1)
        rotated[0] = norm
        cosines, sines = np.zeros(BASIS), np.zeros(BASIS)
        while size < BASIS and not done:
            moved = (basis[size] * scale).reshape(shape)
            for _ in range(STEPS):
                apply(endogenous, choices, slopes, moved, room, answer, value)
                expect(problem.transition, value, problem.beta, moved)
            new = basis[size] - moved.reshape(-1) / scale
            done = extend(basis, hessenberg, rotated, cosines, sines, new, size, tolerance)
            size += 1
            count += 1
        weights = back_substitute(hessenberg, rotated, size)
        step = (weights @ basis[:size]) * scale
        moved = step.reshape(shape)
        flat += step
        for _ in range(STEPS - 1):
            apply(endogenous, choices, slopes, moved, room, answer, value)
            expect(problem.transition, value, problem.beta, moved)
            flat += step
        apply(endogenous, choices, slopes, x, room, answer, value)
        expect(problem.transition, value, problem.beta, image)
        left = (aim + moved_back - flat) / scale
    return -1


@compiled
def extend(
    basis: np.ndarray,
    hessenberg: np.ndarray,
    rotated: np.ndarray,
    cosines: np.ndarray,
    sines: np.ndarray,
    new: np.ndarray,
    size: int,
    tolerance: float,
) -> bool:
    """Add a vector to the basis, orthogonal to the others; returns whether the residual's norm is
    below the tolerance.
    """
    old = basis[: size + 1]
    column = old @ new
    before = np.sqrt(new @ new)
    new = new - column @ old
    norm = np.sqrt(new @ new)
    if norm < LOST * before:
        again = old @ new
        new = new - again @ old
        column = column + again
        norm = np.sqrt(new @ new)
    hessenberg[: size + 1, size] = column
    hessenberg[size + 1, size] = norm
    basis[size + 1] = new / max(norm, 1e-300)
    for k in range(size):
        upper, lower = hessenberg[k, size], hessenberg[k + 1, size]
        hessenberg[k, size] = cosines[k] * upper + sines[k] * lower
        hessenberg[k + 1, size] = -sines[k] * upper + cosines[k] * lower
    upper, lower = hessenberg[size, size], hessenberg[size + 1, size]
    length = np.sqrt(upper**2 + lower**2)
    cosines[size], sines[size] = upper / length, lower / length
    hessenberg[size, size] = length
    hessenberg[size + 1, size] = 0.0
    rotated[size + 1] = -sines[size] * rotated[size]
    rotated[size] = cosines[size] * rotated[size]
    return abs(rotated[size + 1]) < 0.5 * tolerance


@compiled
def back_substitute(hessenberg: np.ndarray, rotated: np.ndarray, size: int) -> np.ndarray:
    weights = np.zeros(size)
    for k in range(size - 1, -1, -1):
        rest = rotated[k] - hessenberg[k, k + 1 : size] @ weights[k + 1 :]
        weights[k] = rest / hessenberg[k, k]
    return weights


@compiled
def forward(
    transposed: np.ndarray,
    lottery: Lottery,
    distribution: np.ndarray,
    landed: np.ndarray,
    out: np.ndarray,
) -> None:
    """Tomorrow's distribution before choices, out (E, B, A), from today's: savings, then skills by
    the `transposed` transition. `landed` is room to work in.
    """
    skills, liquid, illiquid = distribution.shape
    landed[:] = 0.0
    for e in range(skills):
        target = landed[e]
        for k in range(liquid):
            for j in range(illiquid):
                mass = distribution[e, k, j]
                b, a = lottery.b_left[e, k, j], lottery.a_left[e, k, j]
                low = lottery.b_chance[e, k, j] * mass
                chance = lottery.a_chance[e, k, j]
                target[b, a] += chance * low
                target[b, a + 1] += (1 - chance) * low
                target[b + 1, a] += chance * (mass - low)
                target[b + 1, a + 1] += (1 - chance) * (mass - low)
    out[:] = (transposed @ landed.reshape(skills, -1)).reshape(out.shape)


@compiled
def stationary(
    transposed: np.ndarray, lottery: Lottery, tolerance: float, distribution: np.ndarray
) -> int:
    """The distribution (E, B, A) that `forward` leaves as it is, in place: in turn the exact
    shares of skill and illiquid assets given liquid ones, and `SMOOTHING` steps. Returns the number
    of rounds, or -1 where a step changes some entry by more than `tolerance`.
    """
    skills, _, illiquid = distribution.shape
    landed, image = np.empty(distribution.shape), np.empty(distribution.shape)
    size = skills * illiquid
    for count in range(MOST_ROUNDS):
        system = aggregate(transposed, lottery, distribution)
        system[size - 1] = 1.0  # shares add up to one
        right = np.zeros(size)
        right[size - 1] = 1.0
        shares = np.linalg.solve(system, right)
        for e in range(skills):
            for j in range(illiquid):
                mass = distribution[e, :, j].sum()
                if mass > 0:
                    distribution[e, :, j] *= shares[e * illiquid + j] / mass
        for _ in range(SMOOTHING // 2):
            forward(transposed, lottery, distribution, landed, image)
            forward(transposed, lottery, image, landed, distribution)
        forward(transposed, lottery, distribution, landed, image)
        if np.abs(image - distribution).max() < tolerance:
            return count + 1
    return -1


@compiled
def aggregate(transposed: np.ndarray, lottery: Lottery, distribution: np.ndarray) -> np.ndarray:
    """One less one step forward of the shares of skill and illiquid assets, (EA, EA), where liquid
    assets are distributed given them as in `distribution`.
    """
    skills, liquid, illiquid = distribution.shape
    system = np.eye(skills * illiquid)
    for e in range(skills):
        for j in range(illiquid):
            mass = np.abs(distribution[e, :, j]).sum()
            for k in range(liquid):
                share = 1 / liquid if mass == 0 else abs(distribution[e, k, j]) / mass
                left = lottery.a_left[e, k, j]
                low = share * lottery.a_chance[e, k, j]
                for f in range(skills):
                    target, source = f * illiquid + left, e * illiquid + j
                    system[target, source] -= low * transposed[f, e]
                    system[target + 1, source] -= (share - low) * transposed[f, e]
    return system
