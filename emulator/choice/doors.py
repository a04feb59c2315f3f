"""The Python doors: from a data set, or from draws in arrays, to the best emulator of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emulator.choice.board import advice
from emulator.choice.budget import seconds
from emulator.choice.choosing import choose
from emulator.choice.kinds import asked
from emulator.console import say
from emulator.data import Fractions
from emulator.errors import ConfigError, DatasetError
from emulator.spec import IRF_AXES

if TYPE_CHECKING:
    from emulator.choice.choosing import Choice
    from emulator.training import Trainer, TrainingConfig

DATA_FOLDER = "dataset"
VALIDATION, TEST = 0.12, 0.03
LEAST_VALIDATION = 10
"""Draws that choose the kind and calibrate the band, where there are so few."""

FEW = 3
"""Draws in each region that is held out, about: those who have few want them for training."""


@contextmanager
def emulated(
    theta: Any,
    irf: Any,
    *,
    parameters: Sequence[str] | None = None,
    shocks: Sequence[str] | None = None,
    observables: Sequence[str] | None = None,
    name: str = "mine",
    kind: str | list[str] = "all",
    budget: str | float = "2m",
    output: str | Path | None = None,
    seed: int = 0,
    fractions: Fractions | None = None,
    overwrite: bool = False,
    **described: Any,
) -> Iterator[Path]:
    """The folder of the best emulator of these draws, for `emulator.load`.

    theta (n, P), irf (n, S, H+1, O); parameters, shocks, observables: names, by default
    `parameter_1`, `shock_1`, `observable_1` and so on; name: of the world; kind, budget, seed: as
    in `choose`; output: a folder that keeps the data set and the emulator, by default one that is
    gone afterwards; fractions: of the draws held out, by default few; described: what else
    `emulator.data.importing.import_draws` takes, such as `units` and `status`. Raises
    `DatasetError`, `ConfigError`, `TrainingError`.
    """
    from emulator.data.importing.arrays import import_draws

    asked(kind)  # before the work of making a data set
    seconds(budget)
    if not hasattr(irf, "dims"):
        described.setdefault("axes", IRF_AXES)
        shape = np.shape(irf)
        if len(shape) != 4:
            raise DatasetError(
                f"irf has the shape {shape}; expected four axes, (draws, shocks, horizons,"
                " observables). A single shock is written irf[:, None], a single observable"
                " irf[..., None]."
            )
        lengths = dict(zip(described["axes"], shape, strict=False))
        shocks = _numbered("shock", shocks, lengths.get("shock", 0))
        observables = _numbered("observable", observables, lengths.get("observable", 0))
    if not hasattr(theta, "columns") and np.ndim(theta) == 2:
        parameters = _numbered("parameter", parameters, np.shape(theta)[1])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(output) if output is not None else Path(scratch) / name
        import_draws(
            theta,
            irf,
            output=folder / DATA_FOLDER,
            parameters=parameters,
            shocks=shocks,
            observables=observables,
            name=name,
            seed=seed,
            fractions=fractions or _few_held_out(len(theta)),
            overwrite=overwrite,
            **described,
        )
        choice = choose(folder / DATA_FOLDER, folder, kind, budget, seed=seed, overwrite=overwrite)
        for line in advice(choice):
            say(line)
        yield folder


def _numbered(what: str, names: Sequence[str] | None, length: int) -> Sequence[str]:
    """Names as given, else numbers behind what they are names of."""
    return names if names is not None else [f"{what}_{k + 1}" for k in range(length)]


def _few_held_out(n: int) -> Fractions:
    region = min(0.1, FEW / max(n, 1))
    return Fractions(
        val=min(0.4, max(VALIDATION, LEAST_VALIDATION / max(n - 2 * FEW, 1))),
        test=TEST,
        test_extrapolation_slice=region,
        test_extrapolation_corner=region,
    )


def train(
    config: TrainingConfig | None = None,
    *,
    dataset: str | Path | None = None,
    kind: str | list[str] = "all",
    budget: str | float = "10m",
    output: str | Path | None = None,
    seed: int = 0,
    resume: bool = False,
    overwrite: bool = False,
) -> Trainer | Choice:
    """Train the network that a configuration describes, or find the best emulator of a data set.

    With `config`, as `emulator.training.trainer.train`, whose trainer is returned. With `dataset`
    and `output`, as `emulator.choice.choose`: `emulator.load(output)` is the winner. Raises
    `ConfigError` where neither or both are given.
    """
    if (config is None) == (dataset is None) or (dataset is not None and output is None):
        raise ConfigError(
            "emulator.train takes a configuration, or dataset= with output=, such as"
            " emulator.train(dataset='datasets/mine', output='runs/mine')."
        )
    if config is not None:
        from emulator.training.trainer import train as train_one

        return train_one(config, resume=resume, overwrite=overwrite)
    assert dataset is not None
    assert output is not None
    return choose(dataset, output, kind, budget, seed=seed, resume=resume, overwrite=overwrite)
