"""Worlds with one to many observables of any name, unit and period: what is asked of them, drawn,
tabulated and written.
"""

import json

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

import emulator
from emulator.errors import EmulatorError, ParameterError, UnknownNameError
from emulator.inference import Economy, Emulator
from emulator.inference.export import KEY, encode
from emulator.inference.over_solver import SolverAnswerer
from emulator.models import build
from emulator.models.check import _statistics, _theta
from emulator.models.trained import TrainedNetwork
from emulator.models.trust import Evidence, Trust
from emulator.solvers import StateSpace
from emulator.spec import PERCENT, Observable
from emulator.tests.conftest import brief_trust
from emulator.tests.worlds.tiny import NAMES, TinyWorld
from emulator.worlds import check_world
from emulator.worlds.nk import NewKeynesian

pytestmark = pytest.mark.fast


def economy(n, frequency="quarter", **options):
    return Economy(SolverAnswerer(TinyWorld(n, frequency, **options)))


@pytest.mark.parametrize("n", [1, 2, 5, 7])
def test_every_question_takes_any_number_of_observables(n, tmp_path):
    tiny = economy(n, "month")
    check_world(tiny.solver, n=8)
    names = list(tiny.spec.observable_names)
    data = tiny.irf(rho=[0.3, 0.6], horizon=6)
    assert data["irf"].shape == (2, 2, 7, n)
    assert data["observable"].values.tolist() == names
    assert data["unit"].values.tolist() == list(tiny.spec.observable_units)
    assert data["horizon"].attrs["units"] == "months after impact"
    assert tiny.jacobian(horizon=3).shape == (1, 2, 4, n, 4)
    shares = tiny.sensitivity(16, horizons=(0, 2))
    assert shares["total_order"].shape == (4, 2, 2, n)
    assert shares["horizon"].attrs["units"] == "months after impact"
    assert tiny.simulate(periods=9).shape == (1, 9, n)
    for ending in ("csv", "nc", "json"):
        data.responses.write(tmp_path / f"x.{ending}")
    table = pd.read_csv(tmp_path / "x.csv", index_col=["draw", "shock", "horizon"])
    np.testing.assert_array_equal(table[names[-1]], data["irf"].values[..., -1].ravel())
    xr.testing.assert_identical(xr.load_dataset(tmp_path / "x.nc").drop_attrs(), data.drop_attrs())


def test_observables_are_selected_by_name_in_the_order_asked_for():
    tiny = economy(5)
    whole, chosen = tiny.irf(), tiny.irf(observables=["rate", "hours"])
    assert chosen["observable"].values.tolist() == ["rate", "hours"]
    assert chosen["unit"].values.tolist() == ["annualised percentage points", "percent"]
    np.testing.assert_array_equal(chosen["irf"], whole["irf"].sel(observable=["rate", "hours"]))
    np.testing.assert_array_equal(
        tiny.jacobian(observables="spread", horizon=4)[..., 0, :],
        tiny.jacobian(horizon=4).sel(observable="spread"),
    )
    np.testing.assert_array_equal(
        tiny.simulate(observables="rate", periods=5)[..., 0],
        tiny.simulate(periods=5).sel(observable="rate"),
    )
    shares = tiny.sensitivity(16, observables=["spread"], horizons=[1])
    assert shares["observable"].values.tolist() == ["spread"]
    xr.testing.assert_allclose(
        shares, tiny.sensitivity(16, horizons=[1]).sel(observable=["spread"])
    )
    with pytest.raises(UnknownNameError, match="Did you mean 'hours'"):
        tiny.irf(observables="hour")
    with pytest.raises(ParameterError, match="list of observables is empty; leave it out for all"):
        tiny.irf(observables=[])
    with pytest.raises(ParameterError, match="The observables were given as 3"):
        tiny.irf(observables=3)


