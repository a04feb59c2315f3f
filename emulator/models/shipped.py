"""Where a trained network is: one that ships with the package, a weights file, a checkpoint, the
folder of a run.
"""

from __future__ import annotations

import os
from pathlib import Path

from emulator.errors import CheckpointError, unknown_name
from emulator.models import checkpoint as checkpoints
from emulator.models import foreign, weights_file

FOLDER = Path(__file__).resolve().parents[1] / "weights"
"""Package data: one folder a network, with its weights, its configuration and its model card."""

WEIGHTS, CARD, CONFIG = f"model{weights_file.SUFFIX}", "MODEL_CARD.md", "config.yaml"

SHIPPED = {
    "universal": (
        "emulator release --checkpoint runs/universal_E/calibrated.pt --results"
        " results/universal_E/results.json"
    ),
    "structure_hank": (
        "emulator release --checkpoint runs/structure_hank/calibrated.pt --results"
        " results/structure_hank/results.json"
    ),
    "structure_hank2": (
        "emulator release --checkpoint runs/structure_hank2/calibrated.pt --results"
        " results/structure_hank2/results.json"
    ),
}
"""Names that `load` knows, each with the command that makes its weights from a trained and scored
network.
"""

BESIDE = {"universal": {"hank": "structure_hank", "hank2": "structure_hank2"}}
"""Networks that ship beside another: by world, those that answer for it in the other's place, being
more exact, or that alone know it.
"""
ALONE = "-alone"
"""After the name of a network: without those that ship beside it."""

OF_A_RUN = ("calibrated.pt", "best.pt", WEIGHTS)
"""What stands for a folder: the first of these that it holds."""


def read(path: Path) -> checkpoints.Checkpoint:
    """What a checkpoint or a weights file holds, verified. Raises `CheckpointError`."""
    return weights_file.read(path) if path.suffix == weights_file.SUFFIX else checkpoints.read(path)


def find(name_or_path: str | Path) -> Path:
    """The file that a name or a path stands for. Raises `UnknownNameError`, `CheckpointError`."""
    if not isinstance(name_or_path, str | os.PathLike):
        raise CheckpointError(
            f"A trained network was given as {name_or_path!r}; expected a name"
            f" ({', '.join(SHIPPED)}), a file or the folder of a run."
        )
    place = Path(name_or_path)
    if isinstance(name_or_path, str) and name_or_path.removesuffix(ALONE) in SHIPPED:
        return _shipped(name_or_path.removesuffix(ALONE))
    try:
        is_folder = place.is_dir()
        unknown = _could_be_name(name_or_path) and not place.exists()
    except OSError as error:  # such as a name that is too long
        raise CheckpointError(
            f"{place!s:.200} cannot be read as a checkpoint: {error.strerror or error}."
        ) from None
    if is_folder:
        return _of_folder(place)
    other = foreign.description(place)
    if other:
        raise CheckpointError(f"'{place}' {other}.")
    if unknown:
        raise unknown_name("network, and no file of that name", str(name_or_path), SHIPPED)
    return place


def beside(name_or_path: str | Path) -> dict[str, Path]:
    """By world, the weights of the networks that answer for it beside the one of this name."""
    if not isinstance(name_or_path, str):
        return {}
    others = BESIDE.get(name_or_path, {})
    places = {world: FOLDER / name / WEIGHTS for world, name in others.items()}
    return {world: place for world, place in places.items() if place.is_file()}


def _shipped(name: str) -> Path:
    place = FOLDER / name / WEIGHTS
    if not place.is_file():
        raise CheckpointError(
            f"No weights of '{name}' came with this installation: {place} does not exist. Install a"
            f" released version, or make them from a trained and scored network: {SHIPPED[name]}"
            f" --output {place.parent}"
        )
    return place


def _of_folder(folder: Path) -> Path:
    for name in OF_A_RUN:
        if (folder / name).is_file():
            return folder / name
    other = foreign.description(folder)
    raise CheckpointError(
        f"'{folder}' {other}."
        if other
        else f"{folder} cannot be read as a trained network: the folder holds none of"
        f" {', '.join(OF_A_RUN)}."
    )


def _could_be_name(name_or_path: str | Path) -> bool:
    """Whether someone may have meant a name: a string without a folder or a suffix."""
    return (
        isinstance(name_or_path, str)
        and os.path.basename(name_or_path) == name_or_path
        and not Path(name_or_path).suffix
    )
