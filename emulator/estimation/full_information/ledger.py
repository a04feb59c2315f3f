"""Finished stages of an estimate on disk, so that one that was interrupted goes on from the last.

Each stage is a file that is replaced at once; a process that is killed loses the stage it was in.
A file carries the fingerprint of its question, and one of another question is not read.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emulator.estimation.density import Parts
from emulator.estimation.full_information.mode import Mode, Peak
from emulator.estimation.moves import Cloud
from emulator.estimation.smc import Stage
from emulator.files import write_bytes


@dataclass(frozen=True)
class Stages:
    """The stages of one question; without a folder nothing is kept."""

    folder: Path | None
    fingerprint: str

    def run(self, number: int) -> RunStages:
        """Those of a run of sequential Monte Carlo."""
        return RunStages(self, f"run{number}.npz")

    def arrays(self, name: str) -> dict[str, np.ndarray] | None:
        """The arrays of a file; None where there is none of this question, or it is damaged."""
        if self.folder is None or not (self.folder / name).is_file():
            return None
        try:
            with np.load(self.folder / name, allow_pickle=False) as file:
                arrays = {key: file[key] for key in file.files}
        except (OSError, ValueError, EOFError, KeyError):
            return None
        if str(arrays.pop("fingerprint", "")) != self.fingerprint:
            return None
        return arrays

    def write(self, name: str, arrays: dict[str, Any]) -> None:
        """Raises `OSError`."""
        if self.folder is None:
            return
        content = io.BytesIO()
        np.savez(content, fingerprint=np.array(self.fingerprint), **arrays)
        write_bytes(self.folder / name, content.getvalue())

    def clear(self) -> None:
        """Take the files away, once results are written."""
        if self.folder is None or not self.folder.is_dir():
            return
        for file in self.folder.glob("*.npz"):
            file.unlink()
        if not any(self.folder.iterdir()):
            self.folder.rmdir()

    def mode(self) -> Mode | None:
        """The mode that was found; None where it was not."""
        arrays = self.arrays("mode.npz")
        if arrays is None:
            return None
        peaks = zip(arrays["peaks"], arrays["heights"], arrays["curvatures"], strict=True)
        log_posterior, log_likelihood, laplace = arrays["logs"]
        return Mode(
            theta=arrays["theta"],
            values=arrays["values"],
            sd=arrays["sd"],
            log_posterior=float(log_posterior),
            log_likelihood=float(log_likelihood),
            laplace=float(laplace),
            objectives=tuple(map(float, arrays["objectives"])),
            peaks=tuple(Peak(z, float(height), curvature) for z, height, curvature in peaks),
            at_bound=tuple(map(str, arrays["at_bound"])),
        )

    def write_mode(self, mode: Mode) -> None:
        """Raises `OSError`."""
        self.write(
            "mode.npz",
            {
                "theta": mode.theta,
                "values": mode.values,
                "sd": mode.sd,
                "logs": np.array([mode.log_posterior, mode.log_likelihood, mode.laplace]),
                "objectives": np.array(mode.objectives),
                "peaks": np.stack([peak.z for peak in mode.peaks]),
                "heights": np.array([peak.value for peak in mode.peaks]),
                "curvatures": np.stack([peak.curvature for peak in mode.peaks]),
                "at_bound": np.array(mode.at_bound, dtype=str),
            },
        )


@dataclass(frozen=True)
class RunStages:
    """The last stage of a run (`emulator.estimation.smc.Ledger`)."""

    stages: Stages
    name: str

    def load(self, rng: np.random.Generator) -> Stage | None:
        """The last stage, with the generator set as it was then; None where there is none."""
        arrays = self.stages.arrays(self.name)
        if arrays is None:
            return None
        rng.bit_generator.state = json.loads(str(arrays["generator"]))
        power, short, normal, log_evidence = arrays["numbers"]
        number, evaluations = arrays["counts"]
        cloud = Cloud(
            arrays["z"],
            Parts(*arrays["parts"]),
            arrays["reference"],
            float(power),
            float(short),
            float(normal),
        )
        return Stage(cloud, int(number), float(log_evidence), int(evaluations))

    def save(self, stage: Stage, rng: np.random.Generator) -> None:
        """Raises `OSError`."""
        cloud = stage.cloud
        numbers = [cloud.power, cloud.short, cloud.normal, stage.log_evidence]
        self.stages.write(
            self.name,
            {
                "z": cloud.z,
                "parts": np.stack(cloud.parts),
                "reference": cloud.reference,
                "numbers": np.array(numbers),
                "counts": np.array([stage.number, stage.evaluations]),
                "generator": np.array(json.dumps(rng.bit_generator.state)),
            },
        )
