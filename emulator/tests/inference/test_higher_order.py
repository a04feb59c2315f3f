"""Second and third order behind the face `Economy` and on the command line."""

import csv
import warnings

import numpy as np
import pytest
import xarray as xr

import emulator
from emulator.errors import ModFileWarning, NoSolutionError, ParameterError
from emulator.tests.reference.orders import make

pytestmark = pytest.mark.fast

GROWTH = make.HERE / "growth.mod"


@pytest.fixture(scope="module")
def growth():
    with warnings.catch_warnings():
        warnings.simplefilter("error", ModFileWarning)  # nothing is passed over
        return emulator.world(GROWTH)


def test_a_file_is_answered_at_the_order_that_it_asks_for(growth):
    answer = growth.irf(horizon=3)
    assert answer.attrs["order"] == "3"
    assert answer.attrs["source"] == "third order, pruned"
    assert "closed form" in answer.attrs["notes"]
    assert growth.moments(lags=1).attrs["order"] == "3"
    assert growth.simulate(periods=2).attrs["source"] == "third order, pruned"
    first = growth.irf(horizon=3, order=1)
    assert "order" not in first.attrs
    assert first.attrs["source"] == "first order"
    assert "notes" not in first.attrs


def test_what_is_of_first_order_by_what_it_is_says_so_where_the_file_asks_for_more(growth):
    notes = growth.variance_decomposition(horizons=1).attrs["notes"]
    assert "'stoch_simul' asks for order=3; the answer is that of order 1" in notes


def test_small_shocks_have_first_order_responses(growth):
    small = {"stderr_e": 1e-6}
    first = growth.irf(small, order=1, horizon=8)["irf"].values
    for order in (2, 3):
        higher = growth.irf(small, order=order, horizon=8)["irf"].values
        np.testing.assert_allclose(higher, first, rtol=1e-4, atol=1e-12)


def test_responses_to_opposite_shocks_differ_by_the_second_order(growth):
    up, down, first = (
        growth.irf(order=order, size=size, horizon=6)["irf"].values
        for order, size in ((2, 2.0), (2, -2.0), (1, 2.0))
    )
    np.testing.assert_allclose((up - down) / 2, first, atol=1e-12)
    assert np.abs(up + down).max() > 1e-4


def test_a_path_of_one_shock_is_the_shock(growth):
    alone = growth.irf(order=3, size=1.5, horizon=6)["irf"].values
    path = growth.irf(order=3, shocks={"e": [1.5]}, horizon=6)["irf"].values
    np.testing.assert_allclose(path, alone)


def test_simulated_responses_come_back_with_the_seed_and_are_near_the_closed_form(growth):
    options = {"order": 2, "horizon": 6, "replic": 40, "burn_in": 30}
    first = growth.irf(seed=3, **options)
    np.testing.assert_array_equal(first["irf"], growth.irf(seed=3, **options)["irf"])
    assert (first["irf"] != growth.irf(seed=4, **options)["irf"]).any()
    assert "mean of 40 simulations, seed 3, the shock after 30 periods" in first.attrs["notes"]
    closed = growth.irf(order=2, horizon=6)["irf"]
    assert float(np.abs(first["irf"] - closed).max()) < 0.1 * float(np.abs(closed).max())


def test_a_batch_is_its_draws_and_a_draw_without_a_solution_is_a_gap(growth):
    draws = {"rho": [0.8, 1.3, 0.5]}
    for answer, name in (
        (growth.irf(draws, order=3, horizon=4, on_failure="nan"), "irf"),
        (growth.moments(draws, order=3, lags=1, on_failure="nan"), "variance"),
        (growth.simulate(draws, order=3, periods=4, on_failure="nan").to_dataset(), "simulation"),
        (growth.decision_rules(draws, order=3, on_failure="nan"), "ghxxx"),
    ):
        assert np.isnan(answer[name][1]).all()
        assert np.isfinite(answer[name][[0, 2]]).all()
    alone = growth.moments(rho=0.5, order=3, lags=1)
    together = growth.moments(draws, order=3, lags=1, on_failure="nan")
    np.testing.assert_allclose(together["variance"][2], alone["variance"][0], rtol=1e-9)
    with pytest.raises(NoSolutionError):
        growth.irf(draws, order=3)


def test_the_mean_of_a_simulated_path_is_the_theoretical_one(growth):
    theory = growth.moments(order=2, lags=1)
    sample = growth.moments(order=2, lags=1, simulated=10_000, seed=1)
    steady = growth.decision_rules(order=2)["steady_state"]
    moved = (theory["mean"] - steady).sel(observable="k").item()
    apart = (sample["mean"] - theory["mean"]).sel(observable="k").item()
    assert abs(apart) < 0.3 * abs(moved)
    np.testing.assert_allclose(sample["std"], theory["std"], rtol=0.1)


def test_filtered_moments_are_those_of_the_filtered_pruned_path(growth):
    filtered = growth.moments(order=2, hp=1600, lags=1)
    sample = growth.moments(order=2, hp=1600, lags=1, simulated=10_000)
    np.testing.assert_allclose(filtered["std"], sample["std"], rtol=0.05)
    assert growth.moments(order=2, difference=True, by="gamma")["std_by"].notnull().all()


def test_moments_that_need_too_much_memory_are_refused_before_anything_is_solved(
    growth, monkeypatch
):
    monkeypatch.setattr("emulator.inference.moments.arrays.MOST_NUMBERS", 100)
    with pytest.raises(ParameterError, match=r"products of its 2 states .* simulated=10_000"):
        growth.moments(order=3)
    monkeypatch.setattr("emulator.modfile.compiling.rules.MOST_NUMBERS", 80)
    assert growth.decision_rules(order=2)["ghxx"].notnull().all()
    with pytest.raises(ParameterError, match=r"by products of 3 states and shocks.*order=2"):
        growth.irf(order=3)


