"""Scripts of `benchmarks/`, which no test runs: what they import is there, and they take the
options that pages give them. `make lint` checks their types.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import emulator

pytestmark = [pytest.mark.fast, pytest.mark.checkout]

ROOT = Path(emulator.__file__).parents[1]
SCRIPTS = {path.stem: path for path in sorted((ROOT / "benchmarks").glob("*.py"))}
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "benchmarks/README.md"]
COMMAND = re.compile(r"python benchmarks/(\w+)\.py([^`\n]*)")


def test_scripts_import_what_is_there():
    missing = [
        f"{script}: {module}.{name}"
        for script, path in SCRIPTS.items()
        for module, name in imported(path)
        if name not in names_of(file_of(module)) and not file_of(f"{module}.{name}").exists()
    ]
    assert not missing


def imported(path: Path) -> list[tuple[str, str]]:
    """Modules of this project, with the names that a script takes from them."""
    return [
        (node.module, alias.name)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and node.module
        and (node.module in SCRIPTS or node.module.split(".")[0] == "emulator")
        for alias in node.names
    ]


def file_of(module: str) -> Path:
    """Where a module would be."""
    if module in SCRIPTS:
        return SCRIPTS[module]
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def names_of(path: Path) -> set[str]:
    """What a module that may not be there binds at its top, what it imports only when asked among
    it.
    """
    if not path.exists():
        return set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {n.name for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef)}
    imports = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    names |= {alias.asname or alias.name for n in imports for alias in n.names}
    bound = [n for n in tree.body if isinstance(n, ast.Assign | ast.AnnAssign)]
    return names | {n.id for part in bound for n in ast.walk(part) if isinstance(n, ast.Name)}


def test_pages_give_scripts_the_options_that_they_take():
    wrong, shown = [], set()
    for page in PAGES:
        for script, words in COMMAND.findall(page.read_text(encoding="utf-8")):
            if script not in SCRIPTS:
                wrong.append(f"{page.name}: benchmarks/{script}.py")
                continue
            shown.add(script)
            taken = options_of(SCRIPTS[script])
            given = re.findall(r"--[a-z][a-z_-]*", words)
            wrong += [f"{page.name}: {script}.py {name}" for name in given if name not in taken]
    assert not wrong
    assert len(shown) > 20


def options_of(path: Path) -> set[str]:
    """Options that a script declares: words of `add_argument`, arguments of its commands."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    written = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith("--")
    }
    arguments = {
        f"--{argument.arg.replace('_', '-')}"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for argument in node.args.args
        if argument.annotation is not None
    }
    return written | arguments
