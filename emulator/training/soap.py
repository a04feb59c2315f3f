"""SOAP: Adam in the eigenbasis of Shampoo's factors (Vyas et al. 2024, arXiv:2409.11321).

For a weight matrix with gradient G the factors L = E[G G'] and R = E[G' G] have eigenvectors Q_L
and Q_R. Adam (Kingma and Ba 2015, arXiv:1412.6980) runs on the rotated gradient Q_L' G Q_R, and its
step is rotated back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

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
