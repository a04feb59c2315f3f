"""Hard draws: further draws for training alone, where responses are large or bend most."""

import numpy as np
import pytest

from emulator.data import generate_dataset, open_dataset
from emulator.data.hard import hard_draws
from emulator.data.schema import HARD, Fractions
from emulator.data.splits import held_out, make_regions
from emulator.data.validate import validate_dataset
from emulator.errors import DatasetError
from emulator.training import IRFDataset
from emulator.worlds import get_world

PLAIN, MORE = 200, 60
REQUEST = {"seed": 7, "periods": 0, "verdicts": 20, "chunk": 32, "shard": 64, "horizon": 12}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    path = tmp_path_factory.mktemp("plain") / "data"
    return generate_dataset(path, ["nk", "var"], PLAIN, **REQUEST)


@pytest.fixture(scope="module")
def hard(tmp_path_factory):
    path = tmp_path_factory.mktemp("hard") / "data"
    return generate_dataset(path, ["nk", "var"], PLAIN, hard={"nk": MORE}, **REQUEST)


def test_hard_draws_follow_the_draws_of_the_prior_which_stay_as_they_are(plain, hard):
    assert hard.theta("nk").shape[0] == PLAIN + MORE
    np.testing.assert_array_equal(hard.theta("nk")[:PLAIN], plain.theta("nk"))
    np.testing.assert_array_equal(hard.theta("var"), plain.theta("var"))
    for split, rows in plain.splits("nk").items():
        np.testing.assert_array_equal(hard.rows("nk", split), rows)
    np.testing.assert_array_equal(hard.rows("nk", HARD), np.arange(PLAIN, PLAIN + MORE))
    assert len(hard.rows("var", HARD)) == len(plain.rows("nk", HARD)) == 0


def test_a_data_set_with_hard_draws_is_whole_and_says_so_on_its_card(hard):
    assert validate_dataset(hard.path) == []
    card = (hard.path / "README.md").read_text()
    assert "--hard nk=60" in card
    assert "60 further draws, in the split `train_hard`" in card


def test_networks_train_on_them_and_take_their_scales_from_the_prior_alone(plain, hard):
    of_plain, of_hard = (IRFDataset(data, ["nk"], "train") for data in (plain, hard))
    streamed = IRFDataset(hard, ["nk"], "train", in_memory=False)
    assert of_hard.sizes == streamed.sizes == [of_plain.sizes[0] + MORE]
    for train in (of_hard, streamed):
        for ours, theirs in zip(train.statistics["nk"], of_plain.statistics["nk"], strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-6)
        last = train.gather(np.array([len(train) - 1])).pieces[0]
        np.testing.assert_array_equal(last.theta[0], hard.theta("nk")[-1])
    assert len(IRFDataset(hard, ["nk"], "train", max_samples=50)) == 50
    assert IRFDataset(hard, ["nk"], "test").sizes == IRFDataset(plain, ["nk"], "test").sizes


def test_they_are_larger_than_draws_of_the_prior_and_outside_the_held_out_regions():
    world = get_world("nk")
    regions = make_regions(world, Fractions())
    theta = hard_draws(world, 200, 12, regions, np.random.default_rng(1))
    usual = world.sample(200, np.random.default_rng(2))
    sizes, usual_sizes = (np.abs(world.irf(draws, 12)).max((1, 2, 3)) for draws in (theta, usual))
    assert np.quantile(sizes, 0.9) > 1.3 * np.quantile(usual_sizes, 0.9)
    assert not held_out(world.spec, regions, theta).any()
    assert len(np.unique(theta, axis=0)) == 200


def test_draws_in_groups_are_not_chosen(tmp_path):
    with pytest.raises(DatasetError, match="hard: draws of 'hank' cannot be chosen"):
        generate_dataset(tmp_path / "x", ["hank"], 40, hard={"hank": 20}, draws_per_group=2)


def test_the_command_names_the_option(emulate, tmp_path):
    for text in ("nk", "nk=0", "nk=5,nk=5"):
        code, _, err = emulate("generate", "--hard", text, "--output", tmp_path / "x")
        assert code == 2
        assert "--hard" in err
    code, _, err = emulate(
        "generate", "--world", "nk", "--hard", "lss=5", "--output", tmp_path / "x"
    )
    assert code == 1
    assert "hard: 'lss' is not among the worlds" in err


def test_a_finished_data_set_is_opened_again(hard):
    assert open_dataset(hard.path).fingerprint == hard.fingerprint
