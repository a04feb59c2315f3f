"""Drawing until an emulator is good enough, or plainly will not be."""

import dataclasses

import numpy as np
import pytest

from emulator.choice import committee, until
from emulator.choice.committee import chosen, fitted
from emulator.choice.kinds import KINDS
from emulator.choice.pool import Pool
from emulator.choice.until import draw_until
from emulator.data import open_dataset
from emulator.errors import ConfigError
from emulator.spec import Status
from emulator.worlds import get_world


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Small fits, cards without pictures."""
    small = {"components": 4, "iterations": 8, "own": 0}
    kinds = {
        name: dataclasses.replace(KINDS[name], options={**KINDS[name].options, **small})
        for name in committee.COMMITTEE
    }
    monkeypatch.setattr(committee, "KINDS", kinds)


def test_it_stops_when_the_error_on_fresh_draws_is_small_enough(toy, tmp_path):
    outcome = draw_until(toy, 0.05, tmp_path / "data", most=500, horizon=8)
    assert outcome.reached
    assert outcome.rounds[-1][1] <= 0.05
    data = open_dataset(tmp_path / "data")
    assert data.spec("toy") == toy.spec
    theta, irf = data.read("toy", "train")
    np.testing.assert_allclose(irf, toy.irf(theta.astype(float), 8), atol=1e-5)
    total = sum(len(rows) for rows in data.splits("toy").values())
    assert total >= outcome.rounds[-1][0] + until.LEAST_FRESH


def test_it_says_why_it_will_not_get_there(toy, tmp_path):
    outcome = draw_until(toy, 1e-9, tmp_path / "data", most=130, horizon=8)
    assert not outcome.reached
    assert outcome.data is not None
    assert sum(map(len, outcome.data.splits("toy").values())) <= 130
    assert "above 1e-09" in outcome.reason
    assert "--n_samples allows" in outcome.reason or "no longer falls" in outcome.reason


def test_chosen_draws_are_those_on_which_the_committee_differs(toy):
    rng = np.random.default_rng(0)
    theta = toy.sample(60, rng)
    none = np.empty((0, 3))
    pool = Pool(theta, toy.irf(theta, 8), none, np.empty(0, dtype=np.uint8))
    networks, splits = fitted(toy, pool, pool)
    best = chosen(toy, networks, splits, pool, 5, np.random.default_rng(1))
    proposals = toy.propose(5 * committee.CANDIDATES, np.random.default_rng(1)).astype(np.float32)
    assert best.shape == (5, 3)
    assert all((np.abs(proposals - row).max(axis=1) < 1e-6).any() for row in best)


@pytest.mark.fast
def test_a_border_of_determinacy_is_seen_among_the_neighbours():
    theta = np.linspace(0, 1, 40)[:, None]
    pool = Pool(
        theta[:20],
        np.zeros((20, 1, 2, 1)),
        theta[20:],
        np.full(20, Status.INDETERMINATE, dtype=np.uint8),
    )
    likely = committee._probability(pool, np.array([[0.1], [0.49], [0.9]]))
    assert likely[0] == 1
    assert 0 < likely[1] < 1
    assert likely[2] == 0


def test_draws_without_a_solution_are_kept_as_such(tmp_path):
    world = get_world("nk")
    draw_until(world, 0.99, tmp_path / "data", most=200, horizon=6, choose=True)
    data = open_dataset(tmp_path / "data")
    assert data.spec("nk") == world.spec
    status = data.verdicts("nk")[1]
    assert (status == Status.OK).any()
    assert (status != Status.OK).any()


@pytest.mark.fast
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--world", "nk,var", "--until", "0.1"), "draws of one world"),
        (("--world", "nk", "--until", "3"), "between 0 and 1"),
        (("--world", "nk", "--until", "0.1", "--val", "0"), "--val, --test, --slice and --corner"),
        (("--world", "nk", "--until", "0.1", "--workers", "2"), "--workers has no part"),
        (("--world", "nk", "--until", "0.1", "--n_samples", "30"), "Raise --n_samples"),
        (("--world", "nkk", "--until", "0.1"), "Did you mean 'nk'"),
    ],
)
def test_mistakes_end_in_a_message(emulate, tmp_path, options, message):
    code, _, said = emulate("generate", *options, "--output", tmp_path / "data")
    assert code == 1
    assert message in " ".join(said.split())
    assert not (tmp_path / "data").exists()


@pytest.mark.fast
def test_the_command_draws_up_to_the_world_s_own_horizon(emulate, tmp_path):
    file = tmp_path / "fade.py"
    file.write_text(
        "import numpy as np\n"
        "import emulator\n"
        "@emulator.simulator(parameters={'rho': (0.1, 0.9), 'size': (1, 2)}, shocks=['e'],\n"
        "                    observables={'sales': 'percent'}, frequency='month', horizon=6)\n"
        "def fade(theta):\n"
        "    rho, size = theta.T[:, :, None]\n"
        "    if (rho > 0.8).any():\n"
        "        raise ValueError('too persistent')\n"
        "    return (size * rho ** np.arange(7))[:, None, :, None]\n"
    )
    place = ("--world", f"{file}:fade", "--until", "0.2", "--output", tmp_path / "data")
    code, out, said = emulate("generate", *place, "--n_samples", "200")
    assert code == 0, said
    assert "at most 0.2" in out + said
    assert "note: fade raised ValueError: too persistent" in " ".join(said.split())
    assert f"--dataset {tmp_path / 'data'} --output runs/mine" in " ".join(out.split())
    assert open_dataset(tmp_path / "data").read("fade", "train")[1].shape[1:] == (1, 7, 1)
    code, _, said = emulate("generate", *place)
    assert code == 1
    assert "holds a data set already" in said
    assert "fresh draws" not in said  # refused before it draws


@pytest.mark.fast
def test_the_emulator_of_too_few_draws_is_refused(toy):
    with pytest.raises(ConfigError, match="Raise --n_samples"):
        draw_until(toy, 0.1, "nowhere", most=10)
