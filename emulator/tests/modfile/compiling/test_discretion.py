"""`discretionary_policy` in files: batches, what is refused and with which line."""

import numpy as np
import pytest

import emulator
from emulator.errors import ModFileError, ModFileWarning, NoSolutionError
from emulator.modfile import irf, load, load_text
from emulator.spec import Status

pytestmark = pytest.mark.fast

FILE = """var pi x i u;
varexo e;
parameters beta kappa rho weight;
beta = 0.99; kappa = 0.2; rho = 0.6; weight = 0.5;
model(linear);
pi = beta*pi(+1) + kappa*x + u;
x = x(+1) - (i - pi(+1));
u = rho*u(-1) + e;
end;
planner_objective pi^2 + weight*x^2;
shocks; var e; stderr 0.1; end;
discretionary_policy(instruments=(i), planner_discount=beta, order=1);
"""


@pytest.fixture
def refused(tmp_path):
    def of(text):
        path = tmp_path / "policy.mod"
        path.write_text(text)
        with pytest.raises((ModFileError, NoSolutionError)) as error:
            irf(path)
        return str(error.value)

    return of


def test_many_draws_follow_the_closed_form(tmp_path):
    path = tmp_path / "policy.mod"
    path.write_text(FILE)
    weight = np.linspace(0.1, 2.0, 50)
    answer = emulator.world(path).irf({"weight": weight}, kappa=0.3, variables=["pi", "x"])
    q = 0.1 / (0.3**2 + weight * (1 - 0.99 * 0.6))
    impact = answer["irf"].sel(shock="e", horizon=0)
    np.testing.assert_allclose(impact.sel(observable="pi"), weight * q, rtol=1e-10)
    np.testing.assert_allclose(impact.sel(observable="x"), -0.3 * q, rtol=1e-10)


def test_each_command_has_its_own_discount_factor():
    """As in Dynare: a command without planner_discount does not discount."""
    text = FILE + "kappa = 0.3;\ndiscretionary_policy(instruments=(i));\n"
    first, last = load_text(text, "m.mod", run=1), load_text(text, "m.mod")
    assert (first.run, last.run) == (1, 2)
    factors = [
        model.discretion.factor(dict(zip(model.parameters, model.theta()[0], strict=True)))
        for model in (first, last)
    ]
    assert factors == [0.99, 1.0]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("instruments=(i), ", "", ":12: 0 instrument(s) for 1 missing equation(s)"),
        ("(i)", "(i, x)", ":12: 2 instrument(s) (i, x) for 1 missing equation(s)"),
        ("(i)", "(rate)", ":12: the instrument 'rate' is not a variable"),
        ("u = rho", "i = 1.5*pi; u = rho", ":12: the model has 4 equations for 4 variables"),
        ("planner_objective pi^2 + weight*x^2;", "", ":12: 'discretionary_policy' needs"),
        ("discount=beta", "discount=1.2", ":12: planner_discount is 1.2"),
        ("+ weight*x^2", "+ weight*x^2 + 0.1*x", ":12: under discretion the planner_objective is"),
        ("pi^2 +", "log(pi) +", ":12: the planner_objective has no finite derivatives"),
        ("pi^2 +", "pi(-1)^2 +", "holds 'pi' at another date"),
        ("weight*x^2", "0*x^2 + u^2 - pi^2", ":12: no policy under discretion was found"),
        ("kappa*x + u", "kappa*x + u + 1", ":5: no steady state"),
        (
            "weight = 0.5",
            "weight = -1",
            ":12: the planner_objective has no best policy. As a loss, which is minimised, it",
        ),
    ],
)
def test_what_cannot_be_is_said_with_its_line(refused, before, after, message):
    assert before in FILE
    said = refused(FILE.replace(before, after, 1))
    assert f"policy.mod{message}" in said or message in said


def test_an_instrument_that_moves_nothing_is_named(refused):
    text = FILE.replace("pi^2 + weight*x^2", "u^2")
    assert "Do the instruments (i) move what the objective weighs?" in refused(text)


def test_draws_without_a_minimum_are_told_apart_in_a_batch(tmp_path):
    """By the rate pi^2 + weight x^2 bends as kappa^2 + weight does: up from -kappa^2 on."""
    path = tmp_path / "policy.mod"
    path.write_text(FILE)
    status = emulator.world(path).status({"weight": [0.5, -0.01, -0.05, -1.0]})
    assert status.tolist() == [Status.OK, Status.OK, Status.NOT_CONVERGED, Status.NOT_CONVERGED]


def test_a_welfare_that_is_maximised_is_answered_like_the_loss(tmp_path):
    path = tmp_path / "policy.mod"
    answers = []
    for objective in ("pi^2 + weight*x^2", "-pi^2 - weight*x^2"):
        path.write_text(FILE.replace("pi^2 + weight*x^2", objective))
        answers.append(irf(path).values)
    np.testing.assert_allclose(answers[0], answers[1], rtol=1e-12)


