"""The network that ships, asked as a user asks, held against the exact solution."""

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import emulator
from emulator.errors import (
    CheckpointError,
    DoubtWarning,
    NoSolutionError,
    ParameterError,
    UnknownNameError,
)
from emulator.inference import Emulator
from emulator.inference.answers import beyond_training
from emulator.inference.fallback import solver_of
from emulator.models import build
from emulator.models.check import _statistics
from emulator.worlds import get_world

pytestmark = pytest.mark.fast
QUICK = ("nk", "var", "lss", "rbc", "sw07", "switching", "zlb")
DRAWS = 200
OWN = Path(__file__).parents[3] / "examples" / "hybrid_nk.mod"


@pytest.fixture(scope="module")
def em():
    return emulator.load("universal")


@pytest.fixture(scope="module")
def plain():
    """A network that was never trained nor calibrated."""
    specs = {"lss": get_world("lss").spec}
    network = build("PerWorldMLPBaseline", specs, 6, {"hidden_dims": [4]})
    network.bind({"lss": _statistics(specs["lss"])}, specs)
    return Emulator(network)


@pytest.mark.parametrize("name", QUICK)
def test_fresh_draws_lie_within_the_band_about_as_often_as_it_says(em, name):
    world = emulator.world(name)
    theta = world.sample(DRAWS, 20261123)
    answer, exact = em.irf(name, theta, on_failure="nan"), world.irf(theta)["irf"]
    kept = (answer["determinate"] & ~answer["flagged"]).values
    assert kept.mean() > 0.7  # the regions held out of training are flagged
    slack = 1e-6 * abs(exact).max()  # where a response is exact in single precision
    inside = (exact >= answer["lower"] - slack) & (exact <= answer["upper"] + slack)
    assert float(inside[kept].mean()) > 0.84
    error = abs(answer["irf"] - exact)[kept].mean() / abs(exact)[kept].mean()
    assert error < 0.05


@pytest.mark.parametrize("name", QUICK)
def test_at_the_defaults_which_users_ask_first_the_network_is_right(em, name):
    """Also at the published mode of `sw07`, with many parameters in the tails of their priors: its
    draws come from wider shapes.
    """
    answer, exact = em.irf(name), emulator.world(name).irf()["irf"]
    assert answer["in_range"].all()
    error = float(np.linalg.norm(answer["irf"] - exact) / np.linalg.norm(exact))
    assert not answer["flagged"][0]
    assert error < (0.03 if name == "sw07" else 0.06)


def test_a_shock_smaller_than_any_of_training_is_in_proportion_and_no_reason_for_doubt(em):
    usual, small = (em.irf("sw07", sigma_w=size) for size in (0.2, 0.02))
    assert not small["in_range"][0]
    assert not small["flagged"][0]
    np.testing.assert_allclose(
        small["irf"].sel(shock="wage_markup"),
        0.1 * usual["irf"].sel(shock="wage_markup"),
        rtol=1e-4,
    )


def test_answers_have_names_units_and_what_to_think_of_them(em):
    answer = em.irf("nk", kappa=0.1, phi_pi=2.0)
    assert answer["irf"].dims == ("draw", "shock", "horizon", "observable")
    assert answer["irf"].shape == (1, 3, 41, 3)
    assert "output: percent" in answer["irf"].attrs["units"]
    assert answer["in_range"].all()
    assert answer["determinate"].all()
    assert not answer["flagged"].any()
    assert not answer["exact"].any()
    assert float(answer["probability_determinate"][0]) > 0.9
    assert ((answer["lower"] <= answer["irf"]) & (answer["irf"] <= answer["upper"])).all()


def test_what_a_call_asks_for_is_what_the_whole_answer_holds(em):
    whole = em.irf("sw07", size=2)
    part = em.irf("sw07", shocks=["wage_markup", "monetary"], size="2 sd", horizon=7)
    np.testing.assert_allclose(
        part["irf"],
        whole["irf"].sel(shock=["wage_markup", "monetary"], horizon=slice(0, 7)),
        rtol=1e-5,
        atol=1e-6,
    )
    np.testing.assert_allclose(
        part["upper"],
        whole["upper"].sel(shock=["wage_markup", "monetary"], horizon=slice(0, 7)),
        rtol=1e-5,
        atol=1e-6,
    )
    np.testing.assert_allclose(2 * em.irf("sw07")["irf"], whole["irf"], rtol=1e-6)


