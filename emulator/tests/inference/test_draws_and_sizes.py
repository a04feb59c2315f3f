"""What users may hand over: parameters as names, tables and arrays; sizes of shocks in words."""

import numpy as np
import pandas as pd
import pytest

from emulator.errors import EmulatorError, ParameterError, UnknownNameError
from emulator.inference import Economy
from emulator.inference.draws import chosen_shocks, last_period, theta_of
from emulator.inference.shock_size import Scaling, ShockSize, units_of
from emulator.worlds import get_world

pytestmark = pytest.mark.fast
NK = get_world("nk").spec
ZLB = get_world("zlb").spec


def test_all_forms_of_draws_say_the_same():
    table = pd.DataFrame({"kappa": [0.05, 0.1], "phi_pi": [1.5, 2.0]}, index=[7, 3])
    expected = np.concatenate([NK.theta(kappa=0.05, phi_pi=1.5), NK.theta(kappa=0.1, phi_pi=2.0)])
    for theta in (
        theta_of(NK, table),
        theta_of(NK, {"kappa": [0.05, 0.1], "phi_pi": [1.5, 2.0]}),
        theta_of(NK, None, {"kappa": np.array([0.05, 0.1]), "phi_pi": (1.5, 2.0)}),
        theta_of(NK, expected),
        theta_of(
            NK, np.repeat(NK.theta(), 2, axis=0), {"kappa": [0.05, 0.1], "phi_pi": [1.5, 2.0]}
        ),
        theta_of(NK, {"kappa": [0.05, 0.1], "phi_pi": 9.0}, {"phi_pi": [1.5, 2.0]}),
    ):
        np.testing.assert_array_equal(theta, expected)
    np.testing.assert_array_equal(theta_of(NK, table.iloc[0][["phi_pi", "kappa"]]), expected[:1])
    np.testing.assert_array_equal(theta_of(NK), NK.theta())
    np.testing.assert_array_equal(theta_of(NK, NK.theta()[0]), NK.theta())


def test_the_users_arrays_stay_as_they_were():
    theta = NK.theta()
    theta_of(NK, theta, {"kappa": 0.3})
    np.testing.assert_array_equal(theta, NK.theta())


@pytest.mark.parametrize(
    ("draws", "parameters", "message"),
    [
        ({"kapa": 0.1}, {}, "Did you mean 'kappa'?"),
        (None, {"kapa": 0.1}, "Did you mean 'kappa'?"),
        (pd.DataFrame({"kapa": [0.1]}), {}, "Did you mean 'kappa'?"),
        (pd.DataFrame([[1.0, 2.0]], columns=["kappa", "kappa"]), {}, "names 'kappa' twice"),
        (pd.DataFrame({"kappa": []}), {}, "no rows"),
        (np.empty((0, 12)), {}, "no rows"),
        (pd.DataFrame({"kappa": ["steep"]}), {}, "expected a number, or a column of numbers"),
        (None, {"kappa": "steep"}, "expected a number"),
        (None, {"kappa": np.nan}, "expected finite numbers"),
        (None, {"kappa": [0.1, 0.2], "phi_pi": [1.5, 2.0, 2.5]}, "values for 3 draws"),
        (None, {"kappa": [[0.1]]}, "array of shape (1, 1)"),
        (np.ones((2, 11)), {}, "takes theta of shape (n, 12); found (2, 11)"),
        ("kappa", {}, "no array of numbers"),
        (None, {"kappa": True}, "was given as True; expected a number"),
        (np.ones((1, 12), dtype=bool), {}, "no array of numbers"),
        (NK.theta().astype(complex), {}, "no array of numbers"),
        (
            None,
            {"kappa": np.array(["2020-01-01"], dtype="datetime64[D]")},
            "was given as a ndarray",
        ),
        (pd.DataFrame({"kappa": ["low", "high"]}), {}, "was given as a Series"),
        (
            np.ma.masked_equal(NK.theta(), NK.theta()[0, 0]),
            {},
            "(parameter 'sigma' of world 'nk') is nan",
        ),
    ],
)
def test_bad_draws_are_refused(draws, parameters, message):
    with pytest.raises(EmulatorError) as error:
        theta_of(NK, draws, parameters)
    assert message in str(error.value)


def test_shocks_by_name():
    assert chosen_shocks(NK, None) == [0, 1, 2]
    assert chosen_shocks(NK, "demand") == [1]
    assert chosen_shocks(NK, ["cost_push", "monetary", "cost_push"]) == [2, 0]
    with pytest.raises(UnknownNameError, match="Did you mean 'monetary'"):
        chosen_shocks(NK, "monetry")
    with pytest.raises(ParameterError, match="list of shocks is empty"):
        chosen_shocks(NK, [])
    with pytest.raises(ParameterError, match="The shocks were given as 5"):
        chosen_shocks(NK, 5)


