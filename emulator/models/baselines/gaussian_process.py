"""Exact Gaussian processes on principal components, one a component and world.

Rasmussen and Williams (2006, Gaussian Processes for Machine Learning, chapters 2 and 5).
Hyperparameters come from scikit-learn, which maximises the exact marginal likelihood by L-BFGS with
analytic gradients: deterministic, and nothing of it is needed to predict. What prediction needs are
buffers.

Axes: B batch, P parameter, N point (training draw), K component.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor, nn

from emulator.errors import MissingExtraError, ModelError
from emulator.models.baselines.pca import PrincipalComponents
from emulator.models.baselines.per_world import PerWorldBaseline

LENGTH_SCALES = (0.05, 1e3)
SIGNAL = (1e-2, 1e3)
NOISE = (1e-6, 1.0)
"""Bounds of the hyperparameters, for standardised parameters and components."""

STARTS = [(length, noise) for length in (0.5, 1.0, 2.0, 4.0) for noise in (1e-3, 1e-1)]
"""Length scales, in units of the square root of the number of parameters, and noise from which
their search may start.
"""


class GaussianProcessBaseline(PerWorldBaseline):
    """theta -> a Gaussian process a principal component -> all responses; fitted whole in
    `prepare`, nothing is trained.

    components: principal components of each world; draws: training draws that the processes are
    conditioned on at most; tuning_draws: the first of them, on which the marginal likelihood is
    maximised; iterations: L-BFGS steps of that at most; the rest as in `PerWorldBaseline`.
    Squared-exponential kernel with a length scale a parameter, and noise. Raises `ModelError` where
    responses are asked for before `prepare`, `MissingExtraError` there without scikit-learn.
    """

    def __init__(
        self,
        param_dims: Mapping[str, int],
        H: int = 40,
        n_shocks: int | Mapping[str, int] = 3,
        components: int = 16,
        draws: int = 2000,
        tuning_draws: int = 300,
        iterations: int = 30,
        n_observables: int | Mapping[str, int] = 3,
    ) -> None:
        super().__init__(
            param_dims,
            H,
            n_shocks,
            n_observables,
            components=components,
            draws=draws,
            tuning_draws=tuning_draws,
            iterations=iterations,
        )
        if min(draws, tuning_draws, iterations) < 1:
            raise ModelError(
                "GaussianProcessBaseline needs draws, tuning_draws and iterations >= 1; found"
                f" {draws}, {tuning_draws} and {iterations}."
            )
        self.processes = nn.ModuleList(
            _Processes(n, self.width(world), components) for world, n in self.param_dims.items()
        )

    def prepare(self, samples: Mapping[str, tuple[Tensor, Tensor]]) -> None:
        """Principal components from all draws given, then a Gaussian process a component from the
        first of them.
        """
        for world, (theta, irf) in samples.items():
            sizes = (self.options[name] for name in ("draws", "tuning_draws", "iterations"))
            self.part(self.processes, world).fit(
                *self.standardised_samples(world, theta, irf), *sizes
            )

    def standardised(self, theta_BP: Tensor, world: str, horizon: int) -> Tensor:
        return self.as_responses(self.part(self.processes, world)(theta_BP), world)


class _Processes(nn.Module):
    """The Gaussian processes of one world. float64: weights of nearly noiseless data are large and
    cancel.
    """

    points: Tensor
    length_scales: Tensor
    weights: Tensor

    def __init__(self, n_parameters: int, width: int, components: int) -> None:
        super().__init__()
        self.space = PrincipalComponents(width, components)
        self.register_buffer("points", torch.zeros(0, n_parameters, dtype=torch.float64))
        self.register_buffer(
            "length_scales", torch.ones(components, n_parameters, dtype=torch.float64)
        )
        self.register_buffer("weights", torch.zeros(components, 0, dtype=torch.float64))

    @torch.no_grad()
    def fit(
        self, z_nP: Tensor, flat: Tensor, draws: int, tuning_draws: int, iterations: int
    ) -> None:
        scores_nK = self.space.fit(flat).encode(flat)[:draws].cpu().numpy()
        self.points = z_nP[:draws].to(self.points)
        self.weights = self.points.new_zeros(len(self.length_scales), len(self.points))
        points = self.points.cpu().numpy()
        for k in torch.nonzero(~self.space.silent).flatten().tolist():
            length_scales, weights = _regress(points, scores_nK[:, k], tuning_draws, iterations)
            self.length_scales[k] = torch.tensor(length_scales)
            self.weights[k] = torch.tensor(weights)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Make room for as many points as the weights to be loaded have."""
        for name in ("points", "weights"):
            if isinstance(stored := state_dict.get(prefix + name), Tensor):
                setattr(self, name, getattr(self, name).new_zeros(stored.shape))
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def forward(self, z_BP: Tensor) -> Tensor:
        z = z_BP.double()
        scores = [
            self._kernel(z, scales) @ weights
            for scales, weights in zip(self.length_scales, self.weights, strict=True)
        ]
        return self.space.decode(torch.stack(scores, dim=1))

    def _kernel(self, z_BP: Tensor, scales_P: Tensor) -> Tensor:
        """exp(-|z - x|^2 / 2) in length scales, (B, N)."""
        z, x = z_BP / scales_P, self.points / scales_P
        squares = z.square().sum(1, keepdim=True) + x.square().sum(1) - 2 * z @ x.T
        return torch.exp(-0.5 * squares.clamp_min(0))


def _regress(
    points: np.ndarray, values: np.ndarray, tuning_draws: int, iterations: int
) -> tuple[np.ndarray, np.ndarray]:
    """Length scales (P,) and weights (N,) of one process on points (N, P): its mean at z is sum_i
    weights_i k(z, point_i).
    """
    try:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
    except ImportError:
        raise MissingExtraError("scikit-learn", "gp") from None
    kernel = ConstantKernel(1.0, SIGNAL) * RBF(
        np.ones(points.shape[1]), LENGTH_SCALES
    ) + WhiteKernel(1.0, NOISE)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ConvergenceWarning
        )  # a bound reached says that a parameter does not matter
        tuned = GaussianProcessRegressor(kernel, alpha=0.0, optimizer=_lbfgs(iterations))
        tuned.fit(points[:tuning_draws], values[:tuning_draws])
    process: Any = GaussianProcessRegressor(tuned.kernel_, alpha=0.0, optimizer=None).fit(
        points, values
    )
    signal = process.kernel_.k1
    return (
        np.broadcast_to(signal.k2.length_scale, points.shape[1]),
        signal.k1.constant_value * process.alpha_,
    )


def _lbfgs(iterations: int) -> Callable[..., tuple[np.ndarray, float]]:
    """An optimiser for scikit-learn: so many steps from the best of `STARTS`, hence never worse
    than that one.

    From a poor start the first step leaps to where everything is noise, and stays there.
    """

    def optimise(
        objective: Callable[..., Any], initial: np.ndarray, bounds: np.ndarray
    ) -> tuple[np.ndarray, float]:
        n_parameters = len(initial) - 2
        starts = [
            np.log([1.0, *[length * n_parameters**0.5] * n_parameters, noise])
            for length, noise in STARTS
        ]
        best = min(starts, key=lambda start: objective(start, eval_gradient=False))
        optimum = minimize(
            objective,
            best,
            method="L-BFGS-B",
            jac=True,
            bounds=bounds.tolist(),
            options={"maxiter": iterations},
        )
        return optimum.x, float(optimum.fun)

    return optimise
