"""The probability that a draw of the prior has a unique stable solution.

Axes: B batch, P parameter.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from emulator.models.trust.learner import Learner, fit
from emulator.spec import DETERMINATE_FROM, Status

HELD_OUT = 0.2
RARE = 20
"""With fewer draws than this of either kind there is nothing to learn: the probability is their
smoothed share everywhere.
"""


class Judgement(NamedTuple):
    """How good probabilities are: area under the ROC curve (None where all draws are of one kind),
    share classified rightly at 0.5, Brier score.
    """

    auc: float | None
    accuracy: float
    brier: float
    n: int


class Determinacy(nn.Module):
    """Probability of status OK of one world at standardised parameters."""

    def __init__(self, n_parameters: int) -> None:
        super().__init__()
        self.adviser = Learner(n_parameters, 1)  # the name of its weights in checkpoints

    def forward(self, z_BP: Tensor) -> Tensor:
        """Probability (B,)."""
        return self.adviser(z_BP)[:, 0].sigmoid()

    @classmethod
    def fitted(cls, z_BP: Tensor, ok_B: Tensor, generator: torch.Generator) -> Determinacy:
        """A classifier fitted on draws of the prior, and on which of them have a solution."""
        classifier = cls(z_BP.shape[1])
        learner = classifier.adviser
        share = (ok_B.sum() + 1) / (len(ok_B) + 2)
        learner.constant.data[:] = torch.logit(share)
        if min(int(ok_B.sum()), int((~ok_B).sum())) >= RARE:
            fit(
                learner,
                z_BP,
                ok_B[:, None].float(),
                nn.functional.binary_cross_entropy_with_logits,
                generator,
            )
        return classifier.requires_grad_(False)


def held_out(n: int) -> slice:
    """Which of a world's n draws of the prior score the classifier: the last fifth, which no fit
    sees.
    """
    return slice(n - max(1, round(HELD_OUT * n)), n)


def judge(probability_B: Tensor, status_B: Tensor) -> Judgement:
    """Score probabilities against the status that the solver found.

    AUC is the share of (OK, not OK) pairs in the right order, ties counting half.
    """
    ok_B = status_B == Status.OK
    good, bad = probability_B[ok_B].double(), probability_B[~ok_B].double()
    auc = None
    if len(good) and len(bad):
        ordered = bad.sort().values
        below, upto = (
            torch.searchsorted(ordered, good, right=right).double() for right in (False, True)
        )
        auc = float((below + upto).mean() / (2 * len(bad)))
    right = ((probability_B >= DETERMINATE_FROM) == ok_B).double().mean()
    brier = (probability_B.double() - ok_B.double()).square().mean()
    return Judgement(auc, float(right), float(brier), len(ok_B))
