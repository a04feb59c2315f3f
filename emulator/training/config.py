"""The configuration of a training run: one flat table, checked, the same in Python and in YAML."""

from __future__ import annotations

import dataclasses
import math
import os
import reprlib
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import ArgsKwargs

from emulator.errors import ConfigError, nearest

LARGEST_FILE = 2**20
"""Bytes of a configuration file; ours have a thousand."""

LARGEST_COUNT = 10**9
MOST_THREADS = 4096
DEEPEST_OPTION = 20
MOST_OPTIONS = 10_000
MOST_COMPLAINTS = 5
LARGEST_WHOLE_OPTION = 2**53


def _number(value: Any) -> Any:
    """Refuse `true`, which Python counts as 1."""
    if isinstance(value, bool):
        raise ValueError("expected a number, not true or false")
    return value


def _place(value: Any) -> Any:
    """A path as text."""
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if isinstance(text, str) and ("\0" in text or not text.strip()):
        raise ValueError("expected a path, neither empty nor with a NUL character in it")
    return text


def _plain(options: Any) -> Any:
    """Refuse what JSON does not know: other types, infinite numbers, nesting without end."""
    waiting, seen = [(options, 0)], 0
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if depth > DEEPEST_OPTION or seen > MOST_OPTIONS:  # aliases of YAML unfold without end
            raise ValueError(
                f"expected at most {MOST_OPTIONS} entries, nested at most {DEEPEST_OPTION} deep"
            )
        if isinstance(value, dict):
            if not all(isinstance(key, str) for key in value):
                raise ValueError("expected names of options as keys")
            waiting += [(entry, depth + 1) for entry in value.values()]
        elif isinstance(value, list | tuple):
            waiting += [(entry, depth + 1) for entry in value]
        elif not isinstance(value, str | bool | int | float | None):
            raise ValueError(
                f"expected texts, numbers, lists and tables, not {type(value).__name__}"
            )
        elif isinstance(value, float) and not math.isfinite(value):
            raise ValueError("expected finite numbers")
        elif isinstance(value, int) and abs(value) > LARGEST_WHOLE_OPTION:
            raise ValueError(f"expected whole numbers up to {LARGEST_WHOLE_OPTION}")
    return options


Positive = Annotated[float, BeforeValidator(_number), Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, BeforeValidator(_number), Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, BeforeValidator(_number), Field(ge=1, le=LARGEST_COUNT)]
CountOrNone = Annotated[int, BeforeValidator(_number), Field(ge=0, le=LARGEST_COUNT)]
Share = Annotated[float, BeforeValidator(_number), Field(ge=0, le=1)]
Seed = Annotated[int, BeforeValidator(_number), Field(ge=0, lt=2**32)]
Threads = Annotated[int, BeforeValidator(_number), Field(ge=0, le=MOST_THREADS)]
Decay = Annotated[float, BeforeValidator(_number), Field(ge=0, lt=1)]
Temperature = Annotated[float, BeforeValidator(_number), Field(ge=1, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1)]
Place = Annotated[str, BeforeValidator(_place)]
Options = Annotated[dict[str, Any], BeforeValidator(_plain)]


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
    warmup_epochs: CountOrNone = 5
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
    wandb_project: Name = "macro-emulator"

    # Reproducibility
    seed: Seed = 42

    # Loss function
    loss_fn: Literal["mse", "mae"] = "mse"
    horizon_weights: Literal["uniform", "exponential", "impact"] = "uniform"
    lambda_smooth: NotNegative = 0.01

    # What a run from the command line needs beyond: data, network, machine
    dataset: Place = "datasets/v1.0-dev"
    worlds: Annotated[list[Name], Field(min_length=1)] = dataclasses.field(
        default_factory=lambda: ["nk", "var", "lss"]
    )
    # what the network is to answer with, of worlds that all have it; None: all that they observe
    observables: Annotated[list[Name], Field(min_length=1)] | None = None
    model: Name = "PerWorldMLPBaseline"
    model_options: Options = dataclasses.field(default_factory=dict)
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    device: Name = "auto"  # "auto": a CUDA device where there is one, else the CPU
    # PyTorch threads; 0: one for small networks, PyTorch's choice for large
    threads: Threads = 0
    # None: in memory if the split takes less than 4 GB, else streamed in shuffled shards
    in_memory: bool | None = None
    save_every_n_steps: CountOrNone = 0  # also within an epoch; 0: at its end only
    # only the first draws of a world's training split; of each, or by world
    max_train_samples: dict[str, Count] | Count | None = None

    # Beyond the plain loop: the step, the rate's end, what is averaged
    optimizer: Literal["adamw", "soap"] = "adamw"
    lr_end: Share = 0.01  # share of lr at the last step of the cosine
    ema_decay: Decay = 0.0  # moving average of the weights, validated and kept; 0: none
    # trained network whose weights a fresh run starts from: a file, a run's folder, or a name that
    # ships
    init_from: Place | None = None
    # networks that single worlds start from in its place, by world, e.g. {hank: runs/own/hank}
    init_worlds: dict[str, Place] = dataclasses.field(default_factory=dict)

    # Which samples a step sees, and what they weigh
    world_sampling: Temperature | None = None  # None: every sample once an epoch
    # with world_sampling: by how much a world's quota is multiplied, e.g. {sw07: 2}; others by 1
    world_shares: dict[str, Positive] = dataclasses.field(default_factory=dict)
    steps_per_epoch: CountOrNone = 0  # with world_sampling; 0: as many as the data have batches
    # equal: every world alike, whatever its draws and shocks
    world_weighting: Literal["samples", "equal"] = "samples"
    # relative: a training loss is divided by the size of its true response, so that no rare huge
    # one rules a step; root: by the root of that size, so that huge ones count for more
    sample_weighting: Literal["none", "root", "relative"] = "none"
    # natural: percent and percentage points as they are; to show what normalising is worth
    loss_units: Literal["normalised", "natural"] = "normalised"
    # last horizons of the first stages, e.g. [3, 6, 12, 24]
    curriculum: list[Count] = dataclasses.field(default_factory=list)
    curriculum_share: Share = 0.3  # of all steps, divided equally among the stages

    # Whether a fresh run may replace one that is already in checkpoint_dir
    overwrite: bool = False

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
            raise ConfigError(f"The configuration cannot be used: {_complaints(error)}.") from None

    def __post_init__(self) -> None:
        if self.steps_per_epoch and self.world_sampling is None:
            raise ConfigError(
                f"steps_per_epoch is {self.steps_per_epoch} without world_sampling, where an epoch"
                " is every sample once; set both or neither."
            )
        if self.world_shares and self.world_sampling is None:
            raise ConfigError(
                "world_shares is set without world_sampling, where an epoch is every sample once;"
                " set both or neither."
            )
        for key in ("world_shares", "init_worlds"):
            if unknown := sorted(set(getattr(self, key)) - set(self.worlds)):
                raise ConfigError(
                    f"{key} names '{unknown[0]}', which is not among the worlds."
                    f" {nearest(unknown[0], self.worlds)}"
                )
        if self.curriculum != sorted(set(self.curriculum)):
            raise ConfigError(
                f"curriculum is {self.curriculum}; expected horizons that rise from stage to stage,"
                " such as [3, 6, 12, 24]."
            )

    def to_dict(self) -> dict[str, Any]:
        """All settings as plain values, ready for YAML or JSON."""
        return dataclasses.asdict(self)


