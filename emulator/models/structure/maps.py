"""A smooth map: Legendre polynomials and kernels around some of the draws, by ridge regression.

A polynomial trend takes what is global, a sum of Matérn 5/2 kernels what is left: the mean of a
Gaussian process that is conditioned on all draws through some of them (subset of regressors;
Quiñonero-Candela and Rasmussen 2005, JMLR 6). Where parts are not smooth, as those of households
that have hardly any assets are, no such map errs little, and least squares would bend it for all
others: a robust regression takes errors for Cauchy's, by least squares with weights that are found
anew some times (Holland and Welsch 1977, Communications in Statistics A6). It gives up what holds
for few draws only, smooth or not: up to a tenth of them may be a region of their own that it does
not follow. Least squares follow it, and are the default. Axes: B batch, n draws, X input, F
feature, C kernel's centre, Y output.
"""

from __future__ import annotations

from functools import reduce
from itertools import combinations_with_replacement
from math import comb
from operator import mul
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

DEGREES, LENGTHS, NOISES = (2, 3, 4, 5, 6), (4.0, 8.0), (1e-7, 1e-5, 1e-3)
"""What is tried: degrees of the trend, on all draws; then lengths of the kernel (an input's range
is 2) and the variance of the noise in that of the kernel, on some.
"""
MOST_DEGREE = 7
BETTER = 0.999
"""An input's powers count double, and the degree grows further, where the error on draws held out
falls below this share.
"""
ROUNDS, TRIAL_ROUNDS = 5, 3
"""Times that a robust trend is found, each with weights from the errors of the one before."""
TUNING = 2.385
"""Medians of the errors at which a draw counts half: the constant of Holland and Welsch, who take
it for standard deviations of one number.
"""
DRAWS_PER_TERM = 3
"""A trend has at most a term for so many draws."""
TRIAL_DRAWS, TRIAL_CENTRES, TRIAL_SHARE = 1500, 300, 0.2
"""Of the comparison: draws and centres at most, and the share of draws that is held out."""
COMPARED = 0.9
"""Share of the draws held out, those that err least, by which robust maps are compared."""
FEWEST = 5
"""Draws for an input, and as many more, below which there are no kernels and the trend is linear,
by least squares.
"""
BLOCK = 4096


class Shape(NamedTuple):
    """How smooth a map is. The powers of the inputs `calm` count double towards the degree."""

    degree: int
    length: float
    noise: float
    calm: tuple[int, ...] = ()


