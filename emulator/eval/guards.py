"""What an evaluation refuses: anything that would make its numbers mean something else than they
say.
"""

from __future__ import annotations

import numpy as np

from emulator.data import DataSet
from emulator.errors import EvaluationError, unknown_name
from emulator.eval.request import Request
from emulator.models.trained import TrainedNetwork
from emulator.spec import WorldSpec
from emulator.worlds import get_world, is_path


def check(trained: TrainedNetwork, data: DataSet, request: Request) -> list[str]:
    """The worlds to score, once everything fits.

    Raises the error that says what does not, and what to do.
    """
    worlds = _worlds(trained, data, request)
    for world in worlds:
        _same_spec(world, trained.world_specs[world], data.spec(world))
    _same_data(trained, data, request)
    _splits(data, worlds, request)
    if request.bootstrap < 0 or request.batch_size < 1 or request.threads < 1:
        raise EvaluationError(
            "Expected --bootstrap 0 or more, --batch-size 1 or more and --threads 1 or more."
        )
    return worlds


def _worlds(trained: TrainedNetwork, data: DataSet, request: Request) -> list[str]:
    asked = list(request.worlds or trained.world_specs)
    worlds = [data.name_of_same(get_world(w)) if is_path(w) else w for w in asked]
    for world in worlds:
        if world not in trained.world_specs:
            raise unknown_name(
                f"world of the checkpoint {request.checkpoint}", world, trained.world_specs
            )
        if world not in data.worlds:
            raise unknown_name(f"world of the data set {data.path}", world, data.worlds)
    if not worlds:
        raise EvaluationError(
            f"The checkpoint {request.checkpoint} names no world; there is nothing to score."
        )
    return worlds


def _same_spec(world: str, trained: WorldSpec, data: WorldSpec) -> None:
    """Refuse a network whose theta or shocks mean something else than the data's."""
    for kind, of_checkpoint, of_data in (
        ("parameters", trained.parameter_names, data.parameter_names),
        ("shocks", trained.shock_names, data.shock_names),
        ("units", *_shared_units(trained, data)),
        ("period", (trained.frequency,), (data.frequency,)),
    ):
        if of_checkpoint != of_data:
            raise EvaluationError(
                f"World '{world}': the checkpoint's {kind} are {', '.join(of_checkpoint)}; the data"
                f" set's are {', '.join(of_data)}. Train on this data set, or evaluate on the one"
                " the checkpoint was trained on."
            )


def _shared_units(trained: WorldSpec, data: WorldSpec) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Units of the observables that both have by name, of the one and of the other."""
    here, there = data.shared_observables(trained)
    return (
        tuple(trained.observable_units[k] for k in there),
        tuple(data.observable_units[k] for k in here),
    )


def _same_data(trained: TrainedNetwork, data: DataSet, request: Request) -> None:
    fingerprint = trained.checkpoint.data_fingerprint
    if fingerprint == data.fingerprint or request.allow_other_data:
        return
    trained_on = (
        f"a data set with the fingerprint {fingerprint[:16]}"
        if fingerprint
        else "data without a recorded fingerprint"
    )
    raise EvaluationError(
        f"The checkpoint {request.checkpoint} was trained on {trained_on}; {data.path} has"
        f" {data.fingerprint[:16]}, so its test draws may be draws the network has seen. Evaluate"
        " on the data set it was trained on, or pass --allow-other-data if they are known to be"
        " new to it."
    )


def _splits(data: DataSet, worlds: list[str], request: Request) -> None:
    if not request.splits:
        raise EvaluationError("No split was named; expected at least one, such as --splits test.")
    for world in worlds:
        known = data.splits(world)
        for split in request.splits:
            if split not in known:
                raise unknown_name(f"split of world '{world}'", split, known)
        for split in ("train", *request.splits):
            if not len(known[split]):
                raise EvaluationError(
                    f"Split '{split}' of world '{world}' in {data.path} is empty; a score needs"
                    " draws. Generate more samples, or name other splits."
                )


def check_prediction(world: str, prediction: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The prediction as (n, S, H+1, O); one without a shock axis stands for a single shock.

    Raises `EvaluationError`.
    """
    if prediction.ndim == 3 and truth.shape[1] == 1:
        prediction = prediction[:, None]
    if prediction.shape != truth.shape:
        raise EvaluationError(
            f"World '{world}': the network predicts responses of shape {prediction.shape[1:]}, the"
            f" data set holds {truth.shape[1:]} (shock, horizon + 1, observable). Evaluate on a"
            " data set with the horizon it was trained for."
        )
    return prediction


def check_truth(world: str, split: str, theta: np.ndarray, irf: np.ndarray) -> None:
    """Refuse a truth that is not finite: a number computed from the rest would look better than it
    is.
    """
    bad = ~(np.isfinite(irf).all(axis=(1, 2, 3)) & np.isfinite(theta).all(axis=1))
    if bad.any():
        raise EvaluationError(
            f"Split '{split}' of world '{world}' holds {int(bad.sum())} draw(s) that are not"
            f" finite, the first in row {int(np.flatnonzero(bad)[0])} of the split; expected finite"
            " theta and responses. Run: emulator validate"
        )
