"""Splits: complete, disjoint, of the size asked for, with the held-out regions kept out whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.data import SPLITS, Fractions, open_dataset
from emulator.data.folders import open_folder
from emulator.data.splits import (
    CORNER,
    SLICE,
    held_out,
    inside,
    make_regions,
    make_splits,
    read_splits,
)
from emulator.data.streams import stream
from emulator.errors import DatasetError
from emulator.files import write_json
from emulator.tests.conftest import SMALL, SMALL_WORLDS
from emulator.worlds import WORLDS, get_world

pytestmark = pytest.mark.fast

EACH_WORLD = pytest.mark.parametrize("world", SMALL_WORLDS)
shares = st.floats(0.06, 0.45)


def by_hand(regions, spec, theta):
    """Membership in (slice, corner) from the manifest's rule, written out."""
    rows_by_hand = []
    for name in (SLICE, CORNER):
        columns = [
            theta[:, spec.parameter_names.index(c.parameter)] >= c.at_least
            for c in regions[name].all_of
        ]
        rows_by_hand.append(np.logical_and.reduce(columns))
    return rows_by_hand


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(SMALL_WORLDS),
    st.integers(0, 2**40),
    st.integers(400, 900),
    shares,
    shares,
    shares,
    shares,
)
def test_splits_partition_the_rows_and_hold_out_the_whole_region(
    world, seed, n, val, test, slice_, corner
):
    spec = get_world(world).spec
    fractions = Fractions(
        val=val, test=test, test_extrapolation_slice=slice_, test_extrapolation_corner=corner
    )
    theta = get_world(world).sample(n, stream(seed, world, "theta")).astype(np.float32)
    regions = make_regions(get_world(world), fractions)
    splits = make_splits(world, held_out(spec, regions, theta), fractions, seed)
    np.testing.assert_array_equal(
        np.sort(np.concatenate([splits[name] for name in SPLITS])), np.arange(n)
    )
    in_slice, in_corner = by_hand(regions, spec, theta)
    for name in ("train", "val", "test"):
        assert not (in_slice | in_corner)[splits[name]].any()
    np.testing.assert_array_equal(splits[CORNER], np.flatnonzero(in_corner))
    np.testing.assert_array_equal(splits[SLICE], np.flatnonzero(in_slice & ~in_corner))
    rest = n - len(splits[CORNER]) - len(splits[SLICE])
    assert len(splits["val"]) == max(1, round(val * rest))
    assert len(splits["test"]) == max(1, round(test * rest))


@EACH_WORLD
def test_membership_follows_from_the_manifest_and_the_stored_parameters(small_dataset, world):
    data = open_dataset(small_dataset)
    in_slice, in_corner = by_hand(
        data.world(world).regions, data.spec(world), data.group(world)["theta"][:]
    )
    np.testing.assert_array_equal(data.rows(world, CORNER), np.flatnonzero(in_corner))
    np.testing.assert_array_equal(data.rows(world, SLICE), np.flatnonzero(in_slice & ~in_corner))
    for name in ("train", "val", "test"):
        assert not np.isin(data.rows(world, name), np.flatnonzero(in_slice | in_corner)).any()


@EACH_WORLD
@pytest.mark.parametrize(("slice_", "corner"), [(0.1, 0.05), (0.3, 0.2)])
def test_regions_have_the_probability_asked_for(world, slice_, corner):
    spec = get_world(world).spec
    regions = make_regions(
        get_world(world),
        Fractions(test_extrapolation_slice=slice_, test_extrapolation_corner=corner),
    )
    theta = get_world(world).sample(8000, np.random.default_rng(1))
    assert inside(spec, regions[SLICE], theta).mean() == pytest.approx(slice_, rel=0.25)
    assert inside(spec, regions[CORNER], theta).mean() == pytest.approx(corner, rel=0.3)


@EACH_WORLD
def test_regions_lie_in_the_parameters_that_the_world_names(world):
    spec = get_world(world).spec
    regions = make_regions(get_world(world), Fractions())
    assert tuple(c.parameter for c in regions[SLICE].all_of) == spec.extrapolation.slice_parameters
    assert (
        tuple(c.parameter for c in regions[CORNER].all_of) == spec.extrapolation.corner_parameters
    )


@pytest.mark.parametrize("world", WORLDS)
def test_a_worlds_defaults_are_held_out_of_nothing(world):
    """What a user asks first must lie where networks are trained."""
    spec = get_world(world).spec
    defaults = np.array([[parameter.default for parameter in spec.parameters]])
    assert held_out(spec, make_regions(get_world(world), Fractions()), defaults).tolist() == [0]


def test_regions_do_not_depend_on_seed_or_number_of_samples(generate_tiny, tmp_path, small_dataset):
    other = generate_tiny(tmp_path / "other", worlds=["nk"], seed=99, n_samples=100)
    assert other.world("nk").regions == open_dataset(small_dataset).world("nk").regions


def test_shuffling_depends_on_the_seed_and_repeats_with_it():
    spec, fractions = get_world("nk").spec, Fractions()
    theta, regions = (
        get_world("nk").sample(400, np.random.default_rng(3)),
        make_regions(get_world("nk"), Fractions()),
    )
    first, again, other = (
        make_splits("nk", held_out(spec, regions, theta), fractions, seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first["val"], again["val"])
    assert not np.array_equal(first["val"], other["val"])
    np.testing.assert_array_equal(first[SLICE], other[SLICE])


def test_too_few_samples_are_refused_with_the_splits_that_would_be_empty(generate_tiny, tmp_path):
    with pytest.raises(DatasetError, match=f"{CORNER}.*more samples"):
        generate_tiny(
            tmp_path / "few", n_samples=20, fractions=Fractions(test_extrapolation_corner=1e-6)
        )
    assert not (tmp_path / "few" / "manifest.json").exists()


@pytest.mark.parametrize("share", [0.0, -0.1, 0.5, 1.0, float("nan")])
@pytest.mark.parametrize("name", list(Fractions.model_fields))
def test_a_share_outside_zero_to_one_half_is_refused(name, share):
    with pytest.raises(ValueError, match=name):
        Fractions(**{name: share})


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        {"train": [0]},
        dict.fromkeys(SPLITS, "ab"),
        {name: [[0]] for name in SPLITS},
        {name: [2**80] for name in SPLITS},
    ],
)
def test_a_file_that_is_no_table_of_splits_is_refused(tmp_path, content):
    write_json(tmp_path / "nk" / "splits.json", content)
    with pytest.raises(DatasetError, match=r"splits\.json"):
        read_splits(open_folder(tmp_path), "nk")


def test_the_fractions_of_a_request_reach_its_splits(generate_tiny, tmp_path):
    data = generate_tiny(
        tmp_path / "x",
        worlds=["nk"],
        n_samples=SMALL["n_samples"],
        fractions=Fractions(val=0.3, test=0.2),
    )
    splits = data.splits("nk")
    rest = sum(len(splits[name]) for name in ("train", "val", "test"))
    assert len(splits["val"]) == round(0.3 * rest)
    assert len(splits["test"]) == round(0.2 * rest)
