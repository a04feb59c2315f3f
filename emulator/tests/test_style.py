"""What a formatter cannot see: names that say nothing, and files that nobody wants to live in."""

import ast
from pathlib import Path

import pytest

import emulator

pytestmark = pytest.mark.fast

PACKAGE = Path(emulator.__file__).parent
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if "tests" not in p.relative_to(PACKAGE).parts)
LONGEST = 400
"""Lines of a module; most have 100 to 300."""


def names_bound(tree: ast.AST) -> set[str]:
    """Every name that a module binds: variables, arguments, targets of loops and of `with`."""
    stored = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return stored | {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}


BENCHMARKS = sorted((PACKAGE.parent / "benchmarks").glob("*.py"))
TESTS = sorted((PACKAGE / "tests").rglob("*.py"))


@pytest.mark.parametrize(
    "path", [*MODULES, *BENCHMARKS], ids=lambda path: str(path.relative_to(PACKAGE.parent))
)
def test_names_say_what_they_hold(path):
    assert "found" not in names_bound(ast.parse(path.read_text(encoding="utf-8")))


def test_names_in_tests_say_what_they_hold():
    bound = {str(p.relative_to(PACKAGE)): names_bound(ast.parse(p.read_text())) for p in TESTS}
    assert not [name for name, names in bound.items() if "found" in names]


def test_no_module_is_too_long_to_live_in():
    lengths = {str(p.relative_to(PACKAGE)): len(p.read_text().splitlines()) for p in MODULES}
    assert not {name: lines for name, lines in lengths.items() if lines > LONGEST}
