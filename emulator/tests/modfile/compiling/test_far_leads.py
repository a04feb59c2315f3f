"""Terms two or more periods ahead at higher order, against expectations in closed form."""

import numpy as np
import pytest

from emulator.errors import ModFileError
from emulator.modfile import load
from emulator.modfile.compiling.rules import decision_rules

pytestmark = [pytest.mark.fast, pytest.mark.filterwarnings("ignore::UserWarning")]

R, SD = 0.9, 0.1

FILE = """var x y z; varexo e; parameters r; r = 0.9;
model; # b = exp(x); x = r*x(-1) + e; y = TERM; z = y; end;
steady_state_model; x = 0; y = 1; z = 1; end;
shocks; var e; stderr 0.1; end;
stoch_simul(order=ORDER);
"""

TERMS = {
    "exp(x(+2))*exp(x)": (1 + R**2, SD * np.sqrt(1 + R**2)),
    "exp(x)*b(+2)*x(+3)/x(+3)*b(+1)": (1 + R + R**2, SD * np.sqrt((1 + R) ** 2 + 1)),
    "(exp(x(+3)) + b(+3))/2": (R**3, SD * np.sqrt(1 + R**2 + R**4)),
    "3*b(+2)*(b(+1) - 1) + 2 - b - 3*b(+2)*(b(+1) - 1) + b - 1": (0.0, 0.0),
}
"""With y = E exp(a x + b w), w standard normal: a, b."""


def written(path, term, order):
    path.write_text(FILE.replace("TERM", term).replace("ORDER", str(order)))
    return load(path)


@pytest.mark.parametrize("term", list(TERMS))
def test_what_is_expected_of_a_product_is_exact(tmp_path, term):
    """y = exp(a x + b^2 / 2) as a rule of the state before and the shock."""
    model = written(tmp_path / "m.mod", term, 3)
    rules, _ = decision_rules(model, model.theta(), 3)
    y = model.all_variables.index("y")
    slope, spread = TERMS[term]
    v = slope * np.array([R, SD])
    np.testing.assert_allclose(rules.first[0, y], v, atol=1e-13)
    np.testing.assert_allclose(rules.second[0, y], np.multiply.outer(v, v), atol=1e-13)
    np.testing.assert_allclose(rules.risk[0, y], spread**2, atol=1e-13)
    cubes = np.multiply.outer(np.multiply.outer(v, v), v)
    np.testing.assert_allclose(rules.third[0, y], cubes, atol=1e-12)
    np.testing.assert_allclose(rules.risk_slope[0, y], spread**2 * v, atol=1e-13)


def test_a_file_of_first_order_keeps_its_variables_and_says_what_to_do(tmp_path):
    term = "exp(x(+2))*exp(x)"
    model = written(tmp_path / "m.mod", term, 1)
    assert not model.equations.auxiliary
    first = model.solve(model.theta())
    assert first.transition[0, 1, 0] == pytest.approx((1 + R**2) * R)
    with pytest.raises(ModFileError, match=r"m\.mod:2: .*with order=2 in its stoch_simul"):
        decision_rules(model, model.theta(), 2)
