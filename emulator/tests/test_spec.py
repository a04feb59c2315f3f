"""The vocabulary: theta is built and refused with messages that help; specs are consistent."""

import numpy as np
import pytest
from pydantic import ValidationError

from emulator.errors import EmulatorError, ParameterError, UnknownNameError
from emulator.spec import OBSERVABLES, Extrapolation, Parameter, Status
from emulator.worlds import WORLDS, expand_worlds, get_world
from emulator.worlds.nk import SPEC

pytestmark = pytest.mark.fast


def test_theta_is_the_defaults_with_named_values_replaced():
    theta = SPEC.theta({"kappa": 0.2}, phi_pi=2)
    assert theta.shape == (1, 12)
    assert theta.dtype == np.float64
    assert theta[0, SPEC.index("kappa")] == 0.2
    assert theta[0, SPEC.index("phi_pi")] == 2.0
    assert theta[0, SPEC.index("sigma")] == SPEC.parameters[0].default


def test_unknown_names_come_with_the_nearest_known_one():
    with pytest.raises(
        UnknownNameError,
        match=r"Unknown parameter of world 'nk': 'phi_pie'\. Did you mean 'phi_pi'",
    ):
        SPEC.theta(phi_pie=1.5)
    with pytest.raises(UnknownNameError, match="Did you mean 'monetary'"):
        SPEC.shock_index("monetery")
    with pytest.raises(UnknownNameError, match=r"Unknown world: 'nkk'\. Did you mean 'nk'"):
        get_world("nkk")
    for name in (None, 5, ["nk"], "x" * 500):
        with pytest.raises(UnknownNameError, match="Unknown world: "):
            get_world(name)
    with pytest.raises(
        UnknownNameError, match=f"Known: {', '.join(sorted([*WORLDS, 'all', 'path/to/model.mod']))}"
    ):
        expand_worlds("nk,rbcc")


def test_standard_deviations_cannot_be_negative():
    with pytest.raises(
        ParameterError, match=r"'sigma_m' of world 'nk'\) is -1.0; expected a standard deviation"
    ):
        SPEC.theta(sigma_m=-1)


@pytest.mark.parametrize("value", ["high", None, [1, 2]])
def test_values_that_are_no_numbers_are_refused(value):
    with pytest.raises(ParameterError, match="Parameter 'kappa' was given as"):
        SPEC.theta({"kappa": value})


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused_by_name(value):
    with pytest.raises(ParameterError, match=r"theta\[0, 2\] \(parameter 'kappa' of world 'nk'\)"):
        SPEC.theta(kappa=value)


@pytest.mark.parametrize("shape", [(12,), (3, 11), (2, 3, 12), (0,)])
def test_theta_of_another_shape_is_refused(shape):
    with pytest.raises(ParameterError, match=r"takes theta of shape \(n, 12\); found"):
        SPEC.check_theta(np.ones(shape))


def test_theta_is_converted_to_float64():
    assert SPEC.check_theta(SPEC.theta().astype(np.float32)).dtype == np.float64
    assert SPEC.check_theta(SPEC.theta().tolist()).shape == (1, 12)


@pytest.mark.parametrize("name", WORLDS)
def test_every_spec_is_consistent(name):
    spec = get_world(name).spec
    assert spec.name == name
    assert spec.observable_names == OBSERVABLES
    assert (spec.low < spec.high).all()
    assert spec.index(spec.parameter_names[-1]) == spec.n_parameters - 1
    assert spec.shock_index(spec.shock_names[-1]) == spec.n_shocks - 1


def test_which_parameters_are_a_shocks_own_follows_from_roles_and_names():
    def named(name):
        spec = get_world(name).spec
        return {
            spec.shock_names[k]: [spec.parameter_names[p] for p in own]
            for k, own in enumerate(spec.shock_parameters)
        }

    assert named("nk") == {"monetary": ["rho_m"], "demand": ["rho_r"], "cost_push": ["rho_u"]}
    assert named("sw07") == {
        "technology": ["rho_a"],
        "risk_premium": ["rho_b"],
        "government": [],
        "investment": ["rho_i"],
        "monetary": ["rho_r"],
        "price_markup": ["rho_p", "mu_p"],
        "wage_markup": ["rho_w", "mu_w"],
    }
    assert not any(
        get_world("zlb").spec.shock_parameters
    )  # not linear: every shock's response depends on all
    assert get_world("var").spec.shock_parameters == ((), (), ())
    assert get_world("zlb").spec.shock_sizes == ()


def test_sizes_and_order_of_the_three_worlds():
    sizes = {
        name: (get_world(name).spec.n_parameters, get_world(name).spec.n_shocks)
        for name in ("nk", "var", "lss")
    }
    assert sizes == {"nk": (12, 3), "var": (27, 3), "lss": (36, 2)}
    assert SPEC.parameter_names == (
        "sigma",
        "beta",
        "kappa",
        "phi_pi",
        "phi_y",
        "rho_i",
        "rho_m",
        "rho_r",
        "rho_u",
        "sigma_m",
        "sigma_r",
        "sigma_u",
    )
    assert SPEC.shock_names == ("monetary", "demand", "cost_push")


def test_a_spec_that_contradicts_itself_is_refused():
    with pytest.raises(ValidationError, match="low <= default <= high"):
        Parameter(
            name="p", tex="p", low=0, high=1, default=2, unit="1", meaning="none", role="dynamics"
        )
    fields = SPEC.model_dump()
    with pytest.raises(ValidationError, match="a shock is named twice"):
        type(SPEC)(**{**fields, "shocks": [fields["shocks"][0]] * 2})
    with pytest.raises(UnknownNameError, match="phi_x"):
        type(SPEC)(
            **{
                **fields,
                "extrapolation": Extrapolation(slice_parameters=("phi_x",), corner_parameters=()),
            }
        )
    with pytest.raises(ValidationError, match="Extra inputs"):
        type(SPEC)(**{**fields, "colour": "red"})


def test_a_spec_survives_json():
    assert type(SPEC).model_validate_json(SPEC.model_dump_json()) == SPEC


def test_lists_of_worlds():
    assert expand_worlds("all") == list(WORLDS)
    assert expand_worlds(" var , nk,var") == ["var", "nk"]
    with pytest.raises(UnknownNameError):
        expand_worlds("")


def test_status_has_labels_and_errors_one_root():
    assert Status.INDETERMINATE.label == "indeterminate"
    assert issubclass(UnknownNameError, EmulatorError)
    assert issubclass(ParameterError, EmulatorError)


def test_all_stands_for_every_world_beside_others():
    assert expand_worlds("all") == list(WORLDS)
    assert expand_worlds("mine.mod, all ,nk") == ["mine.mod", *WORLDS]
