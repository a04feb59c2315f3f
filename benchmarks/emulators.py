"""Emulators of other kinds, scored like a network: boosted trees (LightGBM) on principal
components.

    pip install lightgbm python benchmarks/emulators.py --dataset datasets/v1.0 [--worlds nk,var]
    [--draws 0] [--minutes 10] [--threads 1]

For each world: responses in training standard deviations -> principal components -> one LightGBM
regression a component on the same training draws that networks see, stopped early on `val` (Ke et
al., 2017). Scores and `results.json` are those of `emulator evaluate`, so that `emulator
leaderboard` ranks it among the networks. Where the time limit ends a fit, the note printed says so.
"""

from __future__ import annotations

import dataclasses
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import lightgbm
import numpy as np
import torch
import typer
from torch import Tensor

from emulator import provenance
from emulator.console import err, out, run, say
from emulator.data import DataSet, open_dataset
from emulator.eval import results, tables
from emulator.eval.evaluate import evaluate_network
from emulator.eval.request import DEFAULT_SPLITS, Request, names
from emulator.files import sha256
from emulator.models.base import EmulatorModel
from emulator.models.baselines.pca import PrincipalComponents
from emulator.models.checkpoint import Checkpoint
from emulator.models.trained import TrainedNetwork
from emulator.training.sources import moments

PATIENCE = 50
"""Rounds without gain on `val` after which a component's fit ends."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What makes these fits again, but for the data."""

    worlds: list[str]
    model: str = "LightGBM"
    draws: int = 0
    components: int = 64
    rounds: int = 2000
    learning_rate: float = 0.05
    num_leaves: int = 31
    minutes: float = 10.0
    seed: int = 42


class TreesOfAWorld:
    """One regression a principal component.

    `fit` takes theta (n, P), responses (n, S, H+1, O) in natural units.
    """

    def __init__(self, settings: Settings, threads: int) -> None:
        self.settings = settings
        self.params = {
            "objective": "regression",
            "learning_rate": settings.learning_rate,
            "num_leaves": settings.num_leaves,
            "verbosity": -1,
            "seed": settings.seed,
            "deterministic": True,
            "force_col_wise": True,
            "num_threads": threads,
        }
        self.boosters: dict[int, lightgbm.Booster] = {}

    def fit(self, train: tuple[np.ndarray, np.ndarray], val: tuple[np.ndarray, np.ndarray]) -> int:
        """Fit every component; the number of them that the time limit ended."""
        theta, irf = (torch.from_numpy(array) for array in train)
        self.scale = moments(lambda: [(theta, irf)]).irf_scale[:, None]
        self.shape = irf.shape[1:]
        flat = (irf / self.scale).flatten(1)
        self.space = PrincipalComponents(flat.shape[1], self.settings.components).fit(flat)
        targets = self.space.encode(flat).numpy()
        checks = self.space.encode((torch.from_numpy(val[1]) / self.scale).flatten(1)).numpy()
        wanted = torch.nonzero(~self.space.silent).flatten().tolist()
        deadline = time.monotonic() + 60 * self.settings.minutes
        ended = 0
        for done, k in enumerate(wanted):
            share = time.monotonic() + (deadline - time.monotonic()) / (len(wanted) - done)
            data = lightgbm.Dataset(train[0], targets[:, k], params=self.params)
            self.boosters[k] = lightgbm.train(
                self.params,
                data,
                self.settings.rounds,
                valid_sets=[data.create_valid(val[0], checks[:, k])],
                callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False), _until(share)],
            )
            ended += time.monotonic() >= share
        return ended

    def predict(self, theta: np.ndarray) -> Tensor:
        """Responses (n, S, H+1, O) in natural units."""
        scores = torch.zeros(len(theta), self.settings.components)
        for k, booster in self.boosters.items():
            scores[:, k] = torch.from_numpy(np.asarray(booster.predict(theta)))
        return self.space.decode(scores).unflatten(1, self.shape) * self.scale

    def text(self) -> str:
        return "".join(booster.model_to_string() for booster in self.boosters.values())


def _until(deadline: float) -> Callable[[Any], None]:
    """A callback that ends a fit at a time of the monotonic clock, keeping the trees it has."""

    def stop(env: Any) -> None:
        if time.monotonic() >= deadline:
            raise lightgbm.callback.EarlyStopException(env.iteration, env.evaluation_result_list)

    return stop


