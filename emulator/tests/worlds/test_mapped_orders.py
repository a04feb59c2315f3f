"""Files with a mapping at second and third order: observables are what they would be as variables
of the file.
"""

import warnings

import numpy as np
import pytest

import emulator
from emulator.data import generate_dataset
from emulator.errors import ModFileWarning, ParameterError

pytestmark = pytest.mark.fast

MODEL = """var c k a g OBSERVED; varexo e u; parameters beta alpha rho gamma delta;
beta = 0.95; alpha = 0.35; rho = 0.8; gamma = 4; delta = 0.1;
model;
  c^(-gamma) = beta*c(+1)^(-gamma)*(alpha*exp(a(+1))*k^(alpha-1) + 1 - delta);
  c + k + g = exp(a)*k(-1)^alpha + (1-delta)*k(-1);
  a = rho*a(-1) + e;
  g = 0.5*g(-1) + u;
EQUATIONS
end;
steady_state_model;
  a = 0; g = 0; k = ((1/beta - 1 + delta)/alpha)^(1/(alpha-1)); c = k^alpha - delta*k;
STEADY
end;
shocks; var e; stderr 0.05; var u; stderr 0.02; end;
stoch_simul(order=2);
"""
EXPRESSIONS = {"output": "100*log(c + g)", "level": "c*k^2", "rate": "400*log(k/c)"}
MAPPING = """
observables:
  output: 100*log(c + g)
  level: {expression: c*k^2, unit: points}
  rate: 400*log(k/c)
parameters:
  rho: {low: 0.1, high: 0.95}
shocks:
"""
BOTH = "  spending: {variable: u, sign: -1}\n  technology: e\n"


def write(folder, shocks=BOTH, model=MODEL):
    path = folder / "mapped.mod"
    path.write_text(model.replace("OBSERVED", "").replace("EQUATIONS", "").replace("STEADY", ""))
    path.with_name("mapped.world.yaml").write_text(MAPPING + shocks)
    return path


@pytest.fixture(scope="module")
def economies(tmp_path_factory):
    """The file with its mapping, and a file in which the observables are variables."""
    folder = tmp_path_factory.mktemp("mapped")
    lines = "\n".join(f"{name} = {text};" for name, text in EXPRESSIONS.items())
    own = MODEL.replace("OBSERVED", " ".join(EXPRESSIONS)).replace("EQUATIONS", lines)
    path = folder / "own.mod"
    path.write_text(own.replace("STEADY", lines))
    with warnings.catch_warnings():
        warnings.simplefilter("error", ModFileWarning)  # nothing is passed over
        return emulator.world(write(folder)), emulator.world(path)


@pytest.mark.parametrize("order", [2, 3])
def test_responses_and_moments_are_those_of_variables_of_the_file(economies, order):
    mapped, own = economies
    names, draws = list(EXPRESSIONS), {"rho": [0.5, 0.8]}
    ours = mapped.irf(draws, order=order, horizon=6)["irf"].sel(observable=names)
    theirs = own.irf(draws, order=order, horizon=6, shocks=["u", "e"], size={"u": -1, "e": 1})
    theirs = theirs["irf"].sel(observable=names)
    np.testing.assert_allclose(ours.values, theirs.values, rtol=1e-9, atol=1e-10)
    moments = [e.moments(draws, order=order, lags=1).sel(observable=names) for e in economies]
    for name in ("std", "autocorrelation"):
        np.testing.assert_allclose(moments[0][name].values, moments[1][name].values, rtol=1e-8)
    steady = own.decision_rules(draws, order=order)["steady_state"].sel(observable=names)
    apart = (moments[1]["mean"] - steady).values
    np.testing.assert_allclose(moments[0]["mean"].values, apart, rtol=1e-8)


def test_paths_are_those_of_variables_of_the_file(economies):
    mapped, own = economies
    shocks = np.random.default_rng(0).standard_normal((9, 2))
    of_file = np.stack([shocks[:, 1], -shocks[:, 0]], axis=1)  # e and u
    ours = mapped.simulate(shocks=shocks, state={"k": 0.2}).sel(observable=list(EXPRESSIONS))
    theirs = own.simulate(shocks=of_file, state={"k": 0.2}).sel(observable=list(EXPRESSIONS))
    np.testing.assert_allclose(ours.values, theirs.values, rtol=1e-9, atol=1e-10)


def test_the_order_of_the_file_is_answered_and_named(economies):
    answer = economies[0].irf(horizon=1)
    assert answer.attrs["order"] == "2"
    assert answer.attrs["source"] == "second order, pruned"
    assert "answer is that of order 1" not in answer.attrs["notes"]
    first = economies[0].variance_decomposition(horizons=1).attrs["notes"]
    assert "asks for order=2; the answer is that of order 1" in first


def test_a_mapping_that_leaves_out_a_shock_is_answered_at_first_order_and_says_why(tmp_path):
    path = write(tmp_path, "  technology: e\n")
    with pytest.warns(ModFileWarning, match="asks for order=2; the answer is that of order 1"):
        economy = emulator.world(path)
    answer = economy.irf(horizon=1)
    assert "order" not in answer.attrs
    assert "leaves out the shocks u, whose risk" in answer.attrs["notes"]
    with pytest.raises(ParameterError, match="all of whose shocks"):
        economy.irf(order=2)


def test_data_of_a_mapped_file_are_of_first_order_which_is_said(economies, tmp_path):
    path = write(tmp_path)
    with pytest.warns(ModFileWarning, match="asks for order=2; the answer is that of order 1"):
        data = generate_dataset(tmp_path / "data", [path], 20, horizon=2, periods=2)
    group = data.group("mapped")
    theta, irf = np.asarray(group["theta"][:], dtype=float), group["irfs"][:]
    expected = economies[0].irf(theta, order=1, horizon=2)["irf"].values
    np.testing.assert_allclose(irf, expected, rtol=1e-4, atol=1e-6)
