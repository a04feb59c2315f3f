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


def modules_after(code: str) -> set[str]:
    """Which of the heavy packages a fresh Python holds after some code."""
    script = (
        "import sys, io, contextlib\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        + "".join(f"    {line}\n" for line in code.splitlines())
        + "print(' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    statistics = {"scipy.stats"} & set(done.stdout.split())
    return (loaded & HEAVY) | statistics


def emulate(*words: str) -> str:
    return f"import sys; sys.argv = {['emulator', *words]!r}\nfrom emulator.cli import main; main()"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_imports_nothing_heavy(name):
    assert modules_after(emulate(name, "--help")) == set()


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["wurlds"], ["--verbose"], []])
def test_the_door_itself_imports_not_even_numpy(words):
    code = emulate(*words) + "\nassert 'numpy' not in sys.modules"
    assert modules_after(code) == set()


def test_the_package_alone_imports_nothing():
    assert modules_after("import emulator; assert 'numpy' not in sys.modules") == set()


def test_a_solver_on_the_command_line_needs_no_tables_no_figures_and_no_networks():
    loaded = modules_after(emulate("irf", "nk", "--exact"))
    assert loaded <= {"scipy"}


def test_a_solver_in_python_needs_no_torch_no_generator_and_no_figures():
    loaded = modules_after("import emulator; emulator.world('nk').irf()")
    assert not loaded & {"torch", "zarr", "matplotlib", "sympy", "scipy.stats"}


def test_a_network_needs_no_generator_no_figures_and_no_statistics():
    loaded = modules_after("import emulator; emulator.load()['nk'].irf()")
    assert "torch" in loaded
    assert not loaded & {"zarr", "matplotlib", "scipy.stats", "lark"}


def test_the_list_of_commands_says_what_each_command_says_of_itself():
    """The list stands apart, so that it is printed without importing the commands."""
    for name, entry in COMMANDS.items():
        command = function_of(name)
        assert command.__name__.rstrip("_") == name
        assert command.__doc__
        assert len(entry.summary) <= 80
