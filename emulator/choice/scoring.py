"""Errors by which kinds are compared: the mean NRMSE, in training standard deviations.

Axes: n draws, P parameter, S shock, H horizon, O observable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from emulator.data import DataSet, Fractions
from emulator.errors import DatasetError
from emulator.eval.metrics import nrmse
from emulator.eval.scale import Scale
from emulator.models.base import EmulatorModel
from emulator.models.baselines.trivial import TRIVIAL_BASELINES
from emulator.spec import WorldSpec

BLOCK = 512
LEAST_TRAIN = 5
LEAST_VAL = 9
"""Draws of `val` from which a 90 % band can be calibrated."""


@dataclass(frozen=True)
class Draws:
    """theta (n, P) and responses (n, S, H+1, O) of one world's split, float32, natural units."""

    theta: np.ndarray
    irf: np.ndarray


def fractions_for(n: int) -> Fractions:
    """The usual shares of n draws, or a larger one for `val` where a band needs it."""
    usual = Fractions()
    regions = usual.test_extrapolation_slice + usual.test_extrapolation_corner
    least = (LEAST_VAL + 1) / max(1.0, n * (1 - regions))
    return usual.model_copy(update={"val": min(0.4, max(usual.val, least))})


class Splits:
    """The training, validation and test draws of every world, and the scales of the first.

    data: the set that they were read from, which networks that are trained in rounds read again.
    """

    def __init__(
        self,
        specs: Mapping[str, WorldSpec],
        draws: Mapping[str, Mapping[str, Draws]],
        data: DataSet | None = None,
    ) -> None:
        self.specs = dict(specs)
        self.draws = draws
        self._data = data
        for split, worlds in draws.items():
            for world, own in worlds.items():
                least = {"train": LEAST_TRAIN, "val": LEAST_VAL}.get(split, 1)
                if len(own.theta) < least:
                    raise DatasetError(
                        f"World '{world}' has {len(own.theta)} draws in the split '{split}';"
                        f" choosing an emulator needs {least} at least. Generate or import more"
                        " draws, or give this split a larger share."
                    )
        self.scales = {
            world: Scale.fit(own.theta, own.irf) for world, own in draws["train"].items()
        }

    @classmethod
    def of(cls, data: DataSet) -> Splits:
        """The splits of a data set."""
        draws = {
            split: {world: Draws(*data.read(world, split)) for world in data.worlds}
            for split in ("train", "val", "test")
        }
        return cls({world: data.spec(world) for world in data.worlds}, draws, data)

    @property
    def data(self) -> DataSet:
        assert self._data is not None
        return self._data

    @property
    def horizon(self) -> int:
        """Last horizon H of the responses."""
        return next(iter(self.draws["train"].values())).irf.shape[2] - 1

    @property
    def n_train(self) -> int:
        """Training draws of the world that has fewest."""
        return min(len(draws.theta) for draws in self.draws["train"].values())

    def error(self, answers: Mapping[str, np.ndarray], split: str) -> float:
        """NRMSE of answers (n, S, H+1, O) by world: the mean over worlds and responses; infinite
        where one is not finite.
        """
        return float(np.mean([self.error_of(world, answers[world], split) for world in self.specs]))

    def error_of(self, world: str, answer: np.ndarray, split: str) -> float:
        truth = self.draws[split][world].irf
        if not np.isfinite(answer).all():
            return float("inf")
        return nrmse(truth, answer, self.scales[world].sigma)

    def trivial(self, split: str) -> dict[str, float]:
        """NRMSE of the predictors that need no network, by title."""
        errors = {}
        for kind in TRIVIAL_BASELINES.values():
            answers = {}
            for world, train in self.draws["train"].items():
                fitted = kind().fit(train.theta, train.irf)
                answers[world] = fitted.predict(self.draws[split][world].theta)
            errors[kind.title] = self.error(answers, split)
        return errors


def answers_of(network: EmulatorModel, splits: Splits, split: str) -> dict[str, np.ndarray]:
    """A network's responses (n, S, H+1, O) to the draws of a split, by world."""
    network.eval()
    answers = {}
    with torch.inference_mode():
        for world, draws in splits.draws[split].items():
            theta = torch.from_numpy(draws.theta)
            parts = [network(part, world).float().numpy() for part in theta.split(BLOCK)]
            answers[world] = np.concatenate(parts)
    return answers
