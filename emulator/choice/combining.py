"""The best kinds put together as one network."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from emulator.choice.scoring import Splits, answers_of
from emulator.models.base import EmulatorModel
from emulator.models.checkpoint import name_of
from emulator.models.regressions.stack import StackedEmulator, stacked

MOST_MEMBERS = 4
WORTH = 2.0
"""A kind whose error is beyond so many times the best one's is left out."""

LEAST_SHARE = 0.03
FOLDS = 5


def combine(
    networks: Mapping[str, EmulatorModel], errors: Mapping[str, float], splits: Splits
) -> tuple[StackedEmulator, float, dict[str, float]] | None:
    """The best kinds, weighted on `val`: the stack, its error on draws of `val` that its weights
    were not found from, and the mean share of each kind; None where only one kind is worth it.
    """
    best = min(errors.values())
    worthy = sorted((n for n in networks if errors[n] <= WORTH * best), key=errors.__getitem__)
    worthy = worthy[:MOST_MEMBERS]
    while len(worthy) > 1:
        answers = {name: answers_of(networks[name], splits, "val") for name in worthy}
        stack = stacked(
            [networks[name] for name in worthy], [name_of(networks[name]) for name in worthy]
        )
        error = _held_out_error(stack, [answers[name] for name in worthy], splits)
        _weigh(stack, [answers[name] for name in worthy], splits, slice(None))
        shares = torch.cat([stack.shares(world) for world in splits.specs], dim=1).mean(1).tolist()
        used = [name for name, share in zip(worthy, shares, strict=True) if share >= LEAST_SHARE]
        if len(used) in (1, len(worthy)):
            return (
                None if len(used) == 1 else (stack, error, dict(zip(worthy, shares, strict=True)))
            )
        worthy = used
    return None


def _weigh(
    stack: StackedEmulator,
    answers: list[dict[str, np.ndarray]],
    splits: Splits,
    rows: slice | np.ndarray,
) -> None:
    for world, draws in splits.draws["val"].items():
        stack.weigh(
            world,
            torch.from_numpy(draws.irf[rows]),
            [torch.from_numpy(answer[world][rows]) for answer in answers],
        )


def _held_out_error(
    stack: StackedEmulator, answers: list[dict[str, np.ndarray]], splits: Splits
) -> float:
    """Error on each fold of `val` under weights from the others."""
    combined = {world: np.empty_like(draws.irf) for world, draws in splits.draws["val"].items()}
    folds = max(2, min(FOLDS, *(len(draws.theta) for draws in splits.draws["val"].values())))
    for fold in range(folds):
        for world, draws in splits.draws["val"].items():
            held = np.arange(len(draws.theta)) % folds == fold
            own = [torch.from_numpy(answer[world]) for answer in answers]
            rest = torch.from_numpy(~held)
            stack.weigh(world, torch.from_numpy(draws.irf)[rest], [a[rest] for a in own])
            shares = stack.shares(world).float()[:, :, None, None]
            mixed = sum(share * answer[~rest] for share, answer in zip(shares, own, strict=True))
            combined[world][held] = torch.as_tensor(mixed).numpy()
    return splits.error(combined, "val")