class SmoothMap(nn.Module):
    """Inputs (B, X) in -1 .. 1 -> outputs (B, Y), float64. Nothing is trained: `fit` finds it, by
    robust regression or by least squares.
    """

    exponents: Tensor
    trend: Tensor
    centres: Tensor
    weights: Tensor
    length: Tensor

    def __init__(self, robust: bool = False) -> None:
        super().__init__()
        self.robust = robust
        for name in ("trend", "centres", "weights"):
            self.register_buffer(name, torch.zeros(0, 0, dtype=torch.float64))
        self.register_buffer("exponents", torch.zeros(0, 0, dtype=torch.int64))
        self.register_buffer("length", torch.ones((), dtype=torch.float64))

    def forward(self, x_BX: Tensor, polynomials_BF: Tensor | None = None) -> Tensor:
        """polynomials_BF: the products of this map's exponents, where another map of the same has
        them.
        """
        if not self.exponents.numel():  # of no outputs
            return x_BX.new_zeros(len(x_BX), self.trend.shape[1])
        if polynomials_BF is None:
            polynomials_BF = self.polynomials(x_BX)
        answer = polynomials_BF @ self.trend.to(x_BX.dtype)
        if not len(self.centres):
            return answer
        return answer + self._kernels(x_BX, self.centres) @ self.weights.to(x_BX.dtype)

    def fit(
        self,
        x_nX: Tensor,
        y_nY: Tensor,
        centres: int,
        rng: np.random.Generator,
        shape: Shape | None = None,
    ) -> Shape:
        """Find the map through draws, with so many centres at most. How smooth it is, where that is
        not given, is decided on a share of the draws that is held out.
        """
        order = torch.from_numpy(rng.permutation(len(x_nX)))
        x_nX, y_nY = x_nX.double()[order], y_nY.double()[order]
        if len(x_nX) < FEWEST * (1 + x_nX.shape[1]):
            few = Shape(min(1, len(x_nX) // (DRAWS_PER_TERM * x_nX.shape[1])), 1.0, 0.0)
            self._solve(x_nX, y_nY, few, 0, rounds=1)
            return few
        shape = shape or self._chosen(x_nX, y_nY, centres)
        self._solve(x_nX, y_nY, shape, centres)
        return shape

    def _chosen(self, x_nX: Tensor, y_nY: Tensor, centres: int) -> Shape:
        """The shape that errs least on draws held out: the degree of the trend alone, found from
        all other draws, the inputs that need only half of it, and what degree the others then
        bear; then the kernels beside a trend that some draws can bear.
        """
        degree = self._best(x_nX, y_nY, [Shape(k, LENGTHS[-1], NOISES[-1]) for k in DEGREES], 0)
        if not centres:
            return self._climbed(x_nX, y_nY, *self._calmed(x_nX, y_nY, degree))
        some = slice(TRIAL_DRAWS)
        shapes = [degree._replace(length=long, noise=noise) for long in LENGTHS for noise in NOISES]
        bearable = [shape._replace(degree=_bearable(shape.degree, x_nX[some])) for shape in shapes]
        best = self._best(x_nX[some], y_nY[some], bearable, min(centres, TRIAL_CENTRES))
        return best._replace(degree=degree.degree)

    def _calmed(self, x_nX: Tensor, y_nY: Tensor, shape: Shape) -> tuple[Shape, float]:
        """The shape with half of the degree in the inputs where that errs no more: high powers of
        an input along which the map hardly bends follow what is not smooth in the others, and its
        slope there suffers. And the error of that shape.
        """
        least = self._error(x_nX, y_nY, shape, 0)
        for column in range(x_nX.shape[1]) if shape.degree > 2 else ():
            calmer = shape._replace(calm=(*shape.calm, column))
            error = self._error(x_nX, y_nY, calmer, 0)
            if error < BETTER * least:
                shape, least = calmer, error
        return shape, least

    def _climbed(self, x_nX: Tensor, y_nY: Tensor, shape: Shape, least: float) -> Shape:
        """The shape, which errs by `least`, with as high a degree as errs less and leaves draws
        enough for each term.
        """
        while shape.degree < MOST_DEGREE:
            higher = shape._replace(degree=shape.degree + 1)
            terms = len(_exponents(x_nX.shape[1], higher))
            if DRAWS_PER_TERM * terms > (1 - TRIAL_SHARE) * len(x_nX):
                break
            error = self._error(x_nX, y_nY, higher, 0)
            if error >= BETTER * least:
                break
            shape, least = higher, error
        return shape

    def _best(self, x_nX: Tensor, y_nY: Tensor, shapes: list[Shape], centres: int) -> Shape:
        n = round((1 - TRIAL_SHARE) * len(x_nX))
        best, least = shapes[0]._replace(degree=1), float("inf")
        for shape in shapes:
            if shape.degree > _bearable(shape.degree, x_nX[:n]):
                continue
            error = self._error(x_nX, y_nY, shape, centres)
            if error < least:
                best, least = shape, error
        return best

    def _error(self, x_nX: Tensor, y_nY: Tensor, shape: Shape, centres: int) -> float:
        """The mean squared error on the draws held out; of a robust map without those that err
        most.
        """
        n = round((1 - TRIAL_SHARE) * len(x_nX))
        self._solve(x_nX[:n], y_nY[:n], shape, centres, TRIAL_ROUNDS)
        squares = (self(x_nX[n:]) - y_nY[n:]).square().sum(1).sort().values
        share = COMPARED if self.robust else 1.0
        return float(squares[: max(1, round(share * len(squares)))].mean())

    def _solve(
        self, x_nX: Tensor, y_nY: Tensor, shape: Shape, centres: int, rounds: int = ROUNDS
    ) -> None:
        """The trend, then the kernels' weights on what it leaves."""
        self.exponents = _exponents(x_nX.shape[1], shape)
        self.centres = x_nX[:centres].clone()
        self.length = torch.tensor(shape.length, dtype=torch.float64)
        features = [self.polynomials(x) for x in x_nX.split(BLOCK)]
        left, counts_n = y_nY, x_nX.new_ones(len(x_nX))
        for _ in range(rounds if self.robust else 1):
            self.trend = _ridge(features, y_nY, counts_n, 1e-9 * len(x_nX))
            left = y_nY - torch.cat([block @ self.trend for block in features])
            if self.robust:
                counts_n = _counts(left)
        self.weights = y_nY.new_zeros(len(self.centres), y_nY.shape[1])
        if not len(self.centres):
            return
        inner = self._kernels(self.centres, self.centres)
        penalty = shape.noise * inner + 1e-10 * len(x_nX) * torch.eye(len(inner), dtype=inner.dtype)
        kernels = [self._kernels(x, self.centres) for x in x_nX.split(BLOCK)]
        self.weights = _ridge(kernels, left, counts_n, penalty)

    def polynomials(self, x_BX: Tensor) -> Tensor:
        """Products (B, F) of Legendre polynomials."""
        degree = int(self.exponents.max())
        legendre = [torch.ones_like(x_BX), x_BX]
        for k in range(2, degree + 1):
            legendre.append(((2 * k - 1) * x_BX * legendre[-1] - (k - 1) * legendre[-2]) / k)
        table_BXK = torch.stack(legendre[: degree + 1], dim=2)
        columns = zip(table_BXK.unbind(1), self.exponents.unbind(1), strict=True)
        return reduce(mul, (powers_BK.index_select(1, own) for powers_BK, own in columns))

    def _kernels(self, x_BX: Tensor, centres_CX: Tensor) -> Tensor:
        """Matérn 5/2 kernels (B, C) around the centres."""
        a, b = x_BX / self.length, centres_CX.to(x_BX.dtype) / self.length
        squares = (a.square().sum(1, keepdim=True) + b.square().sum(1) - 2 * a @ b.T).clamp_min(0)
        distance = torch.sqrt(5 * squares + 1e-24)  # the root of zero has no slope
        return (1 + distance + squares * (5 / 3)) * torch.exp(-distance)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Make room for what is to be loaded."""
        make_room(self, state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *rest)


def answers(maps: list[SmoothMap], x_BX: Tensor) -> list[Tensor]:
    """What each of some maps answers; the polynomials of those that have the same are found
    once.
    """
    first = maps[0]
    if not first.exponents.numel():
        return [own(x_BX) for own in maps]
    shared = first.polynomials(x_BX)
    same = [torch.equal(own.exponents, first.exponents) for own in maps]
    return [
        own(x_BX, shared if as_first else None) for own, as_first in zip(maps, same, strict=True)
    ]


def error_of_trend(x_nX: Tensor, y_nY: Tensor, robust: bool) -> float:
    """The error, on draws held out, of the polynomials that err least there."""
    trial = SmoothMap(robust)
    best = trial._best(x_nX, y_nY, [Shape(k, LENGTHS[-1], NOISES[-1]) for k in DEGREES], 0)
    return trial._error(x_nX, y_nY, best, 0)


def make_room(module: nn.Module, state_dict: dict[str, Any], prefix: str) -> None:
    """Give a module's buffers the shapes of what is to be loaded into them."""
    for name, buffer in list(module.named_buffers(recurse=False)):
        stored = state_dict.get(prefix + name)
        if isinstance(stored, Tensor) and stored.shape != buffer.shape:
            setattr(module, name, torch.zeros(stored.shape, dtype=buffer.dtype))


def _bearable(degree: int, x_nX: Tensor) -> int:
    """The degree, or less where there are too few draws for its terms."""
    while degree > 1 and comb(x_nX.shape[1] + degree, degree) * DRAWS_PER_TERM > len(x_nX):
        degree -= 1
    return degree


def _exponents(inputs: int, shape: Shape) -> Tensor:
    """Exponents (F, X) of all products up to the shape's degree."""
    rows = []
    for total in range(shape.degree + 1):
        for chosen in combinations_with_replacement(range(inputs), total):
            if total + sum(column in shape.calm for column in chosen) <= shape.degree:
                rows.append([chosen.count(column) for column in range(inputs)])
    return torch.tensor(rows, dtype=torch.int64)


def _counts(errors_nY: Tensor) -> Tensor:
    """By how much each draw (n,) counts whose error is Cauchy's; one in the mean."""
    sizes = errors_nY.square().sum(1).sqrt()
    median = sizes.median().clamp_min(torch.finfo(sizes.dtype).tiny)
    counts = 1 / (1 + (sizes / (TUNING * median)).square())
    return counts / counts.mean()


def _ridge(
    features: list[Tensor], y_nY: Tensor, counts_n: Tensor, penalty: Tensor | float
) -> Tensor:
    """Coefficients (F, Y) of a penalised regression, in which draws count by `counts_n`, on
    features in blocks of draws.
    """
    square: Tensor | float = 0.0
    right: Tensor | float = 0.0
    sizes = [len(block) for block in features]
    for block, y, counts in zip(features, y_nY.split(sizes), counts_n.split(sizes), strict=True):
        counted = block * counts[:, None]
        square = square + counted.T @ block
        right = right + counted.T @ y
    assert isinstance(square, Tensor)
    assert isinstance(right, Tensor)
    if not isinstance(penalty, Tensor):
        penalty = penalty * torch.eye(len(square), dtype=square.dtype)
    return torch.linalg.solve(square + penalty, right)
