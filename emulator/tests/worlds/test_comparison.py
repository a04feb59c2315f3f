"""`emulator compare`: several worlds in one cube, each number the world's own."""

import numpy as np
import pandas as pd
import pytest

from emulator.errors import (
    MissingExtraError,
    ModFileError,
    ParameterError,
    UnknownNameError,
)
from emulator.spec import OBSERVABLES
from emulator.tests.worlds.altered import observing
from emulator.tests.worlds.stranger import MAPPING, write_stranger
from emulator.worlds import get_world
from emulator.worlds.comparison import compare
from emulator.worlds.figures import draw_comparison
from emulator.worlds.hank.world import HeterogeneousAgents
from emulator.worlds.hank2.world import TwoAssets


@pytest.fixture
def stranger(tmp_path):
    return write_stranger(tmp_path)


def test_the_cube_holds_each_worlds_own_responses(stranger):
    worlds = [get_world("nk"), get_world("sw07"), get_world(stranger)]
    cube = compare(worlds, "monetary", horizon=12)
    assert cube.dims == ("world", "horizon", "observable")
    assert list(cube["world"].values) == ["nk", "sw07", "mine"]
    for world in worlds:
        own = world.irf(world.spec.theta(), horizon=12)[0, world.spec.shock_index("monetary")]
        shared = [world.spec.observable_names.index(name) for name in OBSERVABLES]
        np.testing.assert_array_equal(cube.sel(world=world.spec.name), own[:, shared])
    assert cube.attrs["left_out"] == "sw07: consumption, investment, hours, wage"


def test_a_tightening_lowers_output_in_every_world_with_sticky_prices(stranger):
    cube = compare([get_world("nk"), get_world("sw07"), get_world(stranger)], "monetary")
    assert (cube.sel(observable="output", horizon=0) < 0).all()


def test_the_command_draws_a_picture_and_writes_the_numbers(emulate, stranger, tmp_path):
    plot, csv = tmp_path / "c.png", tmp_path / "c.csv"
    code, out, err = emulate(
        "compare",
        "--shock",
        "monetary",
        "--worlds",
        f"nk,{stranger}",
        "--horizon",
        "8",
        "--plot",
        plot,
        "--csv",
        csv,
    )
    assert code == 0, err
    assert plot.read_bytes().startswith(b"\x89PNG")
    table = pd.read_csv(csv, index_col=["world", "horizon"])
    nk = get_world("nk")
    np.testing.assert_allclose(
        table.loc["nk"], nk.irf(nk.spec.theta(), horizon=8)[0, 0], rtol=1e-12
    )
    assert "mine" in out
    assert "annualised" in out


def without_its_packages(self):
    raise MissingExtraError("sequence_jacobian", "hank")


def test_alone_the_command_compares_every_world_that_has_a_monetary_shock(
    emulate, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for households in (HeterogeneousAgents, TwoAssets):
        monkeypatch.setattr(households, "require", without_its_packages)
    code, _, err = emulate("compare")
    assert code == 0, err
    assert "'hank' is left out" in err
    assert list(pd.read_csv("compare.csv")["world"].unique()) == [
        "nk",
        "rbc",
        "sw07",
        "switching",
        "zlb",
    ]
    assert (tmp_path / "compare.png").exists()


def test_worlds_are_compared_by_the_names_that_they_share(tmp_path):
    other = observing("hours", "rate", "output", "wages")
    cube = compare([get_world("nk"), other], "monetary", horizon=6)
    assert list(cube["observable"].values) == ["output", "rate"]
    assert cube.attrs["left_out"] == "nk: inflation; altered: hours, wages"
    own = other.irf(other.spec.theta(), horizon=6)[0, 0]
    np.testing.assert_array_equal(cube.sel(world="altered", observable="output"), own[:, 2])
    draw_comparison(cube, "a title", tmp_path / "two.png")
    one = compare([other], "monetary", horizon=6)
    assert list(one["observable"].values) == list(other.spec.observable_names)
    draw_comparison(one, "a title", tmp_path / "four.png")


@pytest.mark.parametrize(
    ("other", "error", "message"),
    [
        (observing("hours"), UnknownNameError, r"no observable .*nk: output .*altered: hours"),
        (observing("output", units={"output": "euros"}), UnknownNameError, r"output \(euros\)"),
        (observing("output", frequency="month"), ParameterError, "nk: quarter, altered: month"),
    ],
)
def test_worlds_that_cannot_be_compared_are_refused(other, error, message):
    with pytest.raises(error, match=message):
        compare([get_world("nk"), other], "monetary")


def test_a_shock_that_a_world_does_not_have_is_named_with_those_that_it_has():
    with pytest.raises(UnknownNameError, match=r"'demand'.*sw07: technology"):
        compare([get_world("nk"), get_world("sw07")], "demand")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--shock", "monetary", "--worlds", "nk,nkk"], "Did you mean 'nk'"),
        (["--shock", "monetary", "--worlds", "nk,no/such/file.mod"], "no/such/file.mod"),
        (["--shock", "monetary", "--worlds", "nk", "--plot", "x.gif"], "must end in"),
        (
            ["--shock", "monetary", "--worlds", "nk", "--csv", "/no/such/folder/x.csv"],
            "/no/such/folder",
        ),
        (["--shock", "monetary", "--worlds", "nk", "--csv", "x.xlsx"], "must end in .csv"),
        (["--shock", "monetary", "--worlds", ","], "no world is named"),
        (["--shock", "sunspot"], "No world has a shock 'sunspot'"),
    ],
)
def test_mistakes_end_in_one_clear_message(emulate, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = emulate("compare", *arguments)
    assert code == 1
    assert message in " ".join(err.split())
    assert not list(tmp_path.iterdir())


def test_two_worlds_of_one_name_are_refused_and_one_world_twice_is_one(stranger, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for file in ("mine.mod", "mine.world.yaml"):
        (other / file).write_text((tmp_path / file).read_text())
    with pytest.raises(UnknownNameError, match=r"named 'mine'.*name:"):
        compare([get_world(stranger), get_world(other / "mine.mod")], "monetary")
    assert compare([get_world("nk"), get_world("nk")], "monetary").sizes["world"] == 1


def test_the_mapping_lies_beside_the_path_as_it_is_written(stranger, tmp_path):
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "alias.mod").symlink_to(stranger)
    (tmp_path / "linked" / "alias.world.yaml").write_text(
        MAPPING.replace("output: x", "output: 100*x")
    )
    link, own = get_world(tmp_path / "linked" / "alias.mod"), get_world(stranger)
    assert link.spec.name == "alias"
    np.testing.assert_allclose(
        link.irf(link.spec.theta())[..., 0], 100 * own.irf(own.spec.theta())[..., 0]
    )


def test_a_key_written_twice_in_a_mapping_is_refused_with_its_line(stranger, tmp_path):
    (tmp_path / "mine.world.yaml").write_text(MAPPING + "shocks: {monetary: e_m}\n")
    with pytest.raises(
        ModFileError, match=r"mine\.world\.yaml:7: .*'shocks' stands here a second time"
    ):
        get_world(stranger)
