"""What a project set out to reach: `targets.yaml`, which lies beside the results it is about."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from emulator.errors import EvaluationError, first_error

FILE = "targets.yaml"

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Targets(BaseModel):
    """Targets for the universal network; the file says the same in whole sentences."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    held: Annotated[str, Field(min_length=1)] | None = None
    """The entry that is held to the targets; by default of the universal ones that of most worlds,
    then most seeds.
    """
    nrmse: Annotated[dict[str, Positive], Field(min_length=1)]
    """Largest mean NRMSE by world, in standard deviations of the training split."""
    relative_error_p95_factor: Positive
    """The 95th percentile of the relative error over the target for NRMSE."""
    plain_factor: Positive
    """NRMSE of the best network without structure over the universal one's, at least."""
    mean_gap: Annotated[float, Field(allow_inf_nan=False)]
    """NRMSE over the best specialist's, less one: mean over worlds, at most."""
    worst_gap: Annotated[float, Field(allow_inf_nan=False)]
    """The same in any world, at most."""
    coverage: tuple[Share, Share]
    """Share of the true responses in the nominal 90 % band: smallest, largest."""
    extrapolation_factor: Positive
    """NRMSE beyond the training region over that on `test`, at most ..."""
    flagged: Share
    """... or the share of the badly predicted draws that is flagged, at least."""
    few_draws: Count
    """Number of draws of a world that the network did not know."""
    few_draws_factor: Positive
    """NRMSE from scratch over NRMSE fine-tuned with so many draws, at least."""
    few_draws_mean_factor: Positive
    """The mean of this factor over worlds, at least."""
    few_draws_without: tuple[str, ...] = ()
    """Worlds that both leave out: where even a network from scratch is exact."""
    one_draw_us: Positive
    """Microseconds of a call with one draw, at most."""
    batch_us: Positive
    """Microseconds of a draw in a batch of 10,000, at most."""
    seeds: Count
    """Seeds behind a number that meets its target without reserve."""

    @field_validator("coverage")
    @classmethod
    def _ordered(cls, ends: tuple[float, float]) -> tuple[float, float]:
        if ends[0] > ends[1]:
            raise ValueError("the first end is above the second")
        return ends

    @model_validator(mode="after")
    def _known(self) -> Targets:
        if unknown := sorted(set(self.few_draws_without) - set(self.nrmse)):
            raise ValueError(
                f"few_draws_without names '{unknown[0]}', which has no target for nrmse"
            )
        return self


def read_targets(folder: Path) -> Targets | None:
    """The targets beside the results of a folder, or None where none were set.

    Raises `EvaluationError`, naming the file, for one that is no table of targets.
    """
    path = folder / FILE
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise EvaluationError(f"{path} cannot be read as YAML: {error}") from None
    try:
        return Targets.model_validate(content)
    except ValidationError as error:
        raise EvaluationError(
            f"{path}: {first_error(error)}. Expected the entries {', '.join(Targets.model_fields)}."
        ) from None
