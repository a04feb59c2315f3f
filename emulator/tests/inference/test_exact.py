"""Exact answers in the form of all answers: names, units, refusals, derivatives, sensitivity,
files.
"""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import emulator
from emulator.errors import EmulatorError, NoSolutionError, ParameterError
from emulator.worlds import get_world

pytestmark = pytest.mark.fast


@pytest.mark.parametrize("name", ["nk", "var", "lss", "rbc", "switching", "zlb"])
def test_the_answer_holds_the_solvers_numbers(name):
    world = emulator.world(name)
    theta = world.sample(5, 1)
    answer = world.irf(theta, horizon=12)
    assert answer["irf"].dims == ("draw", "shock", "horizon", "observable")
    np.testing.assert_array_equal(answer["irf"].values, get_world(name).irf(theta, horizon=12))
    np.testing.assert_array_equal(answer["theta"].values, theta)
    assert tuple(answer["shock"].values) == world.spec.shock_names
    assert tuple(answer["unit"].values) == world.spec.observable_units
    assert answer["exact"].all()
    assert answer["determinate"].all()


def test_draws_without_a_solution_are_named_or_nan():
    nk = emulator.world("nk")
    with pytest.raises(
        NoSolutionError,
        match=r"1 of 2 draws: 1 indeterminate \(many stable solutions\). Draw 1: .*phi_pi=0.8",
    ):
        nk.irf(phi_pi=[1.5, 0.8])
    answer = nk.irf(phi_pi=[1.5, 0.8], on_failure="nan")
    assert answer["determinate"].values.tolist() == [True, False]
    assert np.isnan(answer["irf"].values[1]).all()
    with pytest.raises(ParameterError, match="expected 'raise' or 'nan'"):
        nk.irf(phi_pi=0.8, on_failure="zero")
    assert nk.jacobian(phi_pi=[1.5, 0.8])["determinate"].values.tolist() == [True, False]


def test_numbers_that_overflow_are_not_called_a_fault_of_the_model():
    with pytest.raises(
        NoSolutionError,
        match=r"1 of 1 draws: 1 overflow \(there is a solution, but .* too large to hold\)",
    ):
        emulator.world("nk").irf(size=1e308, sigma_m=1e9)


@pytest.mark.parametrize("n", [-1, 2.5, True, "3", None])
def test_a_number_of_draws_is_a_whole_number(n):
    with pytest.raises(ParameterError, match="expected a whole number, 0 or more"):
        emulator.world("nk").sample(n)


def test_derivatives_of_a_shocks_size_are_the_response_over_the_size():
    nk = emulator.world("nk")
    derivative, irf = nk.jacobian(), nk.irf()["irf"]
    for shock, size in (("monetary", "sigma_m"), ("demand", "sigma_r"), ("cost_push", "sigma_u")):
        value = nk.spec.theta()[0, nk.spec.index(size)]
        np.testing.assert_allclose(
            derivative.sel(shock=shock, parameter=size), irf.sel(shock=shock) / value, atol=1e-9
        )
        others = derivative.sel(
            parameter=size, shock=[s for s in nk.spec.shock_names if s != shock]
        )
        np.testing.assert_allclose(others, 0.0, atol=1e-9)


def test_derivatives_by_smaller_steps_are_the_same():
    nk = emulator.world("nk")
    step = 1e-6
    fine = (nk.irf(kappa=0.1 + step)["irf"] - nk.irf(kappa=0.1 - step)["irf"]) / (2 * step)
    slopes = nk.jacobian(kappa=0.1).sel(parameter="kappa")
    np.testing.assert_allclose(slopes, fine, atol=1e-6 * float(abs(fine).max()))


def test_at_the_end_of_what_can_be_solved_derivatives_are_one_sided():
    nk = emulator.world("nk")
    slopes = nk.jacobian(sigma_m=0.0, shocks="monetary", horizon=8)
    np.testing.assert_allclose(
        slopes.sel(parameter="sigma_m"),
        nk.irf(sigma_m=1.0, shocks="monetary", horizon=8)["irf"],
        atol=1e-9,
    )
    assert np.isfinite(slopes.values).all()


