"""The recipe of a run: what of its settings makes its numbers, but for the seed."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from emulator.training.config import TrainingConfig

APART = (
    "seed",
    "checkpoint_dir",
    "in_memory",
    "overwrite",
    "log_every_n_steps",
    "save_every_n_epochs",
    "save_every_n_steps",
    "use_wandb",
    "wandb_project",
)
"""The seed, and settings that say where and how often a run reads and writes."""


def recipe_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe in settings as a checkpoint keeps them.

    Settings at their defaults are left out: a run from before a setting was there does not name it.
    A run that goes on from one of its own seed, in a folder that ends in it (`runs/first_43`), goes
    on from the recipe of that one (`runs/first`).
    """
    defaults = dataclasses.asdict(TrainingConfig())
    recipe = {
        key: value
        for key, value in config.items()
        if key not in APART and not (key in defaults and value == defaults[key])
    }
    if start := recipe.get("init_from"):
        recipe["init_from"] = re.sub(rf"_{config.get('seed')}(?=/|$)", "", str(start))
    return recipe