def test_an_impact_is_asked_of_any_observable_also_of_one_that_is_not_answered():
    tiny = economy(5)
    data = tiny.irf(shock="money", size="1% on output", observables="hours")
    assert data["observable"].values.tolist() == ["hours"]
    both = tiny.irf(shock="money", size="1% on output")["irf"]
    np.testing.assert_allclose(both.sel(observable="output", horizon=0), 1.0)
    np.testing.assert_array_equal(data["irf"], both.sel(observable=["hours"]))


@pytest.mark.parametrize(
    ("size", "observable", "amount"),
    [
        ("1%", "hours", 1.0),
        ("25bp", "rate", 0.25),
        ("0.5", "spread", 0.5),
        ("3", "unemployment", 3.0),
        ("2e-3", "unemployment", 0.002),
    ],
)
def test_an_impact_is_asked_of_any_observable_in_its_unit(size, observable, amount):
    tiny = economy(5)
    plain = float(tiny.irf(shock="money")["irf"].sel(observable=observable)[0, 0, 0])
    sign = "-" if plain < 0 else "+"
    data = tiny.irf(shock="money", size=f"{sign}{size} on {observable}", horizon=4)
    impact = float(data["irf"].sel(observable=observable)[0, 0, 0])
    assert impact == pytest.approx(float(f"{sign}{amount}"))
    named = size.replace("25bp", "0.25 pp").replace("2e-3", "0.002")
    assert str(data["size"].values[0]).removeprefix("-") == f"{named} on {observable}"


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ("1% on rate", "rate, which is measured in annualised .*: 25bp on rate.*in pp or bp for"),
        ("25bp on hours", "hours, which is measured in percent: 1% on hours"),
        ("1% on spread", "spread, whose unit nobody gave: 0.01 on spread"),
        ("1pp on unemployment", "in persons per thousand.*a plain number in the observable's own"),
        ("1 on wage", "Unknown observable: 'wage'"),
        ("much", "or an impact: '25bp on rate'"),
    ],
)
def test_an_amount_in_another_unit_is_refused_with_the_units_that_there_are(size, words):
    with pytest.raises(EmulatorError, match=words):
        economy(5).irf(shock="money", size=size)


def test_a_small_impact_is_a_yardstick_in_a_unit_that_nobody_knows():
    tiny = economy(5)
    tiny.solver.loading[3] *= 1e-6
    tiny.solver.tilt[3] *= 1e-6
    plain = float(tiny.irf(shock="money")["irf"].sel(observable="spread")[0, 0, 0])
    data = tiny.irf(shock="money", size=f"{2 * plain} on spread", horizon=2)
    assert float(data["irf"].sel(observable="spread")[0, 0, 0]) == pytest.approx(2 * plain)
    tiny.solver.loading[0] *= 1e-6
    tiny.solver.tilt[0] *= 1e-6
    with pytest.raises(ParameterError, match="hardly moves hours on impact"):
        tiny.irf(shock="money", size="1% on hours")


def test_messages_say_the_world_s_own_periods():
    with pytest.raises(ParameterError, match="expected a whole number of months"):
        economy(1, "month").irf(horizon=-1)
    with pytest.raises(ParameterError, match="expected a whole number of years"):
        economy(1, "year").sensitivity(16, horizons=[0.5])


def test_a_parameter_of_none_is_refused_as_none():
    nk = emulator.world("nk")
    with pytest.raises(ParameterError, match="'kappa' was given as None; expected a number"):
        nk.irf(kappa=None)
    with pytest.raises(ParameterError, match="'kappa' was given as a list; expected a number"):
        nk.irf(kappa=[0.1, None])
    with pytest.raises(ParameterError, match="no array of numbers"):
        nk.irf(np.array([[None] * nk.spec.n_parameters]))


