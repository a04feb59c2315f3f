"""What an answer says near a border where responses jump, and of what the solver itself errs by."""

import numpy as np
import pytest
import torch

import emulator
from emulator.inference.economy import Economy
from emulator.inference.emulator import Emulator
from emulator.inference.over_solver import SolverAnswerer
from emulator.worlds import get_world
from emulator.worlds.hank.spec import SPEC
from emulator.worlds.known import regimes_of

pytest.importorskip("numba")


@pytest.fixture(scope="module")
def network():
    return Emulator.load("universal")["hank"]


@pytest.fixture(scope="module")
def border():
    """A draw on either side of a border along public debt, and one far from any."""
    world = get_world("hank")
    draws = np.random.default_rng(1).uniform(SPEC.low, SPEC.high, size=(1, SPEC.n_parameters))
    draws[0, [SPEC.index(name) for name in ("debt", "sd_e", "rho_e", "r")]] = 2.0, 0.55, 0.95, 0.005
    ends = np.repeat(draws, 2, axis=0)
    ends[1, SPEC.index("debt")] = 3.2
    first, last = world.regime(ends)
    assert first != last
    for _ in range(10):
        middle = ends.mean(axis=0, keepdims=True)
        ends[int(world.regime(middle)[0] == last)] = middle
    return np.concatenate([ends, SPEC.theta()])


def test_the_solver_says_which_draws_are_near_a_border(border):
    answer = emulator.world("hank").irf(border, horizon=4)
    assert answer["near_jump"].values.tolist() == [True, True, False]
    assert "2 of 3 draws (draws 0, 1) are near a border between regimes" in answer.attrs["notes"]
    assert "network" not in answer.attrs["notes"]
    apart, along = np.abs(np.diff(answer["irf"].values[:2], axis=0)), np.abs(answer["irf"].values)
    assert (apart / along.max(axis=2, keepdims=True)).max() > 0.02
    far = emulator.world("hank").irf(horizon=4)
    assert not far["near_jump"].any()
    assert "notes" not in far.attrs


def test_the_network_says_so_by_an_estimate(network, border):
    answer = network.irf(border, horizon=4)
    assert answer["near_jump"].values.tolist() == [True, True, False]
    margins = regimes_of(network.spec).margin_estimate(border)
    assert (margins[:2] < 2.5e-3).all()


def test_a_network_that_predicts_the_regime_is_not_called_smooth(network, border):
    names = {"universal": "predicts the regime", "universal-alone": "is smooth there"}
    for name, words in names.items():
        answer = Emulator.load(name)["hank"].irf(border, horizon=4)
        assert [text for text in names.values() if text in answer.attrs["notes"]] == [words]
    # Responses on impact jump where the emulator of structure has the regime change.
    sweep = np.repeat(border[:1], 9, axis=0)
    sweep[:, SPEC.index("debt")] = np.linspace(2.2, 2.4, 9)
    answer = network.irf(sweep, horizon=0, shock="monetary", observables=["output"])
    named = "7 of 9 draws (debt = 2.2, 2.225, 2.25, 2.275, 2.3 and 2 more) are near a border"
    assert named in answer.attrs["notes"]
    assert answer["near_jump"].values.tolist() == [True] * 7 + [False] * 2
    steps = np.abs(np.diff(answer["irf"].values.squeeze()))
    assert steps.max() > 10 * np.median(steps)


def test_a_table_says_which_draws_are_near_a_border(network, border):
    answer = network.irf(border, horizon=1, shock="monetary")
    frame = answer.responses.frame()
    assert list(frame.columns[-4:]) == ["exact", "flagged", "determinate", "near_jump"]
    assert frame["near_jump"].tolist() == [True] * 4 + [False] * 2
    assert answer.mean("draw").responses.frame()["near_jump"].all()
    assert "near_jump" not in emulator.world("nk").irf(horizon=1).responses.frame()


def test_where_the_solver_answers_in_its_place_its_own_margin_counts(network):
    theta = np.concatenate([SPEC.theta(), SPEC.theta(rho_m=0.99 * SPEC.high[12])])
    theta[1, SPEC.index("debt")] = 0.9 * SPEC.low[SPEC.index("debt")]  # flagged: out of range
    answer = network.irf(theta, fallback="exact", horizon=4)
    assert answer["exact"].values.tolist() == [False, True]
    width = (answer["upper"] - answer["lower"]).values
    exact = emulator.world("hank").irf(theta[1:], horizon=4, observables=["output"])
    np.testing.assert_allclose(
        width[1, ..., 0], (exact["upper"] - exact["lower"]).values[0, ..., 0], rtol=1e-12
    )


