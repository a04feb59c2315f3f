"""A network for other programs: one ONNX file a world, beside the weights (safetensors) and the
model card.

Input `theta` (draw, parameter), float32, in each parameter's own unit. Outputs `irf` (draw, shock,
horizon, observable), each observable in its own unit, and `half_width` of the 90 % band where the
network is calibrated. The file's metadata names its axes, ranges, units and periods (JSON).
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from emulator.errors import (
    CheckpointError,
    MissingExtraError,
    UnknownNameError,
    unknown_name,
)
from emulator.files import write_bytes, write_text
from emulator.inference.emulator import Emulator
from emulator.inference.method_error import shares_of
from emulator.models import shipped, weights_file
from emulator.models.checkpoint import Checkpoint
from emulator.worlds.known import solution_error_of

KEY = "universal-macro-emulator"
"""Entry of an ONNX file's metadata that describes inputs and outputs."""


class _Answer(nn.Module):
    """What a file computes: responses, and the band where there is one."""

    def __init__(self, em: Emulator, world: str) -> None:
        super().__init__()
        self.alone, self.trust, self.world = em.network.alone(world), em.trust, world
        spec = em.spec(world)
        errors = solution_error_of(spec)
        shares = shares_of(spec, errors, em.network.horizon)
        self.shares = torch.tensor(shares, dtype=torch.float32) if errors else None

    def forward(self, theta: Tensor) -> Any:
        irf = self.alone(theta)
        if self.trust is None:
            return irf
        width = self.trust.half_width(theta, self.world)
        if self.shares is None:
            return irf, width
        of_method = self.shares * irf.abs().amax(2, keepdim=True)
        return irf, (width.square() + of_method.square()).sqrt()  # ONNX knows no `hypot`


def export(
    em: Emulator, folder: Path, worlds: list[str] | None = None, onnx: bool = True
) -> list[Path]:
    """Write weights, model card and, if asked for, an ONNX file for each world; their paths.

    Raises `UnknownNameError` for a world that the network does not know, `MissingExtraError`
    without the extra [onnx], `CheckpointError` for a network that was not read from a file.
    """
    beside, em = em.beside, em.alone
    for world in worlds or []:
        if world in beside and world not in em:
            name = beside[world].parent.name
            raise UnknownNameError(
                f"World '{world}' is known to '{name}' alone, which ships beside this network."
                f" Export that: emulator.load('{name}'), on the command line --checkpoint {name}."
            )
        em.spec(world)
    if worlds == []:
        raise unknown_name("world of this network", "", em.worlds)
    if em.checkpoint is None:
        raise CheckpointError(
            "This network was not read from a checkpoint, so that there is nothing to say of where"
            " it comes from. Save it first, and load it."
        )
    if onnx and find_spec("onnxscript") is None:
        raise MissingExtraError("onnxscript", "onnx")
    weights, card = folder / shipped.WEIGHTS, folder / shipped.CARD
    weights_file.write(weights, em.checkpoint)
    write_text(card, _card(em, em.checkpoint))
    return [
        weights,
        card,
        *([_write(em, world, folder) for world in worlds or em.worlds] if onnx else []),
    ]


def _write(em: Emulator, world: str, folder: Path) -> Path:
    path = folder / f"{world}.onnx"
    content = encode(em, world)
    write_bytes(path, content)
    return path


def encode(em: Emulator, world: str) -> bytes:
    """The bytes of a world's ONNX file. Raises `MissingExtraError`, `UnknownNameError`."""
    em = em.alone
    spec = em.spec(world)
    example = torch.tensor(spec.theta(), dtype=torch.float32).repeat(3, 1)
    names = ["irf"] if em.trust is None else ["irf", "half_width"]
    asked = _Answer(em, world).eval()
    with torch.no_grad(), _quietly():
        asked(
            example
        )  # what a network keeps from its first answer must not be made inside the exporter
        program = torch.onnx.export(
            asked,
            (example,),
            dynamo=True,
            input_names=["theta"],
            output_names=names,
            dynamic_shapes=({0: torch.export.Dim("draw", min=1)},),
        )
    assert program is not None  # what is returned where no path is given
    model = program.model_proto
    entry = model.metadata_props.add()
    entry.key = KEY
    entry.value = json.dumps(_described(em, world))
    return model.SerializeToString()


def _described(em: Emulator, world: str) -> dict[str, Any]:
    spec, (lowest, highest) = em.spec(world), em.trained_range(world)
    return {
        "world": spec.name,
        "title": spec.title,
        "checkpoint_sha256": em.checkpoint.sha256 if em.checkpoint else "",
        "parameters": [
            {
                "name": p.name,
                "unit": p.unit,
                "default": p.default,
                "trained_from": low,
                "trained_to": high,
            }
            for p, low, high in zip(spec.parameters, lowest.tolist(), highest.tolist(), strict=True)
        ],
        "shocks": list(spec.shock_names),
        "horizon": em.network.horizon,
        "frequency": spec.frequency,
        "observables": [{"name": o.name, "unit": o.unit} for o in spec.observables],
        "size": "one standard deviation",
        "half_width": "90 % band: the network's error and what the solutions behind it err by",
    }


def _card(em: Emulator, origin: Checkpoint) -> str:
    """The card that lies beside the weights; for a run without one, what its checkpoint says of
    itself.
    """
    beside = Path(origin.path).with_name(shipped.CARD)
    if beside.is_file():
        return beside.read_text(encoding="utf-8")
    scores = "" if em.trust else " It is not calibrated: nothing says how wrong it may be."
    return (
        f"# {origin.model_name} of {', '.join(em.worlds)}\n\nExported from `{origin.path}` (SHA-256"
        f" `{origin.sha256}`), trained on the data set `{origin.data_fingerprint}` at commit"
        f" `{origin.commit}`, epoch {origin.epoch}.{scores} Scores: `emulator evaluate --checkpoint"
        f" {origin.path}`.\n"
    )


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without the exporter's running commentary; its errors stay."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