def test_beyond_the_horizon_of_training_there_is_an_answer_and_no_band(em):
    answer = em.irf("nk", horizon=60)
    exact = emulator.world("nk").irf(horizon=60)["irf"]
    assert abs(answer["irf"] - exact).max() < 0.01 * abs(exact).max()
    assert np.isnan(answer["lower"].sel(horizon=slice(41, None))).all()
    assert np.isfinite(answer["lower"].sel(horizon=slice(0, 40))).all()


def test_parameters_out_of_range_are_named(em):
    low = em.trust.normaliser.statistics("nk").theta_low[em.spec("nk").index("kappa")]
    answer = em.irf("nk", kappa=[0.1, float(low) / 2], on_failure="nan")
    assert answer["in_range"].values.tolist() == [True, False]
    assert answer.responses.frame()["flagged"].groupby("draw").all().tolist() == [False, True]
    assert answer["flagged"].values.tolist() == [False, True]
    outside = ~answer["parameter_in_range"].isel(draw=1)
    assert answer["parameter"].values[outside.values].tolist() == ["kappa"]


def test_the_end_of_a_prior_is_within_the_range_and_what_lies_beyond_is_not(em):
    low, high = em.trained_range("switching")
    column = em.spec("switching").index("active_at_impact")
    assert (
        high[column] < em.spec("switching").parameters[column].default == 1.0
    )  # as near as draws came
    assert em.irf("switching")["in_range"].all()
    assert not em.irf("switching")["flagged"].any()
    assert em.irf("hank")["in_range"].all()  # whose rho_i is zero by default
    beyond = em.irf("switching", sigma=4.05)
    assert not beyond["in_range"].any()
    assert beyond["flagged"].all()
    np.testing.assert_array_equal(beyond["trained_to"], high)
    sigma = em.spec("switching").index("sigma")
    trained = f"(trained on {low[sigma]:.4g} to {high[sigma]:.4g})"
    assert beyond_training(beyond) == f"sigma = 4.05 {trained}"


def test_where_the_network_sees_no_solution_it_refuses(em):
    with pytest.raises(NoSolutionError, match="the network's own judgement"):
        em.irf("nk", phi_pi=0.7)
    answer = em.irf("nk", phi_pi=[1.5, 0.7], on_failure="nan")
    assert np.isnan(answer["irf"].values[1]).all()
    assert np.isnan(answer["upper"].values[1]).all()
    assert np.isfinite(answer["irf"].values[0]).all()


def test_the_fallback_solves_what_is_doubted_and_says_which(em):
    world = emulator.world("nk")
    theta = world.solver.propose(500, np.random.default_rng(3))
    theta[0, world.spec.index("kappa")] = 2 * world.spec.high[world.spec.index("kappa")]
    alone = em.irf("nk", theta, on_failure="nan")
    answer, exact = (
        em.irf("nk", theta, fallback="exact", on_failure="nan"),
        world.irf(theta, on_failure="nan"),
    )
    doubted = (alone["flagged"] | ~alone["determinate"]).values
    assert doubted[0]
    assert 0 < doubted.mean() < 0.5
    np.testing.assert_array_equal(answer["exact"], doubted)
    for name in ("irf", "lower", "upper"):
        np.testing.assert_array_equal(answer[name].values[doubted], exact["irf"].values[doubted])
    np.testing.assert_array_equal(
        answer["determinate"].values[doubted], exact["determinate"].values[doubted]
    )
    np.testing.assert_array_equal(answer["irf"].values[~doubted], alone["irf"].values[~doubted])
    with pytest.raises(NoSolutionError, match="indeterminate"):
        em.irf("nk", phi_pi=0.7, fallback="exact")


def test_a_figure_says_that_the_network_doubts_its_answer(em):
    titles = [em.irf("nk", kappa=kappa).responses.plot().get_suptitle() for kappa in (0.1, 0.6)]
    assert ["flagged: doubt it" in title for title in titles] == [False, True]
    several = (
        em.irf("nk", kappa=[0.1, 0.6, 0.1], phi_pi=[1.5, 1.5, 0.5], on_failure="nan")
        .responses.plot()
        .get_suptitle()
    )
    assert " ".join(several.split()).endswith("1 without a solution, 1 flagged: doubt it")


def test_a_title_that_is_longer_than_its_figure_is_wide_is_folded(em):
    figure = em.irf("nk", shock="monetary", observables="output").responses.plot(title="long " * 40)
    lines = figure.get_suptitle().splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) < 12 * figure.get_figwidth()


