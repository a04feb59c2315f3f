"""How the weights move: the optimiser, its learning rate, the moving average, and when to stop.

SOAP is Adam in the eigenbasis of Shampoo's factors (Vyas et al. 2024, arXiv:2409.11321). For a
weight matrix with gradient G the factors L = E[G G'] and R = E[G' G] have eigenvectors Q_L and Q_R.
Adam (Kingma and Ba 2015, arXiv:1412.6980) runs on the rotated gradient Q_L' G Q_R, and its step is
rotated back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from emulator.training.config import TrainingConfig

START = 0.01
"""Share of `lr` at the first step of the warm-up."""


def lr_factor(
    step: int, warmup_steps: int, total_steps: int, scheduler: str, end: float = 0.01
) -> float:
    """Learning rate at an optimiser step, as a share of `lr`.

    Linear from `START` to 1 over the warm-up, then a cosine down to `end` at the last step, or
    constant with `none`.
    """
    if step < warmup_steps:
        return START + (1.0 - START) * step / warmup_steps
    if scheduler == "none":
        return 1.0
    progress = min((step - warmup_steps) / max(total_steps - 1 - warmup_steps, 1), 1.0)
    return end + (1.0 - end) * 0.5 * (1.0 + math.cos(math.pi * progress))


def curriculum_horizon(
    step: int, total_steps: int, horizons: list[int], share: float
) -> int | None:
    """Last horizon that an optimiser step trains on; None for all.

    The first `share` of all steps falls into stages of equal length, one for each of `horizons`.
    """
    length = share * total_steps
    return horizons[int(step / length * len(horizons))] if step < length and horizons else None


@dataclass
class EarlyStopping:
    """Counts epochs without improvement by more than `min_delta` (Prechelt 1998,
    doi:10.1007/3-540-49430-8_3).

    `best` is the lowest loss so far, whatever the margin; an improvement is `val_loss < best -
    min_delta`.
    """

    patience: int
    min_delta: float
    best: float = math.inf
    waited: int = 0

    def update(self, val_loss: float) -> bool:
        """Take in an epoch's validation loss; whether it is the lowest so far."""
        self.waited = 0 if val_loss < self.best - self.min_delta else self.waited + 1
        lowest = val_loss < self.best
        self.best = min(self.best, val_loss)
        return lowest

    @property
    def stop(self) -> bool:
        return self.waited >= self.patience

    def state(self) -> dict[str, float]:
        return {"best": self.best, "waited": self.waited}

    def load(self, state: dict[str, float]) -> None:
        self.best, self.waited = state["best"], int(state["waited"])


def make_optimizer(
    parameters: list[nn.Parameter], config: TrainingConfig
) -> torch.optim.Optimizer | None:
    """The optimiser of a configuration; none for a network that has nothing to train."""
    if not parameters:
        return None
    if config.optimizer == "soap":
        return SOAP(parameters, lr=config.lr, weight_decay=config.weight_decay)
    return torch.optim.AdamW(parameters, lr=config.lr, weight_decay=config.weight_decay, fused=True)


@torch.no_grad()
def clip_gradients(parameters: list[nn.Parameter], largest: float) -> float:
    """Scale the gradients of weights on one device such that the norm of all together is at most
    `largest`; the norm before.

    The same bits as `nn.utils.clip_grad_norm_`, without its sorting of gradients by device and
    without a product with one where nothing is to be clipped.
    """
    gradients = [weight.grad for weight in parameters if weight.grad is not None]
    if not gradients:
        return 0.0
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    share = largest / (norm + 1e-6)
    if not float(share) >= 1:  # also for a norm that is not a number
        torch._foreach_mul_(gradients, share)
    return float(norm)


class WeightAverage:
    """An average of the trainable weights: a <- d a + (1 - d) w after every step, d = min(decay, (1
    + t) / (10 + t)).

    At step t early in a run the average thus forgets the start as fast as the weights leave it.
    With decay 0 there is no average.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self._weights = (
            {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
            if decay
            else {}
        )
        self.values = {name: weight.detach().clone() for name, weight in self._weights.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after optimiser step `step`, counted from zero."""
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        for name, value in self.values.items():
            value.lerp_(self._weights[name], share)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The network with the average for its weights; its own come back afterwards."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def load(self, values: dict[str, Tensor]) -> None:
        """Go back to an average that was kept in a checkpoint."""
        for name, value in self.values.items():
            value.copy_(values[name])

    @torch.no_grad()
    def _swap(self) -> None:
        for name, weight in self._weights.items():
            own = weight.clone()
            weight.copy_(self.values[name])
            self.values[name].copy_(own)


