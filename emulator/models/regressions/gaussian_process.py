"""Exact Gaussian processes on principal components of the responses to each shock.

Rasmussen and Williams (2006, Gaussian Processes for Machine Learning). A Matérn 5/2 or Gaussian
kernel with a length scale for each parameter and a linear part; which of the two kernels, and all
hyperparameters, by marginal likelihood. First one set of them for all components of a shock; then,
as long as time is left, one for each component, in the order of what is at stake.

Axes: B batch, n draws, D parameter, N point (training draw), K component, F response.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from scipy.linalg import cho_factor, cho_solve
from torch import Tensor, nn

from emulator.errors import ModelError
from emulator.models.baselines.pca import PrincipalComponents
from emulator.models.regressions.likelihood import (
    KERNELS,
    Hyperparameters,
    covariance,
    maximise,
)
from emulator.models.regressions.per_shock import PerShockRegression

SMALLEST = 1e-6
"""A draw's responses count as no smaller than this share of the largest."""


class GaussianProcessEmulator(PerShockRegression):
    """theta -> Gaussian processes for the principal components -> all responses to a shock.

    components: of each shock; draws: that the processes are conditioned on at most; tuning_draws:
    the first of them, on which the marginal likelihood is maximised; iterations: steps of that at
    most, for each set of hyperparameters; own: components with a set of their own at most; seconds:
    processor time after which no further set is sought, 0 for no limit; shape: whether the size of
    a draw's responses (the root mean square) has a process of its own, for its logarithm, and the
    components are those of the responses divided by it. The rest as in `PerShockRegression`.
    """

    def __init__(
        self,
        param_dims: Mapping[str, int],
        H: int = 40,
        n_shocks: int | Mapping[str, int] = 3,
        components: int = 20,
        draws: int = 4000,
        tuning_draws: int = 400,
        iterations: int = 40,
        own: int = 4,
        seconds: float = 0.0,
        shape: bool = False,
        n_observables: int | Mapping[str, int] = 3,
        views: Mapping[str, Sequence[Sequence[Any]]] | None = None,
    ) -> None:
        if min(components, draws, tuning_draws, iterations) < 1 or own < 0 or seconds < 0:
            raise ModelError(
                "GaussianProcessEmulator needs components, draws, tuning_draws and iterations >= 1,"
                f" own >= 0 and seconds >= 0; found {components}, {draws}, {tuning_draws},"
                f" {iterations}, {own} and {seconds}."
            )
        self._components = components
        self._shape = shape
        super().__init__(
            param_dims,
            H,
            n_shocks,
            n_observables,
            views,
            components=components,
            draws=draws,
            tuning_draws=tuning_draws,
            iterations=iterations,
            own=own,
            seconds=seconds,
            shape=shape,
        )

    def regression(self, n_columns: int, width: int) -> nn.Module:
        return _Processes(n_columns, width, self._components, self._shape)

    def prepare(self, samples: Mapping[str, tuple[Tensor, Tensor]]) -> None:
        """Principal components and shared hyperparameters first, then those of each component,
        then the weights of the draws.
        """
        options, began = self.options, time.process_time()
        chosen = {
            world: tuple(t[: options["draws"]] for t in pair) for world, pair in samples.items()
        }
        super().prepare(chosen)  # type: ignore[arg-type]
        parts = [
            regression
            for world in samples
            for regression in self.part(self.regressions, world)
            if regression.pending is not None
        ]
        for part in parts:
            part.pending.share(options["tuning_draws"], options["iterations"])
        tasks = sorted(
            (
                (-stake, row, part)
                for part in parts
                for row, stake in enumerate(part.stakes[: options["own"]])
            ),
            key=lambda task: task[0],
        )
        # A set of its own costs a factorisation over all draws in the end, besides its search.
        cost = parts[0].pending.cost() if parts and options["seconds"] else 0.0
        ahead = cost * len(parts)
        for _, row, part in tasks:
            spent = time.process_time() - began
            if options["seconds"] and spent + ahead > options["seconds"]:
                break
            part.pending.refine(row)
            ahead += cost
        for part in parts:
            part.condition()


class _Search:
    """Hyperparameters of the processes of one shock while they are sought."""

    def __init__(self, points: np.ndarray, values: np.ndarray) -> None:
        self.points = points
        self.values = values

    def share(self, draws: int, iterations: int) -> None:
        """One set for all components."""
        self.some = slice(0, draws)
        self.iterations = iterations
        candidates = [
            maximise(kind, self.points[self.some], self.values[self.some], iterations)
            for kind in KERNELS
        ]
        self.shared = min(candidates, key=lambda pair: pair[1])[0]
        self.sets: list[Hyperparameters] = [self.shared] * self.values.shape[1]

    def refine(self, k: int) -> None:
        """A set of its own for component k."""
        self.sets[k] = maximise(
            self.shared.kernel,
            self.points[self.some],
            self.values[self.some, k : k + 1],
            self.iterations,
            self.shared,
        )[0]

    def cost(self) -> float:
        """Processor time, in seconds, of the factorisation that a set of hyperparameters takes."""
        began = time.process_time()
        cho_factor(covariance(self.shared, self.points), lower=True, overwrite_a=True)
        return time.process_time() - began

    def weights(self) -> np.ndarray:
        """Weights (K, N) of the points under each component's hyperparameters."""
        weights = np.empty((len(self.sets), len(self.points)))
        for hyper in {id(hyper): hyper for hyper in self.sets}.values():
            own = [k for k, other in enumerate(self.sets) if other is hyper]
            factor = cho_factor(covariance(hyper, self.points), lower=True, overwrite_a=True)
            weights[own] = cho_solve(factor, self.values[:, own]).T
        return weights


