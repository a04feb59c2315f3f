"""Made-up results: what `emulator evaluate` would write for runs with scores that a test
chooses.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emulator.eval import results
from emulator.files import sealed, write_json

SPLITS = ("test", "test_extrapolation_slice", "test_extrapolation_corner")


def write_result(
    folder: Path,
    name: str,
    nrmse: dict[str, float],
    model: str = "UniversalEmulator",
    config: dict[str, Any] | None = None,
    far: float = 1.5,
    trust: dict[str, float | None] | None = None,
    p95: float = 2.0,
    data: str = "d" * 64,
) -> Path:
    """A `results.json` in folder/name for worlds with a mean NRMSE on test each.

    far: NRMSE beyond the training region over that on test; p95: 95th percentile of the relative
    error over NRMSE; trust: fields of every row of the network's claims (coverage, bad_flagged
    ...), None for a network without any.
    """
    cases = [
        (world, split, value * (1 if split == "test" else far))
        for world, value in nrmse.items()
        for split in SPLITS
    ]
    document = {
        "format": results.FORMAT,
        "format_version": results.FORMAT_VERSION,
        "name": name,
        "provenance": _provenance(name, model, list(nrmse), config, data),
        "worlds": {world: {"n_train": 700} for world in nrmse},
        "summary": [_summary(*case) for case in cases],
        "scores": [row for case in cases for row in _scores(*case, p95)],
        "trust": (
            [] if trust is None else [_claim(world, split, trust) for world, split, _ in cases]
        ),
        "determinacy": [],
    }
    write_json(folder / name / "results.json", sealed(document))
    return folder / name / "results.json"


def _provenance(
    name: str, model: str, worlds: list[str], config: dict[str, Any] | None, data: str
) -> dict[str, Any]:
    recorded = (
        {"lr": 1e-3, "seed": 1, "worlds": worlds, "epochs": 40, "steps_per_epoch": 400}
        | (config or {})
        | {"checkpoint_dir": f"runs/{name}"}
    )
    return {
        "command": f"python -m emulator.eval.evaluate --checkpoint runs/{name}/best.pt",
        "checkpoint": {
            "model_name": model,
            "worlds": worlds,
            "config": recorded,
            "sha256": "c" * 64,
        },
        "dataset": {"fingerprint": data, "trained_on": True},
        "commit": "0123456789abcdef-dirty",
    }


def _summary(world: str, split: str, value: float) -> dict[str, Any]:
    trivial = {
        "best_trivial": "training_mean",
        "best_trivial_nrmse": 0.9,
        "beats_trivial": value < 0.9,
    }
    return {
        "world": world,
        "split": split,
        "draws": 100,
        "failures": 0,
        "outside_range": 3,
    } | trivial


def _scores(world: str, split: str, value: float, p95: float) -> list[dict[str, Any]]:
    named = {
        "nrmse": 1.0,
        "pooled_nrmse": 1.2,
        "relative_error_median": 0.5,
        "relative_error_p95": p95,
    }
    where = {
        "predictor": "network",
        "world": world,
        "split": split,
        "n": 100,
    }
    return [
        {**where, "metric": m, "value": f * value, "low": 0.9 * f * value, "high": 1.1 * f * value}
        for m, f in named.items()
    ]


def _claim(world: str, split: str, trust: dict[str, float | None]) -> dict[str, Any]:
    usual = {
        "coverage": 0.9,
        "low": 0.89,
        "high": 0.91,
        "width": 0.05,
        "flagged": 0.01,
        "bad": 10,
        "bad_flagged": 0.5,
        "nrmse_unflagged": 0.001,
    }
    return {"world": world, "split": split, "draws": 100} | usual | trust
