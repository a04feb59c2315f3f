"""The configuration of a run: what is refused, and in which words."""

import dataclasses
import json
import math
import time
from itertools import pairwise

import pytest

from emulator.errors import ConfigError
from emulator.tests import commands
from emulator.training.config import TrainingConfig, load_config

pytestmark = pytest.mark.fast

FIELDS = {field.name for field in dataclasses.fields(TrainingConfig)}
POSITIVE = [0, -1, math.nan, math.inf, "nan", "fast", True, None, [1]]
NOT_NEGATIVE = [value for value in POSITIVE if value != 0] + [-1e-300]
COUNT = [0, -1, 1.5, 1e18, 10**30, math.inf, math.nan, "1e18", "many", True, False, None, [3]]
COUNT_OR_NONE = [value for value in COUNT if isinstance(value, bool) or value != 0]
SHARE = [-0.1, 1.1, math.nan, math.inf, "all", True, None]
CHOICE = ["", "other", None, True, 1, ["mse"]]
FLAG = [2, -1, "perhaps", None, [], 0.5]
PLACE = ["", " ", "a\0b", None, 3, True, ["runs"]]
TEXT = ["", None, 3, True, ["text"]]

REFUSED = {
    "lr": POSITIVE,
    "weight_decay": NOT_NEGATIVE,
    "batch_size": COUNT,
    "epochs": COUNT,
    "grad_clip": NOT_NEGATIVE,
    "warmup_epochs": COUNT_OR_NONE,
    "scheduler": CHOICE,
    "patience": COUNT,
    "min_delta": NOT_NEGATIVE,
    "checkpoint_dir": PLACE,
    "save_every_n_epochs": COUNT,
    "save_best": FLAG,
    "log_every_n_steps": COUNT,
    "use_wandb": FLAG,
    "wandb_project": TEXT,
    "seed": [*COUNT_OR_NONE, 2**32],
    "loss_fn": CHOICE,
    "horizon_weights": CHOICE,
    "lambda_smooth": NOT_NEGATIVE,
    "dataset": PLACE,
    "worlds": ["nk", [], [""], [1], None, {"nk": 1}],
    "model": TEXT,
    "model_options": [
        [],
        "deep",
        None,
        {1: 2},
        {"dropout": math.nan},
        {"width": 10**30},
        {"since": dataclasses},
        {"deep": {"deep": [{1: 2}]}},
    ],
    "precision": CHOICE,
    "device": TEXT,
    "threads": COUNT_OR_NONE,
    "in_memory": [value for value in FLAG if value is not None],
    "save_every_n_steps": COUNT_OR_NONE,
    "max_train_samples": [0, -1, True, "all", {"nk": 0}, {"nk": True}, {"nk": 1e18}, [3]],
    "optimizer": CHOICE,
    "lr_end": SHARE,
    "ema_decay": [*SHARE, 1],
    "init_from": [value for value in PLACE if value is not None],
    "init_worlds": [{"nk": ""}, {"nk": None}, {"nk": 3}, {"": "runs/nk"}, ["runs/nk"], "runs/nk"],
    "world_sampling": [0, 0.5, -1, math.nan, math.inf, True, "hot"],
    "observables": [[], [""], [3], "output", {"output": 1}],
    "world_shares": [{"nk": 0}, {"nk": -1}, {"nk": True}, {"nk": math.inf}, 2, [1]],
    "steps_per_epoch": COUNT_OR_NONE,
    "world_weighting": CHOICE,
    "sample_weighting": CHOICE,
    "loss_units": CHOICE,
    "curriculum": [[0], [True], [3, 3], [6, 3], "3", None, [1e18], [math.nan]],
    "curriculum_share": SHARE,
    "overwrite": FLAG,
}


def test_every_setting_has_values_that_are_refused():
    assert REFUSED.keys() == FIELDS