def test_sobols_indices_of_a_response_that_is_a_product_are_known():
    """The impact of the first shock of lss on a chosen observable is linear in few parameters; that
    of nk's size is a factor.
    """
    nk = emulator.world("nk")
    others = {p.name: p.default for p in nk.spec.parameters if p.name not in ("sigma_m", "kappa")}
    indices = nk.sensitivity(
        1024,
        shocks="monetary",
        horizons=(0, 4),
        sigma_r=0.5,
        **{k: v for k, v in others.items() if k != "sigma_r"},
    )
    assert set(indices["parameter"].values) == {"sigma_m", "kappa"}
    # y = s g(kappa), s and kappa independent: S_s = m_g^2 v_s / V, S_g = m_s^2 v_g / V, V = v_s v_g
    # + m_g^2 v_s + m_s^2 v_g
    spec = nk.spec
    low, high = (end[spec.index("kappa")] for end in (spec.low, spec.high))
    values = np.linspace(low, high, 4001)
    g = nk.irf(kappa=values, shocks="monetary", horizon=0, sigma_m=1.0)["irf"].values[:, 0, 0, 0]
    s_low, s_high = (end[spec.index("sigma_m")] for end in (spec.low, spec.high))
    m_s, v_s, m_g, v_g = (s_low + s_high) / 2, (s_high - s_low) ** 2 / 12, g.mean(), g.var()
    total = v_s * v_g + m_g**2 * v_s + m_s**2 * v_g
    here = indices.sel(shock="monetary", horizon=0, observable="output")
    for name, first, interaction in (
        ("sigma_m", m_g**2 * v_s, v_s * v_g),
        ("kappa", m_s**2 * v_g, v_s * v_g),
    ):
        at = here.sel(parameter=name)
        assert (
            abs(float(at["first_order"]) - first / total)
            < 4 * float(at["first_order_error"]) + 0.005
        )
        assert (
            abs(float(at["total_order"]) - (first + interaction) / total)
            < 4 * float(at["total_order_error"]) + 0.005
        )


def test_sensitivity_refuses_what_has_no_answer():
    nk = emulator.world("nk")
    with pytest.raises(ParameterError, match="power of two"):
        nk.sensitivity(1000)
    with pytest.raises(NoSolutionError, match="Narrow the ranges"):
        nk.sensitivity(64, ranges={"phi_pi": (0.5, 0.9)})
    with pytest.raises(ParameterError, match="the smaller first"):
        nk.sensitivity(64, ranges={"phi_pi": (3.0, 1.2)})
    for given in (1.5, (1.2, 2.0, 3.0), ("low", "high"), (1.2, float("inf"))):
        with pytest.raises(ParameterError, match="expected two numbers"):
            nk.sensitivity(64, ranges={"phi_pi": given})
    for n in ("64", 64.0):
        with pytest.raises(ParameterError, match="power of two"):
            nk.sensitivity(n)
    with pytest.raises(ParameterError, match="whole number of quarters"):
        nk.sensitivity(64, horizons=[0.5])
    with pytest.raises(ParameterError, match="held at a value and given a range"):
        nk.sensitivity(64, ranges={"phi_pi": (1.2, 3.0)}, phi_pi=1.5)
    with pytest.raises(ParameterError, match="horizons of 0 or more"):
        nk.sensitivity(64, horizons=())


def test_horizons_of_sensitivity_may_be_an_array_or_one():
    nk, ranges = emulator.world("nk"), {"phi_pi": (1.2, 3.0)}
    held = {p.name: p.default for p in nk.spec.parameters if p.name not in ("kappa", "phi_pi")}
    both = nk.sensitivity(16, horizons=np.arange(2), ranges=ranges, **held)
    assert both["horizon"].values.tolist() == [0, 1]
    xr.testing.assert_allclose(
        nk.sensitivity(16, horizons=1, ranges=ranges, **held)["total_order"],
        both["total_order"].sel(horizon=[1]),
    )


