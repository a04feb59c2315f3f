"""What a user holds: how it shows itself, what it offers, and files without a mapping."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import emulator
from emulator.errors import (
    DoubtWarning,
    ModFileWarning,
    NoSolutionError,
    ParameterError,
    UnknownNameError,
)
from emulator.modfile import load

pytestmark = pytest.mark.fast

OWN = """
var y pi i a; varexo e_m e_a;
parameters beta kappa phi rr rho;
beta = 0.99; kappa = 0.1; phi = 1.5; rho = 0.8; rr = 1/beta - 1;
model(linear);
  y = y(+1) - (i - pi(+1)) + rr*a;
  pi = beta*pi(+1) + kappa*y;
  i = phi*pi + e_m;
  a = rho*a(-1) + e_a;
end;
shocks; var e_m; stderr 0.25; var e_a; stderr 0.5; end;
stoch_simul(order=1);
"""


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own.mod"
    path.write_text(OWN)
    return path


def test_the_package_offers_what_users_need_and_nothing_private():
    assert {"load", "world", "worlds", "compare", "estimate", "train"} <= set(dir(emulator))
    assert not [name for name in dir(emulator) if name.startswith("_") and name != "__version__"]
    for name in dir(emulator):
        getattr(emulator, name)


def test_everything_says_what_it_is():
    em = emulator.load("universal")
    assert "Emulator of nk, var" in repr(em)
    assert repr(em["nk"]).startswith("Economy 'nk' (network universal)")
    assert repr(emulator.world("sw07")).startswith("Economy 'sw07' (exact solution)")
    assert repr(em.trained).startswith("TrainedNetwork of nk, var")
    assert "918,406 weights, calibrated" in repr(em.trained)
    assert "UniversalEmulator of nk" in repr(em.checkpoint)
    assert repr(emulator.world("nk").solver).startswith("World 'nk': Three-equation")
    assert repr(em.spec("nk")).startswith("WorldSpec 'nk': Three-equation")
    assert list(em) == list(em.worlds)
    assert "nk" in em


def test_worlds_are_compared_by_name_or_by_economy():
    named = emulator.compare(["nk", "zlb"], "monetary", horizon=4)
    held = emulator.compare([emulator.world("nk"), emulator.world("zlb")], horizon=4)
    np.testing.assert_array_equal(named, held)
    assert named["world"].values.tolist() == ["nk", "zlb"]


def test_draws_have_names_and_follow_from_a_seed():
    nk = emulator.world("nk")
    draws = nk.sample(5, seed=3)
    assert list(draws.columns) == list(nk.spec.parameter_names)
    pd.testing.assert_frame_equal(draws, nk.sample(5, seed=3))
    pd.testing.assert_frame_equal(draws, emulator.load()["nk"].sample(5, seed=3))
    assert not draws.equals(nk.sample(5, seed=4))
    assert np.isfinite(nk.irf(draws)["irf"]).all()


def test_shock_is_understood_beside_shocks():
    nk = emulator.world("nk")
    one, same = nk.irf(shock="monetary"), nk.irf(shocks="monetary")
    assert one.identical(same)
    with pytest.raises(ParameterError, match="Both shock= and shocks="):
        nk.irf(shock="monetary", shocks="demand")


def test_a_file_without_a_mapping_answers_with_its_own_variables(own):
    economy = emulator.world(own)
    assert economy.spec.observable_names == ("y", "pi", "i", "a")
    data = economy.irf(horizon=20)
    assert data["irf"].shape == (1, 2, 21, 4)
    assert "units of the file" in data["irf"].attrs["units"]
    model = load(own)
    solution = model.solve(model.theta())
    expected = [solution.impact[0]]
    for _ in range(20):
        expected.append(solution.transition[0] @ expected[-1])
    np.testing.assert_allclose(
        data["irf"].values[0], np.moveaxis(np.array(expected)[:, :4], -1, 0), atol=1e-13
    )


def test_a_warning_about_a_file_shows_the_line_that_asked(own):
    own.write_text(OWN + "phi = 2;\nstoch_simul(order=1);\n")
    for ask in (emulator.world, load):
        with pytest.warns(ModFileWarning, match=r"\(on the command line --run\)") as caught:
            ask(own)
        assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize("seed", [-1, "a", 1.5, None])
def test_a_seed_that_is_none_is_refused(seed):
    economy = emulator.world("nk")
    for ask in (economy.sample, economy.sensitivity):
        with pytest.raises(ParameterError, match=r"The seed is .*; expected a whole number"):
            ask(16, seed=seed)
    with pytest.raises(ParameterError, match="The seed is"):
        economy.simulate(periods=3, seed=seed)


def test_sensitivity_of_a_file_asks_for_the_ranges_that_it_does_not_say(own):
    economy = emulator.world(own)
    ranges = {"kappa": (0.05, 0.2), "phi": (1.2, 2.0)}
    with pytest.raises(ParameterError, match=r"'own' says no range of beta, rr, rho, stderr_e_m"):
        economy.sensitivity(64, ranges=ranges)
    held = {"beta": 0.99, "rr": 0.01, "rho": 0.8, "stderr_e_m": 0.25, "stderr_e_a": 0.5}
    shares = economy.sensitivity(64, ranges=ranges, horizons=[0], **held)
    assert list(shares["parameter"].values) == ["kappa", "phi"]


def test_a_refusal_ends_its_reason_with_one_full_stop(own):
    own.write_text(OWN.replace("a = rho*a(-1) + e_a;", "a = 1.2*a(-1) + e_a;"))
    with pytest.raises(NoSolutionError) as error:
        emulator.world(own).irf()
    assert ".." not in str(error.value)


@pytest.mark.parametrize("periods", [0, -1, 2.5, "3"])
def test_paths_have_a_period_or_more(periods):
    with pytest.raises(ParameterError, match="The number of periods is"):
        emulator.world("nk").simulate(periods=periods)


def test_a_mean_over_draws_is_drawn_and_tabulated(tmp_path):
    nk = emulator.load("universal")["nk"]
    with pytest.warns(DoubtWarning):
        mean = nk.irf(kappa=[0.1, 0.6], horizon=3).mean("draw")
    mean.responses.plot(tmp_path / "mean.png")
    table = mean.responses.frame()
    assert len(table) == 3 * 4
    assert table["flagged"].all()
    assert table["determinate"].all()
    assert not table["exact"].any()
    assert repr(mean.responses).startswith("Responses (draw 1, shock 3, horizon 4, observable 3)")


def test_what_the_file_computes_from_a_parameter_follows_it(own):
    economy = emulator.world(own)
    given = economy.irf(beta=[0.99, 0.9], shocks="e_a")
    np.testing.assert_allclose(given["theta"].sel(parameter="rr"), [1 / 0.99 - 1, 1 / 0.9 - 1])
    held = economy.irf(beta=0.9, rr=1 / 0.99 - 1, shocks="e_a")
    assert float(abs(held["irf"][0] - given["irf"][1]).max()) > 1e-3


def test_parameters_shocks_sizes_and_draws_of_a_file(own):
    economy = emulator.world(own)
    plain = economy.irf(shocks="e_m")["irf"]
    np.testing.assert_allclose(economy.irf(shocks="e_m", size=2)["irf"], 2 * plain)
    np.testing.assert_allclose(economy.irf(shocks="e_m", stderr_e_m=0.5)["irf"], 2 * plain)
    by_impact = economy.irf(shocks="e_m", size="-0.01 on y")["irf"].sel(observable="y")
    assert float(by_impact[0, 0, 0]) == pytest.approx(-0.01)
    assert economy.irf({"phi": [1.2, 1.5, 2.0]})["irf"].shape[0] == 3
    assert economy.jacobian(shocks="e_m", horizon=2).sizes["parameter"] == 7
    assert economy.status(phi=[1.5, 0.5]).tolist() == [0, 1]
    assert economy.simulate(periods=30, seed=1).shape == (1, 30, 4)
    with pytest.raises(ParameterError, match="in the units of the file"):
        economy.irf(shocks="e_m", size="25bp on y")
    with pytest.raises(ParameterError, match=r"measured in the units of the file.*'0\.01 on y'"):
        economy.irf(shocks="e_m", size="25bp")
    with pytest.raises(UnknownNameError, match="Did you mean 'kappa'"):
        economy.irf(kapa=0.2)
    with pytest.raises(ParameterError, match="--write-mapping proposes it"):
        economy.sample(3)


def test_a_file_answers_with_any_of_its_variables(own, emulate, tmp_path):
    """In the order asked for, by either name of the argument, for draws, shocks and sizes alike."""
    economy = emulator.world(own)
    asked = {"phi": [1.3, 1.8], "shocks": ["e_a"], "size": 2, "horizon": 7}
    whole = economy.irf(**asked)
    chosen = economy.irf(variables=["a", "y"], **asked)
    assert chosen["irf"].shape == (2, 1, 8, 2)
    assert chosen["observable"].values.tolist() == ["a", "y"]
    assert set(chosen["unit"].values) == {
        "deviation from the steady state, in the units of the file"
    }
    np.testing.assert_array_equal(chosen["irf"], whole["irf"].sel(observable=["a", "y"]))
    np.testing.assert_array_equal(
        economy.jacobian(variables="pi", horizon=2),
        economy.jacobian(horizon=2).sel(observable=["pi"]),
    )
    np.testing.assert_array_equal(
        economy.simulate(variables="i", periods=5),
        economy.simulate(observables="i", periods=5),
    )
    with pytest.raises(UnknownNameError, match=r"'yy'.*Did you mean 'y'"):
        economy.irf(variables=["a", "yy"])
    with pytest.raises(ParameterError, match="Both observables= and variables= were given"):
        economy.irf(variables="a", observables="y")
    table = tmp_path / "x.csv"
    code, _, _ = emulate("irf", own, "--variables", "i,a", "--variables", "pi", "--csv", table)
    assert code == 0
    assert list(pd.read_csv(table).columns[3:6]) == ["i", "a", "pi"]
    code, _, error = emulate("irf", own, "--observables", "ii")
    assert code == 1
    assert "Did you mean 'i'" in error


def test_a_mapping_is_proposed_once_and_never_written_over(own, emulate):
    code, _, _ = emulate("irf", own, "--write-mapping", "--horizon", "2")
    assert code == 0
    mapping = Path(str(own)[: -len(".mod")] + ".world.yaml")
    assert mapping.exists()
    assert "output" in mapping.read_text()
    code, _, error = emulate("irf", own, "--write-mapping")
    assert code != 0
    assert "not written over" in error


def test_the_command_line_lists_what_a_file_without_a_mapping_takes(own, emulate):
    code, out, _ = emulate("worlds", own)
    assert code == 0
    assert "stderr_e_m" in out
    assert "-inf" not in out


def test_a_table_of_a_doubted_answer_says_so_above_its_numbers(emulate):
    asked = ["--set", "kappa=0.6", "--shock", "monetary", "--network"]
    _, out, err = emulate("irf", "nk", *asked)
    assert "flagged: doubt it" in out.splitlines()[0]
    assert "--exact asks the solver" in err


def test_a_notebook_shows_figures():
    figure = emulator.world("nk").irf(shocks="monetary").responses.plot()
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_plots_take_shocks_observables_horizon_axes_and_title():
    from matplotlib.figure import Figure

    data = emulator.world("nk").irf()
    figure = data.responses.plot(
        shocks="monetary", observables=["output", "rate"], horizon=8, title="Mine"
    )
    assert [axis.get_title() for axis in figure.axes] == [
        "monetary (1 sd) → output",
        "monetary (1 sd) → rate",
    ]
    assert figure.axes[0].get_xlim() == (0, 8)
    assert figure.get_suptitle() == "Mine"
    axis = Figure().subplots()
    data.responses.plot(shocks="demand", observables="rate", ax=axis)
    assert len(axis.lines) == 2
    with pytest.raises(ParameterError, match="draws one panel; found 9"):
        data.responses.plot(ax=axis)
    with pytest.raises(UnknownNameError, match="Did you mean 'output'"):
        data.responses.plot(observables="outptu")


def test_a_sweep_is_one_line_a_value_with_a_legend():
    data = emulator.world("nk").irf(kappa=np.linspace(0.05, 0.4, 8), shocks="monetary")
    figure = data.responses.plot()
    assert len(figure.axes[0].lines) == 9  # and the line at zero
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names[0] == "kappa = 0.05"
    assert len(names) == 8


def test_legend_names_are_words_and_the_caption_says_the_parameters():
    em = emulator.load()
    asked = {"kappa": 0.05, "shocks": "monetary"}
    figure = em["nk"].irf(**asked).responses.plot(beside=emulator.world("nk").irf(**asked))
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["network universal", "exact solution"]
    assert "kappa = 0.05; the rest at their defaults" in figure.legends[0].get_title().get_text()
    assert figure.axes[0].get_ylabel() == "percent"


@pytest.mark.parametrize("at", range(3))
def test_one_changed_byte_of_an_exported_netcdf_is_an_error(tmp_path, at):
    import xarray as xr

    path = tmp_path / "answer.nc"
    data = emulator.world("nk").irf(shocks="monetary")
    data.responses.write(path)
    with xr.open_dataset(path, engine="h5netcdf") as again:
        np.testing.assert_array_equal(again["irf"], data["irf"])
        assert again["observable"].values.astype(str).tolist() == ["output", "inflation", "rate"]
    whole = bytearray(path.read_bytes())
    value = data["irf"].values[0, 0, 3 * at, 0].tobytes()
    place = bytes(whole).index(value)
    whole[place + 2] ^= 1
    path.write_bytes(whole)
    with pytest.raises(OSError), xr.open_dataset(path, engine="h5netcdf") as again:  # noqa: PT011
        again.load()


def _legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_two_lines_of_a_legend_are_never_called_the_same():
    """A tutorial's figure had two lines called "exact solution"."""
    nk = emulator.world("nk")
    asked = {"shock": "monetary", "horizon": 8}
    base = nk.irf(**asked)
    zlb = emulator.world("zlb").irf(**asked)
    assert _legend(base.responses.plot(beside=zlb)) == [
        "Three-equation New Keynesian model",
        "New Keynesian model under a zero lower bound",
    ]
    stickier = nk.irf(kappa=0.03, **asked)
    ours, theirs = _legend(base.responses.plot(beside=stickier))
    assert ours != theirs
    assert "kappa = 0.03" in theirs