@pytest.mark.parametrize("n", [1, 2, 5, 7, 12])
def test_figures_are_legible_with_any_number_of_observables(n):
    figure = economy(n, "month").irf().responses.plot()
    panels = [axis for axis in figure.axes if axis.get_visible()]
    assert len(panels) == 2 * n
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    for axis, (_, unit) in zip(panels, 2 * NAMES[:n], strict=True):
        assert axis.get_xlabel() == "months after impact"
        named = "unit unknown" if unit == "unknown" else unit
        assert axis.get_ylabel().replace("\n", " ") == named
        assert axis.get_window_extent().width > 150  # of 100 dots an inch
        assert axis.get_window_extent().height > 100
        title = axis.title.get_window_extent(renderer)
        assert figure.bbox.x0 <= title.x0
        assert title.x1 <= figure.bbox.x1
        assert title.width < figure.bbox.width / min(n, 4)
    lowest = {round(axis.get_position().x0, 2): axis for axis in panels}
    for axis in lowest.values():
        assert axis.get_xticklabels()[0].get_visible()


class WiderNewKeynesian(NewKeynesian):
    """nk with hours, which its network does not know, ahead of the others in another order."""

    def __init__(self):
        super().__init__()
        output, inflation, rate = NewKeynesian.spec.observables
        hours = Observable(name="hours", tex="n", unit=PERCENT, meaning="hours worked")
        self.spec = NewKeynesian.spec.model_copy(
            update={"observables": (hours, rate, output, inflation)}
        )

    def state_space(self, theta):
        space = super().state_space(theta)
        return StateSpace(space.A, space.B, space.C[:, [0, 2, 0, 1]] * [[[2.0], [1], [1], [1]]])


def test_a_solver_stands_in_for_a_network_by_the_names_of_observables():
    nk, wider = emulator.load()["nk"], WiderNewKeynesian()
    draws = {"kappa": [0.1, 0.6]}
    asked = {"shock": "monetary", "size": "25bp on rate", "horizon": 8}
    for options in (asked, {"shocks": {"monetary": [1, 1]}, "horizon": 8}):
        ours = nk.irf(draws, **options, fallback=wider)
        theirs = nk.irf(draws, **options, fallback="exact")
        assert ours["exact"].values.tolist() == [False, True]
        for field in ("irf", "lower", "upper"):
            np.testing.assert_array_equal(ours[field], theirs[field])
        assert "and no hours" in ours.attrs["notes"]
        assert "emulator.world('nk').irf(observables=['hours'])" in ours.attrs["notes"]
        assert "notes" not in theirs.attrs


def test_a_question_about_what_only_the_solver_observes_says_which_call_answers(monkeypatch):
    wider = WiderNewKeynesian()
    monkeypatch.setattr("emulator.inference.fallback.get_world", lambda name: wider)
    nk = emulator.load()["nk"]
    call = (
        r"and no hours. The solver answers .*emulator.world\('nk'\).irf\(observables=\['hours'\]\)"
    )
    for ask in (nk.irf, nk.jacobian, nk.sensitivity):
        with pytest.raises(UnknownNameError, match=call):
            ask(observables=["output", "hours"])
    with pytest.raises(UnknownNameError, match="Did you mean 'output'"):
        nk.irf(observables="outptu")


def test_a_solver_without_a_network_s_observable_is_refused_for_it():
    nk, wider = emulator.load()["nk"], WiderNewKeynesian()
    whole = wider.spec
    wider.spec = whole.model_copy(update={"observables": whole.observables[:3]})
    with pytest.raises(ParameterError, match="the solver of 'nk' has no such observable"):
        nk.irf(kappa=0.6, fallback=wider)
    other = whole.observables[3].model_copy(update={"unit": "percent"})
    wider.spec = whole.model_copy(update={"observables": (*whole.observables[:3], other)})
    with pytest.raises(ParameterError, match=r"'inflation' in annualised .* has it in percent"):
        nk.irf(kappa=0.6, fallback=wider)