def test_where_the_network_sees_no_solution_there_are_no_derivatives(em):
    slopes = np.isnan(em.jacobian("nk", phi_pi=[1.5, 0.5], shocks="monetary", horizon=3).values)
    assert slopes.all(axis=(1, 2, 3, 4)).tolist() == [False, True]
    assert not slopes[0].any()


def test_derivatives_say_how_far_to_trust_them_as_responses_do(em):
    asked = {
        "phi_pi": [1.5, 0.5, 1.5],
        "kappa": [0.1, 0.1, 0.6],
        "shocks": "monetary",
        "horizon": 3,
    }
    slopes, answer = em.jacobian("nk", **asked), em.irf("nk", **asked, on_failure="nan")
    for sign in ("flagged", "determinate", "in_range"):
        np.testing.assert_array_equal(slopes[sign], answer[sign])
    assert slopes["determinate"].values.tolist() == [True, False, True]
    assert slopes["flagged"].values.tolist()[2]


def test_draws_of_a_table_keep_its_index(em):
    table = pd.DataFrame({"kappa": [0.05, 0.1]}, index=["flat", "steep"])
    for answer in (
        em.irf("nk", table),
        em.jacobian("nk", table, horizon=2),
        emulator.world("nk").irf(table),
        emulator.world("nk").jacobian(table, horizon=2),
    ):
        assert answer["draw"].values.tolist() == ["flat", "steep"]
    steep = em.irf("nk", table).sel(draw="steep")
    np.testing.assert_allclose(steep["irf"], em.irf("nk", kappa=0.1)["irf"][0], atol=1e-5)
    assert em.irf("nk", table.set_axis(["same", "same"]))["draw"].values.tolist() == [0, 1]


@pytest.mark.parametrize("name", QUICK)
def test_derivatives_agree_with_those_of_the_solver(em, name):
    """Each parameter's derivatives are weighed by its range, so that all count alike."""
    world = emulator.world(name)
    theta = world.sample(8, 5)
    width = world.spec.high - world.spec.low
    names = em.spec(name).observable_names
    own, exact = (
        slopes.values * width
        for slopes in (em.jacobian(name, theta), world.jacobian(theta, observables=names))
    )
    usable = np.isfinite(exact).all(axis=(1, 2, 3, 4))
    error = np.sqrt(
        np.square(own - exact).sum(axis=(1, 2, 3, 4)) / np.square(exact).sum(axis=(1, 2, 3, 4))
    )[usable]
    assert usable.sum() >= 6
    assert np.median(error) < (0.15 if name == "zlb" else 0.05)  # zlb's responses have kinks


def test_derivatives_are_those_of_the_networks_own_answers(em):
    step = 1e-2  # float32: a difference needs a step
    up, down = (
        em.irf("nk", kappa=0.2 + s, size="25bp", shocks="monetary")["irf"] for s in (step, -step)
    )
    slopes = em.jacobian("nk", kappa=0.2, size="25bp", shocks="monetary").sel(parameter="kappa")
    difference = (up - down) / (2 * step)
    np.testing.assert_allclose(slopes, difference, atol=0.01 * float(abs(difference).max()))


def test_sensitivity_agrees_with_the_solver(em):
    """Over ranges that the training draws cover: `rho_i` above 0.856 was held out of them."""
    ranges = {"phi_pi": (1.2, 3.0), "rho_i": (0.0, 0.85)}
    asked = {"n": 1024, "shocks": "monetary", "horizons": (0, 4), "ranges": ranges}
    own, exact = em.sensitivity("nk", **asked), emulator.world("nk").sensitivity(**asked)
    for name in ("first_order", "total_order"):
        difference = abs(
            own[name] - exact[name]
        )  # NaN, of parameters that do not matter, on both sides alike
        np.testing.assert_array_equal(np.isnan(own[name]), np.isnan(exact[name]))
        assert float(difference.max()) < 0.005
    assert own.attrs["without_solution"] < 0.05


def test_indices_of_doubted_draws_come_with_a_warning(em):
    with pytest.warns(DoubtWarning, match="nk: the network doubts its answers at"):
        indices = em.sensitivity(
            "nk", 64, shocks="monetary", horizons=[0], ranges={"phi_pi": (1.5, 15.0)}
        )
    assert indices.attrs["flagged"] > 0.5
    with pytest.raises(NoSolutionError, match=r"for unsolvable\. Narrow them"):
        em.sensitivity(
            "nk",
            64,
            shocks="monetary",
            horizons=[0],
            ranges={"phi_pi": (0.5, 0.9), "phi_y": (0.0, 0.001)},
        )