@pytest.mark.parametrize("name", REFUSED)
def test_values_out_of_place_are_refused_by_name(name):
    for value in REFUSED[name]:
        with pytest.raises(ConfigError, match=name) as refusal:
            TrainingConfig(**{name: value})
        assert len(str(refusal.value)) < 1000, value


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_whatever_is_accepted_can_be_written_down(name):
    """Config.json and checkpoints hold it: no value raises anything but `ConfigError`."""
    odd = [object(), b"bytes", {1, 2}, 1j, "text", 7, 0.5, -3, [], {}, [[]], (), range(3), None, ""]
    for value in odd:
        try:
            config = TrainingConfig(**{name: value})
        except ConfigError:
            continue
        json.dumps(config.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "nested too deeply"),
        ("a: " + "{b: " * 50_000, "nested too deeply"),
        ("epochs: 1e18", "epochs = '1e18'"),
        ("epochs: 1.0e+18", "epochs = 1e"),
        ("epochs: " + "9" * 5000, "cannot be read as YAML"),
        ("batch_size: true", "batch_size = True: expected a number"),
        ("wandb_project: 2024-13-77", "cannot be read as YAML"),
        ("wandb_project: 2024-12-24", "wandb_project"),
        ('checkpoint_dir: "a\\0b"', "NUL"),
        ("lr: .nan", "lr = nan"),
        ("? [a]\n: 1", "cannot be read as YAML"),
        ("\0", "cannot be read as YAML"),
        ("#" * (2**20 + 1), "more than 1048576 bytes"),
    ],
    ids=lambda value: value[:20],
)
def test_absurd_files_end_in_a_message(tmp_path, text, message):
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_config(tmp_path / "c.yaml")


def test_an_absurd_override_ends_in_a_message(tmp_path):
    (tmp_path / "c.yaml").write_text("epochs: 3")
    with pytest.raises(ConfigError, match="nested too deeply"):
        load_config(tmp_path / "c.yaml", ["lr=" + "[" * 100_000])


def test_aliases_that_unfold_without_end_are_cut_short(tmp_path):
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in pairwise("abcdefghi")]
    start = time.process_time()
    for head in ("worlds:\n  - ", "model_options:\n    ", "max_train_samples:\n    "):
        (tmp_path / "c.yaml").write_text(head + "\n    ".join(lines))
        with pytest.raises(ConfigError, match=head.split(":")[0]) as refusal:
            load_config(tmp_path / "c.yaml")
        assert len(str(refusal.value)) < 1000
    assert time.process_time() - start < 5


def test_paths_that_are_none_are_refused(tmp_path):
    for path in ("a\0b", tmp_path, "/dev/zero", tmp_path / ("x" * 300)):
        with pytest.raises(ConfigError, match=r"cannot be read|bytes"):
            load_config(path)


def test_numbers_written_as_people_write_them():
    config = TrainingConfig(lr="3e-4", epochs="7", batch_size=32.0, save_best="yes", threads=0)
    assert (config.lr, config.epochs, config.batch_size, config.save_best) == (3e-4, 7, 32, True)


def test_the_configuration_alone_needs_no_pytorch():
    code = "import sys, emulator.training.config; sys.exit('torch' in sys.modules)"
    assert commands.run("-c", code, fresh=True).returncode == 0


def test_an_override_with_a_dot_changes_one_entry_of_a_table(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("model_options: {width: 8, layers: 2}\n")
    config = load_config(path, ["model_options.names=false", "model_options.width=16"])
    assert config.model_options == {"width": 16, "layers": 2, "names": False}
    assert load_config(path, ["max_train_samples.nk=3"]).max_train_samples == {"nk": 3}
    with pytest.raises(ConfigError, match="leads into 'lr', which is no table"):
        load_config(path, ["lr=1e-3", "lr.x=3"])
    with pytest.raises(ConfigError, match="Unknown configuration key"):
        load_config(path, ["model_option.names=false"])
