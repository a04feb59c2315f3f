"""A simulator whose answers or declarations cannot be is refused in words."""

import numpy as np
import pytest

from emulator.errors import SimulatorError
from emulator.tests.worlds.shop import economy, shop

pytestmark = pytest.mark.fast

RNG = np.random.default_rng


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda theta: economy(theta)[:, :, :13], r"horizon 12: declare horizon=12"),
        (lambda theta: economy(theta).swapaxes(1, 2), "move them with np.moveaxis"),
        (lambda theta: economy(theta)[0], r"one draw: declare batched=False"),
        (
            lambda theta: economy(theta)[..., :4],
            r"shape \(\d+, 2, 25, 4\); expected \(\d+, 2, 25, 5\)",
        ),
        (lambda theta: None, r"returned None; expected real numbers"),
        (lambda theta: economy(theta) + 0j, "an array of complex128; expected real numbers"),
        (lambda theta: economy(theta).astype(str), "expected real numbers"),
        (lambda theta: [[1.0], [2.0, 3.0]], "which is no array"),
    ],
)
def test_answers_of_another_form_are_refused_in_words(function, message):
    with pytest.raises(SimulatorError, match=message):
        shop(function).sample(4, RNG(0))


def two(theta, shocks):
    return economy(theta)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parameters": {"rho": 0.5}}, r"'rho' is given as 0\.5; expected \(low, high\)"),
        ({"parameters": {"rho": (0.1, 0.5, 0.9)}}, r"'rho' is given as \(0\.1, 0\.5, 0\.9\)"),
        ({"parameters": {"rho": (0.9, 0.1)}}, "expected the lower end first"),
        ({"parameters": {"rho": ("low", 1)}}, "has the low 'low'; expected a number"),
        ({"parameters": {"rho": {"low": 0}}}, "'rho' has no high"),
        ({"parameters": {"rho": {"lo": 0, "high": 1}}}, "'lo'. Did you mean 'low'"),
        ({"parameters": {"rho": (0, np.inf)}}, "'rho' has no default"),
        (
            {"parameters": {"rho": {"low": 0, "high": np.inf, "default": 1}}},
            "has no end.*`prior`",
        ),
        ({"parameters": {}}, "There are no parameters"),
        ({"parameters": {"my rho": (0, 1)}}, "'my rho'; expected letters"),
        ({"parameters": {"rho": {"low": 0, "high": 1, "role": "habit"}}}, "Parameter 'rho': role"),
        ({"shocks": "demand"}, "shocks are 'demand'; expected a list"),
        ({"shocks": ["demand", "demand"]}, "shocks name 'demand' twice"),
        ({"shocks": {"demand": {"size": "rho_x"}}}, "rho_x"),
        ({"observables": {"sales": 3}}, "'sales' is given as 3; expected its unit"),
        ({"observables": 7}, "observables are 7"),
        ({"frequency": "week"}, "frequency: Input should be 'quarter', 'month' or 'year'"),
        ({"horizon": 0}, "horizon is 0; expected a whole number"),
        ({"horizon": 12.0}, r"horizon is 12\.0"),
        ({"name": "my shop"}, "named 'my shop'; expected letters"),
        ({"function": lambda theta: theta, "name": ""}, "named '<lambda>'"),
        ({"function": 3}, "3 was given as a function"),
        ({"function": two}, r"two\(theta, shocks\) cannot be called with theta"),
        ({"states": ["s"]}, "states and no state_space"),
        ({"state_space": economy}, "a state_space and no states"),
    ],
)
def test_declarations_that_cannot_be_are_refused_in_words(changes, message):
    with pytest.raises(SimulatorError, match=message):
        shop(**changes)
