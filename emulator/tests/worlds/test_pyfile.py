"""A Python file of the user's is a world by its path: run once, mistakes told with their line."""

import hashlib
import sys

import numpy as np
import pytest

import emulator
from emulator.errors import SimulatorError, UnknownNameError
from emulator.tests.worlds.shop import FILE, write_shop
from emulator.worlds import check_world, get_world, is_path, is_python, open_world

pytestmark = pytest.mark.fast


def test_a_file_and_a_name_are_an_economy(tmp_path):
    path = write_shop(tmp_path)
    economy = emulator.world(f"{path}:economy")
    spec = economy.spec
    assert (spec.name, spec.title, spec.source) == ("economy", "A shop", "mysim.py")
    assert spec.definition == hashlib.sha256(FILE.encode()).hexdigest()
    assert economy.solver.place == f"{path}:economy"
    irf = economy.irf(rho=0.5, slope=0.2)["irf"]
    np.testing.assert_allclose(irf[0, 0, :, 1], 0.2 * 0.5 ** np.arange(13))
    assert get_world(path) is get_world(f"{path}:economy") is open_world(path)
    check_world(economy.solver, n=8)


def test_what_a_file_has_from_elsewhere_stays_as_it_is(tmp_path):
    path = write_shop(tmp_path, "from emulator.worlds import get_world\n\nnk = get_world('nk')\n")
    placed = get_world(f"{path}:nk")
    assert placed.spec.definition
    assert placed.place == f"{path}:nk"
    assert get_world("nk").spec.definition == get_world("nk").place == ""


def test_an_edited_file_is_another_world(tmp_path):
    path = write_shop(tmp_path)
    before = get_world(path)
    path.write_text(FILE.replace("13", "13, dtype=float"))
    after = get_world(path)
    assert after.spec.definition != before.spec.definition
    assert not after.spec.is_same_model(before.spec)


def test_what_lies_beside_a_file_is_importable_for_each_folder_its_own(tmp_path):
    for name, ending in (("a", 13), ("b", 7)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "shop_helper.py").write_text(f"PERIODS = {ending}\n")
        text = "import shop_helper\n" + FILE.replace("13", "shop_helper.PERIODS")
        write_shop(folder, text.replace("horizon=12", "horizon=shop_helper.PERIODS - 1"))
    for name, ending in (("a", 13), ("b", 7)):
        world = get_world(tmp_path / name / "mysim.py")
        assert world.irf(world.spec.theta(), ending - 1).shape == (1, 1, ending, 2)
    assert str(tmp_path / "a") != sys.path[0]


def test_dataclasses_and_classes_of_worlds_work_in_a_file(tmp_path):
    text = FILE + (
        "\nfrom dataclasses import dataclass\n\nfrom emulator.worlds.nk import NewKeynesian\n"
        "\n\n@dataclass\nclass Shop:\n    n: 'int' = 1\n\n\nclass Mine(NewKeynesian):\n"
        "    spec = NewKeynesian.spec.model_copy(update={'name': 'mine'})\n"
    )
    path = write_shop(tmp_path, text)
    assert get_world(f"{path}:Mine").spec.name == "mine"
    with pytest.raises(
        SimulatorError, match=r"several worlds: economy, Mine\. .*mysim\.py:economy"
    ):
        get_world(path)


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        (FILE, "econmy", "mysim.py has no 'econmy'. Did you mean 'economy'"),
        (FILE, "", "expected path/to/file.py:name"),
        (
            "def economy(theta):\n    return 1\n",
            "economy",
            "is a function and no world. .*@emulator",
        ),
        ("x = 3\n", None, "mysim.py has no world"),
        ("x = 3\n", "x", "'x' of mysim.py is of type int"),
        ("x = 3\ndef f(:\n", "x", r"mysim\.py:2: invalid syntax"),
        ("x = 3\n\n\ny = z + 1\n", "x", r"mysim\.py:4: NameError: name 'z' is not defined"),
        ("import no_such_package\n", "x", r"mysim\.py:1: ModuleNotFoundError: .*no_such_package"),
        ("def f():\n    1 / 0\n\n\nf()\n", "x", r"mysim\.py:2: ZeroDivisionError"),
        ("import sys\nsys.exit(3)\n", "x", r"mysim\.py:2: sys\.exit: 3"),
        ("\0", "x", "no Python file|null bytes"),
        (
            FILE.replace("(0.1, 0.9)", "(0.9, 0.1)"),
            "economy",
            r"mysim\.py:7: Parameter 'rho' ranges from 0\.9 to 0\.1",
        ),
    ],
)
def test_mistakes_in_a_file_are_told_with_their_line(tmp_path, text, name, message):
    path = write_shop(tmp_path, text)
    with pytest.raises(SimulatorError, match=message) as caught:
        get_world(path if name is None else f"{path}:{name}")
    assert "Traceback" not in str(caught.value)


def test_files_that_are_not_there_are_named(tmp_path, monkeypatch):
    with pytest.raises(SimulatorError, match=r"There is no file .*nowhere\.py"):
        get_world(tmp_path / "nowhere.py")
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(SimulatorError, match=r"folder\.py"):
        get_world(f"{tmp_path}/folder.py:economy")
    write_shop(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnknownNameError, match=r"There is a file 'mysim\.py'"):
        get_world("mysim")


def test_a_mistake_in_a_file_beside_is_told_with_its_own_line(tmp_path):
    (tmp_path / "shop_broken.py").write_text("\n1 / 0\n")
    path = write_shop(tmp_path, "import shop_broken\n" + FILE)
    with pytest.raises(SimulatorError, match=r"shop_broken\.py:2: ZeroDivisionError"):
        get_world(path)
    (tmp_path / "shop_broken.py").write_text("def f(:\n")
    with pytest.raises(SimulatorError, match=r"shop_broken\.py:1: invalid syntax"):
        get_world(write_shop(tmp_path, "import shop_broken  # again\n" + FILE))


@pytest.mark.parametrize("name", ["a/b.py:c", "b.py", "b.py:", "./x.y.py:f_1"])
def test_what_counts_as_the_path_of_a_python_file(name):
    assert is_python(name)
    assert is_path(name)


@pytest.mark.parametrize("name", ["nk", "b.pyc", "py", "b.py/c", "b.py:a/b", "b.mod", None, 3])
def test_what_does_not(name):
    assert not is_python(name)


def test_the_command_line_takes_it(emulate, tmp_path):
    path = write_shop(tmp_path)
    code, out, err = emulate("irf", f"{path}:economy", "--set", "rho=0.5", "--horizon", "2")
    assert code == 0, err
    assert "0.25" in out
    code, out, err = emulate("worlds", "show", f"{path}:economy")
    assert code == 0, err
    assert "One period is a month." in out
    code, out, err = emulate("worlds", "check", path)
    assert code == 0, err
    assert "passes every check" in out
    assert "no simulate: " in out
    code, out, err = emulate("irf", f"{path}:economy", "--horizon", "13")
    assert code == 1
    assert "answers to horizons 0 to 12" in err
    code, out, err = emulate("irf", f"{path}:econmy")
    assert code == 1
    assert "Did you mean 'economy'" in err
