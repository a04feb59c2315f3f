"""Where the outputs of a network stand: those that all shocks share, and those of a shock.

Common outputs (C) are the transition (n, n), the loadings (n, O) and a factor; those of a shock (R)
its first state (n), its log gain, and for each of its own states a row of Q (n), of R (K) and of
loadings (O). Without a structure they are a shock's responses (H+1, O). Worlds differ in n, K and
in their observables, which are matched by name.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Layout(NamedTuple):
    """n: common states; most_own: own states of a shock at most, K; observables: their names;
    horizon: of the training data; structure: False for responses horizon by horizon.
    """

    n: int
    most_own: int
    observables: tuple[str, ...]
    horizon: int
    structure: bool

    @property
    def row(self) -> int:
        """Outputs of an own state of a shock."""
        return self.n + self.most_own + len(self.observables)

    @property
    def common(self) -> int:
        """Number of common outputs, C."""
        return self.n * (self.n + len(self.observables)) + 1 if self.structure else 0

    @property
    def per_shock(self) -> int:
        """Number of outputs of a shock, R."""
        if not self.structure:
            return len(self.observables) * (self.horizon + 1)
        return self.n + 1 + self.most_own * self.row

    def rows_of(self, larger: Layout) -> tuple[Tensor, Tensor]:
        """Where these outputs stand in a layout that has them all: the common ones, and those of a
        shock.
        """
        columns = torch.tensor([larger.observables.index(name) for name in self.observables])
        width = len(larger.observables)
        if not self.structure:
            periods = torch.arange(self.horizon + 1)[:, None]
            return torch.arange(0), (periods * width + columns).flatten()
        states, n = torch.arange(self.n), larger.n
        transition = (states[:, None] * n + states).flatten()
        loadings = n * n + (states[:, None] * width + columns).flatten()
        row = torch.cat([states, n + torch.arange(self.most_own), n + larger.most_own + columns])
        own = (n + 1 + torch.arange(self.most_own)[:, None] * larger.row + row).flatten()
        return (
            torch.cat([transition, loadings, torch.tensor([larger.common - 1])]),
            torch.cat([states, torch.tensor([n]), own]),
        )


Places = tuple[Tensor, Tensor]


def shared_places(mine: Layout, theirs: Layout) -> tuple[Places, Places]:
    """Which outputs two layouts have in common, as places in the one and in the other: the common
    outputs, and those of a shock.
    """
    names = tuple(dict.fromkeys(mine.observables + theirs.observables))
    joint = mine._replace(
        n=max(mine.n, theirs.n), most_own=max(mine.most_own, theirs.most_own), observables=names
    )
    common, of_shock = (
        _meeting(here, there)
        for here, there in zip(mine.rows_of(joint), theirs.rows_of(joint), strict=True)
    )
    return common, of_shock


def _meeting(mine: Tensor, theirs: Tensor) -> Places:
    here, there = (mine[:, None] == theirs).nonzero().T
    return here, there
