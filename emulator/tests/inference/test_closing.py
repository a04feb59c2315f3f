"""A dear block that a network answers for, closed exactly."""

import numpy as np
import pytest
import torch

import emulator
from emulator.errors import DoubtWarning, NoSolutionError, ParameterError
from emulator.models import build
from emulator.models.trained import TrainedNetwork
from emulator.models.trust import Evidence, Trust
from emulator.training.sources import moments
from emulator.worlds import check_world

pytestmark = pytest.mark.fast

HORIZON = 12


@emulator.simulator(
    parameters={"mpc": (0.1, 0.6), "fade": (0.3, 0.9)},
    shocks={"income": {"meaning": "income", "tex": "y"}},
    observables={"consumption": {"unit": "percent", "meaning": "consumption", "tex": "c"}},
)
def household(theta, horizon=HORIZON):
    """Consumption after a rise of income, at given prices."""
    mpc, fade = theta[:, 0, None], theta[:, 1, None]
    return (mpc * fade ** np.arange(horizon + 1))[:, None, :, None]


def spend(part, theta):
    """Output follows purchases and what households spend of the income that these are."""
    scale, leak = theta[:, 2], theta[:, 3]
    consumption = part[:, 0, :, 0] * (scale / (1 - (1 - leak) * part[:, 0, 0, 0]))[:, None]
    purchases = np.zeros_like(consumption)
    purchases[:, 0] = scale
    return np.stack([consumption + purchases, consumption], axis=-1)[:, None]


@pytest.fixture(scope="module")
def economy():
    return emulator.Closing(
        household,
        spend,
        {"scale": (0.5, 2.0), "leak": (0.1, 0.5)},
        ["purchases"],
        {"output": "percent", "consumption": "percent"},
    )


@pytest.fixture(scope="module")
def network():
    """Of the household, good to a few per cent."""
    theta = household.sample(300, np.random.default_rng(0))
    draws = torch.tensor(theta).float(), torch.tensor(household.irf(theta, HORIZON)).float()
    spec = {"household": household.spec}
    model = build("RidgeEmulator", spec, HORIZON, {"degree": 2})
    model.bind({"household": moments(lambda: [draws])}, spec)
    model.prepare({"household": draws})
    return emulator.Emulator(model)["household"]


@pytest.fixture(scope="module")
def calibrated_part(network):
    trained = network.answerer.trained
    theta = torch.tensor(household.sample(60, np.random.default_rng(2))).float()
    truth = torch.tensor(household.irf(theta.double().numpy(), HORIZON)).float()
    error = (trained.network(theta, "household") - truth).detach()
    statistics = {"household": trained.network.normaliser.statistics("household")}
    trust = Trust.fitted([("household", Evidence(theta, theta, error))], statistics)
    return emulator.Emulator(TrainedNetwork(trained.network, trust))["household"]


def test_a_closing_is_a_world_of_both_kinds_of_parameters(economy):
    assert economy.spec.parameter_names == ("mpc", "fade", "scale", "leak")
    theta = economy.spec.theta()
    exact = spend(household.irf(theta[:, :2], HORIZON), theta)
    np.testing.assert_array_equal(economy.irf(theta, HORIZON), exact)
    assert emulator.world(economy).irf(scale=[1.0, 2.0]).sizes["observable"] == 2
    check_world(emulator.Closing(*_described(economy)), n=16)


def _described(economy):
    """The same with all that `check_world` wants to be told."""
    told = {"unit": "percent", "tex": "x", "meaning": "series"}
    own = {
        name: {"low": low, "high": high, "unit": "1", "tex": name, "meaning": name}
        for name, (low, high) in {"scale": (0.5, 2.0), "leak": (0.1, 0.5)}.items()
    }
    shocks = {"purchases": {"meaning": "purchases", "tex": "g"}}
    return household, spend, own, shocks, {"output": told, "consumption": told}


def test_what_the_closing_does_is_exact_over_a_network(economy, network):
    answer = emulator.closed(network, economy)
    once, twice = answer.irf(scale=[1.0, 2.0], mpc=0.33).irf.values
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-12)
    theta = economy.sample(20, np.random.default_rng(1))
    part = network.answerer.responses(theta[:, :2], HORIZON)
    np.testing.assert_allclose(answer.answerer.responses(theta, HORIZON), spend(part, theta))
    exact, near = economy.irf(theta, HORIZON), answer.answerer.responses(theta, HORIZON)
    assert np.abs(near - exact).max() < 0.2 * np.abs(exact).max()


def test_the_answer_is_no_solvers_and_doubts_what_the_network_doubts(economy, network):
    answer = emulator.closed(network, economy)
    data = answer.irf(mpc=[0.3, 0.9], leak=0.05)
    assert not data.exact.any()
    assert "lower" not in data
    assert data.in_range.values.tolist() == [True, False]
    assert data.parameter_in_range.sel(parameter="leak").all()
    assert "closed exactly" in repr(answer)
    with pytest.raises(ParameterError):
        answer.simulate()


@pytest.mark.filterwarnings("ignore::emulator.errors.SimulatorWarning")
def test_a_closing_that_fails_at_some_draws_has_a_band_from_the_others(network):
    def odd(part, theta):
        if (theta[:, 2] > 0.7).any():
            raise OverflowError("too large")
        return part * theta[:, 2, None, None, None]

    closing = emulator.Closing(household, odd, {"k": (0.5, 1.0)}, ["income"], ["c"], name="odd")
    answer = emulator.closed(network, closing, draws=60)
    assert 10 < answer.answerer.band.draws < 40
    with pytest.raises(NoSolutionError, match="the function 'odd' raised OverflowError: too large"):
        answer.irf(k=0.9)


