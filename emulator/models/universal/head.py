"""From the network's outputs to responses: a latent state space, or (for comparison) every horizon
on its own.

The states of a world are common ones, which every shock moves, and one or two of each shock's own,
if the shock has parameters of its own: states of its process, which nothing else enters. With a
state as a row, A = [P 0; Q R]: P and the common loadings know nothing of the shocks' own
parameters, and the rows of Q and R, the loadings and the first state of a shock know only its own.
R is triangular, its diagonal bounded; P is bounded in `state_space`.

Axes: B batch, n common states, K own states of a shock at most, M own states in all, N = n + M, S
shock, O observable, H horizon, C common outputs, R outputs of a shock.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from emulator.models.universal.layers import Corrections
from emulator.models.universal.layout import Layout
from emulator.models.universal.start import Start
from emulator.models.universal.state_space import bounded_powers, bounding_factor, powers, rollout

FREE_LOG_GAIN = 6.0
"""Largest logarithm of a shock's gain, so that no step of training can make responses overflow."""

UNDAMPED, DAMPED = 20.0, 2.0
"""Logits of the factor on the transition where training starts: one in single precision, and what a
random start is given.
"""

OWN_ROOT, STEEP, LEAK = 2.0, 1.1, 0.02
"""A root x of a shock's own process is `OWN_ROOT` tanh(x / `OWN_ROOT`), of which only a share
`LEAK` counts beyond `STEEP`: responses stay bounded, and gradients never vanish, as they do beyond
a hard bound (roots there would stay); near a tight smooth one roots learn slowly. What bounds P
scales Q and R too: training leads P far beyond its bound.
"""

EVEN = 4
"""The number of states is a multiple of this, which processors multiply faster."""