@pytest.mark.checkout
def test_a_world_of_a_file_is_solved_by_its_file(em):
    spec = get_world(OWN).spec
    own = replace(em["nk"].answerer.trained, trust=em.trust)
    answerer = copy.copy(em["nk"].answerer)
    answerer.trained, answerer.spec = own, spec
    for fallback in (str(OWN), OWN, emulator.world(OWN), get_world(OWN)):
        assert solver_of(answerer, fallback).spec.is_same_model(spec)
    with pytest.raises(ParameterError, match=rf"fallback='path/to/{spec.name}\.mod'"):
        solver_of(answerer, "exact")
    with pytest.raises(ParameterError, match="not that of the world"):
        em.irf("nk", fallback=OWN)


def test_a_size_by_impact_needs_no_impact_among_the_horizons(em):
    asked = {
        "n": 64,
        "shocks": "monetary",
        "size": "25bp on rate",
        "ranges": {"phi_pi": (1.2, 3.0), "rho_m": (0.0, 0.5)},
    }
    both, late = (
        em.sensitivity("nk", horizons=(0, 4), **asked),
        em.sensitivity("nk", horizons=(4,), **asked),
    )
    np.testing.assert_allclose(
        late["total_order"], both["total_order"].sel(horizon=[4]), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda em: em.irf("nkk"), UnknownNameError, "Did you mean 'nk'"),
        (lambda em: em.irf("nk", kapa=0.1), UnknownNameError, "Did you mean 'kappa'"),
        (lambda em: em.irf("nk", kappa=float("nan")), ParameterError, "finite"),
        (
            lambda em: em.irf("nk", horizon=-1),
            ParameterError,
            "expected a whole number of quarters",
        ),
        (
            lambda em: em.irf("nk", horizon=2.5),
            ParameterError,
            "expected a whole number of quarters",
        ),
        (lambda em: em.irf("model.mod"), UnknownNameError, "emulator.world('model.mod')"),
        (lambda em: em.irf(["nk"]), UnknownNameError, "Known: hank"),
        (lambda em: em.irf("nk", fallback=True), ParameterError, "expected 'exact'"),
        (lambda em: em.irf("nk", fallback="solver"), ParameterError, "expected 'exact'"),
        (
            lambda em: em.irf("nk", fallback=get_world("rbc")),
            ParameterError,
            "not that of the world 'nk'",
        ),
        (lambda em: em.jacobian("nk", np.ones((1, 3))), ParameterError, "takes theta of shape"),
        (lambda em: em.irf("NK"), UnknownNameError, "Did you mean 'nk'"),
        (lambda em: em.irf("nk", size=True), ParameterError, "size of a shock was given as True"),
        (lambda em: emulator.load("univrsal"), UnknownNameError, "Did you mean 'universal'"),
        (
            lambda em: emulator.load(None),
            CheckpointError,
            "given as None; expected a name (universal, structure_hank, structure_hank2), a file",
        ),
    ],
)
def test_bad_questions_are_refused(em, call, error, message):
    with pytest.raises(error) as raised:
        call(em)
    assert message in str(raised.value)


def test_a_network_that_is_not_calibrated_says_no_more_than_it_knows(plain):
    answer = plain.irf("lss", size=2)
    assert "lower" not in answer
    assert "flagged" not in answer
    with pytest.raises(CheckpointError, match="not calibrated"):
        plain.irf("lss", fallback="exact")
    with pytest.raises(ParameterError, match="horizons 0 to 6"):
        plain.irf("lss", horizon=7)
    assert "not calibrated" in repr(plain)


def test_the_module_inside_has_gradients_after_an_answer():
    """Nothing that an answer leaves in caches may be a tensor that autograd refuses."""
    fresh = emulator.load("universal")
    fresh.irf("rbc")
    theta = torch.tensor(fresh.spec("rbc").theta(), dtype=torch.float32, requires_grad=True)
    fresh.network(theta, "rbc").square().sum().backward()
    assert theta.grad.abs().sum() > 0
    with torch.no_grad():
        fresh.network(theta, "rbc")


def test_threads_and_gradients_are_left_as_they_were(em):
    threads = torch.get_num_threads()
    em.jacobian("nk")
    em.irf("nk")
    assert torch.get_num_threads() == threads
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()