class Trees(EmulatorModel):
    """Trees in the place of a network."""

    def __init__(self, settings: Settings, data: DataSet, threads: int) -> None:
        super().__init__()
        self.world_specs = {world: data.spec(world) for world in settings.worlds}
        self.horizon = data.horizon
        self.param_dims = {name: spec.n_parameters for name, spec in self.world_specs.items()}
        self.shock_dims = {name: spec.n_shocks for name, spec in self.world_specs.items()}
        self.fits: dict[str, TreesOfAWorld] = {}
        for world in settings.worlds:
            start = time.monotonic()
            theta, irf = (array[: settings.draws or None] for array in data.read(world, "train"))
            self.fits[world] = TreesOfAWorld(settings, threads)
            ended = self.fits[world].fit((theta, irf), data.read(world, "val"))
            say(
                f"{world}: {len(theta)} draws, {len(self.fits[world].boosters)} components,"
                f" {time.monotonic() - start:.0f} s"
            )
            if ended:
                err.print(
                    f"note: in {world} the time limit ended {ended} of"
                    f" {len(self.fits[world].boosters)} fits before they stopped by themselves."
                )
        self.origin = Checkpoint(
            model_name=settings.model,
            model_options={},
            weights={},
            world_specs=self.world_specs,
            statistics={},
            config=dataclasses.asdict(settings),
            data_fingerprint=data.fingerprint,
            epoch=0,
            val_loss=float("nan"),
            horizon=data.horizon,
            versions=provenance.versions() | {"lightgbm": lightgbm.__version__},
            sha256=sha256("".join(fit.text() for fit in self.fits.values()).encode()),
        )

    def natural(self, theta_BP: Tensor, world: str, horizon: int) -> Tensor:
        return self.fits[world].predict(theta_BP.numpy())


def main(
    dataset: Annotated[Path, typer.Option(help="Folder of the data set.")] = Path("datasets/v1.0"),
    worlds: Annotated[
        str, typer.Option(help="Worlds, separated by commas; those of the data set if empty.")
    ] = "",
    splits: Annotated[str, typer.Option(help="Splits, separated by commas.")] = ",".join(
        DEFAULT_SPLITS
    ),
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = Path(
        "results/lightgbm_pca"
    ),
    draws: Annotated[
        int, typer.Option(min=0, help="First draws of each world's training split; 0: all.")
    ] = 0,
    components: Annotated[
        int, typer.Option(min=1, help="Principal components of each world.")
    ] = 64,
    rounds: Annotated[int, typer.Option(min=1, help="Trees of a component at most.")] = 2000,
    minutes: Annotated[float, typer.Option(min=0, help="Time limit of each world's fits.")] = 10.0,
    seed: Annotated[int, typer.Option(min=0)] = 42,
    threads: Annotated[int, typer.Option(min=1, help="Threads of LightGBM and PyTorch.")] = 1,
    bootstrap: Annotated[
        int, typer.Option(min=0, help="Resamples behind each 95 % interval; 0 gives none.")
    ] = 1000,
) -> None:
    """Fit LightGBM on principal components, world by world, and score it like a network."""
    torch.set_num_threads(threads)
    data = open_dataset(dataset)
    chosen = list(names(worlds) or data.worlds)
    settings = Settings(
        chosen, draws=draws, components=components, rounds=rounds, minutes=minutes, seed=seed
    )
    request = Request(
        checkpoint=output / "fitted.pt",
        dataset=dataset,
        worlds=tuple(chosen),
        splits=names(splits),
        output=output,
        bootstrap=bootstrap,
        threads=threads,
    )
    trees = Trees(settings, data, threads)
    evaluation = evaluate_network(TrainedNetwork(trees, origin=trees.origin), data, request)
    # there is no file: the command fits the trees again
    checkpoint = evaluation.provenance["checkpoint"] | {"path": ""}
    origin = evaluation.provenance | {
        "command": shlex.join(["python", *sys.argv]),
        "checkpoint": checkpoint,
    }
    evaluation = dataclasses.replace(evaluation, provenance=origin)
    results.write(evaluation, output)
    tables.show(evaluation, out)
    say(f"Scores: {output / 'scores.csv'}   for the leaderboard: {output / 'results.json'}")


if __name__ == "__main__":
    run(main)
