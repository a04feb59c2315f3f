"""Learning curves of emulators of a world: how errors fall with the number of households that they
learn from.

    python benchmarks/structure_curve.py --dataset datasets/hank --households 300,1000,3000,10000
    python benchmarks/structure_curve.py --world hank2 --dataset datasets/hank2 --households 100,300
    python benchmarks/structure_curve.py --dataset datasets/hank --kinds structure,direct --table
    benchmarks/structure_curve.csv --figure docs/figures/structure_curve.png

Errors are those of `emulator evaluate`, on draws of the test split, whose households no emulator
has seen. Of the emulator of structure maps have kernels beside their polynomials where households
are few; where they are many they need none. The direct emulator is the universal network in this
world alone, from all parameters to all responses (`configs/specialist.yaml`), by so many steps
whatever the number of households, of which it sees the same ones with all their draws.
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import torch
import typer
from rich.table import Table

from emulator.closures.parts import DearParts
from emulator.console import out, run
from emulator.data import open_dataset
from emulator.eval.metrics import relative_error, squared_error
from emulator.files import write_text
from emulator.models import build
from emulator.models.trained import TrainedNetwork, load, one_thread, predict
from emulator.training import BatchLoader, Trainer
from emulator.training.config import load_config
from emulator.training.dataset import IRFDataset
from emulator.training.preparation import dear_parts
from emulator.training.processes import seed_everything
from emulator.worlds import split_names
from emulator.worlds.figures import save

OBSERVABLES = {"hank": ("output", "inflation", "rate", "consumption", "hours")}
"""Of worlds that are not learnt with all that they answer."""
COMPONENTS = (100, 60)
FEW, CENTRES = 3000, 1000
DIRECT = "configs/specialist.yaml"
EPOCHS, VALIDATION = 20, 2000
"""Of the direct emulator: epochs, and draws by which the best epoch is chosen."""
KEYS = ["world", "kind", "households"]
COLUMNS = ("nrmse", "median", "p95", "p99", "processor_s")
LABELS = {"structure": "structure: exact closure", "direct": "network from all parameters"}


def main(
    dataset: Annotated[Path, typer.Option(help="Data in groups, with a test split.")],
    households: Annotated[
        str, typer.Option(help="Numbers of households, separated by commas.")
    ] = "300,1000,3000,10000,30000",
    world: str = "hank",
    draws: Annotated[int, typer.Option(min=1, help="Draws of the test split.")] = 5000,
    seed: int = 42,
    kinds: Annotated[str, typer.Option(help="Of emulators: structure, direct.")] = "structure",
    robust: Annotated[bool, typer.Option(help="Maps by robust regression.")] = True,
    steps: Annotated[int, typer.Option(min=EPOCHS, help="Steps of the direct emulator.")] = 8000,
    table: Annotated[Path | None, typer.Option(help="CSV file that the rows are added to.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Draw the rows of --table here.")] = None,
) -> None:
    """Print a row for each emulator; the last number of households may be all there are."""
    data = open_dataset(dataset)
    data = data.observing(OBSERVABLES.get(world, data.spec(world).observable_names))
    train = IRFDataset(data, [world], "train", in_memory=True)
    owner = households_of(train, world)
    parts = in_order(dear_parts(train)[world]) if "structure" in split_names(kinds) else None
    theta, truth = data.read(world, "test")
    chosen = slice(None, None, max(1, len(theta) // draws))
    theta, truth = theta[chosen], truth[chosen].astype(np.float64)
    sigma = train.statistics[world].irf_scale.double().numpy()
    rows: list[list[object]] = []
    for count in map(int, split_names(households)):
        for kind in split_names(kinds):
            started = time.process_time()
            with one_thread():
                if kind == "direct" or parts is None:
                    most = int(np.searchsorted(owner, count))
                    network = learnt_directly(train, world, most, steps, seed)
                else:
                    network = learnt(parts, train, world, count, seed, robust)
                spent = time.process_time() - started
                numbers = [*errors(network, world, theta, truth, sigma), spent]
            known = min(count, int(owner[-1]) + 1)
            rows.append([world, kind, known, *(float(f"{x:.3g}") for x in numbers)])
            out.print(*rows[-1])
            if table is not None:
                keep(table, rows[-1])
    printed = Table(*KEYS, *COLUMNS, title=f"{len(theta)} draws of unseen households")
    for row in rows:
        printed.add_row(*map(str, row))
    out.print(printed)
    if table is not None and figure is not None:
        drawn(pd.read_csv(table).query("world == @world"), figure)


def households_of(train: IRFDataset, world: str) -> np.ndarray:
    """The household (n,) of each draw, numbered as they come."""
    theta = train.data.theta(world)[train.sources[0].rows]
    spec = train.data.spec(world)
    dear = train.data.manifest.request.groups[world].parameters
    own = theta[:, [spec.index(name) for name in dear]]
    _, first, number = np.unique(own, axis=0, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[number.ravel()]


def in_order(parts: DearParts) -> DearParts:
    """The same, households numbered as their draws come."""
    order = np.argsort(np.unique(parts.group, return_index=True)[1])
    return parts._replace(group=np.argsort(order)[parts.group], values=parts.values[order])


def errors(
    network: TrainedNetwork, world: str, theta: np.ndarray, truth: np.ndarray, sigma: np.ndarray
) -> list[float]:
    """Mean NRMSE; relative error of a draw: median, 95th and 99th percentile."""
    answer = predict(network, world, theta).astype(np.float64)
    nrmse = float(np.sqrt(squared_error(truth, answer, sigma).mean(axis=0)).mean())
    relative = relative_error(truth, answer, sigma)
    return [nrmse, *np.nanquantile(relative, (0.5, 0.95, 0.99)).tolist()]


def keep(path: Path, row: list[object]) -> None:
    """Write a row into the table, in place of an earlier one of the same emulator."""
    rows = pd.DataFrame([row], columns=[*KEYS, *COLUMNS])
    if path.exists():
        rows = pd.concat([pd.read_csv(path), rows]).drop_duplicates(KEYS, keep="last")
    write_text(path, rows.sort_values(KEYS).to_csv(index=False, lineterminator="\n"))


def drawn(rows: pd.DataFrame, path: Path) -> None:
    """Errors over households: the mean of all draws, and the draw in the middle of all."""
    from matplotlib.figure import Figure

    canvas = Figure(figsize=(9, 3.2), layout="constrained")
    titles = {"nrmse": "mean NRMSE", "median": "relative error of the median draw"}
    for axis, (column, title) in zip(canvas.subplots(1, 2), titles.items(), strict=True):
        for kind, own in rows.groupby("kind", sort=False):
            axis.loglog(own["households"], own[column], "o-", label=LABELS[str(kind)])
        axis.set(xlabel="households", title=title)
        axis.grid(alpha=0.3)
    axis.legend(frameon=False, fontsize=9)
    save(canvas, path, dpi=110)


def learnt_directly(
    train: IRFDataset, world: str, most: int, steps: int, seed: int
) -> TrainedNetwork:
    """A network from all parameters to responses, of the first so many draws; the best of its
    epochs on `val`.
    """
    data = train.data
    few = train
    if most < len(train):
        few = IRFDataset(data, [world], "train", in_memory=True, max_samples=most)
    val = IRFDataset(data, [world], "val", in_memory=True, max_samples=VALIDATION)
    with tempfile.TemporaryDirectory() as folder:
        config = dataclasses.replace(
            load_config(DIRECT),
            worlds=[world],
            seed=seed,
            epochs=EPOCHS,
            patience=EPOCHS,
            steps_per_epoch=max(1, steps // EPOCHS),
            checkpoint_dir=f"{folder}/run",
        )
        seed_everything(seed)
        network = build(config.model, {world: data.spec(world)}, data.horizon, config.model_options)
        loaders = (
            BatchLoader(few, config.batch_size, True, seed),
            BatchLoader(val, config.batch_size, False, seed),
        )
        Trainer(network, *loaders, config).fit()
        return load(Path(config.checkpoint_dir))


def learnt(
    parts: DearParts, train: IRFDataset, world: str, count: int, seed: int, robust: bool
) -> TrainedNetwork:
    """An emulator of the first so many households."""
    rows = parts.group < count
    own = parts._replace(
        theta=parts.theta[rows],
        irf=parts.irf[rows],
        group=parts.group[rows],
        values=parts.values[:count],
    )
    torch.manual_seed(seed)
    specs = {world: train.data.spec(world)}
    centres = CENTRES if count <= FEW else 0
    options = {"components": COMPONENTS, "centres": centres, "robust": robust}
    network = build("StructureEmulator", specs, train.horizon, options)
    network.bind(train.statistics, specs)
    network.learn_parts({world: own})
    return TrainedNetwork(network.eval())


if __name__ == "__main__":
    torch.set_num_threads(1)
    run(main)
