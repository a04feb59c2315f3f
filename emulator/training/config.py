"""The configuration of a training run: one flat table, checked, the same in Python and in YAML."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import ArgsKwargs

from emulator.errors import ConfigError, nearest

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Place = Annotated[
    str,
    BeforeValidator(lambda value: os.fspath(value) if isinstance(value, os.PathLike) else value),
]


@dataclass(config=ConfigDict(extra="forbid", protected_namespaces=()))
class TrainingConfig:
    """All settings of a run.

    Raises `ConfigError` for an unknown key (with the nearest known) or a value out of place.
    """

    # Optimization
    lr: Positive = 1e-4
    weight_decay: NotNegative = 0.01
    batch_size: Count = 64  # of all processes together
    epochs: Count = 100
    # largest norm of the gradient, of each part of a network on its own (`EmulatorModel.parts`); 0
    # does not clip
    grad_clip: NotNegative = 1.0

    # Learning rate schedule
    warmup_epochs: Annotated[int, Field(ge=0)] = 5
    scheduler: Literal["cosine", "none"] = "cosine"

    # Early stopping
    patience: Count = 10
    min_delta: NotNegative = 1e-4

    # Checkpointing
    checkpoint_dir: Place = "runs/default"
    save_every_n_epochs: Count = 10
    save_best: bool = True

    # Logging
    log_every_n_steps: Count = 50
    use_wandb: bool = False
    wandb_project: str = "macro-emulator"

    # Reproducibility
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 42

    # Loss function
    loss_fn: Literal["mse", "mae"] = "mse"
    horizon_weights: Literal["uniform", "exponential", "impact"] = "uniform"
    lambda_smooth: NotNegative = 0.01

    # What a run from the command line needs beyond: data, network, machine
    dataset: Place = "datasets/v1.0-dev"
    worlds: Annotated[list[str], Field(min_length=1)] = dataclasses.field(
        default_factory=lambda: ["nk", "var", "lss"]
    )
    model: str = "PerWorldMLPBaseline"
    model_options: dict[str, Any] = dataclasses.field(default_factory=dict)
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    device: str = "auto"  # "auto": a CUDA device where there is one, else the CPU
    threads: Annotated[int, Field(ge=0)] = (
        0  # PyTorch threads; 0: one for small networks, PyTorch's choice for large
    )
    in_memory: bool | None = (
        None  # None: in memory if the split takes less than 4 GB, else streamed in shuffled shards
    )
    save_every_n_steps: Annotated[int, Field(ge=0)] = 0  # also within an epoch; 0: at its end only
    max_train_samples: dict[str, Count] | Count | None = (
        None  # only the first draws of a world's training split; of each, or by world
    )

    # Beyond the plain loop: the step, the rate's end, what is averaged
    optimizer: Literal["adamw", "soap"] = "adamw"
    lr_end: Share = 0.01  # share of lr at the last step of the cosine
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = (
        0.0  # moving average of the weights, validated and kept; 0: none
    )
    init_from: Place | None = (
        # trained network whose weights a fresh run starts from: a file, a run's folder, or a name
        # that ships
        None
    )

    # Which samples a step sees, and what they weigh
    world_sampling: Annotated[float, Field(ge=1, allow_inf_nan=False)] | None = (
        None  # temperature; None: every sample once an epoch
    )
    steps_per_epoch: Annotated[int, Field(ge=0)] = (
        0  # with world_sampling; 0: as many as the data have batches
    )
    world_weighting: Literal["samples", "equal"] = (
        "samples"  # equal: every world alike, whatever its draws and shocks
    )
    sample_weighting: Literal[
        "none", "relative"
        # relative: a training loss is divided by the size of its true response, so that no rare
        # huge
        # one rules a step
    ] = "none"
    loss_units: Literal[
        "normalised", "natural"
    ] = (  # natural: percent and percentage points as they are; to show what normalising is worth
        "normalised"
    )
    curriculum: list[Count] = dataclasses.field(
        default_factory=list
    )  # last horizons of the first stages, e.g. [3, 6, 12, 24]
    curriculum_share: Share = 0.3  # of all steps, divided equally among the stages

    @model_validator(mode="wrap")
    @classmethod
    def _refuse(cls, values: Any, handler: Any) -> Any:
        given = (values.kwargs or {}) if isinstance(values, ArgsKwargs) else values
        known = [field.name for field in dataclasses.fields(cls)]
        for key in given:
            if key not in known:
                raise ConfigError(f"Unknown configuration key '{key}'. {nearest(str(key), known)}")
        try:
            return handler(values)
        except ValidationError as error:
            lines = [
                f"{'.'.join(map(str, e['loc']))} = {e['input']!r}: {e['msg']}"
                for e in error.errors()
            ]
            raise ConfigError(
                "The configuration cannot be used: " + "; ".join(lines) + "."
            ) from None

    def __post_init__(self) -> None:
        if self.steps_per_epoch and self.world_sampling is None:
            raise ConfigError(
                f"steps_per_epoch is {self.steps_per_epoch} without world_sampling, where an epoch"
                " is every sample once; set both or neither."
            )
        if self.curriculum != sorted(set(self.curriculum)):
            raise ConfigError(
                f"curriculum is {self.curriculum}; expected horizons that rise from stage to stage,"
                " such as [3, 6, 12, 24]."
            )

    def to_dict(self) -> dict[str, Any]:
        """All settings as plain values, ready for YAML or JSON."""
        return dataclasses.asdict(self)


def load_config(path: str | Path, overrides: list[str] | None = None) -> TrainingConfig:
    """The configuration in a YAML file, with `key=value` overrides. Raises `ConfigError`.

    `3e-4` is a number here, although YAML 1.1 reads it as text.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"The configuration {path} does not exist.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"The configuration {path} cannot be read as YAML: {error}") from None
    if not isinstance(content, dict):
        raise ConfigError(
            f"The configuration {path} holds {type(content).__name__}; expected a table of keys and"
            " values."
        )
    for item in overrides or []:
        key, sign, text = item.partition("=")
        if not sign:
            raise ConfigError(f"The override '{item}' is not of the form key=value.")
        try:
            content[key.strip()] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(
                f"The value of the override '{item}' cannot be read: {error}"
            ) from None
    return TrainingConfig(**{str(key): value for key, value in content.items()})
