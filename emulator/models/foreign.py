"""What a file or a folder is that is no trained network, and which command takes it."""

from __future__ import annotations

from pathlib import Path

DRAWS = "holds draws, not a network. Make a data set of it: emulator import {place} --name mine"
MODEL = (
    "is a model, which is solved and not trained: emulator irf {place}, in Python"
    " emulator.world('{place}')"
)
SIMULATOR = (
    "is a Python file. A simulator in it is a world: emulator irf {place}:economy, in Python"
    " emulator.world('{place}:economy')"
)
DATA = (
    "is a data set, not a network. Train on it: emulator train --dataset {place} --output runs/mine"
)
RESULTS = (
    "holds the scores of a network, not the network: emulator leaderboard FOLDER collects them"
)
CONFIG = "says how a network is trained: emulator train --config {place}"

ENDINGS = {
    **dict.fromkeys((".npz", ".csv", ".parquet", ".pq", ".nc", ".nc4", ".h5", ".zarr"), DRAWS),
    ".mod": MODEL,
    ".py": SIMULATOR,
    ".yaml": CONFIG,
    ".yml": CONFIG,
    ".onnx": (
        "is an exported network, for other programs. Load the checkpoint that it was made of"
        " (emulator export wrote it)"
    ),
    ".npy": "holds one array, not a network. Save theta and responses as .npz for: emulator import",
    ".json": "is no network, which ends in .pt or .safetensors",
}

RUN_FILES = ("last.pt", "history.json", "config.json")
"""What the folder of a run holds before a best network is written."""


def description(place: Path) -> str:
    """What stands at a place that is no network, and which command takes it, as a clause that goes
    on after the place's name; empty where nothing is known of it, or nothing is there.
    """
    if ".py:" in place.name:  # a world of a Python file
        text = SIMULATOR.replace("{place}:economy", "{place}")
    elif place.is_dir():
        text = _of_folder(place)
    elif not place.exists():
        text = ""
    elif place.name == "results.json":
        text = RESULTS
    else:
        text = ENDINGS.get(place.suffix.lower(), "")
    return text.format(place=place)


def _of_folder(place: Path) -> str:
    if (place / "manifest.json").is_file():
        return DATA
    if (place / "request.json").is_file():
        return "is a data set that is not finished. Run the command that began it again"
    if (place / "results.json").is_file():
        return RESULTS
    if (place / "zarr.json").is_file() or (place / ".zgroup").is_file():
        return DRAWS
    if any((place / name).is_file() for name in RUN_FILES):
        return (
            "is the folder of a run without a best.pt: training has not ended its first"
            " epoch. Go on with it: emulator train --config ITS_CONFIGURATION --resume"
        )
    return ""
