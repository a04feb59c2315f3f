"""Others bring worlds: by a call, or by entry points of their package, loaded when asked for."""

import sys

import pytest

import emulator
from emulator.errors import SimulatorError, UnknownNameError
from emulator.tests.worlds import shop as shops
from emulator.tests.worlds.altered import observing
from emulator.tests.worlds.shop import FILE, shop
from emulator.worlds import WORLDS, expand_worlds, get_world, is_known, register, registry

pytestmark = pytest.mark.fast


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """Worlds that a test registers are gone after it; of ours `nk` alone is listed: it is quick."""
    monkeypatch.setattr(registry, "_registered", {})
    for name in [name for name in WORLDS if name != "nk"]:
        monkeypatch.delitem(WORLDS, name)


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Installs small packages: name, module text, entry points."""

    def install(name, text, **points):
        (tmp_path / f"{name}.py").write_text(text)
        info = tmp_path / f"{name}-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
        lines = [f"{world} = {name}:{place}" for world, place in points.items()]
        (info / "entry_points.txt").write_text("[emulator.worlds]\n" + "\n".join(lines) + "\n")

    monkeypatch.syspath_prepend(str(tmp_path))
    yield install
    for name in [n for n in sys.modules if n.startswith("worldpkg")]:
        del sys.modules[name]


def test_a_registered_world_has_a_name_everywhere():
    world = shop()
    register(world)
    assert get_world("shop") is world
    assert emulator.world("shop").solver is world
    assert is_known("shop")
    assert expand_worlds("nk,shop") == ["nk", "shop"]
    again = shop(title="another")
    emulator.worlds.register(again)
    assert get_world("shop") is again


def test_a_function_that_makes_a_world_is_called_when_it_is_asked_for():
    calls = []
    register(lambda: calls.append(1) or shop(), name="shop")
    assert is_known("shop")
    assert not calls
    assert get_world("shop") is get_world("shop")
    assert calls == [1]


def test_an_installed_package_brings_worlds_that_are_loaded_when_asked_for(packages, emulate):
    packages("worldpkg_a", FILE, economy="economy")
    assert registry.names()["economy"] == "package worldpkg_a 1.5"
    code, out, _ = emulate("worlds")
    assert code == 0
    assert "worldpkg_a" in out
    assert "worldpkg_a" not in sys.modules
    assert get_world("economy").spec.title == "A shop"
    assert "worldpkg_a" in sys.modules
    code, out, err = emulate("irf", "economy", "--exact", "--horizon", "2")
    assert code == 0, err
    code, out, err = emulate("irf", "economy", "--network", "--horizon", "2")
    assert code == 1
    assert "Its solver answers: emulator.world('economy')" in err


def test_a_broken_package_is_named_when_asked_for_and_breaks_nothing_else(packages, emulate):
    packages("worldpkg_b", "import no_such_thing\n", broken="economy")
    packages(
        "worldpkg_c", "economy = 3\n\ndef late():\n    return 1 / 0\n", odd="economy", late="late"
    )
    packages("worldpkg_d", FILE, renamed="economy")
    code, out, err = emulate("worlds")
    assert code == 0, err
    assert "broken" in out
    for name, message in (
        (
            "broken",
            r"World 'broken' of package worldpkg_b 1\.5 \(worldpkg_b:economy\) cannot be loaded",
        ),
        ("odd", "is of type int; expected a world"),
        ("late", "cannot be made: ZeroDivisionError"),
        ("renamed", "named 'renamed' here and 'economy' in its spec"),
    ):
        with pytest.raises(SimulatorError, match=message):
            get_world(name)
    assert get_world("nk").spec.name == "nk"
    with pytest.raises(UnknownNameError, match=r"'brken'. Did you mean 'broken'"):
        get_world("brken")


def test_names_that_clash_are_refused_with_both_named(packages, emulate):
    packages("worldpkg_e", FILE, economy="economy", nk="economy")
    packages("worldpkg_f", FILE, economy="economy")
    with pytest.raises(
        UnknownNameError,
        match=r"packages bring a world 'economy': package worldpkg_e 1\.5 and package worldpkg_f",
    ):
        get_world("economy")
    assert get_world("nk").spec.title.startswith("Three-equation")
    code, _, err = emulate("worlds")
    assert code == 0
    assert "'nk' of package worldpkg_e 1.5 is left out" in " ".join(err.split())
    with pytest.raises(
        UnknownNameError, match=r"'nk' is there already: it is of this package.*another name"
    ):
        register(observing("hours", world="nk"))
    packages("worldpkg_g", FILE, shop="economy")
    with pytest.raises(
        UnknownNameError, match="'shop' is there already: it is of package worldpkg_g"
    ):
        register(lambda: shop(), name="shop")
    register(get_world("nk"))  # the very same


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3,), "3 was given to register"),
        ((lambda: shop(),), "together with its name"),
        ((shop(), "other"), "named 'other' here and 'shop' in its spec"),
    ],
)
def test_what_is_no_world_is_refused(arguments, message):
    with pytest.raises(SimulatorError, match=message):
        register(*arguments)


@pytest.mark.parametrize("function", ["typed", "decorated"])
def test_a_function_of_a_notebook_does_not_travel(monkeypatch, function):
    monkeypatch.setattr(shops.to_24, "__module__", "__main__")
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "to_24", shops.to_24, raising=False)
    world = shop(shops.to_24)
    if function == "decorated":
        monkeypatch.setattr(main, "to_24", world)
    monkeypatch.setattr(main, "__file__", "<stdin>", raising=False)
    with pytest.raises(SimulatorError, match="cannot be sent to other processes"):
        registry.travelling(world, cluster=False)
    monkeypatch.setattr(main, "__file__", __file__)
    assert registry.travelling(world, cluster=False) is world
    with pytest.raises(SimulatorError, match="cannot be sent to other processes"):
        registry.travelling(world, cluster=True)


def test_worlds_travel_by_their_place_or_as_they_are(tmp_path):
    register(shop())
    assert registry.travelling(get_world("shop"), cluster=True) is get_world("shop")
    with pytest.raises(SimulatorError, match=r"cannot be sent to other .*mysim\.py:economy"):
        registry.travelling(shop(lambda theta: theta), cluster=False)
    (tmp_path / "mysim.py").write_text(FILE)
    place = registry.travelling(get_world(tmp_path / "mysim.py"), cluster=False)
    registry.arrive({"economy": place, "shop": shop()})
    assert get_world("economy").place == place
    assert "economy" not in WORLDS


def test_a_file_arrives_as_it_is_now(tmp_path):
    """A worker of a cluster lives through several commands, between which a file may be edited."""
    path = tmp_path / "mysim.py"
    path.write_text(FILE)
    place = f"{path}:economy"
    registry.arrive({"economy": place})
    before = get_world("economy")
    registry.arrive({"economy": place})
    assert get_world("economy") is before
    path.write_text(FILE.replace('"month"', '"quarter"'))
    registry.arrive({"economy": place})
    assert get_world("economy").spec.frequency == "quarter"
