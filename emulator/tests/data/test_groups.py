"""Draws in groups: what is dear to solve is solved once for several draws, and splits keep them
together.
"""

import json

import numpy as np
import pytest

from emulator import Simulator
from emulator.data import generate_dataset, validate_dataset
from emulator.data.splits import groups_of, make_splits
from emulator.errors import DatasetError, UnknownNameError
from emulator.worlds import get_world

SOLVED = []


def market(theta, horizon):
    """Households (two parameters) that are solved once, and a rule that closes the market."""
    share, risk, rule = theta
    if (share, risk) not in SOLVED[-1:]:
        SOLVED.append((share, risk))
    path = (share + risk) / (1 + rule) * 0.8 ** np.arange(horizon + 1)
    return path[None, :, None]


def simulator(**declared):
    return Simulator(
        market,
        parameters={"share": (0.1, 0.9), "risk": (0.0, 1.0), "rule": (1.0, 3.0)},
        shocks=["demand"],
        observables={"price": "percent"},
        batched=False,
        **{"dear": ("share", "risk"), **declared},
    )


@pytest.fixture(scope="module")
def grouped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("groups") / "data"
    SOLVED.clear()
    data = generate_dataset(folder, [simulator()], 320, seed=3, draws_per_group=8, verdicts=0)
    return data, len(set(SOLVED))


def test_draws_of_a_group_share_what_is_dear_and_nothing_else(grouped):
    data, _ = grouped
    theta, _ = data.read("market", "train")
    households, counts = np.unique(theta[:, :2], axis=0, return_counts=True)
    assert len(households) < len(theta) / 4
    assert counts.max() == 8
    assert len(np.unique(theta[:, 2])) == len(theta)


def test_what_is_dear_is_solved_once(grouped):
    _, solved = grouped
    # 40 groups, the declared defaults, and draws from which the held-out regions are found.
    assert solved < 60


def test_no_group_is_in_two_of_train_val_and_test(grouped):
    data, _ = grouped
    seen = {}
    for split in ("train", "val", "test"):
        theta, _ = data.read("market", split)
        assert len(theta)
        for household in {tuple(row) for row in theta[:, :2].tolist()}:
            assert seen.setdefault(household, split) == split


def test_it_validates_and_a_torn_group_does_not(grouped):
    data, _ = grouped
    assert validate_dataset(data.path) == []
    groups = np.repeat(np.arange(12), 4)
    region = np.repeat(np.array([0] * 10 + [3, 4], dtype=np.uint8), 4)
    spec, request = data.spec("market"), data.manifest.request
    theta, _ = data.read("market", "train")
    of_train = groups_of(spec, request.groups["market"], theta)
    assert of_train.max() + 1 == len(np.unique(theta[:, :2], axis=0))
    splits = make_splits("market", region, request.fractions, 0, groups)
    for split in ("train", "val", "test"):
        assert len(splits[split]) % 4 == 0


def test_the_request_and_the_card_say_so(grouped):
    data, _ = grouped
    request = json.loads(data.folder.read_bytes("request.json"))
    assert request["groups"]["market"] == {"parameters": ["share", "risk"], "draws": 8}
    card = data.folder.read_bytes("README.md").decode()
    assert "--draws-per-group 8" in card
    assert "groups of 8 that have share, risk in common" in card


def test_worlds_that_say_nothing_dear_are_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"8 draws a group.*none of nk says.*draws-per-group"):
        generate_dataset(tmp_path / "data", ["nk"], 40, draws_per_group=8)
    with pytest.raises(UnknownNameError, match=r"'shares'.*Did you mean 'share'"):
        simulator(dear=("shares",))


def test_too_few_groups_are_refused_before_anything_is_solved(tmp_path):
    SOLVED.clear()
    few = r"40 draws of 'market' in groups of 5 are 8 groups; expected 20 .*100 draws .*--n_samples"
    with pytest.raises(DatasetError, match=few):
        generate_dataset(tmp_path / "data", [simulator()], 40, draws_per_group=5)
    with pytest.raises(DatasetError, match=r"40 draws of 'market'"):
        generate_dataset(
            tmp_path / "data", [simulator()], 400, samples={"market": 40}, draws_per_group=5
        )
    assert not (tmp_path / "data").exists()
    # The declared defaults are solved once, to know how many responses there are.
    assert len(set(SOLVED)) <= 1


def test_hank_shares_its_households():
    world = get_world("hank")
    assert world.dear == ("eis", "frisch", "rho_e", "sd_e", "debt", "r", "mu")