@pytest.mark.parametrize("horizon", [-1, 2.5, "10", None, True, 10**9])
def test_horizons_that_are_no_number_of_periods_are_refused(horizon):
    with pytest.raises(ParameterError, match="expected a whole number of quarters"):
        last_period(horizon, NK.periods)
    assert last_period(np.int64(5)) == 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (2, ShockSize(2.0)),
        (-1.5, ShockSize(-1.5)),
        ("0.5 sd", ShockSize(0.5)),
        ("3", ShockSize(3.0)),
        (np.float64(2), ShockSize(2.0)),
        ("25bp", ShockSize(0.25, "pp")),
        ("-0.25 PP", ShockSize(-0.25, "pp")),
        ("1%", ShockSize(1.0, "%")),
        ("25bp on rate", ShockSize(0.25, "pp", "rate")),
        ("-1% on output", ShockSize(-1.0, "%", "output")),
    ],
)
def test_sizes_are_read(text, expected):
    assert ShockSize.read(text, units_of(NK)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "big",
        "25 basis points",
        "1e999",
        "nan",
        "25bp on",
        "25bp on money",
        "1% on rate",
        "25bp on output",
        "2 on rate",
        "1__0",
        None,
        [1, 2],
        b"25bp",
        10**400,
        1j,
    ],
)
def test_texts_that_are_no_size_are_refused(text):
    with pytest.raises(EmulatorError):
        ShockSize.read(text, units_of(NK))


def test_a_size_in_its_own_unit_is_independent_of_the_standard_deviation():
    nk = Economy.named("nk")
    small, large = (
        nk.irf(shocks="monetary", size="25bp", sigma_m=value)["irf"].values for value in (0.1, 0.4)
    )
    np.testing.assert_allclose(small, large, rtol=1e-12)
    one = nk.irf(shocks="monetary", sigma_m=0.0625)[
        "irf"
    ].values  # 25 basis points a year are 0.0625 percentage points a quarter
    np.testing.assert_allclose(small, one, rtol=1e-12)


def test_a_size_by_its_impact_has_that_impact():
    nk = Economy.named("nk")
    answer = nk.irf({"kappa": [0.05, 0.2]}, shocks="monetary", size="25bp on rate")["irf"]
    np.testing.assert_allclose(answer.sel(horizon=0, observable="rate"), 0.25, rtol=1e-12)
    plain = nk.irf({"kappa": [0.05, 0.2]}, shocks="monetary")["irf"]
    ratio = (answer / plain).values[:, :, :10]  # the same response, longer or shorter
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:, :, :1, :1], ratio.shape), rtol=1e-9)


def test_sizes_by_shock():
    nk = Economy.named("nk")
    answer, plain = nk.irf(size={"demand": -2}), nk.irf()
    np.testing.assert_array_equal(
        answer["irf"].sel(shock="demand"), -2 * plain["irf"].sel(shock="demand")
    )
    np.testing.assert_array_equal(
        answer["irf"].sel(shock="monetary"), plain["irf"].sel(shock="monetary")
    )
    assert list(answer["size"].values) == ["1 sd", "-2 sd", "1 sd"]
    with pytest.raises(UnknownNameError, match="Did you mean 'demand'"):
        nk.irf(size={"demnd": 2})


def test_in_a_world_that_is_not_linear_the_size_goes_into_the_solver():
    zlb = Economy.named("zlb")
    asked = {"shocks": "demand", "sigma_r": 0.5}
    double = zlb.irf(size=2, **asked)["irf"].values
    np.testing.assert_array_equal(double, zlb.irf(shocks="demand", sigma_r=1.0)["irf"].values)
    np.testing.assert_array_equal(
        double, zlb.irf(size="4pp", **asked)["irf"].values
    )  # one quarterly point
    assert (
        abs(double - 2 * zlb.irf(**asked)["irf"].values).max() > 0.01
    )  # the bound binds: twice the shock is not twice the response


@pytest.mark.parametrize(
    ("world", "shock", "size", "message"),
    [
        ("zlb", "monetary", "25bp on rate", "not linear in its shocks"),
        ("nk", "monetary", "1%", "is measured in quarterly percentage points"),
        ("rbc", "technology", "25bp", "is measured in percent"),
        ("var", "rate_innovation", "25bp", "has no unit of its own"),
        ("var", "rate_innovation", "25bp on output", "measured in percent: 1% on output"),
        ("var", "rate_innovation", "1% on output", "hardly moves output on impact"),
    ],
)
def test_sizes_without_a_meaning_are_refused(world, shock, size, message):
    with pytest.raises(ParameterError) as error:
        Economy.named(world).irf(shocks=shock, size=size)
    assert message in str(error.value)


def test_basis_points_may_be_written_in_the_plural():
    nk = Economy.named("nk")
    for size in ("25bp", "25bp on rate"):
        plural = nk.irf(shocks="monetary", size=size.replace("bp", " bps"), horizon=2)
        assert plural["irf"].equals(nk.irf(shocks="monetary", size=size, horizon=2)["irf"])


def test_a_shock_without_variance_has_no_size_in_its_unit():
    with pytest.raises(ParameterError, match="standard deviation of zero"):
        Economy.named("nk").irf(shocks="monetary", size="25bp", sigma_m=0.0)


def test_scaling_leaves_other_shocks_of_a_non_linear_world_alone():
    theta = ZLB.theta()
    asked = Scaling.of(ZLB, [1], 2).theta(theta)
    changed = np.flatnonzero(asked[0] != theta[0])
    assert [ZLB.parameter_names[k] for k in changed] == ["sigma_r"]