@pytest.mark.parametrize(
    "terms", ["- 0.4*x*u", "- u^2", "- 0.01*i^2", "- 0.1*x^2 + 0.2*i*pi", "+ 2*u*pi - 3*u^2"]
)
def test_a_welfare_is_answered_like_its_mirror_loss_whatever_is_not_controlled(tmp_path, terms):
    """Neither is definite over all variables; what counts is what the policymaker controls."""
    path = tmp_path / "policy.mod"
    answers = []
    for objective in (f"pi^2 + weight*x^2 {terms}", f"-(pi^2 + weight*x^2 {terms})"):
        path.write_text(FILE.replace("pi^2 + weight*x^2", objective))
        answers.append(irf(path).values)
    np.testing.assert_array_equal(answers[0], answers[1])


def test_a_welfare_that_is_not_concave_in_a_shock_is_that_of_dynare(tmp_path):
    """Inflation in Dynare 5.3, the same for the welfare and for the loss."""
    text = FILE.replace("kappa = 0.2; rho = 0.6; weight = 0.5", "kappa=0.1; rho=0.5; weight=0.25")
    path = tmp_path / "policy.mod"
    path.write_text(
        text.replace("pi^2 + weight*x^2", "-pi^2 - weight*x^2 + 0.4*x*u").replace(
            "0.1; end", "1; end"
        )
    )
    impact = irf(path, 2).sel(variable="pi").values.ravel()
    np.testing.assert_allclose(impact, [1.9817, 0.9908, 0.4954], atol=5e-5)


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        (
            "pi^2 - weight*x^2",
            "falls without bound by the instruments (i) in both directions. It is",
        ),
        (
            "x^2 - 2*pi^2",
            "largest weight is -2, of the square of 'pi', and a loss's is positive; as",
        ),
        ("2*pi^2 - x^2", "largest weight is 2, of the square of 'pi', and a welfare's is negative"),
        ("pi^2 + weight*x^2 - 0.6*i^2", "As a loss, which is minimised, it falls without bound"),
    ],
)
def test_an_objective_without_a_best_policy_is_refused_in_both_readings(
    refused, objective, message
):
    said = refused(FILE.replace("pi^2 + weight*x^2", objective))
    assert message in said
    assert "as a welfare, which is maximised" in said or "It is no welfare either" in said
    assert "Do the instruments" not in said


LAGGED = (
    FILE.replace("pi = beta*pi(+1) +", "pi = 0.6*beta*pi(+1) + 0.4*pi(-1) +")
    .replace("x = x(+1) - (", "x = 0.5*x(+1) + 0.5*x(-1) - 0.7*(")
    .replace("0.2; rho = 0.6", "0.1; rho = 0.5")
    .replace("x i u;", "x i u di;")
    .replace("model(linear);", "model(linear); di = i - i(-1);")
)


@pytest.mark.parametrize(
    ("objective", "rounds"), [("pi^2 - 0.005*x^2", "in 3 round"), ("di^2", "in 3000 round")]
)
def test_an_iteration_that_does_not_settle_says_after_how_many_rounds(refused, objective, rounds):
    said = refused(LAGGED.replace("pi^2 + weight*x^2", objective))
    assert "did not settle in" in said
    assert rounds in said
    assert "Do the instruments" not in said


def test_an_objective_that_is_not_quadratic_says_so(tmp_path):
    with pytest.warns(ModFileWarning, match="not quadratic"):
        note = load_text(FILE.replace("pi^2", "pi^4"), "m.mod").notes[-1]
    assert note.startswith("m.mod:12: the planner_objective is not quadratic.")
    assert note.endswith("around zero, where 'pi' has no weight.")
    with pytest.warns(ModFileWarning, match="to second order around zero.$"):
        load_text(FILE.replace("pi^2", "pi^2*exp(x)"), "m.mod")
    assert load_text(FILE.replace("weight = 0.5", "weight = 0"), "m.mod").notes == ()


def test_case_of_a_second_round_of_options(tmp_path):
    """A stoch_simul after discretionary_policy is answered under discretion, as in Dynare."""
    path = tmp_path / "policy.mod"
    path.write_text(FILE + "stoch_simul(order=1);\n")
    assert load(path).run == 2
    assert float(irf(path, 0).sel(variable="pi")[0, 0]) == pytest.approx(0.2057613169)


def test_a_world_with_a_mapping_is_solved_under_discretion(tmp_path):
    path = tmp_path / "policy.mod"
    path.write_text(FILE)
    path.with_suffix(".world.yaml").write_text(
        "observables: {output: x, inflation: 4*pi, rate: 4*i}\n"
        "parameters:\n  kappa: {low: 0.05, high: 0.5}\n  weight: {low: 0.1, high: 2}\n"
    )
    world = emulator.world(path)
    draws = world.sample(20)
    impact = world.irf(draws)["irf"].sel(shock="e", horizon=0)
    q = 0.1 / (draws["kappa"] ** 2 + draws["weight"] * (1 - 0.99 * 0.6))
    np.testing.assert_allclose(impact.sel(observable="inflation"), 4 * draws["weight"] * q)
