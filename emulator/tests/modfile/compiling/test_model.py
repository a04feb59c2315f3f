"""A compiled model: parameters follow the file's own formulas, a batch equals its draws, matrices
are the file's derivatives.
"""

import numpy as np
import pytest

from emulator.errors import ParameterError, UnknownNameError
from emulator.modfile import irf, load
from emulator.modfile.compiling.evaluate import evaluate
from emulator.spec import Status

pytestmark = [pytest.mark.fast, pytest.mark.filterwarnings("ignore::UserWarning")]

GROWTH = """
var c k z pi y;
varexo e u;
parameters alpha beta delta rho half twice;
alpha = 0.3; beta = 0.98; delta = 0.1; rho = 0.9;
half = alpha/2; twice = 4*half;
model;
1/c = beta/c(+1)*(alpha*exp(z(+1))*k^(alpha-1) + 1 - delta);
c + k = y + (1-delta)*k(-1);
y = exp(z)*k(-1)^alpha;
z = rho*z(-1) + e + 0.5*u*c;
pi = twice*log(y(+1)/y(-2)) + 0.3*pi(-1);
end;
initval; k = 3; c = 1; z = 0; y = 1; end;
shocks; var e; stderr half; var u = 0.0004; var e, u = 0.0001; end;
stoch_simul(order = 1);
"""


@pytest.fixture
def model(tmp_path):
    return load(write(tmp_path, GROWTH))


def write(folder, text, name="model.mod"):
    path = folder / name
    path.write_text(text)
    return path


def draws(model, n=40):
    rng = np.random.default_rng(1)
    return model.theta(
        alpha=rng.uniform(0.25, 0.4, n),
        delta=rng.uniform(0.02, 0.1, n),
        rho=rng.uniform(0.5, 0.95, n),
    )


def test_what_is_computed_from_a_given_parameter_follows_it(model):
    theta = dict(zip(model.parameters, model.theta(alpha=[0.3, 0.4]).T, strict=True))
    np.testing.assert_allclose(theta["twice"], [0.6, 0.8])
    np.testing.assert_allclose(theta["stderr_e"], [0.15, 0.2])
    np.testing.assert_allclose(theta["corr_e_u"], 0.0001 / (0.02 * theta["stderr_e"]))


def test_a_given_parameter_goes_before_its_formula(model):
    theta = dict(zip(model.parameters, model.theta(half=0.5)[0], strict=True))
    assert (theta["alpha"], theta["half"], theta["twice"]) == (0.3, 0.5, 2.0)


def test_a_batch_equals_its_draws(model):
    theta = draws(model)
    batch = model.solve(theta)
    assert (batch.status == Status.OK).all()
    for k in (0, 7, 39):
        single = model.solve(theta[k : k + 1])
        np.testing.assert_allclose(single.transition[0], batch.transition[k], atol=1e-12)
        np.testing.assert_allclose(single.impact[0], batch.impact[k], atol=1e-12)
        np.testing.assert_allclose(
            model.steady_state(theta[k : k + 1])[0], model.steady_state(theta)[k], rtol=1e-10
        )


def test_the_steady_state_is_the_closed_form_one(model):
    theta = draws(model)
    alpha, beta, delta = (
        theta[:, model.parameters.index(name)] for name in ("alpha", "beta", "delta")
    )
    k = ((1 / beta - 1 + delta) / alpha) ** (1 / (alpha - 1))
    expected = np.stack([k**alpha - delta * k, k, 0 * k, 0 * k, k**alpha], axis=1)
    np.testing.assert_allclose(model.steady_state(theta), expected, atol=1e-10)
    assert np.abs(model.steady.residual(model.steady_state(theta), theta)).max() < 1e-12


def test_matrices_are_differences_of_the_files_own_equations(model):
    """Central differences of the equations as they are parsed; the compiled derivatives have no
    part in it.
    """
    theta = model.theta()
    steady = dict(zip(model.variables, model.steady_state(theta)[0], strict=True)) | {
        "e": 0.0,
        "u": 0.0,
    }
    declared = dict(zip(model.parameters, theta[0], strict=True))
    lead, current, lag, shock = (matrix[0] for matrix in model.matrices(theta))
    shock = shock @ np.linalg.inv(model.cholesky(theta)[0])
    for row, equation in enumerate(model.file.model.equations):
        for name in ("c", "k", "z", "y"):
            for shift, matrix in ((1, lead), (0, current), (-1, lag)):
                slope = _slope(equation, name, shift, steady, declared)
                np.testing.assert_allclose(
                    matrix[row, model.variables.index(name)],
                    slope,
                    atol=1e-7,
                    err_msg=f"{name}({shift}) in {row}",
                )
        for column, name in enumerate(model.shocks):
            np.testing.assert_allclose(
                shock[row, column], _slope(equation, name, 0, steady, declared), atol=1e-7
            )
    auxiliary = model.all_variables.index("y(-1)")
    np.testing.assert_allclose(
        lag[4, auxiliary],
        _slope(model.file.model.equations[4], "y", -2, steady, declared),
        atol=1e-7,
    )


def _slope(equation, name, shift, steady, declared, step=1e-5):
    def residual(move):
        def at(symbol):
            return (
                steady[symbol.name] + move * (symbol.name == name and symbol.shift == shift)
                if symbol.name in steady
                else declared[symbol.name]
            )

        return _value(equation.left, at, equation.place) - _value(
            equation.right, at, equation.place
        )

    return (residual(step) - residual(-step)) / (2 * step)