def test_worlds_without_regimes_say_nothing():
    answer = emulator.world("nk").irf(horizon=4)
    assert "near_jump" not in answer
    assert "lower" not in answer


@pytest.mark.parametrize(
    ("world", "names", "least", "most"),
    [("hank", ["output", "rate"], 1e-4, 1e-3), ("hank2", ["output", "hours"], 1e-2, 1e-1)],
)
def test_the_band_of_an_exact_answer_is_what_the_grid_errs_by(world, names, least, most):
    economy = emulator.world(world)
    answer = economy.irf(shock="monetary", observables=names)
    peak = np.abs(answer["irf"]).max("horizon")
    for name in names:
        shares = economy.solver.solution_error[name]
        half = (answer["upper"] - answer["irf"]).sel(observable=name).values.squeeze()
        expected = np.array(shares) * peak.sel(observable=name).item()
        np.testing.assert_allclose(half, expected, rtol=1e-9)
        assert least < max(shares) < most
        assert shares[-1] < max(shares) / 2  # the grid errs less as a shock dies down
    late = economy.irf(shock="monetary", observables=names, horizon=60)
    half = (late["upper"] - late["irf"]).values[0, 0, :, 0]
    np.testing.assert_allclose(half[41:], half[40], rtol=1e-9)
    short = economy.irf(shock="monetary", observables=names, horizon=0)
    np.testing.assert_array_equal(short["upper"], answer["upper"][:, :, :1])
    path = economy.irf(shocks={"monetary": [1, -1]}, observables=["output"], horizon=4)
    assert (path["upper"] > path["irf"]).all()


def test_on_grids_whose_error_is_not_known_an_exact_answer_has_no_band():
    coarse = {"liquid": 10, "illiquid": 16, "multipliers": 4}
    world = get_world("hank2").with_settings(coarse)
    assert world.solution_error == {}
    assert "lower" not in Economy(SolverAnswerer(world)).irf(shock="monetary", horizon=4)


@pytest.mark.parametrize("world", ["hank", "hank2"])
def test_the_band_of_a_network_holds_what_it_errs_by_and_what_the_grid_errs_by(world):
    network = Emulator.load("universal")[world]
    economy = emulator.world(world)
    asked = {"shock": "monetary", "observables": ["output"], "horizon": 12}
    answer = network.irf(**asked)
    whole = network.irf(shock="monetary", observables=["output"])
    shares = economy.solver.solution_error["output"]
    of_grid = np.array(shares[:13]) * np.abs(whole["irf"]).max().item()
    theta = torch.tensor(economy.spec.theta(), dtype=torch.float32)
    answerer = network.answerer
    shock, output = economy.spec.shock_names.index("monetary"), 0
    own = answerer.trust.half_width(theta, world)[0, shock, :13, output].numpy()
    half = (answer["upper"] - answer["irf"]).values.squeeze()
    np.testing.assert_allclose(half, np.hypot(own, of_grid), rtol=1e-5)
    assert (half > of_grid).all()
    path = network.irf(shocks={"monetary": [1]}, observables=["output"], horizon=12)
    np.testing.assert_allclose((path["upper"] - path["irf"]).values.squeeze(), half, rtol=1e-5)


def test_the_bands_of_solver_and_network_hold_what_a_finer_grid_says():
    theta = np.random.default_rng(7).uniform(SPEC.low, SPEC.high, size=(8, SPEC.n_parameters))
    fine = get_world("hank").with_settings({"points": 2000}).irf(theta, horizon=20)
    names = ["output", "inflation", "rate"]
    truth = fine[..., [SPEC.observable_names.index(name) for name in names]]
    for answerer in (emulator.world("hank"), Emulator.load("universal")["hank"]):
        answer = answerer.irf(theta, horizon=20, observables=names)
        within = (answer["lower"] <= truth) & (truth <= answer["upper"])
        assert 0.85 < float(within.mean()) <= 1
    own = answerer.answerer.own_half_width(theta, 20)[..., :3]
    assert float((np.abs(answer["irf"] - truth) <= own).mean()) < 0.85
