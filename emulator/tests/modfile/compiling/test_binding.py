"""Occasionally binding constraints in files: batches, signs, single shocks, runs, and what is
refused with which line.
"""

import numpy as np
import pytest

import emulator
from emulator.errors import ModFileError, NoSolutionError, ParameterError
from emulator.modfile import irf, load_text
from emulator.spec import Status

pytestmark = [
    pytest.mark.fast,
    pytest.mark.filterwarnings("ignore::emulator.errors.ModFileWarning"),
]

FILE = """var y pi i desired r;
varexo e_r e_i;
parameters beta kappa sigma phi rho lower;
beta = 0.99; kappa = 0.05; sigma = 1; phi = 1.5; rho = 0.7; lower = -0.01;
model(linear);
y = y(+1) - (i - pi(+1) - r)/sigma;
pi = beta*pi(+1) + kappa*y;
desired = phi*pi + 0.2*y + e_i;
[name = 'rate', relax = 'zlb'] i = desired;
[name = 'rate', bind = 'zlb'] i = lower;
r = rho*r(-1) + e_r;
end;
occbin_constraints;
name 'zlb'; bind desired < lower; relax desired > lower;
end;
shocks; var e_i; stderr 0.005; end;
shocks(surprise); var e_r; periods 1; values -0.03; end;
occbin_setup(simul_periods = 30);
occbin_solver;
"""


@pytest.fixture
def world(tmp_path):
    path = tmp_path / "bound.mod"
    path.write_text(FILE)
    return emulator.world(path)


def test_the_bound_holds_and_the_mirror_image_does_not_meet_it(world):
    paths = world.occbin(size=[1, -1], shock="surprises", variables=["i", "y"], horizon=20)
    assert paths.sizes == {
        "draw": 1, "size": 2, "shock": 1, "horizon": 21, "observable": 2, "constraint": 1,
        "parameter": world.spec.n_parameters,
    }  # fmt: skip
    assert float(paths["piecewise"].sel(observable="i").min()) == pytest.approx(-0.01)
    assert paths["binding"].sel(size=1).any()
    assert not paths["binding"].sel(size=-1).any()
    np.testing.assert_allclose(
        paths["piecewise"].sel(size=-1), -paths["linear"].sel(size=1), atol=1e-14
    )
    low = paths["piecewise"].sel(size=1, observable="y") - paths["linear"].sel(
        size=1, observable="y"
    )
    assert float(low[0, 0, 0]) < -0.005


def test_sizes_of_irf_are_those_of_occbin(world):
    paths = world.occbin(size=[0.5, -2, 1], horizon=12)
    for size in (0.5, -2, 1):
        np.testing.assert_allclose(
            world.irf(size=size, horizon=12)["irf"],
            paths["piecewise"].sel(size=size),
            atol=1e-12,
        )
    assert list(paths["shock"].values) == ["e_i", "surprises"]


def test_each_draw_of_a_batch_is_the_draw_alone(world):
    rho = np.linspace(0.5, 0.9, 9)
    batch = world.irf(rho=rho, horizon=10, shock="surprises")["irf"]
    for k in (0, 4, 8):
        alone = world.irf(rho=rho[k], horizon=10, shock="surprises")["irf"][0]
        np.testing.assert_allclose(batch[k], alone, atol=1e-13)


def test_a_path_of_shocks_adds_surprises(world):
    """A surprise later is the block moved by as many periods, from where the first one led."""
    twice = world.irf(shocks={"surprises": [1, 0, 0, 0.5]}, horizon=10)["irf"][0, 0]
    text = FILE.replace("periods 1; values -0.03", "periods 1, 4; values -0.03, -0.015")
    model = load_text(text, "bound.mod")
    solver = model.kind.path_solver(model)
    paths, status = solver.responses(model.theta(), 10)
    assert status[0] == Status.OK
    np.testing.assert_allclose(twice, paths[0, -1], atol=1e-14)