class Head(nn.Module):
    """Layout of a world's outputs.

    Common: transition, loadings, a factor; of each shock: first state, log gain, its rows of Q, R
    and of the loadings.

    own: number of each shock's own states; layout: where their outputs stand.
    """

    def __init__(self, own: tuple[int, ...], layout: Layout) -> None:
        super().__init__()
        self.own, self.layout, self.most_own = own, layout, layout.most_own
        self.horizon, self.structure = layout.horizon, layout.structure
        self.n, self.observables = layout.n, len(layout.observables)
        self.lags, self.row = self.n // self.observables, layout.row
        self.common, self.per_shock = layout.common, layout.per_shock
        pairs = [(shock, k) for shock, count in enumerate(own) for k in range(count)]
        self.own_rows: Tensor
        self.onward: Tensor
        self.diagonal: Tensor
        self.place: Tensor
        self.entry: Tensor
        self.direct: Tensor
        self.process_rows: Tensor
        constants = {
            "own_rows": torch.tensor(
                [shock * self.most_own + k for shock, k in pairs], dtype=torch.long
            ),
            "place": torch.tensor([self.n + k for _, k in pairs], dtype=torch.long),
            "onward": torch.tensor(
                [[float(i == j and k < m) for j, m in pairs] for i, k in pairs]
            ).reshape(len(pairs), len(pairs)),
            "diagonal": torch.eye(len(pairs)),
            "entry": torch.tensor(
                [[float(j == shock and k == 0) for j, k in pairs] for shock in range(len(own))]
            ),
        }
        constants["direct"] = (constants["entry"].sum(1, keepdim=True) == 0).float()
        constants["process_rows"] = torch.cat(
            [torch.zeros(len(own), self.n), constants["entry"]], 1
        )
        self.all_own = min(own) > 0
        for name, value in constants.items():
            self.register_buffer(name, value, persistent=False)

    @classmethod
    def sized(
        cls,
        own: tuple[int, ...],
        states: int,
        observables: tuple[str, ...],
        horizon: int,
        structure: bool,
    ) -> Head:
        """The head with so many common states at least."""
        n = -(-(states + sum(own)) // EVEN) * EVEN - sum(own)
        return cls(own, Layout(n, max(own), observables, horizon, structure))

    def of(self, shocks: list[int]) -> Head:
        """The head for some of the shocks alone, whose outputs are laid out as here."""
        return Head(tuple(self.own[shock] for shock in shocks), self.layout)

    def common_parts(self, outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Views of common outputs (.., C): P (.., n, n), loadings (.., n, O), logit of the factor
        (..).
        """
        n = self.n
        return (
            outputs[..., : n * n].unflatten(-1, (n, n)),
            outputs[..., n * n : -1].unflatten(-1, (n, self.observables)),
            outputs[..., -1],
        )

    def own_parts(self, outputs: Tensor) -> Tensor:
        """View of a shock's outputs (.., R) as its rows (.., K, n + K + O) of Q, R and the
        loadings.
        """
        return outputs[..., self.n + 1 :].unflatten(-1, (self.most_own, self.row))

    def units(self, own: Corrections) -> tuple[Tensor, Tensor]:
        """What outputs (C,) and (S, R) are multiplied by, so that responses come out in natural
        units for shocks of size one.
        """
        observable, shocks = own.observable_unit, len(self.own)
        if not self.structure:
            return observable.new_ones(0), (observable * own.live[:, None, :]).expand(
                -1, self.horizon + 1, -1
            ).flatten(1)
        common, by_shock = (
            observable.new_ones(self.common),
            observable.new_ones(shocks, self.per_shock),
        )
        self.common_parts(common)[1].copy_(observable.expand(self.n, -1))
        if self.most_own:
            self.own_parts(by_shock)[..., -self.observables :] = observable
        return common, by_shock

    def scatter(self, own: Corrections) -> None:
        """The start without data: decays spread over (0, 1), observables mostly the first states,
        shocks anywhere.
        """
        if not self.structure:
            return
        transition, loadings, decay = self.common_parts(own.common_start[:, 0])
        transition.copy_(
            torch.diag(torch.linspace(0.3, 0.9, self.n)) + 0.05 * torch.randn(self.n, self.n)
        )
        shape = self.n, self.observables
        loadings.copy_(torch.eye(*shape) + 0.3 * torch.randn(*shape))
        decay.fill_(
            UNDAMPED if self.most_own else DAMPED
        )  # an own root is to be what the parameters say
        first = own.shock_start[..., 0]
        first.copy_(0.3 * torch.randn(first.shape))
        first[:, self.n] = 0.0
        if self.most_own:
            self.own_parts(first)[..., self.n : self.n + self.most_own] = 0.5 * torch.eye(
                self.most_own
            )

    def begin(self, own: Corrections, start: Start) -> None:
        """Write a fitted start into a world's buffers; training does not correct it."""
        own.common_start.zero_()
        own.shock_start.zero_()
        states = start.transition.shape[1]
        transition, loadings, decay = self.common_parts(own.common_start.T)
        transition[:, :states, :states] = start.transition
        loadings[:, :states] = start.loadings
        decay[0] = UNDAMPED
        own.shock_start[:, :states] = start.first.permute(1, 2, 0)
        own.reach.zero_()

    def responses(
        self,
        common: Tensor,
        by_shock: Tensor,
        size: Tensor,
        live: Tensor | None,
        horizon: int,
        growth: float,
    ) -> Tensor:
        """Responses (B, S, H+1, O) in natural units, from outputs (B, C) and (S, B, R) and the
        sizes of shocks (B or 1, S).

        `live` (S, O) is zero for silent responses; `growth` bounds the transition.
        """
        outputs = by_shock.transpose(0, 1)
        if not self.structure:
            return (
                outputs.unflatten(2, (self.horizon + 1, self.observables))[:, :, : horizon + 1]
                * size[:, :, None, None]
            )
        transition, loadings, decay = self.common_parts(common)
        gain = (
            outputs[..., self.n : self.n + 1].clamp(-FREE_LOG_GAIN, FREE_LOG_GAIN).exp()
            * size[:, :, None]
        )
        first = outputs[..., : self.n]
        if self.most_own:
            own = self.own_parts(outputs).flatten(1, 2)
            if len(self.place) < own.shape[1]:  # a shock has fewer rows than another
                own = own.index_select(1, self.own_rows)
            filled = nn.functional.pad(
                transition, (0, len(self.place), 0, len(self.place))
            )  # an even size is the faster to square
            scale = bounding_factor(filled, decay, growth, self.n)
            lower = torch.cat([scale * own[..., : self.n], self._processes(own, scale)], 2)
            of_A = powers(torch.cat([scale * filled[:, : self.n], lower], 1))
            loadings = torch.cat([loadings, own[..., -self.observables :]], 1)
            if self.all_own:  # shocks move states of their own processes alone
                rows = self.process_rows * gain
            else:
                rows = (
                    torch.cat([first * self.direct, self.entry.expand(first.shape[0], -1, -1)], 2)
                    * gain
                )
        else:
            of_A = bounded_powers(transition, decay, growth, self.n)
            rows = first * gain
        irf = rollout(of_A, rows, loadings, horizon)
        return irf if live is None else irf * live[:, None, :]

    def _processes(self, own: Tensor, scale: Tensor) -> Tensor:
        """R (B, M, M): how shocks' own states move on, from their rows (B, M, n + K + O)."""
        if self.most_own == 1:
            return _root(scale * own[..., self.n : self.n + 1]) * self.diagonal
        block = scale * own.index_select(2, self.place)
        return torch.addcmul(
            block * self.onward, _root(block.diagonal(dim1=1, dim2=2))[:, :, None], self.diagonal
        )


def _root(x: Tensor) -> Tensor:
    bounded = (x * (1 / OWN_ROOT)).tanh()
    return (
        torch.lerp(bounded, bounded.clamp(-STEEP / OWN_ROOT, STEEP / OWN_ROOT), 1 - LEAK) * OWN_ROOT
    )
