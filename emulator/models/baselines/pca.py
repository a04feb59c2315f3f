"""Principal components of a world's responses, kept with the weights.

Axes: n draws, F response (shocks, horizons and observables, flat), K component.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from emulator.errors import ModelError

NEGLIGIBLE = 1e-6
"""A component whose standard deviation is below this share of the largest holds rounding alone."""


class PrincipalComponents(nn.Module):
    """Responses <-> their first components, each divided by its standard deviation over the draws.

    Everything is float64. Of draws that span fewer components than asked for, the rest are zero
    both ways.
    """

    mean: Tensor
    basis: Tensor
    deviation: Tensor
    fitted: Tensor

    def __init__(self, width: int, components: int) -> None:
        super().__init__()
        if components < 1:
            raise ModelError(
                f"Expected at least one principal component; found components = {components}."
            )
        self.register_buffer("mean", torch.zeros(width, dtype=torch.float64))
        self.register_buffer("basis", torch.zeros(components, width, dtype=torch.float64))
        self.register_buffer("deviation", torch.zeros(components, dtype=torch.float64))
        self.register_buffer("fitted", torch.tensor(False))

    @property
    def silent(self) -> Tensor:
        """Components (K,) without any variance in the draws."""
        return self.deviation == 0

    @torch.no_grad()
    def fit(self, responses: Tensor) -> PrincipalComponents:
        """Components of largest variance of responses (n, F)."""
        values = responses.to(self.mean)
        self.mean.copy_(values.mean(0))
        centred = values - self.mean
        variance, vectors = torch.linalg.eigh(centred.T @ centred / len(values))
        count = min(len(self.deviation), len(variance))
        deviation = variance.flip(0)[:count].clamp_min(0).sqrt()
        spanned = deviation > NEGLIGIBLE * deviation[0]
        self.basis.zero_()
        self.deviation.zero_()
        self.basis[:count] = torch.where(spanned[:, None], vectors.T.flip(0)[:count], 0.0)
        self.deviation[:count] = torch.where(spanned, deviation, 0.0)
        self.fitted.fill_(True)
        return self

    def encode(self, responses: Tensor) -> Tensor:
        """Responses (n, F) as standardised components (n, K)."""
        scores = (responses.to(self.mean) - self.mean) @ self.basis.T
        return torch.where(self.silent, 0.0, scores / torch.where(self.silent, 1.0, self.deviation))

    def decode(self, components: Tensor) -> Tensor:
        """Standardised components (n, K) as responses (n, F), float32 at least.

        Raises `ModelError` before `fit`.
        """
        if not self.fitted:
            raise ModelError(
                "Principal components were asked for responses before they were fitted: call"
                " prepare(samples) first, or load the weights of a trained network. `emulator"
                " train` does the former."
            )
        dtype = torch.promote_types(components.dtype, torch.float32)
        with torch.autocast(
            components.device.type, enabled=False
        ):  # half precision would blur what the components can say
            return (components.to(dtype) * self.deviation.to(dtype)) @ self.basis.to(
                dtype
            ) + self.mean.to(dtype)
