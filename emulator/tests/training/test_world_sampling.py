"""Worlds by quota: what a batch holds, and that it depends on (seed, epoch, batch) alone."""

import numpy as np
import pytest

from emulator.errors import ConfigError, TrainingError
from emulator.training import BatchLoader, IRFDataset, TrainingConfig
from emulator.training.loader import ForeignLoader, WorldBatches, quotas
from emulator.training.preparation import training_loader
from emulator.training.processes import Group

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("sizes", "batch", "temperature", "expected"),
    [
        ([800, 100, 100], 10, 1.0, [8, 1, 1]),
        ([800, 100, 100], 9, 1.0, [7, 1, 1]),
        (
            [6000, 3000, 1000],
            62,
            1.0,
            [37, 19, 6],
        ),  # 37.2, 18.6, 6.2: the last place goes to the largest remainder
        ([90_000, 10_000], 100, 2.0, [75, 25]),  # square roots 3 to 1
        ([100_000, 100_000, 300], 6, 1e9, [2, 2, 2]),
        ([100_000, 100_000, 300], 32, 1.0, [16, 15, 1]),  # at least one of each
        ([1, 1_000_000, 1], 3, 1.0, [1, 1, 1]),
    ],
)
def test_quotas(sizes, batch, temperature, expected):
    quota = quotas(sizes, batch, temperature)
    assert sum(quota) == batch
    assert quota == expected


def test_a_batch_smaller_than_the_number_of_worlds_is_refused():
    with pytest.raises(TrainingError, match="batch_size is 2 for 3 worlds"):
        quotas([5, 5, 5], 2, 1.0)


@pytest.fixture(params=[True, False], ids=["in memory", "streamed"])
def uneven(small_dataset, request):
    """nk with 20 draws, lss with all of its training split."""
    return IRFDataset(small_dataset, ["nk", "lss"], "train", request.param, {"nk": 20})


def rows(batches, world):
    return [
        int(k)
        for batch in batches
        for k, name in zip(batch["sample_idx"], batch["world_ids"], strict=True)
        if name == world
    ]


def test_every_batch_has_its_quotas_and_every_round_all_draws(uneven):
    loader = WorldBatches(uneven, 16, 2.0, seed=5, steps=12)
    batches = [batch for epoch in range(3) for batch in loader.epoch(epoch)]
    assert len(batches) == 36
    for world, quota in zip(("nk", "lss"), loader.quotas, strict=True):
        assert {batch["world_ids"].count(world) for batch in batches} == {quota}
        seen, size = (
            rows(batches, world),
            dict(zip(uneven.world_ids, uneven.sizes, strict=True))[world],
        )
        rounds = [seen[k : k + size] for k in range(0, len(seen) - size + 1, size)]
        assert all(len(set(part)) == size for part in rounds)
        assert len(rounds) > 1
        assert rounds[0] != rounds[1]


def test_it_depends_on_seed_epoch_and_batch_alone(uneven):
    whole = [
        [b["sample_idx"].tolist() for b in WorldBatches(uneven, 16, 1.5, seed=5, steps=7).epoch(k)]
        for k in range(4)
    ]
    again = WorldBatches(uneven, 16, 1.5, seed=5, steps=7)
    assert [b["sample_idx"].tolist() for b in again.epoch(3, start=2)] == whole[3][2:]
    assert [b["sample_idx"].tolist() for b in again.epoch(1)] == whole[1]
    assert [
        b["sample_idx"].tolist() for b in WorldBatches(uneven, 16, 1.5, seed=6, steps=7).epoch(1)
    ] != whole[1]


def test_processes_share_each_batch(uneven):
    alone = WorldBatches(uneven, 16, 1.5, seed=5)
    parts = [WorldBatches(uneven, 16, 1.5, seed=5, rank=rank, processes=3) for rank in range(3)]
    for batch, *shares in zip(alone.epoch(2), *(part.epoch(2) for part in parts), strict=True):
        assert sorted(k for share in shares for k in share["sample_idx"].tolist()) == sorted(
            batch["sample_idx"].tolist()
        )
        assert np.ptp([len(share["theta"]) for share in shares]) <= 1
    with pytest.raises(TrainingError, match="at least one sample each"):
        WorldBatches(uneven, 2, 1.0, 0, processes=3)


def test_an_epoch_is_as_long_as_the_mixed_data_unless_told_otherwise(train_set):
    plain = BatchLoader(train_set, 64, True)
    assert len(WorldBatches(train_set, 64, 1.0, 0)) == len(plain)
    settings = TrainingConfig(world_sampling=2.0, steps_per_epoch=11)
    assert len(training_loader(plain, settings, Group())) == 11
    assert training_loader(plain, TrainingConfig(), Group()) is plain


def test_a_world_may_have_a_larger_share_of_every_batch(train_set):
    plain = BatchLoader(train_set, 60, True)
    worlds = train_set.world_ids
    settings = TrainingConfig(
        worlds=worlds, batch_size=60, world_sampling=1e6, world_shares={worlds[0]: 3}
    )
    quotas = training_loader(plain, settings, Group()).quotas
    assert quotas[0] == 3 * quotas[1]
    assert sum(quotas) == 60


def test_settings_that_do_not_go_together_are_refused(train_set):
    with pytest.raises(ConfigError, match="world_shares is set without world_sampling"):
        TrainingConfig(world_shares={"nk": 2})
    with pytest.raises(ConfigError, match=r"world_shares names 'nkk'.*Did you mean 'nk'"):
        TrainingConfig(world_sampling=2.0, world_shares={"nkk": 2})
    with pytest.raises(ConfigError, match="steps_per_epoch is 5 without world_sampling"):
        TrainingConfig(steps_per_epoch=5)
    foreign = ForeignLoader(list(BatchLoader(train_set, 64, False).epoch(0)), 0)
    with pytest.raises(TrainingError, match="world_sampling needs"):
        training_loader(foreign, TrainingConfig(world_sampling=1.0), Group())