def test_long_units_and_symbols_of_a_file_stay_readable(own):
    """The unit of a file's own variables ran over its neighbours, and e_m was written 'e m'."""
    answer = emulator.world(own).irf(horizon=4)
    axis = answer.responses.plot().axes[0]
    assert max(map(len, axis.get_ylabel().splitlines())) <= 32
    assert axis.get_title().startswith("e_m (1 sd) → ")


def test_a_long_caption_stays_within_its_figure():
    """Six parameters and their ranges over the prior ran out of the figure on both sides."""
    ranges = {name: [0.2, 0.4567] for name in ("rho_i", "rho_m", "rho_r", "rho_u", "phi_y")}
    figure = emulator.world("nk").irf(ranges, shock="monetary").responses.plot()
    caption = figure.legends[0].get_title()
    box = caption.get_window_extent(figure.canvas.get_renderer())
    assert "rho_m from 0.2 to 0.4567" in caption.get_text().replace("\n", " ")
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width


def test_answers_are_drawn_together_where_both_have_the_observable(own):
    answer = emulator.world(own).irf(shock="e_m", horizon=4)
    part = answer.sel(observable=["i", "y"])
    for figure in (answer.responses.plot(beside=part), part.responses.plot(beside=answer)):
        assert sorted(axis.get_title()[-1] for axis in figure.axes) == ["i", "y"]
        for axis in figure.axes:
            ours, theirs, _ = axis.lines
            np.testing.assert_array_equal(ours.get_ydata(), theirs.get_ydata())
        caption = figure.legends[0].get_title().get_text().replace("\n", " ")
        assert "Left out, as one of the two has it alone: pi, a." in caption
    with pytest.raises(ParameterError, match="different observables: y and i"):
        answer.sel(observable=["y"]).responses.plot(beside=answer.sel(observable=["i"]))
    other_unit = part.assign_coords(unit=("observable", ["percent", "percent"]))
    with pytest.raises(ParameterError, match="different observables"):
        answer.responses.plot(beside=other_unit)