def test_responses_that_never_move_have_no_indices():
    var = emulator.world("var")
    held = {p.name: p.default for p in var.spec.parameters[1:]}
    indices = var.sensitivity(16, shocks="rate_innovation", horizons=(0,), **held)
    assert np.isnan(indices["total_order"].sel(observable="output")).all()


def test_files_hold_the_answer(tmp_path):
    answer = emulator.world("nk").irf(phi_pi=[1.5, 0.8], on_failure="nan", horizon=3)
    for name in ("x.csv", "x.nc", "x.json"):
        answer.responses.write(tmp_path / name)
    xr.testing.assert_identical(
        xr.load_dataset(tmp_path / "x.nc").drop_attrs(), answer.drop_attrs()
    )
    table = pd.read_csv(tmp_path / "x.csv", index_col=["draw", "shock", "horizon"])
    np.testing.assert_array_equal(
        table["rate"], answer["irf"].sel(observable="rate").values.ravel()
    )
    np.testing.assert_array_equal(table["determinate"].groupby("draw").all(), [True, False])
    plain = json.loads(
        (tmp_path / "x.json").read_text(),
        parse_constant=lambda text: pytest.fail(f"{text} is no JSON"),
    )
    assert plain["data_vars"]["irf"]["data"][1][0][0] == [None, None, None]
    with pytest.raises(ParameterError, match=r"must end in \.csv, \.nc, \.json"):
        answer.responses.write(tmp_path / "x.xlsx")


def test_one_draw_or_one_shock_of_an_answer_can_be_drawn_and_written(tmp_path):
    answer = emulator.world("nk").irf(kappa=[0.05, 0.1], size={"demand": "25bp"}, horizon=3)
    whole = answer.responses.frame()
    for part, expected in (
        (answer.isel(draw=1), whole.loc[[1]]),
        (answer.sel(shock="demand"), whole.loc[:, ["demand"], :]),
        (answer.isel(draw=1).sel(shock="demand"), whole.loc[[1], ["demand"], :]),
    ):
        pd.testing.assert_frame_equal(part.responses.frame(), expected)
        part.responses.write(tmp_path / "part.csv")
        np.testing.assert_array_equal(pd.read_csv(tmp_path / "part.csv")["rate"], expected["rate"])
        assert len(part.responses.plot(beside=part).axes) == 3 * len(expected.index.unique("shock"))
    impact = answer.sel(horizon=[0]).responses.plot().axes[0].lines[1]
    assert impact.get_marker() == "o"  # a line of one point is not seen
    assert "demand (0.25 pp)" in answer.sel(shock="demand").responses.plot().axes[0].get_title()


def test_figures_show_lines_bands_and_many_draws(tmp_path):
    nk = emulator.world("nk")
    few, many = nk.irf(kappa=[0.05, 0.1]), nk.irf(nk.sample(50, 0))
    figure = few.responses.plot(tmp_path / "few.png", beside=nk.irf())
    assert len(figure.axes) == 9
    dashed = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    np.testing.assert_array_equal(dashed[0].get_ydata(), nk.irf()["irf"].values[0, 0, :, 0])
    assert len(many.responses.plot(tmp_path / "many.svg").axes[0].collections) == 2
    assert (tmp_path / "few.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ParameterError, match="must end in"):
        few.responses.plot(tmp_path / "few.gif")
    few.responses.plot(tmp_path / "not" / "yet" / "there.pdf")
    assert (tmp_path / "not" / "yet" / "there.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(EmulatorError, match="cannot be written: File exists"):
        few.responses.plot(tmp_path / "few.png" / "below.png")
    with pytest.raises(ParameterError, match="different shocks"):
        few.responses.plot(beside=nk.irf(shocks="demand"))
