"""Moments of higher order beside unit roots: the variables that none moves have theirs, others are
known.
"""

import numpy as np
import pytest

from emulator.modfile import load_text
from emulator.modfile.compiling.rules import decision_rules
from emulator.solvers.perturbation import pruned_moments

pytestmark = [pytest.mark.fast, pytest.mark.filterwarnings("ignore::UserWarning")]

STATIONARY = """
var a y q LEVELS; varexo e u; parameters r; r = 0.8;
model;
a = r*a(-1) + e + 0.3*a(-1)*u;
y = exp(a) + 0.1*y(-1)^2;
q = y(+1)*exp(u);
MORE
end;
initval; a = 0; y = 1; q = 1; INITIAL end;
shocks; var e; stderr 0.1; var u; stderr 0.05; var e, u = 0.001; end;
stoch_simul(order=ORDER);
"""
MORE = """
level = level(-1) + y - steady_state(y);
d = level - level(-2);
w = exp(level - level(-1))*y(-1);
v = 0.5*v(-1) + 0.2*level(-1)*(level - level(-1));
f = v + a;
"""


def of_file(order, levels, more, initial):
    text = STATIONARY.replace("LEVELS", levels).replace("MORE", more).replace("ORDER", str(order))
    model = load_text(text.replace("INITIAL", initial), "m.mod")
    rules, _ = decision_rules(model, model.theta(), order)
    moments = pruned_moments(rules.of(slice(0, len(model.variables))), 2)
    return model.variables, moments.mean[0], moments.covariances[0], moments.stationary[0]


@pytest.mark.parametrize("order", [2, 3])
def test_the_variables_that_no_unit_root_moves_have_their_moments(order):
    alone, mean, covariances, everything = of_file(order, "", "", "")
    assert everything.all()
    names, mean_of, covariances_of, stationary = of_file(order, "level d w v f", MORE, "w = 1; ")
    named = dict(zip(names, stationary, strict=True))
    assert [name for name in names if not named[name]] == ["level", "v", "f"]
    same = [names.index(name) for name in alone]
    np.testing.assert_allclose(mean_of[same], mean, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        covariances_of[:, same][:, :, same], covariances, rtol=1e-8, atol=1e-12
    )
    # d = y + y(-1) less its steady state: two periods of what the level adds up
    y, d = alone.index("y"), names.index("d")
    wanted = 2 * covariances[0, y, y] + 2 * covariances[1, y, y]
    np.testing.assert_allclose(covariances_of[0, d, d], wanted, rtol=1e-8)
