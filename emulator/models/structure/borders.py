"""The margins of regimes as maps: one of all, and beside each border one of its own.

The sign of a margin is its regime. At zero a margin has a kink, as all else of the part has: in
`hank` its slope there changes by a factor of two to three. A smooth map through both sides rounds
that off and misses the border. So a border is found from draws on one side alone, whose map is
continued over zero; its values beyond are those of the near side continued. Axes: B batch, G group
of draws with one part, X dear parameter, M margin, K margin that crosses zero.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from emulator.models.structure.maps import FEWEST, SmoothMap, make_room

NEAREST = 3000
"""Groups on one side of a border from which it is found, at most."""
WITHIN = 0.5
"""Share of the farthest of their margins within which the border's own map is asked."""
HELD_OUT, UNSURE = 10, 0.99
"""One of so many groups is held out to see how far the maps err; a draw whose margin is nearer to
zero than this share of them is doubted.
"""


class Borders(nn.Module):
    """Dear parameters (B, X) -> margins (B, M), float64.

    crossing (K,): margins with enough groups on both sides of zero; reach (K,): nearer to zero than
    this by the map of all, a margin is told by its border's own. unsure (M,): nearer to zero than
    this, a margin may lie beyond it.
    """

    crossing: Tensor
    reach: Tensor
    unsure: Tensor

    def __init__(self, robust: bool = False) -> None:
        super().__init__()
        self.robust = robust
        self.register_buffer("crossing", torch.zeros(0, dtype=torch.int64))
        for name in ("reach", "unsure"):
            self.register_buffer(name, torch.zeros(0, dtype=torch.float64))
        self.coarse = SmoothMap(robust)
        self.near = nn.ModuleList()

    def forward(self, x_BX: Tensor) -> Tensor:
        margins = self.coarse(x_BX)
        close_BK = margins[:, self.crossing].abs() < self.reach
        if not bool(close_BK.any()):
            return margins
        columns = list(margins.unbind(1))
        for place, column in enumerate(self.crossing.tolist()):
            rows = torch.nonzero(close_BK[:, place])[:, 0]
            if len(rows):
                own = self._near(place)(x_BX[rows])[:, 0].to(margins.dtype)
                columns[column] = columns[column].index_copy(0, rows, own)
        return torch.stack(columns, dim=1)

    def fit(self, x_GX: Tensor, margins_GM: Tensor, centres: int, rng: np.random.Generator) -> None:
        """Find the maps; and how far they err on a share of the groups that they are first found
        without.
        """
        order = torch.from_numpy(rng.permutation(len(x_GX)))
        out, rest = order.tensor_split([max(1, len(order) // HELD_OUT)])
        shape = self.coarse.fit(x_GX[rest], margins_GM[rest], centres, rng)
        sides = self._find_borders(x_GX[rest], margins_GM[rest], centres, rng)
        wanted = margins_GM[out]
        error = (self(x_GX[out]) - wanted).abs()
        self.unsure = error.quantile(UNSURE, dim=0)
        for place, column in enumerate(self.crossing.tolist()):
            own = wanted[:, column] * sides[place]
            close = (own > 0) & (own < self.reach[place])
            if close.any():
                self.unsure[column] = error[close, column].quantile(UNSURE)
        self.coarse.fit(x_GX, margins_GM, centres, rng, shape)
        self._find_borders(x_GX, margins_GM, centres, rng)

    def _find_borders(
        self, x_GX: Tensor, margins_GM: Tensor, centres: int, rng: np.random.Generator
    ) -> list[int]:
        """Find the borders' own maps; the side of zero, 1 or -1, from which each is found."""
        self.near = nn.ModuleList()
        crossing, reach, sides = [], [], []
        fewest = FEWEST * (1 + x_GX.shape[1])
        for column, margin in enumerate(margins_GM.unbind(1)):
            above = int((margin > 0).sum())
            side = 1 if 2 * above > len(margin) else -1
            if above in (0, len(margin)) or max(above, len(margin) - above) < fewest:
                continue
            own = torch.nonzero((margin > 0) == (side > 0))[:, 0]
            own = own[margin[own].abs().argsort()][:NEAREST]
            border = SmoothMap(self.robust)
            border.fit(x_GX[own], margin[own, None], centres, rng)
            self.near.append(border)
            crossing.append(column)
            reach.append(WITHIN * float(margin[own].abs().max()))
            sides.append(side)
        self.crossing = torch.tensor(crossing, dtype=torch.int64)
        self.reach = torch.tensor(reach, dtype=torch.float64)
        return sides

    def _near(self, place: int) -> SmoothMap:
        return cast("SmoothMap", self.near[place])

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Make room for what is to be loaded, and a map for each border."""
        make_room(self, state_dict, prefix)
        stored = state_dict.get(f"{prefix}crossing")
        count = 0 if stored is None else len(stored)
        self.near = nn.ModuleList(SmoothMap() for _ in range(count))
        super()._load_from_state_dict(state_dict, prefix, *rest)