def test_a_simulation_is_the_response_to_its_shocks(world):
    shocks = {"e_i": [-3.0, 0.0, 2.0]}
    path = world.simulate(shocks=shocks)[0]
    answer = world.irf(shocks=shocks, horizon=2)["irf"][0, 0]
    np.testing.assert_allclose(path, answer, atol=1e-14)


def test_the_usual_answer_is_the_last_run_and_stoch_simul_that_in_which_nothing_binds(tmp_path):
    path = tmp_path / "bound.mod"
    path.write_text(FILE.replace("shocks(surprise)", "stoch_simul(order=1);\nshocks(surprise)"))
    assert "e_i" in irf(path, run=1)["shock"]
    linear = emulator.world(path, run=1).irf(horizon=5)
    assert list(linear["shock"].values) == ["e_i"]
    last = emulator.world(path)
    assert list(last.spec.shock_names) == ["e_i", "surprises"]
    assert list(irf(path, 5)["shock"].values) == ["e_i", "surprises"]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("name 'zlb'; bind", "bind", ":14: 'bind' stands before the constraint has a name"),
        ("bind desired < lower;", "", ":14: the constraint 'zlb' has no line 'bind'"),
        ("bind desired < lower", "bind desired", ":14: a comparison was expected behind 'bind'"),
        ("bind desired < lower", "bind rate < lower", ":14: 'rate' is not declared"),
        ("bind desired < lower", "bind e_r < lower", ":14: 'bind' holds the shock 'e_r'"),
        ("bind desired < lower", "bind i(-1) < lower", ":14: 'bind' holds 'i' at another date"),
        ("bind desired < lower", "bend desired < lower", ":14: 'bend' was not expected"),
        ("relax desired > lower", "bind desired > lower", ":14: the constraint 'zlb' has two"),
        ("bind = 'zlb'", "bind = 'elb'", ":10: the equation's tag names the constraint 'elb'"),
        ("[name = 'rate', bind = 'zlb']", "[bind = 'zlb']", ":10: an equation with a tag"),
        ("[name = 'rate', bind = 'zlb'] i = lower;\n", "", ":9: the equation 'rate' has no"),
        ("name 'zlb';", "name 'a'; bind y<-1; name 'b'; bind y<-2; name 'zlb';", "3 constraints"),
        ("simul_periods = 30", "simul_periods = none", ":19: 'none' has no value"),
        ("occbin_solver;\n", "", ":13: occasionally binding constraints (OccBin) and no command"),
    ],
)
def test_what_cannot_be_is_said_with_its_line(tmp_path, before, after, message):
    assert before in FILE
    path = tmp_path / "bound.mod"
    path.write_text(FILE.replace(before, after, 1))
    with pytest.raises(ModFileError) as error:
        emulator.world(path).irf(horizon=3)
    assert message in str(error.value)


def test_a_constraint_that_contradicts_itself_is_said_so(tmp_path):
    path = tmp_path / "bound.mod"
    path.write_text(FILE.replace("relax desired > lower", "relax desired < 1"))
    economy = emulator.world(path)
    with pytest.raises(NoSolutionError, match=r"bound\.mod:19: no path was found on which zlb"):
        economy.occbin(horizon=5)
    paths = economy.occbin(rho=[0.0, 0.7], size=[0.1, 1.0], horizon=5, on_failure="nan")
    assert np.isnan(paths["piecewise"]).all("horizon").values[1].all()


def test_other_economies_have_no_constraints_and_no_rule():
    nk = emulator.world("nk")
    with pytest.raises(ParameterError, match="no occasionally binding constraints"):
        nk.occbin()
    with pytest.raises(ParameterError, match="no optimal simple rule"):
        nk.optimal_rule()


def test_an_option_that_is_not_read_is_noted():
    text = FILE.replace("occbin_solver;", "occbin_solver(simul_debug, simul_init_regime = 3);")
    notes = [note for note in load_text(text, "m.mod").notes if "is not read" in note]
    assert len(notes) == 1
    assert "m.mod:19: the option 'simul_init_regime' of occbin_solver" in notes[0]
