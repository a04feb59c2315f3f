"""The vocabulary: theta is built and refused with messages that help; specs are consistent."""

import hashlib
import json

import numpy as np
import pytest
from pydantic import ValidationError

from emulator.declarations import interval
from emulator.errors import EmulatorError, NoSolutionError, ParameterError, UnknownNameError
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
    with pytest.raises(UnknownNameError, match=r"emulator\.world\(path, run=2\).* --run 2"):
        SPEC.theta(run=2)
    with pytest.raises(UnknownNameError, match="Did you mean 'monetary'"):
        SPEC.shock_index("monetery")
    with pytest.raises(UnknownNameError, match=r"Unknown world: 'nkk'\. Did you mean 'nk'"):
        get_world("nkk")
    for name in (None, 5, ["nk"], "x" * 500):
        with pytest.raises(UnknownNameError, match="Unknown world: "):
            get_world(name)
    known = sorted([*WORLDS, "all", "path/to/model.mod", "path/to/file.py:name"])
    with pytest.raises(UnknownNameError, match=f"Known: {', '.join(known)}"):
        expand_worlds("nk,rbcc")


def test_standard_deviations_cannot_be_negative():
    theta = SPEC.theta(sigma_m=-1)
    assert not SPEC.possible(theta)[0]
    assert SPEC.impossible(theta[0]).startswith("parameter 'sigma_m' ")
    with pytest.raises(
        NoSolutionError, match=r"'sigma_m' .* is -1; expected a value in \[0, inf\)"
    ):
        get_world("nk").irf(theta)


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
    assert spec.observable_names[: len(OBSERVABLES)] == OBSERVABLES
    assert (spec.low < spec.high).all()
    assert spec.index(spec.parameter_names[-1]) == spec.n_parameters - 1
    assert spec.shock_index(spec.shock_names[-1]) == spec.n_shocks - 1


def test_which_parameters_are_a_shocks_own_is_declared():
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


@pytest.mark.parametrize("name", [name for name in WORLDS if name != "hank2"])  # it is younger
def test_a_spec_of_before_reads_as_the_spec_of_today(name):
    """Data sets and checkpoints of before hold no sizes, processes or bounds: what fills them in
    says what the worlds declare, and the text of a spec is what it was.
    """
    spec = get_world(name).spec
    text = spec.model_dump_json()
    plain = json.loads(text)
    assert not any({"size", "process"} & set(shock) for shock in plain["shocks"])
    assert not any("bounds" in parameter for parameter in plain["parameters"])
    old = type(spec).model_validate_json(text)
    assert old == spec
    assert old.sha256 == spec.sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_a_declaration_that_departs_from_the_default_survives_json():
    fields = SPEC.model_dump(mode="json")
    fields["parameters"][0]["bounds"] = "(0.1, 9]"
    fields["shocks"][0] |= {"size": "sigma_m", "process": []}
    fields["shocks"][1] |= {"size": "sigma_r", "process": ["rho_r"]}
    spec = type(SPEC)(**fields)
    assert spec.parameters[0].bounds == "(0.1, 9]"
    assert spec.shocks[2].size is None
    assert spec.shock_sizes == ()
    again = type(SPEC).model_validate_json(spec.model_dump_json())
    assert again == spec
    assert again.sha256 != SPEC.sha256
    assert again.is_same_model(SPEC)


def test_a_declared_shock_does_not_depend_on_names():
    """The names of sizes and processes end in nothing that they share."""
    fields = SPEC.model_dump(mode="json")
    for parameter, name in zip(fields["parameters"][6:], "abcdef", strict=True):
        parameter["name"] = name
    fields["extrapolation"] = {"slice_parameters": ["a"], "corner_parameters": ["b"]}
    declared = (("d", ["a"]), ("f", ["b"]), ("e", []))
    for shock, (size, process) in zip(fields["shocks"], declared, strict=True):
        shock |= {"size": size, "process": process}
    spec = type(SPEC)(**fields)
    assert spec.shock_sizes == (9, 11, 10)
    assert spec.shock_parameters == ((6,), (7,), ())
    assert spec.standard_deviations == (9, 10, 11)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"size": "rho_m"}, "has another role; expected 'shock_size'"),
        ({"size": "sigma_r"}, "'sigma_r' belongs to 'demand' and to another shock"),
        ({"process": ["rho_u"]}, "'rho_u' belongs to 'cost_push' and to another shock"),
        ({"size": "sigma_x"}, "Did you mean"),
    ],
)
def test_shocks_that_contradict_the_parameters_are_refused(declared, message):
    fields = SPEC.model_dump(mode="json")
    own = ({"size": f"sigma_{k}", "process": [f"rho_{k}"]} for k in "mru")
    fields["shocks"] = [{**s, **o} for s, o in zip(fields["shocks"], own, strict=True)]
    fields["shocks"][0] |= declared
    with pytest.raises((ValidationError, UnknownNameError), match=message):
        type(SPEC)(**fields)


def test_bounds_are_intervals():
    ends = interval("[0, 1)")
    assert ends.holds(np.array([-1e-9, 0.0, 0.5, 1.0])).tolist() == [False, True, True, False]
    assert interval("(-inf, inf)").holds(1e300)
    assert not interval("(0, inf)").holds(0.0)
    for text in ("positive", "0, 1", "[1, 0]", "[0; 1]", "(inf, -inf)", "[nan, 1]", "[2, 2]", ""):
        with pytest.raises(ValueError, match="bounds"):
            interval(text)


