"""A band that holds the truth with a stated probability: a learned error scale, made honest by
conformal prediction.

Split-conformal prediction with normalised scores: Vovk, Gammerman, Shafer (2005), Algorithmic
Learning in a Random World, doi:10.1007/b106715; scores relative to a fitted scale: Lei et al.
(2018), doi:10.1080/01621459.2017.1307116; cf. Romano, Patterson, Candes (2019), arXiv:1905.03222.
With few draws the halves take turns: cross-conformal prediction, Vovk (2015),
doi:10.1007/s10472-013-9368-4.

Axes: B batch, P parameter, S shock, H horizon, O observable, K blocks of horizons.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from emulator.errors import ModelError
from emulator.models.counts import observables_option
from emulator.models.trust.learner import Learner, fit
from emulator.spec import BAND_LEVEL

LEVEL = BAND_LEVEL
MANY = 1000
"""Draws from which one half fits the scale and the other calibrates; below, `FOLDS` parts take
turns.
"""

FOLDS = 5
SMALLEST = 1e-9
"""Errors below this share of a response's scale count as this large when the error scale is fitted.
"""


class ErrorBand(nn.Module):
    """Half width of the `LEVEL` band of one world at standardised parameters.

    members: networks whose log scales are averaged; by_block: a scale for each block of horizons
    (0, 1, 2-3, 4-7, 8-15, ...) of each shock and observable, else one for all horizons. `options`
    do not hold a number of observables of three, which every band of before had.
    """

    quantile_SHO: Tensor
    block_H: Tensor

    def __init__(
        self,
        n_parameters: int,
        n_shocks: int,
        horizon: int,
        members: int,
        by_block: bool,
        n_observables: int = 3,
    ) -> None:
        super().__init__()
        self.options = {
            "n_parameters": n_parameters,
            "n_shocks": n_shocks,
            "horizon": horizon,
            "members": members,
            "by_block": by_block,
            **observables_option(n_observables),
        }
        blocks = [h.bit_length() if by_block else 0 for h in range(horizon + 1)]
        self.shape = (n_shocks, blocks[-1] + 1, n_observables)
        self.members = nn.ModuleList(
            Learner(n_parameters, math.prod(self.shape)) for _ in range(members)
        )
        self.register_buffer("block_H", torch.tensor(blocks), persistent=False)
        self.register_buffer("quantile_SHO", torch.zeros(n_shocks, horizon + 1, n_observables))

    def forward(self, z_BP: Tensor) -> Tensor:
        """Half width (B, S, H+1, O) in natural units, those of the world's observables."""
        logs = torch.stack([member(z_BP) for member in self.members]).mean(0)
        return self._at_horizons(logs) * self.quantile_SHO

    def _at_horizons(self, log_scale: Tensor) -> Tensor:
        return log_scale.unflatten(1, self.shape).exp()[:, :, self.block_H]

    @classmethod
    def fitted(
        cls, z_BP: Tensor, error_BSHO: Tensor, irf_scale_SO: Tensor, generator: torch.Generator
    ) -> ErrorBand:
        """The band of a network whose errors at z_BP were error_BSHO, in natural units; both from
        draws that it did not train on.

        Raises `ModelError` if there are too few draws for a band of this level.
        """
        n, n_shocks, periods, n_observables = error_BSHO.shape
        parts = _parts(n, generator)
        band = cls(
            n_parameters=z_BP.shape[1],
            n_shocks=n_shocks,
            horizon=periods - 1,
            members=len(parts),
            by_block=n >= MANY,
            n_observables=n_observables,
        )
        target = band._log_errors(error_BSHO / irf_scale_SO[:, None])
        scores, order = [], []
        for member, (fit_rows, score_rows) in zip(band.members, parts, strict=True):
            assert isinstance(member, Learner)
            member.constant.data = target[fit_rows].median(0).values
            fit(member, z_BP[fit_rows], target[fit_rows], nn.functional.smooth_l1_loss, generator)
            scores.append(
                error_BSHO[score_rows].abs() / band._at_horizons(member(z_BP[score_rows]))
            )
            order.append(score_rows)
        band.quantile_SHO = conformal_quantile(torch.cat(scores), LEVEL)
        return band

    def _log_errors(self, error_BSHO: Tensor) -> Tensor:
        """Log of the mean absolute error of each shock, block and observable, flat: (B, S K O)."""
        size = error_BSHO.abs()
        blocks = [size[:, :, self.block_H == k].mean(2) for k in range(self.shape[1])]
        return torch.stack(blocks, dim=2).clamp_min(SMALLEST).log().flatten(1)


def conformal_quantile(score_B: Tensor, level: float) -> Tensor:
    """The ceil((n + 1) level)-th smallest of n scores along the first axis: a new score is below it
    with at least this probability.

    Raises `ModelError` if n is so small that it would be infinite.
    """
    n = len(score_B)
    position = math.ceil(round((n + 1) * level, 9))  # rounded first, so that 10 x 0.9 is 9
    if position > n:
        raise ModelError(
            f"A {level:.0%} band needs at least {math.ceil(round(level / (1 - level), 9))} draws to"
            f" be calibrated on; found {n}. Generate a data set with more samples."
        )
    return (
        score_B.flatten(1)
        .T.contiguous()
        .kthvalue(position, dim=1)
        .values.unflatten(0, score_B.shape[1:])
    )


def _parts(n: int, generator: torch.Generator) -> list[tuple[Tensor, Tensor]]:
    """Rows on which a scale is fitted and rows on which it is scored, never the same."""
    order = torch.randperm(n, generator=generator)
    if n >= MANY:
        return [(order[: n // 2], order[n // 2 :])]
    folds = order.tensor_split(FOLDS)
    return [(torch.cat([*folds[:k], *folds[k + 1 :]]), fold) for k, fold in enumerate(folds)]
