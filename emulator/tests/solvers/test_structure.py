"""Which variables are exogenous, led and lagged is read off the zero pattern."""

import numpy as np
import pytest

from emulator.errors import SolverError
from emulator.solvers import Structure
from emulator.tests.solvers.random_models import random_models
from emulator.worlds.nk import STRUCTURE

pytestmark = pytest.mark.fast


def test_nk_has_three_shock_processes_two_led_and_one_lagged_variable():
    assert STRUCTURE.exogenous == (3, 4, 5)
    assert STRUCTURE.endogenous == (0, 1, 2)
    assert STRUCTURE.lead == (0, 1)
    assert STRUCTURE.lag == (2,)


def test_counts_of_a_shuffled_model():
    lead, current, lag, _ = random_models(
        5, np.random.default_rng(0), led_only=2, lagged_only=1, mixed=1, static=2, exogenous=2
    )
    structure = Structure.of(lead, current, lag)
    assert len(structure.exogenous) == 2
    assert len(structure.endogenous) == 6
    assert len(structure.lead) == 3
    assert len(structure.lag) == 2
    assert len(set(structure.lead) & set(structure.lag)) == 1


def test_a_variable_whose_lag_an_endogenous_equation_holds_is_not_exogenous():
    lead, current, lag = np.zeros((1, 2, 2)), np.eye(2)[None].copy(), np.zeros((1, 2, 2))
    lag[0, 1, 1] = -0.5
    assert Structure.of(lead, current, lag).exogenous == (0, 1)
    lead[0, 0, 0], lag[0, 0, 1] = -0.5, -0.3
    assert Structure.of(lead, current, lag).exogenous == ()


@pytest.mark.parametrize(
    "shapes", [((1, 2, 2), (1, 2, 2), (1, 3, 3)), ((1, 2, 3),) * 3, ((2, 2),) * 3]
)
def test_matrices_that_do_not_fit_are_refused(shapes):
    with pytest.raises(SolverError, match="Expected"):
        Structure.of(*(np.ones(shape) for shape in shapes))
