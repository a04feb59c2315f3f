"""Studies of the universal network that take many trainings: a new world from no draw or few, and
what each part is worth.

    python benchmarks/studies.py few-draws [--families hank,nk+zlb] [--draws 30,100,300,1000,3000]
    [--seeds 42,43,44] python benchmarks/studies.py ablations [--seeds 42,43,44] [--epochs 5]

Each training is a row of `results/few_draws.csv` or `results/ablations.csv` (`unseen.csv` has what
needs none), written when it ends; a training that has its row is not run again, so an interrupted
study goes on where it stopped. `emulator leaderboard` makes tables and figures of them.

Few draws: for each family of worlds a universal network is trained on all the others. As it is, it
predicts a world of the family, whose parameters it knows by name, role and prior, and whose
responses it takes to be as large as those of other worlds on average; then, with the first n draws,
it is fine-tuned, and the same network is trained from scratch, with the same steps and settings but
for the rate: that of the configuration where it starts from nothing, a third of it where it starts
from what others taught, a tenth where that already predicts better than the mean response does on
`val`. Ablations: the network of `configs/universal_A.yaml` with one part taken away, by settings as
`emulator train --set` takes them (`VARIANTS`), each for the same number of steps.
"""

from __future__ import annotations

import dataclasses
import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import torch
import typer

from emulator.console import out, say
from emulator.data import DataSet, open_dataset
from emulator.errors import EvaluationError
from emulator.eval.scale import Scale
from emulator.eval.scores import score
from emulator.files import write_text
from emulator.leaderboard.studies import (
    ABLATIONS,
    COLUMNS,
    DATA,
    FEW_DRAWS,
    FINE_TUNED,
    FROM_SCRATCH,
    MEAN_RESPONSE,
    UNSEEN,
    WITHOUT_DRAWS,
    read_study,
)
from emulator.models import build, load
from emulator.models import checkpoint as checkpoints
from emulator.models.base import EmulatorModel
from emulator.models.baselines.trivial import TrainingMean
from emulator.models.normaliser import WorldStatistics
from emulator.models.trained import TrainedNetwork, predict
from emulator.spec import WorldSpec
from emulator.training.config import TrainingConfig, load_config
from emulator.training.trainer import train

UNIVERSAL = Path("configs/universal_A.yaml")
VARIANTS: dict[str, tuple[str, ...]] = {
    "reference": (),
    "adamw": ("optimizer=adamw", "lr=1e-3"),
    "no_names": ("model_options.names=false",),
    "no_own_parameters": ("model_options.own_parameters=false",),
    "no_relative_weights": ("sample_weighting=none",),
    "no_shock_sizes": ("model_options.shock_sizes=false",),
    "no_start": ("model_options.start=false",),
    "no_structure": ("model_options.structure=false",),
    "no_world_token": ("model_options.world_token=false",),
    "raw_units": ("loss_units=natural",),
}
"""Ablations, by the settings in which each differs from the universal configuration; another
optimiser has its own rate.
"""
FAMILIES = "nk+zlb,var,lss,rbc,sw07,switching,hank"
RESULTS = Path("results")
RUNS = Path("runs/studies")
TUNING = 1 / 3
TUNING_NEAR = 1 / 10
"""Rates of fine-tuning, in that of the configuration: what was taught is soon forgotten at a large
one, the more so the better it is.
"""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Scorer:
    """Mean NRMSE on `test`, or another split, in standard deviations of whole training splits."""

    def __init__(self, data: DataSet) -> None:
        self.data = data
        self.scales: dict[str, Scale] = {}

    def network(self, network: EmulatorModel, world: str, split: str = "test") -> float:
        trained = TrainedNetwork(network)
        return self._score(world, split, lambda theta: predict(trained, world, theta, threads=1))

    def mean_response(self, world: str, split: str = "test") -> float:
        return self._score(
            world, split, TrainingMean().fit(*self.data.read(world, "train")).predict
        )

    def _score(
        self, world: str, split: str, predictor: Callable[[np.ndarray], np.ndarray]
    ) -> float:
        if world not in self.scales:
            self.scales[world] = Scale.fit(*self.data.read(world, "train"))
        theta, truth = self.data.read(world, split)
        rows = score(
            self.data.spec(world), self.scales[world], truth, predictor(theta), resamples=0
        ).rows
        return float(rows[(rows["metric"] == "nrmse") & (rows["shock"] == "all")]["value"].iloc[0])


