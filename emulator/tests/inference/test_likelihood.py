"""The likelihood of data behind the face `Economy`: equations, who answers, gradients, refusals."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal

import emulator
from emulator.errors import ParameterError, SeriesError, UnknownNameError
from emulator.inference.likelihood import Likelihood
from emulator.inference.likelihood.expressions import Equation
from emulator.series import TimeSeries
from emulator.worlds.base import World

pytestmark = pytest.mark.fast

T = 60


def simulated(name, periods=T, seed=0, **parameters):
    """Data that a world generates at its defaults, after a while."""
    paths = emulator.world(name).simulate(periods=periods + 100, seed=seed, **parameters)[0]
    return table(paths.values[100:], list(paths["observable"].values))


def table(values, names, first="1984Q1"):
    index = pd.period_range(first, periods=len(values), freq="Q")
    return pd.DataFrame(values, index=index, columns=names)


def growth(data):
    """Growth of output, and the other columns, without the first quarter."""
    grown = data.copy()
    grown["growth"] = data["output"].diff() + 0.5
    return grown.iloc[1:].drop(columns="output")


GROWTH = {"growth": "diff(output) + 0.5", "inflation": "inflation", "rate": "rate"}


class OfResponses(World):
    """A world of which nothing but its responses are known."""

    has_trajectories = False
    longest_horizon = 150

    def __init__(self, world):
        self.world, self.spec = world, world.spec

    def propose(self, n, rng):
        return self.world.propose(n, rng)

    def status(self, theta):
        return self.world.status(theta)

    def irf(self, theta, horizon=40, *, on_failure="raise"):
        return self.world.irf(theta, horizon, on_failure=on_failure)

    def simulate(self, theta, shocks, *, on_failure="raise"):
        raise NotImplementedError


def test_an_answer_has_named_axes():
    data = simulated("nk")
    answer = emulator.world("nk").log_likelihood(
        data, kappa=[0.1, 0.2], by_period=True, sample="1985Q1:", presample=4
    )
    assert answer["log_likelihood"].dims == ("draw",)
    assert answer["period_log_likelihood"].dims == ("draw", "period")
    assert list(answer["series"].values) == ["output", "inflation", "rate"]
    assert list(answer["equation"].values) == ["output", "inflation", "rate"]
    np.testing.assert_allclose(
        answer["period_log_likelihood"][:, 4:].sum("period"), answer["log_likelihood"]
    )
    np.testing.assert_allclose(
        answer["log_posterior"], answer["log_likelihood"] + answer["log_prior"]
    )
    assert answer.attrs["sample"] == "1985Q1:1998Q4"
    assert answer.attrs["values"] == 3 * (T - 4 - 4)
    assert "Kalman" in answer.attrs["method"]
    at_truth = answer["log_likelihood"].values
    assert at_truth[0] > at_truth[1]  # the default, 0.1, made the data


def test_a_vector_autoregression_is_known_in_closed_form():
    var = emulator.world("var")
    data = simulated("var", c_1=0.3)
    theta = var.sample(3, 1).to_numpy()
    answer = var.log_likelihood(data, theta, by_period=True)
    constant, a1, a2, impact = var.solver.split(theta)
    y = data.to_numpy()
    for draw in range(3):
        mean = constant[draw] + y[1:-1] @ a1[draw].T + y[:-2] @ a2[draw].T
        errors = y[2:] - mean
        covariance = impact[draw] @ impact[draw].T
        wanted = multivariate_normal.logpdf(errors, cov=covariance)
        np.testing.assert_allclose(
            answer["period_log_likelihood"][draw, 2:], wanted, rtol=1e-8, atol=1e-8
        )


def test_statsmodels_gives_the_likelihood_of_a_vector_autoregression():
    models = pytest.importorskip("statsmodels.tsa.statespace.varmax")
    var = emulator.world("var")
    data = simulated("var")
    data.iloc[10, 0] = data.iloc[20:22, 2] = np.nan
    theta = var.spec.theta()
    constant, a1, a2, impact = (m[0] for m in var.solver.split(theta))
    other = models.VARMAX(data.to_numpy(), order=(2, 0), trend="c")
    factor = np.linalg.cholesky(impact @ impact.T)
    lags = np.concatenate([a1, a2], axis=1)
    given = np.concatenate([constant, lags.ravel(), factor[np.tril_indices(3)]])
    wanted = other.loglike(given, transformed=True)
    answer = var.log_likelihood(data, steady=False)["log_likelihood"]
    np.testing.assert_allclose(answer, wanted, rtol=1e-8)


def test_growth_rates_means_and_annual_rates():
    data = simulated("nk")
    nk = emulator.world("nk")
    levels = nk.log_likelihood(data)["log_likelihood"]
    shifted = data.copy()
    shifted["rate"] = data["rate"] / 4 + 1.5
    answer = nk.log_likelihood(
        shifted, observe={"output": "output", "inflation": "inflation", "rate": "rate/4 + 1.5"}
    )
    np.testing.assert_allclose(answer["log_likelihood"], levels + T * np.log(4), rtol=1e-9)
    demeaned = nk.log_likelihood(
        data, observe={name: f"{name} + mean" for name in data}, transform=None
    )
    by_hand = nk.log_likelihood(data - data.mean())
    np.testing.assert_allclose(demeaned["log_likelihood"], by_hand["log_likelihood"], rtol=1e-9)
    grown = nk.log_likelihood(growth(data), observe=GROWTH)
    assert np.isfinite(grown["log_likelihood"]).all()
    ahead = growth(data).rename(columns={"growth": "dy"})
    trend = 0.01 * np.arange(len(ahead))
    ahead["dy"] += trend
    also = nk.log_likelihood(
        ahead,
        observe={
            "dy": "output - output(-1) + 0.5 + 0.01*trend",
            "inflation": "inflation",
            "rate": "rate",
        },
    )
    np.testing.assert_allclose(also["log_likelihood"], grown["log_likelihood"], rtol=1e-9)


def test_sums_over_periods_that_are_seen_now_and_then():
    """A yearly sum, seen in the last quarter, against the joint normal density."""
    nk = emulator.world("nk")
    data = simulated("nk", periods=12)
    mixed = data.copy()
    mixed["year"] = data["output"].rolling(4).sum().where(data.index.quarter == 4)
    mixed = mixed.drop(columns="output")
    equations = {"year": "sum(output, 4)", "inflation": "inflation", "rate": "rate"}
    answer = nk.log_likelihood(mixed, observe=equations)
    irf = nk.irf(horizon=150)["irf"].values[0]
    seen = np.zeros_like(irf)
    for lag in range(4):
        seen[:, lag:, 0] += irf[:, : 151 - lag, 0]
    seen[..., 1:] = irf[..., 1:]
    joint = np.zeros((12, 3, 12, 3))
    for t in range(12):
        for s in range(t + 1):
            block = np.einsum("shv,shw->vw", seen[:, t - s :], seen[:, : 151 - t + s])
            joint[t, :, s], joint[s, :, t] = block, block.T
    values = mixed[list(equations)].to_numpy().ravel()
    there = np.isfinite(values)
    wanted = multivariate_normal.logpdf(
        values[there], cov=joint.reshape(36, 36)[np.ix_(there, there)]
    )
    np.testing.assert_allclose(answer["log_likelihood"], wanted, rtol=1e-7)


def test_a_world_of_responses_has_the_same_likelihood():
    exact = emulator.world("nk")
    responses = emulator.world(OfResponses(exact.solver))
    data = growth(simulated("nk"))
    data.iloc[7, 1] = np.nan
    draws = exact.sample(2, 3)
    asked = {"observe": GROWTH, "errors": {"growth": 0.2, "rate": "sigma_m/2"}, "presample": 3}
    one = exact.log_likelihood(data, draws, gradient=True, **asked)
    other = responses.log_likelihood(data, draws, gradient=True, **asked)
    assert "moving average over horizons 0 to 150" in other.attrs["method"]
    np.testing.assert_allclose(other["log_likelihood"], one["log_likelihood"], rtol=1e-7)
    scale = np.abs(one["gradient"]).max("parameter")
    np.testing.assert_allclose(other["gradient"] / scale, one["gradient"] / scale, atol=1e-4)


@pytest.mark.slow  # the other program compiles its functions first, for minutes
@pytest.mark.parametrize("name", ["nk", "hank"])
def test_sequence_jacobian_gives_the_same_likelihood_of_responses(name):
    """Its `estimation` takes responses as a moving average, and leaves the constant out."""
    other = pytest.importorskip("sequence_jacobian.estimation")
    world = emulator.world(name)
    answerer = (
        world.answerer if name == "hank" else emulator.world(OfResponses(world.solver)).answerer
    )
    names = ["output", "inflation", "rate"]
    data = np.random.default_rng(0).normal(size=(T, 3))
    error = np.array([0.5, 0.4, 0.3])
    likelihood = Likelihood.of(
        answerer,
        emulator.read_data(table(data, names)),
        errors=dict(zip(names, error, strict=True)),
    )
    theta = world.spec.theta()
    irf = answerer.responses(theta, likelihood.horizon)[0, :, :, :3]
    covariances = other.all_covariances(irf.transpose(1, 2, 0), np.ones(irf.shape[0]))
    wanted = other.log_likelihood(data, covariances, error) - data.size / 2 * np.log(2 * np.pi)
    np.testing.assert_allclose(likelihood.values(theta).total[0], wanted, rtol=1e-9)


def test_gradients_are_slopes_of_the_value():
    data = simulated("nk")
    nk = emulator.world("nk")
    gradient = nk.log_likelihood(data, gradient=True)["gradient"][0]
    for name, step in (("kappa", 1e-3), ("rho_i", 1e-3), ("sigma_r", 1e-3)):
        ends = [nk.spec.theta()[0, nk.spec.index(name)] + sign * step for sign in (1, -1)]
        values = nk.log_likelihood(data, **{name: ends})["log_likelihood"].values
        np.testing.assert_allclose(
            gradient.sel(parameter=name), (values[0] - values[1]) / (2 * step), rtol=1e-2
        )


def test_a_network_answers_through_the_same_door():
    data = growth(simulated("nk"))
    errors = {"growth": 0.1, "inflation": 0.1, "rate": 0.1}
    network = emulator.load("universal")["nk"]
    answer = network.log_likelihood(data, observe=GROWTH, errors=errors, kappa=[0.1, 0.2])
    exact = emulator.world("nk").log_likelihood(
        data, observe=GROWTH, errors=errors, kappa=[0.1, 0.2]
    )
    np.testing.assert_allclose(answer["log_likelihood"], exact["log_likelihood"], atol=1.5)
    np.testing.assert_allclose(answer["log_prior"], exact["log_prior"])
    assert answer["flagged"].dims == ("draw",)
    assert "horizons 0 to 40" in answer.attrs["method"]


def test_where_responses_are_cut_off_is_said():
    responses = emulator.world(OfResponses(emulator.world("nk").solver))
    answer = responses.log_likelihood(simulated("nk"), horizon=3, rho_r=0.95)
    assert "cut off at horizon 3" in answer.attrs["notes"]
    with pytest.raises(ParameterError, match="horizons 0 to 150"):
        responses.log_likelihood(simulated("nk"), horizon=151)
    with pytest.raises(ParameterError, match="needs a state space"):
        responses.log_likelihood(simulated("nk"), start="wide")


def test_draws_without_a_solution_are_impossible():
    nk = emulator.world("nk")
    answer = nk.log_likelihood(simulated("nk"), phi_pi=[1.5, 0.8], gradient=True)
    assert np.isfinite(answer["log_likelihood"].values[0])
    assert np.isneginf(answer["log_likelihood"].values[1])
    assert np.isnan(answer["gradient"].values[1]).all()
    outside = nk.log_likelihood(simulated("nk"), sigma=10.0)
    assert np.isneginf(outside["log_prior"].values).all()


@pytest.mark.parametrize(("name", "why"), [("zlb", "not linear"), ("switching", "regimes")])
def test_worlds_that_are_not_gaussian_are_refused(name, why):
    with pytest.raises(ParameterError, match=f"{why}.*emulator estimate --world {name}"):
        emulator.world(name).log_likelihood(simulated("nk"))


def test_a_file_is_held_to_its_varobs_and_its_steady_state(tmp_path):
    path = tmp_path / "walk.mod"
    path.write_text(
        "var y obs; varexo e u; parameters rho c s_obs; rho = 0.8; c = 2; s_obs = 0.3;\n"
        "model(linear); y = rho*y(-1) + e; obs = c + y + u; end;\n"
        "shocks; var e; stderr 1; var u; stderr 0.5; var obs; stderr s_obs; end;\n"
        "estimated_params; rho, beta_pdf, 0.5, 0.2; end;\nvarobs obs;\n"
    )
    world = emulator.world(path)
    data = table(np.random.default_rng(0).normal(2, 1.5, (40, 1)), ["obs"])
    data.iloc[5] = np.nan
    answer = world.log_likelihood(data, rho=[0.8, 0.5])
    assert list(answer["error"].values) == ["s_obs"]
    for draw, rho in enumerate((0.8, 0.5)):
        lags = np.abs(np.subtract.outer(range(40), range(40)))
        joint = rho**lags / (1 - rho**2) + np.diag(np.full(40, 0.25 + 0.09))
        there = np.isfinite(data["obs"].to_numpy())
        wanted = multivariate_normal.logpdf(
            data["obs"].to_numpy()[there] - 2, cov=joint[np.ix_(there, there)]
        )
        np.testing.assert_allclose(answer["log_likelihood"][draw], wanted, rtol=1e-9)
    assert np.isfinite(answer["log_prior"]).all()
    with pytest.raises(UnknownNameError, match="varobs name obs, which"):
        world.log_likelihood(data.rename(columns={"obs": "other"}))
    with pytest.raises(ParameterError, match=r"unit root.*start='diffuse'"):
        world.log_likelihood(data, rho=1.0)
    diffuse = world.log_likelihood(data, rho=1.0, start="diffuse")
    assert np.isfinite(diffuse["log_likelihood"]).all()


def test_a_file_estimated_by_maximum_likelihood_has_no_prior(tmp_path):
    path = tmp_path / "walk.mod"
    path.write_text(
        "var y; varexo e; parameters rho; rho = 0.8;\nmodel(linear); y = rho*y(-1) + e; end;\n"
        "shocks; var e; stderr 1; end;\nestimated_params; rho, 0.5; end;\nvarobs y;\n"
    )
    data = table(np.random.default_rng(0).normal(size=(20, 1)), ["y"])
    answer = emulator.world(path).log_likelihood(data)
    assert np.isfinite(answer["log_likelihood"]).all()
    assert "log_prior" not in answer
    assert "no prior" in answer.attrs["notes"]


REFUSED = {
    "names": ({"growth": "diff(outpt)"}, "names 'outpt'.*Did you mean 'output'"),
    "product": ({"growth": "output*inflation"}, "multiplies observables"),
    "power": ({"growth": "output^2"}, "expected an equation that is linear"),
    "lead": ({"growth": "output(+1)"}, "looks ahead"),
    "function": ({"growth": "log(output)"}, r"has log\(...\), which it cannot have"),
    "sum": ({"growth": "sum(output, 2.5)"}, "no whole number"),
    "far": ({"growth": "output(-70)"}, "reaches 70 periods back"),
    "syntax": ({"growth": "output +"}, "ends too early"),
    "brackets": ({"growth": "diff(output"}, "not closed"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_equations_that_cannot_be_read(case):
    observe, message = REFUSED[case]
    with pytest.raises(SeriesError, match=message):
        emulator.world("nk").log_likelihood(growth(simulated("nk")), observe=observe)


def test_what_does_not_fit_is_said():
    nk, data = emulator.world("nk"), simulated("nk")
    with pytest.raises(UnknownNameError, match=r"No series of 'data'.*observe="):
        nk.log_likelihood(data.rename(columns=str.upper))
    with pytest.raises(UnknownNameError, match="Did you mean 'output'"):
        nk.log_likelihood(data, observe=["outptu"])
    with pytest.raises(ParameterError, match=r"4 series are observed .* 3 shocks and 0 errors"):
        nk.log_likelihood(data.assign(more=0.0), observe=dict.fromkeys([*data, "more"], "output"))
    with pytest.raises(ParameterError, match="standard deviation of zero or more"):
        nk.log_likelihood(data, errors={"rate": -1})
    with pytest.raises(UnknownNameError, match="error of measurement"):
        nk.log_likelihood(data, errors={"rats": 1})
    with pytest.raises(ParameterError, match="presample is 60"):
        nk.log_likelihood(data, presample=60)
    months = TimeSeries.of(
        "m", "made up", pd.period_range("1984-01", periods=9, freq="M"), {"rate": np.arange(9.0)}
    )
    with pytest.raises(SeriesError, match=r"world of quarters.*frequency='quarter'"):
        nk.log_likelihood(months)
    years = TimeSeries.of(
        "y", "made up", pd.period_range("1984", periods=9, freq="Y"), {"x": np.arange(9.0)}
    )
    yearly = nk.log_likelihood(years, observe={"x": "average(output, 4)"})
    assert yearly.attrs["values"] == 9
    assert yearly.attrs["sample"] == "1984Q1:1992Q4"


def test_the_us_series_bring_their_equations():
    pytest.importorskip("statsmodels")
    answer = emulator.world("nk").log_likelihood("us", sample="1984Q1:2007Q4")
    assert list(answer["series"].values) == ["output_growth", "inflation", "rate"]
    assert answer["equation"].values[0] == "diff(output) + mean"
    assert np.isfinite(answer["log_likelihood"]).all()


def test_an_equation_at_draws():
    equation = Equation.of("x", "a*diff(y) + exp(a)*2 + mean/2", ("y",), ("a",))
    line = equation.at({"a": np.array([1.0, 2.0])}, 3.0)
    np.testing.assert_allclose(line.weights[0, 0], [1, 2])
    np.testing.assert_allclose(line.weights[0, 1], [-1, -2])
    np.testing.assert_allclose(line.constant, 2 * np.exp([1, 2]) + 1.5)


def test_a_likelihood_is_kept_for_many_questions():
    nk = emulator.world("nk")
    data = emulator.read_data(simulated("nk"))
    likelihood = Likelihood.of(nk.answerer, data)
    theta = nk.sample(5, 0).to_numpy()
    together = likelihood.values(theta).total
    alone = [likelihood.values(theta[k : k + 1]).total[0] for k in range(5)]
    np.testing.assert_allclose(together, alone, rtol=1e-10)
    assert likelihood.log_prior(theta).shape == (5,)
