"""Parameters that no length of data tells apart are named."""

import numpy as np
import pytest

import emulator
from emulator.estimation.full_information.density import DataDensity
from emulator.estimation.full_information.identification import _jacobian, identification
from emulator.estimation.full_information.mode import find_mode
from emulator.estimation.prior import JointPrior
from emulator.inference.likelihood import Likelihood
from emulator.tests.estimation.full_information.regression import AR, write_ar

PRODUCT = (
    AR.replace("parameters rho;", "parameters rho a b idle;")
    .replace("rho = 0.6;", "rho = 0.6; a = 0.8; b = 0.7; idle = 1;")
    .replace("+ e; z = y;", "+ a*b*e; z = y + 0*idle;")
    .replace(
        "stderr e, inv_gamma_pdf, 1, inf;",
        "a, normal_pdf, 0.8, 0.1; b, normal_pdf, 0.7, 0.1; idle, normal_pdf, 1, 0.1;",
    )
)


def problem(folder, text, seen="y"):
    model, data = write_ar(folder, text)
    likelihood = Likelihood.of(
        emulator.world(model).answerer, emulator.read_data(data), observe={"y": seen}
    )
    spec = likelihood.answerer.spec
    held = {p.name: p.default for p in spec.parameters if p.name not in likelihood.priors}
    return DataDensity(likelihood, JointPrior.of(spec, held, None, likelihood.priors))


@pytest.mark.fast
def test_a_product_of_parameters_and_an_idle_one_are_named(tmp_path):
    density = problem(tmp_path, PRODUCT)
    answer = identification(density, find_mode(density, 1, np.random.default_rng(0)))
    assert answer.rank_of_moments == answer.rank_of_spectrum == 2
    assert set(answer.groups) == {("idle",), ("a", "b")}
    assert list(answer.identified) == [True, False, False, False]
    assert any("a, b cannot be told apart" in text for text in answer.complaints)
    assert any("idle moves nothing" in text for text in answer.complaints)
    table = answer.table()
    assert table.loc["a", "confused_with"] == "b"


@pytest.mark.fast
@pytest.mark.parametrize("seen", ["y", "y - y(-1)"])
def test_an_autoregression_is_identified(tmp_path, seen):
    """Also by its difference, whose spectrum is zero at frequency zero."""
    density = problem(tmp_path, AR, seen)
    answer = identification(density, find_mode(density, 1, np.random.default_rng(0)))
    assert answer.rank_of_moments == answer.rank_of_spectrum == 2
    assert answer.groups == ()
    assert answer.complaints == []


@pytest.mark.fast
def test_a_neighbour_without_a_solution_leaves_a_one_sided_difference():
    """As where the mode is at the border of determinacy."""
    steps = np.array([0.1, 0.2])
    nothing = np.full(2, np.nan)
    rows = np.array([[1.0, 2.0], [1.3, 2.0], nothing, nothing, [1.0, 1.0]])
    np.testing.assert_allclose(
        _jacobian(rows, steps, np.array([1.0, 2.0])), [[3.0, 0.0], [0.0, 10.0]]
    )
    rows[1] = np.nan
    assert np.isnan(_jacobian(rows, steps, np.ones(2))[:, 0]).all()