def test_without_draws_the_answer_says_on_its_face_that_it_has_no_band(economy, network):
    data = emulator.closed(network, economy).irf(mpc=0.3)
    assert "lower" not in data
    assert data.attrs["source"].endswith("closed exactly, without a band")
    assert "draws=...) measures it" in data.attrs["notes"]
    exact = emulator.closed(emulator.world(household), economy).irf(mpc=0.3)
    assert "band" not in str(exact.attrs)


@pytest.mark.filterwarnings("ignore::emulator.errors.DoubtWarning")
@pytest.mark.parametrize("calibrated", [True, False])
def test_the_band_of_a_closing_holds_the_truth_as_often_as_it_says(
    economy, network, calibrated_part, calibrated
):
    part = calibrated_part if calibrated else network
    theta = household.sample(200, np.random.default_rng(5))
    answer = emulator.closed(part, economy, draws=(theta, household.irf(theta, HORIZON)))
    fresh = economy.sample(400, np.random.default_rng(6))
    data = answer.irf(fresh, horizon=HORIZON)
    truth = economy.irf(fresh, HORIZON)
    covered = ((data.lower.values <= truth) & (truth <= data.upper.values)).mean(axis=(0, 1, 2))
    assert (covered > 0.85).all()
    assert (covered < 0.97).all()
    assert "without a band" not in data.attrs["source"]
    width = answer.answerer.half_width(fresh, HORIZON)
    if calibrated:  # the scale of a response is that of its shock
        ratio = width[:, 0, 3, 0] / fresh[:, 2]
        assert np.std(ratio) / np.mean(ratio) < np.std(width[:, 0, 3, 0]) / np.mean(
            width[:, 0, 3, 0]
        )


def test_a_band_ends_where_the_draws_end_that_it_is_calibrated_on(economy, network):
    theta = household.sample(20, np.random.default_rng(5))
    answer = emulator.closed(network, economy, draws=(theta, household.irf(theta, 5)))
    known = np.isfinite(answer.irf(horizon=8).upper.values[0, 0, :, 0])
    assert known.tolist() == 6 * [True] + 3 * [False]


def test_draws_of_the_part_can_be_solved_for_the_band(economy, network):
    one, same = (emulator.closed(network, economy, draws=20).irf(mpc=0.3) for _ in range(2))
    assert np.isfinite(one.upper).all()
    assert one.equals(same)
    few = household.sample(5, np.random.default_rng(5))
    with pytest.raises(ParameterError, match="needs 9 draws of its part at least; 5 of those"):
        emulator.closed(network, economy, draws=(few, household.irf(few, HORIZON)))
    for wrong in (5, -3, 30.0, "many", True, (few,)):
        with pytest.raises(ParameterError, match="expected how many draws of 'household' to solve"):
            emulator.closed(network, economy, draws=wrong)
    with pytest.raises(ParameterError, match=r"expected theta\s+\(n, 2\) and exact responses"):
        emulator.closed(network, economy, draws=(np.ones((30, 3)), np.ones((30, 1, 13, 1))))


def test_the_exact_economy_answers_where_a_calibrated_network_doubts_its_part(
    economy, calibrated_part
):
    answer = emulator.closed(calibrated_part, economy)
    question = {"mpc": [0.3, 0.7], "fade": 0.5, "horizon": 4}
    with pytest.warns(DoubtWarning):
        assert answer.irf(**question).flagged.values[1]
    data = answer.irf(**question, fallback=economy)
    assert data.exact.values[1]
    exact = emulator.world(economy).irf(**question)
    np.testing.assert_array_equal(data.irf[1], exact.irf[1])


def test_derivatives_of_a_closed_economy(economy, network):
    answer, exact = emulator.closed(network, economy), emulator.world(economy)
    slopes, known = (one.jacobian(horizon=4).values for one in (answer, exact))
    np.testing.assert_allclose(slopes[..., 2], known[..., 2], rtol=0.1)
    assert np.isfinite(slopes).all()


def test_a_closing_over_another_world_is_refused(economy):
    with pytest.raises(ParameterError, match="is closed over 'household', and 'nk' has other"):
        emulator.closed(emulator.world("nk"), economy)
    with pytest.raises(ParameterError, match="expected an economy that answers for the part"):
        emulator.closed(economy, household)


def test_draws_without_a_part_have_no_economy():
    @emulator.simulator(parameters={"x": (0.0, 1.0)}, shocks=["e"], observables=["y"])
    def often(theta, horizon=HORIZON):
        """No answer above one half."""
        irf = np.ones((len(theta), 1, horizon + 1, 1))
        irf[theta[:, 0] > 0.5] = np.nan
        return irf

    closing = emulator.Closing(
        often, lambda part, theta: part, {"z": (0.0, 1.0)}, ["e"], ["y"], name="same"
    )
    theta = np.array([[0.2, 0.5], [0.8, 0.5]])
    assert np.isfinite(closing.irf(theta, 3, on_failure="nan")).all((1, 2, 3)).tolist() == [
        True,
        False,
    ]
    with pytest.raises(NoSolutionError):
        closing.irf(theta, 3)