@pytest.mark.parametrize("bounds", ["[0, 0.4]", "(0.2, inf)", "odd"])
def test_bounds_that_the_range_leaves_are_refused(bounds):
    parameter = SPEC.parameters[2].model_dump() | {"bounds": bounds}
    with pytest.raises(ValidationError, match="bounds"):
        Parameter(**parameter)


def test_a_draw_outside_what_a_parameter_can_be_is_named():
    theta = np.repeat(SPEC.theta(), 4, axis=0)
    theta[1, SPEC.index("kappa")] = -1.0
    theta[2, SPEC.index("sigma_m")] = -0.1
    theta[3, SPEC.index("phi_pi")] = -5.0  # a mistaken policy is a policy
    assert SPEC.possible(theta).tolist() == [True, False, False, True]
    assert SPEC.impossible(theta[0]) == ""
    assert SPEC.impossible(theta[1]) == (
        "parameter 'kappa' (slope of the Phillips curve) is -1; expected a value in [0, inf)"
    )
    assert SPEC.possible(theta[:0]).shape == (0,)


@pytest.mark.parametrize("name", WORLDS)
def test_every_draw_of_the_prior_is_possible(name):
    world = get_world(name)
    assert world.spec.possible(world.propose(500, np.random.default_rng(0))).all()


def test_a_world_may_observe_what_it_likes():
    fields = SPEC.model_dump(mode="json")
    fields["observables"] = [
        {"name": "hours", "tex": "n", "unit": "percent", "meaning": "hours worked"}
    ]
    spec = type(SPEC)(**fields)
    assert spec.observable_names == ("hours",)
    assert spec.n_observables == 1
    with pytest.raises(ValidationError, match="at least one observable"):
        type(SPEC)(**{**fields, "observables": []})
    with pytest.raises(ValidationError, match="an observable is named twice"):
        type(SPEC)(**{**fields, "observables": fields["observables"] * 2})


def test_ranges_without_end_survive_json():
    fields = SPEC.model_dump(mode="json")
    fields["parameters"][3] |= {"low": -np.inf, "high": np.inf}
    spec = type(SPEC)(**fields)
    assert type(SPEC).model_validate_json(spec.model_dump_json()) == spec


def test_shocks_add_up_unless_a_bound_or_regimes_stand_between():
    added = {name for name in WORLDS if get_world(name).spec.shocks_add_up}
    assert added == set(WORLDS) - {"zlb", "switching"}


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


def test_a_monthly_world_says_so_and_a_quarterly_one_keeps_its_sha256():
    monthly = SPEC.model_copy(update={"frequency": "month"})
    assert monthly.periods == "months"
    assert monthly.periods_a_year == 12
    assert json.loads(monthly.model_dump_json())["frequency"] == "month"
    assert "frequency" not in json.loads(SPEC.model_dump_json())
    assert type(SPEC).model_validate_json(monthly.model_dump_json()) == monthly


def moving(spec, parameter=None, shock=None):
    """A copy of a spec with what one parameter or one shock declares that it moves."""
    fields = spec.model_dump()
    for item in fields["parameters"]:
        if parameter and item["name"] == parameter[0]:
            item["moves_only"] = parameter[1]
    for item in fields["shocks"]:
        if shock and item["name"] == shock[0]:
            item["moves_only"] = shock[1]
    return type(spec).model_validate(fields)


def test_what_nobody_declares_is_not_written_and_all_may_move():
    assert SPEC.moved.all()
    assert not SPEC.silent.any()
    assert "moves_only" not in SPEC.model_dump_json()


def test_declared_moves_are_written_read_and_laid_out():
    spec = moving(SPEC, ("phi_pi", {"shocks": ("demand",), "observables": ("rate",)}))
    again = type(spec).model_validate_json(spec.model_dump_json())
    assert again == spec
    assert again.sha256 != SPEC.sha256
    assert again.is_same_model(SPEC)
    assert np.argwhere(again.moved[again.index("phi_pi")]).tolist() == [[1, 2]]
    assert again.moved[np.arange(12) != again.index("phi_pi")].all()


def test_a_shock_that_moves_only_some_observables_leaves_the_others_at_zero():
    spec = moving(SPEC, shock=("monetary", ("inflation", "rate")))
    assert np.argwhere(spec.silent).tolist() == [[0, 0]]
    assert not spec.moved[:, 0, 0].any()
    assert spec.moved[:, 1:].all()


def test_declared_moves_follow_the_observables_that_are_left():
    spec = moving(
        SPEC, ("phi_pi", {"observables": ("output", "rate")}), ("monetary", ("output",))
    ).observing(["rate", "inflation"])
    again = type(spec).model_validate_json(spec.model_dump_json())
    assert again.moved[again.index("phi_pi"), 1].tolist() == [True, False]
    assert again.silent[0].all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parameter": ("phi_pi", {"shocks": ("demnad",)})}, "Did you mean 'demand'"),
        ({"parameter": ("phi_pi", {"observables": ("rates",)})}, "Did you mean 'rate'"),
        ({"shock": ("monetary", ("ouptut",))}, "Did you mean 'output'"),
        ({"parameter": ("phi_pi", {"horizons": (1,)})}, "horizons"),
    ],
)
def test_moves_name_what_is_there(changes, message):
    with pytest.raises((ValidationError, EmulatorError), match=message):
        moving(SPEC, **changes)
