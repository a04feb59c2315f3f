"""The stochastic extended path: expectations at nodes are those of closed forms, order by order;
Dynare's path is in `test_foresight.py`.
"""

import numpy as np
import pytest

import emulator
from emulator.errors import ModFileError
from emulator.modfile import load_text
from emulator.modfile.compiling.stochastic_path import extended_path
from emulator.solvers.tree_paths import tree
from emulator.spec import Status

pytestmark = pytest.mark.fast

RISKY = """var z w y; varexo e; parameters r s; r = 0.6; s = 0.3;
model; z = r*z(-1) + e; w = exp(z(+1)); y = w(+1); end;
steady_state_model; z = 0; w = 1; y = 1; end;
steady;
shocks; var e; stderr s; end;
"""
SOLVE = (
    "options_.ep.stochastic.quadrature.nodes = 9;\nextended_path(periods = 3, solver_periods = 6"
)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_what_is_expected_is_the_mean_of_a_lognormal(order):
    said = f"options_.ep.stochastic.order = {order};\n{SOLVE});" if order == 1 else ""
    model = load_text(RISKY + (said or f"{SOLVE}, order = {order});"), "m.mod")
    rho, sizes = model.theta()[0, 0], np.array([0.3, 0.1])
    theta = model.theta(s=sizes)
    levels, status, _ = extended_path(model).simulate(theta, np.array([[[0.2], [0.0]]] * 2))
    assert (status == Status.OK).all()
    for k, size in enumerate(sizes):
        z, w, y = levels[k].T
        np.testing.assert_allclose(z, [0.2, rho * 0.2])
        np.testing.assert_allclose(w, np.exp(rho * z + (order > 0) * size**2 / 2), rtol=1e-9)
        seen = {0: 0.0, 1: rho**2, 2: 1 + rho**2}[order]
        np.testing.assert_allclose(y, np.exp(rho**2 * z + seen * size**2 / 2), rtol=1e-9)


def test_responses_are_those_to_a_shock_less_the_path_without_it(tmp_path):
    path = tmp_path / "risky.mod"
    path.write_text(f"{RISKY}{SOLVE}, order = 1);")
    economy = emulator.world(path)
    irf = economy.irf(horizon=3)["irf"].sel(observable="w").values.ravel()
    risk = np.exp(0.3**2 / 2)
    np.testing.assert_allclose(irf, risk * (np.exp(0.3 * 0.6 ** np.arange(1, 5)) - 1), rtol=1e-8)
    assert economy.simulate(periods=2, seed=1).sizes["period"] == 2


def test_nodes_of_a_tree_have_weights_that_sum_up():
    shape = tree(np.array([0.25, 0.5, 0.25]), order=2, periods=4)
    assert list(np.bincount(shape.period)) == [1, 3, 9, 9]
    total = np.zeros(len(shape.period))
    np.add.at(total, shape.node, shape.weight)
    np.testing.assert_allclose(total, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("order = 7", "from 0 to 6"),
        ("order = 6", "make a tree of"),
        ("order = 1, hybrid", "hybrid"),
        ("order = 1, lmmcp", "no bounds"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    model = load_text(f"{RISKY}{SOLVE}, {options});", "m.mod")
    with pytest.raises(ModFileError, match=message):
        extended_path(model)