def test_the_stochastic_steady_state_is_where_a_path_without_shocks_ends(growth):
    rules = growth.decision_rules(order=2)
    path = growth.simulate(order=2, shocks=np.zeros((800, 1)))
    ends = path[0, -1] + rules["steady_state"][0]
    np.testing.assert_allclose(ends, rules["stochastic_steady_state"][0], atol=1e-10)


def test_a_path_may_start_elsewhere(growth):
    path = growth.simulate(order=2, shocks=np.zeros((1, 1)), state={"k": 0.1})
    rules = growth.decision_rules(order=2).isel(draw=0)
    to_k = {"state": "k(-1)"}
    expected = 0.1 * rules["ghx"].sel(to_k) + 0.5 * rules["ghs2"]
    expected = expected + 0.5 * 0.01 * rules["ghxx"].sel(to_k | {"state_2": "k(-1)"})
    np.testing.assert_allclose(path[0, 0], expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda e: e.irf(order=4), "expected 1, 2 or 3"),
        (lambda e: e.irf(order="2"), "expected 1, 2 or 3"),
        (lambda e: e.irf(order=1, replic=5), "do not depend"),
        (lambda e: e.irf(order=2, replic=0), "whole number"),
        (lambda e: e.irf(order=2, replic=3, burn_in=-1), "burn_in is -1"),
        (lambda e: e.irf(order=2, size="0.01 on c"), "Give standard deviations"),
        (lambda e: e.simulate(order=2, states=True), "ask for order=1"),
        (lambda e: emulator.world("nk").irf(order=2), "answered at first order"),
        (lambda e: emulator.world("nk").decision_rules(), "no decision rules"),
        (lambda e: emulator.world("nk").moments(order=3), "all of whose shocks"),
    ],
)
def test_what_cannot_be_is_refused_in_plain_words(growth, call, message):
    with pytest.raises(ParameterError, match=message):
        call(growth)


def test_a_unit_root_has_no_mean_over_states_at_third_order():
    walk = emulator.world(GROWTH).irf(rho=1.0, order=2, horizon=2)
    assert np.isfinite(walk["irf"]).all()
    with pytest.raises(ParameterError, match="unit root"):
        emulator.world(GROWTH).irf(rho=1.0, order=3, horizon=2)
    assert np.isfinite(
        emulator.world(GROWTH).irf(rho=1.0, order=3, replic=2, horizon=2)["irf"]
    ).all()


def test_variables_that_a_unit_root_moves_are_named_at_higher_order():
    moments = emulator.world(GROWTH).moments(rho=[0.8, 1.0], order=2)
    one = emulator.world(GROWTH).moments(rho=0.8, order=2)
    np.testing.assert_array_equal(moments["std"].values[0], one["std"].values[0])
    assert moments.attrs["non_stationary"].startswith("c (1 of 2 draws), k (1 of 2 draws)")
    assert np.isinf(moments["std"].values[1]).all()
    assert np.isnan(moments["mean"].values[1]).all()


def test_rules_are_polynomials_whose_terms_are_written_once(growth, tmp_path, emulate):
    from emulator.inference.decision_rules import terms

    data = growth.decision_rules(order=3)
    listed = dict(terms(data))
    assert len(listed) == len(terms(data)) == 2 + 2 + 1 + 3 + 2 + 1 + 4 + 3 + 2 + 1 + 2 + 1
    rng = np.random.default_rng(0)
    v = dict(zip(["k(-1)", "a(-1)", "e"], rng.normal(size=3) * 0.1, strict=True)) | {"risk": 1.0}
    total = sum(
        values[0] * (1.0 if name == "steady state" else np.prod([v[w] for w in name.split(", ")]))
        for name, values in listed.items()
    )
    state = {"k": v["k(-1)"], "a": v["a(-1)"]}
    # In its first period a pruned path has the same terms: only its first-order state has moved.
    path = growth.simulate(order=3, shocks={"e": [v["e"]]}, state=state)
    np.testing.assert_allclose(path[0, 0] + data["steady_state"][0], total, rtol=1e-9)
    files = [tmp_path / name for name in ("rules.csv", "rules.nc", "rules.json")]
    outputs = [word for path in files for word in ("--output", path)]
    code, out, _ = emulate("rules", GROWTH, "--order", "2", *outputs)
    assert code == 0
    assert "stochastic steady state" in out
    assert "k(-1), a(-1)" in out
    with open(files[0], encoding="utf-8") as file:
        rows = {row["term"]: row for row in csv.DictReader(file)}
    assert float(rows["k(-1), e"]["c"]) == pytest.approx(float(data["ghxu"][0, 0, 0, 0]))
    assert xr.load_dataset(files[1])["ghxx"].shape == (1, 4, 2, 2)


def test_the_commands_take_an_order(emulate, tmp_path):
    for words in (
        ["irf", GROWTH, "--order", "2", "--horizon", "2"],
        ["irf", GROWTH, "--order", "2", "--horizon", "2", "--replic", "2", "--seed", "4"],
        ["moments", GROWTH, "--order", "2", "--lags", "1"],
        ["simulate", GROWTH, "--order", "2", "--periods", "3"],
    ):
        code, out, err = emulate(*words)
        assert code == 0, err
        assert "second order, pruned" in " ".join(out.split())
    code, _, err = emulate("irf", "nk", "--order", "2")
    assert code == 1
    assert "answered at first order" in " ".join(err.split())