class _Processes(nn.Module):
    """The Gaussian processes of one shock. float64: weights of nearly noiseless data are large and
    cancel.

    With `shape` the first process is that of the logarithm of the size, `level` its mean and
    standard deviation.
    """

    points: Tensor
    lengths: Tensor
    signal: Tensor
    matern: Tensor
    weights: Tensor
    slopes: Tensor
    level: Tensor

    def __init__(self, n_columns: int, width: int, components: int, shape: bool) -> None:
        super().__init__()
        self.space = PrincipalComponents(width, components)
        self.shape = shape
        count = components + shape
        for name, sizes in (
            ("points", (0, n_columns)),
            ("lengths", (count, n_columns)),
            ("signal", (count,)),
            ("weights", (count, 0)),
            ("slopes", (count, n_columns)),
            ("level", (2,)),
        ):
            self.register_buffer(name, torch.zeros(sizes, dtype=torch.float64))
        self.lengths.fill_(1.0)
        self.register_buffer("matern", torch.tensor(True))
        self.pending: _Search | None = None
        self.rows: list[int] = []
        self.stakes: list[float] = []

    @torch.no_grad()
    def fit(self, z_nD: Tensor, curves_nF: Tensor) -> None:
        """Principal components; the rest is `pending`."""
        self.points = z_nD.clone()
        self.weights = torch.zeros(len(self.signal), len(z_nD), dtype=torch.float64)
        for buffer in (self.signal, self.slopes, self.level):
            buffer.zero_()
        values = []
        self.rows, self.stakes = [], []
        if self.shape:
            size_n = curves_nF.square().mean(1).sqrt()
            size_n = size_n.clamp_min(
                SMALLEST * float(size_n.max()) + torch.finfo(size_n.dtype).tiny
            )
            self.level[0], self.level[1] = size_n.log().mean(), size_n.log().std(correction=0)
            curves_nF = curves_nF / size_n[:, None]
            if self.level[1] > 0:
                values.append((size_n.log() - self.level[0]) / self.level[1])
                self.rows, self.stakes = [0], [float("inf")]
        scores_nK = self.space.fit(curves_nF).encode(curves_nF)
        for k in torch.nonzero(~self.space.silent).flatten().tolist():
            values.append(scores_nK[:, k])
            self.rows.append(k + self.shape)
            self.stakes.append(float(self.space.deviation[k]))
        self.pending = (
            _Search(z_nD.cpu().numpy(), torch.stack(values, dim=1).cpu().numpy())
            if values
            else None
        )

    def condition(self) -> None:
        """Take over what the search has come to, and end it."""
        search = self.pending
        assert search is not None
        weights = search.weights()
        for place, row, hyper in zip(range(len(weights)), self.rows, search.sets, strict=True):
            self.lengths[row] = torch.from_numpy(hyper.lengths)
            self.signal[row] = hyper.signal
            self.weights[row] = torch.from_numpy(weights[place])
            self.slopes[row] = hyper.linear * torch.from_numpy(weights[place] @ search.points)
        self.matern.fill_(search.shared.kernel == "matern")
        self.pending = None

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Make room for as many points as the weights to be loaded have."""
        for name in ("points", "weights"):
            if isinstance(stored := state_dict.get(prefix + name), Tensor):
                setattr(self, name, getattr(self, name).new_zeros(stored.shape))
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def forward(self, z_BD: Tensor) -> Tensor:
        scores = z_BD @ self.slopes.T + torch.stack(
            [
                signal * (self._correlation(z_BD, lengths) @ weights)
                for lengths, signal, weights in zip(
                    self.lengths, self.signal, self.weights, strict=True
                )
            ],
            dim=1,
        )
        if not self.shape:
            return self.space.decode(scores)
        size_B = torch.exp(self.level[0] + self.level[1] * scores[:, 0])
        return self.space.decode(scores[:, 1:]) * size_B[:, None]

    def _correlation(self, z_BD: Tensor, lengths_D: Tensor) -> Tensor:
        """The kernel without its variance, (B, N)."""
        a, b = z_BD / lengths_D, self.points / lengths_D
        squares = (a.square().sum(1, keepdim=True) + b.square().sum(1) - 2 * a @ b.T).clamp_min(0)
        if not self.matern:
            return torch.exp(-0.5 * squares)
        distance = torch.sqrt(5 * squares + 1e-24)  # the root of zero has no slope
        return (1 + distance + squares * (5 / 3)) * torch.exp(-distance)