@pytest.fixture(scope="module")
def two():
    """A calibrated network of two worlds that observe 2 and 5 things; its weights are drawn."""
    worlds = {f"tiny{n}": TinyWorld(n, "month") for n in (2, 5)}
    specs = {name: world.spec for name, world in worlds.items()}
    statistics = {name: _statistics(spec) for name, spec in specs.items()}
    torch.manual_seed(0)
    network = build("PerWorldMLPBaseline", specs, 6, {})
    network.bind(statistics, specs)
    network.eval()
    evidence = []
    for name, world in worlds.items():
        theta = _theta(world.spec, 200)
        with torch.no_grad():
            error = network(theta, name) - torch.tensor(world.irf(theta.double().numpy(), 6))
        evidence.append((name, Evidence(theta, theta, error.float())))
    with brief_trust():
        trust = Trust.fitted(evidence, statistics)
    return Emulator(TrainedNetwork(network, trust))


@pytest.mark.parametrize("n", [2, 5])
def test_a_network_of_worlds_that_observe_different_things_answers_all_questions(two, n):
    tiny, exact = two[f"tiny{n}"], economy(n, "month")
    data = tiny.irf(rho=[0.5, 5.0], on_failure="nan", fallback=exact, horizon=6)
    assert data["irf"].shape == data["lower"].shape == (2, 2, 7, n)
    assert data["exact"].values.tolist() == [False, True]
    np.testing.assert_allclose(data["irf"][1], np.nan)
    assert (data["upper"] > data["lower"])[0].all()
    assert data["horizon"].attrs["units"] == "months after impact"
    slopes = tiny.jacobian(horizon=3)
    step = 1e-2
    up, down = (tiny.irf(slope=1 + way * step, horizon=3)["irf"][0] for way in (1, -1))
    by_differences = (up - down) / (2 * step)
    np.testing.assert_allclose(slopes[0].sel(parameter="slope"), by_differences, atol=1e-3)
    assert tiny.sensitivity(32, horizons=[0, 3])["first_order"].shape == (4, 2, 2, n)
    local = tiny.answerer.local(tiny.spec.theta()[0], 3, 1, [0, 1])
    np.testing.assert_allclose(
        local.irf, tiny.irf(shock="supply", horizon=3)["irf"][0, 0], atol=1e-5
    )
    np.testing.assert_allclose(local.irf_by[1], slopes[0, 1].sel(parameter="slope"), atol=1e-4)
    named = tiny.irf(observables="output", horizon=3)
    np.testing.assert_array_equal(named["upper"][..., 0], tiny.irf(horizon=3)["upper"][..., 1])


def test_an_exported_network_names_any_observables(two):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    session = runtime.InferenceSession(encode(two, "tiny5"))
    theta = two.spec("tiny5").theta().astype(np.float32)
    irf, width = session.run(["irf", "half_width"], {"theta": theta})
    expected = two.irf("tiny5", theta)
    np.testing.assert_allclose(irf, expected["irf"], atol=1e-5)
    np.testing.assert_allclose(width, (expected["upper"] - expected["irf"]), atol=1e-5)
    about = json.loads(session.get_modelmeta().custom_metadata_map[KEY])
    assert about["frequency"] == "month"
    names = [(entry["name"], entry["unit"]) for entry in about["observables"]]
    assert names == list(NAMES[:5])


def test_a_variable_named_as_a_column_of_the_table_keeps_its_numbers(tmp_path):
    """Variables of a file may be called `draw`, `horizon` or `exact`."""
    tiny = economy(5)
    names = ("horizon", "exact", "draw", "output", "output_lower")
    observables = [
        observable.model_copy(update={"name": name})
        for name, observable in zip(names, tiny.spec.observables, strict=True)
    ]
    tiny.answerer.spec = tiny.spec.model_copy(update={"observables": tuple(observables)})
    data = tiny.irf(horizon=3)
    table = data.responses.frame()
    assert table.index.names == ["draw", "shock", "horizon"]
    assert table.columns[:5].tolist() == ["horizon_", "exact_", "draw_", "output", "output_lower"]
    np.testing.assert_array_equal(table["exact_"], data["irf"].values[..., 1].ravel())
    assert table["exact"].all()
    data.responses.write(tmp_path / "x.csv")
    assert len(pd.read_csv(tmp_path / "x.csv")) == 2 * 4
