"""The exact closure of a dear part: arrays in, arrays out, the same code for NumPy and PyTorch.

Paths of T periods are sums of K time modes. Unknown paths are those at which the targets are zero;
defined paths follow from them and from the shocks one after another; where one is defined by its
own past, that is solved for. All is linear, so that each path is kept as what multiplies the
unknowns and what multiplies each shock, each in columns of its own: what does not depend on a shock
stays exactly zero (Auclert, Bardóczy, Rognlie and Straub 2021, Econometrica 89, 2375-2408,
doi:10.3982/ECTA17434, section 2, projected on modes by Galerkin's method).

Axes: n draw, P parameter, D number of the part, K mode, S shock, H horizon, O observable.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from emulator.errors import ParameterError
from emulator.files import sha256

IDENTITY, LAG, LEAD = range(3)
"""Operators of terms; those after them are the blocks of the part."""

MOST_MARGINS, MOST_POWER = 64, 16

Array = Any
"""An array of NumPy or PyTorch."""


@dataclass(frozen=True, eq=False)
class Closure:
    """Equations as arrays.

    modes (T, K): orthonormal. factors (F, 1 + P): constants and slopes in theta. scales (C,) and
    powers (C, F): coefficients as products of factors. terms (N, 4): equation, path, operator,
    coefficient; equations are those of the defined paths, the targets and the observables, paths
    the shocks, the unknowns and the defined. forcings (S, 2): columns of theta that are the
    persistence and the size of a shock, -1 for none. blocks (B, 2): rows of each block of the part,
    and whether they are horizons. counts: unknown, defined, observed, margins. sums (M, 2): further
    factors, after those that are affine, as sums of coefficients: which factor, which coefficient.
    """

    modes: Array
    factors: Array
    scales: Array
    powers: Array
    terms: Array
    forcings: Array
    blocks: Array
    counts: Array
    sums: Array = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64))

    @classmethod
    def fields(cls) -> tuple[str, ...]:
        """The names of the arrays."""
        return tuple(array.name for array in dataclasses.fields(cls))

    def mapped(self, convert: Callable[[Array], Array]) -> Closure:
        """The same closure of converted arrays."""
        return Closure(**{name: convert(getattr(self, name)) for name in self.fields()})

    @cached_property
    def sha256(self) -> str:
        """Names the equations and the modes: parts of one closure fit another of the same name."""
        arrays = {name: np.asarray(getattr(self, name)) for name in self.fields()}
        if not len(arrays["sums"]):
            del arrays["sums"]  # closures had none once, and keep their names
        # Modes follow from their numbers; their last digits differ among machines.
        arrays["modes"] = np.array([*arrays["modes"].shape, np.count_nonzero(arrays["modes"])])
        text = ";".join(f"{name}{a.shape}{a.tolist()}" for name, a in arrays.items())
        return sha256(text.encode())

    @cached_property
    def _layout(self) -> _Layout:
        return _Layout(self)

    def check(self) -> None:
        """Raise `ParameterError` for tables that do not fit each other, as of an altered file."""
        tables = {name: np.asarray(getattr(self, name)) for name in self.fields()}
        n_affine, width = tables["factors"].shape
        counts, sums = tables["counts"], tables["sums"]
        n_factors = tables["powers"].shape[-1]
        fits = (
            counts.shape == (4,)
            and bool((counts[:3] >= 1).all())
            and 0 <= counts[3] <= MOST_MARGINS
            and tables["powers"].shape == (len(tables["scales"]), n_factors)
            and bool((np.abs(tables["powers"]) <= MOST_POWER).all())
            and sums.ndim == 2
            and _summed_before(sums, tables["powers"], n_affine)
        )
        if fits:
            unknown, defined, observed, _ = counts.tolist()
            paths = len(tables["forcings"]) + unknown + defined
            ends = (defined + unknown + observed, paths, LEAD + 1 + len(tables["blocks"]))
            limits = np.array([*ends, len(tables["scales"])])
            fits = bool(
                (tables["terms"] >= 0).all()
                and (tables["terms"] < limits).all()
                and (tables["forcings"] >= -1).all()
                and (tables["forcings"] < width - 1).all()
                and (tables["blocks"][:, 0] >= 1).all()
            )
        if not fits:
            raise ParameterError("The tables of the closure do not fit each other.")

    def observing(self, positions: Sequence[int]) -> tuple[Closure, np.ndarray]:
        """The closure of these of its observables alone, in this order, and which numbers (D',) of
        a part it takes: blocks that only others need are left out.
        """
        layout, terms = self._layout, np.asarray(self.terms)
        first = layout.n_defined + layout.n_unknown
        row_of = {first + position: first + k for k, position in enumerate(positions)}
        row_of |= {row: row for row in range(first)}
        terms = np.array(
            [[row_of[row], *rest] for row, *rest in terms.tolist() if row in row_of],
            dtype=np.int64,
        )
        used = sorted({operator - LEAD - 1 for operator in terms[:, 2].tolist() if operator > LEAD})
        for row in terms:
            if row[2] > LEAD:
                row[2] = LEAD + 1 + used.index(row[2] - LEAD - 1)
        counts = np.array([layout.n_unknown, layout.n_defined, len(positions), layout.margins])
        columns = [np.arange(start, stop) for start, stop, _ in (self.places[k] for k in used)]
        columns.append(np.arange(self.part_size)[self.margins])
        tables = {"terms": terms, "blocks": np.asarray(self.blocks)[used], "counts": counts}
        return dataclasses.replace(self, **tables), np.concatenate(columns)

    @property
    def part_size(self) -> int:
        """Numbers of a part, D."""
        return self._layout.part_size

    @property
    def longest_horizon(self) -> int:
        """The last horizon that can be answered."""
        return self._layout.longest_horizon

    @property
    def margins(self) -> slice:
        """Where the margins stand in a part: how many of them are positive is the regime."""
        layout = self._layout
        return slice(layout.part_size - layout.margins, layout.part_size)

    @property
    def places(self) -> list[tuple[int, int, int]]:
        """Where each block stands in a part: its first number, one past its last, its rows."""
        return self._layout.places

    def blocks_of(self, part: Array) -> list[Array]:
        """The matrices (n, rows, K) of parts (n, D), in their order."""
        layout = self._layout
        shape = part.shape[0]
        return [
            part[:, start:stop].reshape(shape, rows, layout.n_modes)
            for start, stop, rows in layout.places
        ]

    def responses(self, theta: Array, part: Array, horizon: int) -> Array:
        """Responses (n, S, H+1, O) to shocks of one standard deviation, in the units that the
        observables' equations say, from theta (n, P) and part (n, D), or the part without margins.

        Raises `ParameterError` for shapes and horizons that do not fit. Where the economy has no
        unique path the answer means nothing.
        """
        layout = self._layout
        whole = (layout.part_size, layout.part_size - layout.margins)
        if part.ndim != 2 or part.shape[1] not in whole or theta.shape[0] != part.shape[0]:
            raise ParameterError(
                f"The closure takes a part of {layout.part_size} numbers for each of"
                f" {theta.shape[0]} draws; found {tuple(part.shape)}."
            )
        if not 0 <= horizon <= layout.longest_horizon:
            raise ParameterError(
                f"The horizon is {horizon}; the closure answers to {layout.longest_horizon}."
            )
        return _Closing(self, layout, theta, part).responses(horizon)


def _summed_before(sums: np.ndarray, powers: np.ndarray, n_affine: int) -> bool:
    """Whether each factor that is a sum is one of factors before it, and none is left out."""
    if set(sums[:, 0].tolist()) != set(range(n_affine, powers.shape[1])):
        return False
    if not ((sums[:, 1] >= 0) & (sums[:, 1] < len(powers))).all():
        return False
    return all(not powers[coefficient, factor:].any() for factor, coefficient in sums.tolist())


class _Layout:
    """What follows from a closure's tables: plain numbers, found once."""

    def __init__(self, closure: Closure) -> None:
        plain = {
            name: np.asarray(getattr(closure, name)).tolist()
            for name in ("terms", "powers", "forcings", "blocks", "counts", "sums")
        }
        self.scales = [float(scale) for scale in closure.scales]
        self.n_modes = closure.modes.shape[1]
        self.forcings = plain["forcings"]
        self.n_shocks = len(self.forcings)
        self.n_unknown, self.n_defined, self.n_observed, self.margins = plain["counts"]
        self.places, self.in_time = [], []
        start, horizons = 0, [closure.modes.shape[0]]
        for rows, in_time in plain["blocks"]:
            self.places.append((start, start + rows * self.n_modes, rows))
            self.in_time.append(bool(in_time))
            horizons += [rows] if in_time else []
            start += rows * self.n_modes
        self.part_size = start + self.margins
        self.longest_horizon = min(horizons) - 1
        n_equations = self.n_defined + self.n_unknown + self.n_observed
        self.equations: list[list[tuple[int, int, int]]] = [[] for _ in range(n_equations)]
        for row, path, operator, coefficient in plain["terms"]:
            self.equations[row].append((path, operator, coefficient))
        self.powers = [
            [(factor, power) for factor, power in enumerate(row) if power]
            for row in plain["powers"]
        ]
        self.sums: dict[int, list[int]] = {}
        for factor, coefficient in plain["sums"]:
            self.sums.setdefault(factor, []).append(coefficient)


class _Closing:
    """One evaluation of a closure at some draws.

    A path is an array (n, K, C), or (1, K, C) where it is the same for all draws: what multiplies
    each mode of each unknown, then each shock.
    """

    def __init__(self, closure: Closure, layout: _Layout, theta: Array, part: Array) -> None:
        self.xp = array_namespace(theta, part)
        self.layout = layout
        self.modes = closure.modes
        self.n = theta.shape[0]
        self.theta, self.blocks = theta, closure.blocks_of(part)
        modes = closure.modes
        self.lag = modes[1:].T @ modes[:-1]
        self.eye = self.xp.eye(layout.n_modes, dtype=modes.dtype, device=modes.device)
        self.width = layout.n_unknown * layout.n_modes
        self.coefficients = self._coefficients(closure)

    def _coefficients(self, closure: Closure) -> list[Array]:
        """Each coefficient (n, 1, 1), or a number where it is the same for all draws."""
        affine = closure.factors[:, 0] + self.theta @ closure.factors[:, 1:].T
        factors = {k: affine[:, k, None, None] for k in range(affine.shape[1])}
        powers: dict[tuple[int, int], Array] = {}

        def product_of(coefficient: int) -> Array:
            product: Array = self.layout.scales[coefficient]
            for factor, power in self.layout.powers[coefficient]:
                if (factor, power) not in powers:
                    powers[factor, power] = factors[factor] ** power
                value = powers[factor, power]
                is_one = isinstance(product, float) and product == 1.0
                product = value if is_one else product * value
            return product

        for factor, summed in sorted(self.layout.sums.items()):
            factors[factor] = sum(product_of(coefficient) for coefficient in summed)
        return [product_of(coefficient) for coefficient in range(len(self.layout.scales))]

    def _forcings(self) -> Array:
        """The paths (n, K, S) of the shocks, each after an innovation of one."""
        xp, columns = self.xp, [column for column, _ in self.layout.forcings]
        none = xp.zeros_like(self.theta[:, 0])
        persistence = xp.stack([self.theta[:, c] if c >= 0 else none for c in columns], axis=1)
        last = persistence[:, :, None]
        path = xp.ones_like(last)
        while path.shape[2] < self.modes.shape[0]:  # twice as long by each step
            path = xp.concat([path, path * last], axis=2)
            last = last * last
        return xp.permute_dims(path[:, :, : self.modes.shape[0]] @ self.modes, (0, 2, 1))

    def _applied(self, operator: int, value: Array) -> Array:
        if operator == IDENTITY:
            return value
        matrix = self.lag if operator == LAG else self.lag.T if operator == LEAD else None
        return (self.blocks[operator - LEAD - 1] if matrix is None else matrix) @ value

    def _times(self, coefficient: int, value: Array) -> Array:
        factor = self.coefficients[coefficient]
        return value if isinstance(factor, float) and factor == 1.0 else factor * value

    def _sum(self, equation: int, paths: list[Array], skip: int = -1) -> Array:
        """The terms of an equation, but for those of the path `skip`."""
        total: Array = 0.0
        for path, operator, coefficient in self.layout.equations[equation]:
            if path != skip:
                total = total + self._times(coefficient, self._applied(operator, paths[path]))
        return total

    def _paths(self) -> list[Array]:
        """Shocks, unknowns and defined paths, by what they are made of."""
        xp, layout = self.xp, self.layout
        n_modes, n_shocks = layout.n_modes, layout.n_shocks
        nothing = xp.zeros_like(self.modes[:1, :1])
        each = xp.eye(n_shocks, dtype=self.modes.dtype, device=self.modes.device)
        own = self._forcings()[..., None] * each
        before = xp.broadcast_to(nothing, (self.n, n_modes, n_shocks, self.width))
        forced = xp.concat([before, own], axis=3)
        paths: list[Array] = [forced[:, :, shock] for shock in range(n_shocks)]
        for unknown in range(layout.n_unknown):
            left = xp.broadcast_to(nothing, (n_modes, unknown * n_modes))
            right = self.width + n_shocks - (unknown + 1) * n_modes
            after = xp.broadcast_to(nothing, (n_modes, right))
            paths.append(xp.concat([left, self.eye, after], axis=1)[None])
        for row in range(layout.n_defined):
            own_path = len(paths)
            total = self._sum(row, paths, skip=own_path)
            system: Array = None
            for path, operator, coefficient in layout.equations[row]:
                if path == own_path:
                    past = self._times(coefficient, self._applied(operator, self.eye))
                    system = (self.eye if system is None else system) - past
            if system is not None:
                total = xp.linalg.solve(self._whole(system), self._whole(total))
            paths.append(total)
        return paths

    def _whole(self, value: Array) -> Array:
        """A value with an axis of draws."""
        return self.xp.broadcast_to(value, (self.n, *value.shape[-2:]))

    def responses(self, horizon: int) -> Array:
        xp, layout = self.xp, self.layout
        paths = self._paths()
        solution = self._solution(paths)
        needed = {path for terms in layout.equations[-layout.n_observed :] for path, _, _ in terms}
        solved = {path: self._at(paths[path], solution) for path in needed}
        observed = []
        for terms in layout.equations[-layout.n_observed :]:
            in_modes: Array = 0.0
            in_time: Array = 0.0
            for path, operator, coefficient in terms:
                block = operator - LEAD - 1
                if block >= 0 and layout.in_time[block]:
                    value = self.blocks[block][:, : horizon + 1] @ solved[path]
                    in_time = in_time + self._times(coefficient, value)
                else:
                    value = self._applied(operator, solved[path])
                    in_modes = in_modes + self._times(coefficient, value)
            if not isinstance(in_modes, float):
                in_time = in_time + self.modes[: horizon + 1] @ in_modes
            observed.append(in_time)
        answer_OnHS = xp.stack(observed, axis=0)
        return self._sized(xp.permute_dims(answer_OnHS, (1, 3, 2, 0)))

    def _sized(self, answer_nSHO: Array) -> Array:
        """Each shock's responses times its size."""
        one = self.xp.ones_like(self.theta[:, 0])
        sizes = [self.theta[:, size] if size >= 0 else one for _, size in self.layout.forcings]
        return answer_nSHO * self.xp.stack(sizes, axis=1)[:, :, None, None]

    def _targets(self, paths: list[Array]) -> Array:
        """What the targets miss, by unknowns and shocks, (n, UK, UK + S)."""
        first = self.layout.n_defined
        rows = range(first, first + self.layout.n_unknown)
        return self.xp.concat([self._whole(self._sum(row, paths)) for row in rows], axis=1)

    def _solution(self, paths: list[Array]) -> Array:
        """The unknown paths (n, UK, S) at which the targets are zero."""
        targets = self._targets(paths)
        return self.xp.linalg.solve(targets[:, :, : self.width], -targets[:, :, self.width :])

    def _at(self, path: Array, solution: Array) -> Array:
        """A path (n, K, S) at the solution."""
        return path[:, :, : self.width] @ solution + path[:, :, self.width :]