def unseen(checkpoint: Path, spec: WorldSpec) -> EmulatorModel:
    """A network for a world that it was not trained on: the prior's moments, and the taught worlds'
    mean size of each observable, of all where none of them has it.
    """
    origin = checkpoints.read(checkpoint)
    options = {
        key: value for key, value in origin.model_options.items() if key not in ("worlds", "H")
    }
    network = build(origin.model_name, {spec.name: spec}, origin.horizon, options).eval()
    low, high = (torch.tensor(end, dtype=torch.float32) for end in (spec.low, spec.high))
    logs: dict[str, list[torch.Tensor]] = {}
    for world, statistics in origin.statistics.items():
        names = origin.world_specs[world].observable_names
        for name, scale_S in zip(names, statistics.irf_scale.log().T, strict=True):
            logs.setdefault(name, []).append(scale_S)
    everything = [scale_S for own in logs.values() for scale_S in own]
    sizes = torch.stack(
        [torch.cat(logs.get(name, everything)).mean().exp() for name in spec.observable_names]
    )
    network.bind(
        {
            spec.name: WorldStatistics(
                (low + high) / 2, (high - low) / 12**0.5, low, high, sizes.expand(spec.n_shocks, -1)
            )
        },
        {spec.name: spec},
    )
    network.start_from(checkpoints.restore(origin))
    return network


def with_changes(config: TrainingConfig, **changes: Any) -> TrainingConfig:
    return dataclasses.replace(config, **changes)


def train_once(config: TrainingConfig) -> Path:
    """Train unless the run is there; its best checkpoint."""
    best = Path(config.checkpoint_dir) / "best.pt"
    if not (Path(config.checkpoint_dir) / "final.pt").exists():
        train(config, resume=True)
    return best


class Table:
    """A study's rows so far; each is on disk before the next training begins."""

    def __init__(self, folder: Path, name: str, data: DataSet) -> None:
        self.path = folder / name
        self.data = data.fingerprint[:12]
        self.columns = [*COLUMNS[name], DATA]
        earlier = read_study(folder, name)
        if earlier is not None and len(earlier) and set(earlier.get(DATA, [""])) != {self.data}:
            raise EvaluationError(
                f"{self.path} holds trainings on other data than {data.path} ({self.data}). Give"
                " another folder with --results."
            )
        self.rows = pd.DataFrame(columns=self.columns) if earlier is None else earlier

    def holds(self, **keys: Any) -> bool:
        here = np.logical_and.reduce([self.rows[column] == value for column, value in keys.items()])
        return bool(np.any(here))

    def add(self, **row: Any) -> None:
        fresh = pd.DataFrame([row | {DATA: self.data}], columns=self.columns)
        self.rows = fresh if self.rows.empty else pd.concat([self.rows, fresh], ignore_index=True)
        write_text(self.path, self.rows.to_csv(index=False, lineterminator="\n"))
        out.print("  ".join(f"{key} {value}" for key, value in row.items()))


