"""A model of sequence-jacobian is a world: its responses are those of the package itself."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from emulator.errors import SimulatorError
from emulator.spec import Status
from emulator.worlds import check_world, get_world, sequence_jacobian

if find_spec("sequence_jacobian") is None:  # importing it takes seconds, which collecting need not
    pytest.skip("sequence-jacobian is not installed", allow_module_level=True)

EXAMPLE = Path(__file__).parents[3] / "examples" / "own_sequence_jacobian.py"
CLOSE = 1e-10
"""Largest difference to the package's own impulse response, relative to its peak."""

RBC = {
    "calibration": {"L": 1.0, "frisch": 1.0},
    "unknowns": ["K", "L"],
    "targets": ["goods_mkt", "euler"],
    "steady_unknowns": {"vphi": 0.92, "beta": 1 / 1.01, "K": 2.0, "Z": 1.0},
    "steady_targets": {"goods_mkt": 0.0, "r": 0.01, "euler": 0.0, "Y": 1.0},
    "solver": "hybr",
    "shocks": {"technology": ("Z", "rho_z", "sigma_z"), "patience": ("beta", 0.5, 1e-4)},
    "parameters": {
        "alpha": (0.1, 0.4),
        "delta": (0.02, 0.03),
        "eis": (0.5, 1.5),
        "rho_z": (0.3, 0.9),
        "sigma_z": (0.005, 0.02),
    },
    "observables": {
        "output": ("Y", "percent"),
        "interest": ("r", "fraction a quarter"),
        "z": ("Z", "level"),
    },
    "name": "real_cycles",
}  # fmt: skip


@pytest.fixture(scope="module")
def real_cycles():
    """The library's example of real business cycles, as `sequence_jacobian.world` takes it."""
    from sequence_jacobian import create_model
    from sequence_jacobian.examples import rbc

    return {"model": create_model([rbc.household, rbc.firm, rbc.mkt_clearing], name="RBC"), **RBC}


def of_the_package(model, steady, unknowns, targets, path):
    """Deviations by variable, as `solve_impulse_linear` has them."""
    return model.solve_impulse_linear(steady, unknowns, targets, path)


def test_a_representative_agent_moves_as_the_package_says(real_cycles):
    world = sequence_jacobian.world(**real_cycles)
    theta = world.sample(3, np.random.default_rng(0))
    irf = world.irf(theta, 60)
    for draw, row in enumerate(theta):
        named = dict(zip(world.spec.parameter_names, row.tolist(), strict=True))
        rho, sigma = named.pop("rho_z"), named.pop("sigma_z")
        steady = real_cycles["model"].solve_steady_state(
            {**RBC["calibration"], **named},
            RBC["steady_unknowns"],
            RBC["steady_targets"],
            solver="hybr",
        )
        for shock, path in enumerate(
            ({"Z": sigma * rho ** np.arange(300)}, {"beta": 1e-4 * 0.5 ** np.arange(300)})
        ):
            own = of_the_package(
                real_cycles["model"], steady, ["K", "L"], ["goods_mkt", "euler"], path
            )
            level = own["Z"] if "Z" in path else np.zeros(300)
            expected = np.stack([100 * own["Y"] / steady["Y"], own["r"], level], axis=1)[:61]
            error = np.abs(irf[draw, shock] - expected).max(axis=0)
            assert (error <= CLOSE * np.abs(expected).max()).all()


def test_heterogeneous_agents_move_as_the_package_says():
    from sequence_jacobian.examples import krusell_smith

    steady_model, _, model, unknowns, targets, _ = krusell_smith.dag()
    calibration = {
        "delta": 0.025, "alpha": 0.11, "rho": 0.966, "Y": 1.0, "L": 1.0, "nS": 2, "nA": 10,
        "amax": 200, "r": 0.01,
    }  # fmt: skip
    bracket = {"beta": (0.98 / 1.01, 0.999 / 1.01)}
    world = sequence_jacobian.world(
        model,
        calibration,
        unknowns,
        targets,
        steady_model=steady_model,
        steady_unknowns=bracket,
        steady_targets={"asset_mkt": 0.0},
        solver="brentq",
        shocks={"technology": ("Z", "rho_z", 0.01)},
        parameters={"eis": (0.9, 1.1), "sigma": (0.4, 0.6), "rho_z": (0.5, 0.9)},
        observables={"consumption": ("C", "percent"), "capital": ("K", "percent")},
        name="krusell_smith",
    )
    theta = world.sample(2, np.random.default_rng(1))
    irf = world.irf(theta, 40)
    for draw, (eis, sigma, rho) in enumerate(theta):
        steady = steady_model.solve_steady_state(
            {**calibration, "eis": eis, "sigma": sigma},
            bracket,
            {"asset_mkt": 0.0},
            solver="brentq",
        )
        path = {"Z": 0.01 * rho ** np.arange(300)}
        own = of_the_package(model, steady, unknowns, targets, path)
        expected = np.stack([100 * own[v] / steady[v] for v in ("C", "K")], axis=1)[:41]
        error = np.abs(irf[draw, 0] - expected).max()
        assert error <= CLOSE * np.abs(expected).max()


def test_what_belongs_to_a_shock_is_declared_and_true(real_cycles):
    world = sequence_jacobian.world(**real_cycles)
    technology, patience = world.spec.shocks
    assert (technology.size, technology.process) == ("sigma_z", ("rho_z",))
    assert patience.size is None
    assert world.dear == ("alpha", "delta", "eis")
    assert check_world(world, n=6)
    assert world.simulate(world.spec.theta(), np.ones((1, 100, 2))).shape == (1, 100, 3)


@pytest.mark.checkout
def test_the_example_is_a_world_and_draws_that_do_not_fade_have_no_solution():
    world = get_world(EXAMPLE)
    assert world.spec.observable_names == ("output", "consumption", "hours", "real_rate")
    theta = np.concatenate([world.spec.theta(), world.spec.theta(rho_z=1.0)])
    assert list(world.status(theta)) == [Status.OK, Status.NOT_CONVERGED]
    assert world.explain(theta[1:]) == "the shock to Z does not fade"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shocks": {"technology": ("X", 0.5)}}, "no variable 'X'"),
        ({"shocks": {"technology": 3}}, r"expected \(input, persistence, size\)"),
        ({"unknowns": ["K", "LL"]}, "no variable 'LL'. Did you mean 'L'"),
        ({"observables": {"output": ("YY", "percent")}}, "no variable 'YY'. Did you mean 'Y'"),
        ({"observables": {"output": "Y"}}, r"expected \(variable, unit\)"),
        ({"parameters": {**RBC["parameters"], "alfa": (0, 1)}}, "'alfa' is neither .* 'alpha'"),
        ({"shocks": {"technology": ("Z", "rho_zz", 1.0)}}, "rho_zz"),
    ],
)
def test_names_that_the_model_does_not_have_are_refused(real_cycles, changes, message):
    with pytest.raises(SimulatorError, match=message):
        sequence_jacobian.world(**{**real_cycles, **changes})