MAX_SIDE = 1024
"""Longest side of a matrix that gets a factor; a longer one is left as it is."""

REFRESH = 10
"""Steps between refreshes of the bases."""

SIDES = (0, 1)


class SOAP(torch.optim.Optimizer):
    """SOAP with decoupled weight decay; tensors that are not matrices are updated by Adam.

    lr: step size; betas: decay of the moments of gradients, the second also that of the factors;
    eps: added to the root of the second moment; weight_decay: a share of `lr`. A parameter's first
    gradient only sets up its factors; parameters without a gradient are left alone. Deterministic;
    state is float32 for float32 weights.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 3e-3,
        betas: tuple[float, float] = (0.95, 0.95),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(
            params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step on every parameter that has a gradient; the value of `closure`, which makes the
        gradients, if given.
        """
        value = None
        if closure is not None:
            with torch.enable_grad():
                value = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if state:
                    _update(parameter, parameter.grad, state, group)
                else:
                    state.update(_fresh(parameter.grad))
        return value


def _fresh(gradient: Tensor) -> dict[str, Any]:
    """The state of a parameter after its first gradient."""
    state: dict[str, Any] = {
        "count": 0,
        "mean": torch.zeros_like(gradient),
        "square": torch.zeros_like(gradient),
    }
    if gradient.ndim == 2:
        for side in SIDES:
            if gradient.shape[side] <= MAX_SIDE:
                factor = _outer(gradient, side)
                # In float64, since the factor of one gradient is far from full rank.
                state[f"factor_{side}"], state[f"basis_{side}"] = (
                    factor,
                    torch.linalg.eigh(factor.double())[1].to(factor.dtype),
                )
    return state


def _update(
    parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any]
) -> None:
    (beta_mean, beta_square), rate = group["betas"], group["lr"]
    state["count"] += 1
    rotated = _rotate(gradient, state)
    state["mean"].lerp_(rotated, 1 - beta_mean)
    state["square"].mul_(beta_square).addcmul_(rotated, rotated, value=1 - beta_square)
    root = (state["square"] / (1 - beta_square ** state["count"])).sqrt_().add_(group["eps"])
    direction = _rotate(state["mean"] / root, state, back=True)
    parameter.mul_(1 - rate * group["weight_decay"])
    parameter.add_(direction, alpha=-rate / (1 - beta_mean ** state["count"]))
    for side in SIDES:
        if f"factor_{side}" in state:
            state[f"factor_{side}"].lerp_(_outer(gradient, side), 1 - beta_square)
    if gradient.ndim == 2 and state["count"] % REFRESH == 0:
        _refresh(state)


def _outer(gradient: Tensor, side: int) -> Tensor:
    return gradient @ gradient.T if side == 0 else gradient.T @ gradient


def _rotate(matrix: Tensor, state: dict[str, Any], *, back: bool = False) -> Tensor:
    """Into the bases, or back out of them; a side without a basis stays."""
    if "basis_0" in state:
        matrix = (state["basis_0"] if back else state["basis_0"].T) @ matrix
    if "basis_1" in state:
        matrix = matrix @ (state["basis_1"].T if back else state["basis_1"])
    return matrix


def _refresh(state: dict[str, Any]) -> None:
    """One power iteration and QR on each basis, its directions in falling order of their
    eigenvalues (algorithm 4 of the paper).

    The mean of gradients is kept in the bases, and moves with them.
    """
    mean = _rotate(state["mean"], state, back=True)
    for side in SIDES:
        if f"factor_{side}" in state:
            basis = state[f"basis_{side}"]
            moved = state[f"factor_{side}"] @ basis
            order = (basis * moved).sum(0).argsort(descending=True, stable=True)
            state["square"] = state["square"].index_select(side, order)
            state[f"basis_{side}"] = torch.linalg.qr(moved[:, order])[0]
    state["mean"] = _rotate(mean, state)
