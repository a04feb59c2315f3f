"""What is stored is what was solved: parameters, responses, trajectories, matrices, counts."""

import numpy as np
import pytest

from emulator.data import SPLITS, open_dataset
from emulator.data.streams import stream
from emulator.errors import EmulatorError
from emulator.spec import Status
from emulator.tests.conftest import SMALL, SMALL_WORLDS
from emulator.tests.data.tampering import contents
from emulator.worlds import get_world

EACH_WORLD = pytest.mark.parametrize("world", SMALL_WORLDS)


@pytest.fixture
def stored(small_dataset):
    """Arrays of a world as NumPy, float64 where they are numbers of the economy."""
    data = open_dataset(small_dataset)
    return lambda world: {name: np.asarray(array[:]) for name, array in data.group(world).arrays()}


@EACH_WORLD
def test_solving_the_stored_parameters_again_gives_the_stored_responses_bit_for_bit(stored, world):
    arrays = stored(world)
    assert arrays["theta"].dtype == arrays["irfs"].dtype == np.float32
    solved = get_world(world).irf(arrays["theta"].astype(np.float64), horizon=SMALL["horizon"])
    np.testing.assert_array_equal(arrays["irfs"], solved.astype(np.float32))


@EACH_WORLD
def test_trajectories_are_the_simulation_of_the_stored_shocks(stored, world):
    arrays = stored(world)
    path = get_world(world).simulate(
        arrays["theta"].astype(np.float64), arrays["shocks"].astype(np.float64)
    )
    np.testing.assert_array_equal(arrays["trajectories"], path.astype(np.float32))


@EACH_WORLD
def test_trajectories_are_sums_of_responses_to_past_shocks(stored, world):
    arrays = stored(world)
    irf_BSHO, shocks_BTS = arrays["irfs"].astype(np.float64), arrays["shocks"].astype(np.float64)
    mean_BO = get_world(world).mean(arrays["theta"].astype(np.float64))
    for t in range(SMALL["periods"]):
        past_BSH = shocks_BTS[:, t::-1, :].transpose(0, 2, 1)
        expected_BO = mean_BO + np.einsum("bsh,bsho->bo", past_BSH, irf_BSHO[:, :, : t + 1])
        np.testing.assert_allclose(arrays["trajectories"][:, t], expected_BO, rtol=1e-5, atol=1e-5)


@EACH_WORLD
def test_solution_matrices_roll_out_to_the_responses(stored, world):
    arrays = stored(world)
    state_BDS, rolled = arrays["state_impact"], []
    for _ in range(SMALL["horizon"] + 1):
        rolled.append(arrays["state_observation"] @ state_BDS)
        state_BDS = arrays["state_transition"] @ state_BDS
    irf_BSHO = np.stack(rolled).transpose(1, 3, 0, 2)
    np.testing.assert_allclose(arrays["irfs"], irf_BSHO, rtol=1e-6, atol=1e-7)


@EACH_WORLD
def test_counts_of_refused_draws_are_those_of_drawing_again(small_dataset, world):
    data = open_dataset(small_dataset)
    request, refused_of = data.manifest.request, {}
    for shard in range(request.n_shards(world)):
        start, stop = request.rows(world, shard)
        draws = get_world(world).draw(stop - start, stream(request.seed, world, "theta", shard))
        assert data.world(world).shards[shard].rejections == draws.rejections
        for reason, count in draws.rejections.items():
            refused_of[reason] = refused_of.get(reason, 0) + count
    assert data.world(world).rejections == refused_of


def test_the_prior_of_nk_refuses_about_one_draw_in_sixteen_as_indeterminate(small_dataset):
    rejections = open_dataset(small_dataset).world("nk").rejections
    assert set(rejections) == {"indeterminate"}
    assert 0.03 < rejections["indeterminate"] / SMALL["n_samples"] < 0.12


@EACH_WORLD
def test_every_stored_draw_is_ok_and_finite(stored, world):
    arrays = stored(world)
    assert (arrays["status"] == Status.OK).all()
    for name in ("theta", "irfs", "shocks", "trajectories", "state_transition"):
        assert np.isfinite(arrays[name]).all()


@EACH_WORLD
def test_one_file_a_shard_in_every_array(small_dataset, world):
    data = open_dataset(small_dataset)
    for name in data.world(world).shards[0].sha256:
        files = [p for p in (small_dataset / world / name / "c").rglob("*") if p.is_file()]
        assert len(files) == data.manifest.request.n_shards(world) == 3


def test_the_same_request_gives_the_same_bytes(generate_tiny, tiny_dataset, tmp_path):
    generate_tiny(tmp_path / "again")
    assert contents(tmp_path / "again") == contents(tiny_dataset)


def test_another_seed_gives_other_parameters_and_the_same_regions(
    generate_tiny, tiny_dataset, tmp_path
):
    here, there = open_dataset(tiny_dataset), generate_tiny(tmp_path / "other", seed=8)
    assert not np.isin(here.group("nk")["theta"][:, 0], there.group("nk")["theta"][:, 0]).any()
    assert here.world("nk").regions == there.world("nk").regions


def test_a_world_is_the_same_whichever_worlds_stand_beside_it(
    generate_tiny, tiny_dataset, tmp_path
):
    generate_tiny(tmp_path / "alone", worlds=["lss"])
    assert contents(tiny_dataset / "lss") == contents(tmp_path / "alone" / "lss")


def test_trajectories_can_be_left_out(generate_tiny, tmp_path):
    data = generate_tiny(tmp_path / "short", periods=0)
    assert {"trajectories", "shocks", "period"}.isdisjoint(data.group("nk").array_keys())
    assert sum(len(rows) for rows in data.splits("nk").values()) == 80
    assert set(data.splits("nk")) == set(SPLITS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_samples": 5}, "n_samples"),
        ({"seed": -1}, "seed"),
        ({"chunk": 48}, "multiple of chunk"),
        ({"worlds": ["nk", "nk"]}, "named twice"),
        ({"worlds": []}, "worlds"),
        ({"worlds": ["nkk"]}, "Did you mean 'nk'"),
        ({"workers": 0}, "--workers"),
        ({"chunks": 16}, "chunks"),
    ],
)
def test_a_request_that_cannot_be_met_says_why_and_writes_nothing(
    generate_tiny, tmp_path, change, message
):
    with pytest.raises(EmulatorError, match=message):
        generate_tiny(tmp_path / "none", **change)
    assert not (tmp_path / "none").exists()
