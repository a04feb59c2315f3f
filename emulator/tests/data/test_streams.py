"""Random streams: a function of (seed, world, purpose, shard) and of nothing else, and no two
alike.
"""

from itertools import product

import numpy as np
import pytest

from emulator.data import open_dataset
from emulator.data.shards import beyond_range
from emulator.data.streams import stream
from emulator.tests.conftest import SMALL_WORLDS
from emulator.worlds import WORLDS, get_world

pytestmark = pytest.mark.fast

PURPOSES = ("theta", "shocks", "splits", "regions", "verdicts")


def test_a_stream_repeats_whatever_was_drawn_before():
    first = stream(42, "nk", "theta", 3).random(100)
    stream(42, "nk", "theta", 2).random(17)
    np.testing.assert_array_equal(first, stream(42, "nk", "theta", 3).random(100))


def test_a_stream_is_the_same_in_every_release_and_on_every_machine():
    drawn = stream(42, "nk", "theta", 0).random(3)
    np.testing.assert_array_equal(
        drawn, [0.25336330306805344, 0.5531462665883345, 0.07072411115793942]
    )


def test_no_draw_is_shared_between_seeds_worlds_purposes_or_shards():
    keys = list(product((0, 1, 42, 43), WORLDS, PURPOSES, range(3)))
    draws = np.concatenate([stream(*key).random(200) for key in keys])
    assert len(np.unique(draws)) == len(draws)


@pytest.mark.parametrize("world", SMALL_WORLDS)
def test_neighbouring_seeds_share_no_parameter_vector_in_any_shard(world):
    prior = get_world(world)
    drawn = [
        prior.sample(200, stream(seed, world, "theta", shard))
        for seed in (42, 43)
        for shard in range(3)
    ]
    assert len(np.unique(np.concatenate(drawn), axis=0)) == 6 * 200


def test_stored_shocks_and_parameters_differ_from_shard_to_shard_and_world_to_world(small_dataset):
    data = open_dataset(small_dataset)
    first_shock = np.concatenate([data.group(world)["shocks"][:, :5, 0] for world in data.worlds])
    assert len(np.unique(first_shock, axis=0)) == len(first_shock)
    theta = np.concatenate([data.group(world)["theta"][:, :5] for world in data.worlds])
    assert len(np.unique(theta, axis=0)) == len(theta)


def test_large_seeds_do_not_wrap_around():
    assert not np.isin(
        stream(2**32 + 42, "nk", "theta").random(50), stream(42, "nk", "theta").random(50)
    ).any()


@pytest.mark.parametrize("world", WORLDS)
def test_the_ends_of_a_range_are_within_it_however_single_precision_rounds_them(world):
    spec = get_world(world).spec
    ends = np.stack([spec.low, spec.high]).astype(np.float32)
    assert not beyond_range(spec, ends).any()
    step = 1e-3 * (spec.high - spec.low)
    assert beyond_range(spec, np.stack([spec.low - step, spec.high + step])).all()