def _value(expression, at, place):
    """An expression whose symbols have a value at each date: each becomes a name of its own."""
    from emulator.modfile.reading.syntax import Call, Operation, Symbol, symbols

    def renamed(part):
        if isinstance(part, Symbol):
            return Symbol(f"{part.name}@{part.shift}")
        if isinstance(part, Operation):
            return Operation(part.operator, tuple(map(renamed, part.operands)))
        return (
            Call(part.function, tuple(map(renamed, part.arguments)))
            if isinstance(part, Call)
            else part
        )

    values = {f"{symbol.name}@{symbol.shift}": at(symbol) for symbol in symbols(expression)}
    return evaluate(renamed(expression), values, place)


def test_theta_is_refused_when_malformed(model):
    with pytest.raises(UnknownNameError, match="alphaa"):
        model.theta(alphaa=0.3)
    with pytest.raises(ParameterError, match="finite"):
        model.theta(alpha=np.nan)
    with pytest.raises(ParameterError, match="differ in length"):
        model.theta(alpha=[0.3, 0.4], beta=[0.9, 0.91, 0.92])
    for bad in (model.theta()[0], model.theta()[:, 1:]):
        with pytest.raises(ParameterError, match="shape"):
            model.solve(bad)


def test_a_draw_without_a_steady_state_leaves_the_others_alone(model):
    theta = model.theta(delta=[0.1, -0.5, 0.05])
    status = model.solve(theta).status
    assert status[0] == status[2] == Status.OK
    assert status[1] != Status.OK
    assert np.isnan(model.steady_state(theta)[1]).all()


LINEAR = (
    "var x y; varexo e u; parameters s; s = 0.3; model(linear); x = 0.5*x(-1) + e; y = 0.3*x + u;"
    " end;\n"
)


@pytest.mark.parametrize(
    ("shocks", "covariance"),
    [
        (
            (
                "shocks; var e; stderr 1; var u; stderr 1; var e, u = 0.5; end; shocks; var u;"
                " stderr 3; end;"
            ),
            [[1, 0.5], [0.5, 9]],
        ),
        (
            (
                "shocks; var e; stderr 1; var u; stderr 2; corr e, u = 0.5; end; shocks; var u;"
                " stderr 3; end;"
            ),
            [[1, 1.0], [1.0, 9]],
        ),
        ("shocks; var e; stderr -1; var u; stderr s; end; s = 9;", [[1, 0], [0, 0.09]]),
        (
            (
                "shocks; var e; stderr 1; var u; stderr 2; var e, u = 0.5; end; shocks(overwrite);"
                " var e = 4; var u = 1; end;"
            ),
            [[4, 0], [0, 1]],
        ),
        (
            "stderr_e = 5;\nshocks; var u, e = 0.1; var e; stderr 0.5; var u = s; end;",
            [[0.25, 0.1], [0.1, 0.3]],
        ),
    ],
)
def test_the_covariance_of_the_shocks_is_the_one_that_dynare_holds(tmp_path, shocks, covariance):
    """A covariance stays when a variance changes later; a standard deviation counts by its
    square.
    """
    model = load(write(tmp_path, LINEAR + shocks))
    factor = model.cholesky(model.theta())[0]
    np.testing.assert_allclose(factor @ factor.T, covariance, atol=1e-12)


def test_roots_up_to_qz_criterium_count_as_stable(tmp_path):
    text = (
        "var x y; varexo e; parameters r; r = 1.002; model(linear); x = r*x(-1) + e; y = 0.5*y(+1)"
        " + x; end; shocks; var e; stderr 1; end;\n"
    )
    answer = irf(write(tmp_path, text + "stoch_simul(qz_criterium = 1.01);"), horizon=5)
    np.testing.assert_allclose(
        answer.sel(shock="e", variable="x"), 1.002 ** np.arange(6), rtol=1e-10
    )
    np.testing.assert_allclose(
        answer.sel(shock="e", variable="y"), 1.002 ** np.arange(6) / (1 - 0.5 * 1.002), rtol=1e-10
    )


@pytest.mark.parametrize("order", [2, 3])
def test_higher_derivatives_are_differences_of_the_files_own_equations(model, order):
    """Mixed central differences of the equations as they are parsed."""
    theta = model.theta()
    steady = dict(zip(model.variables, model.steady_state(theta)[0], strict=True))
    steady |= {"e": 0.0, "u": 0.0}
    declared = dict(zip(model.parameters, theta[0], strict=True))
    derivatives = model.higher_derivatives(order)
    inputs = model.equations.inputs(
        model.steady_state(theta), np.zeros((1, 2)), theta[:, : len(model.file.parameters)]
    )
    values = dict(zip(derivatives.entries, derivatives(inputs, 1)[0], strict=True))
    assert values
    for entry, value in values.items():
        slope = _mixed(model.file.model.equations[entry.row], entry.by, steady, declared)
        assert value == pytest.approx(slope, rel=2e-4, abs=2e-4), entry


def _mixed(equation, by, steady, declared, step=2e-3):
    """A mixed derivative of an equation by central differences in each (name, shift)."""

    def residual(moves):
        def at(symbol):
            moved = sum(move for place, move in moves if place == (symbol.name, symbol.shift))
            known = symbol.name in steady
            return steady[symbol.name] + moved if known else declared[symbol.name]

        return _value(equation.left, at, equation.place) - _value(
            equation.right, at, equation.place
        )

    total = 0.0
    for signs in np.ndindex(*(2,) * len(by)):
        directions = 1 - 2 * np.array(signs)
        total += np.prod(directions) * residual(list(zip(by, step * directions, strict=True)))
    return total / (2 * step) ** len(by)
