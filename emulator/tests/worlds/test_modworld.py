"""A stranger's `.mod` file with its mapping is a world like any other, by its path alone."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import emulator
from emulator.cli import app
from emulator.errors import ModFileError, ParameterError, UnknownNameError
from emulator.modfile import load
from emulator.tests.worlds.stranger_file import MAPPING, MODEL, written
from emulator.worlds import check_world, from_source, get_world
from emulator.worlds.guess import proposed_mapping

pytestmark = [pytest.mark.filterwarnings("ignore::UserWarning")]


@pytest.fixture
def write(tmp_path):
    return partial(written, tmp_path)


def closed_form(kappa, phi, rho, sigma=1.0, beta=0.99):
    """Impact of a demand shock of 0.5 by undetermined coefficients: y = a u, pi = kappa a u / (1 -
    beta rho).
    """
    per_output = kappa / (1 - beta * rho)
    a = 1 / (1 - rho + (phi - rho) * per_output / sigma)
    return 0.5 * a * np.array([1, 4 * per_output, 4 * phi * per_output])


def test_it_is_a_world_by_its_path(write):
    world = get_world(write())
    check_world(world, n=24)
    assert world.spec.name == "stranger"
    assert world.spec.shock_names == ("demand", "easing")
    theta = world.sample(10, np.random.default_rng(0))
    irf = world.irf(theta, horizon=12)
    for k, row in enumerate(theta):
        expected = closed_form(*row) * row[2] ** np.arange(13)[:, None]
        np.testing.assert_allclose(irf[k, 0], expected, atol=1e-10)
    assert (irf[:, 1, 0, 0] > 0).all()  # a negative shock to the rule is expansionary
    assert (irf[:, 1, 0, 2] < 0).all()


def test_the_command_line_takes_the_path(write, tmp_path):
    path = write()
    checked = CliRunner().invoke(app, ["worlds", "check", str(path)])
    assert checked.exit_code == 0, checked.output
    table = tmp_path / "irf.csv"
    answered = CliRunner().invoke(
        app,
        [
            "irf",
            str(path),
            "--set",
            "kappa=0.2",
            "--shock",
            "demand",
            "--horizon",
            "4",
            "--csv",
            str(table),
        ],
    )
    assert answered.exit_code == 0, answered.output
    first = pd.read_csv(table).iloc[0]
    np.testing.assert_allclose(
        first[["output", "inflation", "rate"]].to_numpy(float),
        closed_form(0.2, 1.5, 0.5),
        atol=1e-10,
    )


def test_an_edited_file_is_read_again(write):
    before = get_world(write())
    same = get_world(write())
    after = get_world(write(MODEL.replace("sigma = 1;", "sigma = 4.0;")))
    renamed = get_world(
        write(MODEL.replace("sigma = 1;", "sigma = 4.0;"), MAPPING.replace("demand:", "spending:"))
    )
    theta = before.spec.theta()
    assert before.spec.definition == same.spec.definition != after.spec.definition
    assert np.abs(before.irf(theta) - after.irf(theta)).max() > 0.05
    assert renamed.spec.shock_names[0] == "spending"


def test_estimated_params_give_priors_and_bounds(write):
    block = """
    estimated_params;
    kappa, 0.1, 0.02, 0.4, gamma_pdf, 0.1, 0.05;
    rho, beta_pdf, 0.5, 0.15;
    phi, uniform_pdf, , , 1.1, 2.2;
    stderr e, inv_gamma_pdf, 0.5, 0.2;
    end;
    """
    world = get_world(
        write(
            MODEL.replace("stoch_simul", block + "stoch_simul"),
            "observables: {output: y, inflation: 4*pi, rate: 4*i}\n",
        )
    )
    check_world(world, n=24)
    ranges = {p.name: (p.low, p.high, p.default) for p in world.spec.parameters}
    assert list(ranges) == ["kappa", "rho", "phi", "stderr_e"]
    assert ranges["kappa"] == (0.02, 0.4, 0.1)
    assert ranges["phi"] == (1.1, 2.2, 1.5)
    assert ranges["stderr_e"][2] == 0.5
    draws = world.propose(20_000, np.random.default_rng(0))
    assert draws[:, 1].mean() == pytest.approx(0.5, abs=0.01)
    assert draws[:, 1].std() == pytest.approx(0.15, abs=0.01)


def test_a_world_that_gains_observables_is_the_same_model(write):
    """Networks and data of before know `sw07` and `rbc` by these definitions, with three
    observables; each further one is known by its own.
    """
    before = get_world(write())
    more = MAPPING.replace("rate: 4*i}", "rate: 4*i, demand: {expression: 2*u, unit: percent}}")
    gained = get_world(write(mapping=more)).spec
    assert gained.observable_names == ("output", "inflation", "rate", "demand")
    assert gained.observable_units[3] == "percent"
    assert gained.definition == before.spec.definition
    assert gained.states[: len(before.spec.states)] == before.spec.states
    assert gained.is_same_model(before.spec)
    assert before.spec.is_same_model(gained)
    other = get_world(write(mapping=more.replace("2*u", "3*u"))).spec
    assert other.definition == gained.definition
    assert not other.is_same_model(gained)
    for name, digest in (("sw07", "a369e65718b06962"), ("rbc", "408e27c9141c4a88")):
        assert get_world(name).spec.definition.startswith(digest)


@pytest.mark.parametrize("name", ["sw07", "rbc"])
def test_further_observables_change_no_bit_of_the_first_three(name):
    world = get_world(name)
    lines = world.source.mapping.splitlines(keepends=True)
    further = [f"  {observable}: {{expression" for observable in world.spec.observable_names[3:]]
    assert further
    text = "".join(line for line in lines if not line.startswith(tuple(further)))
    three = from_source(world.source.model_copy(update={"mapping": text}))
    assert three.spec.observable_names == ("output", "inflation", "rate")
    assert three.spec.is_same_model(world.spec)
    theta = world.sample(300, np.random.default_rng(3))
    assert (three.irf(theta) == world.irf(theta)[..., :3]).all()
    assert (three.irf(theta[:1], 60) == world.irf(theta[:1], 60)[..., :3]).all()
    shocks = np.random.default_rng(4).standard_normal((5, 30, world.spec.n_shocks))
    assert (three.simulate(theta[:5], shocks) == world.simulate(theta[:5], shocks)[..., :3]).all()
    assert (three.status(theta) == world.status(theta)).all()


ANY = "observables: {level: {expression: pi - u, unit: points}, gap: y, rate: 4*i}\n"


def test_observables_have_any_names_and_the_world_its_frequency(write):
    rest = MAPPING[MAPPING.index("shocks:") :]
    world = get_world(write(mapping="frequency: month\n" + ANY + rest))
    assert world.spec.observable_names == ("rate", "level", "gap")
    assert world.spec.observable_units == ("annualised percentage points", "points", "unknown")
    assert world.spec.periods == "months"
    assert world.notes == (
        "stranger.world.yaml gives no unit of gap; write {expression: ..., unit: ...}.",
    )
    usual = get_world(write(mapping=MAPPING.replace("easing", "monetary")))
    theta = usual.spec.theta(kappa=0.2)
    state = dict(zip(usual.spec.observable_names, np.moveaxis(usual.irf(theta), 3, 0), strict=True))
    irf = world.irf(theta)
    assert np.abs(irf[..., 0] - state["rate"]).max() < 1e-14
    assert np.abs(irf[..., 2] - state["output"]).max() < 1e-14
    demand = 0.5 * 0.5 ** np.arange(41)
    assert np.abs(irf[0, 0, :, 1] - (state["inflation"][0, 0] / 4 - demand)).max() < 1e-14
    assert world.spec.definition != usual.spec.definition


@pytest.mark.parametrize(
    "observed",
    [
        {"gap": "y"},
        {"rate": "4*i", "output": "y"},
        {name: f"{{expression: y + {k}*i, unit: percent}}" for k, name in enumerate("abcdefg")},
    ],
    ids=len,
)
def test_one_two_or_seven_observables_pass_the_conformance_suite(write, observed):
    lines = "".join(f"  {name}: {text}\n" for name, text in observed.items())
    rest = MAPPING[MAPPING.index("shocks:") :]
    world = get_world(write(mapping=f"observables:\n{lines}{rest}"))
    assert set(world.spec.observable_names) == set(observed)
    check_world(world, n=8)


def test_without_a_mapping_the_message_is_one_to_start_from(write, tmp_path):
    path = write(mapping=None)
    with pytest.raises(ModFileError, match=r"stranger\.world\.yaml") as error:
        get_world(path)
    guess = str(error.value).split("\n\n", 1)[1]
    assert "output: y" in guess
    assert "inflation: 4*pi" in guess
    assert "rate: 4*i" in guess
    check_world(get_world(write(mapping=guess)), n=8)  # the guess itself is a mapping


OWN = """
var {names}; varexo e; parameters rho; rho = 0.5;
model(linear); {first} = rho*{first}(-1) + e; hats = {first}; _seeds = 2*{first}; end;
shocks; var e; stderr 1; end;
{commands}
"""


@pytest.mark.parametrize(
    ("first", "commands", "proposed"),
    [
        ("corn", "", ("corn", "hats", "m__seeds")),
        ("corn", "stoch_simul(order = 1) hats;", ("hats",)),
        ("corn", "varobs _seeds corn; stoch_simul(order = 1) hats;", ("m__seeds", "corn")),
        ("y", "stoch_simul(order = 1) hats y;", ("output", "hats")),
        ("y", "", ("output",)),
    ],
)
def test_a_model_without_the_shared_variables_is_proposed_in_its_own(
    emulate, write, first, commands, proposed
):
    names = f"{first} hats _seeds"
    path = write(OWN.format(names=names, first=first, commands=commands), mapping=None)
    code, _, said = emulate("irf", path, "--write-mapping", "--horizon", 3)
    assert code == 0, said
    world = get_world(path)
    assert world.spec.observable_names == proposed
    check_world(world, n=8)
    unknown = [name for name in proposed if name != "output"]
    assert ("gives no unit of " + ", ".join(unknown) in " ".join(world.notes)) is bool(unknown)


def test_no_nominal_rate_is_guessed_in_a_real_model(write):
    model = (
        "var y, i, r; varexo e; parameters a; a = 0.5; model(linear); y = a*y(-1) + e; i = 2*y;"
        " r = 0.1*y; end; shocks; var e; stderr 1; end; stoch_simul y i r;"
    )
    proposal = proposed_mapping(load(write(model, mapping=None)))
    assert "rate:" not in proposal
    assert "i: {expression: i" in proposal


def test_a_file_is_solved_and_no_network_is_asked(emulate, write):
    for option, *value in (["--checkpoint", "runs/mine"], ["--network"]):
        code, _, said = emulate("irf", write(), option, *value)
        assert code == 1
        assert f"which is solved; {option} names a network" in said


def test_a_sample_is_of_the_prior_where_data_are_drawn_from_wider_shapes():
    world = get_world("sw07")
    column = world.spec.index("rho_a")
    wide = world.sample(400, np.random.default_rng(1))[:, column]
    own = world.sample_prior(400, np.random.default_rng(1))[:, column]
    assert world.settings == {"wide": 1.0}
    assert world.settings_before == {"wide": 0.0}
    assert world.with_settings({"wide": 1}) is world
    for share in (-0.1, 1.5, float("nan")):
        with pytest.raises(ParameterError, match="expected a share between 1"):
            world.with_settings({"wide": share})
    with pytest.raises(UnknownNameError, match="'width'"):
        world.with_settings({"width": 0})
    assert get_world("rbc").settings == {}
    assert own.std() < 0.25 < wide.std()  # the paper's: 0.2; uniform: 0.29
    table = emulator.world("sw07").sample(400, np.random.default_rng(1))
    np.testing.assert_array_equal(table["rho_a"], own)


def test_a_share_of_the_draws_is_from_wider_shapes():
    """Whole draws: persistences are beta in all of a draw or uniform in all of it."""
    world = get_world("sw07").with_settings({"wide": 0.25})
    assert world.settings == {"wide": 0.25}
    persistences = [world.spec.index(f"rho_{letter}") for letter in "abgirpw"]
    theta = world.propose(20_000, np.random.default_rng(1))[:, persistences]
    variance = 0.75 * 0.2**2 + 0.25 * 0.9899**2 / 12
    np.testing.assert_allclose(theta.var(0), variance, rtol=0.03)
    far = np.square((theta - 0.5) / 0.2).sum(1)  # uniform draws are farther out in all seven
    own, wide = (
        get_world("sw07").with_settings({"wide": share}).propose(20_000, np.random.default_rng(2))
        for share in (0, 1)
    )
    beyond = [
        float((np.square((t[:, persistences] - 0.5) / 0.2).sum(1) > 18).mean()) for t in (own, wide)
    ]
    assert float((far > 18).mean()) == pytest.approx(0.75 * beyond[0] + 0.25 * beyond[1], abs=0.01)
    assert beyond[1] > 10 * beyond[0]