def _complaints(error: ValidationError) -> str:
    """The settings that were refused, their values cut short, and why."""
    short = reprlib.Repr()
    short.maxlevel = 2
    short.maxstring = short.maxother = 60
    lines = []
    for entry in error.errors()[:MOST_COMPLAINTS]:
        # Of a union's members the validator names its own functions, which nobody has written.
        place = ".".join(str(part) for part in entry["loc"] if "[" not in str(part))
        reason = entry["msg"].removeprefix("Value error, ")
        lines.append(f"{place} = {short.repr(entry['input']):.100}: {reason}")
    more = error.error_count() - len(lines)
    return "; ".join(lines) + (f"; and {more} more" if more > 0 else "")


def load_config(path: str | Path, overrides: list[str] | None = None) -> TrainingConfig:
    """The configuration in a YAML file, with `key=value` overrides. Raises `ConfigError`.

    A dot leads into a table: `model_options.names=false` leaves the other options as they are.
    `3e-4` is a number here, although YAML 1.1 reads it as text.
    """
    content = _parsed(_text(path), f"The configuration {path} cannot be read as YAML")
    if not isinstance(content, dict):
        raise ConfigError(
            f"The configuration {path} holds {type(content).__name__}; expected a table of keys and"
            " values."
        )
    for item in overrides or []:
        key, sign, text = item.partition("=")
        if not sign:
            raise ConfigError(f"The override '{item}' is not of the form key=value.")
        *tables, last = key.strip().split(".")
        place = content
        for name in tables:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                raise ConfigError(f"The override '{item}' leads into '{name}', which is no table.")
        place[last] = _parsed(text, f"The value of the override '{item}' cannot be read")
    return TrainingConfig(**{str(key): value for key, value in content.items()})


def _text(path: str | Path) -> str:
    try:
        with Path(path).open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        text = content.decode("utf-8")
    except FileNotFoundError:
        raise ConfigError(f"The configuration {path} does not exist.") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path, bytes that are no text
        raise ConfigError(f"The configuration {path!s:.200} cannot be read: {error}") from None
    if len(content) > LARGEST_FILE:
        raise ConfigError(
            f"The configuration {path} has more than {LARGEST_FILE} bytes; expected a table of"
            " settings."
        )
    return text


def _parsed(text: str, failure: str) -> Any:
    """The value of a YAML text; the error begins with `failure`."""
    try:
        return yaml.safe_load(text)
    except RecursionError:
        raise ConfigError(f"{failure}: its brackets are nested too deeply.") from None
    except (yaml.YAMLError, ValueError, TypeError, OverflowError) as error:
        # Beside its own errors the parser lets through those of numbers and dates that are none.
        raise ConfigError(f"{failure}: {error}") from None
