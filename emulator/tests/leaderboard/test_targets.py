"""Targets are read strictly: what is wrong in the file is named with the file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from emulator.errors import EvaluationError
from emulator.leaderboard.targets import FILE, read_targets
from emulator.models.shipped import SHIPPED
from emulator.tests.leaderboard.test_outcomes import TARGETS

pytestmark = pytest.mark.fast


def test_what_was_written_is_read(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(yaml.safe_dump(TARGETS.model_dump(mode="json")))
    assert read_targets(tmp_path) == TARGETS


def test_no_file_means_no_targets(tmp_path: Path) -> None:
    assert read_targets(tmp_path) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"nrmse": {"nk": -1}}, r"nrmse\.nk: .*greater than 0"),
        ({"nrmse": {"nk": "small"}}, r"nrmse\.nk: .*valid number"),
        ({"nrmse": {}}, "nrmse: .*at least 1 item"),
        ({"coverage": [0.9, 0.8]}, "coverage: the first end is above the second"),
        ({"coverage": [0.9]}, "coverage"),
        ({"flagged": 1.5}, "flagged: .*less than or equal to 1"),
        ({"flaged": 0.5}, "flaged: Extra inputs"),
        ({"batch_us": float("inf")}, "batch_us: .*finite"),
        ({"few_draws_without": ["vra"]}, ".*few_draws_without names 'vra'"),
    ],
)
def test_wrong_values_are_named(tmp_path: Path, change: dict, message: str) -> None:
    content = TARGETS.model_dump(mode="json") | change
    (tmp_path / FILE).write_text(yaml.safe_dump(content))
    with pytest.raises(EvaluationError, match=rf"targets\.yaml: {message}"):
        read_targets(tmp_path)


@pytest.mark.parametrize("content", ["", "[1, 2]", "nrmse: [", "a: &a [*a]", "\x00"])
def test_what_is_no_table_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(EvaluationError, match=r"targets\.yaml"):
        read_targets(tmp_path)


@pytest.mark.checkout
def test_the_published_targets_are_read_and_name_every_world(
    pytestconfig: pytest.Config,
) -> None:
    targets = read_targets(pytestconfig.rootpath / "results")
    assert targets == TARGETS.model_copy(update={"held": targets.held})
    made_from = re.search(r"runs/(\w+)/", SHIPPED["universal"])
    assert targets.held == made_from[1]  # the network that ships
