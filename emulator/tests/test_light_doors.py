"""A command or an import pays only for what it uses: counted in sys.modules."""

import subprocess
import sys

import pytest

from emulator.cli import COMMANDS, function_of

pytestmark = pytest.mark.fast

# Where dask is installed, xarray imports it with any array, and dask imports jinja2.
HEAVY = {
    "arviz", "dask", "flask", "jinja2", "lark", "matplotlib", "numba", "nutpie", "pandas", "scipy",
    "statsmodels", "sympy", "torch", "waitress", "xarray", "zarr",
}  # fmt: skip


SCRIPT = """
import contextlib, io, sys
for code in {codes!r}:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        exec(code)
    print(' '.join(sys.modules))
"""


def modules_after(*codes: str) -> list[set[str]]:
    """Which of the heavy packages, and NumPy, a fresh Python holds after each code in turn."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(codes=codes)],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = [set(line.split()) for line in done.stdout.splitlines()]
    return [
        {name.partition(".")[0] for name in names} & (HEAVY | {"numpy"}) | names & {"scipy.stats"}
        for names in loaded
    ]


def emulate(*words: str) -> str:
    return f"import sys; sys.argv = {['emulator', *words]!r}\nfrom emulator.cli import main; main()"


@pytest.fixture(scope="module")
def after_help():
    """What one Python holds after the help of each command, one after the other."""
    return dict(
        zip(COMMANDS, modules_after(*(emulate(name, "--help") for name in COMMANDS)), strict=True)
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_imports_nothing_heavy(name, after_help):
    """A command that imports something is the first after which it is there."""
    before = list(COMMANDS)[: list(COMMANDS).index(name)]
    known = after_help[before[-1]] if before else set()
    assert after_help[name] - known <= {"numpy"}


def test_the_door_itself_imports_not_even_numpy():
    doors = [["--help"], ["--version"], ["wurlds"], ["--verbose"], []]
    loaded = modules_after("import emulator", *(emulate(*words) for words in doors))
    assert loaded == [set()] * 6


def test_a_solver_on_the_command_line_needs_no_tables_no_figures_and_no_networks():
    (loaded,) = modules_after(emulate("irf", "nk"))
    assert loaded <= {"numpy", "scipy"}


def test_a_solver_in_python_needs_no_torch_no_generator_and_no_figures():
    (loaded,) = modules_after("import emulator; emulator.world('nk').irf()")
    assert not loaded & {"torch", "zarr", "matplotlib", "sympy", "scipy.stats"}


def test_a_network_needs_no_generator_no_figures_and_no_statistics():
    (loaded,) = modules_after("import emulator; emulator.load()['nk'].irf()")
    assert "torch" in loaded
    assert not loaded & {"zarr", "matplotlib", "scipy.stats", "lark"}


def test_the_list_of_commands_says_what_each_command_says_of_itself():
    """The list stands apart, so that it is printed without importing the commands."""
    for name, entry in COMMANDS.items():
        command = function_of(name)
        assert command.__name__.rstrip("_") == name
        assert command.__doc__
        assert len(entry.summary) <= 80
