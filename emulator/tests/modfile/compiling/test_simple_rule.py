"""`osr` in files: the objective and its minimum by other means, batches, what stays in force, and
what is refused with which line.
"""

import numpy as np
import pytest
from scipy import linalg, optimize

import emulator
from emulator.errors import ModFileError
from emulator.modfile import load_text
from emulator.solvers import solve_qz

pytestmark = pytest.mark.fast

FILE = """var y pi r;
varexo e_y e_pi;
parameters delta sigma alpha kappa a b weight;
delta = 0.45; sigma = -0.2; alpha = 0.5; kappa = 0.2; weight = 0.3;
model(linear);
y = delta*y(-1) + (1-delta)*y(+1) + sigma*(r - pi(+1)) + e_y;
pi = alpha*pi(-1) + (1-alpha)*pi(+1) + kappa*y + e_pi;
r = a*y + b*pi;
end;
shocks; var e_y; stderr 0.6; var e_pi; stderr 0.4; end;
a = 0.5; b = 1.5;
optim_weights;
pi 1; y 1; r weight;
y, pi 0.2;
end;
osr_params a b;
osr(irf=5);
"""


def objective_by_hand(model, theta):
    """The loss at one draw: QZ and SciPy's Lyapunov equation."""
    lead, current, lag, shock = (m[0] for m in model.matrices(theta[None]))
    transition, impact, _ = solve_qz(lead, current, lag, shock)
    v = linalg.solve_discrete_lyapunov(transition, impact @ impact.T)
    return v[0, 0] + v[1, 1] + 0.3 * v[2, 2] + 0.2 * v[0, 1]


def test_the_optimum_is_that_of_another_minimiser():
    model = load_text(FILE, "rule.mod")
    rule = model.optimal_rule()
    assert rule.converged.all()
    columns = [model.parameters.index(name) for name in ("a", "b")]

    def by_hand(point):
        theta = rule.theta[0].copy()
        theta[columns] = point
        return objective_by_hand(model, theta)

    assert rule.at_start[0] == pytest.approx(by_hand([0.5, 1.5]), rel=1e-10)
    other = optimize.minimize(by_hand, [0.5, 1.5], method="Nelder-Mead", options={"fatol": 1e-12})
    assert rule.objective[0] == pytest.approx(other.fun, rel=1e-8)
    np.testing.assert_allclose(rule.theta[0, columns], other.x, rtol=1e-3)


def test_every_draw_has_its_own_rule_and_a_given_coefficient_is_held():
    model = load_text(FILE, "rule.mod")
    kappa = np.linspace(0.1, 0.4, 7)
    batch = model.optimal_rule(kappa=kappa)
    alone = model.optimal_rule(kappa=kappa[3])
    np.testing.assert_allclose(batch.theta[3], alone.theta[0], rtol=1e-6)
    held = model.optimal_rule(kappa=kappa, b=2.0)
    assert (held.theta[:, model.parameters.index("b")] == 2.0).all()
    assert (held.objective > batch.objective).all()


def test_bounds_are_kept_and_the_last_blocks_count():
    bounds = "osr_params_bounds;\nb, 0, 1.1;\nend;\noptim_weights; pi 1; y 1; end;\n"
    model = load_text(FILE.replace("osr_params a", bounds + "osr_params a"), "rule.mod")
    rule = model.optimal_rule()
    assert rule.theta[0, model.parameters.index("b")] == 1.1
    assert rule.at_start[0] < load_text(FILE, "rule.mod").optimal_rule().at_start[0]


def test_the_answer_is_that_at_the_optimum(tmp_path):
    path = tmp_path / "rule.mod"
    path.write_text(FILE)
    model = load_text(FILE, "rule.mod")
    rule = model.optimal_rule().theta[0]
    coefficients = {name: rule[model.parameters.index(name)] for name in ("a", "b")}
    answer = emulator.world(path).irf()
    for name, value in coefficients.items():
        assert float(answer["theta"].sel(parameter=name)[0]) == pytest.approx(value)
    held = emulator.world(path).irf(**coefficients)
    np.testing.assert_allclose(answer["irf"], held["irf"], rtol=1e-8, atol=1e-12)


def test_an_optimum_stays_in_force_until_the_file_sets_it_anew():
    text = FILE + "kappa = 0.3;\nstoch_simul(order=1);\na = 0.7;\nstoch_simul(order=1);\n"
    first, after, anew = (load_text(text, "rule.mod", run=k) for k in (1, 2, 3))
    a, b, kappa = (first.parameters.index(name) for name in ("a", "b", "kappa"))
    optimum = first.theta()[0]
    np.testing.assert_allclose(after.theta()[0, [a, b, kappa]], [*optimum[[a, b]], 0.3])
    np.testing.assert_allclose(anew.theta()[0, [a, b, kappa]], [0.7, optimum[b], 0.3])
    assert after.theta(a=0.2)[0, a] == 0.2


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("osr_params a b;\n", "", ":16: 'osr' needs the names of the coefficients"),
        ("osr_params a b", "osr_params a c", ":17: osr_params: 'c' is not a parameter"),
        ("pi 1; y 1; r weight;\ny, pi 0.2;\n", "", ":15: 'osr' needs weights"),
        ("y, pi 0.2", "y, kappa 0.2", ":14: 'kappa' in the block 'optim_weights' is a parameter"),
        ("y, pi 0.2", "y, pi", ":14: "),
        ("osr_params", "osr_params_bounds; a, 1; end; osr_params", ":16: 'name, low, high;'"),
        ("osr_params", "osr_params_bounds; a, 2, 1; end; osr_params", ":16: osr_params_bounds of"),
        ("weight;\ny, pi", "weight; w 1;\ny, pi", ":17: the objective of osr is infinite"),
    ],
)
def test_what_cannot_be_is_said_with_its_line(before, after, message):
    text = FILE.replace("pi r;", "pi r w;").replace("r = a*y", "w = w(-1) + e_y; r = a*y")
    assert before in text
    with pytest.raises(ModFileError) as error:
        load_text(text.replace(before, after, 1), "rule.mod").theta()
    assert message in str(error.value)