@app.command()
def few_draws(
    families: Annotated[
        str, typer.Option(help="Families left out in turn: worlds joined by +, families by commas.")
    ] = FAMILIES,
    draws: Annotated[
        str, typer.Option(help="Numbers of draws of the new world.")
    ] = "30,100,300,1000,3000",
    seeds: Annotated[
        str, typer.Option(help="Seeds of the trainings on the new world.")
    ] = "42,43,44",
    taught_epochs: Annotated[
        int, typer.Option(help="Epochs of the training on the other worlds.")
    ] = 10,
    steps: Annotated[int, typer.Option(help="Optimiser steps on the new world.")] = 1500,
    results: Annotated[Path, typer.Option(help="Folder of the table.")] = RESULTS,
) -> None:
    """Fine-tuning a network that never saw a world, against training it from scratch."""
    universal = load_config(UNIVERSAL)
    data = open_dataset(universal.dataset)
    table = Table(results, FEW_DRAWS, data)
    never = Table(results, UNSEEN, data)
    scorer = Scorer(data)
    for family in families.split(","):
        left_out = family.split("+")
        others = [world for world in universal.worlds if world not in left_out]
        taught = train_once(
            with_changes(
                universal,
                worlds=others,
                epochs=taught_epochs,
                patience=taught_epochs,
                checkpoint_dir=str(RUNS / f"without_{family}"),
            )
        )
        for world in left_out:
            wanted = itertools.product(
                map(int, draws.split(",")), map(int, seeds.split(",")), (FINE_TUNED, FROM_SCRATCH)
            )
            available = len(data.rows(world, "train"))
            todo = [
                (n, seed, way)
                for n, seed, way in wanted
                if n <= available and not table.holds(world=world, start=way, draws=n, seed=seed)
            ]
            if not todo and never.holds(world=world):
                continue
            start = unseen(taught, data.spec(world))
            near = scorer.network(start, world, "val") < scorer.mean_response(world, "val")
            rates = {
                FINE_TUNED: universal.lr * (TUNING_NEAR if near else TUNING),
                FROM_SCRATCH: universal.lr,
            }
            if not never.holds(world=world):
                never.add(
                    world=world,
                    predictor=WITHOUT_DRAWS,
                    seed=universal.seed,
                    nrmse=scorer.network(start, world),
                )
                never.add(
                    world=world,
                    predictor=MEAN_RESPONSE,
                    seed=universal.seed,
                    nrmse=scorer.mean_response(world),
                )
            for n, seed, way in todo:
                config = with_changes(
                    universal,
                    worlds=[world],
                    init_from=str(taught) if way == FINE_TUNED else None,
                    lr=rates[way],
                    max_train_samples=n,
                    seed=seed,
                    batch_size=min(n, 256),
                    epochs=10,
                    patience=10,
                    steps_per_epoch=steps // 10,
                    checkpoint_dir=str(RUNS / "tuning"),
                )
                shutil.rmtree(config.checkpoint_dir, ignore_errors=True)
                train(config)
                table.add(
                    world=world,
                    start=way,
                    draws=n,
                    seed=seed,
                    nrmse=scorer.network(load(Path(config.checkpoint_dir)).network, world),
                )
    say(f"{len(table.rows)} rows: {table.path}")


@app.command()
def ablations(
    seeds: Annotated[str, typer.Option(help="Seeds.")] = "42,43,44",
    epochs: Annotated[int, typer.Option(help="Epochs of each training.")] = 5,
    variants: Annotated[str, typer.Option(help="Variants, by name; all if empty.")] = "",
    results: Annotated[Path, typer.Option(help="Folder of the table.")] = RESULTS,
) -> None:
    """The universal network with one part taken away, each for the same number of steps."""
    universal = load_config(UNIVERSAL)
    data = open_dataset(universal.dataset)
    table = Table(results, ABLATIONS, data)
    scorer = Scorer(data)
    for variant in variants.split(",") if variants else VARIANTS:
        for seed in (int(text) for text in seeds.split(",")):
            config = with_changes(
                load_config(UNIVERSAL, list(VARIANTS[variant])),
                seed=seed,
                epochs=epochs,
                patience=epochs,
                checkpoint_dir=str(RUNS / f"{variant}_{seed}"),
            )
            todo = [
                world
                for world in config.worlds
                if not table.holds(variant=variant, world=world, seed=seed)
            ]
            if not todo:
                continue
            network = load(train_once(config)).network
            for world in todo:
                table.add(
                    variant=variant, world=world, seed=seed, nrmse=scorer.network(network, world)
                )
    say(f"{len(table.rows)} rows: {table.path}")


if __name__ == "__main__":
    app()
