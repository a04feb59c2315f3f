"""The band of an economy that is closed over a network, calibrated on draws of the part.

At draws of the part that the network has not learnt from, the closing is done twice, with the exact
part and with the network's. The difference is the economy's error, and its quantile, in units of a
scale that is known at any draw, is the band: split-conformal prediction, as of a network itself
(`emulator.models.trust.band`). The scale is how far the economy's responses move when the part's
are moved by the network's own band, in directions that are drawn once. The closing's own parameters
are drawn uniformly from their ranges, so that the band holds with its probability over these too.

Axes: n draw, P parameter, S shock, H horizon, O observable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from emulator.errors import ModelError, ParameterError
from emulator.inference.answerer import Answerer
from emulator.spec import BAND_LEVEL
from emulator.worlds.calls import RESPONSES, Call
from emulator.worlds.closing import Closing

DIRECTIONS = 8
"""Patterns of signs in which the part's responses are moved by its band."""

LEAST = 9
"""Draws from which there is a band of this level."""

SMALLEST = 1e-3
"""Share of the typical scale of a response that counts as its smallest."""


@dataclass(frozen=True)
class ClosingBand:
    """Half widths of the band of a closing's responses.

    scale: theta (n, P) and horizon to the economy's scale (n, S, H+1, O); quantile (S, H+1, O):
    how many scales the band is wide, up to the horizon of the draws it is calibrated on.
    """

    scale: Callable[[np.ndarray, int], np.ndarray]
    quantile: np.ndarray
    draws: int

    def half_width(self, theta: np.ndarray, horizon: int) -> np.ndarray:
        """Half widths (n, S, H+1, O) around responses to one standard deviation; NaN beyond the
        horizon of the draws.
        """
        known = min(horizon + 1, self.quantile.shape[1])
        width = self.scale(theta, known - 1) * self.quantile[:, :known]
        beyond = [(0, 0), (0, 0), (0, horizon + 1 - known), (0, 0)]
        return np.pad(width, beyond, constant_values=np.nan)

    @classmethod
    def fitted(
        cls,
        part: Answerer,
        economy: Closing,
        theta: np.ndarray,
        irf: np.ndarray,
        rng: np.random.Generator,
    ) -> ClosingBand:
        """Of draws of the part, theta (n, P') and exact responses (n, S', H+1, O'). Raises
        `ParameterError` for arrays that do not fit, and for too few draws.
        """
        theta, irf = _checked(economy, theta, irf)
        last = part.last_horizon
        irf = irf if last is None else irf[:, :, : last + 1]
        horizon = irf.shape[2] - 1
        own = slice(economy.part.spec.n_parameters, None)
        low, high = economy.spec.low[own], economy.spec.high[own]
        theta = np.hstack([theta, rng.uniform(low, high, (len(theta), len(low)))])
        scale = _Scale(part, economy, rng)
        answer = part.responses(economy.of_part(theta), horizon)
        with np.errstate(all="ignore"):
            error = np.abs(scale.closed(answer, theta) - scale.closed(irf, theta))
            scores = error / scale(theta, horizon)
        counted = np.isfinite(scores).all(axis=(1, 2, 3))
        return cls(scale, _quantile(scores[counted]), int(counted.sum()))


class _Scale:
    """How far the economy's responses move when the part's move by the network's band; the same
    everywhere where the network has none.
    """

    def __init__(self, part: Answerer, economy: Closing, rng: np.random.Generator) -> None:
        self.part, self.economy = part, economy
        spec = economy.part.spec
        shape = (DIRECTIONS, 1, spec.n_shocks, 1, spec.n_observables)
        self.signs = rng.choice([-1.0, 1.0], size=shape)
        """The same at all horizons, along which a network errs alike."""
        self.call = Call(economy.closing, ["part", "theta"], batched=True, role=RESPONSES)

    def closed(self, part: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """The economy's responses (n, S, H+1, O) of responses of the part (n, S', H+1, O'); NaN
        where the closing fails.
        """
        spec = self.economy.spec
        shape = (spec.n_shocks, part.shape[2], spec.n_observables)
        return self.call([part, theta], [shape]).arrays[0]

    def __call__(self, theta: np.ndarray, horizon: int) -> np.ndarray:
        of_part = self.economy.of_part(theta)
        answer = self.part.responses(of_part, horizon)
        width = self.part.own_half_width(of_part, horizon)
        with np.errstate(all="ignore"):
            middle = self.closed(answer, theta)
            if width is None:
                return np.ones_like(middle)
            moved = [self.closed(answer + sign * width, theta) - middle for sign in self.signs]
            size = np.sqrt(np.mean(np.square(moved), axis=0))
            typical = size.max(axis=2, keepdims=True)
        return np.maximum(size, SMALLEST * typical) + np.finfo(np.float32).tiny


def _checked(economy: Closing, theta: np.ndarray, irf: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    spec = economy.part.spec
    theta, irf = (np.asarray(array, dtype=np.float64) for array in (theta, irf))
    axes = (len(theta), spec.n_shocks, irf.shape[2] if irf.ndim == 4 else 0, spec.n_observables)
    if theta.ndim != 2 or theta.shape[1] != spec.n_parameters or irf.shape != axes:
        raise ParameterError(
            f"draws= holds arrays of shapes {theta.shape} and {irf.shape}; expected theta"
            f" (n, {spec.n_parameters}) and exact responses"
            f" (n, {spec.n_shocks}, H+1, {spec.n_observables}) of '{spec.name}'."
        )
    return theta, irf


def _quantile(scores: np.ndarray) -> np.ndarray:
    """The conformal quantile (S, H+1, O) of scores (n, S, H+1, O)."""
    import torch  # a network answers for the part, so that it is there

    from emulator.models.trust.band import conformal_quantile

    try:
        return conformal_quantile(torch.from_numpy(scores), BAND_LEVEL).numpy()
    except ModelError:
        raise ParameterError(
            f"The band of a closing needs {LEAST} draws of its part at least; {len(scores)} of"
            " those in draws= have an answer. Give more, or a number of draws to be solved."
        ) from None
